//! The `run` tool.

use super::apply::Edit;
use super::tool::{Answer, Call, Tool};
use crate::error::Result;
use crate::run::{self, DEFAULT_STEPS, Task, default_ask, run_with};
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
    /// As in apply; done first
    edits: Option<Vec<Edit>>,
}

const READ_ONLY: &str = "Start here: describe a task, bug or question and get the relevant code of the repository \
in one call: searched, ranked, read and compacted into the budget.";

impl Tool for Run {
    const NAME: &'static str = "run";
    const DESCRIPTION: &'static str = "Start here: describe a task, bug or question and get the relevant code of \
the repository in one call: searched, ranked, read and compacted into the budget. With edits, also applies and \
checks them.";
    const READ_ONLY: Option<&'static str> = Some(READ_ONLY);
    const ONLY_READS: bool = false;
    const WRITING: &'static [&'static str] = &["edits"];
    type Arguments = Arguments;

    fn call(call: &Call, arguments: Arguments) -> Result<Answer> {
        let edits = arguments.edits.unwrap_or_default();
        let task = Task {
            budget: arguments.budget,
            max_steps: arguments.max_steps.unwrap_or(DEFAULT_STEPS),
            edits: edits.into_iter().map(Into::into).collect(),
            ask: default_ask(&call.root),
            ..Task::new(arguments.task)
        };
        let outcome = run_with(call.engine.locator(), &task, &call.cancel, &mut |p| {
            call.status
                .set(format!("step {} of at most {}: {}", p.step, p.cap, p.name));
        })?;
        Ok(Answer::from(&outcome))
    }
}

impl From<Edit> for run::Edit {
    fn from(edit: Edit) -> Self {
        Self {
            path: edit.path,
            edit: edit.edit,
        }
    }
}
