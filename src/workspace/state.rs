use super::root::Root;
use crate::error::{Error, Result};
use sha2::{Digest, Sha256};
use std::env;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// The folder that holds what trimtab remembers about one root: omitted text,
/// undo entries and run journals. It lies under `$XDG_STATE_HOME/trimtab`, by
/// default `~/.local/state/trimtab` (`%LOCALAPPDATA%\trimtab` on Windows).
#[derive(Debug, Clone)]
pub struct State {
    dir: PathBuf,
}

impl State {
    /// The state folder of a root, if there is one: for callers that only look.
    pub fn existing(root: &Root) -> Option<Self> {
        let dir = Self::place(root).ok()?;
        dir.is_dir().then_some(Self { dir })
    }

    fn place(root: &Root) -> Result<PathBuf> {
        Ok(base(root, "XDG_STATE_HOME", ".local/state")?.join(key(root)))
    }

    /// Opens, and makes if needed, the state folder of a root.
    ///
    /// # Errors
    /// `no_state` if no place for it is known or it cannot be made.
    pub fn for_root(root: &Root) -> Result<Self> {
        let dir = Self::place(root)?;
        fs::create_dir_all(&dir).map_err(|e| no_state(&dir, &e))?;
        let name = dir.join("root");
        if !name.exists() {
            // Only for people who look into the folder.
            let _ = fs::write(&name, root.dir().to_string_lossy().as_bytes());
        }
        Ok(Self { dir })
    }

    /// The folder for what can be made again, such as an index, of a root: under
    /// `$XDG_CACHE_HOME/trimtab`, by default `~/.cache/trimtab`. It may not exist.
    ///
    /// # Errors
    /// `no_state` if no place for it is known.
    pub fn cache_dir(root: &Root) -> Result<PathBuf> {
        Ok(base(root, "XDG_CACHE_HOME", ".cache")?.join(key(root)))
    }

    /// The folder itself.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// A folder inside, made if needed.
    ///
    /// # Errors
    /// `no_state` if it cannot be made.
    pub fn folder(&self, name: &str) -> Result<PathBuf> {
        let dir = self.dir.join(name);
        fs::create_dir_all(&dir).map_err(|e| no_state(&dir, &e))?;
        Ok(dir)
    }

    /// Waits for the root's writer lock; it is free again when the value is
    /// dropped or the process ends, however it ends.
    ///
    /// # Errors
    /// `no_state` if the lock file cannot be opened or locked.
    pub fn lock(&self) -> Result<File> {
        let path = self.dir.join("lock");
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(|e| no_state(&path, &e))?;
        file.lock().map_err(|e| no_state(&path, &e))?;
        Ok(file)
    }
}

/// The error for state that cannot be kept.
pub(super) fn no_state(path: &Path, e: &io::Error) -> Error {
    Error::failure(
        "no_state",
        format!("State cannot be kept at {}: {e}.", path.display()),
        "Make that place writable, or set XDG_STATE_HOME to a folder that is.",
    )
}

fn base(root: &Root, variable: &str, below_home: &str) -> Result<PathBuf> {
    if let Some(home) = root.home() {
        return Ok(home.join(below_home).join("trimtab"));
    }
    let set = |name: &str| {
        env::var_os(name)
            .filter(|v| !v.is_empty())
            .map(PathBuf::from)
    };
    // The XDG specification has relative values ignored.
    if let Some(dir) = set(variable).filter(|d| d.is_absolute()) {
        return Ok(dir.join("trimtab"));
    }
    if cfg!(windows)
        && let Some(dir) = set("LOCALAPPDATA")
    {
        return Ok(dir.join("trimtab"));
    }
    match env::home_dir().filter(|h| h.is_absolute()) {
        Some(home) => Ok(home.join(below_home).join("trimtab")),
        None => Err(Error::failure(
            "no_state",
            "There is no home folder to keep state in.",
            format!("Set HOME, or {variable} to a writable folder."),
        )),
    }
}

fn key(root: &Root) -> String {
    let name = root
        .dir()
        .file_name()
        .map(|n| n.to_string_lossy().into_owned())
        .unwrap_or_default();
    let safe: String = name
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || "-_.".contains(*c))
        .take(24)
        .collect();
    format!(
        "{}-{}",
        safe,
        &hash(root.dir().to_string_lossy().as_bytes())[..16]
    )
}

/// SHA-256 in lower-case hexadecimal digits.
pub(crate) fn hash(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Bytes as lower-case hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(2 * bytes.len());
    for b in bytes {
        for nibble in [b >> 4, b & 15] {
            out.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0'));
        }
    }
    out
}

/// Writes a file so that a crash leaves the old content or the new: beside it,
/// flushed to the disk where `durable`, then renamed over it.
pub(super) fn write_whole(path: &Path, bytes: &[u8], durable: bool) -> io::Result<()> {
    let dir = path.parent().unwrap_or(Path::new("."));
    let mut temp = tempfile::NamedTempFile::new_in(dir)?;
    temp.write_all(bytes)?;
    if durable {
        temp.as_file().sync_all()?;
    }
    temp.persist(path).map_err(|e| e.error)?;
    if durable {
        sync_dir(dir);
    }
    Ok(())
}

/// Makes renames in a folder durable where the system can (not on Windows).
pub(super) fn sync_dir(dir: &Path) {
    if cfg!(unix)
        && let Ok(d) = File::open(dir)
    {
        // Some file systems refuse to sync a folder; the rename itself stands.
        let _ = d.sync_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_root_has_a_readable_key_of_its_own() {
        let a = tempfile::tempdir().unwrap();
        let (x, y) = (a.path().join("same name!"), a.path().join("b"));
        fs::create_dir_all(&x).unwrap();
        fs::create_dir_all(y.join("same name!")).unwrap();
        let kx = key(&Root::open(&x).unwrap());
        let ky = key(&Root::open(&y.join("same name!")).unwrap());
        assert!(kx.starts_with("samename-"));
        assert_ne!(kx, ky);
    }

    #[test]
    fn hashes_as_published() {
        assert_eq!(
            hash(b"abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }
}
