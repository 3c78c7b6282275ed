//! The outline of an edited text, made of that of the text before: what the edit left as
//! it was is moved, not looked at again.

use std::ops::Range;

use rayon::prelude::*;
use tree_sitter::Node;

use super::outline::{Found, Look, Outline, collect, finish, heading_end};
use super::part::Part;
use super::pieces::Piece;
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

/// An outline, and what that of an edited text can be made of.
pub struct Outlined {
    /// The outline of the text.
    pub outline: Outline,
    /// What the trees without embedded languages gave.
    own: Collected,
}

impl Collected {
    /// What all pieces of a text give.
    fn joined<'p>(pieces: impl Iterator<Item = (&'p Part, Self)>) -> Self {
        let mut all = Self::default();
        // What the first piece with members of an item says is around them.
        let mut begun: Option<(usize, Vec<At<Found>>)> = None;
        for (part, own) in pieces {
            if part.shell.is_some() && part.is_first() {
                begun = Some((all.found.len(), own.around));
            } else if part.is_last
                && let Some((from, first)) = begun.take()
            {
                all.close(from, first, own.around);
            }
            all.found.extend(own.found);
            all.comments.extend(own.comments);
            all.imports.extend(own.imports);
        }
        all
    }

    /// Adds what is around members: the first piece has where it begins, the last one where it
    /// ends.
    fn close(&mut self, from: usize, first: Vec<At<Found>>, last: Vec<At<Found>>) {
        for (mut first, last) in first.into_iter().zip(last) {
            first.what = first.what.until(last.what);
            let place = (first.start, first.depth);
            let found = self.found.get(from..).unwrap_or_default();
            let above = found.partition_point(|f| (f.start, f.depth) <= place);
            self.found.insert(from + above, first);
        }
    }
}

impl Outlined {
    /// Of the pieces of a text.
    pub(super) fn new(pieces: &[Piece], text: &str, look: Look<'_>) -> Self {
        let found = pieces.par_iter().map(|piece| piece.collected(text, look));
        let found: Vec<Collected> = found.collect();
        let own = Collected::joined(pieces.iter().map(|p| &p.part).zip(found));
        let mut all = own.clone();
        for inner in pieces.iter().flat_map(|p| p.parsed.others()) {
            collect(inner, None, text, Look::Everywhere, &mut all);
        }
        Self {
            outline: finish(all, text),
            own,
        }
    }

    /// The outline of `text`, which an edit made of the text of this one, with its pieces.
    pub(super) fn again(&self, pieces: &[Piece], text: &str, edit: Edited) -> Self {
        let kept = Kept {
            old: &self.own,
            edit,
        };
        Self::new(pieces, text, Look::Changed(&kept))
    }
}

/// What an edit did to a text.
pub(super) struct Edited {
    /// The bytes of the new text in which its tree may differ from the old one, with a line
    /// that tells where what is beside them ends.
    pub changed: Range<usize>,
    /// By how many bytes and lines what is behind them moved.
    pub bytes: isize,
    pub lines: isize,
}

/// What was found before an edit.
pub(super) struct Kept<'a> {
    old: &'a Collected,
    edit: Edited,
}

impl Kept<'_> {
    /// Adds what a node gave before the edit, and what is inside it; whether the edit left
    /// it as it was. Its parent may not take part in what it defines, nor it in what those
    /// inside define.
    pub fn add(
        &self,
        node: Node,
        depth: usize,
        docs: Option<usize>,
        parent: Option<Node>,
        out: &mut Collected,
    ) -> bool {
        let Edited { changed, .. } = &self.edit;
        let bytes = node.byte_range();
        let (by, lines) = if bytes.end <= changed.start {
            (0, 0)
        } else if bytes.start >= changed.end {
            (self.edit.bytes, self.edit.lines)
        } else {
            return false;
        };
        let there = |at: usize| at.saturating_add_signed(-by);
        let old = there(bytes.start)..there(bytes.end);
        let moved =
            |r: &Range<usize>| r.start.saturating_add_signed(by)..r.end.saturating_add_signed(by);
        let line = |n: usize| n.saturating_add_signed(lines);
        let span = |s: Span| Span::new(line(s.start), line(s.end));
        for old in inside(&self.old.found, &old, depth) {
            let mut f = old.what.clone();
            f.bytes = moved(&f.bytes);
            f.name_bytes = moved(&f.name_bytes);
            f.body = f.body.as_ref().map(moved);
            f.lines = span(f.lines);
            f.start_with_docs = line(f.start_with_docs);
            if let Some((_, end)) = &mut f.heading {
                *end = end.saturating_add_signed(by);
            }
            // What is directly beside the edit's surroundings depends on them.
            if old.depth == depth {
                let row = docs.unwrap_or(node.start_position().row);
                f.start_with_docs = (row + 1).min(f.lines.start);
                if let Some((_, end)) = &mut f.heading {
                    *end = heading_end(parent, &f.bytes);
                }
            }
            out.found.push(old.moved(by, f));
        }
        for old in inside(&self.old.comments, &old, depth) {
            out.comments.push(old.moved(by, moved(&old.what)));
        }
        for old in inside(&self.old.imports, &old, depth) {
            out.imports.push(old.moved(by, span(old.what)));
        }
        true
    }
}

impl<T> At<T> {
    fn moved(&self, by: isize, what: T) -> Self {
        Self {
            start: self.start.saturating_add_signed(by),
            depth: self.depth,
            what,
        }
    }
}

/// Those at or inside a node, by its bytes and its depth.
fn inside<'a, T>(
    all: &'a [At<T>],
    node: &'a Range<usize>,
    depth: usize,
) -> impl Iterator<Item = &'a At<T>> {
    let first = all.partition_point(|a| a.start < node.start);
    all.get(first..)
        .unwrap_or_default()
        .iter()
        .take_while(|a| a.start < node.end)
        .filter(move |a| a.depth >= depth)
}
