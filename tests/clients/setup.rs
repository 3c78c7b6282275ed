//! `trimtab setup` and `doctor`: each client reads the configuration that setup wrote
//! and connects with it.

use crate::user::{TRIMTAB, User, installed, text};
use serde_json::{Value, json};

/// Sets the client up, lets it look for its servers, takes the entry out again.
fn connects(id: &str, program: &str, environment: &[(&str, &str)], sign: &str) {
    let Some(client) = installed(program) else {
        return;
    };
    let user = User::new();
    let written = user.trimtab(&["setup", id, "--yes"]);
    assert_eq!(written.status.code(), Some(0), "{}", text(&written));
    let list = || {
        let mut list = user.command(&client);
        list.args(["mcp", "list"]).envs(environment.iter().copied());
        text(&list.output().unwrap())
    };
    let listed = list();
    let line = listed
        .lines()
        .find(|l| l.contains("trimtab") && l.to_lowercase().contains(sign));
    assert!(line.is_some(), "{listed}");
    let removed = user.trimtab(&["setup", id, "--yes", "--remove"]);
    assert_eq!(removed.status.code(), Some(0), "{}", text(&removed));
    let listed = list();
    assert!(!listed.contains(TRIMTAB), "{listed}");
}

#[test]
fn claude_code_connects() {
    connects("claude", "claude", &[], "connected");
}

#[test]
fn codex_reads_the_entry() {
    // It does not connect before a session.
    connects("codex", "codex", &[], "enabled");
}

#[test]
fn opencode_connects() {
    connects("opencode", "opencode", &[], "connected");
}

#[test]
fn gemini_connects() {
    let trusted = [("GEMINI_CLI_TRUST_WORKSPACE", "true")];
    connects("gemini", "gemini", &trusted, "connected");
}

#[test]
fn inspector_lists_and_calls_in_both_eras() {
    let Some(inspector) = installed("mcp-inspector") else {
        return;
    };
    let user = User::new();
    let config = user.home().join("mcp.json");
    let server = json!({"mcpServers": {"trimtab":
        {"type": "stdio", "command": TRIMTAB, "args": ["mcp"]}}});
    std::fs::write(&config, server.to_string()).unwrap();
    let run = |era: &str, arguments: &[&str]| -> Value {
        let output = user
            .command(&inspector)
            .env("MCP_INSPECTOR_SECRET_STORE", "memory")
            .args(["--cli", "--server", "trimtab", "--format", "json"])
            .arg("--config")
            .arg(&config)
            .args(["--protocol-era", era])
            .args(arguments)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", text(&output));
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let call = |era: &str, tool: &str, arguments: Value| -> String {
        let arguments = arguments.to_string();
        let answer = run(
            era,
            &[
                "--method",
                "tools/call",
                "--tool-name",
                tool,
                "--tool-args-json",
                &arguments,
            ],
        );
        let result = answer.get("result").unwrap_or(&answer);
        result["content"][0]["text"].as_str().unwrap().to_owned()
    };
    for era in ["legacy", "modern"] {
        let listed = run(era, &["--method", "tools/list", "--strict"]).to_string();
        for tool in ["run", "search", "expand", "compact", "apply"] {
            assert!(listed.contains(&format!("\"name\":\"{tool}\"")), "{listed}");
        }
        let found = call(era, "search", json!({"queries": ["greet"]}));
        assert!(found.contains("fn greet() -> &'static str {"), "{found}");
        let short = call(era, "compact", json!({"target": "src/main.rs"}));
        assert!(short.contains("\"hello\""), "{short}");
        let ran = call(era, "run", json!({"task": "what does greet say?"}));
        assert!(ran.contains("src/main.rs"), "{ran}");
        let edit = "fn greet() -> &'static str {\n    \"good day\"\n}\n";
        let edit = json!({"path": "src/main.rs", "edit": edit, "dry_run": true});
        let shown = call(era, "apply", edit);
        assert!(shown.contains("+    \"good day\""), "{shown}");
    }
}

#[test]
fn setup_shows_the_change_and_does_not_write_unasked() {
    let user = User::new();
    let shown = user.trimtab(&["setup", "codex", "--skill"]);
    assert_eq!(shown.status.code(), Some(2));
    let shown = text(&shown);
    assert!(shown.contains("+[mcp_servers.trimtab]"), "{shown}");
    assert!(
        shown.contains("trimtab setup codex --yes --skill"),
        "{shown}"
    );
    assert!(!user.home().join(".codex").exists());
    let unknown = user.trimtab(&["setup", "emacs"]);
    assert_eq!(unknown.status.code(), Some(2));
    assert!(text(&unknown).contains("unknown_client"));
}

#[test]
fn doctor_names_the_command_that_mends() {
    let user = User::new();
    std::fs::create_dir_all(user.home().join(".cursor")).unwrap();
    let before = user.trimtab(&["doctor"]);
    assert!(
        text(&before).contains("mend: trimtab setup cursor"),
        "{}",
        text(&before)
    );
    user.trimtab(&["setup", "cursor", "--yes"]);
    let after = user.trimtab(&["doctor", "--json"]);
    assert_eq!(after.status.code(), Some(0));
    let findings: Value = serde_json::from_slice(&after.stdout).unwrap();
    let cursor = findings
        .as_array()
        .unwrap()
        .iter()
        .find(|f| f["what"] == "Cursor")
        .unwrap();
    assert_eq!(cursor["state"], "fine");
}

#[test]
fn completions_and_manual_are_printed() {
    let user = User::new();
    for shell in ["bash", "zsh", "fish", "powershell"] {
        let script = user.trimtab(&["completions", shell]);
        assert_eq!(script.status.code(), Some(0));
        assert!(text(&script).contains("doctor"), "{shell}");
    }
    let page = user.trimtab(&["man"]);
    assert!(text(&page).contains(".TH trimtab 1"));
    let page = user.trimtab(&["man", "apply"]);
    assert!(text(&page).contains("dry\\-run"), "{}", text(&page));
}
