//! A text parsed in pieces, at the same time: a file is a row of items, and where each
//! piece of the row is valid so is the row. A large item is a row of members between what
//! opens and what closes it. An edit concerns the pieces that it crosses.

use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use rayon::prelude::*;

use super::again::Outlined;
use super::collect::Look;
use super::edit::{Edited, changed, edit, edited};
use super::language::Language;
use super::parse::{MAX_BYTES, Parsed, SyntaxError, Unparsed, is_bearable, parse_whole, try_parse};
use super::part::{Part, Rows, parts};
use super::piece::Piece;
use super::siblings;

/// A piece has at least so many bytes: to begin one costs what a few lines do.
const PIECE: usize = 4 << 10;

/// The trees of a text: one, or one for each of its pieces where none has an error.
pub struct Pieces {
    language: &'static Language,
    pieces: Vec<Piece>,
}

impl Pieces {
    /// Parses a text.
    ///
    /// # Errors
    /// See [`Unparsed`].
    pub fn parse(language: &'static Language, text: &str) -> Result<Self, Unparsed> {
        Self::parse_by(language, text, PIECE)
    }

    /// As [`Pieces::parse`], in pieces of at least `size` bytes.
    pub(super) fn parse_by(
        language: &'static Language,
        text: &str,
        size: usize,
    ) -> Result<Self, Unparsed> {
        let pieces = match apart(language, text, size) {
            Some(pieces) => pieces,
            None => vec![Piece::whole(text, try_parse(language, text)?)],
        };
        Ok(Self { language, pieces })
    }

    /// The pieces, in order.
    #[cfg(test)]
    pub(super) fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// The language of the text.
    pub fn language(&self) -> &'static Language {
        self.language
    }

    /// As [`Parsed::errors`].
    pub fn errors(&self, text: &str) -> Vec<SyntaxError> {
        let errors = self.pieces.iter().flat_map(|p| p.parsed.errors(text));
        errors.collect()
    }

    /// As [`Parsed::error_count`].
    pub fn error_count(&self) -> usize {
        self.pieces.iter().map(|p| p.parsed.error_count()).sum()
    }

    /// The line (1-based) of the first node that begins a new line at another column than what stands
    /// beside it in the same block, with both columns (bytes). New lines begin inside of `range`
    /// (bytes), and `is_new` says which of those there are; `skip` names code that may stand at any
    /// column, as comments may.
    pub fn astray(
        &self,
        text: &str,
        range: &Range<usize>,
        is_new: &dyn Fn(&str) -> bool,
        skip: &dyn Fn(&str) -> bool,
    ) -> Option<(usize, usize, usize)> {
        let grammar = self.language.grammar();
        let crossed = |p: &&Piece| p.part.own.end > range.start && p.part.own.start < range.end;
        let pieces = self.pieces.iter().filter(crossed);
        let found = pieces
            .filter_map(|p| siblings::astray(p.parsed.tree(), grammar, text, range, is_new, skip));
        found.min().map(|(row, is, others)| (row + 1, is, others))
    }

    /// As [`Parsed::identifiers`].
    pub fn identifiers(&self, text: &str) -> Vec<Range<usize>> {
        let own = |piece: &Piece| {
            let mut all = piece.parsed.identifiers(text);
            if piece.part.shell.is_some() {
                all.retain(|name| piece.part.own.contains(&name.start));
            }
            all
        };
        self.pieces.iter().flat_map(own).collect()
    }

    /// As [`Parsed::outline`], with what [`Pieces::edited`] needs of it.
    pub fn outlined(&self, text: &str) -> Outlined {
        Outlined::new(&self.pieces, text, Look::Everywhere)
    }

    /// Parses and outlines `after`, which an edit made of `before`, the text of these trees.
    /// The result is that of [`Pieces::parse`] and [`Pieces::outlined`]; it costs what the
    /// edit does where neither text has an error.
    ///
    /// # Errors
    /// See [`Unparsed`].
    pub fn edited(
        &self,
        outlined: &Outlined,
        before: &str,
        after: &str,
    ) -> Result<(Self, Outlined), Unparsed> {
        if let Some((pieces, edited)) = self.again(before, after)? {
            let outlined = outlined.again(&pieces, after, edited);
            let language = self.language;
            return Ok((Self { language, pieces }, outlined));
        }
        // As one: most often there is an error, which no piece may have.
        let new = Self {
            language: self.language,
            pieces: vec![Piece::whole(after, try_parse(self.language, after)?)],
        };
        let outlined = new.outlined(after);
        Ok((new, outlined))
    }

    /// The pieces of an edited text and what the edit changed, where there are no errors:
    /// what recovery from them makes of a text depends on where the parser comes from.
    fn again(&self, before: &str, after: &str) -> Result<Option<(Vec<Piece>, Edited)>, Unparsed> {
        if self.pieces.iter().any(|p| p.parsed.has_error()) {
            return Ok(None);
        }
        let language = self.language;
        let edit = edit(before, after);
        let from = |at: usize| self.pieces.iter().position(|p| p.part.own.end >= at);
        let (Some(mut first), Some(mut last)) = (from(edit.start_byte), from(edit.old_end_byte))
        else {
            return Ok(None);
        };
        let is_in_one =
            |n: usize| first == last && self.pieces.get(n).is_some_and(|p| p.part.is_within(&edit));
        if !is_in_one(first) {
            // All that have members of the same item.
            while first > 0 && self.are_beside(first - 1) {
                first -= 1;
            }
            while self.are_beside(last) {
                last += 1;
            }
        }
        let mut moved: Vec<Piece> = Vec::with_capacity(self.pieces.len());
        for (n, piece) in self.pieces.iter().enumerate() {
            let mut tree = piece.parsed.tree().clone();
            tree.edit(&edit);
            let mut part = piece.part.clone();
            part.edited(&edit, n > last, n >= first);
            moved.push(Piece {
                part,
                parsed: Parsed::new(language, tree, after),
                around: piece.around.clone(),
                found: Mutex::default(),
            });
        }
        let behind = moved.split_off(last + 1);
        let old = moved.split_off(first);
        let (Some(start), Some(end)) = (old.first(), old.last()) else {
            return Ok(None);
        };
        let within = start.part.own.start..end.part.own.end;
        let is_whole = self.pieces.len() == 1;
        let still = || {
            is_bearable(language, after)
                && start.part.begins(language, after)
                && end.part.ends(language, after)
        };
        if !is_whole && !still() {
            return Ok(None);
        }
        let (new, changed) = match old.as_slice() {
            [old] => {
                let tree = Some(old.parsed.tree());
                let never = || false;
                let new = match is_whole {
                    true => Some(Piece::whole(
                        after,
                        parse_whole(language, after, tree, &never)?,
                    )),
                    false => {
                        let rows = Rows::of(after, [&old.part]);
                        Piece::parse(language, after, old.part.clone(), &rows, tree, &never)?
                    }
                };
                let Some(new) = new.filter(|new| new.around == old.around) else {
                    return Ok(None);
                };
                let changed = changed(old.parsed.tree(), new.parsed.tree(), &edit);
                (vec![new], changed)
            }
            _ => match parse_apart(language, after, within.clone(), PIECE) {
                Some(new) => (new, within),
                None => return Ok(None),
            },
        };
        if new.iter().any(|p| p.parsed.has_error()) {
            return Ok(None);
        }
        moved.extend(new);
        moved.extend(behind);
        Ok(Some((moved, edited(changed, &edit, after))))
    }

    /// Whether a piece and the one below it have members of the same item.
    fn are_beside(&self, n: usize) -> bool {
        let pair = self.pieces.get(n).zip(self.pieces.get(n + 1));
        pair.is_some_and(|(a, b)| a.part.is_beside(&b.part))
    }
}

/// The pieces of a text, where it has several and none has an error.
fn apart(language: &'static Language, text: &str, size: usize) -> Option<Vec<Piece>> {
    if text.len() < 2 * size.min(MAX_BYTES) || !is_bearable(language, text) {
        return None;
    }
    let pieces = parse_apart(language, text, 0..text.len(), size)?;
    (pieces.len() > 1).then_some(pieces)
}

/// The pieces of a part of a text, where none has an error.
fn parse_apart(
    language: &'static Language,
    text: &str,
    within: Range<usize>,
    size: usize,
) -> Option<Vec<Piece>> {
    let is_all = within == (0..text.len());
    let parts = parts(language, text, within, size);
    let items: Vec<&[Part]> = parts.chunk_by(Part::is_beside).collect();
    let rows = Rows::of(text, &parts);
    let failed = AtomicBool::new(false);
    let parse = |part: Part, failed: &dyn Fn() -> bool| {
        let mut piece = Piece::parse(language, text, part, &rows, None, failed).ok()??;
        let found = piece.collected(text, Look::Everywhere);
        piece.found = Mutex::new(Some(found));
        Some(piece)
    };
    let parse = |item: &&[Part]| {
        let stop = || failed.load(Ordering::Relaxed);
        let (first, rest) = item.split_first()?;
        if !rest.is_empty()
            && let Some(pieces) = members(first, rest, &stop, &parse)
        {
            return Some(pieces);
        }
        // Members that cannot be told apart are one piece, which the text may not be.
        let own = first.own.start..item.last()?.own.end;
        let piece = (!is_all || items.len() > 1)
            .then(|| parse(Part::plain(own), &stop))
            .flatten();
        if piece.is_none() {
            failed.store(true, Ordering::Relaxed);
        }
        Some(vec![piece?])
    };
    let pieces: Option<Vec<Vec<Piece>>> = items.par_iter().map(parse).collect();
    Some(pieces?.into_iter().flatten().collect())
}

/// Parses a piece, as long as it is not told to stop.
type Parse<'a> = dyn Fn(Part, &dyn Fn() -> bool) -> Option<Piece> + Sync + 'a;

/// The pieces of an item's members. The first is parsed before the others: most often it tells
/// whether they can be parsed apart.
fn members(
    first: &Part,
    rest: &[Part],
    stop: &(dyn Fn() -> bool + Sync),
    parse: &Parse,
) -> Option<Vec<Piece>> {
    let first = parse(first.clone(), &stop)?;
    let failed = AtomicBool::new(false);
    let parse = |part: &Part| {
        let stop = || stop() || failed.load(Ordering::Relaxed);
        let piece = parse(part.clone(), &stop);
        // What is around the members has to be the same to all of them.
        let piece = piece.filter(|piece| match (&piece.around, &first.around) {
            (Some(one), Some(other)) => one.fit(other),
            _ => false,
        });
        if piece.is_none() {
            failed.store(true, Ordering::Relaxed);
        }
        piece
    };
    let rest: Option<Vec<Piece>> = rest.par_iter().map(parse).collect();
    let mut pieces = vec![first];
    pieces.extend(rest?);
    Some(pieces)
}
