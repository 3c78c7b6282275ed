//! What became of the steps of a plan.

use crate::run::outcome::Failure;
use serde_json::Value;

/// What became of a step.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum State {
    /// Its turn has not come.
    Waiting,
    Done(Value),
    /// The run ended when some of its items were done: what those gave.
    Part(Value),
    /// Its condition did not hold.
    Passed,
    /// Something that it needs failed.
    Skipped,
    /// Its file is not trusted.
    LeftOut,
    Failed(Failure),
}
