//! Turns in which a model chooses searches, until it names the spans.
//!
//! Each turn is a step of the run: what the model said and what its searches found
//! are written down together.

use super::ask::{Line, ask};
use super::client::Question;
use crate::error::{Error, Result};
use crate::run::excerpt::Place;
use crate::search::{Excerpt, Request, search};
use crate::text::{Lines, Span};
use crate::workspace::{Cancel, Root, read_text};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Turns at most; in the last the model must name the spans.
pub(in crate::run) const TURNS: usize = 5;
/// Tool calls of a turn that are done; further ones are dropped.
const CALLS: usize = 8;
/// Most tokens of what one search shows the model.
const SHOWN: usize = 700;

const SYSTEM: &str = "You find the code that a task is about. Call `search` with queries: \
identifiers, literal text or regular expressions; up to 8 calls a turn, best all at once. When you \
know enough, call `finish` with the spans to read, the most important first.";

/// What a turn begins with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(in crate::run) struct Turn {
    pub number: usize,
    pub messages: Vec<Value>,
}

/// What a turn came to.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(in crate::run) struct Turned {
    /// What follows the turn's messages.
    pub messages: Vec<Value>,
    /// The spans that the model named, if it did.
    pub places: Option<Vec<Place>>,
    /// Places that searches found, in order.
    pub seen: Vec<Place>,
    pub notes: Vec<String>,
    /// Why nobody answered.
    #[serde(default)]
    pub failed: Option<String>,
    /// Whether that was because the cap on model tokens is reached.
    #[serde(default)]
    pub capped: bool,
}

impl Turn {
    pub fn first(task: &str) -> Self {
        Self {
            number: 1,
            messages: vec![
                json!({"role": "system", "content": SYSTEM}),
                json!({"role": "user", "content": task}),
            ],
        }
    }

    pub fn next(mut self, turned: &Turned) -> Self {
        self.number += 1;
        self.messages.extend(turned.messages.iter().cloned());
        self
    }
}

/// Takes a turn: asks the model and does the searches that it chose.
pub(in crate::run) fn turn(root: &Root, on: &mut Line<'_>, turn: &Turn) -> Result<Turned> {
    let mut more = json!({"tools": tools(), "parallel_tool_calls": true});
    if turn.number >= TURNS {
        more["tool_choice"] = json!({"type": "function", "function": {"name": "finish"}});
    }
    let question = Question {
        messages: &turn.messages,
        more: &more,
    };
    let seed = format!("turn {}", turn.number);
    let message = ask(on, &question, &seed)?;
    let calls = match message.get("tool_calls").and_then(Value::as_array) {
        Some(calls) => calls.clone(),
        None => Vec::new(),
    };
    let mut out = Turned::default();
    let content = message.get("content").cloned().unwrap_or_default();
    let mut said = json!({"role": "assistant", "content": content});
    if !calls.is_empty() {
        said["tool_calls"] = Value::Array(calls.clone());
    }
    out.messages.push(said);
    if calls.is_empty() {
        out.messages
            .push(json!({"role": "user", "content": "Call `search` or `finish`."}));
    }
    if calls.len() > CALLS {
        let dropped = calls.len() - CALLS;
        let turn = turn.number;
        out.notes.push(format!(
            "turn {turn}: {dropped} of {} calls dropped, {CALLS} are allowed",
            calls.len()
        ));
    }
    let asked = calls.get(..CALLS).unwrap_or(&calls);
    let done: Vec<Called> = asked
        .par_iter()
        .map(|call| called(root, call, on.cancel))
        .collect::<Result<_>>()?;
    let dropped = format!("dropped: at most {CALLS} calls a turn are done");
    let answers = done.iter().map(|c| &c.answer);
    for (call, answer) in calls.iter().zip(answers.chain(std::iter::repeat(&dropped))) {
        let id = call.get("id").cloned().unwrap_or_default();
        out.messages
            .push(json!({"role": "tool", "tool_call_id": id, "content": answer}));
    }
    for called in done {
        out.seen.extend(called.seen);
        out.notes.extend(called.notes);
        out.places = called.places.or(out.places.take());
    }
    Ok(out)
}

/// What one call came to.
#[derive(Debug, Default)]
struct Called {
    answer: String,
    places: Option<Vec<Place>>,
    seen: Vec<Place>,
    notes: Vec<String>,
}

/// An answer and nothing else.
fn told(answer: impl Into<String>) -> Called {
    Called {
        answer: answer.into(),
        ..Called::default()
    }
}

/// Does one call; what is wrong with it is the answer.
fn called(root: &Root, call: &Value, cancel: &Cancel) -> Result<Called> {
    #[derive(Deserialize)]
    struct Search {
        queries: Vec<String>,
    }
    #[derive(Deserialize)]
    struct Finish {
        spans: Vec<Named>,
    }
    #[derive(Deserialize)]
    struct Named {
        path: String,
        start: usize,
        end: usize,
    }
    let name = call
        .pointer("/function/name")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let arguments = call.pointer("/function/arguments").and_then(Value::as_str);
    let arguments = arguments.unwrap_or_default();
    match name {
        "search" => {
            let Ok(Search { queries }) = serde_json::from_str(arguments) else {
                return Ok(told("the arguments are no JSON of the tool's schema"));
            };
            let request = Request {
                budget: Some(SHOWN),
                ..Request::new(queries)
            };
            match search(root, &request, cancel) {
                Ok(found) => {
                    let place = |e: &Excerpt| Place {
                        path: e.path.clone(),
                        span: e.span,
                        symbol: e.symbol.clone().unwrap_or_default(),
                        score: 1.0,
                    };
                    Ok(Called {
                        seen: found.excerpts.iter().map(place).collect(),
                        ..told(found.render())
                    })
                }
                Err(e) if matches!(e.code, "timed_out" | "cancelled") => Err(e),
                Err(e) => Ok(told(e.to_string())),
            }
        }
        "finish" => {
            let Ok(Finish { spans }) = serde_json::from_str(arguments) else {
                return Ok(told("the arguments are no JSON of the tool's schema"));
            };
            let (mut places, mut notes) = (Vec::new(), Vec::new());
            for named in spans {
                match place(root, &named.path, named.start, named.end, places.len()) {
                    Ok(place) => places.push(place),
                    Err(e) => notes.push(format!("span of the model left out: {}", e.message)),
                }
            }
            Ok(Called {
                places: Some(places),
                notes,
                ..told("done")
            })
        }
        other => Ok(told(format!(
            "there is no tool {other:?}; there are search and finish"
        ))),
    }
}

/// A span that exists, cut to its file.
fn place(root: &Root, path: &str, start: usize, end: usize, rank: usize) -> Result<Place> {
    let file = root.resolve(path)?;
    let lines = Lines::new(&read_text(&file)?).len();
    if start == 0 || start > end || start > lines {
        return Err(Error::not_found(
            "no_such_lines",
            format!("{} has no lines {start}-{end}", file.rel),
            "",
        ));
    }
    Ok(Place {
        path: file.rel,
        span: Span::new(start, end.min(lines)),
        symbol: String::new(),
        #[allow(clippy::cast_precision_loss)]
        score: 1.0 / (rank + 1) as f64,
    })
}

/// The best of what was seen where the model came to no end: what several searches
/// found comes first.
pub(in crate::run) fn of_seen(seen: &[Place]) -> Vec<Place> {
    let mut found: BTreeMap<(&str, Span), (usize, usize)> = BTreeMap::new();
    for (n, place) in seen.iter().enumerate() {
        found.entry((&place.path, place.span)).or_insert((0, n)).0 += 1;
    }
    let mut order: Vec<(usize, usize)> = found.into_values().collect();
    order.sort_by_key(|(count, first)| (std::cmp::Reverse(*count), *first));
    order
        .iter()
        .filter_map(|(_, first)| seen.get(*first).cloned())
        .collect()
}

fn tools() -> Value {
    let line = json!({"type": "integer", "minimum": 1});
    json!([
        {"type": "function", "function": {
            "name": "search",
            "description": "Ranked code ranges for one to eight queries.",
            "parameters": {
                "type": "object",
                "properties": {"queries": {
                    "type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": 8,
                }},
                "required": ["queries"], "additionalProperties": false,
            },
        }},
        {"type": "function", "function": {
            "name": "finish",
            "description": "Name the spans that the task is about, the most important first.",
            "parameters": {
                "type": "object",
                "properties": {"spans": {"type": "array", "items": {
                    "type": "object",
                    "properties": {"path": {"type": "string"}, "start": line, "end": line},
                    "required": ["path", "start", "end"], "additionalProperties": false,
                }}},
                "required": ["spans"], "additionalProperties": false,
            },
        }},
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_several_searches_found_comes_first() {
        let place = |path: &str, start: usize| Place {
            path: path.into(),
            span: Span::new(start, start + 3),
            symbol: String::new(),
            score: 1.0,
        };
        let seen = [place("a", 1), place("b", 1), place("a", 9), place("b", 1)];
        let best: Vec<String> = of_seen(&seen)
            .iter()
            .map(|p| format!("{}{}", p.path, p.span.start))
            .collect();
        assert_eq!(best, ["b1", "a1", "a9"]);
    }
}
