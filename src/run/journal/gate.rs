//! Writes that wait for a decision, which any process may make.

use super::{Journal, now};
use crate::error::{Error, Result};
use rusqlite::{OptionalExtension, params};
use std::time::Duration;

/// What was decided about a write that waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::run) enum Decision {
    Pending,
    Approved,
    Denied,
    Expired,
}

impl Journal {
    /// What was decided at a gate of a run; `None` where nobody was asked.
    pub fn decision(&self, number: i64, step: &str) -> Result<Option<Decision>> {
        self.db
            .query_row(
                "select decision, expires from gate where run = ? and step = ?",
                params![number, step],
                |r| Ok(read(r.get(0)?, r.get(1)?)),
            )
            .optional()
            .map_err(|e| self.broken(&e))
    }

    /// The gate at which a run was asked last, and what was decided there.
    fn last_gate(&self, number: i64) -> Result<Option<(String, Decision)>> {
        self.db
            .query_row(
                "select step, decision, expires from gate where run = ? order by rowid desc limit 1",
                [number],
                |r| Ok((r.get(0)?, read(r.get(1)?, r.get(2)?))),
            )
            .optional()
            .map_err(|e| self.broken(&e))
    }

    /// Asks for a decision that may be made within `time`.
    pub fn ask(&self, number: i64, step: &str, time: Duration) -> Result<()> {
        let time = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
        self.db
            .execute(
                "insert or ignore into gate (run, step, expires) values (?, ?, ?)",
                params![number, step, now().saturating_add(time)],
            )
            .map_err(|e| self.broken(&e))?;
        Ok(())
    }

    /// Decides about a write that waits; the first decision stands.
    ///
    /// # Errors
    /// `not_waiting`; `gate_expired` (refused).
    pub fn decide(&self, number: i64, approve: bool) -> Result<()> {
        let wanted = if approve {
            Decision::Approved
        } else {
            Decision::Denied
        };
        let step = match self.last_gate(number)? {
            Some((step, Decision::Pending)) => step,
            Some((_, Decision::Expired)) => return Err(expired(number)),
            Some((_, made)) if made == wanted => return Ok(()),
            _ => {
                return Err(Error::failure(
                    "not_waiting",
                    format!("Run r{number} does not wait for this decision."),
                    "`trimtab runs` lists what waits.",
                ));
            }
        };
        let word = if approve { "approved" } else { "denied" };
        self.db
            .execute(
                "update gate set decision = ? where run = ? and step = ? and decision is null",
                params![word, number, step],
            )
            .map_err(|e| self.broken(&e))?;
        Ok(())
    }
}

fn read(decision: Option<String>, expires: i64) -> Decision {
    match decision.as_deref() {
        Some("approved") => Decision::Approved,
        Some(_) => Decision::Denied,
        None if now() >= expires => Decision::Expired,
        None => Decision::Pending,
    }
}

pub(in crate::run) fn denied(number: i64) -> Error {
    Error::refused(
        "denied",
        format!("Run r{number} was denied; nothing was written."),
        "",
    )
}

pub(in crate::run) fn expired(number: i64) -> Error {
    Error::refused(
        "gate_expired",
        format!("Nobody approved the write of run r{number} in time; nothing was written."),
        "Start the task again.",
    )
}
