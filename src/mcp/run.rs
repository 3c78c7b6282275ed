//! The `run` tool.

use super::tool::{Answer, Call, Tool};
use crate::error::Result;
use crate::run::{DEFAULT_STEPS, Task, run};
use schemars::JsonSchema;
use serde::Deserialize;

pub(super) struct Run;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Arguments {
    /// Issue, question or change, in full
    task: String,
    /// Tokens, 2000 by default
    budget: Option<usize>,
    max_steps: Option<usize>,
}

const READ_ONLY: &str = "Start here: describe a task, bug or question and get the relevant code of the repository \
in one call: searched, ranked, read and compacted into the budget, under caps on steps and time.";

impl Tool for Run {
    const NAME: &'static str = "run";
    const DESCRIPTION: &'static str = READ_ONLY;
    const READ_ONLY: Option<&'static str> = Some(READ_ONLY);
    const ONLY_READS: bool = true;
    type Arguments = Arguments;

    fn call(call: &Call, arguments: Arguments) -> Result<Answer> {
        let task = Task {
            budget: arguments.budget,
            max_steps: arguments.max_steps.unwrap_or(DEFAULT_STEPS),
            ..Task::new(arguments.task)
        };
        let outcome = run(&call.root, &task, &call.cancel, &mut |p| {
            call.status
                .set(format!("step {} of at most {}: {}", p.step, p.cap, p.name));
        })?;
        Ok(Answer {
            text: outcome.render().to_owned(),
            failed: outcome.error.is_some(),
        })
    }
}
