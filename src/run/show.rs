//! The outcome of a run in words, within its budget.

use super::edits::shorten_diff;
use super::excerpt::{Hit, Place, Read};
use super::fit::{Draft, Shown, fit, header};
use super::found::Found;
use super::outcome::{Checked, Failure, Outcome, StoppedBy, Written};
use super::step::Halt;
use super::task::Task;
use crate::error::{Error, Result};
use crate::text::Span;
use crate::tokens;
use crate::workspace::{Omission, Root, Store};

/// Puts the outcome into words, within the budget.
pub(super) fn show(
    root: &Root,
    task: &Task,
    taken: usize,
    found: Found,
    halt: Option<Halt>,
    run: Option<i64>,
) -> Result<Outcome> {
    let mut found = found;
    let error = match &halt {
        Some(Halt::Failed(e)) => Some(e.clone()),
        _ => found.checked.as_ref().and_then(failed_check),
    };
    let id = run.map(|n| format!("r{n}"));
    let head = head(root, task, &mut found, &halt, error.as_ref(), id.as_deref())?;
    let located = found.located.unwrap_or_default();
    // Without their lines, the places themselves are the best that there is.
    let bare = |place: Place| Hit {
        place,
        text: String::new(),
    };
    let read = found.read.unwrap_or_else(|| Read {
        hits: located.places.into_iter().map(bare).collect(),
        rest: Vec::new(),
    });
    let reason = |shown: Shown| match &halt {
        Some(Halt::Stop(by)) => *by,
        Some(Halt::Failed(_)) => StoppedBy::Error,
        None if error.is_some() => StoppedBy::Error,
        None if found.cut => StoppedBy::Tokens,
        // To go on until the budget is full is what `fill` asks for.
        None if shown.left > 0 && (!task.fill || shown.places == 0) => StoppedBy::Tokens,
        None => StoppedBy::Done,
    };
    let status = |shown: Shown| status(reason(shown), shown, taken, task);
    let store = Store::for_root(root).ok();
    let kept = |places: &[Place]| Some(store.as_ref()?.handle(&listing(task, places)));
    let draft = |head| Draft {
        head,
        hits: &read.hits,
        rest: &read.rest,
        status: &status,
        handle: &kept,
        limits: task.limits(),
    };
    let fitted = match fit(&draft(&head)) {
        // What was written must be told, as far as there is room.
        Err(e) if e.code == "budget_too_small" && !head.is_empty() => {
            let room = task.limits().tokens.saturating_sub(LEAST_ROOM);
            let cut = tokens::fit_lines(&head, room);
            fit(&draft(head.get(..cut).unwrap_or_default()))?
        }
        fitted => fitted?,
    };
    let handle = match (&fitted.handle, &store) {
        (Some(_), Some(store)) => Some(store.put(&listing(task, &fitted.left))?),
        _ => None,
    };
    Ok(Outcome {
        tokens: tokens::count(&fitted.text),
        steps: taken,
        stopped_by: reason(fitted.shown),
        left: fitted.shown.left,
        handle,
        written: found.written,
        checks: found.checked,
        run: id.filter(|_| halt == Some(Halt::Stop(StoppedBy::Gate))),
        error: error.as_ref().map(Failure::from),
        results: fitted.hits,
        workflow: None,
        model_tokens: found.model_tokens,
        text: fitted.text,
    })
}

/// What the closing lines need at most, in tokens.
const LEAST_ROOM: usize = 36;

/// What was written, what waits, what failed. Sets [`Found::written`] for a dry
/// run and for a write that waits, with the diff.
fn head(
    root: &Root,
    task: &Task,
    found: &mut Found,
    halt: &Option<Halt>,
    error: Option<&Error>,
    id: Option<&str>,
) -> Result<String> {
    let mut head = String::new();
    let mut line = |text: &str| {
        head.push_str(text.trim_end());
        head.push('\n');
    };
    found.notes.iter().for_each(|n| line(n));
    let waits = halt == &Some(Halt::Stop(StoppedBy::Gate));
    if let (None, Some(merged)) = (&found.written, &found.merged) {
        merged.lines.iter().for_each(|l| line(l));
        let room = task.limits().tokens / 2;
        if waits {
            line(&shorten_diff(root, &merged.diff, room)?);
            let id = id.unwrap_or_default();
            line(&format!(
                "waits for approval, nothing is written: `trimtab runs approve {id}` or `trimtab runs deny {id}`"
            ));
        } else if task.dry_run {
            line(&shorten_diff(root, &merged.diff, room)?);
            line("dry run, nothing written");
        } else {
            line("merged, not written");
        }
        if waits || task.dry_run {
            found.written = Some(Written {
                files: merged.lines.clone(),
                undo: None,
                diff: Some(merged.diff.clone()),
            });
        }
    } else if let Some(written) = &found.written {
        let undo = written.undo.as_deref().map(|id| format!("undo {id}"));
        match (written.files.as_slice(), undo) {
            ([one], Some(undo)) => line(&format!("{one}, {undo}")),
            (files, undo) => {
                files.iter().for_each(|l| line(l));
                undo.iter().for_each(|l| line(l));
            }
        }
        match &found.checked {
            Some(checked) => {
                for by in &checked.commands {
                    line(&format!(
                        "check `{}`: {}",
                        by.name,
                        if by.ok { "ok" } else { &by.ended }
                    ));
                    if !by.output.is_empty() {
                        line(&by.output);
                    }
                }
                checked.notes.iter().for_each(|l| line(l));
            }
            None => line("written, but not checked"),
        }
    }
    if let Some(e) = error {
        line(&e.to_string());
    }
    if !head.is_empty() {
        head.push('\n');
    }
    Ok(head)
}

/// The error that a failed check is.
fn failed_check(checked: &Checked) -> Option<Error> {
    let failed = checked.commands.iter().find(|c| !c.ok)?;
    let what = format!("The check `{}` failed ({})", failed.name, failed.ended);
    Some(match &checked.rolled_back {
        Some(id) => Error::refused(
            "check_failed",
            format!("{what}; the edit was taken back."),
            format!("Mend the edit and send it again (undo {id} brings it back as it was)."),
        ),
        None => Error::failure(
            "check_failed",
            format!("{what}; the edit was kept."),
            "Mend what it reports, or undo the edit.",
        ),
    })
}

/// The last line of the text.
fn status(by: StoppedBy, shown: Shown, taken: usize, task: &Task) -> String {
    let count = |n: usize, word: &str| format!("{n} {word}{}", if n == 1 { "" } else { "s" });
    let steps = count(taken, "step");
    let places = match shown.places {
        0 if task.text.trim().is_empty() => String::new(),
        0 if shown.left == 0 => "nothing found, ".to_string(),
        n => format!("{}, ", count(n, "place")),
    };
    match by {
        StoppedBy::Done => format!("done: {places}{steps}\n"),
        by => format!("stopped by {}: {places}{steps}\n", by.name()),
    }
}

/// A list of places for the store.
fn listing(task: &Task, places: &[Place]) -> Omission {
    let text: String = places.iter().map(header).collect();
    let first = task.text.lines().next().unwrap_or_default();
    let title: String = first.chars().take(60).collect();
    Omission {
        source: format!("run {}", title.trim()),
        spans: vec![Span::new(1, places.len())],
        text,
    }
}
