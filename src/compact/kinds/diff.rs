//! Unified diffs and patch series.
//!
//! Changed lines depend on their hunk's header and that on the file's. What the
//! query asks for leads; then changes to code before changes to tests,
//! documents and generated files, and what many files share counts once.

use super::super::select::{Draft, NONE};
use super::super::template::Templates;
use super::super::words::Hits;
use super::definitions::definition;
use super::request::Request;
use super::search::{is_comment, is_document, is_import, is_side_path};
use super::spread::spread;
use std::collections::HashMap;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// Commit metadata and text in front of a diff.
    Message,
    /// `diff --git` or, without one, `---`.
    File,
    /// `index`, `+++`, modes, renames.
    Meta,
    /// `@@`
    Hunk,
    Added,
    Removed,
    Context,
}

/// Scores the lines of a diff.
pub fn draft(lines: &[&str], hits: &Hits, request: &Request) -> Draft {
    let n = lines.len();
    let mut draft = Draft::new(n);
    let parts = parts(lines);
    let templates = Templates::new(lines);
    let bodies: Vec<&str> = lines
        .iter()
        .zip(&parts)
        .map(|(l, p)| match p {
            Part::Added | Part::Removed | Part::Context => l.get(1..).unwrap_or(""),
            _ => l,
        })
        .collect();
    let asked: Vec<f32> = (0..n)
        .map(|i| match parts[i] {
            Part::Meta => 0.0,
            Part::Context => 0.5 * hits.line(i),
            Part::Removed => 0.8 * hits.line(i),
            _ => hits.line(i),
        })
        .collect();
    let near = spread(&asked, 2, 4, 0.7);
    let mut file = NONE;
    let mut path = "";
    let mut of_file = 0.0; // how much of the query the file's path and lines answer
    let mut of_path = 0.0;
    let mut of_hunk = 0.0;
    let mut names: HashMap<&str, u32> = HashMap::new();
    for i in 0..n {
        let line = lines[i];
        let weight = if is_side_path(path) {
            0.5
        } else if is_document(path) || is_generated(path) {
            0.35
        } else {
            1.0
        };
        match parts[i] {
            Part::Message => {
                (file, path) = (NONE, "");
                let said = line.trim();
                draft.score[i] = if said.is_empty() {
                    0.0
                } else if said.starts_with("commit ") || said.starts_with("Subject:") {
                    3.0
                } else if line.starts_with("    ") {
                    2.0
                } else {
                    0.7
                } + 10.0 * asked[i];
            }
            Part::File => {
                file = i as u32;
                path = path_of(line);
                let end = (i + 1..n)
                    .find(|&j| matches!(parts[j], Part::File | Part::Message))
                    .unwrap_or(n);
                of_file = hits.block(i..end) + hits.text(request.query, path);
                let weight = if is_side_path(path) || is_document(path) || is_generated(path) {
                    0.5
                } else {
                    1.0
                };
                // Many files of one name mostly change in the same way.
                let name = path.rsplit('/').next().unwrap_or(path);
                let alike = names.entry(name).or_insert(0u32);
                of_path = hits.text(request.query, path);
                draft.score[i] = 5.0 * weight / (1.0 + 0.5 * *alike as f32) + 3.0 * of_file;
                *alike += 1;
            }
            Part::Meta => {
                draft.parent[i] = file;
                let tells = [
                    "new file",
                    "deleted file",
                    "rename ",
                    "similarity",
                    "Binary",
                ];
                draft.score[i] = if tells.iter().any(|t| line.starts_with(t)) {
                    1.0
                } else {
                    0.05
                };
            }
            Part::Hunk => {
                draft.parent[i] = file;
                let end = (i + 1..n)
                    .find(|&j| !matches!(parts[j], Part::Added | Part::Removed | Part::Context))
                    .unwrap_or(n);
                of_hunk = hits.block(i..end);
                draft.score[i] = 1.5 * weight + 2.0 * of_hunk;
            }
            part => {
                // Hunk headers cost as much as the lines below them: they are
                // kept for their own worth.
                draft.parent[i] = file;
                let body = bodies[i].trim();
                if body.is_empty() {
                    continue;
                }
                let said = body.bytes().any(|b| b.is_ascii_alphanumeric());
                let mut worth = match part {
                    Part::Added => 2.0,
                    Part::Removed => 1.2,
                    _ => 0.2,
                } * weight;
                if !said {
                    worth *= 0.2;
                }
                if part != Part::Context && definition(bodies[i]).is_some() {
                    worth += 1.5 * weight;
                }
                if is_comment(body) || is_import(body) {
                    worth *= 0.6;
                }
                worth /= 1.0 + 0.5 * templates.repeats[i] as f32;
                let reach = match part {
                    Part::Added => 1.0,
                    Part::Removed => 0.7,
                    _ => 0.35,
                };
                let fade = 1.0 / (1.0 + 0.3 * templates.repeats[i] as f32);
                draft.score[i] = worth
                    + fade
                        * reach
                        * weight.max(0.6)
                        * (13.0 * asked[i]
                            + 5.0 * (near[i] - asked[i])
                            + 1.5 * of_file
                            + 3.0 * of_path
                            + 2.5 * of_hunk);
            }
        }
    }
    draft
}

/// What each line is.
fn parts(lines: &[&str]) -> Vec<Part> {
    let mut out = Vec::with_capacity(lines.len());
    let (mut old, mut new) = (0usize, 0usize); // lines left in the hunk
    let mut in_file = false;
    let mut git = false;
    for (i, line) in lines.iter().enumerate() {
        if old > 0 || new > 0 {
            let part = match line.as_bytes().first() {
                Some(b'+') => {
                    new = new.saturating_sub(1);
                    Part::Added
                }
                Some(b'-') => {
                    old = old.saturating_sub(1);
                    Part::Removed
                }
                Some(b'\\') => Part::Meta,
                _ => {
                    old = old.saturating_sub(1);
                    new = new.saturating_sub(1);
                    Part::Context
                }
            };
            out.push(part);
            continue;
        }
        let part = if line.starts_with("diff --") || line.starts_with("Index: ") {
            in_file = true;
            git = true;
            Part::File
        } else if let Some((a, b)) = hunk_lengths(line).filter(|_| in_file) {
            (old, new) = (a, b);
            Part::Hunk
        } else if line.starts_with("--- ")
            && lines.get(i + 1).is_some_and(|l| l.starts_with("+++ "))
        {
            in_file = true;
            let part = if git { Part::Meta } else { Part::File };
            git = false;
            part
        } else if line.starts_with("commit ") || line.starts_with("From ") || !in_file {
            in_file = false;
            git = false;
            Part::Message
        } else if line.starts_with("@@@ ") {
            Part::Hunk
        } else if line.is_empty() && lines.get(i + 1).is_none_or(|l| l.starts_with("commit ")) {
            Part::Message
        } else {
            Part::Meta
        };
        out.push(part);
    }
    out
}

/// The numbers of old and new lines in a hunk's header.
pub fn hunk_lengths(line: &str) -> Option<(usize, usize)> {
    let rest = line.strip_prefix("@@ -")?;
    let (ranges, _) = rest.split_once(" @@")?;
    let (old, new) = ranges.split_once(" +")?;
    let length = |range: &str| match range.split_once(',') {
        Some((_, n)) => n.parse().ok(),
        None => Some(1),
    };
    Some((length(old)?, length(new)?))
}

/// The path that a file's header names last.
fn path_of(line: &str) -> &str {
    let path = line.rsplit(' ').next().unwrap_or(line);
    path.strip_prefix("b/").unwrap_or(path)
}

/// Whether a path is that of a file that tools write.
fn is_generated(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    name.ends_with(".lock")
        || name.ends_with("-lock.json")
        || name.ends_with("-lock.yaml")
        || name.ends_with(".snap")
        || name.ends_with(".sum")
        || name.contains("changelog")
        || matches!(name.as_str(), "package.json" | ".gitignore")
        || path.starts_with('.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_the_parts() {
        let text = "commit abc\n\n    why\n\ndiff --git a/x b/x\nindex 1..2\n--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@ fn\n a\n-b\n+-- c\ndiff --git a/y b/y";
        let lines: Vec<_> = text.lines().collect();
        use Part::*;
        assert_eq!(
            parts(&lines),
            [
                Message, Message, Message, Message, File, Meta, Meta, Meta, Hunk, Context, Removed,
                Added, File
            ]
        );
        assert_eq!(hunk_lengths("@@ -3 +4,7 @@"), Some((1, 7)));
    }
}
