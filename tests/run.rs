//! `trimtab run` from the command line: caps, budgets, exit statuses, and the same
//! bytes each time.

use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use trimtab::tokens;

fn tree() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let src = dir.path().join("tree/src");
    fs::create_dir_all(&src).unwrap();
    let filler: String = (0..40)
        .map(|i| format!("/// Paints shape {i}.\npub fn paint_{i}(canvas: &mut Canvas) {{\n    canvas.fill({i});\n}}\n\n// --------\n\n"))
        .collect();
    fs::write(src.join("paint.rs"), filler).unwrap();
    fs::write(
        src.join("retry.rs"),
        "/// How often a request is tried again.\n\
         pub const RETRIES: u32 = 5;\n\n\
         /// Tries a request again until the cap on retries is reached.\n\
         pub fn with_retries(request: impl Fn() -> bool) -> bool {\n    \
             (0..RETRIES).any(|_| request())\n}\n",
    )
    .unwrap();
    fs::write(src.join("lib.rs"), "mod paint;\nmod retry;\n").unwrap();
    dir
}

fn run(dir: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_trimtab"))
        .args(arguments)
        .arg("--root")
        .arg(dir.join("tree"))
        .env("HOME", dir)
        .env_remove("XDG_STATE_HOME")
        .env_remove("XDG_CACHE_HOME")
        .env_remove("XDG_CONFIG_HOME")
        .output()
        .unwrap()
}

fn text(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn json(dir: &Path, arguments: &[&str]) -> Value {
    let mut all = arguments.to_vec();
    all.push("--json");
    serde_json::from_str(&text(&run(dir, &all))).unwrap()
}

const TASK: &str = "where are retries of a request capped?";

#[test]
fn a_task_leads_to_its_code() {
    let dir = tree();
    let out = run(dir.path(), &["run", TASK]);
    assert_eq!(out.status.code(), Some(0));
    let text = text(&out);
    let first = text.lines().next().unwrap();
    assert!(first.starts_with("src/retry.rs:"), "{text}");
    assert!(text.contains("(0..RETRIES).any(|_| request())"), "{text}");
    assert!(text.lines().last().unwrap().starts_with("done: "), "{text}");

    let value = json(dir.path(), &["run", TASK]);
    assert_eq!(value["stopped_by"], "done");
    assert_eq!(value["steps"], 2);
    assert_eq!(value["tokens"], tokens::count(&text));
    let best = &value["results"][0];
    assert_eq!(best["path"], "src/retry.rs");
    assert!(best["start"].as_u64() <= best["end"].as_u64());
    assert!(best["symbol"].is_string() && best["score"].is_number());
}

#[test]
fn the_task_may_come_from_a_file() {
    let dir = tree();
    let file = dir.path().join("task.txt");
    fs::write(&file, TASK).unwrap();
    let a = run(dir.path(), &["run", "--task-file", file.to_str().unwrap()]);
    let b = run(dir.path(), &["run", TASK]);
    assert_eq!(text(&a), text(&b));
}

#[test]
fn the_same_task_has_the_same_bytes() {
    let dir = tree();
    let first = run(dir.path(), &["run", TASK, "--fill", "--budget", "400"]);
    for _ in 0..10 {
        let again = run(dir.path(), &["run", TASK, "--fill", "--budget", "400"]);
        assert_eq!(text(&again), text(&first));
    }
}

#[test]
fn a_budget_is_never_exceeded() {
    let dir = tree();
    for budget in [60, 100, 150, 300, 700, 2000] {
        for fill in [true, false] {
            let budget_text = budget.to_string();
            let mut arguments = vec![
                "run",
                "paint a shape on the canvas",
                "--budget",
                &budget_text,
            ];
            arguments.extend(fill.then_some("--fill"));
            let out = run(dir.path(), &arguments);
            let text = text(&out);
            assert!(tokens::count(&text) <= budget, "{budget}: {text}");
            assert!(matches!(out.status.code(), Some(0 | 4)), "{budget}: {text}");
        }
    }
}

#[test]
fn what_is_named_can_be_expanded() {
    let dir = tree();
    let out = run(
        dir.path(),
        &[
            "run",
            "paint a shape on the canvas",
            "--fill",
            "--budget",
            "300",
        ],
    );
    let text = text(&out);
    let handle = text
        .split("expand ")
        .nth(1)
        .and_then(|t| t.split_whitespace().next());
    let list = run(
        dir.path(),
        &["expand", handle.unwrap_or_else(|| panic!("{text}"))],
    );
    let list = String::from_utf8(list.stdout).unwrap();
    let place = list.lines().last().unwrap().split(' ').next().unwrap();
    let lines = run(dir.path(), &["expand", place]);
    assert_eq!(lines.status.code(), Some(0), "{place}");
    assert!(!lines.stdout.is_empty());
}

#[test]
fn caps_stop_and_say_so() {
    let dir = tree();
    let one = ["run", TASK, "--max-steps", "1"];
    assert_eq!(run(dir.path(), &one).status.code(), Some(4));
    let value = json(dir.path(), &one);
    assert_eq!(
        (&value["stopped_by"], &value["steps"]),
        (&"steps".into(), &1.into())
    );
    assert_eq!(value["results"][0]["path"], "src/retry.rs");

    let late = ["run", TASK, "--timeout", "0s"];
    assert_eq!(run(dir.path(), &late).status.code(), Some(4));
    let value = json(dir.path(), &late);
    assert_eq!(
        (&value["stopped_by"], &value["steps"]),
        (&"time".into(), &0.into())
    );
}

#[test]
fn nothing_found_and_nonsense_are_told_apart() {
    let dir = tree();
    let nothing = run(dir.path(), &["run", "zzyzx qqxqq"]);
    assert_eq!(nothing.status.code(), Some(1));
    assert!(text(&nothing).contains("nothing found"));
    for bad in [
        vec!["run", " "],
        vec!["run", TASK, "--max-steps", "51"],
        vec!["run", TASK, "--max-steps", "0"],
        vec!["run", TASK, "--timeout", "soon"],
        vec!["run", TASK, "--budget", "3"],
        vec!["run", "--task-file", "/no/such/file"],
    ] {
        assert_eq!(run(dir.path(), &bad).status.code(), Some(2), "{bad:?}");
    }
}

#[test]
fn a_run_is_written_down_and_can_be_gone_on_with() {
    let dir = tree();
    let whole = run(dir.path(), &["run", TASK]);
    let capped = run(dir.path(), &["run", TASK, "--max-steps", "1"]);
    assert_ne!(text(&capped), text(&whole));
    // Nothing that is done is done again, so the result is that of the first time.
    fs::remove_dir_all(dir.path().join("tree/src")).unwrap();
    let again = run(dir.path(), &["run", "--resume", "r1"]);
    assert_eq!(text(&again), text(&whole));

    let list = text(&run(dir.path(), &["runs"]));
    let want = format!("r2  steps  1 steps  {TASK}\nr1  done  2 steps  {TASK}\n");
    assert_eq!(list, want);
    let show = json(dir.path(), &["runs", "show", "r1"]);
    assert_eq!(show[0]["name"], "search");
    let story = text(&run(dir.path(), &["runs", "show", "2"]));
    let lines: Vec<&str> = story.lines().collect();
    assert_eq!(lines[0], format!("r2  steps  1 steps  {TASK}"));
    assert!(lines[1].starts_with("1 search: done, "), "{story}");
    assert_eq!(lines[2..], ["next: trimtab run --resume r2"]);
    assert_eq!(show[1]["name"], "expand");
    assert_eq!(show[1]["attempts"], 1);
}

#[test]
fn a_capped_run_goes_on_under_a_higher_cap() {
    let dir = tree();
    let whole = run(dir.path(), &["run", TASK]);
    run(dir.path(), &["run", TASK, "--max-steps", "1"]);
    let again = run(dir.path(), &["run", "--resume", "r2", "--max-steps", "6"]);
    assert_eq!(text(&again), text(&whole));
    assert_eq!(again.status.code(), Some(0));
}

#[test]
fn a_fork_keeps_the_first_steps() {
    let dir = tree();
    let whole = run(dir.path(), &["run", TASK]);
    let fork = run(dir.path(), &["runs", "fork", "r1", "--at", "1"]);
    assert_eq!(text(&fork), text(&whole));
    let list = text(&run(dir.path(), &["runs"]));
    assert!(
        list.starts_with("r2  done  2 steps") && list.contains("(from r1 at 1)"),
        "{list}"
    );
    let none = run(dir.path(), &["runs", "fork", "r1", "--at", "3"]);
    assert_eq!(none.status.code(), Some(2));
}

#[test]
fn runs_that_are_not_there_are_named() {
    let dir = tree();
    assert_eq!(run(dir.path(), &["runs"]).status.code(), Some(1));
    for arguments in [
        vec!["run", "--resume", "r1"],
        vec!["runs", "show", "r9"],
        vec!["runs", "show", "nonsense"],
        vec!["runs", "approve", "r1"],
    ] {
        assert_eq!(
            run(dir.path(), &arguments).status.code(),
            Some(1),
            "{arguments:?}"
        );
    }
    run(dir.path(), &["run", TASK]);
    assert_eq!(
        run(dir.path(), &["runs", "approve", "r1"]).status.code(),
        Some(2)
    );
    assert_eq!(
        run(dir.path(), &["runs", "show", "r2"]).status.code(),
        Some(1)
    );
}

#[test]
fn steps_of_another_version_are_refused() {
    let dir = tree();
    run(dir.path(), &["run", TASK]);
    let state = dir.path().join(".local/state/trimtab");
    let journal = fs::read_dir(&state)
        .unwrap()
        .flatten()
        .map(|e| e.path().join("runs/journal.db"))
        .find(|p| p.exists())
        .unwrap();
    let db = rusqlite::Connection::open(journal).unwrap();
    db.execute("update run set version = 0", []).unwrap();
    let out = run(dir.path(), &["run", "--resume", "r1"]);
    assert_eq!(out.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&out.stderr).contains("other_version"));
    db.execute("update run set version = 1", []).unwrap();
    db.execute("update step set input = '{}'", []).unwrap();
    let out = run(dir.path(), &["run", "--resume", "r1"]);
    assert!(text(&out).contains("other_run"), "{}", text(&out));
    db.execute("pragma user_version = 99", []).unwrap();
    let out = run(dir.path(), &["runs"]);
    assert!(String::from_utf8_lossy(&out.stderr).contains("newer_journal"));
}
