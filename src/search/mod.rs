//! Queries to candidate files, matches, ranges and ranking.
//!
//! A search walks the root once and reads each file once for all its queries
//! ([`Request`]); which lines match is exactly what ripgrep finds for the same
//! pattern. Matches become ranges: the definition around them, or a few lines. The
//! best ranges are fitted to a token budget ([`Response`]), the others kept under a
//! handle.
//!
//! ```no_run
//! use trimtab::search::{search, Request};
//! use trimtab::workspace::{Cancel, Root};
//!
//! # fn main() -> trimtab::error::Result<()> {
//! let root = Root::open(std::path::Path::new("."))?;
//! let found = search(&root, &Request::new(["fn main", "exit_status"]), &Cancel::new())?;
//! println!("{}", found.render());
//! # Ok(())
//! # }
//! ```
//!
//! [`Engine`] is the same for a process that lives on and searches again.

mod budget;
mod class;
mod collect;
mod definition;
mod engine;
mod excerpt;
mod fit;
mod gate;
#[cfg(unix)]
mod index;
mod lines;
mod listed;
mod load;
pub mod locate;
mod order;
mod query;
mod ranges;
mod request;
#[cfg(unix)]
mod resident;
mod response;
mod scan;
#[cfg(test)]
mod stopping;
mod views;

pub use engine::{Engine, search};
pub use lines::{LineMatch, Matches, Text};
pub use locate::{LocateOptions, Located, Locator, Ranked, locate};
pub use query::{Kind, Query, bare_name};
pub use request::{Case, DEFAULT_BUDGET, DEFAULT_BYTES, MAX_QUERIES, Mode, Request};
pub use response::{Excerpt, Freshness, Omitted, QueryReport, Response, Role};
