//! Everything that this machine can measure, in one report.

use super::replay::Replay;
use super::tasks::Report;
use crate::error::{Error, Result};
use crate::search::{Engine, Request};
use crate::workspace::{Cancel, Root, Scope, walk};
use serde::Serialize;
use std::fs;
use std::path::Path;
use std::time::Instant;

/// A search is timed so often; the middle time counts.
const TIMES: usize = 7;
/// Parts of the tree that are searched: each twice the one before.
const PARTS: usize = 5;

/// How long a search takes over a part of a tree.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Latency {
    /// Files searched.
    pub files: usize,
    /// Their bytes.
    pub bytes: u64,
    /// The middle of seven times, in milliseconds, without an index.
    pub milliseconds: f64,
}

/// What [`super::bench`], [`super::replay`] and [`latency`] came to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Overall {
    /// trimtab's version.
    pub version: &'static str,
    /// Commands that repeat it, in order.
    pub commands: Vec<String>,
    /// Actions over the root.
    pub tasks: Option<Report>,
    /// Recorded sessions.
    pub replay: Option<Replay>,
    /// Searches over growing parts of the root.
    pub latency: Vec<Latency>,
}

/// Times a search over a sixteenth, an eighth and so on of the root's files, which
/// are copied to a folder under `place` for it.
///
/// # Errors
/// What the walk gives, and `no_tree` where the copy cannot be written.
pub fn latency(root: &Root, place: &Path, cancel: &Cancel) -> Result<Vec<Latency>> {
    let no_tree = |e: std::io::Error| {
        Error::failure(
            "no_tree",
            format!("A part of the tree cannot be laid out: {e}."),
            "Free space in the cache folder.",
        )
    };
    let mut files = walk(root, &Scope::default(), cancel)?;
    // An order in which each part holds a bit of every folder.
    files.sort_by_cached_key(|f| (crate::workspace::hash(f.rel.as_bytes()), f.rel.clone()));
    fs::create_dir_all(place).map_err(no_tree)?;
    let folder = tempfile::tempdir_in(place).map_err(no_tree)?;
    let dir = folder.path().join("tree");
    fs::create_dir(&dir).map_err(no_tree)?;
    let part = Root::open(&dir)?.with_home(folder.path());
    let (mut done, mut bytes) = (0, 0);
    let mut out = Vec::new();
    for share in (0..PARTS).rev() {
        let until = files.len().div_ceil(1 << share);
        for file in &files[done..until] {
            cancel.check()?;
            let to = dir.join(&file.rel);
            if let Some(parent) = to.parent() {
                fs::create_dir_all(parent).map_err(no_tree)?;
            }
            // A file may have gone since the walk.
            if let Ok(copied) = fs::copy(&file.abs, &to) {
                bytes += copied;
            }
        }
        done = until;
        let request = Request::new(["return", "error"]);
        let mut times = Vec::new();
        for _ in 0..TIMES {
            let start = Instant::now();
            Engine::new(&part).search(&request, cancel)?;
            times.push(start.elapsed().as_secs_f64() * 1e3);
        }
        times.sort_by(f64::total_cmp);
        out.push(Latency {
            files: done,
            bytes,
            milliseconds: times[TIMES / 2],
        });
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_grow_to_the_whole_tree() {
        let dir = tempfile::tempdir().unwrap();
        let tree = dir.path().join("tree");
        for n in 0..40 {
            let file = tree.join(format!("d{}/f{n}.rs", n % 4));
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, "return error\n").unwrap();
        }
        let root = Root::open(&tree).unwrap().with_home(dir.path());
        let out = latency(&root, &dir.path().join("cache"), &Cancel::new()).unwrap();
        let files: Vec<usize> = out.iter().map(|l| l.files).collect();
        assert_eq!(files, [3, 5, 10, 20, 40]);
        assert_eq!(out[4].bytes, 40 * 13);
    }
}
