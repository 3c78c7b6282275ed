//! Definitions told by the look of their line, for texts that no parser gets:
//! single lines of search results and diffs, and languages without a grammar.

use regex::Regex;
use std::sync::LazyLock;

/// A keyword that introduces a name, whatever modifiers stand in front.
static KEYWORD: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?x)^\s*
        (?:(?:export|default|pub(?:\([^)]*\))?|public|private|protected|internal|static|final|abstract|sealed|open|override|async|unsafe|extern(?:\ +\x22[^\x22]*\x22)?|const|inline|virtual|partial|data|readonly|declare|local|suspend|case|implicit|lazy|native|synchronized|friend|template\s*<[^>]*>)\ +)*
        (?P<keyword>fn|func|fun|function\*?|def|defp|defmodule|defmacro|class|struct|enum|union|trait|interface|protocol|impl|module|mod|namespace|object|record|type|typedef|macro_rules!|extension|sub|proc|\#define|actor|contract|message|service|package)
        \s*(?:<[^>]*>)?(?:\([^)]*\))?\s+(?:[\w.:<>&'\ ]*?\ for\ )?
        (?:self\.|[\w:]+::|\w+\.)?(?P<name>[A-Za-z_$][\w$]*)",
    )
    .ok()
});

/// `name = function`, `a.b = (x) =>`, `name: function`, `const name = async (`.
static ASSIGNED: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"^\s*(?:export\s+)?(?:const|let|var)?\s*(?:[\w$]+\.)*(?P<name>[A-Za-z_$][\w$]*)\s*[:=]\s*(?:async\s+)?(?:function\b|\([^()]*\)\s*(?::[^=]+)?=>|[\w$]+\s*=>|class\b|lambda\b)",
    )
    .ok()
});

/// `type name(args) {`, as C, C++, Java and C# write functions.
static TYPED: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"^\s*(?:@\w+(?:\([^)]*\))?\s+)*(?P<type>(?:[A-Za-z_<][\w:<>,.\[\]?&*]*\s+[*&]*|[*&]+)*)(?:[A-Za-z_]\w*::)*(?P<name>~?[A-Za-z_]\w*)\s*\([^;{]*\)?\s*(?:const|noexcept|override|throws\s[\w., ]+)?\s*(?P<open>\{?)\s*$",
    )
    .ok()
});

/// A top-level value that other code refers to.
static VALUE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"^(?:export\s+)?(?:pub(?:\([^)]*\))?\s+)?(?:static\s+|const\s+|let\s+|var\s+|val\s+|final\s+)+(?:mut\s+)?(?:[\w<>\[\],?.]+\s+)*(?P<name>[A-Za-z_$][\w$]*)\s*[:=;\[(]|^(?P<upper>[A-Z][A-Z0-9_]{2,})\s*(?::[^=]+)?=|^(?P<lower>[A-Za-z_]\w*)\s*(?::[^=]{1,60})?=\s",
    )
    .ok()
});

const CONTROL: [&str; 18] = [
    "if", "for", "while", "switch", "catch", "return", "else", "new", "do", "elif", "match",
    "unless", "until", "when", "case", "throw", "sizeof", "assert",
];

/// How a line defines a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Strength {
    /// A top-level value.
    Value,
    /// A function or method.
    Function,
    /// A type, module or other container.
    Container,
}

/// The name that a line defines, if it looks like a definition.
pub fn definition(line: &str) -> Option<(&str, Strength)> {
    let trimmed = line.trim_start();
    if trimmed.len() < 4
        || trimmed.starts_with(['#', '*', '}', '"', '\'', '-']) && !trimmed.starts_with("#define")
    {
        return None;
    }
    if trimmed.starts_with("//") || trimmed.starts_with("/*") || trimmed.starts_with("return ") {
        return None;
    }
    if let Some(c) = KEYWORD.as_ref().and_then(|r| r.captures(line)) {
        let keyword = c.name("keyword").map_or("", |m| m.as_str());
        let name = c.name("name")?.as_str();
        let rest = &line[c.get(0)?.end()..];
        // `type` and `object` are ordinary words elsewhere.
        let prose = matches!(
            keyword,
            "type"
                | "object"
                | "record"
                | "message"
                | "service"
                | "package"
                | "module"
                | "actor"
                | "extension"
                | "contract"
                | "union"
                | "case"
                | "sub"
        ) && !rest.trim_start().starts_with(['=', '{', '<', '(', ':'])
            && !rest.trim().is_empty()
            && !rest.trim_end().ends_with('{');
        if !prose {
            let strength = match keyword {
                "fn" | "func" | "fun" | "function" | "function*" | "def" | "defp" | "sub"
                | "proc" | "defmacro" => Strength::Function,
                "#define" | "package" => Strength::Value,
                _ => Strength::Container,
            };
            return Some((name, strength));
        }
    }
    if let Some(c) = ASSIGNED.as_ref().and_then(|r| r.captures(line)) {
        return Some((c.name("name")?.as_str(), Strength::Function));
    }
    if let Some(c) = TYPED.as_ref().and_then(|r| r.captures(line)) {
        let name = c.name("name")?.as_str();
        let kind = c.name("type").map_or("", |m| m.as_str().trim());
        let opens = c.name("open").is_some_and(|m| !m.as_str().is_empty());
        let first = kind.split_whitespace().next().unwrap_or("");
        if !CONTROL.contains(&name)
            && !CONTROL.contains(&first)
            && !kind.ends_with(['.', ','])
            && (opens || !kind.is_empty() && !line.starts_with([' ', '\t']))
        {
            return Some((name, Strength::Function));
        }
    }
    if let Some(c) = VALUE.as_ref().and_then(|r| r.captures(line)) {
        let name = c.name("name").or(c.name("upper")).or(c.name("lower"))?;
        return Some((name.as_str(), Strength::Value));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found() {
        for (line, name) in [
            ("pub fn merge(self) -> Self {", "merge"),
            ("    async def fetch(self):", "fetch"),
            ("class Foo(Bar):", "Foo"),
            ("export const load = async (x) => {", "load"),
            ("res.send = function send(body) {", "send"),
            ("void addOne(client *c, const char *s) {", "addOne"),
            (
                "  public <T> TypeAdapter<T> getAdapter(TypeToken<T> type) {",
                "getAdapter",
            ),
            ("impl<S> Display for Router<S> {", "Router"),
            ("func (s *Server) Serve(l net.Listener) error {", "Serve"),
            ("MAX_SIZE = 10", "MAX_SIZE"),
            (
                "zskiplistNode *zslInsert(zskiplist *zsl, double score, sds ele) {",
                "zslInsert",
            ),
        ] {
            assert_eq!(definition(line).map(|d| d.0), Some(name), "{line}");
        }
        for line in [
            "    if (x) {",
            "    return foo(bar)",
            "        call(a, b);",
            "// fn old() {",
            "} else if (y) {",
            "the type of the thing is unknown here",
        ] {
            assert_eq!(definition(line), None, "{line}");
        }
    }
}
