//! Definitions told by the look of their line, for texts that no parser gets:
//! single lines of search results and diffs, and languages without a grammar.

use regex::bytes::{Captures, Regex, RegexBuilder};
use std::sync::LazyLock;

/// A keyword that introduces a name, whatever modifiers stand in front.
static KEYWORD: LazyLock<Option<Regex>> = LazyLock::new(|| {
    pattern(
        r"(?x)^\s*
        (?:(?:export|default|pub(?:\([^)]*\))?|public|private|protected|internal|static|final|abstract|sealed|open|override|async|unsafe|extern(?:\ +\x22[^\x22]*\x22)?|const|inline|virtual|partial|data|readonly|declare|local|suspend|case|implicit|lazy|native|synchronized|friend|template\s*<[^>]*>)\ +)*
        (?P<keyword>fn|func|fun|function\*?|def|defp|defmodule|defmacro|class|struct|enum|union|trait|interface|protocol|impl|module|mod|namespace|object|record|type|typedef|macro_rules!|extension|sub|proc|\#define|actor|contract|message|service|package)
        \s*(?:<[^>]*>)?(?:\([^)]*\))?\s+(?:[\w.:<>&'\ ]*?\ for\ )?
        (?:self\.|[\w:]+::|[\w]+\.)?(?P<name>[A-Za-z_$][\w$]*)",
    )
});

/// `name = function`, `a.b = (x) =>`, `name: function`, `const name = async (`.
static ASSIGNED: LazyLock<Option<Regex>> = LazyLock::new(|| {
    pattern(
        r"^\s*(?:export\s+)?(?:const|let|var)?\s*(?:[\w$]+\.)*(?P<name>[A-Za-z_$][\w$]*)\s*[:=]\s*(?:async\s+)?(?:function\b|\([^()]*\)\s*(?::[^=]+)?=>|[\w$]+\s*=>|class\b|lambda\b)",
    )
});

/// `type name(args) {`, as C, C++, Java and C# write functions.
static TYPED: LazyLock<Option<Regex>> = LazyLock::new(|| {
    pattern(
        r"^\s*(?:@[\w]+(?:\([^)]*\))?\s+)*(?P<type>(?:[A-Za-z_<][\w:<>,.\[\]?&*]*\s+[*&]*|[*&]+)*)(?:[A-Za-z_][\w]*::)*(?P<name>~?[A-Za-z_][\w]*)\s*\([^;{]*\)?\s*(?:const|noexcept|override|throws\s[\w., ]+)?\s*(?P<open>\{?)\s*$",
    )
});

/// A top-level value that other code refers to.
static VALUE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    pattern(
        r"^(?:export\s+)?(?:pub(?:\([^)]*\))?\s+)?(?:static\s+|const\s+|let\s+|var\s+|val\s+|final\s+)+(?:mut\s+)?(?:[\w<>\[\],?.]+\s+)*(?P<name>[A-Za-z_$][\w$]*)\s*[:=;\[(]|^(?P<upper>[A-Z][A-Z0-9_]{2,})\s*(?::[^=]+)?=|^(?P<lower>[A-Za-z_][\w]*)\s*(?::[^=]{1,60})?=\s",
    )
});

/// Over bytes, since the classes of Unicode make automata a hundred times larger; what
/// is not ASCII is part of a word.
fn pattern(text: &str) -> Option<Regex> {
    RegexBuilder::new(&text.replace(r"\w", r"\w\x80-\xff"))
        .unicode(false)
        .build()
        .ok()
}

/// The groups of a pattern in a line. Most lines match none, and it takes less to know
/// that first.
fn captures<'l>(pattern: &Option<Regex>, line: &'l str) -> Option<Captures<'l>> {
    let pattern = pattern.as_ref()?;
    let found = pattern.is_match(line.as_bytes());
    found.then(|| pattern.captures(line.as_bytes())).flatten()
}

/// What a group of a pattern found in a line.
fn group<'l>(line: &'l str, found: &Captures, name: &str) -> Option<&'l str> {
    line.get(found.name(name)?.range())
}

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
    if let Some(c) = captures(&KEYWORD, line) {
        let keyword = group(line, &c, "keyword").unwrap_or("");
        let name = group(line, &c, "name")?;
        let rest = line.get(c.get(0)?.end()..)?;
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
    if let Some(c) = captures(&ASSIGNED, line) {
        return Some((group(line, &c, "name")?, Strength::Function));
    }
    if let Some(c) = captures(&TYPED, line) {
        let name = group(line, &c, "name")?;
        let kind = group(line, &c, "type").unwrap_or("").trim();
        let opens = group(line, &c, "open").is_some_and(|t| !t.is_empty());
        let first = kind.split_whitespace().next().unwrap_or("");
        if !CONTROL.contains(&name)
            && !CONTROL.contains(&first)
            && !kind.ends_with(['.', ','])
            && (opens || !kind.is_empty() && !line.starts_with([' ', '\t']))
        {
            return Some((name, Strength::Function));
        }
    }
    if let Some(c) = captures(&VALUE, line) {
        let name = ["name", "upper", "lower"].iter();
        let name = name.filter_map(|n| group(line, &c, n)).next()?;
        return Some((name, Strength::Value));
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
            ("def größe(self, maß):", "größe"),
            ("const années = async () => {", "années"),
            ("fn maß<T: Größe>(t: &T) {", "maß"),
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
