//! What runs learned about a root: which files answered which task.
//!
//! Off unless the user's own configuration says `memory = true`. What is remembered
//! becomes part of a task before its first step: the same task, tree and memory give
//! the same bytes.

use super::config;
use super::outcome::{Outcome, StoppedBy};
use super::task::Task;
use crate::error::{Error, Result};
use crate::workspace::{Root, State};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::io::Write;
use std::path::PathBuf;

/// Tasks that are kept; the oldest goes first.
const KEPT: usize = 200;
/// Files that are kept of a task.
const FILES: usize = 3;
/// Files that are brought to mind for a task.
const HINTS: usize = 5;
/// Words that two tasks must share at least.
const SHARED: usize = 2;

/// A task and the files that answered it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remembered {
    /// The words of the task, sorted.
    pub words: Vec<String>,
    /// The files, the best first.
    pub files: Vec<String>,
}

/// What is remembered of a root, the oldest first.
///
/// # Errors
/// `no_state` where it cannot be read.
pub fn memory(root: &Root) -> Result<Vec<Remembered>> {
    let Some(state) = State::existing(root) else {
        return Ok(Vec::new());
    };
    let text = config::read(&file(&state))?.unwrap_or_default();
    Ok(serde_json::from_str(&text).unwrap_or_default())
}

/// Forgets all of it.
///
/// # Errors
/// `no_state` where that is not possible.
pub fn forget(root: &Root) -> Result<()> {
    match State::existing(root) {
        Some(state) => store(&state, &[]),
        None => Ok(()),
    }
}

/// The files that answered tasks with the same words, the most alike first.
pub(super) fn hints(root: &Root, task: &str) -> Vec<String> {
    let words = words(task);
    let mut alike: Vec<(usize, usize, Remembered)> = Vec::new();
    for (age, known) in memory(root)
        .unwrap_or_default()
        .into_iter()
        .rev()
        .enumerate()
    {
        let shared = known.words.iter().filter(|w| words.contains(*w)).count();
        if shared >= SHARED && shared * 2 >= words.len().min(known.words.len()) {
            alike.push((shared, age, known));
        }
    }
    alike.sort_by_key(|(shared, age, _)| (std::cmp::Reverse(*shared), *age));
    let mut out: Vec<String> = Vec::new();
    for file in alike.into_iter().flat_map(|(_, _, known)| known.files) {
        if out.len() < HINTS && !out.contains(&file) {
            out.push(file);
        }
    }
    out
}

/// Remembers what a run came to: the files that it edited, or that it found first.
pub(super) fn learn(root: &Root, task: &Task, outcome: &Outcome) -> Result<()> {
    let ended = matches!(outcome.stopped_by, StoppedBy::Done | StoppedBy::Tokens);
    if !ended || task.text.trim().is_empty() {
        return Ok(());
    }
    let edited: Vec<&String> = task.edits.iter().map(|e| &e.path).collect();
    let found = outcome.results.iter().map(|hit| &hit.place.path);
    let mut files: Vec<String> = Vec::new();
    let all: Vec<&String> = match task.writes() && !edited.is_empty() {
        true => edited,
        false => found.collect(),
    };
    for file in all {
        if files.len() < FILES && !files.contains(file) {
            files.push(file.clone());
        }
    }
    if files.is_empty() {
        return Ok(());
    }
    let words: Vec<String> = words(&task.text).into_iter().collect();
    let state = State::for_root(root)?;
    // Two runs at once must not lose each other's.
    let _turn = state.lock()?;
    let mut all = memory(root)?;
    all.retain(|known| known.words != words);
    all.push(Remembered { words, files });
    let first = all.len().saturating_sub(KEPT);
    store(&state, all.get(first..).unwrap_or_default())
}

/// The words of a task, small, of three letters or more.
fn words(task: &str) -> BTreeSet<String> {
    task.split(|c: char| !c.is_alphanumeric() && c != '_')
        .filter(|w| w.chars().count() >= 3)
        .map(str::to_lowercase)
        .collect()
}

fn file(state: &State) -> PathBuf {
    state.dir().join("memory.json")
}

fn store(state: &State, all: &[Remembered]) -> Result<()> {
    let text = super::journal::encode(&all)?;
    let path = file(state);
    let write = || -> std::io::Result<()> {
        let mut new = tempfile::NamedTempFile::new_in(state.dir())?;
        new.write_all(text.as_bytes())?;
        new.persist(&path)?;
        Ok(())
    };
    write().map_err(|e| {
        Error::failure(
            "no_state",
            format!("{} cannot be written: {e}.", path.display()),
            "Make that place writable.",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn keep(root: &Root, words: &[&str], file: &str) {
        let state = State::for_root(root).unwrap();
        let mut all = memory(root).unwrap();
        all.push(Remembered {
            words: words.iter().map(|w| (*w).to_string()).collect(),
            files: vec![file.to_string()],
        });
        store(&state, &all).unwrap();
    }

    #[test]
    fn tasks_that_share_words_bring_files_to_mind() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("tree")).unwrap();
        let root = Root::open(&dir.path().join("tree"))
            .unwrap()
            .with_home(dir.path());
        assert_eq!(
            hints(&root, "where are retries capped?"),
            Vec::<String>::new()
        );
        keep(&root, &["capped", "retries", "where"], "src/retry.rs");
        keep(&root, &["canvas", "paint"], "src/paint.rs");
        keep(&root, &["capped", "retries"], "src/cap.rs");
        assert_eq!(
            hints(&root, "Where are RETRIES capped?"),
            ["src/retry.rs", "src/cap.rs"]
        );
        assert_eq!(hints(&root, "paint it"), Vec::<String>::new());
        forget(&root).unwrap();
        assert_eq!(memory(&root).unwrap(), []);
    }
}
