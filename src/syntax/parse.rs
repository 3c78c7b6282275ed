//! Texts to their syntax trees, within bounds of size, depth and time, and the errors in them.

use std::ops::{ControlFlow, Range};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use tree_sitter::{Node, ParseOptions, ParseState, Parser, Tree};

use super::blocks::{self, Block};
use super::language::{Language, flag};
use super::names;
use super::walk::{Descend, walk, walk_with_ancestors};
use crate::text::Span;

/// Texts above this many bytes are not parsed: 8 MiB.
pub const MAX_BYTES: usize = 8 * 1024 * 1024;

/// How long a parse may take: a fixed part and one per byte. Recovery from errors
/// in deep nesting costs the square of the depth, which neither size nor steps
/// tell beforehand. Real files need a hundredth of this, so that the clock decides
/// about none of them: it is that of the thread, where there is one, since others at
/// work on the machine do not make a text harder.
const TIME_FIXED: Duration = Duration::from_secs(2);
const TIME_PER_BYTE: Duration = Duration::from_micros(1);

/// A text's syntax trees.
pub struct Parsed {
    language: &'static Language,
    tree: Tree,
    /// Those of languages embedded in the text, or of its other items.
    others: Vec<Parsed>,
    /// Words that close nothing, which the grammar takes for names.
    stray: Vec<Range<usize>>,
    marks: OnceLock<Marks>,
}

/// Ranges found in one walk over the tree.
#[derive(Default)]
struct Marks {
    comments: Vec<Range<usize>>,
    strings: Vec<Range<usize>>,
    imports: Vec<Span>,
    identifiers: Vec<Range<usize>>,
}

/// A place where a text is not valid by its grammar. A grammar may be wrong on
/// valid text, so compare [`SyntaxError::key`]s before and after a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyntaxError {
    /// Line, from 1.
    pub line: usize,
    /// Offset in bytes.
    pub byte: usize,
    /// Something is missing here; else something here is not understood.
    pub missing: bool,
    /// What is missing; `ERROR` for what is not understood.
    pub kind: String,
    /// The kind of the node around it.
    pub parent: String,
    /// What is not understood, white space as one space, cut to 80 characters.
    pub text: String,
}

impl SyntaxError {
    /// All but the place, which moves when lines are added above.
    pub fn key(&self) -> (&str, &str, &str) {
        (&self.kind, &self.parent, &self.text)
    }
}

/// Why a text has no tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unparsed {
    /// It has more than [`MAX_BYTES`], or nests deeper than its grammar can bear: it has
    /// none on any machine.
    Never,
    /// It took an unreasonable time for its size, or was no longer asked for.
    GaveUp,
}

/// Parses a text as one, and says why there is no tree.
///
/// # Errors
/// See [`Unparsed`].
pub(super) fn try_parse(language: &'static Language, text: &str) -> Result<Parsed, Unparsed> {
    parse_whole(language, text, None, &|| false)
}

/// Parses a text and the languages embedded in it; `old` is the tree of the text before an
/// edit.
pub(super) fn parse_whole(
    language: &'static Language,
    text: &str,
    old: Option<&Tree>,
    stop: &dyn Fn() -> bool,
) -> Result<Parsed, Unparsed> {
    if !is_bearable(language, text) {
        return Err(Unparsed::Never);
    }
    let mut parsed = parse_ranges(language, text, &[], old, stop)?;
    for (inner, range) in embedded_ranges(&parsed, text) {
        if !is_bearable(inner, text) {
            continue;
        }
        match parse_ranges(inner, text, &[range], None, stop) {
            Ok(embedded) => parsed.others.push(embedded),
            Err(Unparsed::Never) => {}
            Err(Unparsed::GaveUp) => return Err(Unparsed::GaveUp),
        }
    }
    Ok(parsed)
}

/// Whether a text is neither too large nor too deep for a grammar.
pub(super) fn is_bearable(language: &'static Language, text: &str) -> bool {
    let mut limits = language.data().scanner.iter();
    text.len() <= MAX_BYTES && !limits.any(|s| s.overflows(text))
}

/// Parses ranges of a bearable text, or all of it where there are none.
pub(super) fn parse_ranges(
    language: &'static Language,
    text: &str,
    ranges: &[tree_sitter::Range],
    old: Option<&Tree>,
    stop: &dyn Fn() -> bool,
) -> Result<Parsed, Unparsed> {
    let mut parser = Parser::new();
    let grammar = &language.grammar().language;
    parser.set_language(grammar).map_err(|_| Unparsed::Never)?;
    parser
        .set_included_ranges(ranges)
        .map_err(|_| Unparsed::Never)?;
    let size = u32::try_from(text.len()).unwrap_or(u32::MAX);
    let mut allowed = Allowance::new(TIME_FIXED + TIME_PER_BYTE * size);
    let mut progress = |_: &ParseState| {
        if allowed.is_left() && !stop() {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        }
    };
    let bytes = text.as_bytes();
    let tree = parser
        .parse_with_options(
            &mut |at, _| bytes.get(at..).unwrap_or_default(),
            old,
            Some(ParseOptions::new().progress_callback(&mut progress)),
        )
        .ok_or(Unparsed::GaveUp)?;
    Ok(Parsed::new(language, tree, text))
}

/// Time that a thread may spend on one thing.
pub(super) struct Allowance {
    time: Duration,
    /// The thread's own time at the start.
    spent: Option<Duration>,
    /// When to look at the thread's time again: that costs more than the wall's.
    next: Instant,
}

impl Allowance {
    pub(super) fn new(time: Duration) -> Self {
        Self {
            time,
            spent: thread_time(),
            next: Instant::now() + time,
        }
    }

    pub(super) fn is_left(&mut self) -> bool {
        let now = Instant::now();
        if now < self.next {
            return true;
        }
        let (Some(first), Some(last)) = (self.spent, thread_time()) else {
            return false;
        };
        let left = self.time.saturating_sub(last.saturating_sub(first));
        self.next = now + left;
        !left.is_zero()
    }
}

/// How long the thread has been at work; none where the system does not tell.
#[cfg(target_os = "linux")]
pub(super) fn thread_time() -> Option<Duration> {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    let nanos = u32::try_from(time.tv_nsec).ok()?;
    Some(Duration::new(u64::try_from(time.tv_sec).ok()?, nanos))
}

#[cfg(not(target_os = "linux"))]
pub(super) fn thread_time() -> Option<Duration> {
    None
}

/// Where other languages stand inside a text, by the data of its own.
fn embedded_ranges(parsed: &Parsed, text: &str) -> Vec<(&'static Language, tree_sitter::Range)> {
    let embeddings = &parsed.language.data().embedded;
    if embeddings.is_empty() {
        return Vec::new();
    }
    let mut out = Vec::new();
    walk(&parsed.tree, |node, _| {
        let Some(embedding) = embeddings.iter().find(|e| e.node == node.kind()) else {
            return Descend::Yes;
        };
        let mut cursor = node.walk();
        let children: Vec<Node> = node.children(&mut cursor).collect();
        let language = match children
            .first()
            .and_then(|tag| language_attribute(*tag, text))
        {
            Some(value) => embedding.values.get(value).map(String::as_str),
            None => Some(embedding.language.as_str()),
        };
        let content = children.iter().find(|c| c.kind() == embedding.content);
        if let (Some(language), Some(content)) = (language.and_then(Language::by_name), content) {
            out.push((language, content.range()));
        }
        Descend::No
    });
    out
}

/// The value of the attribute `lang` or `type` of an opening tag.
fn language_attribute<'a>(tag: Node, text: &'a str) -> Option<&'a str> {
    let mut cursor = tag.walk();
    for attribute in tag.named_children(&mut cursor) {
        let source = text.get(attribute.byte_range())?;
        if let Some((name, value)) = source.split_once('=')
            && matches!(name.trim(), "lang" | "type")
        {
            return Some(value.trim().trim_matches(['"', '\'']));
        }
    }
    None
}

/// Words at the top of a text that close what nothing opens.
fn stray(language: &Language, tree: &Tree, text: &str) -> Vec<Range<usize>> {
    if language.data().closers.is_empty() {
        return Vec::new();
    }
    let root = tree.root_node();
    let mut cursor = root.walk();
    let ranges = root.named_children(&mut cursor).map(|n| n.byte_range());
    ranges
        .filter(|range| {
            text.get(range.clone())
                .is_some_and(|word| language.closes(word))
        })
        .collect()
}

impl Parsed {
    /// The tree of a text, without others.
    pub(super) fn new(language: &'static Language, tree: Tree, text: &str) -> Self {
        Self {
            language,
            stray: stray(language, &tree, text),
            tree,
            others: Vec::new(),
            marks: OnceLock::new(),
        }
    }

    /// The trees of a text's items.
    pub(super) fn joined(mut items: Vec<Self>) -> Option<Self> {
        let mut parsed = items.pop()?;
        parsed.others = items;
        Some(parsed)
    }

    /// Whether its own tree, without the others, has an error.
    pub(super) fn has_error(&self) -> bool {
        self.tree.root_node().has_error() || !self.stray.is_empty()
    }

    /// Its own tree, without the others.
    pub fn tree(&self) -> &Tree {
        &self.tree
    }

    /// The language of the text.
    pub fn language(&self) -> &'static Language {
        self.language
    }

    /// The trees of the languages embedded in the text (scripts and styles), or of its other
    /// items; their offsets are those of the whole text.
    pub fn others(&self) -> &[Parsed] {
        &self.others
    }

    /// Every error and missing node, in the order of their start.
    pub fn errors(&self, text: &str) -> Vec<SyntaxError> {
        let mut out = Vec::new();
        self.each_error(&mut |node, parent| {
            let missing = node.is_missing();
            out.push(SyntaxError {
                line: node.start_position().row + 1,
                byte: node.start_byte(),
                missing,
                kind: if missing { node.kind() } else { "ERROR" }.to_owned(),
                parent: parent.map_or("", |p| p.kind()).to_owned(),
                text: if missing {
                    String::new()
                } else {
                    names::one_line(text.get(node.byte_range()).unwrap_or_default(), 80)
                },
            });
        });
        self.each_stray(&mut |parsed, word| {
            let above = text.get(..word.start).unwrap_or_default();
            out.push(SyntaxError {
                line: memchr::memchr_iter(b'\n', above.as_bytes()).count() + 1,
                byte: word.start,
                missing: false,
                kind: "ERROR".to_owned(),
                parent: parsed.tree.root_node().kind().to_owned(),
                text: text.get(word.clone()).unwrap_or_default().to_owned(),
            });
        });
        out.sort_by_key(|e| e.byte);
        out
    }

    /// The number of [`Parsed::errors`], without making them.
    pub fn error_count(&self) -> usize {
        let mut count = 0;
        self.each_error(&mut |_, _| count += 1);
        self.each_stray(&mut |_, _| count += 1);
        count
    }

    fn each_stray(&self, visit: &mut dyn FnMut(&Self, &Range<usize>)) {
        for word in &self.stray {
            visit(self, word);
        }
        for inner in &self.others {
            inner.each_stray(visit);
        }
    }

    fn each_error(&self, visit: &mut dyn FnMut(Node<'_>, Option<Node<'_>>)) {
        let data = self.language.data();
        if data.reports_errors {
            let grammar = self.language.grammar();
            let has_mistakes = !data.nodes.errors.is_empty();
            walk(&self.tree, |node, parent| {
                let mistake = grammar.flags(node.kind_id()) & flag::MISTAKE != 0;
                if node.is_error() || node.is_missing() || mistake {
                    visit(node, parent);
                }
                if node.has_error() || has_mistakes {
                    Descend::Yes
                } else {
                    Descend::No
                }
            });
        }
        for inner in &self.others {
            inner.each_error(visit);
        }
    }

    /// The comments, in order.
    pub fn comments(&self, text: &str) -> Vec<Range<usize>> {
        self.collect(text, |m| &m.comments)
    }

    /// The string literals with their quotes, in order; template strings with what
    /// is put into them.
    pub fn strings(&self, text: &str) -> Vec<Range<usize>> {
        self.collect(text, |m| &m.strings)
    }

    /// The names in the code (neither comments nor strings), in order.
    pub fn identifiers(&self, text: &str) -> Vec<Range<usize>> {
        self.collect(text, |m| &m.identifiers)
    }

    /// The statements that import, include or use other files or modules, in order.
    pub fn imports(&self, text: &str) -> Vec<Span> {
        let mut out = self.marks(text).imports.clone();
        for inner in &self.others {
            out.extend(inner.marks(text).imports.iter().copied());
        }
        out.sort();
        out
    }

    /// The pieces that begin and end with whole lines inside `within` (bytes, such
    /// as a definition's body), parents before children: where a long piece of text
    /// may be cut.
    pub fn blocks_within(&self, text: &str, within: Range<usize>) -> Vec<Block> {
        let inner = self.others.iter().find(|e| {
            let root = e.tree.root_node();
            root.start_byte() <= within.start && within.end <= root.end_byte()
        });
        blocks::within(inner.map_or(&self.tree, |e| &e.tree), text, within)
    }

    fn collect(&self, text: &str, pick: fn(&Marks) -> &Vec<Range<usize>>) -> Vec<Range<usize>> {
        let mut out = pick(self.marks(text)).clone();
        for inner in &self.others {
            out.extend(pick(inner.marks(text)).iter().cloned());
        }
        out.sort_by_key(|r| r.start);
        out
    }

    fn marks(&self, text: &str) -> &Marks {
        self.marks.get_or_init(|| {
            let grammar = self.language.grammar();
            let mut marks = Marks::default();
            walk_with_ancestors(&self.tree, |node, ancestors| {
                let kind = node.kind_id();
                let flags = grammar.flags(kind);
                if flags & flag::COMMENT != 0 {
                    marks.comments.push(names::trimmed(text, node));
                    return Descend::No;
                }
                if flags & flag::STRING != 0 {
                    marks.strings.push(node.byte_range());
                    return Descend::No;
                }
                if flags & flag::IDENTIFIER != 0 && node.child_count() == 0 {
                    marks.identifiers.push(node.byte_range());
                    return Descend::No;
                }
                if grammar.patterns.may_import(kind)
                    && let Some(found) =
                        grammar
                            .patterns
                            .fit(node, text, ancestors.iter().rev().copied())
                    && grammar.patterns.is_import(&found)
                {
                    marks.imports.push(names::lines(text, node));
                    return Descend::No;
                }
                Descend::Yes
            });
            marks
        })
    }
}
