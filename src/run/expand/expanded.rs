//! What a target stands for: lines, byte for byte, and what of them is wanted.

use crate::text::Span;

/// Which part of a target is wanted.
#[derive(Debug, Clone, Default)]
pub struct ExpandOptions {
    /// Only these lines (from 1, as the markers of an output number them).
    pub lines: Vec<Span>,
    /// Only lines that match this regular expression.
    pub grep: Option<String>,
    /// At most this many o200k tokens; what does not fit is named.
    pub budget: Option<usize>,
}

/// Some lines of a target.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Piece {
    /// The path, or what the handle's text was made from.
    pub source: String,
    /// Which lines of it.
    #[serde(flatten)]
    pub span: Span,
    /// The lines with their line breaks, byte for byte.
    pub text: String,
}

/// What a target stands for.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Expanded {
    /// The lines, in order; for a folder one piece, its tree.
    pub pieces: Vec<Piece>,
    /// What the budget left out, and how to get it; empty if nothing.
    pub rest: String,
}

impl Expanded {
    /// The lines alone, byte for byte.
    pub fn verbatim(&self) -> String {
        self.pieces.iter().map(|p| p.text.as_str()).collect()
    }

    /// The lines, each piece under a line `⋯ source:first-last`, and at the end
    /// what was left out.
    pub fn render(&self) -> String {
        let mut out = String::new();
        for piece in &self.pieces {
            out.push_str(&head(&piece.source, piece.span));
            out.push_str(&piece.text);
            if !piece.text.is_empty() && !piece.text.ends_with('\n') {
                out.push('\n');
            }
        }
        out.push_str(&self.rest);
        out
    }
}

fn head(source: &str, span: Span) -> String {
    format!("⋯ {source}:{span}\n")
}
