//! Workflow files: the six patterns, what is refused before anything runs, what
//! becomes of failures, gates, trust, and processes that are killed.

use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;
use trimtab::tokens;

const LIMIT: &str = "src/limit.rs";

struct Place {
    dir: tempfile::TempDir,
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/workflows")
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// A tree with all workflows of the fixtures.
fn place() -> Place {
    let dir = tempfile::tempdir().unwrap();
    let tree = dir.path().join("tree");
    copy(&fixtures().join("tree"), &tree);
    let folder = tree.join(".trimtab/workflows");
    fs::create_dir_all(&folder).unwrap();
    fs::create_dir_all(dir.path().join(".config/trimtab/workflows")).unwrap();
    for entry in fs::read_dir(fixtures()).unwrap().flatten() {
        if entry.path().extension().is_some_and(|e| e == "toml") {
            fs::copy(entry.path(), folder.join(entry.file_name())).unwrap();
        }
    }
    Place { dir }
}

impl Place {
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_trimtab"));
        command
            .args(arguments)
            .arg("--root")
            .arg(self.dir.path().join("tree"))
            .env("HOME", self.dir.path())
            .env_remove("XDG_STATE_HOME")
            .env_remove("XDG_CACHE_HOME")
            .env_remove("XDG_CONFIG_HOME");
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
        fs::read_to_string(self.dir.path().join("tree").join(name)).unwrap()
    }

    /// A workflow of the tree's own.
    fn workflow(&self, text: &str) {
        let path = self.dir.path().join("tree/.trimtab/workflows/own.toml");
        fs::write(path, text).unwrap();
    }

    /// One of the user's own, which is believed.
    fn users(&self, text: &str) {
        let path = self.dir.path().join(".config/trimtab/workflows/mine.toml");
        fs::write(path, text).unwrap();
    }
}

fn text(output: &Output) -> String {
    let all = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
    String::from_utf8(all).unwrap()
}

const OWN: [&str; 3] = ["run", "--workflow", "own"];
const MINE: [&str; 3] = ["run", "--workflow", "mine"];

/// Holds a reply against the file with the expected one; `TRIMTAB_BLESS=1` writes it.
fn expect(name: &str, reply: &str) {
    let path = fixtures().join(format!("{name}.expected"));
    if std::env::var_os("TRIMTAB_BLESS").is_some() {
        fs::write(&path, reply).unwrap();
    }
    assert_eq!(reply, fs::read_to_string(&path).unwrap(), "{name}");
}

#[test]
fn six_patterns_do_what_their_files_say() {
    for (name, arguments) in [
        ("chain", vec!["--set", "name=Queue"]),
        ("fan-out", vec![]),
        ("map-reduce", vec![]),
        ("router", vec!["why does the build fail?"]),
        ("router", vec!["where is the limit of requests?"]),
        ("orchestrator", vec![]),
        ("loop", vec![]),
    ] {
        let p = place();
        let mut all = vec!["run", "--workflow", name];
        all.extend(&arguments);
        let out = p.run(&all);
        assert_eq!(out.status.code(), Some(0), "{name}: {}", text(&out));
        let label = match arguments.last() {
            Some(last) if last.ends_with('?') => format!("{name}-{}", last.len()),
            _ => name.to_string(),
        };
        expect(&label, &text(&out));
        assert_eq!(
            text(&p.run(&all)),
            text(&out),
            "{name} differs the second time"
        );
        assert_eq!(
            text(&p.run(&["run", "--resume", "r1"])),
            text(&out),
            "{name}"
        );
    }
}

const FIND: &str =
    "[[step]]\nid = \"find\"\nkind = \"search\"\nqueries = [\"LIMIT\"]\nmode = \"literal\"\n";

#[test]
fn what_is_wrong_is_refused_with_its_line_before_anything_runs() {
    let read = |more: &str| format!("{FIND}\n[[step]]\nid = \"read\"\nkind = \"expand\"\n{more}");
    for (file, line, told) in [
        (format!("{FIND}color = \"red\"\n"), 6, "no field `color`"),
        (format!("speed = 3\n{FIND}"), 1, "no field `speed`"),
        (FIND.replace("search", "serch"), 3, "no kind `serch`"),
        (FIND.replace("literal", "litteral"), 5, "not `litteral`"),
        (
            FIND.replace("[\"LIMIT\"]", "3"),
            4,
            "3 is not a list of texts",
        ),
        (format!("{FIND}{FIND}"), 7, "two steps `find`"),
        (
            format!("{FIND}needs = [\"nobody\"]\n"),
            6,
            "no step `nobody`",
        ),
        (
            format!("{FIND}needs = [\"find\"]\n"),
            2,
            "in a circle: find",
        ),
        (
            format!(
                "{FIND}needs = [\"read\"]\n\n[[step]]\nid = \"read\"\nkind = \"expand\"\ntargets = \"{{{{ steps.find.results }}}}\"\n"
            ),
            2,
            "in a circle: find, read",
        ),
        (
            read("target = \"{{ steps.fnid.text }}\"\n"),
            10,
            "no step `fnid`",
        ),
        (
            read("target = \"{{ steps.find.results }}\"\n"),
            10,
            "steps.find.results is a list of places, wanted is a text",
        ),
        (
            read("targets = \"{{ steps.find.count }}\"\n"),
            10,
            "steps.find.count is a number, wanted is a list of texts",
        ),
        (
            read("target = \"{{ steps.find.lines }}\"\n"),
            10,
            "does not exist; there is count",
        ),
        (read("target = \"{{ inputs.x }}\"\n"), 10, "no input `x`"),
        (
            read("target = \"{{ item }}\"\n"),
            10,
            "`item` stands outside",
        ),
        (
            read("target = \"{{ last.find.text }}\"\n"),
            10,
            "stands outside the loop",
        ),
        (
            read("target = \"a\"\nbudget = \"much\"\n"),
            11,
            "\"much\" is not a number",
        ),
        (
            read("target = \"a\"\nfor_each = \"{{ steps.find.count }}\"\n"),
            11,
            "wanted is a list",
        ),
        (
            read("target = \"a\"\nwhen = \"{{ steps.find.count }}\"\n"),
            11,
            "wanted is true or false",
        ),
        (
            read("target = \"a\"\ntimeout = \"soon\"\n"),
            11,
            "is no time",
        ),
        (
            read("target = \"a\"\nretry = { attempts = 99 }\n"),
            11,
            "at most 10 attempts",
        ),
        (
            read("lines = \"1-2\"\n"),
            8,
            "give one of target and targets",
        ),
        (
            format!("{FIND}\n[[loop]]\nid = \"again\"\nsteps = [\"find\"]\n"),
            8,
            "has no `max`",
        ),
        (format!("[caps]\nsteps = 51\n{FIND}"), 2, "at most 50 steps"),
        (
            format!("output = \"{{{{ steps.x.text }}}}\"\n{FIND}"),
            1,
            "no step `x`",
        ),
        (format!("{FIND}= 3\n"), 6, ""),
        (String::new(), 1, "there is no [[step]]"),
    ] {
        let p = place();
        p.workflow(&file);
        let out = p.run(&OWN);
        let shown = text(&out);
        assert_eq!(out.status.code(), Some(2), "{file}\n{shown}");
        let at = format!(".trimtab/workflows/own.toml, line {line}: ");
        assert!(
            shown.contains(&at) && shown.contains(told),
            "{file}\n{shown}"
        );
        assert_eq!(p.json(&["runs"]), Value::Array(vec![]), "{file}");
    }
}

#[test]
fn names_and_inputs_are_checked() {
    let p = place();
    let failed = |arguments: &[&str], told: &str| {
        let shown = text(&p.run(arguments));
        assert!(shown.contains(told), "{arguments:?}: {shown}");
    };
    failed(
        &["run", "--workflow", "nothing"],
        "There is chain, edit, fan-out",
    );
    failed(&["run", "--workflow", "../chain"], "bad_name");
    failed(
        &["run", "--workflow", "chain"],
        "The input \"name\" is missing",
    );
    failed(
        &["run", "--workflow", "chain", "--set", "nme=x"],
        "It has name",
    );
    failed(
        &["run", "--workflow", "loop", "--set", "enough=many"],
        "is a number, not",
    );
    failed(
        &["run", "--workflow", "loop", "a task"],
        "no input \"task\"",
    );
    failed(
        &["run", "--workflow", "loop", "--max-steps", "51"],
        "bad_cap",
    );
    failed(
        &["run", "--workflow", "loop", "--budget", "3"],
        "budget_too_small",
    );
}

#[test]
fn caps_hold_and_a_resumed_run_ends_as_an_undisturbed_one() {
    let p = place();
    let whole = text(&p.run(&["run", "--workflow", "map-reduce"]));
    for cap in 1..4 {
        let number = cap.to_string();
        let out = p.run(&["run", "--workflow", "map-reduce", "--max-steps", &number]);
        assert_eq!(out.status.code(), Some(4), "{}", text(&out));
        let end = format!(
            "stopped by steps: {cap} step{}\n",
            if cap == 1 { "" } else { "s" }
        );
        assert!(text(&out).ends_with(&end), "{}", text(&out));
        let id = format!("r{}", cap + 1);
        let steps = p.json(&["runs", "show", &id]);
        assert_eq!(steps.as_array().unwrap().len(), cap);
        let out = p.run(&["run", "--resume", &id, "--max-steps", "9"]);
        assert_eq!(text(&out), whole);
    }
    let out = p.run(&["run", "--workflow", "map-reduce", "--timeout", "0ms"]);
    assert_eq!(
        (out.status.code(), text(&out).as_str()),
        (Some(4), "stopped by time: 0 steps\n")
    );

    let out = p.run(&["run", "--workflow", "fan-out", "--budget", "80"]);
    assert_eq!(out.status.code(), Some(4));
    let shown = text(&out);
    assert!(tokens::count(&shown) <= 80, "{shown}");
    let handle = shown
        .lines()
        .find_map(|l| l.split_once("expand "))
        .unwrap()
        .1;
    let rest = text(&p.run(&["expand", handle]));
    let all = text(&p.run(&["run", "--workflow", "fan-out"]));
    let kept: String = shown
        .lines()
        .take_while(|l| !l.starts_with('⋯'))
        .map(|l| format!("{l}\n"))
        .collect();
    assert_eq!(format!("{kept}{rest}"), all.replace("done: 4 steps\n", ""));
}

#[test]
fn a_failed_step_skips_only_what_depends_on_it() {
    let p = place();
    p.workflow(&format!(
        "{FIND}\n[[step]]\nid = \"gone\"\nkind = \"expand\"\ntarget = \"src/later.rs\"\n\n\
         [[step]]\nid = \"after\"\nkind = \"compact\"\ntext = \"{{{{ steps.gone.text }}}}\"\n\n\
         [[step]]\nid = \"beside\"\nkind = \"compact\"\ntext = \"{{{{ steps.find.text }}}}\"\n"
    ));
    let out = p.run(&OWN);
    assert_eq!(out.status.code(), Some(2), "{}", text(&out));
    let shown = text(&out);
    assert!(shown.contains("step gone failed: no_such_file"), "{shown}");
    assert!(shown.contains("step after was skipped"), "{shown}");
    assert!(shown.contains("LIMIT: usize = 5"), "{shown}");
    // To go on without `--failed` changes nothing.
    assert_eq!(text(&p.run(&["run", "--resume", "r1"])), shown);

    fs::write(p.dir.path().join("tree/src/later.rs"), "fn later() {}\n").unwrap();
    let out = p.run(&["run", "--resume", "r1", "--failed"]);
    assert_eq!(out.status.code(), Some(0), "{}", text(&out));
    assert!(text(&out).contains("fn later()"), "{}", text(&out));
    let steps = p.json(&["runs", "show", "r1"]);
    let attempts = |name: &str| {
        let all = steps.as_array().unwrap();
        all.iter().find(|s| s["name"] == name).unwrap()["attempts"].as_u64()
    };
    assert_eq!(
        (attempts("find"), attempts("gone"), attempts("after")),
        (Some(1), Some(2), Some(1))
    );
}

#[test]
fn what_is_over_when_a_cap_ends_the_run_is_part_of_its_result() {
    let p = place();
    // Both of them are of the same wave; the second is the one too many.
    p.workflow(&format!(
        "{FIND}\n[[step]]\nid = \"again\"\nkind = \"search\"\nqueries = [\"Queue\"]\n"
    ));
    let mut capped = OWN.to_vec();
    capped.extend(["--max-steps", "1"]);
    let out = p.run(&capped);
    assert_eq!(out.status.code(), Some(4), "{}", text(&out));
    assert!(text(&out).contains("LIMIT: usize = 5"), "{}", text(&out));
    let value = p.json(&capped);
    let status = |n: usize| value["workflow"]["steps"][n]["status"].clone();
    assert_eq!(
        (status(0), status(1)),
        ("done".into(), "waiting".into()),
        "{value}"
    );
}

#[test]
fn items_that_are_over_when_a_cap_ends_the_run_are_part_of_its_result() {
    let p = place();
    p.workflow(
        "[inputs]\nnames = [\"LIMIT\", \"Queue\", \"three\"]\n\n\
         [[step]]\nid = \"each\"\nkind = \"search\"\nfor_each = \"{{ inputs.names }}\"\n\
         queries = [\"{{ item }}\"]\n\n\
         [[step]]\nid = \"all\"\nkind = \"compact\"\ntext = \"all: {{ steps.each.text }}\"\n",
    );
    let mut capped = OWN.to_vec();
    capped.extend(["--max-steps", "1"]);
    let out = p.run(&capped);
    let shown = text(&out);
    assert_eq!(out.status.code(), Some(4), "{shown}");
    assert!(
        shown.contains("step each: 1 of 3 items are over"),
        "{shown}"
    );
    assert!(shown.contains("LIMIT: usize = 5"), "{shown}");
    assert!(
        !shown.contains("Queue") && !shown.contains("all:"),
        "{shown}"
    );
    let steps = p.json(&capped)["workflow"]["steps"].clone();
    assert_eq!(
        (&steps[0]["status"], &steps[1]["status"]),
        (&"part".into(), &"waiting".into()),
        "{steps}"
    );
    // One that needed it was to come: what there is to make it of is shown.
    let out = p.run(&["run", "--resume", "r1", "--max-steps", "3"]);
    let shown = text(&out);
    assert!(
        shown.contains("Queue") && !shown.contains("items are over"),
        "{shown}"
    );
    assert!(shown.ends_with("stopped by steps: 3 steps\n"), "{shown}");
    let out = p.run(&["run", "--resume", "r1", "--max-steps", "4"]);
    assert!(text(&out).contains("all:"), "{}", text(&out));
}

#[cfg(unix)]
#[test]
fn what_a_repository_would_run_needs_trust() {
    let p = place();
    let out = p.run(&["run", "--workflow", "edit"]);
    let shown = text(&out);
    assert!(
        shown.contains("step test was left out: it runs a command, and .trimtab/workflows/edit.toml is not trusted"),
        "{shown}"
    );
    assert_eq!(out.status.code(), Some(0), "{shown}");
    assert!(p.file(LIMIT).contains("usize = 7"));
    p.run(&["undo"]);
    let shown = text(&p.run(&["trust"]));
    assert!(
        shown.contains("edit.toml is trusted") && shown.contains("step test: runs a command"),
        "{shown}"
    );
    let shown = text(&p.run(&["run", "--workflow", "edit"]));
    assert!(shown.contains("src/limit.rs`: ok"), "{shown}");
    p.run(&["undo"]);

    // A changed file is another file.
    let changed = p.file(".trimtab/workflows/edit.toml").replace("-q", "-c");
    fs::write(
        p.dir.path().join("tree/.trimtab/workflows/edit.toml"),
        &changed,
    )
    .unwrap();
    let shown = text(&p.run(&["run", "--workflow", "edit"]));
    assert!(shown.contains("is not trusted"), "{shown}");
    p.run(&["undo"]);
    // The user's own needs none.
    p.users(&changed);
    let shown = text(&p.run(&MINE));
    assert!(shown.contains("check `grep -c"), "{shown}");
}

#[test]
fn a_file_with_a_mistake_is_named_and_the_others_are_trusted() {
    let p = place();
    p.workflow("[[step]]\nid = \"x\"\nkind = \"serch\"\n");
    let out = p.run(&["trust"]);
    assert_eq!(out.status.code(), Some(2), "{}", text(&out));
    let shown = text(&out);
    assert!(shown.contains("edit.toml is trusted"), "{shown}");
    assert!(
        shown.contains("not trusted: bad_workflow: .trimtab/workflows/own.toml, line 3"),
        "{shown}"
    );
    let value = p.json(&["trust"]);
    assert_eq!(value["trusted"].as_array().unwrap().len(), 1, "{value}");
    assert_eq!(value["left_out"][0]["code"], "bad_workflow", "{value}");
    let shown = text(&p.run(&["run", "--workflow", "edit"]));
    assert!(!shown.contains("is not trusted"), "{shown}");

    // A file that names no command is none of trust's business, nor is an empty one.
    p.workflow(FIND);
    assert_eq!(p.run(&["trust"]).status.code(), Some(0));
    fs::write(p.dir.path().join("tree/trimtab.toml"), "check = 3\n").unwrap();
    let shown = text(&p.run(&["trust"]));
    assert!(
        shown.contains("not trusted: bad_config: trimtab.toml, line 1"),
        "{shown}"
    );
    assert!(shown.contains("edit.toml is trusted"), "{shown}");
}

#[cfg(unix)]
#[test]
fn a_failed_check_takes_the_edit_back_and_each_attempt_is_known() {
    let p = place();
    let before = p.file(LIMIT);
    let file = p.file(".trimtab/workflows/edit.toml");
    p.users(&file.replace("\"usize = {{", "\"nowhere {{"));
    let shown = text(&p.run(&MINE));
    assert!(shown.contains("the edit was taken back"), "{shown}");
    assert_eq!(p.file(LIMIT), before);
    // Once more from the journal: nothing is taken back twice.
    assert_eq!(text(&p.run(&["run", "--resume", "r1"])), shown);
    assert_eq!(p.json(&["undo", "--list"]).as_array().unwrap().len(), 2);

    p.users(&file.replace("\"grep\", \"-q\"", "\"no-such-command-here\""));
    let shown = text(&p.run(&MINE));
    assert!(shown.contains("step test failed: no_command"), "{shown}");
    let steps = p.json(&["runs", "show", "r2"]);
    let test = steps
        .as_array()
        .unwrap()
        .iter()
        .find(|s| s["name"] == "test")
        .unwrap();
    assert_eq!(
        (&test["status"], &test["attempts"]),
        (&"failed".into(), &2.into()),
        "{test}"
    );
    assert_eq!(test["failed"].as_array().unwrap().len(), 2);
    assert!(test["failed"][0]["waited"].as_u64() >= Some(1), "{test}");

    p.users(
        &file
            .replace("\"grep\", \"-q\"", "\"sh\", \"-c\", \"sleep 60\"")
            .replace("20s", "50ms"),
    );
    let shown = text(&p.run(&MINE));
    assert!(
        shown.contains("step test failed: step_timed_out"),
        "{shown}"
    );
}

#[test]
fn a_gate_waits_for_another_process() {
    let gate = "[[step]]\nid = \"ask\"\nkind = \"gate\"\nshow = \"Raise it to 9?\"\n\n\
        [[step]]\nid = \"edit\"\nkind = \"apply\"\nneeds = [\"ask\"]\npath = \"src/limit.rs\"\n\
        edit = \"/// Most requests at a time.\\npub const LIMIT: usize = 9;\\n\"\n";
    let p = place();
    let before = p.file(LIMIT);
    p.workflow(gate);
    let out = p.run(&OWN);
    assert_eq!(out.status.code(), Some(4), "{}", text(&out));
    assert!(text(&out).contains("Raise it to 9?") && text(&out).contains("runs approve r1"));
    assert!(text(&p.run(&["runs"])).starts_with("r1  waiting"));
    assert_eq!(p.run(&["run", "--resume", "r1"]).status.code(), Some(4));
    assert_eq!(p.file(LIMIT), before);
    let out = p.run(&["runs", "approve", "r1"]);
    assert_eq!(out.status.code(), Some(0), "{}", text(&out));
    assert!(p.file(LIMIT).contains("usize = 9"));
    p.run(&["undo"]);

    p.run(&OWN);
    assert!(p.run(&["runs", "deny", "r2"]).status.success());
    let out = p.run(&["run", "--resume", "r2"]);
    assert!(text(&out).contains("denied") && text(&out).contains("step edit was skipped"));
    assert_eq!(
        (out.status.code(), p.file(LIMIT)),
        (Some(3), before.clone())
    );

    // With `--approve ask` each write waits, whatever the file says.
    let mut ask = OWN.to_vec();
    ask.extend(["--approve", "ask"]);
    p.run(&ask);
    let out = p.run(&["runs", "approve", "r3"]);
    assert!(
        text(&out).contains("+pub const LIMIT: usize = 9;"),
        "{}",
        text(&out)
    );
    assert_eq!(p.file(LIMIT), before);
    assert_eq!(p.run(&["runs", "approve", "r3"]).status.code(), Some(0));
    assert!(p.file(LIMIT).contains("usize = 9"));
    p.run(&["undo"]);

    p.workflow(&gate.replace("show =", "expires = \"0s\"\nshow ="));
    p.run(&OWN);
    let out = p.run(&["runs", "approve", "r4"]);
    assert!(text(&out).contains("gate_expired"), "{}", text(&out));
    assert_eq!(p.file(LIMIT), before);
}

#[test]
fn a_loop_ends_at_its_cap_and_says_so() {
    let p = place();
    let out = p.run(&["run", "--workflow", "loop", "--set", "enough=99"]);
    assert_eq!(out.status.code(), Some(4), "{}", text(&out));
    assert!(
        text(&out).starts_with("loop widen: stopped at its cap of 4 rounds\n"),
        "{}",
        text(&out)
    );
    assert!(
        text(&out).ends_with("stopped by steps: 5 steps\n"),
        "{}",
        text(&out)
    );
    assert_eq!(text(&p.run(&["run", "--resume", "r1"])), text(&out));
    // What comes behind it was taken all the same.
    assert!(text(&out).contains("src/"), "{}", text(&out));
}

const EDIT: [&str; 3] = ["run", "--workflow", "edit"];

impl Place {
    fn kill_at(&self, arguments: &[&str], at: usize) -> bool {
        let mut command = self.command(arguments);
        command.env("TRIMTAB_CRASH_AT", at.to_string());
        command.stdout(Stdio::null()).stderr(Stdio::null());
        !command.status().unwrap().success()
    }

    /// Goes on with a run that was killed, and holds it against an undisturbed one.
    fn assert_whole(&self, expected: &str, what: &str) {
        let begun = self.json(&["runs"]) != Value::Array(vec![]);
        let out = match begun {
            true => self.run(&["run", "--resume", "r1"]),
            false => self.run(&EDIT),
        };
        assert_eq!(String::from_utf8_lossy(&out.stdout), expected, "{what}");
        assert!(self.file(LIMIT).contains("usize = 7"), "{what}");
        let undos = self.json(&["undo", "--list"]);
        assert_eq!(
            undos.as_array().map(Vec::len),
            Some(1),
            "{what}: written twice"
        );
        let steps = self.json(&["runs", "show", "r1"]);
        let names = steps.as_array().unwrap().iter().map(|s| {
            let (status, attempts) = (&s["status"], &s["attempts"]);
            assert_eq!((status, attempts), (&"done".into(), &1.into()), "{what}");
            s["name"].as_str().unwrap()
        });
        let names: Vec<&str> = names.collect();
        assert_eq!(
            names,
            ["find", "read", "edit/prepare", "edit", "test", "look"],
            "{what}"
        );
    }
}

/// Debug builds have points at which they can be told to die.
#[cfg(all(unix, debug_assertions))]
#[test]
fn killed_at_every_point_a_workflow_ends_as_if_undisturbed() {
    let p = place();
    p.run(&["trust"]);
    let expected = text(&p.run(&EDIT));
    let mut at = 1;
    loop {
        let p = place();
        p.run(&["trust"]);
        if !p.kill_at(&EDIT, at) {
            break;
        }
        p.assert_whole(&expected, &format!("point {at}"));
        at += 1;
    }
    assert!(at > 15, "only {at} points");
}

#[cfg(unix)]
#[test]
fn killed_at_random_moments_a_workflow_ends_as_if_undisturbed() {
    let kills = std::env::var("TRIMTAB_KILLS")
        .ok()
        .and_then(|n| n.parse().ok());
    let p = place();
    p.run(&["trust"]);
    let begun = std::time::Instant::now();
    let expected = text(&p.run(&EDIT));
    let whole = begun.elapsed();
    let mut seed = 0x2545_F491_4F6C_DD1D_u64;
    let mut cut_short = 0;
    let kills = kills.unwrap_or(10);
    for kill in 0..kills {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        let p = place();
        p.run(&["trust"]);
        let mut command = p.command(&EDIT);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let mut process = command.spawn().unwrap();
        std::thread::sleep(Duration::from_nanos(
            seed % (whole.as_nanos() as u64).max(1),
        ));
        process.kill().unwrap();
        cut_short += usize::from(!process.wait().unwrap().success());
        p.assert_whole(&expected, &format!("kill {kill}"));
    }
    println!("{cut_short} of {kills} kills cut a run short");
}
