//! The edit that makes a text of another, and what of it and its tree that changes.

use std::ops::Range;

use tree_sitter::{InputEdit, Point, Tree};

use crate::text;

/// What an edit did to a text.
pub(super) struct Edited {
    /// The bytes of the new text in which its tree may differ from the old one, with a line
    /// that tells where what is beside them ends.
    pub changed: Range<usize>,
    /// By how many bytes and lines what is behind them moved.
    pub bytes: isize,
    pub lines: isize,
}

/// The one edit that makes a text of another.
pub(super) fn edit(before: &str, after: &str) -> InputEdit {
    let (old, new) = text::changed(before, after);
    let rows = |text: &str| memchr::memchr_iter(b'\n', text.as_bytes()).count();
    let row = rows(&before[..old.start]);
    let end = |text: &str, range: &Range<usize>| {
        let part = &text[range.clone()];
        let column = part.len() - memchr::memrchr(b'\n', part.as_bytes()).map_or(0, |p| p + 1);
        Point::new(row + rows(part), column)
    };
    InputEdit {
        start_byte: old.start,
        old_end_byte: old.end,
        new_end_byte: new.end,
        start_position: Point::new(row, 0),
        old_end_position: end(before, &old),
        new_end_position: end(after, &new),
    }
}

/// The bytes of an edited text in which its tree may differ from the one before, which was
/// edited as well.
pub(super) fn changed(old: &Tree, new: &Tree, edit: &InputEdit) -> Range<usize> {
    let mut changed = edit.start_byte..edit.new_end_byte;
    for range in old.changed_ranges(new) {
        changed.start = changed.start.min(range.start_byte);
        changed.end = changed.end.max(range.end_byte);
    }
    changed
}

/// What an edit changed of a text and its tree, with two lines that are not blank on both
/// sides: a node that ends before the nearer one ended there before, too.
pub(super) fn edited(changed: Range<usize>, edit: &InputEdit, after: &str) -> Edited {
    let told = |line: &&str| !line.trim().is_empty();
    let above = after.get(..changed.start).unwrap_or_default();
    let first = above.split_inclusive('\n').rev().filter(told).nth(1);
    let below = after.get(changed.end..).unwrap_or_default();
    let last = below.split_inclusive('\n').filter(told).nth(2);
    let offset = |line: &str| line.as_ptr().addr() - after.as_ptr().addr();
    let moved = |new: usize, old: usize| new.cast_signed() - old.cast_signed();
    Edited {
        changed: first.map_or(0, offset)..last.map_or(after.len(), offset),
        bytes: moved(edit.new_end_byte, edit.old_end_byte),
        lines: moved(edit.new_end_position.row, edit.old_end_position.row),
    }
}
