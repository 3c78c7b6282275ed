//! What a merged text has to pass before anyone gets to see it.

pub(super) mod labels;
mod layout;
pub(super) mod provenance;
pub(super) mod reach;
mod structure;
mod twice;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::lines::facts::Facts;
use super::lines::line::{self, Class, Line};
use super::lines::recent::Known;
use super::lines::shape::net_brackets;
use super::lines::words::word_at;
use super::options::MergeOptions;
use super::place::placement::Merged;
use super::refuse;
use super::settle::removed::Removed;
use super::snippet::diffs::hunk_start;
use super::snippet::markers::{self, Marked};
use super::snippet::script::{Asked, Item, Role, Script};
use crate::error::{Error, Result};
use crate::syntax::{
    Branch, Definition, Definitions, Language, Pieces, SyntaxError, Unparsed, parse, without_macros,
};
use crate::text::{Lines, Span, changed};

/// Refuses where a comment asks for the removal of a definition that the merge left:
/// only the lines around it can say which lines go.
fn asked_removals(
    definitions: &Definitions,
    scripts: &[Script],
    options: &MergeOptions,
) -> Result<()> {
    let mut asked = scripts.iter().flat_map(|s| &s.removals);
    let left = |asked: &Asked| match asked {
        Asked::Definition(name, _) => definitions.find(name).first().copied(),
        Asked::Line(_) => None,
    };
    match asked.find_map(left) {
        None => Ok(()),
        Some(left) => Err(Error::refused(
            "removal_comment",
            format!(
                "A comment asks to remove {} (line {} of {} after the edit), but no line of the snippet takes it out.",
                left.path, left.lines.start, options.path
            ),
            "Send its lines with `-` in front, or the lines above and below it without a marker between.",
        )),
    }
}

/// Removed runs that no new line replaces have to be asked for.
pub(crate) fn removals(
    outcome: &Merged,
    script: &Script,
    before: &Facts,
    path: &str,
) -> Result<()> {
    if script.strict {
        return Ok(());
    }
    let (file, definitions) = (before.records.as_slice(), before.definitions());
    let significant = |a: usize, b: usize| {
        file.get(a..b)
            .map_or(0, |l| l.iter().filter(|l| l.class != Class::Blank).count())
    };
    let total = significant(0, file.len());
    let gone: usize = outcome
        .removed
        .iter()
        .map(|r| significant(r.lines.0, r.lines.1))
        .sum();
    if script.markers == 0 {
        repeated(outcome, script, file, path)?;
    }
    if script.markers == 0 && gone > 10 && gone * 10 > total * 3 {
        return Err(refuse::whole_file(path, gone, total));
    }
    let silent = |run: &&Removed| {
        let (a, b) = run.lines;
        let within = |d: &Definition| d.lines.start > a && d.lines.end <= b;
        let gone = definitions
            .iter()
            .filter(|d| !d.kind.is_value() && within(d))
            .filter(|d| !is_put_again(d, file, &run.put))
            .filter(|d| !is_elsewhere(d, before.text(), outcome))
            .filter(|d| {
                let parent = d.parent.and_then(|p| definitions.get(p));
                !parent.is_some_and(within)
            })
            .count();
        gone > 2 || script.markers == 0 && gone > 0
    };
    let refusal = |run: &Removed| {
        let (a, b) = run.lines;
        let part = outcome
            .placed
            .iter()
            .find(|p| p.after_line <= a && b <= p.after_line + p.lines);
        let part = part.map_or(Span::new(1, 1), |p| p.snippet);
        refuse::unexplained(path, file, Span::new(a + 1, b), part)
    };
    let refused = outcome.removed.iter().filter(silent).map(refusal);
    match refuse::together(refused.collect()) {
        Some(e) => Err(e),
        None => Ok(()),
    }
}

/// Whether a function or type that goes stands word for word at another place of the merged text.
fn is_elsewhere(d: &Definition, before: &str, outcome: &Merged) -> bool {
    let own = before.get(d.bytes.clone()).unwrap_or_default();
    let count = |text: &str| text.matches(own).count();
    let named = d.kind.is_callable() || d.kind.is_type();
    named && !own.is_empty() && count(&outcome.text) >= count(before)
}

/// Whether the new lines in the place of a definition of one line give it again: one of them
/// reads the same up to its name.
fn is_put_again(d: &Definition, file: &[Line], put: &[String]) -> bool {
    let to_the_name = |text: &str| {
        let at = word_at(text, &d.name)?;
        text.get(..at).map(str::to_string)
    };
    let old = file.get(d.lines.start - 1);
    let head = old.and_then(|l| to_the_name(l.trimmed));
    d.lines.len() == 1 && head.is_some() && put.iter().any(|l| to_the_name(l) == head)
}

/// A snippet without markers that repeats lines of the file elsewhere leaves out what
/// stands between: it would put them in a second time.
fn repeated(outcome: &Merged, script: &Script, file: &[Line], path: &str) -> Result<()> {
    let mut place = std::collections::HashMap::new();
    for (j, l) in file
        .iter()
        .enumerate()
        .filter(|(_, l)| l.class == Class::Plain)
    {
        place
            .entry(l.hash)
            .and_modify(|p| *p = None)
            .or_insert(Some(j));
    }
    let merged: Vec<Line> = outcome.text.lines().map(Line::new).collect();
    let after = line::counts(merged.iter());
    let items: Vec<&Item> = script.segments.iter().flat_map(|s| &s.items).collect();
    let mut run = 0;
    for item in &items {
        let l = Line::new(&item.text);
        if l.class == Class::Blank {
            continue;
        }
        let twice = item.role == Role::Plain
            && l.class == Class::Plain
            && matches!(place.get(&l.hash), Some(Some(_)))
            && after.get(&l.hash).is_some_and(|&c| c > 1);
        let least = !item.text.starts_with([' ', '\t']);
        run = if twice && least { run + 1 } else { 0 };
        if run >= 2 {
            return Err(Error::refused(
                "missing_marker",
                format!(
                    "The snippet has no marker and repeats lines of {path} that do not stand together, up to its line {}.",
                    item.number
                ),
                "Put `... existing code ...` where code is left out.",
            ));
        }
    }
    Ok(())
}

/// What the checks found.
#[derive(Default)]
pub(crate) struct Checked {
    /// Qualified names of definitions that are gone.
    pub removed: Vec<String>,
    /// What is known of the merged text, where it is not the file's.
    pub after: Option<Arc<Known>>,
}

/// The checks on the merged text.
pub(crate) fn check(
    before: &Facts,
    after: &str,
    scripts: &[Script],
    options: &MergeOptions,
) -> Result<Checked> {
    if before.text() == after {
        asked_removals(before.definitions(), scripts, options)?;
        return Ok(Checked::default());
    }
    leaks(before.text(), after, scripts)?;
    fences(before, after, options)?;
    let Some(old) = before.parsed() else {
        structure::check(before.text(), after, &options.path)?;
        return Ok(Checked::default());
    };
    structure::remarks(old.language(), before.text(), after, &options.path)?;
    let Some(new) = reparsed(before, after, &options.path)? else {
        return Ok(Checked::default());
    };
    syntax(old, before.text(), &new.parsed, after, scripts, options)?;
    layout::check(before, after, &new.parsed, &options.path)?;
    let found = &new.outline(after).definitions;
    asked_removals(found, scripts, options)?;
    let removed = twice::definitions(before, found, after, options)?;
    Ok(Checked {
        removed,
        after: Some(new),
    })
}

/// The tree of a text that was made of another; none where either has none.
pub(crate) fn reparsed(before: &Facts, after: &str, path: &str) -> Result<Option<Arc<Known>>> {
    let Some(old) = before.known() else {
        return Ok(None);
    };
    match old.edited(before.text(), after) {
        Ok(known) => Ok(Some(Arc::new(known))),
        Err(Unparsed::Never) => Ok(None),
        Err(Unparsed::GaveUp) => Err(refuse::unparsed(path)),
    }
}

/// Whether a merged text passes the checks and names no definition that the merge took
/// out: with both, of two readings one can be ruled out.
pub(crate) fn sound(before: &Facts, after: &str, script: &Script, options: &MergeOptions) -> bool {
    let Ok(checked) = check(before, after, std::slice::from_ref(script), options) else {
        return false;
    };
    let Some(new) = checked.after else {
        return before.parsed().is_some();
    };
    let names = |found: &Definitions| -> BTreeSet<String> {
        let named = found.iter().filter(|d| !d.kind.is_value());
        named.map(|d| d.name.clone()).collect()
    };
    let (was, is) = (
        names(before.definitions()),
        names(&new.outline(after).definitions),
    );
    !new.parsed
        .identifiers(after)
        .into_iter()
        .filter_map(|r| after.get(r))
        .any(|name| was.contains(name) && !is.contains(name))
}

/// No code fence of a Markdown text may lose its other end.
fn fences(before: &Facts, after: &str, options: &MergeOptions) -> Result<()> {
    let language = before.parsed().map(|p| p.language().name());
    let odd = |text: &str| {
        let fence = |l: &&str| l.trim_start().starts_with("```");
        text.lines().filter(fence).count() % 2 == 1
    };
    if language == Some("markdown") && odd(after) && !odd(before.text()) {
        return Err(Error::refused(
            "open_fence",
            format!(
                "Merged, {} would have a code fence without its end.",
                options.path
            ),
            "Give the fences on both sides of the change, each once.",
        ));
    }
    Ok(())
}

/// No marker and no prefix of a diff may reach the file.
fn leaks(before: &str, after: &str, scripts: &[Script]) -> Result<()> {
    let plain = scripts.iter().all(|s| !s.strict);
    if !plain {
        return Ok(());
    }
    let count = |text: &str, l: &str| text.lines().filter(|t| t.trim() == l.trim()).count();
    let had = |l: &str| count(before, l) > 0;
    let (_, new) = changed(before, after);
    let above = after[..new.start].lines().count();
    for (n, l) in (above + 1..).zip(after[new].lines()) {
        if (l.trim_end() == "@@" || hunk_start(l).is_some()) && !had(l) {
            return Err(Error::refused(
                "marker_leak",
                format!("The head of a hunk would stay in the file at line {n}: `{l}`."),
                "Begin each line of a hunk with a space, `+` or `-`, or send the lines without `@@`.",
            ));
        }
        // One more of what the file has for text may be a marker.
        if markers::classify(l) == Marked::Marker && count(after, l) > count(before, l) {
            return Err(Error::refused(
                "marker_leak",
                format!(
                    "A marker would stay in the file at line {n}: `{}`.",
                    l.trim()
                ),
                "Put the marker on a line of its own as `... existing code ...`.",
            ));
        }
    }
    Ok(())
}

/// The errors of a text that those of another are not.
fn beyond(old: Vec<SyntaxError>, new: Vec<SyntaxError>) -> Vec<SyntaxError> {
    let key = |e: &SyntaxError| {
        let (a, b, c) = e.key();
        (a.to_string(), b.to_string(), c.to_string())
    };
    let mut known: BTreeMap<(String, String, String), usize> = BTreeMap::new();
    for e in &old {
        *known.entry(key(e)).or_insert(0) += 1;
    }
    let mut new = new;
    new.retain(|e| match known.get_mut(&key(e)) {
        Some(n) if *n > 0 => {
            *n -= 1;
            false
        }
        _ => true,
    });
    new
}

/// The merged text may not be worse by its grammar.
fn syntax(
    old: &Pieces,
    before: &str,
    new: &Pieces,
    after: &str,
    scripts: &[Script],
    options: &MergeOptions,
) -> Result<()> {
    let (had, has) = (old.error_count(), new.error_count());
    if has <= had {
        return Ok(());
    }
    if inherent(
        new.language(),
        scripts,
        &beyond(old.errors(before), new.errors(after)),
    ) {
        return Ok(());
    }
    if new.language().preprocessed() && preprocessed(new.language(), before, after) {
        return Ok(());
    }
    // One item that the grammar does not understand may spoil the tree of all: each is looked at
    // by itself.
    let items = |text: &str| {
        let parsed = parse(new.language(), text)?;
        Some(parsed.errors(text))
    };
    let (had, has) = match (items(before), items(after)) {
        (Some(had), Some(has)) => (had, has),
        _ => (old.errors(before), new.errors(after)),
    };
    // An edit that leaves brackets open moves where items end.
    let (was, is) = changed(before, after);
    let net = |text: &str| text.lines().map(net_brackets).sum::<i32>();
    let balanced = net(&before[was]) == net(&after[is]);
    if !had.is_empty() && has.len() <= had.len() && balanced {
        return Ok(());
    }
    let fresh = beyond(had, has);
    let lines = Lines::new(after);
    let at = fresh.first().map_or(1, |e| e.line);
    let mut shown = String::new();
    for n in at.saturating_sub(1).max(1)..=(at + 1).min(lines.len()) {
        shown.push_str(&format!("\n  {n}: {}", lines.get(n)));
    }
    Err(structure::broken(format!(
        "Merged, {} would no longer parse, first at line {at}:{shown}",
        options.path
    )))
}

/// Whether an edit brings no error, whichever branches of the conditions are taken, where the calls
/// of macros stand for something that the grammar understands.
fn preprocessed(language: &'static Language, before: &str, after: &str) -> bool {
    [Branch::First, Branch::Last].into_iter().all(|branch| {
        let errors = |text: &str| {
            let parsed = parse(language, &without_macros(text, branch))?;
            Some(parsed.error_count())
        };
        matches!((errors(before), errors(after)), (Some(had), Some(has)) if has <= had)
    })
}

/// Whether the grammar does not understand the new lines themselves, wherever they stand:
/// each error is one that a part of the snippet has when it is parsed alone, and that part
/// is complete by its brackets.
fn inherent(language: &'static Language, scripts: &[Script], fresh: &[SyntaxError]) -> bool {
    let mut known: Vec<(String, String)> = Vec::new();
    for s in scripts.iter().flat_map(|s| &s.segments) {
        let mut text = String::new();
        for i in s.items.iter().filter(|i| i.role != Role::Minus) {
            text.push_str(&i.text);
            text.push('\n');
        }
        // All of it, or each run between blank lines that closes what it opens.
        for part in text.split("\n\n").chain([text.as_str()]) {
            if !closed(part) {
                continue;
            }
            if let Some(p) = parse(language, part) {
                // A part may have one end of a block of the file.
                let errors = p.errors(part).into_iter();
                let ends = |e: &SyntaxError| language.closes(&e.text) || language.closes(&e.kind);
                let own = errors.filter(|e| !ends(e));
                known.extend(own.map(|e| (e.kind, e.text)));
            }
        }
    }
    !fresh.is_empty()
        && fresh
            .iter()
            .all(|e| known.contains(&(e.kind.clone(), e.text.clone())))
}

/// Whether all brackets of a text close in order.
fn closed(text: &str) -> bool {
    let mut open = Vec::new();
    for b in text.bytes() {
        match b {
            b'(' | b'[' | b'{' => open.push(b),
            b')' | b']' | b'}' => {
                let want = match b {
                    b')' => b'(',
                    b']' => b'[',
                    _ => b'{',
                };
                if open.pop() != Some(want) {
                    return false;
                }
            }
            _ => {}
        }
    }
    open.is_empty()
}
