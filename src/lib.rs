//! trimtab: search, compact, apply and run for coding agents.
//!
//! A room imports only from floors below its own; `ARCHITECTURE.md` has the plan.

pub mod apply;
pub mod cli;
pub mod compact;
pub mod error;
pub mod mcp;
pub mod run;
pub mod search;
pub mod syntax;
pub mod text;
pub mod tokens;
pub mod workspace;
