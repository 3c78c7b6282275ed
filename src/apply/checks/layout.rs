//! How the new lines of a merged text stand among the file's: as deep as what is beside them, and
//! with the conditions of a preprocessor ended as often as begun.

use std::collections::HashSet;

use crate::apply::lines::facts::Facts;
use crate::apply::lines::shape::{branches, net_conditions};
use crate::error::{Error, Result};
use crate::syntax::Pieces;
use crate::text::changed;

/// Refuses a merged text, of which `new` are the trees, in which a new line stands at another column
/// than its block or the conditions are no longer balanced.
///
/// # Errors
/// `indentation`, `open_condition`.
pub(crate) fn check(before: &Facts, after: &str, new: &Pieces, path: &str) -> Result<()> {
    let (was, is) = changed(before.text(), after);
    let comments = new.language().line_comments();
    if !comments.iter().any(|c| c.starts_with('#')) {
        conditions(&before.text()[was.clone()], &after[is.clone()], path)?;
    }
    let old: HashSet<&str> = before.text()[was].lines().collect();
    let is_new = |line: &str| !old.contains(line);
    // What may stand at any column: a label, a directive, a further branch.
    let indents = new.language().indentation_sensitive();
    let skip = |code: &str| {
        code.starts_with(['#', '@', '<']) && !indents
            || branches(code)
            || ["ensure", "finally", "catch"]
                .iter()
                .any(|w| code.starts_with(w))
            || code.ends_with(':') && !indents
            || !code.starts_with(|c: char| c.is_alphabetic() || c == '_')
    };
    match new.astray(after, &is, &is_new, &skip) {
        None => Ok(()),
        Some((line, is, others)) => {
            let text = after.lines().nth(line - 1).unwrap_or_default().trim();
            Err(Error::refused(
                "indentation",
                format!(
                    "Merged, line {line} of {path} (`{text}`) would be indented by {is} where what stands beside it is by {others}."
                ),
                "Indent all lines of the part as the file does, or give the line above them as it is there.",
            ))
        }
    }
}

/// A condition of a preprocessor ends where it began: a change takes out or puts in both.
fn conditions(old: &str, new: &str, path: &str) -> Result<()> {
    let net = |text: &str| -> i32 {
        let lines = text.lines().map(str::trim_start);
        lines.map(net_conditions).sum()
    };
    match net(new) - net(old) {
        0 => Ok(()),
        more => Err(Error::refused(
            "open_condition",
            format!(
                "Merged, {path} would have an `#{}` more than it should.",
                if more > 0 { "if" } else { "endif" }
            ),
            "Give the lines `#if` and `#endif` of the changed part as they stand in the file.",
        )),
    }
}
