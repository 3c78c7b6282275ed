//! The patterns of `definitions.scm` and their matcher.
//!
//! The files are tree-sitter queries and are tested to be valid ones. They are
//! matched here and not by tree-sitter's query engine because that spends 10 to
//! 100 ms per language on compiling a query, more than a whole search may take;
//! these patterns compile in microseconds. The subset: every pattern has a named
//! root; a child pattern takes the first child that fits it; `?` makes a child
//! optional, `+` takes every child that fits; `[…]` alternatives; `_` and `(_)`; literals; `.` before the first
//! child pattern (it must fit the first named child); `!field`; the predicates
//! `#eq?`, `#any-of?`, `#starts-with?`, `#has-parent?`, `#has-ancestor?` and their
//! `#not-` forms (the `has` ones look at what is around the pattern's root).

use std::num::NonZeroU16;

use tree_sitter::{Language, Node};

use super::definition::Kind;

/// What a capture stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Role {
    Definition(Kind),
    Import,
    Name,
    /// A name in front of `Name` in the path, such as a receiver's type.
    Qualifier,
    Body,
    /// Used in predicates only.
    Private,
}

/// All patterns of a language, found by the kind of their root.
#[derive(Default)]
pub(super) struct Patterns {
    list: Vec<Pattern>,
    /// Per node kind, the patterns that may fit such a node, in order.
    by_kind: Vec<Vec<u16>>,
    captures: Vec<(String, Role)>,
}

struct Pattern {
    root: Shape,
    predicates: Vec<Predicate>,
    around: Vec<Around>,
}

struct Shape {
    test: Test,
    field: Option<NonZeroU16>,
    optional: bool,
    /// Every child that fits is taken, not only the first.
    every: bool,
    /// Only the first named child may fit.
    first: bool,
    captures: Vec<u8>,
    children: Vec<Shape>,
    absent: Vec<NonZeroU16>,
}

enum Test {
    Any,
    AnyNamed,
    Kind(u16),
    OneOf(Vec<Shape>),
}

struct Predicate {
    check: Check,
    negated: bool,
    capture: u8,
}

enum Check {
    AnyOf(Vec<String>),
    StartsWith(Vec<String>),
}

/// What must or must not stand around the root of a pattern.
struct Around {
    kinds: Vec<u16>,
    /// At any height; else directly above.
    any: bool,
    negated: bool,
}

/// The nodes a pattern captured.
#[derive(Default)]
pub(super) struct Captures<'t>(Vec<(u8, Node<'t>)>);

/// How far up `#has-ancestor?` looks: no code nests so deep, and input made to
/// nest deeper must not cost the square of its depth.
const MAX_ANCESTORS: usize = 256;

impl Patterns {
    /// Reads pattern files; what the grammar does not know is added to `unknown`
    /// and the pattern left out.
    pub fn compile(language: &Language, sources: &[&str], unknown: &mut Vec<String>) -> Self {
        let mut patterns = Self {
            by_kind: vec![Vec::new(); language.node_kind_count()],
            ..Self::default()
        };
        for source in sources {
            let mut reader = Reader {
                language,
                tokens: tokens(source),
                at: 0,
                captures: &mut patterns.captures,
            };
            while !reader.at_end() {
                let begin = reader.at;
                match reader.pattern() {
                    Ok(pattern) => {
                        let index = patterns.list.len() as u16;
                        let mut kinds = Vec::new();
                        root_kinds(&pattern.root, &mut kinds);
                        for kind in kinds {
                            if let Some(list) = patterns.by_kind.get_mut(usize::from(kind)) {
                                list.push(index);
                            }
                        }
                        patterns.list.push(pattern);
                    }
                    Err(what) => {
                        unknown.push(what);
                        reader.at = begin;
                        reader.skip_pattern();
                    }
                }
            }
        }
        patterns
    }

    /// Whether a pattern may fit nodes of this kind.
    pub fn apply_to(&self, kind: u16) -> bool {
        self.by_kind
            .get(usize::from(kind))
            .is_some_and(|l| !l.is_empty())
    }

    /// Whether the captures are those of an import.
    pub fn is_import(&self, captures: &Captures<'_>) -> bool {
        self.roles(captures).any(|(role, _)| *role == Role::Import)
    }

    /// The first pattern that fits `node`, as its captures. `above` are the kinds of
    /// the nodes around it, innermost first.
    pub fn fit<'t>(
        &self,
        node: Node<'t>,
        text: &str,
        above: impl Iterator<Item = u16> + Clone,
    ) -> Option<Captures<'t>> {
        let list = self.by_kind.get(usize::from(node.kind_id()))?;
        list.iter().find_map(|&index| {
            let pattern = self.list.get(usize::from(index))?;
            let around = pattern.around.iter().all(|a| {
                let mut above = above.clone().take(if a.any { MAX_ANCESTORS } else { 1 });
                above.any(|k| a.kinds.contains(&k)) != a.negated
            });
            let mut fitting = Fitting {
                text,
                predicates: &pattern.predicates,
                captures: Vec::new(),
            };
            (around && fitting.fits(&pattern.root, node)).then_some(Captures(fitting.captures))
        })
    }

    /// The captured node with its role, in the order of capture.
    pub fn roles<'a, 't>(
        &'a self,
        captures: &'a Captures<'t>,
    ) -> impl Iterator<Item = (&'a Role, Node<'t>)> + 'a {
        captures
            .0
            .iter()
            .filter_map(|(id, node)| Some((&self.captures.get(usize::from(*id))?.1, *node)))
    }
}

fn root_kinds(shape: &Shape, out: &mut Vec<u16>) {
    match &shape.test {
        Test::Kind(kind) => out.push(*kind),
        Test::OneOf(shapes) => shapes.iter().for_each(|s| root_kinds(s, out)),
        Test::Any | Test::AnyNamed => {}
    }
    out.sort_unstable();
    out.dedup();
}

/// One try of a pattern.
struct Fitting<'a, 't> {
    text: &'a str,
    predicates: &'a [Predicate],
    captures: Vec<(u8, Node<'t>)>,
}

// Recursion follows the pattern's depth, never the text's.
impl<'t> Fitting<'_, 't> {
    fn fits(&mut self, shape: &Shape, node: Node<'t>) -> bool {
        let before = self.captures.len();
        let all = (match &shape.test {
            Test::Any => true,
            Test::AnyNamed => node.is_named(),
            Test::Kind(kind) => node.kind_id() == *kind,
            Test::OneOf(_) => true,
        }) && shape.captures.iter().all(|&id| self.holds(id, node))
            && {
                let ids = shape.captures.iter();
                self.captures.extend(ids.map(|&id| (id, node)));
                match &shape.test {
                    Test::OneOf(shapes) => shapes.iter().any(|s| self.fits(s, node)),
                    _ => true,
                }
            }
            && shape
                .absent
                .iter()
                .all(|&field| node.child_by_field_id(field.get()).is_none())
            && shape
                .children
                .iter()
                .all(|child| self.fits_a_child(child, node) || child.optional);
        if !all {
            self.captures.truncate(before);
        }
        all
    }

    /// Whether the predicates about a capture hold for a node.
    fn holds(&self, capture: u8, node: Node<'t>) -> bool {
        let Some(source) = self.text.get(node.byte_range()) else {
            return false;
        };
        let mut about = self.predicates.iter().filter(|p| p.capture == capture);
        about.all(|p| {
            let found = match &p.check {
                Check::AnyOf(words) => words.iter().any(|w| w == source),
                Check::StartsWith(words) => words.iter().any(|w| source.starts_with(w.as_str())),
            };
            found != p.negated
        })
    }

    fn fits_a_child(&mut self, child: &Shape, node: Node<'t>) -> bool {
        if child.first {
            let mut cursor = node.walk();
            let first = node.named_children(&mut cursor).find(|n| !n.is_extra());
            return first.is_some_and(|n| self.fits(child, n));
        }
        if let Some(field) = child.field
            && !child.every
        {
            // Most fields are there once; only others need the slower walk.
            match node.child_by_field_id(field.get()) {
                None => return false,
                Some(n) if self.fits(child, n) => return true,
                Some(_) => {}
            }
        }
        let mut cursor = node.walk();
        if !cursor.goto_first_child() {
            return false;
        }
        let mut found = false;
        loop {
            if (child.field.is_none() || cursor.field_id() == child.field)
                && self.fits(child, cursor.node())
            {
                if !child.every {
                    return true;
                }
                found = true;
            }
            if !cursor.goto_next_sibling() {
                return found;
            }
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Open,
    Close,
    OpenList,
    CloseList,
    Dot,
    Optional,
    Plus,
    Word(String),
    Field(String),
    NoField(String),
    Literal(String),
    Capture(String),
    Predicate(String),
}

fn tokens(source: &str) -> Vec<Token> {
    let mut out = Vec::new();
    let mut chars = source.chars().peekable();
    let word_char = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '?' | '!');
    while let Some(c) = chars.next() {
        match c {
            ';' => while chars.next_if(|&c| c != '\n').is_some() {},
            '(' => out.push(Token::Open),
            ')' => out.push(Token::Close),
            '[' => out.push(Token::OpenList),
            ']' => out.push(Token::CloseList),
            '?' => out.push(Token::Optional),
            '+' => out.push(Token::Plus),
            '.' => out.push(Token::Dot),
            '"' => {
                let mut literal = String::new();
                while let Some(c) = chars.next() {
                    match c {
                        '"' => break,
                        '\\' => literal.extend(chars.next()),
                        c => literal.push(c),
                    }
                }
                out.push(Token::Literal(literal));
            }
            '@' | '#' | '!' => {
                let mut word = String::new();
                while let Some(c) = chars.next_if(|&c| word_char(c)) {
                    word.push(c);
                }
                out.push(match c {
                    '@' => Token::Capture(word),
                    '#' => Token::Predicate(word),
                    _ => Token::NoField(word),
                });
            }
            c if c.is_alphanumeric() || c == '_' => {
                let mut word = String::from(c);
                while let Some(c) = chars.next_if(|&c| c.is_alphanumeric() || c == '_') {
                    word.push(c);
                }
                if chars.next_if_eq(&':').is_some() {
                    out.push(Token::Field(word));
                } else {
                    out.push(Token::Word(word));
                }
            }
            _ => {}
        }
    }
    out
}

struct Reader<'a> {
    language: &'a Language,
    tokens: Vec<Token>,
    at: usize,
    captures: &'a mut Vec<(String, Role)>,
}

impl Reader<'_> {
    fn at_end(&self) -> bool {
        self.at >= self.tokens.len()
    }

    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn next(&mut self) -> Option<Token> {
        let token = self.tokens.get(self.at).cloned();
        self.at += 1;
        token
    }

    /// Moves behind the pattern that starts here.
    fn skip_pattern(&mut self) {
        let mut depth = 0usize;
        while let Some(token) = self.next() {
            match token {
                Token::Open | Token::OpenList => depth += 1,
                Token::Close | Token::CloseList => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth == 0 && !matches!(self.peek(), Some(Token::Capture(_))) {
                break;
            }
        }
    }

    fn kind(&self, name: &str, named: bool) -> Result<u16, String> {
        match self.language.id_for_node_kind(name, named) {
            0 => Err(format!("no node kind {name:?}")),
            id => Ok(id),
        }
    }

    fn field(&self, name: &str) -> Result<NonZeroU16, String> {
        self.language
            .field_id_for_name(name)
            .ok_or_else(|| format!("no field {name:?}"))
    }

    fn capture(&mut self, name: &str) -> Result<u8, String> {
        if let Some(id) = self.captures.iter().position(|(n, _)| n == name) {
            return Ok(id as u8);
        }
        let role = match name {
            "import" => Role::Import,
            "name" => Role::Name,
            "qualifier" => Role::Qualifier,
            "body" => Role::Body,
            _ if name.starts_with('_') => Role::Private,
            _ => name
                .strip_prefix("definition.")
                .and_then(Kind::from_capture)
                .map(Role::Definition)
                .ok_or_else(|| format!("no capture {name:?}"))?,
        };
        let id = u8::try_from(self.captures.len()).map_err(|_| "too many captures".to_owned())?;
        self.captures.push((name.to_owned(), role));
        Ok(id)
    }

    fn pattern(&mut self) -> Result<Pattern, String> {
        let mut predicates = Vec::new();
        let mut around = Vec::new();
        let root = self.shape(&mut predicates, &mut around)?;
        Ok(Pattern {
            root,
            predicates,
            around,
        })
    }

    fn shape(
        &mut self,
        predicates: &mut Vec<Predicate>,
        around: &mut Vec<Around>,
    ) -> Result<Shape, String> {
        let mut shape = Shape {
            test: Test::Any,
            field: None,
            optional: false,
            every: false,
            first: false,
            captures: Vec::new(),
            children: Vec::new(),
            absent: Vec::new(),
        };
        if self.peek() == Some(&Token::Dot) {
            self.at += 1;
            shape.first = true;
        }
        if let Some(Token::Field(name)) = self.peek().cloned() {
            self.at += 1;
            shape.field = Some(self.field(&name)?);
        }
        match self.next() {
            Some(Token::Word(w)) if w == "_" => {}
            Some(Token::Literal(l)) => shape.test = Test::Kind(self.kind(&l, false)?),
            Some(Token::OpenList) => {
                let mut list = Vec::new();
                while self.peek() != Some(&Token::CloseList) {
                    list.push(self.shape(predicates, around)?);
                }
                self.at += 1;
                shape.test = Test::OneOf(list);
            }
            Some(Token::Open) => {
                match self.next() {
                    Some(Token::Word(w)) if w == "_" => shape.test = Test::AnyNamed,
                    Some(Token::Word(w)) => shape.test = Test::Kind(self.kind(&w, true)?),
                    Some(Token::Open | Token::OpenList) => {
                        // A group around one pattern and its predicates.
                        self.at -= 1;
                        shape = self.shape(predicates, around)?;
                    }
                    other => return Err(format!("not understood: {other:?}")),
                }
                loop {
                    match self.peek().cloned() {
                        Some(Token::Close) => {
                            self.at += 1;
                            break;
                        }
                        Some(Token::NoField(name)) => {
                            self.at += 1;
                            shape.absent.push(self.field(&name)?);
                        }
                        Some(Token::Open)
                            if matches!(
                                self.tokens.get(self.at + 1),
                                Some(Token::Predicate(_))
                            ) =>
                        {
                            self.predicate(predicates, around)?;
                        }
                        Some(_) => {
                            let child = self.shape(predicates, around)?;
                            shape.children.push(child);
                        }
                        None => return Err("a parenthesis is not closed".to_owned()),
                    }
                }
            }
            other => return Err(format!("not understood: {other:?}")),
        }
        loop {
            match self.peek().cloned() {
                Some(Token::Optional) => {
                    self.at += 1;
                    shape.optional = true;
                }
                Some(Token::Plus) => {
                    self.at += 1;
                    shape.every = true;
                }
                Some(Token::Capture(name)) => {
                    self.at += 1;
                    let id = self.capture(&name)?;
                    shape.captures.push(id);
                }
                _ => return Ok(shape),
            }
        }
    }

    fn predicate(
        &mut self,
        predicates: &mut Vec<Predicate>,
        around: &mut Vec<Around>,
    ) -> Result<(), String> {
        self.at += 1;
        let Some(Token::Predicate(name)) = self.next() else {
            return Err("not a predicate".to_owned());
        };
        let Some(Token::Capture(capture)) = self.next() else {
            return Err(format!("#{name} asks for a capture"));
        };
        let capture = self.capture(&capture)?;
        let mut words = Vec::new();
        loop {
            match self.next() {
                Some(Token::Close) => break,
                Some(Token::Word(w) | Token::Literal(w)) => words.push(w),
                other => return Err(format!("not understood in #{name}: {other:?}")),
            }
        }
        let (plain, negated) = match name.strip_prefix("not-") {
            Some(rest) => (rest, true),
            None => (name.as_str(), false),
        };
        let check = match plain {
            "has-parent?" | "has-ancestor?" => {
                let kinds = words.iter().map(|w| self.kind(w, true));
                around.push(Around {
                    kinds: kinds.collect::<Result<_, _>>()?,
                    any: plain == "has-ancestor?",
                    negated,
                });
                return Ok(());
            }
            "starts-with?" => Check::StartsWith(words),
            "eq?" | "any-of?" => Check::AnyOf(words),
            _ => return Err(format!("no predicate #{name}")),
        };
        predicates.push(Predicate {
            check,
            negated,
            capture,
        });
        Ok(())
    }
}
