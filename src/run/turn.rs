//! A run's turn: others that write are waited for, and how it ended is written down.

use super::journal::{Held, Journal};
use super::outcome::{Outcome, StoppedBy};
use super::task::Task;
use crate::error::Result;
use crate::workspace::{Cancel, Root, recover};
use std::fs::File;
use std::time::Duration;

/// What a run needs before its first step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Turn {
    /// Whether it may change files: then no other run of this root does so meanwhile.
    pub writes: bool,
    /// Whether to wait for that.
    pub wait: bool,
    pub timeout: Duration,
}

impl Turn {
    pub fn of(task: &Task) -> Self {
        Self {
            writes: task.writes(),
            wait: task.wait,
            timeout: task.timeout,
        }
    }
}

/// Does the work of a run when it is its turn, and writes down how it ended.
pub(super) fn turn(
    root: &Root,
    journal: &Journal,
    held: &Held,
    turn: &Turn,
    cancel: &Cancel,
    work: impl FnOnce() -> Result<Outcome>,
) -> Result<Outcome> {
    let wait = || -> Result<Option<File>> {
        if !turn.writes {
            return Ok(None);
        }
        journal.make_durable()?;
        let file = journal.writer(turn.wait, &cancel.with_timeout(turn.timeout))?;
        // A commit that was cut short is completed before anything is read.
        recover(root)?;
        Ok(Some(file))
    };
    journal.set_status(held.number, "running")?;
    let outcome = wait().and_then(|_turn| work());
    let status = match &outcome {
        Ok(outcome) if outcome.stopped_by == StoppedBy::Gate => "waiting",
        Ok(outcome) => outcome.stopped_by.name(),
        Err(e) => e.code,
    };
    journal.set_status(held.number, status)?;
    outcome
}
