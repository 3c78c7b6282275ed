//! `gate`: waits until somebody lets the run pass.

use super::kind::{Context, Field, Fields, Gives, Inputs, Kind, field};
use crate::error::Result;
use crate::run::edits::pass;
use crate::run::workflow::types::Type;
use serde_json::{Value, json};

pub(super) const KIND: Kind = Kind {
    name: "gate",
    fields,
    gives,
    check: None,
    alone: true,
    writes: false,
    trusted: None,
    prepare: None,
    work,
    finish: None,
};

fn fields() -> Vec<Field> {
    vec![
        field("show", Type::Prose).needed(),
        field("expires", Type::Text),
    ]
}

fn gives(_: &Fields) -> Gives {
    vec![("approved", Type::Flag)]
}

fn work(context: &Context<'_>, inputs: &Inputs) -> Result<Value> {
    let shown = inputs.text("show").unwrap_or_default();
    pass(context.decided, context.number, shown)?;
    Ok(json!({"approved": true}))
}
