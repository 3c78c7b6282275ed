//! The pieces that a text is cut into: some items of a file, or some members of a large one.

use std::ops::Range;

use tree_sitter::{InputEdit, Node, Point};

use super::language::Language;
use super::shell::{Shell, is_around, is_cut};

/// An item so many times as large as a piece is cut by its members.
const LARGE: usize = 3;

/// A piece of a text.
#[derive(Debug, Clone)]
pub(super) struct Part {
    /// The bytes that are in no other piece.
    pub own: Range<usize>,
    /// What is around them and around its other members, which are in the pieces beside it.
    pub shell: Option<Shell>,
    /// No piece below has other members.
    pub is_last: bool,
}

/// What a node is to a piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// The piece alone has it.
    Own,
    /// It is around the piece's members and those of other pieces.
    Around,
    /// Another piece has it, too.
    Other,
}

impl Part {
    /// A piece with nothing around it.
    pub fn plain(own: Range<usize>) -> Self {
        Self {
            own,
            shell: None,
            is_last: true,
        }
    }

    /// What a node of its tree is to it.
    pub fn place(&self, node: Node) -> Place {
        let Some(shell) = &self.shell else {
            return Place::Own;
        };
        let start = node.start_byte();
        if is_around(node, shell.first(&self.own)) {
            Place::Around
        } else if self.own.contains(&start) {
            Place::Own
        } else {
            Place::Other
        }
    }

    /// Whether both have members of the same item.
    pub fn is_beside(&self, other: &Self) -> bool {
        let head = |part: &Self| part.shell.as_ref().map(|s| s.head.start);
        head(self).is_some() && head(self) == head(other)
    }

    /// Whether it begins with what is around its members.
    pub fn is_first(&self) -> bool {
        let head = self.shell.as_ref().map(|s| s.head.start);
        head.is_none_or(|head| head == self.own.start)
    }

    /// Whether an edit leaves what is around it as it was.
    pub fn is_within(&self, edit: &InputEdit) -> bool {
        self.shell.as_ref().is_none_or(|shell| {
            let (start, end) = (edit.start_byte, edit.old_end_byte);
            let foot = &shell.foot;
            start >= shell.first(&self.own)
                && (foot.is_empty() || end <= foot.start || start >= foot.end)
        })
    }

    /// Moves what is below an edit, such as the piece's start and end where it says so.
    pub fn edited(&mut self, edit: &InputEdit, start: bool, end: bool) {
        let moved = |at: usize| at.saturating_sub(edit.old_end_byte) + edit.new_end_byte;
        if let Some(Shell { head, foot, .. }) = &mut self.shell {
            if start && head.start >= edit.old_end_byte {
                *head = moved(head.start)..moved(head.end);
            }
            if foot.start >= edit.old_end_byte {
                *foot = moved(foot.start)..moved(foot.end);
            }
        }
        if start {
            self.own.start = moved(self.own.start);
        }
        if end {
            self.own.end = moved(self.own.end);
        }
    }

    /// Whether a text can be cut where the piece begins.
    pub fn begins(&self, language: &'static Language, text: &str) -> bool {
        self.is_edge(language, text, self.own.start, self.is_first())
    }

    /// Whether a text can be cut where the piece ends.
    pub fn ends(&self, language: &'static Language, text: &str) -> bool {
        self.is_edge(language, text, self.own.end, self.is_last)
    }

    fn is_edge(&self, language: &'static Language, text: &str, at: usize, is_outer: bool) -> bool {
        let inner = self.shell.as_ref().map_or(0, |s| s.indent.len());
        let depth = if is_outer { 0 } else { inner };
        at == 0 || at >= text.len() || is_cut(language, text, at, depth)
    }

    /// What the parser reads of it.
    pub fn ranges(&self, rows: &Rows) -> Vec<tree_sitter::Range> {
        let own = self.own.clone();
        let mut ranges = vec![own];
        if let Some(shell) = &self.shell {
            if !self.is_first() {
                ranges.insert(0, shell.head.clone());
            }
            if !self.is_last && !shell.foot.is_empty() {
                ranges.push(shell.foot.clone());
            }
        }
        let range = |bytes: Range<usize>| tree_sitter::Range {
            start_byte: bytes.start,
            end_byte: bytes.end,
            start_point: rows.point(bytes.start),
            end_point: rows.point(bytes.end),
        };
        ranges.into_iter().map(range).collect()
    }
}

/// The rows of some places of a text.
pub(super) struct Rows<'a> {
    text: &'a str,
    /// Places, in order, each with its row.
    known: Vec<(usize, usize)>,
}

impl<'a> Rows<'a> {
    /// Those where pieces begin and end.
    pub fn of<'p>(text: &'a str, parts: impl IntoIterator<Item = &'p Part>) -> Self {
        let mut places = Vec::new();
        for part in parts {
            places.extend([part.own.start, part.own.end]);
            if let Some(Shell { head, foot, .. }) = &part.shell {
                places.extend([head.start, head.end, foot.start, foot.end]);
            }
        }
        places.sort_unstable();
        places.dedup();
        let (mut from, mut row) = (0, 0);
        let row_of = |place: usize| {
            let part = text.as_bytes().get(from..place).unwrap_or_default();
            row += memchr::memchr_iter(b'\n', part).count();
            from = place;
            (place, row)
        };
        Self {
            text,
            known: places.into_iter().map(row_of).collect(),
        }
    }

    fn point(&self, at: usize) -> Point {
        let known = self.known.binary_search_by_key(&at, |k| k.0).ok();
        let row = known.and_then(|n| self.known.get(n)).map_or(0, |k| k.1);
        let above = self.text.as_bytes().get(..at).unwrap_or_default();
        let start = memchr::memrchr(b'\n', above).map_or(0, |n| n + 1);
        Point::new(row, at - start)
    }
}

/// A part of a text cut into pieces of at least `size` bytes; what is above an item that is
/// cut by its members may be less.
pub(super) fn parts(
    language: &'static Language,
    text: &str,
    within: Range<usize>,
    size: usize,
) -> Vec<Part> {
    let mut ends = cuts(language, text, within.clone(), size);
    ends.push(within.end);
    let mut parts = Vec::with_capacity(ends.len());
    let mut start = within.start;
    for end in ends {
        let mut own = start..end;
        start = end;
        if own.len() / LARGE >= size {
            if let Some(at) = last_cut(language, text, own.start..own.start + size) {
                parts.push(Part::plain(own.start..at));
                own.start = at;
            }
            if let Some((shell, inner)) = Shell::find(language, text, &own, size) {
                for end in inner.into_iter().chain([own.end]) {
                    parts.push(Part {
                        own: own.start..end,
                        shell: Some(shell.clone()),
                        is_last: end == own.end,
                    });
                    own.start = end;
                }
                continue;
            }
        }
        parts.push(Part::plain(own));
    }
    parts
}

/// Where a part of a text can be cut into pieces of at least `size` bytes, each as an item of
/// the file ends.
fn cuts(language: &'static Language, text: &str, within: Range<usize>, size: usize) -> Vec<usize> {
    let mut cuts = Vec::new();
    let mut from = within.start.saturating_add(size);
    while from.saturating_add(size) <= within.end {
        let rest = text.as_bytes().get(from..within.end).unwrap_or_default();
        let starts = memchr::memchr_iter(b'\n', rest).map(|n| from + n + 1);
        let mut starts = starts.take_while(|at| at.saturating_add(size) <= within.end);
        let Some(at) = starts.find(|&at| is_cut(language, text, at, 0)) else {
            break;
        };
        cuts.push(at);
        from = at + size;
    }
    cuts
}

/// The last place of a part of a text where an item of the file begins behind another.
fn last_cut(language: &'static Language, text: &str, within: Range<usize>) -> Option<usize> {
    let part = text.as_bytes().get(within.clone())?;
    let mut starts = memchr::memrchr_iter(b'\n', part).map(|n| within.start + n + 1);
    starts.find(|&at| is_cut(language, text, at, 0))
}
