//! A text parsed in pieces, at the same time: a file is a row of items, and where each
//! piece of the row is valid so is the row. An edit concerns the pieces that it crosses.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};

use rayon::prelude::*;
use tree_sitter::Point;

use super::again::{Collected, Edited, Outlined};
use super::language::Language;
use super::outline;
use super::parse::{
    MAX_BYTES, Parsed, SyntaxError, Unparsed, changed, edit, edited, is_bearable, parse_ranges,
    parse_whole, try_parse,
};

/// A piece has at least so many bytes: to begin one costs what a few lines do.
const PIECE: usize = 4 << 10;

/// The trees of a text: one, or one for each of its pieces where none has an error.
pub struct Pieces {
    language: &'static Language,
    pieces: Vec<Parsed>,
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
            None => vec![try_parse(language, text)?],
        };
        Ok(Self { language, pieces })
    }

    /// The trees, in order.
    #[cfg(test)]
    pub(super) fn trees(&self) -> &[Parsed] {
        &self.pieces
    }

    /// The language of the text.
    pub fn language(&self) -> &'static Language {
        self.language
    }

    /// As [`Parsed::errors`].
    pub fn errors(&self, text: &str) -> Vec<SyntaxError> {
        self.pieces.iter().flat_map(|p| p.errors(text)).collect()
    }

    /// As [`Parsed::error_count`].
    pub fn error_count(&self) -> usize {
        self.pieces.iter().map(Parsed::error_count).sum()
    }

    /// As [`Parsed::identifiers`].
    pub fn identifiers(&self, text: &str) -> Vec<Range<usize>> {
        self.pieces
            .iter()
            .flat_map(|p| p.identifiers(text))
            .collect()
    }

    /// As [`Parsed::outline`], with what [`Pieces::edited`] needs of it.
    pub fn outlined(&self, text: &str) -> Outlined {
        let collect = |piece: &Parsed| {
            let mut own = Collected::default();
            outline::collect(piece, text, outline::Look::Everywhere, &mut own);
            own
        };
        let own: Vec<Collected> = self.pieces.par_iter().map(collect).collect();
        let own = own.into_iter().reduce(Collected::followed_by);
        Outlined::new(&self.pieces, text, own.unwrap_or_default())
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
            pieces: vec![try_parse(self.language, after)?],
        };
        let outlined = new.outlined(after);
        Ok((new, outlined))
    }

    /// The pieces of an edited text and what the edit changed, where there are no errors:
    /// what recovery from them makes of a text depends on where the parser comes from.
    fn again(&self, before: &str, after: &str) -> Result<Option<(Vec<Parsed>, Edited)>, Unparsed> {
        if self.pieces.iter().any(Parsed::has_error) {
            return Ok(None);
        }
        let language = self.language;
        let edit = edit(before, after);
        let first = |p: &Parsed| p.range().end_byte >= edit.start_byte;
        let last = |p: &Parsed| p.range().end_byte >= edit.old_end_byte;
        let (Some(first), Some(last)) = (
            self.pieces.iter().position(first),
            self.pieces.iter().position(last),
        ) else {
            return Ok(None);
        };
        let mut moved: Vec<Parsed> = Vec::with_capacity(self.pieces.len());
        for piece in &self.pieces {
            let mut tree = piece.tree().clone();
            tree.edit(&edit);
            moved.push(Parsed::new(language, tree));
        }
        let behind = moved.split_off(last + 1);
        let old = moved.split_off(first);
        let (Some(start), Some(end)) = (old.first(), old.last()) else {
            return Ok(None);
        };
        let within = start.range().start_byte..end.range().end_byte.min(after.len());
        let is_whole = self.pieces.len() == 1;
        let still = || is_bearable(language, after) && self.is_piece(after, &within);
        if !is_whole && !still() {
            return Ok(None);
        }
        let (new, changed) = match old.as_slice() {
            [old] => {
                let tree = Some(old.tree());
                let new = match is_whole {
                    true => parse_whole(language, after, tree, &|| false)?,
                    false => parse_ranges(language, after, &[old.range()], tree, &|| false)?,
                };
                let changed = changed(old.tree(), new.tree(), &edit);
                (vec![new], changed)
            }
            _ => match parse_apart(language, after, within.clone(), PIECE) {
                Some(new) => (new, within),
                None => return Ok(None),
            },
        };
        if new.iter().any(Parsed::has_error) {
            return Ok(None);
        }
        moved.extend(new);
        moved.extend(behind);
        Ok(Some((moved, edited(changed, &edit, after))))
    }

    /// Whether a text can be cut at both ends of a range.
    fn is_piece(&self, text: &str, range: &Range<usize>) -> bool {
        let cut = |at: usize| at == 0 || at >= text.len() || is_cut(self.language, text, at);
        cut(range.start) && cut(range.end)
    }
}

/// The pieces of a text, where it has several and none has an error.
fn apart(language: &'static Language, text: &str, size: usize) -> Option<Vec<Parsed>> {
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
) -> Option<Vec<Parsed>> {
    let cuts = cuts(language, text, within.clone(), size);
    if cuts.is_empty() && within == (0..text.len()) {
        return None;
    }
    let mut ranges = Vec::with_capacity(cuts.len() + 1);
    let breaks = |part: &[u8]| memchr::memchr_iter(b'\n', part).count();
    let bytes = text.as_bytes();
    let mut start = within.start;
    let mut row = breaks(bytes.get(..start)?);
    for end in cuts.into_iter().chain([within.end]) {
        let piece = bytes.get(start..end)?;
        let below = row + breaks(piece);
        let column = piece.len() - memchr::memrchr(b'\n', piece).map_or(0, |n| n + 1);
        ranges.push(tree_sitter::Range {
            start_byte: start,
            end_byte: end,
            start_point: Point::new(row, 0),
            end_point: Point::new(below, column),
        });
        (start, row) = (end, below);
    }
    let failed = AtomicBool::new(false);
    let parse = |range: &tree_sitter::Range| {
        let stop = || failed.load(Ordering::Relaxed);
        let piece = parse_ranges(language, text, &[*range], None, &stop).ok();
        let piece = piece.filter(|p| !p.has_error());
        if piece.is_none() {
            failed.store(true, Ordering::Relaxed);
        }
        piece
    };
    ranges.par_iter().map(parse).collect()
}

/// Where a part of a text can be cut into pieces of at least `size` bytes.
fn cuts(language: &'static Language, text: &str, within: Range<usize>, size: usize) -> Vec<usize> {
    let mut cuts = Vec::new();
    let mut from = within.start.saturating_add(size);
    while from.saturating_add(size) <= within.end {
        let rest = text.as_bytes().get(from..within.end).unwrap_or_default();
        let starts = memchr::memchr_iter(b'\n', rest).map(|n| from + n + 1);
        let mut starts = starts.take_while(|at| at.saturating_add(size) <= within.end);
        let Some(at) = starts.find(|&at| is_cut(language, text, at)) else {
            break;
        };
        cuts.push(at);
        from = at + size;
    }
    cuts
}

/// Whether an item of a file ends above a byte and another begins there, as far as the lines
/// around it tell: one may be cut in two that are valid only where it has a blank line and
/// two lines that look so inside.
fn is_cut(language: &'static Language, text: &str, at: usize) -> bool {
    let Some(members) = language.data().members.as_ref().filter(|m| m.apart) else {
        return false;
    };
    let (Some(above), Some(below)) = (text.get(..at), text.get(at..)) else {
        return false;
    };
    // A comment may belong to a block that goes on below it where nothing closes blocks.
    let comments = match language.indentation_sensitive() {
        true => &[],
        false => language.line_comments(),
    };
    let opens = members.may_begin(below) || comments.iter().any(|c| below.starts_with(c.as_str()));
    if !opens {
        return false;
    }
    let mut lines = above.lines().rev();
    let is_blank = lines.next().is_some_and(|line| line.trim().is_empty());
    is_blank
        && lines
            .find(|line| !line.trim().is_empty())
            .is_some_and(|line| {
                let inside = line.starts_with([' ', '\t']);
                match language.indentation_sensitive() {
                    true => inside,
                    false => !inside && line.trim_end().ends_with(['}', ';', ')']),
                }
            })
}
