//! `compact`: a text or a file in few tokens.

use super::kind::{BUDGET, Context, Field, Fields, Gives, Inputs, Kind, field, one_of};
use crate::compact::{Options, Size, compact_stored};
use crate::error::Result;
use crate::run::workflow::types::Type;
use crate::workspace::{Store, read_text};
use serde_json::{Value, json};

pub(super) const KIND: Kind = Kind {
    name: "compact",
    fields,
    gives,
    check: Some(|fields| one_of(fields, &["text", "path"])),
    alone: false,
    writes: false,
    trusted: None,
    prepare: None,
    work,
    finish: None,
};

fn fields() -> Vec<Field> {
    vec![
        field("text", Type::Prose),
        field("path", Type::Text),
        field("content", Type::Text),
        field("query", Type::Text),
        field("budget", Type::Number),
    ]
}

fn gives(_: &Fields) -> Gives {
    vec![
        ("text", Type::Text),
        ("tokens", Type::Number),
        ("handle", Type::Text),
    ]
}

fn work(context: &Context<'_>, inputs: &Inputs) -> Result<Value> {
    let path = inputs.text("path");
    let (text, label) = match path {
        Some(path) => {
            let path = context.root.resolve(path)?;
            (read_text(&path)?, path.rel)
        }
        None => (
            inputs.text("text").unwrap_or_default().to_string(),
            "workflow".to_string(),
        ),
    };
    let options = Options {
        kind: inputs.text("content").map(str::parse).transpose()?,
        file: path.map(String::from),
        query: inputs.text("query").unwrap_or_default().to_string(),
        size: Size::Budget(inputs.count("budget")?.unwrap_or(BUDGET)),
        ..Options::default()
    };
    let store = Store::for_root(context.root)?;
    let out = compact_stored(&text, &options, &store, &label)?;
    Ok(json!({"text": out.text, "tokens": out.tokens, "handle": out.handle.unwrap_or_default()}))
}
