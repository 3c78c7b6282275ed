//! What a run has booked on models.

use super::Journal;
use crate::error::Result;
use rusqlite::params;

/// The account of a run, on a connection of its own: steps side by side write to it.
pub(in crate::run) struct Account {
    journal: Journal,
    number: i64,
}

impl Journal {
    /// The account of a run, and the tokens that are booked on it.
    pub fn account(&self, number: i64) -> Result<(Account, u64)> {
        let journal = Self::at(self.folder.clone())?;
        journal.make_durable()?;
        let booked: i64 = journal
            .db
            .query_row("select booked from run where id = ?", [number], |r| {
                r.get(0)
            })
            .map_err(|e| journal.broken(&e))?;
        let account = Account { journal, number };
        Ok((account, u64::try_from(booked).unwrap_or_default()))
    }
}

impl Account {
    /// Writes down what was spent and what requests under way may cost.
    pub fn book(&self, tokens: u64) -> Result<()> {
        let tokens = i64::try_from(tokens).unwrap_or(i64::MAX);
        self.journal
            .db
            .execute(
                "update run set booked = ? where id = ?",
                params![tokens, self.number],
            )
            .map(|_| ())
            .map_err(|e| self.journal.broken(&e))
    }
}
