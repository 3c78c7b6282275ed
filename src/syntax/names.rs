//! What a definition is called and how its header reads, as the outline shows them.

use std::ops::Range;

use tree_sitter::Node;

use super::definition::{Kind, MAX_DEPTH};
use super::language::{Grammar, flag};
use crate::text::Span;

/// Characters of a name and of a signature.
pub(super) const MAX_NAME: usize = 120;
pub(super) const MAX_SIGNATURE: usize = 200;

/// Whether a declarator's name shows that it is what error recovery made of other
/// code: `if (…) {…}` behind a macro, or a parameter list in the name.
pub(super) fn is_misread(grammar: &Grammar, kind: Kind, name: Option<&String>) -> bool {
    let functions = matches!(kind, Kind::Function | Kind::Method);
    grammar.declarator.is_some()
        && functions
        && name.is_some_and(|name| {
            (name.contains('(') && !name.contains("operator"))
                || grammar.language.id_for_node_kind(name, false) != 0
        })
}

/// Keeps the last word of a declared name: where a macro is read as the type, the
/// type is read as part of the name.
pub(super) fn last_word(parts: &mut [String]) {
    if let Some(name) = parts.last_mut()
        && !name.contains("operator")
        && !name.contains('(')
        && let Some(space) = name.rfind(' ')
    {
        name.drain(..=space);
    }
}

/// A definition's header on one line, comments left out.
pub(super) fn signature(
    grammar: &Grammar,
    node: Node,
    kind: Kind,
    bytes: &Range<usize>,
    body: Option<&Range<usize>>,
    text: &str,
) -> String {
    let end = body.map_or(bytes.end, |b| b.start);
    let mut header = text.get(bytes.start..end).unwrap_or_default();
    if body.is_none() && matches!(kind, Kind::Section | Kind::Key | Kind::Element) {
        header = header.lines().next().unwrap_or_default();
    }
    let mut cursor = node.walk();
    let is_comment = |n: &Node| grammar.flags(n.kind_id()) & flag::COMMENT != 0;
    let mut code = String::new();
    let mut at = 0;
    for comment in node.named_children(&mut cursor).filter(is_comment) {
        let range = trimmed(text, comment);
        if range.start < bytes.start || range.end > bytes.start + header.len() {
            continue;
        }
        code.push_str(
            header
                .get(at..range.start - bytes.start)
                .unwrap_or_default(),
        );
        at = range.end - bytes.start;
    }
    if at == 0 {
        return one_line(header, MAX_SIGNATURE);
    }
    code.push_str(header.get(at..).unwrap_or_default());
    one_line(&code, MAX_SIGNATURE)
}

/// Whether a node holds one child of a kind.
pub(super) fn only_one(node: Node, kind: u16) -> bool {
    let mut cursor = node.walk();
    node.named_children(&mut cursor)
        .filter(|c| c.kind_id() == kind)
        .nth(1)
        .is_none()
}

/// The name inside declarators such as `*name[4]`.
pub(super) fn unwrap_name<'t>(grammar: &Grammar, mut node: Node<'t>) -> Node<'t> {
    for _ in 0..MAX_DEPTH {
        let inner = grammar
            .declarator
            .and_then(|field| node.child_by_field_id(field.get()))
            .or_else(|| {
                let unwraps = grammar.flags(node.kind_id()) & flag::UNWRAP != 0;
                let mut cursor = node.walk();
                let first = node.named_children(&mut cursor).find(|n| !n.is_extra());
                first.filter(|_| unwraps)
            });
        match inner {
            // What is left of a declarator that declares no name is punctuation.
            Some(inner) if !inner.kind().starts_with("abstract_") => node = inner,
            _ => break,
        }
    }
    node
}

/// The parts of a name as the source spells it, quotes and type arguments left out.
pub(super) fn split_name(source: &str, separators: &[String]) -> Vec<String> {
    let source = source.trim();
    let is_plain = |c: char| c.is_alphanumeric() || c == '_';
    if (1..=MAX_NAME).contains(&source.len()) && source.chars().all(is_plain) {
        return vec![source.to_owned()];
    }
    for quote in ["\"\"\"", "'''", "\"", "'", "`"] {
        if let Some(inner) = source.strip_prefix(quote) {
            let inner = inner.strip_suffix(quote).unwrap_or(inner);
            if quote == "`" && inner.contains(quote) {
                // Of a heading, no more than its first words are in quotes.
                break;
            }
            let inner = one_line(inner, MAX_NAME);
            let own = if inner.is_empty() {
                source.to_owned()
            } else {
                inner
            };
            return vec![own];
        }
    }
    let mut parts = vec![String::new()];
    let mut depth = 0usize;
    let mut rest = source;
    let operator = source.contains("operator");
    while let Some(c) = rest.chars().next() {
        if depth == 0
            && let Some(s) = separators.iter().find(|s| rest.starts_with(s.as_str()))
        {
            parts.push(String::new());
            rest = rest.get(s.len()..).unwrap_or_default();
            continue;
        }
        match c {
            '<' if !operator && !separators.is_empty() => depth += 1,
            '>' if !operator && depth > 0 => depth -= 1,
            c if depth == 0 => parts.last_mut().map_or((), |p| p.push(c)),
            _ => {}
        }
        rest = rest.get(c.len_utf8()..).unwrap_or_default();
    }
    parts
        .into_iter()
        .map(|p| one_line(&p, MAX_NAME))
        .filter(|p| !p.is_empty())
        .collect()
}

/// A text with each run of white space as one space, cut to so many characters.
pub(super) fn one_line(text: &str, limit: usize) -> String {
    let mut out = String::new();
    let mut left = limit;
    for word in text.split_whitespace() {
        let space = usize::from(!out.is_empty());
        let length = word.chars().count();
        if left <= space {
            break;
        }
        if space == 1 {
            out.push(' ');
        }
        left -= space;
        out.extend(word.chars().take(left));
        if length >= left {
            break;
        }
        left -= length;
    }
    out
}

/// A node's bytes without white space at the end, which some grammars include.
pub(super) fn trimmed(text: &str, node: Node) -> Range<usize> {
    let range = node.byte_range();
    match text.get(range.clone()) {
        Some(inside) => range.start..range.start + inside.trim_end().len(),
        None => range,
    }
}

/// A node's lines, without those of white space at its end.
pub(super) fn lines(text: &str, node: Node) -> Span {
    let first = node.start_position().row + 1;
    let own = text.get(trimmed(text, node)).unwrap_or_default();
    Span::new(
        first,
        first + memchr::memchr_iter(b'\n', own.as_bytes()).count(),
    )
}
