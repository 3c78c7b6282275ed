//! From a text's trees to its definitions: what a walk over each finds, then a pass over it
//! that settles parents, kinds and paths.

use std::ops::Range;

use super::collect::{Look, collect};
use super::definition::{Definition, Definitions, Kind, MAX_DEPTH};
use super::found::{At, Collected, Found};
use super::language::Language;
use super::parse::Parsed;
use crate::text::Span;

/// What one walk over a text's trees finds, each in the order of the text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outline {
    /// What it defines, embedded languages included.
    pub definitions: Definitions,
    /// The bytes of its comments.
    pub comments: Vec<Range<usize>>,
    /// The statements that import, include or use other files or modules.
    pub imports: Vec<Span>,
}

impl Parsed {
    /// What the text defines, embedded languages included.
    pub fn definitions(&self, text: &str) -> Definitions {
        self.outline(text).definitions
    }

    /// What the text defines, its comments and its imports, by one walk for all.
    pub fn outline(&self, text: &str) -> Outline {
        self.outline_and_strings(text).0
    }

    /// As [`Parsed::outline`], with what [`Parsed::strings`] gives, by the same walk.
    pub fn outline_and_strings(&self, text: &str) -> (Outline, Vec<Range<usize>>) {
        outline(self, text)
    }
}

/// The outline of a text, and its strings in order, as [`Parsed::strings`] has them.
fn outline(parsed: &Parsed, text: &str) -> (Outline, Vec<Range<usize>>) {
    let mut all = Collected {
        strings: Some(Vec::new()),
        ..Collected::default()
    };
    collect(parsed, None, text, Look::Everywhere, &mut all);
    for inner in parsed.others() {
        collect(inner, None, text, Look::Everywhere, &mut all);
    }
    let mut strings = all.strings.take().unwrap_or_default();
    strings.sort_by_key(|s| s.start);
    (finish(all, text), strings)
}

/// What trees, each of other parts of a text, say about some lines (from 1, in order): the
/// definitions and comments that they lie in.
pub(super) fn around(trees: &[Parsed], text: &str, lines: &[usize]) -> Outline {
    let mut all = Collected::default();
    let others = trees.iter().flat_map(Parsed::others);
    for tree in trees.iter().chain(others) {
        // Elsewhere a heading may reach to the next one, wherever that is.
        let look = match tree.language().data().members {
            Some(_) => Look::Around(lines),
            None => Look::Everywhere,
        };
        collect(tree, None, text, look, &mut all);
    }
    finish(all, text)
}

/// Puts what was found in the order of the text, and gives the definitions their parents.
pub(super) fn finish(all: Collected, text: &str) -> Outline {
    fn plain<T>(all: Vec<At<T>>) -> Vec<T> {
        all.into_iter().map(|a| a.what).collect()
    }
    let mut out = Outline {
        definitions: Definitions::NONE,
        comments: plain(all.comments),
        imports: plain(all.imports),
    };
    out.comments.sort_by_key(|c| c.start);
    out.imports.sort();
    let mut found = plain(all.found);
    let order =
        |a: &Found, b: &Found| (a.bytes.start, b.bytes.end).cmp(&(b.bytes.start, a.bytes.end));
    found.sort_by(order);
    stretch_headings(&mut found, text);
    found.sort_by(order);
    out.definitions = Definitions(settle(found));
    out
}

/// Lets each underlined heading reach to the next of its level.
fn stretch_headings(found: &mut [Found], text: &str) {
    for at in 0..found.len() {
        let Some((first, rest)) = found.get_mut(at..).and_then(<[_]>::split_first_mut) else {
            continue;
        };
        let Some((level, mut end)) = first.heading else {
            continue;
        };
        let mut after = rest.iter().take_while(|o| o.bytes.start < end);
        if let Some(next) = after.find(|o| o.heading.is_some_and(|(l, _)| l <= level)) {
            end = next.bytes.start;
        }
        let inside = text.get(first.bytes.start..end).unwrap_or_default();
        let inside = inside.trim_end();
        let breaks = memchr::memchr_iter(b'\n', inside.as_bytes()).count();
        first.bytes.end = first.bytes.start + inside.len();
        first.lines.end = first.lines.start + breaks;
    }
}

/// Gives each its parent, and what follows from it.
fn settle(found: Vec<Found>) -> Vec<Definition> {
    let mut out: Vec<Definition> = Vec::with_capacity(found.len());
    let mut languages: Vec<&'static Language> = Vec::with_capacity(found.len());
    let mut open: Vec<usize> = Vec::new();
    for f in found {
        while let Some(&top) = open.last() {
            match out.get(top) {
                Some(d) if f.bytes.end <= d.bytes.end && d.bytes != f.bytes => break,
                _ => open.pop(),
            };
        }
        if open.len() >= MAX_DEPTH {
            continue;
        }
        let parent = open.last().copied();
        let outer = parent.and_then(|p| out.get(p));
        if let Some(d) = outer
            && d.body.is_some()
            && d.body == f.body
        {
            // A second name for the same thing (`typedef struct tag {…} name`).
            if d.name != f.name {
                let (parent, start) = (d.parent, d.path.len() - d.name.len());
                let path = format!("{}{}", d.path.get(..start).unwrap_or_default(), f.name);
                languages.push(f.language);
                out.push(f.into_definition(path, parent));
            }
            continue;
        }
        let parent_kind = outer.map(|d| d.kind);
        let mut kind = f.kind;
        if kind.is_value() {
            match parent_kind {
                Some(k) if k.is_callable() => continue,
                _ if kind == Kind::Field => {}
                Some(k) if k.is_type() => kind = Kind::Field,
                _ if f.local => continue,
                _ => {}
            }
        }
        if kind == Kind::Function && parent_kind.is_some_and(Kind::is_type) {
            kind = Kind::Method;
        }
        // An embedded language's names do not begin with the element around it.
        let same_language = parent.and_then(|p| languages.get(p)) == Some(&f.language);
        let mut path = match outer {
            Some(d) if same_language => format!("{}.", d.path),
            _ => String::new(),
        };
        for q in &f.qualifiers {
            path.push_str(q);
            path.push('.');
        }
        path.push_str(&f.name);
        open.push(out.len());
        languages.push(f.language);
        out.push(Found { kind, ..f }.into_definition(path, parent));
    }
    out
}
