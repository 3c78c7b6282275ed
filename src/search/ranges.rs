//! Matching lines to ranges: the definition around them, or the lines themselves.

use super::class::{Class, classify};
use super::query::{Kind, Query};
use super::scan::{Hits, Mask};
use crate::syntax::{self, Definition, Definitions, Language, Outline};
use crate::text::{self, Lines, Span};
use crate::workspace::{Cancel, FilePath};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

/// Definitions up to this many lines are shown whole.
const WHOLE: usize = 60;
/// Most lines of a range at the lowest level of detail.
const BARE: usize = 8;
/// First lines of a long definition that are shown when it was asked for by name.
const HEAD: usize = 20;
/// Lines around a match in a long definition.
const AROUND: usize = 3;

/// A file of the result as it was read, and what its syntax said when it was asked last.
#[derive(Debug, Default)]
pub(super) struct View {
    /// As it was read.
    pub bytes: Vec<u8>,
    /// As text.
    pub text: String,
    asked: Mutex<Option<Asked>>,
}

/// What was asked of a file's syntax.
#[derive(Debug)]
struct Asked {
    lines: Vec<usize>,
    syntax: Arc<Syntax>,
}

/// What a file's syntax says about some of its lines.
#[derive(Debug, Default)]
pub(super) struct Syntax {
    definitions: Definitions,
    /// Lines that hold nothing but comment.
    comment_lines: BTreeSet<usize>,
}

impl View {
    /// Decodes a file.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self {
            text: text::decode(&bytes).text.into_owned(),
            bytes,
            asked: Mutex::default(),
        }
    }

    /// What its syntax says about some lines (from 1, in order); what it says about others
    /// is of no use. Nothing once `cancel` is set.
    pub fn syntax(&self, path: &FilePath, lines: Vec<usize>, cancel: &Cancel) -> Arc<Syntax> {
        let asked = || self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = asked().as_ref().filter(|a| a.lines == lines) {
            return Arc::clone(&known.syntax);
        }
        let syntax = Arc::new(Syntax::of(path, &self.text, &lines, cancel));
        if cancel.is_cancelled() {
            return Arc::default();
        }
        *asked() = Some(Asked {
            lines,
            syntax: Arc::clone(&syntax),
        });
        syntax
    }
}

impl Syntax {
    fn of(path: &FilePath, text: &str, lines: &[usize], cancel: &Cancel) -> Self {
        let head = text.lines().next().unwrap_or_default();
        let stop = || cancel.is_cancelled();
        let outline = Language::detect(path.rel.as_ref(), head)
            .and_then(|l| syntax::outline_around(l, text, lines, &stop));
        let Some(Outline {
            definitions,
            comments,
            ..
        }) = outline
        else {
            return Self::default();
        };
        Self {
            definitions,
            comment_lines: comment_lines(text, &comments),
        }
    }
}

/// Lines whose text other than white space lies in comments.
fn comment_lines(text: &str, comments: &[Range<usize>]) -> BTreeSet<usize> {
    let lines = Lines::new(text);
    let mut found = BTreeSet::new();
    for comment in comments {
        let first = lines.line_at(comment.start);
        let last = lines.line_at(comment.end.saturating_sub(1).max(comment.start));
        for line in first..=last {
            let start = lines.start_of(line);
            let full = lines.get(line);
            let from = start + (full.len() - full.trim_start().len());
            let to = start + full.trim_end().len();
            if comment.start <= from && to <= comment.end {
                found.insert(line);
            }
        }
    }
    found
}

/// How much of a range is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Detail {
    /// The matching lines, the first few.
    Bare,
    /// The first line of the definition and the matching lines with one around.
    Near,
    /// The whole definition, or what matters of a long one.
    Full,
}

/// A range of one file that may become part of the result.
#[derive(Debug, Clone)]
pub(super) struct Draft {
    /// Position of its file among those that were loaded.
    pub file: usize,
    /// The definition with its docs, or the first to the last line of the matches.
    pub span: Span,
    /// Qualified name of the definition.
    pub symbol: Option<String>,
    /// What the definition is.
    pub kind: Option<syntax::Kind>,
    /// First own line of the definition, behind its docs.
    head: Option<usize>,
    /// Matching lines and the queries that match there.
    pub matches: BTreeMap<usize, Mask>,
    /// Queries that match in it.
    pub queries: Mask,
    /// Queries whose name this is the definition of.
    pub defines: Mask,
    /// Queries whose bare name this is the definition of, but for a qualifier.
    pub named: Mask,
    /// Queries whose name is part of the name that is defined here.
    pub partly: Mask,
    /// Whether all matches lie in comments.
    pub comment: bool,
    /// Its file's class.
    pub place: Class,
    /// For words: its position among what is about them.
    pub topic: Option<usize>,
}

/// A span that is about a query in plain words.
pub(super) fn topic(
    file: usize,
    path: &FilePath,
    query: usize,
    nth: usize,
    span: Span,
    symbol: String,
) -> Draft {
    Draft {
        file,
        span,
        symbol: Some(symbol).filter(|s| !s.is_empty()),
        kind: None,
        head: None,
        matches: BTreeMap::new(),
        queries: 1 << query,
        defines: 0,
        named: 0,
        partly: 0,
        comment: false,
        place: classify(&path.rel),
        topic: Some(nth),
    }
}

/// The ranges of one file, in order of lines.
pub(super) fn drafts(
    file: usize,
    path: &FilePath,
    known: &Syntax,
    hits: &[Hits],
    queries: &[Query],
) -> Vec<Draft> {
    let mut lines: BTreeMap<usize, Mask> = BTreeMap::new();
    for hit in hits {
        for line in &hit.lines {
            *lines.entry(*line as usize).or_default() |= 1 << hit.query;
        }
    }
    let place = classify(&path.rel);
    let mut by_definition: BTreeMap<Option<usize>, BTreeMap<usize, Mask>> = BTreeMap::new();
    let mut named: BTreeMap<usize, Names> = BTreeMap::new();
    for (&line, &mask) in &lines {
        let around = scope(&known.definitions, line);
        for (index, definition) in definitions_at(&known.definitions, line) {
            let found = names(definition, mask, queries);
            if found != Names::default() {
                named.entry(index).or_default().add(found);
            }
        }
        by_definition.entry(around).or_default().insert(line, mask);
    }
    let mut out: Vec<Draft> = by_definition
        .into_iter()
        .map(|(index, matches)| {
            let definition = index.and_then(|i| known.definitions.get(i));
            let first = matches.keys().next().copied().unwrap_or(1);
            let last = matches.keys().next_back().copied().unwrap_or(first);
            let mut names = Names::default();
            for (i, found) in &named {
                let inside = match definition {
                    // A field or constant counts for what it stands in.
                    Some(_) => scope_of(&known.definitions, *i) == index,
                    None => false,
                };
                if inside {
                    names.add(*found);
                }
            }
            Draft {
                file,
                span: definition.map_or(Span::new(first, last), Definition::lines_with_docs),
                symbol: definition.map(|d| d.path.clone()).filter(|p| !p.is_empty()),
                kind: definition.map(|d| d.kind),
                head: definition.map(|d| d.lines.start),
                queries: matches.values().fold(0, |a, m| a | m),
                comment: matches.keys().all(|l| known.comment_lines.contains(l)),
                matches,
                defines: names.exact,
                named: names.bare,
                partly: names.partly,
                place,
                topic: None,
            }
        })
        .collect();
    out.sort_by_key(|d| (d.span.start, d.span.end));
    merge_inner(out)
}

/// Puts a range into the one around it where that is short enough to be shown whole.
fn merge_inner(drafts: Vec<Draft>) -> Vec<Draft> {
    let mut out: Vec<Draft> = Vec::with_capacity(drafts.len());
    for draft in drafts {
        match out.last_mut() {
            Some(outer)
                if outer.head.is_some()
                    && outer.span.len() <= WHOLE
                    && outer.span.covers(draft.span) =>
            {
                for (line, mask) in draft.matches {
                    *outer.matches.entry(line).or_default() |= mask;
                }
                outer.queries |= draft.queries;
                outer.defines |= draft.defines;
                outer.named |= draft.named;
                outer.partly |= draft.partly;
                outer.comment &= draft.comment;
            }
            _ => out.push(draft),
        }
    }
    out
}

/// The definition a matching line is shown in.
fn scope(definitions: &Definitions, line: usize) -> Option<usize> {
    let innermost = definitions.chain(line).pop()?;
    scope_of(definitions, innermost)
}

/// The definition itself, or the one around it where it is a mere value or key.
fn scope_of(definitions: &Definitions, index: usize) -> Option<usize> {
    let mut at = index;
    loop {
        let definition = definitions.get(at)?;
        let small = definition.kind.is_value()
            || (definition.kind == syntax::Kind::Key && definition.lines.len() == 1);
        match definition.parent {
            // Not out of a value into something long: the value says enough.
            Some(parent)
                if small
                    && definitions
                        .get(parent)
                        .is_some_and(|p| p.lines_with_docs().len() <= WHOLE) =>
            {
                at = parent;
            }
            _ => return Some(at),
        }
    }
}

/// Definitions whose header, up to the line of the name, holds `line`.
fn definitions_at(
    definitions: &Definitions,
    line: usize,
) -> impl Iterator<Item = (usize, &Definition)> {
    definitions
        .chain(line)
        .into_iter()
        .filter_map(move |i| Some((i, definitions.get(i)?)))
        .filter(move |(_, d)| line >= d.lines.start && line <= d.lines.start + 3)
}

/// Queries whose name a definition has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Names {
    /// With the qualifier that is asked for.
    exact: Mask,
    /// With another qualifier.
    bare: Mask,
    /// As part of its own.
    partly: Mask,
}

impl Names {
    fn add(&mut self, other: Self) {
        self.exact |= other.exact;
        self.bare |= other.bare;
        self.partly |= other.partly;
    }
}

/// Queries among `mask` whose name a definition has, wholly or in part.
fn names(definition: &Definition, mask: Mask, queries: &[Query]) -> Names {
    let mut found = Names::default();
    for (i, query) in queries.iter().enumerate() {
        let Some(name) = query.name.as_deref().filter(|_| mask & (1 << i) != 0) else {
            continue;
        };
        let fold = |s: &str| {
            if query.insensitive {
                s.to_lowercase()
            } else {
                s.to_string()
            }
        };
        let (defined, asked) = (fold(&definition.name), fold(name));
        let into = match () {
            () if defined == asked => {
                match qualifies(&fold(&definition.path), &fold(&query.text)) {
                    true => &mut found.exact,
                    false => &mut found.bare,
                }
            }
            () if defined.contains(&asked) => &mut found.partly,
            () => continue,
        };
        *into |= 1 << i;
    }
    found
}

/// Whether the qualified name `path` ends as `asked` does: `a.b.c` for `b::c`. The
/// bare name is taken to agree already.
fn qualifies(path: &str, asked: &str) -> bool {
    let asked = asked.trim().trim_end_matches("()");
    let asked = asked
        .replace("::", ".")
        .replace("->", ".")
        .replace(['#', '/'], ".");
    if !asked.contains('.') || asked.contains(char::is_whitespace) {
        return true;
    }
    path == asked
        || path
            .strip_suffix(asked.as_str())
            .is_some_and(|rest| rest.ends_with('.'))
}

impl Draft {
    /// The lines that are shown, in order.
    pub fn lines(&self, detail: Detail, context: usize, queries: &[Query]) -> Vec<usize> {
        let symbol_use = self.defines == 0
            && queries
                .iter()
                .enumerate()
                .any(|(i, q)| q.kind == Kind::Symbol && self.queries & (1 << i) != 0);
        if self.topic.is_some() {
            let most = match detail {
                Detail::Bare => 3,
                Detail::Near => BARE,
                Detail::Full => WHOLE * 2,
            };
            return (self.span.start..=self.span.end).take(most).collect();
        }
        match detail {
            Detail::Bare => self.matches.keys().copied().take(BARE).collect(),
            Detail::Near => self.spread(usize::from(context > 0)),
            // Uses are listed, not printed whole.
            Detail::Full if symbol_use => self.spread(usize::from(context > 0)),
            Detail::Full if self.head.is_none() => self.spread(context),
            Detail::Full if self.span.len() <= WHOLE => (self.span.start..=self.span.end).collect(),
            Detail::Full => {
                let mut lines: BTreeSet<usize> = self.spread(AROUND).into_iter().collect();
                if self.defines != 0 {
                    let head = self.head.unwrap_or(self.span.start);
                    lines.extend(head..(head + HEAD).min(self.span.end));
                }
                lines.into_iter().collect()
            }
        }
    }

    fn spread(&self, around: usize) -> Vec<usize> {
        let mut lines: BTreeSet<usize> = self.head.into_iter().collect();
        for &line in self.matches.keys() {
            let (first, last) = match self.head {
                Some(_) => (self.span.start, self.span.end),
                None => (1, usize::MAX),
            };
            let from = line.saturating_sub(around).max(first);
            lines.extend(from..=line.saturating_add(around).min(last));
        }
        lines.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_that_is_asked_for_is_told() {
        let body = "    step();\n".repeat(60);
        let text = format!("fn a() {{\n{body}}}\n\nfn b() {{\n{body}}}\n\nfn c() {{\n{body}}}\n");
        let view = View::new(text.into_bytes());
        let path = FilePath {
            rel: "a.rs".into(),
            abs: "a.rs".into(),
        };
        for (lines, names) in [
            (vec![100], vec!["b"]),
            (vec![30, 150], vec!["a", "c"]),
            (vec![100], vec!["b"]),
        ] {
            let syntax = view.syntax(&path, lines.clone(), &Cancel::new());
            let told = lines.iter().map(|&line| {
                let around = syntax.definitions.enclosing(line);
                around.map_or("", |d| d.name.as_str())
            });
            assert_eq!(told.collect::<Vec<_>>(), names);
        }
    }
}
