//! JSON values as spans of the text that they stand in.
//!
//! A parsed value forgets how it was written: the order of its keys, blanks,
//! escapes, digits. What is shown of a text must be the text's own bytes, so
//! values are found, not rebuilt.

use serde::de::IgnoredAny;
use std::borrow::Cow;

/// A valid value, without blanks around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Json<'a>(&'a str);

/// An object's keys, decoded, and their values, in order.
#[derive(Debug, Default)]
pub struct Members<'a>(Vec<(Cow<'a, str>, Json<'a>)>);

impl<'a> Json<'a> {
    /// A text that is one value.
    pub fn new(text: &'a str) -> Option<Self> {
        serde_json::from_str::<IgnoredAny>(text).ok()?;
        Some(Self(text.trim_matches(BLANKS)))
    }

    /// The value as it is written.
    pub fn raw(self) -> &'a str {
        self.0
    }

    /// Whether it is `null`.
    pub fn is_null(self) -> bool {
        self.0 == "null"
    }

    /// A string, decoded; `None` for other values, and for a string of half characters.
    pub fn text(self) -> Option<Cow<'a, str>> {
        let inner = self.0.strip_prefix('"')?.strip_suffix('"')?;
        if inner.contains('\\') {
            serde_json::from_str(self.0).ok().map(Cow::Owned)
        } else {
            Some(Cow::Borrowed(inner))
        }
    }

    /// The elements of an array; `None` for other values.
    pub fn elements(self) -> Option<Vec<Json<'a>>> {
        let mut rest = self.0.strip_prefix('[')?;
        let mut out = Vec::new();
        while let Some((value, behind)) = first(rest) {
            out.push(value);
            rest = behind.trim_start_matches([',', ' ', '\t', '\n', '\r']);
        }
        Some(out)
    }

    /// The members of an object; `None` for other values.
    pub fn members(self) -> Option<Members<'a>> {
        let mut rest = self.0.strip_prefix('{')?;
        let mut out = Vec::new();
        while let Some((key, behind)) = first(rest) {
            let behind = behind.trim_start_matches(BLANKS).strip_prefix(':')?;
            let (value, behind) = first(behind)?;
            out.push((key.text().unwrap_or(Cow::Borrowed(key.0)), value));
            rest = behind.trim_start_matches([',', ' ', '\t', '\n', '\r']);
        }
        Some(Members(out))
    }
}

impl<'a> Members<'a> {
    /// The value of a key; the last one where it stands there twice.
    pub fn get(&self, key: &str) -> Option<Json<'a>> {
        self.0.iter().rev().find(|m| m.0 == key).map(|m| m.1)
    }

    /// The string of a key.
    pub fn text(&self, key: &str) -> Option<Cow<'a, str>> {
        self.get(key)?.text()
    }
}

const BLANKS: [char; 4] = [' ', '\t', '\n', '\r'];

/// The value that a text begins with, and what is behind it.
fn first(text: &str) -> Option<(Json<'_>, &str)> {
    let text = text.trim_start_matches(BLANKS);
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<IgnoredAny>();
    values.next()?.ok()?;
    let (value, rest) = text.split_at_checked(values.byte_offset())?;
    Some((Json(value), rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value;

    #[test]
    fn values_are_found_as_they_are_written() {
        let text = " { \"b\" : 1.50 ,\"a\":[ ] , \"\\u0063\": [\"x\\n\", null,{\"k\":\t\"]\"}] } ";
        let members = Json::new(text).unwrap().members().unwrap();
        assert_eq!(members.get("b").unwrap().raw(), "1.50");
        assert_eq!(members.get("a").unwrap().elements(), Some(Vec::new()));
        let list = members.get("c").unwrap().elements().unwrap();
        assert_eq!(list[0].text().unwrap(), "x\n");
        assert!(list[1].is_null());
        assert_eq!(list[2].raw(), "{\"k\":\t\"]\"}");
        let twice = Json::new("{\"a\":1,\"a\":2}").unwrap().members().unwrap();
        assert_eq!(twice.get("a").unwrap().raw(), "2");
        assert!(Json::new("{\"a\":1} x").is_none());
        assert!(Json::new("\"\\ud800\"").is_none_or(|j| j.text().is_none()));
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            "\\PC{0,6}|[\"\\\\\\n,:{}\\[\\] ]{0,6}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::vec(("[a-z\"\\\\,]{0,4}", inner), 0..4)
                    .prop_map(|m| Value::Object(m.into_iter().collect())),
            ]
        })
    }

    fn same(found: Json, value: &Value) {
        assert_eq!(&serde_json::from_str::<Value>(found.raw()).unwrap(), value);
        match value {
            Value::Array(list) => {
                let elements = found.elements().unwrap();
                assert_eq!(elements.len(), list.len());
                elements.iter().zip(list).for_each(|(f, v)| same(*f, v));
            }
            Value::Object(map) => {
                let members = found.members().unwrap();
                assert_eq!(members.0.len(), map.len());
                map.iter()
                    .for_each(|(k, v)| same(members.get(k).unwrap(), v));
            }
            Value::String(s) => assert_eq!(&found.text().unwrap(), s),
            _ => assert!(found.text().is_none()),
        }
    }

    proptest! {
        #[test]
        fn what_is_found_is_what_a_parser_reads(value in value(), wide in any::<bool>()) {
            let text = if wide {
                serde_json::to_string_pretty(&value).unwrap()
            } else {
                value.to_string()
            };
            same(Json::new(&text).unwrap(), &value);
        }
    }
}
