//! The commands of the contract, run as a person or a script would run them.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

struct Place {
    dir: tempfile::TempDir,
}

const CODE: &str = "\
use std::fmt;

/// Adds two numbers.
pub fn add(a: i32, b: i32) -> i32 {
    a + b
}

/// Retries are capped here.
pub fn retry_limit(attempt: u32) -> bool {
    attempt < 5
}

impl fmt::Display for Wrapper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, \"{}\", self.0)
    }
}

pub struct Wrapper(pub i32);
";

impl Place {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("tree/src")).unwrap();
        let place = Self { dir };
        place.write("src/lib.rs", CODE);
        place.write("notes.txt", "nothing here\n");
        place
    }

    fn path(&self, rel: &str) -> std::path::PathBuf {
        self.dir.path().join("tree").join(rel)
    }

    fn write(&self, rel: &str, text: &str) {
        fs::write(self.path(rel), text).unwrap();
    }

    fn read(&self, rel: &str) -> String {
        fs::read_to_string(self.path(rel)).unwrap()
    }

    /// A snippet, outside the tree as the contract allows.
    fn snippet(&self, text: &str) -> String {
        let path = self.dir.path().join("snippet");
        fs::write(&path, text).unwrap();
        path.to_string_lossy().into_owned()
    }

    /// Runs with nothing but `HOME` and `PATH` in the environment.
    fn run(&self, args: &[&str], input: &str) -> (i32, String, String) {
        let mut child = Command::new(env!("CARGO_BIN_EXE_trimtab"))
            .args(args)
            .current_dir(self.dir.path().join("tree"))
            .env_clear()
            .env("HOME", self.dir.path().join("home"))
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A command that reads no input may have ended already.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let Output {
            status,
            stdout,
            stderr,
        } = child.wait_with_output().unwrap();
        (
            status.code().unwrap_or(-1),
            String::from_utf8(stdout).unwrap(),
            String::from_utf8(stderr).unwrap(),
        )
    }

    fn ok(&self, args: &[&str]) -> String {
        let (status, out, err) = self.run(args, "");
        assert_eq!(status, 0, "{args:?}: {err}");
        assert_eq!(err, "", "{args:?}");
        out
    }

    fn json(&self, args: &[&str]) -> serde_json::Value {
        let mut args = args.to_vec();
        args.push("--json");
        let (_, out, _) = self.run(&args, "");
        assert_eq!(out.lines().count(), 1, "{out}");
        serde_json::from_str(&out).unwrap()
    }
}

fn home_is_all_that_was_written(place: &Place) {
    let mut names: Vec<_> = fs::read_dir(place.path("."))
        .unwrap()
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["notes.txt", "src"]);
}

#[test]
fn search_prints_the_definition_that_matches() {
    let place = Place::new();
    let out = place.ok(&["search", "attempt <"]);
    assert!(out.contains("src/lib.rs:8-11 retry_limit"), "{out}");
    assert!(out.contains("    attempt < 5\n"), "{out}");
    assert!(!out.contains("a + b"), "{out}");
    let found = place.json(&["search", "attempt <"]);
    assert_eq!(found["excerpts"][0]["symbol"], "retry_limit");
    home_is_all_that_was_written(&place);
}

#[test]
fn nothing_found_is_status_1_and_a_bad_pattern_2() {
    let place = Place::new();
    assert_eq!(place.run(&["search", "no_such_thing_here"], "").0, 1);
    let (status, out, err) = place.run(&["search", "--mode", "regex", "a("], "");
    assert_eq!((status, out.as_str()), (2, ""));
    assert!(err.contains("next: "), "{err}");
    assert_eq!(place.run(&["search", "--root", "none", "x"], "").0, 2);
    assert_eq!(place.run(&["no-such-command"], "").0, 2);
}

#[test]
fn expand_is_verbatim() {
    let place = Place::new();
    assert_eq!(
        place.ok(&["expand", "src/lib.rs#add"]),
        "/// Adds two numbers.\npub fn add(a: i32, b: i32) -> i32 {\n    a + b\n}\n"
    );
    assert_eq!(
        place.ok(&["expand", "src/lib.rs:19"]),
        "pub struct Wrapper(pub i32);\n"
    );
    let (status, _, err) = place.run(&["expand", "../outside"], "");
    assert_eq!(status, 2);
    assert!(err.starts_with("outside_root: "), "{err}");
}

#[test]
fn compact_keeps_the_error_and_gives_the_rest_back() {
    let place = Place::new();
    let log: String = (0..400)
        .map(|i| {
            if i == 250 {
                "error[E0308]: mismatched types\n".to_string()
            } else {
                format!("   Compiling crate_{i} v0.{i}.0\n")
            }
        })
        .collect();
    let (status, out, err) = place.run(&["compact", "--budget", "120"], &log);
    assert_eq!((status, err.as_str()), (0, ""));
    assert!(trimtab::tokens::count(&out) <= 120);
    assert!(out.contains("error[E0308]: mismatched types\n"), "{out}");
    let (mut kept, mut omitted) = (0, 0);
    for line in out.lines() {
        if line.starts_with('⋯') {
            omitted += 1;
        } else {
            assert!(log.contains(&format!("{line}\n")), "{line}");
            kept += 1;
        }
    }
    assert!(kept > 0 && omitted > 0);
    let head = out.lines().next().unwrap();
    let handle = head
        .split(|c: char| !c.is_ascii_alphanumeric())
        .find(|w| place.run(&["expand", w], "").0 == 0)
        .unwrap_or_else(|| panic!("no handle that resolves in {head:?}"));
    let rest = place.ok(&["expand", handle]);
    assert_eq!(rest.lines().count() + kept, 400);
    assert_eq!(place.ok(&["expand", handle, "--lines", "1-400"]), log);
}

#[test]
fn compact_leaves_alone_what_fits() {
    let place = Place::new();
    let (_, out, _) = place.run(&["compact", "--budget", "100"], "one\r\ntwo");
    assert_eq!(out, "one\r\ntwo");
    let (status, out, err) = place.run(&["compact", "--budget", "1"], &"word ".repeat(500));
    assert_eq!((status, out.as_str()), (2, ""));
    assert!(err.contains("budget_too_small"), "{err}");
}

#[cfg(unix)]
#[test]
fn exec_passes_the_status_on() {
    let place = Place::new();
    let script =
        "for i in $(seq 2000); do echo step $i passed; done; echo 'error: boom' >&2; exit 9";
    let (status, out, _) = place.run(&["exec", "--budget", "200", "--", "sh", "-c", script], "");
    assert_eq!(status, 9);
    assert!(out.contains("error: boom\n"), "{out}");
    assert!(trimtab::tokens::count(&out) <= 200);
    assert_eq!(place.run(&["exec", "--", "no-such-command"], "").0, 2);
    let (status, ..) = place.run(&["exec", "--", "sh", "-c", "kill -TERM $$"], "");
    assert_eq!(status, 128 + 15);
    let (_, out, _) = place.run(&["exec", "--", "cat"], "from the caller\n");
    assert_eq!(out, "from the caller\n");
}

#[test]
fn the_hook_of_a_client_gets_an_answer_or_nothing() {
    let place = Place::new();
    let call = |stdout: &str| {
        serde_json::json!({
            "hook_event_name": "PostToolUse",
            "tool_name": "Bash",
            "tool_input": {"command": "make"},
            "tool_response": {"stdout": stdout, "stderr": "", "interrupted": false, "isImage": false},
        })
        .to_string()
    };
    let log = "compiling the module of everything\n".repeat(900) + "error: boom\n";
    let (status, out, _) = place.run(&["hook", "claude"], &call(&log));
    assert_eq!(status, 0);
    let answer: serde_json::Value = serde_json::from_str(&out).unwrap();
    let shown = &answer["hookSpecificOutput"]["updatedToolOutput"]["stdout"];
    assert!(shown.as_str().unwrap().contains("error: boom"), "{shown}");
    let nothing = (0, String::new());
    let (status, out, _) = place.run(&["hook", "claude"], &call("fine\n"));
    assert_eq!((status, out), nothing);
    // Status 2 would reach the model as a message of its own.
    assert_eq!(place.run(&["hook", "claude"], "no json").0, 1);
}

#[test]
fn compact_takes_several_files() {
    let place = Place::new();
    place.write(
        "big.log",
        &("step ok\n".repeat(400) + "error: boom at step 9\n"),
    );
    let out = place.ok(&["compact", "src/lib.rs", "big.log", "--budget", "120"]);
    for line in ["⋯ src/lib.rs\n", "⋯ big.log\n", "error: boom at step 9\n"] {
        assert!(out.contains(line), "{out}");
    }
    assert!(trimtab::tokens::count(&out) <= 120);
}

const SNIPPET: &str = "\
// ... existing code ...
pub fn retry_limit(attempt: u32) -> bool {
    attempt < 9
}
// ... existing code ...
";

#[test]
fn apply_writes_and_undo_takes_back() {
    let place = Place::new();
    let snippet = place.snippet(SNIPPET);
    let wanted = CODE.replace("attempt < 5", "attempt < 9");

    let shown = place.ok(&["apply", "src/lib.rs", "--edit", &snippet, "--stdout"]);
    assert_eq!(shown, wanted);
    let diff = place.ok(&["apply", "src/lib.rs", "--edit", &snippet, "--dry-run"]);
    assert!(
        diff.contains("-    attempt < 5\n+    attempt < 9\n"),
        "{diff}"
    );
    assert_eq!(place.read("src/lib.rs"), CODE);

    let reply = place.ok(&["apply", "src/lib.rs", "--edit", &snippet]);
    assert!(reply.starts_with("src/lib.rs: 1 hunk, +1 −1"), "{reply}");
    assert_eq!(place.read("src/lib.rs"), wanted);
    home_is_all_that_was_written(&place);

    let (_, again, _) = place.run(&["apply", "src/lib.rs", "--edit", "-"], SNIPPET);
    assert_eq!(place.read("src/lib.rs"), wanted, "{again}");
    place.ok(&["undo"]);
    assert_eq!(place.read("src/lib.rs"), CODE);
    assert_eq!(place.run(&["undo"], "").0, 1);
}

#[test]
fn a_refusal_is_status_3_and_writes_nothing() {
    let place = Place::new();
    let snippet =
        place.snippet("// ... existing code ...\n    let x = 1;\n// ... existing code ...\n");
    let (status, out, err) = place.run(&["apply", "src/lib.rs", "--edit", &snippet], "");
    assert_eq!((status, out.as_str()), (3, ""));
    assert!(err.contains("next: "), "{err}");
    assert_eq!(place.read("src/lib.rs"), CODE);
    let error = place.json(&["apply", "src/lib.rs", "--edit", &snippet]);
    assert!(error["error"]["code"].is_string());
}

#[test]
fn run_finds_the_code_for_a_task() {
    let place = Place::new();
    let out = place.ok(&["run", "where are retries capped?"]);
    assert!(out.contains("retry_limit"), "{out}");
    let found = place.json(&["run", "where are retries capped?", "--budget", "500"]);
    assert_eq!(found["results"][0]["path"], "src/lib.rs");
    assert_eq!(found["results"][0]["symbol"], "retry_limit");
    assert_eq!(found["stopped_by"], "done");
    assert!(found["tokens"].as_u64().unwrap() <= 500);
    assert!(found["steps"].as_u64().unwrap() >= 1);
    assert_eq!(place.run(&["run", "zzz qqq xxyyzz"], "").0, 1);
    home_is_all_that_was_written(&place);
}

#[test]
fn run_applies_edits_and_checks_them() {
    let place = Place::new();
    let snippet = place.snippet(SNIPPET);
    let edit = format!("src/lib.rs={snippet}");
    let (status, out, err) = place.run(&["run", "raise the retry limit", "--edit", &edit], "");
    assert_eq!(status, 0, "{out}{err}");
    assert!(place.read("src/lib.rs").contains("attempt < 9"));
}

#[test]
fn help_is_there_for_every_command() {
    let place = Place::new();
    let help = place.ok(&["--help"]);
    for command in [
        "search", "run", "compact", "exec", "expand", "apply", "undo", "mcp", "setup", "doctor",
        "bench",
    ] {
        assert!(
            help.contains(&format!("  {command} ")),
            "{command} is missing:\n{help}"
        );
        assert!(place.ok(&[command, "--help"]).contains("Usage: "));
    }
}

#[test]
fn a_closed_pipe_ends_quietly() {
    let place = Place::new();
    let mut child = Command::new(env!("CARGO_BIN_EXE_trimtab"))
        .args(["expand", "src/lib.rs"])
        .current_dir(Path::new(&place.path(".")))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}
