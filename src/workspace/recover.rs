//! Commits that a crash cut short, completed from their undo entries.

use super::entry::{FileRecord, PENDING, numbers, read_manifest};
use super::replace::{content, hard_links, put, temp_path};
use super::root::{FilePath, Root};
use super::state::{State, hash, no_state, sync_dir};
use crate::error::Result;
use std::fs;
use std::io;
use std::path::Path;

/// A commit that had been cut short and was completed now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recovered {
    /// Its undo entry, such as `u12`.
    pub id: String,
    /// What it was.
    pub label: String,
    /// Files that somebody else had changed meanwhile; they were left as they are.
    pub left: Vec<String>,
}

impl std::fmt::Display for Recovered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "completed {} ({}), which had been cut short",
            self.id, self.label
        )?;
        if !self.left.is_empty() {
            write!(
                f,
                "; left as somebody changed them: {}",
                self.left.join(", ")
            )?;
        }
        Ok(())
    }
}

/// Completes what a crash cut short.
///
/// # Errors
/// `no_state` if the state cannot be read or a file cannot be written.
pub fn recover(root: &Root) -> Result<Vec<Recovered>> {
    if unfinished(root).is_empty() {
        return Ok(Vec::new());
    }
    let state = State::for_root(root)?;
    let _lock = state.lock()?;
    recover_locked(root, &state)
}

/// The undo entries of commits that were cut short, oldest first.
pub fn unfinished(root: &Root) -> Vec<String> {
    let Some(state) = State::existing(root) else {
        return Vec::new();
    };
    let entries = state.dir().join("undo");
    numbers(&entries)
        .into_iter()
        .map(|n| format!("u{n}"))
        .filter(|id| entries.join(id).join(PENDING).exists())
        .collect()
}

pub(super) fn recover_locked(root: &Root, state: &State) -> Result<Vec<Recovered>> {
    let entries = state.dir().join("undo");
    let mut done = Vec::new();
    for n in numbers(&entries) {
        let id = format!("u{n}");
        let entry = entries.join(&id);
        if !entry.join(PENDING).exists() {
            continue;
        }
        let manifest = read_manifest(&entry).map_err(|e| no_state(&entry, &e))?;
        let mut left = Vec::new();
        for file in &manifest.files {
            let path = root.resolve(&file.rel)?;
            let _ = fs::remove_file(temp_path(&path.abs, &id));
            if !finish(&entry, file, &path, &id).map_err(|e| no_state(&path.abs, &e))? {
                left.push(file.rel.clone());
            }
        }
        fs::remove_file(entry.join(PENDING)).map_err(|e| no_state(&entry, &e))?;
        sync_dir(&entry);
        done.push(Recovered {
            id,
            label: manifest.label,
            left,
        });
    }
    Ok(done)
}

/// Brings one file of a cut short commit to its new content. False where it is
/// neither old nor new, so that somebody else must have written it.
fn finish(entry: &Path, file: &FileRecord, path: &FilePath, id: &str) -> io::Result<bool> {
    let now = content(&path.abs)?;
    let name = now.as_deref().map(hash);
    if name == file.after {
        return Ok(true);
    }
    let blob = |name: &Option<String>| name.as_ref().map(|n| fs::read(entry.join(n))).transpose();
    let after = blob(&file.after)?;
    if name == file.before {
        put(&path.abs, after.as_deref(), id)?;
        return Ok(true);
    }
    // Only a file with several hard links is written in place.
    let linked = fs::metadata(&path.abs).is_ok_and(|m| hard_links(&m) > 1);
    if let (true, Some(now), Some(old), Some(new)) = (linked, now, blob(&file.before)?, &after)
        && is_torn(&now, &old, new)
    {
        put(&path.abs, Some(new), id)?;
        return Ok(true);
    }
    Ok(false)
}

/// Whether `now` is the start of `new` written over `old`.
fn is_torn(now: &[u8], old: &[u8], new: &[u8]) -> bool {
    let written = now.iter().zip(new).take_while(|(a, b)| a == b).count();
    now.len() == old.len().max(written) && now[written..] == old[written.min(old.len())..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn torn_writes_are_told_from_foreign_ones() {
        assert!(is_torn(b"NEd text", b"old text", b"NEW"));
        assert!(is_torn(b"NEW TEXT LO", b"old", b"NEW TEXT LONG"));
        assert!(is_torn(b"NEWtext", b"oldtext", b"NEW"));
        assert!(!is_torn(b"other", b"old text", b"NEW"));
        assert!(!is_torn(b"old text!", b"old text", b"NEW"));
    }
}
