//! The root: its files, what is ignored of them, and how changes are noticed.

use super::finding::{Finding, State};
use crate::workspace::{Cancel, FilePath, Fresh, Root, Scope, WatchLimits, walk};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Files beyond which a search is noticeably slow, mostly because something is
/// not ignored that should be.
const MANY_FILES: usize = 100_000;

pub(super) fn examine(root: &Root, cancel: &Cancel) -> Vec<Finding> {
    let dir = root.dir();
    let mut findings = Vec::new();
    let shown = dir.display();
    let broad = dir.parent().is_none() || std::env::home_dir().is_some_and(|home| home == dir);
    findings.push(if broad {
        Finding::new(
            "root",
            State::Notice,
            format!("{shown} is no project, but a whole home folder or file system"),
            "give the project's folder: --root DIR",
        )
    } else {
        Finding::fine("root", shown.to_string())
    });
    if fs::metadata(dir).is_ok_and(|m| m.permissions().readonly()) {
        findings.push(Finding::new(
            "writing",
            State::Notice,
            "the root is read-only, so apply cannot work".to_owned(),
            "trimtab mcp --read-only, or make it writable",
        ));
    }
    let all = Scope {
        hidden: true,
        ..Scope::default()
    };
    let seen = match walk(root, &Scope::default(), cancel) {
        Ok(seen) => seen,
        Err(e) => {
            findings.push(Finding::new("files", State::Wrong, e.message, &e.next));
            return findings;
        }
    };
    let hidden = walk(root, &all, cancel).map_or(0, |all| all.len().saturating_sub(seen.len()));
    findings.push(searched(seen.len(), hidden));
    findings.push(rules(dir));
    findings.push(watcher(
        folders(&seen),
        Fresh::new(root).is_watching(),
        &WatchLimits::of_system(),
    ));
    findings
}

fn searched(seen: usize, hidden: usize) -> Finding {
    let found = format!("{seen} are searched, {hidden} are hidden");
    if seen == 0 {
        Finding::new(
            "files",
            State::Notice,
            format!("none is searched; {hidden} are hidden, the others ignored"),
            "look through .gitignore and .ignore, or choose another --root",
        )
    } else if seen > MANY_FILES {
        Finding::new(
            "files",
            State::Notice,
            found,
            "list generated and vendored folders in .gitignore or .ignore",
        )
    } else {
        Finding::fine("files", found)
    }
}

/// Which files say what is ignored.
fn rules(dir: &Path) -> Finding {
    let is_repository = dir.ancestors().any(|d| d.join(".git").exists());
    let here = |name: &&str| dir.join(name).is_file();
    let names: Vec<&str> = [".gitignore", ".ignore", ".rgignore"]
        .into_iter()
        .filter(here)
        .collect();
    if names.contains(&".gitignore") && !is_repository {
        return Finding::new(
            "ignore rules",
            State::Notice,
            ".gitignore counts in a git repository only, and this is none".to_owned(),
            "git init, or rename it to .ignore",
        );
    }
    Finding::fine(
        "ignore rules",
        match (names.as_slice(), is_repository) {
            ([], true) => "those of the git repository around it".to_owned(),
            ([], false) => "none, nothing is ignored".to_owned(),
            (names, _) => names.join(", "),
        },
    )
}

/// Folders that have to be watched for these files: theirs and all above them.
fn folders(files: &[FilePath]) -> u64 {
    let mut folders = BTreeSet::from([Path::new("")]);
    for file in files {
        let above = Path::new(&file.rel).ancestors().skip(1);
        for folder in above {
            if !folders.insert(folder) {
                break;
            }
        }
    }
    folders.len() as u64
}

fn watcher(folders: u64, is_watching: bool, limits: &WatchLimits) -> Finding {
    if let Some(watches) = limits.watches.filter(|most| *most < folders) {
        return Finding::new(
            "watcher",
            State::Notice,
            format!(
                "{folders} folders, but only {watches} may be watched, so each search compares \
                 the stamps of all files"
            ),
            &format!(
                "sudo sysctl fs.inotify.max_user_watches={}",
                (folders * 4).max(65_536)
            ),
        );
    }
    match (is_watching, limits.watches, limits.instances) {
        (true, Some(watches), _) => {
            Finding::fine("watcher", format!("{folders} folders of at most {watches}"))
        }
        (true, None, _) => Finding::fine("watcher", format!("{folders} folders")),
        (false, _, Some(instances)) => Finding::new(
            "watcher",
            State::Notice,
            format!(
                "changes are not reported: no local file system, or all {instances} watchers \
                 of the user are taken, so each search compares the stamps of all files"
            ),
            &format!(
                "sudo sysctl fs.inotify.max_user_instances={}, or a root on a local disk",
                (instances * 2).max(512)
            ),
        ),
        (false, ..) => Finding::fine(
            "watcher",
            "none on this system; each search compares the stamps of all files".to_owned(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn watcher_is_held_against_its_limits() {
        let limits = |watches, instances| WatchLimits { watches, instances };
        let of = |is_watching, limits| {
            let found = watcher(9_000, is_watching, &limits);
            (found.state, found.mend)
        };
        let fine = (State::Fine, String::new());
        assert_eq!(of(true, limits(Some(9_000), Some(128))), fine);
        assert_eq!(of(true, limits(None, None)), fine);
        assert_eq!(of(false, limits(None, None)), fine);
        let (state, mend) = of(true, limits(Some(8_999), Some(128)));
        assert_eq!(state, State::Notice);
        assert_eq!(mend, "sudo sysctl fs.inotify.max_user_watches=65536");
        let (state, mend) = of(false, limits(Some(65_536), Some(128)));
        assert_eq!(state, State::Notice);
        assert!(mend.starts_with("sudo sysctl fs.inotify.max_user_instances=512"));
    }

    #[test]
    fn folders_are_counted_once_with_those_above() {
        let files = ["a/b/c/1.rs", "a/b/2.rs", "a/b/c/3.rs", "4.rs"].map(|rel| FilePath {
            rel: rel.to_owned(),
            abs: rel.into(),
        });
        assert_eq!(folders(&files), 4);
        assert_eq!(folders(&[]), 1);
    }

    #[test]
    fn git_rules_outside_a_repository_are_pointed_out() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(rules(dir.path()).found, "none, nothing is ignored");
        fs::write(dir.path().join(".gitignore"), "*.o\n").unwrap();
        assert_eq!(rules(dir.path()).state, State::Notice);
        fs::create_dir(dir.path().join(".git")).unwrap();
        assert_eq!(rules(dir.path()).found, ".gitignore");
    }
}
