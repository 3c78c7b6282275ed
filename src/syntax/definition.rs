//! Definitions, with their kinds and places.

use std::ops::Range;

use crate::text::Span;

/// Definitions nested deeper are left out; their paths would grow with the square
/// of the depth.
pub(super) const MAX_DEPTH: usize = 64;

/// What a definition is; the same words for every language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A function outside a type.
    Function,
    /// A function, constructor or accessor of a type.
    Method,
    /// A class or object.
    Class,
    /// A struct, record or union.
    Struct,
    /// An enum.
    Enum,
    /// An interface, trait or protocol.
    Interface,
    /// A block that adds to a type (Rust `impl`).
    Impl,
    /// A module, namespace or package.
    Module,
    /// A type alias.
    Type,
    /// A constant.
    Constant,
    /// A variable outside functions.
    Variable,
    /// A field, property, class attribute or enum case.
    Field,
    /// A macro.
    Macro,
    /// A test or group of tests that is named by a text (`it("…")`).
    Test,
    /// A heading with what is below it.
    Section,
    /// A key with its value in a data file.
    Key,
    /// A style rule.
    Rule,
    /// An element of a markup document.
    Element,
}

impl Kind {
    pub(super) fn from_capture(word: &str) -> Option<Self> {
        Some(match word {
            "function" => Kind::Function,
            "method" => Kind::Method,
            "class" => Kind::Class,
            "struct" => Kind::Struct,
            "enum" => Kind::Enum,
            "interface" => Kind::Interface,
            "impl" => Kind::Impl,
            "module" => Kind::Module,
            "type" => Kind::Type,
            "constant" => Kind::Constant,
            "variable" => Kind::Variable,
            "field" => Kind::Field,
            "macro" => Kind::Macro,
            "test" => Kind::Test,
            "section" => Kind::Section,
            "key" => Kind::Key,
            "rule" => Kind::Rule,
            "element" => Kind::Element,
            _ => return None,
        })
    }

    /// Its word, in lower case.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Function => "function",
            Kind::Method => "method",
            Kind::Class => "class",
            Kind::Struct => "struct",
            Kind::Enum => "enum",
            Kind::Interface => "interface",
            Kind::Impl => "impl",
            Kind::Module => "module",
            Kind::Type => "type",
            Kind::Constant => "constant",
            Kind::Variable => "variable",
            Kind::Field => "field",
            Kind::Macro => "macro",
            Kind::Test => "test",
            Kind::Section => "section",
            Kind::Key => "key",
            Kind::Rule => "rule",
            Kind::Element => "element",
        }
    }

    /// Whether it is code that runs: a function, method, macro or test.
    pub fn is_callable(self) -> bool {
        matches!(
            self,
            Kind::Function | Kind::Method | Kind::Macro | Kind::Test
        )
    }

    /// Whether its members are methods and fields.
    pub fn is_type(self) -> bool {
        matches!(
            self,
            Kind::Class | Kind::Struct | Kind::Enum | Kind::Interface | Kind::Impl
        )
    }

    /// Whether it names one value and is no scope of its own.
    pub fn is_value(self) -> bool {
        matches!(self, Kind::Constant | Kind::Variable | Kind::Field)
    }
}

/// A named piece of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Definition {
    /// What it is.
    pub kind: Kind,
    /// Its own name, without type arguments or quotes.
    pub name: String,
    /// Its qualified name, joined by `.`: the names of its parents (or of the type
    /// it is declared for, as with Go receivers) and its own.
    pub path: String,
    /// Index of the definition around it.
    pub parent: Option<usize>,
    /// Its own lines, without the comments and decorators above.
    pub lines: Span,
    /// The first line of the comments, attributes and decorators directly above
    /// it; `lines.start` where there are none.
    pub start_with_docs: usize,
    /// Its bytes, from the first of `lines.start` that is its own.
    pub bytes: Range<usize>,
    /// The bytes of its name.
    pub name_bytes: Range<usize>,
    /// The bytes of its body, delimiters included where the grammar has them there.
    pub body: Option<Range<usize>>,
    /// Its header up to the body, runs of white space as one space, cut to 200
    /// characters.
    pub signature: String,
}

impl Definition {
    /// Its lines with the comments, attributes and decorators above.
    pub fn lines_with_docs(&self) -> Span {
        Span::new(self.start_with_docs, self.lines.end)
    }
    /// The first line of its own in the text that it is of.
    pub fn first_line<'t>(&self, text: &'t str) -> &'t str {
        let own = text.get(self.bytes.clone()).unwrap_or_default();
        own.lines().next().unwrap_or_default()
    }
}

/// The definitions of one text in order of their start, parents before children.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Definitions(pub(super) Vec<Definition>);

impl Definitions {
    /// Those of a text that defines nothing.
    pub const NONE: Self = Self(Vec::new());

    /// All, in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Definition> {
        self.0.iter()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The definition at an index, as in [`Definition::parent`].
    pub fn get(&self, index: usize) -> Option<&Definition> {
        self.0.get(index)
    }

    /// The definitions directly inside the one at `index`; with `None`, those
    /// inside no other.
    pub fn children(&self, index: Option<usize>) -> impl Iterator<Item = &Definition> {
        self.0.iter().filter(move |d| d.parent == index)
    }

    /// Indexes of the definitions whose lines (docs above included) hold `line`,
    /// from the outermost to the innermost.
    pub fn chain(&self, line: usize) -> Vec<usize> {
        let Some(mut at) = self.innermost(line) else {
            return Vec::new();
        };
        let mut chain = vec![at];
        while let Some(parent) = self.0.get(at).and_then(|d| d.parent) {
            chain.push(parent);
            at = parent;
        }
        chain.reverse();
        chain
    }

    /// The innermost definition whose lines (docs above included) hold `line`.
    pub fn enclosing(&self, line: usize) -> Option<&Definition> {
        self.0.get(self.innermost(line)?)
    }

    /// As [`Definitions::enclosing`], but no lone value such as a field or constant
    /// inside another definition, and no key of a single line inside another.
    pub fn enclosing_scope(&self, line: usize) -> Option<&Definition> {
        let mut at = self.0.get(self.innermost(line)?)?;
        while at.kind.is_value() || (at.kind == Kind::Key && at.lines.len() == 1) {
            match at.parent.and_then(|p| self.0.get(p)) {
                Some(parent) => at = parent,
                None => break,
            }
        }
        Some(at)
    }

    fn innermost(&self, line: usize) -> Option<usize> {
        // Of those that hold the line, the one that starts last is furthest in.
        self.0
            .iter()
            .rposition(|d| d.start_with_docs <= line && line <= d.lines.end)
    }

    /// Definitions by name (`method`), qualified name (`Type.method`,
    /// `Type::method`, `Type#method`, `<Type as Trait>::method`) or its end
    /// (`inner.method` for `outer.inner.method`), in order.
    pub fn find(&self, name_or_path: &str) -> Vec<&Definition> {
        let whole = name_or_path.trim();
        // Some names end so (`operator bool()`).
        let asked = whole.strip_suffix("()").unwrap_or(whole);
        for asked in [whole, asked] {
            let is_called = |d: &&Definition| d.name == asked || d.path == asked;
            let plain: Vec<_> = self.0.iter().filter(is_called).collect();
            if !plain.is_empty() {
                return plain;
            }
        }
        if asked.is_empty() {
            return Vec::new();
        }
        let path = normalize_path(asked);
        self.0
            .iter()
            .filter(|d| {
                d.path == path
                    || d.name == path
                    || d.path
                        .strip_suffix(path.as_str())
                        .is_some_and(|rest| rest.ends_with('.'))
            })
            .collect()
    }
}

/// A qualified name as it may be typed, in the form of [`Definition::path`].
fn normalize_path(asked: &str) -> String {
    let asked = match asked
        .strip_prefix('<')
        .and_then(|r| r.split_once(" as "))
        .and_then(|(ty, rest)| Some((ty, rest.split_once(">::")?.1)))
    {
        Some((ty, member)) => format!("{ty}::{member}"),
        None => asked.to_owned(),
    };
    asked
        .replace("::", ".")
        .replace("->", ".")
        .replace(['#', '\\', '/'], ".")
        .replace(':', ".")
        .trim_matches('.')
        .to_owned()
}
