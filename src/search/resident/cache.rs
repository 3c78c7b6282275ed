//! The cache folder: one folder per root, with its index.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// Removes what builds that were cut off longer than `age` ago have left beside an
/// index.
pub(super) fn remove_abandoned(index: &Path, age: Duration) {
    let (Some(dir), Some(name)) = (index.parent(), index.file_name()) else {
        return;
    };
    let prefix = format!("{}.", name.to_string_lossy());
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let old = modified(&entry.path()).is_some_and(|at| {
            let since = SystemTime::now().duration_since(at);
            since.is_ok_and(|since| since > age)
        });
        if old && entry.file_name().to_string_lossy().starts_with(&prefix) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Notes that an index was used just now.
pub(super) fn mark_used(index: &Path) {
    // Where that fails it is removed a little sooner than need be.
    let _ = File::options()
        .append(true)
        .open(index)
        .and_then(|f| f.set_modified(SystemTime::now()));
}

/// Removes what was used longest ago until the indexes of all roots, called `name` in
/// the folders in `dir`, have at most so many bytes.
pub(super) fn limit(dir: &Path, name: &str, most: u64) {
    let folders = fs::read_dir(dir).into_iter().flatten().flatten();
    let mut all: Vec<(SystemTime, PathBuf, u64)> = folders
        .filter_map(|folder| {
            let index = folder.path().join(name);
            let size = index.metadata().ok()?.len();
            Some((modified(&index)?, index, size))
        })
        .collect();
    all.sort();
    let mut total: u64 = all.iter().map(|(_, _, size)| size).sum();
    for (_, index, size) in all {
        if total <= most {
            return;
        }
        // A process that uses it has it open and keeps it.
        if fs::remove_file(&index).is_ok() {
            total -= size;
        }
    }
}

fn modified(path: &Path) -> Option<SystemTime> {
    path.metadata().ok()?.modified().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(path: &Path, bytes: usize, seconds_ago: u64) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, vec![0; bytes]).unwrap();
        let at = SystemTime::now() - Duration::from_secs(seconds_ago);
        let file = File::options().append(true).open(path).unwrap();
        file.set_modified(at).unwrap();
    }

    #[test]
    fn what_was_used_longest_ago_goes_first() {
        let dir = tempfile::tempdir().unwrap();
        let place = |root: &str| dir.path().join(root).join("trigrams");
        put(&place("old"), 100, 900);
        put(&place("older"), 100, 1000);
        put(&place("new"), 100, 10);
        mark_used(&place("older"));
        limit(dir.path(), "trigrams", 200);
        assert!(!place("old").exists());
        assert!(place("older").exists() && place("new").exists());
    }

    #[test]
    fn only_old_leftovers_of_builds_go() {
        let dir = tempfile::tempdir().unwrap();
        let index = dir.path().join("trigrams");
        put(&index, 1, 9000);
        put(&dir.path().join("trigrams.77.0"), 1, 9000);
        put(&dir.path().join("trigrams.78.0"), 1, 10);
        remove_abandoned(&index, Duration::from_secs(3600));
        assert!(index.exists() && dir.path().join("trigrams.78.0").exists());
        assert!(!dir.path().join("trigrams.77.0").exists());
    }
}
