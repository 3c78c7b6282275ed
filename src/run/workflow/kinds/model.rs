//! `model`: an answer that a schema holds, from the endpoints that the user configured.

use super::kind::{Context, Field, Fields, Gives, Inputs, Kind, field};
use crate::error::Result;
use crate::run::model::{Line, answer, sound_schema};
use crate::run::workflow::types::{Type, to_text};
use serde_json::{Value, json};

pub(super) const KIND: Kind = Kind {
    name: "model",
    fields,
    gives,
    check: Some(check),
    alone: false,
    writes: false,
    trusted: Some("asks a model"),
    prepare: None,
    work,
    finish: None,
};

fn fields() -> Vec<Field> {
    vec![
        field("prompt", Type::Prose).needed(),
        field("system", Type::Prose),
        Field {
            verbatim: true,
            ..field("schema", Type::Any).needed()
        },
    ]
}

/// The answer as a `value` of the schema's type, and as JSON.
fn gives(fields: &Fields) -> Gives {
    let of = fields.get("schema").map_or(Type::Any, Type::of_schema);
    vec![("value", of), ("text", Type::Text)]
}

fn check(fields: &Fields) -> std::result::Result<(), String> {
    sound_schema(fields.get("schema").unwrap_or(&Value::Null))
}

fn work(context: &Context<'_>, inputs: &Inputs) -> Result<Value> {
    let value = answer(
        &mut Line {
            endpoints: &context.config.endpoints,
            spend: context.spend,
            cancel: &context.cancel,
            log: &mut context.log.borrow_mut(),
        },
        inputs.text("system").unwrap_or_default(),
        inputs.text("prompt").unwrap_or_default(),
        inputs.0.get("schema").unwrap_or(&Value::Null),
        context.key,
    )?;
    let text = match &value {
        Value::String(_) => to_text(&value),
        other => other.to_string(),
    };
    Ok(json!({"value": value, "text": text}))
}
