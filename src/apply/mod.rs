//! Snippet to segments, anchors, alignment, merged text and checks.

mod align;
mod applied;
mod checks;
mod context;
mod edges;
mod engine;
mod facts;
mod float;
mod forms;
mod guide;
mod hunk;
mod insertion;
mod keep;
mod labels;
mod line;
mod markers;
mod merge;
mod onesided;
mod place;
mod provenance;
mod recent;
mod refuse;
mod removed;
mod renamed;
mod reply;
mod rival;
mod scores;
mod shape;
mod snippet;
mod twins;
mod verdict;
mod write;

pub use engine::{Applied, AppliedFile, ApplyOptions, Edit, Outcome, Plan, apply, plan};
pub use merge::{Merge, MergeOptions, Syntax, merge};
pub use place::{Placed, Placement};
pub use reply::{Diff, diff};
