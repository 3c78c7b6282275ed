//! Snippet to segments, anchors, alignment, merged text and checks.

mod align;
mod checks;
mod edges;
mod guide;
mod line;
mod markers;
mod merge;
mod place;
mod refuse;
mod snippet;

pub use merge::{Merge, MergeOptions, merge};
pub use place::{Placed, Placement};
