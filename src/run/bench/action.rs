use crate::error::Result;
use crate::syntax::{self, Language};
use crate::text::{Lines, Span};
use crate::workspace::{Cancel, FilePath, Root, Scope, read_text, walk};
use rayon::prelude::*;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::fmt;
use std::path::Path;

/// Files above this many bytes are no good example of what agents edit.
const MAX_BYTES: usize = 200_000;
const LINES: std::ops::RangeInclusive<usize> = 6..=150;

/// A definition to be found, seen and changed in one line.
pub(super) struct Action {
    pub path: FilePath,
    pub symbol: String,
    pub span: Span,
    pub before: String,
    pub after: String,
    /// The line (from 1) that changes.
    pub line: usize,
    /// What begins a line comment in the file's language.
    pub comment: String,
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{} {}", self.path.rel, self.span, self.symbol)
    }
}

impl Action {
    /// The changed line without its line break.
    pub fn new_line(&self) -> String {
        Lines::new(&self.after).get(self.line).to_string()
    }
}

/// The first `count` definitions in the order of a hash over path and name, at
/// most one of a file, whose names are unique in the tree.
pub(super) fn actions(root: &Root, count: usize, cancel: &Cancel) -> Result<Vec<Action>> {
    let files = walk(root, &Scope::default(), cancel)?;
    let found: Vec<Action> = files
        .par_iter()
        .flat_map_iter(|path| {
            if cancel.is_cancelled() {
                return Vec::new();
            }
            of_file(path)
        })
        .collect();
    cancel.check()?;
    let mut named: HashMap<&str, usize> = HashMap::new();
    for action in &found {
        *named.entry(&action.symbol).or_default() += 1;
    }
    let unique: Vec<bool> = found
        .iter()
        .map(|a| named[a.symbol.as_str()] == 1)
        .collect();
    let mut chosen: Vec<([u8; 32], Action)> = found
        .into_iter()
        .zip(unique)
        .filter(|(_, unique)| *unique)
        .map(|(a, _)| {
            (
                Sha256::digest(format!("{}\n{}", a.path.rel, a.symbol)).into(),
                a,
            )
        })
        .collect();
    chosen.sort_by_key(|c| c.0);
    let mut taken = std::collections::HashSet::new();
    let mut actions: Vec<Action> = Vec::new();
    for (_, action) in chosen {
        if actions.len() < count && taken.insert(action.path.rel.clone()) {
            actions.push(action);
        }
    }
    Ok(actions)
}

fn of_file(path: &FilePath) -> Vec<Action> {
    let Some(language) = Language::for_path(Path::new(&path.rel)) else {
        return Vec::new();
    };
    let Some(comment) = language.line_comments().first() else {
        return Vec::new();
    };
    let Ok(text) = read_text(path) else {
        return Vec::new();
    };
    if text.len() > MAX_BYTES {
        return Vec::new();
    }
    let Some(parsed) = syntax::parse(language, &text) else {
        return Vec::new();
    };
    let lines = Lines::new(&text);
    let definitions = parsed.definitions(&text);
    definitions
        .iter()
        .filter(|d| d.kind.is_callable() && LINES.contains(&d.lines.len()) && d.name.len() > 3)
        .filter_map(|d| {
            let (line, changed) = change(&lines, d.lines)?;
            let mut after = String::with_capacity(text.len() + 8);
            after.push_str(lines.slice(Span::new(1, line - 1)));
            after.push_str(&changed);
            after.push_str(lines.ending(line).as_str());
            after.push_str(&text[lines.start_of(line + 1)..]);
            Some(Action {
                path: path.clone(),
                symbol: d.name.clone(),
                span: d.lines,
                before: text.clone(),
                after,
                line,
                comment: comment.clone(),
            })
        })
        .collect()
}

/// The line nearest the middle of a definition that holds a word, and the same
/// line with that word's last letter doubled: a change that any syntax bears.
fn change(lines: &Lines<'_>, span: Span) -> Option<(usize, String)> {
    let middle = span.start.midpoint(span.end);
    // The header and the closing line stay, so that a snippet can name its place.
    let mut inner: Vec<usize> = (span.start + 2..span.end).collect();
    inner.sort_by_key(|n| (n.abs_diff(middle), *n));
    inner.into_iter().find_map(|n| {
        let line = lines.get(n);
        // Keywords are short: a longer word is most likely a name.
        let word = line
            .split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .find(|w| w.len() >= 6 && w.ends_with(|c: char| c.is_ascii_lowercase()))?;
        let end = line.find(word)? + word.len();
        let last = &word[word.len() - 1..];
        Some((n, format!("{}{last}{}", &line[..end], &line[end..])))
    })
}
