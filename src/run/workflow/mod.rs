//! Workflows that users describe: files, checked as a whole before anything runs.
//!
//! `source` reads TOML with its lines, `types` and `expr` are the language of
//! references, `plan` checks a file, `kinds` has a file for each kind of step,
//! `execute` takes the steps, `order` is what a caller asks for.

mod execute;
mod expr;
mod files;
mod kinds;
mod order;
mod plan;
mod show;
mod source;
mod types;

pub(super) use files::list;
pub(super) use order::{Job, take};
pub use order::{Request, run_workflow};
pub use show::{Account, StepAccount};
