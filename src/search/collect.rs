//! Which files match: all of them in one parallel walk, or the first lines in
//! order of paths.

use super::query::{Kind, Query};
use super::request::Request;
use super::scan::{FileHits, Hits, Keep, Mask, Scanner};
use crate::error::Result;
use crate::workspace::{Cancel, FilePath, Root, Visited, visit, walk};
use rayon::prelude::*;
use std::sync::{Arc, Mutex, PoisonError};

/// Files scanned at once between two looks at a limit: few at first, because a frequent
/// word reaches it soon and the rest would be read for nothing; then twice as many each
/// time, up to what keeps all threads busy.
const FIRST_BATCH: usize = 16;
const BATCH: usize = 256;

/// A file and the queries that may match in it.
#[derive(Debug, Clone)]
pub(super) struct Candidate {
    pub path: Arc<FilePath>,
    pub mask: Mask,
}

/// Files that match, in order of paths.
#[derive(Debug)]
pub(super) struct Collected {
    pub files: Vec<FileHits>,
    /// Why not all files were read, where they were not.
    pub stopped: Result<()>,
}

/// The queries that are matched line by line.
pub(super) fn line_queries(queries: &[Query]) -> Mask {
    queries
        .iter()
        .enumerate()
        .filter(|(_, q)| q.kind != Kind::Words)
        .fold(0, |mask, (i, _)| mask | 1 << i)
}

/// Scans all files of the root in one walk.
pub(super) fn by_walk(
    root: &Root,
    queries: &[Query],
    mask: Mask,
    request: &Request,
    keep: Keep,
    cancel: &Cancel,
) -> Result<Collected> {
    if mask == 0 {
        return Ok(Collected {
            files: Vec::new(),
            stopped: Ok(()),
        });
    }
    if request.limit.is_some() {
        let files = walk(root, &request.scope(), cancel)?;
        let candidates: Vec<Candidate> = files
            .into_iter()
            .map(|path| Candidate {
                path: Arc::new(path),
                mask,
            })
            .collect();
        return Ok(by_list(&candidates, queries, request.limit, keep, cancel));
    }
    let all = Mutex::new(Vec::new());
    let stopped = visit(root, &request.scope(), cancel, || {
        let mut scanner = Scanner::new(queries, keep, cancel);
        let all = &all;
        move |file: Visited<'_>| {
            let opened = file.open().ok();
            if let Some(hits) = opened.and_then(|file| scanner.scan_open(file, mask))
                && let Some(path) = file.into_path()
            {
                let mut all = all.lock().unwrap_or_else(PoisonError::into_inner);
                all.push(FileHits { path, hits });
            }
        }
    });
    let mut files = all.into_inner().unwrap_or_else(PoisonError::into_inner);
    // A caller whose time is over gets what was found; one that cancelled only waits.
    let stopped = match stopped {
        Err(e) if e.code == "cancelled" => return Err(e),
        other => other,
    };
    files.par_sort_unstable_by(|a: &FileHits, b: &FileHits| a.path.cmp(&b.path));
    Ok(Collected { files, stopped })
}

/// Scans a list of files, in the given order; stops each query at its limit of lines.
pub(super) fn by_list(
    candidates: &[Candidate],
    queries: &[Query],
    limit: Option<usize>,
    keep: Keep,
    cancel: &Cancel,
) -> Collected {
    let scanners = Scanners::new(|| Scanner::new(queries, keep, cancel));
    let scan = |batch: &[Candidate], active: Mask| -> Vec<FileHits> {
        let hits: Vec<Option<FileHits>> = batch
            .par_iter()
            .with_min_len(4)
            .map_init(
                || scanners.take(),
                |scanner, c| {
                    let mask = c.mask & active;
                    if mask == 0 {
                        return Some(None);
                    }
                    (!cancel.is_cancelled()).then(|| scanner.scan(&c.path, mask))
                },
            )
            // Keeps the other threads from going on.
            .while_some()
            .collect();
        hits.into_iter().flatten().collect()
    };
    let Some(limit) = limit else {
        let files = scan(candidates, Mask::MAX);
        return Collected {
            files,
            stopped: cancel.check(),
        };
    };
    // One line beyond the limit tells whether there are more.
    let mut left = vec![limit.saturating_add(1); queries.len()];
    let mut files = Vec::new();
    let mut stopped = Ok(());
    let mut rest = candidates;
    let mut size = FIRST_BATCH;
    while !rest.is_empty() {
        let (batch, after) = rest.split_at(size.min(rest.len()));
        rest = after;
        size = (size * 2).min(BATCH);
        let active = left
            .iter()
            .enumerate()
            .filter(|(_, l)| **l > 0)
            .fold(0, |mask, (i, _)| mask | 1 << i);
        if active == 0 {
            break;
        }
        for mut file in scan(batch, active) {
            for hits in &mut file.hits {
                let Some(left) = left.get_mut(hits.query) else {
                    continue;
                };
                shorten(hits, *left);
                *left -= hits.count;
            }
            file.hits.retain(|h| h.count > 0);
            if !file.hits.is_empty() {
                files.push(file);
            }
        }
        stopped = cancel.check();
        if stopped.is_err() {
            break;
        }
    }
    for (query, _) in left.iter().enumerate().filter(|(_, left)| **left == 0) {
        drop_last(&mut files, query);
    }
    files.retain(|f| !f.hits.is_empty());
    Collected { files, stopped }
}

fn shorten(hits: &mut Hits, most: usize) {
    if hits.count > most {
        hits.count = most;
        hits.lines.truncate(most);
        hits.texts.truncate(most);
        hits.more = true;
    }
}

/// Takes back the line that lies beyond a query's limit.
fn drop_last(files: &mut [FileHits], query: usize) {
    let mut found = files.iter_mut().rev().filter_map(|file| {
        let at = file.hits.iter().position(|h| h.query == query)?;
        Some((&mut file.hits, at))
    });
    let Some((last, at)) = found.next() else {
        return;
    };
    if let Some(hits) = last.get_mut(at)
        && hits.count > 1
    {
        shorten(hits, hits.count - 1);
        return;
    }
    last.remove(at);
    if let Some(hits) = found.next().and_then(|(hits, at)| hits.get_mut(at)) {
        hits.more = true;
    }
}

/// Scanners that are not in use. A parallel iterator asks for one whenever it
/// splits, and warming up a fresh one costs more than scanning a few files.
struct Scanners<'q, F: Fn() -> Scanner<'q>> {
    make: F,
    free: Mutex<Vec<Scanner<'q>>>,
}

impl<'q, F: Fn() -> Scanner<'q>> Scanners<'q, F> {
    fn new(make: F) -> Self {
        Self {
            make,
            free: Mutex::new(Vec::new()),
        }
    }

    fn take(&self) -> Borrowed<'_, 'q> {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let scanner = free.pop().unwrap_or_else(|| (self.make)());
        Borrowed {
            home: &self.free,
            scanner: Some(scanner),
        }
    }
}

/// A scanner that goes back when it is dropped.
struct Borrowed<'a, 'q> {
    home: &'a Mutex<Vec<Scanner<'q>>>,
    scanner: Option<Scanner<'q>>,
}

impl Borrowed<'_, '_> {
    fn scan(&mut self, path: &FilePath, mask: Mask) -> Option<FileHits> {
        self.scanner.as_mut()?.scan(path, mask)
    }
}

impl Drop for Borrowed<'_, '_> {
    fn drop(&mut self) {
        if let Some(scanner) = self.scanner.take() {
            self.home
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(scanner);
        }
    }
}
