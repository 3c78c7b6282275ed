//! Statements that no other statement lets through to: below one that leaves the block, at its
//! depth, nothing runs.

use std::collections::BTreeSet;

use crate::apply::lines::key::leaves;
use crate::apply::lines::line::{self, starts_comment};
use crate::apply::lines::shape::{closes, labels};
use crate::error::{Error, Result};
use crate::syntax::Language;
use crate::text::changed;

/// Refuses a merged text in which a statement stands below one that leaves the block, where
/// it did not in the file.
///
/// # Errors
/// `unreachable`.
pub(crate) fn check(
    before: &str,
    after: &str,
    language: Option<&Language>,
    path: &str,
) -> Result<()> {
    // Elsewhere a function may be called above the line that it stands in.
    let in_order = language.is_some_and(|l| l.name() == "python");
    let (_, new) = changed(before, after);
    let touched = after[..new.start].lines().count()..=after[..new.end].lines().count();
    let lines: Vec<&str> = after.lines().collect();
    let found = unreached(&lines, *touched.end(), in_order).into_iter();
    let found: Vec<(usize, usize)> = found.filter(|p| p.1 + 1 >= *touched.start()).collect();
    if found.is_empty() {
        return Ok(());
    }
    let old: Vec<&str> = before.lines().collect();
    let known: BTreeSet<(&str, &str)> = unreached(&old, old.len(), in_order)
        .into_iter()
        .map(|(x, y)| (old[x], old[y]))
        .collect();
    match found
        .iter()
        .find(|&&(x, y)| !known.contains(&(lines[x], lines[y])))
    {
        Some(&(x, y)) => Err(Error::refused(
            "unreachable",
            format!(
                "Merged, line {} of {path} (`{}`) could not be reached below line {} (`{}`).",
                y + 1,
                lines[y].trim(),
                x + 1,
                lines[x].trim()
            ),
            format!(
                "If it goes, add `-{}` to the snippet; if it stays, put the new lines below it.",
                lines[y]
            ),
        )),
        None => Ok(()),
    }
}

/// The statements up to a line (its index) that leave their block, each with the next one at its
/// depth; `in_order` says that this may as well be a definition.
fn unreached(lines: &[&str], last: usize, in_order: bool) -> Vec<(usize, usize)> {
    let mut out = Vec::new();
    for (x, text) in lines.iter().enumerate().take(last.saturating_add(1)) {
        let t = text.trim();
        if !leaves(t) || conditional(t) || begins_text(t) {
            continue;
        }
        let depth = line::depth(text);
        let opens = t.ends_with(['(', '[', '{']);
        let rest = lines.iter().enumerate().skip(x + 1);
        let rest = rest.map(|(y, l)| (y, line::depth(l), l.trim()));
        let mut rest = rest.filter(|(.., t)| !t.is_empty());
        let mut closed = !opens;
        let below = rest.find(|&(_, columns, t)| {
            let ends = !closed && columns == depth && closes(t);
            closed |= ends;
            // `#` may begin a directive.
            let comment = starts_comment(t) && !t.starts_with('#');
            columns <= depth && !ends && !comment
        });
        if let Some((y, columns, t)) = below
            && columns == depth
            && !closes(t)
            && (!labels(t) || in_order && defines(t))
            && !goes_on(t)
            && !declares(t, lines.get(y + 1).map_or("", |l| l.trim()))
        {
            out.push((x, y));
        }
    }
    out
}

/// Whether a statement leaves the block on a condition, or goes on in a way of its own.
fn conditional(t: &str) -> bool {
    t.contains(" if ")
        || t.contains(" unless ")
        || t.ends_with(['\\', '=', '+', '?', '|', '&', '.'])
}

/// Whether a line ends within a text that goes on over lines.
fn begins_text(t: &str) -> bool {
    let quotes = ["\"\"\"", "'''", "`"];
    quotes.iter().any(|q| t.matches(q).count() % 2 == 1)
}

/// Whether a line begins a definition of Python.
fn defines(t: &str) -> bool {
    ["def ", "async def ", "class "]
        .iter()
        .any(|w| t.starts_with(w))
}

/// Whether a line, and the one below it, begin a function with its type before its name: one within
/// another may stand below all that runs.
fn declares(t: &str, below: &str) -> bool {
    let Some((head, _)) = t.split_once('(') else {
        return false;
    };
    let is_word = |c: char| c.is_alphanumeric() || "_<>[],.?:".contains(c);
    let words: Vec<&str> = head.split_whitespace().collect();
    let body = t.ends_with(") {") || t.ends_with(')') && below == "{";
    body && words.len() > 1 && words.iter().all(|w| w.chars().all(is_word))
}

/// Whether a line goes on with the statement above it.
fn goes_on(t: &str) -> bool {
    t.starts_with([
        '{', '(', '[', '.', '?', ':', '+', '-', '*', '&', '|', '=', ',', '<', '>',
    ]) || t.starts_with("and ")
        || t.starts_with("or ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_refused(before: &str, after: &str) -> bool {
        check(before, after, None, "x").is_err()
    }

    #[test]
    fn nothing_stands_below_what_leaves_the_block() {
        let before = "f {\n  a()\n}\n";
        for (after, refused) in [
            ("f {\n  return b()\n  a()\n}\n", true),
            ("f {\n  raise b(\n    1\n  )\n\n  a()\n}\n", true),
            ("f {\n  return b\n    .c()\n  a()\n}\n", true),
            ("f {\n  if x\n    return\n  a()\n}\n", false),
            ("f {\n  return if x\n  a()\n}\n", false),
            ("f {\n  return a()\n}\n", false),
            ("f {\n  return a()\n  case 2:\n}\n", false),
            ("f {\n  return a()\n  # why\n}\n", false),
            ("f {\n  return a()\n  int a()\n  {\n  }\n}\n", false),
            ("f {\n  return a()\n  if (a)\n  {\n  }\n}\n", true),
        ] {
            assert_eq!(is_refused(before, after), refused, "{after}");
        }
        let dead = "f {\n  return b()\n  a()\n}\n";
        assert!(!is_refused(dead, &format!("{dead}g()\n")));
        assert!(!is_refused(
            &format!("{dead}g()\n"),
            &format!("{dead}h()\n")
        ));
    }
}
