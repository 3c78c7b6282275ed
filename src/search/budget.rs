//! What an output costs and may cost.

use super::request::{DEFAULT_BUDGET, DEFAULT_BYTES, Request};
use crate::tokens;

/// What an output may cost.
#[derive(Debug, Clone, Copy)]
pub(super) struct Budget {
    pub tokens: usize,
    pub bytes: usize,
}

impl Budget {
    pub fn of(request: &Request) -> Self {
        match request.budget {
            Some(tokens) => Self {
                tokens,
                bytes: usize::MAX,
            },
            None => Self {
                tokens: DEFAULT_BUDGET,
                bytes: DEFAULT_BYTES,
            },
        }
    }

    /// Whether there is room for a text and a part that is still to come.
    pub fn holds(self, text: &str, spare: Cost) -> bool {
        let tokens = self.tokens.checked_sub(spare.tokens);
        text.len() + spare.bytes <= self.bytes && tokens.is_some_and(|n| tokens::fits(text, n))
    }
}

/// What a part of an output costs.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Cost {
    pub tokens: usize,
    pub bytes: usize,
}

impl Cost {
    pub fn of(text: &str) -> Self {
        Self {
            tokens: tokens::count(text),
            bytes: text.len(),
        }
    }

    pub fn plus(self, other: Cost) -> Self {
        Self {
            tokens: self.tokens + other.tokens,
            bytes: self.bytes + other.bytes,
        }
    }

    pub fn minus(self, other: Cost) -> Self {
        Self {
            tokens: self.tokens.saturating_sub(other.tokens),
            bytes: self.bytes.saturating_sub(other.bytes),
        }
    }

    /// The larger of both, tokens and bytes each for itself.
    pub fn most(self, other: Cost) -> Self {
        Self {
            tokens: self.tokens.max(other.tokens),
            bytes: self.bytes.max(other.bytes),
        }
    }

    /// Whether it is at most so much of a budget.
    pub fn within(self, budget: Budget, percent: usize) -> bool {
        let share = |n: usize| match n.checked_mul(percent) {
            Some(n) => n / 100,
            None => n / 100 * percent,
        };
        self.tokens <= share(budget.tokens) && self.bytes <= share(budget.bytes)
    }
}
