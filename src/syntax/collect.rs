//! One walk over a tree that tries the patterns at each node.

use std::ops::Range;

use tree_sitter::Node;

use super::definition::Kind;
use super::found::{At, Collected, Found};
use super::kept::{Kept, heading_end};
use super::language::{Grammar, Language, flag};
use super::names::{
    MAX_NAME, is_misread, last_word, lines, one_line, only_one, signature, split_name, trimmed,
    unwrap_name,
};
use super::parse::Parsed;
use super::part::{Part, Place};
use super::pattern::{Captures, Role};
use crate::text::Span;

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
    /// The last sibling that is neither comment nor attribute.
    last: Option<Node<'t>>,
    scopes: usize,
}

/// Where a walk over a tree looks.
#[derive(Clone, Copy)]
pub(super) enum Look<'a> {
    Everywhere,
    /// Where an edit changed something; what it left as it was is taken from here.
    Changed(&'a Kept<'a>),
    /// At what some lines (from 1, in order) lie in.
    Around(&'a [usize]),
}

/// Adds what is found in a tree, which may be that of a piece of the text.
pub(super) fn collect(
    parsed: &Parsed,
    part: Option<&Part>,
    text: &str,
    look: Look<'_>,
    out: &mut Collected,
) {
    let language = parsed.language();
    // Where the import and the string end that the walk came to last.
    let (mut imported, mut quoted) = (0, 0);
    let grammar = language.grammar();
    let mut cursor = parsed.tree().walk();
    let mut levels: Vec<Level> = vec![Level::new(cursor.node(), 0)];
    loop {
        let node = cursor.node();
        let kind = node.kind_id();
        let flags = grammar.flags(kind);
        if let Some(level) = levels.last_mut() {
            level.enter(node, kind, flags, text);
        }
        let mut descend = false;
        let mut is_done = || match look {
            Look::Changed(kept) => is_kept(kept, &levels, out),
            _ => false,
        };
        let place = part.map_or(Place::Own, |p| p.place(node));
        if place == Place::Around {
            // Nothing but members and what holds them is there: see `Shell::nodes`.
            if let Some(captures) = fit(grammar, &levels, text) {
                find(grammar, language, &levels, &captures, text, &mut out.around);
            }
            descend = true;
        } else if place == Place::Own && !is_done() {
            let start = node.start_byte();
            if grammar.patterns.apply_to(kind)
                && let Some(captures) = fit(grammar, &levels, text)
            {
                if !grammar.patterns.is_import(&captures) {
                    find(grammar, language, &levels, &captures, text, &mut out.found);
                } else if start >= imported {
                    out.imports.push(at(&levels, start, lines(text, node)));
                    imported = node.end_byte();
                }
            }
            if flags & flag::STRING != 0
                && start >= imported.max(quoted)
                && let Some(strings) = &mut out.strings
            {
                strings.push(node.byte_range());
                quoted = node.end_byte();
            }
            descend = flags & flag::COMMENT == 0;
            if !descend {
                out.comments.push(at(&levels, start, trimmed(text, node)));
            }
            if let Look::Around(lines) = look {
                descend &= is_around(lines, &levels);
            }
        }
        if descend && cursor.goto_first_child() {
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

/// Something found at the node of the last level.
fn at<T>(levels: &[Level], start: usize, what: T) -> At<T> {
    At {
        start,
        depth: levels.len(),
        what,
    }
}

/// Whether some of the lines may lie in what the node at the last level holds, or in the
/// docs of that.
fn is_around(lines: &[usize], levels: &[Level]) -> bool {
    let Some((level, above)) = levels.split_last() else {
        return true;
    };
    // What is one with its parent begins and ends with that.
    if above
        .last()
        .is_some_and(|p| p.flags & (flag::WRAPPER | flag::CARRIER) != 0)
    {
        return true;
    }
    let first = level.docs.unwrap_or(level.node.start_position().row) + 1;
    let last = level.node.end_position().row + 1;
    let next = lines.partition_point(|line| *line < first);
    lines.get(next).is_some_and(|line| *line <= last)
}

/// Adds what the node at the last level and those inside it gave before an edit, where the
/// edit left them as they were.
fn is_kept(kept: &Kept, levels: &[Level], out: &mut Collected) -> bool {
    let Some((level, above)) = levels.split_last() else {
        return false;
    };
    // What is one with its parent depends on it.
    let bound = |l: &Level| l.flags & (flag::WRAPPER | flag::CARRIER) != 0;
    let parent = above.last();
    !bound(level)
        && !parent.is_some_and(bound)
        && kept.add(
            level.node,
            levels.len(),
            level.docs,
            parent.map(|l| l.node),
            out,
        )
}

impl<'t> Level<'t> {
    fn new(node: Node<'t>, scopes: usize) -> Self {
        Self {
            node,
            kind: 0,
            flags: 0,
            docs: None,
            run: None,
            last: None,
            scopes,
        }
    }

    fn enter(&mut self, node: Node<'t>, kind: u16, flags: u16, text: &str) {
        self.node = node;
        self.kind = kind;
        self.flags = flags;
        self.docs = None;
        if flags & (flag::COMMENT | flag::ATTRIBUTE) != 0 {
            if node.start_byte() == 0 && text.starts_with("#!") {
                return;
            }
            let (start, end) = rows(node);
            self.run = match self.run {
                Some((first, last)) if start <= last + 1 => Some((first, end)),
                // Behind code on the same line it belongs to that code.
                _ if self.last.is_some_and(|n| rows(n).1 == start) => None,
                _ => Some((start, end)),
            };
        } else {
            if let Some((first, last)) = self.run.take()
                && node.start_position().row <= last + 1
            {
                self.docs = Some(first);
            }
            self.last = Some(node);
        }
    }
}

/// The first and last row of a node. Some grammars end a comment behind its line
/// break.
fn rows(node: Node) -> (usize, usize) {
    let start = node.start_position().row;
    let end = node.end_position();
    let behind = end.column == 0 && end.row > start;
    (start, end.row - usize::from(behind))
}

/// The pattern that fits the node at the last level.
fn fit<'t>(grammar: &Grammar, levels: &[Level<'t>], text: &str) -> Option<Captures<'t>> {
    let (level, above) = levels.split_last()?;
    let kinds_above = above.iter().rev().map(|l| l.kind);
    grammar.patterns.fit(level.node, text, kinds_above)
}

/// Adds what the node at the last level defines, if it is a definition.
fn find(
    grammar: &Grammar,
    language: &'static Language,
    levels: &[Level],
    captures: &Captures,
    text: &str,
    out: &mut Vec<At<Found>>,
) {
    let Some((level, above)) = levels.split_last() else {
        return;
    };
    let mut kind = None;
    let mut names = Vec::new();
    let mut qualifiers = Vec::new();
    let mut body = None;
    for (role, node) in grammar.patterns.roles(captures) {
        match role {
            Role::Definition(k) => kind = Some(*k),
            Role::Name => names.push(node),
            Role::Qualifier => qualifiers.push(node),
            Role::Body => body = body.or(Some(trimmed(text, node))),
            Role::Import | Role::Private => {}
        }
    }
    let Some(kind) = kind else {
        return;
    };
    // What is one with its parent (`export …`) takes the parent's place.
    let mut own = level;
    let mut docs = level;
    for outer in above.iter().rev() {
        if outer.flags & flag::WRAPPER != 0 && only_one(outer.node, docs.kind) {
            if own.node == docs.node {
                own = outer;
            }
        } else if outer.flags & flag::CARRIER == 0 {
            break;
        }
        docs = outer;
    }
    let bytes = trimmed(text, own.node);
    // A body of nothing but white space, as broken text has it, lies behind the end.
    let within = |at: usize| at.clamp(bytes.start, bytes.end);
    let body = body.map(|b| within(b.start)..within(b.end));
    let inside = text.get(bytes.clone()).unwrap_or_default();
    let first = own.node.start_position().row + 1;
    let last = first + memchr::memchr_iter(b'\n', inside.as_bytes()).count();
    let start_with_docs = docs.docs.unwrap_or(docs.node.start_position().row) + 1;
    let signature = signature(grammar, level.node, kind, &bytes, body.as_ref(), text);
    let is_heading = kind == Kind::Section && level.node.kind().ends_with("heading");
    let heading = is_heading.then(|| {
        let end = heading_end(above.last().map(|l| l.node), &bytes);
        (if inside.ends_with('=') { 1 } else { 2 }, end)
    });
    let found = |parts: Vec<String>, name_bytes: Range<usize>| {
        let mut qualifiers = parts;
        let found = Found {
            kind,
            name: qualifiers.pop()?,
            qualifiers,
            name_bytes,
            bytes: bytes.clone(),
            lines: Span::new(first, last),
            start_with_docs: start_with_docs.min(first),
            signature: signature.clone(),
            body: body.clone(),
            local: level.scopes > 0,
            heading,
            language,
        };
        Some(at(levels, level.node.start_byte(), found))
    };
    if names.is_empty() {
        // What has no name goes by its header.
        let head = signature.trim_end_matches(['{', ' ']);
        let name = one_line(head, MAX_NAME);
        let end = body.as_ref().map_or(bytes.end, |b| b.start);
        let header = text.get(bytes.start..end).unwrap_or_default();
        let header = header.trim_end_matches(|c: char| c == '{' || c.is_whitespace());
        if !name.is_empty() {
            out.extend(found(vec![name], bytes.start..bytes.start + header.len()));
        }
        return;
    }
    let separators = &language.data().separators;
    for name in names {
        let name = unwrap_name(grammar, name);
        let mut parts = Vec::new();
        for node in qualifiers.iter().chain([&name]) {
            let source = text.get(node.byte_range()).unwrap_or_default();
            parts.extend(split_name(source, separators));
        }
        if grammar.declarator.is_some() && kind.is_callable() {
            last_word(&mut parts);
        }
        if is_misread(grammar, kind, parts.last()) {
            continue;
        }
        let at = parts.last().and_then(|own| {
            let at = text.get(name.byte_range())?.rfind(own.as_str())?;
            let start = name.start_byte() + at;
            Some(start..start + own.len())
        });
        out.extend(found(parts, at.unwrap_or(name.byte_range())));
    }
}
