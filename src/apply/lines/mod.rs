//! What is known of the lines of a text by themselves: how they read, their words, how often each
//! stands there.

pub(super) mod constants;
pub(super) mod facts;
pub(super) mod key;
pub(super) mod line;
pub(super) mod recent;
pub(super) mod shape;
pub(super) mod words;
