use super::output::Output;
use crate::error::{Error, Result};
use crate::run::{ExpandOptions, expand, parse_span};
use crate::workspace::{Cancel, Root};
use clap::Args;

/// Print omitted or named lines, verbatim; for a folder, its tree
#[derive(Args)]
pub struct Command {
    /// A handle, PATH, PATH:A-B, PATH#SYMBOL or a folder
    target: String,
    /// Only these lines, such as 10-21
    #[arg(long, value_name = "A-B")]
    lines: Vec<String>,
    /// Only lines that match
    #[arg(long, value_name = "REGEX")]
    grep: Option<String>,
    /// At most this many o200k tokens, headers included
    #[arg(long, value_name = "N")]
    budget: Option<usize>,
}

impl Command {
    pub fn run(self, root: &Root, cancel: &Cancel, out: &Output) -> Result<u8> {
        let mut lines = Vec::new();
        for text in &self.lines {
            lines.push(parse_span(text).ok_or_else(|| {
                Error::failure(
                    "bad_lines",
                    format!("{text:?} is no range of lines."),
                    "Write it as 10-21.",
                )
            })?);
        }
        let options = ExpandOptions {
            lines,
            grep: self.grep,
            budget: self.budget,
        };
        let expanded = expand(root, &self.target, &options, cancel)?;
        if out.is_json() {
            out.value(&expanded);
        } else if options.budget.is_some() {
            out.text(&expanded.render());
        } else {
            out.text(&expanded.verbatim());
        }
        Ok(0)
    }
}
