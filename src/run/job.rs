//! What a run does, as the journal keeps it.

use super::task::Task;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::time::Duration;

/// What the journal keeps of a request. A run goes on with the file as it was.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Order {
    /// What it is, in a line, for lists.
    pub text: String,
    pub workflow: String,
    pub path: String,
    pub own: bool,
    pub file: String,
    pub inputs: Map<String, Value>,
    pub budget: usize,
    pub max_steps: usize,
    pub timeout: Duration,
    pub ask: Option<Duration>,
    pub dry_run: bool,
    pub wait: bool,
}

/// What a run does: the built-in flow, or a workflow.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum Job {
    Workflow(Box<Order>),
    Task(Box<Task>),
}
