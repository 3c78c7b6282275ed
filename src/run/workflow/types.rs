//! The types of what goes from one step to another.

use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;

/// What a value is. Values themselves are JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Type {
    Text,
    Number,
    Flag,
    /// A span of a file; as a text `path:first-last`.
    Place,
    List(Box<Type>),
    Record(BTreeMap<String, Type>),
    /// As wanted: text for a reader, for which lists are put together line by line.
    Prose,
    /// As wanted: any value. As given: one of which nothing is known.
    Any,
}

impl Type {
    pub fn list(of: Type) -> Self {
        Type::List(Box::new(of))
    }

    pub fn record<'n>(fields: impl IntoIterator<Item = (&'n str, Type)>) -> Self {
        Type::Record(
            fields
                .into_iter()
                .map(|(name, t)| (name.to_string(), t))
                .collect(),
        )
    }

    /// Whether a value of type `given` may stand where this one is wanted.
    pub fn accepts(&self, given: &Type) -> bool {
        match (self, given) {
            (Type::Any, _) => true,
            (Type::Text, Type::Text | Type::Prose | Type::Number | Type::Flag | Type::Place) => {
                true
            }
            (Type::Prose, Type::List(of)) => self.accepts(of),
            (Type::Prose, Type::Record(_)) => false,
            (Type::Prose, _) => true,
            (Type::List(wanted), Type::List(given)) => wanted.accepts(given),
            (Type::Record(wanted), Type::Record(given)) => wanted
                .iter()
                .all(|(name, t)| given.get(name).is_some_and(|g| t.accepts(g))),
            (wanted, given) => wanted == given,
        }
    }

    /// The type of a part, such as the path of a place.
    pub fn part(&self, name: &str) -> Option<Type> {
        match self {
            Type::Record(fields) => fields.get(name).cloned(),
            Type::Place => match name {
                "path" | "symbol" => Some(Type::Text),
                "start" | "end" => Some(Type::Number),
                _ => None,
            },
            _ => None,
        }
    }

    /// The names of its parts.
    pub fn parts(&self) -> Vec<String> {
        match self {
            Type::Record(fields) => fields.keys().cloned().collect(),
            Type::Place => ["path", "symbol", "start", "end"]
                .map(String::from)
                .to_vec(),
            _ => Vec::new(),
        }
    }

    /// What stands for a value that there is not, because its step was not taken.
    pub fn empty(&self) -> Value {
        match self {
            Type::Text | Type::Prose => Value::from(""),
            Type::Number => Value::from(0),
            Type::Flag => Value::from(false),
            Type::List(_) => Value::Array(Vec::new()),
            Type::Place | Type::Any => Value::Null,
            Type::Record(fields) => fields
                .iter()
                .map(|(name, t)| (name.clone(), t.empty()))
                .collect(),
        }
    }

    /// Says where a value is not of this type, if anywhere.
    pub fn check(&self, value: &Value) -> Result<(), String> {
        let wrong = || Err(format!("it is not {self}"));
        match (self, value) {
            (Type::Any, _)
            | (Type::Text | Type::Prose, Value::String(_))
            | (Type::Number, Value::Number(_))
            | (Type::Flag, Value::Bool(_)) => Ok(()),
            (Type::Place, Value::Object(fields)) => {
                let line = |name: &str| fields.get(name).and_then(Value::as_u64);
                match (
                    fields.get("path").and_then(Value::as_str),
                    line("start"),
                    line("end"),
                ) {
                    (Some(path), Some(start), Some(end))
                        if !path.is_empty() && start >= 1 && start <= end =>
                    {
                        Ok(())
                    }
                    _ => wrong(),
                }
            }
            (Type::List(of), Value::Array(items)) => items
                .iter()
                .enumerate()
                .try_for_each(|(i, v)| of.check(v).map_err(|e| format!("item {}: {e}", i + 1))),
            (Type::Record(fields), Value::Object(given)) => {
                fields
                    .iter()
                    .try_for_each(|(name, t)| match given.get(name) {
                        Some(v) => t.check(v).map_err(|e| format!("`{name}`: {e}")),
                        None => Err(format!("`{name}` is missing")),
                    })
            }
            _ => wrong(),
        }
    }

    /// The type of what a JSON schema describes.
    #[cfg_attr(not(feature = "model"), allow(dead_code))]
    pub fn of_schema(schema: &Value) -> Self {
        match schema.get("type").and_then(Value::as_str) {
            Some("string") => Type::Text,
            Some("integer" | "number") => Type::Number,
            Some("boolean") => Type::Flag,
            Some("array") => Type::list(schema.get("items").map_or(Type::Any, Type::of_schema)),
            Some("object") => {
                let required: Vec<&str> = match schema.get("required").and_then(Value::as_array) {
                    Some(names) => names.iter().filter_map(Value::as_str).collect(),
                    None => Vec::new(),
                };
                // What need not be there cannot be relied on.
                let fields = schema.get("properties").and_then(Value::as_object);
                Type::Record(
                    fields
                        .into_iter()
                        .flatten()
                        .filter(|(name, _)| required.contains(&name.as_str()))
                        .map(|(name, s)| (name.clone(), Type::of_schema(s)))
                        .collect(),
                )
            }
            _ => Type::Any,
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Type::Text | Type::Prose => f.write_str("a text"),
            Type::Number => f.write_str("a number"),
            Type::Flag => f.write_str("true or false"),
            Type::Place => f.write_str("a place"),
            Type::List(of) => {
                f.write_str("a list of ")?;
                match &**of {
                    Type::Text | Type::Prose => f.write_str("texts"),
                    Type::Number => f.write_str("numbers"),
                    Type::Flag => f.write_str("flags"),
                    Type::Place => f.write_str("places"),
                    Type::List(_) => f.write_str("lists"),
                    Type::Record(_) => f.write_str("records"),
                    Type::Any => f.write_str("values"),
                }
            }
            Type::Record(fields) => {
                let names: Vec<&str> = fields.keys().map(String::as_str).collect();
                write!(f, "a record of {}", names.join(", "))
            }
            Type::Any => f.write_str("any value"),
        }
    }
}

/// A value as a text: places as `path:first-last`, lists line by line.
pub(super) fn to_text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(s) => s.clone(),
        Value::Array(items) => {
            let mut out = String::new();
            for item in items {
                if !out.is_empty() && !out.ends_with('\n') {
                    out.push('\n');
                }
                out.push_str(&to_text(item));
            }
            out
        }
        Value::Object(fields) => {
            let part = |name: &str| fields.get(name).map(to_text);
            match (part("path"), part("start"), part("end")) {
                (Some(path), Some(start), Some(end)) => format!("{path}:{start}-{end}"),
                _ => value.to_string(),
            }
        }
        other => other.to_string(),
    }
}

/// A value in the shape that is wanted.
pub(super) fn shaped(value: Value, wanted: &Type) -> Value {
    match (wanted, value) {
        (Type::Text | Type::Prose, Value::String(s)) => Value::String(s),
        (Type::Text | Type::Prose, other) => Value::String(to_text(&other)),
        (Type::List(of), Value::Array(items)) => {
            items.into_iter().map(|item| shaped(item, of)).collect()
        }
        (_, other) => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_fits_where() {
        let places = Type::list(Type::Place);
        let texts = Type::list(Type::Text);
        assert!(texts.accepts(&places) && !places.accepts(&texts));
        assert!(Type::Text.accepts(&Type::Number) && !Type::Number.accepts(&Type::Text));
        assert!(!Type::Text.accepts(&texts) && Type::Prose.accepts(&texts));
        assert!(!texts.accepts(&Type::Text));
        let two = Type::record([("a", Type::Text), ("b", Type::Flag)]);
        let one = Type::record([("a", Type::Text)]);
        assert!(one.accepts(&two) && !two.accepts(&one));
    }

    #[test]
    fn values_are_held_against_their_type() {
        let place = json!({"path": "a.rs", "start": 3, "end": 9, "symbol": ""});
        assert_eq!(Type::Place.check(&place), Ok(()));
        assert_eq!(to_text(&json!([place, "x\n", 7])), "a.rs:3-9\nx\n7");
        assert!(
            Type::Place
                .check(&json!({"path": "a.rs", "start": 9, "end": 3}))
                .is_err()
        );
        let t = Type::list(Type::record([("n", Type::Number)]));
        assert_eq!(t.check(&json!([{"n": 1}])), Ok(()));
        assert_eq!(
            t.check(&json!([{"n": 1}, {}])),
            Err("item 2: `n` is missing".into())
        );
        for t in [t, two_of_each()] {
            assert_eq!(t.check(&t.empty()), Ok(()));
        }
    }

    fn two_of_each() -> Type {
        Type::record([
            ("a", Type::Text),
            ("b", Type::Number),
            ("c", Type::Flag),
            ("d", Type::Any),
        ])
    }

    #[test]
    fn a_schema_has_a_type() {
        let schema = json!({
            "type": "object",
            "properties": {"kind": {"type": "string"}, "n": {"type": "integer"},
                "all": {"type": "array", "items": {"type": "string"}}},
            "required": ["kind", "all"],
        });
        let t = Type::of_schema(&schema);
        assert_eq!(t.part("kind"), Some(Type::Text));
        assert_eq!(t.part("all"), Some(Type::list(Type::Text)));
        assert_eq!(t.part("n"), None);
    }
}
