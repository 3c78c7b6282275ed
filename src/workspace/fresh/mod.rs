//! What may have changed in a root since one last asked.
//!
//! Where the system reports changes reliably (inotify, on local file systems), asking
//! drains its events: a write that has returned has put its event into the queue
//! before. Everything that events cannot tell apart surely — a folder made, moved or
//! removed, an ignore file changed, a queue that ran over — and every other file
//! system is answered by a sweep: a walk that compares the stamps of all files.
//!
//! A store through a memory map is seen by no event. Sweeps see it; a resident caller
//! makes one now and then ([`Fresh::sweep`]).

#[cfg(target_os = "linux")]
mod inotify;
mod limits;

use super::walk::{builder, survey};
use super::{Cancel, FilePath, Root, Scope, Stamp};
use crate::error::Result;
use ignore::IncrementalIgnore;
#[cfg(target_os = "linux")]
use inotify::Watcher;
pub use limits::WatchLimits;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// A file that a sweep came by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// The file.
    pub path: FilePath,
    /// As it is now.
    pub stamp: Stamp,
}

/// A file that may have changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Touched {
    /// The file.
    pub path: FilePath,
    /// Whether it is there and part of the root: neither hidden nor ignored.
    pub there: bool,
}

/// What may have changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// These files and no others.
    Files(Vec<Touched>),
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

/// What the watcher has to say.
#[derive(Debug, Default)]
struct Events {
    files: BTreeSet<PathBuf>,
    /// Whether more may have changed than the files.
    sweep: bool,
}

/// Times that folders may appear while they are being listed.
const ROUNDS: usize = 8;

/// Names of files that decide which others belong to a root.
const IGNORE_FILES: [&str; 3] = [".gitignore", ".ignore", ".rgignore"];

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
        let mut touched = Vec::new();
        for abs in events.files {
            let rel = self.root.relative(&abs);
            let path = FilePath { rel, abs };
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
        Ok(News::Files(touched))
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
            let outside = self.sources(&[]);
            let (files, folders) = survey(&self.root, cancel)?;
            let mut all = self.sources(&folders);
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

    /// Files with rules that lie in no watched folder, or have no file's name there:
    /// those above the root, git's own, and the user's.
    fn sources(&self, folders: &[PathBuf]) -> BTreeMap<PathBuf, Option<Stamp>> {
        let mut paths = BTreeSet::new();
        let dir = self.root.dir();
        if folders.is_empty() {
            for above in dir.ancestors().skip(1) {
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
        }
        for folder in folders {
            paths.extend(excludes(&folder.join(".git")));
        }
        paths
            .into_iter()
            .map(|path| {
                let stamp = stamp(&path);
                (path, stamp)
            })
            .collect()
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
