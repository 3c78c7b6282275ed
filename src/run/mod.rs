//! The orchestrator: plan, step, gate, journal and caps.
//!
//! A run is a task done in steps: its edits are applied and checked, then the code
//! that its words are about is searched, read and fitted to the budget. Control is
//! code, not chance: the same task on the same tree takes the same steps. Caps on
//! steps, tokens and time are never exceeded; what was found before one was
//! reached is the result, with the reason why it ended.

pub mod bench;
mod command;
mod config;
pub mod doctor;
mod edits;
mod excerpt;
mod exec;
mod expand;
mod fit;
mod flow;
mod found;
mod hook;
mod job;
mod journal;
mod memory;
#[cfg(feature = "model")]
mod model;
mod outcome;
mod retry;
mod session;
mod shorten;
mod show;
mod step;
mod task;
mod trust;
mod trust_store;
mod turn;
mod workflow;

pub use config::{CONFIG_FILE, default_ask};
pub use excerpt::{Hit, Place};
pub use exec::{Ran, run_command};
pub use expand::{ExpandOptions, Expanded, Piece, expand, parse_span};
pub use hook::after_tool;
pub use journal::{RunRecord, StepRecord};
pub use memory::{Remembered, forget, memory};
pub use outcome::{Account, Checked, CheckedBy, Failure, Outcome, StepAccount, StoppedBy, Written};
pub use retry::Attempt;
pub use session::{Caps, approve, deny, fork, resume, run, run_with, runs, steps_of};
pub use shorten::{shorten, shorten_all, targets};
pub use step::Progress;
pub use task::{
    DEFAULT_BUDGET, DEFAULT_BYTES, DEFAULT_STEPS, DEFAULT_TIMEOUT, Edit, MAX_STEPS, Planner, Task,
    parse_time,
};
pub use trust::{Trust, Trusted, distrust, trust};
pub use workflow::{Request as WorkflowRequest, run_workflow};
