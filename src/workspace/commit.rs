//! Several files written all or nothing, and surviving a crash.
//!
//! The undo entry is the intent record of a write-ahead log: it holds every
//! file's bytes before and after and is on the disk before the first file
//! changes. A crash leaves an entry marked `pending`; [`super::recover()`]
//! completes it. Each single file is written beside its place and renamed over
//! it, so that a reader sees the old content or the new, never a part.

use super::state::{State, hash, no_state, sync_dir, write_whole};
use super::{FilePath, Root};
use crate::error::{Error, Result};
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

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
    pub recovered: Vec<super::Recovered>,
}

/// The record of one commit, kept in its undo entry.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub(super) struct Manifest {
    pub label: String,
    pub files: Vec<FileRecord>,
    /// The entry that this one takes back.
    #[serde(default)]
    pub undoes: Option<String>,
}

/// One file of a [`Manifest`]; the hashes name blobs in the entry's folder.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub(super) struct FileRecord {
    pub rel: String,
    pub before: Option<String>,
    pub after: Option<String>,
}

pub(super) const PENDING: &str = "pending";
pub(super) const MANIFEST: &str = "manifest.json";
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
    let recovered = super::recover::recover_locked(root, &state)?;
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
    let numbers = super::recover::numbers(&entries);
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

/// A file's bytes, `None` where there is no file.
pub(super) fn content(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(e),
    }
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

/// The name beside a file under which its new content is written.
pub(super) fn temp_path(path: &Path, id: &str) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.trimtab-{id}"))
}

/// Gives a file its new content or removes it, as an editor would: permissions
/// stay, a file with several hard links keeps them (it is written in place, and
/// a crash within is mended from the undo entry).
pub(super) fn put(path: &Path, bytes: Option<&[u8]>, id: &str) -> io::Result<()> {
    let dir = path.parent().unwrap_or(Path::new("."));
    let Some(bytes) = bytes else {
        return match fs::remove_file(path) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
            _ => {
                sync_dir(dir);
                Ok(())
            }
        };
    };
    let old = match fs::metadata(path) {
        Ok(meta) => Some(meta),
        Err(e) if e.kind() == io::ErrorKind::NotFound => None,
        Err(e) => return Err(e),
    };
    if let Some(old) = &old {
        if old.permissions().readonly() {
            return Err(io::Error::new(
                io::ErrorKind::PermissionDenied,
                "the file is read-only",
            ));
        }
        if hard_links(old) > 1 {
            let mut file = File::options().write(true).open(path)?;
            file.write_all(bytes)?;
            step("in place");
            file.set_len(bytes.len() as u64)?;
            return file.sync_all();
        }
    } else {
        fs::create_dir_all(dir)?;
    }
    let temp = temp_path(path, id);
    let written = (|| {
        let mut file = File::create(&temp)?;
        file.write_all(&bytes[..bytes.len() / 2])?;
        step("half");
        file.write_all(&bytes[bytes.len() / 2..])?;
        if let Some(old) = &old {
            file.set_permissions(old.permissions())?;
            keep_owner(&temp, old);
        }
        file.sync_all()?;
        step("temp");
        fs::rename(&temp, path)
    })();
    if written.is_err() {
        let _ = fs::remove_file(&temp);
    }
    written?;
    sync_dir(dir);
    Ok(())
}

#[cfg(unix)]
pub(super) fn hard_links(meta: &fs::Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::nlink(meta)
}

#[cfg(not(unix))]
pub(super) fn hard_links(_: &fs::Metadata) -> u64 {
    1
}

/// Only root can give files away; for others the owner is already right.
#[cfg(unix)]
fn keep_owner(temp: &Path, old: &fs::Metadata) {
    use std::os::unix::fs::{MetadataExt, chown};
    let _ = chown(temp, Some(old.uid()), Some(old.gid()));
}

#[cfg(not(unix))]
fn keep_owner(_: &Path, _: &fs::Metadata) {}

/// A place where a test may kill the process; see `tests/crash.rs`.
pub(crate) fn step(_name: &str) {
    #[cfg(debug_assertions)]
    crash::point(_name);
}

#[cfg(debug_assertions)]
mod crash {
    use std::sync::atomic::{AtomicU64, Ordering};

    static PASSED: AtomicU64 = AtomicU64::new(0);

    /// Dies as by `kill -9` at the n-th point, where `TRIMTAB_CRASH_AT` is n.
    pub fn point(_name: &str) {
        if let Some(at) = std::env::var_os("TRIMTAB_CRASH_AT") {
            let n = PASSED.fetch_add(1, Ordering::SeqCst) + 1;
            if at.to_string_lossy().parse() == Ok(n) {
                std::process::abort();
            }
        }
    }
}
