//! Snippets that give definitions one after another, with no marker above the first or below the
//! last: they say nothing of how the file is laid out, so what it has between two of them stays.
//! So does what is said above one. What is between two between markers goes, unless both have changes of
//! their own: then it may be that they are given for those.

use std::cell::LazyCell;
use std::collections::HashMap;

use super::applied;
use super::lines::facts::Facts;
use super::lines::line::{Class, Line, starts_comment};
use super::lines::words::word_at;
use super::refuse;
use super::snippet::script::{Item, Script, Segment};
use crate::error::Result;
use crate::syntax::{Definition, Kind, Language, parse};
use crate::text::Span;

/// The same script with a marker between two definitions wherever the file has something between
/// them, or has them in another order; nothing where there is no such place.
///
/// # Errors
/// `unexplained_removal` where a definition may go or stay.
pub(crate) fn parted(
    script: &Script,
    file: &Facts,
    language: Option<&'static Language>,
    path: &str,
) -> Result<Option<Script>> {
    let Some(language) = language.filter(|_| !script.strict && script.is_plain()) else {
        return Ok(None);
    };
    let cuts = cuts(script, file, language, path)?;
    let all: Vec<Place> = cuts.iter().map(|c| c.0).collect();
    let sure: Vec<Place> = cuts.iter().filter(|c| c.1).map(|c| c.0).collect();
    // Where nothing else is to change, the edit has been made.
    let parted = part(script, &all);
    if sure.len() < all.len() && !applied::stands(&parted, file.text()) {
        return Ok((!sure.is_empty()).then(|| part(script, &sure)));
    }
    Ok((!all.is_empty()).then_some(parted))
}

/// The same script with a marker at each of some places.
fn part(script: &Script, cuts: &[Place]) -> Script {
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
    out
}

/// Whether a script has no marker below its last lines and none above its first, which are not
/// those that the file begins with, comments aside.
fn is_bare(script: &Script, file: &[Line]) -> bool {
    let (Some(first), Some(last)) = (script.segments.first(), script.segments.last()) else {
        return false;
    };
    let head = first.items.first().map_or("", |i| i.text.trim());
    let mut above = file.iter().take_while(|l| l.trimmed != head);
    !first.marker_before
        && !last.marker_after
        && above.any(|l| l.class != Class::Blank && !starts_comment(l.trimmed))
}

/// A place of a snippet: the segment, and the number of its lines above.
type Place = (usize, usize);

/// Where a marker is missing, and whether that is sure.
fn cuts(
    script: &Script,
    file: &Facts,
    language: &'static Language,
    path: &str,
) -> Result<Vec<(Place, bool)>> {
    let bare = is_bare(script, &file.records);
    if !bare && !script.segments.iter().any(falls_back) {
        return Ok(Vec::new());
    }
    let (text, at) = script.text(language);
    let Some(parsed) = parse(language, &text) else {
        return Ok(Vec::new());
    };
    let definitions = parsed.definitions(&text);
    let shown = Shown { script, file, at };
    let told: Vec<&Definition> = definitions.iter().filter(is_told).collect();
    let known = LazyCell::new(|| by_name(file));
    let same = |d: &Definition| match known.get(&identity(d)).copied()? {
        None => shown.by_header(d),
        one => one,
    };
    let mut out = Vec::new();
    if bare
        && let Some(head) = told.first()
        && let Some((0, start)) = shown.place(head.start_with_docs)
        && !ends_a_block(script.segments.first(), start)
        && let Some(there) = same(head)
        && let Some(above) = last_above(script.segments.first(), start, file)
        && holds(file, above + 1..begin(head, there))
    {
        out.push(((0, start), true));
    }
    for (n, one) in told.iter().enumerate() {
        let beside = |d: &&&Definition| d.parent == one.parent && d.lines.start > one.lines.end;
        let Some(next) = told[n + 1..].iter().find(beside) else {
            continue;
        };
        let Some(cut) = shown.gap(one, next) else {
            continue;
        };
        let (Some(a), Some(b)) = (same(one), same(next)) else {
            continue;
        };
        let between = a.lines.end + 1..begin(next, b);
        if bare && one.parent.is_none() {
            if b.lines.end < a.start_with_docs || holds(file, between) {
                out.push((cut, true));
            }
            continue;
        }
        let (x, y) = (shown.lines(one), shown.lines(next));
        let changes = [changed(file, a, &x), changed(file, b, &y)];
        if changes == [true, true] && shown.may_stay((one, a, &x), (next, b, &y)) {
            let gone = Span::new(between.start, between.end - 1);
            let lines = shown.span(one, next);
            return Err(refuse::unexplained(path, &file.records, gone, lines));
        }
        // What is said of a definition is not said again with each change of it.
        if begin(next, b) > b.start_with_docs
            && a.lines.end < b.start_with_docs
            && !holds(file, a.lines.end + 1..b.start_with_docs)
            && comments(file, b.start_with_docs..b.lines.start)
            && [one, next].iter().all(|d| d.body.is_some())
        {
            out.push((cut, changes.contains(&true)));
        }
    }
    // What stands below the last one may have its place elsewhere as well.
    if bare
        && let Some(last) = told.iter().rfind(|d| d.parent.is_none())
        && let Some(there) = same(last)
        && let Some(cut) = shown.below(last, there)
    {
        out.push((cut, true));
    }
    out.sort_unstable();
    out.dedup();
    Ok(out)
}

/// Whether a line below a blank one is no deeper than all above it, as the header of a definition is
/// below another one.
fn falls_back(segment: &Segment) -> bool {
    let lines: Vec<Line> = segment.items.iter().map(|i| Line::new(&i.text)).collect();
    let mut least = usize::MAX;
    let mut parted = false;
    for line in &lines {
        let depth = line.indent().len();
        match line.class {
            Class::Blank => parted = true,
            _ if parted && depth <= least => return true,
            _ => (least, parted) = (least.min(depth), false),
        }
    }
    false
}

fn is_told(d: &&Definition) -> bool {
    d.kind.is_callable() || d.kind.is_type()
}

/// A definition of a snippet, the file's, and the lines of the first.
type Known<'d> = (&'d Definition, &'d Definition, &'d [Line<'d>]);

/// A snippet's definitions in a text of its lines.
struct Shown<'s, 'f> {
    script: &'s Script,
    file: &'f Facts<'f>,
    /// Of each line of the text, its segment and its number in that.
    at: Vec<Option<Place>>,
}

impl Shown<'_, '_> {
    /// The segment of a line (from 1) of the text, and its number in that.
    fn place(&self, line: usize) -> Option<Place> {
        self.at.get(line - 1).copied().flatten()
    }

    fn segment(&self, d: &Definition) -> Option<&Segment> {
        self.script.segments.get(self.place(d.lines.end)?.0)
    }

    /// Where one definition begins of which nothing but blank lines parts another.
    fn gap(&self, one: &Definition, next: &Definition) -> Option<Place> {
        let (above, below) = (
            self.place(one.lines.end)?,
            self.place(next.start_with_docs)?,
        );
        let between = self.segment(one)?.items.get(above.1 + 1..below.1)?;
        let blank = between.iter().all(|i| i.text.trim().is_empty());
        (above.0 == below.0 && blank).then_some(below)
    }

    /// The lines of a definition, markers aside.
    fn lines(&self, d: &Definition) -> Vec<Line<'_>> {
        let places = (d.lines.start..=d.lines.end).filter_map(|line| self.place(line));
        let items = places.filter_map(|(s, i)| self.script.segments.get(s)?.items.get(i));
        let lines = items.map(|i| Line::new(&i.text));
        lines.filter(|l| l.class != Class::Blank).collect()
    }

    /// The only definition of the file that begins with the same line.
    fn by_header(&self, d: &Definition) -> Option<&Definition> {
        let (s, i) = self.place(d.lines.start)?;
        let header = Line::new(&self.script.segments.get(s)?.items.get(i)?.text);
        let same = |there: &&Definition| {
            let old = self.file.records.get(there.lines.start - 1);
            is_told(there) && old.is_some_and(|l| l.same(&header))
        };
        let mut all = self.file.definitions().iter().filter(same);
        all.next().filter(|_| all.next().is_none())
    }

    /// Whether no marker stands in a definition.
    fn is_whole(&self, d: &Definition) -> bool {
        let own = self.place(d.lines.end).map(|end| end.0);
        (d.lines.start..=d.lines.end).all(|line| self.place(line).map(|p| p.0) == own)
    }

    /// The lines of the snippet from one definition to the end of another.
    fn span(&self, one: &Definition, next: &Definition) -> Span {
        let number = |line| {
            let (s, i) = self.place(line)?;
            Some(self.script.segments.get(s)?.items.get(i)?.number)
        };
        let first = number(one.lines.start).unwrap_or(1);
        Span::new(first, number(next.lines.end).unwrap_or(first))
    }

    /// Whether definitions that the file has between two, each with its place in the file and its lines
    /// here, may stay: both have changes of their own, and need not be there to show what goes.
    fn may_stay(&self, (one, a, x): Known, (next, b, y): Known) -> bool {
        let between = a.lines.end + 1..b.start_with_docs;
        let headed = |lines: &[Line], there: &Definition| {
            let old = self.file.records.get(there.lines.start - 1);
            lines.first().zip(old).is_some_and(|(l, o)| l.same(o))
        };
        a.lines.end < b.start_with_docs
            && holds(self.file, between.clone())
            // From the beginning of the file on, all is shown.
            && self.segment(one).is_some_and(|s| s.marker_before)
            && self.is_whole(one)
            && self.is_whole(next)
            && headed(x, a)
            && headed(y, b)
            && !missed(self.file, between, &[(a, x), (b, y)])
    }

    /// Where lines below the last definition begin, parted from it by a blank one, the first of which
    /// the file has once and not right below that definition.
    fn below(&self, last: &Definition, there: &Definition) -> Option<Place> {
        let (s, end) = self.place(last.lines.end)?;
        let items = &self.segment(last)?.items;
        let blank = |i: &&Item| i.text.trim().is_empty();
        let at = end + 1 + items.get(end + 1..)?.iter().take_while(blank).count();
        let line = Line::new(&items.get(at)?.text);
        let margin = Line::new(&self.script.segments.first()?.items.first()?.text).indent();
        let once = line.class == Class::Plain && self.file.counts.get(&line.hash) == Some(&1);
        let j = self
            .file
            .records
            .iter()
            .position(|l| once && l.same(&line))?
            + 1;
        let apart = at > end + 1
            && line.indent() == margin
            && j > there.lines.end
            && holds(self.file, there.lines.end + 1..j);
        apart.then_some((s, at))
    }
}

/// Whether lines of a definition are not those that it has in the file.
fn changed(file: &Facts, there: &Definition, lines: &[Line]) -> bool {
    let old = file.records.get(there.lines.start - 1..there.lines.end);
    let old = old.unwrap_or_default();
    lines.iter().any(|l| !old.iter().any(|o| o.same(l)))
}

/// Whether the definitions around a range of file lines, each with its lines in the snippet, no longer
/// name one that is in it.
fn missed(file: &Facts, range: std::ops::Range<usize>, around: &[(&Definition, &[Line])]) -> bool {
    let inside = |d: &&Definition| range.contains(&d.lines.start) && range.contains(&d.lines.end);
    file.definitions().iter().filter(inside).any(|d| {
        let names = |l: &Line| word_at(l.trimmed, &d.name).is_some();
        around.iter().any(|(there, lines)| {
            let old = file.records.get(there.lines.start - 1..there.lines.end);
            old.unwrap_or_default().iter().any(names) && !lines.iter().any(names)
        })
    })
}

/// A definition's name and what kind it is of.
fn identity(d: &Definition) -> (&str, [bool; 3]) {
    let kinds = [d.kind.is_callable(), d.kind.is_type(), d.kind == Kind::Impl];
    (&d.name, kinds)
}

/// The file's definitions by their identity; nothing for one that several have.
fn by_name<'f>(file: &'f Facts) -> HashMap<(&'f str, [bool; 3]), Option<&'f Definition>> {
    let mut out = HashMap::new();
    for d in file.definitions().iter().filter(is_told) {
        let known = out.entry(identity(d));
        known.and_modify(|d| *d = None).or_insert(Some(d));
    }
    out
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

/// Whether the line above line `at` of a segment, blank ones aside, is deeper than that: it ends what stands
/// right above.
fn ends_a_block(segment: Option<&Segment>, at: usize) -> bool {
    let Some((above, below)) = segment.and_then(|s| s.items.split_at_checked(at)) else {
        return false;
    };
    let depth = |i: &Item| Line::new(&i.text).indent().len();
    let above = above.iter().rfind(|i| !i.text.trim().is_empty());
    matches!((above, below.first()), (Some(above), Some(head)) if depth(above) > depth(head))
}

/// Whether the lines (from 1) of a range are comments.
fn comments(file: &Facts, lines: std::ops::Range<usize>) -> bool {
    let lines = file.records.get(lines.start - 1..lines.end - 1);
    let comment = |l: &Line| starts_comment(l.trimmed) || l.trimmed.starts_with('*');
    lines.is_some_and(|l| l.iter().all(comment))
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
