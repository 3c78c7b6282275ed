//! What trimtab saves, measured.
//!
//! [`bench()`] does small actions over a tree in several ways. [`replay`] takes
//! sessions that agents really had and charges each step twice: as it was recorded,
//! and as it would have been through trimtab (how is said in `policy`), by what was
//! known at that moment. What the agent went on to edit or quote has to have been
//! in view; where it was not, a re-read and a further turn are charged.
//!
//! A recorded session cannot show what an agent would have done with other answers:
//! that takes agents at work. What it can show is what the same work costs.

mod action;
mod change;
mod controls;
mod cost;
#[cfg(feature = "report")]
mod html;
mod ledger;
mod overall;
#[cfg(feature = "report")]
mod plots;
mod policy;
mod recorded;
mod replay;
mod replayed;
mod snippet;
mod stats;
mod sum;
mod tables;
mod tasks;
mod tree;
mod view;
mod walk;
mod ways;

pub use cost::Cost;
#[cfg(feature = "report")]
pub use html::html;
pub use ledger::{Amount, Kind, LEDGERS, Prices};
pub use overall::{Latency, Overall, latency};
pub use policy::Policy;
pub use recorded::{Action, Call, Format, Search, Session, Turn, read_session, read_sessions};
pub use replay::{Replay, ReplayOptions, replay};
pub use replayed::Replayed;
pub use stats::Interval;
pub use sum::{Arm, DENOMINATORS, KindSum, Sum};
pub use tasks::{Report, Way, bench};
pub use walk::{Control, Edits, SHARES, State, Step, Survival};
