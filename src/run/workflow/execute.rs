//! Takes the steps of a plan: independent ones side by side, each written down.
//!
//! Steps are taken in waves: all that may begin now, in the order of the file, up
//! to [`PARALLEL`] at a time. Which steps a wave holds follows from what the steps
//! before gave, never from which of them was faster, so that caps cut every run of
//! the same workflow at the same place.

use super::kinds::{Inputs, Work};
use super::plan::{Plan, Step, Unit};
use super::scope::View;
use super::state::State;
use super::types::Type;
use super::work::{
    Around, Ended, Job, Todo, attempt, ending, held_against, inputs, record, side_by_side, sound,
};
use crate::error::{Error, Result};
use crate::run::config::ASK_TIME;
use crate::run::journal::{Held, Journal, Known, encode};
use crate::run::outcome::{Failure, StoppedBy};
use crate::run::step::{Halt, Progress, crash_point, halt};
use crate::run::task::parse_time;
use crate::workspace::Cancel;
use serde_json::{Map, Value};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Steps that are taken at the same time.
const PARALLEL: usize = 8;

/// What a run of a plan works with.
pub(super) struct Executor<'a> {
    pub plan: &'a Plan,
    pub around: Around<'a>,
    pub journal: &'a Journal,
    pub held: &'a Held,
    /// The caller's values.
    pub inputs: &'a Map<String, Value>,
    pub trusted: bool,
    /// Whether steps that failed are tried again.
    pub again: bool,
    pub cap: usize,
    pub cancel: Cancel,
    pub progress: &'a mut dyn FnMut(Progress<'_>),
    pub taken: usize,
    pub states: Vec<State>,
    /// What the steps of a loop gave in the round before.
    pub last: BTreeMap<usize, Value>,
    /// What the reader should know.
    pub notes: Vec<String>,
    /// Whether a loop ended at its cap with its condition unmet.
    pub cut: bool,
}

impl Executor<'_> {
    /// Takes all steps.
    pub fn run(&mut self) -> std::result::Result<(), Halt> {
        self.group(&self.plan.units(), "")
    }

    /// The values that references stand for now.
    pub fn view<'e>(&'e self, item: Option<&'e Value>) -> View<'e> {
        View {
            plan: self.plan,
            inputs: self.inputs,
            states: &self.states,
            last: &self.last,
            item,
        }
    }

    /// Takes the steps of some units until none can be taken.
    fn group(&mut self, units: &[Unit], prefix: &str) -> std::result::Result<(), Halt> {
        loop {
            let mut wave = Vec::new();
            let mut alone = None;
            let mut moved = false;
            for unit in units {
                let members = self.members(*unit);
                if members.iter().any(|i| self.states[*i] != State::Waiting) {
                    continue;
                }
                match self.verdict(*unit, &members) {
                    None => {}
                    Some(State::Waiting) => match unit {
                        Unit::Step(i) if !self.plan.steps[*i].kind.alone => wave.push(*i),
                        unit => alone = alone.or(Some(*unit)),
                    },
                    Some(settled) => {
                        moved = true;
                        for i in members {
                            self.states[i] = settled.clone();
                        }
                    }
                }
            }
            match (wave.is_empty(), alone) {
                (false, _) => self.wave(&wave, prefix)?,
                (true, Some(Unit::Step(i))) => self.wave(&[i], prefix)?,
                (true, Some(Unit::Loop(l))) => self.rounds(l)?,
                (true, None) if moved => {}
                (true, None) => return Ok(()),
            }
        }
    }

    fn members(&self, unit: Unit) -> Vec<usize> {
        match unit {
            Unit::Step(i) => vec![i],
            Unit::Loop(l) => self.plan.loops[l].steps.clone(),
        }
    }

    /// What becomes of a unit now: `None` where something that it needs is still to
    /// come, `Waiting` where it is its turn.
    fn verdict(&self, unit: Unit, members: &[usize]) -> Option<State> {
        let needs: BTreeSet<usize> = members
            .iter()
            .flat_map(|i| self.plan.steps[*i].needs.iter().copied())
            .filter(|n| !members.contains(n))
            .collect();
        let states: Vec<&State> = needs.iter().map(|n| &self.states[*n]).collect();
        if states.contains(&&State::Waiting) {
            return None;
        }
        let lost = |s: &&State| matches!(s, State::Failed(_) | State::Skipped | State::LeftOut);
        if states.iter().any(lost) {
            return Some(State::Skipped);
        }
        if !states.is_empty() && states.iter().all(|s| **s == State::Passed) {
            return Some(State::Passed);
        }
        if let Unit::Step(i) = unit {
            let step = &self.plan.steps[i];
            if step.kind.trusted.is_some() && !self.trusted {
                return Some(State::LeftOut);
            }
            let view = self.view(None);
            if !step.when.iter().all(|c| c.holds(&view)) {
                return Some(State::Passed);
            }
        }
        Some(State::Waiting)
    }

    /// Takes the steps of a loop until its condition holds or its cap is reached.
    fn rounds(&mut self, at: usize) -> std::result::Result<(), Halt> {
        let plan = self.plan;
        let one = &plan.loops[at];
        let units: Vec<Unit> = one.steps.iter().map(|i| Unit::Step(*i)).collect();
        for round in 1..=one.max {
            for i in &one.steps {
                if let State::Done(value) = std::mem::replace(&mut self.states[*i], State::Waiting)
                {
                    self.last.insert(*i, value);
                }
            }
            self.group(&units, &format!("{}#{round}/", one.id))?;
            let states: Vec<&State> = one.steps.iter().map(|i| &self.states[*i]).collect();
            if !states.iter().any(|s| matches!(s, State::Done(_)))
                || states.iter().any(|s| matches!(s, State::Failed(_)))
            {
                return Ok(());
            }
            let view = self.view(None);
            if !one.until.is_empty() && one.until.iter().all(|c| c.holds(&view)) {
                return Ok(());
            }
        }
        if !one.until.is_empty() {
            let note = format!("loop {}: stopped at its cap of {} rounds", one.id, one.max);
            self.notes.push(note);
            self.cut = true;
        }
        Ok(())
    }

    /// Takes some steps and all their items.
    fn wave(&mut self, steps: &[usize], prefix: &str) -> std::result::Result<(), Halt> {
        let mut jobs = Vec::new();
        for i in steps {
            jobs.extend(self.jobs(*i, prefix));
        }
        let mut ended: BTreeMap<usize, Vec<Ended>> =
            steps.iter().map(|i| (*i, Vec::new())).collect();
        let at_once = match steps {
            [i] if self.plan.steps[*i].kind.alone => 1,
            _ => PARALLEL,
        };
        let mut stop = None;
        for chunk in jobs.chunks(at_once) {
            let (results, halt) = self.chunk(chunk)?;
            for (job, result) in chunk.iter().zip(results) {
                ended.entry(job.step).or_default().extend(result);
            }
            stop = halt;
            if stop.is_some() {
                break;
            }
        }
        for (i, results) in ended {
            // What ends the run does not take from it the steps that are over, nor
            // the items.
            let (step, all) = (&self.plan.steps[i], jobs.iter().filter(|j| j.step == i));
            let (over, all) = (results.len(), all.count());
            if over == all {
                self.states[i] = join(step, results);
            } else if over > 0 && step.each.is_some() {
                let note = format!("step {}: {over} of {all} items are over", step.id);
                self.notes.push(note);
                let done = results.into_iter().flatten().collect();
                self.states[i] = State::Part(together(step, done));
            }
        }
        stop.map_or(Ok(()), Err)
    }

    /// The work of a step: once, or for each item.
    fn jobs(&mut self, i: usize, prefix: &str) -> Vec<Job> {
        let plan = self.plan;
        let step = &plan.steps[i];
        let Some(each) = &step.each else {
            let view = self.view(None);
            return vec![Job {
                step: i,
                name: format!("{prefix}{}", step.id),
                inputs: inputs(step, &view),
            }];
        };
        let list = each.value(&Type::list(Type::Any), &self.view(None));
        let mut items = match list {
            Value::Array(items) => items,
            _ => Vec::new(),
        };
        if let Some(most) = step.at_most.filter(|m| items.len() > *m) {
            let note = format!(
                "step {}: the first {most} of {} items",
                step.id,
                items.len()
            );
            self.notes.push(note);
            items.truncate(most);
        }
        let job = |(n, item): (usize, &Value)| Job {
            step: i,
            name: format!("{prefix}{}[{}]", step.id, n + 1),
            inputs: inputs(step, &self.view(Some(item))),
        };
        items.iter().enumerate().map(job).collect()
    }

    /// Does some pieces of work side by side, under the caps: how each ended, as far
    /// as it did, and what ends the run.
    fn chunk(
        &mut self,
        jobs: &[Job],
    ) -> std::result::Result<(Vec<Option<Ended>>, Option<Halt>), Halt> {
        let mut out: Vec<Option<Ended>> = jobs.iter().map(|_| None).collect();
        let mut todo = Vec::new();
        let mut stop = None;
        for (at, job) in jobs.iter().enumerate() {
            let step = &self.plan.steps[job.step];
            match self.begin(job, step)? {
                Begun::Known(ended) => out[at] = Some(ended),
                Begun::Work(seq, input, before) => {
                    todo.push(self.todo(at, job, step, seq, input, before)?);
                }
                Begun::Stop(by) => {
                    stop = Some(Halt::Stop(by));
                    break;
                }
            }
        }
        crash_point();
        let (journal, held) = (self.journal, self.held);
        let mut asks = Vec::new();
        side_by_side(&self.around, &self.cancel, &todo, |one, worked| {
            match ending(&worked.result) {
                None => {
                    let name = &one.job.name;
                    let ended = record(journal, held, one.seq, name, &one.input, &worked)?;
                    out[one.at] = Some(ended.and_then(|v| sound(one.step, v)));
                }
                Some(halt) => {
                    journal.insert_attempts(held, one.seq, &worked.log)?;
                    if let (Halt::Stop(StoppedBy::Gate), Err(e)) = (&halt, &worked.result) {
                        asks.push((one.job, e.message.clone()));
                    }
                    stop = Some(halt);
                }
            }
            Ok(())
        })
        .map_err(Halt::Failed)?;
        crash_point();
        for (job, shown) in asks {
            expiry(job, self.around.ask)
                .and_then(|time| journal.ask(held.number, &job.name, time))
                .map_err(Halt::Failed)?;
            self.notes.push(shown);
        }
        for (job, ended) in jobs.iter().zip(&mut out) {
            if let Some(one) = ended.take() {
                *ended = Some(self.finish(job, one)?);
            }
        }
        Ok((out, stop))
    }

    /// Work that is to be done, with what was decided about it.
    fn todo<'j>(
        &self,
        at: usize,
        job: &'j Job,
        step: &'j Step,
        seq: usize,
        input: String,
        before: Value,
    ) -> std::result::Result<Todo<'j>, Halt> {
        let decided = match step.kind.alone {
            true => self.journal.decision(self.held.number, &job.name),
            false => Ok(None),
        };
        Ok(Todo {
            at,
            job,
            step,
            seq,
            key: self.held.key(0, &job.name, &input),
            input,
            before,
            decided: decided.map_err(Halt::Failed)?,
        })
    }

    /// Looks up what is known of a piece of work, and counts it under the caps.
    fn begin(&mut self, job: &Job, step: &Step) -> std::result::Result<Begun, Halt> {
        if let Err(what) = held_against(step, &job.inputs) {
            let e = Error::failure(
                "invalid_step",
                format!("The input of step {} is not valid: {what}.", step.id),
                "Mend what the steps before it give.",
            );
            return Ok(Begun::Known(Err(Failure::from(&e))));
        }
        let mut before = Value::Null;
        if let Some(prepare) = step.kind.prepare {
            let name = format!("{}/prepare", job.name);
            match self.count(&name, &job.inputs)? {
                Begun::Known(Ok(value)) => before = value,
                Begun::Work(seq, input, _) => {
                    match self.prepare(job, step, prepare, &name, seq, &input)? {
                        Ok(value) => before = value,
                        ended => return Ok(Begun::Known(ended)),
                    }
                }
                other => return Ok(other),
            }
        }
        match self.count(&job.name, &job.inputs)? {
            Begun::Known(Ok(value)) => Ok(Begun::Known(sound(step, value))),
            Begun::Work(seq, input, _) => Ok(Begun::Work(seq, input, before)),
            other => Ok(other),
        }
    }

    fn count(
        &mut self,
        name: &str,
        inputs: &Map<String, Value>,
    ) -> std::result::Result<Begun, Halt> {
        if self.cancel.is_set() {
            return Err(Halt::Failed(Error::cancelled()));
        }
        if self.cancel.is_late() {
            return Ok(Begun::Stop(StoppedBy::Time));
        }
        if self.taken >= self.cap {
            return Ok(Begun::Stop(StoppedBy::Steps));
        }
        self.taken += 1;
        (self.progress)(Progress {
            step: self.taken,
            cap: self.cap,
            name,
        });
        let input = encode(inputs).map_err(Halt::Failed)?;
        let number = self.held.number;
        let known = self
            .journal
            .known(number, name, self.taken)
            .map_err(Halt::Failed)?;
        match known {
            Known::Done { input: was, output } if was == input => {
                let value = serde_json::from_str(&output).map_err(|_| other_run(name))?;
                Ok(Begun::Known(Ok(value)))
            }
            Known::Failed {
                input: was,
                failure,
                ..
            } if was == input && !self.again => Ok(Begun::Known(Err(failure))),
            Known::Failed { seq, .. } if self.again => Ok(Begun::Work(seq, input, Value::Null)),
            Known::New { seq } => Ok(Begun::Work(seq, input, Value::Null)),
            _ => Err(other_run(name)),
        }
    }

    fn prepare(
        &mut self,
        job: &Job,
        step: &Step,
        prepare: Work,
        name: &str,
        seq: usize,
        input: &str,
    ) -> std::result::Result<Ended, Halt> {
        crash_point();
        let key = self.held.key(0, name, input);
        let given = Inputs(job.inputs.clone());
        let log = RefCell::default();
        let worked = attempt(step, &self.cancel, prepare, &given, &log, |cancel| {
            self.around.context(cancel, &key, Value::Null, None, &log)
        });
        if let Some(halt) = ending(&worked.result) {
            return Err(halt);
        }
        record(self.journal, self.held, seq, name, input, &worked).map_err(Halt::Failed)
    }

    /// What follows a piece of work that is written down.
    fn finish(&mut self, job: &Job, ended: Ended) -> std::result::Result<Ended, Halt> {
        let step = &self.plan.steps[job.step];
        let (Some(finish), Ok(value)) = (step.kind.finish, &ended) else {
            return Ok(ended);
        };
        let given = Inputs(job.inputs.clone());
        let log = RefCell::default();
        let cancel = self.cancel.clone();
        let context = self.around.context(cancel, "", value.clone(), None, &log);
        match finish(&context, &given) {
            Ok(value) => Ok(Ok(value)),
            Err(e) => match halt(e) {
                Halt::Failed(e) => Ok(Err(Failure::from(&e))),
                stop => Err(stop),
            },
        }
    }
}

enum Begun {
    Known(Ended),
    /// Number, input as it is written down, and what was prepared.
    Work(usize, String, Value),
    Stop(StoppedBy),
}

/// Puts the items of a step together.
fn join(step: &Step, results: Vec<Ended>) -> State {
    let mut values = Vec::new();
    for result in results {
        match result {
            Ok(value) => values.push(value),
            // The first failure stands for all; each is in the journal.
            Err(failure) => return State::Failed(failure),
        }
    }
    if step.each.is_none() {
        return State::Done(values.pop().unwrap_or_default());
    }
    State::Done(together(step, values))
}

/// What a step gives that was taken for several items: lists.
fn together(step: &Step, values: Vec<Value>) -> Value {
    let list = |name: &String| -> Value {
        values
            .iter()
            .map(|v| v.get(name).cloned().unwrap_or_default())
            .collect()
    };
    step.gives
        .keys()
        .map(|name| (name.clone(), list(name)))
        .collect()
}

/// How long a gate waits.
fn expiry(job: &Job, ask: Option<Duration>) -> Result<Duration> {
    match job.inputs.get("expires").and_then(Value::as_str) {
        Some(time) => parse_time(time),
        None => Ok(ask.unwrap_or(ASK_TIME)),
    }
}

fn other_run(name: &str) -> Halt {
    Halt::Failed(Error::failure(
        "other_run",
        format!("Step {name} of the journal is not that of this run."),
        "Start the workflow again as a new run.",
    ))
}
