//! A model, where the user configured one: endpoints that speak the chat
//! completions protocol, tried in the order of preference.
//!
//! Nothing here is needed by anything else, and whatever a model answers is checked
//! before it is used. Keys are read from the environment at the moment of a
//! request; they are kept nowhere, and no error quotes what a server sent.

mod answer;
mod client;
mod plan;
mod planner;

pub(super) use answer::{answer, sound_schema};
pub(super) use plan::choose;

use super::config::Endpoint;
use super::retry::{Attempt, Policy, attempts};
use crate::error::{Error, Result};
use crate::workspace::Cancel;
use serde_json::Value;
use std::time::Duration;

/// The first wait before an endpoint is tried again.
const DELAY: Duration = Duration::from_millis(250);
/// The longest wait that the program chooses by itself.
const LONGEST: Duration = Duration::from_secs(8);

/// What is asked: the same for every endpoint.
pub(super) struct Question<'a> {
    pub messages: &'a [Value],
    /// More fields of the request, such as tools.
    pub more: &'a Value,
}

/// Asks the endpoints in turn until one answers; returns its message.
///
/// # Errors
/// `no_model` where none is configured; `no_endpoint` where none answered;
/// `timed_out`, `cancelled`.
pub(super) fn ask(
    endpoints: &[Endpoint],
    question: &Question<'_>,
    seed: &str,
    cancel: &Cancel,
    log: &mut Vec<Attempt>,
) -> Result<Value> {
    if endpoints.is_empty() {
        return Err(Error::failure(
            "no_model",
            "No model is configured.",
            "Name an endpoint under [model] in your own trimtab.toml.",
        ));
    }
    let mut failed = Vec::new();
    for endpoint in endpoints {
        let policy = Policy {
            attempts: endpoint.attempts,
            delay: DELAY,
            longest: LONGEST,
            timeout: Some(endpoint.timeout),
        };
        let label = endpoint.label();
        let reply = attempts(&policy, seed, &label, cancel, log, |cancel| {
            client::request(endpoint, question, cancel)
        });
        match reply {
            Ok(message) => return Ok(message),
            Err(e) if matches!(e.code, "timed_out" | "cancelled") => return Err(e),
            Err(e) => failed.push(format!("{label}: {}", e.message.trim_end_matches('.'))),
        }
    }
    Err(Error::failure(
        "no_endpoint",
        format!("No endpoint answered ({}).", failed.join("; ")),
        "Check [model] in your trimtab.toml.",
    ))
}
