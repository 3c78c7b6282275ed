//! The items of a file, as far as its lines tell them, parsed one by one where it has an
//! error: one that the grammar does not understand may seem to reach over those below it.

use std::ops::Range;

use rayon::prelude::*;
use tree_sitter::Point;

use super::language::Language;
use super::members::{Row, rows};
use super::parse::{Parsed, Unparsed, parse_ranges, parse_whole};

/// Parses a text; where it has an error, its items one by one, if its language allows.
/// `None` where it has more than [`super::MAX_BYTES`], nests deeper than the grammar can
/// bear, or takes an unreasonable time for its size.
pub fn parse(language: &'static Language, text: &str) -> Option<Parsed> {
    parse_stoppable(language, text, &|| false).ok()
}

/// As [`parse`]; gives up soon after `stop` says so.
pub(super) fn parse_stoppable(
    language: &'static Language,
    text: &str,
    stop: &(dyn Fn() -> bool + Sync),
) -> Result<Parsed, Unparsed> {
    let whole = parse_whole(language, text, None, stop)?;
    if !whole.has_error() {
        return Ok(whole);
    }
    Ok(one_by_one(language, text, stop).unwrap_or(whole))
}

/// `None` where a text has but one item, or one may say how another is read.
fn one_by_one(
    language: &'static Language,
    text: &str,
    stop: &(dyn Fn() -> bool + Sync),
) -> Option<Parsed> {
    let text = Text::new(language, text)?;
    let items = text.items();
    if items.len() == 1 {
        return None;
    }
    let parse = |item: &Range<usize>| {
        let range = text.range(item)?;
        parse_ranges(language, text.text, &[range], None, stop).ok()
    };
    let trees: Option<Vec<Parsed>> = items.par_iter().map(parse).collect();
    Parsed::joined(trees?)
}

/// A text and which of its lines begin a member.
pub(super) struct Text<'a> {
    pub language: &'static Language,
    pub text: &'a str,
    pub rows: Vec<Row>,
}

impl<'a> Text<'a> {
    /// `None` where members of the language cannot be left out.
    pub fn new(language: &'static Language, text: &'a str) -> Option<Self> {
        let members = language.data().members.as_ref()?;
        Some(Self {
            language,
            text,
            rows: rows(language, members, text),
        })
    }

    /// The rows of the file's items, each with those that cannot be told from it; all in one
    /// where what is around an item may say how to read it.
    pub fn items(&self) -> Vec<Range<usize>> {
        let begins = |n: &usize| {
            self.rows.get(*n).is_some_and(|r| {
                // Not inside of what is closed below, as a label may be.
                r.opens && r.depth == Some(0) && r.open == r.least
            })
        };
        let mut items = Vec::new();
        let mut from = 0;
        if self.language.apart().is_some() {
            for at in (1..self.len()).filter(begins) {
                items.push(from..at);
                from = at;
            }
        }
        items.push(from..self.len());
        items
    }

    /// How many lines there are.
    fn len(&self) -> usize {
        self.rows.len().saturating_sub(1)
    }

    fn bytes(&self, rows: &Range<usize>) -> Range<usize> {
        let start = |n: usize| self.rows.get(n).map_or(self.text.len(), |r| r.start);
        start(rows.start)..start(rows.end)
    }

    /// The range of some rows; `None` where they have no bytes.
    pub fn range(&self, rows: &Range<usize>) -> Option<tree_sitter::Range> {
        self.without(rows, &[]).pop()
    }

    /// The ranges of some rows beside the gaps, which are in order.
    pub fn without(&self, rows: &Range<usize>, gaps: &[Range<usize>]) -> Vec<tree_sitter::Range> {
        let mut out = Vec::with_capacity(gaps.len() + 1);
        let mut from = rows.start;
        let all = rows.end;
        // The last line may end without a break.
        let broken = memchr::memrchr(b'\n', self.text.as_bytes()).map_or(0, |n| n + 1);
        for gap in gaps.iter().chain([&(all..all)]) {
            let rows = from..gap.start;
            let bytes = self.bytes(&rows);
            from = gap.end;
            if bytes.is_empty() {
                continue;
            }
            let column = bytes.end.saturating_sub(broken.max(bytes.start));
            let row = rows.end - usize::from(column > 0);
            out.push(tree_sitter::Range {
                start_byte: bytes.start,
                end_byte: bytes.end,
                start_point: Point::new(rows.start, 0),
                end_point: Point::new(row, column),
            });
        }
        out
    }
}
