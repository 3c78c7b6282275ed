//! `expand`: lines, symbols, handles and folders, verbatim.

use super::kind::{BUDGET, Context, Field, Fields, Gives, Inputs, Kind, field, one_of};
use crate::error::{Error, Result};
use crate::run::expand::{ExpandOptions, expand, parse_span};
use crate::run::workflow::types::Type;
use crate::tokens;
use serde_json::{Value, json};

pub(super) const KIND: Kind = Kind {
    name: "expand",
    fields,
    gives,
    check: Some(|fields| one_of(fields, &["target", "targets"])),
    alone: false,
    writes: false,
    trusted: None,
    prepare: None,
    work,
    finish: None,
};

fn fields() -> Vec<Field> {
    vec![
        field("target", Type::Text),
        field("targets", Type::list(Type::Text)),
        field("lines", Type::Text),
        field("grep", Type::Text),
        field("budget", Type::Number),
    ]
}

fn gives(_: &Fields) -> Gives {
    vec![
        ("text", Type::Text),
        ("tokens", Type::Number),
        ("count", Type::Number),
    ]
}

fn work(context: &Context<'_>, inputs: &Inputs) -> Result<Value> {
    let mut targets = inputs.texts("targets");
    targets.extend(inputs.text("target").map(String::from));
    let mut lines = Vec::new();
    for range in inputs.text("lines").unwrap_or_default().split_whitespace() {
        lines.push(parse_span(range).ok_or_else(|| {
            Error::failure(
                "bad_lines",
                format!("{range:?} is no range of lines."),
                "Write it as 7 or 7-12.",
            )
        })?);
    }
    let mut left = inputs.count("budget")?.unwrap_or(BUDGET);
    let (mut text, mut count) = (String::new(), 0);
    for target in &targets {
        let options = ExpandOptions {
            lines: lines.clone(),
            grep: inputs.text("grep").map(String::from),
            budget: Some(left),
        };
        let part = match expand(context.root, target, &options, &context.cancel) {
            Ok(part) => part.render(),
            // What no longer fits is left out, unless it is all there is.
            Err(e) if e.code == "budget_too_small" && count > 0 => break,
            Err(e) => return Err(e),
        };
        left = left.saturating_sub(tokens::count(&part));
        text.push_str(&part);
        count += 1;
    }
    Ok(json!({"tokens": tokens::count(&text), "count": count, "text": text}))
}
