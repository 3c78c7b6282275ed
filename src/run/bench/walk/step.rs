//! A step as it is reported, and what it was about.

use super::super::change::Change;
use super::super::ledger::Kind;
use super::super::recorded::{Action, Call};
use serde::Serialize;

/// A step of a session, with what it cost in o200k tokens (call and answer).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// The model's answer that made it, from 1.
    pub turn: usize,
    /// What it was.
    pub kind: Kind,
    /// The recorded tool; `re-read` and `search again` are trimtab's own.
    pub tool: String,
    /// The pattern, path or command, shortened.
    pub about: String,
    /// As recorded.
    pub recorded: usize,
    /// Through trimtab.
    pub ours: usize,
    /// How it was replayed.
    pub state: State,
    /// Hash of what trimtab was sent and answered.
    pub digest: String,
    /// Why a penalty is charged or an attempt was wasted; empty otherwise.
    pub why: String,
}

/// How a step was replayed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Through trimtab.
    Replayed,
    /// Charged as recorded on both sides: no tool of trimtab's has a part in it,
    /// it failed, or it lies outside the tree.
    AsRecorded,
    /// The recorded answer is not what the tree holds: charged as recorded.
    Diverged,
    /// trimtab refused or gave other bytes: its attempt and the recorded call.
    Wasted,
    /// Charged because something needed had not been shown.
    Penalty,
}

/// What became of the edits of a session.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Edits {
    /// Edits of files that existed.
    pub count: usize,
    /// `apply` gave the recorded bytes.
    pub exact: usize,
    /// `apply` refused, or took the edit for made already and said so.
    pub refused: usize,
    /// `apply` gave other bytes.
    pub wrong: usize,
    /// Edits with a line that the recorded session had not shown either.
    pub unseen: usize,
    /// Edits with a line that was recorded in view and not in trimtab's.
    pub missing: usize,
}

pub(super) fn kind(call: &Call, change: Option<&Change>) -> Kind {
    match &call.action {
        Action::Search(_) | Action::List { .. } => Kind::Search,
        Action::Read { .. } => Kind::Read,
        Action::Write { .. } if change.is_none_or(|c| c.before.is_none()) => Kind::Create,
        Action::Replace { .. } | Action::ReplaceLines { .. } | Action::Write { .. } => Kind::Edit,
        Action::Run => Kind::Log,
        Action::Other => Kind::Other,
    }
}

/// What the model wrote of its own in a call.
pub(super) fn written(call: &Call) -> &str {
    match &call.action {
        Action::Replace { new, .. } => new,
        Action::ReplaceLines { text, .. } => text,
        Action::Write { content, .. } => content,
        _ => "",
    }
}

pub(super) fn about(call: &Call) -> String {
    let text = match &call.action {
        Action::Search(s) => s.pattern.clone(),
        Action::List { path, glob } => {
            format!(
                "{} {}",
                path.as_deref().unwrap_or("."),
                glob.as_deref().unwrap_or("")
            )
        }
        Action::Read { path, from, count } => match (from, count) {
            (None, None) => path.clone(),
            (from, count) => {
                let from = from.unwrap_or(1);
                let to = count.map_or(String::new(), |c| (from + c).saturating_sub(1).to_string());
                format!("{path}:{from}-{to}")
            }
        },
        Action::Replace { path, .. }
        | Action::ReplaceLines { path, .. }
        | Action::Write { path, .. } => path.clone(),
        Action::Run | Action::Other => call.arguments.clone(),
    };
    let line: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let long = line.chars().count() > 90;
    // The end of a path says more than its beginning.
    if long && matches!(call.action, Action::Read { .. } | Action::Replace { .. }) {
        let skip = line.chars().count() - 89;
        return format!("…{}", line.chars().skip(skip).collect::<String>());
    }
    shortened(&line)
}

/// At most ninety letters of a line.
pub(super) fn shortened(line: &str) -> String {
    let mut short: String = line.chars().take(89).collect();
    if line.chars().count() > 90 {
        short.push('…');
    }
    short
}
