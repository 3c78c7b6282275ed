//! Queries to candidate files, matches, ranges and ranking.
