//! Speed of counting beside tiktoken-rs, in the same run on the same text.
//!
//! `cargo bench --bench tokens -- [FILE]…`; without files, a log and the sources of
//! this package. Prints MB/s (10^6 bytes) of the better of several rounds and the ratio.

use std::path::Path;
use std::time::{Duration, Instant};
use std::{env, fs, hint};

use trimtab::tokens;

fn main() {
    let files: Vec<String> = env::args()
        .skip(1)
        .filter(|a| !a.starts_with('-'))
        .collect();
    let mut texts: Vec<(String, String)> = files
        .iter()
        .filter_map(|file| {
            let text = String::from_utf8_lossy(&fs::read(file).ok()?).into_owned();
            Some((file.clone(), text))
        })
        .collect();
    if texts.is_empty() {
        texts.push(("log".into(), log()));
        texts.push(("rust".into(), sources(Path::new("src"))));
    }

    let start = Instant::now();
    let reference = tiktoken_rs::o200k_base().expect("the vocabulary is part of the crate");
    println!("tiktoken-rs loads in {:.0?}", start.elapsed());
    println!(
        "{:<24} {:>9} {:>9} {:>8} {:>9} {:>7}",
        "text", "bytes", "tokens", "MB/s", "tiktoken", "ratio"
    );
    for (name, text) in &texts {
        // Below the size at which threads help, so that one core is compared with one.
        let text = &text[..text.floor_char_boundary(1_000_000)];
        let (ours, tokens) = best(text, 9, tokens::count);
        let (theirs, expected) = best(text, 3, |text| reference.count_ordinary(text));
        assert_eq!(tokens, expected, "{name}");
        let rate = |time: Duration| text.len() as f64 / time.as_secs_f64() / 1e6;
        let name: String = name
            .chars()
            .rev()
            .take(24)
            .collect::<Vec<_>>()
            .into_iter()
            .rev()
            .collect();
        println!(
            "{name:<24} {:>9} {tokens:>9} {:>8.1} {:>9.1} {:>6.1}x",
            text.len(),
            rate(ours),
            rate(theirs),
            theirs.as_secs_f64() / ours.as_secs_f64()
        );
    }
}

fn best(text: &str, rounds: usize, count: impl Fn(&str) -> usize) -> (Duration, usize) {
    let mut best = Duration::MAX;
    let mut tokens = 0;
    for _ in 0..rounds {
        let start = Instant::now();
        tokens = hint::black_box(count(hint::black_box(text)));
        best = best.min(start.elapsed());
    }
    (best, tokens)
}

/// A log of a web service, made up from a fixed sequence of numbers.
fn log() -> String {
    let mut state = 1u64;
    let mut next = |n: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 33) % n
    };
    let mut log = String::new();
    while log.len() < 1_000_000 {
        let level = ["INFO", "INFO", "DEBUG", "WARN", "ERROR"][next(5) as usize];
        let path = ["/api/orders", "/api/users", "/health", "/static/app.js"][next(4) as usize];
        log += &format!(
            "2026-01-{:02}T{:02}:{:02}:{:02}.{:03}Z {level} [worker-{}] http.server: GET {path}/{} -> {} in {}ms request_id={:08x}-{:04x}\n",
            1 + next(28),
            next(24),
            next(60),
            next(60),
            next(1000),
            next(16),
            next(100_000),
            [200, 200, 304, 404, 500][next(5) as usize],
            next(900),
            next(1 << 32),
            next(1 << 16),
        );
    }
    log
}

fn sources(folder: &Path) -> String {
    let mut paths: Vec<_> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    paths.sort();
    paths
        .iter()
        .map(|path| {
            if path.is_dir() {
                sources(path)
            } else {
                fs::read_to_string(path).unwrap_or_default()
            }
        })
        .collect()
}
