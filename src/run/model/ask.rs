//! A question asked of one endpoint after the other.

use super::client::{Question, request};
use super::spend::Spend;
use crate::error::{Class, Error, Result};
use crate::run::config::Endpoint;
use crate::run::retry::{Attempt, Policy, attempts};
use crate::workspace::Cancel;
use serde_json::Value;
use std::time::Duration;

/// The first wait before an endpoint is tried again.
const DELAY: Duration = Duration::from_millis(250);
/// The longest wait that the program chooses by itself.
const LONGEST: Duration = Duration::from_secs(8);

/// Whom a run asks, and what it goes by.
pub(in crate::run) struct Line<'a> {
    /// In the order of preference.
    pub endpoints: &'a [Endpoint],
    pub spend: &'a Spend,
    pub cancel: &'a Cancel,
    pub log: &'a mut Vec<Attempt>,
}

/// Asks the endpoints in turn until one answers; returns its message.
/// Every attempt goes to the log of `on`.
///
/// # Errors
/// `no_model` where none is configured; `no_endpoint` where none answered;
/// `model_tokens` (capped), `timed_out`, `cancelled`.
pub(super) fn ask(on: &mut Line<'_>, question: &Question<'_>, seed: &str) -> Result<Value> {
    let endpoints = on.endpoints;
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
            ..Policy::default()
        };
        let label = endpoint.label();
        let reply = attempts(&policy, seed, &label, on.cancel, on.log, |cancel| {
            request(endpoint, question, on.spend, cancel)
        });
        match reply {
            Ok(reply) => {
                on.log.push(Attempt {
                    what: label,
                    error: String::new(),
                    waited: 0,
                    tokens: reply.tokens,
                });
                return Ok(reply.message);
            }
            Err(e) if e.class == Class::Capped || e.code == "cancelled" => return Err(e),
            Err(e) => failed.push(format!("{label}: {}", e.message.trim_end_matches('.'))),
        }
    }
    Err(Error::failure(
        "no_endpoint",
        format!("No endpoint answered ({}).", failed.join("; ")),
        "Check [model] in your trimtab.toml.",
    ))
}
