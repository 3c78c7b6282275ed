//! The same for TOML as `jsonc` does for JSON.

use super::jsonc::Malformed;
use serde_json::Value;
use toml_edit::{DocumentMut, Item, Table, TableLike, Value as Toml};

type Result<T> = std::result::Result<T, Malformed>;

/// Sets `value` at `path`, making the tables on the way. Of a table that is
/// there already, only the keys that `value` names change.
pub(super) fn set(text: &str, path: &[&str], value: &Value) -> Result<String> {
    let mut document = parse(text)?;
    let mut table: &mut dyn TableLike = document.as_table_mut();
    for (depth, key) in path.iter().enumerate() {
        if !table.contains_key(key) {
            let mut new = Table::new();
            // Only the innermost table needs a header.
            new.set_implicit(depth + 1 < path.len());
            table.insert(key, Item::Table(new));
        }
        table = table
            .get_mut(key)
            .and_then(Item::as_table_like_mut)
            .ok_or(Malformed {
                line: line_of(text, key),
                expected: "a table",
            })?;
    }
    for (key, value) in value.as_object().into_iter().flatten() {
        let Some(new) = to_toml(value) else { continue };
        match table.get_mut(key).and_then(Item::as_value_mut) {
            Some(old) if to_json(old) == *value => {}
            Some(old) => {
                // The comment on its line stays.
                let decor = old.decor().clone();
                *old = new;
                *old.decor_mut() = decor;
            }
            None => {
                table.insert(key, Item::Value(new));
            }
        }
    }
    Ok(document.to_string())
}

/// Removes what is at `path`; the text as it was if there is nothing.
pub(super) fn remove(text: &str, path: &[&str]) -> Result<String> {
    let mut document = parse(text)?;
    let Some((last, parents)) = path.split_last() else {
        return Ok(text.to_owned());
    };
    let mut table: &mut dyn TableLike = document.as_table_mut();
    for key in parents {
        match table.get_mut(key).and_then(Item::as_table_like_mut) {
            Some(inner) => table = inner,
            None => return Ok(text.to_owned()),
        }
    }
    match table.remove(last) {
        Some(_) => Ok(document.to_string()),
        None => Ok(text.to_owned()),
    }
}

/// The value at `path`, if there is one that can be read.
pub(super) fn get(text: &str, path: &[&str]) -> Option<Value> {
    let document = parse(text).ok()?;
    let mut item = document.as_item();
    for key in path {
        item = item.get(key)?;
    }
    let table = item.as_table_like()?;
    let members = table.iter().filter_map(|(key, item)| {
        let value = item.as_value()?;
        Some((key.to_owned(), to_json(value)))
    });
    Some(Value::Object(members.collect()))
}

fn parse(text: &str) -> Result<DocumentMut> {
    text.parse().map_err(|e: toml_edit::TomlError| Malformed {
        line: e.span().map_or(1, |s| {
            text.as_bytes()
                .iter()
                .take(s.start)
                .filter(|b| **b == b'\n')
                .count()
                + 1
        }),
        expected: "valid TOML",
    })
}

fn line_of(text: &str, key: &str) -> usize {
    text.lines()
        .position(|l| l.contains(key))
        .map_or(1, |n| n + 1)
}

fn to_toml(value: &Value) -> Option<Toml> {
    match value {
        Value::String(s) => Some(s.as_str().into()),
        Value::Bool(b) => Some((*b).into()),
        Value::Number(n) => n.as_i64().map(Into::into),
        Value::Array(items) => {
            let items: Vec<Toml> = items.iter().filter_map(to_toml).collect();
            Some(Toml::Array(items.into_iter().collect()))
        }
        Value::Null | Value::Object(_) => None,
    }
}

/// As far as entries of servers go; what they do not hold becomes null.
fn to_json(value: &Toml) -> Value {
    match value {
        Toml::String(s) => s.value().as_str().into(),
        Toml::Boolean(b) => (*b.value()).into(),
        Toml::Integer(n) => (*n.value()).into(),
        Toml::Array(items) => items.iter().map(to_json).collect(),
        _ => Value::Null,
    }
}
