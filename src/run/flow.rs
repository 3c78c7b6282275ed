//! The built-in flow: what a task needs, step by step.

use super::config;
use super::edits::{Edits, ToCheck, check, gate, merge, roll_back, write};
use super::excerpt::{Place, read_places};
use super::found::{Found, Located};
use super::step::{Halt, Pace, Steps, Value, crash_point};
use super::task::{Limits, Planner, Task};
use crate::error::Result;
use crate::search::{LocateOptions, Locator, Ranked};
use crate::workspace::{Cancel, Root};
use serde::{Deserialize, Serialize};

/// Takes the steps of a task until it is done or something ends it.
pub(super) fn take_steps(
    locator: &Locator,
    task: &Task,
    steps: &mut Steps<'_>,
    found: &mut Found,
) -> std::result::Result<(), Halt> {
    let edited = edit(locator.root(), task, steps, found);
    // The code that a task is about helps to mend an edit that was refused.
    match &edited {
        Ok(()) | Err(Halt::Failed(_)) => {}
        Err(stop) => return Err(stop.clone()),
    }
    look(locator, task, steps, found)?;
    edited
}

fn edit(
    root: &Root,
    task: &Task,
    steps: &mut Steps<'_>,
    found: &mut Found,
) -> std::result::Result<(), Halt> {
    if task.edits.is_empty() {
        return Ok(());
    }
    if task.writes() {
        // A mistake in the configuration is known before anything is written.
        config::load(root).map_err(Halt::Failed)?;
    }
    let edits = Edits {
        edits: task.edits.clone(),
    };
    let merged = steps.take("merge", Pace::Patient, &edits, |edits, _| {
        merge(root, &edits.edits)
    })?;
    found.merged = Some(merged.clone());
    let Some((journal, held)) = steps.journal().filter(|_| task.writes()) else {
        return Ok(());
    };
    if task.ask.is_some() && merged.changes() {
        steps.take("gate", Pace::Once, &merged, |_, _| {
            gate(journal, held, task)
        })?;
    }
    let key = held.key(0, "write", "");
    let written = steps.take("write", Pace::Patient, &merged, |merged, _| {
        write(root, &task.edits, merged, &key)
    })?;
    found.written = Some(written.clone());
    let to_check = ToCheck { merged, written };
    let room = task.limits().tokens / 2;
    let verdict = steps.take("check", Pace::Once, &to_check, |edit, cancel| {
        check(root, edit, room, cancel)
    })?;
    let mut checked = verdict.checked;
    if let Some(id) = &verdict.take_back {
        checked.rolled_back = Some(roll_back(root, id).map_err(Halt::Failed)?);
        crash_point();
    }
    found.checked = Some(checked);
    Ok(())
}

fn look(
    locator: &Locator,
    task: &Task,
    steps: &mut Steps<'_>,
    found: &mut Found,
) -> std::result::Result<(), Halt> {
    if task.text.trim().is_empty() {
        return Ok(());
    }
    let root = locator.root();
    let located = match planned(root, task, steps, found)? {
        Some(located) => located,
        None => {
            let query = Query {
                text: task.text.clone(),
                limits: task.limits(),
                fill: task.fill,
                memory: task.memory.clone(),
            };
            steps.take("search", Pace::Patient, &query, |query, cancel| {
                search(locator, query, cancel)
            })?
        }
    };
    found.located = Some(located.clone());
    let read = steps.take("expand", Pace::Patient, &located, |located, cancel| {
        read_places(root, &located.places, task.limits(), cancel)
    })?;
    found.read = Some(read);
    Ok(())
}

/// What a model chose, where one is asked and answers.
fn planned(
    root: &Root,
    task: &Task,
    steps: &mut Steps<'_>,
    found: &mut Found,
) -> std::result::Result<Option<Located>, Halt> {
    if task.planner == Planner::BuiltIn {
        return Ok(None);
    }
    #[cfg(feature = "model")]
    return super::model::choose(root, task, steps, found);
    #[cfg(not(feature = "model"))]
    {
        let _ = (root, steps);
        let note = "this build knows no models: the built-in planner answers";
        found.notes.push(note.into());
        Ok(None)
    }
}

/// What a search is asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Query {
    text: String,
    limits: Limits,
    fill: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    memory: Vec<String>,
}

impl Value for Query {
    fn check(&self) -> std::result::Result<(), String> {
        if self.text.trim().is_empty() {
            return Err("it has no words".into());
        }
        Ok(())
    }
}

fn search(locator: &Locator, query: &Query, cancel: &Cancel) -> Result<Located> {
    let places = locate_places(locator, &query.text, query.limits, query.fill, cancel)?;
    Ok(Located {
        places: reminded(places, &query.memory),
    })
}

/// Moves places in files that memory brought to mind to half their rank.
fn reminded(places: Vec<Place>, memory: &[String]) -> Vec<Place> {
    let mut ranked: Vec<(usize, bool, Place)> = Vec::with_capacity(places.len());
    for (rank, place) in places.into_iter().enumerate() {
        let known = memory.contains(&place.path);
        ranked.push((if known { rank / 2 } else { rank }, !known, place));
    }
    ranked.sort_by_key(|(rank, unknown, _)| (*rank, *unknown));
    ranked.into_iter().map(|(_, _, place)| place).collect()
}

/// The places that a task in plain words is about, best first: more than fit, so
/// that what is left out can be named.
pub(super) fn locate_places(
    locator: &Locator,
    text: &str,
    limits: Limits,
    fill: bool,
    cancel: &Cancel,
) -> Result<Vec<Place>> {
    let options = LocateOptions {
        budget: limits.tokens.saturating_mul(2).max(8_000),
        fill,
        ..LocateOptions::default()
    };
    let located = locator.locate(text, &options, cancel)?;
    let place = |r: Ranked| Place {
        path: r.path,
        span: r.span,
        symbol: r.symbol,
        score: r.score,
    };
    Ok(located.ranked.into_iter().map(place).collect())
}
