//! What is known of a text before a pass looks at it, each thing found once.

use std::cell::OnceCell;

use super::line::{self, Counts, Line};
use crate::syntax::{Definitions, Outline, Parsed};
use crate::text::{Lines, Span};

/// A text's lines, and what its grammar says of it.
pub(crate) struct Facts<'a> {
    /// Its lines as they stand.
    pub lines: Lines<'a>,
    /// Its lines as the alignment knows them.
    pub records: Vec<Line<'a>>,
    /// How often each line occurs.
    pub counts: Counts,
    /// Its tree, where there is a grammar for it.
    pub parsed: Option<&'a Parsed>,
    outline: OnceCell<Outline>,
}

impl<'a> Facts<'a> {
    /// Reads the lines of a text.
    pub fn new(text: &'a str, parsed: Option<&'a Parsed>) -> Self {
        let lines = Lines::new(text);
        let records: Vec<Line> = lines.iter().map(Line::new).collect();
        Self {
            counts: line::counts(records.iter()),
            lines,
            records,
            parsed,
            outline: OnceCell::new(),
        }
    }

    /// The text itself.
    pub fn text(&self) -> &'a str {
        self.lines.text()
    }

    /// What it defines; nothing where there is no grammar for it.
    pub fn definitions(&self) -> &Definitions {
        &self.outline().definitions
    }

    /// Its import statements.
    pub fn imports(&self) -> &[Span] {
        &self.outline().imports
    }

    fn outline(&self) -> &Outline {
        self.outline.get_or_init(|| {
            self.parsed
                .map(|p| p.outline(self.text()))
                .unwrap_or_default()
        })
    }
}
