//! The orchestrator: plan, step, gate, journal and caps.

mod exec;
mod expand;

pub use exec::{Ran, run_command};
pub use expand::{ExpandOptions, Expanded, Piece, expand, parse_span};
