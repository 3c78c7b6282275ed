//! Hunks whose old lines stand in the file just once and just so: they are replaced as a
//! patch would, blank lines at their ends included, wherever a header says they are.

use super::place::{Outcome, Placed, Placement};
use super::snippet::{Item, Role, Script, Segment};
use crate::text::{Ending, Lines, Span};

/// The file with all hunks of a script in it; none where one of them has to be aligned.
pub(crate) fn exact(script: &Script, text: &Lines) -> Option<Outcome> {
    if !script.strict {
        return None;
    }
    let mut out = String::with_capacity(text.text().len() + 1024);
    let mut placed = Vec::with_capacity(script.segments.len());
    // Number of the file's lines that are written.
    let mut done = 0;
    for segment in &script.segments {
        let at = place(segment, text)?;
        let old = segment
            .items
            .iter()
            .filter(|i| i.role != Role::Plus)
            .count();
        if at < done || old == 0 {
            return None;
        }
        keep(&mut out, text, done, at);
        done = at;
        for item in &segment.items {
            if item.role != Role::Plus {
                done += 1;
            }
            match item.role {
                Role::Plus => {
                    out.push_str(&item.text);
                    out.push_str(ending(text, at, done)?);
                }
                Role::Minus => {}
                Role::Context | Role::Plain => out.push_str(text.full(done)),
            }
        }
        let (first, last) = (segment.items.first()?, segment.items.last()?);
        placed.push(Placed {
            snippet: Span::new(first.number, last.number),
            after_line: at,
            lines: old,
            by: Placement::UniqueLines,
            margin: None,
        });
    }
    keep(&mut out, text, done, text.len());
    Some(Outcome {
        text: out,
        placed,
        removed: Vec::new(),
        misquoted: 0,
        idle: 0,
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
    let at = places.next().filter(|_| places.next().is_none())?;
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

/// The line break for a line put in after the first `done` lines, in a hunk that begins
/// after the first `at`; none where the file lacks one there.
fn ending(text: &Lines, at: usize, done: usize) -> Option<&'static str> {
    let beside = if done > 0 { done } else { at + 1 };
    match text.ending(beside) {
        Ending::None => None,
        ending => Some(ending.as_str()),
    }
}
