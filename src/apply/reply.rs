//! What is said of an edit that was made: the short reply and the diff.

use std::fmt::Write as _;

use super::engine::{Applied, AppliedFile, Outcome};
use super::merge::Syntax;

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
    let text = similar::TextDiff::from_lines(a, b);
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
    out.text = text
        .unified_diff()
        .context_radius(3)
        .header(&name("a", old.is_some()), &name("b", new.is_some()))
        .to_string();
    out
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
            Outcome::Unchanged => return "no change, the file has this edit already".to_string(),
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
