//! A file's text as blocks: whole definitions, and the code between them in pieces.

use std::ops::Range;

use super::words::{self, Stems, Term};
use crate::syntax::{Definition, Definitions, Kind, Language, Outline, Parsed};
use crate::text::{Lines, Span};

/// A function of more lines is cut into pieces.
const LONG: usize = 150;
/// Lines that a piece of a long function has at most, where its syntax allows it.
const PIECE: usize = 60;
/// Lines that a piece of code between definitions has at most.
const GAP: usize = 40;
/// A value (a table, an object) of at least so many lines is a block of its own.
const LARGE_VALUE: usize = 12;

/// What a block is, as far as ranking cares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// A whole function, method or macro.
    Callable,
    /// A piece of a long function.
    Piece,
    /// A type: whole, or its header and fields.
    Type,
    /// Code between definitions, values included.
    Gap,
    /// Nothing but imports.
    Imports,
    /// A section of prose.
    Section,
}

/// Occurrences of a term in a block, by where it stands.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Counts {
    pub(super) symbol: u16,
    pub(super) comment: u16,
    pub(super) string: u16,
    pub(super) code: u16,
}

/// A span that is returned as a whole, with what it holds.
#[derive(Debug)]
pub(super) struct Block {
    pub(super) span: Span,
    pub(super) shape: Shape,
    /// Qualified name of the definition that it is or lies in; may be empty.
    pub(super) symbol: String,
    /// Hash of its own name, if the block is a definition.
    pub(super) name: Option<u64>,
    /// Hashes of the names around its own (its type), innermost first.
    pub(super) parents: Vec<u64>,
    /// Whether the definition is a test by its syntax.
    pub(super) test: bool,
    /// Terms by hash, in order.
    pub(super) terms: Vec<(Term, Counts)>,
    /// Whole identifiers in its code: hash and occurrences, in order of the hash.
    pub(super) identifiers: Vec<(u64, u16)>,
    /// Words per field: comment, string, code.
    pub(super) lengths: [u32; 3],
    /// Lines that are not blank.
    pub(super) solid: u32,
}

/// Cuts a parsed file into blocks, in order of their lines; none overlap.
pub(super) fn blocks(
    text: &str,
    parsed: Option<&Parsed>,
    language: &'static Language,
    stems: &mut Stems,
) -> Vec<Block> {
    let lines = Lines::new(text);
    let Some(whole) = lines.span() else {
        return Vec::new();
    };
    let found = parsed.map(|p| p.outline_and_strings(text));
    let (outline, strings) = found.unwrap_or_default();
    let definitions = &outline.definitions;
    let mut cutter = Cutter {
        lines: &lines,
        text,
        parsed,
        definitions,
        children: vec![Vec::new(); definitions.len() + 1],
        cuts: Vec::new(),
        prose: language.name() == "markdown",
    };
    for (i, d) in definitions.iter().enumerate() {
        let at = d.parent.map_or(0, |p| p + 1);
        if let Some(c) = cutter.children.get_mut(at) {
            c.push(i);
        }
    }
    cutter.within(None, whole);
    let cuts = std::mem::take(&mut cutter.cuts);
    let mut comments = Ranges::new(&outline.comments);
    let mut strings = Ranges::new(&strings);
    cuts.into_iter()
        .filter_map(|cut| {
            let fields = (&mut comments, &mut strings);
            fill(cut, &lines, &outline, fields, stems)
        })
        .collect()
}

struct Cut {
    span: Span,
    shape: Shape,
    /// The definition that it is or lies in.
    definition: Option<usize>,
    /// Whether it holds that definition's head.
    head: bool,
}

struct Cutter<'a> {
    lines: &'a Lines<'a>,
    text: &'a str,
    parsed: Option<&'a Parsed>,
    definitions: &'a Definitions,
    /// Children of definition i at i + 1; those of none at 0.
    children: Vec<Vec<usize>>,
    cuts: Vec<Cut>,
    prose: bool,
}

impl Cutter<'_> {
    /// Cuts `span`, which belongs to `owner`, at the definitions directly inside.
    fn within(&mut self, owner: Option<usize>, span: Span) {
        let inner = self
            .children
            .get(owner.map_or(0, |o| o + 1))
            .cloned()
            .unwrap_or_default();
        let mut at = span.start;
        let mut head = owner.is_some();
        for i in inner {
            let Some(d) = self.definitions.get(i) else {
                continue;
            };
            if !self.stands_alone(i, d) {
                continue;
            }
            let own = d.lines_with_docs();
            // A second definition on a line belongs to the first.
            if own.start < at || own.end > span.end {
                continue;
            }
            if own.start > at {
                self.gap(owner, Span::new(at, own.start - 1), head);
            }
            head = false;
            self.definition(i, own);
            at = own.end + 1;
        }
        if at <= span.end {
            self.gap(owner, Span::new(at, span.end), head);
        }
    }

    fn stands_alone(&self, i: usize, d: &Definition) -> bool {
        match d.kind {
            k if k.is_callable() => true,
            k if k.is_type() => true,
            Kind::Module | Kind::Section => true,
            Kind::Type => d.lines.len() >= LARGE_VALUE,
            _ => d.lines.len() >= LARGE_VALUE || self.holds_callable(i),
        }
    }

    fn holds_callable(&self, i: usize) -> bool {
        self.children.get(i + 1).is_some_and(|c| {
            c.iter().any(|&j| {
                self.definitions
                    .get(j)
                    .is_some_and(|d| d.kind.is_callable() && d.lines.len() > 1)
                    || self.holds_callable(j)
            })
        })
    }

    fn definition(&mut self, i: usize, span: Span) {
        let Some(d) = self.definitions.get(i) else {
            return;
        };
        let shape = match d.kind {
            k if k.is_callable() => Shape::Callable,
            Kind::Section => Shape::Section,
            k if k.is_type() => Shape::Type,
            Kind::Type => Shape::Type,
            _ => Shape::Gap,
        };
        let whole = match shape {
            Shape::Callable => span.len() <= LONG,
            Shape::Section => false,
            _ => span.len() <= LONG && !self.holds_callable(i),
        };
        if whole {
            self.cuts.push(Cut {
                span,
                shape,
                definition: Some(i),
                head: true,
            });
        } else if shape == Shape::Callable {
            self.pieces(i, span);
        } else {
            self.within(Some(i), span);
        }
    }

    /// Cuts a long function: nested functions of some size stand alone, the rest
    /// falls into pieces between its statements.
    fn pieces(&mut self, i: usize, span: Span) {
        let mut breaks: Vec<(usize, usize)> = Vec::new();
        if let (Some(parsed), Some(d)) = (self.parsed, self.definitions.get(i)) {
            let body = d.body.clone().unwrap_or(d.bytes.clone());
            breaks = parsed
                .blocks_within(self.text, body)
                .into_iter()
                .map(|b| (b.lines.start, b.depth))
                .filter(|(l, _)| *l > span.start && *l <= span.end)
                .collect();
        }
        let mut at = span.start;
        let mut head = true;
        while at <= span.end {
            let end = if span.end - at < PIECE + PIECE / 3 {
                span.end
            } else {
                // The shallowest border in the second half of the piece, the last of those.
                breaks
                    .iter()
                    .filter(|(l, _)| *l > at + PIECE / 2 && *l <= at + PIECE)
                    .min_by_key(|(l, depth)| (*depth, std::cmp::Reverse(*l)))
                    .map_or(at + PIECE - 1, |(l, _)| l - 1)
            };
            self.cuts.push(Cut {
                span: Span::new(at, end),
                shape: Shape::Piece,
                definition: Some(i),
                head,
            });
            head = false;
            at = end + 1;
        }
    }

    /// Code that belongs to no definition inside `owner`.
    fn gap(&mut self, owner: Option<usize>, span: Span, head: bool) {
        let owner_kind = owner.and_then(|o| self.definitions.get(o)).map(|d| d.kind);
        let shape = match owner_kind {
            Some(Kind::Section) => Shape::Section,
            Some(k) if k.is_type() && head => Shape::Type,
            _ if self.prose => Shape::Section,
            _ => Shape::Gap,
        };
        let blank = |n: usize| self.lines.get(n).trim().is_empty();
        let (mut at, mut last) = (span.start, span.end);
        while at <= last && blank(at) {
            at += 1;
        }
        while last >= at && blank(last) {
            last -= 1;
        }
        let mut head = head;
        while at <= last {
            let mut end = last;
            if last - at >= GAP + GAP / 3 {
                // Behind a blank line if there is one, best where nothing is indented.
                let mut best = (0, at + GAP - 1);
                for n in at + GAP / 3..at + GAP {
                    let margin = !self
                        .lines
                        .get(n + 1)
                        .starts_with([' ', '\t', '}', ')', ']']);
                    let worth = match (blank(n), margin) {
                        (true, true) => 3,
                        (true, false) => 2,
                        (false, true) => 1,
                        _ => 0,
                    };
                    if worth >= best.0 && worth > 0 {
                        best = (worth, n);
                    }
                }
                end = best.1;
            }
            let next = end + 1;
            let mut stop = end;
            while stop > at && blank(stop) {
                stop -= 1;
            }
            let has_word =
                (at..=stop).any(|n| self.lines.get(n).chars().any(|c| c.is_alphanumeric()));
            if has_word {
                self.cuts.push(Cut {
                    span: Span::new(at, stop),
                    shape,
                    definition: owner,
                    head,
                });
                head = false;
            }
            at = next;
            while at <= last && blank(at) {
                at += 1;
            }
        }
    }
}

/// Ranges in order, looked up by offsets that mostly rise.
struct Ranges<'r> {
    all: &'r [Range<usize>],
    /// How many of them begin at the last offset or before.
    begun: usize,
}

impl<'r> Ranges<'r> {
    fn new(all: &'r [Range<usize>]) -> Self {
        Self { all, begun: 0 }
    }

    /// Whether an offset lies in one of the ranges.
    fn hold(&mut self, at: usize) -> bool {
        let last = self.begun.checked_sub(1).and_then(|i| self.all.get(i));
        if last.is_some_and(|r| r.start > at) {
            self.begun = self.all.partition_point(|r| r.start <= at);
        }
        while self.all.get(self.begun).is_some_and(|r| r.start <= at) {
            self.begun += 1;
        }
        let last = self.begun.checked_sub(1).and_then(|i| self.all.get(i));
        last.is_some_and(|r| at < r.end)
    }
}

fn fill(
    cut: Cut,
    lines: &Lines<'_>,
    outline: &Outline,
    (comments, strings): (&mut Ranges<'_>, &mut Ranges<'_>),
    stems: &mut Stems,
) -> Option<Block> {
    let bytes = lines.bytes(cut.span);
    let base = bytes.start;
    let text = lines.slice(cut.span);
    let definitions = &outline.definitions;
    let definition = cut.definition.and_then(|d| definitions.get(d));
    let mut names: Vec<u64> = Vec::new();
    let mut lengths = [0u32; 3];
    let mut tally = stems.tally::<Counts>();
    words::parts(
        text,
        |p| {
            let at = base + p.start;
            let field = if comments.hold(at) {
                0
            } else if strings.hold(at) {
                1
            } else {
                2
            };
            if p.last && field == 2 {
                let name = text.get(p.word..p.end).unwrap_or_default();
                if name.len() > 2 {
                    names.push(words::whole(name));
                }
            }
            let Some(counts) = tally.of(text.get(p.start..p.end).unwrap_or_default()) else {
                return;
            };
            lengths[field] += 1;
            let count = match field {
                0 => &mut counts.comment,
                1 => &mut counts.string,
                _ => &mut counts.code,
            };
            *count = count.saturating_add(1);
        },
        || {},
    );
    if let Some(d) = definition {
        let path = d.path.as_str();
        words::parts(
            path,
            |p| {
                if let Some(c) = tally.of(path.get(p.start..p.end).unwrap_or_default()) {
                    c.symbol = c.symbol.saturating_add(1);
                }
            },
            || {},
        );
    }
    let terms = tally.finish();
    if terms.is_empty() {
        return None;
    }
    let mut code_lines = |n: usize| {
        let l = lines.get(n).trim();
        !l.is_empty()
            && !comments
                .hold(lines.start_of(n) + (lines.get(n).len() - lines.get(n).trim_start().len()))
    };
    let imported = |n: usize| outline.imports.iter().any(|s| s.contains(n));
    let only_imports = !outline.imports.is_empty()
        && matches!(cut.shape, Shape::Gap)
        && (cut.span.start..=cut.span.end).any(imported)
        && (cut.span.start..=cut.span.end).all(|n| !code_lines(n) || imported(n));
    let mut parents = Vec::new();
    let mut up = definition.and_then(|d| d.parent);
    while let Some(p) = up.and_then(|p| definitions.get(p)) {
        parents.push(words::whole(&p.name));
        up = p.parent;
    }
    // The type that a method is declared for may stand in its path only.
    if parents.is_empty()
        && let Some((outer, _)) = definition.and_then(|d| d.path.rsplit_once('.'))
    {
        parents.extend(outer.rsplit('.').map(words::whole));
    }
    let mut test = false;
    let mut at = definition;
    while let Some(d) = at {
        test |= d.kind == Kind::Test
            || (d.kind == Kind::Module && matches!(d.name.as_str(), "tests" | "test"));
        at = d.parent.and_then(|p| definitions.get(p));
    }
    names.sort_unstable();
    let alike = names.chunk_by(|a, b| a == b);
    let count = |same: &[u64]| u16::try_from(same.len()).unwrap_or(u16::MAX);
    let identifiers = alike
        .filter_map(|same| Some((*same.first()?, count(same))))
        .collect();
    Some(Block {
        span: cut.span,
        shape: if only_imports {
            Shape::Imports
        } else {
            cut.shape
        },
        symbol: definition.map(|d| d.path.clone()).unwrap_or_default(),
        name: definition
            .filter(|_| cut.head)
            .map(|d| words::whole(&d.name)),
        parents,
        test,
        terms,
        identifiers,
        lengths,
        solid: (cut.span.start..=cut.span.end)
            .filter(|&n| !lines.get(n).trim().is_empty())
            .count() as u32,
    })
}
