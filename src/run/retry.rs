//! Attempts: how often, how long each may take, and the waits between them.

use crate::error::{Class, Error, Result};
use crate::workspace::Cancel;
use backon::{BackoffBuilder, ExponentialBuilder};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How a step is tried.
#[derive(Debug, Clone, Copy)]
pub(super) struct Policy {
    /// Attempts, the first included.
    pub attempts: u32,
    /// The first wait; each further one is twice as long.
    pub delay: Duration,
    /// The longest wait.
    pub longest: Duration,
    /// Most time of one attempt.
    pub timeout: Option<Duration>,
    /// Which failures are worth another attempt.
    pub again: fn(&Error) -> bool,
}

impl Default for Policy {
    /// One attempt, as long as the run may take.
    fn default() -> Self {
        Self {
            attempts: 1,
            delay: Duration::from_millis(200),
            longest: Duration::from_secs(10),
            timeout: None,
            again: |_| true,
        }
    }
}

impl Policy {
    /// Most attempts that can be asked for.
    pub const MOST: u32 = 10;

    /// For steps that may be taken again without harm: what the system refused for
    /// a moment, such as a file that another program holds, is tried again soon.
    pub const PATIENT: Self = Self {
        attempts: 3,
        delay: Duration::from_millis(50),
        longest: Duration::from_secs(1),
        timeout: None,
        again: |e| matches!(e.code, "unreadable" | "unwritable" | "no_state"),
    };

    /// The waits between attempts: exponential, with jitter that the seed decides.
    fn delays(&self, seed: u64) -> impl Iterator<Item = Duration> + use<> {
        ExponentialBuilder::default()
            .with_min_delay(self.delay)
            .with_max_delay(self.longest)
            .with_factor(2.0)
            .with_max_times(self.attempts.saturating_sub(1) as usize)
            .with_jitter_seed(seed)
            .with_jitter()
            .build()
    }
}

/// An attempt, for the journal: one that failed, or an answer of a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// What was tried, such as an endpoint; empty for the step itself.
    pub what: String,
    /// How it failed; empty where it did not.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub error: String,
    /// Milliseconds that were waited afterwards.
    pub waited: u64,
    /// Tokens that it cost, as the endpoint reports them.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub tokens: u64,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // the shape that serde asks for
pub(super) fn is_zero(n: &u64) -> bool {
    *n == 0
}

/// How many attempts were made, of which `log` holds those that failed.
pub(super) fn made(log: &[Attempt], succeeded: bool) -> u32 {
    let failed = log.iter().filter(|a| !a.error.is_empty()).count();
    u32::try_from(failed)
        .unwrap_or(u32::MAX)
        .saturating_add(u32::from(succeeded))
}

/// A failed attempt that may be made again.
#[derive(Debug)]
pub(super) struct Failed {
    pub error: Error,
    /// Whether another attempt may end otherwise.
    pub again: bool,
    /// How long to wait at least, where the other side said so.
    pub after: Option<Duration>,
    /// Tokens that it cost all the same.
    pub tokens: u64,
}

impl From<Error> for Failed {
    /// A failure may pass; a refusal, or what was not found, stays.
    fn from(error: Error) -> Self {
        Self {
            again: error.class == Class::Failure && error.code != "cancelled",
            error,
            after: None,
            tokens: 0,
        }
    }
}

/// Tries as the policy says. `seed` decides the jitter; attempts that failed go to
/// `log`, called `what`. A wait that time does not allow is not begun.
pub(super) fn attempts<T>(
    policy: &Policy,
    seed: &str,
    what: &str,
    cancel: &Cancel,
    log: &mut Vec<Attempt>,
    mut work: impl FnMut(&Cancel) -> std::result::Result<T, Failed>,
) -> Result<T> {
    let mut delays = policy.delays(seed_of(seed));
    loop {
        let own = match policy.timeout {
            Some(time) => cancel.with_timeout(time),
            None => cancel.clone(),
        };
        let mut failed = match work(&own) {
            Ok(done) => return Ok(done),
            Err(failed) => failed,
        };
        if failed.error.code == "timed_out" && !cancel.is_late() {
            let time = policy.timeout.unwrap_or_default().as_secs_f64();
            failed = Failed::from(Error::failure(
                "step_timed_out",
                format!("It took longer than {time} s."),
                "Allow it more time.",
            ));
        }
        if failed.error.class == Class::Capped || failed.error.code == "cancelled" {
            return Err(failed.error);
        }
        let wait = delays
            .next()
            .map(|d| d.max(failed.after.unwrap_or_default()));
        let again = failed.again && (policy.again)(&failed.error);
        let wait = wait.filter(|wait| again && cancel.time_left().is_none_or(|left| *wait < left));
        log.push(Attempt {
            what: what.to_string(),
            error: failed.error.to_string(),
            waited: wait.map_or(0, |w| u64::try_from(w.as_millis()).unwrap_or(u64::MAX)),
            tokens: failed.tokens,
        });
        match wait {
            Some(wait) => pause(wait, cancel)?,
            None => return Err(failed.error),
        }
    }
}

/// Waits, unless it is to stop.
fn pause(time: Duration, cancel: &Cancel) -> Result<()> {
    let end = Cancel::new().with_timeout(time);
    while let Some(left) = end.time_left().filter(|t| !t.is_zero()) {
        cancel.check()?;
        std::thread::sleep(left.min(Duration::from_millis(20)));
    }
    cancel.check()
}

fn seed_of(text: &str) -> u64 {
    let hash = crate::workspace::hash(text.as_bytes());
    u64::from_str_radix(hash.get(..16).unwrap_or_default(), 16).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUICK: Policy = Policy {
        attempts: 4,
        delay: Duration::from_millis(1),
        longest: Duration::from_millis(3),
        timeout: None,
        again: |_| true,
    };

    fn fail(code: &'static str) -> Error {
        Error::failure(code, "It failed.", "")
    }

    #[test]
    fn a_failure_is_tried_again_and_each_attempt_is_known() {
        let mut log = Vec::new();
        let mut count = 0;
        let done = attempts(&QUICK, "a", "x", &Cancel::new(), &mut log, |_| {
            count += 1;
            if count < 3 {
                Err(fail("flaky").into())
            } else {
                Ok(count)
            }
        });
        assert_eq!(done, Ok(3));
        assert_eq!(log.len(), 2);
        assert_eq!(
            (log[0].what.as_str(), log[0].error.as_str()),
            ("x", "flaky: It failed.")
        );

        log.clear();
        let done: Result<()> = attempts(&QUICK, "a", "x", &Cancel::new(), &mut log, |_| {
            Err(fail("flaky").into())
        });
        assert_eq!(done.unwrap_err().code, "flaky");
        assert_eq!(log.len(), 4);
        assert_eq!(log[3].waited, 0);
    }

    #[test]
    fn a_refusal_is_not_tried_again() {
        let mut log = Vec::new();
        let done: Result<()> = attempts(&QUICK, "a", "", &Cancel::new(), &mut log, |_| {
            Err(Error::refused("no_anchor", "It does not fit.", "").into())
        });
        assert_eq!((done.unwrap_err().code, log.len()), ("no_anchor", 1));
    }

    #[test]
    fn patience_is_for_what_may_pass() {
        let tried = |code: &'static str| {
            let mut log = Vec::new();
            let quick = Policy {
                delay: Duration::from_millis(1),
                ..Policy::PATIENT
            };
            let done: Result<()> = attempts(&quick, "a", "", &Cancel::new(), &mut log, |_| {
                Err(fail(code).into())
            });
            assert_eq!(done.unwrap_err().code, code);
            made(&log, false)
        };
        assert_eq!((tried("unwritable"), tried("bad_regex")), (3, 1));
    }

    #[test]
    fn waits_grow_and_are_the_same_for_the_same_seed() {
        let policy = Policy {
            attempts: 6,
            delay: Duration::from_millis(100),
            longest: Duration::from_millis(1000),
            timeout: None,
            ..Policy::default()
        };
        let waits: Vec<Duration> = policy.delays(7).collect();
        assert_eq!(waits, policy.delays(7).collect::<Vec<_>>());
        assert_ne!(waits, policy.delays(8).collect::<Vec<_>>());
        assert_eq!(waits.len(), 5);
        for (wait, base) in waits.iter().zip([100, 200, 400, 800, 1000]) {
            let base = Duration::from_millis(base);
            assert!(*wait >= base && *wait <= base * 2, "{wait:?} of {base:?}");
        }
    }

    #[test]
    fn the_other_side_says_how_long_and_time_is_kept() {
        let mut log = Vec::new();
        let mut first = true;
        let done = attempts(&QUICK, "a", "", &Cancel::new(), &mut log, |_| {
            if !std::mem::take(&mut first) {
                return Ok(());
            }
            Err(Failed {
                after: Some(Duration::from_millis(40)),
                ..Failed::from(fail("busy"))
            })
        });
        assert_eq!((done, log[0].waited), (Ok(()), 40));

        // A wait that would outlast the run is not begun.
        log.clear();
        let soon = Cancel::new().with_timeout(Duration::from_secs(60));
        let done: Result<()> = attempts(&QUICK, "a", "", &soon, &mut log, |_| {
            Err(Failed {
                after: Some(Duration::from_secs(3600)),
                ..Failed::from(fail("busy"))
            })
        });
        assert_eq!((done.unwrap_err().code, log.len()), ("busy", 1));
    }

    #[test]
    fn an_attempt_that_takes_too_long_failed_and_the_run_goes_on() {
        let policy = Policy {
            attempts: 2,
            timeout: Some(Duration::from_millis(5)),
            ..QUICK
        };
        let mut log = Vec::new();
        let done: Result<()> = attempts(&policy, "a", "", &Cancel::new(), &mut log, |cancel| {
            while !cancel.is_late() {}
            cancel.check().map_err(Failed::from)
        });
        assert_eq!((done.unwrap_err().code, log.len()), ("step_timed_out", 2));
    }
}
