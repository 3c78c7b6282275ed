//! Search against ripgrep: `cargo bench --bench search -- [DIR…]`.
//!
//! For each folder (the current one by default) it makes eight queries from the words
//! that occur there, runs them with the `rg` on the machine and with this crate, one
//! after the other in turn, and prints medians and ratios: first without, then with
//! the resident index. Environment: `RUNS` (rounds, 5 by default), `QUERIES` (eight
//! patterns, one a line, to use instead).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use trimtab::search::{Engine, Mode, Request};
use trimtab::workspace::{Cancel, Root, Scope, walk};

/// A query and what it stands for.
struct Query {
    what: &'static str,
    pattern: String,
}

fn main() {
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
    let queries =
        given.unwrap_or_else(|| queries(&files.into_iter().map(|f| f.abs).collect::<Vec<_>>()));
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
    indexed(root, runs, &queries);
}

/// The same with a resident index, built for the occasion.
fn indexed(root: &Root, runs: usize, queries: &[Query]) {
    let Ok(home) = tempfile::tempdir() else {
        return;
    };
    let root = &root.clone().with_home(home.path());
    let start = Instant::now();
    let engine = Engine::resident(root);
    engine.settle();
    println!(
        "with the index, built in {:.1} s (process: ranges):",
        start.elapsed().as_secs_f64()
    );
    for query in queries {
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
    let ms = |d: Duration| format!("{:.1} ms", d.as_secs_f64() * 1e3);
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

/// Eight queries from the words of some of the files, spread over all of them.
fn queries(files: &[PathBuf]) -> Vec<Query> {
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
