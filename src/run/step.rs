//! One step after another, under caps.

use super::journal::{Done, Held, Journal, encode};
use super::outcome::StoppedBy;
use super::retry::Attempt;
use crate::error::{Class, Error, Result};
use crate::workspace::Cancel;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::time::{Duration, Instant};

/// A step that begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress<'a> {
    /// Its number, from 1.
    pub step: usize,
    /// The cap on steps.
    pub cap: usize,
    /// What it does, in a word.
    pub name: &'a str,
}

/// What goes into a step or comes out of it. It is written down between two
/// steps, and what does not pass its check does not reach the next.
pub(super) trait Value: Serialize + DeserializeOwned {
    /// Says what is wrong with it, if anything.
    fn check(&self) -> std::result::Result<(), String>;
}

/// Why no further step is taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Halt {
    /// A cap, or a gate that waits.
    Stop(StoppedBy),
    /// The step failed.
    Failed(Error),
}

/// Takes the steps of a run.
pub(super) struct Steps<'a> {
    cap: usize,
    cancel: Cancel,
    progress: &'a mut dyn FnMut(Progress<'_>),
    journal: Option<(&'a Journal, &'a Held)>,
    taken: usize,
}

impl<'a> Steps<'a> {
    pub fn new(
        cap: usize,
        timeout: Duration,
        cancel: &Cancel,
        progress: &'a mut dyn FnMut(Progress<'_>),
        journal: Option<(&'a Journal, &'a Held)>,
    ) -> Self {
        Self {
            cap,
            cancel: cancel.with_timeout(timeout),
            progress,
            journal,
            taken: 0,
        }
    }

    /// Where the steps are written down.
    pub fn journal(&self) -> Option<(&'a Journal, &'a Held)> {
        self.journal
    }

    /// Steps that were begun.
    pub fn taken(&self) -> usize {
        self.taken
    }

    /// Takes one step, unless the step cap or the time is used up: enforces the caps,
    /// checks the input, does the work, checks the output and writes it down. What the
    /// journal says is done is not done again.
    pub fn take<I: Value, O: Value>(
        &mut self,
        name: &'static str,
        input: &I,
        work: impl FnOnce(&I, &Cancel) -> Result<O>,
    ) -> std::result::Result<O, Halt> {
        self.take_logged(name, input, |input, cancel, _| work(input, cancel))
    }

    /// As [`Steps::take`], for work that tells of attempts that failed.
    pub fn take_logged<I: Value, O: Value>(
        &mut self,
        name: &'static str,
        input: &I,
        work: impl FnOnce(&I, &Cancel, &mut Vec<Attempt>) -> Result<O>,
    ) -> std::result::Result<O, Halt> {
        let mut log = Vec::new();
        if self.cancel.is_set() {
            return Err(Halt::Failed(Error::cancelled()));
        }
        if self.cancel.is_late() {
            return Err(Halt::Stop(StoppedBy::Time));
        }
        if self.taken >= self.cap {
            return Err(Halt::Stop(StoppedBy::Steps));
        }
        input
            .check()
            .map_err(|e| Halt::Failed(invalid(name, "input", &e)))?;
        self.taken += 1;
        (self.progress)(Progress {
            step: self.taken,
            cap: self.cap,
            name,
        });
        let Some((journal, held)) = self.journal else {
            let output = work(input, &self.cancel, &mut log).map_err(halt)?;
            return checked(name, output).map_err(Halt::Failed);
        };
        let written = encode(input).map_err(Halt::Failed)?;
        let known = journal
            .done(held.number, self.taken)
            .map_err(Halt::Failed)?;
        if let Some((was, input, output)) = known {
            return replayed(name, &written, &was, &input, &output).map_err(Halt::Failed);
        }
        crash_point();
        let begun = Instant::now();
        let output = work(input, &self.cancel, &mut log).and_then(|o| checked(name, o));
        let encoded = output.as_ref().map_err(Clone::clone).and_then(encode);
        crash_point();
        let waits = matches!(&encoded, Err(e) if halt(e.clone()) != Halt::Failed(e.clone()));
        if !waits {
            let done = Done {
                seq: self.taken,
                name,
                input: &written,
                result: encoded.as_ref().map(String::as_str),
                attempts: 1 + u32::try_from(log.len()).unwrap_or(u32::MAX - 1),
                log: &log,
                took: begun.elapsed(),
            };
            journal.record(held, &done).map_err(Halt::Failed)?;
            crash_point();
        }
        encoded.map_err(halt)?;
        output.map_err(halt)
    }
}

fn checked<O: Value>(name: &str, output: O) -> Result<O> {
    match output.check() {
        Ok(()) => Ok(output),
        Err(e) => Err(invalid(name, "output", &e)),
    }
}

/// The output of a step that was done before, if it is the same step.
fn replayed<O: Value>(
    name: &str,
    input: &str,
    was: &str,
    old_input: &str,
    output: &str,
) -> Result<O> {
    let other = |what: &str| {
        Error::failure(
            "other_run",
            format!("Step {name} of the journal has another {what} than this run."),
            "Start the task again as a new run.",
        )
    };
    if was != name {
        return Err(other("name"));
    }
    if old_input != input {
        return Err(other("input"));
    }
    let output = serde_json::from_str(output).map_err(|_| other("output"))?;
    checked(name, output)
}

/// Work that the deadline ended is a cap, not a failure; so is a gate that waits.
pub(super) fn halt(e: Error) -> Halt {
    match (e.class, e.code) {
        (Class::Capped, "timed_out") => Halt::Stop(StoppedBy::Time),
        (Class::Capped, WAITING) => Halt::Stop(StoppedBy::Gate),
        _ => Halt::Failed(e),
    }
}

/// The code of the error with which a gate says that it waits.
const WAITING: &str = "waiting";

/// What a gate returns while nobody has decided, with what is to be decided.
pub(super) fn waiting(shown: &str) -> Error {
    Error::new(Class::Capped, WAITING, shown, "")
}

/// A place where a test may kill the process.
pub(super) fn crash_point() {
    #[cfg(debug_assertions)]
    crate::workspace::crash_point("run");
}

fn invalid(step: &str, side: &str, what: &str) -> Error {
    Error::failure(
        "invalid_step",
        format!("The {side} of step {step} is not valid: {what}."),
        "This is a defect of trimtab: please report it.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    struct Even(u32);

    impl Value for Even {
        fn check(&self) -> std::result::Result<(), String> {
            self.0
                .is_multiple_of(2)
                .then_some(())
                .ok_or_else(|| format!("{} is odd", self.0))
        }
    }

    fn run(cap: usize, timeout: Duration, test: impl FnOnce(&mut Steps<'_>)) -> Vec<String> {
        let mut seen = Vec::new();
        let mut progress = |p: Progress<'_>| seen.push(format!("{}/{} {}", p.step, p.cap, p.name));
        test(&mut Steps::new(
            cap,
            timeout,
            &Cancel::new(),
            &mut progress,
            None,
        ));
        seen
    }

    const LONG: Duration = Duration::from_secs(600);

    #[test]
    fn a_cap_on_steps_is_never_exceeded() {
        let seen = run(2, LONG, |steps| {
            for i in 0..5 {
                let out = steps.take("double", &Even(i * 2), |n, _| Ok(Even(n.0 * 2)));
                match i {
                    0 | 1 => assert_eq!(out, Ok(Even(i * 4))),
                    _ => assert_eq!(out, Err(Halt::Stop(StoppedBy::Steps))),
                }
            }
            assert_eq!(steps.taken(), 2);
        });
        assert_eq!(seen, ["1/2 double", "2/2 double"]);
    }

    #[test]
    fn what_is_not_valid_does_not_pass() {
        run(9, LONG, |steps| {
            let code = |r: std::result::Result<Even, Halt>| match r {
                Err(Halt::Failed(e)) => e.to_string(),
                other => panic!("{other:?}"),
            };
            let mut called = false;
            let bad_input = steps.take("a", &Even(1), |n, _| {
                called = true;
                Ok(n.clone())
            });
            assert!(code(bad_input).contains("input of step a is not valid: 1 is odd"));
            assert!(!called);
            let bad_output = steps.take("b", &Even(2), |_, _| Ok(Even(3)));
            assert!(code(bad_output).contains("output of step b"));
        });
    }

    #[test]
    fn time_stops_between_and_within_steps() {
        run(9, Duration::ZERO, |steps| {
            let out = steps.take("late", &Even(2), |n, _| Ok(n.clone()));
            assert_eq!(out, Err(Halt::Stop(StoppedBy::Time)));
            assert_eq!(steps.taken(), 0);
        });
        run(9, Duration::from_millis(5), |steps| {
            let out = steps.take("slow", &Even(2), |n, cancel| {
                while !cancel.is_late() {}
                cancel.check()?;
                Ok(n.clone())
            });
            assert_eq!(out, Err(Halt::Stop(StoppedBy::Time)));
        });
    }
}
