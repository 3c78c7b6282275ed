//! An answer as JSON that a schema holds.

use super::ask::{Line, ask};
use super::client::Question;
use crate::error::{Error, Result};
use crate::run::retry::Attempt;
use serde_json::{Value, json};

/// Whether a schema is one; says what is wrong with it.
pub(in crate::run) fn sound_schema(schema: &Value) -> std::result::Result<(), String> {
    match jsonschema::validator_for(schema) {
        Ok(_) => Ok(()),
        Err(e) => Err(format!("its schema is none: {e}")),
    }
}

/// Asks for JSON that the schema holds. Where the answer does not match, the
/// validator's message goes back, once.
///
/// # Errors
/// `bad_answer` where the second one does not match either; as [`ask`].
pub(in crate::run) fn answer(
    on: &mut Line<'_>,
    system: &str,
    prompt: &str,
    schema: &Value,
    seed: &str,
) -> Result<Value> {
    let validator = jsonschema::validator_for(schema)
        .map_err(|e| Error::failure("bad_schema", format!("The schema is none: {e}."), ""))?;
    let more = json!({"response_format": {
        "type": "json_schema", "json_schema": {"name": "answer", "schema": schema},
    }});
    let rule = format!(
        "{system}\nAnswer with one JSON value that this schema holds, and nothing else: {schema}"
    );
    let mut messages = vec![
        json!({"role": "system", "content": rule.trim_start()}),
        json!({"role": "user", "content": prompt}),
    ];
    let mut wrong = String::new();
    for _ in 0..2 {
        let question = Question {
            messages: &messages,
            more: &more,
        };
        let message = ask(on, &question, seed)?;
        let text = message
            .get("content")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let checked = match serde_json::from_str::<Value>(bare(text)) {
            Ok(value) => match validator.validate(&value) {
                Ok(()) => return Ok(value),
                Err(e) => format!("{e} (at {:?})", e.instance_path().to_string()),
            },
            Err(e) => format!("it is no JSON: {e}"),
        };
        wrong = checked;
        on.log.push(Attempt {
            what: "answer".into(),
            error: wrong.clone(),
            waited: 0,
            tokens: 0,
        });
        messages.push(json!({"role": "assistant", "content": text}));
        messages.push(json!({"role": "user", "content": format!(
            "That does not match the schema: {wrong}. Answer again, with the JSON value alone."
        )}));
    }
    Err(Error::failure(
        "bad_answer",
        format!("The model's answer does not match the schema: {wrong}."),
        "Simplify the schema or the prompt.",
    ))
}

/// The answer without the fence that models like to put around JSON.
fn bare(text: &str) -> &str {
    let text = text.trim();
    let inner = text.strip_prefix("```").and_then(|t| t.strip_suffix("```"));
    match inner {
        Some(inner) => inner.strip_prefix("json").unwrap_or(inner).trim(),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fences_go() {
        for text in [
            "{\"a\":1}",
            " ```json\n{\"a\":1}\n``` ",
            "```\n{\"a\":1}```",
        ] {
            assert_eq!(bare(text), "{\"a\":1}");
        }
        assert!(sound_schema(&json!({"type": "object"})).is_ok());
        assert!(sound_schema(&json!({"type": "thing"})).is_err());
    }
}
