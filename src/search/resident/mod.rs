//! The index of a process that lives on: built in the background, kept in the cache
//! folder, and told of every change before it is asked.
//!
//! A change costs nothing but that its file is searched for every query from then on
//! ([`ready`]). A few dozen such files are indexed on their own, in milliseconds; the
//! whole root is indexed anew only when a good part of it has changed.

mod cache;
mod ready;

use super::collect::Candidate;
use super::index::{self, Index, Indexed, Needs, needs};
use super::query::Query;
use super::request::Request;
use super::response::Freshness;
use super::scan::Mask;
use crate::error::Result;
use crate::workspace::{Cancel, FilePath, Fresh, News, Root, State, threads, walk};
use ready::{Files, Ready, altered};
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, TryLockError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Smaller roots are searched faster than an index is kept; larger ones (a whole disk)
/// would take too much memory.
const WORTH_IT: std::ops::RangeInclusive<usize> = 200..=400_000;
/// So many changed files are searched sooner than indexed on their own.
const FEW: usize = 32;
/// Most segments beside the first; then they become one.
const SEGMENTS: usize = 4;
/// The whole index is built anew when so many files lie outside its first segment, or
/// one in [`SHARE`].
const MANY: usize = 256;
const SHARE: usize = 8;
/// Between two looks of the background thread.
const PAUSE: Duration = Duration::from_secs(2);
/// A look for what events do not report takes at most this share of the time, and is
/// rare while nothing is asked.
const REPAIR_SHARE: u32 = 100;
const REPAIR_IDLE: Duration = Duration::from_secs(60);
/// While the lock is held by another thread, between two looks at it.
const WAIT: Duration = Duration::from_millis(1);
/// The index in its root's cache folder.
const NAME: &str = "trigrams";
/// Bytes of all roots' indexes together (2 GiB), the one being built aside.
const MOST_BYTES: u64 = 2 << 30;
/// Unfinished indexes of processes that crashed are removed when they are older.
const ABANDONED: Duration = Duration::from_secs(3600);

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
    /// Whether there is an index; without one there is no reason to wait for the lock.
    usable: AtomicBool,
    /// Whether something was asked since the last look.
    asked: AtomicBool,
    /// Rung when the worker has something to do, and when it is done.
    bell: Condvar,
    stop: Cancel,
}

#[derive(Debug)]
struct Tracked {
    fresh: Fresh,
    ready: Option<Ready>,
    /// While an index is built: what was heard since it was begun.
    heard: Option<Vec<Arc<News>>>,
    /// How often the worker was asked to bring everything up to date, and up to which
    /// of them it has.
    wanted: u64,
    done: u64,
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
                heard: None,
                wanted: 0,
                done: 0,
            }),
            usable: AtomicBool::new(false),
            asked: AtomicBool::new(false),
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

    /// Waits until the index is there and holds everything, also what no event
    /// reported; or until it is clear that it will not be for now.
    pub fn wait(&self) {
        let mut state = self.shared.lock();
        state.wanted += 1;
        let mine = state.wanted;
        self.shared.bell.notify_all();
        while state.done < mine && self.worker.as_ref().is_some_and(|w| !w.is_finished()) {
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
        self.shared.asked.store(true, Ordering::Relaxed);
        if request.hidden || !self.shared.usable.load(Ordering::Acquire) {
            return Ok(None);
        }
        let needs: Vec<(Mask, Needs)> = queries
            .iter()
            .enumerate()
            .filter(|(i, _)| mask & (1 << i) != 0)
            .map(|(i, q)| (1 << i, needs(q)))
            .collect();
        let mut state = self.shared.lock_unless(cancel)?;
        if state.ready.is_none() {
            return Ok(None);
        }
        let freshness = state.catch_up(cancel)?;
        let Some(ready) = &state.ready else {
            return Ok(None);
        };
        // An index that cannot be read is none.
        let Ok(candidates) = ready.candidates(&needs, mask) else {
            self.shared.usable.store(false, Ordering::Release);
            state.ready = None;
            return Ok(None);
        };
        if request.globs.is_empty() {
            return Ok(Some(Plan {
                candidates,
                freshness,
            }));
        }
        let may: BTreeMap<&FilePath, Mask> =
            candidates.iter().map(|c| (&*c.path, c.mask)).collect();
        // Globs may also choose ignored files, which the index knows nothing of.
        let chosen = walk(&self.shared.root, &request.scope(), cancel)?
            .into_iter()
            .filter_map(|path| {
                let mask = match may.get(&path) {
                    Some(mask) => *mask,
                    None if ready.is_clean(&path) => return None,
                    None => mask,
                };
                Some(Candidate {
                    path: Arc::new(path),
                    mask,
                })
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
        let freshness = match &news {
            News::Parts { .. } => Freshness::Barrier,
            News::Everything(_) => Freshness::Sweep,
        };
        self.learn(news);
        Ok(freshness)
    }

    fn learn(&mut self, news: News) {
        if let Some(ready) = &mut self.ready {
            ready.learn(&news);
        }
        if let Some(heard) = &mut self.heard {
            if matches!(news, News::Everything(_)) {
                // It says all that was heard before.
                heard.clear();
            }
            heard.push(Arc::new(news));
        }
    }
}

/// What the worker should index next.
enum Work {
    Nothing,
    /// These files, as a further segment.
    Add(Vec<FilePath>),
    /// These files, in place of all segments but the first.
    Fold(Vec<FilePath>),
    /// All files.
    Rebuild,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Tracked> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The lock, waited for no longer than the caller wants.
    fn lock_unless(&self, cancel: &Cancel) -> Result<MutexGuard<'_, Tracked>> {
        loop {
            match self.state.try_lock() {
                Ok(state) => return Ok(state),
                Err(TryLockError::Poisoned(state)) => return Ok(state.into_inner()),
                Err(TryLockError::WouldBlock) => cancel.check()?,
            }
            std::thread::sleep(WAIT);
        }
    }

    /// The background thread: keeps the index built.
    fn work(&self) {
        // What fails here fails again for searches, which then read every file.
        if self.begin().is_err() {
            self.lock().heard = None;
        }
        let mut repair = Repair::new();
        loop {
            let (wanted, forced) = {
                let state = self.lock();
                (state.wanted, state.wanted > state.done)
            };
            if self.stop.is_set() {
                return;
            }
            let asked = self.asked.swap(false, Ordering::Relaxed);
            if forced || repair.is_due(asked) {
                let begun = Instant::now();
                let _ = self.repair();
                repair.took(begun.elapsed());
            }
            if forced || asked {
                let _ = self.distrust_mapped();
            }
            let _ = self.look(forced);
            let mut state = self.lock();
            state.done = wanted;
            self.bell.notify_all();
            if state.wanted == wanted && !self.stop.is_set() {
                let waited = self.bell.wait_timeout(state, PAUSE);
                drop(waited.unwrap_or_else(PoisonError::into_inner));
            }
        }
    }

    fn place(&self) -> Result<PathBuf> {
        Ok(State::cache_dir(&self.root)?.join(NAME))
    }

    /// Takes over the index of an earlier process, or builds one.
    fn begin(&self) -> Result<()> {
        let place = self.place()?;
        cache::remove_abandoned(&place, ABANDONED);
        let Some((index, files)) = Index::open(&place, &self.root) else {
            return self.rebuild();
        };
        cache::mark_used(&place);
        let mut state = self.lock();
        let (files, indexed) = files.into_iter().unzip();
        let mut ready = Ready::new(index, numbered(files, indexed));
        ready.learn(&state.fresh.sweep(&self.stop)?);
        state.ready = Some(ready);
        self.usable.store(true, Ordering::Release);
        Ok(())
    }

    /// Indexes what has changed, where that is worth it or was asked for.
    fn look(&self, forced: bool) -> Result<()> {
        let work = {
            let mut state = self.lock();
            if state.ready.is_none() {
                return Ok(());
            }
            if state.fresh.is_watching() || forced {
                // Also so that the system need not keep the events.
                state.catch_up(&self.stop)?;
            }
            let Some(ready) = &state.ready else {
                return Ok(());
            };
            let work = plan_work(ready, forced);
            if !matches!(work, Work::Nothing) {
                // From here on is what the new index has to be told.
                state.heard = Some(Vec::new());
            }
            work
        };
        let done = match work {
            Work::Nothing => Ok(()),
            Work::Rebuild => self.rebuild(),
            Work::Add(files) => self.extend(files, Ready::add),
            Work::Fold(files) => self.extend(files, Ready::fold),
        };
        // Nothing need be remembered for an index that did not come about.
        done.inspect_err(|_| self.lock().heard = None)
    }

    /// Indexes some files beside the whole root.
    fn extend(&self, files: Vec<FilePath>, put: fn(&mut Ready, Index, Files)) -> Result<()> {
        let place = self.place()?.with_extension("changes");
        let built = index::build(&self.root, &files, threads(), &place, &self.stop);
        // It is of use to this process alone, which has it open.
        let _ = fs::remove_file(&place);
        let mut state = self.lock();
        let (index, indexed) = built?;
        state.catch_up(&self.stop)?;
        let heard = state.heard.take().unwrap_or_default();
        if let Some(ready) = &mut state.ready {
            put(ready, index, numbered(files, indexed));
            heard.iter().for_each(|news| ready.learn(news));
        }
        Ok(())
    }

    /// Indexes the whole root.
    fn rebuild(&self) -> Result<()> {
        let place = self.place()?;
        let files: Vec<FilePath> = {
            let mut state = self.lock();
            let files = match &state.ready {
                Some(ready) => ready.files_from(0),
                None => match state.fresh.sweep(&self.stop)? {
                    News::Everything(seen) => seen.into_iter().map(|s| s.path).collect(),
                    News::Parts { .. } => return Ok(()),
                },
            };
            state.heard = Some(Vec::new());
            files
        };
        if !WORTH_IT.contains(&files.len()) {
            let mut state = self.lock();
            state.ready = None;
            state.heard = None;
            self.usable.store(false, Ordering::Release);
            return Ok(());
        }
        if let Some(dir) = place.parent() {
            // A folder that cannot be made shows when the index is written.
            let _ = fs::create_dir_all(dir);
            cache::limit(dir.parent().unwrap_or(dir), NAME, MOST_BYTES);
        }
        let built = index::build(&self.root, &files, threads(), &place, &self.stop);
        let mut state = self.lock();
        let (index, indexed) = built?;
        // Reported to the old index, and kept for the new one.
        state.catch_up(&self.stop)?;
        let mut ready = Ready::new(index, numbered(files, indexed));
        if let Some(older) = &state.ready {
            ready.inherit(older);
        }
        let heard = state.heard.take().unwrap_or_default();
        heard.iter().for_each(|news| ready.learn(news));
        state.ready = Some(ready);
        self.usable.store(true, Ordering::Release);
        Ok(())
    }

    /// Has files searched for every query that may change without a report from now
    /// on. A stamp would tell of the first such change at best.
    fn distrust_mapped(&self) -> Result<()> {
        if !self.lock().fresh.is_watching() {
            return Ok(());
        }
        let mapped: Vec<FilePath> = Fresh::mapped(&self.root).into_iter().collect();
        if mapped.is_empty() {
            return Ok(());
        }
        let mut state = self.lock();
        state.catch_up(&self.stop)?;
        if let Some(ready) = &mut state.ready {
            ready.distrust(&mapped);
        }
        Ok(())
    }

    /// Finds what changed without a report, by the files' stamps. Does not keep
    /// searches waiting.
    fn repair(&self) -> Result<()> {
        let snapshot = {
            let state = self.lock();
            if !state.fresh.is_watching() {
                // Every search compares all stamps.
                return Ok(());
            }
            match &state.ready {
                Some(ready) => ready.snapshot(),
                None => return Ok(()),
            }
        };
        let found = altered(&snapshot, &self.stop)?;
        if found.is_empty() {
            return Ok(());
        }
        let mut state = self.lock();
        // What was reported is no longer clean, and therefore not distrusted.
        state.catch_up(&self.stop)?;
        if let Some(ready) = &mut state.ready {
            ready.distrust(&found);
        }
        Ok(())
    }
}

/// Files with what is known of them, by their number in the index.
fn numbered(files: Vec<FilePath>, indexed: Vec<Indexed>) -> Files {
    let files = files.into_iter().map(Arc::new);
    files.zip(indexed).collect()
}

fn plan_work(ready: &Ready, forced: bool) -> Work {
    let changed = ready.changed();
    if changed.is_empty() || (changed.len() < FEW && !forced) {
        return Work::Nothing;
    }
    let (segments, small) = ready.growth();
    if small + changed.len() > MANY.max(ready.base() / SHARE) {
        Work::Rebuild
    } else if segments > SEGMENTS {
        Work::Fold(ready.files_from(1))
    } else {
        Work::Add(changed)
    }
}

/// When to look for what events do not report.
struct Repair {
    last: Instant,
    cost: Duration,
}

impl Repair {
    fn new() -> Self {
        Self {
            last: Instant::now(),
            cost: Duration::ZERO,
        }
    }

    fn is_due(&self, asked: bool) -> bool {
        let least = self.cost * REPAIR_SHARE;
        let pause = if asked { least } else { least.max(REPAIR_IDLE) };
        self.last.elapsed() >= pause
    }

    fn took(&mut self, cost: Duration) {
        *self = Self {
            last: Instant::now(),
            cost,
        };
    }
}
