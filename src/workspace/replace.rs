//! One file's content replaced as a whole, as an editor would.

use super::crash::step;
use super::state::sync_dir;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// A file's bytes, `None` where there is no file.
pub(super) fn content(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(e),
    }
}

/// The name beside a file under which its new content is written.
pub(super) fn temp_path(path: &Path, id: &str) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.trimtab-{id}"))
}

/// Gives a file its new content or removes it, as an editor would: permissions
/// stay, a file with several hard links keeps them (it is written in place, and
/// a crash within is mended from the undo entry).
pub(super) fn put(path: &Path, bytes: Option<&[u8]>, id: &str) -> io::Result<()> {
    let dir = path.parent().unwrap_or(Path::new("."));
    let Some(bytes) = bytes else {
        return match fs::remove_file(path) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
            _ => {
                sync_dir(dir);
                Ok(())
            }
        };
    };
    let old = match fs::metadata(path) {
        Ok(meta) => Some(meta),
        Err(e) if e.kind() == io::ErrorKind::NotFound => None,
        Err(e) => return Err(e),
    };
    if let Some(old) = &old {
        if old.permissions().readonly() {
            return Err(io::Error::new(
                io::ErrorKind::PermissionDenied,
                "the file is read-only",
            ));
        }
        if hard_links(old) > 1 {
            let mut file = File::options().write(true).open(path)?;
            file.write_all(bytes)?;
            step("in place");
            file.set_len(bytes.len() as u64)?;
            return file.sync_all();
        }
    } else {
        fs::create_dir_all(dir)?;
    }
    let temp = temp_path(path, id);
    let written = (|| {
        let mut file = File::create(&temp)?;
        file.write_all(&bytes[..bytes.len() / 2])?;
        step("half");
        file.write_all(&bytes[bytes.len() / 2..])?;
        if let Some(old) = &old {
            file.set_permissions(old.permissions())?;
            keep_owner(&temp, old);
        }
        file.sync_all()?;
        step("temp");
        fs::rename(&temp, path)
    })();
    if written.is_err() {
        let _ = fs::remove_file(&temp);
    }
    written?;
    sync_dir(dir);
    Ok(())
}

#[cfg(unix)]
pub(super) fn hard_links(meta: &fs::Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::nlink(meta)
}

#[cfg(not(unix))]
pub(super) fn hard_links(_: &fs::Metadata) -> u64 {
    1
}

/// Only root can give files away; for others the owner is already right.
#[cfg(unix)]
fn keep_owner(temp: &Path, old: &fs::Metadata) {
    use std::os::unix::fs::{MetadataExt, chown};
    let _ = chown(temp, Some(old.uid()), Some(old.gid()));
}

#[cfg(not(unix))]
fn keep_owner(_: &Path, _: &fs::Metadata) {}
