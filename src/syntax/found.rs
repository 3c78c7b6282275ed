//! What a walk over a tree finds, before it is put in order.

use std::ops::Range;

use super::definition::{Definition, Kind};
use super::language::Language;
use crate::text::Span;

/// What a walk over one tree finds, each in the order of the walk and with where its node
/// starts and how deep in the tree it is.
#[derive(Debug, Clone, Default)]
pub(super) struct Collected {
    pub found: Vec<At<Found>>,
    pub comments: Vec<At<Range<usize>>>,
    pub imports: Vec<At<Span>>,
    /// The strings, where they are asked for.
    pub strings: Option<Vec<Range<usize>>>,
    /// What is around the members of a piece, which other pieces find as well.
    pub around: Vec<At<Found>>,
}

/// Something found at a node.
#[derive(Debug, Clone)]
pub(super) struct At<T> {
    /// The node's first byte.
    pub start: usize,
    /// The number of nodes around it, and one.
    pub depth: usize,
    pub what: T,
}

/// A definition as a pattern found it.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub kind: Kind,
    pub bytes: Range<usize>,
    pub lines: Span,
    pub start_with_docs: usize,
    pub name: String,
    pub name_bytes: Range<usize>,
    /// Names in front of the own one that the source spells out.
    pub qualifiers: Vec<String>,
    pub signature: String,
    pub body: Option<Range<usize>>,
    /// Whether a scope that is no definition stands around it.
    pub local: bool,
    /// For a heading that is no section of its own: its level, and the end of what
    /// is around it.
    pub heading: Option<(u8, usize)>,
    pub language: &'static Language,
}

impl Found {
    /// The same, found in another piece of the text with the end of it.
    pub fn until(mut self, last: Self) -> Self {
        let (Some(body), Some(end)) = (&mut self.body, &last.body) else {
            // All of it may be its header.
            return last;
        };
        body.end = end.end;
        self.bytes.end = last.bytes.end;
        self.lines.end = last.lines.end;
        self
    }

    /// As a definition with this path, inside of this parent.
    pub fn into_definition(self, path: String, parent: Option<usize>) -> Definition {
        Definition {
            kind: self.kind,
            name: self.name,
            path,
            parent,
            lines: self.lines,
            start_with_docs: self.start_with_docs,
            bytes: self.bytes,
            name_bytes: self.name_bytes,
            body: self.body,
            signature: self.signature,
        }
    }
}

impl<T> At<T> {
    /// The same by so many bytes further on, with what it is there.
    pub fn moved(&self, by: isize, what: T) -> Self {
        Self {
            start: self.start.saturating_add_signed(by),
            depth: self.depth,
            what,
        }
    }
}
