//! Small input schemas, and arguments checked against them.

use crate::error::{Error, Result};
use rmcp::model::JsonObject;
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Keywords that cost every session tokens and tell a model nothing: `minimum`
/// only ever says that a count is not negative.
const NOISE: [&str; 5] = ["$schema", "title", "format", "minimum", "default"];

/// The input schema of `T`: one flat object, without what [`NOISE`] names.
pub(super) fn of<T: JsonSchema>() -> JsonObject {
    let settings = SchemaSettings::draft2020_12().with(|s| s.inline_subschemas = true);
    let mut schema = settings.into_generator().into_root_schema_for::<T>();
    let object = schema.ensure_object();
    tidy(object);
    std::mem::take(object)
}

/// Removes the named properties.
pub(super) fn remove(schema: &mut JsonObject, names: &[&str]) {
    if let Some(Value::Object(properties)) = schema.get_mut("properties") {
        properties.retain(|name, _| !names.contains(&name.as_str()));
    }
}

fn tidy(schema: &mut JsonObject) {
    for key in NOISE {
        schema.remove(key);
    }
    // An optional argument is one that is not required; that it may also be
    // null need not be said.
    if let Some(Value::Array(types)) = schema.get_mut("type") {
        types.retain(|t| t != "null");
        if types.len() == 1 {
            let only = types.remove(0);
            schema.insert("type".into(), only);
        }
    }
    if let Some(Value::Array(any)) = schema.get_mut("anyOf") {
        any.retain(|s| s.get("type").is_none_or(|t| t != "null"));
        if any.len() == 1
            && let Value::Object(only) = any.remove(0)
        {
            schema.remove("anyOf");
            for (key, value) in only {
                schema.entry(key).or_insert(value);
            }
        }
    }
    if let Some(Value::Array(values)) = schema.get_mut("enum") {
        values.retain(|v| !v.is_null());
    }
    if let Some(Value::Object(properties)) = schema.get_mut("properties") {
        for property in properties.values_mut().filter_map(Value::as_object_mut) {
            tidy(property);
        }
    }
    if let Some(Value::Object(items)) = schema.get_mut("items") {
        tidy(items);
        // Unknown names are refused in any case.
        items.remove("additionalProperties");
    }
}

/// The arguments as `T`.
///
/// What a model meant is taken where it is beyond doubt: a number or a boolean
/// in quotes, a list in a string, one string instead of a list of one, `null`
/// for an argument that was left out.
///
/// # Errors
/// `bad_arguments` for anything else, unknown names included.
pub(super) fn parse<T: DeserializeOwned>(
    tool: &str,
    schema: &JsonObject,
    mut arguments: JsonObject,
) -> Result<T> {
    let none = JsonObject::new();
    let properties = schema
        .get("properties")
        .and_then(Value::as_object)
        .unwrap_or(&none);
    arguments.retain(|_, value| !value.is_null());
    for (name, value) in &mut arguments {
        if let Some(property) = properties.get(name) {
            coerce(property, value);
        }
    }
    let refuse = |what: String| {
        let required = schema.get("required").and_then(Value::as_array);
        let is_required = |name: &String| required.is_some_and(|r| r.iter().any(|n| n == name));
        let (mut names, optional): (Vec<_>, Vec<_>) =
            properties.keys().cloned().partition(is_required);
        names.extend(optional.into_iter().map(|name| name + "?"));
        Error::failure(
            "bad_arguments",
            format!("{tool}: {what}."),
            format!(
                "Call {tool} again with these arguments only: {}.",
                names.join(", ")
            ),
        )
    };
    if let Some(name) = arguments.keys().find(|k| !properties.contains_key(*k)) {
        return Err(refuse(format!("there is no argument `{name}`")));
    }
    T::deserialize(Value::Object(arguments)).map_err(|e| refuse(e.to_string()))
}

fn coerce(property: &Value, value: &mut Value) {
    let wanted = property.get("type").and_then(Value::as_str);
    let Value::String(text) = &*value else {
        return;
    };
    let meant = match wanted {
        Some("integer" | "boolean" | "number") => serde_json::from_str(text.trim()).ok(),
        Some("array") => {
            let holds_objects = property
                .pointer("/items/type")
                .is_some_and(|t| t == "object");
            match serde_json::from_str(text) {
                Ok(list @ Value::Array(_)) => Some(list),
                Ok(one @ Value::Object(_)) if holds_objects => Some(Value::Array(vec![one])),
                _ if holds_objects => None,
                _ => Some(Value::Array(vec![Value::String(text.clone())])),
            }
        }
        _ => None,
    };
    if let Some(meant) = meant {
        *value = meant;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;
    use serde_json::json;

    #[derive(Debug, PartialEq, Deserialize, JsonSchema)]
    #[serde(rename_all = "lowercase")]
    enum Mode {
        Auto,
        Regex,
    }

    #[derive(Debug, PartialEq, Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields)]
    struct Arguments {
        /// Patterns
        #[schemars(length(min = 1, max = 8))]
        queries: Vec<String>,
        mode: Option<Mode>,
        /// Tokens
        budget: Option<u32>,
        dry_run: Option<bool>,
    }

    fn parse_json(arguments: Value) -> Result<Arguments> {
        let Value::Object(arguments) = arguments else {
            unreachable!()
        };
        parse("search", &of::<Arguments>(), arguments)
    }

    #[test]
    fn schema_holds_what_a_model_needs() {
        assert_eq!(
            Value::Object(of::<Arguments>()),
            json!({
                "type": "object",
                "additionalProperties": false,
                "properties": {
                    "queries": {"type": "array", "items": {"type": "string"}, "minItems": 1,
                        "maxItems": 8, "description": "Patterns"},
                    "mode": {"type": "string", "enum": ["auto", "regex"]},
                    "budget": {"type": "integer", "description": "Tokens"},
                    "dry_run": {"type": "boolean"},
                },
                "required": ["queries"],
            })
        );
    }

    #[test]
    fn takes_what_was_meant() {
        let plain = parse_json(json!({"queries": ["a"], "budget": 5, "dry_run": true}));
        assert!(plain.is_ok());
        for meant in [
            json!({"queries": "a", "budget": "5", "dry_run": "true", "mode": null}),
            json!({"queries": "[\"a\"]", "budget": " 5", "dry_run": true}),
        ] {
            assert_eq!(parse_json(meant), plain);
        }
        // A pattern that happens to be JSON is still a pattern.
        let pattern = parse_json(json!({"queries": "{\"a\":1}"})).map(|a| a.queries);
        assert_eq!(pattern, Ok(vec!["{\"a\":1}".to_owned()]));
    }

    #[test]
    fn refuses_with_the_names_that_exist() {
        let refusal = |value| parse_json(value).map_err(|e| e.to_string()).unwrap_err();
        assert_eq!(
            refusal(json!({"queries": ["a"], "path": "x"})),
            "bad_arguments: search: there is no argument `path`.\n\
             next: Call search again with these arguments only: queries, budget?, dry_run?, mode?."
        );
        assert!(refusal(json!({})).contains("missing field `queries`"));
        assert!(refusal(json!({"queries": ["a"], "mode": "fuzzy"})).contains("`fuzzy`"));
        assert!(refusal(json!({"queries": ["a"], "budget": -1})).contains("`-1`"));
    }
}
