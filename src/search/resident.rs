//! The index of a process that lives on: built in the background, kept in the cache
//! folder, and told of every change before it is asked.
//!
//! A file is *clean* while nothing was heard of it since it was indexed; only clean
//! files are ever left out of a search. All others of the root are *loose* and are
//! searched for every query.

use super::collect::Candidate;
use super::index::{self, FileId, Index, Indexed, Needs, needs};
use super::query::Query;
use super::request::Request;
use super::response::Freshness;
use super::scan::Mask;
use crate::error::Result;
use crate::workspace::{Cancel, FilePath, Fresh, News, Root, Seen, State, threads, walk};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// Smaller roots are searched faster than an index is kept.
const WORTH_IT: usize = 200;
/// The index is built anew when so many files are loose, or one in [`SHARE`].
const LOOSE: usize = 256;
const SHARE: usize = 16;
/// Between two looks of the background thread.
const PAUSE: Duration = Duration::from_secs(3);
/// Pauses between two sweeps for what events do not report.
const SWEEP_EVERY: u32 = 20;

/// A root's index and what is known of its files.
#[derive(Debug)]
pub(super) struct Resident {
    shared: Arc<Shared>,
    worker: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    root: Root,
    state: Mutex<Tracked>,
    /// Rung when the worker should stop or when an index has become ready.
    bell: Condvar,
    stop: Cancel,
}

#[derive(Debug)]
struct Tracked {
    fresh: Fresh,
    ready: Option<Ready>,
    /// While an index is built: files that were touched since it was begun.
    touched: Option<Since>,
    /// Whether the worker has done what there was to do.
    idle: bool,
}

/// What happened since an index was begun.
#[derive(Debug, Default)]
struct Since {
    /// Touched files, and whether they are there now.
    files: BTreeMap<FilePath, bool>,
    /// Whether stamps must be compared, because events do not tell.
    everything: bool,
}

#[derive(Debug)]
struct Ready {
    index: Index,
    /// By number, which is also their order.
    files: Vec<(FilePath, Indexed)>,
    clean: Vec<bool>,
    loose: BTreeSet<FilePath>,
    /// Loose files that building the index anew would not change, such as
    /// unreadable ones.
    born_loose: usize,
}

/// What is to be searched for a request.
pub(super) struct Plan {
    pub candidates: Vec<Candidate>,
    pub freshness: Freshness,
}

impl Resident {
    /// Begins to build an index of a root in the background.
    pub fn start(root: &Root) -> Self {
        let shared = Arc::new(Shared {
            root: root.clone(),
            state: Mutex::new(Tracked {
                fresh: Fresh::new(root),
                ready: None,
                touched: None,
                idle: false,
            }),
            bell: Condvar::new(),
            stop: Cancel::new(),
        });
        let theirs = Arc::clone(&shared);
        let worker = std::thread::Builder::new()
            .name("index".into())
            .spawn(move || theirs.work())
            .ok();
        Self { shared, worker }
    }

    /// Waits until the index is ready, or will not be for now.
    pub fn wait(&self) {
        let mut state = self.shared.lock();
        while !state.idle && self.worker.as_ref().is_some_and(|w| !w.is_finished()) {
            let (next, _) = self
                .shared
                .bell
                .wait_timeout(state, Duration::from_millis(50))
                .unwrap_or_else(PoisonError::into_inner);
            state = next;
        }
    }

    /// Which files may match. None while there is no index, and for requests that
    /// reach beyond what is indexed.
    ///
    /// # Errors
    /// `bad_glob`, or what `cancel` says.
    pub fn plan(
        &self,
        queries: &[Query],
        mask: Mask,
        request: &Request,
        cancel: &Cancel,
    ) -> Result<Option<Plan>> {
        if request.hidden {
            return Ok(None);
        }
        let needs: Vec<(Mask, Needs)> = queries
            .iter()
            .enumerate()
            .filter(|(i, _)| mask & (1 << i) != 0)
            .map(|(i, q)| (1 << i, needs(q)))
            .collect();
        let mut state = self.shared.lock();
        if state.ready.is_none() {
            return Ok(None);
        }
        let freshness = state.catch_up(cancel)?;
        let Some(ready) = &state.ready else {
            return Ok(None);
        };
        // An index that cannot be read is none.
        let Ok(candidates) = ready.candidates(&needs, mask) else {
            state.ready = None;
            return Ok(None);
        };
        if request.globs.is_empty() {
            return Ok(Some(Plan {
                candidates,
                freshness,
            }));
        }
        let clean: Vec<bool> = ready.clean.clone();
        let numbers = |path: &FilePath| ready.number(path);
        let may: BTreeMap<&FilePath, Mask> = candidates.iter().map(|c| (&c.path, c.mask)).collect();
        // Globs may also choose ignored files, which the index knows nothing of.
        let chosen = walk(&self.shared.root, &request.scope(), cancel)?
            .into_iter()
            .filter_map(|path| {
                let known = numbers(&path).and_then(|n| clean.get(n as usize));
                let mask = match known {
                    Some(true) => may.get(&path).copied()?,
                    _ => mask,
                };
                Some(Candidate { path, mask })
            })
            .collect();
        Ok(Some(Plan {
            candidates: chosen,
            freshness,
        }))
    }
}

impl Drop for Resident {
    fn drop(&mut self) {
        self.shared.stop.cancel();
        self.shared.bell.notify_all();
        if let Some(worker) = self.worker.take() {
            let _ = worker.join();
        }
    }
}

impl Tracked {
    /// Learns what changed before now.
    fn catch_up(&mut self, cancel: &Cancel) -> Result<Freshness> {
        let news = self.fresh.news(cancel)?;
        Ok(match &news {
            News::Files(_) => {
                self.learn(news);
                Freshness::Barrier
            }
            News::Everything(_) => {
                self.learn(news);
                Freshness::Sweep
            }
        })
    }

    fn learn(&mut self, news: News) {
        match news {
            News::Files(files) => {
                for file in files {
                    if let Some(since) = &mut self.touched {
                        since.files.insert(file.path.clone(), file.there);
                    }
                    if let Some(ready) = &mut self.ready {
                        ready.touch(file.path, file.there);
                    }
                }
            }
            News::Everything(seen) => {
                if let Some(since) = &mut self.touched {
                    since.everything = true;
                }
                if let Some(ready) = &mut self.ready {
                    ready.compare(seen);
                }
            }
        }
    }
}

impl Ready {
    fn new(index: Index, files: Vec<(FilePath, Indexed)>) -> Self {
        let clean = files.iter().map(|(_, i)| i.sound).collect();
        let loose: BTreeSet<FilePath> = files
            .iter()
            .filter(|(_, i)| !i.sound)
            .map(|(path, _)| path.clone())
            .collect();
        Self {
            index,
            files,
            clean,
            born_loose: loose.len(),
            loose,
        }
    }

    fn number(&self, path: &FilePath) -> Option<FileId> {
        let found = self.files.binary_search_by(|(p, _)| p.cmp(path));
        found.ok().map(|n| n as FileId)
    }

    fn touch(&mut self, path: FilePath, there: bool) {
        let number = self.number(&path);
        if let Some(clean) = number.and_then(|n| self.clean.get_mut(n as usize)) {
            *clean = false;
        }
        if there {
            self.loose.insert(path);
        } else {
            self.loose.remove(&path);
        }
    }

    /// Goes by the stamps of all files there are.
    fn compare(&mut self, seen: Vec<Seen>) {
        self.clean.iter_mut().for_each(|c| *c = false);
        self.loose.clear();
        // Both are in order.
        let mut known = self.files.iter().zip(&mut self.clean).peekable();
        for file in seen {
            while known.next_if(|((p, _), _)| *p < file.path).is_some() {}
            let same = known.next_if(|((p, _), _)| *p == file.path);
            match same {
                Some(((_, indexed), clean)) if indexed.stamp == Some(file.stamp) => *clean = true,
                _ => {
                    self.loose.insert(file.path);
                }
            }
        }
    }

    /// In order of paths.
    fn candidates(&self, needs: &[(Mask, Needs)], all: Mask) -> std::io::Result<Vec<Candidate>> {
        let mut masks: BTreeMap<FileId, Mask> = BTreeMap::new();
        let mut every: Mask = 0;
        for (bit, needs) in needs {
            if *needs == Needs::Anything {
                every |= bit;
                continue;
            }
            for id in self.index.candidates(needs)?.iter() {
                *masks.entry(id).or_default() |= bit;
            }
        }
        let indexed: Box<dyn Iterator<Item = (FileId, Mask)>> = if every == 0 {
            Box::new(masks.iter().map(|(id, mask)| (*id, *mask)))
        } else {
            Box::new(
                (0..self.files.len() as FileId)
                    .map(|id| (id, every | masks.get(&id).copied().unwrap_or(0))),
            )
        };
        let mut loose = self.loose.iter().peekable();
        let mut out = Vec::new();
        let whole = |path: &FilePath| Candidate {
            path: path.clone(),
            mask: all,
        };
        for (id, mask) in indexed {
            let (Some((path, _)), Some(true)) =
                (self.files.get(id as usize), self.clean.get(id as usize))
            else {
                continue;
            };
            while let Some(before) = loose.next_if(|l| *l < path) {
                out.push(whole(before));
            }
            out.push(Candidate {
                path: path.clone(),
                mask,
            });
        }
        out.extend(loose.map(whole));
        Ok(out)
    }

    fn is_worn(&self) -> bool {
        self.loose.len() > self.born_loose * 2 + LOOSE.max(self.files.len() / SHARE)
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Tracked> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The background thread: keeps the index built.
    fn work(&self) {
        // What fails here fails again for searches, which then read every file.
        let _ = self.begin();
        let mut pauses = 0;
        loop {
            {
                let mut state = self.lock();
                state.idle = true;
                self.bell.notify_all();
                let (mut state, _) = self
                    .bell
                    .wait_timeout(state, PAUSE)
                    .unwrap_or_else(PoisonError::into_inner);
                if self.stop.is_set() {
                    return;
                }
                pauses += 1;
                if state.fresh.is_watching() && pauses % SWEEP_EVERY == 0 {
                    // A store through a memory map is reported by no event.
                    if let Ok(news) = state.fresh.sweep(&self.stop) {
                        state.learn(news);
                    }
                }
                if !state.ready.as_ref().is_some_and(Ready::is_worn) {
                    continue;
                }
            }
            let _ = self.rebuild();
        }
    }

    fn place(&self) -> Result<PathBuf> {
        let dir = State::cache_dir(&self.root)?;
        // A folder that cannot be made shows when the index is written.
        let _ = std::fs::create_dir_all(&dir);
        Ok(dir.join("trigrams"))
    }

    /// Takes over the index of an earlier process, or builds one.
    fn begin(&self) -> Result<()> {
        let place = self.place()?;
        if let Some((index, files)) = Index::open(&place, &self.root) {
            let mut state = self.lock();
            let mut ready = Ready::new(index, files);
            let news = state.fresh.sweep(&self.stop)?;
            if let News::Everything(seen) = news {
                ready.compare(seen);
            }
            ready.born_loose = 0;
            let worn = ready.is_worn();
            state.ready = Some(ready);
            if !worn {
                return Ok(());
            }
        }
        self.rebuild()
    }

    fn rebuild(&self) -> Result<()> {
        let place = self.place()?;
        let files: Vec<FilePath> = {
            let mut state = self.lock();
            let News::Everything(seen) = state.fresh.sweep(&self.stop)? else {
                return Ok(());
            };
            state.touched = Some(Since::default());
            let files = seen.iter().map(|s| s.path.clone()).collect();
            state.learn(News::Everything(seen));
            // From here on is what the index has to be told.
            state.touched = Some(Since::default());
            files
        };
        if files.len() < WORTH_IT {
            return Ok(());
        }
        let built = index::build(&self.root, &files, threads(), &place, &self.stop);
        let mut state = self.lock();
        let (index, indexed) = match built {
            Ok(built) => built,
            Err(e) => {
                state.touched = None;
                return Err(e);
            }
        };
        let mut ready = Ready::new(index, files.into_iter().zip(indexed).collect());
        // What was reported up to now, to the old index and for the new one.
        let caught = state.catch_up(&self.stop);
        let since = state.touched.take().unwrap_or_default();
        caught?;
        if since.everything || !state.fresh.is_watching() {
            if let News::Everything(seen) = state.fresh.sweep(&self.stop)? {
                ready.compare(seen);
            }
        } else {
            for (path, there) in since.files {
                ready.touch(path, there);
            }
        }
        state.ready = Some(ready);
        Ok(())
    }
}
