//! Processes that share a root: writers at once, servers at once, journals of other
//! versions, memory.

use serde_json::{Value, json};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use trimtab::run::{Task, WorkflowRequest, memory, run, run_workflow};
use trimtab::workspace::{Cancel, Root};

struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("tree")).unwrap();
        fs::create_dir_all(dir.path().join(".config/trimtab")).unwrap();
        for n in 0..8 {
            let text = format!("/// Limit {n}.\nfn limit_{n}() -> u32 {{\n    5\n}}\n");
            fs::write(dir.path().join(format!("tree/f{n}.rs")), text).unwrap();
            let snippet = format!("fn limit_{n}() -> u32 {{\n    7\n}}\n");
            fs::write(dir.path().join(format!("s{n}")), snippet).unwrap();
        }
        Self(dir)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_trimtab"));
        command
            .args(arguments)
            .arg("--root")
            .arg(self.0.path().join("tree"))
            .current_dir(self.0.path())
            .env("HOME", self.0.path())
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
        serde_json::from_slice(&self.run(&all).stdout).unwrap()
    }

    fn file(&self, n: usize) -> String {
        fs::read_to_string(self.0.path().join(format!("tree/f{n}.rs"))).unwrap()
    }

    fn journal(&self) -> rusqlite::Connection {
        let state = fs::read_dir(self.0.path().join(".local/state/trimtab")).unwrap();
        let folders: Vec<PathBuf> = state.flatten().map(|e| e.path()).collect();
        let found = folders
            .iter()
            .map(|f| f.join("runs/journal.db"))
            .find(|f| f.exists());
        rusqlite::Connection::open(found.unwrap()).unwrap()
    }

    fn assert_all_written(&self, runs: usize) {
        for n in 0..8 {
            assert!(self.file(n).contains("    7\n"), "{}", self.file(n));
        }
        let all = self.json(&["runs"]);
        let all = all.as_array().unwrap();
        assert_eq!(all.len(), runs);
        assert!(all.iter().all(|r| r["status"] == "done"), "{all:?}");
        assert_eq!(self.json(&["undo", "--list"]).as_array().unwrap().len(), 8);
    }
}

fn text(output: &Output) -> String {
    let all = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
    String::from_utf8(all).unwrap()
}

#[test]
fn processes_that_write_at_once_take_turns() {
    let p = Place::new();
    let mut processes: Vec<Child> = (0..8)
        .map(|n| {
            let edit = format!("f{n}.rs=s{n}");
            let task = format!("raise limit {n}");
            let mut command = p.command(&["run", &task, "--edit", &edit]);
            command.stdout(Stdio::null()).spawn().unwrap()
        })
        .collect();
    for process in &mut processes {
        assert!(process.wait().unwrap().success());
    }
    p.assert_all_written(8);
}

/// One line to a server, and the line that answers it.
fn say(server: &mut Child, lines: &mut impl BufRead, message: &Value) -> Value {
    writeln!(server.stdin.as_mut().unwrap(), "{message}").unwrap();
    if message.get("id").is_none() {
        return Value::Null;
    }
    loop {
        let mut line = String::new();
        assert!(lines.read_line(&mut line).unwrap() > 0, "the server ended");
        let reply: Value = serde_json::from_str(&line).unwrap();
        if reply["id"] == message["id"] {
            return reply;
        }
    }
}

#[test]
fn two_servers_on_one_root_lose_nothing() {
    let p = Place::new();
    std::thread::scope(|scope| {
        for half in 0..2 {
            let p = &p;
            scope.spawn(move || {
                let mut command = p.command(&["mcp"]);
                command.stdin(Stdio::piped()).stdout(Stdio::piped());
                let mut server = command.spawn().unwrap();
                let mut lines = BufReader::new(server.stdout.take().unwrap());
                let hello = json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {
                    "protocolVersion": "2025-06-18", "capabilities": {},
                    "clientInfo": {"name": "t", "version": "1"}}});
                say(&mut server, &mut lines, &hello);
                let ready = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
                say(&mut server, &mut lines, &ready);
                for n in 0..4 {
                    let n = half * 4 + n;
                    let edit = format!("fn limit_{n}() -> u32 {{\n    7\n}}\n");
                    let call = json!({"jsonrpc": "2.0", "id": n + 1, "method": "tools/call",
                        "params": {"name": "run", "arguments": {"task": "raise the limit",
                            "edits": [{"path": format!("f{n}.rs"), "edit": edit}]}}});
                    let reply = say(&mut server, &mut lines, &call);
                    assert_eq!(reply["result"]["isError"], false, "{reply}");
                }
                drop(server.stdin.take());
                assert!(server.wait().unwrap().success());
            });
        }
    });
    p.assert_all_written(8);
}

#[test]
fn a_journal_of_other_steps_is_refused_and_one_of_an_older_layout_is_read() {
    let p = Place::new();
    let edit = [
        "run",
        "raise limit 1",
        "--edit",
        "f1.rs=s1",
        "--approve",
        "ask",
    ];
    assert_eq!(p.run(&edit).status.code(), Some(4));
    let db = p.journal();
    db.execute("update run set version = version - 1", [])
        .unwrap();
    for arguments in [
        vec!["runs", "approve", "r1"],
        vec!["run", "--resume", "r1"],
        vec!["runs", "fork", "r1", "--at", "1"],
    ] {
        let out = p.run(&arguments);
        assert_eq!(out.status.code(), Some(2), "{}", text(&out));
        assert!(text(&out).contains("other_version"), "{}", text(&out));
    }
    assert!(p.file(1).contains("    5\n"));

    // The layout before gates of several steps.
    db.execute_batch(
        "update run set version = version + 1;
         update gate set decision = null;
         create table old (run integer primary key references run(id) on delete cascade,
             decision text, expires integer not null);
         insert into old select run, decision, expires from gate;
         drop table gate; drop table attempt;
         alter table old rename to gate;
         alter table run drop column booked;
         pragma user_version = 1;",
    )
    .unwrap();
    let out = p.run(&["runs", "approve", "r1"]);
    assert_eq!(out.status.code(), Some(0), "{}", text(&out));
    assert!(p.file(1).contains("    7\n"));

    // A connection that was open meanwhile may still hold the old tables in its mind.
    let db = p.journal();
    // The layout before tokens of models were counted.
    db.execute_batch(
        "alter table run drop column booked; alter table attempt drop column tokens;
         pragma user_version = 2",
    )
    .unwrap();
    let story = p.json(&["runs", "show", "r1"]);
    assert!(story.as_array().is_some_and(|s| s.len() > 3), "{story}");

    // The layout before a run's account: what its answers cost is on it.
    let db = p.journal();
    db.execute_batch(
        "alter table run drop column booked;
         insert into attempt values (1, 1, 'm', '', 0, 30), (1, 2, 'm', 'no', 0, 11);
         pragma user_version = 3",
    )
    .unwrap();
    p.json(&["runs", "show", "r1"]);
    let booked: i64 = db
        .query_row("select booked from run where id = 1", [], |r| r.get(0))
        .unwrap();
    assert_eq!(booked, 41);

    db.execute_batch("pragma user_version = 99").unwrap();
    let out = p.run(&["runs"]);
    assert!(text(&out).contains("newer_journal"), "{}", text(&out));
}

#[test]
fn the_same_task_on_the_same_tree_gives_the_same_bytes_a_hundred_times() {
    let p = Place::new();
    let root = Root::open(&p.0.path().join("tree"))
        .unwrap()
        .with_home(p.0.path());
    let task = Task::new("where is limit_3 raised?");
    let once = || {
        run(&root, &task, &Cancel::new(), &mut |_| {})
            .unwrap()
            .render()
            .to_string()
    };
    let first = once();
    assert!(first.contains("limit_3"), "{first}");
    for n in 1..100 {
        assert_eq!(once(), first, "run {n}");
    }
}

#[test]
fn with_memory_and_in_workflows_the_bytes_are_the_same_a_hundred_times_as_well() {
    let p = Place::new();
    let home = p.0.path();
    fs::write(home.join(".config/trimtab/trimtab.toml"), "memory = true\n").unwrap();
    let folder = home.join("tree/.trimtab/workflows");
    fs::create_dir_all(&folder).unwrap();
    fs::write(
        folder.join("wide.toml"),
        "[[step]]\nid = \"a\"\nkind = \"search\"\nqueries = [\"limit_1\", \"limit_5\"]\n\n\
         [[step]]\nid = \"b\"\nkind = \"search\"\ntask = \"where is limit_3 raised?\"\n\n\
         [[step]]\nid = \"read\"\nkind = \"expand\"\nfor_each = \"{{ steps.a.paths }}\"\ntarget = \"{{ item }}\"\n\n\
         [[step]]\nid = \"short\"\nkind = \"compact\"\nquery = \"limit\"\n\
         text = \"{{ steps.b.text }}{{ steps.read.text }}\"\n",
    )
    .unwrap();
    let root = Root::open(&home.join("tree")).unwrap().with_home(home);
    let task = Task::new("which limit was raised last time?");
    let request = WorkflowRequest {
        name: "wide".into(),
        wait: true,
        ..WorkflowRequest::default()
    };
    let once = || {
        let a = run(&root, &task, &Cancel::new(), &mut |_| {}).unwrap();
        let b = run_workflow(&root, &request, &Cancel::new(), &mut |_| {}).unwrap();
        format!("{}{}", a.render(), b.render())
    };
    // The first one is what the others remember.
    once();
    let first = once();
    assert!(
        first.contains("limit_1") && first.contains("limit_3"),
        "{first}"
    );
    assert_eq!(memory(&root).unwrap().len(), 1);
    for n in 1..100 {
        assert_eq!(once(), first, "run {n}");
    }
}

#[test]
fn memory_is_off_until_it_is_turned_on_and_can_be_shown_and_cleared() {
    let p = Place::new();
    let ask = ["run", "which limit was raised last time?"];
    let paths = || -> Vec<String> {
        let results = p.json(&ask)["results"].as_array().unwrap().clone();
        let path = |r: &Value| r["path"].as_str().unwrap().to_string();
        results.iter().map(path).collect()
    };
    paths();
    assert_eq!(p.json(&["runs", "memory"]), json!([]));
    let before = paths();
    let last = before.last().unwrap().clone();
    assert!(before.len() > 1, "{before:?}");

    let config = p.0.path().join(".config/trimtab/trimtab.toml");
    fs::write(config, "memory = true\n").unwrap();
    let edit = format!("{last}=s{}", &last[1..2]);
    let task = "raise the limit that was raised last time";
    assert!(p.run(&["run", task, "--edit", &edit]).status.success());
    assert_eq!(p.json(&["runs", "memory"])[0]["files"], json!([last]));
    assert!(text(&p.run(&["runs", "memory"])).contains(&last));
    // What answered a task like it counts for more, and the journal says so.
    let after = paths();
    let rank = |all: &[String]| all.iter().position(|path| *path == last);
    assert!(rank(&after) < rank(&before), "{before:?}, then {after:?}");
    let newest = p.json(&["runs"])[0]["id"].as_str().unwrap().to_string();
    let shown = text(&p.run(&["run", "--resume", &newest]));
    assert!(shown.starts_with(&after[0]), "{shown}");

    assert!(p.run(&["runs", "memory", "--clear"]).status.success());
    assert_eq!(p.json(&["runs", "memory"]), json!([]));
}

/// Calls `run` with an edit where writes wait; `answer` is what the person says
/// who is asked. Returns the reply and whether anybody was asked.
fn edit_with_consent(p: &Place, capabilities: Value, answer: &str) -> (Value, bool) {
    let mut command = p.command(&["mcp"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut server = command.spawn().unwrap();
    let mut lines = BufReader::new(server.stdout.take().unwrap());
    let hello = json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {
        "protocolVersion": "2025-06-18", "capabilities": capabilities,
        "clientInfo": {"name": "t", "version": "1"}}});
    say(&mut server, &mut lines, &hello);
    let ready = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
    say(&mut server, &mut lines, &ready);
    let edit = "fn limit_2() -> u32 {\n    7\n}\n";
    let call = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {
        "name": "run", "arguments": {"task": "raise it",
            "edits": [{"path": "f2.rs", "edit": edit}]}}});
    writeln!(server.stdin.as_mut().unwrap(), "{call}").unwrap();
    let mut asked = false;
    let reply = loop {
        let mut line = String::new();
        assert!(lines.read_line(&mut line).unwrap() > 0, "the server ended");
        let message: Value = serde_json::from_str(&line).unwrap();
        if message["method"] == "elicitation/create" {
            asked = true;
            let shown = message["params"]["message"].as_str().unwrap();
            assert!(shown.contains("-    5\n+    7\n"), "{shown}");
            assert!(
                p.file(2).contains("    5\n"),
                "written before anybody agreed"
            );
            let said = json!({"jsonrpc": "2.0", "id": message["id"],
                "result": {"action": answer, "content": {}}});
            writeln!(server.stdin.as_mut().unwrap(), "{said}").unwrap();
        } else if message["id"] == 1 {
            break message["result"].clone();
        }
    };
    drop(server.stdin.take());
    assert!(server.wait().unwrap().success());
    (reply, asked)
}

#[test]
fn a_client_that_can_be_asked_is_asked_before_a_write() {
    let able = || json!({"elicitation": {}});
    let place = || {
        let p = Place::new();
        fs::write(
            p.0.path().join(".config/trimtab/trimtab.toml"),
            "approve = \"ask\"\n",
        )
        .unwrap();
        p
    };
    let said = |reply: &Value| reply["content"][0]["text"].as_str().unwrap().to_string();
    let p = place();
    let (reply, asked) = edit_with_consent(&p, able(), "accept");
    assert!(asked && p.file(2).contains("    7\n"), "{reply}");
    assert!(said(&reply).contains("undo u1"), "{reply}");

    let p = place();
    let (reply, asked) = edit_with_consent(&p, able(), "decline");
    assert!(asked && p.file(2).contains("    5\n"), "{reply}");
    assert_eq!(reply["isError"], true, "{reply}");
    assert!(text(&p.run(&["runs"])).starts_with("r1  denied"));

    for (capabilities, answer) in [(able(), "cancel"), (json!({}), "")] {
        let p = place();
        let (reply, asked) = edit_with_consent(&p, capabilities, answer);
        assert_eq!(asked, answer == "cancel");
        assert!(
            said(&reply).contains("`trimtab runs approve r1`"),
            "{reply}"
        );
        assert!(p.file(2).contains("    5\n"), "{reply}");
        assert!(p.run(&["runs", "approve", "r1"]).status.success());
        assert!(p.file(2).contains("    7\n"));
    }
    // On the command line a flag goes first.
    let p = place();
    p.run(&["run", "--edit", "f1.rs=s1"]);
    assert!(p.file(1).contains("    5\n"));
    p.run(&["run", "--edit", "f1.rs=s1", "--approve", "never"]);
    assert!(p.file(1).contains("    7\n"));
}
