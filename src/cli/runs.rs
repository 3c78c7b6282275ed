use super::output::Output;
use super::run::show;
use crate::error::Result;
use crate::run::{
    Caps, Remembered, RunRecord, StepRecord, approve, deny, forget, fork, memory, runs, steps_of,
};
use crate::workspace::{Cancel, Root};
use clap::{Args, Subcommand};

/// List the runs of this root, tell the story of one, or go on with it
#[derive(Args)]
pub struct Command {
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Subcommand)]
enum Action {
    /// What a run did, step by step
    Show {
        /// Such as r12
        id: String,
    },
    /// A new run that has done the first steps of another
    Fork {
        /// Such as r12
        id: String,
        /// The last step that is kept
        #[arg(long, value_name = "STEP")]
        at: usize,
    },
    /// Let the write be made for which a run waits, and go on
    Approve {
        /// Such as r12
        id: String,
    },
    /// What runs remember of this root, where your trimtab.toml says `memory = true`
    Memory {
        /// Forget it
        #[arg(long)]
        clear: bool,
    },
    /// Refuse the write for which a run waits
    Deny {
        /// Such as r12
        id: String,
    },
}

impl Command {
    pub fn run(self, root: &Root, cancel: &Cancel, out: &Output) -> Result<u8> {
        match self.action {
            None => list(root, out),
            Some(Action::Show { id }) => {
                let steps = steps_of(root, &id)?;
                if out.is_json() {
                    out.value(&steps);
                    return Ok(0);
                }
                let number = id.trim().trim_start_matches('r');
                let run = runs(root)?
                    .into_iter()
                    .find(|r| r.id.trim_start_matches('r') == number);
                run.iter().for_each(|r| out.line(&listed(r)));
                steps.iter().for_each(|s| out.line(&story(s)));
                run.iter()
                    .filter_map(next)
                    .for_each(|n| out.line(&format!("next: {n}")));
                Ok(0)
            }
            Some(Action::Fork { id, at }) => show(out, |progress| {
                fork(root, &id, at, Caps::default(), cancel, progress)
            }),
            Some(Action::Approve { id }) => {
                show(out, |progress| approve(root, &id, cancel, progress))
            }
            Some(Action::Memory { clear }) => {
                if clear {
                    forget(root)?;
                    out.line("all is forgotten");
                    return Ok(0);
                }
                let all = memory(root)?;
                if out.is_json() {
                    out.value(&all);
                } else {
                    let line =
                        |r: &Remembered| format!("{}: {}", r.words.join(" "), r.files.join(", "));
                    all.iter().for_each(|r| out.line(&line(r)));
                }
                Ok(0)
            }
            Some(Action::Deny { id }) => {
                deny(root, &id)?;
                out.line(&format!("denied {id}: nothing is written"));
                Ok(0)
            }
        }
    }
}

fn list(root: &Root, out: &Output) -> Result<u8> {
    let runs = runs(root)?;
    if out.is_json() {
        out.value(&runs);
    }
    for run in runs.iter().filter(|_| !out.is_json()) {
        out.line(&listed(run));
    }
    Ok(u8::from(runs.is_empty()))
}

/// `r12  done  2 steps  where are retries capped?`
fn listed(run: &RunRecord) -> String {
    let forked = match &run.forked {
        Some(from) => format!(" (from {from})"),
        None => String::new(),
    };
    format!(
        "{}  {}  {} steps  {}{forked}",
        run.id, run.status, run.steps, run.task
    )
}

/// How to go on with a run that is not at its end.
fn next(run: &RunRecord) -> Option<String> {
    let id = &run.id;
    match run.status.as_str() {
        "killed" | "steps" | "time" => Some(format!("trimtab run --resume {id}")),
        "waiting" => Some(format!("trimtab runs approve {id}, or deny {id}")),
        _ => None,
    }
}

/// `2 expand: done, 812 tokens, 3.1 ms`
fn story(step: &StepRecord) -> String {
    let mut out = format!(
        "{} {}: {}, {} tokens, {}.{} ms",
        step.step,
        step.name,
        step.status,
        step.tokens,
        step.micros / 1000,
        step.micros % 1000 / 100
    );
    if step.attempts > 1 {
        out.push_str(&format!(", {} attempts", step.attempts));
    }
    for attempt in &step.failed {
        let what = if attempt.what.is_empty() {
            "attempt"
        } else {
            &attempt.what
        };
        let first = attempt.error.lines().next().unwrap_or_default();
        out.push_str(&format!(
            "\n  {what}: {first}, waited {} ms",
            attempt.waited
        ));
    }
    for answer in &step.answered {
        out.push_str(&format!(
            "\n  {}: answered, {} model tokens",
            answer.what, answer.tokens
        ));
    }
    if let Some(error) = &step.error {
        out.push_str(&format!("\n  {}", error.replace('\n', "\n  ")));
    }
    out
}
