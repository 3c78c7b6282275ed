use std::fs::Metadata;
use std::time::{SystemTime, UNIX_EPOCH};

/// What the file system says about a file, to tell whether it may have changed. The
/// change time is set by the system at every write, also by one that restores size
/// and modification time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Stamp {
    /// Size in bytes.
    pub size: u64,
    /// Last modification, in nanoseconds since 1970.
    pub modified: i64,
    /// Last change of the file or its attributes, in nanoseconds since 1970; 0 where
    /// the system has none.
    pub changed: i64,
    /// The file itself, whatever its name; 0 where the system does not say.
    pub inode: u64,
    /// How many names it has.
    pub links: u64,
}

/// A file changed again within the same tick of the file system's clock has the same
/// stamp. Coarse clocks tick every two seconds.
const TICK: i64 = 2_500_000_000;

impl Stamp {
    /// The stamp in a file's metadata.
    pub fn of(meta: &Metadata) -> Self {
        let modified = meta.modified().map_or(0, nanoseconds);
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt;
            Self {
                size: meta.len(),
                modified,
                changed: meta
                    .ctime()
                    .wrapping_mul(1_000_000_000)
                    .wrapping_add(meta.ctime_nsec()),
                inode: meta.ino(),
                links: meta.nlink(),
            }
        }
        #[cfg(not(unix))]
        Self {
            size: meta.len(),
            modified,
            changed: 0,
            inode: 0,
            links: 1,
        }
    }

    /// Whether the file was left alone for so long, as of `now`, that another change
    /// would show in the stamp. What was read of a file that is not settled may be
    /// out of date although its stamp stays the same.
    pub fn is_settled(&self, now: SystemTime) -> bool {
        let newest = self.modified.max(self.changed);
        nanoseconds(now).saturating_sub(newest) > TICK
    }
}

fn nanoseconds(time: SystemTime) -> i64 {
    match time.duration_since(UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_nanos()).unwrap_or(i64::MAX),
        Err(before) => i64::try_from(before.duration().as_nanos()).map_or(i64::MIN, |n| -n),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_rewrite_of_the_same_size_shows_or_is_unsettled() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        std::fs::write(&path, "one").unwrap();
        let before = Stamp::of(&path.metadata().unwrap());
        assert!(!before.is_settled(SystemTime::now()));
        assert!(before.is_settled(SystemTime::now() + Duration::from_secs(60)));
        std::fs::write(&path, "two").unwrap();
        let after = Stamp::of(&path.metadata().unwrap());
        assert!(before != after || !before.is_settled(SystemTime::now()));
    }
}
