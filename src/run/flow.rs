//! The built-in flow: what a task needs, step by step.

use super::excerpt::{Hit, Place, Read, read_places};
use super::fit::{Draft, Shown, fit};
use super::outcome::{Failure, Outcome, StoppedBy, Written};
use super::step::{Halt, Progress, Steps, Value};
use super::task::{Limits, Task};
use crate::error::{Error, Result};
use crate::search::{LocateOptions, locate};
use crate::text::Span;
use crate::workspace::{Cancel, Omission, Root, Scope, Store};
use serde::{Deserialize, Serialize};

/// Does a task: applies and checks its edits, finds the code that its words are
/// about, and reads the best of it into the budget.
///
/// What was found before a cap or a failure ended the run is in the outcome, and
/// so is why it ended.
///
/// # Errors
/// `no_task`, `bad_cap`, `budget_too_small`, and `cancelled`.
pub fn run(
    root: &Root,
    task: &Task,
    cancel: &Cancel,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Outcome> {
    task.check()?;
    if !task.edits.is_empty() {
        return Err(Error::refused(
            "edits_apart",
            "A run does not apply edits yet; nothing was written.",
            "Use `trimtab apply` for them.",
        ));
    }
    let mut steps = Steps::new(task.max_steps, task.timeout, cancel, progress);
    let mut found = Found::default();
    let halt = take_steps(root, task, &mut steps, &mut found).err();
    if cancel.is_set() {
        return Err(Error::cancelled());
    }
    show(root, task, steps.taken(), found, halt)
}

/// What the steps have brought so far.
#[derive(Debug, Default)]
struct Found {
    written: Option<Written>,
    located: Option<Located>,
    read: Option<Read>,
}

fn take_steps(
    root: &Root,
    task: &Task,
    steps: &mut Steps<'_>,
    found: &mut Found,
) -> std::result::Result<(), Halt> {
    if task.text.trim().is_empty() {
        return Ok(());
    }
    let query = Query {
        text: task.text.clone(),
        limits: task.limits(),
        fill: task.fill,
    };
    let located = steps.take("search", &query, |query, cancel| {
        search(root, query, cancel)
    })?;
    found.located = Some(located.clone());
    let read = steps.take("expand", &located, |located, cancel| {
        read_places(root, &located.places, task.limits(), cancel)
    })?;
    found.read = Some(read);
    Ok(())
}

/// What a search is asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Query {
    text: String,
    limits: Limits,
    fill: bool,
}

impl Value for Query {
    fn check(&self) -> std::result::Result<(), String> {
        if self.text.trim().is_empty() {
            return Err("it has no words".into());
        }
        Ok(())
    }
}

/// What a search has found, best first.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Located {
    places: Vec<Place>,
}

impl Value for Located {
    fn check(&self) -> std::result::Result<(), String> {
        self.places.iter().try_for_each(Place::check)
    }
}

impl Value for Read {
    fn check(&self) -> std::result::Result<(), String> {
        self.rest.iter().try_for_each(Place::check)?;
        for hit in &self.hits {
            hit.place.check()?;
            let lines = crate::text::Lines::new(&hit.text).len();
            if lines != hit.place.span.len() {
                return Err(format!(
                    "{}:{} has {lines} lines",
                    hit.place.path, hit.place.span
                ));
            }
        }
        Ok(())
    }
}

impl Place {
    fn check(&self) -> std::result::Result<(), String> {
        let Span { start, end } = self.span;
        if self.path.is_empty() || start == 0 || end < start || !self.score.is_finite() {
            return Err(format!("{}:{start}-{end} is no place", self.path));
        }
        Ok(())
    }
}

fn search(root: &Root, query: &Query, cancel: &Cancel) -> Result<Located> {
    let options = LocateOptions {
        // More than fits, so that what is left out can be named.
        budget: query.limits.tokens.saturating_mul(2).max(8_000),
        fill: query.fill,
        scope: Scope::default(),
    };
    let located = locate(root, &query.text, &options, cancel)?;
    let place = |r: crate::search::Ranked| Place {
        path: r.path,
        span: r.span,
        symbol: r.symbol,
        score: r.score,
    };
    Ok(Located {
        places: located.ranked.into_iter().map(place).collect(),
    })
}

/// Puts the outcome into words, within the budget.
fn show(
    root: &Root,
    task: &Task,
    taken: usize,
    found: Found,
    halt: Option<Halt>,
) -> Result<Outcome> {
    let error = match &halt {
        Some(Halt::Failed(e)) => Some(e.clone()),
        _ => None,
    };
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
    let mut head = String::new();
    if let Some(written) = &found.written {
        for line in &written.files {
            head.push_str(line);
            head.push('\n');
        }
        head.push('\n');
    }
    if let Some(e) = &error {
        head.push_str(&format!("{e}\n\n"));
    }
    let reason = |shown: Shown| match &halt {
        Some(Halt::Stop(by)) => *by,
        Some(Halt::Failed(_)) => StoppedBy::Error,
        // To go on until the budget is full is what `fill` asks for.
        None if shown.left > 0 && (!task.fill || shown.places == 0) => StoppedBy::Tokens,
        None => StoppedBy::Done,
    };
    let status = |shown: Shown| status(reason(shown), shown, taken, task);
    let store = Store::for_root(root).ok();
    let kept = |places: &[Place]| Some(store.as_ref()?.handle(&listing(task, places)));
    let fitted = fit(&Draft {
        head: &head,
        hits: &read.hits,
        rest: &read.rest,
        status: &status,
        handle: &kept,
        limits: task.limits(),
    })?;
    let handle = match (&fitted.handle, &store) {
        (Some(_), Some(store)) => Some(store.put(&listing(task, &fitted.left))?),
        _ => None,
    };
    Ok(Outcome {
        tokens: crate::tokens::count(&fitted.text),
        steps: taken,
        stopped_by: reason(fitted.shown),
        left: fitted.shown.left,
        handle,
        written: found.written,
        error: error.as_ref().map(Failure::from),
        results: fitted.hits,
        text: fitted.text,
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
    let text: String = places.iter().map(super::fit::header).collect();
    let first = task.text.lines().next().unwrap_or_default();
    let title: String = first.chars().take(60).collect();
    Omission {
        source: format!("run {}", title.trim()),
        spans: vec![Span::new(1, places.len())],
        text,
    }
}
