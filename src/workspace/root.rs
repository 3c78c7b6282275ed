use crate::error::{Error, Result};
use std::ffi::OsString;
use std::io;
use std::path::{Component, Path, PathBuf};

/// The folder the toolkit may read and write; nothing outside it is touched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Root {
    dir: PathBuf,
    home: Option<PathBuf>,
}

/// A path that was found to lie inside the root.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FilePath {
    /// Relative to the root, with `/` on every system.
    pub rel: String,
    /// Absolute, with symbolic links resolved as far as the path exists.
    pub abs: PathBuf,
}

impl Root {
    /// Opens a folder as root.
    ///
    /// # Errors
    /// `bad_root` if it does not exist or is no folder.
    pub fn open(dir: &Path) -> Result<Self> {
        let bad = |what: String| {
            Error::failure(
                "bad_root",
                format!("The root {} {what}.", dir.display()),
                "Name an existing folder with --root.",
            )
        };
        let dir = canonical(dir).map_err(|e| bad(format!("cannot be opened: {e}")))?;
        if !dir.is_dir() {
            return Err(bad("is not a folder".into()));
        }
        Ok(Self { dir, home: None })
    }

    /// The root folder, absolute and without symbolic links.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Keeps this root's state and cache under `home` instead of the user's
    /// folders: for tests and for programs that use this library.
    pub fn with_home(mut self, home: impl Into<PathBuf>) -> Self {
        self.home = Some(home.into());
        self
    }

    /// The folder set by [`Root::with_home`].
    pub(crate) fn home(&self) -> Option<&Path> {
        self.home.as_deref()
    }

    /// Finds the place of a path, given relative to the root or absolute. The
    /// file need not exist, but what exists of its path must stay inside.
    ///
    /// # Errors
    /// `outside_root` if it lies outside or a symbolic link leads outside;
    /// `bad_path` if it is empty or cannot be resolved.
    pub fn resolve(&self, path: &str) -> Result<FilePath> {
        if path.is_empty() || path.contains('\0') {
            return Err(Error::failure(
                "bad_path",
                format!("{path:?} is not a path."),
                "Give a path relative to the root.",
            ));
        }
        let outside = || {
            Error::failure(
                "outside_root",
                format!("{path} lies outside the root {}.", self.dir.display()),
                "Give a path inside the root, or start trimtab with another --root.",
            )
        };
        // `..` is resolved by name first, so that a missing folder cannot hide it.
        let mut joined = self.dir.clone();
        for part in Path::new(path).components() {
            match part {
                Component::Prefix(p) => joined = PathBuf::from(p.as_os_str()),
                Component::RootDir => joined.push(Component::RootDir.as_os_str()),
                Component::CurDir => {}
                Component::ParentDir => {
                    // A link's parent is the parent of what it points at.
                    if let Ok(real) = canonical(&joined) {
                        joined = real;
                    }
                    if !joined.pop() {
                        return Err(outside());
                    }
                }
                Component::Normal(name) => joined.push(name),
            }
        }
        let abs = resolve_existing(&joined).map_err(|e| {
            Error::failure(
                "bad_path",
                format!("{path} cannot be resolved: {e}."),
                "Give the path of a file inside the root.",
            )
        })?;
        if !abs.starts_with(&self.dir) {
            return Err(outside());
        }
        // Shown as asked where that is inside by name, else by its real place.
        let rel = match joined.strip_prefix(&self.dir) {
            Ok(p) => slashed(p),
            Err(_) => self.relative(&abs),
        };
        Ok(FilePath { rel, abs })
    }

    /// A path under the root as it is shown: relative, with `/`.
    pub fn relative(&self, abs: &Path) -> String {
        slashed(abs.strip_prefix(&self.dir).unwrap_or(abs))
    }
}

fn slashed(path: &Path) -> String {
    let parts: Vec<_> = path
        .components()
        .map(|c| c.as_os_str().to_string_lossy())
        .collect();
    if parts.is_empty() {
        ".".into()
    } else {
        parts.join("/")
    }
}

/// Resolves links in the part of the path that exists and appends the rest.
fn resolve_existing(path: &Path) -> io::Result<PathBuf> {
    let mut rest: Vec<OsString> = Vec::new();
    let mut head = path.to_path_buf();
    loop {
        match canonical(&head) {
            Ok(mut real) => {
                real.extend(rest.iter().rev());
                return Ok(real);
            }
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                // A dangling link would be followed by a write: its target is unknown.
                if head.symlink_metadata().is_ok() {
                    return Err(io::Error::other("it is a symbolic link to nothing"));
                }
                match (head.file_name().map(OsString::from), head.pop()) {
                    (Some(name), true) => rest.push(name),
                    _ => return Err(e),
                }
            }
            Err(e) => return Err(e),
        }
    }
}

/// Canonical form; on Windows without the `\\?\` prefix where that is possible,
/// because users and clients would not recognise it.
fn canonical(path: &Path) -> io::Result<PathBuf> {
    let real = path.canonicalize()?;
    #[cfg(windows)]
    {
        let text = real.to_string_lossy();
        if let Some(plain) = text.strip_prefix(r"\\?\") {
            if !plain.starts_with("UNC\\") {
                return Ok(PathBuf::from(plain));
            }
        }
    }
    Ok(real)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root() -> (tempfile::TempDir, Root) {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("src")).unwrap();
        std::fs::write(dir.path().join("src/a.rs"), "x").unwrap();
        let root = Root::open(dir.path()).unwrap();
        (dir, root)
    }

    #[test]
    fn resolves_existing_and_new_files() {
        let (_d, root) = root();
        assert_eq!(root.resolve("src/a.rs").unwrap().rel, "src/a.rs");
        assert_eq!(root.resolve("./src/../src/a.rs").unwrap().rel, "src/a.rs");
        assert_eq!(root.resolve("new/deep/b.rs").unwrap().rel, "new/deep/b.rs");
        assert_eq!(root.resolve(".").unwrap().rel, ".");
        let abs = root.dir().join("src/a.rs");
        assert_eq!(root.resolve(abs.to_str().unwrap()).unwrap().rel, "src/a.rs");
    }

    #[test]
    fn keeps_to_its_walls() {
        let (_d, root) = root();
        for path in ["..", "../x", "src/../../x", "none/../../x", "/etc/passwd"] {
            assert_eq!(
                root.resolve(path).unwrap_err().code,
                "outside_root",
                "{path}"
            );
        }
        assert_eq!(root.resolve("").unwrap_err().code, "bad_path");
    }

    #[cfg(unix)]
    #[test]
    fn links_may_not_lead_outside() {
        use std::os::unix::fs::symlink;
        let (_d, root) = root();
        let other = tempfile::tempdir().unwrap();
        std::fs::write(other.path().join("secret"), "s").unwrap();
        symlink(other.path(), root.dir().join("out")).unwrap();
        symlink(other.path().join("missing"), root.dir().join("dangling")).unwrap();
        symlink(root.dir().join("src"), root.dir().join("inner")).unwrap();
        assert_eq!(root.resolve("out/secret").unwrap_err().code, "outside_root");
        assert_eq!(root.resolve("out/new").unwrap_err().code, "outside_root");
        assert_eq!(root.resolve("dangling").unwrap_err().code, "bad_path");
        let inner = root.resolve("inner/a.rs").unwrap();
        assert_eq!(inner.abs, root.dir().join("src/a.rs"));
        assert_eq!(root.resolve("inner/../src/a.rs").unwrap().abs, inner.abs);
    }

    #[test]
    fn a_missing_root_is_named() {
        let e = Root::open(Path::new("/no/such/folder")).unwrap_err();
        assert_eq!(e.code, "bad_root");
    }
}
