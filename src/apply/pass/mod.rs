//! What one pass of a snippet over a file rests on: its lines side by side, what the definitions of
//! both say, and the alignment with its scores.

pub(super) mod align;
mod alone;
mod blocks;
mod chance;
pub(super) mod closers;
pub(super) mod columns;
pub(super) mod context;
pub(super) mod extent;
mod fresh;
pub(super) mod guide;
pub(super) mod guides;
pub(super) mod likeness;
pub(super) mod prepare;
pub(super) mod scores;
pub(super) mod signature;
pub(super) mod substitution;
