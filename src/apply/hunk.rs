//! Hunks whose old lines stand in the file just once and just so: they are replaced as a
//! patch would, blank lines at their ends included, wherever a header says they are.

use super::place::placement::{Merged, Placed, Placement};
use super::snippet::script::{Item, Role, Script, Segment};
use crate::text::{Ending, Lines, Span};

/// The file with all hunks of a script in it; none where one of them has to be aligned.
///
/// The lines of context that end one hunk may begin the next. A file's last line break may
/// be taken for an empty line, as where lines are split at it.
pub(crate) fn exact(script: &Script, text: &Lines) -> Option<Merged> {
    if !script.strict {
        return None;
    }
    let mut out = String::with_capacity(text.text().len() + 1024);
    let mut placed = Vec::with_capacity(script.segments.len());
    // Number of the file's lines that are written, and of those that are the last hunk's
    // context.
    let (mut done, mut shared) = (0_usize, 0_usize);
    let mut above: Option<&str> = None;
    for segment in &script.segments {
        if segment.locates {
            above = segment.items.first().map(|i| i.text.trim());
            continue;
        }
        let at = place(segment, text)?;
        let named = |name: &str| (1..=at).any(|n| text.get(n).trim() == name);
        if above.take().is_some_and(|name| !named(name)) {
            return None;
        }
        let context = |i: &&Item| i.role == Role::Context;
        let overlap = done.saturating_sub(at);
        let leading = segment.items.iter().take_while(context).count();
        let old = segment.items.iter().filter(|i| i.role != Role::Plus);
        let old = old.count();
        if overlap > leading.min(shared) || old == 0 {
            return None;
        }
        keep(&mut out, text, done, at);
        let mut line = at + overlap;
        let mut last_put = None;
        for item in segment.items.iter().skip(overlap) {
            if item.role != Role::Plus {
                line += 1;
            }
            match item.role {
                Role::Minus => continue,
                Role::Context | Role::Plain if line <= text.len() => {
                    out.push_str(text.full(line));
                }
                Role::Context | Role::Plain | Role::Plus => {
                    out.push_str(&item.text);
                    out.push_str(ending(text, at, line)?);
                }
            }
            last_put = Some(item.text.as_str());
        }
        done = at + old;
        shared = segment.items.iter().rev().take_while(context).count();
        if done > text.len() && last_put == Some("") {
            let end = ending(text, at, done)?;
            out.truncate(out.strip_suffix(end)?.len());
        }
        let (first, last) = (segment.items.first()?, segment.items.last()?);
        placed.push(Placed {
            snippet: Span::new(first.number, last.number),
            after_line: at,
            lines: old.min(text.len() - at),
            by: Placement::UniqueLines,
            margin: None,
        });
    }
    keep(&mut out, text, done, text.len());
    Some(Merged {
        text: out,
        placed,
        removed: Vec::new(),
        misquoted: 0,
        idle: 0,
        decided: 0,
    })
}

/// Copies the lines after the first `from` up to and with line `to`.
fn keep(out: &mut String, text: &Lines, from: usize, to: usize) {
    if from < to {
        out.push_str(text.slice(Span::new(from + 1, to)));
    }
}

/// How many lines stand above the only place where a hunk's old lines do.
fn place(segment: &Segment, text: &Lines) -> Option<usize> {
    let lines = |without: Role| -> Vec<&str> {
        let kept = |i: &&Item| i.role != without;
        let items = segment.items.iter().filter(kept);
        items.map(|i| i.text.as_str()).collect()
    };
    if segment.items.iter().any(|i| i.role == Role::Plain) {
        return None;
    }
    let (old, new) = (lines(Role::Plus), lines(Role::Minus));
    let mut places = runs(text, &old);
    let at = match places.next() {
        Some(at) => Some(at).filter(|_| places.next().is_none())?,
        None => at_the_end(text, &old)?,
    };
    // What has been done is not done again.
    let is_done =
        new.len() > old.len() && runs(text, &new).any(|n| n < at + old.len() && at < n + new.len());
    (!is_done).then_some(at)
}

/// Where lines stand one after the other: the number of lines above each place.
fn runs<'a>(text: &'a Lines, lines: &'a [&str]) -> impl Iterator<Item = usize> + 'a {
    let last = (text.len() + 1).saturating_sub(lines.len());
    (0..last).filter(|&at| (0..lines.len()).all(|k| text.get(at + k + 1) == lines[k]))
}

/// Where lines stand at the file's end, its last line break taken for an empty line.
fn at_the_end(text: &Lines, lines: &[&str]) -> Option<usize> {
    let (last, told) = lines.split_last()?;
    let at = text.len().checked_sub(told.len())?;
    let ends = last.is_empty() && text.ending(text.len()) != Ending::None;
    let stand = (1..).zip(told).all(|(k, l)| text.get(at + k) == *l);
    (ends && stand && told.iter().any(|l| !l.trim().is_empty())).then_some(at)
}

/// The line break for a line put in after the first `done` lines, in a hunk that begins
/// after the first `at`; none where the file lacks one there.
fn ending(text: &Lines, at: usize, done: usize) -> Option<&'static str> {
    let beside = if done > 0 { done } else { at + 1 };
    let beside = beside.min(text.len());
    match text.ending(beside) {
        Ending::None => None,
        ending => Some(ending.as_str()),
    }
}
