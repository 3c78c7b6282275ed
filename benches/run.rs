//! What the orchestrator costs: `cargo bench --bench run`.
//!
//! Runs a workflow of many small steps and prints, for each step, the wall-clock
//! time beyond the work itself, without and with durable commits, next to what such
//! a commit costs alone on this disk. Environment: `RUNS` (20 by default).

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};
use trimtab::run::{WorkflowRequest, run_workflow, steps_of};
use trimtab::workspace::{Cancel, Root};

/// Steps of the workflow.
const STEPS: u32 = 40;

fn main() {
    let runs = std::env::var("RUNS")
        .ok()
        .and_then(|r| r.parse().ok())
        .unwrap_or(20);
    let dir = tempfile::tempdir().expect("a temporary folder");
    let commit = commit_alone(dir.path());
    println!("a durable commit alone     {:>8.1} us", micros(commit));
    for (name, durable) in [("plain", false), ("durable", true)] {
        let home = dir.path().join(name);
        let tree = home.join("tree");
        fs::create_dir_all(tree.join(".trimtab/workflows")).expect("a tree");
        fs::write(tree.join("a.txt"), "one\ntwo\n").expect("a file");
        fs::write(tree.join(".trimtab/workflows/many.toml"), workflow(durable)).expect("a file");
        let root = Root::open(&tree).expect("a root").with_home(&home);
        let mut each: Vec<Duration> = (0..runs).map(|_| beyond(&root)).collect();
        each.sort_unstable();
        let middle = each[each.len() / 2];
        println!(
            "{name:<8} a step, beyond its work {:>8.1} us{}",
            micros(middle),
            if durable {
                format!(
                    ", beyond the commit too {:>8.1} us",
                    micros(middle.saturating_sub(commit))
                )
            } else {
                String::new()
            }
        );
    }
}

/// A chain, so that no step is taken beside another.
fn workflow(durable: bool) -> String {
    let mut text = String::new();
    for n in 1..=STEPS {
        let needs = if n == 1 {
            String::new()
        } else {
            format!("needs = [\"s{}\"]\n", n - 1)
        };
        text.push_str(&format!(
            "[[step]]\nid = \"s{n}\"\nkind = \"expand\"\ntarget = \"a.txt\"\n{needs}\n"
        ));
    }
    if durable {
        // That it might write makes every step's commit durable; it is never taken.
        text.push_str("[[step]]\nid = \"w\"\nkind = \"apply\"\nwhen = \"{{ steps.s1.count }} > 9\"\npath = \"a.txt\"\nedit = \"x\"\n");
    }
    text
}

/// Time of a run beyond the work of its steps, for each step.
fn beyond(root: &Root) -> Duration {
    let request = WorkflowRequest {
        name: "many".into(),
        wait: true,
        ..WorkflowRequest::default()
    };
    let begun = Instant::now();
    let outcome = run_workflow(root, &request, &Cancel::new(), &mut |_| {}).expect("a run");
    let whole = begun.elapsed();
    assert_eq!(outcome.steps, STEPS as usize);
    let runs = trimtab::run::runs(root).expect("a journal");
    let steps = steps_of(root, &runs[0].id).expect("its steps");
    let work: u64 = steps.iter().map(|s| s.micros).sum();
    whole.saturating_sub(Duration::from_micros(work)) / STEPS
}

/// The middle time of one small durable commit to a database of its own.
fn commit_alone(dir: &Path) -> Duration {
    let db = rusqlite::Connection::open(dir.join("alone.db")).expect("a database");
    db.pragma_update(None, "journal_mode", "wal").expect("wal");
    db.pragma_update(None, "synchronous", "full").expect("full");
    db.execute_batch("create table t (n integer, text text)")
        .expect("a table");
    let text = "x".repeat(400);
    let mut times: Vec<Duration> = (0..200)
        .map(|n| {
            let begun = Instant::now();
            db.execute("insert into t values (?, ?)", rusqlite::params![n, text])
                .expect("a row");
            begun.elapsed()
        })
        .collect();
    times.sort_unstable();
    times[times.len() / 2]
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}
