//! A workflow as it will run: read from its file and checked as a whole.

use super::expr::{Condition, Expr, From, Reference};
use super::kinds::{KINDS, Kind};
use super::source::{Source, Table, json};
use super::types::Type;
use crate::error::Result;
use crate::run::retry::Policy;
use crate::run::task::{MAX_STEPS, parse_time};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// A workflow that may run.
pub(super) struct Plan {
    pub inputs: BTreeMap<String, Input>,
    /// In the order of the file.
    pub steps: Vec<Step>,
    pub loops: Vec<Loop>,
    /// What is shown at the end; the last steps' texts where there is none.
    pub output: Option<Expr>,
    pub steps_cap: Option<usize>,
    pub tokens: Option<usize>,
    pub time: Option<Duration>,
}

/// Something that the caller gives.
pub(super) struct Input {
    pub of: Type,
    pub default: Option<Value>,
}

pub(super) struct Step {
    pub id: String,
    pub line: usize,
    pub kind: &'static Kind,
    /// Each with the type that is wanted.
    pub fields: BTreeMap<&'static str, (Type, Expr)>,
    /// The steps that come before it: those it names and those it refers to.
    pub needs: BTreeSet<usize>,
    pub when: Vec<Condition>,
    /// The list for each item of which it is taken once.
    pub each: Option<Expr>,
    /// Most items of it.
    pub at_most: Option<usize>,
    pub policy: Policy,
    /// What it gives; lists, where it is taken for each item.
    pub gives: BTreeMap<String, Type>,
    /// The loop that it belongs to.
    pub within: Option<usize>,
}

/// Steps that are taken again, round by round.
pub(super) struct Loop {
    pub id: String,
    /// In the order of the file.
    pub steps: Vec<usize>,
    pub until: Vec<Condition>,
    /// Most rounds.
    pub max: usize,
    pub line: usize,
}

/// What is scheduled: a step, or a loop with its steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Step(usize),
    Loop(usize),
}

/// A reference and the line in which it stands.
type Mention = (usize, Reference);

struct Draft {
    step: Step,
    needs: Vec<(usize, String)>,
    mentions: Vec<Mention>,
    lines: BTreeMap<&'static str, usize>,
}

impl Plan {
    /// Reads a file's text and checks everything that can be known before it runs.
    ///
    /// # Errors
    /// `bad_workflow` with the line.
    pub fn read(name: &str, text: &str) -> Result<Self> {
        let source = Source::new(name, text);
        let parsed = source.parse()?;
        let mut top = Table::new(&source, "the workflow", 1, parsed.get_ref());
        top.text("description")?;
        let output = match top.text("output")? {
            Some((line, text)) => Some((line, expr(&source, line, Expr::parse(&text))?)),
            None => None,
        };
        let (steps_cap, tokens, time) = caps(&source, &mut top)?;
        let inputs = inputs(&source, &mut top)?;
        let mut drafts = Vec::new();
        for item in array(&mut top, "step")? {
            let draft = step(&source, item)?;
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
            let one = round(&source, item, &mut drafts, loops.len())?;
            loops.push(one);
        }
        top.finish()?;
        let mut checker = Checker {
            source: &source,
            inputs,
            drafts,
            loops,
        };
        checker.needs()?;
        checker.order()?;
        checker.types()?;
        if let Some((line, output)) = &output {
            for r in output.references() {
                checker.resolve(r, None).map_err(|e| source.bad(*line, e))?;
            }
            output
                .check(&Type::Prose, &|r| checker.type_of(r, None))
                .map_err(|e| source.bad(*line, format_args!("`output`: {e}")))?;
        }
        Ok(Self {
            inputs: checker.inputs,
            steps: checker.drafts.into_iter().map(|d| d.step).collect(),
            loops: checker.loops.into_iter().map(|(l, _)| l).collect(),
            output: output.map(|(_, e)| e),
            steps_cap,
            tokens,
            time,
        })
    }

    /// The steps and loops that no loop holds, in the order of the file.
    pub fn units(&self) -> Vec<Unit> {
        let mut out: Vec<Unit> = Vec::new();
        for (i, step) in self.steps.iter().enumerate() {
            let unit = step.within.map_or(Unit::Step(i), Unit::Loop);
            if !out.contains(&unit) {
                out.push(unit);
            }
        }
        out
    }

    /// The steps that no other needs.
    pub fn last(&self) -> Vec<usize> {
        let needed: BTreeSet<usize> = self.steps.iter().flat_map(|s| s.needs.clone()).collect();
        (0..self.steps.len())
            .filter(|i| !needed.contains(i))
            .collect()
    }

    pub fn find(&self, id: &str) -> Option<&Step> {
        self.steps.iter().find(|s| s.id == id)
    }

    /// Whether it may change files.
    pub fn writes(&self) -> bool {
        self.steps.iter().any(|s| s.kind.writes)
    }

    /// What it would do that only a trusted file may, a line per step.
    pub fn trusted(&self) -> Vec<String> {
        let line = |s: &Step| Some(format!("step {}: {}", s.id, s.kind.trusted?));
        self.steps.iter().filter_map(line).collect()
    }

    /// The type of a reference, of one item where its step is taken for each.
    pub fn type_of(&self, r: &Reference) -> Option<Type> {
        let first = match &r.from {
            From::Input(name) => self.inputs.get(name)?.of.clone(),
            From::Step(id) | From::Last(id) => Type::Record(self.find(id)?.gives.clone()),
            From::Item => return None,
        };
        r.parts.iter().try_fold(first, |t, part| t.part(part))
    }
}

fn expr<T>(source: &Source<'_>, line: usize, parsed: std::result::Result<T, String>) -> Result<T> {
    parsed.map_err(|e| source.bad(line, e))
}

type TomlItem<'a> = super::source::Item<'a>;

fn array<'s, 'a>(top: &mut Table<'s, 'a>, name: &str) -> Result<Vec<&'s TomlItem<'a>>> {
    let Some((line, item)) = top.take(name) else {
        return Ok(Vec::new());
    };
    match item.get_ref().as_array() {
        Some(items) => Ok(items.iter().collect()),
        None => Err(top.bad(line, format_args!("write [[{name}]]"))),
    }
}

type Caps = (Option<usize>, Option<usize>, Option<Duration>);

fn caps(source: &Source<'_>, top: &mut Table<'_, '_>) -> Result<Caps> {
    let Some((_, item)) = top.take("caps") else {
        return Ok((None, None, None));
    };
    let mut table = Table::of(source, "[caps]", item)?;
    let steps = table.count("steps")?;
    if let Some((line, _)) = steps.filter(|(_, n)| *n > MAX_STEPS) {
        return Err(source.bad(line, format_args!("at most {MAX_STEPS} steps are possible")));
    }
    let tokens = table.count("tokens")?;
    let time = time(&mut table, "time")?;
    table.finish()?;
    Ok((steps.map(|s| s.1), tokens.map(|t| t.1), time))
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

fn step(source: &Source<'_>, item: &TomlItem<'_>) -> Result<Draft> {
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
    item: &TomlItem<'_>,
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

struct Checker<'s, 't> {
    source: &'s Source<'t>,
    inputs: BTreeMap<String, Input>,
    drafts: Vec<Draft>,
    loops: Vec<(Loop, Vec<Mention>)>,
}

impl Checker<'_, '_> {
    fn position(&self, id: &str) -> std::result::Result<usize, String> {
        let at = self.drafts.iter().position(|d| d.step.id == id);
        at.ok_or_else(|| format!("there is no step `{id}`"))
    }

    /// Finds the steps that come before each.
    fn needs(&mut self) -> Result<()> {
        for i in 0..self.drafts.len() {
            let mut needs = BTreeSet::new();
            let draft = &self.drafts[i];
            for (line, id) in &draft.needs {
                needs.insert(expr(self.source, *line, self.position(id))?);
            }
            for (line, r) in &draft.mentions {
                let found = expr(self.source, *line, self.resolve(r, Some(i)))?;
                needs.extend(found);
            }
            self.drafts[i].step.needs = needs;
        }
        for (one, mentions) in &self.loops {
            for (line, r) in mentions {
                let found = expr(
                    self.source,
                    *line,
                    self.resolve(r, one.steps.first().copied()),
                )?;
                if let Some(at) = found.filter(|at| !one.steps.contains(at)) {
                    let id = &self.drafts[at].step.id;
                    return Err(self.source.bad(
                        *line,
                        format_args!("`until` looks at `{id}`, which is not in the loop"),
                    ));
                }
            }
        }
        Ok(())
    }

    /// The step that a reference makes a need, after checking that it exists.
    fn resolve(
        &self,
        r: &Reference,
        by: Option<usize>,
    ) -> std::result::Result<Option<usize>, String> {
        match &r.from {
            From::Input(name) => match self.inputs.contains_key(name) {
                true => Ok(None),
                false => Err(format!("there is no input `{name}`")),
            },
            From::Step(id) => self.position(id).map(Some),
            From::Last(id) => {
                let at = self.position(id)?;
                let round = |i: usize| self.drafts[i].step.within;
                match by.and_then(round) {
                    Some(here) if round(at) == Some(here) => Ok(None),
                    _ => Err(format!("{} stands outside the loop of `{id}`", r.name())),
                }
            }
            From::Item => match by.is_some_and(|i| self.drafts[i].step.each.is_some()) {
                true => Ok(None),
                false => Err("`item` stands outside a step with `for_each`".into()),
            },
        }
    }

    fn unit(&self, i: usize) -> Unit {
        self.drafts[i].step.within.map_or(Unit::Step(i), Unit::Loop)
    }

    /// Refuses circles: among steps, and among loops as a whole and other steps.
    fn order(&self) -> Result<()> {
        self.circle(&Unit::Step, false)?;
        // What leaves a loop must not come back into it.
        self.circle(&|i| self.unit(i), true)
    }

    /// `inner` says whether members of one unit may need each other.
    fn circle(&self, unit: &dyn Fn(usize) -> Unit, inner: bool) -> Result<()> {
        let all = 0..self.drafts.len();
        let pairs = |i: usize| {
            let needs = &self.drafts[i].step.needs;
            needs.iter().map(move |n| (unit(i), unit(*n)))
        };
        let mut edges: Vec<(Unit, Unit)> = all.clone().flat_map(pairs).collect();
        edges.retain(|(a, b)| !inner || a != b);
        // What needs nothing, and what nothing needs, is in no circle.
        loop {
            let before = edges.len();
            let copy = edges.clone();
            edges.retain(|(a, b)| {
                copy.iter().any(|(x, _)| x == b) && copy.iter().any(|(_, y)| y == a)
            });
            if edges.len() == before {
                break;
            }
        }
        let stuck: Vec<&Step> = all
            .filter(|i| edges.iter().any(|(a, _)| *a == unit(*i)))
            .map(|i| &self.drafts[i].step)
            .collect();
        let Some(first) = stuck.first() else {
            return Ok(());
        };
        let names: Vec<&str> = stuck.iter().map(|s| s.id.as_str()).collect();
        let names = names.join(", ");
        Err(self.source.bad(
            first.line,
            format_args!("steps need each other in a circle: {names}"),
        ))
    }

    fn type_of(&self, r: &Reference, by: Option<usize>) -> std::result::Result<Type, String> {
        let first = match &r.from {
            From::Input(name) => match self.inputs.get(name) {
                Some(input) => input.of.clone(),
                None => return Err(format!("there is no input `{name}`")),
            },
            From::Step(id) | From::Last(id) => {
                Type::Record(self.drafts[self.position(id)?].step.gives.clone())
            }
            From::Item => match by.and_then(|i| self.drafts[i].step.each.as_ref()) {
                Some(each) => self.item_type(each, by)?,
                None => return Err("`item` stands outside a step with `for_each`".into()),
            },
        };
        r.parts.iter().try_fold(first, |t, part| {
            t.part(part).ok_or_else(|| {
                let parts = t.parts();
                let known = match parts.is_empty() {
                    true => String::new(),
                    false => format!("; there is {}", parts.join(", ")),
                };
                format!("{} does not exist{known}", r.name())
            })
        })
    }

    fn item_type(&self, each: &Expr, by: Option<usize>) -> std::result::Result<Type, String> {
        match each {
            Expr::Reference(r) if r.from != From::Item => match self.type_of(r, by)? {
                Type::List(of) => Ok(*of),
                other => Err(format!("`for_each` is {other}, wanted is a list")),
            },
            Expr::List(_) => Ok(Type::Text),
            _ => Err("`for_each` is a list or a reference to one".into()),
        }
    }

    /// Checks what each field gets against what it wants.
    fn types(&self) -> Result<()> {
        for (i, draft) in self.drafts.iter().enumerate() {
            let type_of = |r: &Reference| self.type_of(r, Some(i));
            let line = |name: &str| draft.lines.get(name).copied().unwrap_or(draft.step.line);
            if let Some(each) = &draft.step.each {
                let of = expr(self.source, line("for_each"), self.item_type(each, Some(i)))?;
                let checked = each.check(&Type::list(of), &type_of);
                expr(self.source, line("for_each"), checked)?;
            }
            for (name, (wanted, given)) in &draft.step.fields {
                given.check(wanted, &type_of).map_err(|e| {
                    let id = &draft.step.id;
                    self.source
                        .bad(line(name), format_args!("`{name}` of step `{id}`: {e}"))
                })?;
            }
            for condition in &draft.step.when {
                expr(self.source, line("when"), condition.check(&type_of))?;
            }
        }
        for (one, mentions) in &self.loops {
            let by = one.steps.first().copied();
            let line = mentions.first().map_or(one.line, |(line, _)| *line);
            for condition in &one.until {
                let checked = condition.check(&|r| self.type_of(r, by));
                expr(self.source, line, checked)?;
            }
        }
        Ok(())
    }
}
