//! All that a walk finds out.

use super::super::ledger::Book;
use super::step::{Edits, Step};
use serde::Serialize;

/// Shares of a file's tokens that are tried, in percent.
pub const SHARES: [usize; 6] = [5, 10, 20, 30, 50, 70];

/// A control on the reads that trimtab shortened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Control {
    /// Blocks of lines that were needed and not shown.
    pub misses: usize,
    /// Tokens of reading them again.
    pub again: usize,
    /// Lines of those files that were needed later.
    pub needed: usize,
    /// Those that were shown at once.
    pub shown: usize,
}

/// Needed lines of large files that were shown at a share of their tokens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Survival {
    /// Reads with a line that was needed later.
    pub reads: usize,
    /// Those that showed all such lines.
    pub complete: usize,
    /// Needed lines.
    pub needed: usize,
    /// Those shown.
    pub shown: usize,
}

/// Tokens of the answers to all reads that trimtab took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in super::super) struct Ceiling {
    /// As recorded.
    pub recorded: usize,
    /// Through trimtab.
    pub ours: usize,
    /// Of an oracle: the lines that are edited or quoted later, with some around.
    pub oracle: usize,
}

/// All that a walk finds out.
#[derive(Debug, Default)]
pub(in super::super) struct Walked {
    pub recorded: Book,
    pub ours: Book,
    pub steps: Vec<Step>,
    pub edits: Edits,
    /// trimtab, then the controls in their order.
    pub controls: [Control; 6],
    /// Tokens of what shortened reads showed, and of the same reads as recorded.
    pub shortened: (usize, usize),
    /// What all reads that trimtab answered came to, and what they could have.
    pub ceiling: Ceiling,
    /// Tokens of lines that trimtab showed again, unchanged, because a read named them.
    pub repeated: usize,
    /// By share of [`SHARES`]: trimtab, then the controls.
    pub survival: [[Survival; 6]; SHARES.len()],
}
