//! An index and what became of its files since.
//!
//! A file is *clean* while nothing was heard of it since it was indexed; only clean
//! files are ever left out of a search. All others of the root are *loose* and are
//! searched for every query, until a small segment of their own holds them.

use crate::error::Result;
use crate::search::collect::Candidate;
use crate::search::index::{Index, Indexed, Needs};
use crate::search::scan::Mask;
use crate::workspace::{Cancel, FilePath, Listing, News, Seen, Stamp};
use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

/// Files with what is known of them, in order of paths.
pub(super) type Files = Vec<(Arc<FilePath>, Indexed)>;

/// What can be searched by index, and what must be searched besides.
#[derive(Debug, Default)]
pub(super) struct Ready {
    /// The first is of the whole root as it once was, the others of what changed
    /// since. A file is clean in one of them at most.
    segments: Vec<Segment>,
    loose: BTreeMap<Arc<FilePath>, Loose>,
}

/// Why a file must be searched for every query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Loose {
    /// It has changed since it was indexed.
    Changed,
    /// To index it again would not help: it cannot be read, or it changed without
    /// a report and may do so again.
    Stuck,
}

#[derive(Debug)]
struct Segment {
    index: Index,
    /// By number in the index.
    files: Arc<Files>,
    clean: Vec<bool>,
}

impl Segment {
    /// All files clean that were indexed soundly.
    fn new(index: Index, files: Files) -> Self {
        Self {
            index,
            clean: files.iter().map(|(_, i)| i.sound).collect(),
            files: Arc::new(files),
        }
    }

    fn number(&self, path: &FilePath) -> Option<usize> {
        let found = self.files.binary_search_by(|(p, _)| (**p).cmp(path));
        found.ok()
    }

    /// No longer clean; whether it was.
    fn taint(&mut self, path: &FilePath) -> bool {
        let clean = self.number(path).and_then(|n| self.clean.get_mut(n));
        clean.is_some_and(std::mem::take)
    }

    /// Goes by the stamps of the files that there are, which are all in `range`, in
    /// order. Files that are clean already in another segment are marked in `known`,
    /// as are those that are in this one.
    fn compare(&mut self, range: std::ops::Range<usize>, seen: &[Seen], known: &mut [bool]) {
        let files = self.files.get(range.clone()).unwrap_or_default();
        let clean = self.clean.get_mut(range).unwrap_or_default();
        let mut there = seen.iter().zip(known).peekable();
        for ((path, indexed), clean) in files.iter().zip(clean) {
            *clean = false;
            while there.next_if(|(s, _)| s.path < **path).is_some() {}
            if let Some((seen, known)) = there.next_if(|(s, _)| s.path == **path)
                && !*known
                && indexed.sound
                && indexed.settled
                && indexed.stamp == seen.stamp
            {
                (*clean, *known) = (true, true);
            }
        }
    }

    fn candidates(&self, needs: &[(Mask, Needs)], out: &mut Vec<Candidate>) -> io::Result<()> {
        let mut masks: Vec<Mask> = vec![0; self.index.count()];
        for (bit, needs) in needs {
            if *needs == Needs::Anything {
                masks.iter_mut().for_each(|m| *m |= bit);
                continue;
            }
            for id in self.index.candidates(needs)?.iter() {
                if let Some(mask) = masks.get_mut(id as usize) {
                    *mask |= bit;
                }
            }
        }
        let files = masks.iter().zip(&self.clean).zip(self.files.iter());
        out.extend(
            files
                .filter(|((mask, clean), _)| **mask != 0 && **clean)
                .map(|((mask, _), (path, _))| Candidate {
                    path: path.clone(),
                    mask: *mask,
                }),
        );
        Ok(())
    }

    /// Positions of the files that may lie below a folder.
    fn below(&self, folder: &FilePath) -> std::ops::Range<usize> {
        let (first, end) = bounds(folder);
        self.files.partition_point(|(p, _)| p.rel < first)
            ..self.files.partition_point(|(p, _)| p.rel < end)
    }
}

/// Paths below a folder are at least the first and less than the second.
fn bounds(folder: &FilePath) -> (String, String) {
    (format!("{}/", folder.rel), format!("{}0", folder.rel))
}

impl Ready {
    /// Of an index that has just been built, or opened.
    pub fn new(index: Index, files: Files) -> Self {
        let unsound = files.iter().filter(|(_, i)| !i.sound);
        Self {
            loose: unsound
                .map(|(path, _)| (path.clone(), Loose::Stuck))
                .collect(),
            segments: vec![Segment::new(index, files)],
        }
    }

    /// Adds an index of loose files. Call [`Ready::learn`] next, with all that was
    /// heard since it was begun.
    pub fn add(&mut self, index: Index, files: Files) {
        for (path, indexed) in &files {
            if indexed.sound {
                self.loose.remove(&**path);
                for segment in &mut self.segments {
                    segment.taint(path);
                }
            } else {
                self.loose.insert(path.clone(), Loose::Stuck);
            }
        }
        self.segments.push(Segment::new(index, files));
    }

    /// Replaces all segments but the first by one.
    pub fn fold(&mut self, index: Index, files: Files) {
        self.segments.truncate(1);
        self.add(index, files);
    }

    /// Takes over what an older index knows of files that cannot be trusted.
    pub fn inherit(&mut self, older: &Ready) {
        let stuck = older.loose.iter().filter(|(_, why)| **why == Loose::Stuck);
        for (path, _) in stuck {
            let mut taint = |s: &mut Segment| s.taint(path);
            if self.segments.iter_mut().any(&mut taint) {
                self.loose.insert(path.clone(), Loose::Stuck);
            }
        }
    }

    /// Takes in what changed.
    pub fn learn(&mut self, news: &News) {
        match news {
            News::Parts { files, folders } => {
                for listing in folders {
                    self.relist(listing);
                }
                for file in files {
                    self.touch(&file.path, file.there);
                }
            }
            News::Everything(seen) => self.compare(seen),
        }
    }

    fn touch(&mut self, path: &FilePath, there: bool) {
        for segment in &mut self.segments {
            segment.taint(path);
        }
        if there {
            self.loose.insert(Arc::new(path.clone()), Loose::Changed);
        } else {
            self.loose.remove(path);
        }
    }

    /// Goes by the stamps of all files there are.
    fn compare(&mut self, seen: &[Seen]) {
        let before = std::mem::take(&mut self.loose);
        let mut known = vec![false; seen.len()];
        for segment in self.segments.iter_mut().rev() {
            segment.compare(0..segment.files.len(), seen, &mut known);
        }
        self.loosen(seen, &known, &before);
    }

    /// Goes by the stamps of all files there are below a folder.
    fn relist(&mut self, listing: &Listing) {
        let Listing { folder, files } = listing;
        let (first, end) = bounds(folder);
        // Names that are not Unicode may look alike: those of other folders stay.
        let mut before = BTreeMap::new();
        self.loose.retain(|path, why| {
            let inside = first <= path.rel && path.rel < end && path.abs.starts_with(&folder.abs);
            if inside {
                before.insert(path.clone(), *why);
            }
            !inside
        });
        let mut known = vec![false; files.len()];
        for segment in self.segments.iter_mut().rev() {
            let range = segment.below(folder);
            let others: Vec<Arc<FilePath>> = (range.clone())
                .filter_map(|n| segment.files.get(n).zip(segment.clean.get(n)))
                .filter(|((path, _), clean)| **clean && !path.abs.starts_with(&folder.abs))
                .map(|((path, _), _)| path.clone())
                .collect();
            segment.compare(range, files, &mut known);
            for path in others {
                self.loose.insert(path, Loose::Changed);
            }
        }
        self.loosen(files, &known, &before);
    }

    /// Files that are clean nowhere are loose.
    fn loosen(&mut self, seen: &[Seen], known: &[bool], before: &BTreeMap<Arc<FilePath>, Loose>) {
        let unknown = seen.iter().zip(known).filter(|(_, known)| !**known);
        for (file, _) in unknown {
            let why = before.get(&file.path).copied().unwrap_or(Loose::Changed);
            self.loose.insert(Arc::new(file.path.clone()), why);
        }
    }

    /// The files that may match, in order of paths. `all` are the queries that loose
    /// files are searched for.
    ///
    /// # Errors
    /// If an index cannot be read.
    pub fn candidates(&self, needs: &[(Mask, Needs)], all: Mask) -> io::Result<Vec<Candidate>> {
        let mut out = Vec::new();
        for segment in &self.segments {
            segment.candidates(needs, &mut out)?;
        }
        let sorted = self.segments.len() == 1 && self.loose.is_empty();
        out.extend(self.loose.keys().map(|path| Candidate {
            path: path.clone(),
            mask: all,
        }));
        if !sorted {
            out.sort_unstable_by(|a, b| a.path.cmp(&b.path));
        }
        Ok(out)
    }

    /// Whether a file is clean.
    pub fn is_clean(&self, path: &FilePath) -> bool {
        self.segments.iter().any(|s| {
            let clean = s.number(path).and_then(|n| s.clean.get(n));
            clean.is_some_and(|c| *c)
        })
    }

    /// Loose files that could be indexed.
    pub fn changed(&self) -> Vec<FilePath> {
        let changed = self.loose.iter().filter(|(_, w)| **w == Loose::Changed);
        changed.map(|(path, _)| (**path).clone()).collect()
    }

    /// How many segments there are, and files in them besides the first.
    pub fn growth(&self) -> (usize, usize) {
        let small = self.segments.iter().skip(1);
        let clean = small.flat_map(|s| &s.clean).filter(|c| **c).count();
        (self.segments.len(), clean)
    }

    /// How many files the first segment is of.
    pub fn base(&self) -> usize {
        self.segments.first().map_or(0, |s| s.files.len())
    }

    /// All files in segments from the given one on, and all loose ones, in order.
    pub fn files_from(&self, segment: usize) -> Vec<FilePath> {
        let segments = self.segments.iter().skip(segment);
        let clean = segments.flat_map(|s| s.files.iter().zip(&s.clean));
        let mut all: Vec<FilePath> = clean
            .filter(|(_, clean)| **clean)
            .map(|((path, _), _)| (**path).clone())
            .chain(self.loose.keys().map(|path| (**path).clone()))
            .collect();
        all.sort_unstable();
        all
    }

    /// The clean files, to look at their stamps without holding on to this.
    pub fn snapshot(&self) -> Vec<(Arc<Files>, Vec<bool>)> {
        let segments = self.segments.iter();
        segments
            .map(|s| (Arc::clone(&s.files), s.clean.clone()))
            .collect()
    }

    /// Files that changed without a report are searched for every query from now on,
    /// until something is heard of them. Call it when all reports were taken in.
    pub fn distrust(&mut self, paths: &[FilePath]) {
        for path in paths {
            let mut tainted = false;
            for segment in &mut self.segments {
                tainted |= segment.taint(path);
            }
            if tainted && path.abs.is_file() {
                self.loose.insert(Arc::new(path.clone()), Loose::Stuck);
            }
        }
    }
}

/// Clean files whose stamps are no longer what they were.
///
/// # Errors
/// What `cancel` says.
pub(super) fn altered(
    snapshot: &[(Arc<Files>, Vec<bool>)],
    cancel: &Cancel,
) -> Result<Vec<FilePath>> {
    let mut found = Vec::new();
    for (files, clean) in snapshot {
        for (nth, ((path, indexed), _)) in files
            .iter()
            .zip(clean)
            .enumerate()
            .filter(|(_, (_, clean))| **clean)
        {
            if nth % 1024 == 0 {
                cancel.check()?;
            }
            let now = std::fs::symlink_metadata(&path.abs);
            if now.map(|m| Stamp::of(&m)).ok() != Some(indexed.stamp) {
                found.push((**path).clone());
            }
        }
    }
    Ok(found)
}
