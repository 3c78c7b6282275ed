//! What the server knows about a tool.

use super::{fit, schema};
use crate::error::Result;
use crate::search::Engine;
use crate::workspace::{Cancel, Root};
use rmcp::model::{JsonObject, ToolAnnotations};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use std::sync::Arc;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// One tool: its arguments, its words for the model and its work.
pub(super) trait Tool {
    /// The name, without a server's prefix.
    const NAME: &'static str;
    /// What it is for, with the words that a client's tool search looks for.
    const DESCRIPTION: &'static str;
    /// The description where nothing may be written; `None` leaves the tool out.
    const READ_ONLY: Option<&'static str>;
    /// Whether the tool never writes.
    const ONLY_READS: bool;
    /// Arguments that only serve to write; left out where nothing may be written.
    const WRITING: &'static [&'static str] = &[];
    /// The arguments; `#[serde(deny_unknown_fields)]` is expected of them.
    type Arguments: DeserializeOwned + JsonSchema;

    /// Does the work and puts the result into words.
    fn call(call: &Call, arguments: Self::Arguments) -> Result<Answer>;
}

/// What a call has to say.
pub(super) struct Answer {
    pub(super) text: String,
    /// Whether it is an account of a failure.
    pub(super) failed: bool,
    /// The run whose write waits for approval, if there is one.
    pub(super) waits: Option<String>,
}

impl From<String> for Answer {
    fn from(text: String) -> Self {
        Self {
            text,
            failed: false,
            waits: None,
        }
    }
}

/// Tells those who wait for a call what it is at.
#[derive(Clone)]
pub(super) struct Status(UnboundedSender<String>);

impl Status {
    /// A status, and what it tells in order.
    pub(super) fn new() -> (Self, UnboundedReceiver<String>) {
        let (sender, receiver) = unbounded_channel();
        (Self(sender), receiver)
    }

    pub(super) fn set(&self, text: String) {
        // Nobody may be waiting any more.
        let _ = self.0.send(text);
    }
}

/// What a call may use.
pub(super) struct Call {
    pub(super) root: Root,
    pub(super) engine: Arc<Engine>,
    pub(super) cancel: Cancel,
    pub(super) status: Status,
}

/// A tool as the server lists and calls it.
pub(super) struct Entry {
    pub(super) tool: rmcp::model::Tool,
    call: fn(&Call, &JsonObject, JsonObject) -> Result<Answer>,
}

impl Entry {
    /// The tool `T`, or none where it has nothing to offer without writing.
    pub(super) fn of<T: Tool>(read_only: bool) -> Option<Self> {
        let description = if read_only {
            T::READ_ONLY?
        } else {
            T::DESCRIPTION
        };
        let mut input = schema::of::<T::Arguments>();
        if read_only {
            schema::remove(&mut input, T::WRITING);
        }
        let only_reads = T::ONLY_READS || read_only;
        let mut hints = ToolAnnotations::new()
            .read_only(only_reads)
            .open_world(false);
        if !only_reads {
            // A change to a file overwrites what was there, even if it can be
            // taken back; clients then ask the user, as they should.
            hints = hints.destructive(true).idempotent(false);
        }
        let tool =
            rmcp::model::Tool::new(T::NAME, description, Arc::new(input)).with_annotations(hints);
        Some(Self {
            tool,
            call: |call, schema, arguments| {
                T::call(call, schema::parse(T::NAME, schema, arguments)?)
            },
        })
    }

    /// Checks the arguments and does the work. What it comes to fits every client,
    /// unless a budget was asked for.
    pub(super) fn call(&self, call: &Call, arguments: JsonObject) -> Answer {
        let has_budget = arguments.get("budget").is_some_and(|b| !b.is_null());
        let outcome = (self.call)(call, &self.tool.input_schema, arguments);
        let mut answer = outcome.unwrap_or_else(|error| Answer {
            text: error.to_string(),
            failed: true,
            waits: None,
        });
        if !has_budget {
            answer.text = fit::cap(&call.root, &self.tool.name, answer.text);
        }
        answer
    }
}
