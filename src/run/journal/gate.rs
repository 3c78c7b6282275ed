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
    /// What was decided about the write of a run; `None` where nobody was asked.
    pub fn decision(&self, number: i64) -> Result<Option<Decision>> {
        let row: Option<(Option<String>, i64)> = self
            .db
            .query_row(
                "select decision, expires from gate where run = ?",
                [number],
                |r| Ok((r.get(0)?, r.get(1)?)),
            )
            .optional()
            .map_err(|e| self.broken(&e))?;
        Ok(row.map(|(decision, expires)| match decision.as_deref() {
            Some("approved") => Decision::Approved,
            Some(_) => Decision::Denied,
            None if now() >= expires => Decision::Expired,
            None => Decision::Pending,
        }))
    }

    /// Asks for a decision that may be made within `time`.
    pub fn ask(&self, number: i64, time: Duration) -> Result<()> {
        let time = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
        self.db
            .execute(
                "insert or ignore into gate (run, expires) values (?, ?)",
                params![number, now().saturating_add(time)],
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
        match self.decision(number)? {
            Some(Decision::Pending) => {}
            Some(Decision::Expired) => return Err(expired(number)),
            Some(made) if made == wanted => return Ok(()),
            _ => {
                return Err(Error::failure(
                    "not_waiting",
                    format!("Run r{number} does not wait for this decision."),
                    "`trimtab runs` lists what waits.",
                ));
            }
        }
        let word = if approve { "approved" } else { "denied" };
        self.db
            .execute(
                "update gate set decision = ? where run = ? and decision is null",
                params![word, number],
            )
            .map_err(|e| self.broken(&e))?;
        Ok(())
    }
}

pub(in crate::run) fn expired(number: i64) -> Error {
    Error::refused(
        "gate_expired",
        format!("Nobody approved the write of run r{number} in time; nothing was written."),
        "Start the task again.",
    )
}
