//! Search against ripgrep: `cargo bench --bench search -- [DIR…]`.
//!
//! For each folder (the current one by default) it makes eight queries from the words
//! that occur there, runs them with the `rg` on the machine and with this crate, one
//! after the other in turn, and prints medians and ratios: first without, then with
//! the resident index; how long the index takes to build, how large it is on disk and
//! in memory; and how soon a cancelled call ends. Environment: `RUNS` (rounds, 5 by
//! default), `QUERIES` (eight patterns, one a line, to use instead), `UPDATE=1` (writes
//! a file into each folder, measures how soon it is found and indexed, and removes it).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use trimtab::search::{Engine, Mode, Request};
use trimtab::workspace::{Cancel, Root, Scope, State, walk};

/// A query and what it stands for.
struct Query {
    what: &'static str,
    pattern: String,
}

fn main() {
    if let Some(dir) = std::env::var_os(CHILD) {
        return build(Path::new(&dir));
    }
    let dirs: Vec<PathBuf> = std::env::args()
        .skip(1)
        .filter(|a| !a.starts_with("--"))
        .map(PathBuf::from)
        .collect();
    let dirs = if dirs.is_empty() {
        vec![PathBuf::from(".")]
    } else {
        dirs
    };
    let runs = std::env::var("RUNS")
        .ok()
        .and_then(|r| r.parse().ok())
        .unwrap_or(5);
    machine();
    for dir in dirs {
        match Root::open(&dir) {
            Ok(root) => measure(&root, runs),
            Err(e) => eprintln!("{e}"),
        }
    }
}

/// What the figures were measured on.
fn machine() {
    let version = Command::new("rg").arg("--version").output();
    let version = match &version {
        Ok(out) => String::from_utf8_lossy(&out.stdout),
        Err(_) => {
            eprintln!("rg is not installed: there is nothing to compare with");
            std::process::exit(2);
        }
    };
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let cpu = cpu
        .lines()
        .find_map(|l| l.strip_prefix("model name"))
        .map_or("", |l| l.trim_start_matches([' ', '\t', ':']));
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    println!(
        "{} · {} {} · {} processors {cpu} · load {}",
        version.lines().next().unwrap_or_default(),
        std::env::consts::OS,
        std::env::consts::ARCH,
        std::thread::available_parallelism().map_or(1, |n| n.get()),
        load.split(' ').next().unwrap_or("unknown"),
    );
}

fn measure(root: &Root, runs: usize) {
    let cancel = Cancel::new();
    let files = walk(root, &Scope::default(), &cancel).unwrap_or_default();
    let bytes: u64 = files
        .iter()
        .filter_map(|f| f.abs.metadata().ok())
        .map(|m| m.len())
        .sum();
    println!(
        "\n{} · {} files · {:.1} MB · median of {runs}, warm",
        root.dir().display(),
        files.len(),
        bytes as f64 / 1e6
    );
    let given = std::env::var("QUERIES").ok();
    let given = given.map(|text| {
        let patterns = text.lines().filter(|l| !l.is_empty()).map(String::from);
        let query = |pattern| Query { what: "", pattern };
        patterns.map(query).collect::<Vec<_>>()
    });
    let files: Vec<PathBuf> = files.into_iter().map(|f| f.abs).collect();
    let queries = given.unwrap_or_else(|| queries(&files));
    let engine = Engine::new(root);
    let all: Vec<&str> = queries.iter().map(|q| q.pattern.as_str()).collect();

    println!(
        "{:<34} {:>7} {:>9} {:>9} {:>9} {:>7}",
        "", "lines", "rg", "process", "library", "ratio"
    );
    for query in &queries {
        let pattern = query.pattern.as_str();
        let [rg, process, library] = rounds(
            runs,
            [
                &mut || rg(root.dir(), pattern),
                &mut || ours(root.dir(), &[pattern], None),
                &mut || lines(&engine, &[pattern], None),
            ],
        );
        row(query.what, pattern, library.1, rg.0, process.0, library.0);
    }
    let [one_by_one, process, library] = rounds(
        runs,
        [
            &mut || all.iter().map(|p| rg(root.dir(), p)).sum(),
            &mut || ours(root.dir(), &all, None),
            &mut || lines(&engine, &all, None),
        ],
    );
    row(
        "eight at once",
        "",
        library.1,
        one_by_one.0,
        process.0,
        library.0,
    );
    indexed(root, runs, &queries, &selective(&files));
}

/// The same with a resident index, built for the occasion.
fn indexed(root: &Root, runs: usize, queries: &[Query], selective: &Query) {
    let Ok(home) = tempfile::tempdir() else {
        return;
    };
    let root = &root.clone().with_home(home.path());
    child(root, home.path());
    let engine = Engine::resident(root);
    engine.settle();
    println!("with the index (process: ranges):");
    for query in queries.iter().chain([selective]) {
        let pattern = query.pattern.as_str();
        let [rg, shown, found] = rounds(
            runs,
            [
                &mut || rg(root.dir(), pattern),
                &mut || ranges(&engine, &[pattern]),
                &mut || lines(&engine, &[pattern], None),
            ],
        );
        row(query.what, pattern, found.1, rg.0, shown.0, found.0);
    }
    let all: Vec<&str> = queries.iter().map(|q| q.pattern.as_str()).collect();
    let [rg, shown, found] = rounds(
        runs,
        [
            &mut || all.iter().map(|p| rg(root.dir(), p)).sum(),
            &mut || ranges(&engine, &all),
            &mut || lines(&engine, &all, Some(200)),
        ],
    );
    row("eight, 200 lines each", "", found.1, rg.0, shown.0, found.0);
    cancelled(&Engine::new(root), "without index", runs);
    cancelled(&engine, "with index", runs);
    if std::env::var("UPDATE").is_ok_and(|u| u == "1") {
        update(root, &engine, runs);
    }
}

/// Names the folder that a process of its own is to index, so that its memory is that
/// of the index alone.
const CHILD: &str = "TRIMTAB_BENCH_BUILD";
const HOME: &str = "TRIMTAB_BENCH_HOME";

fn child(root: &Root, home: &Path) {
    let Ok(me) = std::env::current_exe() else {
        return;
    };
    let run = Command::new(me)
        .env(CHILD, root.dir())
        .env(HOME, home)
        .status();
    if !run.is_ok_and(|s| s.success()) {
        eprintln!("the index could not be built in a process of its own");
    }
}

/// Builds the index of a folder; says what that took.
fn build(dir: &Path) {
    let Ok(root) = Root::open(dir) else {
        return;
    };
    let root = root.with_home(std::env::var_os(HOME).unwrap_or_default());
    let bytes: u64 = walk(&root, &Scope::default(), &Cancel::new())
        .unwrap_or_default()
        .iter()
        .filter_map(|f| f.abs.metadata().ok())
        .map(|m| m.len())
        .sum();
    let before = memory("VmHWM");
    let start = Instant::now();
    let engine = Engine::resident(&root);
    engine.settle();
    let took = start.elapsed().as_secs_f64();
    let disk = State::cache_dir(&root).ok();
    let disk = disk.and_then(|d| d.join("trigrams").metadata().ok());
    let disk = disk.map_or(0, |m| m.len());
    let (peak, after) = (memory("VmHWM"), memory("VmRSS"));
    // An allocator may give back what is free only when it is next called.
    std::thread::sleep(Duration::from_secs(1));
    lines(&engine, &["qzxvjkwqzxvjkw"], None);
    println!(
        "index: built in {took:.2} s · {:.1} MB on disk, {:.1} % · memory {peak:.0} MB at the peak \
         ({before:.0} before), {after:.0} MB right after, {:.0} MB after a second and a query",
        disk as f64 / 1e6,
        disk as f64 * 100.0 / bytes as f64,
        memory("VmRSS"),
    );
    drop(engine);
    let start = Instant::now();
    let engine = Engine::resident(&root);
    engine.settle();
    println!(
        "index: taken over by the next process in {:.0} ms",
        ms(start.elapsed())
    );
}

/// Of this process, in MB; 0 where the system does not say.
fn memory(what: &str) -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|l| l.starts_with(what));
    let kib = line.and_then(|l| l.split_whitespace().nth(1)?.parse::<f64>().ok());
    kib.unwrap_or(0.0) * 1024.0 / 1e6
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// How long a call goes on after it was cancelled, at various times.
fn cancelled(engine: &Engine, how: &str, runs: usize) {
    let request = Request {
        mode: Mode::Regex,
        ..Request::new([r"\d{4}-\d{2}-\d{2}", "(?i)[a-z]+ing\\b", "."])
    };
    let mut times = Vec::new();
    for run in 0..runs * 4 {
        let cancel = Cancel::new();
        let time = std::thread::scope(|scope| {
            let call = scope.spawn(|| {
                let _ = engine.search(&request, &cancel);
                Instant::now()
            });
            std::thread::sleep(Duration::from_millis(20 + 35 * run as u64));
            let at = Instant::now();
            cancel.cancel();
            let end = call.join().unwrap_or(at);
            end.saturating_duration_since(at)
        });
        times.push(time);
    }
    times.sort();
    println!(
        "cancelled {how}: over after {:.1} ms, at most {:.1} ms",
        ms(times[times.len() / 2]),
        ms(times[times.len() - 1]),
    );
}

/// How soon a written file is found, and is part of the index.
fn update(root: &Root, engine: &Engine, runs: usize) {
    let path = root.dir().join("trimtab_bench_update.txt");
    let (mut found, mut held) = (Vec::new(), Vec::new());
    for run in 0..runs {
        let word = format!("qzjxupdate{run}");
        if let Err(e) = std::fs::write(&path, &word) {
            eprintln!("{}: {e}", path.display());
            return;
        }
        let start = Instant::now();
        assert_eq!(lines(engine, &[&word], None), 1, "a stale answer");
        found.push(start.elapsed());
        let start = Instant::now();
        engine.settle();
        held.push(start.elapsed());
    }
    let _ = std::fs::remove_file(&path);
    found.sort();
    held.sort();
    println!(
        "a written file is found after {:.2} ms, and indexed in {:.1} ms (with a look at all stamps)",
        ms(found[found.len() / 2]),
        ms(held[held.len() / 2]),
    );
}

/// Bytes of the rendered answer.
fn ranges(engine: &Engine, patterns: &[&str]) -> usize {
    let request = Request {
        mode: Mode::Regex,
        ..Request::new(patterns.iter().copied())
    };
    match engine.search(&request, &Cancel::new()) {
        Ok(found) => found.render().len(),
        Err(e) => panic!("{e}"),
    }
}

/// Runs each in turn; the median time and the last result of each.
fn rounds<const N: usize>(
    runs: usize,
    mut of: [&mut dyn FnMut() -> usize; N],
) -> [(Duration, usize); N] {
    let mut times = vec![Vec::new(); N];
    let mut results = [0; N];
    for round in 0..=runs {
        for (i, run) in of.iter_mut().enumerate() {
            let start = Instant::now();
            results[i] = run();
            // The first round warms up.
            if round > 0 {
                times[i].push(start.elapsed());
            }
        }
    }
    std::array::from_fn(|i| {
        times[i].sort();
        (times[i][times[i].len() / 2], results[i])
    })
}

fn row(
    what: &str,
    pattern: &str,
    lines: usize,
    rg: Duration,
    process: Duration,
    library: Duration,
) {
    let ms = |d: Duration| format!("{:.1} ms", ms(d));
    let label = format!("{what} {pattern}");
    println!(
        "{:<34} {lines:>7} {:>9} {:>9} {:>9} {:>6.2}x",
        label.chars().take(34).collect::<String>(),
        ms(rg),
        ms(process),
        ms(library),
        rg.as_secs_f64() / library.as_secs_f64(),
    );
}

/// Bytes that `rg` prints.
fn rg(dir: &Path, pattern: &str) -> usize {
    let out = Command::new("rg")
        .args(["--no-config", "-n", "-e", pattern, "."])
        .current_dir(dir)
        .stderr(Stdio::null())
        .output();
    out.map_or(0, |o| o.stdout.len())
}

/// Bytes that the program prints for a search.
fn ours(dir: &Path, patterns: &[&str], budget: Option<usize>) -> usize {
    let mut command = Command::new(env!("CARGO_BIN_EXE_trimtab"));
    command
        .arg("search")
        .args(["--mode", "regex", "--root"])
        .arg(dir);
    if let Some(budget) = budget {
        command.args(["--budget", &budget.to_string()]);
    }
    let out = command
        .arg("--")
        .args(patterns)
        .stderr(Stdio::null())
        .output();
    out.map_or(0, |o| o.stdout.len())
}

/// Matching lines of all queries.
fn lines(engine: &Engine, patterns: &[&str], limit: Option<usize>) -> usize {
    let request = Request {
        mode: Mode::Regex,
        limit,
        ..Request::new(patterns.iter().copied())
    };
    match engine.lines(&request, &Cancel::new()) {
        Ok(found) => found.iter().map(Vec::len).sum(),
        Err(e) => panic!("{e}"),
    }
}

/// How often the words of some of the files occur there, the rarest first, and which
/// share of all files these are: one in so many.
fn words(files: &[PathBuf]) -> (Vec<(String, usize)>, usize) {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let step = (files.len() / 2_000).max(1);
    for path in files.iter().step_by(step) {
        let Ok(text) = std::fs::read_to_string(path) else {
            continue;
        };
        let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
        for word in words.filter(|w| (8..=32).contains(&w.len())) {
            if word.starts_with(|c: char| c.is_ascii_lowercase()) {
                *counts.entry(word.to_string()).or_default() += 1;
            }
        }
    }
    let mut words: Vec<(String, usize)> = counts.into_iter().collect();
    words.sort_by_key(|(word, n)| (*n, word.clone()));
    (words, step)
}

/// A word that some 1,000 lines hold.
fn selective(files: &[PathBuf]) -> Query {
    let (words, step) = words(files);
    let word = words
        .into_iter()
        .min_by_key(|(_, n)| (n * step).abs_diff(1_000));
    Query {
        what: "about 1,000 lines",
        pattern: word.map_or("unlikely".into(), |(word, _)| word),
    }
}

/// Eight queries from the words of some of the files, spread over all of them.
fn queries(files: &[PathBuf]) -> Vec<Query> {
    let (words, _) = words(files);
    let pick = |share: f64| -> String {
        let at = ((words.len() as f64 - 1.0) * share).max(0.0) as usize;
        words.get(at).map_or("unlikely".into(), |w| w.0.clone())
    };
    let (rare, some, more, common) = (pick(0.3), pick(0.95), pick(0.97), pick(1.0));
    let query = |what, pattern: String| Query { what, pattern };
    vec![
        query("rare", rare),
        query("selective", some.clone()),
        query("alternation", format!("{some}|{more}")),
        query("call", format!(r"\w+\s+{more}\s*\(")),
        query("any case", format!("(?i){}", some.to_uppercase())),
        query("common", common),
        query("no match", "qzxvjkwqzxvjkw".into()),
        query("no literal", r"\d{4}-\d{2}-\d{2}".into()),
    ]
}
