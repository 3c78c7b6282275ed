//! The `search` tool.

use super::tool::{Answer, Call, Tool};
use crate::error::Result;
use crate::search::{Mode, Request};
use schemars::JsonSchema;
use serde::Deserialize;
use std::time::Duration;

/// How long is looked for matches: a call that would reach its limit answers with
/// what it has found.
pub(super) const LOOK: Duration = Duration::from_secs(35);

pub(super) struct Search;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Arguments {
    /// Patterns, symbols or words; ask all at once
    #[schemars(length(min = 1, max = 8))]
    queries: Vec<String>,
    #[serde(default)]
    #[schemars(extend("enum" = Mode::ALL.map(Mode::name)), with = "Option<String>")]
    mode: Mode,
    /// Such as src/**/*.rs or !tests/**
    globs: Option<Vec<String>>,
    /// Tokens, 3000 by default
    budget: Option<usize>,
}

const DESCRIPTION: &str = "Search the code base like grep, for up to 8 queries at once: regex, literal text, \
words in any order or symbol definitions. Returns the enclosing functions as ranked line ranges with their text, \
within a token budget. Replaces grep, glob, find and reading whole files.";

impl Tool for Search {
    const NAME: &'static str = "search";
    const DESCRIPTION: &'static str = DESCRIPTION;
    const READ_ONLY: Option<&'static str> = Some(DESCRIPTION);
    const ONLY_READS: bool = true;
    type Arguments = Arguments;

    fn call(call: &Call, arguments: Arguments) -> Result<Answer> {
        let request = Request {
            mode: arguments.mode,
            globs: arguments.globs.unwrap_or_default(),
            budget: arguments.budget,
            within: Some(LOOK),
            ..Request::new(arguments.queries)
        };
        let response = call.engine.search(&request, &call.cancel)?;
        Ok(response.render().to_owned().into())
    }
}
