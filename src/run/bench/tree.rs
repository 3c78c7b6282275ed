//! A repository's files as they were at a commit, in a folder of their own, which is
//! turned from one commit to the next by what differs.

use crate::error::{Error, Result};
use crate::workspace::Root;
#[cfg(test)]
use crate::workspace::{Cancel, Scope, walk};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::io::{BufRead, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// Larger files (2 MiB) are no source that an agent reads.
const MAX_BYTES: u64 = 2 << 20;
/// The folder of files that a session made or read beside its repository. It is
/// hidden, so that searches of the tree do not find them.
const BESIDE: &str = ".beside";
/// How deep under the folder of repositories they may lie.
const DEPTH: usize = 3;

/// Git repositories under a folder, bare or with a work tree.
#[derive(Debug, Clone, Default)]
pub(super) struct Repos {
    found: Vec<(String, PathBuf)>,
}

impl Repos {
    /// Looks for repositories in a folder and up to three folders below.
    pub fn open(dir: &Path) -> Self {
        let mut found = Vec::new();
        look(dir, dir, DEPTH, &mut found);
        found.sort();
        Self { found }
    }

    /// The repository `owner/name`: its folder is called `owner/name`, or with any
    /// other sign between the two, or `name`.
    pub fn find(&self, repo: &str) -> Option<&Path> {
        let wanted = plain(repo);
        let name = wanted.rsplit('/').next()?;
        let is = |found: &str, wanted: &str| {
            found == wanted
                || ["/repo", "/git"]
                    .iter()
                    .any(|end| found.strip_suffix(end) == Some(wanted))
        };
        [wanted.as_str(), name]
            .iter()
            .find_map(|w| self.found.iter().find(|(found, _)| is(found, w)))
            .map(|(_, path)| path.as_path())
    }
}

/// A name with one `/` for every run of signs.
fn plain(name: &str) -> String {
    let parts = name
        .split(|c: char| !c.is_ascii_alphanumeric() && c != '.' && c != '-')
        .filter(|p| !p.is_empty())
        .map(|p| p.strip_suffix(".git").unwrap_or(p).to_lowercase());
    parts
        .filter(|p| !p.is_empty())
        .collect::<Vec<_>>()
        .join("/")
}

fn look(top: &Path, dir: &Path, depth: usize, found: &mut Vec<(String, PathBuf)>) {
    if dir.join(".git").exists() || (dir.join("HEAD").is_file() && dir.join("objects").is_dir()) {
        let rel = dir.strip_prefix(top).unwrap_or(dir).to_string_lossy();
        let name = match plain(&rel) {
            name if name.is_empty() => {
                plain(&dir.file_name().unwrap_or_default().to_string_lossy())
            }
            name => name,
        };
        found.push((name, dir.to_path_buf()));
        return;
    }
    if depth == 0 {
        return;
    }
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        if entry.path().is_dir() {
            look(top, &entry.path(), depth - 1, found);
        }
    }
}

/// A commit's files, changed by one session after another: each begins with
/// [`Tree::reset`].
#[derive(Debug)]
pub(super) struct Tree {
    root: Root,
    files: BTreeSet<String>,
    /// The commit's object of each file that was written.
    objects: BTreeMap<String, String>,
    /// The first bytes of what was changed; `None` for what did not exist.
    before: BTreeMap<String, Option<Vec<u8>>>,
    place: tempfile::TempDir,
}

impl Tree {
    /// Writes the files of a commit into a new folder under `place`. Links, modules
    /// of other repositories, large files and those whose contents the repository
    /// lacks are left out.
    ///
    /// # Errors
    /// `no_commit` where the repository does not hold it, `no_git` where git cannot
    /// be run, and what writing gives.
    pub fn checkout(repo: &Path, commit: &str, place: &Path) -> Result<Self> {
        fs::create_dir_all(place).map_err(|e| no_tree(&e))?;
        let mut tree = Self::empty(tempfile::tempdir_in(place).map_err(|e| no_tree(&e))?)?;
        tree.turn_to(repo, commit)?;
        Ok(tree)
    }

    fn empty(folder: tempfile::TempDir) -> Result<Self> {
        let dir = folder.path().join("tree");
        fs::create_dir(&dir).map_err(|e| no_tree(&e))?;
        Ok(Self {
            root: Root::open(&dir)?.with_home(folder.path().join("home")),
            files: BTreeSet::new(),
            objects: BTreeMap::new(),
            before: BTreeMap::new(),
            place: folder,
        })
    }

    /// Makes it the tree of another commit of the same repository: what is equal in
    /// both stays. After an error it is no commit's tree.
    ///
    /// # Errors
    /// As [`Tree::checkout`].
    pub fn turn_to(&mut self, repo: &Path, commit: &str) -> Result<()> {
        self.reset()?;
        // Omitted text of the sessions before is of no use.
        let _ = fs::remove_dir_all(self.place.path().join("home"));
        let wanted = list(repo, commit)?;
        // First what goes: where a file was, a folder may come.
        let kept: HashMap<&str, &str> = wanted
            .iter()
            .map(|(id, path)| (path.as_str(), id.as_str()))
            .collect();
        let stays = |(path, id): &(&String, &String)| kept.get(path.as_str()) == Some(&id.as_str());
        let gone: Vec<String> = self
            .objects
            .iter()
            .filter(|file| !stays(file))
            .map(|(path, _)| path.clone())
            .collect();
        for path in gone {
            self.remove(&path)?;
            self.objects.remove(&path);
        }
        let new: Vec<&(String, String)> = wanted
            .iter()
            .filter(|(_, path)| !self.objects.contains_key(path))
            .collect();
        let ids: Vec<String> = new.iter().map(|(id, _)| id.clone()).collect();
        let mut batch = Batch::start(repo, ids)?;
        for (id, path) in new {
            let Some(bytes) = batch.next()? else {
                continue;
            };
            let to = self.root.dir().join(path);
            if let Some(parent) = to.parent() {
                fs::create_dir_all(parent).map_err(|e| no_tree(&e))?;
            }
            fs::write(&to, bytes).map_err(|e| no_tree(&e))?;
            self.files.insert(path.clone());
            self.objects.insert(path.clone(), id.clone());
        }
        Ok(())
    }

    /// Removes a file, and the folders that are empty without it.
    fn remove(&mut self, path: &str) -> Result<()> {
        self.files.remove(path);
        let mut at = self.root.dir().join(path);
        fs::remove_file(&at).map_err(|e| no_tree(&e))?;
        while at.pop() && at != self.root.dir() && fs::remove_dir(&at).is_ok() {}
        Ok(())
    }

    /// A copy of a folder's files, for sessions on trees without a history.
    ///
    /// # Errors
    /// What reading and writing give.
    #[cfg(test)]
    pub fn of(texts: &[(&str, &str)]) -> Result<Self> {
        let mut tree = Self::empty(tempfile::tempdir().map_err(|e| no_tree(&e))?)?;
        for (path, text) in texts {
            tree.write(path, text)?;
        }
        tree.before.clear();
        Ok(tree)
    }

    /// The folder.
    pub fn root(&self) -> &Root {
        &self.root
    }

    /// The path in the tree that a recorded path means: the longest end of it that
    /// is a file, or else the file beside the repository that was put there under
    /// this path.
    pub fn file(&self, recorded: &str) -> Option<String> {
        ends(recorded)
            .chain(beside(recorded))
            .find(|end| self.files.contains(end))
    }

    /// Where a new file goes that a session calls so: into its folder in the tree,
    /// or beside the repository.
    pub fn new_file(&self, recorded: &str) -> Option<String> {
        let (folder, name) = recorded.rsplit_once('/').unwrap_or(("", recorded));
        match self.folder(folder) {
            Some(folder) => Some(format!("{folder}/{name}")),
            None => beside(recorded),
        }
    }

    /// As [`Tree::file`] for a folder; `.` and a path that ends nowhere in the tree
    /// but lies above it are its root.
    pub fn folder(&self, recorded: &str) -> Option<String> {
        let is_folder = |end: &String| {
            let prefix = format!("{end}/");
            self.files
                .range(prefix.clone()..)
                .next()
                .is_some_and(|f| f.starts_with(&prefix))
        };
        ends(recorded).find(is_folder)
    }

    /// The paths of all files, sorted.
    #[cfg(test)]
    pub fn files(&self) -> &BTreeSet<String> {
        &self.files
    }

    /// A file's text.
    pub fn text(&self, path: &str) -> Option<String> {
        let bytes = fs::read(self.root.dir().join(path)).ok()?;
        String::from_utf8(bytes).ok()
    }

    /// Writes a file, remembering what was there.
    ///
    /// # Errors
    /// `no_tree` where it cannot be written.
    pub fn write(&mut self, path: &str, text: &str) -> Result<()> {
        let to = self.root.resolve(path)?.abs;
        if !self.before.contains_key(path) {
            self.before.insert(path.to_string(), fs::read(&to).ok());
        }
        if let Some(parent) = to.parent() {
            fs::create_dir_all(parent).map_err(|e| no_tree(&e))?;
        }
        fs::write(&to, text).map_err(|e| no_tree(&e))?;
        self.files.insert(path.to_string());
        Ok(())
    }

    /// Takes all changes back.
    ///
    /// # Errors
    /// `no_tree` where a file cannot be written.
    pub fn reset(&mut self) -> Result<()> {
        for (path, bytes) in std::mem::take(&mut self.before) {
            let to = self.root.dir().join(&path);
            match bytes {
                Some(bytes) => fs::write(&to, bytes).map_err(|e| no_tree(&e))?,
                None => self.remove(&path)?,
            }
        }
        Ok(())
    }

    /// The files that a search of the tree reads, for checks.
    ///
    /// # Errors
    /// What the walk gives.
    #[cfg(test)]
    pub fn walked(&self) -> Result<usize> {
        Ok(walk(&self.root, &Scope::default(), &Cancel::new())?.len())
    }
}

/// Whether a path of the tree lies beside the repository.
pub(super) fn is_beside(path: &str) -> bool {
    path.split('/').next() == Some(BESIDE)
}

/// The place of a file beside the repository; none without a name.
fn beside(recorded: &str) -> Option<String> {
    let plain = |p: &&str| !matches!(*p, "" | "." | ".." | "~");
    let parts: Vec<&str> = recorded.split(['/', '\\']).filter(plain).collect();
    (!parts.is_empty()).then(|| format!("{BESIDE}/{}", parts.join("/")))
}

/// The ends of a path, the longest first, without `.` and empty parts.
fn ends(path: &str) -> impl Iterator<Item = String> {
    let parts: Vec<String> = path
        .split(['/', '\\'])
        .filter(|p| !p.is_empty() && *p != ".")
        .map(str::to_string)
        .collect();
    (0..parts.len()).map(move |n| parts[n..].join("/"))
}

/// Object and path of each plain file of a commit.
fn list(repo: &Path, commit: &str) -> Result<Vec<(String, String)>> {
    let out = git(repo)
        .args(["ls-tree", "-r", "-z", "-l", commit])
        .stderr(Stdio::null())
        .output()
        .map_err(|e| no_git(&e))?;
    if !out.status.success() {
        return Err(Error::failure(
            "no_commit",
            format!("{} holds no commit {commit}.", repo.display()),
            "Fetch the repository's whole history.",
        ));
    }
    let text = String::from_utf8_lossy(&out.stdout);
    let entry = |line: &str| {
        let (meta, path) = line.split_once('\t')?;
        let meta: Vec<&str> = meta.split_whitespace().collect();
        let [mode, "blob", id, size] = meta.as_slice() else {
            return None;
        };
        // A repository without the object does not know its size either.
        let small = size.parse::<u64>().is_ok_and(|s| s <= MAX_BYTES);
        (mode.starts_with("100") && small && !path.contains(".."))
            .then(|| ((*id).to_string(), path.to_string()))
    };
    Ok(text.split('\0').filter_map(entry).collect())
}

/// When each of these commits of a repository was made, in seconds; those that it
/// lacks, or all where git cannot say, are left out.
pub(super) fn times(repo: &Path, commits: &[&str]) -> HashMap<String, u64> {
    let out = git(repo)
        .args(["rev-list", "--no-walk", "--ignore-missing", "--timestamp"])
        .args(commits)
        .stderr(Stdio::null())
        .output();
    let text = out.map_or(String::new(), |o| {
        String::from_utf8_lossy(&o.stdout).into_owned()
    });
    let entry = |line: &str| {
        let (time, commit) = line.split_once(' ')?;
        Some((commit.to_string(), time.parse().ok()?))
    };
    text.lines().filter_map(entry).collect()
}

/// One git process that hands out objects in the order in which they were asked for.
struct Batch {
    child: Child,
    out: BufReader<std::process::ChildStdout>,
    asking: Option<std::thread::JoinHandle<()>>,
}

impl Batch {
    /// Asks for all at once: question by question, each would wait for the last answer.
    fn start(repo: &Path, ids: Vec<String>) -> Result<Self> {
        let mut child = git(repo)
            .args(["cat-file", "--batch", "--buffer"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|e| no_git(&e))?;
        let (Some(input), Some(out)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(no_git(&std::io::Error::other("it has no input or output")));
        };
        let asking = std::thread::spawn(move || {
            let mut input = BufWriter::new(input);
            for id in ids {
                // It says less than was asked for where it ended.
                if writeln!(input, "{id}").is_err() {
                    return;
                }
            }
        });
        Ok(Self {
            child,
            out: BufReader::new(out),
            asking: Some(asking),
        })
    }

    /// The next object's bytes, `None` where it is missing.
    fn next(&mut self) -> Result<Option<Vec<u8>>> {
        let fail = |e: std::io::Error| no_git(&e);
        let mut head = String::new();
        self.out.read_line(&mut head).map_err(fail)?;
        if head.is_empty() {
            return Err(no_git(&std::io::Error::other("it ended too early")));
        }
        let size = match head.split_whitespace().collect::<Vec<_>>().as_slice() {
            [_, "blob", size] => size.parse::<usize>().ok(),
            _ => None,
        };
        let Some(size) = size else {
            return Ok(None);
        };
        let mut bytes = vec![0; size + 1];
        self.out.read_exact(&mut bytes).map_err(fail)?;
        bytes.pop();
        Ok(Some(bytes))
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        // Its answers may not all have been read.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if let Some(asking) = self.asking.take() {
            let _ = asking.join();
        }
    }
}

fn git(repo: &Path) -> Command {
    let mut command = Command::new("git");
    // A partial copy must not reach for the network.
    command
        .env("GIT_NO_LAZY_FETCH", "1")
        .env("GIT_OPTIONAL_LOCKS", "0")
        .arg("-C")
        .arg(repo);
    command
}

fn no_git(e: &std::io::Error) -> Error {
    Error::failure(
        "no_git",
        format!("git cannot be run: {e}."),
        "Install git, which replays take their trees with.",
    )
}

fn no_tree(e: &std::io::Error) -> Error {
    Error::failure(
        "no_tree",
        format!("A tree cannot be laid out: {e}."),
        "Free space in the cache folder.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repositories_are_found_by_owner_and_name() {
        let dir = tempfile::tempdir().unwrap();
        for place in ["a+b/repo", "c/d", "e__f", "g"] {
            let place = dir.path().join(place);
            fs::create_dir_all(place.join("objects")).unwrap();
            fs::write(place.join("HEAD"), "ref: x\n").unwrap();
        }
        let repos = Repos::open(dir.path());
        let found = |repo: &str| repos.find(repo).map(|p| p.to_path_buf());
        assert_eq!(found("a/b"), Some(dir.path().join("a+b/repo")));
        assert_eq!(found("c/d"), Some(dir.path().join("c/d")));
        assert_eq!(found("e/f"), Some(dir.path().join("e__f")));
        assert_eq!(found("x/g"), Some(dir.path().join("g")));
        assert_eq!(found("x/none"), None);
    }

    #[test]
    fn a_commit_is_laid_out_and_changes_are_taken_back() {
        let dir = tempfile::tempdir().unwrap();
        let repo = dir.path().join("repo");
        fs::create_dir_all(repo.join("src")).unwrap();
        fs::write(repo.join("src/a.py"), "x = 1\n").unwrap();
        let run = |args: &[&str]| {
            let out = git(&repo)
                .args(["-c", "user.name=t", "-c", "user.email=t@example.com"])
                .args(args)
                .output()
                .unwrap();
            assert!(out.status.success(), "{args:?}");
            String::from_utf8(out.stdout).unwrap()
        };
        run(&["init", "-q"]);
        run(&["add", "."]);
        run(&["commit", "-qm", "one"]);
        let commit = run(&["rev-parse", "HEAD"]);
        fs::write(repo.join("src/a.py"), "x = 2\n").unwrap();
        run(&["commit", "-qam", "two"]);
        let cache = dir.path().join("cache");
        let mut tree = Tree::checkout(&repo, commit.trim(), &cache).unwrap();
        assert_eq!(tree.text("src/a.py").as_deref(), Some("x = 1\n"));
        assert_eq!(
            tree.file("/home/u/repo/src/a.py").as_deref(),
            Some("src/a.py")
        );
        assert_eq!(tree.folder("./repo/src").as_deref(), Some("src"));
        assert_eq!(tree.file("other.py"), None);
        tree.write("src/a.py", "x = 3\n").unwrap();
        tree.write("new/b.py", "y\n").unwrap();
        assert_eq!(tree.walked().unwrap(), 2);
        tree.reset().unwrap();
        assert_eq!(tree.text("src/a.py").as_deref(), Some("x = 1\n"));
        assert_eq!((tree.walked().unwrap(), tree.files().len()), (1, 1));
        let e = Tree::checkout(&repo, "0123456789", &cache).unwrap_err();
        assert_eq!(e.code, "no_commit");

        // From commit to commit: files change, go, come, and where one was is a folder.
        fs::remove_file(repo.join("src/a.py")).unwrap();
        fs::create_dir(repo.join("src/a.py")).unwrap();
        fs::write(repo.join("src/a.py/c.py"), "z\n").unwrap();
        fs::write(repo.join("same.py"), "same\n").unwrap();
        run(&["add", "."]);
        run(&["commit", "-qam", "three"]);
        let third = run(&["rev-parse", "HEAD"]);
        let (first, third) = (commit.trim(), third.trim());
        tree.write("src/a.py", "a session's own\n").unwrap();
        tree.write("src/new/d.py", "of a session\n").unwrap();
        let all = |tree: &Tree| -> Vec<(String, String)> {
            let files = tree.files().iter();
            files.map(|f| (f.clone(), tree.text(f).unwrap())).collect()
        };
        for commit in [third, first, third, third] {
            tree.turn_to(&repo, commit).unwrap();
            let anew = Tree::checkout(&repo, commit, &cache).unwrap();
            assert_eq!(all(&tree), all(&anew), "{commit}");
            assert_eq!(tree.walked().unwrap(), anew.walked().unwrap());
        }
        assert_eq!(tree.text("src/a.py/c.py").as_deref(), Some("z\n"));
        let times = times(
            &repo,
            &[first, third, "0123456789012345678901234567890123456789"],
        );
        assert_eq!(times.len(), 2);
        assert!(times[first] <= times[third]);
    }
}
