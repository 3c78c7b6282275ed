//! A language: what its folder says of it, and its grammar, each read on first use.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::OnceLock;

use serde::Deserialize;
use tree_sitter_language::LanguageFn;

use super::pattern::Patterns;

/// A language the toolkit knows, read from its folder on first use.
pub struct Language {
    name: &'static str,
    function: LanguageFn,
    toml: &'static str,
    patterns: &'static [&'static str],
    data: OnceLock<Data>,
    grammar: OnceLock<Grammar>,
}

/// How a language writes one form of string.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StringSyntax {
    /// What opens it.
    pub open: String,
    /// What closes it.
    pub close: String,
    /// What takes the meaning from the next character, if anything does.
    #[serde(default)]
    pub escape: Option<char>,
    /// Whether it may go on over a line break.
    #[serde(default)]
    pub multiline: bool,
}

/// What `language.toml` holds.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Data {
    #[serde(default)]
    pub line_comments: Vec<String>,
    #[serde(default)]
    pub block_comments: Vec<(String, String)>,
    #[serde(default)]
    pub strings: Vec<StringSyntax>,
    #[serde(default)]
    pub indentation_sensitive: bool,
    #[serde(default)]
    pub overloads: bool,
    /// Of functions of one name in one parent, at most one has a body.
    #[serde(default)]
    pub one_body: bool,
    /// Whether a statement may end without a semicolon.
    #[serde(default)]
    pub optional_semicolons: bool,
    /// Whether its definitions are sections under headings as Markdown has them.
    #[serde(default)]
    pub headings: bool,
    /// What stands above its code in a file.
    #[serde(default)]
    pub opening: Option<String>,
    /// Whether the grammar's error nodes say something about the text.
    #[serde(default = "yes")]
    pub reports_errors: bool,
    /// Whether a preprocessor of which the grammar knows little makes the code of the text.
    #[serde(default)]
    pub preprocessed: bool,
    /// Words that close a block, where the grammar takes one that closes nothing for a name.
    #[serde(default)]
    pub closers: Vec<String>,
    /// Words that declare a name, which a block may not do twice.
    #[serde(default)]
    pub declares_once: Vec<String>,
    /// What separates the parts of a qualified name in the source.
    #[serde(default)]
    pub separators: Vec<String>,
    #[serde(default)]
    pub nodes: NodeKinds,
    #[serde(default)]
    pub embedded: Vec<Embedding>,
    #[serde(default)]
    pub scanner: Option<ScannerLimits>,
    #[serde(default)]
    pub members: Option<Members>,
}

/// Says that a body, or a file, without some of its members is valid and means what it did.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Members {
    /// What begins a line that belongs to the member below it.
    #[serde(default)]
    pub attributes: Vec<String>,
    /// Whether the items of a file, and the members of one, can be parsed one by one: none says
    /// how another is read, and what is left open at the end is an error.
    #[serde(default)]
    pub apart: bool,
    /// Words that bind a member to those beside it: operators where one is above, and what
    /// takes in those below.
    #[serde(default)]
    pub bound: Vec<String>,
}

impl Members {
    /// Whether a line belongs to the member below it.
    pub fn is_attribute(&self, code: &str) -> bool {
        self.attributes.iter().any(|a| code.starts_with(a.as_str()))
    }

    /// Whether code may be the beginning of a member, a comment above it set aside.
    pub fn may_begin(&self, code: &str) -> bool {
        code.starts_with(|c: char| c.is_alphabetic() || c == '_') || self.is_attribute(code)
    }
}

fn yes() -> bool {
    true
}

/// Node kinds that play a part whatever pattern a definition comes from.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NodeKinds {
    #[serde(default)]
    pub comments: Vec<String>,
    #[serde(default)]
    pub strings: Vec<String>,
    /// Siblings above a definition that belong to it, such as attributes.
    #[serde(default)]
    pub attributes: Vec<String>,
    /// Parents that are one with the only definition they hold (`export …`).
    #[serde(default)]
    pub wrappers: Vec<String>,
    /// Parents that put decorators before the definition they hold.
    #[serde(default)]
    pub carriers: Vec<String>,
    /// Nodes whose variables are local to them.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// Nodes around a declared name that hold it as their first named child.
    #[serde(default)]
    pub unwrap: Vec<String>,
    /// Leaves that are names although their kind does not say `identifier`.
    #[serde(default)]
    pub identifiers: Vec<String>,
    /// What the grammar understands as a mistake, such as the end of what nothing begins.
    #[serde(default)]
    pub errors: Vec<String>,
}

/// What a grammar's scanner can hold. Its state has 1,024 bytes, and some scanners
/// write beyond that, upon which tree-sitter aborts the process; text that might
/// get there must not be given to them.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ScannerLimits {
    /// Different widths of indentation in a text; each may be a level.
    pub indentations: Option<usize>,
    /// Characters before white space that open a level, and how many a line may
    /// have.
    #[serde(default)]
    pub indicators: String,
    pub indicators_in_line: Option<usize>,
    /// Bytes of a line that opens a here-document, whose word is kept.
    pub heredoc_line: Option<usize>,
    /// Characters behind which the scanner looks the next one up in C's table of 256
    /// classes, and beyond its end.
    #[serde(default)]
    pub narrow_after: String,
}

impl ScannerLimits {
    /// Whether a text might be too much for the scanner.
    pub fn overflows(&self, text: &str) -> bool {
        if !self.narrow_after.is_empty() {
            let next = text.chars().skip(1);
            let mut pairs = text.chars().zip(next);
            if pairs.any(|(c, next)| next > '\u{ff}' && self.narrow_after.contains(c)) {
                return true;
            }
        }
        let mut widths = HashSet::new();
        let mut last = usize::MAX;
        for line in text.split(['\n', '\r']) {
            if let Some(limit) = self.indentations {
                let width = line.len() - line.trim_start().len();
                // Most lines are as deep as the one above.
                if std::mem::replace(&mut last, width) != width
                    && widths.insert(width)
                    && widths.len() > limit
                {
                    return true;
                }
            }
            if let Some(limit) = self.indicators_in_line
                && line.len() > limit
            {
                let mut rest = line.chars().peekable();
                let mut count = 0;
                while let Some(c) = rest.next() {
                    let opens = self.indicators.contains(c);
                    count += usize::from(opens && rest.peek().is_none_or(|n| n.is_whitespace()));
                }
                if count > limit {
                    return true;
                }
            }
            if self.heredoc_line.is_some_and(|limit| line.len() > limit) && line.contains("<<") {
                return true;
            }
        }
        false
    }
}

/// Text in another language inside this one.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Embedding {
    /// The node around it, and its child that is the text.
    pub node: String,
    pub content: String,
    /// The language where no attribute names another.
    pub language: String,
    /// Languages by the value of the attribute `lang` or `type` of the opening
    /// tag; a value that is not listed is not parsed.
    #[serde(default)]
    pub values: HashMap<String, String>,
}

/// What is derived from the data and the grammar.
pub(super) struct Grammar {
    pub language: tree_sitter::Language,
    pub patterns: Patterns,
    flags: Vec<u16>,
    pub declarator: Option<std::num::NonZeroU16>,
    /// Kinds and patterns of the data that the grammar does not know.
    #[cfg_attr(not(test), allow(dead_code))]
    pub unknown: Vec<String>,
}

/// Bits of [`Grammar::flags`].
pub(super) mod flag {
    pub const COMMENT: u16 = 1;
    pub const STRING: u16 = 1 << 1;
    pub const ATTRIBUTE: u16 = 1 << 2;
    pub const WRAPPER: u16 = 1 << 3;
    pub const CARRIER: u16 = 1 << 4;
    pub const SCOPE: u16 = 1 << 5;
    pub const UNWRAP: u16 = 1 << 6;
    pub const IDENTIFIER: u16 = 1 << 7;
    pub const MISTAKE: u16 = 1 << 8;
}

impl Grammar {
    /// The parts a node kind plays, as bits of [`flag`].
    pub fn flags(&self, kind: u16) -> u16 {
        self.flags.get(usize::from(kind)).copied().unwrap_or(0)
    }
}

impl Language {
    pub(super) const fn new(
        name: &'static str,
        function: LanguageFn,
        toml: &'static str,
        patterns: &'static [&'static str],
    ) -> Self {
        Self {
            name,
            function,
            toml,
            patterns,
            data: OnceLock::new(),
            grammar: OnceLock::new(),
        }
    }

    /// Its name, which is that of its folder.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// What begins a comment that ends with the line.
    pub fn line_comments(&self) -> &[String] {
        &self.data().line_comments
    }

    /// What opens and closes the other comments.
    pub fn block_comments(&self) -> &[(String, String)] {
        &self.data().block_comments
    }

    /// The forms of its strings; the longest opener that fits is meant.
    pub fn strings(&self) -> &[StringSyntax] {
        &self.data().strings
    }

    /// How its members are told, where they can be parsed one by one.
    pub(super) fn apart(&self) -> Option<&Members> {
        self.data().members.as_ref().filter(|m| m.apart)
    }

    /// Whether indentation is syntax, as in Python.
    pub fn indentation_sensitive(&self) -> bool {
        self.data().indentation_sensitive
    }

    /// Whether a name may stand more than once in one parent (overloads, header
    /// and definition, one rule per selector and medium).
    pub fn overloads(&self) -> bool {
        self.data().overloads
    }

    /// Whether a preprocessor makes the code of a text, which the grammar does not run.
    pub fn preprocessed(&self) -> bool {
        self.data().preprocessed
    }

    /// Whether a word closes a block and nothing else, where the grammar takes it for a name.
    pub fn closes(&self, word: &str) -> bool {
        self.data().closers.iter().any(|c| c == word)
    }

    /// Words that declare a name, which a block may not do twice.
    pub fn declares_once(&self) -> &[String] {
        &self.data().declares_once
    }

    /// Whether of functions of one name in one parent at most one has a body.
    pub fn has_one_body(&self) -> bool {
        self.data().one_body
    }

    /// Whether a statement may end without a semicolon.
    pub fn has_optional_semicolons(&self) -> bool {
        self.data().optional_semicolons
    }

    /// What has to stand above its code, for the grammar to take it for code (`<?php`).
    pub fn opening(&self) -> Option<&str> {
        self.data().opening.as_deref()
    }

    #[cfg(test)]
    pub(super) fn pattern_sources(&self) -> &'static [&'static str] {
        self.patterns
    }

    pub(super) fn data(&self) -> &Data {
        self.data.get_or_init(|| self.read().unwrap_or_default())
    }

    pub(super) fn read(&self) -> Result<Data, toml::de::Error> {
        toml::from_str(self.toml)
    }

    pub(super) fn grammar(&self) -> &Grammar {
        self.grammar.get_or_init(|| self.compile())
    }

    fn compile(&self) -> Grammar {
        let language = tree_sitter::Language::new(self.function);
        let nodes = &self.data().nodes;
        let mut flags = vec![0u16; language.node_kind_count()];
        let mut unknown = Vec::new();
        for (bit, kinds) in [
            (flag::COMMENT, &nodes.comments),
            (flag::STRING, &nodes.strings),
            (flag::ATTRIBUTE, &nodes.attributes),
            (flag::WRAPPER, &nodes.wrappers),
            (flag::CARRIER, &nodes.carriers),
            (flag::SCOPE, &nodes.scopes),
            (flag::UNWRAP, &nodes.unwrap),
            (flag::IDENTIFIER, &nodes.identifiers),
            (flag::MISTAKE, &nodes.errors),
        ] {
            for kind in kinds {
                let id = language.id_for_node_kind(kind, true);
                match flags.get_mut(usize::from(id)) {
                    Some(f) if id != 0 => *f |= bit,
                    _ => unknown.push(kind.clone()),
                }
            }
        }
        for (id, f) in flags.iter_mut().enumerate() {
            let id = id as u16;
            if language.node_kind_is_named(id)
                && language
                    .node_kind_for_id(id)
                    .is_some_and(|k| k.ends_with("identifier"))
            {
                *f |= flag::IDENTIFIER;
            }
        }
        let patterns = Patterns::compile(&language, self.patterns, &mut unknown);
        Grammar {
            declarator: language.field_id_for_name("declarator"),
            language,
            patterns,
            flags,
            unknown,
        }
    }
}

impl PartialEq for Language {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Language {}

impl fmt::Debug for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Language").field(&self.name).finish()
    }
}
