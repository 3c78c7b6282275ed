use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Steps of a run where the task names no cap.
pub const DEFAULT_STEPS: usize = 6;
/// The highest cap on steps.
pub const MAX_STEPS: usize = 50;
/// Budget where the task names none, in o200k tokens.
pub const DEFAULT_BUDGET: usize = 2_000;
/// Size of the result where the task names no budget, in bytes.
pub const DEFAULT_BYTES: usize = 9_900;
/// Time of a run where the task names none.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);
/// Least budget that holds a status line and a place or two, in o200k tokens.
pub(super) const LEAST_BUDGET: usize = 40;

/// One file and the snippet that changes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Edit {
    /// The file, relative to the root.
    pub path: String,
    /// The snippet.
    pub edit: String,
}

/// Who chooses what is searched.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Planner {
    /// The built-in ranking.
    #[default]
    BuiltIn,
    /// The model that the user configured; the built-in ranking where none answers.
    Model,
}

/// What a run shall do and how far it may go. A run writes only what `edits` say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Task {
    /// An issue, a question or a change, in plain words. May be empty where there
    /// are edits.
    pub text: String,
    /// Most tokens of the result; [`DEFAULT_BUDGET`] and [`DEFAULT_BYTES`] where
    /// there is none.
    pub budget: Option<usize>,
    /// Whether to go on in rank order as long as the budget holds, rather than to
    /// stop where more is not worth its tokens.
    pub fill: bool,
    /// Most steps, 1 to [`MAX_STEPS`].
    pub max_steps: usize,
    /// Most wall-clock time.
    pub timeout: Duration,
    /// Snippets to apply first, all or nothing, and to check.
    pub edits: Vec<Edit>,
    /// Whether to show what the edits would change and write nothing.
    pub dry_run: bool,
    /// Where set, the run stops before it writes and waits this long for
    /// [`approve`](super::approve()).
    pub ask: Option<Duration>,
    /// Who chooses what is searched.
    #[serde(default)]
    pub planner: Planner,
    /// Files that memory brings to mind, where it is on: they count for more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub memory: Vec<String>,
    /// Whether a run that writes waits for another one of the same root, rather
    /// than to be refused.
    pub wait: bool,
}

impl Default for Task {
    fn default() -> Self {
        Self {
            text: String::new(),
            budget: None,
            fill: false,
            max_steps: DEFAULT_STEPS,
            timeout: DEFAULT_TIMEOUT,
            edits: Vec::new(),
            dry_run: false,
            ask: None,
            planner: Planner::default(),
            memory: Vec::new(),
            wait: true,
        }
    }
}

impl Task {
    /// A task in plain words, with default caps.
    pub fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            ..Self::default()
        }
    }

    /// Whether it may change files.
    pub fn writes(&self) -> bool {
        !self.edits.is_empty() && !self.dry_run
    }

    /// Most tokens and most bytes of the result.
    pub(super) fn limits(&self) -> Limits {
        match self.budget {
            Some(tokens) => Limits {
                tokens,
                bytes: usize::MAX,
            },
            None => Limits {
                tokens: DEFAULT_BUDGET,
                bytes: DEFAULT_BYTES,
            },
        }
    }

    /// Whether the task can be done at all.
    pub(super) fn check(&self) -> Result<()> {
        if self.text.trim().is_empty() && self.edits.is_empty() {
            return Err(Error::failure(
                "no_task",
                "There is no task.",
                "Say in plain words what is wanted, or give edits.",
            ));
        }
        if !(1..=MAX_STEPS).contains(&self.max_steps) {
            return Err(bad_cap(self.max_steps));
        }
        match self.budget.filter(|b| *b < LEAST_BUDGET) {
            Some(budget) => Err(budget_too_small(budget)),
            None => Ok(()),
        }
    }
}

pub(super) fn bad_cap(steps: usize) -> Error {
    Error::failure(
        "bad_cap",
        format!("A cap of {steps} steps is not possible."),
        format!("Allow 1 to {MAX_STEPS} steps."),
    )
}

pub(super) fn budget_too_small(budget: usize) -> Error {
    Error::failure(
        "budget_too_small",
        format!("A budget of {budget} tokens holds no result."),
        format!("Allow at least {LEAST_BUDGET} tokens; some 2000 are usual."),
    )
}

/// Reads a time such as `30s`, `500ms`, `2m` or `1h`; a bare number is seconds.
///
/// # Errors
/// `bad_time`.
pub fn parse_time(text: &str) -> Result<Duration> {
    let bad = || {
        Error::failure(
            "bad_time",
            format!("{text:?} is no time."),
            "Write it as 30s, 500ms, 2m or 1h.",
        )
    };
    let text = text.trim();
    let digits = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().map_err(|_| bad())?;
    let millis = match unit.trim() {
        "ms" => 1,
        "" | "s" => 1_000,
        "m" | "min" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err(bad()),
    };
    number
        .checked_mul(millis)
        .map(Duration::from_millis)
        .ok_or_else(bad)
}

/// How large a result may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Limits {
    pub tokens: usize,
    pub bytes: usize,
}

impl Limits {
    pub fn hold(self, text: &str) -> bool {
        text.len() <= self.bytes && crate::tokens::fits(text, self.tokens)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_a_unit() {
        let ms = |t: &str| parse_time(t).map(|d| d.as_millis()).map_err(|e| e.code);
        assert_eq!(ms("30s"), Ok(30_000));
        assert_eq!(ms(" 500 ms"), Ok(500));
        assert_eq!(ms("2m"), Ok(120_000));
        assert_eq!(ms("7"), Ok(7_000));
        for bad in [
            "",
            "s",
            "-1s",
            "1.5s",
            "3 weeks",
            "99999999999999999999s",
            "18446744073709551615h",
        ] {
            assert_eq!(ms(bad), Err("bad_time"), "{bad}");
        }
    }

    #[test]
    fn a_task_that_cannot_be_done_is_refused() {
        let code = |t: Task| t.check().map_err(|e| e.code);
        assert_eq!(code(Task::new("find it")), Ok(()));
        assert_eq!(code(Task::new(" \n")), Err("no_task"));
        for max_steps in [0, MAX_STEPS + 1] {
            let task = Task {
                max_steps,
                ..Task::new("x")
            };
            assert_eq!(code(task), Err("bad_cap"));
        }
        let task = Task {
            budget: Some(10),
            ..Task::new("x")
        };
        assert_eq!(code(task), Err("budget_too_small"));
    }
}
