use super::query::Kind;
use crate::text::Span;

/// How a result was made sure to see every write that finished before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Freshness {
    /// Every file was read.
    Scan,
    /// The system's change events were drained when the search began.
    Barrier,
    /// The stamps of all files were compared when the search began.
    Sweep,
}

impl Freshness {
    pub(super) const ALL: [Self; 3] = [Self::Scan, Self::Barrier, Self::Sweep];

    /// Its name in results.
    pub fn name(self) -> &'static str {
        match self {
            Freshness::Scan => "scan",
            Freshness::Barrier => "barrier",
            Freshness::Sweep => "sweep",
        }
    }
}

/// Why a range is in the result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// It defines the name that was asked for.
    Definition,
    /// It holds matches.
    Match,
    /// It holds matches in comments only.
    Comment,
    /// It is about what was asked for (words).
    Topic,
}

/// A range of one file, as far as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Excerpt {
    /// Relative to the root.
    pub path: String,
    /// The definition with its docs, or the lines around the matches.
    pub span: Span,
    /// Qualified name of the definition.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub symbol: Option<String>,
    /// What the definition is, such as `function`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<&'static str>,
    /// Why it is here.
    pub role: Role,
    /// Positions of the queries that match in it.
    pub queries: Vec<usize>,
    /// All matching lines.
    pub matches: Vec<usize>,
    /// The lines of the span that are shown, with their text; cut where very long.
    #[serde(skip)]
    pub lines: Vec<(usize, String)>,
    /// Whether all lines of the span are shown, uncut.
    pub complete: bool,
}

/// What one query found in all files.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct QueryReport {
    /// As it was asked.
    pub query: String,
    /// What it was matched as.
    pub kind: Kind,
    /// Files with a match.
    pub files: usize,
    /// Matching lines.
    pub lines: usize,
    /// Whether `lines` is a lower bound, because a cap was reached.
    pub more: bool,
    /// Something the reader should know about how it was understood.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// What was found but is not shown.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Omitted {
    /// Ranges that are kept under the handle.
    pub ranges: usize,
    /// Matching lines in them.
    pub lines: usize,
    /// Files with matches that are neither shown nor kept.
    pub files: usize,
}

/// The result of a search, fitted to its budget.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Response {
    /// What is shown: the best first, ranges of one file together.
    pub excerpts: Vec<Excerpt>,
    /// What each query found, in order of the request.
    pub queries: Vec<QueryReport>,
    /// What is not shown.
    pub omitted: Omitted,
    /// The handle under which the omitted ranges are kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub handle: Option<String>,
    /// How it was made sure to be up to date.
    pub freshness: Freshness,
    /// Whether the time to look was over before everything was read.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub partial: bool,
    /// Exact number of o200k tokens of the rendered text.
    pub tokens: usize,
    #[serde(skip)]
    pub(super) text: String,
}

impl Response {
    /// The result as text; costs [`Response::tokens`] tokens.
    pub fn render(&self) -> &str {
        &self.text
    }

    /// Whether nothing was found.
    pub fn is_empty(&self) -> bool {
        self.excerpts.is_empty() && self.queries.iter().all(|q| q.lines == 0)
    }
}
