//! How a recorded step would have been made through trimtab.
//!
//! Each rule sees the recorded call, the tree as it is at that moment and words of
//! what was said before. None sees what the recorded tool answered, what came
//! later, or the right solution.
//!
//! - A search for lines or for files that hold them becomes `search` with the same
//!   pattern, folder and globs.
//! - A list of files becomes `expand` of the folder, with the glob as `grep`.
//! - A read of named lines becomes `expand` of the same lines, verbatim.
//! - A read of a whole file shows it untouched where it fits. A larger one becomes
//!   `search` in it for names said before, or, where it holds none of them,
//!   `compact` of it.
//! - A command becomes the same command under `trimtab exec`.
//! - An edit becomes `apply` of the shortest of a lazy snippet, one search/replace
//!   block and several, made from the recorded old and new text alone; a new file is
//!   sent whole.

use super::change::{Change, region};
use super::recorded::{Action, Call, Search};
use super::snippet;
use super::tree::{Tree, is_beside};
use crate::apply::{self, ApplyOptions, Edit};
use crate::compact::{Kind as TextKind, Options, Size, compact_stored};
use crate::error::Result;
use crate::run::expand::{ExpandOptions, expand};
use crate::run::shorten;
use crate::search::{Engine, Excerpt, MAX_QUERIES, Request, Response};
use crate::text::{Lines, Span};
use crate::tokens::{count, fits};
use crate::workspace::{Cancel, Store};
use serde::Serialize;
use serde_json::json;

/// Budgets that the agent is taken to ask for, in tokens. They were chosen on
/// sessions over one repository and are reported on others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Policy {
    /// Of a search for lines.
    pub lines: usize,
    /// Of a search for the files that hold them.
    pub files: usize,
    /// Of a list of files.
    pub list: usize,
    /// Of a whole file.
    pub whole: usize,
    /// Of a command's output.
    pub log: usize,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            lines: 200,
            files: 150,
            list: 200,
            whole: 2_000,
            log: 1_000,
        }
    }
}

/// A step as trimtab takes it.
#[derive(Debug, Default)]
pub(super) struct Taken {
    pub arguments: String,
    pub output: String,
    /// Lines of files that it shows.
    pub shows: Vec<(String, Vec<usize>)>,
    /// A file of which it shows a part.
    pub cut: Option<String>,
    /// The tool refused or failed: the recorded call follows.
    pub wasted: bool,
    /// Why it is wasted.
    pub why: String,
    /// For an edit: whether the bytes are the recorded ones.
    pub exact: bool,
}

impl Taken {
    fn failed(arguments: String, e: &crate::error::Error) -> Self {
        Self {
            arguments,
            output: e.to_string(),
            why: format!("{}: {}", e.code, e.message),
            wasted: true,
            ..Self::default()
        }
    }
}

/// What the rules may use besides the call.
pub(super) struct Moment<'a> {
    pub tree: &'a Tree,
    pub engine: &'a Engine,
    pub policy: &'a Policy,
    pub cancel: &'a Cancel,
    /// Names said before, the latest first.
    pub query: &'a [String],
}

/// Makes the step through trimtab; `None` where it has no part in it. The recorded
/// answer is used for one thing: it is what a command printed.
pub(super) fn take(
    now: &Moment<'_>,
    call: &Call,
    change: Option<&Change>,
) -> Result<Option<Taken>> {
    match &call.action {
        Action::Search(search) => search_step(now, search),
        Action::List { path, glob } => list_step(now, path.as_deref(), glob.as_deref()),
        Action::Read { path, from, count } => {
            let Some(path) = now.tree.file(path) else {
                return Ok(None);
            };
            read_step(now, &path, *from, *count)
        }
        Action::Replace { .. } | Action::ReplaceLines { .. } | Action::Write { .. } => {
            // An empty file is made by tools that fill it in a second step.
            let change = change.filter(|c| c.before.is_some() || !c.after.is_empty());
            change.map(|change| edit_step(now, change)).transpose()
        }
        Action::Run => run_step(now, call).map(Some),
        Action::Other => Ok(None),
    }
}

fn search_step(now: &Moment<'_>, search: &Search) -> Result<Option<Taken>> {
    let mut globs = search.globs.clone();
    let mut beside = false;
    if let Some(path) = &search.path {
        if let Some(file) = now.tree.file(path) {
            beside = is_beside(&file);
            globs = vec![format!("/{file}")];
        } else if let Some(folder) = now.tree.folder(path) {
            globs = match globs.is_empty() {
                true => vec![format!("/{folder}/**")],
                false => globs
                    .iter()
                    .map(|g| match g.strip_prefix('!') {
                        Some(g) => format!("!{g}"),
                        None => format!("/{folder}/**/{}", g.trim_start_matches("**/")),
                    })
                    .collect(),
            };
        }
    }
    let mut pattern = if search.literal {
        regex::escape(&search.pattern)
    } else {
        search.pattern.clone()
    };
    if search.insensitive {
        pattern = format!("(?i){pattern}");
    }
    let budget = if search.files {
        now.policy.files
    } else {
        now.policy.lines
    };
    let request = Request {
        globs: globs.clone(),
        // A file beside the repository lies in a hidden folder here, not in fact.
        hidden: beside,
        budget: Some(budget),
        ..Request::new([pattern.clone()])
    };
    let mut arguments = json!({"queries": [pattern], "budget": budget});
    if !globs.is_empty() {
        arguments["globs"] = json!(globs);
    }
    let arguments = arguments.to_string();
    Ok(Some(match now.engine.search(&request, now.cancel) {
        Ok(found) => Taken {
            arguments,
            shows: shows(&found),
            output: found.render().to_string(),
            ..Taken::default()
        },
        Err(e) => Taken::failed(arguments, &e),
    }))
}

fn list_step(now: &Moment<'_>, path: Option<&str>, glob: Option<&str>) -> Result<Option<Taken>> {
    let target = match path {
        None => ".".to_string(),
        Some(path) => match now.tree.folder(path) {
            Some(folder) => folder,
            // A single file, or what lies outside.
            None if now.tree.file(path).is_some() => return Ok(None),
            None => ".".to_string(),
        },
    };
    let grep = glob.map(regex_of);
    let budget = now.policy.list;
    let mut arguments = json!({"target": target, "budget": budget});
    if let Some(grep) = &grep {
        arguments["grep"] = json!(grep);
    }
    let arguments = arguments.to_string();
    let options = ExpandOptions {
        grep,
        budget: Some(budget),
        ..ExpandOptions::default()
    };
    Ok(Some(
        match expand(now.tree.root(), &target, &options, now.cancel) {
            Ok(found) => Taken {
                arguments,
                output: found.render(),
                ..Taken::default()
            },
            Err(e) => Taken::failed(arguments, &e),
        },
    ))
}

/// A glob of names or paths as a regular expression for the end of a path.
fn regex_of(glob: &str) -> String {
    let mut out = String::from("(^|/)");
    let mut rest = glob.trim_start_matches("**/").trim_start_matches("*/");
    while let Some(c) = rest.chars().next() {
        if let Some(after) = rest.strip_prefix("**/") {
            out.push_str("(.*/)?");
            rest = after;
            continue;
        }
        match c {
            '*' => out.push_str("[^/]*"),
            '?' => out.push_str("[^/]"),
            '{' => out.push('('),
            '}' => out.push(')'),
            ',' => out.push('|'),
            c => out.push_str(&regex::escape(c.encode_utf8(&mut [0; 4]))),
        }
        rest = &rest[c.len_utf8()..];
    }
    out.push('$');
    out
}

fn read_step(
    now: &Moment<'_>,
    path: &str,
    from: Option<usize>,
    lines: Option<usize>,
) -> Result<Option<Taken>> {
    let Some(text) = now.tree.text(path) else {
        return Ok(None);
    };
    let all = Lines::new(&text);
    if all.is_empty() {
        return Ok(None);
    }
    if from.is_some() || lines.is_some() {
        let from = from.unwrap_or(1);
        let to = lines.map_or(all.len(), |n| (from + n).saturating_sub(1).min(all.len()));
        if from > to {
            return Ok(None);
        }
        let target = format!("{path}:{from}-{to}");
        let span = Span::new(from, to);
        let mut arguments = json!({"target": target});
        let options = ExpandOptions::default();
        let found = expand(now.tree.root(), &target, &options, now.cancel)?.render();
        if !fits(&found, RESULT) {
            // More than the tool shows by itself has to be asked for.
            arguments["budget"] = json!(count(&found).next_multiple_of(1_000));
        }
        return Ok(Some(Taken {
            arguments: arguments.to_string(),
            output: found,
            shows: vec![(path.to_string(), (span.start..=span.end).collect())],
            ..Taken::default()
        }));
    }
    if let Some(taken) = look_up(now, path, &text) {
        return Ok(Some(taken));
    }
    let query = now.query.join(" ");
    let budget = now.policy.whole;
    let arguments = json!({"target": path, "query": query, "budget": budget}).to_string();
    let options = Options {
        query,
        size: Size::Budget(budget),
        ..Options::default()
    };
    Ok(Some(
        match shorten(now.tree.root(), path, &options, now.cancel) {
            Ok(short) => {
                let hidden = |n: &usize| short.omitted.iter().any(|s| s.contains(*n));
                // Where long lines were cut the numbers count pieces: nothing is
                // taken to be shown but what was not cut.
                let shown: Vec<usize> = match short.laid_out {
                    Some(_) => Vec::new(),
                    None => (1..=all.len()).filter(|n| !hidden(n)).collect(),
                };
                Taken {
                    arguments,
                    cut: (!short.omitted.is_empty()).then(|| path.to_string()),
                    output: short.text,
                    shows: vec![(path.to_string(), shown)],
                    ..Taken::default()
                }
            }
            Err(e) => Taken::failed(arguments, &e),
        },
    ))
}

/// A search in a file that is too large to be shown, for the names in it that were
/// said before; none where there are none.
fn look_up(now: &Moment<'_>, path: &str, text: &str) -> Option<Taken> {
    let budget = now.policy.whole;
    if fits(text, budget) {
        return None;
    }
    let said = now.query.iter().filter(|n| text.contains(n.as_str()));
    let names: Vec<String> = said.take(MAX_QUERIES).cloned().collect();
    if names.is_empty() {
        return None;
    }
    let globs = vec![format!("/{path}")];
    let arguments = json!({"queries": names, "globs": globs, "budget": budget}).to_string();
    let request = Request {
        globs,
        hidden: is_beside(path),
        budget: Some(budget),
        ..Request::new(names)
    };
    let found = now.engine.search(&request, now.cancel).ok()?;
    Some(Taken {
        arguments,
        cut: Some(path.to_string()),
        shows: shows(&found),
        output: found.render().to_string(),
        ..Taken::default()
    })
}

/// The lines of files that a search shows.
fn shows(found: &Response) -> Vec<(String, Vec<usize>)> {
    let lines = |e: &Excerpt| e.lines.iter().map(|(n, _)| *n).collect();
    let excerpts = found.excerpts.iter();
    excerpts.map(|e| (e.path.clone(), lines(e))).collect()
}

/// Tokens of an `expand` that names no budget.
const RESULT: usize = 3_000;

fn run_step(now: &Moment<'_>, call: &Call) -> Result<Taken> {
    let store = Store::for_root(now.tree.root())?;
    let options = Options {
        // What a command prints is a log, a diff or data, whatever it is about.
        kind: None::<TextKind>,
        size: Size::Budget(now.policy.log),
        ..Options::default()
    };
    let arguments = format!(
        "trimtab exec --budget {} -- {}",
        now.policy.log, call.arguments
    );
    Ok(
        match compact_stored(&call.output, &options, &store, "command") {
            Ok(short) => Taken {
                arguments,
                output: short.text,
                ..Taken::default()
            },
            Err(e) => Taken::failed(arguments, &e),
        },
    )
}

fn edit_step(now: &Moment<'_>, change: &Change) -> Result<Taken> {
    let Some(before) = &change.before else {
        let edit = change.after.clone();
        return apply_step(now, change, edit, false);
    };
    let (old, new) = region(before, change);
    let mut edit = snippet::shortest(&change.path, &old, &new, before);
    let mut rewrite = false;
    if change.span.is_none() && count(&edit) >= count(&change.after) {
        (edit, rewrite) = (change.after.clone(), true);
    }
    apply_step(now, change, edit, rewrite)
}

fn apply_step(now: &Moment<'_>, change: &Change, edit: String, rewrite: bool) -> Result<Taken> {
    let mut arguments = json!({"path": change.path, "edit": edit});
    if rewrite {
        arguments["rewrite"] = json!(true);
    }
    let arguments = arguments.to_string();
    let edits = [Edit {
        path: change.path.clone(),
        edit,
    }];
    let options = ApplyOptions {
        allow_full_rewrite: rewrite,
        ..ApplyOptions::default()
    };
    Ok(match apply::plan(now.tree.root(), &edits, &options) {
        Ok(plan) => {
            let wanted = change.after.as_bytes();
            let written = !plan.changes.is_empty();
            let exact = match plan.changes.as_slice() {
                [] => change.before.as_deref() == Some(&change.after),
                [one] => one.after.as_deref() == Some(wanted),
                _ => false,
            };
            Taken {
                arguments,
                // The undo entry is named once it is written.
                output: match written {
                    true => format!("{}, undo u1", plan.applied.summary().trim_end()),
                    false => plan.applied.summary(),
                },
                exact,
                wasted: !exact,
                why: match (exact, written) {
                    (true, _) => String::new(),
                    (_, true) => "other_bytes: the merged text is not the recorded one".into(),
                    (_, false) => "unchanged: the edit is taken for made already".into(),
                },
                ..Taken::default()
            }
        }
        Err(e) => Taken::failed(arguments, &e),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_become_patterns_for_the_ends_of_paths() {
        let matches =
            |glob: &str, path: &str| regex::Regex::new(&regex_of(glob)).unwrap().is_match(path);
        assert!(matches("**/test_*.py", "a/b/test_x.py"));
        assert!(matches("*.{js,ts}", "x.ts"));
        assert!(matches("src/**/a.c", "src/a.c") && matches("src/**/a.c", "src/x/y/a.c"));
        assert!(!matches("*.py", "a/b.pyc"));
        assert!(!matches("a.b", "axb"));
    }
}
