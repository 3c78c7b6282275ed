//! What a step can be: one file per kind.
//!
//! A kind says which fields it takes and what it gives, so that a workflow can be
//! checked before anything runs, and it does the work.

mod apply;
mod check;
mod compact;
mod expand;
mod gate;
mod kind;
#[cfg(feature = "model")]
mod mcp;
#[cfg(feature = "model")]
mod model;
mod search;

pub(in crate::run::workflow) use kind::{Context, Inputs, Kind, Work};

/// All kinds.
pub(in crate::run::workflow) const KINDS: &[&Kind] = &[
    &search::KIND,
    &expand::KIND,
    &compact::KIND,
    &apply::KIND,
    &check::KIND,
    &gate::KIND,
    #[cfg(feature = "model")]
    &mcp::KIND,
    #[cfg(feature = "model")]
    &model::KIND,
];
