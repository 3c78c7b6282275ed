//! A recorded session, whichever form it was written in.

use super::action::Action;
use serde::Serialize;

/// What wrote a session down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// A transcript of Claude Code.
    ClaudeCode,
    /// A trajectory of SWE-agent.
    SweAgent,
    /// Chat messages with tool calls.
    Messages,
}

/// A recorded session.
#[derive(Debug, Clone, PartialEq)]
pub struct Session {
    /// The file's name without its ending.
    pub id: String,
    /// What wrote it down.
    pub format: Format,
    /// `owner/name` of the repository it works on, as far as it says.
    pub repo: Option<String>,
    /// The commit it starts from.
    pub commit: Option<String>,
    /// What the user asked for.
    pub task: String,
    /// Tokens of the first request (instructions, tools, task), as its model
    /// counted them.
    pub first_request: Option<usize>,
    /// The model's answers, in order.
    pub turns: Vec<Turn>,
}

/// One answer of the model.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Turn {
    /// What it wrote besides its calls, its reasoning included where it was kept.
    pub text: String,
    /// The tools it called.
    pub calls: Vec<Call>,
}

/// One call of a tool.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// The tool's name; `bash` for a bare command.
    pub tool: String,
    /// The arguments as the model wrote them.
    pub arguments: String,
    /// What the tool answered.
    pub output: String,
    /// Whether the answer was an error.
    pub failed: bool,
    /// What the call is about.
    pub action: Action,
    /// The file's text before the edit, where the session keeps it.
    pub before: Option<String>,
}

/// The `repo:` and `base_commit:` that a task names, as benchmarks write them.
pub(super) fn origin(task: &str) -> (Option<String>, Option<String>) {
    let field = |name: &str| {
        task.lines().find_map(|line| {
            let value = line.trim().strip_prefix(name)?.trim();
            (!value.is_empty() && !value.contains(char::is_whitespace)).then(|| value.to_string())
        })
    };
    (field("repo:"), field("base_commit:"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_may_name_its_origin() {
        let task = "Fix it:\n  repo: a/b\n  base_commit: 0f0f\n  repo: c/d\n";
        assert_eq!(origin(task), (Some("a/b".into()), Some("0f0f".into())));
        assert_eq!(origin("repo: two words"), (None, None));
    }
}
