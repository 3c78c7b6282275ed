//! The merge of one file with one snippet, without touching the disk.

use std::path::Path;
use std::sync::Arc;

use super::applied;
use super::bare;
use super::checks::{self, labels, provenance, reach};
use super::hunk;
use super::lines::facts::Facts;
use super::lines::line::{Class, Line};
use super::lines::recent::{self, Known};
use super::lines::words::word_at;
use super::options::MergeOptions;
use super::pass::context::{Pass, Reading};
use super::pass::guide;
use super::place;
use super::place::placement::{Merged, Placed};
use super::refuse;
use super::snippet::forms::{self, Action, Part};
use super::snippet::markers::{self, Marked};
use super::snippet::script::{Haystack, Script};
use super::snippet::{self, gone};
use super::whole;
use crate::error::{Error, Result};
use crate::syntax::{Language, Pieces};
use crate::text::Span;

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
    /// Where nothing changed: the file's lines below a snippet that begins with a marker or with the
    /// file and ends without a marker, which may have been meant to go.
    pub left_below: Option<Span>,
    /// What the grammar says of the merged text.
    pub syntax: Syntax,
    /// Every part of the snippet stands in the merged text in one piece.
    stands: bool,
    /// Parts of the snippet that are the file's lines, word for word.
    idle: usize,
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
    fn of(parsed: Option<&Pieces>) -> Self {
        match parsed.map(Pieces::error_count) {
            None => Syntax::Unchecked,
            Some(0) => Syntax::Clean,
            Some(n) => Syntax::Errors(n),
        }
    }
}

/// The mark that a text may begin with to say how it is encoded.
const BOM: char = '\u{FEFF}';

/// A snippet without such a mark at the start of a line, behind a prefix of a diff or not.
fn unmarked(snippet: &str) -> String {
    let mut out = String::with_capacity(snippet.len());
    for line in snippet.split_inclusive('\n') {
        let prefix = usize::from(line.starts_with(['+', '-', ' ']));
        let (head, rest) = line.split_at(prefix);
        out.push_str(head);
        out.push_str(rest.strip_prefix(BOM).unwrap_or(rest));
    }
    out
}

/// What the grammar of a path's language says of a text.
pub(crate) fn syntax_of(path: &str, text: &str) -> Syntax {
    let parsed = Language::detect(Path::new(path), text).and_then(|l| Pieces::parse(l, text).ok());
    Syntax::of(parsed.as_ref())
}

/// Merges a snippet into a text.
///
/// The result is right by all checks or there is none: no text is guessed.
///
/// # Errors
/// A refusal (class `Refused`) says which lines failed and what to send next.
pub fn merge(file: &str, snippet: &str, options: &MergeOptions) -> Result<Merge> {
    let (mark, file) = match file.strip_prefix(BOM) {
        Some(rest) => (&file[..file.len() - rest.len()], rest),
        None => ("", file),
    };
    // A snippet may quote the file's first line with the mark that stands before it.
    let unmarked = unmarked(snippet);
    let snippet = unmarked.as_str();
    let language = language(file, options);
    let (known, facts) = rayon::join(
        || language.map_or(Ok(None), |l| recent::known(l, file)),
        || Facts::new(file),
    );
    let known = known.map_err(|_| refuse::unparsed(&options.path))?;
    let facts = facts.with(known);
    let (mut merge, after) = once(&facts, snippet, options, language)?;
    if !merge.changed && merge.misquoted > 0 && merge.idle == 0 {
        // Nothing but quotes or comments differ, in every part: they may be the edit, or
        // slips in one that has been made.
        return Err(refuse::misquoted(&options.path, snippet, &facts.records));
    }
    if merge.changed && !merge.stands {
        let facts = Facts::new(&merge.text).with(after.clone());
        let again = once(&facts, snippet, options, language);
        if again.is_ok_and(|(again, _)| again.changed) {
            return Err(refuse::unstable(&options.path));
        }
    }
    if let Some(after) = &after {
        recent::keep(&merge.text, after);
    }
    merge.text.insert_str(0, mark);
    Ok(merge)
}

pub(crate) fn language(file: &str, options: &MergeOptions) -> Option<&'static Language> {
    options
        .language
        .and_then(Language::by_name)
        .or_else(|| Language::detect(Path::new(&options.path), file))
}

/// One merge, and what is known of its text where that is another.
fn once(
    file: &Facts,
    snippet: &str,
    options: &MergeOptions,
    language: Option<&'static Language>,
) -> Result<(Merge, Option<Arc<Known>>)> {
    let hunks = one_part(snippet, options)?;
    let snippet = hunks.as_deref().unwrap_or(snippet);
    let comments = comment_openers(language);
    let comments: Vec<&str> = comments.iter().map(String::as_str).collect();
    let (lines, mut scripts) = {
        let records = &file.records;
        let defines = |name: &str| !file.definitions().find(name).is_empty();
        let mentions = |word: &str| records.iter().any(|l| word_at(l.trimmed, word).is_some());
        let follows = |a: &str, b: &str| {
            records
                .windows(2)
                .any(|w| w[0].trimmed == a && w[1].trimmed == b)
        };
        let haystack = Haystack {
            follows: &follows,
            defines: &defines,
            mentions: &mentions,
            counts: &file.counts,
            comments: &comments,
            plus: records.iter().any(|l| l.raw.starts_with('+')),
            minus: records.iter().any(|l| snippet::dashed(l.raw)),
            python: language.is_some_and(|l| l.name() == "python"),
        };
        let lines = snippet::lines(snippet, &haystack);
        let scripts = snippet::read(&lines, &haystack).map_err(|u| refuse::unreadable(&u))?;
        (lines, scripts)
    };
    let whole = |s: &Script| s.markers == 0 && !s.strict && s.is_plain();
    let Merged {
        text,
        placed,
        misquoted,
        idle,
        ..
    } = if options.allow_full_rewrite && scripts.iter().all(whole) {
        // What a comment says of a removal is text there.
        for script in &mut scripts {
            script.removals.clear();
        }
        whole::rewritten(&file.lines, &lines)
    } else {
        passes(file, snippet, &mut scripts, options, &comments)?
    };
    let once = file
        .parsed()
        .map_or(&[][..], |p| p.language().declares_once());
    labels::check(file.text(), &text, once, &options.path)?;
    if file.definitions().iter().any(|d| d.kind.is_callable()) {
        reach::check(file.text(), &text, language, &options.path)?;
    }
    let checked = checks::check(file, &text, &scripts, options)?;
    // Prefixes among plain lines are told by what the file holds: they may be read otherwise
    // when it has changed.
    let certain = |s: &Script| s.strict || s.is_plain();
    let stands = scripts
        .iter()
        .all(|s| certain(s) && applied::stands(s, &text));
    let changed = text != file.text();
    let merge = Merge {
        changed,
        stands,
        left_below: match scripts.as_slice() {
            [script] if !changed => applied::left_below(script, file.text()),
            _ => None,
        },
        text,
        placed,
        removed: checked.removed,
        misquoted,
        idle,
        syntax: Syntax::of(checked.after.as_ref().map(|k| &k.parsed).or(file.parsed())),
    };
    Ok((merge, checked.after))
}

/// The passes of a snippet, one after the other.
fn passes(
    file: &Facts,
    snippet: &str,
    scripts: &mut [Script],
    options: &MergeOptions,
    comments: &[&str],
) -> Result<Merged> {
    if let Some(script) = scripts.first_mut()
        && let Some(parted) = bare::parted(
            script,
            file,
            file.parsed().map(Pieces::language),
            &options.path,
        )?
    {
        *script = parted;
    }
    // The rest of the snippet shows the file without what it asks to remove.
    let text = gone::without(file, scripts);
    let asked = text.len() < file.text().len();
    let mut all = Merged {
        idle: 0,
        ..Merged::unchanged(&text)
    };
    for (n, script) in scripts.iter().enumerate() {
        let outcome = if n == 0 && !asked {
            pass(file, script, options, comments)?
        } else {
            let facts =
                Facts::new(&all.text).with(checks::reparsed(file, &all.text, &options.path)?);
            pass(&facts, script, options, comments)?
        };
        needless_dots(&outcome.placed, snippet, file, &options.path)?;
        all.placed.extend(outcome.placed);
        all.misquoted += outcome.misquoted;
        all.idle += outcome.idle;
        all.text = outcome.text;
    }
    provenance::check(file.text(), &all.text, scripts, &options.path)?;
    Ok(all)
}

/// A line of dots beside a new line that leaves nothing out may be text as well.
fn needless_dots(placed: &[Placed], snippet: &str, file: &Facts, path: &str) -> Result<()> {
    let lines: Vec<&str> = snippet.lines().collect();
    let mut placed: Vec<&Placed> = placed.iter().collect();
    placed.sort_by_key(|p| p.snippet.start);
    for pair in placed.windows(2) {
        let [one, next] = pair else { continue };
        if one.after_line + one.lines != next.after_line {
            continue;
        }
        let is_new = |n: usize| {
            let line = lines.get(n.wrapping_sub(1)).map(|l| Line::new(l));
            line.is_some_and(|l| l.class != Class::Blank && !file.counts.contains_key(&l.hash))
        };
        for n in one.snippet.end + 1..next.snippet.start {
            let dots = lines.get(n - 1).map_or("", |l| l.trim());
            if markers::classify(dots) == Marked::BareDots && (is_new(n - 1) || is_new(n + 1)) {
                return Err(refuse::needless_dots(path, n, dots));
            }
        }
    }
    Ok(())
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
    file: &Facts,
    script: &Script,
    options: &MergeOptions,
    comments: &[&str],
) -> Result<Merged> {
    if script.segments.is_empty() || applied::stands(script, file.text()) {
        return Ok(Merged::unchanged(file.text()));
    }
    if let Some((item, name)) = applied::asks_in_vain(script, file, comments) {
        let (number, text) = (item.number, item.text.as_str());
        return Err(refuse::removal_of_nothing(
            &options.path,
            number,
            text,
            name,
        ));
    }
    if let Some(outcome) = hunk::exact(script, &file.lines) {
        return Ok(outcome);
    }
    let read = |reorder: bool, reading: Option<Reading>| {
        let pass = Pass {
            reading,
            path: &options.path,
            reorder,
            comments,
        };
        place::place(pass, script, file, |ctx| {
            let language = file.parsed().map(Pieces::language);
            guide::guide(ctx, file.definitions(), file.imports(), language)
        })
    };
    let removals = |outcome: &Merged| checks::removals(outcome, script, file, &options.path);
    let error = match read(false, None) {
        Ok(outcome) => match removals(&outcome) {
            Ok(()) => return Ok(outcome),
            Err(e) => e,
        },
        Err(e) => e,
    };
    if error.code == "unclear_edge" && !script.strict {
        // A reading that is refused for another reason may be meant all the same.
        let sound = |reading| {
            let outcome = read(false, Some(reading))?;
            removals(&outcome)?;
            // Each line may be meant in another way.
            if outcome.decided > 1 {
                return Err(error.clone());
            }
            let holds = checks::sound(file, &outcome.text, script, options);
            Ok(holds.then_some(outcome))
        };
        // Only one reading leaves a file that holds together: then it is meant.
        match (sound(Reading::Replaces), sound(Reading::Joins)) {
            (Ok(Some(one)), Ok(None)) | (Ok(None), Ok(Some(one))) => return Ok(one),
            _ => {}
        }
    }
    if script.segments.len() > 1
        && !script.strict
        && retry(&error)
        && let Ok(outcome) = read(true, None)
        && removals(&outcome).is_ok()
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
