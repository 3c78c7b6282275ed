//! Nodes that begin a line at another column than what stands beside them.

use std::cell::LazyCell;
use std::ops::Range;

use tree_sitter::{Node, Tree};

use super::language::{Grammar, flag};

/// A child that begins a line.
#[derive(Debug, Clone, Copy)]
struct Child {
    row: usize,
    /// Bytes in front of it on its line, and whether the first is a tab.
    column: usize,
    tab: bool,
    /// Its line is new.
    is_new: bool,
}

/// A file has tabs and blanks where there are less than so many times as many of the ones.
const FEWER: usize = 8;

/// Nodes on each side that are near, and that say together what column a block has.
const NEAR: usize = 2;

/// The row (from 0) of the first node that begins a new line at another column (bytes) than the
/// nearest nodes of the same parent that begin old ones, which have one column; with both columns.
/// New lines are inside of `range` (bytes), and `is_new` says of those there which are.
///
/// Comments and lines that `skip` names are passed over, and in a file that mixes tabs and blanks, one
/// of which begins with the other.
pub(super) fn astray(
    tree: &Tree,
    grammar: &Grammar,
    text: &str,
    range: &Range<usize>,
    is_new: &dyn Fn(&str) -> bool,
    skip: &dyn Fn(&str) -> bool,
) -> Option<(usize, usize, usize)> {
    let crosses = |n: &Node| n.end_byte() > range.start && n.start_byte() < range.end;
    let is_mixed = LazyCell::new(|| {
        let (above, below) = (text.get(..range.start), text.get(range.end..));
        let times = |with: &str| {
            let old = above.into_iter().chain(below).flat_map(str::lines);
            old.filter(|l| l.starts_with(with)).count()
        };
        let (tabs, blanks) = (times("\t"), times("  "));
        tabs.min(blanks) * FEWER > tabs.max(blanks)
    });
    let mut open = vec![tree.root_node()];
    let mut found: Option<(usize, usize, usize)> = None;
    while let Some(parent) = open.pop() {
        let mut cursor = parent.walk();
        let mut children: Vec<Child> = Vec::new();
        for node in parent.children(&mut cursor) {
            let flags = grammar.flags(node.kind_id());
            if flags & flag::STRING != 0 {
                continue;
            }
            let rows = (node.start_position().row, node.end_position().row);
            if rows.0 != rows.1 && crosses(&node) {
                open.push(node);
            }
            if !node.is_named() || flags & flag::COMMENT != 0 || node.is_error() {
                continue;
            }
            let start = node.start_byte();
            let above = text.get(..start).and_then(|t| t.rfind('\n'));
            let begin = above.map_or(0, |at| at + 1);
            let line = text.get(begin..).and_then(|t| t.lines().next());
            let Some((indent, code)) = line.and_then(|l| l.split_at_checked(start - begin)) else {
                continue;
            };
            if indent.trim_start_matches([' ', '\t']).is_empty() && !skip(code) {
                children.push(Child {
                    row: rows.0,
                    column: indent.len(),
                    tab: indent.starts_with('\t'),
                    is_new: range.contains(&start) && line.is_some_and(is_new),
                });
            }
        }
        let stray = children.iter().enumerate().find_map(|(n, child)| {
            let (above, below) = children.split_at(n);
            let old = |c: &&Child| !c.is_new && c.row != child.row;
            let near = above.iter().rev().filter(old).take(NEAR);
            let near = near.chain(below.iter().filter(old).take(NEAR));
            let near: Vec<&Child> = near.collect();
            if near.iter().any(|c| c.tab != child.tab) && child.is_new && *is_mixed {
                return None;
            }
            let mut columns = near.iter().map(|c| c.column);
            let column = columns.next()?;
            // Two in a row are no operands of an operator.
            let (others, same) =
                columns.fold((1, true), |(n, same), c| (n + 1, same && c == column));
            let other = child.is_new && same && others >= NEAR && column != child.column;
            other.then_some((child.row, child.column, column))
        });
        found = match (found, stray) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
    }
    found
}
