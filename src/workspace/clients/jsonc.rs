//! One member of a JSON file set or removed, and nothing else touched: comments,
//! order, indentation, trailing commas and line endings stay as they are.
//!
//! Takes what editors take: JSON with `//` and `/* */` comments and trailing
//! commas.

use serde_json::Value;
use std::ops::Range;

/// Containers nested deeper than this are refused rather than followed.
const DEEPEST: usize = 128;

/// Why a text cannot be edited: what was expected, and at which line (1-based).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Malformed {
    pub(super) line: usize,
    pub(super) expected: &'static str,
}

type Result<T> = std::result::Result<T, Malformed>;

struct Node {
    bytes: Range<usize>,
    kind: Kind,
}

enum Kind {
    Object(Object),
    Array(Vec<Node>),
    Scalar,
}

struct Object {
    members: Vec<Member>,
    /// Where the comma after the last member stands, if there is one.
    trailing_comma: Option<usize>,
}

struct Member {
    key: String,
    start: usize,
    value: Node,
}

/// Sets `value` at `path`, making the objects on the way. Of an object that is
/// there already, only the members that `value` names change.
pub(super) fn set(text: &str, path: &[&str], value: &Value) -> Result<String> {
    if is_blank(text) {
        let mut whole = value.clone();
        for key in path.iter().rev() {
            whole = Value::Object([((*key).to_owned(), whole)].into_iter().collect());
        }
        return Ok(render(&whole, "", "  ", "\n") + "\n");
    }
    let style = Style::of(text);
    let root = parse(text)?;
    match locate(text, &root, path)? {
        Place::Missing { object, rest } => {
            let mut value = value.clone();
            for key in rest[1..].iter().rev() {
                value = Value::Object([((*key).to_owned(), value)].into_iter().collect());
            }
            Ok(insert(text, object, rest[0], &value, &style))
        }
        Place::Found { member, .. } => match (&member.value.kind, value) {
            (Kind::Object(_), Value::Object(wanted)) => {
                let mut text = text.to_owned();
                for (key, value) in wanted {
                    text = set(&text, &[path, &[key.as_str()]].concat(), value)?;
                }
                Ok(text)
            }
            _ if to_value(text, &member.value).as_ref() == Some(value) => Ok(text.to_owned()),
            _ => {
                let indent = line_indent(text, member.start);
                let new = render(value, indent, &style.unit, style.newline);
                Ok(splice(text, member.value.bytes.clone(), &new))
            }
        },
    }
}

/// Removes what is at `path`; the text as it was if there is nothing.
pub(super) fn remove(text: &str, path: &[&str]) -> Result<String> {
    if is_blank(text) {
        return Ok(text.to_owned());
    }
    let root = parse(text)?;
    let Place::Found { object, index, .. } = locate(text, &root, path)? else {
        return Ok(text.to_owned());
    };
    let Kind::Object(Object {
        members,
        trailing_comma,
    }) = &object.kind
    else {
        return Ok(text.to_owned());
    };
    let member = &members[index];
    let end = member.value.bytes.end;
    let range = match (members.get(index + 1), index.checked_sub(1)) {
        // Up to the next member, so that the comments after the comma go with
        // the line they stand on.
        (Some(next), _) => {
            let comma = find_comma(text, end).map_or(end, |c| c + 1);
            let line_end = text[comma..next.start]
                .find('\n')
                .map_or(next.start, |n| comma + n + 1);
            let own_line = text[..member.start]
                .rfind('\n')
                .map_or(0, |n| n + 1)
                .max(object.bytes.start + 1);
            if text[own_line..member.start].trim().is_empty() && line_end <= next.start {
                own_line..line_end
            } else {
                member.start..next.start
            }
        }
        (None, Some(before)) => {
            // The comma before goes too, unless one may end the object.
            let before_end = members[before].value.bytes.end;
            let comma = find_comma(text, before_end).unwrap_or(before_end);
            match trailing_comma {
                Some(own) => {
                    let start = text[..member.start]
                        .rfind('\n')
                        .map_or(member.start, |n| n)
                        .max(comma + 1);
                    start..own + 1
                }
                None => {
                    let start = text[comma..member.start].rfind('\n').map(|n| comma + n);
                    return Ok(match start {
                        Some(start) if start > comma + 1 => {
                            let start = start - usize::from(text[..start].ends_with('\r'));
                            splice(&splice(text, start..end, ""), comma..comma + 1, "")
                        }
                        _ => splice(text, comma..end, ""),
                    });
                }
            }
        }
        (None, None) => {
            let end = trailing_comma.map_or(end, |c| c + 1);
            let inside = object.bytes.start + 1..object.bytes.end.saturating_sub(1);
            if text[inside.start..member.start].trim().is_empty()
                && text[end..inside.end].trim().is_empty()
            {
                inside
            } else {
                member.start..end
            }
        }
    };
    Ok(splice(text, range, ""))
}

/// The value at `path`, if there is one that can be read.
pub(super) fn get(text: &str, path: &[&str]) -> Option<Value> {
    let root = parse(text).ok()?;
    match locate(text, &root, path).ok()? {
        Place::Found { member, .. } => to_value(text, &member.value),
        Place::Missing { .. } => None,
    }
}

enum Place<'a> {
    Found {
        object: &'a Node,
        index: usize,
        member: &'a Member,
    },
    /// `rest` is never empty: the keys to be made in `object`.
    Missing {
        object: &'a Node,
        rest: &'a [&'a str],
    },
}

fn locate<'a>(text: &str, root: &'a Node, path: &'a [&'a str]) -> Result<Place<'a>> {
    let mut object = root;
    let mut at = 0;
    loop {
        let Kind::Object(Object { members, .. }) = &object.kind else {
            return Err(malformed(text, object.bytes.start, "an object"));
        };
        // Of members of one name the last one counts, as in every JSON reader.
        let Some(index) = members.iter().rposition(|m| path.get(at) == Some(&&*m.key)) else {
            let rest = path.get(at..).unwrap_or_default();
            return Ok(Place::Missing { object, rest });
        };
        let member = &members[index];
        at += 1;
        if at == path.len() {
            return Ok(Place::Found {
                object,
                index,
                member,
            });
        }
        object = &member.value;
    }
}

struct Style {
    unit: String,
    newline: &'static str,
}

impl Style {
    fn of(text: &str) -> Self {
        let unit = text.lines().find_map(|line| {
            let indent = &line[..line.len() - line.trim_start().len()];
            let is_code = !line.trim_start().starts_with(['/', '*']);
            (!indent.is_empty() && is_code && !line.trim().is_empty()).then(|| indent.to_owned())
        });
        Self {
            unit: unit.unwrap_or_else(|| "  ".to_owned()),
            newline: if text.contains("\r\n") { "\r\n" } else { "\n" },
        }
    }
}

fn insert(text: &str, object: &Node, key: &str, value: &Value, style: &Style) -> String {
    let Kind::Object(Object {
        members,
        trailing_comma,
    }) = &object.kind
    else {
        return text.to_owned();
    };
    let key = Value::from(key).to_string();
    let own_indent = line_indent(text, object.bytes.start);
    let newline = style.newline;
    let Some(last) = members.last() else {
        let indent = format!("{own_indent}{}", style.unit);
        let value = render(value, &indent, &style.unit, newline);
        let inside = object.bytes.start + 1..object.bytes.end - 1;
        let kept = text[inside.clone()].trim_end();
        let new = format!("{kept}{newline}{indent}{key}: {value}{newline}{own_indent}");
        return splice(text, inside, &new);
    };
    let one_line = !text[object.bytes.clone()].contains('\n');
    let (lead, value) = if one_line {
        (" ".to_owned(), value.to_string())
    } else {
        let indent = line_indent(text, last.start);
        let value = render(value, indent, &style.unit, newline);
        (format!("{newline}{indent}"), value)
    };
    match trailing_comma {
        Some(comma) => {
            // After a comment on the same line, which belongs to the last member.
            let at = comma + 1 + same_line_comment(&text[comma + 1..object.bytes.end - 1]);
            splice(text, at..at, &format!("{lead}{key}: {value},"))
        }
        None => {
            let end = last.value.bytes.end;
            let at = end + same_line_comment(&text[end..object.bytes.end - 1]);
            let text = splice(text, at..at, &format!("{lead}{key}: {value}"));
            splice(&text, end..end, ",")
        }
    }
}

/// Bytes of the rest of the line if it holds nothing but a comment.
fn same_line_comment(rest: &str) -> usize {
    let line = rest.split('\n').next().unwrap_or_default().trim_end();
    let comment = line.trim_start();
    let whole = comment.starts_with("//") || comment.starts_with("/*") && comment.ends_with("*/");
    if whole { line.len() } else { 0 }
}

fn render(value: &Value, indent: &str, unit: &str, newline: &str) -> String {
    let inner = format!("{indent}{unit}");
    match value {
        Value::Object(members) if !members.is_empty() => {
            let members: Vec<String> = members
                .iter()
                .map(|(key, value)| {
                    let value = render(value, &inner, unit, newline);
                    format!("{inner}{}: {value}", Value::from(key.as_str()))
                })
                .collect();
            let members = members.join(&format!(",{newline}"));
            format!("{{{newline}{members}{newline}{indent}}}")
        }
        // Lists of arguments read best on one line.
        Value::Array(items) => {
            let items: Vec<String> = items
                .iter()
                .map(|i| render(i, &inner, unit, newline))
                .collect();
            format!("[{}]", items.join(", "))
        }
        scalar => scalar.to_string(),
    }
}

fn splice(text: &str, range: Range<usize>, new: &str) -> String {
    format!("{}{new}{}", &text[..range.start], &text[range.end..])
}

fn line_indent(text: &str, at: usize) -> &str {
    let start = text[..at].rfind('\n').map_or(0, |n| n + 1);
    let line = &text[start..];
    &line[..line.len() - line.trim_start_matches([' ', '\t']).len()]
}

fn is_blank(text: &str) -> bool {
    text.trim_start_matches('\u{feff}').trim().is_empty()
}

fn malformed(text: &str, at: usize, expected: &'static str) -> Malformed {
    let line = text.as_bytes()[..at.min(text.len())]
        .iter()
        .filter(|b| **b == b'\n')
        .count()
        + 1;
    Malformed { line, expected }
}

fn to_value(text: &str, node: &Node) -> Option<Value> {
    match &node.kind {
        Kind::Object(object) => object
            .members
            .iter()
            .map(|m| Some((m.key.clone(), to_value(text, &m.value)?)))
            .collect::<Option<serde_json::Map<_, _>>>()
            .map(Value::Object),
        Kind::Array(items) => items
            .iter()
            .map(|i| to_value(text, i))
            .collect::<Option<Vec<_>>>()
            .map(Value::Array),
        Kind::Scalar => serde_json::from_str(&text[node.bytes.clone()]).ok(),
    }
}

fn find_comma(text: &str, from: usize) -> Option<usize> {
    let at = Parser { text, at: from }.skipped().ok()?;
    text[at..].starts_with(',').then_some(at)
}

fn parse(text: &str) -> Result<Node> {
    let mut parser = Parser {
        text,
        at: if text.starts_with('\u{feff}') { 3 } else { 0 },
    };
    let root = parser.value(0)?;
    if parser.skip()? {
        return Err(malformed(text, parser.at, "the end"));
    }
    Ok(root)
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn fail<T>(&self, expected: &'static str) -> Result<T> {
        Err(malformed(self.text, self.at, expected))
    }

    /// Goes over blanks and comments; whether anything is left.
    fn skip(&mut self) -> Result<bool> {
        loop {
            let rest = &self.text[self.at..];
            let blank = rest.len() - rest.trim_start().len();
            if blank > 0 {
                self.at += blank;
            } else if rest.starts_with("//") {
                self.at += rest.find('\n').unwrap_or(rest.len());
            } else if rest.starts_with("/*") {
                match rest.find("*/") {
                    Some(end) => self.at += end + 2,
                    None => return self.fail("the end of a comment"),
                }
            } else {
                return Ok(!rest.is_empty());
            }
        }
    }

    fn skipped(mut self) -> Result<usize> {
        self.skip()?;
        Ok(self.at)
    }

    fn value(&mut self, depth: usize) -> Result<Node> {
        if depth > DEEPEST {
            return self.fail("less nesting");
        }
        self.skip()?;
        let start = self.at;
        let kind = match self.peek() {
            Some(b'{') => Kind::Object(self.object(depth)?),
            Some(b'[') => Kind::Array(self.array(depth)?),
            Some(b'"') => {
                self.string()?;
                Kind::Scalar
            }
            _ => {
                let rest = &self.text[start..];
                let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || "+-.".contains(c)));
                self.at += end.unwrap_or(rest.len());
                let word = &self.text[start..self.at];
                if serde_json::from_str::<Value>(word).is_err() {
                    self.at = start;
                    return self.fail("a value");
                }
                Kind::Scalar
            }
        };
        Ok(Node {
            bytes: start..self.at,
            kind,
        })
    }

    /// Goes over a string and returns what it says.
    fn string(&mut self) -> Result<String> {
        let start = self.at;
        if self.peek() != Some(b'"') {
            return self.fail("a string");
        }
        self.at += 1;
        while let Some(byte) = self.peek() {
            self.at += match byte {
                b'\\' => 2,
                b'"' => {
                    self.at += 1;
                    let said = serde_json::from_str(&self.text[start..self.at]);
                    return said.or_else(|_| self.fail("a valid string"));
                }
                b'\n' => return self.fail("the end of a string"),
                _ => 1,
            };
        }
        self.at = start;
        self.fail("the end of a string")
    }

    /// After an item: whether another one follows, and where the comma stood
    /// if it was the last one.
    fn comma(&mut self, close: u8) -> Result<(bool, Option<usize>)> {
        self.skip()?;
        let comma = (self.peek() == Some(b',')).then_some(self.at);
        if comma.is_some() {
            self.at += 1;
            self.skip()?;
        }
        if self.peek() == Some(close) {
            self.at += 1;
            return Ok((false, comma));
        }
        if comma.is_none() {
            return self.fail("a comma or a bracket");
        }
        Ok((true, None))
    }

    fn object(&mut self, depth: usize) -> Result<Object> {
        let mut members = Vec::new();
        self.at += 1;
        self.skip()?;
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(Object {
                members,
                trailing_comma: None,
            });
        }
        loop {
            self.skip()?;
            let start = self.at;
            let key = self.string()?;
            self.skip()?;
            if self.peek() != Some(b':') {
                return self.fail("a colon");
            }
            self.at += 1;
            let value = self.value(depth + 1)?;
            members.push(Member { key, start, value });
            let (more, trailing_comma) = self.comma(b'}')?;
            if !more {
                return Ok(Object {
                    members,
                    trailing_comma,
                });
            }
        }
    }

    fn array(&mut self, depth: usize) -> Result<Vec<Node>> {
        let mut items = Vec::new();
        self.at += 1;
        self.skip()?;
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(items);
        }
        loop {
            items.push(self.value(depth + 1)?);
            if !self.comma(b']')?.0 {
                return Ok(items);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    const PATH: [&str; 2] = ["mcpServers", "trimtab"];

    fn entry() -> Value {
        json!({"args": ["mcp"], "command": "trimtab"})
    }

    #[test]
    fn makes_a_file() {
        insta::assert_snapshot!(set("", &PATH, &entry()).unwrap(), @r#"
        {
          "mcpServers": {
            "trimtab": {
              "args": ["mcp"],
              "command": "trimtab"
            }
          }
        }
        "#);
    }

    #[test]
    fn keeps_comments_order_and_style() {
        let text = "// My settings.\n{\n\t\"theme\": \"dark\", // not light\n\t\"mcpServers\": {\n\t\t/* the \
                    first */\n\t\t\"other\": { \"command\": \"x\" }, // kept\n\t},\n}\n";
        let set = set(text, &PATH, &entry()).unwrap();
        insta::assert_snapshot!(set, @r#"
        // My settings.
        {
        	"theme": "dark", // not light
        	"mcpServers": {
        		/* the first */
        		"other": { "command": "x" }, // kept
        		"trimtab": {
        			"args": ["mcp"],
        			"command": "trimtab"
        		},
        	},
        }
        "#);
        assert_eq!(remove(&set, &PATH).unwrap(), text);
    }

    #[test]
    fn changes_only_what_differs() {
        let text = r#"{"mcpServers": {"trimtab": {"command": "old", /* mine */ "timeout": 5, "args": ["mcp"]}}}"#;
        let new = set(text, &PATH, &entry()).unwrap();
        assert_eq!(new, text.replace("old", "trimtab"));
        assert_eq!(set(&new, &PATH, &entry()).unwrap(), new);
    }

    #[test]
    fn stays_on_one_line_where_the_object_is() {
        let text = "{\r\n  \"a\": 1,\r\n  \"mcpServers\": {\"x\": {}}\r\n}\r\n";
        let new = set(text, &PATH, &json!({"command": "t"})).unwrap();
        assert_eq!(
            new,
            text.replace("{}}", "{}, \"trimtab\": {\"command\":\"t\"}}")
        );
        assert_eq!(remove(&new, &PATH).unwrap(), text);
        let new = set(text, &["b", "c"], &json!(1)).unwrap();
        assert_eq!(
            new,
            text.replace("}\r\n}", "},\r\n  \"b\": {\r\n    \"c\": 1\r\n  }\r\n}")
        );
    }

    #[test]
    fn removes_from_any_place() {
        for (text, expected) in [
            ("{\"a\": 1}", "{}"),
            ("{\n  \"a\": 1\n}\n", "{}\n"),
            (
                "{\n  \"a\": 1, // one\n  \"b\": 2\n}\n",
                "{\n  \"b\": 2\n}\n",
            ),
            (
                "{\n  \"b\": 2, // two\n  \"a\": 1\n}\n",
                "{\n  \"b\": 2 // two\n}\n",
            ),
            ("{\n  \"b\": 2,\n  \"a\": 1,\n}\n", "{\n  \"b\": 2,\n}\n"),
            ("{\"b\": 2, \"a\": 1}", "{\"b\": 2}"),
            ("{\"a\": 1, \"b\": 2}", "{\"b\": 2}"),
            ("{ \"b\": 2 }", "{ \"b\": 2 }"),
        ] {
            assert_eq!(remove(text, &["a"]).unwrap(), expected, "{text}");
        }
    }

    #[test]
    fn refuses_what_is_not_json() {
        for (text, line) in [
            ("{\n\"a\" 1}", 2),
            ("[1, 2]", 1),
            ("{\"a\": tru}", 1),
            ("{\"a\": 1} x", 1),
            ("{\n\n\"a\": \"", 3),
            ("{\"mcpServers\": []}", 1),
            ("/* {", 1),
        ] {
            assert_eq!(
                set(text, &PATH, &entry()).map_err(|e| e.line),
                Err(line),
                "{text}"
            );
        }
        assert!(set(&"[".repeat(100_000), &PATH, &entry()).is_err());
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i32>().prop_map(Value::from),
            "[a-z\"\\\\/{}\\[\\],: \n]{0,6}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("[ab\"/,{]{1,2}", inner, 0..4)
                    .prop_map(|m| Value::Object(m.into_iter().collect())),
            ]
        })
    }

    proptest! {
        /// The rest of the file says the same as before, and removing gives the
        /// file back, whatever the file.
        #[test]
        fn touches_nothing_else(
            servers in prop::collection::btree_map("[ab\"/,{]{1,2}", any_json(), 1..4),
            pretty in any::<bool>(),
        ) {
            let whole = json!({"a": 1, "mcpServers": Value::Object(servers.into_iter().collect()), "z": 2});
            let text = if pretty { format!("{whole:#}") } else { whole.to_string() };
            let new = set(&text, &PATH, &entry()).unwrap();
            let mut expected = whole;
            expected["mcpServers"]["trimtab"] = entry();
            prop_assert_eq!(serde_json::from_str::<Value>(&new).unwrap(), expected);
            prop_assert_eq!(get(&new, &PATH), Some(entry()));
            prop_assert_eq!(set(&new, &PATH, &entry()).unwrap(), new.clone());
            prop_assert_eq!(remove(&new, &PATH).unwrap(), text);
        }

        #[test]
        fn never_panics(text in "[{}\\[\\]\",:/* \n\\\\a1é]{0,40}") {
            let _ = set(&text, &PATH, &entry());
            let _ = remove(&text, &PATH);
        }
    }
}
