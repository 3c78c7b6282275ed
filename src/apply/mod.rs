//! Snippet to segments, anchors, alignment, merged text and checks.

mod align;
mod checks;
mod context;
mod edges;
mod engine;
mod float;
mod forms;
mod guide;
mod hunk;
mod keep;
mod line;
mod markers;
mod merge;
mod onesided;
mod place;
mod refuse;
mod removed;
mod rival;
mod scores;
mod shape;
mod snippet;
mod write;

pub use engine::{
    Applied, AppliedFile, ApplyOptions, Diff, Edit, Outcome, Plan, apply, diff, plan,
};
pub use merge::{Merge, MergeOptions, Syntax, merge};
pub use place::{Placed, Placement};
