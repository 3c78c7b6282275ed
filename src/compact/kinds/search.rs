//! Results of a text search.
//!
//! Lines that answer the query and lines that define something come first, then
//! one line for each file, so that the reader knows where to look; hits in
//! comments, imports, tests and documents come behind those in code.

use super::super::select::{Draft, NONE};
use super::super::template::Templates;
use super::super::words::{Hits, words};
use super::definitions::{Strength, definition};
use super::request::Request;
use std::collections::HashMap;

/// A line of results, cut into its parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Row<'a> {
    /// The file, where the line names it.
    pub path: &'a str,
    /// Whether a line number follows.
    pub numbered: bool,
    /// The line found; empty where only a file is named.
    pub text: &'a str,
    /// Whether it is a line near a hit rather than a hit.
    pub context: bool,
}

/// Reads `path:12:text`, `path:12:3:text`, `path-12-text`, `12:text`, `path:text`
/// or a path alone.
pub fn row(line: &str) -> Row<'_> {
    let digits = |s: &str| s.bytes().take_while(u8::is_ascii_digit).count();
    // A log's time stamp has colons and numbers too.
    if super::super::failure::has_time(line) {
        return Row {
            text: line,
            ..Row::default()
        };
    }
    // A line number without a path: results under a heading.
    let n = digits(line);
    if n > 0 && matches!(line.as_bytes().get(n), Some(b':' | b'-')) {
        return Row {
            path: "",
            numbered: true,
            text: &line[n + 1..],
            context: line.as_bytes()[n] == b'-',
        };
    }
    let bytes = line.as_bytes();
    for i in memchr::memchr2_iter(b':', b'-', bytes) {
        let n = digits(&line[i + 1..]);
        let end = i + 1 + n;
        if n > 0 && i > 0 && bytes.get(end) == Some(&bytes[i]) {
            let path = &line[..i];
            if !is_path(path) {
                continue;
            }
            let mut text = &line[end + 1..];
            let column = digits(text);
            if bytes[i] == b':' && column > 0 && text.as_bytes().get(column) == Some(&b':') {
                text = &text[column + 1..];
            }
            return Row {
                path,
                numbered: true,
                text,
                context: bytes[i] == b'-',
            };
        }
        if i > 160 {
            break;
        }
    }
    if let Some((path, text)) = line.split_once(':')
        && is_path(path)
        && path.contains(['/', '.', '\\'])
    {
        return Row {
            path,
            numbered: false,
            text,
            context: false,
        };
    }
    if is_path(line) && line.contains(['/', '.']) {
        return Row {
            path: line,
            ..Row::default()
        };
    }
    Row {
        text: line,
        ..Row::default()
    }
}

fn is_path(s: &str) -> bool {
    !s.is_empty()
        && s.len() < 260
        && !s.starts_with(' ')
        && !s.contains(['"', '<', '>', '|', '(', ';', '='])
        && !s.contains(": ")
        && s.split(' ').count() < 4
        && s.bytes().any(|b| b.is_ascii_alphabetic())
}

/// Whether a path is that of a test, an example or a generated file.
pub fn is_side_path(path: &str) -> bool {
    let lower = path.to_ascii_lowercase();
    words(&lower).any(|w| {
        matches!(
            w,
            "test"
                | "tests"
                | "testing"
                | "spec"
                | "specs"
                | "__tests__"
                | "fixtures"
                | "examples"
                | "example"
                | "bench"
                | "benches"
                | "vendor"
                | "node_modules"
                | "dist"
                | "generated"
                | "third_party"
                | "snapshots"
                | "mocks"
                | "testdata"
        ) || w.starts_with("test_")
            || w.ends_with("_test")
            || w.ends_with("_tests")
    }) || lower.contains("test.")
        || lower.contains(".min.")
        || lower.contains(".lock")
}

/// Whether a path is that of a document.
pub fn is_document(path: &str) -> bool {
    let lower = path.to_ascii_lowercase();
    [".md", ".rst", ".txt", ".adoc", ".mdx", ".html"]
        .iter()
        .any(|e| lower.ends_with(e))
}

/// Scores the rows of a search.
pub fn draft(lines: &[&str], hits: &Hits, request: &Request) -> Draft {
    let n = lines.len();
    let mut draft = Draft::new(n);
    let mut rows: Vec<Row> = lines.iter().map(|l| row(l)).collect();
    // Under a heading, the rows belong to the file that it names.
    let mut heading = NONE;
    let mut headed = "";
    for i in 0..n {
        if lines[i].trim().is_empty() {
            heading = NONE;
            headed = "";
        } else if rows[i].text.is_empty() && !rows[i].numbered && !rows[i].path.is_empty() {
            heading = i as u32;
            headed = rows[i].path;
        } else if rows[i].path.is_empty() {
            rows[i].path = headed;
            draft.parent[i] = heading;
        }
    }
    let pattern = common_word(&rows);
    let texts: Vec<&str> = rows.iter().map(|r| r.text.trim()).collect();
    let templates = Templates::new(&texts);
    let rarity = rarity(&texts);
    let mut files: HashMap<&str, (u32, usize, f32)> = HashMap::new(); // rows, best row, its rank
    for (i, r) in rows.iter().enumerate() {
        if lines[i].trim().is_empty() || lines[i] == "--" {
            continue;
        }
        let text = texts[i];
        let in_path = hits.text(request.query, r.path);
        if is_heading(r) {
            draft.score[i] = 1.5 + 4.0 * in_path;
            continue;
        }
        let side = is_side_path(r.path);
        let document = is_document(r.path);
        let mut worth = 1.3;
        if let Some((name, strength)) = definition(text) {
            let named = pattern.as_deref().is_some_and(|p| is_part(name, p));
            let exact = pattern
                .as_deref()
                .is_some_and(|p| name.eq_ignore_ascii_case(p));
            worth += match strength {
                Strength::Container => 3.0,
                Strength::Function => 2.5,
                Strength::Value => 1.0,
            } * if exact {
                2.5
            } else if named {
                1.8
            } else {
                1.0
            };
            // What the query names and the line defines is what is looked for.
            worth += 16.0 * hits.text(request.query, name) * if side { 0.6 } else { 1.0 };
        }
        if is_comment(text) || is_import(text) {
            worth *= 0.6;
        }
        if side {
            worth *= 0.6;
        }
        if document {
            worth *= 0.7;
        }
        if r.context {
            worth *= 0.4;
        }
        worth += 1.2 * rarity[i];
        if !files.contains_key(r.path) {
            worth += 0.8;
        }
        worth /= 1.0 + 0.25 * templates.repeats[i] as f32;
        let in_text = hits.text(request.query, text);
        draft.score[i] = worth + 14.0 * in_text + 3.0 * in_path;
        let rank = draft.score[i] / (8.0 + lines[i].len() as f32 / 4.0).sqrt();
        let file = files.entry(r.path).or_insert((0, i, rank));
        file.0 += 1;
        if rank > file.2 {
            (file.1, file.2) = (i, rank);
        }
    }
    // The best row of a file for its length stands for the file; files with many
    // hits come first.
    for (path, (count, row, _)) in files {
        let aside = if is_side_path(path) || is_document(path) {
            0.5
        } else {
            1.0
        };
        draft.score[row] += (2.6 + 0.3 * (count as f32).ln()) * aside;
    }
    draft
}

/// Whether a row only names the file of the rows below it.
fn is_heading(r: &Row) -> bool {
    r.text.is_empty() && !r.numbered && !r.path.is_empty()
}

/// How rare the words of each row are, from 0 to 1: the mean inverse document
/// frequency of the five rarest.
fn rarity(texts: &[&str]) -> Vec<f32> {
    let mut df: HashMap<&str, f32> = HashMap::new();
    for w in texts.iter().flat_map(|t| words(t)) {
        *df.entry(w).or_default() += 1.0;
    }
    let n = texts.len() as f32;
    let most = (1.0 + n).ln();
    texts
        .iter()
        .map(|t| {
            let mut idf: Vec<f32> = words(t)
                .filter(|w| w.len() > 2 && w.bytes().all(|b| b.is_ascii_alphabetic()))
                .map(|w| (1.0 + n / df.get(w).copied().unwrap_or(1.0)).ln() / most)
                .collect();
            idf.sort_by(|a, b| b.total_cmp(a));
            idf.iter().take(5).sum::<f32>() / 5.0
        })
        .collect()
}

/// The word that most rows share: what was searched for.
fn common_word(rows: &[Row]) -> Option<String> {
    let mut counts: HashMap<String, usize> = HashMap::new();
    let mut total = 0;
    for r in rows.iter().filter(|r| !r.context && !r.text.is_empty()) {
        total += 1;
        let mut seen: Vec<String> = words(r.text)
            .filter(|w| w.len() > 2)
            .map(str::to_lowercase)
            .collect();
        seen.sort_unstable();
        seen.dedup();
        for w in seen {
            *counts.entry(w).or_default() += 1;
        }
    }
    counts
        .into_iter()
        .filter(|&(_, c)| c * 3 >= total && c > 1)
        .max_by(|a, b| {
            a.1.cmp(&b.1)
                .then(a.0.len().cmp(&b.0.len()))
                .then(b.0.cmp(&a.0))
        })
        .map(|(w, _)| w)
}

fn is_part(name: &str, word: &str) -> bool {
    name.to_lowercase().contains(word)
}

/// Whether a line is a comment in most languages.
pub fn is_comment(text: &str) -> bool {
    let t = text.trim_start();
    ["//", "/*", "*", "# ", "<!--", "--", ";;", "\"\"\""]
        .iter()
        .any(|c| t.starts_with(c))
        || t == "#"
}

/// Whether a line only brings names into scope.
pub fn is_import(text: &str) -> bool {
    let t = text.trim_start();
    [
        "import ",
        "from ",
        "use ",
        "#include",
        "require ",
        "using ",
        "pub use ",
        "package ",
        "require_relative ",
    ]
    .iter()
    .any(|c| t.starts_with(c))
        || t.contains("= require(")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_forms_of_rows() {
        let r = row("src/a-b/c.rs:12:5:fn x() {");
        assert_eq!(
            (r.path, r.text, r.context),
            ("src/a-b/c.rs", "fn x() {", false)
        );
        let r = row("src/a.rs-13-    y");
        assert_eq!((r.path, r.text, r.context), ("src/a.rs", "    y", true));
        let r = row("44:    z()");
        assert_eq!((r.path, r.text), ("", "    z()"));
        let r = row("src/a.rs");
        assert_eq!((r.path, r.text), ("src/a.rs", ""));
        let r = row("docs/x.md:some text");
        assert_eq!((r.path, r.text), ("docs/x.md", "some text"));
    }
}
