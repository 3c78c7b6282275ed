use super::cancel::Cancel;
use super::root::{FilePath, Root};
use super::stamp::Stamp;
use crate::error::{Error, Result};
use ignore::overrides::{Override, OverrideBuilder};
use ignore::{DirEntry, WalkBuilder, WalkState};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// Which files of a root a walk yields. The default is what ripgrep searches:
/// no hidden files, none that `.gitignore`, `.ignore` or `.rgignore` exclude.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scope {
    /// Globs in `.gitignore` syntax, relative to the root: a file must match one
    /// of them; one that starts with `!` excludes. Later globs win.
    pub globs: Vec<String>,
    /// Whether hidden files and folders are included. `.git` never is.
    pub hidden: bool,
}

impl Scope {
    /// The globs, compiled.
    ///
    /// # Errors
    /// `bad_glob` if one cannot be parsed.
    pub fn overrides(&self, root: &Root) -> Result<Override> {
        let mut builder = OverrideBuilder::new(root.dir());
        for glob in &self.globs {
            builder.add(glob).map_err(|e| bad_glob(glob, &e))?;
        }
        builder.build().map_err(|e| bad_glob("", &e))
    }
}

fn bad_glob(glob: &str, e: &ignore::Error) -> Error {
    Error::failure(
        "bad_glob",
        format!("The glob {glob:?} cannot be used: {e}."),
        "Write it as in .gitignore, for instance \"src/**/*.rs\" or \"!*.min.js\".",
    )
}

/// The walk of a root with ripgrep's rules; further settings are the caller's.
pub(crate) fn builder(root: &Root, scope: &Scope) -> Result<WalkBuilder> {
    let mut builder = WalkBuilder::new(root.dir());
    builder
        .hidden(!scope.hidden)
        .overrides(scope.overrides(root)?)
        .add_custom_ignore_filename(".rgignore")
        .current_dir(root.dir())
        .threads(threads())
        .filter_entry(|e| e.file_name() != ".git" || e.depth() == 0);
    Ok(builder)
}

/// Threads for work that reads files: as many as there are processors, at most 12,
/// beyond which the file system is the limit.
pub(crate) fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, |n| n.get().min(12))
}

/// A file or folder that a walk came by.
pub(super) enum Entry {
    /// A regular file with its stamp.
    File(FilePath, Stamp),
    /// A folder that was gone into.
    Folder(PathBuf),
}

/// A file that a sweep came by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// The file.
    pub path: FilePath,
    /// As it is now.
    pub stamp: Stamp,
}

/// The files of a root that are neither hidden nor ignored, with their stamps, in
/// order; and the folders they lie in. From several threads, in no order.
pub(super) fn survey(root: &Root, cancel: &Cancel) -> Result<(Vec<Seen>, Vec<PathBuf>)> {
    let all = Mutex::new((Vec::new(), Vec::new()));
    let dir = root.dir();
    let walk = builder(root, &Scope::default())?.build_parallel();
    walk.run(|| {
        Box::new(|entry| {
            if cancel.is_cancelled() {
                return WalkState::Quit;
            }
            let entry = entry.ok().and_then(|entry| {
                if entry.file_type()?.is_dir() {
                    return Some(Entry::Folder(entry.into_path()));
                }
                if !entry.file_type()?.is_file() {
                    return None;
                }
                let stamp = Stamp::of(&entry.metadata().ok()?);
                Some(Entry::File(file_of(dir, entry)?, stamp))
            });
            let mut all = all.lock().unwrap_or_else(PoisonError::into_inner);
            match entry {
                Some(Entry::File(path, stamp)) => all.0.push(Seen { path, stamp }),
                Some(Entry::Folder(folder)) => all.1.push(folder),
                None => {}
            }
            WalkState::Continue
        })
    });
    cancel.check()?;
    let (mut files, folders) = all.into_inner().unwrap_or_else(PoisonError::into_inner);
    files.sort_unstable_by(|a: &Seen, b: &Seen| a.path.cmp(&b.path));
    Ok((files, folders))
}

/// A file that a walk came by. It has no name yet: of most files only the content is
/// looked at.
pub struct Visited<'a> {
    folder: &'a Folder,
    abs: PathBuf,
}

impl Visited<'_> {
    /// Opens it for reading.
    ///
    /// # Errors
    /// What the system says.
    pub fn open(&self) -> io::Result<File> {
        match self.folder.open(&self.abs) {
            Some(file) => Ok(file),
            None => File::open(&self.abs),
        }
    }

    /// Its path.
    pub fn into_path(self) -> Option<FilePath> {
        file_path(&self.folder.dir, self.abs)
    }
}

/// The folder that is walked, held open where that makes opening a file in it cheaper: the
/// system then looks up the names below it only.
struct Folder {
    dir: PathBuf,
    #[cfg(target_os = "linux")]
    open: Option<std::os::fd::OwnedFd>,
}

impl Folder {
    fn new(dir: &Path) -> Self {
        Self {
            dir: dir.to_path_buf(),
            #[cfg(target_os = "linux")]
            open: {
                use rustix::fs::{Mode, OFlags, open};
                let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
                open(dir, flags, Mode::empty()).ok()
            },
        }
    }

    /// A file below it; none where it has to be opened by its whole path.
    #[cfg(target_os = "linux")]
    fn open(&self, abs: &Path) -> Option<File> {
        use rustix::fs::{Mode, OFlags, openat};
        use std::os::unix::ffi::OsStrExt;
        let dir = self.dir.as_os_str().as_bytes();
        let below = abs.as_os_str().as_bytes().strip_prefix(dir)?;
        let flags = OFlags::RDONLY | OFlags::CLOEXEC;
        let file = openat(
            self.open.as_ref()?,
            below.strip_prefix(b"/")?,
            flags,
            Mode::empty(),
        );
        Some(File::from(file.ok()?))
    }

    #[cfg(not(target_os = "linux"))]
    fn open(&self, _: &Path) -> Option<File> {
        None
    }
}

/// Visits the files of a root from several threads at once, in no order.
/// `make` is called once per thread and returns that thread's visitor. Entries
/// that cannot be read are passed over, as are symbolic links.
///
/// # Errors
/// `bad_glob`, or what `cancel` says once the walk was stopped.
pub fn visit<'s, F, V>(root: &Root, scope: &Scope, cancel: &Cancel, make: F) -> Result<()>
where
    F: Fn() -> V,
    V: FnMut(Visited<'_>) + Send + 's,
{
    let folder = Folder::new(root.dir());
    let walk = builder(root, scope)?.build_parallel();
    walk.run(|| {
        let mut visit = make();
        let cancel = cancel.clone();
        let folder = &folder;
        Box::new(move |entry| {
            if cancel.is_cancelled() {
                return WalkState::Quit;
            }
            if let Ok(entry) = entry
                && entry.file_type().is_some_and(|kind| kind.is_file())
            {
                let abs = entry.into_path();
                visit(Visited { folder, abs });
            }
            WalkState::Continue
        })
    });
    cancel.check()
}

/// The files of a root in order of their relative paths, byte by byte.
///
/// # Errors
/// `bad_glob`, or what `cancel` says once the walk was stopped.
pub fn walk(root: &Root, scope: &Scope, cancel: &Cancel) -> Result<Vec<FilePath>> {
    let all = Mutex::new(Vec::new());
    visit(root, scope, cancel, || {
        let mut mine = Collector {
            all: &all,
            files: Vec::new(),
        };
        move |file: Visited<'_>| mine.files.extend(file.into_path())
    })?;
    let mut files = all.into_inner().unwrap_or_else(PoisonError::into_inner);
    files.sort_unstable();
    Ok(files)
}

/// Hands one thread's files over when the walk drops its visitor.
struct Collector<'a> {
    all: &'a Mutex<Vec<FilePath>>,
    files: Vec<FilePath>,
}

impl Drop for Collector<'_> {
    fn drop(&mut self) {
        self.all
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .append(&mut self.files);
    }
}

/// The file of an entry; none for folders, links, devices and the root itself.
fn file_of(dir: &Path, entry: DirEntry) -> Option<FilePath> {
    if !entry.file_type()?.is_file() {
        return None;
    }
    file_path(dir, entry.into_path())
}

fn file_path(dir: &Path, abs: PathBuf) -> Option<FilePath> {
    let rel = relative(abs.strip_prefix(dir).ok()?);
    Some(FilePath { rel, abs })
}

fn relative(path: &Path) -> String {
    let text = path.to_string_lossy();
    if cfg!(windows) {
        text.replace('\\', "/")
    } else {
        text.into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn tree(files: &[(&str, &str)]) -> (tempfile::TempDir, Root) {
        let dir = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let root = Root::open(dir.path()).unwrap();
        (dir, root)
    }

    fn names(root: &Root, scope: &Scope) -> Vec<String> {
        let files = walk(root, scope, &Cancel::new()).unwrap();
        files.into_iter().map(|f| f.rel).collect()
    }

    #[test]
    fn keeps_ripgreps_rules_and_sorts() {
        let (_d, root) = tree(&[
            ("b.rs", ""),
            ("a/z.rs", ""),
            ("a-b/c.rs", ""),
            (".hidden", ""),
            (".git/config", ""),
            (".gitignore", "*.log\n"),
            (".ignore", "skip/\n"),
            ("sub/.rgignore", "no.txt\n"),
            ("sub/no.txt", ""),
            ("sub/yes.txt", ""),
            ("skip/x.rs", ""),
            ("x.log", ""),
        ]);
        assert_eq!(
            names(&root, &Scope::default()),
            ["a-b/c.rs", "a/z.rs", "b.rs", "sub/yes.txt"]
        );
        let hidden = Scope {
            hidden: true,
            ..Scope::default()
        };
        assert_eq!(
            names(&root, &hidden),
            [
                ".gitignore",
                ".hidden",
                ".ignore",
                "a-b/c.rs",
                "a/z.rs",
                "b.rs",
                "sub/.rgignore",
                "sub/yes.txt"
            ]
        );
    }

    #[test]
    fn globs_choose_and_exclude() {
        let (_d, root) = tree(&[("a.rs", ""), ("t/b.rs", ""), ("c.py", "")]);
        let scope = |globs: &[&str]| Scope {
            globs: globs.iter().map(|g| g.to_string()).collect(),
            hidden: false,
        };
        assert_eq!(names(&root, &scope(&["*.rs"])), ["a.rs", "t/b.rs"]);
        assert_eq!(names(&root, &scope(&["*.rs", "!t/"])), ["a.rs"]);
        assert_eq!(names(&root, &scope(&["!*.rs"])), ["c.py"]);
        let e = walk(&root, &scope(&["a{b"]), &Cancel::new()).unwrap_err();
        assert_eq!(e.code, "bad_glob");
    }

    #[test]
    fn a_cancelled_walk_says_so() {
        let (_d, root) = tree(&[("a.rs", "")]);
        let cancel = Cancel::new();
        cancel.cancel();
        let e = walk(&root, &Scope::default(), &cancel).unwrap_err();
        assert_eq!(e.code, "cancelled");
    }

    #[test]
    fn a_visited_file_is_the_one_it_names() {
        let (_d, root) = tree(&[("a.rs", "a.rs"), ("d/e f/b.rs", "d/e f/b.rs")]);
        let seen = Mutex::new(0);
        visit(&root, &Scope::default(), &Cancel::new(), || {
            |file: Visited<'_>| {
                let text = io::read_to_string(file.open().unwrap()).unwrap();
                assert_eq!(file.into_path().unwrap().rel, text);
                *seen.lock().unwrap() += 1;
            }
        })
        .unwrap();
        assert_eq!(*seen.lock().unwrap(), 2);
    }

    #[cfg(unix)]
    #[test]
    fn links_are_not_followed() {
        let (_d, root) = tree(&[("a.rs", ""), ("d/b.rs", "")]);
        std::os::unix::fs::symlink(root.dir().join("d"), root.dir().join("e")).unwrap();
        std::os::unix::fs::symlink(root.dir().join("a.rs"), root.dir().join("l.rs")).unwrap();
        assert_eq!(names(&root, &Scope::default()), ["a.rs", "d/b.rs"]);
    }
}
