//! Tokens that a way of doing actions costs.

use serde::Serialize;

/// What one way cost over all actions, in o200k tokens.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Cost {
    /// What the model would read.
    pub input: usize,
    /// What the model would write.
    pub output: usize,
    /// Actions whose first result did not show every line of the definition.
    pub misses: usize,
    /// Actions whose edit was refused and made in another way.
    pub refused: usize,
    /// Actions whose edit gave other bytes than it should have.
    pub wrong: usize,
}

impl Cost {
    /// Input and output together.
    pub fn total(&self) -> usize {
        self.input + self.output
    }

    pub(super) fn add(&mut self, other: &Cost) {
        self.input += other.input;
        self.output += other.output;
        self.misses += other.misses;
        self.refused += other.refused;
        self.wrong += other.wrong;
    }
}
