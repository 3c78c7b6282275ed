//! Reading pattern files.

use std::num::NonZeroU16;

use tree_sitter::Language;

use super::shape::{Around, Check, Pattern, Predicate, Role, Shape, Test};
use crate::syntax::definition::Kind;

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

/// Reads one pattern file.
pub(super) struct Reader<'a> {
    language: &'a Language,
    tokens: Vec<Token>,
    at: usize,
    captures: &'a mut Vec<(String, Role)>,
}

impl<'a> Reader<'a> {
    pub fn new(
        language: &'a Language,
        source: &str,
        captures: &'a mut Vec<(String, Role)>,
    ) -> Self {
        Self {
            language,
            tokens: tokens(source),
            at: 0,
            captures,
        }
    }

    pub fn at_end(&self) -> bool {
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

    /// The captures of all patterns so far, by number.
    pub fn captures(&self) -> &[(String, Role)] {
        self.captures
    }

    /// The next pattern; after an error the one behind it is next.
    pub fn pattern(&mut self) -> Result<Pattern, String> {
        let begin = self.at;
        let mut predicates = Vec::new();
        let mut around = Vec::new();
        match self.shape(&mut predicates, &mut around) {
            Ok(root) => Ok(Pattern {
                root,
                predicates,
                around,
            }),
            Err(what) => {
                self.at = begin;
                self.skip_pattern();
                Err(what)
            }
        }
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
