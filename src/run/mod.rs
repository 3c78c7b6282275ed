//! The orchestrator: plan, step, gate, journal and caps.

mod exec;

pub use exec::{Ran, run_command};
