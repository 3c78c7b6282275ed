//! Asks the person behind a client whether a write may be made.
//!
//! Only clients that said that they can be asked are asked; with any other, and where
//! nobody answers in time, the reply says how to approve.

use super::tool::Answer;
use crate::error::{Error, Result};
use crate::run::{Outcome, approve, deny};
use crate::workspace::{Cancel, Root};
use rmcp::model::{
    ElicitRequest, ElicitRequestParams, ElicitationAction, ElicitationSchema, ServerRequest,
};
use rmcp::{Peer, RoleServer};
use std::time::Duration;

/// What is left of a call's time for the work after the answer.
const WORK: Duration = Duration::from_secs(15);

/// What a run came to that waits for approval, after asking where that is possible.
pub(super) async fn settle(
    root: &Root,
    waiting: Answer,
    peer: &Peer<RoleServer>,
    cancel: &Cancel,
) -> Result<Answer> {
    let Some(id) = waiting.waits.clone() else {
        return Ok(waiting);
    };
    let Some(allowed) = ask(peer, &waiting.text, cancel).await else {
        return Ok(waiting);
    };
    let (root, cancel) = (root.clone(), cancel.clone());
    let decide = move || -> Result<Answer> {
        if allowed {
            return approve(&root, &id, &cancel, &mut |_| {}).map(|o| Answer::from(&o));
        }
        deny(&root, &id)?;
        Ok(Answer {
            text: format!("denied: the write of run {id} was refused; nothing is written\n"),
            failed: true,
            waits: None,
        })
    };
    match tokio::task::spawn_blocking(decide).await {
        Ok(answer) => answer,
        Err(_) => Err(Error::failure(
            "internal",
            "The run failed unexpectedly.",
            "",
        )),
    }
}

impl From<&Outcome> for Answer {
    fn from(outcome: &Outcome) -> Self {
        Self {
            text: outcome.render().to_owned(),
            failed: outcome.error.is_some(),
            waits: outcome.run.clone(),
        }
    }
}

/// `None` where nobody could be asked or nobody decided.
async fn ask(peer: &Peer<RoleServer>, text: &str, cancel: &Cancel) -> Option<bool> {
    let can = peer.peer_info()?.capabilities.elicitation.clone()?;
    if can.form.is_none() && can.url.is_some() {
        return None;
    }
    let parameters = ElicitRequestParams::FormElicitationParams {
        meta: None,
        message: format!("Let trimtab write this?\n\n{text}"),
        requested_schema: ElicitationSchema::new(std::collections::BTreeMap::new()),
    };
    let request = ServerRequest::ElicitRequest(ElicitRequest::new(parameters));
    let patience = cancel.time_left()?.checked_sub(WORK)?;
    let reply = tokio::time::timeout(patience, peer.send_request(request)).await;
    match reply.ok()?.ok()? {
        rmcp::model::ClientResult::ElicitResult(result) => match result.action {
            ElicitationAction::Accept => Some(true),
            ElicitationAction::Decline => Some(false),
            _ => None,
        },
        _ => None,
    }
}
