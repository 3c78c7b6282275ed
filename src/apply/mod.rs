//! Snippet to segments, anchors, alignment, merged text and checks.

mod align;
mod checks;
mod edges;
mod engine;
mod forms;
mod guide;
mod line;
mod markers;
mod merge;
mod place;
mod refuse;
mod snippet;

pub use engine::{
    Applied, AppliedFile, ApplyOptions, Diff, Edit, Outcome, Plan, apply, diff, plan,
};
pub use merge::{Merge, MergeOptions, Syntax, merge};
pub use place::{Placed, Placement};
