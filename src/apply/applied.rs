//! Whether the file has an edit already.

use super::lines::facts::Facts;
use super::lines::line::{Line, depth};
use super::lines::shape;
use super::snippet::gone::{self, Removal};
use super::snippet::markers;
use super::snippet::script::{Item, Role, Script, Segment};
use crate::text::Span;

/// Whether every part of a script stands in the file as the edit would leave it, in order
/// and each in one piece: then the edit is made, and making it again changes nothing.
pub(crate) fn stands(script: &Script, file: &str) -> bool {
    let file: Vec<&str> = file.lines().collect();
    let file = file.as_slice();
    if beyond_a_block(script, file) {
        return false;
    }
    let mut from = 0;
    for segment in &script.segments {
        // Beside a marker nothing shows that what a note tells of is gone.
        let beside = |above| above == 0 || above == segment.items.len();
        if segment.notes.iter().any(|n| !n.done && beside(n.above)) {
            return false;
        }
        let Some((at, end)) = place(segment, file, from) else {
            // The line above a hunk only tells where it is, and may be another one by now.
            if segment.locates {
                continue;
            }
            return false;
        };
        // The context that ends one hunk may begin the next.
        let context = |i: &&Item| i.role == Role::Context;
        let shared = segment.items.iter().rev().take_while(context).count();
        let next = end.saturating_sub(shared).max(from);
        // Old lines that still stand, but for context within the new ones, are meant.
        let old = lines(segment, Role::Plus);
        let new = lines(segment, Role::Minus);
        // Where nothing but blanks change, they tell whether the change is made.
        let alike = |(a, b): (&&str, &&str)| a.trim() == b.trim();
        if old != new && old.len() == new.len() && old.iter().zip(&new).all(alike) {
            if file.get(at..end) != Some(&new) {
                return false;
            }
            from = next;
            continue;
        }
        let prefixed = |role| segment.items.iter().any(|i| i.role == role);
        let slack = slack(segment);
        if !old.is_empty() && (prefixed(Role::Plus) || prefixed(Role::Minus)) {
            let first = run(file, &old, 0, slack);
            let again = first.and_then(|j| run(file, &old, j + 1, slack));
            let within = |j: usize| at < j + old.len() && j < end;
            if again.is_some() || first.is_some_and(|j| prefixed(Role::Minus) || !within(j)) {
                return false;
            }
        }
        from = next;
    }
    script.segments.iter().any(|s| !s.locates)
}

/// The lines of a file, which has the edit already, below a script that begins with a marker or with
/// the file and ends without a marker: they may have been meant to go.
pub(crate) fn left_below(script: &Script, file: &str) -> Option<Span> {
    let file: Vec<&str> = file.lines().collect();
    let (first, last) = (script.segments.first()?, script.segments.last()?);
    let told = |l: &&str| !l.trim().is_empty();
    let start = file.iter().find(|l| told(l))?.trim();
    let begun = first.marker_before || first.items.first()?.text.trim() == start;
    if script.strict || script.markers == 0 || !script.is_plain() || !begun || last.marker_after {
        return None;
    }
    let mut end = 0;
    for segment in &script.segments {
        end = place(segment, &file, end)?.1;
    }
    let below = file.get(end..)?;
    let from = below.iter().position(told)?;
    let to = below.iter().rposition(told)?;
    Some(Span::new(end + from + 1, end + to + 1))
}

/// Whether a block that has a marker for all of it behind its first line ends in the file above the line
/// that closes it in the script, where the file has each part of that: what is between may have been
/// meant to go.
fn beyond_a_block(script: &Script, file: &[&str]) -> bool {
    if script.strict || !script.is_plain() {
        return false;
    }
    let told = |l: &str| !l.trim().is_empty();
    let mut above: Option<(&Segment, usize)> = None;
    for segment in &script.segments {
        let Some((at, end)) = place(segment, file, above.map_or(0, |a| a.1)) else {
            return false;
        };
        let Some((opener, y)) = above.replace((segment, end)) else {
            continue;
        };
        let Some(head) = opener.items.iter().rfind(|i| told(&i.text)) else {
            continue;
        };
        let column = depth(&head.text);
        let items = segment.items.iter().skip_while(|i| !told(&i.text));
        let mut items = items.enumerate();
        let below = items.find(|(_, i)| told(&i.text) && depth(&i.text) <= column);
        let Some((n, close)) = below else { continue };
        let word = close.text.trim();
        let opens = shape::opens(head.text.trim()) || word == "end";
        let closed = depth(&close.text) == column && shape::closes(word);
        if !opens || !closed || depth(&opener.marker_indent) <= column {
            continue;
        }
        let top = depth(file[y - 1]);
        let ends = |l: &&str| told(l) && depth(l) <= top && shape::closes(l.trim());
        if file[y..at + n].iter().any(ends) {
            return true;
        }
    }
    false
}

/// A comment that asks to remove what the file does not define, with the name: what is gone
/// already. One that may as well tell what the code does is text, unless the file has all
/// the rest of the snippet.
pub(crate) fn asks_in_vain<'s>(
    script: &'s Script,
    file: &Facts,
    comments: &[&str],
) -> Option<(&'s Item, &'s str)> {
    let asked = |item: &'s Item| -> Option<Removal<'s>> {
        let text = item.text.trim();
        if item.role != Role::Plain || !markers::begins_comment(text, comments) {
            return None;
        }
        gone::removal(text).filter(|_| !file.counts.contains_key(&Line::new(text).hash))
    };
    let items = script.segments.iter().flat_map(|s| &s.items);
    let asks: Vec<(&Item, Removal)> = items.filter_map(|i| Some((i, asked(i)?))).collect();
    let in_vain = |(item, asked): &(&'s Item, Removal<'s>)| (*item, asked.name);
    if let Some(first) = asks.iter().find(|(_, asked)| asked.of_the_edit) {
        return Some(in_vain(first));
    }
    let first = asks.first()?;
    let mut rest = script.clone();
    for segment in &mut rest.segments {
        let asks = |i: &Item| asks.iter().any(|(asked, _)| asked.number == i.number);
        segment.items.retain(|i| !asks(i));
    }
    rest.segments.retain(|s| !s.items.is_empty());
    stands(&rest, file.text()).then(|| in_vain(first))
}

/// Where a segment's new text stands at or behind a line: its first and last-plus-one line.
fn place(segment: &Segment, file: &[&str], from: usize) -> Option<(usize, usize)> {
    let new = lines(segment, Role::Minus);
    if new.is_empty() {
        return None;
    }
    let at = run(file, &new, from, slack(segment))?;
    Some((at, at + new.len()))
}

/// By how many columns the lines of a segment may be moved apart: context may have the
/// column of a prefix or not.
fn slack(segment: &Segment) -> i64 {
    let plain = segment.items.iter().all(|i| i.role == Role::Plain);
    i64::from(!plain)
}

/// The lines of a segment but for those with one role, without blank ones at both ends.
fn lines(segment: &Segment, without: Role) -> Vec<&str> {
    let items = segment.items.iter().filter(|i| i.role != without);
    let mut lines: Vec<&str> = items.map(|i| i.text.as_str()).collect();
    let told = |l: &&str| !l.trim().is_empty();
    let end = lines.iter().rposition(told).map_or(0, |x| x + 1);
    lines.truncate(end);
    lines.drain(..lines.iter().position(told).unwrap_or(0));
    lines
}

/// The first place, at or behind a line, where lines stand one after the other, all as far
/// to the right as given or all moved by as much.
fn run(file: &[&str], lines: &[&str], from: usize, slack: i64) -> Option<usize> {
    let last = (file.len() + 1).checked_sub(lines.len())?;
    (from..last).find(|&at| {
        let there = &file[at..at + lines.len()];
        if !lines.iter().zip(there).all(|(a, b)| a.trim() == b.trim()) {
            return false;
        }
        let shifts = lines
            .iter()
            .zip(there)
            .filter(|(a, _)| !a.trim().is_empty())
            .map(|(a, b)| depth(b) as i64 - depth(a) as i64);
        let (least, most) = shifts.fold((i64::MAX, i64::MIN), |(x, y), s| (x.min(s), y.max(s)));
        most.saturating_sub(least) <= slack
    })
}
