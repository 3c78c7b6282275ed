//! One piece of work: tried, written down, held against what it should be.

use super::expr::Expr;
use super::kinds::{Context, Inputs, Work};
use super::plan::Step;
use super::scope::View;
use super::types::Type;
use crate::error::{Error, Result};
use crate::run::journal::{Done, Held, Journal, encode};
use crate::run::outcome::Failure;
use crate::run::retry::{Attempt, attempts, made};
use crate::run::step::{Halt, crash_point, halt};
use crate::workspace::Cancel;
use serde_json::{Map, Value};
use std::cell::RefCell;
use std::time::{Duration, Instant};

/// One piece of work: a step, or one item of it.
pub(super) struct Job {
    pub step: usize,
    /// Its name in the journal.
    pub name: String,
    pub inputs: Map<String, Value>,
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
pub(super) fn inputs(step: &Step, view: &View<'_, '_>) -> Map<String, Value> {
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
