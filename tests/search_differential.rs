//! For random patterns and flags over real trees, the lines are those of the `rg` on
//! the machine, with and without the index.
//!
//! The tree is this repository; `DIFF_TREES` names others (paths with `:` between),
//! `DIFF_ROUNDS` how many requests are compared on each, `DIFF_SEED` which. Some patterns
//! match every line of a tree: of each file, its number of lines and a hash of them all
//! are compared, and the lines themselves where these differ.
#![cfg(unix)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::hash::{DefaultHasher, Hasher};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use trimtab::search::{Case, Engine, Freshness, Mode, Request, Response};
use trimtab::workspace::{Cancel, Root, Scope, walk};

/// A matching line: path, number, text without its line break.
type Line = (String, usize, Vec<u8>);

/// The matching lines of one file, in their order.
#[derive(Default)]
struct Lines {
    count: usize,
    hash: DefaultHasher,
}

impl Lines {
    fn add(&mut self, number: usize, text: &[u8]) {
        self.count += 1;
        self.hash.write_usize(number);
        self.hash.write_usize(text.len());
        self.hash.write(text);
    }
}

impl PartialEq for Lines {
    fn eq(&self, other: &Self) -> bool {
        self.count == other.count && self.hash.finish() == other.hash.finish()
    }
}

/// All matching lines, by file.
type Files = BTreeMap<String, Lines>;

fn add(files: &mut Files, path: &str, number: usize, text: &[u8]) {
    match files.get_mut(path) {
        Some(lines) => lines.add(number, text),
        None => files.entry(path.into()).or_default().add(number, text),
    }
}

/// A sequence that repeats from its seed.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % n.max(1) as u64) as usize
    }

    fn one<'a, T: ?Sized>(&mut self, of: &[&'a T]) -> &'a T {
        of[self.below(of.len())]
    }
}

/// Texts as they stand in a tree, to make patterns that match something.
struct Sample {
    words: Vec<String>,
    /// Pieces of lines, with whatever is in them.
    pieces: Vec<String>,
    /// Files that no search is compared in: which lines of a binary file `rg` prints
    /// depends on the files before it.
    binary: BTreeSet<String>,
}

fn sample(root: &Root) -> Sample {
    let mut words = BTreeMap::new();
    let mut pieces = Vec::new();
    let mut binary = BTreeSet::new();
    for (nth, file) in walk(root, &hidden(), &Cancel::new())
        .unwrap()
        .iter()
        .enumerate()
    {
        let Ok(bytes) = fs::read(&file.abs) else {
            continue;
        };
        if bytes.contains(&0) {
            binary.insert(file.rel.clone());
            continue;
        }
        let text = String::from_utf8_lossy(&bytes);
        for line in text.lines().skip(nth % 7).step_by(41).take(40) {
            let start = line.char_indices().nth(nth % 5).map_or(0, |(at, _)| at);
            pieces.push(line[start..].chars().take(4 + nth % 14).collect());
        }
        for word in text.split(|c: char| !c.is_alphanumeric() && c != '_') {
            if words.len() == 20_000 {
                break;
            }
            if (2..24).contains(&word.len()) {
                *words.entry(word.to_string()).or_insert(0) += 1;
            }
        }
    }
    pieces.retain(|p: &String| !p.trim().is_empty());
    Sample {
        words: words.into_keys().collect(),
        pieces,
        binary,
    }
}

fn hidden() -> Scope {
    Scope {
        hidden: true,
        ..Scope::default()
    }
}

/// A pattern of up to four parts.
fn pattern(random: &mut Random, sample: &Sample) -> String {
    let mut out = String::new();
    for _ in 0..=random.below(4) {
        let word = &sample.words[random.below(sample.words.len())];
        let half: String = word
            .chars()
            .take(word.chars().count().div_ceil(2))
            .collect();
        let other = &sample.words[random.below(sample.words.len())];
        let part = match random.below(16) {
            0..=3 => word.clone(),
            4 => format!(r"\b{word}\b"),
            5 => format!(r"{half}\w*"),
            6 => format!("({word}|{other})"),
            7 => format!("(?:{half})?{other}"),
            8 => format!("(?i:{half})"),
            9 => random
                .one(&[r"\s+", r"\s*", ".*", ".{0,6}", "[^a-z]", r"\W"])
                .into(),
            10 => random
                .one(&[r"\d{2,}", r"\p{Lu}\w+", "[a-f]{3}", r"[[:punct:]]{2}"])
                .into(),
            11 => random.one(&["^", "$", r"^\s*", r"\s*$", r"\b"]).into(),
            12 => format!("{half}{{1,2}}"),
            13 => format!("[{half}]+"),
            14 => random
                .one(&["é", "ß", "K", "ſ", "—", "[^\\x00-\\x7F]", r"(?-u:\xC3)"])
                .into(),
            _ => regex::escape(&sample.pieces[random.below(sample.pieces.len())]),
        };
        out.push_str(&part);
    }
    out
}

/// A request with one query, and the flags that say the same to `rg`.
fn request(random: &mut Random, sample: &Sample) -> (Request, Vec<String>) {
    let mut flags = Vec::new();
    let mut query = pattern(random, sample);
    let mut request = Request {
        mode: Mode::Regex,
        ..Request::default()
    };
    match random.below(6) {
        0 => {
            request.mode = Mode::Literal;
            query = sample.pieces[random.below(sample.pieces.len())].clone();
            flags.push("-F".into());
        }
        1 => {
            request.multiline = true;
            query.push_str(random.one(&[r"\s+", r"\n", r"\n+\s*", "[^;]*;"]));
            query.push_str(&sample.words[random.below(sample.words.len())]);
            flags.push("-U".into());
        }
        _ => {}
    }
    match random.below(4) {
        0 => {
            request.case = Case::Insensitive;
            flags.push("-i".into());
        }
        1 => {
            request.case = Case::Smart;
            flags.push("-S".into());
        }
        _ => {}
    }
    if random.below(8) == 0 {
        request.hidden = true;
        flags.push("--hidden".into());
    }
    if random.below(5) == 0 {
        let globs: &[&[&str]] = &[&["*.rs"], &["!*.rs"], &["src/**"], &["*.md", "*.toml"]];
        for glob in globs[random.below(globs.len())] {
            request.globs.push((*glob).into());
            flags.extend(["-g".into(), (*glob).into()]);
        }
    }
    request.queries = vec![query];
    (request, flags)
}

/// Gives each line that `rg` finds, and says whether it accepts the pattern.
fn rg(
    dir: &Path,
    flags: &[String],
    pattern: &str,
    mut each: impl FnMut(&str, usize, &[u8]),
) -> bool {
    let mut rg = Command::new("rg")
        .current_dir(dir)
        .env_remove("RIPGREP_CONFIG_PATH")
        .args(["--no-config", "--no-heading", "-n", "-0", "--color=never"])
        .args(["--no-messages", "-g", "!.git"])
        .args(flags)
        .args(["-e", pattern, "./"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut out = BufReader::with_capacity(1 << 20, rg.stdout.take().unwrap());
    let mut line = Vec::new();
    while out.read_until(b'\n', &mut line).unwrap() > 0 {
        let whole = line.strip_suffix(b"\n").unwrap_or(&line);
        let mut parts = whole.splitn(2, |b| *b == 0);
        if let (Some(path), Some(rest)) = (parts.next(), parts.next()) {
            let colon = rest.iter().position(|b| *b == b':').unwrap();
            let number = std::str::from_utf8(&rest[..colon]).unwrap();
            let path = String::from_utf8_lossy(path);
            let path = path.strip_prefix("./").unwrap_or(&path);
            each(path, number.parse().unwrap(), &rest[colon + 1..]);
        }
        line.clear();
    }
    rg.wait().unwrap().code() != Some(2)
}

/// What `rg` finds; none where it does not accept the pattern.
fn theirs(dir: &Path, flags: &[String], pattern: &str) -> Option<Files> {
    let mut found = Files::new();
    let accepted = rg(dir, flags, pattern, |path, number, text| {
        add(&mut found, path, number, text);
    });
    accepted.then_some(found)
}

/// What an engine finds.
struct Ours {
    /// The first of its lines, in its order, one more than any limit.
    first: Vec<Line>,
    count: usize,
    files: Files,
    more: bool,
    freshness: Freshness,
}

/// Most lines that a request is limited to.
const MOST: usize = 200;

fn ours(engine: &Engine, request: &Request) -> Option<Ours> {
    let found = engine.matches(request, &Cancel::new()).ok()?;
    let mut files = Files::new();
    let mut first = Vec::new();
    let mut count = 0;
    for line in found.lines.iter().flatten() {
        let text = line.text.strip_suffix(b"\n").unwrap_or(&line.text);
        add(&mut files, &line.path, line.line, text);
        if first.len() <= MOST {
            first.push((line.path.to_string(), line.line, text.to_vec()));
        }
        count += 1;
    }
    Some(Ours {
        first,
        count,
        files,
        more: found.more.contains(&true),
        freshness: found.freshness,
    })
}

/// The lines of a file that one of both does not find.
fn difference(
    dir: &Path,
    (request, flags): (&Request, &[String]),
    engine: &Engine,
    path: &str,
) -> String {
    let mut expected = BTreeSet::new();
    rg(dir, flags, &request.queries[0], |at, number, text| {
        if at == path {
            expected.insert((number, text.to_vec()));
        }
    });
    let found = engine.matches(request, &Cancel::new()).unwrap();
    let found = found.lines.into_iter().flatten();
    let found: BTreeSet<(usize, Vec<u8>)> = found
        .filter(|l| *l.path == *path)
        .map(|l| {
            (
                l.line,
                l.text.strip_suffix(b"\n").unwrap_or(&l.text).to_vec(),
            )
        })
        .collect();
    let missing: Vec<_> = expected.difference(&found).take(3).collect();
    let extra: Vec<_> = found.difference(&expected).take(3).collect();
    format!("{path}: missing {missing:?}, too many {extra:?}")
}

/// With a limit, an engine gives the first of all its lines, and says whether there
/// are more; it says so of ranges, too.
fn capped(engine: &Engine, request: &Request, limit: usize, all: &Ours) -> Response {
    let request = Request {
        limit: Some(limit),
        ..request.clone()
    };
    let some = ours(engine, &request).unwrap();
    let by = some.freshness.name();
    let case = format!("{:?} at {limit} lines by {by}", request.queries);
    assert!(some.first == all.first[..all.count.min(limit)], "{case}");
    assert_eq!(some.count, all.count.min(limit), "{case}");
    assert_eq!(some.more, all.count > limit, "{case}");
    let shown = engine.search(&request, &Cancel::new()).unwrap();
    if all.count > limit {
        assert!(shown.queries[0].more, "{case}");
    }
    shown
}

fn compare(dir: &Path, rounds: usize, seed: u64) {
    let home = tempfile::tempdir().unwrap();
    let root = Root::open(dir).unwrap().with_home(home.path());
    let sample = sample(&root);
    let plain = Engine::new(&root);
    let indexed = Engine::resident(&root);
    indexed.settle();
    let mut random = Random(seed);
    let mut limits = Random(seed);
    let (mut matched, mut by_index, mut cut) = (0, 0, 0);
    for round in 0..rounds {
        let (request, flags) = request(&mut random, &sample);
        let query = &request.queries[0];
        let case = || format!("{} round {round}: {flags:?} {query:?}", dir.display());
        let Some(mut expected) = theirs(dir, &flags, query) else {
            assert!(
                ours(&plain, &request).is_none(),
                "{}: rg refuses it",
                case()
            );
            continue;
        };
        expected.retain(|path, _| !sample.binary.contains(path));
        matched += usize::from(!expected.is_empty());
        let limit = [1, 2, 7, 40, MOST][limits.below(5)];
        let mut shown = Vec::new();
        for engine in [&plain, &indexed] {
            // An empty pattern is refused, which rg does not do.
            let Some(mut found) = ours(engine, &request) else {
                panic!("{}: refused, but rg accepts it", case());
            };
            let by = found.freshness;
            cut += usize::from(found.count > limit);
            shown.push(capped(engine, &request, limit, &found));
            found.files.retain(|path, _| !sample.binary.contains(path));
            by_index += usize::from(by != Freshness::Scan);
            let paths = expected.keys().chain(found.files.keys());
            let other = |path: &&String| expected.get(*path) != found.files.get(*path);
            if let Some(path) = { paths }.find(other) {
                let what = difference(dir, (&request, &flags), engine, path);
                panic!("{} by {}: {what}", case(), by.name());
            }
        }
        // Ranges, too, are the same with the index.
        let [plain, indexed] = &shown[..] else {
            unreachable!()
        };
        assert_eq!(plain.excerpts, indexed.excerpts, "{}", case());
        assert_eq!(plain.queries, indexed.queries, "{}", case());
        assert_eq!(plain.omitted, indexed.omitted, "{}", case());
        if (round + 1) % 10 == 0 {
            println!("{}: {} of {rounds}", dir.display(), round + 1);
        }
    }
    println!(
        "{}: {rounds} requests, {matched} with matches, {by_index} by the index, \
         {cut} cut at a limit, all as rg",
        dir.display()
    );
    assert!(
        matched > rounds / 8,
        "only {matched} of {rounds} match anything"
    );
    assert!(by_index > 0, "the index was never used");
    assert!(cut > 0, "no limit was reached");
}

#[test]
fn random_requests_find_what_ripgrep_finds() {
    if Command::new("rg").arg("--version").output().is_err() {
        eprintln!("rg is not installed: nothing is compared");
        return;
    }
    let number = |name: &str, default: u64| {
        let value = std::env::var(name).ok();
        value.and_then(|v| v.parse().ok()).unwrap_or(default)
    };
    let rounds = number("DIFF_ROUNDS", 60) as usize;
    let seed = number("DIFF_SEED", 4_711);
    let trees = std::env::var("DIFF_TREES").unwrap_or_default();
    let mut trees: Vec<PathBuf> = std::env::split_paths(&trees)
        .filter(|p| !p.as_os_str().is_empty())
        .collect();
    if trees.is_empty() {
        trees.push(env!("CARGO_MANIFEST_DIR").into());
    }
    for tree in trees {
        compare(&tree, rounds, seed);
    }
}
