//! One request to one endpoint.

use super::after::retry_after;
use super::spend::Spend;
use crate::error::Error;
use crate::run::config::Endpoint;
use crate::run::retry::Failed;
use crate::workspace::Cancel;
use serde_json::{Value, json};
use std::time::SystemTime;
use ureq::{Agent, Error as HttpError};

/// Largest answer that is read (4 MiB).
const MOST_BYTES: u64 = 4 << 20;

/// What is asked: the same for every endpoint.
pub(super) struct Question<'a> {
    pub messages: &'a [Value],
    /// More fields of the request, such as tools.
    pub more: &'a Value,
}

/// What an endpoint answered.
pub(super) struct Reply {
    /// The message of the first choice.
    pub message: Value,
    /// Tokens that it cost.
    pub tokens: u64,
}

/// Sends the question, if the account holds what it may cost.
pub(super) fn request(
    endpoint: &Endpoint,
    question: &Question<'_>,
    spend: &Spend,
    cancel: &Cancel,
) -> std::result::Result<Reply, Failed> {
    cancel.check()?;
    let mut body = json!({
        "model": endpoint.name, "messages": question.messages, "temperature": 0, "seed": 0,
    });
    if let (Some(body), Some(more)) = (body.as_object_mut(), question.more.as_object()) {
        body.extend(more.clone());
    }
    let bytes = body.to_string().len();
    let held = spend.hold(bytes, endpoint.answer, cancel)?;
    body[endpoint.answer_field.as_str()] = json!(held.answer);
    let time = cancel
        .time_left()
        .map_or(endpoint.timeout, |left| left.min(endpoint.timeout));
    let agent: Agent = Agent::config_builder()
        .timeout_global(Some(time))
        .http_status_as_error(false)
        // A key is for the address that the user named, and for no other.
        .max_redirects(0)
        .build()
        .into();
    let url = format!("{}/chat/completions", endpoint.url.trim_end_matches('/'));
    let mut request = agent.post(&url).header("content-type", "application/json");
    if let Some(key) = key(endpoint)? {
        request = request.header("authorization", format!("Bearer {key}"));
    }
    let text = body.to_string();
    let mut response = request
        .send(text.as_bytes())
        .map_err(|e| broken(&e, cancel))?;
    let status = response.status().as_u16();
    if status != 200 {
        let after = response.headers().get("retry-after");
        let after = after.and_then(|v| retry_after(v.to_str().ok()?, SystemTime::now()));
        return Err(Failed {
            error: failed(format!("It answered with status {status}.")),
            again: matches!(status, 408 | 409 | 429) || status >= 500,
            after,
            tokens: 0,
        });
    }
    let text = response
        .body_mut()
        .with_config()
        .limit(MOST_BYTES)
        .read_to_string()
        .map_err(|e| broken(&e, cancel))?;
    let reply: Value = serde_json::from_str(&text).unwrap_or_default();
    let tokens = cost(&reply, &body);
    held.settle(tokens);
    match reply.pointer("/choices/0/message") {
        Some(message) if message.is_object() => Ok(Reply {
            message: message.clone(),
            tokens,
        }),
        other => {
            let what = match other.is_none() && reply.is_null() {
                true => "Its answer is no JSON.",
                false => "Its answer holds no message.",
            };
            Err(Failed {
                tokens,
                ..Failed::from(failed(what.to_string()))
            })
        }
    }
}

/// What an answer cost, as the endpoint says; counted here where it does not.
fn cost(reply: &Value, body: &Value) -> u64 {
    let used = |name: &str| reply.pointer(&format!("/usage/{name}"))?.as_u64();
    let both = || Some(used("prompt_tokens")?.saturating_add(used("completion_tokens")?));
    used("total_tokens").or_else(both).unwrap_or_else(|| {
        let answer = reply.pointer("/choices/0/message");
        let answer = answer.map(Value::to_string).unwrap_or_default();
        let count = |text: &str| crate::tokens::count(text) as u64;
        count(&body.to_string()) + count(&answer)
    })
}

/// The key, from the environment.
fn key(endpoint: &Endpoint) -> std::result::Result<Option<String>, Failed> {
    let Some(name) = &endpoint.key else {
        return Ok(None);
    };
    match std::env::var(name) {
        Ok(key) if !key.trim().is_empty() => Ok(Some(key.trim().to_string())),
        _ => Err(Failed {
            error: Error::failure(
                "no_key",
                format!("The environment variable {name} holds no key."),
                "Set it, or leave out `key`.",
            ),
            again: false,
            after: None,
            tokens: 0,
        }),
    }
}

/// A connection that failed, in words of our own.
fn broken(e: &HttpError, cancel: &Cancel) -> Failed {
    // What the run's own end cut short is not the endpoint's fault.
    if let Err(stop) = cancel.check() {
        return stop.into();
    }
    let (what, again) = match e {
        HttpError::Timeout(_) => ("It did not answer in time.", true),
        HttpError::HostNotFound => ("There is no such host.", true),
        HttpError::ConnectionFailed => ("It cannot be reached.", true),
        HttpError::BodyExceedsLimit(_) => ("Its answer is too long.", false),
        HttpError::BadUri(_) | HttpError::Http(_) => ("Its address or key cannot be used.", false),
        _ => ("The connection broke.", true),
    };
    Failed {
        error: failed(what.to_string()),
        again,
        after: None,
        tokens: 0,
    }
}

fn failed(what: String) -> Error {
    Error::failure("endpoint_failed", what, "")
}
