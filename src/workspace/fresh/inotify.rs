//! Linux's report of changes, folder by folder.

use super::events::{Events, IGNORE_FILES};
use super::limits::WatchLimits;
use rustix::fs::inotify::{self, CreateFlags, ReadFlags, Reader, WatchFlags};
use rustix::io::Errno;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Watches folders.
#[derive(Debug)]
pub(super) struct Watcher {
    fd: OwnedFd,
    folders: BTreeMap<i32, PathBuf>,
    /// Devices known to be local file systems.
    devices: BTreeSet<u64>,
    /// Most folders that are watched.
    most: usize,
}

/// Share of the user's watches that is taken at most, so that editors and other
/// watchers keep theirs.
const SHARE: u64 = 2;

/// Watches that every user has, where the system does not say.
const FEWEST: u64 = 8_192;

fn flags() -> WatchFlags {
    WatchFlags::MODIFY
        | WatchFlags::CLOSE_WRITE
        | WatchFlags::ATTRIB
        | WatchFlags::CREATE
        | WatchFlags::DELETE
        | WatchFlags::DELETE_SELF
        | WatchFlags::MOVED_FROM
        | WatchFlags::MOVED_TO
        | WatchFlags::MOVE_SELF
        | WatchFlags::ONLYDIR
}

/// File systems whose every change passes through this kernel, by the number that
/// `statfs` gives: ext2 to ext4, XFS, Btrfs, tmpfs, ramfs, overlayfs, F2FS, ZFS,
/// bcachefs, Reiserfs, JFS, NILFS.
const LOCAL: &[u64] = &[
    0xEF53,
    0x5846_5342,
    0x9123_683E,
    0x0102_1994,
    0x8584_58F6,
    0x794C_7630,
    0xF2F5_2010,
    0x2FC1_2FC1,
    0xCA45_1A4E,
    0x5265_4973,
    0x3153_464A,
    0x3434,
];

pub(super) fn is_local_type(number: u64) -> bool {
    LOCAL.contains(&number)
}

impl Watcher {
    /// Allows so many watches.
    #[cfg(test)]
    pub fn allow(&mut self, most: usize) {
        self.most = most;
    }

    /// None where events cannot be relied on.
    pub fn new(root: &Path) -> Option<Self> {
        let fd = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK).ok()?;
        let watches = WatchLimits::of_system().watches.unwrap_or(FEWEST);
        let mut watcher = Self {
            fd,
            folders: BTreeMap::new(),
            devices: BTreeSet::new(),
            most: usize::try_from(watches / SHARE).unwrap_or(usize::MAX),
        };
        watcher.is_local(root).then_some(watcher)
    }

    fn is_local(&mut self, folder: &Path) -> bool {
        let Ok(meta) = folder.metadata() else {
            // It has gone; its parent's events say so.
            return true;
        };
        if self.devices.contains(&meta.dev()) {
            return true;
        }
        let local =
            rustix::fs::statfs(folder).is_ok_and(|s| is_local_type(s.f_type as u64 & 0xFFFF_FFFF));
        if local {
            self.devices.insert(meta.dev());
        }
        local
    }

    /// Watches exactly these folders. True if one is new; None if not all of them can
    /// be watched.
    pub fn watch(&mut self, folders: &[PathBuf]) -> Option<bool> {
        if folders.len() > self.most {
            return None;
        }
        let mut now = BTreeMap::new();
        let mut new = false;
        for folder in folders {
            if !self.is_local(folder) {
                return None;
            }
            match inotify::add_watch(&self.fd, folder, flags()) {
                Ok(watch) => {
                    // The same folder gives the same number, under whatever name.
                    new |= !self.folders.contains_key(&watch);
                    now.insert(watch, folder.clone());
                }
                // Gone, or replaced, since it was listed.
                Err(Errno::NOENT | Errno::NOTDIR) => new = true,
                // Unreadable folders hold nothing that could be read.
                Err(Errno::ACCESS) => {}
                Err(_) => return None,
            }
        }
        let gone: Vec<i32> = self
            .folders
            .keys()
            .filter(|w| !now.contains_key(w))
            .copied()
            .collect();
        for watch in gone {
            // Fails for a folder that is no more.
            let _ = inotify::remove_watch(&self.fd, watch);
        }
        self.folders = now;
        Some(new)
    }

    /// Watches a folder besides the others; false where that is not possible.
    pub fn watch_too(&mut self, folder: &Path) -> bool {
        if self.folders.len() >= self.most || !self.is_local(folder) {
            return false;
        }
        match inotify::add_watch(&self.fd, folder, flags()) {
            Ok(watch) => {
                self.folders.insert(watch, folder.to_path_buf());
                true
            }
            // It has gone, which its parent's events say; or it cannot be read.
            Err(Errno::NOENT | Errno::NOTDIR | Errno::ACCESS) => true,
            Err(_) => false,
        }
    }

    /// Stops watching a folder and what is below it. Whether any of it was watched.
    pub fn unwatch(&mut self, folder: &Path) -> bool {
        let fd = &self.fd;
        let before = self.folders.len();
        self.folders.retain(|watch, path| {
            let keep = !path.starts_with(folder);
            if !keep {
                // Fails for a folder that is no more.
                let _ = inotify::remove_watch(fd, *watch);
            }
            keep
        });
        self.folders.len() < before
    }

    /// Everything reported so far. None if the reports cannot be read.
    pub fn drain(&mut self) -> Option<Events> {
        let mut events = Events::default();
        let mut buffer = [MaybeUninit::uninit(); 32 << 10];
        let mut reader = Reader::new(&self.fd, &mut buffer);
        // A name that came and went may have been a second one of a file, which was
        // written by it: nothing is reported for the first.
        let mut came: BTreeSet<PathBuf> = BTreeSet::new();
        let mut moving: BTreeSet<u32> = BTreeSet::new();
        loop {
            let event = match reader.next() {
                Ok(event) => event,
                Err(Errno::AGAIN) => {
                    events.sweep |= !moving.is_empty();
                    return Some(events);
                }
                Err(Errno::INTR) => continue,
                Err(_) => return None,
            };
            let flags = event.events();
            if flags.contains(ReadFlags::IGNORED) {
                events.gone.extend(self.folders.remove(&event.wd()));
                continue;
            }
            if flags.contains(ReadFlags::QUEUE_OVERFLOW) {
                events.sweep = true;
                continue;
            }
            // A folder that is no longer part of the root has nothing to say, except
            // that it is back, which its parent reports.
            let Some(folder) = self.folders.get(&event.wd()) else {
                continue;
            };
            let itself = ReadFlags::DELETE_SELF | ReadFlags::MOVE_SELF | ReadFlags::UNMOUNT;
            if flags.intersects(itself) {
                events.folders.insert(folder.clone());
                continue;
            }
            let Some(name) = event.file_name() else {
                // The folder's own attributes: who may read it.
                events.folders.insert(folder.clone());
                continue;
            };
            let name = OsStr::from_bytes(name.to_bytes());
            if IGNORE_FILES.iter().any(|n| name == *n) || name == ".git" {
                events.folders.insert(folder.clone());
                continue;
            }
            let path = folder.join(name);
            if flags.contains(ReadFlags::ISDIR) {
                events.folders.insert(path);
                continue;
            }
            events.sweep |= flags.contains(ReadFlags::DELETE) && came.contains(&path);
            if flags.contains(ReadFlags::CREATE) {
                came.insert(path.clone());
            } else if flags.contains(ReadFlags::MOVED_FROM) && came.remove(&path) {
                moving.insert(event.cookie());
            } else if flags.contains(ReadFlags::MOVED_TO) && moving.remove(&event.cookie()) {
                came.insert(path.clone());
            }
            events.files.insert(path);
        }
    }
}
