//! Snippet to segments, anchors, alignment, merged text and checks.
