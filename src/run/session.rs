//! Runs begun, gone on with, branched off, approved and listed.

use super::flow::{Found, take_steps};
use super::journal::{Held, Journal, RunRecord, StepRecord, number};
use super::outcome::{Outcome, StoppedBy};
use super::show::show;
use super::step::{Progress, Steps};
use super::task::Task;
use crate::error::{Error, Result};
use crate::workspace::{Cancel, Root, recover};
use std::time::Duration;

/// Caps that are given anew when a run goes on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Caps {
    /// Most steps, those included that are done already.
    pub max_steps: Option<usize>,
    /// Most wall-clock time from now on.
    pub timeout: Option<Duration>,
}

/// Does a task: applies and checks its edits, finds the code that its words are
/// about, and reads the best of it into the budget.
///
/// What was found before a cap or a failure ended the run is in the outcome, and
/// so is why it ended. Each step is written down in the root's journal; if the
/// process dies, [`resume`] goes on from there.
///
/// # Errors
/// `no_task`, `bad_cap`, `budget_too_small`, `cancelled`; `no_state` or
/// `no_journal` where a run that writes cannot be written down.
pub fn run(
    root: &Root,
    task: &Task,
    cancel: &Cancel,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Outcome> {
    task.check()?;
    let begin = || -> Result<(Journal, Held)> {
        let journal = Journal::open(root)?;
        if task.writes() {
            journal.make_durable()?;
        }
        let held = journal.begin(task)?;
        Ok((journal, held))
    };
    let journal = match begin() {
        Ok(journal) => Some(journal),
        // To look needs no place for a journal.
        Err(_) if !task.writes() => None,
        Err(e) => return Err(e),
    };
    let journal = journal.as_ref().map(|(j, h)| (j, h));
    take(root, task, journal, cancel, progress)
}

/// Goes on with a run that was killed, capped, refused or that waited: steps that
/// are done are not done again, and the outcome is that of an undisturbed run.
///
/// # Errors
/// `unknown_run`, `run_busy`, `other_version`, and as [`run`].
pub fn resume(
    root: &Root,
    id: &str,
    caps: Caps,
    cancel: &Cancel,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Outcome> {
    let number = number(id)?;
    let journal = journal(root, number)?;
    let held = journal.hold(number)?;
    go_on(root, &journal, &held, caps, cancel, progress)
}

/// A new run that has done the first steps of another and goes on from there.
///
/// # Errors
/// `no_such_step`, and as [`resume`].
pub fn fork(
    root: &Root,
    id: &str,
    at: usize,
    caps: Caps,
    cancel: &Cancel,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Outcome> {
    let number = number(id)?;
    let journal = journal(root, number)?;
    let held = journal.fork(number, at)?;
    go_on(root, &journal, &held, caps, cancel, progress)
}

/// Approves the write for which a run waits, and goes on with it.
///
/// # Errors
/// `not_waiting`, `gate_expired`, and as [`resume`].
pub fn approve(
    root: &Root,
    id: &str,
    cancel: &Cancel,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Outcome> {
    let number = number(id)?;
    let journal = journal(root, number)?;
    let held = journal.hold(number)?;
    journal.decide(number, true)?;
    go_on(root, &journal, &held, Caps::default(), cancel, progress)
}

/// Denies the write for which a run waits: nothing is written.
///
/// # Errors
/// `not_waiting`, `gate_expired`, `unknown_run`, `run_busy`.
pub fn deny(root: &Root, id: &str) -> Result<()> {
    let number = number(id)?;
    let journal = journal(root, number)?;
    let _held = journal.hold(number)?;
    journal.decide(number, false)?;
    journal.set_status(number, "denied")
}

/// The runs of a root, newest first.
///
/// # Errors
/// `no_journal`, `newer_journal`.
pub fn runs(root: &Root) -> Result<Vec<RunRecord>> {
    match Journal::existing(root)? {
        Some(journal) => journal.list(),
        None => Ok(Vec::new()),
    }
}

/// What a run did, step by step.
///
/// # Errors
/// `unknown_run`, and as [`runs`].
pub fn steps_of(root: &Root, id: &str) -> Result<Vec<StepRecord>> {
    let number = number(id)?;
    journal(root, number)?.steps(number)
}

fn journal(root: &Root, number: i64) -> Result<Journal> {
    Journal::existing(root)?.ok_or_else(|| super::journal::unknown(number))
}

fn go_on(
    root: &Root,
    journal: &Journal,
    held: &Held,
    caps: Caps,
    cancel: &Cancel,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Outcome> {
    let mut task = journal.task(held.number)?;
    task.max_steps = caps.max_steps.unwrap_or(task.max_steps);
    task.timeout = caps.timeout.unwrap_or(task.timeout);
    task.check()?;
    if task.writes() {
        journal.make_durable()?;
    }
    journal.set_status(held.number, "running")?;
    take(root, &task, Some((journal, held)), cancel, progress)
}

fn take(
    root: &Root,
    task: &Task,
    journal: Option<(&Journal, &Held)>,
    cancel: &Cancel,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Outcome> {
    let turn = match journal {
        Some((journal, _)) if task.writes() => journal
            .writer(task.wait, &cancel.with_timeout(task.timeout))
            .and_then(|turn| {
                // A commit that was cut short is completed before anything is read.
                recover(root)?;
                Ok(Some(turn))
            }),
        _ => Ok(None),
    };
    let _turn = match (turn, journal) {
        (Err(e), Some((journal, held))) => {
            journal.set_status(held.number, e.code)?;
            return Err(e);
        }
        (turn, _) => turn?,
    };
    let mut steps = Steps::new(task.max_steps, task.timeout, cancel, progress, journal);
    let mut found = Found::default();
    let halt = take_steps(root, task, &mut steps, &mut found).err();
    let outcome = if cancel.is_set() {
        Err(Error::cancelled())
    } else {
        let run = journal.map(|(_, held)| held.number);
        show(root, task, steps.taken(), found, halt, run)
    };
    if let Some((journal, held)) = journal {
        let status = match &outcome {
            Ok(outcome) if outcome.stopped_by == StoppedBy::Gate => "waiting",
            Ok(outcome) => outcome.stopped_by.name(),
            Err(e) => e.code,
        };
        journal.set_status(held.number, status)?;
    }
    outcome
}
