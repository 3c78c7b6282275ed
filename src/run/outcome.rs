//! What a run came to, and why it ended.

use super::excerpt::Hit;
use super::retry::is_zero;
use crate::error::{Class, Error};
use serde::{Deserialize, Serialize, Serializer};

/// Why a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StoppedBy {
    /// All steps were taken and what they found is shown.
    Done,
    /// The cap on steps.
    Steps,
    /// The budget: more was found than it holds.
    Tokens,
    /// The cap on time.
    Time,
    /// A write that waits for approval.
    Gate,
    /// A step failed or was refused.
    Error,
}

impl StoppedBy {
    /// Its name in results.
    pub fn name(self) -> &'static str {
        match self {
            StoppedBy::Done => "done",
            StoppedBy::Steps => "steps",
            StoppedBy::Tokens => "tokens",
            StoppedBy::Time => "time",
            StoppedBy::Gate => "gate",
            StoppedBy::Error => "error",
        }
    }
}

/// What the edits of a run came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Written {
    /// One line per file, such as `src/x.rs: 3 hunks, +12 −4, syntax ok`.
    pub files: Vec<String>,
    /// What takes them back; none for a dry run and where nothing changed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub undo: Option<String>,
    /// The changes as a unified diff, where they are not written.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub diff: Option<String>,
}

/// What the checks of an edit came to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checked {
    /// The commands that were run.
    pub commands: Vec<CheckedBy>,
    /// What was left out, and why.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub notes: Vec<String>,
    /// The undo entry with which a failed check took the edit back.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub rolled_back: Option<String>,
}

/// One command that checked an edit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckedBy {
    /// Its name in the configuration.
    pub name: String,
    /// Whether it succeeded.
    pub ok: bool,
    /// How it ended, such as `exit status 101`.
    pub ended: String,
    /// Its output, shortened, where it failed.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub output: String,
}

/// A failure that ended a run, with what it had found until then.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// As [`Error::code`].
    pub code: String,
    /// As [`Error::message`].
    pub message: String,
    /// As [`Error::next`].
    pub next: String,
    /// As [`Error::exit_status`].
    #[serde(skip)]
    pub status: u8,
}

impl From<&Error> for Failure {
    fn from(e: &Error) -> Self {
        Self {
            code: e.code.to_string(),
            message: e.message.clone(),
            next: e.next.clone(),
            status: e.exit_status(),
        }
    }
}

impl Failure {
    /// With the status, which results leave out.
    pub(super) fn to_journal(&self) -> String {
        serde_json::json!([self.code, self.message, self.next, self.status]).to_string()
    }

    pub(super) fn from_journal(text: &str) -> Option<Self> {
        let (code, message, next, status) = serde_json::from_str(text).ok()?;
        Some(Self {
            code,
            message,
            next,
            status,
        })
    }
}

/// What a workflow came to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Account {
    /// Its name.
    pub name: String,
    /// What it gave, whole.
    pub output: String,
    /// What became of each step, in the order of the file.
    pub steps: Vec<StepAccount>,
    /// What the reader should know: what was left out, what a gate shows.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// What became of one step.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StepAccount {
    /// Its id.
    pub id: String,
    /// `done`, `failed`, `skipped` (something it needs failed), `passed` (its
    /// condition did not hold), `left_out` (its file is not trusted), `part` (the
    /// run ended among its items) or `waiting`.
    pub status: &'static str,
    /// What failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<Failure>,
}

/// What a run came to. The same task on the same tree has the same outcome.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Outcome {
    /// The places that are shown, best first, as far as they are shown.
    #[serde(serialize_with = "places")]
    pub results: Vec<Hit>,
    /// Exact number of o200k tokens of the rendered text; at most the budget.
    pub tokens: usize,
    /// Steps that were taken.
    pub steps: usize,
    /// Why it ended.
    pub stopped_by: StoppedBy,
    /// Places that were found and are not shown whole.
    pub left: usize,
    /// The handle of their list, where not all of them are named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub handle: Option<String>,
    /// What was written, or would be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub written: Option<Written>,
    /// What the checks of the edits came to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checks: Option<Checked>,
    /// The id under which a write that waits can be approved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// What failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<Failure>,
    /// The workflow that was run, if it was not the built-in flow.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workflow: Option<Account>,
    /// Tokens that were spent on models, as their endpoints report them.
    #[serde(skip_serializing_if = "is_zero")]
    pub model_tokens: u64,
    #[serde(skip)]
    pub(super) text: String,
}

/// Machines get the places; their lines are in the files.
fn places<S: Serializer>(hits: &[Hit], s: S) -> Result<S::Ok, S::Error> {
    s.collect_seq(hits.iter().map(|h| &h.place))
}

impl Outcome {
    /// The outcome as text; costs [`Outcome::tokens`] tokens.
    pub fn render(&self) -> &str {
        &self.text
    }

    fn is_empty(&self) -> bool {
        self.results.is_empty() && self.written.is_none() && self.workflow.is_none()
    }

    /// 0 done, 1 nothing found, 2 failure, 3 refused, 4 stopped by a cap.
    pub fn exit_status(&self) -> u8 {
        let capped = Error::new(Class::Capped, "", "", "").exit_status();
        match (self.stopped_by, &self.error) {
            (_, Some(failure)) => failure.status,
            (StoppedBy::Done, None) if self.is_empty() => 1,
            (StoppedBy::Done, None) => 0,
            _ => capped,
        }
    }
}
