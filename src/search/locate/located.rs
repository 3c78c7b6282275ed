//! What a task is answered with: spans worth reading, best first.

use crate::text::Span;

/// A span worth reading for a task.
#[derive(Debug, Clone)]
pub struct Ranked {
    /// Relative to the root, `/`-separated.
    pub path: String,
    /// Its lines; spans of one result never overlap.
    pub span: Span,
    /// Qualified name of the definition that it is or lies in; empty between definitions.
    /// With [`LocateOptions::fill`](super::LocateOptions::fill) a span may hold several that follow one another: then
    /// their names, in order of the lines, with commas between.
    pub symbol: String,
    /// Relative to other spans of the same answer only.
    pub score: f64,
    /// Words of the task that it was found by, the most telling first.
    pub why: Vec<String>,
    /// o200k tokens of the line `path:start-end` and its code.
    pub tokens: usize,
}

/// What a task was answered with.
#[derive(Debug, Clone, Default)]
pub struct Located {
    /// Best first.
    pub ranked: Vec<Ranked>,
    /// o200k tokens of all spans with their headers; at most the budget.
    pub tokens: usize,
    /// Files that were read.
    pub files: usize,
    /// Blocks that were ranked.
    pub considered: usize,
}
