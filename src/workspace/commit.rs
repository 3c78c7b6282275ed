//! Several files written all or nothing, and surviving a crash.
//!
//! The undo entry is the intent record of a write-ahead log: it holds every
//! file's bytes before and after and is on the disk before the first file
//! changes. A crash leaves an entry marked `pending`; [`super::recover()`]
//! completes it. Each single file is written beside its place and renamed over
//! it, so that a reader sees the old content or the new, never a part.

use super::crash::step;
use super::entry::{FileRecord, MANIFEST, Manifest, PENDING, numbers};
use super::recover::{Recovered, recover_locked};
use super::replace::{content, put};
use super::root::{FilePath, Root};
use super::state::{State, hash, no_state, sync_dir, write_whole};
use crate::error::{Error, Result};
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

/// One file's change. `None` stands for a file that does not exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The file.
    pub path: FilePath,
    /// Its bytes as they were read.
    pub before: Option<Vec<u8>>,
    /// Its bytes as they shall be.
    pub after: Option<Vec<u8>>,
}

/// What a commit has done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Committed {
    /// The undo entry's id, such as `u12`.
    pub id: String,
    /// What an earlier, cut short commit needed before this one could start.
    pub recovered: Vec<Recovered>,
}

/// Undo entries kept for one root.
const MAX_ENTRIES: usize = 500;

/// Writes all the changes or none, with an undo entry named by `label`.
///
/// A commit that a crash cut short before is completed first. One commit at a
/// time per root: others wait.
///
/// # Errors
/// `stale_file` (refused) if a file is not as `before` says; `unwritable` if a
/// write failed, in which case the files written so far were put back;
/// `no_state` if the undo entry cannot be kept; and what [`super::recover()`] gives.
pub fn commit(root: &Root, changes: &[Change], label: &str) -> Result<Committed> {
    let state = State::for_root(root)?;
    let _lock = state.lock()?;
    let recovered = recover_locked(root, &state)?;
    let id = commit_locked(&state, changes, label, None)?;
    Ok(Committed { id, recovered })
}

/// [`commit`] under a lock that the caller holds.
pub(super) fn commit_locked(
    state: &State,
    changes: &[Change],
    label: &str,
    undoes: Option<&str>,
) -> Result<String> {
    for change in changes {
        check_fresh(change)?;
    }
    let entries = state.folder("undo")?;
    let numbers = numbers(&entries);
    let id = format!("u{}", numbers.last().copied().unwrap_or(0) + 1);
    let entry = entries.join(&id);
    write_entry(&entries, &entry, changes, label, undoes).map_err(|e| no_state(&entry, &e))?;
    step("entry");

    for (n, change) in changes.iter().enumerate() {
        if let Err(e) = put(&change.path.abs, change.after.as_deref(), &id) {
            for done in &changes[..=n] {
                // Best effort: the entry stays pending if a file cannot be put back.
                let _ = put(&done.path.abs, done.before.as_deref(), &id);
            }
            let clean = changes.iter().all(|c| check_fresh(c).is_ok());
            if clean {
                let _ = fs::remove_dir_all(&entry);
            }
            return Err(Error::failure(
                "unwritable",
                format!("{} cannot be written: {e}.", change.path.rel),
                if clean {
                    "Nothing was changed. Check the permissions of the file and its folder."
                } else {
                    "Some files could not be put back: run `trimtab doctor`."
                },
            ));
        }
        step("file");
    }
    fs::remove_file(entry.join(PENDING)).map_err(|e| no_state(&entry, &e))?;
    sync_dir(&entry);
    step("done");
    for old in numbers
        .iter()
        .take((numbers.len() + 1).saturating_sub(MAX_ENTRIES))
    {
        let _ = fs::remove_dir_all(entries.join(format!("u{old}")));
    }
    Ok(id)
}

/// Refuses where the file is not as it was read.
fn check_fresh(change: &Change) -> Result<()> {
    let now = content(&change.path.abs).map_err(|e| {
        Error::failure(
            "unreadable",
            format!("{} cannot be read: {e}.", change.path.rel),
            "Check the file's permissions.",
        )
    })?;
    if now == change.before {
        return Ok(());
    }
    let what = match (&now, &change.before) {
        (Some(_), None) => "exists already",
        (None, _) => "was deleted",
        _ => "changed",
    };
    Err(Error::refused(
        "stale_file",
        format!(
            "{} {what} since it was read; nothing was written.",
            change.path.rel
        ),
        "Read the file again and repeat the edit.",
    ))
}

/// Writes the entry under a name that recovery ignores, then renames it.
fn write_entry(
    entries: &Path,
    entry: &Path,
    changes: &[Change],
    label: &str,
    undoes: Option<&str>,
) -> io::Result<()> {
    let draft = entries.join("draft");
    match fs::remove_dir_all(&draft) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
        _ => fs::create_dir(&draft)?,
    }
    let keep = |bytes: &Option<Vec<u8>>| -> io::Result<Option<String>> {
        let Some(bytes) = bytes else { return Ok(None) };
        let name = hash(bytes);
        let path = draft.join(&name);
        if !path.exists() {
            let mut file = File::create(&path)?;
            file.write_all(bytes)?;
            file.sync_all()?;
        }
        Ok(Some(name))
    };
    let mut files = Vec::with_capacity(changes.len());
    for change in changes {
        files.push(FileRecord {
            rel: change.path.rel.clone(),
            before: keep(&change.before)?,
            after: keep(&change.after)?,
        });
    }
    let manifest = Manifest {
        label: label.to_string(),
        files,
        undoes: undoes.map(str::to_string),
    };
    let manifest = serde_json::to_vec_pretty(&manifest).map_err(io::Error::other)?;
    write_whole(&draft.join(MANIFEST), &manifest, true)?;
    write_whole(&draft.join(PENDING), b"", true)?;
    step("draft");
    fs::rename(&draft, entry)?;
    sync_dir(entries);
    Ok(())
}
