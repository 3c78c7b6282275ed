//! The file's lines that a segment covers.

use super::align::Op;

/// The file lines that a segment covers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Extent {
    /// Its number.
    pub segment: usize,
    /// First file line (from 0).
    pub start: usize,
    /// First file line behind it.
    pub end: usize,
    /// It begins with new lines.
    pub inserts_first: bool,
    /// It ends with new lines.
    pub inserts_last: bool,
}

impl Extent {
    pub fn of(k: usize, ops: &[Op]) -> Self {
        let mut start = None;
        let mut end = 0;
        for op in ops {
            if let Op::Pair(_, j) | Op::Delete(j) = *op {
                start.get_or_insert(j);
                end = j + 1;
            }
        }
        let start = start.unwrap_or(end);
        let new = |op: Option<&Op>| matches!(op, Some(Op::Insert(_)));
        Extent {
            segment: k,
            start,
            end,
            inserts_first: new(ops.first()),
            inserts_last: new(ops.last()),
        }
    }
}

/// Where the anchor's pair stands now that other operations may have gone.
pub(crate) fn anchor_at(ops: &[Op], anchor_i: usize) -> usize {
    ops.iter()
        .position(|op| matches!(*op, Op::Pair(i, _) if i == anchor_i))
        .unwrap_or(0)
}
