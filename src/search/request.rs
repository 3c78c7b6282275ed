use crate::error::{Error, Result};
use crate::workspace::Scope;
use std::time::Duration;

/// How a query is understood.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// A regular expression where the query is one, else its literal text; plain
    /// words that occur nowhere together are taken as [`Mode::Words`].
    #[default]
    Auto,
    /// A regular expression, in ripgrep's syntax.
    Regex,
    /// The text as it stands.
    Literal,
    /// A task in plain words: definitions ranked by what they are about.
    Words,
    /// A whole or partial, qualified or bare name: its definitions, then its uses.
    Symbol,
}

impl Mode {
    /// All modes, in the order in which they are offered.
    pub const ALL: [Mode; 5] = [
        Mode::Auto,
        Mode::Regex,
        Mode::Literal,
        Mode::Words,
        Mode::Symbol,
    ];

    /// Its name in requests.
    pub fn name(self) -> &'static str {
        match self {
            Mode::Auto => "auto",
            Mode::Regex => "regex",
            Mode::Literal => "literal",
            Mode::Words => "words",
            Mode::Symbol => "symbol",
        }
    }
}

impl std::str::FromStr for Mode {
    type Err = Error;

    fn from_str(word: &str) -> Result<Self> {
        Mode::ALL
            .into_iter()
            .find(|m| m.name() == word)
            .ok_or_else(|| {
                Error::failure(
                    "bad_mode",
                    format!("There is no search mode {word:?}."),
                    "Use auto, regex, literal, words or symbol.",
                )
            })
    }
}

/// Whether upper and lower case are told apart.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Case {
    /// They are, as in ripgrep without flags.
    #[default]
    Sensitive,
    /// They are not (Unicode simple case folding).
    Insensitive,
    /// They are if the query holds an upper-case letter.
    Smart,
}

/// Most queries of one request.
pub const MAX_QUERIES: usize = 8;
/// Longest query, in bytes; a task in plain words may be a whole issue text.
const MAX_QUERY_BYTES: usize = 64 << 10;
/// Budget where the request names none, in o200k tokens.
pub const DEFAULT_BUDGET: usize = 3_000;
/// Size of a result where the request names no budget, in bytes.
pub const DEFAULT_BYTES: usize = 9_900;

/// What to search for. `Request::default()` with queries is what ripgrep would
/// find for them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// One to [`MAX_QUERIES`] queries; each is matched on its own.
    pub queries: Vec<String>,
    /// How they are understood.
    pub mode: Mode,
    /// Which files, as in [`Scope::globs`].
    pub globs: Vec<String>,
    /// Whether hidden files are searched.
    pub hidden: bool,
    /// Upper and lower case.
    pub case: Case,
    /// Whether a match may span lines (`\n` in a pattern; `.` still stops at a line).
    pub multiline: bool,
    /// Lines shown around a match that lies in no definition.
    pub context: usize,
    /// Most tokens of the rendered result; [`DEFAULT_BUDGET`] and
    /// [`DEFAULT_BYTES`] where there is none.
    pub budget: Option<usize>,
    /// Most matching lines per query, the first in order of paths; all where none.
    pub limit: Option<usize>,
    /// Longest time spent looking for matches: when it is over, ranges are made of
    /// what was found, and [`Response::partial`](super::Response::partial) says so.
    pub within: Option<Duration>,
}

impl Default for Request {
    fn default() -> Self {
        Self {
            queries: Vec::new(),
            mode: Mode::Auto,
            globs: Vec::new(),
            hidden: false,
            case: Case::Sensitive,
            multiline: false,
            context: 2,
            budget: None,
            limit: None,
            within: None,
        }
    }
}

impl Request {
    /// A request with these queries and defaults for the rest.
    pub fn new<I: IntoIterator<Item = S>, S: Into<String>>(queries: I) -> Self {
        Self {
            queries: queries.into_iter().map(Into::into).collect(),
            ..Self::default()
        }
    }

    /// The files that are searched.
    pub fn scope(&self) -> Scope {
        Scope {
            globs: self.globs.clone(),
            hidden: self.hidden,
        }
    }

    /// Whether the request can be answered at all.
    ///
    /// # Errors
    /// `no_query`, `too_many_queries`, `empty_query`, `query_too_long`.
    pub(super) fn check(&self) -> Result<()> {
        if self.queries.is_empty() {
            return Err(Error::failure(
                "no_query",
                "There is nothing to search for.",
                "Give one to 8 queries.",
            ));
        }
        if self.queries.len() > MAX_QUERIES {
            return Err(Error::failure(
                "too_many_queries",
                format!(
                    "{} queries were given; a search takes at most {MAX_QUERIES}.",
                    self.queries.len()
                ),
                "Split them over several calls.",
            ));
        }
        for query in &self.queries {
            if query.trim().is_empty() {
                return Err(Error::failure(
                    "empty_query",
                    "A query is empty and would match every line.",
                    "Give a text, a pattern or a name to look for.",
                ));
            }
            if query.len() > MAX_QUERY_BYTES {
                return Err(Error::failure(
                    "query_too_long",
                    format!(
                        "A query has {} bytes; at most {MAX_QUERY_BYTES} are taken.",
                        query.len()
                    ),
                    "Shorten it to the words that matter.",
                ));
            }
        }
        Ok(())
    }
}
