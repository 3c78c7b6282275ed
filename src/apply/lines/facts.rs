//! What is known of a text before a pass looks at it, each thing found once.

use std::sync::Arc;

use super::line::{self, Counts, Line};
use super::recent::Known;
use crate::syntax::{Definitions, Outline, Pieces};
use crate::text::{Lines, Span};

/// A text's lines, and what its grammar says of it.
pub(crate) struct Facts<'a> {
    /// Its lines as they stand.
    pub lines: Lines<'a>,
    /// Its lines as the alignment knows them.
    pub records: Vec<Line<'a>>,
    /// How often each line occurs.
    pub counts: Counts,
    known: Option<Arc<Known>>,
}

impl<'a> Facts<'a> {
    /// Reads the lines of a text.
    pub fn new(text: &'a str) -> Self {
        let lines = Lines::new(text);
        let records: Vec<Line> = lines.iter().map(Line::new).collect();
        Self {
            counts: line::counts(records.iter()),
            lines,
            records,
            known: None,
        }
    }

    /// With what its grammar says of it.
    pub fn with(self, known: Option<Arc<Known>>) -> Self {
        Self { known, ..self }
    }

    /// The text itself.
    pub fn text(&self) -> &'a str {
        self.lines.text()
    }

    /// Its tree and outline, where there is a grammar for it.
    pub fn known(&self) -> Option<&Known> {
        self.known.as_deref()
    }

    /// Its trees, where there is a grammar for it.
    pub fn parsed(&self) -> Option<&Pieces> {
        self.known().map(|k| &k.parsed)
    }

    /// What it defines; nothing where there is no grammar for it.
    pub fn definitions(&self) -> &Definitions {
        static NONE: Definitions = Definitions::NONE;
        self.outline().map_or(&NONE, |o| &o.definitions)
    }

    /// Its import statements.
    pub fn imports(&self) -> &[Span] {
        self.outline().map_or(&[], |o| &o.imports)
    }

    fn outline(&self) -> Option<&Outline> {
        self.known().map(|k| k.outline(self.text()))
    }
}
