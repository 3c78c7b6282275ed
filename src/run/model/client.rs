//! One request to one endpoint.

use super::Question;
use crate::error::Error;
use crate::run::config::Endpoint;
use crate::run::retry::Failed;
use crate::workspace::Cancel;
use serde_json::{Value, json};
use std::time::Duration;
use ureq::{Agent, Error as HttpError};

/// Largest answer that is read (4 MiB).
const MOST_BYTES: u64 = 4 << 20;

/// Sends the question and returns the message of the first choice.
pub(super) fn request(
    endpoint: &Endpoint,
    question: &Question<'_>,
    cancel: &Cancel,
) -> std::result::Result<Value, Failed> {
    cancel.check()?;
    let mut body = json!({
        "model": endpoint.name, "messages": question.messages, "temperature": 0, "seed": 0,
    });
    if let (Some(body), Some(more)) = (body.as_object_mut(), question.more.as_object()) {
        body.extend(more.clone());
    }
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
        let after = after.and_then(|v| v.to_str().ok()?.trim().parse().ok());
        return Err(Failed {
            error: failed(format!("It answered with status {status}.")),
            again: matches!(status, 408 | 409 | 429) || status >= 500,
            after: after.map(Duration::from_secs),
        });
    }
    let text = response
        .body_mut()
        .with_config()
        .limit(MOST_BYTES)
        .read_to_string()
        .map_err(|e| broken(&e, cancel))?;
    let reply: Value =
        serde_json::from_str(&text).map_err(|_| failed("Its answer is no JSON.".to_string()))?;
    match reply.pointer("/choices/0/message") {
        Some(message) if message.is_object() => Ok(message.clone()),
        _ => Err(failed("Its answer holds no message.".to_string()).into()),
    }
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
    }
}

fn failed(what: String) -> Error {
    Error::failure("endpoint_failed", what, "")
}
