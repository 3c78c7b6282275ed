//! What is said of an edit that was made: the short reply and the diff.

use std::fmt::Write as _;
use std::ops::Range;

use super::merge::Syntax;
use super::place::placement::Placed;
use crate::text::{Span, changed};

/// What was done to one file.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The text changed.
    Changed,
    /// The file is new.
    Created,
    /// The file is gone.
    Deleted,
    /// The file has the edit already.
    Unchanged,
}

/// One file of an applied edit.
#[derive(Debug, Clone, serde::Serialize)]
pub struct AppliedFile {
    /// Relative to the root.
    pub path: String,
    /// What was done.
    pub outcome: Outcome,
    /// Number of separate changes.
    pub hunks: usize,
    /// Lines put in.
    pub added: usize,
    /// Lines taken out.
    pub removed: usize,
    /// What the grammar says of the new text.
    pub syntax: Syntax,
    /// Definitions that are gone, by qualified name.
    pub removed_definitions: Vec<String>,
    /// Context lines that the snippet misquoted; the file's text was kept.
    pub misquoted: usize,
    /// Where each part of the snippet went and what fixed its place.
    pub placed: Vec<Placed>,
    /// In a file that has the edit already: the lines below a snippet that ends without a marker. They
    /// stay, and may have been meant to go.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left_below: Option<Span>,
    /// The change as a unified diff.
    pub diff: String,
    /// The file's bytes with the edit; `None` where it is deleted.
    #[serde(skip)]
    pub after: Option<Vec<u8>>,
}

/// Edits that were applied, or could be with `dry_run`.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Applied {
    /// In the order in which the edits name them.
    pub files: Vec<AppliedFile>,
    /// The undo entry, such as `u12`; none where nothing was written.
    pub undo: Option<String>,
    /// Whether nothing was written on request.
    pub dry_run: bool,
    /// Files that an earlier commit, cut short, needed to be completed or put back.
    pub recovered: usize,
}

/// A change as a unified diff, with its size.
#[derive(Debug, Clone, Default)]
pub struct Diff {
    /// Runs of changed lines.
    pub hunks: usize,
    /// Lines put in.
    pub added: usize,
    /// Lines taken out.
    pub removed: usize,
    /// The diff with three lines of context.
    pub text: String,
}

/// The difference of two texts as a unified diff; `None` is a file that does not exist.
pub fn diff(path: &str, old: Option<&str>, new: Option<&str>) -> Diff {
    let (a, b) = (old.unwrap_or(""), new.unwrap_or(""));
    let mut out = Diff::default();
    if a == b {
        return out;
    }
    // The rest of both texts is the same, and may be long.
    let (old_part, new_part) = changed(a, b);
    let start = above(a, old_part.start);
    let tail = below(a, old_part.end) - old_part.end;
    let first = line_count(&a[..start]);
    let text = similar::TextDiff::from_lines(
        &a[start..old_part.end + tail],
        &b[start..new_part.end + tail],
    );
    for op in text.ops() {
        let (tag, x, y) = op.as_tag_tuple();
        if tag != similar::DiffTag::Equal {
            out.hunks += 1;
            out.removed += x.len();
            out.added += y.len();
        }
    }
    let name = |side: &str, there: bool| {
        if there {
            format!("{side}/{path}")
        } else {
            "/dev/null".to_string()
        }
    };
    let _ = writeln!(
        out.text,
        "--- {}\n+++ {}",
        name("a", old.is_some()),
        name("b", new.is_some())
    );
    for hunk in text.unified_diff().context_radius(CONTEXT).iter_hunks() {
        let lines = |of: fn(&similar::DiffOp) -> Range<usize>| {
            let ends = hunk.ops().first().zip(hunk.ops().last());
            ends.map_or(0..0, |(x, y)| of(x).start..of(y).end)
        };
        let (x, y) = (lines(|op| op.old_range()), lines(|op| op.new_range()));
        let header = similar::udiff::UnifiedHunkHeader::new(&[similar::DiffOp::Replace {
            old_index: first + x.start,
            old_len: x.len(),
            new_index: first + y.start,
            new_len: y.len(),
        }]);
        let shown = hunk.to_string();
        let body = shown.split_once('\n').map_or("", |(_, body)| body);
        let _ = write!(out.text, "{header}\n{body}");
    }
    out
}

/// Lines around a change that a diff shows.
const CONTEXT: usize = 3;

/// Lines around a change that are compared: among many that read alike, which ones are
/// new is told as a comparison of the whole texts would.
const COMPARED: usize = 64;

/// The start of a line some lines above a place.
fn above(text: &str, at: usize) -> usize {
    let breaks = memchr::memrchr_iter(b'\n', &text.as_bytes()[..at]);
    breaks.skip(1).nth(COMPARED - 1).map_or(0, |p| p + 1)
}

/// The end of a line some lines below a place.
fn below(text: &str, at: usize) -> usize {
    let mut breaks = memchr::memchr_iter(b'\n', &text.as_bytes()[at..]);
    breaks.nth(COMPARED - 1).map_or(text.len(), |p| at + p + 1)
}

/// How many lines a text has as a diff counts them: a lone `\r` ends one, too.
fn line_count(text: &str) -> usize {
    let bytes = text.as_bytes();
    memchr::memchr2_iter(b'\r', b'\n', bytes)
        .filter(|&at| bytes[at] == b'\n' || bytes.get(at + 1) != Some(&b'\n'))
        .count()
}

impl Applied {
    /// The short reply: a line per file.
    pub fn summary(&self) -> String {
        let mut out = String::new();
        for (n, f) in self.files.iter().enumerate() {
            if n > 0 {
                out.push('\n');
            }
            let _ = write!(out, "{}: {}", f.path, f.summary());
            if self.files.len() == 1 {
                self.ending(&mut out, ", ");
            }
        }
        if self.files.len() > 1 {
            self.ending(&mut out, "\n");
        }
        out
    }

    fn ending(&self, out: &mut String, gap: &str) {
        if let Some(id) = &self.undo {
            let _ = write!(out, "{gap}undo {id}");
        } else if self.dry_run {
            let _ = write!(out, "{gap}dry run, nothing written");
        }
        if self.recovered > 0 {
            let _ = write!(
                out,
                "{gap}an earlier write that was cut short was completed first"
            );
        }
    }
}

impl AppliedFile {
    fn summary(&self) -> String {
        let mut out = match self.outcome {
            Outcome::Unchanged => {
                let mut out = "no change, the file has this edit already".to_string();
                if let Some(below) = self.left_below {
                    let _ = write!(
                        out,
                        "; the snippet ends above lines {below}, which stay: to remove them, send them with `-` in front"
                    );
                }
                return out;
            }
            Outcome::Deleted => return format!("deleted, −{}", self.removed),
            Outcome::Created => format!("created, +{}", self.added),
            Outcome::Changed => format!(
                "{} {}, +{} −{}",
                self.hunks,
                if self.hunks == 1 { "hunk" } else { "hunks" },
                self.added,
                self.removed
            ),
        };
        match self.syntax {
            Syntax::Clean => out.push_str(", syntax ok"),
            Syntax::Errors(n) => {
                let _ = write!(
                    out,
                    ", {n} syntax {} as before",
                    if n == 1 { "error" } else { "errors" }
                );
            }
            Syntax::Unchecked => out.push_str(", syntax unchecked"),
        }
        if self.misquoted > 0 {
            let _ = write!(
                out,
                ", {} misquoted {} kept as in the file",
                self.misquoted,
                if self.misquoted == 1 { "line" } else { "lines" }
            );
        }
        if !self.removed_definitions.is_empty() {
            let _ = write!(out, ", removed {}", self.removed_definitions.join(", "));
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The diff of the whole texts, as the library gives it.
    fn whole(a: &str, b: &str) -> String {
        similar::TextDiff::from_lines(a, b)
            .unified_diff()
            .context_radius(CONTEXT)
            .header("a/f", "b/f")
            .to_string()
    }

    #[test]
    fn a_change_far_down_has_its_line_numbers() {
        let lines: String = (1..=500).map(|n| format!("line {n}\n")).collect();
        let edited = lines.replace("line 300\n", "one\rtwo\n");
        let lines = format!("a\rb\r\n{lines}last");
        let edited = format!("a\rb\r\n{edited}last");
        let found = diff("f", Some(&lines), Some(&edited));
        assert_eq!(found.text, whole(&lines, &edited));
        assert!(
            found.text.contains("@@ -299,7 +299,8 @@\n"),
            "{}",
            found.text
        );
        assert_eq!((found.hunks, found.added, found.removed), (1, 2, 1));
    }

    proptest! {
        #[test]
        fn a_diff_of_a_part_is_that_of_the_whole(
            lines in proptest::collection::vec("[ab]?\n|\r|end", 0..300),
            at in 0usize..300, cut in 0usize..6, put in proptest::collection::vec("[abc]\n", 0..6),
        ) {
            let at = at.min(lines.len());
            let end = (at + cut).min(lines.len());
            let (a, b) = (lines.concat(), [&lines[..at], &put[..], &lines[end..]].concat().concat());
            if a != b {
                prop_assert_eq!(diff("f", Some(&a), Some(&b)).text, whole(&a, &b));
            }
        }
    }
}
