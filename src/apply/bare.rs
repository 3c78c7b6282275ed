//! Snippets that give definitions one after another, with no marker above the first or below the
//! last: they say nothing of how the file is laid out, so what it has between two of them stays.

use super::facts::Facts;
use super::line::{Class, Line};
use super::shape::starts_comment;
use super::snippet::{Item, Script, Segment};
use crate::syntax::{Definition, Language, parse};

/// The same script with a marker between two definitions wherever the file has something between
/// them, or has them in another order; nothing where there is no such place.
pub(crate) fn parted(
    script: &Script,
    file: &Facts,
    language: Option<&'static Language>,
) -> Option<Script> {
    if !is_bare(script, &file.records) {
        return None;
    }
    let cuts = cuts(script, file, language?);
    if cuts.is_empty() {
        return None;
    }
    let mut out = script.clone();
    out.segments.clear();
    for (s, segment) in script.segments.iter().enumerate() {
        let mut rest = segment.clone();
        let own = cuts.iter().filter(|c| c.0 == s).map(|c| c.1);
        let mut taken = 0;
        for at in own {
            let (above, below) = cut(rest, at - taken);
            taken = at;
            out.segments.push(above);
            rest = below;
        }
        out.segments.push(rest);
    }
    Some(out)
}

/// Whether a script has no marker below its last lines and none above its first, which are not
/// those that the file begins with, comments aside.
fn is_bare(script: &Script, file: &[Line]) -> bool {
    let (Some(first), Some(last)) = (script.segments.first(), script.segments.last()) else {
        return false;
    };
    let head = first.items.first().map_or("", |i| i.text.trim());
    let mut above = file.iter().take_while(|l| l.trimmed != head);
    !script.strict
        && script.is_plain()
        && !first.marker_before
        && !last.marker_after
        && above.any(|l| l.class != Class::Blank && !starts_comment(l.trimmed))
}

/// Where a marker is missing: the segment, and the number of its lines above.
fn cuts(script: &Script, file: &Facts, language: &'static Language) -> Vec<(usize, usize)> {
    let (text, at) = script.text(language);
    let Some(parsed) = parse(language, &text) else {
        return Vec::new();
    };
    let definitions = parsed.definitions(&text);
    let outer: Vec<&Definition> = definitions
        .iter()
        .filter(|d| d.parent.is_none() && (d.kind.is_callable() || d.kind.is_type()))
        .collect();
    let place = |line: usize| at.get(line - 1).copied().flatten();
    let mut out = Vec::new();
    if let Some(head) = outer.first()
        && let Some((0, start)) = place(head.start_with_docs)
        && let Some(there) = same(file, head)
        && let Some(above) = last_above(script.segments.first(), start, file)
        && holds(file, above + 1..begin(head, there))
    {
        out.push((0, start));
    }
    let blank = |items: &[Item]| items.iter().all(|i| i.text.trim().is_empty());
    let joined = |pair: &[&Definition]| {
        let [one, next] = pair else { return false };
        match (place(one.lines.end), place(next.start_with_docs)) {
            (Some((s, end)), Some((t, start))) => {
                let between = script
                    .segments
                    .get(s)
                    .and_then(|x| x.items.get(end + 1..start));
                s == t && between.is_some_and(blank)
            }
            _ => false,
        }
    };
    for pair in outer.windows(2).filter(|pair| joined(pair)) {
        let [one, next] = pair else { continue };
        if let (Some(a), Some(b)) = (same(file, one), same(file, next))
            && let Some(at) = place(next.start_with_docs)
            && (b.lines.end < a.start_with_docs || holds(file, a.lines.end + 1..begin(next, b)))
        {
            out.push(at);
        }
    }
    out
}

/// The only definition of the file with the name of a snippet's, and of its kind.
fn same<'f>(file: &'f Facts, d: &Definition) -> Option<&'f Definition> {
    let kind = |o: &&Definition| {
        o.name == d.name
            && o.kind.is_callable() == d.kind.is_callable()
            && o.kind.is_type() == d.kind.is_type()
    };
    let mut all = file.definitions().iter().filter(kind);
    all.next().filter(|_| all.next().is_none())
}

/// The first line (from 1) of what stands for a snippet's definition in the file: what is said
/// above it, where the snippet says something there.
fn begin(d: &Definition, there: &Definition) -> usize {
    match d.start_with_docs < d.lines.start {
        true => there.start_with_docs,
        false => there.lines.start,
    }
}

/// Whether a line (from 1) of a range is not blank.
fn holds(file: &Facts, lines: std::ops::Range<usize>) -> bool {
    let lines = file
        .records
        .get(lines.start - 1..lines.end.max(lines.start) - 1);
    lines.is_some_and(|l| l.iter().any(|l| l.class != Class::Blank))
}

/// The file's line (from 1) of the last of a segment's first lines that it has, and has once.
fn last_above(segment: Option<&Segment>, lines: usize, file: &Facts) -> Option<usize> {
    let there = |i: &Item| {
        let line = Line::new(&i.text);
        let once = line.class == Class::Plain && file.counts.get(&line.hash) == Some(&1);
        let at = || file.records.iter().position(|l| l.same(&line));
        once.then(at).flatten()
    };
    let items = segment?.items.get(..lines)?;
    items.iter().rev().find_map(there).map(|j| j + 1)
}

/// A segment in two, with a marker between.
fn cut(mut segment: Segment, at: usize) -> (Segment, Segment) {
    let items = segment.items.split_off(at);
    let mut below = Segment {
        blank_after: segment.blank_after,
        marker_before: true,
        marker_after: segment.marker_after,
        marker_indent: segment.marker_indent,
        ..Segment::default()
    };
    let (mut above_notes, mut below_notes) = (Vec::new(), Vec::new());
    for mut note in segment.notes {
        if note.above <= at {
            above_notes.push(note);
        } else {
            note.above -= at;
            below_notes.push(note);
        }
    }
    segment.notes = above_notes;
    below.notes = below_notes;
    let blank = |i: &Item| i.text.trim().is_empty();
    let mut blanks = 0;
    while segment.items.pop_if(|i| blank(i)).is_some() {
        blanks += 1;
    }
    let head = items.first().map_or("", |i| i.text.as_str());
    segment.marker_indent = Line::new(head).indent().to_string();
    (segment.blank_after, segment.marker_after) = (blanks, true);
    below.blank_before = blanks;
    below.items = items;
    (segment, below)
}
