//! The outline of an edited text, made of that of the text before: what the edit left as
//! it was is moved, not looked at again.

use rayon::prelude::*;

use super::collect::{Look, collect};
use super::edit::Edited;
use super::found::{At, Collected, Found};
use super::kept::Kept;
use super::outline::{Outline, finish};
use super::part::Part;
use super::piece::Piece;

/// An outline, and what that of an edited text can be made of.
pub struct Outlined {
    /// The outline of the text.
    pub outline: Outline,
    /// What the trees without embedded languages gave.
    own: Collected,
}

impl Collected {
    /// What all pieces of a text give.
    fn joined<'p>(pieces: impl Iterator<Item = (&'p Part, Self)>) -> Self {
        let mut all = Self::default();
        // What the first piece with members of an item says is around them.
        let mut begun: Option<(usize, Vec<At<Found>>)> = None;
        for (part, own) in pieces {
            if part.shell.is_some() && part.is_first() {
                begun = Some((all.found.len(), own.around));
            } else if part.is_last
                && let Some((from, first)) = begun.take()
            {
                all.close(from, first, own.around);
            }
            all.found.extend(own.found);
            all.comments.extend(own.comments);
            all.imports.extend(own.imports);
        }
        all
    }

    /// Adds what is around members: the first piece has where it begins, the last one where it
    /// ends.
    fn close(&mut self, from: usize, first: Vec<At<Found>>, last: Vec<At<Found>>) {
        for (mut first, last) in first.into_iter().zip(last) {
            first.what = first.what.until(last.what);
            let place = (first.start, first.depth);
            let found = self.found.get(from..).unwrap_or_default();
            let above = found.partition_point(|f| (f.start, f.depth) <= place);
            self.found.insert(from + above, first);
        }
    }
}

impl Outlined {
    /// Of the pieces of a text.
    pub(super) fn new(pieces: &[Piece], text: &str, look: Look<'_>) -> Self {
        let found = pieces.par_iter().map(|piece| piece.collected(text, look));
        let found: Vec<Collected> = found.collect();
        let own = Collected::joined(pieces.iter().map(|p| &p.part).zip(found));
        let mut all = own.clone();
        for inner in pieces.iter().flat_map(|p| p.parsed.others()) {
            collect(inner, None, text, Look::Everywhere, &mut all);
        }
        Self {
            outline: finish(all, text),
            own,
        }
    }

    /// The outline of `text`, which an edit made of the text of this one, with its pieces.
    pub(super) fn again(&self, pieces: &[Piece], text: &str, edit: Edited) -> Self {
        let kept = Kept {
            old: &self.own,
            edit,
        };
        Self::new(pieces, text, Look::Changed(&kept))
    }
}
