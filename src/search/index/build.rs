//! Files to an index, with several threads.
//!
//! Each thread reads stretches of the files and sorts what it found of each; the
//! sorted stretches are put together at the end. So that all memory is used from one
//! end to the other: a list for each trigram, to which each file is added, would be
//! a miss of the processor's cache for each of some hundred million entries.

use super::extract::Extractor;
use super::list::FileId;
use super::run::{Gathered, MOST, Merged, PARTS, Run, Sorter};
use super::signature::Signature;
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
    signatures: Vec<Signature>,
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
    let writer = Mutex::new(Writer::create(out)?);
    let stretches = read(files, threads, &writer, cancel)?;
    cancel.check()?;
    let mut indexed = Vec::with_capacity(files.len());
    let mut signatures = Vec::with_capacity(files.len());
    let mut runs = Vec::new();
    for stretch in stretches {
        indexed.extend(stretch.indexed);
        signatures.extend(stretch.signatures);
        runs.extend(stretch.runs);
    }
    let mut writer = writer.into_inner().unwrap_or_else(PoisonError::into_inner);
    write(&runs, files.len(), threads, &mut writer, cancel)?;
    drop(runs);
    let index = writer.finish(root, files, &indexed, signatures)?;
    Ok((index, indexed))
}

/// Reads all files, and writes their signatures. Returns the stretches in order.
fn read(
    files: &[FilePath],
    threads: usize,
    writer: &Mutex<Writer>,
    cancel: &Cancel,
) -> Result<Vec<Stretch>> {
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
                    signatures: Vec::new(),
                };
                loop {
                    let first = next.fetch_add(1, Ordering::Relaxed) * len;
                    let Some(part) = files.get(first..).filter(|p| !p.is_empty()) else {
                        return;
                    };
                    let part = part.get(..len).unwrap_or(part);
                    let stretch = reader.read(first, part, writer, cancel);
                    let failed = stretch.is_err();
                    all.lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .push(stretch);
                    if failed {
                        return;
                    }
                }
            });
        }
    });
    let all = all.into_inner().unwrap_or_else(PoisonError::into_inner);
    let mut all = all.into_iter().collect::<Result<Vec<Stretch>>>()?;
    all.sort_unstable_by_key(|s| s.first);
    Ok(all)
}

/// What a thread needs to read files.
struct Reader {
    extractor: Extractor,
    gathered: Gathered,
    sorter: Sorter,
    signatures: Vec<u8>,
}

impl Reader {
    fn read(
        &mut self,
        first: usize,
        files: &[FilePath],
        writer: &Mutex<Writer>,
        cancel: &Cancel,
    ) -> Result<Stretch> {
        let mut indexed = Vec::with_capacity(files.len());
        let mut signatures = Vec::with_capacity(files.len());
        self.signatures.clear();
        let mut runs = Vec::new();
        let mut base = first;
        for (nth, file) in (first..).zip(files) {
            cancel.check()?;
            let trigrams = &mut self.gathered.trigrams;
            let found = (self.extractor).extract(&file.abs, trigrams, &mut self.signatures);
            indexed.push(found.0);
            signatures.push(found.1);
            self.gathered.ends.push(self.gathered.trigrams.len());
            let full = self.gathered.trigrams.len() > HELD || nth + 1 - base == MOST;
            if full || nth + 1 == first + files.len() {
                runs.push(self.sorter.sort(base as FileId, &mut self.gathered));
                base = nth + 1;
            }
        }
        let offset = writer
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .put(&self.signatures)?;
        signatures.iter_mut().for_each(|s| s.offset += offset);
        Ok(Stretch {
            first,
            indexed,
            signatures,
            runs,
        })
    }
}

/// Puts the runs of `count` files together, and writes them.
fn write(
    runs: &[Run],
    count: usize,
    threads: usize,
    writer: &mut Writer,
    cancel: &Cancel,
) -> Result<()> {
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
                    if send.send((part, Merged::new(runs, part, count))).is_err() {
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
                for (trigram, form, bytes) in merged.lists() {
                    writer.list(trigram, form, bytes)?;
                }
                wanted += 1;
            }
        }
        cancel.check()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::index::needs;
    use crate::search::query::Query;
    use crate::search::request::{Mode, Request};
    use crate::workspace::{Scope, walk};
    use proptest::prelude::*;
    use std::collections::BTreeSet;
    use std::fs;

    /// Files of these texts, and an index of them, as built and as opened again.
    fn indexed(dir: &Path, texts: &[String]) -> (Vec<FilePath>, [Index; 2]) {
        let root = Root::open(&dir.join("root")).unwrap();
        for (n, text) in texts.iter().enumerate() {
            fs::write(root.dir().join(format!("{n:04}.txt")), text).unwrap();
        }
        let cancel = Cancel::new();
        let files = walk(&root, &Scope::default(), &cancel).unwrap();
        let place = dir.join("index");
        let (built, _) = build(&root, &files, 2, &place, &cancel).unwrap();
        let (opened, again) = Index::open(&place, &root).unwrap();
        let paths: Vec<FilePath> = again.into_iter().map(|(path, _)| path).collect();
        assert_eq!(paths, files);
        (files, [built, opened])
    }

    fn candidates(index: &Index, pattern: &str, count: usize) -> BTreeSet<usize> {
        let request = Request {
            mode: Mode::Regex,
            ..Request::new([pattern])
        };
        let queries = Query::compile_all(&request).unwrap();
        let set = index.candidates(&needs(&queries[0])).unwrap();
        let ids = set.iter().map(|id| id as usize);
        ids.filter(|id| *id < count).collect()
    }

    #[test]
    fn files_with_all_trigrams_but_not_the_word_are_left_out() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("root")).unwrap();
        // All trigrams of "acceleration", and some of its longer sequences.
        let parts = "accent accel mcele pelera blerat eration";
        let texts: Vec<String> = (0..400)
            .map(|n| match n % 40 {
                0 => format!("{parts}\nthe Acceleration {n}\n"),
                _ => format!("{parts}\nnumber {n}\n"),
            })
            .collect();
        let (files, indexes) = indexed(dir.path(), &texts);
        for index in &indexes {
            let found = candidates(index, "cceleratio", files.len());
            let with: BTreeSet<usize> = (0..400).step_by(40).collect();
            assert!(found.is_superset(&with), "{found:?}");
            // A filter lets some through by chance.
            assert!(found.len() < 200, "{}", found.len());
            assert_eq!(candidates(index, "\\d", files.len()).len(), 400);
        }
    }

    #[test]
    fn a_build_that_is_cut_off_leaves_no_file() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("root")).unwrap();
        let root = Root::open(&dir.path().join("root")).unwrap();
        fs::write(root.dir().join("a.txt"), "some text").unwrap();
        let files = walk(&root, &Scope::default(), &Cancel::new()).unwrap();
        let cancel = Cancel::new();
        cancel.cancel();
        assert!(build(&root, &files, 2, &dir.path().join("index"), &cancel).is_err());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        /// Whatever file matches is a candidate.
        #[test]
        fn no_file_is_lost(
            texts in prop::collection::vec("([a-dA-D]{1,7}[ \n]){0,40}", 30..60),
            patterns in prop::collection::vec("(\\(\\?i\\))?[a-d]{2,7}( [a-d]{1,6}|\\.[a-d]{3})?", 1..8),
        ) {
            let dir = tempfile::tempdir().unwrap();
            fs::create_dir(dir.path().join("root")).unwrap();
            let (files, indexes) = indexed(dir.path(), &texts);
            for pattern in patterns {
                let request = Request { mode: Mode::Regex, ..Request::new([pattern.clone()]) };
                let query = &Query::compile_all(&request).unwrap()[0];
                for index in &indexes {
                    let found = candidates(index, &pattern, files.len());
                    for (n, text) in texts.iter().enumerate() {
                        let matches = text.lines().any(|l| query.find(l.as_bytes()).is_some());
                        prop_assert!(!matches || found.contains(&n), "{pattern} {n} {text:?}");
                    }
                }
            }
        }
    }
}
