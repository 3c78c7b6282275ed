//! An engine with an index answers as one that reads every file: for any pattern, and
//! at once after any write of another process.
#![cfg(unix)]

use proptest::prelude::*;
use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use trimtab::search::{Case, Engine, Freshness, LineMatch, Mode, Request};
use trimtab::workspace::{Cancel, Root};

/// Enough files for an index to be worth it, with words that repeat.
fn tree(dir: &Path) {
    for i in 0..320 {
        let folder = dir.join(format!("d{}/e{}", i % 5, i % 3));
        fs::create_dir_all(&folder).unwrap();
        let mut text = String::new();
        for j in 0..(i % 17 + 2) {
            let _ = writeln!(
                text,
                "word{} alpha_{} Beta{j} straße Kelvin",
                (i * j) % 23,
                i % 7
            );
        }
        fs::write(folder.join(format!("f{i}.txt")), text).unwrap();
    }
    fs::write(dir.join(".gitignore"), "*.log\nskip/\n").unwrap();
    fs::create_dir(dir.join(".git")).unwrap();
    let units: Vec<u8> = "alpha_1 wide straße\n"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    fs::write(dir.join("wide.txt"), [&[0xFF, 0xFE][..], &units].concat()).unwrap();
    fs::write(dir.join("nul.bin"), b"\0alpha_1\n").unwrap();
    fs::write(dir.join("late.bin"), b"a\nalpha_1\n\0\n").unwrap();
    fs::write(dir.join("latin.txt"), b"alpha_1 caf\xE9\n").unwrap();
    fs::write(dir.join("crlf.txt"), b"alpha_1\r\nBeta1\r\n").unwrap();
}

struct Pair {
    dir: tempfile::TempDir,
    _home: tempfile::TempDir,
    indexed: Engine,
    plain: Engine,
}

fn pair() -> Pair {
    let dir = tempfile::tempdir().unwrap();
    let home = tempfile::tempdir().unwrap();
    tree(dir.path());
    let root = Root::open(dir.path()).unwrap().with_home(home.path());
    let indexed = Engine::resident(&root);
    indexed.settle();
    Pair {
        plain: Engine::new(&root),
        dir,
        _home: home,
        indexed,
    }
}

/// Matching lines of each query as `path:line:text`.
fn lines(engine: &Engine, request: &Request) -> Vec<Vec<String>> {
    let show = |l: LineMatch| {
        let text = String::from_utf8_lossy(&l.text).into_owned();
        format!("{}:{}:{text}", l.path, l.line)
    };
    let found = engine.lines(request, &Cancel::new()).unwrap();
    let queries = found.into_iter();
    queries.map(|q| q.into_iter().map(show).collect()).collect()
}

/// What is only in one of two answers.
fn difference(a: &[Vec<String>], b: &[Vec<String>]) -> Vec<String> {
    let only = |a: &[Vec<String>], b: &[Vec<String>], sign: &str| -> Vec<String> {
        let theirs: Vec<&String> = b.iter().flatten().collect();
        let mine = a.iter().flatten().filter(|l| !theirs.contains(l));
        mine.take(4).map(|l| format!("{sign}{l}")).collect()
    };
    [only(a, b, "too many: "), only(b, a, "missing: ")].concat()
}

/// Whether answers do come from the index, by events.
fn freshness(engine: &Engine) -> Freshness {
    let found = engine.search(&Request::new(["alpha_1"]), &Cancel::new());
    found.unwrap().freshness
}

#[test]
fn an_index_is_used_and_kept() {
    let pair = pair();
    let used = freshness(&pair.indexed);
    assert_ne!(used, Freshness::Scan);
    if cfg!(target_os = "linux") {
        assert_eq!(used, Freshness::Barrier);
    }
    assert_eq!(freshness(&pair.plain), Freshness::Scan);
    // The next process takes it over, and sees what changed in between.
    let root = pair.indexed.root().clone();
    drop(pair.indexed);
    fs::write(pair.dir.path().join("d0/e0/f0.txt"), "quite_new_word\n").unwrap();
    fs::remove_file(pair.dir.path().join("d1/e1/f1.txt")).unwrap();
    let again = Engine::resident(&root);
    again.settle();
    assert_ne!(freshness(&again), Freshness::Scan);
    for query in ["quite_new_word", "alpha_1", "word0"] {
        let request = Request::new([query]);
        assert_eq!(
            lines(&again, &request),
            lines(&pair.plain, &request),
            "{query}"
        );
    }
}

#[test]
fn a_damaged_index_is_built_anew() {
    let pair = pair();
    let root = pair.indexed.root().clone();
    drop(pair.indexed);
    let cache = trimtab::workspace::State::cache_dir(&root).unwrap();
    let place = cache.join("trigrams");
    let bytes = fs::read(&place).unwrap();
    fs::write(&place, &bytes[..bytes.len() / 2]).unwrap();
    let again = Engine::resident(&root);
    again.settle();
    let request = Request::new(["alpha_1"]);
    assert_eq!(lines(&again, &request), lines(&pair.plain, &request));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn an_index_changes_no_answer(
        patterns in prop::collection::vec(
            prop_oneof![
                "(word|alpha_|Beta|stra)[0-9]{0,2}",
                "[a-c]{1,3}[.]?[a-z_]{0,4}",
                "(alpha|beta)_?[|]word1[0-9]",
                "[(](alpha|beta)[|](word|x)[)]_?[0-9][+]?",
                r"\\bword[0-9]{1,2} [.][*]Kelvin",
                "stra[(]ß[|]ss[)]e|KELVIN|kelv[.]n",
                r"\\d[{]2[}]|[0-9]{2}",
                r"alpha_1\\r[?][$]",
                "zzz[+]",
            ], 1..4),
        case in prop::sample::select(vec![Case::Sensitive, Case::Insensitive, Case::Smart]),
        limit in prop::option::of(1usize..400),
        multiline in any::<bool>(),
        globs in prop::sample::select(vec![vec![], vec!["d1/**"], vec!["*.txt", "!d2/"], vec!["*.log"]]),
    ) {
        thread_local! { static PAIR: Pair = pair(); }
        let request = Request {
            mode: Mode::Regex,
            case,
            limit,
            multiline,
            globs: globs.into_iter().map(String::from).collect(),
            ..Request::new(patterns)
        };
        PAIR.with(|pair| {
            let (fresh, truth) = (lines(&pair.indexed, &request), lines(&pair.plain, &request));
            prop_assert!(fresh == truth, "{:?}", difference(&fresh, &truth));
            let text = |engine: &Engine| engine.search(&request, &Cancel::new()).unwrap();
            let (a, b) = (text(&pair.indexed), text(&pair.plain));
            prop_assert_eq!(a.excerpts, b.excerpts);
            prop_assert_eq!(a.queries, b.queries);
            Ok(())
        })?;
    }
}

/// Another process that changes files on command.
struct Shell {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Shell {
    fn new(dir: &Path) -> Self {
        let mut child = Command::new("sh")
            .current_dir(dir)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self {
            input: child.stdin.take().unwrap(),
            output: BufReader::new(child.stdout.take().unwrap()),
            child,
        }
    }

    /// Returns when the command has finished.
    fn run(&mut self, command: &str) {
        writeln!(self.input, "{{ {command}\n}} >/dev/null; echo done").unwrap();
        self.input.flush().unwrap();
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        assert_eq!(line, "done\n");
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A sequence that repeats from its seed.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % n as u64) as usize
    }
}

/// A command that changes the tree, and a word it writes.
fn change(random: &mut Random, round: usize) -> (String, String) {
    let word = format!("fresh{round}x");
    let file = format!(
        "d{}/e{}/f{}.txt",
        random.below(5),
        random.below(3),
        random.below(320)
    );
    let other = format!(
        "d{}/e{}/n{}.txt",
        random.below(5),
        random.below(3),
        random.below(40)
    );
    let folder = format!("d{}/g{}", random.below(5), random.below(6));
    let second = format!("d{}/g{}", random.below(5), random.below(6));
    let command = match random.below(24) {
        0..=3 => format!("echo {word} >> {file}"),
        4..=5 => format!("echo {word} > {other}"),
        6 => format!("mv {other} {file}"),
        7 => format!("mv {file} {other}; echo {word} >> {other}"),
        8 => format!("rm -f {file}; echo {word} > {file}"),
        9 => format!("rm -f {other} {file}"),
        10 => format!("mkdir -p {folder}/deep/er; echo {word} > {folder}/deep/er/a.txt"),
        11 => format!(
            "mkdir -p {folder}; cp -r d0/e0 {folder}/copy; echo {word} > {folder}/copy/z.txt"
        ),
        12 => format!("mv {folder} {second}; mkdir -p {second}; echo {word} > {second}/m.txt"),
        13 => format!("rm -rf {folder}"),
        14 => format!(
            "echo 'n{}.txt' >> .gitignore; echo {word} > n3.txt",
            random.below(40)
        ),
        15 => {
            format!("printf '*.log\\n' > .gitignore; echo {word} > seen.log; echo {word} > n4.txt")
        }
        16 => format!(
            "mkdir -p {folder}; echo '*.txt' > {folder}/.ignore; echo {word} > {folder}/i.txt"
        ),
        17 => format!("rm -f {folder}/.ignore; echo {word} > {other}"),
        // The same size in the same instant, by another inode and by the same.
        18 => format!("echo {word}A > same.txt; cat same.txt >/dev/null; echo {word}B > same.txt"),
        19 => format!(
            "echo {word}A > t.tmp; mv t.tmp same.txt; echo {word}B > t.tmp; mv t.tmp same.txt"
        ),
        20 => format!("ln -f {file} linked.txt; echo {word} >> linked.txt"),
        21 if round.is_multiple_of(2) => {
            format!("ln {file} once.tmp; echo {word} >> once.tmp; rm once.tmp")
        }
        21 => format!("rm -f {other}; ln -s ../../{file} {other}; echo {word} >> {file}"),
        22 => format!("mkdir -p skip; echo {word} > skip/a.txt; mv skip/a.txt moved.txt"),
        _ => format!(
            "rm -rf .git/info; mkdir -p .git/info; echo '{}' > .git/info/exclude; echo {word} > {other}",
            ["moved.txt", "n*.txt", "", "same.txt"][random.below(4)]
        ),
    };
    (command, word)
}

/// `FRESH_ROUNDS` sets how many changes are made, `FRESH_SEED` which.
#[test]
fn no_answer_is_stale() {
    let from = |name: &str, default: u64| {
        let value = std::env::var(name).ok();
        value.and_then(|v| v.parse().ok()).unwrap_or(default)
    };
    let rounds = from("FRESH_ROUNDS", 150) as usize;
    let mut random = Random(from("FRESH_SEED", 20_261_121));
    let pair = pair();
    let mut shell = Shell::new(pair.dir.path());
    let mut used = 0;
    for round in 0..rounds {
        let (command, word) = change(&mut random, round);
        shell.run(&command);
        let request = Request::new([word.as_str(), "word1", "alpha_3"]);
        let fresh = lines(&pair.indexed, &request);
        let truth = lines(&pair.plain, &request);
        assert!(
            fresh == truth,
            "round {round}: {command}: {:?}",
            difference(&fresh, &truth)
        );
        if round.is_multiple_of(50) {
            used += usize::from(freshness(&pair.indexed) != Freshness::Scan);
        }
    }
    assert!(used > 0, "the index was never used");
}

/// A search that begins after a write sees it, and sees nothing twice, also while the
/// index is being built.
#[test]
fn no_answer_is_stale_while_an_index_is_built() {
    let dir = tempfile::tempdir().unwrap();
    let home = tempfile::tempdir().unwrap();
    tree(dir.path());
    let root = Root::open(dir.path()).unwrap().with_home(home.path());
    let plain = Engine::new(&root);
    let mut shell = Shell::new(dir.path());
    let mut random = Random(7);
    for start in 0..6 {
        let indexed = Engine::resident(&root);
        for i in 0..12 {
            let (command, word) = change(&mut random, start * 100 + i);
            shell.run(&command);
            let request = Request::new([word.as_str(), "word1"]);
            assert_eq!(
                lines(&indexed, &request),
                lines(&plain, &request),
                "{command}"
            );
        }
    }
}
