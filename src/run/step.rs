//! One step after another, under caps.

use super::journal::{Done, Held, Journal, encode};
use super::outcome::StoppedBy;
use super::retry::{Attempt, Failed, Policy, attempts, made};
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

/// How often a step is tried and how long it may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pace {
    /// Tried again as [`Policy::PATIENT`] says; an attempt takes at most three
    /// quarters of the run's time, so that there is some left for what was found.
    Patient,
    /// Taken once, with all the time that is left: it asks, or has attempts and
    /// times of its own.
    Once,
}

/// Takes the steps of a run.
pub(super) struct Steps<'a> {
    cap: usize,
    timeout: Duration,
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
            timeout,
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
        pace: Pace,
        input: &I,
        work: impl Fn(&I, &Cancel) -> Result<O>,
    ) -> std::result::Result<O, Halt> {
        self.take_logged(name, pace, input, |input, cancel, _| work(input, cancel))
    }

    /// As [`Steps::take`], for work that tells of attempts of its own.
    pub fn take_logged<I: Value, O: Value>(
        &mut self,
        name: &'static str,
        pace: Pace,
        input: &I,
        work: impl Fn(&I, &Cancel, &mut Vec<Attempt>) -> Result<O>,
    ) -> std::result::Result<O, Halt> {
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
            return self.work(name, pace, input, &work).0.map_err(halt);
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
        let (output, log) = self.work(name, pace, input, &work);
        let encoded = output.as_ref().map_err(Clone::clone).and_then(encode);
        crash_point();
        let waits = matches!(&encoded, Err(e) if halt(e.clone()) != Halt::Failed(e.clone()));
        if waits {
            journal
                .insert_attempts(held, self.taken, &log)
                .map_err(Halt::Failed)?;
        } else {
            let done = Done {
                seq: self.taken,
                name,
                input: &written,
                result: encoded.as_ref().map(String::as_str),
                attempts: made(&log, encoded.is_ok()),
                log: &log,
                took: begun.elapsed(),
            };
            journal.record(held, &done).map_err(Halt::Failed)?;
            crash_point();
        }
        encoded.map_err(halt)?;
        output.map_err(halt)
    }

    /// Does the work of a step at its pace and checks its output.
    fn work<I, O: Value>(
        &self,
        name: &str,
        pace: Pace,
        input: &I,
        work: &impl Fn(&I, &Cancel, &mut Vec<Attempt>) -> Result<O>,
    ) -> (Result<O>, Vec<Attempt>) {
        let policy = match pace {
            Pace::Once => Policy::default(),
            Pace::Patient => Policy {
                timeout: Some(self.timeout / 4 * 3),
                ..Policy::PATIENT
            },
        };
        let (mut own, mut log) = (Vec::new(), Vec::new());
        let done = attempts(&policy, name, "", &self.cancel, &mut log, |cancel| {
            work(input, cancel, &mut own).map_err(Failed::from)
        });
        own.append(&mut log);
        let done = match done {
            // Its time was a share of the run's.
            Err(e) if e.code == "step_timed_out" => Err(late()),
            done => done.and_then(|o| checked(name, o)),
        };
        (done, own)
    }
}

fn late() -> Error {
    Error::new(
        Class::Capped,
        "timed_out",
        "The time limit was reached.",
        "",
    )
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
        (Class::Capped, SPENT) => Halt::Stop(StoppedBy::Tokens),
        (Class::Capped, WAITING) => Halt::Stop(StoppedBy::Gate),
        _ => Halt::Failed(e),
    }
}

/// The code of the error with which a gate says that it waits.
const WAITING: &str = "waiting";

/// The code of the error with which the cap on model tokens ends the work.
pub(super) const SPENT: &str = "model_tokens";

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
    use std::cell::Cell;

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
                let out = steps.take("double", Pace::Patient, &Even(i * 2), |n, _| {
                    Ok(Even(n.0 * 2))
                });
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
            let called = Cell::new(false);
            let bad_input = steps.take("a", Pace::Patient, &Even(1), |n, _| {
                called.set(true);
                Ok(n.clone())
            });
            assert!(code(bad_input).contains("input of step a is not valid: 1 is odd"));
            assert!(!called.get());
            let bad_output = steps.take("b", Pace::Patient, &Even(2), |_, _| Ok(Even(3)));
            assert!(code(bad_output).contains("output of step b"));
        });
    }

    #[test]
    fn time_stops_between_and_within_steps() {
        run(9, Duration::ZERO, |steps| {
            let out = steps.take("late", Pace::Patient, &Even(2), |n, _| Ok(n.clone()));
            assert_eq!(out, Err(Halt::Stop(StoppedBy::Time)));
            assert_eq!(steps.taken(), 0);
        });
        run(9, Duration::from_millis(5), |steps| {
            let out = steps.take("slow", Pace::Patient, &Even(2), |n, cancel| {
                while !cancel.is_late() {}
                cancel.check()?;
                Ok(n.clone())
            });
            assert_eq!(out, Err(Halt::Stop(StoppedBy::Time)));
        });
    }

    #[test]
    fn what_may_pass_is_tried_again_where_the_pace_says_so() {
        run(9, LONG, |steps| {
            let tries = |steps: &mut Steps<'_>, pace| {
                let tried = Cell::new(0);
                let out = steps.take("held", pace, &Even(2), |n, _| {
                    tried.set(tried.get() + 1);
                    match tried.get() {
                        1 | 2 => Err(Error::failure("unwritable", "It is in use.", "")),
                        _ => Ok(n.clone()),
                    }
                });
                (out.is_ok(), tried.get())
            };
            assert_eq!(tries(steps, Pace::Patient), (true, 3));
            assert_eq!(tries(steps, Pace::Once), (false, 1));
        });
    }

    #[test]
    fn a_step_leaves_the_run_some_of_its_time() {
        let time = Duration::from_millis(400);
        run(9, time, |steps| {
            let out = steps.take("slow", Pace::Patient, &Even(2), |n, cancel| {
                assert!(cancel.time_left().is_some_and(|left| left <= time / 4 * 3));
                while !cancel.is_late() {}
                cancel.check()?;
                Ok(n.clone())
            });
            assert_eq!(out, Err(Halt::Stop(StoppedBy::Time)));
        });
    }
}
