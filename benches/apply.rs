//! Speed of a merge in process: the file is read, the snippet merged and checked, and the
//! change diffed.
//!
//! `cargo bench --bench apply [-- LANGUAGE|LINES …]`. Prints the median and the 95th
//! percentile of the time per merge for files of 1,000 to 20,000 lines and a snippet of
//! fixed size, how much a line of the file costs, and tokens of the merged file per
//! second: for files never seen before, and for one that has been merged before, as the
//! files of a session have.

use std::env;
use std::fmt::Write as _;
use std::hint;
use std::time::{Duration, Instant};

use trimtab::apply::{MergeOptions, diff, merge};
use trimtab::tokens;

const RUNS: usize = 41;
/// What one hosted merge model states as its speed, in tokens per second.
const PUBLISHED: f64 = 10_500.0;

fn main() {
    let asked: Vec<String> = env::args().skip(1).filter(|a| a != "--bench").collect();
    let (sizes, names): (Vec<&String>, Vec<&String>) =
        asked.iter().partition(|a| a.parse::<usize>().is_ok());
    let is_asked = |all: &[&String], one: &str| all.is_empty() || all.iter().any(|a| *a == one);
    println!(
        "{:<9} {:>6} {:<6} {:>8} {:>9} {:>9} {:>8} {:>10} {:>6}",
        "language", "lines", "seen", "tokens", "median", "p95", "ns/line", "tokens/s", "times"
    );
    for (name, file, snippet) in [
        (
            "rust",
            rust as fn(usize) -> String,
            rust_snippet as fn(usize) -> String,
        ),
        ("python", python, python_snippet),
        ("text", prose, prose_snippet),
    ] {
        for lines in [1_000usize, 2_000, 5_000, 10_000, 20_000] {
            if !is_asked(&names, name) || !is_asked(&sizes, &lines.to_string()) {
                continue;
            }
            for seen in [false, true] {
                measure(name, &file(lines), &snippet(lines), lines, seen);
            }
        }
    }
}

fn measure(name: &str, file: &str, snippet: &str, lines: usize, seen: bool) {
    let (path, comment) = match name {
        "rust" => ("a.rs", "//"),
        "python" => ("a.py", "#"),
        _ => ("a.txt", ""),
    };
    let options = MergeOptions {
        path: path.to_string(),
        ..MergeOptions::default()
    };
    let mut merged = String::new();
    let mut times: Vec<Duration> = Vec::with_capacity(RUNS);
    for run in 0..RUNS {
        let run = if seen { 0 } else { run };
        let file = format!("{file}{comment} Version {run}.\n");
        let start = Instant::now();
        match merge(hint::black_box(&file), hint::black_box(snippet), &options) {
            Ok(done) => {
                hint::black_box(diff(path, Some(&file), Some(&done.text)));
                times.push(start.elapsed());
                assert_ne!(done.text, file, "the snippet changed nothing");
                merged = done.text;
            }
            Err(e) => {
                println!("{name:<9} {lines:>6} refused: {e}");
                return;
            }
        }
    }
    times.sort();
    let (median, p95) = (times[RUNS / 2], times[RUNS * 95 / 100]);
    let count = tokens::count(&merged);
    let rate = count as f64 / median.as_secs_f64();
    println!(
        "{name:<9} {lines:>6} {:<6} {count:>8} {median:>9.2?} {p95:>9.2?} {:>8.0} {rate:>10.0} {:>5.0}x",
        if seen { "before" } else { "never" },
        median.as_secs_f64() * 1e9 / lines as f64,
        rate / PUBLISHED
    );
}

fn rust(lines: usize) -> String {
    let mut out = String::from("use std::fmt;\n\n");
    for n in 0..lines / 9 {
        let _ = write!(
            out,
            "/// Works out part {n}.\nfn part_{n}(input: u32) -> u32 {{\n    let base = input + {n};\n    if base > {} {{\n        return base * 2;\n    }}\n    base - {n}\n}}\n\n",
            n * 7
        );
    }
    out
}

fn rust_snippet(lines: usize) -> String {
    let n = lines / 18;
    format!(
        "// ... existing code ...\nfn part_{n}(input: u32) -> u32 {{\n    let base = input.saturating_add({n});\n    if base > {} {{\n        return base * 3;\n    }}\n    base - {n}\n}}\n\n/// Tells whether part {n} counts.\nfn counts_{n}(input: u32) -> bool {{\n    part_{n}(input) > 0\n}}\n\n/// Works out part {}.\n// ... existing code ...\n",
        n * 7,
        n + 1
    )
}

fn python(lines: usize) -> String {
    let mut out = String::from("import os\n\n\nclass Parts:\n");
    for n in 0..lines / 7 {
        let _ = write!(
            out,
            "    def part_{n}(self, value):\n        \"\"\"Work out part {n}.\"\"\"\n        base = value + {n}\n        if base > {}:\n            return base * 2\n        return base - {n}\n\n",
            n * 7
        );
    }
    out
}

fn python_snippet(lines: usize) -> String {
    let n = lines / 14;
    format!(
        "# ... existing code ...\n    def part_{n}(self, value):\n        \"\"\"Work out part {n}.\"\"\"\n        base = abs(value) + {n}\n        if base > {}:\n            return base * 3\n        return base - {n}\n\n    def part_{}(self, value):\n# ... existing code ...\n",
        n * 7,
        n + 1
    )
}

fn prose(lines: usize) -> String {
    (0..lines).map(entry).collect()
}

fn entry(n: usize) -> String {
    format!(
        "Entry {n} says that measure {} was taken at place {}.\n",
        n * 31,
        n * 17
    )
}

fn prose_snippet(lines: usize) -> String {
    let n = lines / 2;
    format!(
        "... existing code ...\n{}A line that was not there.\n{}... existing code ...\n",
        entry(n),
        entry(n + 1)
    )
}
