//! A workflow read from its file, table by table.

use super::expr::{Condition, Expr, Reference};
use super::kinds::KINDS;
use super::plan::{Caps, Input, Loop, Step};
use super::source::{Item, Source, Table, json};
use super::types::Type;
use crate::error::Result;
use crate::run::retry::Policy;
use crate::run::task::{MAX_STEPS, parse_time};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use toml::de::DeTable;

/// What a file says; that its parts fit together is still to be checked.
pub(super) struct Parts {
    pub inputs: BTreeMap<String, Input>,
    pub drafts: Vec<Draft>,
    pub loops: Vec<(Loop, Vec<Mention>)>,
    /// With its line.
    pub output: Option<(usize, Expr)>,
    pub caps: Caps,
}

/// A reference and the line in which it stands.
pub(super) type Mention = (usize, Reference);

/// A step as it is read, before anything in it is looked up.
pub(super) struct Draft {
    pub step: Step,
    pub needs: Vec<(usize, String)>,
    pub mentions: Vec<Mention>,
    pub lines: BTreeMap<&'static str, usize>,
}

/// Reads a file's table.
///
/// # Errors
/// `bad_workflow` with the line.
pub(super) fn read<'a>(source: &Source<'a>, table: &DeTable<'a>) -> Result<Parts> {
    let mut top = Table::new(source, "the workflow", 1, table);
    top.text("description")?;
    let output = match top.text("output")? {
        Some((line, text)) => Some((line, expr(source, line, Expr::parse(&text))?)),
        None => None,
    };
    let caps = caps(source, &mut top)?;
    let inputs = inputs(source, &mut top)?;
    let mut drafts = Vec::new();
    for item in array(&mut top, "step")? {
        let draft = step(source, item)?;
        if drafts.iter().any(|d: &Draft| d.step.id == draft.step.id) {
            let (line, id) = (draft.step.line, &draft.step.id);
            return Err(source.bad(line, format_args!("there are two steps `{id}`")));
        }
        drafts.push(draft);
    }
    if drafts.is_empty() {
        return Err(source.bad(1, "there is no [[step]]"));
    }
    let mut loops = Vec::new();
    for item in array(&mut top, "loop")? {
        let one = round(source, item, &mut drafts, loops.len())?;
        loops.push(one);
    }
    top.finish()?;
    Ok(Parts {
        inputs,
        drafts,
        loops,
        output,
        caps,
    })
}

/// What is wrong with an expression, with its line.
pub(super) fn expr<T>(
    source: &Source<'_>,
    line: usize,
    parsed: std::result::Result<T, String>,
) -> Result<T> {
    parsed.map_err(|e| source.bad(line, e))
}

fn array<'s, 'a>(top: &mut Table<'s, 'a>, name: &str) -> Result<Vec<&'s Item<'a>>> {
    let Some((line, item)) = top.take(name) else {
        return Ok(Vec::new());
    };
    match item.get_ref().as_array() {
        Some(items) => Ok(items.iter().collect()),
        None => Err(top.bad(line, format_args!("write [[{name}]]"))),
    }
}

fn caps(source: &Source<'_>, top: &mut Table<'_, '_>) -> Result<Caps> {
    let Some((_, item)) = top.take("caps") else {
        return Ok(Caps::default());
    };
    let mut table = Table::of(source, "[caps]", item)?;
    let steps = table.count("steps")?;
    if let Some((line, _)) = steps.filter(|(_, n)| *n > MAX_STEPS) {
        return Err(source.bad(line, format_args!("at most {MAX_STEPS} steps are possible")));
    }
    let caps = Caps {
        steps: steps.map(|s| s.1),
        tokens: table.count("tokens")?.map(|t| t.1),
        time: time(&mut table, "time")?,
        model_tokens: table.count("model_tokens")?.map(|t| t.1 as u64),
    };
    table.finish()?;
    Ok(caps)
}

fn time(table: &mut Table<'_, '_>, name: &str) -> Result<Option<Duration>> {
    match table.text(name)? {
        Some((line, text)) => match parse_time(&text) {
            Ok(time) => Ok(Some(time)),
            Err(e) => Err(table.bad(line, e.message.trim_end_matches('.'))),
        },
        None => Ok(None),
    }
}

fn inputs(source: &Source<'_>, top: &mut Table<'_, '_>) -> Result<BTreeMap<String, Input>> {
    let Some((_, item)) = top.take("inputs") else {
        return Ok(BTreeMap::new());
    };
    let mut out = BTreeMap::new();
    for (name, line, item) in Table::of(source, "[inputs]", item)?.rest() {
        let bad = |what: &str| source.bad(line, format_args!("input `{name}`: {what}"));
        let input = if item.get_ref().is_table() {
            let mut table = Table::of(source, "an input", item)?;
            let of = match table.needed_text("type")?.1.as_str() {
                "text" => Type::Text,
                "number" => Type::Number,
                "flag" => Type::Flag,
                "list" => Type::list(Type::Text),
                _ => return Err(bad("its type is text, number, flag or list")),
            };
            let default = table.take("default").map(|(_, v)| json(v.get_ref()));
            table.finish()?;
            Input { of, default }
        } else {
            let default = json(item.get_ref());
            let of = match &default {
                Value::String(_) => Type::Text,
                Value::Number(_) => Type::Number,
                Value::Bool(_) => Type::Flag,
                Value::Array(_) => Type::list(Type::Text),
                _ => return Err(bad("it has no type")),
            };
            Input {
                of,
                default: Some(default),
            }
        };
        if let Some(default) = &input.default {
            input.of.check(default).map_err(|e| bad(&e))?;
        }
        out.insert(name, input);
    }
    Ok(out)
}

/// Names of steps and loops: they stand in references.
fn id(table: &mut Table<'_, '_>) -> Result<(usize, String)> {
    let (line, id) = table.needed_text("id")?;
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if id.is_empty() || !id.chars().all(plain) {
        return Err(table.bad(
            line,
            format_args!("`{id}` is no name; use letters, digits, - and _"),
        ));
    }
    Ok((line, id))
}

fn conditions(
    table: &mut Table<'_, '_>,
    name: &str,
    mentions: &mut Vec<Mention>,
) -> Result<Vec<Condition>> {
    let mut out = Vec::new();
    for (line, text) in table.texts(name)? {
        let condition = expr(table.source, line, Condition::parse(&text))?;
        mentions.extend(
            condition
                .references()
                .into_iter()
                .map(|r| (line, r.clone())),
        );
        out.push(condition);
    }
    Ok(out)
}

fn step(source: &Source<'_>, item: &Item<'_>) -> Result<Draft> {
    let mut table = Table::of(source, "a step", item)?;
    let (line, id) = id(&mut table)?;
    table.call(format!("step `{id}`"));
    let (at, kind) = table.needed_text("kind")?;
    let kind = *KINDS.iter().find(|k| k.name == kind).ok_or_else(|| {
        let names: Vec<&str> = KINDS.iter().map(|k| k.name).collect();
        source.bad(
            at,
            format_args!("there is no kind `{kind}`; kinds are {}", names.join(", ")),
        )
    })?;
    let needs = table.texts("needs")?;
    let mut mentions = Vec::new();
    let when = conditions(&mut table, "when", &mut mentions)?;
    let mut lines = BTreeMap::new();
    lines.extend(mentions.first().map(|(line, _)| ("when", *line)));
    let each = match table.take("for_each") {
        Some((line, item)) => {
            let each = expr(source, line, Expr::of(&json(item.get_ref())))?;
            mentions.extend(each.references().into_iter().map(|r| (line, r.clone())));
            lines.insert("for_each", line);
            Some(each)
        }
        None => None,
    };
    let at_most = table.count("at_most")?;
    if let (Some((line, _)), None) = (at_most, &each) {
        return Err(source.bad(line, "`at_most` belongs to `for_each`"));
    }
    let policy = policy(source, &mut table)?;
    let (mut fields, mut raw) = (BTreeMap::new(), Map::new());
    for field in (kind.fields)() {
        let Some((line, item)) = table.take(field.name) else {
            if field.needed {
                return Err(source.bad(line, format_args!("step `{id}` has no `{}`", field.name)));
            }
            continue;
        };
        let value = json(item.get_ref());
        if let Some(text) = value.as_str()
            && !field.one_of.is_empty()
            && !field.one_of.contains(&text)
        {
            let known = field.one_of.join(", ");
            return Err(source.bad(
                line,
                format_args!(
                    "`{}` of step `{id}` is one of {known}, not `{text}`",
                    field.name
                ),
            ));
        }
        let parsed = if field.verbatim {
            Expr::Literal(value.clone())
        } else {
            expr(source, line, Expr::of(&value))?
        };
        mentions.extend(parsed.references().into_iter().map(|r| (line, r.clone())));
        lines.insert(field.name, line);
        raw.insert(field.name.to_string(), value);
        fields.insert(field.name, (field.wanted, parsed));
    }
    table.finish()?;
    if let Some(check) = kind.check {
        check(&raw).map_err(|e| source.bad(line, format_args!("step `{id}`: {e}")))?;
    }
    let gives = (kind.gives)(&raw).into_iter().map(|(name, t)| {
        let t = if each.is_some() { Type::list(t) } else { t };
        (name.to_string(), t)
    });
    Ok(Draft {
        step: Step {
            line,
            kind,
            fields,
            needs: BTreeSet::new(),
            when,
            gives: gives.collect(),
            each,
            at_most: at_most.map(|a| a.1),
            policy,
            within: None,
            id,
        },
        needs,
        mentions,
        lines,
    })
}

fn policy(source: &Source<'_>, table: &mut Table<'_, '_>) -> Result<Policy> {
    let mut policy = Policy {
        timeout: time(table, "timeout")?,
        ..Policy::default()
    };
    if let Some((_, item)) = table.take("retry") {
        let mut retry = Table::of(source, "`retry`", item)?;
        if let Some((line, n)) = retry.count("attempts")? {
            policy.attempts = u32::try_from(n)
                .ok()
                .filter(|n| *n <= Policy::MOST)
                .ok_or_else(|| {
                    source.bad(line, format_args!("at most {} attempts", Policy::MOST))
                })?;
        }
        policy.delay = time(&mut retry, "delay")?.unwrap_or(policy.delay);
        policy.longest = time(&mut retry, "longest")?.unwrap_or(policy.longest);
        retry.finish()?;
    }
    Ok(policy)
}

fn round(
    source: &Source<'_>,
    item: &Item<'_>,
    drafts: &mut [Draft],
    number: usize,
) -> Result<(Loop, Vec<Mention>)> {
    let mut table = Table::of(source, "a loop", item)?;
    let (line, id) = id(&mut table)?;
    table.call(format!("loop `{id}`"));
    let mut mentions = Vec::new();
    let until = conditions(&mut table, "until", &mut mentions)?;
    let max = table
        .count("max")?
        .ok_or_else(|| source.bad(line, format_args!("loop `{id}` has no `max`")))?
        .1;
    let mut steps = Vec::new();
    for (line, name) in table.texts("steps")? {
        let at = drafts.iter().position(|d| d.step.id == name);
        let at = at.ok_or_else(|| source.bad(line, format_args!("there is no step `{name}`")))?;
        if drafts[at].step.within.replace(number).is_some() {
            return Err(source.bad(line, format_args!("step `{name}` is in a loop already")));
        }
        steps.push(at);
    }
    if steps.is_empty() {
        return Err(source.bad(line, format_args!("loop `{id}` has no steps")));
    }
    if drafts.iter().any(|d| d.step.id == id) {
        return Err(source.bad(line, format_args!("`{id}` is a step already")));
    }
    steps.sort_unstable();
    table.finish()?;
    let one = Loop {
        id,
        steps,
        until,
        max,
        line,
    };
    Ok((one, mentions))
}
