//! What comments such as `// removed: parse` ask to remove, where the lines around them do not
//! take it out already.

use std::ops::Range;

use super::facts::Facts;
use super::line::{Class, Line};
use super::shape::closes;
use super::snippet::{Asked, Script};
use crate::syntax::Definition;

/// The text without what the comments of an edit ask to remove: definitions that have their name
/// alone, and lines that stand there once. Anything else is left for the checks to refuse.
pub(crate) fn without(file: &Facts, scripts: &[Script]) -> String {
    let asked = scripts.iter().flat_map(|s| &s.removals);
    let mut gone: Vec<Range<usize>> = asked.filter_map(|a| lines(file, a)).collect();
    gone.sort_by_key(|r| (r.start, r.end));
    let mut out = String::new();
    let mut next = 0;
    for run in gone {
        if run.start >= next {
            out.extend((next..run.start).map(|j| file.lines.full(j + 1)));
            next = run.end;
        }
    }
    out.extend((next..file.records.len()).map(|j| file.lines.full(j + 1)));
    out
}

/// The lines (from 0) that one of them means, with the blank ones that would be too many.
fn lines(file: &Facts, asked: &Asked) -> Option<Range<usize>> {
    let run = match asked {
        Asked::Definition(name, true) => definition(file, name)?,
        Asked::Definition(_, false) => return None,
        Asked::Line(text) => {
            let mut all = (0..file.records.len()).filter(|&j| file.records[j].trimmed == text);
            let j = all.next().filter(|_| all.next().is_none())?;
            return Some(j..j + 1);
        }
    };
    let blank = |l: &Line| l.class == Class::Blank;
    let above = file.records[..run.start].iter().rev();
    let above = above.take_while(|l| blank(l)).count();
    let below = file.records[run.end..].iter().take_while(|l| blank(l));
    let below = below.count();
    let next = file.records.get(run.end + below);
    let last = next.is_none_or(|l| closes(l.trimmed));
    Some(if last || below == 0 {
        run.start - above..run.end
    } else if above > 0 || run.start == 0 {
        run.start..run.end + below
    } else {
        run
    })
}

/// The lines of the only definition with a name, where they are nobody else's.
fn definition(file: &Facts, name: &str) -> Option<Range<usize>> {
    let all = file.definitions();
    let found = all.find(name);
    let [d] = found.as_slice() else { return None };
    let lines = d.lines_with_docs();
    let apart = |o: &Definition| {
        let within = lines.start <= o.lines.start && o.lines.end <= lines.end;
        let around = o.bytes.start < d.bytes.start && d.bytes.end < o.bytes.end;
        let beside = o.lines.end < lines.start || lines.end < o.lines.start;
        beside || around || within && d.bytes.start <= o.bytes.start && o.bytes.end <= d.bytes.end
    };
    let run = lines.start - 1..lines.end;
    (run.end <= file.records.len() && all.iter().all(apart)).then_some(run)
}
