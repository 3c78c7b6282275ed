//! An engine with an index answers as one that reads every file: for any pattern, and
//! at once after any write of another process.
#![cfg(unix)]

use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
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
    fs::create_dir_all(dir.join(".git")).unwrap();
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
    root: Root,
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
        root,
        dir,
        _home: home,
        indexed,
    }
}

/// Matching lines of each query as `path:line:text`.
fn lines(engine: &Engine, request: &Request) -> Vec<Vec<String>> {
    answer(engine, request).0
}

fn answer(engine: &Engine, request: &Request) -> (Vec<Vec<String>>, Freshness) {
    let show = |l: LineMatch| {
        let text = String::from_utf8_lossy(&l.text).into_owned();
        format!("{}:{}:{text}", l.path, l.line)
    };
    let found = engine.matches(request, &Cancel::new()).unwrap();
    let queries = found.lines.into_iter();
    let lines = queries.map(|q| q.into_iter().map(show).collect());
    (lines.collect(), found.freshness)
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

/// The word for how a result was made sure of decides about no range, wherever the budget
/// ends: here each range costs less than the queries differ in length, and more bytes than
/// tokens.
#[test]
fn a_word_more_or_less_shows_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let home = tempfile::tempdir().unwrap();
    for i in 100..900 {
        fs::write(dir.path().join(format!("f{i}")), "needle representation\n").unwrap();
    }
    let root = Root::open(dir.path()).unwrap().with_home(home.path());
    let (plain, indexed) = (Engine::new(&root), Engine::resident(&root));
    indexed.settle();
    let mut counts = BTreeSet::new();
    for more in 1..41 {
        let request = Request {
            mode: Mode::Regex,
            ..Request::new(vec![format!("needle|{}", "z".repeat(more))])
        };
        let found = |engine: &Engine| engine.search(&request, &Cancel::new()).unwrap();
        let (plain, indexed) = (found(&plain), found(&indexed));
        assert_ne!(indexed.freshness, plain.freshness);
        assert_eq!(indexed.excerpts, plain.excerpts, "{more}");
        counts.insert(plain.excerpts.len());
    }
    assert!(counts.len() > 1, "the budget ends behind all ranges");
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

/// A change that another process makes.
struct Change {
    /// Which kind, for the count at the end.
    scenario: &'static str,
    command: String,
    /// A word that it writes, mostly.
    word: String,
}

/// Stores through a memory map, and closes it.
const STORE: &str = "import mmap,os,sys
f = os.open(sys.argv[1], os.O_RDWR)
m = mmap.mmap(f, 0)
m[: len(sys.argv[2])] = sys.argv[2].encode()
m.close()
os.close(f)";

fn change(random: &mut Random, round: usize, python: bool) -> Change {
    let word = format!("fresh{round}x");
    let mut some = |what: &str, n: usize| {
        let (d, e, f) = (random.below(5), random.below(3), random.below(n));
        match what {
            "folder" => format!("d{d}/g{f}"),
            _ => format!("d{d}/e{e}/{what}{f}.txt"),
        }
    };
    let (file, other) = (some("f", 320), some("n", 40));
    let (folder, second) = (some("folder", 6), some("folder", 6));
    let (scenario, command) = match random.below(32) {
        0..=3 => ("append", format!("echo {word} >> {file}")),
        4..=5 => ("write", format!("echo {word} > {other}")),
        6 => ("rename", format!("mv {other} {file}")),
        7 => (
            "rename",
            format!("mv {file} {other}; echo {word} >> {other}"),
        ),
        8 => ("replace", format!("rm -f {file}; echo {word} > {file}")),
        9 => (
            "replace",
            format!("echo {word} > {file}.new; mv {file}.new {file}"),
        ),
        10 => ("delete", format!("rm -f {other} {file}")),
        11 => (
            "folder made and written",
            format!("mkdir -p {folder}/deep/er; echo {word} > {folder}/deep/er/a.txt"),
        ),
        12 => (
            "folder copied",
            format!(
                "mkdir -p {folder}; cp -r d0/e0 {folder}/copy; echo {word} > {folder}/copy/z.txt"
            ),
        ),
        13..=14 => (
            "folder moved",
            format!("mv {folder} {second}; mkdir -p {second}; echo {word} > {second}/m.txt"),
        ),
        15 => (
            "folder moved",
            format!(
                "mv {folder} ../away.$$; echo {word} > ../away.$$/back.txt; mv ../away.$$ {second}"
            ),
        ),
        16 => (
            "folder moved",
            format!("mv d0/e0 {folder}; mkdir -p d0/e0; echo {word} > d0/e0/q.txt"),
        ),
        17 => ("folder removed", format!("rm -rf {folder}")),
        18 => (
            "folder for file",
            format!("rm -rf {folder}; echo {word} > {folder}"),
        ),
        19 => (
            "ignore file",
            format!(
                "echo 'n{}.txt' >> .gitignore; echo {word} > n3.txt",
                random.below(40)
            ),
        ),
        20 => (
            "ignore file",
            format!("printf '*.log\\n' > .gitignore; echo {word} > seen.log; echo {word} > n4.txt"),
        ),
        21 => (
            "ignore file",
            format!(
                "mkdir -p {folder}; echo '*.txt' > {folder}/.ignore; echo {word} > {folder}/i.txt"
            ),
        ),
        22 => (
            "ignore file",
            format!("rm -f {folder}/.ignore; echo {word} > {other}"),
        ),
        23 => (
            "ignore file",
            format!(
                "rm -rf .git/info; mkdir -p .git/info; echo '{}' > .git/info/exclude; echo {word} > {other}",
                ["moved.txt", "n*.txt", "", "same.txt"][random.below(4)]
            ),
        ),
        24 => (
            "ignore file",
            format!(
                "mkdir -p {folder}/.git {folder}/in; echo 'in/' > {folder}/.gitignore; echo {word} > {folder}/in/x.txt"
            ),
        ),
        25 => (
            "ignored file",
            format!("mkdir -p skip; echo {word} > skip/a.txt; mv skip/a.txt moved.txt"),
        ),
        // The same size in the same instant, by the same inode and by another.
        26 => (
            "same size",
            format!("echo {word}A > same.txt; cat same.txt >/dev/null; echo {word}B > same.txt"),
        ),
        27 => (
            "same size",
            format!(
                "echo {word}A > t.tmp; mv t.tmp same.txt; echo {word}B > t.tmp; mv t.tmp same.txt"
            ),
        ),
        28 => (
            "second name",
            format!("ln -f {file} linked.txt; echo {word} >> linked.txt"),
        ),
        29 if round.is_multiple_of(2) => (
            "second name",
            format!("ln {file} once.tmp; echo {word} >> once.tmp; rm once.tmp"),
        ),
        29 => (
            "link",
            format!("rm -f {other}; ln -s ../../{file} {other}; echo {word} >> {file}"),
        ),
        30 if python => (
            "memory map",
            format!(
                "echo {word} >> {file}; python3 -c '{STORE}' {file} {}",
                word.to_uppercase()
            ),
        ),
        30 => ("truncate", format!(": > {file}")),
        _ => (
            "many",
            format!("for f in d1/e*/f*.txt; do echo {word} >> $f; done; rm -f d1/e1/f1*.txt"),
        ),
    };
    Change {
        scenario,
        command,
        word,
    }
}

/// Rounds of one scenario, and what their answers were like.
#[derive(Default)]
struct Tally {
    rounds: usize,
    stale: usize,
    by: [usize; 3],
}

fn from_environment(name: &str, default: u64) -> u64 {
    let value = std::env::var(name).ok();
    value.and_then(|v| v.parse().ok()).unwrap_or(default)
}

fn has_python() -> bool {
    let run = Command::new("python3").args(["-c", "import mmap"]).status();
    let has = run.is_ok_and(|s| s.success());
    if !has {
        eprintln!("python3 is not installed: nothing is stored through memory maps");
    }
    has
}

/// `FRESH_ROUNDS` sets how many changes are made, `FRESH_SEED` which. The count by
/// scenario is printed at the end (`--nocapture`).
#[test]
fn no_answer_is_stale() {
    let rounds = from_environment("FRESH_ROUNDS", 150) as usize;
    let seed = from_environment("FRESH_SEED", 20_261_121);
    let mut random = Random(seed);
    let python = has_python();
    let mut pair = pair();
    let mut shell = Shell::new(pair.dir.path());
    let mut tallies: BTreeMap<&str, Tally> = BTreeMap::new();
    let mut wrong = Vec::new();
    for round in 0..rounds {
        let mut change = change(&mut random, round, python);
        match random.below(60) {
            // While no process keeps the index.
            0 => {
                pair.indexed = Engine::new(&pair.root);
                change.scenario = "restart";
            }
            // What changed so far goes into the index.
            1..=4 => pair.indexed.settle(),
            _ => {}
        }
        shell.run(&change.command);
        if change.scenario == "restart" {
            pair.indexed = Engine::resident(&pair.root);
            pair.indexed.settle();
        }
        let request = Request {
            mode: Mode::Regex,
            ..Request::new([change.word.as_str(), "word1", "alpha_3", "[A-Z]{5}[0-9]"])
        };
        let (fresh, by) = answer(&pair.indexed, &request);
        let (truth, _) = answer(&pair.plain, &request);
        let tally = tallies.entry(change.scenario).or_default();
        tally.rounds += 1;
        tally.by[by as usize] += 1;
        if fresh != truth {
            tally.stale += 1;
            wrong.push(format!(
                "round {round} of seed {seed}: {}: {:?}",
                change.command,
                difference(&fresh, &truth)
            ));
        }
        // The tree stays of a size.
        if round % 400 == 399 {
            shell.run(
                "rm -rf d*/g* d*/e*/n*.txt d*/e*/copy; printf '*.log\\nskip/\\n' > .gitignore",
            );
            tree(pair.dir.path());
        }
    }
    println!(
        "{:<26}{:>7}{:>7}{:>9}{:>7}{:>6}",
        "", "rounds", "stale", "barrier", "sweep", "scan"
    );
    let mut all = Tally::default();
    let show = |name: &str, t: &Tally| {
        let [scan, barrier, sweep] = t.by;
        println!(
            "{name:<26}{:>7}{:>7}{barrier:>9}{sweep:>7}{scan:>6}",
            t.rounds, t.stale
        );
    };
    for (scenario, tally) in &tallies {
        show(scenario, tally);
        all.rounds += tally.rounds;
        all.stale += tally.stale;
        all.by = std::array::from_fn(|i| all.by[i] + tally.by[i]);
    }
    show("all", &all);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(all.by[0] < all.rounds, "the index was never used");
}

/// A store through a memory map that stays open is reported by no event. Where the
/// system names the files that are mapped they are not trusted, else from the first
/// such store on that the background thread comes by.
#[test]
fn a_map_that_stays_open_is_repaired() {
    if !has_python() {
        return;
    }
    let pair = pair();
    let path = pair.dir.path().join("d0/e0/f0.txt");
    let mut writer = Command::new("python3")
        .args([
            "-c",
            "import mmap,os,sys
m = mmap.mmap(os.open(sys.argv[1], os.O_RDWR), 0)
print('open', flush=True)
for line in sys.stdin:
    m[: len(line) - 1] = line.strip().encode()
    print('done', flush=True)",
        ])
        .arg(&path)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = writer.stdin.take().unwrap();
    let mut output = BufReader::new(writer.stdout.take().unwrap());
    let mut line = String::new();
    output.read_line(&mut line).unwrap();
    assert_eq!(line, "open\n");
    let mut store = |word: &str| {
        writeln!(input, "{word}").unwrap();
        input.flush().unwrap();
        output.read_line(&mut line).unwrap();
    };
    for (nth, word) in ["mapped1", "mapped2", "mapped3"].into_iter().enumerate() {
        if nth == 0 && cfg!(target_os = "linux") {
            pair.indexed.settle();
        }
        store(word);
        if nth == 0 && !cfg!(target_os = "linux") {
            pair.indexed.settle();
        }
        let request = Request::new([word]);
        assert_eq!(
            lines(&pair.indexed, &request),
            lines(&pair.plain, &request),
            "{word}"
        );
        assert_eq!(lines(&pair.plain, &request)[0].len(), 1);
    }
    drop(input);
    writer.wait().unwrap();
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
        indexed.begin();
        for i in 0..12 {
            let Change { command, word, .. } = change(&mut random, start * 100 + i, false);
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
