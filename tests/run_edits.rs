//! Runs that write: checks, gates, trust, and processes that are killed.

use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;
use trimtab::tokens;

const BEFORE: &str = "fn limit() -> u32 {\n    5\n}\n\nfn other() -> u32 {\n    1\n}\n";
const AFTER: &str = "fn limit() -> u32 {\n    7\n}\n\nfn other() -> u32 {\n    1\n}\n";
const SECOND: &str = "pub fn start() {}\n\npub fn stop() {}\n";
const SECOND_AFTER: &str = "pub fn start() {\n    begin();\n}\n\npub fn stop() {}\n";

struct Place {
    dir: tempfile::TempDir,
}

fn place() -> Place {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir_all(dir.path().join("tree/src")).unwrap();
    fs::create_dir_all(dir.path().join(".config/trimtab")).unwrap();
    fs::write(dir.path().join("tree/src/a.rs"), BEFORE).unwrap();
    fs::write(dir.path().join("tree/src/b.rs"), SECOND).unwrap();
    fs::write(
        dir.path().join("a.snippet"),
        "fn limit() -> u32 {\n    7\n}\n",
    )
    .unwrap();
    fs::write(
        dir.path().join("b.snippet"),
        "pub fn start() {\n    begin();\n}\n",
    )
    .unwrap();
    fs::write(
        dir.path().join("bad.snippet"),
        "fn nowhere() {\n    // ... existing code ...\n    zap();\n",
    )
    .unwrap();
    Place { dir }
}

impl Place {
    fn path(&self) -> &Path {
        self.dir.path()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_trimtab"));
        command
            .args(arguments)
            .arg("--root")
            .arg(self.path().join("tree"))
            .env("HOME", self.path())
            .env_remove("XDG_STATE_HOME")
            .env_remove("XDG_CACHE_HOME")
            .env_remove("XDG_CONFIG_HOME")
            .current_dir(self.path());
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let mut all = arguments.to_vec();
        all.push("--json");
        let out = self.run(&all);
        serde_json::from_slice(&out.stdout).unwrap_or_else(|e| panic!("{e}: {}", text(&out)))
    }

    fn file(&self, name: &str) -> String {
        fs::read_to_string(self.path().join("tree/src").join(name)).unwrap()
    }

    fn configure(&self, own: bool, text: &str) {
        let path = if own {
            "tree/trimtab.toml"
        } else {
            ".config/trimtab/trimtab.toml"
        };
        fs::write(self.path().join(path), text).unwrap();
    }
}

fn text(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

const TASK: &str = "raise the limit";
const EDIT: [&str; 4] = ["run", TASK, "--edit", "src/a.rs=a.snippet"];
const TWO: [&str; 6] = [
    "run",
    TASK,
    "--edit",
    "src/a.rs=a.snippet",
    "--edit",
    "src/b.rs=b.snippet",
];

#[test]
fn edits_are_written_checked_and_can_be_undone() {
    let p = place();
    let out = p.run(&TWO);
    assert_eq!(out.status.code(), Some(0), "{}", text(&out));
    assert_eq!(
        (p.file("a.rs").as_str(), p.file("b.rs").as_str()),
        (AFTER, SECOND_AFTER)
    );
    let shown = text(&out);
    assert!(
        shown.starts_with("src/a.rs: 1 hunk, +1 −1, syntax ok\nsrc/b.rs: "),
        "{shown}"
    );
    assert!(shown.contains("\nundo u1\n"), "{shown}");
    // What is shown is the code as it is now.
    assert!(
        shown.contains("    7\n") && !shown.contains("    5\n"),
        "{shown}"
    );
    assert!(shown.ends_with(", 5 steps\n"), "{shown}");
    assert!(p.run(&["undo"]).status.success());
    assert_eq!(p.file("a.rs"), BEFORE);
}

#[test]
fn one_refused_edit_holds_back_all_and_still_shows_the_code() {
    let p = place();
    let out = p.run(&[
        "run",
        TASK,
        "--edit",
        "src/a.rs=a.snippet",
        "--edit",
        "src/b.rs=bad.snippet",
    ]);
    assert_eq!(out.status.code(), Some(3), "{}", text(&out));
    assert_eq!(
        (p.file("a.rs").as_str(), p.file("b.rs").as_str()),
        (BEFORE, SECOND)
    );
    assert!(text(&out).contains("fn limit() -> u32"), "{}", text(&out));
    let value = p.json(&["runs", "show", "r1"]);
    assert_eq!(value[0]["name"], "merge");
    assert_eq!(value[0]["status"], "failed");
    assert_eq!(value[1]["name"], "search");
}

#[test]
fn a_dry_run_shows_the_diff_and_writes_nothing() {
    let p = place();
    let mut arguments = EDIT.to_vec();
    arguments.push("--dry-run");
    let out = p.run(&arguments);
    assert_eq!(out.status.code(), Some(0));
    assert!(text(&out).contains("-    5\n+    7\n"), "{}", text(&out));
    assert_eq!(p.file("a.rs"), BEFORE);
    let value = p.json(&arguments);
    assert!(
        value["written"]["diff"]
            .as_str()
            .unwrap()
            .contains("+    7")
    );
}

#[test]
fn a_cap_between_the_steps_is_told() {
    let p = place();
    for (cap, after, told) in [
        ("1", BEFORE, "merged, not written"),
        ("2", AFTER, "written, but not checked"),
    ] {
        let out = p.run(&["run", "--edit", "src/a.rs=a.snippet", "--max-steps", cap]);
        assert_eq!(out.status.code(), Some(4), "{}", text(&out));
        assert_eq!(p.file("a.rs"), after);
        assert!(text(&out).contains(told), "{}", text(&out));
    }
    let out = p.run(&["run", "--resume", "r1", "--max-steps", "6"]);
    // The file has changed since: what was merged then is not what would be written.
    assert!(text(&out).contains("stale_file"), "{}", text(&out));
    let out = p.run(&["run", "--resume", "r2", "--max-steps", "6"]);
    assert_eq!(
        text(&out),
        "src/a.rs: 1 hunk, +1 −1, syntax ok, undo u1\n\ndone: 3 steps\n"
    );
}

#[test]
fn a_small_budget_holds_what_was_written() {
    let p = place();
    let mut arguments = TWO.to_vec();
    arguments.extend(["--budget", "60"]);
    let out = p.run(&arguments);
    assert!(tokens::count(&text(&out)) <= 60, "{}", text(&out));
    assert!(text(&out).starts_with("src/a.rs: "), "{}", text(&out));
}

fn asked(p: &Place) -> String {
    let mut arguments = EDIT.to_vec();
    arguments.extend(["--approve", "ask"]);
    let out = p.run(&arguments);
    assert_eq!(out.status.code(), Some(4), "{}", text(&out));
    assert_eq!(p.file("a.rs"), BEFORE);
    text(&out)
}

#[test]
fn a_write_waits_for_approval() {
    let p = place();
    let shown = asked(&p);
    assert!(shown.contains("-    5\n+    7\n"), "{shown}");
    assert!(shown.contains("`trimtab runs approve r1`"), "{shown}");
    assert!(shown.contains("stopped by gate"), "{shown}");
    assert!(text(&p.run(&["runs"])).starts_with("r1  waiting"));
    // To go on without approval waits again.
    assert_eq!(p.run(&["run", "--resume", "r1"]).status.code(), Some(4));
    assert_eq!(p.file("a.rs"), BEFORE);

    let out = p.run(&["runs", "approve", "r1"]);
    assert_eq!(out.status.code(), Some(0), "{}", text(&out));
    assert_eq!(p.file("a.rs"), AFTER);
    let plain = place();
    assert_eq!(
        text(&out).replace("6 steps", "5 steps"),
        text(&plain.run(&EDIT))
    );
    // Approving twice writes once.
    assert_eq!(text(&p.run(&["runs", "approve", "r1"])), text(&out));
    assert_eq!(p.run(&["runs", "deny", "r1"]).status.code(), Some(2));
}

#[test]
fn a_write_may_be_denied_expire_or_be_overtaken() {
    let p = place();
    asked(&p);
    assert!(p.run(&["runs", "deny", "r1"]).status.success());
    assert!(text(&p.run(&["runs"])).starts_with("r1  denied"));
    let out = p.run(&["run", "--resume", "r1"]);
    assert_eq!(out.status.code(), Some(3), "{}", text(&out));
    assert_eq!(p.run(&["runs", "approve", "r1"]).status.code(), Some(2));

    let mut arguments = EDIT.to_vec();
    arguments.extend(["--approve", "ask", "--approve-within", "0s"]);
    p.run(&arguments);
    let out = p.run(&["runs", "approve", "r2"]);
    assert_eq!(out.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&out.stderr).contains("gate_expired"));

    asked(&p);
    let changed = BEFORE.replace("    5", "    6");
    fs::write(p.path().join("tree/src/a.rs"), &changed).unwrap();
    let out = p.run(&["runs", "approve", "r3"]);
    assert_eq!(out.status.code(), Some(3), "{}", text(&out));
    assert!(text(&out).contains("stale_file"), "{}", text(&out));
    assert_eq!(p.file("a.rs"), changed);
}

#[cfg(unix)]
#[test]
fn configured_checks_are_run_and_a_failed_one_takes_the_edit_back() {
    let p = place();
    let check = |on_failure: &str, script: &str| {
        format!(
            "[[check]]\nname = \"grep\"\ncommand = [\"sh\", \"-c\", {script:?}]\npaths = [\"*.rs\"]\non_failure = {on_failure:?}\n"
        )
    };
    p.configure(false, &check("rollback", "grep -q 7 src/a.rs"));
    let out = p.run(&EDIT);
    assert!(text(&out).contains("check `grep`: ok\n"), "{}", text(&out));
    p.run(&["undo"]);

    p.configure(
        false,
        &check("rollback", "echo error: seven is too many; exit 3"),
    );
    let out = p.run(&EDIT);
    assert_eq!(out.status.code(), Some(3), "{}", text(&out));
    assert_eq!(p.file("a.rs"), BEFORE);
    let shown = text(&out);
    assert!(
        shown.contains("check `grep`: exit status 3\nerror: seven is too many\n"),
        "{shown}"
    );
    assert!(shown.contains("the edit was taken back"), "{shown}");

    p.configure(false, &check("keep", "exit 3"));
    let out = p.run(&EDIT);
    assert_eq!(out.status.code(), Some(2), "{}", text(&out));
    assert_eq!(p.file("a.rs"), AFTER);
    assert!(text(&out).contains("the edit was kept"), "{}", text(&out));

    p.run(&["undo"]);
    p.configure(
        false,
        "[[check]]\ncommand = [\"sleep\", \"60\"]\ntimeout = \"200ms\"\n",
    );
    let out = p.run(&EDIT);
    assert!(
        text(&out).contains("check `sleep 60`: its time was over"),
        "{}",
        text(&out)
    );

    p.run(&["undo"]);
    p.configure(false, "[[check]]\ncommand = []\n");
    let out = p.run(&EDIT);
    assert!(text(&out).contains("bad_config"), "{}", text(&out));
    assert_eq!(p.file("a.rs"), BEFORE);
}

#[cfg(unix)]
#[test]
fn a_check_for_which_the_run_has_no_time_is_a_cap_and_not_a_failure() {
    let p = place();
    // It only waits the first time.
    let script = "test -e ../begun || { touch ../begun; sleep 60; }";
    p.configure(
        false,
        &format!("[[check]]\nname = \"slow\"\ncommand = [\"sh\", \"-c\", {script:?}]\non_failure = \"rollback\"\n"),
    );
    let mut slow = EDIT.to_vec();
    slow.extend(["--timeout", "10s"]);
    let out = p.run(&slow);
    let shown = text(&out);
    assert!(p.path().join("begun").exists(), "{shown}");
    assert_eq!(out.status.code(), Some(4), "{shown}");
    assert!(shown.contains("written, but not checked"), "{shown}");
    assert!(shown.contains("stopped by time"), "{shown}");
    assert_eq!(p.file("a.rs"), AFTER);
    let out = p.run(&["run", "--resume", "r1"]);
    assert_eq!(out.status.code(), Some(0), "{}", text(&out));
    assert!(text(&out).contains("check `slow`: ok"), "{}", text(&out));
}

#[cfg(unix)]
#[test]
fn a_repository_may_run_nothing_until_it_is_trusted() {
    let p = place();
    p.configure(
        true,
        "[[check]]\ncommand = [\"sh\", \"-c\", \"touch ran\"]\n",
    );
    let ran: PathBuf = p.path().join("tree/ran");
    let out = p.run(&EDIT);
    assert_eq!(out.status.code(), Some(0));
    assert!(
        text(&out).contains("1 check left out, the file is not trusted"),
        "{}",
        text(&out)
    );
    assert!(!ran.exists());
    p.run(&["undo"]);

    assert!(text(&p.run(&["trust"])).contains("sh -c touch ran"));
    p.run(&EDIT);
    assert!(ran.exists());
    p.run(&["undo"]);
    fs::remove_file(&ran).unwrap();
    p.run(&["trust", "--revoke"]);
    p.run(&EDIT);
    assert!(!ran.exists());
}

/// What an undisturbed run prints, and what is in the tree after it.
fn undisturbed() -> (String, usize) {
    let p = place();
    let out = p.run(&TWO);
    assert_eq!(out.status.code(), Some(0), "{}", text(&out));
    // One more than the points that a whole run passes.
    let mut points = 1;
    while place().crash(&TWO, points) {
        points += 1;
    }
    (text(&out), points)
}

impl Place {
    /// Runs until it dies at a point; whether it did.
    fn crash(&self, arguments: &[&str], at: usize) -> bool {
        let status = self
            .command(arguments)
            .env("TRIMTAB_CRASH_AT", at.to_string())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .unwrap();
        !matches!(status.code(), Some(0..=4))
    }

    /// Goes on with the run that was killed, or starts it where it had not begun.
    fn finish(&self) -> Output {
        let runs = self.json(&["runs"]);
        if runs.as_array().is_some_and(Vec::is_empty) {
            return self.run(&TWO);
        }
        self.run(&["run", "--resume", "r1"])
    }

    fn assert_whole(&self, expected: &str, what: &str) {
        let out = self.finish();
        assert_eq!(
            text(&out),
            expected,
            "{what}: {}",
            String::from_utf8_lossy(&out.stderr)
        );
        assert_eq!(self.file("a.rs"), AFTER, "{what}");
        assert_eq!(self.file("b.rs"), SECOND_AFTER, "{what}");
        let undos = self.json(&["undo", "--list"]);
        assert_eq!(
            undos.as_array().map(Vec::len),
            Some(1),
            "{what}: written twice"
        );
        let steps = self.json(&["runs", "show", "r1"]);
        let names: Vec<&str> = steps
            .as_array()
            .unwrap()
            .iter()
            .map(|s| {
                assert_eq!(
                    (&s["status"], &s["attempts"]),
                    (&"done".into(), &1.into()),
                    "{what}"
                );
                s["name"].as_str().unwrap()
            })
            .collect();
        assert_eq!(
            names,
            ["merge", "write", "check", "search", "expand"],
            "{what}"
        );
        let names: Vec<_> = fs::read_dir(self.path().join("tree/src"))
            .unwrap()
            .flatten()
            .collect();
        assert_eq!(names.len(), 2, "{what}: something was left behind");
    }
}

/// A check that leaves a mark each time it is run.
const MARKING: &str =
    "[[check]]\nname = \"mark\"\ncommand = [\"sh\", \"-c\", \"echo x >> ../effects\"]\n";

impl Place {
    /// Whether the check is written down as done, and how often it was run.
    fn checked(&self) -> (bool, usize) {
        let out = self.run(&["runs", "show", "r1", "--json"]);
        let steps: Value = serde_json::from_slice(&out.stdout).unwrap_or_default();
        let mut steps = steps.as_array().into_iter().flatten();
        let marks = fs::read_to_string(self.path().join("effects")).unwrap_or_default();
        (steps.any(|s| s["name"] == "check"), marks.lines().count())
    }
}

/// Debug builds have points at which they can be told to die.
#[cfg(debug_assertions)]
#[test]
fn killed_at_every_point_a_run_ends_as_if_undisturbed() {
    let (expected, points) = undisturbed();
    assert!(points > 15, "only {points} points");
    for at in 1..points {
        let p = place();
        assert!(p.crash(&TWO, at), "point {at} was not reached");
        p.assert_whole(&expected, &format!("point {at}"));
        // And killed again while it goes on.
        let p = place();
        p.crash(&TWO, at);
        p.crash(&["run", "--resume", "r1"], 1 + at % 7);
        p.assert_whole(&expected, &format!("point {at}, then again"));
    }
}

#[cfg(debug_assertions)]
#[test]
fn the_doctor_names_what_was_left_unfinished() {
    let p = place();
    assert!(p.crash(&EDIT, 4));
    assert!(text(&p.run(&["runs"])).starts_with("r1  killed"));
    asked(&p);
    let shown = text(&p.run(&["doctor"]));
    assert!(
        shown.contains("cut short: r1; waiting for approval: r2"),
        "{shown}"
    );
    p.run(&["run", "--resume", "r1"]);
    p.run(&["runs", "deny", "r2"]);
    let shown = text(&p.run(&["doctor"]));
    assert!(!shown.contains("r1") && !shown.contains("r2"), "{shown}");
}

/// The check runs a shell.
#[cfg(all(debug_assertions, unix))]
#[test]
fn killed_around_a_rollback_a_run_ends_as_if_undisturbed() {
    let refusing = || {
        let p = place();
        p.configure(
            false,
            "[[check]]\nname = \"no\"\ncommand = [\"sh\", \"-c\", \"echo error: no; exit 3\"]\non_failure = \"rollback\"\n",
        );
        p
    };
    let out = refusing().run(&TWO);
    assert_eq!(out.status.code(), Some(3), "{}", text(&out));
    let mut points = 0;
    loop {
        let p = refusing();
        if !p.crash(&TWO, points + 1) {
            break;
        }
        points += 1;
        let again = p.finish();
        let stderr = String::from_utf8_lossy(&again.stderr);
        assert_eq!(text(&again), text(&out), "point {points}: {stderr}");
        assert_eq!(again.status.code(), Some(3), "point {points}");
        assert_eq!(p.file("a.rs"), BEFORE, "point {points}");
        assert_eq!(p.file("b.rs"), SECOND, "point {points}");
        let undos = p.json(&["undo", "--list"]);
        assert_eq!(undos.as_array().map(Vec::len), Some(2), "point {points}");
    }
    assert!(points > 15, "only {points} points");
}

#[test]
fn killed_at_random_moments_a_run_ends_as_if_undisturbed() {
    let kills = std::env::var("TRIMTAB_KILLS")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(20);
    let place = || {
        let p = place();
        if cfg!(unix) {
            p.configure(false, MARKING);
        }
        p
    };
    let p = place();
    let begun = std::time::Instant::now();
    let expected = text(&p.run(&TWO));
    let whole = begun.elapsed();
    let mut seed = 0x9E37_79B9_7F4A_7C15_u64;
    let mut cut_short = 0;
    for kill in 0..kills {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        let p = place();
        let mut process = p
            .command(&TWO)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_nanos(
            seed % (whole.as_nanos() as u64).max(1),
        ));
        process.kill().unwrap();
        cut_short += usize::from(!process.wait().unwrap().success());
        let (done, times) = p.checked();
        p.assert_whole(&expected, &format!("kill {kill}"));
        let after = p.checked();
        if done {
            assert_eq!(
                after.1, times,
                "kill {kill}: a check that was done ran again"
            );
        }
    }
    println!("{cut_short} of {kills} kills cut a run short");
}

#[test]
fn one_run_at_a_time_writes() {
    let p = place();
    p.run(&["run", TASK]);
    let state = fs::read_dir(p.path().join(".local/state/trimtab")).unwrap();
    let lock = state
        .flatten()
        .map(|e| e.path().join("runs/writer.lock"))
        .next()
        .unwrap();
    let held = fs::File::create(lock).unwrap();
    held.lock().unwrap();
    let mut arguments = EDIT.to_vec();
    arguments.push("--no-wait");
    let out = p.run(&arguments);
    assert_eq!(out.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&out.stderr).contains("writer_busy"));
    assert_eq!(p.file("a.rs"), BEFORE);
    let mut waiting = p.command(&EDIT).stdout(Stdio::null()).spawn().unwrap();
    std::thread::sleep(Duration::from_millis(100));
    assert_eq!(p.file("a.rs"), BEFORE);
    drop(held);
    assert!(waiting.wait().unwrap().success());
    assert_eq!(p.file("a.rs"), AFTER);
}
