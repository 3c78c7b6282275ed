//! What runs have done, step by step, in a database in the root's state folder.
//!
//! A step's row is written when the step is done, in one transaction; a run that
//! was killed finds there what it need not do again. Runs that write are flushed
//! to the disk at each step. Others survive the death of the process, not a power
//! cut: to repeat a search does no harm.

#[cfg(feature = "model")]
mod account;
mod gate;
mod layout;
mod records;
mod steps;

#[cfg(feature = "model")]
pub(super) use account::Account;
pub(super) use gate::{Decision, denied, expired};
pub use records::{RunRecord, StepRecord};
pub(super) use steps::{Done, Known};

use super::job::Job;
use crate::error::{Error, Result};
use crate::workspace::{Cancel, Root, State};
use rusqlite::{Connection, OptionalExtension, params};
use serde::Serialize;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The steps that runs of this program take: a run of another number cannot be
/// resumed, because its rows mean something else.
pub(super) const STEPS_VERSION: i64 = 1;
/// How long a lock is waited for that should be free: a process that was killed
/// while it started a command leaves its locks to that one until the command's
/// program is loaded, and a list of runs looks at each lock for a moment.
const GRACE: Duration = Duration::from_secs(1);
/// Runs kept for one root; finished ones beyond are dropped, oldest first.
const MAX_RUNS: i64 = 200;

pub(super) struct Journal {
    db: Connection,
    folder: PathBuf,
}

/// A run of a journal, held by this process alone.
pub(super) struct Held {
    pub number: i64,
    /// Tells it from a run of the same number in a journal that was deleted.
    nonce: String,
    /// Locked until it is closed, however the process ends.
    _lock: File,
}

impl Journal {
    /// Opens the journal of a root and makes it where there is none.
    ///
    /// # Errors
    /// `no_state`, and `newer_journal` where a later version wrote it.
    pub fn open(root: &Root) -> Result<Self> {
        let folder = State::for_root(root)?.folder("runs")?;
        Self::at(folder)
    }

    /// The journal of a root, if it has one.
    ///
    /// # Errors
    /// As [`Journal::open`].
    pub fn existing(root: &Root) -> Result<Option<Self>> {
        let folder = State::existing(root).map(|s| s.dir().join("runs"));
        match folder.filter(|f| f.join("journal.db").exists()) {
            Some(folder) => Self::at(folder).map(Some),
            None => Ok(None),
        }
    }

    /// From now on, what is written is on the disk when the call returns.
    pub fn make_durable(&self) -> Result<()> {
        self.db
            .pragma_update(None, "synchronous", "full")
            .map_err(|e| self.broken(&e))
    }

    /// Begins a run.
    pub fn begin(&self, job: &Job) -> Result<Held> {
        let number = self.insert(job, None)?;
        self.hold(number)
    }

    fn insert(&self, job: &Job, forked: Option<&str>) -> Result<i64> {
        let now = now();
        self.db
            .execute(
                "insert into run (nonce, task, version, status, forked, created, updated)
                 values (?, ?, ?, 'running', ?, ?, ?)",
                params![nonce(), encode(job)?, STEPS_VERSION, forked, now, now],
            )
            .map_err(|e| self.broken(&e))?;
        let number = self.db.last_insert_rowid();
        self.db
            .execute(
                "delete from run where id <= ? and status not in ('running', 'waiting')",
                [number - MAX_RUNS],
            )
            .map_err(|e| self.broken(&e))?;
        let _ = fs::remove_file(self.lock_path(number - MAX_RUNS));
        Ok(number)
    }

    /// Takes hold of a run, so that no other process goes on with it.
    ///
    /// # Errors
    /// `unknown_run`; `run_busy` where another process holds it.
    pub fn hold(&self, number: i64) -> Result<Held> {
        if !self.exists(number)? {
            return Err(unknown(number));
        }
        let path = self.lock_path(number);
        let busy = || {
            Error::failure(
                "run_busy",
                format!("Run r{number} is going on in another process."),
                "Wait for its end.",
            )
        };
        let file = self.lock_file(&path)?;
        if !lock(&file, &Cancel::new().with_timeout(GRACE)) {
            return Err(busy());
        }
        let nonce = self
            .db
            .query_row("select nonce from run where id = ?", [number], |r| r.get(0))
            .map_err(|e| self.broken(&e))?;
        Ok(Held {
            number,
            nonce,
            _lock: file,
        })
    }

    /// Waits until no other run of this root writes, or refuses at once. It is this
    /// process' turn until the value is dropped.
    ///
    /// # Errors
    /// `writer_busy` (refused); `timed_out`, `cancelled`.
    pub fn writer(&self, wait: bool, cancel: &Cancel) -> Result<File> {
        let file = self.lock_file(&self.folder.join("writer.lock"))?;
        let patience = match wait {
            true => cancel.clone(),
            false => cancel.with_timeout(GRACE),
        };
        if lock(&file, &patience) {
            return Ok(file);
        }
        cancel.check()?;
        Err(Error::refused(
            "writer_busy",
            "Another run writes to this root.",
            "Wait for its end, or leave out --no-wait.",
        ))
    }

    fn lock_file(&self, path: &Path) -> Result<File> {
        File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path)
            .map_err(|e| {
                Error::failure(
                    "no_state",
                    format!("{} cannot be made: {e}.", path.display()),
                    "Make that place writable.",
                )
            })
    }

    fn lock_path(&self, number: i64) -> PathBuf {
        self.folder.join(format!("r{number}.lock"))
    }

    /// What a run does.
    ///
    /// # Errors
    /// `unknown_run`, and `other_version` where its steps are not those of this program.
    pub fn job(&self, number: i64) -> Result<Job> {
        let row: Option<(String, i64)> = self
            .db
            .query_row(
                "select task, version from run where id = ?",
                [number],
                |r| Ok((r.get(0)?, r.get(1)?)),
            )
            .optional()
            .map_err(|e| self.broken(&e))?;
        let (task, version) = row.ok_or_else(|| unknown(number))?;
        let other = || {
            Error::failure(
                "other_version",
                format!("Run r{number} was begun by a version of trimtab with other steps."),
                "Start it again as a new run.",
            )
        };
        if version != STEPS_VERSION {
            return Err(other());
        }
        serde_json::from_str(&task).map_err(|_| other())
    }

    /// Writes down how a run ended, or that it waits.
    pub fn set_status(&self, number: i64, status: &str) -> Result<()> {
        self.db
            .execute(
                "update run set status = ?, updated = ? where id = ?",
                params![status, now(), number],
            )
            .map_err(|e| self.broken(&e))?;
        Ok(())
    }

    fn exists(&self, number: i64) -> Result<bool> {
        self.db
            .query_row("select 1 from run where id = ?", [number], |_| Ok(()))
            .optional()
            .map(|r| r.is_some())
            .map_err(|e| self.broken(&e))
    }

    /// A new run that has done the first steps of another.
    ///
    /// # Errors
    /// As [`Journal::job`], and `no_such_step` where it has not done so many.
    pub fn fork(&self, number: i64, at: usize) -> Result<Held> {
        let job = self.job(number)?;
        let steps = self.steps(number)?;
        let first: Vec<&StepRecord> = steps
            .iter()
            .take_while(|s| s.step <= at && s.status == "done")
            .collect();
        if at == 0 || first.len() != at {
            return Err(Error::failure(
                "no_such_step",
                format!("Run r{number} has not done step {at}."),
                format!("`trimtab runs show r{number}` lists its steps."),
            ));
        }
        let tx = self
            .db
            .unchecked_transaction()
            .map_err(|e| self.broken(&e))?;
        let new = self.insert(&job, Some(&format!("r{number} at {at}")))?;
        let held = self.hold(new)?;
        for step in first {
            self.record(
                &held,
                &Done {
                    seq: step.step,
                    name: &step.name,
                    input: &step.input,
                    result: Ok(step.output.as_deref().unwrap_or("null")),
                    attempts: step.attempts,
                    log: &[],
                    took: Duration::from_micros(step.micros),
                },
            )?;
        }
        tx.commit().map_err(|e| self.broken(&e))?;
        Ok(held)
    }

    fn broken(&self, e: &rusqlite::Error) -> Error {
        broken(&self.folder, e)
    }
}

/// Reads `r12` or `12`.
///
/// # Errors
/// `unknown_run`.
pub(super) fn number(id: &str) -> Result<i64> {
    let id = id.trim();
    id.strip_prefix('r')
        .unwrap_or(id)
        .parse()
        .ok()
        .filter(|n| *n > 0)
        .ok_or_else(|| {
            Error::not_found(
                "unknown_run",
                format!("{id:?} is no run."),
                "`trimtab runs` lists the runs of this root.",
            )
        })
}

pub(super) fn unknown(number: i64) -> Error {
    Error::not_found(
        "unknown_run",
        format!("There is no run r{number}."),
        "`trimtab runs` lists the runs of this root.",
    )
}

/// Waits for a lock until it is to stop; whether it was had.
fn lock(file: &File, patience: &Cancel) -> bool {
    while file.try_lock().is_err() {
        if patience.is_cancelled() {
            return false;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    true
}

impl Held {
    /// The idempotency key of a step: the same for the same step of the same run
    /// with the same input, and no other.
    pub fn key(&self, seq: usize, name: &str, input: &str) -> String {
        let text = format!("{}\0{}\0{seq}\0{name}\0{input}", self.nonce, self.number);
        let mut key = crate::workspace::hash(text.as_bytes());
        key.truncate(24);
        key
    }
}

fn nonce() -> String {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    format!("{}-{}", since.as_nanos(), std::process::id())
}

pub(super) fn encode(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(|e| unwritable(&e))
}

fn unwritable(e: &serde_json::Error) -> Error {
    Error::failure(
        "invalid_step",
        format!("A value cannot be written down: {e}."),
        "This is a defect of trimtab: please report it.",
    )
}

/// A value as JSON.
pub(super) fn to_json(value: &impl Serialize) -> Result<serde_json::Value> {
    serde_json::to_value(value).map_err(|e| unwritable(&e))
}

/// A value from JSON that was checked before.
pub(super) fn from_json<T: serde::de::DeserializeOwned>(value: serde_json::Value) -> Result<T> {
    serde_json::from_value(value).map_err(|e| unwritable(&e))
}

/// Steps are at most 50.
fn small(seq: usize) -> u32 {
    u32::try_from(seq).unwrap_or(u32::MAX)
}

/// Seconds since 1970.
fn now() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .ok()
        .and_then(|d| i64::try_from(d.as_secs()).ok())
        .unwrap_or_default()
}

fn broken(folder: &Path, e: &rusqlite::Error) -> Error {
    Error::failure(
        "no_journal",
        format!("The journal in {} cannot be used: {e}.", folder.display()),
        "Make that place writable; a damaged journal can be deleted.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::task::Task;

    #[test]
    fn a_lock_that_is_held_for_a_moment_is_waited_for_and_one_that_stays_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let root = Root::open(dir.path()).unwrap().with_home(dir.path());
        let journal = Journal::open(&root).unwrap();
        let task = Job::Task(Box::new(Task::new("find it")));
        let number = journal.begin(&task).unwrap().number;
        let other = File::open(journal.lock_path(number)).unwrap();
        other.lock().unwrap();
        let busy = journal.hold(number).err().map(|e| e.code);
        assert_eq!(busy, Some("run_busy"));
        std::thread::scope(|scope| {
            scope.spawn(|| {
                std::thread::sleep(Duration::from_millis(30));
                other.unlock().unwrap();
            });
            assert_eq!(journal.hold(number).unwrap().number, number);
        });
    }
}
