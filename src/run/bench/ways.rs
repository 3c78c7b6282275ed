//! The ways of doing an action, each with what it costs.

use super::action::Action;
use super::cost::Cost;
use crate::apply::{MergeOptions, merge};
use crate::error::{Class, Result};
use crate::search::{Mode, Request, search};
use crate::text::{Lines, Span};
use crate::tokens::count;
use crate::workspace::{Cancel, Root};

type Measure = fn(&Root, &Action, &Cancel) -> Result<Cost>;

/// The ways in the order of the report; trimtab's is the last.
pub(super) const ALL: [(&str, Measure); 5] = [
    ("whole files: read, write anew", whole_files),
    ("grep, read 2,000 lines, search/replace", grep_and_replace),
    ("search with 10 lines of context, diff", context_and_diff),
    ("Morph: published figures, not measured", published),
    ("trimtab: search, lazy snippet", trimtab),
];

/// Lines that a reading tool returns at most.
const READ_LINES: usize = 2_000;
/// Lines that a search tool returns at most.
const GREP_LINES: usize = 200;

/// The file is known; it is read whole and written whole.
fn whole_files(_: &Root, action: &Action, _: &Cancel) -> Result<Cost> {
    Ok(Cost {
        input: count(&action.before) + count(&format!("wrote {}", action.path.rel)),
        output: count(&action.path.rel) * 2 + count(&action.after),
        ..Cost::default()
    })
}

/// A search for the name as `path:line:text`, the file as far as a reading tool
/// goes, the line replaced with a line of context on both sides, and the edited
/// region shown with four lines around, as agents' own tools do.
fn grep_and_replace(root: &Root, action: &Action, cancel: &Cancel) -> Result<Cost> {
    let lines = Lines::new(&action.before);
    let mut cost = Cost {
        input: count(&grep(root, action, 0, cancel)?),
        output: count(&action.symbol) + count(&action.path.rel) * 2,
        ..Cost::default()
    };
    // Reading tools number the lines and start where they are told.
    let first = if lines.len() <= READ_LINES {
        1
    } else {
        action.span.start.saturating_sub(50).max(1)
    };
    let last = (first + READ_LINES - 1).min(lines.len());
    cost.input += count(&numbered(&lines, Span::new(first, last)));
    cost.output += replacement(action);
    cost.input += acknowledged(action);
    Ok(cost)
}

/// A search with ten lines of context; what it does not show of the definition is
/// read; then a unified diff with three lines of context.
fn context_and_diff(root: &Root, action: &Action, cancel: &Cancel) -> Result<Cost> {
    let shown = grep(root, action, 10, cancel)?;
    let lines = Lines::new(&action.before);
    let mut cost = Cost {
        input: count(&shown),
        output: count(&action.symbol),
        ..Cost::default()
    };
    let in_view = |n: usize| {
        let line = format!("{}-{n}-{}\n", action.path.rel, lines.get(n));
        let hit = format!("{}:{n}:{}\n", action.path.rel, lines.get(n));
        shown.contains(&line) || shown.contains(&hit)
    };
    let hidden: Vec<usize> = (action.span.start..=action.span.end)
        .filter(|n| !in_view(*n))
        .collect();
    if let (Some(first), Some(last)) = (hidden.first(), hidden.last()) {
        cost.misses = 1;
        cost.output += count(&format!("{} {first} {last}", action.path.rel));
        cost.input += count(&numbered(&lines, Span::new(*first, *last)));
    }
    cost.output += count(&diff(action));
    cost.input += count(&format!("patched {}", action.path.rel));
    Ok(cost)
}

/// What Morph's own benchmark says of its edits, in percent of the tokens that
/// search/replace writes over several turns (1,259 against 2,035). It counts what
/// the model writes, so what is read stays as it is.
const PUBLISHED: usize = 62;

/// The way of [`grep_and_replace`] with the edit as short as Morph publishes.
fn published(root: &Root, action: &Action, cancel: &Cancel) -> Result<Cost> {
    let mut cost = grep_and_replace(root, action, cancel)?;
    let edit = replacement(action);
    cost.output = cost.output - edit + edit * PUBLISHED / 100;
    Ok(cost)
}

/// A symbol search with the default budget; what it does not show of the
/// definition is expanded; then a snippet with markers.
fn trimtab(root: &Root, action: &Action, cancel: &Cancel) -> Result<Cost> {
    let request = Request {
        mode: Mode::Symbol,
        ..Request::new([action.symbol.as_str()])
    };
    let response = search(root, &request, cancel)?;
    let lines = Lines::new(&action.before);
    let mut cost = Cost {
        input: count(response.render()),
        output: count(&format!(
            r#"{{"queries":["{}"],"mode":"symbol"}}"#,
            action.symbol
        )),
        ..Cost::default()
    };
    let in_view = |n: usize| {
        response
            .excerpts
            .iter()
            .any(|e| e.path == action.path.rel && e.lines.iter().any(|(l, _)| *l == n))
    };
    if !(action.span.start..=action.span.end).all(in_view) {
        cost.misses = 1;
        cost.output += count(&format!(
            r#"{{"target":"{}:{}"}}"#,
            action.path.rel, action.span
        ));
        cost.input += count(&format!("⋯ {}:{}\n", action.path.rel, action.span))
            + count(lines.slice(action.span));
    }
    let snippet = snippet(action);
    cost.output += count(&action.path.rel) + count(&snippet);
    let options = MergeOptions {
        path: action.path.rel.clone(),
        ..MergeOptions::default()
    };
    match merge(&action.before, &snippet, &options) {
        Ok(merged) if merged.text == action.after => {
            cost.input += count(&format!(
                "{}: 1 hunk, +1 −1, syntax ok, undo u12",
                action.path.rel
            ));
        }
        Ok(_) => {
            cost.wrong = 1;
            cost.output += replacement(action);
            cost.input += acknowledged(action);
        }
        Err(e) if e.class == Class::Refused => {
            cost.refused = 1;
            cost.input += count(&e.to_string());
            cost.output += replacement(action);
            cost.input += acknowledged(action);
        }
        Err(e) => return Err(e),
    }
    Ok(cost)
}

/// What a line search for the symbol prints, in the form of grep.
fn grep(root: &Root, action: &Action, context: usize, cancel: &Cancel) -> Result<String> {
    let request = Request {
        mode: Mode::Literal,
        limit: Some(GREP_LINES),
        ..Request::new([action.symbol.as_str()])
    };
    let found = crate::search::Engine::new(root).lines(&request, cancel)?;
    let mut out = String::new();
    let mut rows = 0;
    let matches: Vec<_> = found.into_iter().flatten().collect();
    let mut at = 0;
    while at < matches.len() && rows < GREP_LINES {
        let path = &matches[at].path;
        let end = at + matches[at..].iter().take_while(|m| m.path == *path).count();
        if context == 0 {
            for m in &matches[at..end] {
                out.push_str(&format!(
                    "{path}:{}:{}\n",
                    m.line,
                    String::from_utf8_lossy(&m.text).trim_end()
                ));
                rows += 1;
            }
        } else if let Ok(text) = root
            .resolve(path)
            .and_then(|p| crate::workspace::read_text(&p))
        {
            let lines = Lines::new(&text);
            let hits: Vec<usize> = matches[at..end].iter().map(|m| m.line).collect();
            for n in 1..=lines.len() {
                if hits.iter().any(|h| h.abs_diff(n) <= context) {
                    let mark = if hits.contains(&n) { ':' } else { '-' };
                    out.push_str(&format!("{path}{mark}{n}{mark}{}\n", lines.get(n)));
                    rows += 1;
                }
            }
        }
        at = end;
    }
    Ok(out)
}

fn numbered(lines: &Lines<'_>, span: Span) -> String {
    (span.start..=span.end)
        .map(|n| format!("{n:>6}\t{}\n", lines.get(n)))
        .collect()
}

/// Tokens of a search/replace edit: the line and one line on both sides, twice.
fn replacement(action: &Action) -> usize {
    let (before, after) = (Lines::new(&action.before), Lines::new(&action.after));
    let around = Span::new(action.line.saturating_sub(1).max(1), action.line + 1);
    count(before.slice(around)) + count(after.slice(around))
}

/// Tokens of the edited region as agents' own edit tools show it afterwards.
fn acknowledged(action: &Action) -> usize {
    let after = Lines::new(&action.after);
    let around = Span::new(
        action.line.saturating_sub(4).max(1),
        (action.line + 4).min(after.len()),
    );
    count(&numbered(&after, around))
}

fn diff(action: &Action) -> String {
    similar::TextDiff::from_lines(&action.before, &action.after)
        .unified_diff()
        .header(&action.path.rel, &action.path.rel)
        .to_string()
}

/// What an agent would send: the definition's header, markers for what stays, the
/// changed line between its neighbours, and the definition's end.
fn snippet(action: &Action) -> String {
    let lines = Lines::new(&action.before);
    let marker = format!("{} ... existing code ...\n", action.comment);
    let (start, end) = (action.span.start, action.span.end);
    let mut out = marker.clone();
    let mut last = start;
    out.push_str(&format!("{}\n", lines.get(start)));
    for n in [action.line - 1, action.line, action.line + 1, end] {
        if n <= last || n > end {
            continue;
        }
        if n > last + 1 {
            out.push_str(&marker);
        }
        let text = if n == action.line {
            action.new_line()
        } else {
            lines.get(n).to_string()
        };
        out.push_str(&format!("{text}\n"));
        last = n;
    }
    out.push_str(&marker);
    out
}
