//! The merge of one file with one snippet, without touching the disk.

use std::path::Path;

use super::checks;
use super::context::{Pass, Reading};
use super::forms::{self, Action, Part};
use super::guide;
use super::hunk;
use super::line::{self, Line};
use super::place::{self, Outcome, Placed};
use super::refuse;
use super::snippet::{self, Haystack, Script};
use crate::error::{Error, Result};
use crate::syntax::{Language, Parsed, parse};
use crate::text::Lines;

/// How to merge.
#[derive(Debug, Clone, Default)]
pub struct MergeOptions {
    /// The file's path, for its language and for messages.
    pub path: String,
    /// The language, where the path does not say it.
    pub language: Option<&'static str>,
    /// The snippet is the whole file: what it leaves out goes.
    pub allow_full_rewrite: bool,
}

/// A merge that passed all checks.
#[derive(Debug, Clone)]
pub struct Merge {
    /// The merged text.
    pub text: String,
    /// Whether it differs from the file.
    pub changed: bool,
    /// Where each part of the snippet went.
    pub placed: Vec<Placed>,
    /// Definitions that are gone, by qualified name.
    pub removed: Vec<String>,
    /// Context lines that the snippet misquoted, for which the file's text was kept.
    pub misquoted: usize,
    /// What the grammar says of the merged text.
    pub syntax: Syntax,
}

/// What a language's grammar says of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Syntax {
    /// No error.
    Clean,
    /// So many errors.
    Errors(usize),
    /// There is no grammar for it.
    Unchecked,
}

impl Syntax {
    fn of(parsed: Option<&Parsed>) -> Self {
        match parsed.map(Parsed::error_count) {
            None => Syntax::Unchecked,
            Some(0) => Syntax::Clean,
            Some(n) => Syntax::Errors(n),
        }
    }
}

/// What the grammar of a path's language says of a text.
pub(crate) fn syntax_of(path: &str, text: &str) -> Syntax {
    let parsed = Language::detect(Path::new(path), text).and_then(|l| parse(l, text));
    Syntax::of(parsed.as_ref())
}

/// Merges a snippet into a text.
///
/// The result is right by all checks or there is none: no text is guessed.
///
/// # Errors
/// A refusal (class `Refused`) says which lines failed and what to send next.
pub fn merge(file: &str, snippet: &str, options: &MergeOptions) -> Result<Merge> {
    let language = language(file, options);
    let before = language.and_then(|l| parse(l, file));
    let mut merge = once(file, snippet, options, language, before.as_ref(), false)?;
    if !merge.changed && merge.misquoted > 0 {
        // Nothing but quotes or comments differ: then they are the edit.
        merge = once(file, snippet, options, language, before.as_ref(), true)?;
    }
    Ok(merge)
}

fn language(file: &str, options: &MergeOptions) -> Option<&'static Language> {
    options
        .language
        .and_then(Language::by_name)
        .or_else(|| Language::detect(Path::new(&options.path), file))
}

fn once(
    file: &str,
    snippet: &str,
    options: &MergeOptions,
    language: Option<&'static Language>,
    before: Option<&Parsed>,
    literal: bool,
) -> Result<Merge> {
    let hunks = one_part(snippet, options)?;
    let snippet = hunks.as_deref().unwrap_or(snippet);
    let scripts = {
        let lines = Lines::new(file);
        let records: Vec<Line> = lines.iter().map(Line::new).collect();
        let counts = line::counts(records.iter());
        let known = before.map(|b| b.definitions(file));
        let defines = |name: &str| known.as_ref().is_some_and(|d| !d.find(name).is_empty());
        let follows = |a: &str, b: &str| {
            records
                .windows(2)
                .any(|w| w[0].trimmed == a && w[1].trimmed == b)
        };
        let haystack = Haystack {
            follows: &follows,
            defines: &defines,
            counts: &counts,
            plus: records.iter().any(|l| l.raw.starts_with('+')),
            python: language.is_some_and(|l| l.name() == "python"),
        };
        snippet::read(snippet, &haystack).map_err(|u| refuse::unreadable(&u))?
    };
    let comments = comment_openers(language);
    let comments: Vec<&str> = comments.iter().map(String::as_str).collect();
    let mut text = file.to_string();
    let mut placed = Vec::new();
    let mut misquoted = 0;
    let single = scripts.len() == 1;
    for script in &scripts {
        let parsed;
        let known = if single {
            before
        } else {
            parsed = language.and_then(|l| parse(l, &text));
            parsed.as_ref()
        };
        let outcome = pass(&text, script, options, known, &comments, literal)?;
        placed.extend(outcome.placed);
        misquoted += outcome.misquoted;
        text = outcome.text;
    }
    checks::asked_removals(&text, &scripts, options, language)?;
    let checked = checks::check(file, &text, &scripts, options, language, before)?;
    Ok(Merge {
        changed: text != file,
        text,
        placed,
        removed: checked.removed,
        misquoted,
        syntax: Syntax::of(checked.parsed.as_ref().or(before)),
    })
}

/// The hunks of a patch envelope or a diff with file headers, which have to be for one file.
fn one_part(snippet: &str, options: &MergeOptions) -> Result<Option<String>> {
    let Some(parts) = forms::parts(snippet) else {
        return Ok(None);
    };
    match parts.as_slice() {
        [
            Part {
                action: Action::Update(hunks),
                ..
            },
        ] => Ok(Some(hunks.clone())),
        _ => Err(Error::refused(
            "several_files",
            format!("The edit is not one change of {}.", options.path),
            "Send the edits of other files, new files and deletions without a path of their own call.",
        )),
    }
}

fn pass(
    text: &str,
    script: &Script,
    options: &MergeOptions,
    parsed: Option<&Parsed>,
    comments: &[&str],
    literal: bool,
) -> Result<Outcome> {
    let lines = Lines::new(text);
    if let Some(outcome) = hunk::exact(script, &lines) {
        return Ok(outcome);
    }
    let records: Vec<Line> = lines.iter().map(Line::new).collect();
    let counts = line::counts(records.iter());
    let (definitions, imports) = match parsed {
        Some(p) => (p.definitions(text), p.imports(text)),
        None => Default::default(),
    };
    let read = |whole_file: bool, reorder: bool, reading: Option<Reading>| {
        let pass = Pass {
            reading,
            path: &options.path,
            whole_file,
            literal,
            reorder,
            comments,
        };
        place::place(pass, script, &lines, &records, &counts, |ctx| {
            guide::guide(ctx, &definitions, &imports, parsed.map(Parsed::language))
        })
    };
    let run = |whole_file, reorder| read(whole_file, reorder, None);
    if options.allow_full_rewrite && script.markers == 0 && !script.strict {
        return run(true, false);
    }
    let first = run(false, false);
    let error = match first {
        Ok(outcome) => {
            match checks::removals(&outcome, script, &records, &definitions, &options.path) {
                Ok(()) => return Ok(outcome),
                Err(e) => e,
            }
        }
        Err(e) => e,
    };
    if error.code == "unclear_edge" && !script.strict {
        let sound = |reading| {
            let outcome = read(false, false, Some(reading)).ok()?;
            checks::removals(&outcome, script, &records, &definitions, &options.path).ok()?;
            checks::sound(text, &outcome.text, script, options, parsed).then_some(outcome)
        };
        // Only one reading leaves a file that holds together: then it is meant.
        match (sound(Reading::Replaces), sound(Reading::Joins)) {
            (Some(one), None) | (None, Some(one)) => return Ok(one),
            _ => {}
        }
    }
    if script.segments.len() > 1
        && !script.strict
        && retry(&error)
        && let Ok(outcome) = run(false, true)
        && checks::removals(&outcome, script, &records, &definitions, &options.path).is_ok()
    {
        return Ok(outcome);
    }
    Err(error)
}

/// Refusals that another order of the segments may mend.
fn retry(e: &Error) -> bool {
    matches!(
        e.code,
        "no_anchor"
            | "misplaced_context"
            | "order"
            | "context_missing"
            | "unexplained_removal"
            | "unclear_edge"
    )
}

fn comment_openers(language: Option<&'static Language>) -> Vec<String> {
    let Some(l) = language else {
        return vec!["//".into(), "#".into(), "/*".into()];
    };
    let mut out: Vec<String> = l.line_comments().to_vec();
    out.extend(l.block_comments().iter().map(|(open, _)| open.clone()));
    out
}
