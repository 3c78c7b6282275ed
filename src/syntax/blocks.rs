use std::ops::Range;

use tree_sitter::Tree;

use crate::text::Span;

/// A piece of a text that begins and ends with whole lines, such as a statement,
/// a member or a run of them in braces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// Its lines.
    pub lines: Span,
    /// Its bytes, without the indentation before and the line break behind.
    pub bytes: Range<usize>,
    /// How many other blocks of the same answer stand around it.
    pub depth: usize,
}

/// The blocks of a tree inside a range of bytes, parents before children. Of nodes
/// with the same lines only the outermost counts.
pub(super) fn within(tree: &Tree, text: &str, range: Range<usize>) -> Vec<Block> {
    let bytes = text.as_bytes();
    let mut out: Vec<Block> = Vec::new();
    let mut open: Vec<Range<usize>> = Vec::new();
    let mut cursor = tree.walk();
    loop {
        let node = cursor.node();
        let mut descend = node.end_byte() > range.start && node.start_byte() < range.end;
        if descend && node.is_named() {
            let own = super::names::trimmed(text, node);
            let inside = range.start <= own.start && own.end <= range.end && !own.is_empty();
            while open.last().is_some_and(|o| o.end <= own.start) {
                open.pop();
            }
            if inside && open.last() != Some(&own) && is_whole_lines(bytes, &own) {
                let first = node.start_position().row + 1;
                let breaks = bytes.get(own.clone()).unwrap_or_default();
                let lines = Span::new(first, first + memchr::memchr_iter(b'\n', breaks).count());
                if out.last().is_none_or(|b| b.lines != lines) {
                    out.push(Block {
                        lines,
                        bytes: own.clone(),
                        depth: open.len(),
                    });
                    open.push(own);
                }
            }
            // Nothing below a node of one line has a line of its own.
            descend = node.start_position().row != node.end_position().row;
        }
        if descend && cursor.goto_first_child() {
            continue;
        }
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() {
                return out;
            }
        }
    }
}

/// Whether only white space, or a closing `,` or `;`, stands beside a range on its
/// first and last line.
fn is_whole_lines(bytes: &[u8], range: &Range<usize>) -> bool {
    let before = bytes.get(..range.start).unwrap_or_default();
    let after = bytes.get(range.end..).unwrap_or_default();
    let blank = |b: &&u8| !matches!(b, b' ' | b'\t' | b'\r');
    let end = |b: &&u8| !matches!(b, b' ' | b'\t' | b'\r' | b',' | b';');
    before.iter().rev().find(blank).is_none_or(|&b| b == b'\n')
        && after.iter().find(end).is_none_or(|&b| b == b'\n')
}
