//! `check`: commands that the user configured, or that a trusted workflow names.

use super::kind::{Context, Field, Fields, Gives, Inputs, Kind, field};
use crate::error::{Error, Result};
use crate::run::config::{Check, OnFailure};
use crate::run::edits::{roll_back, run_check};
use crate::run::task::parse_time;
use crate::run::workflow::types::Type;
use serde_json::{Value, json};
use std::time::Duration;

pub(super) const KIND: Kind = Kind {
    name: "check",
    fields,
    gives,
    check: None,
    alone: true,
    writes: true,
    trusted: Some("runs a command"),
    prepare: None,
    work,
    finish: Some(finish),
};

/// Time of a command of the workflow's own.
const TIME: Duration = Duration::from_secs(60);

fn fields() -> Vec<Field> {
    vec![
        field("checks", Type::list(Type::Text)),
        field("command", Type::list(Type::Text)),
        field("time", Type::Text),
        field("undo", Type::Text),
        field("must_pass", Type::Flag),
    ]
}

fn gives(_: &Fields) -> Gives {
    vec![
        ("ok", Type::Flag),
        ("text", Type::Text),
        ("failed", Type::Text),
    ]
}

/// The checks that are asked for; all that are configured where none is named.
fn asked(context: &Context<'_>, inputs: &Inputs) -> Result<Vec<Check>> {
    let command = inputs.texts("command");
    if !command.is_empty() {
        let time = inputs.text("time").map(parse_time).transpose()?;
        return Ok(vec![Check {
            name: command.join(" "),
            command,
            paths: Vec::new(),
            time: time.unwrap_or(TIME),
            on_failure: OnFailure::Keep,
        }]);
    }
    let configured = &context.config.checks;
    let names = inputs.texts("checks");
    if names.is_empty() {
        return Ok(configured.clone());
    }
    let find = |name: &String| {
        configured
            .iter()
            .find(|c| c.name == *name)
            .cloned()
            .ok_or_else(|| {
                Error::failure(
                    "unknown_check",
                    format!("No check {name:?} is configured."),
                    "Name a [[check]] of your trimtab.toml.",
                )
            })
    };
    names.iter().map(find).collect()
}

fn work(context: &Context<'_>, inputs: &Inputs) -> Result<Value> {
    let mut text = String::new();
    let mut failed = String::new();
    for check in asked(context, inputs)? {
        let done = run_check(context.root, &check, context.room, &context.cancel)?;
        let ended = if done.ok { "ok" } else { &done.ended };
        text.push_str(&format!("check `{}`: {ended}\n{}", done.name, done.output));
        if !done.ok {
            failed = done.name;
            break;
        }
    }
    Ok(json!({"ok": failed.is_empty(), "failed": failed, "text": text}))
}

/// Takes the edit back and fails, where that is asked for.
fn finish(context: &Context<'_>, inputs: &Inputs) -> Result<Value> {
    let mut done = context.before.clone();
    if done["ok"] == true {
        return Ok(done);
    }
    let mut what = format!(
        "The check `{}` failed",
        done["failed"].as_str().unwrap_or_default()
    );
    if let Some(undo) = inputs.text("undo") {
        let id = roll_back(context.root, undo)?;
        what.push_str(&format!(
            "; the edit was taken back (undo {id} brings it again)"
        ));
    }
    if inputs.flag("must_pass") {
        let text = done["text"].as_str().unwrap_or_default().trim_end();
        return Err(Error::failure(
            "check_failed",
            format!("{what}.\n{text}"),
            "Mend what it reports.",
        ));
    }
    let text = format!("{}{what}.\n", done["text"].as_str().unwrap_or_default());
    done["text"] = Value::from(text);
    Ok(done)
}
