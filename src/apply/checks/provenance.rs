//! Whether a merged text is made of the file and the snippet alone.

use std::collections::HashSet;

use crate::apply::lines::line::{Line, alike_unended};
use crate::apply::lines::shape::{dropped, empty_comment};
use crate::apply::place::keep::QUOTED;
use crate::apply::snippet::script::{Item, Role, Script};
use crate::error::{Error, Result};
use crate::text::changed;

/// Refuses a merged text with a line that stands neither in the file nor in the snippet,
/// and one that lacks a line of the snippet or has it out of order. Both would be a fault
/// of the merge itself.
pub(crate) fn check(before: &str, after: &str, scripts: &[Script], path: &str) -> Result<()> {
    let (old, new) = changed(before, after);
    let (old, new) = (&before[old], &after[new]);
    let items = || {
        scripts
            .iter()
            .flat_map(|s| &s.segments)
            .flat_map(|s| &s.items)
    };
    let known: HashSet<&str> = old
        .lines()
        .chain(items().map(|i| i.text.as_str()))
        .map(str::trim)
        .collect();
    let stray = new
        .lines()
        .map(str::trim)
        .find(|l| !l.is_empty() && !known.contains(l));
    if let Some(line) = stray {
        return Err(unproven(format!(
            "Merged, {path} would hold a line that is neither its own nor the snippet's: `{line}`."
        )));
    }
    // Later passes may change what an earlier one put in.
    let [script] = scripts else { return Ok(()) };
    let lines: Vec<&str> = after.lines().map(str::trim).collect();
    for segment in &script.segments {
        let mut at = 0;
        let prefixed = segment.items.iter().any(|i| i.role == Role::Minus);
        for item in segment.items.iter().filter(|i| shows(i)) {
            let there = lines.get(at..).unwrap_or_default();
            let quotes = |l: &str| prefixed && item.role == Role::Plain && quotes(item, l);
            match there.iter().position(|l| gives(item, l) || quotes(l)) {
                Some(p) => at += p + 1,
                None => {
                    return Err(unproven(format!(
                        "Merged, {path} would lack line {} of the snippet (`{}`), or have it out of order.",
                        item.number,
                        item.text.trim()
                    )));
                }
            }
        }
    }
    Ok(())
}

fn unproven(what: String) -> Error {
    Error::refused(
        "unproven",
        what,
        "Send the change as a diff: `-` and `+` lines with a line of context above and below.",
    )
}

/// Whether a line without a prefix, among others that have one, is a line of the file, misquoted.
fn quotes(item: &Item, l: &str) -> bool {
    Line::new(&item.text).similarity(&Line::new(l)) >= QUOTED
}

/// Whether a line has to be in the merged text as it is given.
fn shows(item: &Item) -> bool {
    let text = item.text.trim();
    matches!(item.role, Role::Plain | Role::Plus) && !text.is_empty() && !empty_comment(text)
}

/// Whether a merged line is one of the snippet, what a misquote leaves out and a comment behind
/// it aside.
fn gives(item: &Item, line: &str) -> bool {
    let text = item.text.trim();
    line.starts_with(text) || alike_unended(text, line) || dropped(text, line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::apply::snippet::script::Segment;

    #[test]
    fn lines_from_nowhere_and_lost_ones_are_refused() {
        let script = Script {
            segments: vec![Segment {
                items: ["one", "two"]
                    .iter()
                    .zip(1..)
                    .map(|(t, number)| Item {
                        text: (*t).to_string(),
                        role: Role::Plain,
                        number,
                    })
                    .collect(),
                ..Default::default()
            }],
            ..Script::default()
        };
        let scripts = [script];
        let code = |after| check("one\n", after, &scripts, "f").map_err(|e| e.code);
        assert_eq!(code("one\ntwo\n"), Ok(()));
        assert_eq!(code("one\n"), Err("unproven"));
        assert_eq!(code("two\none\n"), Err("unproven"));
        assert_eq!(code("one\ntwo\nthree\n"), Err("unproven"));
        let message = |after| {
            check("one\n", after, &scripts, "f")
                .unwrap_err()
                .to_string()
        };
        insta::assert_snapshot!(message("one\n"), @r"
        unproven: Merged, f would lack line 2 of the snippet (`two`), or have it out of order.
        next: Send the change as a diff: `-` and `+` lines with a line of context above and below.
        ");
        insta::assert_snapshot!(message("one\ntwo\nthree\n"), @r"
        unproven: Merged, f would hold a line that is neither its own nor the snippet's: `three`.
        next: Send the change as a diff: `-` and `+` lines with a line of context above and below.
        ");
    }
}
