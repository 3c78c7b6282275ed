//! Refusals: a code, which lines failed, where they may belong, and one next step.
//!
//! An agent reads them and sends the edit again, so each says what is missing and
//! nothing more.

mod edge;
mod edit;
mod place;
mod quote;

use std::fmt::Write as _;

use crate::error::Error;

pub(crate) use self::edge::{
    brought_twice, edge, mixed_indent, nothing_goes, open_end, removed_at_edge, respaced, slip,
    unexplained,
};
pub(crate) use self::edit::{
    misquoted, needless_dots, removal_of_nothing, too_large, unparsed, unreadable, unstable,
    whole_file,
};
pub(crate) use self::place::{
    ambiguous, context_missing, indent, misplaced, no_anchor, no_place, order,
};

/// How many refusals one answer tells: what is mended at once need not be sent twice.
const TOLD: usize = 3;

/// One refusal of what several parts of a snippet are refused for: the first, with those that
/// are no consequence of it.
pub(crate) fn together(refused: Vec<Error>) -> Option<Error> {
    let alone = |e: &Error| matches!(e.code, "unclear_edge" | "unexplained_removal" | "no_place");
    let mut refused = refused.into_iter();
    let mut first = refused.next()?;
    if !alone(&first) {
        return Some(first);
    }
    let others: Vec<Error> = refused.filter(alone).collect();
    for (n, other) in others.iter().enumerate() {
        if n + 1 == TOLD {
            let _ = write!(first.next, "\nalso: {} more like these.", others.len() - n);
            break;
        }
        let _ = write!(first.next, "\nalso: {}", other.message);
        if !first.next.contains(&other.next) {
            let _ = write!(first.next, " {}", other.next);
        }
    }
    Some(first)
}
