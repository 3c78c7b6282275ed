//! What the journal tells of its runs.

use super::{Journal, unknown};
use crate::error::Result;
use crate::run::retry::Attempt;
use rusqlite::Row;
use serde::Serialize;
use std::fs::File;

/// One run as it is listed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RunRecord {
    /// Such as `r12`.
    pub id: String,
    /// `running`, `waiting` at a gate, or why it ended, as
    /// [`StoppedBy`](crate::run::StoppedBy) names it; `killed` where its process is gone.
    pub status: String,
    /// The first line of its task.
    pub task: String,
    /// Steps that were done.
    pub steps: usize,
    /// Seconds since 1970 at which it began.
    pub created: u64,
    /// The run and step it goes on from, such as `r3 at 2`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub forked: Option<String>,
}

/// One step of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StepRecord {
    /// Its number, from 1.
    pub step: usize,
    /// What it does, in a word.
    pub name: String,
    /// `done` or `failed`.
    pub status: String,
    /// Attempts that it took.
    pub attempts: u32,
    /// Microseconds of the last attempt.
    pub micros: u64,
    /// o200k tokens of the output.
    pub tokens: usize,
    /// The value that went in, as JSON.
    pub input: String,
    /// The value that came out, as JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output: Option<String>,
    /// What failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The attempts that failed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub failed: Vec<Attempt>,
    /// The answers of models, and what they cost.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub answered: Vec<Attempt>,
}

impl Journal {
    /// The runs, newest first.
    pub fn list(&self) -> Result<Vec<RunRecord>> {
        let read = || -> rusqlite::Result<Vec<(i64, RunRecord)>> {
            let mut s = self.db.prepare(
                "select id, status, task, forked, created,
                 (select count(*) from step where run = run.id and status = 'done')
                 from run order by id desc",
            )?;
            let rows = s.query_map([], record)?;
            rows.collect()
        };
        let rows = read().map_err(|e| self.broken(&e))?;
        Ok(rows
            .into_iter()
            .map(|(number, mut run)| {
                if run.status == "running" && !self.is_held(number) {
                    run.status = "killed".into();
                }
                run
            })
            .collect())
    }

    fn is_held(&self, number: i64) -> bool {
        File::open(self.lock_path(number)).is_ok_and(|f| f.try_lock().is_err())
    }

    /// The steps of a run, in order.
    ///
    /// # Errors
    /// `unknown_run`.
    pub fn steps(&self, number: i64) -> Result<Vec<StepRecord>> {
        let read = || -> rusqlite::Result<Vec<StepRecord>> {
            let mut s = self.db.prepare(
                "select seq, name, status, attempts, micros, input, output, error
                 from step where run = ? order by seq",
            )?;
            let rows = s.query_map([number], |r| {
                let status: String = r.get(2)?;
                // What a failure left there is for the program.
                let output: Option<String> = r.get(6)?;
                let output = output.filter(|_| status == "done");
                Ok(StepRecord {
                    step: r.get::<_, u32>(0)? as usize,
                    name: r.get(1)?,
                    status,
                    attempts: r.get(3)?,
                    micros: u64::try_from(r.get::<_, i64>(4)?).unwrap_or_default(),
                    tokens: output.as_deref().map_or(0, crate::tokens::count),
                    input: r.get(5)?,
                    output,
                    error: r.get(7)?,
                    failed: Vec::new(),
                    answered: Vec::new(),
                })
            })?;
            let mut steps: Vec<StepRecord> = rows.collect::<rusqlite::Result<_>>()?;
            let mut s = self.db.prepare(
                "select seq, what, error, waited, tokens from attempt where run = ? order by rowid",
            )?;
            let mut rows = s.query([number])?;
            while let Some(r) = rows.next()? {
                let seq = r.get::<_, u32>(0)? as usize;
                let attempt = Attempt {
                    what: r.get(1)?,
                    error: r.get(2)?,
                    waited: u64::try_from(r.get::<_, i64>(3)?).unwrap_or_default(),
                    tokens: u64::try_from(r.get::<_, i64>(4)?).unwrap_or_default(),
                };
                if let Some(step) = steps.iter_mut().find(|s| s.step == seq) {
                    match attempt.error.is_empty() {
                        true => step.answered.push(attempt),
                        false => step.failed.push(attempt),
                    }
                }
            }
            Ok(steps)
        };
        if !self.exists(number)? {
            return Err(unknown(number));
        }
        read().map_err(|e| self.broken(&e))
    }
}

fn record(r: &Row<'_>) -> rusqlite::Result<(i64, RunRecord)> {
    let number: i64 = r.get(0)?;
    let task: String = r.get(2)?;
    let text = serde_json::from_str::<serde_json::Value>(&task)
        .ok()
        .and_then(|t| t.get("text")?.as_str().map(str::to_string))
        .unwrap_or_default();
    let run = RunRecord {
        id: format!("r{number}"),
        status: r.get(1)?,
        task: text.lines().next().unwrap_or_default().to_string(),
        steps: r.get::<_, u32>(5)? as usize,
        created: u64::try_from(r.get::<_, i64>(4)?).unwrap_or_default(),
        forked: r.get(3)?,
    };
    Ok((number, run))
}
