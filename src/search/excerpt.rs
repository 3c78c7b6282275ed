//! One range as text.

use super::budget::Cost;
use super::query::Query;
use super::ranges::{Detail, Draft};
use super::request::Request;
use super::response::{Excerpt, Role};
use crate::text::{Lines, Span};
use std::fmt::Write;

/// Longest line that is shown, in characters.
pub(super) const LINE: usize = 300;
/// Characters shown before the match in a line that is cut.
const LEAD: usize = 80;

/// What a range is made of.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    pub request: &'a Request,
    pub queries: &'a [Query],
    /// Relative to the root.
    pub path: &'a str,
    /// Of the whole file.
    pub lines: &'a Lines<'a>,
}

/// What a range costs when it is shown with its path.
pub(super) fn price(source: Source<'_>, draft: &Draft, detail: Detail) -> Cost {
    let part = excerpt(source, draft, detail, LINE);
    let mut text = header(&part, true);
    text.push_str(&body(&part));
    text.push('\n');
    Cost::of(&text)
}

/// A range as it is shown, with no line longer than `longest`.
pub(super) fn excerpt(
    source: Source<'_>,
    draft: &Draft,
    detail: Detail,
    longest: usize,
) -> Excerpt {
    let Source { queries, .. } = source;
    let text = source.lines;
    let mut cut = false;
    let shown: Vec<(usize, String)> = draft
        .lines(detail, source.request.context, queries)
        .into_iter()
        .filter(|n| (1..=text.len()).contains(n))
        .map(|n| {
            let line = text.get(n);
            let shown = shorten(line, longest, draft.matches.get(&n).copied(), queries);
            cut |= shown.len() != line.len();
            (n, shown)
        })
        .collect();
    let first = shown.first().map_or(draft.span.start, |l| l.0);
    let last = shown.last().map_or(draft.span.end, |l| l.0);
    let span = if draft.symbol.is_some() || draft.kind.is_some() {
        draft.span
    } else {
        draft.span.union(Span::new(first, last))
    };
    Excerpt {
        path: source.path.to_owned(),
        complete: !cut && shown.len() == span.len(),
        span,
        symbol: draft.symbol.clone(),
        kind: draft.kind.map(|k| k.as_str()),
        role: role(draft),
        queries: (0..queries.len())
            .filter(|i| draft.queries & (1 << i) != 0)
            .collect(),
        matches: draft.matches.keys().copied().collect(),
        lines: shown,
    }
}

fn role(draft: &Draft) -> Role {
    if draft.defines != 0 {
        Role::Definition
    } else if draft.topic.is_some() {
        Role::Topic
    } else if draft.comment {
        Role::Comment
    } else {
        Role::Match
    }
}

/// A line as it is shown: very long ones are cut around the match.
fn shorten(line: &str, longest: usize, mask: Option<u8>, queries: &[Query]) -> String {
    if line.len() <= longest {
        return line.to_string();
    }
    let at = mask.and_then(|mask| {
        queries
            .iter()
            .enumerate()
            .filter(|(i, _)| mask & (1 << i) != 0)
            .find_map(|(_, q)| q.find(line.as_bytes()))
    });
    let boundary = |mut at: usize| {
        while at > 0 && !line.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let start = boundary(at.map_or(0, |m| m.start.saturating_sub(LEAD)));
    let end = boundary((start + longest).min(line.len()));
    let mut out = String::new();
    if start > 0 {
        out.push('⋯');
    }
    out.push_str(&line[start..end]);
    if end < line.len() {
        out.push('⋯');
    }
    out
}

/// `path:10-42 Outer.inner`, without the path for a further range of one file, and
/// with a marker where lines are left out.
pub(super) fn header(excerpt: &Excerpt, with_path: bool) -> String {
    let mut out = String::new();
    if with_path {
        out.push_str(&excerpt.path);
    }
    let _ = write!(out, ":{}", excerpt.span);
    if let Some(symbol) = &excerpt.symbol {
        let _ = write!(out, " {symbol}");
    }
    if !excerpt.complete {
        out.push_str(" ⋯");
    }
    out.push('\n');
    out
}

/// The lines: as they are where all are shown, else each behind its number.
pub(super) fn body(excerpt: &Excerpt) -> String {
    let mut out = String::new();
    for (number, line) in &excerpt.lines {
        if !excerpt.complete {
            let _ = write!(out, "{number}:");
        }
        out.push_str(line);
        out.push('\n');
    }
    out
}
