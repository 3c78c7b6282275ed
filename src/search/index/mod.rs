//! A trigram index: which files can match a pattern at all.
//!
//! A file is indexed by the set of three-byte sequences in it, ASCII letters folded
//! to lower case, sequences across lines left out. A pattern is turned into the
//! sequences that every match must hold ([`needs`]); files that lack one of them
//! cannot match and need not be read. Of those that are left, a filter of longer
//! sequences ([`signature`]) rules out more. Everything else is read and searched as
//! without an index: the index never decides that something matches.
//!
//! The idea is Russ Cox's ("Regular Expression Matching with a Trigram Index", 2012);
//! the plan is his without prefix and suffix sets, and by files.

mod build;
mod extract;
mod list;
mod needs;
mod run;
mod signature;
mod store;
mod trigram;
mod varint;

pub(super) use build::build;
pub(super) use needs::{Needs, needs};
pub(super) use store::{Index, Indexed};
