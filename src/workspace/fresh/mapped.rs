//! Files that programs can store into without a call that the system would report.

use super::super::root::{FilePath, Root};
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// The files below a root that some program has a shared, writable memory map of, as
/// far as this one is told: of programs of other users it is not.
pub(super) fn mapped(root: &Root) -> BTreeSet<FilePath> {
    let mut found = BTreeSet::new();
    for process in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let name = process.file_name();
        if !name.as_bytes().iter().all(u8::is_ascii_digit) {
            continue;
        }
        // It may have ended, or belong to another user.
        let maps = fs::read(process.path().join("maps")).unwrap_or_default();
        for abs in maps.split(|b| *b == b'\n').filter_map(shared) {
            if abs.starts_with(root.dir()) {
                found.insert(FilePath {
                    rel: root.relative(&abs),
                    abs,
                });
            }
        }
    }
    found
}

/// The file in a line of `/proc/PID/maps` (`7f00-7f01 rw-s 00000000 08:01 99   /a/b`),
/// if it is shared and writable.
fn shared(line: &[u8]) -> Option<PathBuf> {
    let mode = line.split(|b| *b == b' ').nth(1)?;
    if !matches!(mode, [_, b'w', _, b's']) {
        return None;
    }
    let at = memchr::memchr(b'/', line)?;
    let path = Path::new(OsStr::from_bytes(line.get(at..)?));
    // The one character that is written otherwise.
    match path.to_str() {
        Some(text) if text.contains("\\012") => Some(text.replace("\\012", "\n").into()),
        _ => Some(path.to_path_buf()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_can_be_stored_into_is_named() {
        let file = |line: &str| shared(line.as_bytes());
        let path = Some(PathBuf::from("/a b/c"));
        assert_eq!(file("7f00-7f01 rw-s 00000000 08:01 99       /a b/c"), path);
        assert_eq!(file("7f00-7f01 r--s 00000000 08:01 99       /a b/c"), None);
        assert_eq!(file("7f00-7f01 rw-p 00000000 08:01 99       /a b/c"), None);
        assert_eq!(file("7f00-7f01 rw-s 00000000 00:00 0 "), None);
        assert_eq!(file(""), None);
        let broken = "7f00-7f01 -w-s 00000000 08:01 99   /a\\012b";
        assert_eq!(file(broken), Some(PathBuf::from("/a\nb")));
    }
}
