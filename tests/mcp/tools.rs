//! The five tools through the protocol.

use crate::client::{Client, Era};
use serde_json::{Value, json};

fn project() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path = dir.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write(
        "src/greet.rs",
        "/// Greets by name.\npub fn greet(name: &str) -> String {\n    format!(\"hello {name}\")\n}\n\n\
         pub fn part(name: &str) -> String {\n    format!(\"bye {name}\")\n}\n",
    );
    write(
        "src/main.rs",
        "mod greet;\n\nfn main() {\n    println!(\"{}\", greet::greet(\"world\"));\n}\n",
    );
    dir
}

fn list(client: &mut Client) -> Vec<Value> {
    let listed = client.request("tools/list", json!({}));
    listed["result"]["tools"].as_array().unwrap().clone()
}

fn names(tools: &[Value]) -> Vec<&str> {
    tools.iter().map(|t| t["name"].as_str().unwrap()).collect()
}

#[test]
fn are_listed_with_hints_and_small_schemas() {
    let project = project();
    let mut client = Client::open(project.path(), &[], Era::Legacy);
    let tools = list(&mut client);
    assert_eq!(
        names(&tools),
        ["run", "search", "expand", "compact", "apply"]
    );
    let model: Vec<Value> = tools
        .iter()
        .map(|t| {
            json!({"name": t["name"], "description": t["description"],
                "inputSchema": t["inputSchema"]})
        })
        .collect();
    let model = Value::from(model).to_string();
    let tokens = trimtab::tokens::count(&model);
    assert!(tokens <= 900, "{tokens} tokens");
    for noise in ["$schema", "$ref", "\"format\"", "null"] {
        assert!(!model.contains(noise), "{noise}");
    }
    for tool in &tools {
        assert!(tool.get("outputSchema").is_none());
        let hints = &tool["annotations"];
        let reads = !["run", "apply"].contains(&tool["name"].as_str().unwrap());
        assert_eq!(hints["readOnlyHint"], reads, "{tool}");
        assert_eq!(hints["openWorldHint"], false, "{tool}");
        assert_eq!(hints["destructiveHint"] == true, !reads, "{tool}");
    }
}

#[test]
fn that_write_are_left_out_of_a_read_only_server() {
    let project = project();
    let file = project.path().join("src/greet.rs");
    let before = std::fs::read(&file).unwrap();
    let mut client = Client::open(project.path(), &["--read-only"], Era::Legacy);
    let tools = list(&mut client);
    assert_eq!(names(&tools), ["run", "search", "expand", "compact"]);
    let reads = |t: &Value| t["annotations"]["readOnlyHint"] == true;
    assert!(tools.iter().all(reads));
    assert!(!Value::from(tools).to_string().contains("\"edits\""));
    let edit = json!({"path": "src/greet.rs", "edit": "pub fn greet() {}\n"});
    let refused = client.request("tools/call", json!({"name": "apply", "arguments": edit}));
    assert_eq!(refused["error"]["code"], -32602);
    let refused = client.call("run", json!({"task": "greet", "edits": [edit]}));
    assert!(refused.unwrap_err().starts_with("bad_arguments: "));
    assert_eq!(std::fs::read(&file).unwrap(), before);
}

#[test]
fn do_their_work_in_both_eras() {
    for era in [Era::Legacy, Era::Modern] {
        let project = project();
        let mut client = Client::open(project.path(), &[], era);
        let found = client
            .call("search", json!({"queries": ["greet", "println"]}))
            .unwrap();
        assert!(found.contains("src/greet.rs"), "{found}");
        assert!(found.contains("pub fn greet"), "{found}");
        let small = client
            .call("compact", json!({"target": "src/greet.rs", "budget": 60}))
            .unwrap();
        assert!(small.contains("greet"), "{small}");
        let passed = "test parse::numbers ... ok\n".repeat(900);
        let log = format!("{passed}test parse::names ... FAILED\n{passed}");
        let small = client
            .call("compact", json!({"text": log, "budget": "100"}))
            .unwrap();
        assert!(small.contains("parse::names ... FAILED"), "{small}");
        let ran = client
            .call("run", json!({"task": "where is the greeting formatted?"}))
            .unwrap();
        assert!(ran.contains("src/greet.rs"), "{ran}");
        let read = client
            .call("expand", json!({"target": "src/greet.rs#part"}))
            .unwrap();
        assert!(read.contains("bye {name}"), "{read}");
        assert!(!read.contains("hello {name}"), "{read}");
        let edit = "pub fn part(name: &str) -> String {\n    format!(\"farewell {name}\")\n}\n";
        let file = project.path().join("src/greet.rs");
        let text = || std::fs::read_to_string(&file).unwrap();
        let before = text();
        let arguments = json!({"path": "src/greet.rs", "edit": edit, "dry_run": true});
        let shown = client.call("apply", arguments).unwrap();
        assert!(
            shown.contains("+    format!(\"farewell {name}\")"),
            "{shown}"
        );
        assert_eq!(text(), before);
        let merged = client
            .call(
                "apply",
                json!({"edits": [{"path": "src/greet.rs", "edit": edit}]}),
            )
            .unwrap();
        assert!(merged.starts_with("src/greet.rs: "), "{merged}");
        assert!(merged.contains("undo u1"), "{merged}");
        assert_eq!(text(), before.replace("bye", "farewell"));
        let edit = edit.replace("farewell", "so long");
        let edits = json!([{"path": "src/greet.rs", "edit": edit}]);
        let task = json!({"task": "say goodbye", "edits": edits});
        let ran = client.call("run", task).unwrap();
        assert!(ran.contains("src/greet.rs"), "{ran}");
        assert_eq!(text(), before.replace("bye", "so long"));
        // What cannot be merged is refused, and the account of it is an error.
        let edits = json!([{"path": "src/greet.rs", "edit": "nothing of this is there\n"}]);
        let refused = client.call("run", json!({"task": "", "edits": edits}));
        assert!(refused.unwrap_err().contains("next: "));
        assert_eq!(text(), before.replace("bye", "so long"));
        let edit = edit.replace("so long", "farewell");
        let edit = json!({"path": "src/greet.rs", "edit": edit});
        client.call("apply", edit).unwrap();
        // A search sees it at once.
        let found = client.call("search", json!({"queries": ["farewell"]}));
        assert!(found.unwrap().contains("farewell {name}"));
    }
}

#[test]
fn show_errors_as_text_with_a_next_step() {
    let project = project();
    let mut client = Client::open(project.path(), &[], Era::Legacy);
    for (tool, arguments, code) in [
        (
            "expand",
            json!({"target": "../outside.txt"}),
            "outside_root",
        ),
        ("expand", json!({"target": "src/none.rs"}), "no_such_file"),
        (
            "expand",
            json!({"target": "a", "path": "b"}),
            "bad_arguments",
        ),
        (
            "expand",
            json!({"target": "src/main.rs", "lines": "x"}),
            "bad_lines",
        ),
    ] {
        let error = client.call(tool, arguments.clone()).unwrap_err();
        assert!(
            error.starts_with(&format!("{code}: ")),
            "{tool} {arguments}: {error}"
        );
        assert!(error.contains("\nnext: "), "{error}");
    }
}

#[test]
fn keep_results_within_10_000_bytes_unless_asked_for_more() {
    let project = project();
    let line = "the quick brown fox jumps over the lazy dog, said needle\n";
    std::fs::write(project.path().join("long.txt"), line.repeat(5_000)).unwrap();
    let mut client = Client::open(project.path(), &[], Era::Legacy);
    for (tool, arguments) in [
        ("search", json!({"queries": ["needle"]})),
        ("expand", json!({"target": "long.txt"})),
        ("compact", json!({"target": "long.txt"})),
        ("run", json!({"task": "needle quick brown fox"})),
    ] {
        let text = client.call(tool, arguments).unwrap();
        assert!(text.len() <= 10_000, "{tool}: {} bytes", text.len());
    }
    // A dry run's diff has no budget; what is cut off comes back.
    let new: String = (0..900).map(|n| format!("new line {n}\n")).collect();
    let edit = json!({"path": "new.txt", "edit": new, "dry_run": true});
    let text = client.call("apply", edit).unwrap();
    assert!(text.len() <= 10_000, "apply: {} bytes", text.len());
    assert!(text.contains("+new line 1\n"), "{text}");
    assert!(!text.contains("+new line 899\n"));
    let handle = text.trim_end().rsplit(' ').next().unwrap();
    let rest = json!({"target": handle, "budget": 9_000});
    let rest = client.call("expand", rest).unwrap();
    assert!(rest.contains("+new line 899\n"), "{rest}");
    let more = json!({"target": "long.txt", "budget": 20_000});
    let more = client.call("expand", more).unwrap();
    assert!(more.len() > 40_000, "{} bytes", more.len());
}
