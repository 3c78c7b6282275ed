//! The undo history of a root, and commits taken back.

use super::commit::{Change, commit_locked};
use super::entry::{numbers, read_manifest};
use super::recover::recover_locked;
use super::root::Root;
use super::state::{State, no_state};
use crate::error::{Error, Result};
use std::fs;

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
}
