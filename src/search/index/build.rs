//! Files to an index, with several threads.
//!
//! Each thread reads stretches of the files and sorts what it found of each; the
//! sorted stretches are put together at the end. So that all memory is used from one
//! end to the other: a list for each trigram, to which each file is added, would be
//! a miss of the processor's cache for each of some hundred million entries.

use super::FileId;
use super::extract::Extractor;
use super::run::{Gathered, MOST, Merged, PARTS, Run, Sorter};
use super::store::{Index, Indexed, Writer};
use crate::error::Result;
use crate::workspace::{Cancel, FilePath, Root};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError, mpsc};

/// Files of a stretch: few enough that all threads are busy to the end, many enough
/// that lists are worth their heads.
const STRETCH: std::ops::RangeInclusive<usize> = 16..=1024;
/// Stretches per thread, where there are not more files.
const SHARES: usize = 16;
/// Trigrams that a thread holds unsorted (8 MiB, and twice that to sort), and those
/// of one file more.
const HELD: usize = 2 << 20;

/// A stretch of the files.
struct Stretch {
    first: usize,
    indexed: Vec<Indexed>,
    runs: Vec<Run>,
}

/// Indexes files, given in order of paths, into the file `out`.
///
/// # Errors
/// `no_state` if the file cannot be written; what `cancel` says.
pub(in crate::search) fn build(
    root: &Root,
    files: &[FilePath],
    threads: usize,
    out: &Path,
    cancel: &Cancel,
) -> Result<(Index, Vec<Indexed>)> {
    let threads = threads.max(1);
    let stretches = read(files, threads, cancel);
    cancel.check()?;
    let mut indexed = Vec::with_capacity(files.len());
    let mut runs = Vec::new();
    for stretch in stretches {
        indexed.extend(stretch.indexed);
        runs.extend(stretch.runs);
    }
    let mut writer = Writer::create(out, files.len())?;
    write(&runs, threads, &mut writer, cancel)?;
    drop(runs);
    let index = writer.finish(root, files, &indexed)?;
    Ok((index, indexed))
}

/// Reads all files. Returns the stretches in order.
fn read(files: &[FilePath], threads: usize, cancel: &Cancel) -> Vec<Stretch> {
    let len = (files.len() / (threads * SHARES)).clamp(*STRETCH.start(), *STRETCH.end());
    let next = AtomicUsize::new(0);
    let all = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let mut reader = Reader {
                    extractor: Extractor::new(),
                    gathered: Gathered::new(),
                    sorter: Sorter::new(),
                };
                loop {
                    let first = next.fetch_add(1, Ordering::Relaxed) * len;
                    let Some(part) = files.get(first..).filter(|p| !p.is_empty()) else {
                        return;
                    };
                    let part = part.get(..len).unwrap_or(part);
                    let Some(stretch) = reader.read(first, part, cancel) else {
                        return;
                    };
                    all.lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .push(stretch);
                }
            });
        }
    });
    let mut all: Vec<Stretch> = all.into_inner().unwrap_or_else(PoisonError::into_inner);
    all.sort_unstable_by_key(|s| s.first);
    all
}

/// What a thread needs to read files.
struct Reader {
    extractor: Extractor,
    gathered: Gathered,
    sorter: Sorter,
}

impl Reader {
    /// None where it was cancelled.
    fn read(&mut self, first: usize, files: &[FilePath], cancel: &Cancel) -> Option<Stretch> {
        let mut indexed = Vec::with_capacity(files.len());
        let mut runs = Vec::new();
        let mut base = first;
        for (nth, file) in (first..).zip(files) {
            if cancel.is_cancelled() {
                return None;
            }
            let found = &mut self.gathered.trigrams;
            indexed.push(self.extractor.extract(&file.abs, found));
            self.gathered.ends.push(self.gathered.trigrams.len());
            let full = self.gathered.trigrams.len() > HELD || nth + 1 - base == MOST;
            if full || nth + 1 == first + files.len() {
                runs.push(self.sorter.sort(base as FileId, &mut self.gathered));
                base = nth + 1;
            }
        }
        Some(Stretch {
            first,
            indexed,
            runs,
        })
    }
}

/// Puts the runs together, and writes them.
fn write(runs: &[Run], threads: usize, writer: &mut Writer, cancel: &Cancel) -> Result<()> {
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        let (send, receive) = mpsc::sync_channel(threads);
        for _ in 0..threads {
            let send = send.clone();
            let next = &next;
            scope.spawn(move || {
                loop {
                    let part = next.fetch_add(1, Ordering::Relaxed);
                    if part >= PARTS || cancel.is_cancelled() {
                        return;
                    }
                    if send.send((part, Merged::new(runs, part))).is_err() {
                        return;
                    }
                }
            });
        }
        drop(send);
        let mut waiting = BTreeMap::new();
        let mut wanted = 0;
        for (part, merged) in receive {
            waiting.insert(part, merged);
            while let Some(merged) = waiting.remove(&wanted) {
                for (trigram, bytes) in merged.lists() {
                    writer.list(trigram, bytes)?;
                }
                wanted += 1;
            }
        }
        cancel.check()
    })
}
