use super::commit::{
    Change, FileRecord, MANIFEST, Manifest, PENDING, commit_locked, content, hard_links, put,
    temp_path,
};
use super::state::{State, hash, no_state, sync_dir};
use super::{FilePath, Root};
use crate::error::{Error, Result};
use std::fs;
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

/// One line of the undo history.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Entry {
    /// Such as `u12`.
    pub id: String,
    /// What was done.
    pub label: String,
    /// The files it changed, relative to the root.
    pub files: Vec<String>,
    /// The entry it took back, if it is an undo.
    pub undoes: Option<String>,
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

/// The undo history, oldest first.
pub fn history(root: &Root) -> Vec<Entry> {
    let Some(state) = State::existing(root) else {
        return Vec::new();
    };
    let entries = state.dir().join("undo");
    numbers(&entries)
        .into_iter()
        .filter_map(|n| {
            let id = format!("u{n}");
            let manifest = read_manifest(&entries.join(&id)).ok()?;
            Some(Entry {
                id,
                label: manifest.label,
                files: manifest.files.into_iter().map(|f| f.rel).collect(),
                undoes: manifest.undoes,
            })
        })
        .collect()
}

/// Takes a commit back, by default the last one that was not taken back, if its
/// files are still as it left them. The undo is itself an entry, so that it can
/// be undone by its id.
///
/// # Errors
/// `nothing_to_undo`, `unknown_undo`, `stale_file` (refused) where a file was
/// changed since, and what [`super::commit()`] gives.
pub fn undo(root: &Root, id: Option<&str>) -> Result<Entry> {
    let state = State::for_root(root)?;
    let _lock = state.lock()?;
    recover_locked(root, &state)?;
    let all = history(root);
    let entry = match id {
        Some(id) => all.iter().find(|e| e.id == id).ok_or_else(|| {
            Error::not_found(
                "unknown_undo",
                format!("There is no undo entry {id:?}."),
                "`trimtab undo --list` shows the entries of this root.",
            )
        })?,
        None => all
            .iter()
            .rev()
            .find(|e| e.undoes.is_none() && !all.iter().any(|u| u.undoes.as_deref() == Some(&e.id)))
            .ok_or_else(|| {
                Error::not_found(
                    "nothing_to_undo",
                    "No edit of this root is left to undo.",
                    "",
                )
            })?,
    };
    let folder = state.dir().join("undo").join(&entry.id);
    let manifest = read_manifest(&folder).map_err(|e| no_state(&folder, &e))?;
    let blob = |name: &Option<String>| -> Result<Option<Vec<u8>>> {
        name.as_ref()
            .map(|n| fs::read(folder.join(n)).map_err(|e| no_state(&folder, &e)))
            .transpose()
    };
    let mut changes = Vec::with_capacity(manifest.files.len());
    for file in &manifest.files {
        changes.push(Change {
            path: root.resolve(&file.rel)?,
            before: blob(&file.after)?,
            after: blob(&file.before)?,
        });
    }
    let label = format!("undo {}", entry.id);
    let new = commit_locked(&state, &changes, &label, Some(&entry.id))?;
    Ok(Entry {
        id: new,
        label,
        files: entry.files.clone(),
        undoes: Some(entry.id.clone()),
    })
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
fn finish(entry: &Path, file: &FileRecord, path: &FilePath, id: &str) -> std::io::Result<bool> {
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

/// The numbers of the undo entries, in order.
pub(super) fn numbers(entries: &Path) -> Vec<u64> {
    let mut found: Vec<u64> = fs::read_dir(entries)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|e| e.file_name().to_str()?.strip_prefix('u')?.parse().ok())
        .collect();
    found.sort_unstable();
    found
}

fn read_manifest(entry: &Path) -> std::io::Result<Manifest> {
    let bytes = fs::read(entry.join(MANIFEST))?;
    serde_json::from_slice(&bytes).map_err(std::io::Error::other)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::commit;

    struct Place {
        _dir: tempfile::TempDir,
        root: Root,
    }

    fn place() -> Place {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("tree")).unwrap();
        let root = Root::open(&dir.path().join("tree")).unwrap();
        Place {
            root: root.with_home(dir.path()),
            _dir: dir,
        }
    }

    impl Place {
        fn change(&self, rel: &str, before: Option<&str>, after: Option<&str>) -> Change {
            Change {
                path: self.root.resolve(rel).unwrap(),
                before: before.map(|s| s.into()),
                after: after.map(|s| s.into()),
            }
        }
        fn read(&self, rel: &str) -> Option<String> {
            fs::read_to_string(self.root.dir().join(rel)).ok()
        }
        fn names(&self) -> Vec<String> {
            let mut names: Vec<_> = fs::read_dir(self.root.dir())
                .unwrap()
                .map(|e| e.unwrap().file_name().to_string_lossy().into_owned())
                .collect();
            names.sort();
            names
        }
    }

    #[test]
    fn several_files_are_written_and_taken_back() {
        let p = place();
        fs::write(p.root.dir().join("a"), "old").unwrap();
        fs::write(p.root.dir().join("gone"), "bye").unwrap();
        let changes = [
            p.change("a", Some("old"), Some("new")),
            p.change("deep/b", None, Some("made")),
            p.change("gone", Some("bye"), None),
        ];
        assert_eq!(commit(&p.root, &changes, "edit").unwrap().id, "u1");
        assert_eq!(p.read("a").as_deref(), Some("new"));
        assert_eq!(p.read("deep/b").as_deref(), Some("made"));
        assert_eq!(p.read("gone"), None);

        let undone = undo(&p.root, None).unwrap();
        assert_eq!(
            (undone.id.as_str(), undone.undoes.as_deref()),
            ("u2", Some("u1"))
        );
        assert_eq!(p.read("a").as_deref(), Some("old"));
        assert_eq!(p.read("deep/b"), None);
        assert_eq!(p.read("gone").as_deref(), Some("bye"));
        assert_eq!(undo(&p.root, None).unwrap_err().code, "nothing_to_undo");
        // An undo can be undone.
        undo(&p.root, Some("u2")).unwrap();
        assert_eq!(p.read("a").as_deref(), Some("new"));
        assert_eq!(undo(&p.root, Some("u9")).unwrap_err().code, "unknown_undo");
    }

    #[test]
    fn a_stale_file_stops_all_of_a_commit() {
        let p = place();
        fs::write(p.root.dir().join("a"), "1").unwrap();
        fs::write(p.root.dir().join("b"), "changed meanwhile").unwrap();
        let changes = [
            p.change("a", Some("1"), Some("2")),
            p.change("b", Some("1"), Some("2")),
        ];
        assert_eq!(
            commit(&p.root, &changes, "x").unwrap_err().code,
            "stale_file"
        );
        assert_eq!(p.read("a").as_deref(), Some("1"));
        assert!(history(&p.root).is_empty());
        // Nor is an edit undone that somebody built upon.
        commit(&p.root, &changes[..1], "x").unwrap();
        fs::write(p.root.dir().join("a"), "3").unwrap();
        assert_eq!(undo(&p.root, None).unwrap_err().code, "stale_file");
        assert_eq!(p.read("a").as_deref(), Some("3"));
    }

    #[test]
    fn a_failed_write_puts_the_others_back() {
        let p = place();
        fs::write(p.root.dir().join("a"), "1").unwrap();
        fs::write(p.root.dir().join("b"), "1").unwrap();
        let mut readonly = fs::metadata(p.root.dir().join("b")).unwrap().permissions();
        readonly.set_readonly(true);
        fs::set_permissions(p.root.dir().join("b"), readonly).unwrap();
        let changes = [
            p.change("a", Some("1"), Some("2")),
            p.change("b", Some("1"), Some("2")),
        ];
        assert_eq!(
            commit(&p.root, &changes, "x").unwrap_err().code,
            "unwritable"
        );
        assert_eq!(p.read("a").as_deref(), Some("1"));
        assert_eq!(p.names(), ["a", "b"]);
        assert!(history(&p.root).is_empty());
    }

    #[cfg(unix)]
    #[test]
    fn permissions_and_links_stay() {
        use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
        let p = place();
        let at = |n: &str| p.root.dir().join(n);
        fs::write(at("a"), "1").unwrap();
        fs::set_permissions(at("a"), fs::Permissions::from_mode(0o750)).unwrap();
        symlink("a", at("link")).unwrap();
        fs::write(at("h1"), "one").unwrap();
        fs::hard_link(at("h1"), at("h2")).unwrap();
        let changes = [
            p.change("link", Some("1"), Some("22")),
            p.change("h1", Some("one"), Some("2")),
        ];
        commit(&p.root, &changes, "x").unwrap();
        assert!(at("link").is_symlink());
        assert_eq!(p.read("a").as_deref(), Some("22"));
        assert_eq!(fs::metadata(at("a")).unwrap().mode() & 0o777, 0o750);
        assert_eq!(p.read("h2").as_deref(), Some("2"));
        assert_eq!(fs::metadata(at("h2")).unwrap().nlink(), 2);
    }

    #[test]
    fn torn_writes_are_told_from_foreign_ones() {
        assert!(is_torn(b"NEd text", b"old text", b"NEW"));
        assert!(is_torn(b"NEW TEXT LO", b"old", b"NEW TEXT LONG"));
        assert!(is_torn(b"NEWtext", b"oldtext", b"NEW"));
        assert!(!is_torn(b"other", b"old text", b"NEW"));
        assert!(!is_torn(b"old text!", b"old text", b"NEW"));
    }
}
