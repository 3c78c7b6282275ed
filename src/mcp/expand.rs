//! The `expand` tool.

use super::fit;
use super::tool::{Answer, Call, Tool};
use crate::error::{Error, Result};
use crate::run::{ExpandOptions, expand, parse_span};
use crate::text::Span;
use schemars::JsonSchema;
use serde::Deserialize;

/// Tokens where the call names no budget.
const BUDGET: usize = 3_000;

pub(super) struct Expand;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Arguments {
    /// HANDLE, PATH:10-40, PATH, PATH#Symbol or DIR
    target: String,
    /// Only these, such as 10-40
    lines: Option<String>,
    /// Only lines that match this regex
    grep: Option<String>,
    /// Tokens, 3000 by default
    budget: Option<usize>,
}

const DESCRIPTION: &str = "Read exactly what is needed, verbatim: lines of a file, the definition of a symbol \
(function, class), the omitted text behind a handle, or the tree of a folder. Replaces cat, ls and read.";

impl Tool for Expand {
    const NAME: &'static str = "expand";
    const DESCRIPTION: &'static str = DESCRIPTION;
    const READ_ONLY: Option<&'static str> = Some(DESCRIPTION);
    const ONLY_READS: bool = true;
    type Arguments = Arguments;

    fn call(call: &Call, arguments: Arguments) -> Result<Answer> {
        let lines = spans(arguments.lines.as_deref().unwrap_or_default())?;
        fit::render(arguments.budget, BUDGET, |budget| {
            let options = ExpandOptions {
                lines: lines.clone(),
                grep: arguments.grep.clone(),
                budget: Some(budget),
            };
            Ok(expand(&call.root, &arguments.target, &options, &call.cancel)?.render())
        })
        .map(Answer::from)
    }
}

/// `10-40` or several of them with commas or blanks between.
fn spans(text: &str) -> Result<Vec<Span>> {
    text.split([',', ' '])
        .filter(|part| !part.is_empty())
        .map(|part| {
            parse_span(part).ok_or_else(|| {
                Error::failure(
                    "bad_lines",
                    format!("{part:?} is no range of lines."),
                    "Write it as 10-21, several as 10-21,40-52.",
                )
            })
        })
        .collect()
}
