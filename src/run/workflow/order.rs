//! A workflow that somebody asked for: its file, its inputs, its caps.

use super::execute::Executor;
use super::files::find;
use super::plan::Plan;
use super::show::show;
use super::state::State;
use super::types::Type;
use super::work::Around;
use crate::error::{Error, Result};
use crate::run::config;
use crate::run::job::{Job, Order};
use crate::run::journal::{Held, Journal};
#[cfg(feature = "model")]
use crate::run::model::Spend;
use crate::run::outcome::Outcome;
use crate::run::step::Progress;
use crate::run::task::{
    DEFAULT_BUDGET, DEFAULT_TIMEOUT, LEAST_BUDGET, MAX_STEPS, bad_cap, budget_too_small,
};
use crate::run::trust_store::is_trusted;
use crate::run::turn::{Turn, turn};
use crate::workspace::{Cancel, Root};
use serde_json::{Map, Value};
use std::time::Duration;

/// What a caller asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Request {
    /// The workflow's name: `.trimtab/workflows/NAME.toml`.
    pub name: String,
    /// Its inputs as `name=value`.
    pub set: Vec<String>,
    /// The input `task`, if there is one.
    pub task: String,
    /// Most tokens of the result; the file's cap or 2,000 where there is none.
    pub budget: Option<usize>,
    /// Most steps; the file's cap or 50 where there is none.
    pub max_steps: Option<usize>,
    /// Most time; the file's cap or 30 s where there is none.
    pub timeout: Option<Duration>,
    /// Where set, every write waits this long for approval.
    pub ask: Option<Duration>,
    /// Whether edits are merged and shown, and nothing is written.
    pub dry_run: bool,
    /// Whether it waits for another run that writes to the same root.
    pub wait: bool,
}

/// Runs a workflow. Nothing is run unless the whole file is sound and its inputs
/// are there.
///
/// # Errors
/// `unknown_workflow`; `bad_workflow` with the line; `bad_input`; `bad_cap`;
/// `budget_too_small`; `no_state` or `no_journal`; `writer_busy` (refused);
/// `cancelled`.
pub fn run_workflow(
    root: &Root,
    request: &Request,
    cancel: &Cancel,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Outcome> {
    let file = find(root, &request.name)?;
    let plan = Plan::read(&file.path, &file.text)?;
    let inputs = inputs(&plan, request)?;
    let order = Order {
        text: format!("workflow {} {}", request.name, shown(&inputs))
            .trim_end()
            .to_string(),
        workflow: request.name.clone(),
        path: file.path,
        own: file.own,
        file: file.text,
        inputs,
        budget: request
            .budget
            .or(plan.caps.tokens)
            .unwrap_or(DEFAULT_BUDGET),
        max_steps: request.max_steps.or(plan.caps.steps).unwrap_or(MAX_STEPS),
        timeout: request
            .timeout
            .or(plan.caps.time)
            .unwrap_or(DEFAULT_TIMEOUT),
        ask: request.ask,
        dry_run: request.dry_run,
        wait: request.wait,
    };
    order.check()?;
    let journal = Journal::open(root)?;
    if plan.writes() {
        journal.make_durable()?;
    }
    let job = Job::Workflow(Box::new(order.clone()));
    let held = journal.begin(&job)?;
    turn(root, &journal, &held, &order.turn(), cancel, || {
        take(root, &order, (&journal, &held), false, cancel, progress)
    })
}

impl Order {
    pub fn check(&self) -> Result<()> {
        if !(1..=MAX_STEPS).contains(&self.max_steps) {
            return Err(bad_cap(self.max_steps));
        }
        if self.budget < LEAST_BUDGET {
            return Err(budget_too_small(self.budget));
        }
        Ok(())
    }

    pub fn turn(&self) -> Turn {
        Turn {
            writes: Plan::read(&self.path, &self.file).is_ok_and(|p| p.writes()),
            wait: self.wait,
            timeout: self.timeout,
        }
    }
}

/// Takes the steps of an order, those aside that the journal knows. With `again`,
/// steps that failed are tried again.
pub(in crate::run) fn take(
    root: &Root,
    order: &Order,
    (journal, held): (&Journal, &Held),
    again: bool,
    cancel: &Cancel,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Outcome> {
    let plan = Plan::read(&order.path, &order.file)?;
    let config = config::load(root)?;
    #[cfg(feature = "model")]
    let spend = {
        let cap = plan.caps.model_tokens;
        let cap = cap.unwrap_or_else(|| config.model_tokens());
        Spend::of(cap, Some((journal, held)))?
    };
    let mut run = Executor {
        plan: &plan,
        around: Around {
            root,
            config: &config,
            number: held.number,
            ask: order.ask,
            dry_run: order.dry_run,
            room: order.budget / 2,
            #[cfg(feature = "model")]
            spend,
        },
        journal,
        held,
        inputs: &order.inputs,
        trusted: order.own || is_trusted(root, &order.path, &order.file),
        again,
        cap: order.max_steps,
        cancel: cancel.with_timeout(order.timeout),
        progress,
        taken: 0,
        states: plan.steps.iter().map(|_| State::Waiting).collect(),
        last: Default::default(),
        notes: Vec::new(),
        cut: false,
    };
    let halt = run.run().err();
    if cancel.is_set() {
        return Err(Error::cancelled());
    }
    show(root, order, &run, halt)
}

fn bad(what: impl Into<String>, next: impl Into<String>) -> Error {
    Error::failure("bad_input", what, next)
}

/// The values of a workflow's inputs.
fn inputs(plan: &Plan, request: &Request) -> Result<Map<String, Value>> {
    let known: Vec<&str> = plan.inputs.keys().map(String::as_str).collect();
    let known = match known.is_empty() {
        true => "It has none.".to_string(),
        false => format!("It has {}.", known.join(", ")),
    };
    let mut given = Vec::new();
    for pair in &request.set {
        let (name, value) = pair
            .split_once('=')
            .ok_or_else(|| bad(format!("{pair:?} is no name=value."), known.clone()))?;
        given.push((name.trim(), value));
    }
    if !request.task.trim().is_empty() {
        given.push(("task", &request.task));
    }
    let mut out = Map::new();
    for (name, value) in given {
        let input = plan.inputs.get(name).ok_or_else(|| {
            bad(
                format!("The workflow has no input {name:?}."),
                known.clone(),
            )
        })?;
        let read = read(&input.of, value).ok_or_else(|| {
            bad(
                format!("The input {name:?} is {}, not {value:?}.", input.of),
                "",
            )
        })?;
        out.insert(name.to_string(), read);
    }
    for (name, input) in &plan.inputs {
        if out.contains_key(name) {
            continue;
        }
        let Some(default) = &input.default else {
            return Err(bad(
                format!("The input {name:?} is missing."),
                format!("Give it with --set {name}=VALUE."),
            ));
        };
        out.insert(name.clone(), default.clone());
    }
    Ok(out)
}

/// A value from a command line; lists are separated by commas or given as JSON.
fn read(of: &Type, text: &str) -> Option<Value> {
    match of {
        Type::Text => Some(Value::from(text)),
        Type::List(_) if !text.trim_start().starts_with('[') => {
            Some(text.split(',').map(|t| Value::from(t.trim())).collect())
        }
        of => {
            let value: Value = serde_json::from_str(text.trim()).ok()?;
            of.check(&value).ok().map(|()| value)
        }
    }
}

/// Inputs in a line.
fn shown(inputs: &Map<String, Value>) -> String {
    let one = |(name, value): (&String, &Value)| {
        let text = super::types::to_text(value).replace('\n', " ");
        format!("{name}={}", text.chars().take(60).collect::<String>())
    };
    inputs.iter().map(one).collect::<Vec<_>>().join(" ")
}
