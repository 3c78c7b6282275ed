//! What the replay of one session comes to.

use super::ledger::Amount;
use super::recorded::Format;
use super::walk::{Ceiling, Control, Edits, SHARES, Step, Survival};
use serde::Serialize;

/// What one session comes to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Replayed {
    /// The session's name.
    pub id: String,
    /// What wrote it down.
    pub format: Format,
    /// `owner/name`.
    pub repo: String,
    /// The commit it starts from.
    pub commit: String,
    /// Answers of the model.
    pub turns: usize,
    /// As recorded, by denominator.
    pub recorded: [Amount; 3],
    /// Through trimtab, by denominator.
    pub ours: [Amount; 3],
    /// What became of its edits.
    pub edits: Edits,
    /// Every step.
    pub steps: Vec<Step>,
    #[serde(skip)]
    pub(super) rest: Rest,
}

/// What is only used in sums.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Rest {
    pub controls: [Control; 6],
    pub shortened: (usize, usize),
    pub ceiling: Ceiling,
    pub repeated: usize,
    pub survival: [[Survival; 6]; SHARES.len()],
}
