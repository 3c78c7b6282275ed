//! What trimtab keeps for a root: state, cache, index, cut short work.

use super::super::runs;
use super::finding::{Finding, State};
use crate::workspace::{self, Root, Store, history, unfinished};
use std::fs;
use std::path::Path;

pub(super) fn examine(root: &Root) -> Vec<Finding> {
    let mut findings = vec![state(root), cache(root)];
    let cut_short = unfinished(root);
    findings.push(if cut_short.is_empty() {
        Finding::fine("commits", "none was cut short".to_owned())
    } else {
        Finding::new(
            "commits",
            State::Notice,
            format!("cut short: {}", cut_short.join(", ")),
            "trimtab undo --list (completes them first)",
        )
    });
    findings.extend(left_runs(root));
    findings
}

fn state(root: &Root) -> Finding {
    let opened = workspace::State::for_root(root).and_then(|s| Store::for_root(root).map(|_| s));
    let state = match opened {
        Ok(state) => state,
        Err(e) => return Finding::new("state", State::Wrong, e.message, &e.next),
    };
    let dir = state.dir();
    if let Some(finding) = unwritable("state", State::Wrong, dir) {
        return finding;
    }
    let entries = history(root).len();
    let kilobytes = size(dir).div_ceil(1024);
    let found = format!("{} ({kilobytes} KB, {entries} undo entries)", dir.display());
    Finding::fine("state", found)
}

fn cache(root: &Root) -> Finding {
    let dir = match workspace::State::cache_dir(root) {
        Ok(dir) => dir,
        Err(e) => return Finding::new("cache", State::Notice, e.message, &e.next),
    };
    let _ = fs::create_dir_all(&dir);
    if let Some(finding) = unwritable("cache", State::Notice, &dir) {
        return finding;
    }
    let shown = dir.display();
    let found = match size(&dir) {
        0 => format!("{shown} (no index yet; a server of a large root makes one)"),
        bytes => format!("{shown} (an index of {} KB)", bytes.div_ceil(1024)),
    };
    Finding::fine("cache", found)
}

/// Something to say where no file can be made.
fn unwritable(what: &str, state: State, dir: &Path) -> Option<Finding> {
    let failed = tempfile::Builder::new()
        .prefix(".doctor")
        .tempfile_in(dir)
        .err()?;
    let shown = dir.display();
    Some(Finding::new(
        what,
        state,
        format!("{shown} cannot be written: {failed}"),
        &format!("chmod -R u+rwX {shown} (and see to it that the disk is not full)"),
    ))
}

/// Runs that a later call can go on with.
fn left_runs(root: &Root) -> Option<Finding> {
    let runs = match runs(root) {
        Ok(runs) => runs,
        Err(e) => return Some(Finding::new("runs", State::Wrong, e.message, &e.next)),
    };
    let of = |status: &str| -> Vec<String> {
        let found = runs.iter().filter(|r| r.status == status);
        found.map(|r| r.id.clone()).collect()
    };
    let (killed, waiting) = (of("killed"), of("waiting"));
    let mut found = Vec::new();
    if !killed.is_empty() {
        found.push(format!("cut short: {}", killed.join(", ")));
    }
    if !waiting.is_empty() {
        found.push(format!("waiting for approval: {}", waiting.join(", ")));
    }
    (!found.is_empty()).then(|| {
        Finding::new(
            "runs",
            State::Notice,
            found.join("; "),
            "trimtab run --resume ID, trimtab runs approve ID",
        )
    })
}

/// Bytes of the files in a folder, as far as they can be read.
fn size(dir: &Path) -> u64 {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| {
            let data = entry.metadata().ok()?;
            Some(if data.is_dir() {
                size(&entry.path())
            } else {
                data.len()
            })
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn index_is_told_of_once_there_is_one() {
        let home = tempfile::tempdir().unwrap();
        let root = Root::open(home.path()).unwrap().with_home(home.path());
        assert!(cache(&root).found.contains("no index yet"));
        let dir = workspace::State::cache_dir(&root).unwrap();
        fs::write(dir.join("index"), [0; 2000]).unwrap();
        assert!(cache(&root).found.contains("an index of 2 KB"));
    }

    #[test]
    fn folder_that_is_a_file_cannot_be_written() {
        let home = tempfile::tempdir().unwrap();
        let root = Root::open(home.path()).unwrap().with_home(home.path());
        let dir = workspace::State::cache_dir(&root).unwrap();
        fs::create_dir_all(dir.parent().unwrap()).unwrap();
        fs::write(&dir, "").unwrap();
        let found = cache(&root);
        assert_eq!(found.state, State::Notice);
        assert!(found.mend.starts_with("chmod -R u+rwX "));
    }
}
