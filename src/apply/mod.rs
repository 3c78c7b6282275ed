//! Snippet to segments, anchors, alignment, merged text and checks.

mod applied;
mod bare;
mod checks;
mod edges;
mod engine;
mod hunk;
mod lines;
mod merge;
mod options;
mod pass;
mod place;
mod refuse;
mod reply;
mod settle;
mod snippet;
mod whole;

pub use engine::{ApplyOptions, Edit, Plan, apply, plan};
pub use merge::{Merge, Syntax, merge};
pub use options::MergeOptions;
pub use place::placement::{Placed, Placement};
pub use reply::{Applied, AppliedFile, Diff, Outcome, diff};
