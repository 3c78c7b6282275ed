//! The lines of a target that match a pattern.

use crate::error::{Error, Result};
use crate::text::{Lines, Span};
use crate::workspace::Cancel;
use regex::Regex;

pub(super) fn regex(pattern: &str) -> Result<Regex> {
    Regex::new(pattern).map_err(|e| {
        Error::failure(
            "bad_pattern",
            format!("`grep` is no regular expression: {e}"),
            "Escape the characters that are meant literally.",
        )
    })
}

/// The lines that match, those that follow each other as one span.
pub(super) fn matching(
    lines: &Lines<'_>,
    spans: &[Span],
    pattern: &str,
    cancel: &Cancel,
) -> Result<Vec<Span>> {
    let regex = regex(pattern)?;
    let mut out: Vec<Span> = Vec::new();
    for span in spans {
        cancel.check()?;
        for n in span.start..=span.end {
            if regex.is_match(lines.get(n)) {
                match out.last_mut() {
                    Some(last) if last.end + 1 == n => last.end = n,
                    _ => out.push(Span::new(n, n)),
                }
            }
        }
    }
    Ok(out)
}
