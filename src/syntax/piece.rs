//! A piece of a text with its tree.

use std::sync::{Mutex, PoisonError};

use tree_sitter::Tree;

use super::collect::{Look, collect};
use super::found::Collected;
use super::language::Language;
use super::parse::{Parsed, Unparsed, parse_ranges};
use super::part::{Part, Rows};
use super::shell::Nodes;

/// A piece of a text with its tree.
pub(super) struct Piece {
    pub part: Part,
    pub parsed: Parsed,
    /// What is around its members.
    pub around: Option<Nodes>,
    /// What it defines, until that is asked for: a tree is looked at while it is in the caches still.
    pub found: Mutex<Option<Collected>>,
}

impl Piece {
    /// A text in one piece.
    pub fn whole(text: &str, parsed: Parsed) -> Self {
        Self {
            part: Part::plain(0..text.len()),
            parsed,
            around: None,
            found: Mutex::default(),
        }
    }

    /// What the piece, of this text, defines.
    pub fn collected(&self, text: &str, look: Look<'_>) -> Collected {
        let known = self.found.lock();
        let known = known.unwrap_or_else(PoisonError::into_inner).take();
        known.unwrap_or_else(|| {
            let mut own = Collected::default();
            collect(&self.parsed, Some(&self.part), text, look, &mut own);
            own
        })
    }

    /// Parses a piece; `old` is its tree before an edit. `None` where it has an error, or is
    /// not a part of what is around it.
    pub fn parse(
        language: &'static Language,
        text: &str,
        part: Part,
        rows: &Rows,
        old: Option<&Tree>,
        stop: &dyn Fn() -> bool,
    ) -> Result<Option<Self>, Unparsed> {
        let parsed = parse_ranges(language, text, &part.ranges(rows), old, stop)?;
        if parsed.has_error() {
            return Ok(None);
        }
        let around = match &part.shell {
            None => None,
            Some(shell) => match shell.nodes(&parsed, text, &part.own, part.is_last) {
                None => return Ok(None),
                some => some,
            },
        };
        Ok(Some(Self {
            part,
            parsed,
            around,
            found: Mutex::default(),
        }))
    }
}
