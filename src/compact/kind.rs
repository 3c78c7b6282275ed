use crate::error::{Error, Result};
use std::fmt;
use std::str::FromStr;

/// What sort of text is compacted: it decides which lines carry the facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Program text.
    Source,
    /// Results of a text search: `path:line:text` and its relatives.
    Search,
    /// The output of a build, a linter, an installer or a test run.
    BuildLog,
    /// A unified diff or a patch series.
    Diff,
    /// JSON, on one line or many, or one value per line.
    Json,
    /// A service log or stack traces.
    Trace,
    /// The messages of an agent's session.
    History,
    /// A list or drawing of files and folders.
    Tree,
    /// Markdown.
    Markdown,
    /// Anything else.
    Text,
}

impl Kind {
    /// Every kind, in the order of the documentation.
    pub const ALL: [Kind; 10] = [
        Kind::Source,
        Kind::Search,
        Kind::BuildLog,
        Kind::Diff,
        Kind::Json,
        Kind::Trace,
        Kind::History,
        Kind::Tree,
        Kind::Markdown,
        Kind::Text,
    ];

    /// Its name, as options and results spell it.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Source => "source",
            Kind::Search => "search",
            Kind::BuildLog => "buildlog",
            Kind::Diff => "diff",
            Kind::Json => "json",
            Kind::Trace => "trace",
            Kind::History => "history",
            Kind::Tree => "tree",
            Kind::Markdown => "markdown",
            Kind::Text => "text",
        }
    }

    /// Whether a failure may be reported in it, which must then never be hidden.
    pub fn reports_failures(self) -> bool {
        matches!(self, Kind::BuildLog | Kind::Trace | Kind::Text)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Kind {
    type Err = Error;

    /// Reads a kind's name.
    ///
    /// # Errors
    /// `unknown_kind`, with the names there are.
    fn from_str(s: &str) -> Result<Self> {
        Kind::ALL
            .into_iter()
            .find(|k| k.name() == s)
            .ok_or_else(|| {
                let names: Vec<_> = Kind::ALL.iter().map(|k| k.name()).collect();
                Error::failure(
                    "unknown_kind",
                    format!("There is no kind {s:?}."),
                    format!("Use one of {}, or leave it out.", names.join(", ")),
                )
            })
    }
}
