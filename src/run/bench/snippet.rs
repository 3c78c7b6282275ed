//! The edit that an agent would send to `apply` instead of the recorded one.

use crate::syntax::Language;
use crate::text::Lines;
use crate::tokens::count;
use std::path::Path;

/// Lines of context around a change.
const CONTEXT: usize = 2;
/// Fewer unchanged lines than this are written out rather than marked.
const GAP: usize = 3;

/// The shorter of a lazy snippet and a search/replace block for a change of `old`
/// to `new`, both whole lines that follow each other in a file. Nothing else of
/// the file is used but to see where few lines would stand in several places.
pub(super) fn shortest(path: &str, old: &str, new: &str, file: &str) -> String {
    let block = block(old, new, file);
    match lazy(path, old, new, file) {
        Some(lazy) if count(&lazy) < count(&block) => lazy,
        _ => block,
    }
}

/// A search/replace block without the lines that are equal at both ends, but for as
/// much context as makes it unique in the file.
fn block(old: &str, new: &str, file: &str) -> String {
    let (a, b): (Vec<&str>, Vec<&str>) = (
        old.split_inclusive('\n').collect(),
        new.split_inclusive('\n').collect(),
    );
    let front = a.iter().zip(&b).take_while(|(x, y)| x == y).count();
    let most = a.len().min(b.len()) - front;
    let back = a
        .iter()
        .rev()
        .zip(b.iter().rev())
        .take_while(|(x, y)| x == y)
        .count()
        .min(most);
    let cut = |lines: &[&str], context: usize| -> String {
        let (skip, drop) = (front.saturating_sub(context), back.saturating_sub(context));
        lines[skip..lines.len() - drop].concat()
    };
    let unique = |context: &usize| {
        let text = cut(&a, *context);
        // A blank line says nothing about its place.
        let ends = [text.lines().next(), text.lines().next_back()];
        ends.iter().flatten().all(|l| !l.trim().is_empty())
            && file.matches(text.as_str()).take(2).count() < 2
    };
    let context = (1..front.max(back)).find(unique).unwrap_or(a.len());
    let (a, b) = (cut(&a, context), cut(&b, context));
    format!(
        "<<<<<<< SEARCH\n{}=======\n{}>>>>>>> REPLACE\n",
        ended(&a),
        ended(&b)
    )
}

fn ended(text: &str) -> String {
    if text.is_empty() || text.ends_with('\n') {
        text.to_string()
    } else {
        format!("{text}\n")
    }
}

/// Changed lines with context and markers. The context on each side of a change
/// grows until it stands but once in the file. `None` where a change stands at an
/// end and has no context there, where no context is unique, or where the language
/// has no comments.
fn lazy(path: &str, old: &str, new: &str, file: &str) -> Option<String> {
    let language = Language::detect(Path::new(path), old)?;
    let comment = language.line_comments().first()?;
    let (before, after) = (Lines::new(old), Lines::new(new));
    let unique = |lines: &[&str]| {
        let text = lines.concat();
        !text.trim().is_empty() && file.matches(text.as_str()).take(2).count() < 2
    };
    let all: Vec<&str> = (1..=before.len()).map(|n| before.full(n)).collect();
    // For each new line whether it is needed: changed, or near a change.
    let mut keep = vec![false; after.len() + 1];
    for op in similar::TextDiff::from_lines(old, new).ops() {
        let (tag, a, b) = op.as_tag_tuple();
        if tag == similar::DiffTag::Equal {
            continue;
        }
        let front = (CONTEXT..=a.start).find(|n| {
            let lines = &all[a.start - n..a.start];
            !lines[0].trim().is_empty() && unique(lines)
        })?;
        let back = (CONTEXT..=before.len() - a.end).find(|n| {
            let lines = &all[a.end..a.end + n];
            !lines[n - 1].trim().is_empty() && unique(lines)
        })?;
        let from = b.start.saturating_sub(front);
        let to = (b.end + back).min(after.len());
        keep[from..to].fill(true);
    }
    let mut out = String::new();
    let mut n = 0;
    while n < after.len() {
        let run = keep[n..after.len()].iter().take_while(|k| !**k).count();
        if run >= GAP || (run > 0 && (n == 0 || n + run == after.len())) {
            out.push_str(&format!("{comment} ... existing code ...\n"));
            n += run;
            continue;
        }
        let until = n + run.max(1);
        for line in n..until.min(after.len()) {
            out.push_str(after.get(line + 1));
            out.push('\n');
        }
        n = until;
    }
    let marker = format!("{comment} ... existing code ...\n");
    let open = if out.starts_with(&marker) {
        ""
    } else {
        &marker
    };
    let close = if out.ends_with(&marker) { "" } else { &marker };
    Some(format!("{open}{out}{close}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::apply::{MergeOptions, merge};

    fn text(lines: usize, changed: &[usize]) -> String {
        (1..=lines)
            .map(|n| {
                let mark = if changed.contains(&n) {
                    " + changed"
                } else {
                    ""
                };
                format!("value_{n} = function_{n}(argument, other){mark}\n")
            })
            .collect()
    }

    #[test]
    fn the_shorter_form_is_sent_and_gives_the_same_bytes() {
        let options = MergeOptions {
            path: "a.py".into(),
            ..MergeOptions::default()
        };
        for (lines, changed) in [
            (4, vec![2]),
            (30, vec![5, 25]),
            (12, vec![3, 4, 5, 6, 7, 8]),
        ] {
            let (old, new) = (text(lines, &[]), text(lines, &changed));
            let file = format!("import os\n\n{old}\nprint(os)\n");
            let snippet = shortest("a.py", &old, &new, &file);
            assert!(count(&snippet) <= count(&old) + count(&new) + 20);
            let merged = merge(&file, &snippet, &options).unwrap();
            assert_eq!(merged.text, format!("import os\n\n{new}\nprint(os)\n"));
        }
        // Two changes far apart: the lines between are not sent.
        let (old, new) = (text(30, &[]), text(30, &[5, 25]));
        let snippet = lazy("a.py", &old, &new, &old).unwrap();
        let lazy = snippet.as_str();
        // The same context in two places fixes none.
        let twice = old.repeat(2);
        assert!(super::lazy("a.py", &old, &new, &twice).is_none());
        assert!(!lazy.contains("value_15"), "{lazy}");
        assert!(lazy.contains("# ... existing code ..."));
    }

    #[test]
    fn a_change_without_context_is_a_block() {
        let snippet = shortest("a.py", "x = 1\n", "x = 2\n", "x = 1\n");
        assert_eq!(
            snippet,
            "<<<<<<< SEARCH\nx = 1\n=======\nx = 2\n>>>>>>> REPLACE\n"
        );
    }
}
