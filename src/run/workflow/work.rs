//! One piece of work: tried, written down, held against what it should be.

use super::expr::Expr;
use super::kinds::{Context, Inputs, Work};
use super::plan::Step;
use super::scope::View;
use super::types::Type;
use crate::error::{Error, Result};
use crate::run::config::Config;
use crate::run::journal::{Decision, Done, Held, Journal, encode};
#[cfg(feature = "model")]
use crate::run::model::Spend;
use crate::run::outcome::Failure;
use crate::run::retry::{Attempt, attempts, made};
use crate::run::step::{Halt, crash_point, halt};
use crate::workspace::{Cancel, Root};
use serde_json::{Map, Value};
use std::cell::RefCell;
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

/// One piece of work: a step, or one item of it.
pub(super) struct Job {
    pub step: usize,
    /// Its name in the journal.
    pub name: String,
    pub inputs: Map<String, Value>,
}

/// A piece of work that is to be done.
pub(super) struct Todo<'j> {
    /// Its place among those that are done at the same time.
    pub at: usize,
    pub job: &'j Job,
    pub step: &'j Step,
    pub seq: usize,
    /// Its input as it is written down.
    pub input: String,
    /// Its idempotency key.
    pub key: String,
    /// What was prepared for it.
    pub before: Value,
    /// What was decided about it, where somebody was asked.
    pub decided: Option<Decision>,
}

/// What is around every piece of work of a run; threads share it.
pub(super) struct Around<'a> {
    pub root: &'a Root,
    pub config: &'a Config,
    /// The run's number.
    pub number: i64,
    pub ask: Option<Duration>,
    pub dry_run: bool,
    pub room: usize,
    /// What may be spent on models.
    #[cfg(feature = "model")]
    pub spend: Spend,
}

impl Around<'_> {
    pub fn context<'c>(
        &'c self,
        cancel: Cancel,
        key: &'c str,
        before: Value,
        decided: Option<Decision>,
        log: &'c RefCell<Vec<Attempt>>,
    ) -> Context<'c> {
        Context {
            log,
            #[cfg(feature = "model")]
            spend: &self.spend,
            root: self.root,
            config: self.config,
            cancel,
            key,
            room: self.room,
            ask: self.ask,
            number: self.number,
            decided,
            dry_run: self.dry_run,
            before,
        }
    }
}

/// Stack of a working thread, as large as a main thread's: trees of deeply nested
/// code are walked on it.
const STACK_BYTES: usize = 8 << 20;

/// Does all of it at the same time; `over` is told of each piece that is over, one
/// after another, on the calling thread.
///
/// # Errors
/// What `over` says; `internal` where no thread can be had.
pub(super) fn side_by_side<'j>(
    around: &Around<'_>,
    cancel: &Cancel,
    todo: &[Todo<'j>],
    mut over: impl FnMut(&Todo<'j>, Worked) -> Result<()>,
) -> Result<()> {
    let (sender, receiver) = channel();
    thread::scope(|scope| {
        for one in todo {
            let sender = sender.clone();
            let work = move || {
                let given = Inputs(one.job.inputs.clone());
                let log = RefCell::default();
                let step = one.step;
                let worked = attempt(step, cancel, step.kind.work, &given, &log, |cancel| {
                    around.context(cancel, &one.key, one.before.clone(), one.decided, &log)
                });
                // The receiver is there as long as this scope.
                let _ = sender.send((one, worked));
            };
            if todo.len() == 1 {
                work();
            } else {
                thread::Builder::new()
                    .stack_size(STACK_BYTES)
                    .spawn_scoped(scope, work)
                    .map_err(|e| Error::failure("internal", format!("No thread: {e}."), ""))?;
            }
        }
        drop(sender);
        receiver
            .iter()
            .try_for_each(|(one, worked)| over(one, worked))
    })
}

/// How a piece of work ended, unless it ends the run.
pub(super) type Ended = std::result::Result<Value, Failure>;

pub(super) struct Worked {
    pub result: Result<Value>,
    pub log: Vec<Attempt>,
    pub took: Duration,
}

/// Tries a piece of work as its policy says.
pub(super) fn attempt<'c>(
    step: &Step,
    cancel: &Cancel,
    work: Work,
    given: &Inputs,
    own: &RefCell<Vec<Attempt>>,
    context: impl Fn(Cancel) -> Context<'c>,
) -> Worked {
    let begun = Instant::now();
    let mut log = Vec::new();
    let result = attempts(&step.policy, &step.id, "", cancel, &mut log, |cancel| {
        Ok(work(&context(cancel.clone()), given)?)
    });
    let mut all = own.take();
    all.append(&mut log);
    Worked {
        result,
        log: all,
        took: begun.elapsed(),
    }
}

/// What ends the run rather than the step.
pub(super) fn ending(result: &Result<Value>) -> Option<Halt> {
    match halt(result.as_ref().err()?.clone()) {
        Halt::Failed(e) if e.code != "cancelled" => None,
        stop => Some(stop),
    }
}

pub(super) fn record(
    journal: &Journal,
    held: &Held,
    seq: usize,
    name: &str,
    input: &str,
    worked: &Worked,
) -> Result<Ended> {
    let encoded = worked
        .result
        .as_ref()
        .map_err(Clone::clone)
        .and_then(encode);
    let done = Done {
        seq,
        name,
        input,
        result: encoded.as_ref().map(String::as_str),
        attempts: made(&worked.log, encoded.is_ok()),
        log: &worked.log,
        took: worked.took,
    };
    journal.record(held, &done)?;
    crash_point();
    Ok(match &worked.result {
        Ok(value) => Ok(value.clone()),
        Err(e) => Err(Failure::from(e)),
    })
}

/// The fields of a step as values.
pub(super) fn inputs(step: &Step, view: &View<'_>) -> Map<String, Value> {
    let value = |(name, (wanted, expr)): (&&str, &(Type, Expr))| {
        ((*name).to_string(), expr.value(wanted, view))
    };
    step.fields.iter().map(value).collect()
}

/// Holds values against what the fields want.
pub(super) fn held_against(
    step: &Step,
    inputs: &Map<String, Value>,
) -> std::result::Result<(), String> {
    step.fields.iter().try_for_each(|(name, (wanted, _))| {
        let value = inputs.get(*name).unwrap_or(&Value::Null);
        wanted.check(value).map_err(|e| format!("`{name}`: {e}"))
    })
}

/// Holds what a step gave against what it should.
pub(super) fn sound(step: &Step, value: Value) -> Ended {
    let one = |t: &Type| match t {
        Type::List(of) if step.each.is_some() => (**of).clone(),
        t => t.clone(),
    };
    let wanted = Type::Record(
        step.gives
            .iter()
            .map(|(n, t)| (n.clone(), one(t)))
            .collect(),
    );
    wanted.check(&value).map(|()| value).map_err(|what| {
        Failure::from(&Error::failure(
            "invalid_step",
            format!("The output of step {} is not valid: {what}.", step.id),
            "",
        ))
    })
}
