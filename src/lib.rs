//! trimtab: search, compact, apply and run for coding agents.
//!
//! A room imports only from floors below its own; `ARCHITECTURE.md` has the plan.

#![deny(unsafe_code)]
#![warn(missing_docs)]
// What input can reach must not panic; tests may.
#![cfg_attr(
    not(test),
    warn(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::todo,
        clippy::print_stdout,
        clippy::print_stderr
    )
)]

#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

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
