//! Where the segments of a snippet went, and what fixed it.

use crate::apply::settle::removed::Removed;
use crate::text::Span;

/// What fixed a segment's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Placement {
    /// Lines that stand once in the file.
    UniqueLines,
    /// A definition with the same name and kind.
    Definition,
    /// Lines that occur more than once, told apart by what surrounds them.
    Surroundings,
    /// The only place there is: the import block.
    Imports,
    /// The end of the file or of the scope that the snippet opens.
    End,
    /// The start of the file.
    Start,
    /// The whole file was given.
    WholeFile,
}

/// Where one segment went.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Placed {
    /// Its lines in the snippet.
    pub snippet: Span,
    /// The lines of the file (before the merge) that it covers; for a pure insertion the
    /// line it was put behind, 0 for the file's start.
    pub after_line: usize,
    /// Number of the file's lines that it covers.
    pub lines: usize,
    /// What fixed the place.
    pub by: Placement,
    /// By how much the place beats the next best one, in hundredths of a line's weight
    /// (a line unique on both sides weighs 300); absent where there is no other.
    pub margin: Option<i32>,
}

impl std::fmt::Display for Placement {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Placement::UniqueLines => "unique lines",
            Placement::Definition => "a definition",
            Placement::Surroundings => "surrounding lines",
            Placement::Imports => "the import block",
            Placement::End => "the end of the scope or file",
            Placement::Start => "the start of the file",
            Placement::WholeFile => "the whole file",
        })
    }
}

impl std::fmt::Display for Placed {
    /// `snippet lines 2-4 at lines 10-12, by unique lines, margin 300`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "snippet lines {} ", self.snippet)?;
        match self.lines {
            0 => write!(f, "behind line {}", self.after_line)?,
            n => write!(
                f,
                "at lines {}",
                Span::new(self.after_line + 1, self.after_line + n)
            )?,
        }
        write!(f, ", by {}", self.by)?;
        match self.margin {
            Some(margin) => write!(f, ", margin {margin}"),
            None => Ok(()),
        }
    }
}

/// One pass's result.
pub(crate) struct Merged {
    pub text: String,
    pub placed: Vec<Placed>,
    /// What it takes out of the file.
    pub removed: Vec<Removed>,
    /// Context lines that the snippet misquoted.
    pub misquoted: usize,
    /// Parts of the snippet that are the file's lines, word for word.
    pub idle: usize,
    /// Lines that the pass's reading decided.
    pub decided: usize,
}

impl Merged {
    /// What leaves the text as it is.
    pub fn unchanged(text: &str) -> Self {
        Self {
            text: text.to_string(),
            placed: Vec::new(),
            removed: Vec::new(),
            misquoted: 0,
            idle: 1,
            decided: 0,
        }
    }
}
