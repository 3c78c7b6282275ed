//! The steps of a run that write: merge, ask, write, check.
//!
//! What is approved is what is written: the merge is repeated right before the
//! write and must come to the same bytes. That a write happens once, whatever
//! kills the process, follows from its undo entry, which names the step's key and
//! is on the disk before the first file changes.

use super::command::run_limited;
use super::config::{self, Check, OnFailure};
use super::journal::{Decision, Held, Journal, denied, expired};
use super::outcome::{Checked, CheckedBy, Written};
use super::step::{Value, waiting};
use super::task::{Edit, Task};
use crate::apply::{self, ApplyOptions};
use crate::compact::{Kind, Options, Size, compact_stored};
use crate::error::{Error, Result};
use crate::tokens;
use crate::workspace::{Cancel, Root, Store, commit, hash, history, read, recover, undo};
use serde::{Deserialize, Serialize};

/// What is to be merged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Edits {
    pub edits: Vec<Edit>,
}

impl Value for Edits {
    fn check(&self) -> std::result::Result<(), String> {
        match self.edits.iter().find(|e| e.path.trim().is_empty()) {
            Some(_) => Err("an edit names no file".into()),
            None => Ok(()),
        }
    }
}

/// What the edits come to, before anything is written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Merged {
    pub files: Vec<MergedFile>,
    /// The changes as a unified diff.
    pub diff: String,
    /// A line per file, such as `src/x.rs: 3 hunks, +12 −4, syntax ok`.
    pub lines: Vec<String>,
}

/// One changed file of a [`Merged`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct MergedFile {
    pub path: String,
    /// Hash of its bytes, `None` for a new file.
    pub before: Option<String>,
    /// Hash of the bytes it shall have, `None` where it goes.
    pub after: Option<String>,
}

impl Value for Merged {
    fn check(&self) -> std::result::Result<(), String> {
        match self.files.iter().find(|f| f.path.is_empty()) {
            Some(_) => Err("a file has no path".into()),
            None => Ok(()),
        }
    }
}

impl Merged {
    /// Whether a file would differ.
    pub fn changes(&self) -> bool {
        !self.files.is_empty()
    }
}

impl Value for Written {
    fn check(&self) -> std::result::Result<(), String> {
        Ok(())
    }
}

/// That a write may be made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Approved {
    pub approved: bool,
}

impl Value for Approved {
    fn check(&self) -> std::result::Result<(), String> {
        if self.approved {
            Ok(())
        } else {
            Err("it is not approved".into())
        }
    }
}

/// Merges without writing.
pub(super) fn merge(root: &Root, edits: &[Edit]) -> Result<Merged> {
    let plan = plan(root, edits)?;
    let name = |bytes: &Option<Vec<u8>>| bytes.as_deref().map(hash);
    Ok(Merged {
        files: plan
            .changes
            .iter()
            .map(|change| MergedFile {
                path: change.path.rel.clone(),
                before: name(&change.before),
                after: name(&change.after),
            })
            .collect(),
        diff: plan.applied.files.iter().map(|f| f.diff.as_str()).collect(),
        lines: plan.applied.summary().lines().map(str::to_string).collect(),
    })
}

fn plan(root: &Root, edits: &[Edit]) -> Result<apply::Plan> {
    let edits: Vec<apply::Edit> = edits
        .iter()
        .map(|e| apply::Edit {
            path: e.path.clone(),
            edit: e.edit.clone(),
        })
        .collect();
    apply::plan(root, &edits, &ApplyOptions::default())
}

/// Lets a write pass once it is approved.
pub(super) fn gate(journal: &Journal, held: &Held, task: &Task) -> Result<Approved> {
    let decided = journal.decision(held.number, "gate")?;
    if decided.is_none() {
        journal.ask(held.number, "gate", task.ask.unwrap_or_default())?;
    }
    pass(decided, held.number, "")?;
    Ok(Approved { approved: true })
}

/// Passes where it was approved. Otherwise the run waits, which is said with what
/// is shown to whoever decides, or it ends.
pub(super) fn pass(decided: Option<Decision>, number: i64, shown: &str) -> Result<()> {
    match decided {
        None | Some(Decision::Pending) => Err(waiting(shown)),
        Some(Decision::Approved) => Ok(()),
        Some(Decision::Denied) => Err(denied(number)),
        Some(Decision::Expired) => Err(expired(number)),
    }
}

/// Writes what was merged, once: `key` names the write in its undo entry.
pub(super) fn write(root: &Root, edits: &[Edit], merged: &Merged, key: &str) -> Result<Written> {
    let label = format!("run {key}");
    let written = |undo: Option<String>| Written {
        files: merged.lines.clone(),
        undo,
        diff: None,
    };
    recover(root)?;
    if let Some(entry) = history(root).into_iter().rev().find(|e| e.label == label) {
        return Ok(written(Some(entry.id)));
    }
    if !merged.changes() {
        return Ok(written(None));
    }
    let changes = plan(root, edits)?.changes;
    for change in &changes {
        let same = merged.files.iter().any(|f| {
            f.path == change.path.rel
                && f.before == change.before.as_deref().map(hash)
                && f.after == change.after.as_deref().map(hash)
        });
        if !same {
            return Err(stale(&change.path.rel));
        }
    }
    if let Some(gone) = merged
        .files
        .iter()
        .find(|f| !changes.iter().any(|c| c.path.rel == f.path))
    {
        return Err(stale(&gone.path));
    }
    Ok(written(Some(commit(root, &changes, &label)?.id)))
}

fn stale(path: &str) -> Error {
    Error::refused(
        "stale_file",
        format!("{path} changed since the edit was merged; nothing was written."),
        "Start the task again.",
    )
}

/// An edit that was written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct ToCheck {
    pub merged: Merged,
    pub written: Written,
}

impl Value for ToCheck {
    fn check(&self) -> std::result::Result<(), String> {
        self.merged.check()
    }
}

/// What the checks of an edit came to, and what shall follow. To follow it is no
/// part of the step: a step that died halfway would find its own rollback.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Verdict {
    pub checked: Checked,
    /// The undo entry of the edit, where it is to be taken back.
    pub take_back: Option<String>,
}

impl Value for Verdict {
    fn check(&self) -> std::result::Result<(), String> {
        if self.take_back.is_some() && self.checked.commands.iter().all(|c| c.ok) {
            return Err("no check failed, yet the edit is to be taken back".into());
        }
        Ok(())
    }
}

/// Checks that the files are as they were merged, then runs the configured
/// commands that concern them, in order, up to the first that fails. `room` is
/// what the output of a failure may cost, in tokens.
pub(super) fn check(root: &Root, edit: &ToCheck, room: usize, cancel: &Cancel) -> Result<Verdict> {
    for file in &edit.merged.files {
        let path = root.resolve(&file.path)?;
        let now = match read(&path) {
            Ok(bytes) => Some(hash(&bytes)),
            Err(e) if e.code == "no_such_file" => None,
            Err(e) => return Err(e),
        };
        if now != file.after {
            return Err(Error::failure(
                "changed_meanwhile",
                format!("{} is no longer as the edit left it.", file.path),
                "Read the file again.",
            ));
        }
    }
    let config = config::load(root)?;
    let mut checked = Checked {
        notes: config.notes,
        ..Checked::default()
    };
    let mut take_back = None;
    let concerns = |c: &Check| {
        let mut files = edit.merged.files.iter();
        files.any(|f| c.concerns(root, &f.path))
    };
    for check in config.checks.iter().filter(|c| concerns(c)) {
        let result = run_check(root, check, room, cancel)?;
        let failed = !result.ok;
        checked.commands.push(result);
        if failed {
            if check.on_failure == OnFailure::Rollback {
                take_back.clone_from(&edit.written.undo);
            }
            break;
        }
    }
    Ok(Verdict { checked, take_back })
}

/// Runs one check; `room` is what the output of a failure may cost, in tokens.
///
/// # Errors
/// `timed_out` where it was ended because the run's time was over: that says nothing
/// about the edit. Also `cancelled` and `no_command`.
pub(super) fn run_check(
    root: &Root,
    check: &Check,
    room: usize,
    cancel: &Cancel,
) -> Result<CheckedBy> {
    let ended = run_limited(&check.command, root.dir(), check.time, cancel)?;
    if ended.status.is_none() {
        cancel.check()?;
    }
    let ok = ended.status == Some(0);
    let output = if ok || ended.output.trim().is_empty() {
        String::new()
    } else {
        // Output of which not even the failures fit is named all the same.
        let label = format!("check {}", check.name);
        shorten_text(root, &ended.output, &label, Kind::BuildLog, room)
            .unwrap_or_else(|e| format!("{e}\n"))
    };
    Ok(CheckedBy {
        name: check.name.clone(),
        ok,
        ended: match ended.status {
            Some(status) => format!("exit status {status}"),
            None => "its time was over".to_string(),
        },
        output,
    })
}

/// Takes the edit back, if that has not been done; returns the entry of the undo.
pub(super) fn roll_back(root: &Root, id: &str) -> Result<String> {
    let done = history(root)
        .into_iter()
        .find(|e| e.undoes.as_deref() == Some(id));
    match done {
        Some(entry) => Ok(entry.id),
        None => Ok(undo(root, Some(id))?.id),
    }
}

/// A diff that costs at most `room` tokens; what is omitted is kept.
pub(super) fn shorten_diff(root: &Root, diff: &str, room: usize) -> Result<String> {
    if tokens::fits(diff, room) {
        return Ok(diff.to_string());
    }
    shorten_text(root, diff, "diff", Kind::Diff, room)
}

/// A text cut to `room` tokens; what is omitted goes to the root's store.
fn shorten_text(root: &Root, text: &str, label: &str, kind: Kind, room: usize) -> Result<String> {
    let options = Options {
        kind: Some(kind),
        size: Size::Budget(room),
        ..Options::default()
    };
    let store = Store::for_root(root)?;
    Ok(compact_stored(text, &options, &store, label)?.text)
}
