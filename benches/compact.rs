//! Speed of compacting, counting included, on one core.
//!
//! `cargo bench --bench compact -- [FILE]…`; without files, made-up texts of
//! every kind of about 50,000 tokens. Prints tokens of the input per second and
//! the 95th percentile of the time of one run at 15% of the tokens; then the time
//! of 100 MB of a log read as a stream, stored and cut down to 2,000 tokens, and
//! the most memory that the process had before and after (Linux only).

use std::io::{self, Read};
use std::time::{Duration, Instant};
use std::{env, fs, hint};

use trimtab::compact::{Options, Size, compact, compact_reader};
use trimtab::tokens;
use trimtab::workspace::{Root, Store};

const RUNS: usize = 20;

fn main() {
    let files: Vec<String> = env::args()
        .skip(1)
        .filter(|a| !a.starts_with('-'))
        .collect();
    let texts: Vec<(String, String)> = if files.is_empty() {
        samples()
    } else {
        files
            .into_iter()
            .filter_map(|f| {
                Some((
                    f.clone(),
                    String::from_utf8_lossy(&fs::read(f).ok()?).into_owned(),
                ))
            })
            .collect()
    };
    println!(
        "{:<40} {:>9} {:>9} {:>10} {:>9} {:>9}",
        "text", "kind", "tokens", "tokens/s", "median", "p95"
    );
    let (mut all, mut time) = (0, Duration::ZERO);
    for (name, text) in &texts {
        let count = tokens::count(text);
        let options = Options {
            size: Size::Budget(count * 15 / 100),
            query: "failed request handler".into(),
            ..Options::default()
        };
        let mut kind = String::new();
        let mut times: Vec<Duration> = (0..RUNS)
            .map(|_| {
                let start = Instant::now();
                if let Ok(out) = hint::black_box(compact(hint::black_box(text), &options)) {
                    kind = out.kind.to_string();
                }
                start.elapsed()
            })
            .collect();
        times.sort();
        let median = times[RUNS / 2];
        all += count;
        time += median;
        println!(
            "{:<40} {kind:>9} {count:>9} {:>10.0} {:>9.1?} {:>9.1?}",
            name.chars()
                .rev()
                .take(40)
                .collect::<Vec<_>>()
                .into_iter()
                .rev()
                .collect::<String>(),
            count as f64 / median.as_secs_f64(),
            median,
            times[RUNS * 95 / 100 - 1]
        );
    }
    println!(
        "{:<40} {:>9} {all:>9} {:>10.0}",
        "all",
        "",
        all as f64 / time.as_secs_f64()
    );
    stream(100_000_000);
}

/// Compacts a log of so many bytes that is made as it is read.
fn stream(bytes: usize) {
    let home = tempfile::tempdir().expect("a folder");
    let root = Root::open(home.path())
        .expect("a root")
        .with_home(home.path());
    let store = Store::for_root(&root).expect("a store");
    let options = Options {
        size: Size::Budget(2_000),
        query: "lost connection".into(),
        ..Options::default()
    };
    let before = peak();
    let start = Instant::now();
    let log = Log {
        left: bytes,
        line: 0,
        rest: Vec::new(),
    };
    let out = compact_reader(log, &options, &store, "log").expect("it holds");
    let time = start.elapsed();
    assert!(out.text.contains("ERROR lost connection"), "{}", out.text);
    println!(
        "stream of {} MB to {} tokens: {time:.2?}, {:.0} MB/s, peak memory {before} before, {} after",
        bytes / 1_000_000,
        out.tokens,
        bytes as f64 / time.as_secs_f64() / 1e6,
        peak()
    );
}

/// The most memory that this process ever had resident, as the system tells it.
fn peak() -> String {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"));
    line.map_or("unknown".into(), |l| l.trim().to_string())
}

/// A service's log, line by line.
struct Log {
    left: usize,
    line: usize,
    rest: Vec<u8>,
}

impl Read for Log {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.rest.is_empty() && self.left > 0 {
            while self.rest.len() < 64 * 1024 {
                let i = self.line;
                self.line += 1;
                let message = match i {
                    777_777 => "ERROR lost connection to shard 3".to_string(),
                    _ if i.is_multiple_of(97) => {
                        format!("WARN slow query took {} ms", i * 31 % 4000)
                    }
                    _ => format!("INFO handled request {i} in {} ms", i * 31 % 400),
                };
                let (minute, second) = (i / 6000 % 60, i / 100 % 60);
                let line = format!(
                    "2026-05-01T10:{minute:02}:{second:02}Z worker-{} {message}\n",
                    i % 8
                );
                self.rest.extend_from_slice(line.as_bytes());
            }
            self.rest.truncate(self.left);
            self.left -= self.rest.len();
        }
        let n = self.rest.len().min(buffer.len());
        buffer[..n].copy_from_slice(&self.rest[..n]);
        self.rest.drain(..n);
        Ok(n)
    }
}

fn samples() -> Vec<(String, String)> {
    let repeat = |f: &dyn Fn(usize) -> String, n: usize| (0..n).map(f).collect::<String>();
    vec![
        (
            "test log".into(),
            repeat(
                &|i| match i % 400 {
                    399 => format!("test handlers::request_{i} ... FAILED\n"),
                    _ => format!("test module_{}::case_{i} ... ok\n", i % 17),
                },
                4500,
            ),
        ),
        (
            "service log".into(),
            repeat(
                &|i| {
                    let level = if i % 97 == 0 { "ERROR" } else { "INFO" };
                    format!(
                        "2024-05-01T10:{:02}:{:02}.{:03}Z {level} worker-{} handled request {i} in {} ms\n",
                        i / 60 % 60,
                        i % 60,
                        i * 7 % 1000,
                        i % 8,
                        i * 31 % 400
                    )
                },
                1500,
            ),
        ),
        (
            "search".into(),
            repeat(
                &|i| {
                    format!(
                        "src/module_{}/file_{}.rs:{}:    let value = handler.request_{}(input, {i})?;\n",
                        i % 12,
                        i % 60,
                        i * 3,
                        i % 40
                    )
                },
                2000,
            ),
        ),
        (
            "json".into(),
            format!(
                "[{}]",
                (0..1700)
                    .map(|i| format!(
                        "{{\"id\":{i},\"name\":\"request {i}\",\"status\":\"{}\",\"ms\":{}}}",
                        if i % 211 == 0 { "failed" } else { "ok" },
                        i * 13 % 90
                    ))
                    .collect::<Vec<_>>()
                    .join(",")
            ),
        ),
        (
            "source".into(),
            repeat(
                &|i| {
                    format!(
                        "/// Handles request {i}.\npub fn handler_{i}(input: &str, limit: usize) -> Option<usize> {{\n    let parsed = input.trim().parse::<usize>().ok()?;\n    if parsed > limit {{\n        return None;\n    }}\n    Some(parsed * {i})\n}}\n\n"
                    )
                },
                700,
            ),
        ),
    ]
}
