//! Texts that hold texts of other kinds: a log with a JSON value and a diff in
//! it, a document with long code, a session of a shell, several files in one.
//!
//! Each part is scored by its own kind; what the query's words are worth is
//! reckoned over all of them, and all of them compete for one budget.

use super::detect::detect;
use super::kind::Kind;
use super::kinds::{self, Layout, Request};
use super::select::{Draft, NONE};
use super::view::{LONG, View};
use super::words::{Hits, Query};
use std::ops::Range;

/// A part of a text, whole lines of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The bytes of the text that it is.
    pub bytes: Range<usize>,
    /// Where it is from, shown in front of it; empty for a part that the text
    /// around it introduces.
    pub name: String,
    /// Its kind; found out where it is `None`.
    pub kind: Option<Kind>,
}

/// Parts of fewer lines are left to the kind of the text around them.
const LEAST_LINES: usize = 8;
/// Code in a document is read as a program from this many lines on.
const LEAST_CODE: usize = 20;
/// Lines that are read again for the end of a JSON value, for each line of the text:
/// one with a brace on every line would take forever otherwise.
const READ_AGAIN: usize = 16;

/// Cuts a text of this kind into parts of different kinds; none where it is of
/// one kind throughout.
pub fn split(input: &str, kind: Kind) -> Vec<Part> {
    let lines: Vec<&str> = input.split_inclusive('\n').collect();
    let inner = match kind {
        Kind::BuildLog | Kind::Trace | Kind::Text => embedded(&lines),
        Kind::Markdown => code(&lines),
        _ => Vec::new(),
    };
    let mut cuts: Vec<(usize, Option<Kind>)> = vec![(0, None)];
    if matches!(kind, Kind::BuildLog | Kind::Text) {
        cuts.extend(prompts(&lines).into_iter().map(|i| (i, None)));
    }
    if inner.is_empty() && cuts.len() == 1 {
        return Vec::new();
    }
    cuts.retain(|(i, _)| !inner.iter().any(|(r, _)| r.contains(i) && r.start != *i));
    for (range, kind) in &inner {
        cuts.retain(|(i, _)| *i != range.start);
        cuts.push((range.start, Some(*kind)));
        if range.end < lines.len() && !cuts.iter().any(|(i, _)| *i == range.end) {
            cuts.push((range.end, None));
        }
    }
    cuts.sort_unstable_by_key(|c| c.0);
    let session = inner.is_empty();
    let mut at = 0;
    let mut line = 0;
    let mut parts = Vec::with_capacity(cuts.len());
    for (k, &(start, own)) in cuts.iter().enumerate() {
        let end = cuts.get(k + 1).map_or(lines.len(), |c| c.0);
        let from = at + lines[line..start].iter().map(|l| l.len()).sum::<usize>();
        let to = from + lines[start..end].iter().map(|l| l.len()).sum::<usize>();
        (at, line) = (to, end);
        if from < to {
            parts.push(Part {
                bytes: from..to,
                name: String::new(),
                // What is around a part is of the kind that the whole looked like;
                // each command's output has its own.
                kind: own.or((!session || end - start < LEAST_LINES).then_some(kind)),
            });
        }
    }
    parts
}

/// One of several texts behind one another, and what is known of it.
pub struct Placed<'a> {
    /// Its lines.
    pub view: View<'a>,
    /// The layout of its messages, if it has any.
    pub layout: Option<Layout>,
    /// What it is scored as.
    pub kind: Kind,
    /// The name of its file.
    pub name: Option<&'a str>,
}

/// The view of a text in parts and the scores of its lines.
pub fn draft(input: &str, parts: &[Part], query: &Query, budget: usize) -> (View<'static>, Draft) {
    let placed: Vec<Placed> = parts
        .iter()
        .map(|p| {
            let text = input.get(p.bytes.clone()).unwrap_or("");
            let name = (!p.name.is_empty()).then_some(p.name.as_str());
            let kind = p.kind.unwrap_or_else(|| detect(text, name));
            let (view, layout) = kinds::view(text, kind);
            Placed {
                view,
                layout,
                kind,
                name,
            }
        })
        .collect();
    let mut whole = scores(&placed, query, budget);
    let mut base = 0;
    for p in &placed {
        whole
            .names
            .extend(p.name.map(|name| (base, name.to_owned())));
        base += p.view.len();
    }
    let view = View::joined(placed.into_iter().map(|p| p.view).collect());
    (view, whole)
}

/// The scores of the lines of several texts behind one another.
pub fn scores(placed: &[Placed], query: &Query, budget: usize) -> Draft {
    let lines: Vec<&str> = placed.iter().flat_map(|p| p.view.lines()).collect();
    let hits = Hits::new(query, &lines);
    let mut whole = Draft::new(lines.len());
    let mut base = 0;
    for p in placed {
        let request = Request {
            query,
            budget,
            file: p.name,
        };
        let own = hits.part(base..base + p.view.len());
        let draft = kinds::draft(&p.view, p.layout.as_ref(), p.kind, &own, &request);
        for i in 0..p.view.len() {
            whole.score[base + i] = draft.score[i];
            if draft.parent[i] != NONE {
                whole.parent[base + i] = draft.parent[i] + base as u32;
            }
        }
        whole.first.extend(draft.first.iter().map(|i| i + base));
        whole
            .failures
            .extend(draft.failures.iter().map(|i| i + base));
        base += p.view.len();
    }
    whole
}

/// JSON values and diffs among the lines of a log.
fn embedded(lines: &[&str]) -> Vec<(Range<usize>, Kind)> {
    let mut out = Vec::new();
    let mut i = 0;
    let mut left = READ_AGAIN * lines.len();
    while i < lines.len() {
        let found = json_end(lines, i, &mut left)
            .map(|end| (end, Kind::Json))
            .or_else(|| diff_end(lines, i).map(|end| (end, Kind::Diff)));
        match found {
            Some((end, kind)) if is_worth_it(&lines[i..end]) => {
                out.push((i..end, kind));
                i = end;
            }
            _ => i += 1,
        }
    }
    out
}

fn is_worth_it(lines: &[&str]) -> bool {
    lines.len() >= LEAST_LINES || lines.iter().any(|l| l.len() > LONG)
}

/// The end of a JSON object or list that begins with this line and fills whole
/// lines; `left` lines may still be read for it.
fn json_end(lines: &[&str], from: usize, left: &mut usize) -> Option<usize> {
    let first = lines[from].trim();
    let opens = matches!(first, "{" | "[" | "[{")
        || first.starts_with("{\"") && (first.len() > LONG || first.ends_with(['{', '[', ',']));
    if !opens {
        return None;
    }
    let mut depth = 0isize;
    let mut string = false;
    let mut escaped = false;
    for (k, line) in lines[from..].iter().enumerate() {
        *left = left.checked_sub(1)?;
        for b in line.bytes() {
            match b {
                _ if escaped => escaped = false,
                b'\\' if string => escaped = true,
                b'"' => string = !string,
                b'{' | b'[' if !string => depth += 1,
                b'}' | b']' if !string => depth -= 1,
                _ => {}
            }
        }
        if string {
            // A string of JSON ends on its line.
            return None;
        }
        if depth <= 0 {
            let end = from + k + 1;
            let text: String = lines[from..end].concat();
            return serde_json::from_str::<serde::de::IgnoredAny>(&text)
                .is_ok()
                .then_some(end);
        }
    }
    None
}

/// The end of the diff of one file that begins with this line.
fn diff_end(lines: &[&str], from: usize) -> Option<usize> {
    let bare = |i: usize| {
        lines
            .get(i)
            .map_or("", |l| l.trim_end_matches(['\n', '\r']))
    };
    let headed = bare(from).starts_with("diff --git ");
    let plain = bare(from).starts_with("--- ") && bare(from + 1).starts_with("+++ ");
    if !headed && !plain {
        return None;
    }
    let mut i = from;
    while i < lines.len() && i < from + 8 && kinds::hunk_lengths(bare(i)).is_none() {
        i += 1;
    }
    let mut end = None;
    while let Some((mut old, mut new)) = kinds::hunk_lengths(bare(i)) {
        i += 1;
        while (old > 0 || new > 0) && i < lines.len() {
            match bare(i).bytes().next() {
                Some(b'+') => new = new.saturating_sub(1),
                Some(b'-') => old = old.saturating_sub(1),
                Some(b' ') | None => {
                    old = old.saturating_sub(1);
                    new = new.saturating_sub(1);
                }
                Some(b'\\') => {}
                _ => return end,
            }
            i += 1;
        }
        end = Some(i);
    }
    end
}

/// Long code between fences, without the fences.
fn code(lines: &[&str]) -> Vec<(Range<usize>, Kind)> {
    let mut out = Vec::new();
    let mut open: Option<usize> = None;
    for (i, line) in lines.iter().enumerate() {
        let t = line.trim();
        if !(t.starts_with("```") || t.starts_with("~~~")) {
            continue;
        }
        match open.take() {
            Some(from) => {
                if i - from >= LEAST_CODE {
                    let text: String = lines[from..i].concat();
                    let kind = detect(&text, None);
                    if kind != Kind::Markdown && kind != Kind::Text && kind != Kind::History {
                        out.push((from..i, kind));
                    }
                }
            }
            None => open = Some(i + 1),
        }
    }
    out
}

/// Lines at which a command was typed, in a session of a shell with two or more.
fn prompts(lines: &[&str]) -> Vec<usize> {
    let found: Vec<usize> = (0..lines.len()).filter(|&i| is_prompt(lines[i])).collect();
    if found.len() < 2 { Vec::new() } else { found }
}

/// `$ make`, `user@host:~/dir$ make`, `[user@host dir]# make`.
fn is_prompt(line: &str) -> bool {
    let command = |rest: &str| rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '.');
    if let Some(rest) = line.strip_prefix("$ ") {
        return command(rest);
    }
    let Some(at) = line.find(['$', '#', '%']) else {
        return false;
    };
    let host = line[..at].trim_start_matches('[');
    let user = host.split(['@', ' ']).next().unwrap_or("");
    host.contains('@')
        && !user.is_empty()
        && user
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
        && line[at + 1..].strip_prefix(' ').is_some_and(command)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds_of(text: &str, kind: Kind) -> Vec<(usize, Option<Kind>)> {
        split(text, kind)
            .into_iter()
            .map(|p| (text[p.bytes].lines().count(), p.kind))
            .collect()
    }

    #[test]
    fn a_log_gives_up_its_json_and_its_diff() {
        let json = "{\n \"a\": [\n  1,\n  2,\n  3,\n  4\n ],\n \"b\": \"}\"\n}\n";
        let diff = "--- a/x\n+++ b/x\n@@ -1,4 +1,4 @@\n a\n-b\n+B\n c\n d\n";
        let text = format!("error: one\n{json}step two\n{diff}error: done\n");
        let log = Some(Kind::BuildLog);
        assert_eq!(
            kinds_of(&text, Kind::BuildLog),
            [
                (1, log),
                (9, Some(Kind::Json)),
                (1, log),
                (8, Some(Kind::Diff)),
                (1, log)
            ]
        );
        // Brackets that are no JSON, and JSON that is too short to matter.
        let none = "fn main() {\n{\n  not json\n}\n{\n\"a\": 1\n}\n";
        assert_eq!(kinds_of(none, Kind::Text), []);
        assert_eq!(kinds_of(&text, Kind::Source), []);
    }

    #[test]
    fn braces_without_end_are_not_read_for_ever() {
        // By the line, not by the clock: each is read so many times at most.
        let text = "{\n".repeat(300_000);
        assert_eq!(kinds_of(&text, Kind::Text), []);
    }

    #[test]
    fn a_session_is_cut_at_its_prompts() {
        let text = "$ ls\na\nb\nme@box:~/p$ make\ncc -c a.c\n";
        assert_eq!(kinds_of(text, Kind::BuildLog).len(), 2);
        assert_eq!(kinds_of("costs $ 5\n$ 7\n", Kind::Text), []);
    }

    #[test]
    fn long_code_in_a_document_is_read_as_code() {
        let code: String = (0..12)
            .map(|i| format!("pub fn f{i}(x: u32) -> u32 {{\n    x + {i};\n}}\n"))
            .collect();
        let text = format!("# Title\n\n```rust\n{code}```\n\nMore.\n");
        let found = kinds_of(&text, Kind::Markdown);
        assert_eq!(found.len(), 3);
        assert_eq!(found[1], (36, Some(Kind::Source)));
    }
}
