//! What trimtab saves, measured.
//!
//! [`tasks`] does small actions over a tree in several ways; [`recorded`] reads
//! sessions that agents really had, whatever wrote them down.

mod action;
mod recorded;
mod tasks;
mod ways;

pub use recorded::{Action, Call, Format, Search, Session, Turn, read_session, read_sessions};
pub use tasks::{Cost, Report, Way, bench};
