//! Coding agents with a scripted model: set up by `trimtab setup`, each calls the tools,
//! and the model is shown the very bytes that the server sent.

use crate::model::{CLOSING, Model};
use crate::session::{Call, calls, expected};
use crate::user::{User, finish, installed, text};
use serde_json::{Value, json};
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

fn write(user: &User, path: &str, content: &str) {
    let path = user.home().join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

fn set_up(user: &User, client: &str) {
    let output = user.trimtab(&["setup", client, "--yes"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
}

fn source(user: &User) -> String {
    fs::read_to_string(user.project().join("src/main.rs")).unwrap()
}

/// What came of a session with all calls, held against what the server says.
fn check(user: &User, model: &Model, output: &Output) {
    let log = text(output);
    assert_eq!(output.status.code(), Some(0), "{log}");
    assert!(log.contains(CLOSING), "{log}");
    let (seen, wanted) = (model.seen(), expected(&calls()));
    assert_eq!(seen.len(), wanted.len(), "{seen:#?}\n{log}");
    for ((call, seen), wanted) in calls().iter().zip(&seen).zip(&wanted) {
        let (tool, wanted) = (call.tool, wanted.trim_end());
        // One of them packs errors into a line of JSON.
        let packed = Value::from(wanted).to_string();
        assert!(
            seen.contains(wanted) || seen.contains(packed.trim_matches('"')),
            "{tool}: the model saw\n{seen}\nbut was sent\n{wanted}"
        );
    }
    assert!(seen[0].contains("fn greet() -> &'static str {"));
    assert!(seen[3].contains("good day"));
    assert!(seen[4].contains("no_such_file: "));
    assert!(source(user).contains("\"good day\""));
}

/// Claude Code with a model on loopback, for one answer.
pub fn claude(user: &User, model: &Model, program: &PathBuf) -> Command {
    let mut command = user.command(program);
    command
        .env("ANTHROPIC_BASE_URL", model.url(""))
        .env("ANTHROPIC_API_KEY", "sk-ant-made-up")
        .env("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1")
        .env("DISABLE_AUTOUPDATER", "1")
        .args(["-p", "go", "--output-format", "stream-json", "--verbose"]);
    command
}

#[test]
fn claude_code_shows_its_model_what_it_was_sent() {
    let Some(program) = installed("claude") else {
        return;
    };
    let (user, model) = (User::new(), Model::start(calls()));
    set_up(&user, "claude");
    let mut command = claude(&user, &model, &program);
    command.args(["--allowedTools", "mcp__trimtab"]);
    check(&user, &model, &finish(&mut command));
}

fn codex(user: &User, model: &Model, program: &PathBuf, approval: &str) -> Command {
    let settings = format!(
        "# mine\nmodel = \"made-up\"\nmodel_provider = \"script\"\napproval_policy = \"never\"\n\
         sandbox_mode = \"read-only\"\ncheck_for_update_on_startup = false\n\n\
         [analytics]\nenabled = false\n\n\
         [model_providers.script]\nname = \"script\"\nbase_url = \"{}\"\n\
         wire_api = \"responses\"\nenv_key = \"SCRIPT_KEY\"\n",
        model.url("/v1")
    );
    write(user, ".codex/config.toml", &settings);
    set_up(user, "codex");
    let file = user.home().join(".codex/config.toml");
    let settings = fs::read_to_string(&file).unwrap();
    let [before, entry] = settings
        .split("[mcp_servers.trimtab]\n")
        .collect::<Vec<_>>()[..]
    else {
        panic!("{settings}")
    };
    assert!(before.starts_with("# mine\n"), "{before}");
    let approval = format!("default_tools_approval_mode = \"{approval}\"\n");
    let settings = format!("{before}[mcp_servers.trimtab]\n{approval}{entry}");
    fs::write(&file, settings).unwrap();
    let mut command = user.command(program);
    command
        .env("SCRIPT_KEY", "made-up")
        .args(["exec", "--skip-git-repo-check", "--json", "go"]);
    command
}

#[test]
fn codex_shows_its_model_what_it_was_sent() {
    let Some(program) = installed("codex") else {
        return;
    };
    let (user, model) = (User::new(), Model::start(calls()));
    let output = finish(&mut codex(&user, &model, &program, "approve"));
    check(&user, &model, &output);
}

#[test]
fn codex_lets_the_hints_decide_what_runs_unasked() {
    let Some(program) = installed("codex") else {
        return;
    };
    let script: Vec<Call> = calls().into_iter().take(3).collect();
    let (user, model) = (User::new(), Model::start(script.clone()));
    let before = source(&user);
    let output = finish(&mut codex(&user, &model, &program, "auto"));
    let (seen, wanted) = (model.seen(), expected(&script));
    assert_eq!(seen.len(), 3, "{}", text(&output));
    // What only reads runs; what writes would have to be asked for.
    assert!(seen[0].contains(wanted[0].trim_end()), "{}", seen[0]);
    assert!(seen[1].contains(wanted[1].trim_end()), "{}", seen[1]);
    assert!(!seen[2].contains("1 hunk"), "{}", seen[2]);
    assert_eq!(source(&user), before);
}

#[test]
fn opencode_shows_its_model_what_it_was_sent() {
    let Some(program) = installed("opencode") else {
        return;
    };
    let (user, model) = (User::new(), Model::start(calls()));
    let settings = json!({
        "autoupdate": false, "share": "disabled", "permission": {"*": "allow"},
        "model": "script/made-up", "small_model": "script/made-up",
        "provider": {"script": {"npm": "@ai-sdk/openai-compatible", "name": "script",
            "options": {"baseURL": model.url("/v1"), "apiKey": "made-up"},
            "models": {"made-up": {"name": "made-up",
                "limit": {"context": 200_000, "output": 8_000}}}}}});
    let file = ".config/opencode/opencode.json";
    write(&user, file, &settings.to_string());
    set_up(&user, "opencode");
    let after = fs::read_to_string(user.home().join(file)).unwrap();
    let after: Value = serde_json::from_str(&after).unwrap();
    assert_eq!(after["provider"], settings["provider"]);
    let mut command = user.command(program);
    for off in [
        "AUTOUPDATE",
        "MODELS_FETCH",
        "LSP_DOWNLOAD",
        "DEFAULT_PLUGINS",
    ] {
        command.env(format!("OPENCODE_DISABLE_{off}"), "1");
    }
    command.args(["run", "--format", "json", "go"]);
    check(&user, &model, &finish(&mut command));
}

#[test]
fn gemini_shows_its_model_what_it_was_sent() {
    let Some(program) = installed("gemini") else {
        return;
    };
    let (user, model) = (User::new(), Model::start(calls()));
    let settings = json!({"security": {"auth": {"selectedType": "gemini-api-key"}},
        "privacy": {"usageStatisticsEnabled": false},
        "general": {"disableAutoUpdate": true, "enableAutoUpdate": false}});
    write(&user, ".gemini/settings.json", &settings.to_string());
    set_up(&user, "gemini");
    let mut command = user.command(program);
    command
        .env("GEMINI_CLI_TRUST_WORKSPACE", "true")
        .env("GEMINI_API_KEY", "made-up")
        .env("GOOGLE_GEMINI_BASE_URL", model.url(""))
        .args([
            "-m",
            "gemini-2.5-pro",
            "-p",
            "go",
            "--approval-mode",
            "yolo",
        ])
        .args(["--output-format", "stream-json"]);
    check(&user, &model, &finish(&mut command));
}
