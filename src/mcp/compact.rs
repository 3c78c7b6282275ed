//! The `compact` tool.

use super::fit;
use super::tool::{Answer, Call, Tool};
use crate::compact::{Kind, Options, Size, compact_stored};
use crate::error::{Error, Result};
use crate::run::{shorten_all, targets};
use crate::workspace::Store;
use regex::Regex;
use schemars::JsonSchema;
use serde::Deserialize;

/// Tokens where the call names no budget.
const BUDGET: usize = 2_000;

pub(super) struct Compact;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Arguments {
    /// PATHs or HANDLEs; else text
    target: Option<String>,
    text: Option<String>,
    /// Detected by default
    #[schemars(extend("enum" = Kind::ALL.map(Kind::name)))]
    kind: Option<String>,
    /// What matters, in words
    query: Option<String>,
    /// Tokens, 2000 by default
    budget: Option<usize>,
    /// Regexes of lines to keep
    keep: Option<Vec<String>>,
}

const DESCRIPTION: &str = "Compress a long file, log, test output, diff, JSON or transcript to a token budget: \
an outline of source, errors with their context, whatever touches the query. Lines stay verbatim; omitted ones \
come back with expand.";

impl Tool for Compact {
    const NAME: &'static str = "compact";
    const DESCRIPTION: &'static str = DESCRIPTION;
    const READ_ONLY: Option<&'static str> = Some(DESCRIPTION);
    const ONLY_READS: bool = true;
    type Arguments = Arguments;

    fn call(call: &Call, arguments: Arguments) -> Result<Answer> {
        let keep = arguments.keep.unwrap_or_default();
        let options = Options {
            kind: arguments.kind.map(|k| k.parse()).transpose()?,
            file: None,
            query: arguments.query.unwrap_or_default(),
            size: Size::Budget(BUDGET),
            keep: keep.iter().map(|k| pattern(k)).collect::<Result<_>>()?,
            parts: Vec::new(),
        };
        fit::render(arguments.budget, BUDGET, |budget| {
            let options = Options {
                size: Size::Budget(budget),
                ..options.clone()
            };
            let short = match (&arguments.target, &arguments.text) {
                (Some(target), None) => {
                    let targets = targets(&call.root, target);
                    shorten_all(&call.root, &targets, &options, &call.cancel)
                }
                (None, Some(text)) => {
                    compact_stored(text, &options, &Store::for_root(&call.root)?, "text")
                }
                _ => Err(Error::failure(
                    "bad_arguments",
                    "compact: exactly one of `target` and `text` is wanted.",
                    "Give a path or a handle as `target`, or the `text` itself.",
                )),
            };
            Ok(short?.text)
        })
        .map(Answer::from)
    }
}

fn pattern(text: &str) -> Result<Regex> {
    Regex::new(text).map_err(|e| {
        Error::failure(
            "bad_pattern",
            format!("`keep` holds no regular expression: {e}"),
            "Escape the characters that are meant literally.",
        )
    })
}
