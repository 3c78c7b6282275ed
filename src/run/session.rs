//! Runs begun, gone on with, branched off, approved and listed.

use super::config;
use super::flow::take_steps;
use super::found::Found;
use super::job::Job;
use super::journal::{Held, Journal, RunRecord, StepRecord, number, unknown};
use super::memory;
use super::outcome::Outcome;
use super::show::show;
use super::step::{Progress, Steps};
use super::task::Task;
use super::turn::{Turn, turn};
use super::workflow;
use crate::error::{Error, Result};
use crate::search::Locator;
use crate::workspace::{Cancel, Root};
use std::time::Duration;

/// Caps that are given anew when a run goes on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Caps {
    /// Most steps, those included that are done already.
    pub max_steps: Option<usize>,
    /// Most wall-clock time from now on.
    pub timeout: Option<Duration>,
    /// Whether steps of a workflow that failed are tried again, and with them what
    /// was skipped; nothing else is.
    pub failed: bool,
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
    run_with(&Locator::once(root), task, cancel, progress)
}

/// [`run`] in a process that lives on: the locator remembers what the files hold.
///
/// # Errors
/// As [`run`].
pub fn run_with(
    locator: &Locator,
    task: &Task,
    cancel: &Cancel,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Outcome> {
    let root = locator.root();
    task.check()?;
    let memory = config::load(root).is_ok_and(|c| c.memory);
    let mut task = task.clone();
    if memory {
        task.memory = memory::hints(root, &task.text);
    }
    let task = &task;
    let begin = || -> Result<(Journal, Held)> {
        let journal = Journal::open(root)?;
        if task.writes() {
            journal.make_durable()?;
        }
        let held = journal.begin(&Job::Task(Box::new(task.clone())))?;
        Ok((journal, held))
    };
    let outcome = match begin() {
        Ok((journal, held)) => turn(root, &journal, &held, &Turn::of(task), cancel, || {
            take(locator, task, Some((&journal, &held)), cancel, progress)
        }),
        // To look needs no place for a journal.
        Err(_) if !task.writes() => take(locator, task, None, cancel, progress),
        Err(e) => Err(e),
    }?;
    if memory {
        memory::learn(root, task, &outcome)?;
    }
    Ok(outcome)
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
    let (journal, held) = hold(root, id)?;
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
    let (journal, number) = find(root, id)?;
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
    let (journal, held) = hold(root, id)?;
    journal.decide(held.number, true)?;
    go_on(root, &journal, &held, Caps::default(), cancel, progress)
}

/// Denies the write for which a run waits: nothing is written.
///
/// # Errors
/// `not_waiting`, `gate_expired`, `unknown_run`, `run_busy`.
pub fn deny(root: &Root, id: &str) -> Result<()> {
    let (journal, held) = hold(root, id)?;
    journal.decide(held.number, false)?;
    journal.set_status(held.number, "denied")
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
    let (journal, number) = find(root, id)?;
    journal.steps(number)
}

/// The journal of a root and the number of a run in it.
fn find(root: &Root, id: &str) -> Result<(Journal, i64)> {
    let number = number(id)?;
    let journal = Journal::existing(root)?.ok_or_else(|| unknown(number))?;
    Ok((journal, number))
}

/// A run that this process goes on with.
fn hold(root: &Root, id: &str) -> Result<(Journal, Held)> {
    let (journal, number) = find(root, id)?;
    let held = journal.hold(number)?;
    Ok((journal, held))
}

fn go_on(
    root: &Root,
    journal: &Journal,
    held: &Held,
    caps: Caps,
    cancel: &Cancel,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Outcome> {
    match journal.job(held.number)? {
        Job::Task(mut task) => {
            task.max_steps = caps.max_steps.unwrap_or(task.max_steps);
            task.timeout = caps.timeout.unwrap_or(task.timeout);
            task.check()?;
            turn(root, journal, held, &Turn::of(&task), cancel, || {
                take(
                    &Locator::once(root),
                    &task,
                    Some((journal, held)),
                    cancel,
                    progress,
                )
            })
        }
        Job::Workflow(mut order) => {
            order.max_steps = caps.max_steps.unwrap_or(order.max_steps);
            order.timeout = caps.timeout.unwrap_or(order.timeout);
            order.check()?;
            turn(root, journal, held, &order.turn(), cancel, || {
                workflow::take(root, &order, (journal, held), caps.failed, cancel, progress)
            })
        }
    }
}

fn take(
    locator: &Locator,
    task: &Task,
    journal: Option<(&Journal, &Held)>,
    cancel: &Cancel,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Outcome> {
    let mut steps = Steps::new(task.max_steps, task.timeout, cancel, progress, journal);
    let mut found = Found::default();
    let halt = take_steps(locator, task, &mut steps, &mut found).err();
    if cancel.is_set() {
        return Err(Error::cancelled());
    }
    let run = journal.map(|(_, held)| held.number);
    show(locator.root(), task, steps.taken(), found, halt, run)
}
