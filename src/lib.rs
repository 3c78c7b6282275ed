//! trimtab: search, compact, apply and run for coding agents.
//!
//! A room imports only from floors below its own; `ARCHITECTURE.md` has the plan.

pub mod error;
pub mod text;
