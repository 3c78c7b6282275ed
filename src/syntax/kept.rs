//! What was found in a text before an edit, moved to where the edit left it as it was.

use std::ops::Range;

use tree_sitter::Node;

use super::edit::Edited;
use super::found::{At, Collected};
use crate::text::Span;

/// What was found before an edit.
pub(super) struct Kept<'a> {
    pub old: &'a Collected,
    pub edit: Edited,
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

/// Where what is around a heading ends.
pub(super) fn heading_end(parent: Option<Node>, heading: &Range<usize>) -> usize {
    parent.map_or(heading.end, |p| p.end_byte())
}
