//! Steps that are over.

use super::{Held, Journal, small};
use crate::error::{Error, Result};
use crate::run::outcome::Failure;
use crate::run::retry::Attempt;
use rusqlite::{OptionalExtension, params};
use std::time::Duration;

/// A step that is over.
pub(in crate::run) struct Done<'a> {
    pub seq: usize,
    pub name: &'a str,
    pub input: &'a str,
    pub result: std::result::Result<&'a str, &'a Error>,
    pub attempts: u32,
    /// The attempts that failed, and the answers of models.
    pub log: &'a [Attempt],
    pub took: Duration,
}

/// What the journal knows of a step.
pub(in crate::run) enum Known {
    New {
        seq: usize,
    },
    Done {
        input: String,
        output: String,
    },
    Failed {
        seq: usize,
        input: String,
        failure: Failure,
    },
}

impl Journal {
    /// The input and output of a step that is done, and its name.
    pub fn done(&self, number: i64, seq: usize) -> Result<Option<(String, String, String)>> {
        self.db
            .prepare_cached(
                "select name, input, output from step where run = ? and seq = ? and status = 'done'",
            )
            .and_then(|mut s| {
                s.query_row(params![number, small(seq)], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?)))
                    .optional()
            })
            .map_err(|e| self.broken(&e))
    }

    /// What is known of a step by its name. One that is new gets the number that is
    /// proposed, or the next one where that is taken.
    pub fn known(&self, number: i64, name: &str, proposed: usize) -> Result<Known> {
        type Row = (u32, String, String, Option<String>);
        let find = || -> rusqlite::Result<Option<Row>> {
            self.db
                .prepare_cached(
                    "select seq, status, input, output from step where run = ? and name = ?",
                )?
                .query_row(params![number, name], |r| {
                    Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?))
                })
                .optional()
        };
        let free = || -> rusqlite::Result<u32> {
            let mut s = self.db.prepare_cached(
                "select count(*), (select max(seq) from step where run = ?1) from step
                 where run = ?1 and seq = ?2",
            )?;
            s.query_row(params![number, small(proposed)], |r| {
                let (taken, max): (u32, Option<u32>) = (r.get(0)?, r.get(1)?);
                Ok(if taken == 0 {
                    small(proposed)
                } else {
                    max.unwrap_or(0) + 1
                })
            })
        };
        match find().map_err(|e| self.broken(&e))? {
            None => {
                let seq = free().map_err(|e| self.broken(&e))? as usize;
                Ok(Known::New { seq })
            }
            Some((_, status, input, Some(output))) if status == "done" => {
                Ok(Known::Done { input, output })
            }
            Some((seq, _, input, output)) => Ok(Known::Failed {
                seq: seq as usize,
                input,
                failure: output
                    .and_then(|o| Failure::from_journal(&o))
                    .unwrap_or_default(),
            }),
        }
    }

    /// Writes down a step that is over, with its attempts: all or nothing.
    pub fn record(&self, held: &Held, done: &Done<'_>) -> Result<()> {
        if done.log.is_empty() {
            return self.insert_step(held, done);
        }
        let batch = |sql| self.db.execute_batch(sql).map_err(|e| self.broken(&e));
        batch("savepoint step")?;
        let written = self
            .insert_step(held, done)
            .and_then(|()| self.insert_attempts(held, done.seq, done.log));
        if written.is_err() {
            let _ = batch("rollback to step");
        }
        batch("release step")?;
        written
    }

    fn insert_step(&self, held: &Held, done: &Done<'_>) -> Result<()> {
        let (status, output, error) = match done.result {
            Ok(output) => ("done", Some(output.to_string()), None),
            Err(e) => (
                "failed",
                Some(Failure::from(e).to_journal()),
                Some(e.to_string()),
            ),
        };
        let micros = u64::try_from(done.took.as_micros()).unwrap_or(u64::MAX);
        let micros = i64::try_from(micros).unwrap_or(i64::MAX);
        let (number, key) = (held.number, held.key(done.seq, done.name, done.input));
        self.db
            .prepare_cached(
                "insert into step (run, seq, name, key, status, input, output, error, attempts, micros)
                 values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                 on conflict (run, seq) do update set name = excluded.name, key = excluded.key,
                 status = excluded.status, input = excluded.input, output = excluded.output,
                 error = excluded.error, attempts = step.attempts + excluded.attempts,
                 micros = excluded.micros
                 where step.status <> 'done'",
            )
            .and_then(|mut s| {
                s.execute(params![
                    number, small(done.seq), done.name, key, status, done.input, output, error,
                    done.attempts, micros
                ])
            })
            .map_err(|e| self.broken(&e))?;
        Ok(())
    }

    /// Writes down the attempts of a step that is not over: what ended the run
    /// before it does not make them undone, nor what they cost.
    pub fn insert_attempts(&self, held: &Held, seq: usize, log: &[Attempt]) -> Result<()> {
        let large = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
        for attempt in log {
            self.db
                .execute(
                    "insert into attempt (run, seq, what, error, waited, tokens)
                     values (?, ?, ?, ?, ?, ?)",
                    params![
                        held.number,
                        small(seq),
                        attempt.what,
                        attempt.error,
                        large(attempt.waited),
                        large(attempt.tokens)
                    ],
                )
                .map_err(|e| self.broken(&e))?;
        }
        Ok(())
    }
}
