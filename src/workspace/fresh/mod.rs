//! What may have changed in a root since one last asked.
//!
//! Where the system reports changes reliably (inotify, on local file systems), asking
//! drains its events: a write that has returned has put its event into the queue
//! before. A folder that was made, moved or removed, or whose ignore files changed, is
//! listed anew, and it alone. What events cannot tell surely — a queue that ran over,
//! a second name of a file — and every other file system is answered by a sweep: a
//! walk that compares the stamps of all files.
//!
//! Two kinds of writes are seen by no event: a store through a memory map that is
//! still open (the event comes when it is closed), and a write by a name outside the
//! root. A resident caller looks for maps every other second ([`Fresh::mapped`]), and
//! for both now and then, by the files' stamps.

mod events;
#[cfg(target_os = "linux")]
mod inotify;
mod limits;
#[cfg(target_os = "linux")]
mod mapped;

use super::cancel::Cancel;
use super::root::{FilePath, Root};
use super::stamp::Stamp;
use super::walk::{Scope, Seen, builder, survey};
use crate::error::Result;
use events::{Events, IGNORE_FILES};
use ignore::IncrementalIgnore;
#[cfg(target_os = "linux")]
use inotify::Watcher;
pub use limits::WatchLimits;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// A file that may have changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Touched {
    /// The file.
    pub path: FilePath,
    /// Whether it is there and part of the root: neither hidden nor ignored.
    pub there: bool,
}

/// A folder that was listed anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// The folder, which may have gone.
    pub folder: FilePath,
    /// All files of the root below it, in order.
    pub files: Vec<Seen>,
}

/// What may have changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// These files, what lies below these folders, and no others.
    Parts {
        /// Single files.
        files: Vec<Touched>,
        /// Folders, none of them inside another.
        folders: Vec<Listing>,
    },
    /// Anything: all files of the root, in order, with their stamps.
    Everything(Vec<Seen>),
}

/// Keeps track of a root's files.
#[derive(Debug)]
pub struct Fresh {
    root: Root,
    #[cfg(target_os = "linux")]
    watcher: Option<Watcher>,
    /// Ignore files that no watched folder holds, as they were.
    outside: BTreeMap<PathBuf, Option<Stamp>>,
    /// Files with several names: a write by another name is reported elsewhere.
    linked: BTreeMap<FilePath, Stamp>,
    /// Rules for single files; none before the first sweep.
    rules: Option<IncrementalIgnore>,
}

/// Times that folders may appear while they are being listed.
const ROUNDS: usize = 8;

impl Fresh {
    /// Starts to keep track. The first news are everything.
    pub fn new(root: &Root) -> Self {
        Self {
            root: root.clone(),
            #[cfg(target_os = "linux")]
            watcher: Watcher::new(root.dir()),
            outside: BTreeMap::new(),
            linked: BTreeMap::new(),
            rules: None,
        }
    }

    /// Whether single changes are reported, so that news are cheap.
    pub fn is_watching(&self) -> bool {
        #[cfg(target_os = "linux")]
        {
            self.watcher.is_some()
        }
        #[cfg(not(target_os = "linux"))]
        {
            false
        }
    }

    /// Files that other programs may store into at any time, unreported: those that
    /// they hold shared, writable memory maps of. Empty where the system does not say.
    pub fn mapped(root: &Root) -> BTreeSet<FilePath> {
        #[cfg(target_os = "linux")]
        {
            mapped::mapped(root)
        }
        #[cfg(not(target_os = "linux"))]
        {
            let _ = root;
            BTreeSet::new()
        }
    }

    /// What may have changed since the last news by writes that finished before this
    /// call. After an error, the next news are everything.
    ///
    /// # Errors
    /// What `cancel` says.
    pub fn news(&mut self, cancel: &Cancel) -> Result<News> {
        let events = self.drain();
        let Some(events) = events.filter(|e| !e.sweep) else {
            return self.sweep(cancel);
        };
        if self.rules.is_none() || self.outside.iter().any(|(path, was)| stamp(path) != *was) {
            return self.sweep(cancel);
        }
        let Some(folders) = self.list(&events, cancel)? else {
            return self.sweep(cancel);
        };
        let mut touched = Vec::new();
        for abs in events.files {
            let path = self.file(abs);
            let before = self.linked.get(&path).map(|s| s.inode);
            touched.extend(self.look(path.clone()));
            let now = self.linked.get(&path).map(|s| s.inode);
            if now.is_some() && now != before {
                // What was written under this name changed another, unreported.
                return self.sweep(cancel);
            }
        }
        let moved: Vec<FilePath> = self
            .linked
            .iter()
            .filter(|(path, was)| stamp(&path.abs) != Some(**was))
            .map(|(path, _)| path.clone())
            .collect();
        for path in moved {
            touched.extend(self.look(path));
        }
        Ok(News::Parts {
            files: touched,
            folders,
        })
    }

    /// Folders with all that is in them, each once. None if that takes a sweep.
    fn list(&mut self, events: &Events, cancel: &Cancel) -> Result<Option<Vec<Listing>>> {
        let changed = &events.folders;
        if changed.is_empty() {
            return Ok(Some(Vec::new()));
        }
        if changed.contains(self.root.dir()) {
            return Ok(None);
        }
        // What goes wrong below leaves no rules, and so a sweep for the next news.
        self.rules = None;
        let Some(mut rules) = self.new_rules() else {
            return Ok(None);
        };
        let mut listed: Vec<Listing> = Vec::new();
        for folder in changed {
            // In order, so that a folder comes before what is inside it.
            if listed.iter().any(|l| folder.starts_with(&l.folder.abs)) {
                continue;
            }
            let known = self.unwatch(folder) || events.gone.contains(folder);
            if !known && !folder.is_dir() {
                // It came and went, and files may have had second names in it, by
                // which they were written.
                return Ok(None);
            }
            self.outside.retain(|path, _| !path.starts_with(folder));
            self.linked.retain(|path, _| !path.abs.starts_with(folder));
            let Some((files, inside)) = self.list_one(folder, &mut rules, cancel)? else {
                return Ok(None);
            };
            self.outside.extend(sources_in(&inside));
            listed.push(Listing {
                folder: self.file(folder.clone()),
                files,
            });
        }
        for seen in listed.iter().flat_map(|l| &l.files) {
            if seen.stamp.links > 1 {
                // Another name of it may have been written before it was known.
                return Ok(None);
            }
        }
        self.rules = Some(rules);
        Ok(Some(listed))
    }

    /// The files below a folder, and the folders, which are watched from here on. None
    /// where they cannot be.
    fn list_one(
        &mut self,
        folder: &Path,
        rules: &mut IncrementalIgnore,
        cancel: &Cancel,
    ) -> Result<Option<(Vec<Seen>, Vec<PathBuf>)>> {
        let dir = self.root.dir().to_path_buf();
        let mut allowed = |path: &Path, is_dir: bool| {
            path.file_name().is_some_and(|name| name != ".git")
                && path
                    .strip_prefix(&dir)
                    .is_ok_and(|below| !rules.matched(below, is_dir).is_ignore())
        };
        let mut files = Vec::new();
        let mut folders = Vec::new();
        let is_dir = std::fs::symlink_metadata(folder).is_ok_and(|m| m.is_dir());
        let mut next = Vec::new();
        if is_dir && allowed(folder, true) {
            next.push(folder.to_path_buf());
        }
        while let Some(folder) = next.pop() {
            cancel.check()?;
            // Watched before it is listed: what comes later is reported.
            if !self.watch_too(&folder) {
                return Ok(None);
            }
            // A folder that has gone, or cannot be read, has no files.
            for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
                let Ok(kind) = entry.file_type() else {
                    continue;
                };
                let path = entry.path();
                if kind.is_dir() {
                    if allowed(&path, true) {
                        next.push(path);
                    }
                } else if kind.is_file()
                    && allowed(&path, false)
                    && let Ok(meta) = entry.metadata()
                {
                    files.push(Seen {
                        path: self.file(path),
                        stamp: Stamp::of(&meta),
                    });
                }
            }
            folders.push(folder);
        }
        files.sort_unstable_by(|a: &Seen, b: &Seen| a.path.cmp(&b.path));
        Ok(Some((files, folders)))
    }

    fn file(&self, abs: PathBuf) -> FilePath {
        FilePath {
            rel: self.root.relative(&abs),
            abs,
        }
    }

    /// All files, whatever was reported.
    ///
    /// # Errors
    /// What `cancel` says; the next news are everything then.
    pub fn sweep(&mut self, cancel: &Cancel) -> Result<News> {
        self.rules = None;
        for _ in 0..ROUNDS {
            // What these events report is older than the walk that follows.
            self.drain();
            // Stamps of rules before the rules are read: a change in between shows.
            let rules = self.new_rules();
            let outside = self.sources_above();
            let (files, folders) = survey(&self.root, cancel)?;
            let mut all = sources_in(&folders);
            all.extend(outside);
            if self.watch(&folders) {
                // What happened in a folder before it was watched was not reported.
                continue;
            }
            self.outside = all;
            self.linked = files
                .iter()
                .filter(|f| f.stamp.links > 1)
                .map(|f| (f.path.clone(), f.stamp))
                .collect();
            self.rules = rules;
            return Ok(News::Everything(files));
        }
        // Folders keep appearing: go without events, which a sweep each time allows.
        #[cfg(target_os = "linux")]
        {
            self.watcher = None;
        }
        let (files, _) = survey(&self.root, cancel)?;
        Ok(News::Everything(files))
    }

    fn new_rules(&self) -> Option<IncrementalIgnore> {
        let builder = builder(&self.root, &Scope::default()).ok()?;
        builder.build_matchers().into_iter().next()
    }

    /// A file that was reported, as it is now.
    fn look(&mut self, path: FilePath) -> Option<Touched> {
        let stamp = std::fs::symlink_metadata(&path.abs)
            .ok()
            .filter(|m| m.is_file())
            .map(|m| Stamp::of(&m));
        let rules = self.rules.as_mut()?;
        let below = path.abs.strip_prefix(self.root.dir()).ok()?;
        let there = stamp.is_some() && !rules.matched(below, false).is_ignore();
        match stamp.filter(|s| there && s.links > 1) {
            Some(stamp) => self.linked.insert(path.clone(), stamp),
            None => self.linked.remove(&path),
        };
        Some(Touched { path, there })
    }

    /// Files with rules that lie in no watched folder: those above the root, and the
    /// user's.
    fn sources_above(&self) -> BTreeMap<PathBuf, Option<Stamp>> {
        let mut paths = BTreeSet::new();
        for above in self.root.dir().ancestors().skip(1) {
            paths.extend(IGNORE_FILES.iter().map(|name| above.join(name)));
            paths.insert(above.join(".git"));
            paths.extend(excludes(&above.join(".git")));
        }
        paths.extend(ignore::gitignore::gitconfig_excludes_path());
        let home = std::env::var_os("HOME").map(PathBuf::from);
        let config = std::env::var_os("XDG_CONFIG_HOME")
            .map(PathBuf::from)
            .or_else(|| home.as_ref().map(|h| h.join(".config")));
        paths.extend(home.map(|h| h.join(".gitconfig")));
        paths.extend(config.map(|c| c.join("git/config")));
        paths.insert(PathBuf::from("/etc/gitconfig"));
        stamps(paths)
    }

    #[cfg(target_os = "linux")]
    fn drain(&mut self) -> Option<Events> {
        let events = self.watcher.as_mut()?.drain();
        if events.is_none() {
            self.watcher = None;
        }
        events
    }

    #[cfg(not(target_os = "linux"))]
    fn drain(&mut self) -> Option<Events> {
        None
    }

    /// Watches folders; true if one of them was not watched before.
    #[cfg(target_os = "linux")]
    fn watch(&mut self, folders: &[PathBuf]) -> bool {
        let Some(watcher) = &mut self.watcher else {
            return false;
        };
        match watcher.watch(folders) {
            Some(new) => new,
            None => {
                self.watcher = None;
                false
            }
        }
    }

    #[cfg(not(target_os = "linux"))]
    fn watch(&mut self, _: &[PathBuf]) -> bool {
        false
    }

    /// Watches a folder besides the others; false where that is not possible.
    #[cfg(target_os = "linux")]
    fn watch_too(&mut self, folder: &Path) -> bool {
        self.watcher.as_mut().is_some_and(|w| w.watch_too(folder))
    }

    #[cfg(not(target_os = "linux"))]
    fn watch_too(&mut self, _: &Path) -> bool {
        false
    }

    /// Stops watching a folder and what is below it. Whether any of it was watched.
    #[cfg(target_os = "linux")]
    fn unwatch(&mut self, folder: &Path) -> bool {
        self.watcher.as_mut().is_some_and(|w| w.unwatch(folder))
    }

    #[cfg(not(target_os = "linux"))]
    fn unwatch(&mut self, _: &Path) -> bool {
        false
    }
}

/// Where git's own list of ignored files may lie, given `.git`: a folder, or in a
/// linked worktree a file that names one.
fn excludes(git: &Path) -> Vec<PathBuf> {
    let Ok(meta) = git.symlink_metadata() else {
        return Vec::new();
    };
    if meta.is_dir() {
        return vec![git.join("info/exclude")];
    }
    let Ok(text) = std::fs::read_to_string(git) else {
        return Vec::new();
    };
    let at = text.trim().strip_prefix("gitdir:").unwrap_or_default();
    let dir = git.with_file_name("").join(at.trim());
    let common = std::fs::read_to_string(dir.join("commondir")).unwrap_or_default();
    let common = dir.join(common.trim());
    vec![git.to_path_buf(), common.join("info/exclude")]
}

/// Git's own rules for the repositories that begin in these folders.
fn sources_in(folders: &[PathBuf]) -> BTreeMap<PathBuf, Option<Stamp>> {
    stamps(folders.iter().flat_map(|f| excludes(&f.join(".git"))))
}

fn stamps(paths: impl IntoIterator<Item = PathBuf>) -> BTreeMap<PathBuf, Option<Stamp>> {
    let with_stamp = |path: PathBuf| {
        let stamp = stamp(&path);
        (path, stamp)
    };
    paths.into_iter().map(with_stamp).collect()
}

/// A folder's stamp changes with every file in it; only whether it is there matters.
fn stamp(path: &Path) -> Option<Stamp> {
    let meta = std::fs::metadata(path).ok()?;
    let stamp = Stamp::of(&meta);
    Some(if meta.is_dir() {
        Stamp {
            size: 0,
            modified: 0,
            changed: 0,
            links: 0,
            ..stamp
        }
    } else {
        stamp
    })
}

#[cfg(all(test, unix))]
mod tests;
