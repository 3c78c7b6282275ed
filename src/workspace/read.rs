use super::root::FilePath;
use crate::error::{Error, Result};
use crate::text;
use std::fs;
use std::io;

/// Files above this many bytes are not read whole (256 MiB).
pub const MAX_FILE_BYTES: u64 = 256 << 20;

/// Reads a file of the root.
///
/// # Errors
/// `no_such_file`, `not_a_file` (a folder or a device), `too_large`, `unreadable`.
pub fn read(path: &FilePath) -> Result<Vec<u8>> {
    let unreadable = |e: io::Error| match e.kind() {
        io::ErrorKind::NotFound => Error::not_found(
            "no_such_file",
            format!("{} does not exist.", path.rel),
            "Check the path; search finds files by what they contain.",
        ),
        _ => Error::failure(
            "unreadable",
            format!("{} cannot be read: {e}.", path.rel),
            "Check the file's permissions.",
        ),
    };
    let meta = fs::metadata(&path.abs).map_err(unreadable)?;
    if !meta.is_file() {
        return Err(Error::failure(
            "not_a_file",
            format!("{} is not a regular file.", path.rel),
            "Name a file; `expand` with a folder lists what is in it.",
        ));
    }
    if meta.len() > MAX_FILE_BYTES {
        return Err(Error::failure(
            "too_large",
            format!(
                "{} has {} bytes; at most {MAX_FILE_BYTES} are read.",
                path.rel,
                meta.len()
            ),
            "Search it for the lines that matter, or expand a range of lines.",
        ));
    }
    fs::read(&path.abs).map_err(unreadable)
}

/// Reads a file of the root as text, by its byte order mark or as UTF-8; invalid
/// bytes become U+FFFD.
///
/// # Errors
/// As [`read`], and `binary` for a file that holds NUL bytes.
pub fn read_text(path: &FilePath) -> Result<String> {
    let bytes = read(path)?;
    if text::is_binary(&bytes) {
        return Err(Error::failure(
            "binary",
            format!("{} is binary, not text.", path.rel),
            "Name a text file.",
        ));
    }
    Ok(text::decode(&bytes).text.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::Root;

    #[test]
    fn says_what_cannot_be_read() {
        let dir = tempfile::tempdir().unwrap();
        let root = Root::open(dir.path()).unwrap();
        fs::create_dir(dir.path().join("d")).unwrap();
        fs::write(dir.path().join("bin"), b"a\0b").unwrap();
        fs::write(dir.path().join("latin"), b"caf\xE9").unwrap();
        let get = |p: &str| read_text(&root.resolve(p).unwrap());
        assert_eq!(get("none").unwrap_err().code, "no_such_file");
        assert_eq!(get("d").unwrap_err().code, "not_a_file");
        assert_eq!(get("bin").unwrap_err().code, "binary");
        assert_eq!(get("latin").unwrap(), "caf\u{FFFD}");
    }
}
