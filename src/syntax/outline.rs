//! From a tree to its definitions: one walk that tries the patterns, then a pass
//! over what they found that settles parents, kinds and paths.

use std::ops::Range;

use tree_sitter::{Node, Tree};

use super::definition::{Definition, Definitions, Kind};
use super::language::{Grammar, Language, flag};
use super::parse::{Descend, Parsed};
use super::pattern::Role;
use crate::text::Span;

/// Definitions nested deeper are left out; their paths would grow with the square
/// of the depth.
const MAX_DEPTH: usize = 64;
/// Characters of a name and of a signature.
const MAX_NAME: usize = 120;
const MAX_SIGNATURE: usize = 200;

/// A definition as a pattern found it.
struct Found {
    kind: Kind,
    bytes: Range<usize>,
    lines: Span,
    start_with_docs: usize,
    name: String,
    name_bytes: Range<usize>,
    /// Names in front of the own one that the source spells out.
    qualifiers: Vec<String>,
    body: Option<Range<usize>>,
    /// Whether a scope that is no definition stands around it.
    local: bool,
    language: &'static Language,
}

pub(super) fn definitions(parsed: &Parsed, text: &str) -> Definitions {
    let mut found = Vec::new();
    collect(parsed, text, &mut found);
    for inner in parsed.embedded() {
        collect(inner, text, &mut found);
    }
    found.sort_by(|a, b| (a.bytes.start, b.bytes.end).cmp(&(b.bytes.start, a.bytes.end)));
    Definitions(settle(found, text))
}

/// Gives each its parent, and what follows from it.
fn settle(found: Vec<Found>, text: &str) -> Vec<Definition> {
    let mut out: Vec<Definition> = Vec::with_capacity(found.len());
    let mut languages: Vec<&'static Language> = Vec::with_capacity(found.len());
    let mut open: Vec<usize> = Vec::new();
    for f in found {
        while let Some(&top) = open.last() {
            match out.get(top) {
                Some(d) if f.bytes.end <= d.bytes.end && d.bytes != f.bytes => break,
                _ => open.pop(),
            };
        }
        if open.len() >= MAX_DEPTH {
            continue;
        }
        let parent = open.last().copied();
        let outer = parent.and_then(|p| out.get(p));
        let parent_kind = outer.map(|d| d.kind);
        let mut kind = f.kind;
        if kind.is_value() && kind != Kind::Field {
            match parent_kind {
                Some(k) if k.is_callable() => continue,
                Some(k) if k.is_type() => kind = Kind::Field,
                _ if f.local => continue,
                _ => {}
            }
        }
        if kind == Kind::Function && parent_kind.is_some_and(Kind::is_type) {
            kind = Kind::Method;
        }
        // An embedded language's names do not begin with the element around it.
        let same_language = parent.and_then(|p| languages.get(p)) == Some(&f.language);
        let mut path = match outer {
            Some(d) if same_language => format!("{}.", d.path),
            _ => String::new(),
        };
        for q in &f.qualifiers {
            path.push_str(q);
            path.push('.');
        }
        path.push_str(&f.name);
        let header = f.bytes.start..f.body.as_ref().map_or(f.bytes.end, |b| b.start);
        open.push(out.len());
        languages.push(f.language);
        out.push(Definition {
            kind,
            path,
            parent,
            lines: f.lines,
            start_with_docs: f.start_with_docs,
            signature: one_line(text.get(header).unwrap_or_default(), MAX_SIGNATURE),
            bytes: f.bytes,
            name: f.name,
            name_bytes: f.name_bytes,
            body: f.body,
        });
    }
    out
}

/// The siblings seen so far at one depth of the walk.
struct Level<'t> {
    /// The one the walk is at or below.
    node: Node<'t>,
    kind: u16,
    flags: u16,
    /// The row on which the docs of `node` start.
    docs: Option<usize>,
    /// Rows of the comments and attributes directly above the next sibling.
    run: Option<(usize, usize)>,
    /// The row on which the last sibling that is no comment ended.
    last_row: Option<usize>,
    scopes: usize,
}

fn collect(parsed: &Parsed, text: &str, out: &mut Vec<Found>) {
    let language = parsed.language();
    let grammar = language.grammar();
    let mut cursor = parsed.tree().walk();
    let mut levels: Vec<Level> = vec![Level::new(cursor.node(), 0)];
    loop {
        let node = cursor.node();
        let kind = node.kind_id();
        let flags = grammar.flags(kind);
        if let Some(level) = levels.last_mut() {
            level.enter(node, kind, flags);
        }
        if grammar.patterns.apply_to(kind) {
            out.extend(find(grammar, language, &levels, text));
        }
        if flags & flag::COMMENT == 0 && cursor.goto_first_child() {
            let scopes =
                levels.last().map_or(0, |l| l.scopes) + usize::from(flags & flag::SCOPE != 0);
            levels.push(Level::new(cursor.node(), scopes));
            continue;
        }
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() {
                return;
            }
            levels.pop();
        }
    }
}

impl<'t> Level<'t> {
    fn new(node: Node<'t>, scopes: usize) -> Self {
        Self {
            node,
            kind: 0,
            flags: 0,
            docs: None,
            run: None,
            last_row: None,
            scopes,
        }
    }

    fn enter(&mut self, node: Node<'t>, kind: u16, flags: u16) {
        self.node = node;
        self.kind = kind;
        self.flags = flags;
        let start = node.start_position().row;
        let end = node.end_position();
        // Some grammars end a comment behind its line break.
        let end = if end.column == 0 && end.row > start {
            end.row - 1
        } else {
            end.row
        };
        if flags & (flag::COMMENT | flag::ATTRIBUTE) != 0 {
            self.docs = None;
            self.run = match self.run {
                Some((first, last)) if start <= last + 1 => Some((first, end)),
                // Behind code on the same line it belongs to that code.
                _ if self.last_row == Some(start) => None,
                _ => Some((start, end)),
            };
        } else {
            self.docs = match self.run.take() {
                Some((first, last)) if start <= last + 1 => Some(first),
                _ => None,
            };
            self.last_row = Some(end);
        }
    }
}

/// The definition that the node at the last level is, if it is one.
fn find(
    grammar: &Grammar,
    language: &'static Language,
    levels: &[Level],
    text: &str,
) -> Option<Found> {
    let (level, above) = levels.split_last()?;
    let captures = grammar
        .patterns
        .fit(level.node, text, above.iter().rev().map(|l| l.kind))?;
    let mut kind = None;
    let mut own = level.node;
    let mut name = None;
    let mut qualifiers = Vec::new();
    let mut body = None;
    for (role, node) in grammar.patterns.roles(&captures) {
        match role {
            Role::Definition(k) => (kind, own) = (Some(*k), node),
            Role::Name => name = Some(node),
            Role::Qualifier => qualifiers.push(node),
            Role::Body => body = body.or(Some(node)),
            Role::Import | Role::Private => {}
        }
    }
    let kind = kind?;
    let name_node = unwrap_name(grammar, name?);
    let separators = &language.data().separators;
    let mut parts = Vec::new();
    for q in qualifiers {
        parts.extend(split_name(text.get(q.byte_range())?, separators));
    }
    let named = text.get(name_node.byte_range())?;
    parts.extend(split_name(named, separators));
    let name = parts.pop()?;

    // What is one with its parent (`export …`) takes the parent's place.
    let mut docs = if own == level.node { level.docs } else { None };
    let mut docs_row = own.start_position().row;
    if own == level.node {
        let mut kind_below = level.kind;
        let mut grows = true;
        for outer in above.iter().rev() {
            let wraps = outer.flags & flag::WRAPPER != 0 && only_one(outer.node, kind_below);
            if !wraps && outer.flags & flag::CARRIER == 0 {
                break;
            }
            grows &= wraps;
            if grows {
                own = outer.node;
            }
            docs_row = outer.node.start_position().row;
            docs = outer.docs;
            kind_below = outer.kind;
        }
    }
    let bytes = trimmed(text, own);
    let first = own.start_position().row + 1;
    let inside = text.get(bytes.clone())?;
    let lines = Span::new(
        first,
        first + memchr::memchr_iter(b'\n', inside.as_bytes()).count(),
    );
    let name_bytes = match named.rfind(name.as_str()) {
        Some(at) if !name.is_empty() => {
            let start = name_node.start_byte() + at;
            start..start + name.len()
        }
        _ => name_node.byte_range(),
    };
    Some(Found {
        kind,
        bytes,
        lines,
        start_with_docs: docs.unwrap_or(docs_row).min(own.start_position().row) + 1,
        name,
        name_bytes,
        qualifiers: parts,
        body: body.map(|b| trimmed(text, b)),
        local: level.scopes > 0,
        language,
    })
}

/// Whether a node holds one child of a kind.
fn only_one(node: Node, kind: u16) -> bool {
    let mut cursor = node.walk();
    node.named_children(&mut cursor)
        .filter(|c| c.kind_id() == kind)
        .nth(1)
        .is_none()
}

/// The name inside declarators such as `*name[4]`.
fn unwrap_name<'t>(grammar: &Grammar, mut node: Node<'t>) -> Node<'t> {
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
fn split_name(source: &str, separators: &[String]) -> Vec<String> {
    let source = source.trim();
    for quote in ["\"\"\"", "'''", "\"", "'", "`"] {
        if let Some(inner) = source.strip_prefix(quote) {
            let inner = inner.strip_suffix(quote).unwrap_or(inner);
            return vec![one_line(inner, MAX_NAME)];
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
    for (i, word) in text.split_whitespace().enumerate() {
        for c in (i > 0).then_some(' ').into_iter().chain(word.chars()) {
            if left == 0 {
                out.truncate(out.trim_end().len());
                return out;
            }
            out.push(c);
            left -= 1;
        }
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

/// Visits every node with the kinds of those around it, outermost first.
pub(super) fn walk_with_ancestors<'t>(
    tree: &'t Tree,
    mut visit: impl FnMut(Node<'t>, &[u16]) -> Descend,
) {
    let mut cursor = tree.walk();
    let mut above: Vec<u16> = Vec::new();
    loop {
        let node = cursor.node();
        if matches!(visit(node, &above), Descend::Yes) && cursor.goto_first_child() {
            above.push(node.kind_id());
            continue;
        }
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() {
                return;
            }
            above.pop();
        }
    }
}
