//! Queries made ready to match.

use super::request::{Case, Mode, Request};
use crate::error::{Error, Result};
use grep_matcher::Matcher;
use grep_regex::{RegexMatcher, RegexMatcherBuilder};
use regex_syntax::ParserBuilder;
use regex_syntax::hir::Hir;

/// What a query is matched as, once [`Mode::Auto`] has been decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A regular expression.
    Regex,
    /// A literal text.
    Literal,
    /// Plain words, ranked; never matched line by line.
    Words,
    /// A name.
    Symbol,
}

impl Kind {
    /// Its name in results.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Regex => "regex",
            Kind::Literal => "literal",
            Kind::Words => "words",
            Kind::Symbol => "symbol",
        }
    }
}

/// One query with its matcher.
#[derive(Debug, Clone)]
pub struct Query {
    /// As it was asked.
    pub text: String,
    /// What it is matched as.
    pub kind: Kind,
    /// The pattern as a regular expression without the flags in `insensitive`.
    pub pattern: String,
    /// Whether upper and lower case are one.
    pub insensitive: bool,
    /// Whether a match may span lines.
    pub multiline: bool,
    /// The bare name it asks for, where it looks like one: `b` in `a::b`.
    pub name: Option<String>,
    /// The part before the bare name, where there is one: `a` in `a::b`.
    pub qualifier: Option<String>,
    /// Something the reader should know about how it was understood.
    pub note: Option<String>,
    pub(super) matcher: RegexMatcher,
}

const META: &[char] = &[
    '\\', '.', '*', '+', '?', '(', ')', '[', ']', '{', '}', '|', '^', '$',
];

impl Query {
    /// Makes all queries of a request ready.
    ///
    /// # Errors
    /// `bad_regex` for a pattern that cannot be used, with its place; the errors
    /// of a request's own check.
    pub fn compile_all(request: &Request) -> Result<Vec<Query>> {
        request.check()?;
        request
            .queries
            .iter()
            .map(|text| Query::compile(text, request))
            .collect()
    }

    fn compile(text: &str, request: &Request) -> Result<Query> {
        match request.mode {
            Mode::Regex => Self::regex(text, request),
            Mode::Literal => Self::literal(text, request),
            Mode::Words => Self::words(text, request),
            Mode::Symbol => Self::symbol(text, request),
            Mode::Auto if !text.contains(META) => Self::literal(text, request),
            Mode::Auto => Self::regex(text, request).or_else(|_| {
                let mut query = Self::literal(text, request)?;
                query.note = Some("no valid regex, taken literally".into());
                Ok(query)
            }),
        }
    }

    fn regex(text: &str, request: &Request) -> Result<Query> {
        Self::build(text, Kind::Regex, text.to_string(), request)
    }

    /// The query as literal text.
    pub(super) fn literal(text: &str, request: &Request) -> Result<Query> {
        Self::build(text, Kind::Literal, escape(text), request)
    }

    /// The query as a task in plain words.
    pub(super) fn words(text: &str, request: &Request) -> Result<Query> {
        Self::build(text, Kind::Words, escape(text), request)
    }

    /// Lines that hold the last part of a qualified name. Definitions and whole
    /// words are told apart from other hits after parsing.
    fn symbol(text: &str, request: &Request) -> Result<Query> {
        let Some(name) = bare_name(text) else {
            return Err(Error::failure(
                "bad_symbol",
                format!("{text:?} is not the name of a symbol."),
                "Give a name such as parse, Parser.parse or net::Parser, or use mode regex.",
            ));
        };
        let mut query = Self::build(text, Kind::Symbol, escape(&name), request)?;
        query.name = Some(name);
        query.qualifier = qualifier(text);
        Ok(query)
    }

    fn build(text: &str, kind: Kind, pattern: String, request: &Request) -> Result<Query> {
        let insensitive = match request.case {
            Case::Sensitive => false,
            Case::Insensitive => true,
            Case::Smart => !text.chars().any(char::is_uppercase),
        };
        // A literal with a line break can only match across lines.
        let multiline = request.multiline || (kind == Kind::Literal && text.contains('\n'));
        let matcher = matcher(&pattern, insensitive, multiline)
            .map_err(|e| bad_regex(&pattern, &e.to_string()))?;
        let name = match kind {
            Kind::Regex => defining_name(text),
            _ => bare_name(text).filter(|n| n == text),
        };
        Ok(Query {
            text: text.to_string(),
            kind,
            pattern,
            insensitive,
            multiline,
            name,
            qualifier: None,
            note: None,
            matcher,
        })
    }

    /// Its pattern as the matcher understands it; none where it is not understood.
    pub(super) fn hir(&self) -> Option<Hir> {
        ParserBuilder::new()
            .utf8(false)
            .unicode(true)
            .octal(false)
            .multi_line(true)
            .dot_matches_new_line(false)
            .case_insensitive(self.insensitive)
            .build()
            .parse(&self.pattern)
            .ok()
    }

    /// Where the query first matches in a line.
    pub(super) fn find(&self, line: &[u8]) -> Option<std::ops::Range<usize>> {
        self.matcher
            .find(line)
            .ok()
            .flatten()
            .map(|m| m.start()..m.end())
    }
}

/// A matcher with ripgrep's own settings, so that the same lines match.
fn matcher(
    pattern: &str,
    insensitive: bool,
    multiline: bool,
) -> std::result::Result<RegexMatcher, grep_regex::Error> {
    let mut builder = RegexMatcherBuilder::new();
    builder
        .multi_line(true)
        .unicode(true)
        .octal(false)
        .case_insensitive(insensitive)
        .ban_byte(Some(b'\0'))
        .dot_matches_new_line(false);
    if !multiline {
        builder.line_terminator(Some(b'\n'));
    }
    builder.build(pattern)
}

/// `text` as a pattern that matches it and nothing else.
fn escape(text: &str) -> String {
    regex::escape(text)
}

fn bad_regex(pattern: &str, why: &str) -> Error {
    let next = if why.contains("\"\\n\" is not allowed") || why.contains("'\\n'") {
        "Set multiline, or search for one line at a time."
    } else {
        "Correct the pattern, or use mode literal to search for the text as it stands."
    };
    Error::failure(
        "bad_regex",
        format!("{pattern:?} is no usable regex: {}", place(pattern, why)),
        next,
    )
}

/// The parser's message in one line, with the place it points at.
fn place(pattern: &str, why: &str) -> String {
    if let Err(e) = regex_syntax_error(pattern) {
        return e;
    }
    why.lines()
        .map(str::trim)
        .filter(|l| !l.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// What is wrong with the syntax, and at which character (from 1).
fn regex_syntax_error(pattern: &str) -> std::result::Result<(), String> {
    use regex_syntax::ast::parse::Parser;
    match Parser::new().parse(pattern) {
        Ok(_) => Ok(()),
        Err(e) => {
            let at = e.span().start.offset;
            let column = pattern.get(..at).map_or(0, |s| s.chars().count()) + 1;
            Err(format!("{} at character {column}.", e.kind()))
        }
    }
}

/// The last part of a name, without the parts before it: `c` of `a::b.c`, `a/b#c`
/// and `a->c`. None where the text is no name.
pub fn bare_name(text: &str) -> Option<String> {
    let text = text.trim().trim_end_matches("()");
    let is_name = |s: &str| {
        !s.is_empty()
            && s.chars()
                .all(|c| c.is_alphanumeric() || matches!(c, '_' | '$' | '-' | '!' | '?' | '@'))
    };
    let normal = text.replace("::", ".").replace("->", ".");
    let parts: Vec<&str> = normal.split(['.', '#', '/']).collect();
    // A path such as `.hidden` or `a..b` is no qualified name.
    let (last, outer) = parts.split_last()?;
    (is_name(last) && outer.iter().all(|p| is_name(p))).then(|| last.to_string())
}

/// The part before the last one of a qualified name.
fn qualifier(text: &str) -> Option<String> {
    let normal = text.trim().replace("::", ".").replace("->", ".");
    let mut parts = normal.rsplit(['.', '#', '/']);
    parts.nth(1).map(str::to_string)
}

/// The name that a pattern such as `fn\s+parse\b` or `class Foo` asks the
/// definition of: its longest run of name characters behind a keyword.
fn defining_name(pattern: &str) -> Option<String> {
    let plain = pattern
        .replace("\\b", " ")
        .replace("\\s+", " ")
        .replace("\\s*", " ")
        .replace("\\(", " ");
    let words: Vec<&str> = plain.split_whitespace().collect();
    match words.as_slice() {
        [one] => bare_name(one).filter(|n| n == one),
        [keyword, name, ..] if super::definition::is_keyword(keyword) => {
            bare_name(name).filter(|n| n == name)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str, mode: Mode) -> Result<Query> {
        let request = Request {
            mode,
            ..Request::new([text])
        };
        Query::compile_all(&request).map(|mut q| q.remove(0))
    }

    #[test]
    fn auto_takes_a_regex_where_it_is_one() {
        assert_eq!(one("foo_bar", Mode::Auto).unwrap().kind, Kind::Literal);
        assert_eq!(one(r"fn\s+\w+", Mode::Auto).unwrap().kind, Kind::Regex);
        let q = one("foo(", Mode::Auto).unwrap();
        assert_eq!(q.kind, Kind::Literal);
        assert!(q.note.is_some());
        assert_eq!(one("a.b(", Mode::Literal).unwrap().pattern, r"a\.b\(");
    }

    #[test]
    fn a_bad_regex_is_placed() {
        let e = one("foo(bar", Mode::Regex).unwrap_err();
        assert_eq!(e.code, "bad_regex");
        assert!(e.message.contains("at character 4"), "{e}");
        assert!(e.next.contains("literal"), "{e}");
        let e = one(r"a\nb", Mode::Regex).unwrap_err();
        assert!(e.next.contains("multiline"), "{e}");
    }

    #[test]
    fn names_are_taken_apart() {
        for (text, name) in [
            ("a::b", Some("b")),
            ("Parser.parse()", Some("parse")),
            ("a->c", Some("c")),
            ("src/x#y", Some("y")),
            ("two words", None),
            ("a..b", None),
            ("", None),
        ] {
            assert_eq!(bare_name(text).as_deref(), name, "{text}");
        }
        assert_eq!(defining_name(r"fn\s+parse\b").as_deref(), Some("parse"));
        assert_eq!(defining_name(r"class Foo\("), Some("Foo".into()));
        assert_eq!(defining_name(r"foo.*bar"), None);
    }

    #[test]
    fn too_many_or_empty_queries_are_refused() {
        let many = Request::new(vec!["x"; 9]);
        assert_eq!(many.check().unwrap_err().code, "too_many_queries");
        assert_eq!(one(" ", Mode::Auto).unwrap_err().code, "empty_query");
        let none = Request::default();
        assert_eq!(none.check().unwrap_err().code, "no_query");
    }
}
