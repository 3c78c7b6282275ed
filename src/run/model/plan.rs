//! The turns of a model as steps of a run.

use super::ask::Line;
use super::planner::{TURNS, Turn, Turned, of_seen, turn};
use super::spend::Spend;
use crate::run::config::{self, Config};
use crate::run::excerpt::Place;
use crate::run::found::{Found, Located};
use crate::run::step::{Halt, Pace, SPENT, Steps, Value};
use crate::run::task::Task;
use crate::workspace::Root;

impl Value for Turn {
    fn check(&self) -> Result<(), String> {
        match self.number {
            1..=TURNS => Ok(()),
            n => Err(format!("there is no turn {n}")),
        }
    }
}

impl Value for Turned {
    fn check(&self) -> Result<(), String> {
        let mut places = self.seen.iter().chain(self.places.iter().flatten());
        places.try_for_each(Place::check)
    }
}

/// Lets the model choose. `None` where the built-in ranking is to answer, with a
/// note that says why.
pub(in crate::run) fn choose(
    root: &Root,
    task: &Task,
    steps: &mut Steps<'_>,
    found: &mut Found,
) -> Result<Option<Located>, Halt> {
    let config = config::load(root).map_err(Halt::Failed)?;
    found.notes.extend(config.notes.iter().cloned());
    let spend = Spend::of(config.model_tokens(), steps.journal()).map_err(Halt::Failed)?;
    let chosen = turns(root, task, steps, found, &config, &spend);
    found.model_tokens = spend.spent();
    chosen
}

fn turns(
    root: &Root,
    task: &Task,
    steps: &mut Steps<'_>,
    found: &mut Found,
    config: &Config,
    spend: &Spend,
) -> Result<Option<Located>, Halt> {
    let mut next = Turn::first(&task.text);
    let mut seen = Vec::new();
    for _ in 0..TURNS {
        let taken = steps.take_logged("turn", Pace::Once, &next, |next, cancel, log| {
            let mut on = Line {
                endpoints: &config.endpoints,
                spend,
                cancel,
                log,
            };
            match turn(root, &mut on, next) {
                // A run that goes on later must find the same answer.
                Err(e) if matches!(e.code, "no_endpoint" | "no_model" | SPENT) => Ok(Turned {
                    capped: e.code == SPENT,
                    failed: Some(e.message),
                    ..Turned::default()
                }),
                turned => turned,
            }
        });
        let turned = match taken {
            Ok(turned) => turned,
            Err(halt) => {
                // What was found until then is the partial result.
                let places = of_seen(&seen);
                found.located = Some(Located { places });
                return Err(halt);
            }
        };
        found.notes.extend(turned.notes.iter().cloned());
        if turned.capped {
            found.cut = true;
            found.notes.extend(turned.failed);
            break;
        }
        if let Some(why) = &turned.failed {
            found
                .notes
                .push(format!("{why} So the built-in planner answers."));
            return Ok(None);
        }
        seen.extend(turned.seen.iter().cloned());
        match &turned.places {
            Some(places) if !places.is_empty() => {
                let places = places.clone();
                return Ok(Some(Located { places }));
            }
            Some(_) => break,
            None => {}
        }
        next = next.next(&turned);
    }
    let places = of_seen(&seen);
    if places.is_empty() {
        let note = "the model found nothing: the built-in planner answers";
        found.notes.push(note.into());
        return Ok(None);
    }
    let note = "the model named no spans: these are what its searches found";
    found.notes.push(note.into());
    Ok(Some(Located { places }))
}
