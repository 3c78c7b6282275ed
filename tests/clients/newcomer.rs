//! A newcomer's first minute, as the documentation shows it: set a client up, ask it
//! something, and be answered with what the server found. Two commands, of which what
//! goes to stdout is shown. To see them as they are now:
//! `cargo test --test clients newcomer -- --nocapture`.

use crate::model::Model;
use crate::session::Call;
use crate::user::{TRIMTAB, User, finish, installed, text};
use serde_json::json;
use std::fs;
use std::process::Command;

const QUESTION: &str = "what does greet say?";

/// A model that looks for the function, and quotes from it.
fn model() -> Model {
    let call = Call {
        tool: "search",
        arguments: json!({"queries": ["greet"]}),
    };
    Model::start_and_close(vec![call], |shown| {
        let quoted = shown.iter().flat_map(|text| text.lines()).find_map(|line| {
            let (_, rest) = line.split_once('"')?;
            Some(rest.split_once('"')?.0.to_owned())
        });
        match quoted {
            Some(words) => format!("greet says \"{words}\"."),
            None => "I found no such function.".to_owned(),
        }
    })
}

/// Takes both steps, and holds them against the documentation.
fn first_minute(user: &User, model: &Model, client: &str, shown: &str, ask: &mut Command) {
    // A newcomer works in a repository; Codex asks for one.
    let git = user.project().join(".git");
    fs::create_dir_all(git.join("objects")).unwrap();
    fs::create_dir_all(git.join("refs")).unwrap();
    fs::write(git.join("HEAD"), "ref: refs/heads/main\n").unwrap();
    let setup = user.trimtab(&["setup", client, "--yes"]);
    assert_eq!(setup.status.code(), Some(0), "{}", text(&setup));
    let answer = finish(ask);
    assert_eq!(answer.status.code(), Some(0), "{}", text(&answer));
    assert_eq!(model.seen().len(), 1, "{}", text(&answer));
    let said = |output: &[u8]| String::from_utf8_lossy(output).trim_end().to_owned();
    let transcript = format!(
        "```console\n$ trimtab setup {client} --yes\n{}\n$ {shown}\n{}\n```\n",
        said(&setup.stdout),
        said(&answer.stdout)
    )
    .replace(TRIMTAB, "/home/ada/.cargo/bin/trimtab")
    .replace(&user.home().display().to_string(), "/home/ada");
    println!("{transcript}");
    assert!(
        transcript.contains("\ngreet says \"hello\".\n"),
        "{}",
        text(&answer)
    );
    let docs = include_str!("../../docs/clients.md");
    assert!(
        docs.contains(&transcript),
        "docs/clients.md should show\n{transcript}"
    );
}

#[test]
fn newcomer_is_answered_in_claude_code() {
    let Some(program) = installed("claude") else {
        return;
    };
    let (user, model) = (User::new(), model());
    let mut ask = user.command(program);
    ask.env("ANTHROPIC_BASE_URL", model.url(""))
        .env("ANTHROPIC_API_KEY", "sk-ant-made-up")
        .env("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1")
        .env("DISABLE_AUTOUPDATER", "1")
        .args(["-p", QUESTION, "--allowedTools", "mcp__trimtab"]);
    let shown = format!("claude -p \"{QUESTION}\" --allowedTools mcp__trimtab");
    first_minute(&user, &model, "claude", &shown, &mut ask);
}

#[test]
fn newcomer_is_answered_in_codex() {
    let Some(program) = installed("codex") else {
        return;
    };
    let (user, model) = (User::new(), model());
    // Where the model is; nothing about what may run unasked.
    let provider = format!(
        "{{name = \"script\", base_url = \"{}\", wire_api = \"responses\", env_key = \"SCRIPT_KEY\"}}",
        model.url("/v1")
    );
    let mut ask = user.command(program);
    ask.env("SCRIPT_KEY", "made-up")
        .args(["exec", QUESTION])
        .args(["-c", "model=\"made-up\"", "-c", "model_provider=\"script\""])
        .args(["-c", &format!("model_providers.script={provider}")])
        .args(["-c", "check_for_update_on_startup=false"])
        .args(["-c", "analytics.enabled=false"]);
    let shown = format!("codex exec \"{QUESTION}\"");
    first_minute(&user, &model, "codex", &shown, &mut ask);
}
