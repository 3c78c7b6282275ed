//! Ranking for a task in plain words: `cargo bench --bench locate -- [DIR…]`.
//!
//! For each folder (the current one by default) it makes eight tasks from comments that
//! stand there, asks each once of a process that knows nothing (cold: all is read) and
//! several times of one that remembers what the files hold, and prints both with the
//! machine and the tree they were measured on. Environment: `RUNS` (rounds, 5 by
//! default), `TASKS` (tasks, one a line, to use instead).

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use trimtab::search::{LocateOptions, Locator, locate};
use trimtab::syntax::{Language, parse};
use trimtab::workspace::{Cancel, Root, Scope, read_text, walk};

fn main() {
    let mut dirs: Vec<PathBuf> = std::env::args()
        .skip(1)
        .filter(|a| !a.starts_with("--"))
        .map(PathBuf::from)
        .collect();
    if dirs.is_empty() {
        dirs.push(PathBuf::from("."));
    }
    let runs = std::env::var("RUNS").ok().and_then(|r| r.parse().ok());
    for dir in dirs {
        match Root::open(&dir) {
            Ok(root) => measure(&root, runs.unwrap_or(5)),
            Err(e) => eprintln!("{e}"),
        }
    }
}

fn measure(root: &Root, runs: usize) {
    let files = walk(root, &Scope::default(), &Cancel::new()).unwrap_or_default();
    let sources: Vec<_> = files
        .iter()
        .filter(|f| Language::for_path(Path::new(&f.rel)).is_some())
        .collect();
    let bytes: u64 = sources
        .iter()
        .filter_map(|f| std::fs::metadata(&f.abs).ok())
        .map(|m| m.len())
        .sum();
    let cores = std::thread::available_parallelism().map_or(1, |n| n.get());
    println!(
        "{}: {} files, {} of them sources with {:.1} MB; {cores} cores, medians of {runs} runs",
        root.dir().display(),
        files.len(),
        sources.len(),
        bytes as f64 / 1e6
    );
    let given = std::env::var("TASKS").ok();
    let tasks: Vec<String> = match &given {
        Some(tasks) => tasks.lines().map(str::to_string).collect(),
        None => comments(&sources),
    };
    let locator = Locator::new(root);
    // What was just written is read each time until it counts as left alone.
    if let Some(task) = tasks.first() {
        std::thread::sleep(Duration::from_secs(3));
        ask(|o, c| locator.locate(task, o, c).map(drop));
    }
    println!("{:>9} {:>9} {:>6}  task", "cold ms", "warm ms", "ratio");
    let (mut all_cold, mut all_warm) = (Vec::new(), Vec::new());
    for task in &tasks {
        let run = |f: &dyn Fn() -> f64| median((0..runs).map(|_| f()).collect());
        let cold = run(&|| ask(|o, c| locate(root, task, o, c).map(drop)));
        // Its best files are cut into definitions the first time that they are.
        ask(|o, c| locator.locate(task, o, c).map(drop));
        let warm = run(&|| ask(|o, c| locator.locate(task, o, c).map(drop)));
        let short: String = task.chars().take(60).collect();
        println!("{cold:>9.1} {warm:>9.1} {:>6.1}  {short}", cold / warm);
        all_cold.push(cold);
        all_warm.push(warm);
    }
    println!(
        "{:>9.1} {:>9.1}         median",
        median(all_cold),
        median(all_warm)
    );
}

/// Milliseconds of one call.
fn ask(call: impl Fn(&LocateOptions, &Cancel) -> trimtab::error::Result<()>) -> f64 {
    let begin = Instant::now();
    if let Err(e) = call(&LocateOptions::default(), &Cancel::new()) {
        eprintln!("{e}");
    }
    begin.elapsed().as_secs_f64() * 1e3
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).copied().unwrap_or_default()
}

/// The longest comment in each of eight files that lie evenly apart.
fn comments(sources: &[&trimtab::workspace::FilePath]) -> Vec<String> {
    let step = (sources.len() / 8).max(1);
    let longest = |f: &&trimtab::workspace::FilePath| {
        let text = read_text(f).ok()?;
        let parsed = parse(Language::for_path(Path::new(&f.rel))?, &text)?;
        let comment = parsed.comments(&text).into_iter().max_by_key(|r| r.len())?;
        let words: Vec<&str> = text
            .get(comment)?
            .split(|c: char| !c.is_alphanumeric())
            .filter(|w| w.len() > 2)
            .take(30)
            .collect();
        (words.len() > 4).then(|| words.join(" "))
    };
    (0..8)
        .filter_map(|i| sources.iter().skip(i * step).take(step).find_map(longest))
        .collect()
}
