//! Workflows that users describe: files, checked as a whole before anything runs.
//!
//! `source` reads TOML with its lines and `read` what stands in it, `types`, `expr`
//! and `scope` are the language of references, `check` makes a `plan` of a file,
//! `kinds` has a file for each kind of step, `execute` takes the steps, `work` does
//! one and `state` is what became of it, `order` is what a caller asks for.

mod check;
mod execute;
mod expr;
mod files;
mod kinds;
mod order;
mod plan;
mod read;
mod scope;
mod show;
mod source;
mod state;
mod types;
mod work;

pub(super) use files::list;
pub(super) use order::take;
pub use order::{Request, run_workflow};
