//! The edit that an agent would send to `apply` instead of the recorded one.

use crate::syntax::Language;
use crate::text::Lines;
use crate::tokens::count;
use std::ops::Range;
use std::path::Path;

/// Lines of context around a change.
const CONTEXT: usize = 2;
/// Lines on each side of a block's change, of which every number is tried.
const NEAR: usize = 8;
/// Fewer unchanged lines than this are written out rather than marked.
const GAP: usize = 3;

/// The shortest of a lazy snippet, a search/replace block, and one such block for
/// each changed part, for a change of `old` to `new`, both whole lines that follow
/// each other in a file. Nothing else of the file is used but to see where few lines
/// would stand in several places.
pub(super) fn shortest(path: &str, old: &str, new: &str, file: &str) -> String {
    let whole = block(old, new);
    let others = [
        blocks(old, new, file, usize::MAX),
        blocks(old, new, file, GAP),
        lazy(path, old, new, file),
    ];
    // The first of equals: a block says more clearly what goes.
    let all = others.into_iter().flatten().chain([whole]);
    all.min_by_key(|edit| count(edit)).unwrap_or_default()
}

fn block(old: &str, new: &str) -> String {
    format!(
        "<<<<<<< SEARCH\n{}=======\n{}>>>>>>> REPLACE\n",
        ended(old),
        ended(new)
    )
}

/// A search/replace block for each changed part, where parts with at most `gap` equal
/// lines between them are one. Each quotes as few of the lines around it as make it
/// stand but once in the file, however far in, and not further in or out in what
/// replaces it, where it could be found again. `None` where that takes more lines
/// than there are up to the next part.
fn blocks(old: &str, new: &str, file: &str, gap: usize) -> Option<String> {
    let (a, b): (Vec<&str>, Vec<&str>) = (
        old.split_inclusive('\n').collect(),
        new.split_inclusive('\n').collect(),
    );
    let all: Vec<&str> = file.split_inclusive('\n').collect();
    let mut parts: Vec<(Range<usize>, Range<usize>)> = Vec::new();
    for op in similar::TextDiff::from_slices(&a, &b).ops() {
        let (tag, x, y) = op.as_tag_tuple();
        if tag == similar::DiffTag::Equal {
            continue;
        }
        match parts.last_mut() {
            Some((old, new)) if x.start - old.end <= gap => {
                (old.end, new.end) = (x.end, y.end);
            }
            _ => parts.push((x, y)),
        }
    }
    let mut out = String::new();
    for (at, (x, y)) in parts.iter().enumerate() {
        let before = at.checked_sub(1).map_or(0, |at| parts[at].0.end);
        let behind = parts.get(at + 1).map_or(a.len(), |next| next.0.start);
        let (front, back) = (x.start - before, behind - x.end);
        let cut = |(front, back): (usize, usize)| {
            (
                &a[x.start - front..x.end + back],
                &b[y.start - front..y.end + back],
            )
        };
        let is_clear = |sides: &(usize, usize)| {
            let (old, new) = cut(*sides);
            // A blank line says nothing about its place.
            let ends = [old.first(), old.last()];
            ends.iter().all(|l| l.is_some_and(|l| !l.trim().is_empty()))
                && new.iter().any(|l| !l.trim().is_empty())
                && places(&all, old).take(2).count() < 2
                && places(new, old).all(|shift| shift == 0)
        };
        let mut sides: Vec<(usize, usize)> = (0..=front.min(NEAR))
            .flat_map(|f| (0..=back.min(NEAR)).map(move |b| (f, b)))
            .collect();
        sides.sort_by_key(|(f, b)| (f + b, f.abs_diff(*b)));
        sides.extend((NEAR..front.max(back)).map(|n| (front.min(n), back.min(n))));
        let (old, new) = cut(sides.into_iter().find(is_clear)?);
        out.push_str(&block(&old.concat(), &new.concat()));
    }
    (!out.is_empty()).then_some(out)
}

/// Where `part` stands in `lines`, however far in or out: by how many columns each
/// time. Edits are placed so where they stand nowhere as they are.
fn places(lines: &[&str], part: &[&str]) -> impl Iterator<Item = isize> {
    let indent = |l: &str| (l.len() - l.trim_start().len()).cast_signed();
    lines.windows(part.len().max(1)).filter_map(move |window| {
        let shift = indent(window.first()?) - indent(part.first()?);
        let mut pairs = window.iter().zip(part);
        pairs
            .all(|(x, y)| {
                let (bare, other) = (x.trim(), y.trim());
                bare == other && (bare.is_empty() || indent(x) - indent(y) == shift)
            })
            .then_some(shift)
    })
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
    fn blocks_quote_as_little_as_is_clear() {
        let file = "a = 1\nb = 2\nc = 3\nb = 2\nd = 4\ne = 5\nf = 6\ng = 7\n";
        let both = |old: &str, new: &str| blocks(old, new, file, GAP);
        let block = |old: &str, new: &str| Some(super::block(old, new));
        // A line that stands but once needs no neighbour.
        assert_eq!(
            both("b = 2\nc = 3\nb = 2\n", "b = 2\nc = 4\nb = 2\n"),
            block("c = 3\n", "c = 4\n")
        );
        // One that stands twice does.
        assert_eq!(
            both("a = 1\nb = 2\n", "a = 1\nb = 3\n"),
            block("a = 1\nb = 2\n", "a = 1\nb = 3\n")
        );
        // What is put in needs one to stand at.
        assert_eq!(
            both("e = 5\nf = 6\n", "e = 5\nnew\nf = 6\n"),
            block("f = 6\n", "new\nf = 6\n")
        );
        assert_eq!(
            both("f = 6\ng = 7\n", "f = 6\ng = 7\nh = 8\n"),
            block("g = 7\n", "g = 7\nh = 8\n")
        );
        // A line that stands elsewhere further in could be found there.
        let deep = "if x:\n    y = 1\nelse:\n    if z:\n        y = 1\n";
        assert_eq!(
            blocks("if x:\n    y = 1\n", "if x:\n    y = 2\n", deep, GAP),
            block("if x:\n    y = 1\n", "if x:\n    y = 2\n")
        );
        // What is moved further in could be found there again.
        assert_eq!(
            both("d = 4\ne = 5\n", "if d:\n    d = 4\ne = 5\n"),
            block("d = 4\ne = 5\n", "if d:\n    d = 4\ne = 5\n")
        );
        // Two parts that lie apart.
        assert_eq!(
            both(file, &file.replace(['1', '7'], "9")),
            Some(super::block("a = 1\n", "a = 9\n") + &super::block("g = 7\n", "g = 9\n"))
        );
        // Each gives the bytes that it was made from.
        let options = MergeOptions {
            path: "a.py".into(),
            ..MergeOptions::default()
        };
        for (old, new) in [
            ("c = 3\n", "c = 4\n"),
            ("e = 5\nf = 6\n", "e = 5\nnew\nf = 6\n"),
            ("f = 6\ng = 7\n", "f = 6\ng = 7\nh = 8\n"),
            ("d = 4\ne = 5\n", "if d:\n    d = 4\ne = 5\n"),
        ] {
            let edit = shortest("a.py", old, new, file);
            let merged = merge(file, &edit, &options).unwrap();
            assert_eq!(merged.text, file.replace(old, new));
        }
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
