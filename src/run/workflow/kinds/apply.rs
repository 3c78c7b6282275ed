//! `apply`: snippets merged and written, all or nothing.
//!
//! The merge is written down before anything is written to the tree, and what is
//! written must come to the same bytes; so an apply happens once, whatever ends
//! the process.

use super::kind::{Context, Field, Fields, Gives, Inputs, Kind, field, one_of};
use crate::error::Result;
use crate::run::edits::{Merged, merge, pass, write};
use crate::run::journal::from_json;
use crate::run::task::Edit;
use crate::run::workflow::types::Type;
use serde_json::{Value, json};

pub(super) const KIND: Kind = Kind {
    name: "apply",
    fields,
    gives,
    check: Some(check),
    alone: true,
    writes: true,
    trusted: None,
    prepare: Some(prepare),
    work,
    finish: None,
};

fn fields() -> Vec<Field> {
    let edit = Type::record([("path", Type::Text), ("edit", Type::Text)]);
    vec![
        field("path", Type::Text),
        field("edit", Type::Text),
        field("edits", Type::list(edit)),
        field("dry_run", Type::Flag),
    ]
}

fn gives(_: &Fields) -> Gives {
    vec![
        ("files", Type::list(Type::Text)),
        ("changed", Type::Number),
        ("diff", Type::Text),
        ("text", Type::Text),
        ("undo", Type::Text),
    ]
}

fn check(fields: &Fields) -> std::result::Result<(), String> {
    if fields.contains_key("path") != fields.contains_key("edit") {
        return Err("`path` and `edit` belong together".into());
    }
    one_of(fields, &["edit", "edits"])
}

fn edits(inputs: &Inputs) -> Result<Vec<Edit>> {
    let mut edits: Vec<Edit> = match inputs.0.get("edits") {
        Some(edits) => from_json(edits.clone())?,
        None => Vec::new(),
    };
    if let Some(path) = inputs.text("path") {
        edits.push(Edit {
            path: path.into(),
            edit: inputs.text("edit").unwrap_or_default().into(),
        });
    }
    Ok(edits)
}

fn prepare(context: &Context<'_>, inputs: &Inputs) -> Result<Value> {
    crate::run::journal::to_json(&merge(context.root, &edits(inputs)?)?)
}

fn work(context: &Context<'_>, inputs: &Inputs) -> Result<Value> {
    let merged: Merged = from_json(context.before.clone())?;
    let files: Vec<&str> = merged.files.iter().map(|f| f.path.as_str()).collect();
    let mut undo = None;
    if !context.dry_run && !inputs.flag("dry_run") {
        if context.ask.is_some() && merged.changes() {
            pass(context.decided, context.number, &merged.diff)?;
        }
        undo = write(context.root, &edits(inputs)?, &merged, context.key)?.undo;
    }
    let mut lines = merged.lines.clone();
    match &undo {
        Some(id) => lines.push(format!("undo {id}")),
        None if merged.changes() => lines.push("nothing written".into()),
        None => {}
    }
    Ok(json!({
        "files": files, "changed": files.len(), "diff": merged.diff,
        "text": format!("{}\n", lines.join("\n")), "undo": undo.unwrap_or_default(),
    }))
}
