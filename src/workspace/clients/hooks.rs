//! The hook that passes long output of a client's shell through `compact`.
//!
//! Claude Code runs the commands listed under `hooks.PostToolUse` after a tool
//! has ended, gives them the call and its result as JSON, and takes a shortened
//! result from what they print. The command that ran and what the user allowed
//! stay as they are.

use super::change::FileChange;
use super::jsonc;
use super::setup::{Scope, Setup};
use crate::error::{Error, Result};
use serde::Deserialize;
use serde_json::{Value, json};
use std::path::PathBuf;

/// What tells our command in the list from those of others.
const OURS: &str = " hook claude";
const LIST: [&str; 2] = ["hooks", "PostToolUse"];

/// Where a client reads its hooks.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Files {
    /// For all projects: the first whose variable is set.
    user: Vec<String>,
    /// In a project.
    project: String,
}

/// The change that adds the hook to the client of this name, or with `setup.remove`
/// takes it out; none where it is right already.
pub(super) fn plan(files: &Files, setup: &Setup, name: &str) -> Result<Option<FileChange>> {
    let file = hook_file(files, setup).ok_or_else(|| {
        Error::failure(
            "no_home",
            format!("The settings folder of {name} is not known."),
            "Set HOME, or use `--project`.",
        )
    })?;
    let change = FileChange::of(file, |path, text| {
        if setup.remove && text.is_empty() {
            return Ok(None);
        }
        edit(text, setup).map(Some).map_err(|e| {
            Error::failure(
                "bad_config",
                format!(
                    "{} cannot be edited: line {} should hold {}.",
                    path.display(),
                    e.line,
                    e.expected
                ),
                "Mend the file, then run this again; nothing was changed.",
            )
        })
    })?;
    Ok(change.is_needed().then_some(change))
}

fn hook_file(files: &Files, setup: &Setup) -> Option<PathBuf> {
    match setup.scope {
        Scope::User => files.user.iter().find_map(|p| setup.places.expand(p)),
        Scope::Project => Some(setup.root.join(&files.project)),
    }
}

/// The list of hooks with ours at its end, or without it.
fn edit(text: &str, setup: &Setup) -> std::result::Result<String, jsonc::Malformed> {
    let before = match jsonc::get(text, &LIST) {
        Some(Value::Array(list)) => list,
        _ => Vec::new(),
    };
    let mut list: Vec<Value> = before.iter().filter(|h| !is_ours(h)).cloned().collect();
    if setup.remove {
        if list.len() == before.len() {
            return Ok(text.to_owned());
        }
        if list.is_empty() {
            let text = jsonc::remove(text, &LIST)?;
            let empty = jsonc::get(&text, &LIST[..1]) == Some(json!({}));
            return if empty {
                jsonc::remove(&text, &LIST[..1])
            } else {
                Ok(text)
            };
        }
    } else {
        let wanted = entry(&setup.command);
        if before.contains(&wanted) {
            return Ok(text.to_owned());
        }
        list.push(wanted);
    }
    jsonc::set(text, &LIST, &Value::Array(list))
}

fn entry(program: &str) -> Value {
    // The server that the client starts keeps its store by the same folder.
    let command = format!("\"{program}\"{OURS} --root \"$CLAUDE_PROJECT_DIR\"");
    json!({
        "matcher": "Bash",
        "hooks": [{"type": "command", "command": command, "timeout": 30}],
    })
}

fn is_ours(hook: &Value) -> bool {
    let commands = hook.get("hooks").and_then(Value::as_array);
    commands.into_iter().flatten().any(|h| {
        h.get("command")
            .and_then(Value::as_str)
            .is_some_and(|c| c.contains("trimtab") && c.contains(OURS))
    })
}

#[cfg(test)]
mod tests {
    use super::super::{Client, Places};
    use super::*;
    use std::fs;

    #[test]
    fn the_hook_is_added_once_beside_others_and_taken_out_again() {
        let dir = tempfile::tempdir().unwrap();
        let home = fs::canonicalize(dir.path()).unwrap();
        let file = home.join(".claude/settings.json");
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        let others = "{\n  \"model\": \"m\",\n  \"hooks\": {\n    \"PostToolUse\": [\n      {\n        \"matcher\": \"Edit\",\n        \"hooks\": []\n      }\n    ]\n  }\n}\n";
        let claude = Client::by_id("claude").unwrap();
        let places = Places::of_home(&home);
        let plan = |remove| {
            let setup = Setup {
                places: &places,
                root: &home,
                scope: Scope::User,
                command: "/a b/trimtab".into(),
                skill: false,
                remove,
            };
            claude.plan_hook(&setup).unwrap()
        };
        for before in [others, "{\n  \"model\": \"m\"\n}\n"] {
            fs::write(&file, before).unwrap();
            assert_eq!(plan(true), None);
            plan(false).unwrap().write().unwrap();
            let now: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
            assert_eq!(now["model"], "m");
            let list = now["hooks"]["PostToolUse"].as_array().unwrap();
            let command = &list.last().unwrap()["hooks"][0]["command"];
            assert_eq!(
                command,
                "\"/a b/trimtab\" hook claude --root \"$CLAUDE_PROJECT_DIR\""
            );
            assert_eq!(plan(false), None);
            plan(true).unwrap().write().unwrap();
            let after: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
            let before: Value = serde_json::from_str(before).unwrap();
            assert_eq!(after, before);
        }
    }

    #[test]
    fn clients_without_hooks_say_so() {
        let dir = tempfile::tempdir().unwrap();
        let places = Places::of_home(dir.path());
        let mut setup = Setup {
            places: &places,
            root: dir.path(),
            scope: Scope::Project,
            command: "trimtab".into(),
            skill: false,
            remove: false,
        };
        let codex = Client::by_id("codex").unwrap();
        assert_eq!(codex.plan_hook(&setup).unwrap_err().code, "no_hooks");
        setup.remove = true;
        assert_eq!(codex.plan_hook(&setup).unwrap(), None);
        // Nothing is made in order to take nothing out.
        let claude = Client::by_id("claude").unwrap();
        assert_eq!(claude.plan_hook(&setup).unwrap(), None);
    }
}
