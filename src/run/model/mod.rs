//! A model, where the user configured one: endpoints that speak the chat
//! completions protocol, tried in the order of preference.
//!
//! Nothing here is needed by anything else, and whatever a model answers is checked
//! before it is used. Keys are read from the environment at the moment of a
//! request; they are kept nowhere, and no error quotes what a server sent.

mod after;
mod answer;
mod ask;
mod client;
mod plan;
mod planner;
mod spend;

pub(super) use answer::{answer, sound_schema};
pub(super) use ask::Line;
pub(super) use plan::choose;
pub(super) use spend::Spend;
