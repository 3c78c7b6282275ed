//! Exact o200k token counts and fitting text to a budget.
//!
//! Counts are those of the encoding `o200k_base` without special tokens: text that
//! looks like one is counted as the text it is. Nothing is loaded: the vocabulary is a
//! table in the program, and the first count costs as much as any other.
//!
//! How it works: `split` cuts the text into pieces, `cache` knows the
//! tokens of pieces seen before, `merge` finds those of new ones by the ranks in
//! `vocabulary`. No state is shared between threads and no count depends on a cache.
//!
//! # Sums of parts
//!
//! Tokens of parts do not simply add up to the tokens of the whole, since a piece or a
//! merge may reach over the border. [`Counter`] and [`fit_lines`] know the borders
//! where parts do add up and are exact everywhere; the sum of [`count_lines`] is not:
//! see there.

mod cache;
mod counter;
mod layout;
mod merge;
mod split;
mod vocabulary;

#[cfg(test)]
mod tests;

pub use counter::Counter;

use rayon::prelude::*;

/// Texts of at least this many bytes are counted by several threads.
const PARALLEL: usize = 1 << 20;
/// Bytes of the parts that threads count, about.
const PART: usize = 1 << 18;

/// Exact number of o200k tokens of a text.
///
/// Takes time in proportion to the length; a single piece (a run of letters without a
/// gap, say) of n bytes takes n log n.
pub fn count(text: &str) -> usize {
    if text.len() < PARALLEL {
        return count_within(text, usize::MAX);
    }
    parts(text)
        .par_iter()
        .map(|part| count_within(part, usize::MAX))
        .sum()
}

/// Exact number of o200k tokens of each line with its ending, each line on its own.
/// Lines end behind `\n`, as in [`Lines`](crate::text::Lines).
///
/// The sum is an estimate, not a bound: usually 0 to 2 % above the count of the whole,
/// as blank lines share tokens with the line break before them. It falls below, by a
/// token or so each time, where a line that starts with `/` follows one that ends in
/// a symbol (`;` then `/*`): what holds together in one piece may merge less well. So
/// what must not exceed a budget is to be counted whole in the end, or by [`Counter`].
pub fn count_lines(text: &str) -> Vec<u32> {
    let lines = |part: &str| -> Vec<u32> {
        cache::with(|cache| {
            part.split_inclusive('\n')
                .map(|line| {
                    let tokens = count_pieces(cache, line, usize::MAX);
                    u32::try_from(tokens).unwrap_or(u32::MAX)
                })
                .collect()
        })
    };
    if text.len() < PARALLEL {
        return lines(text);
    }
    line_parts(text)
        .par_iter()
        .flat_map_iter(|part| lines(part))
        .collect()
}

/// Whether a text has at most `budget` o200k tokens. Stops as soon as it has more.
pub fn fits(text: &str, budget: usize) -> bool {
    // A token is at least one byte and at most LONGEST.
    if text.len() <= budget {
        return true;
    }
    if text.len() / vocabulary::LONGEST > budget {
        return false;
    }
    count_within(text, budget) <= budget
}

/// The least number of o200k tokens that a text of so many bytes can have.
pub fn least(bytes: usize) -> usize {
    bytes / vocabulary::LONGEST
}

/// Bytes of the longest prefix of whole lines that has at most `budget` o200k tokens,
/// counted as a text of its own. The last line may lack its line break.
///
/// Of a run of many blank lines, where counts need not grow with every line break, it
/// may keep fewer than would fit; never more. Reads no further than the budget reaches.
pub fn fit_lines(text: &str, budget: usize) -> usize {
    if text.len() <= budget {
        return text.len();
    }
    let bytes = text.as_bytes();
    cache::with(|cache| {
        let mut best = 0;
        let mut tokens = 0;
        let mut at = 0;
        // A prefix that ends at a line end in or behind a piece has all the pieces
        // before, and what it has of this one as its last.
        while at < bytes.len() && tokens < budget {
            let end = split::piece_end(text, at);
            if end == bytes.len() || bytes[at..end].contains(&b'\n') {
                let mut fits = |line_end| tokens + cache.count(bytes, at, line_end) <= budget;
                if let Some(line_end) = last_fitting_line_end(bytes, at, end, &mut fits) {
                    best = line_end;
                }
            }
            tokens += cache.count(bytes, at, end);
            at = end;
        }
        best
    })
}

/// Up to this many line ends in a piece are all tried.
const TRIED_LINE_ENDS: usize = 256;

/// The last line end of the piece from `at` to `end` that `fits`.
fn last_fitting_line_end(
    bytes: &[u8],
    at: usize,
    end: usize,
    fits: &mut impl FnMut(usize) -> bool,
) -> Option<usize> {
    let mut line_ends: Vec<usize> = memchr::memchr_iter(b'\n', &bytes[at..end])
        .map(|i| at + i + 1)
        .collect();
    if end == bytes.len() && line_ends.last() != Some(&end) {
        line_ends.push(end);
    }
    if line_ends.len() <= TRIED_LINE_ENDS {
        return line_ends.into_iter().rev().find(|&line_end| fits(line_end));
    }
    let fitting = line_ends.partition_point(|&line_end| fits(line_end));
    fitting.checked_sub(1).map(|i| line_ends[i])
}

/// The tokens of `text`, or some number above `limit` if it has more than that.
fn count_within(text: &str, limit: usize) -> usize {
    cache::with(|cache| count_pieces(cache, text, limit))
}

fn count_pieces(cache: &mut cache::Cache, text: &str, limit: usize) -> usize {
    let bytes = text.as_bytes();
    let mut tokens = 0;
    let mut at = 0;
    while at < bytes.len() && tokens <= limit {
        let end = split::piece_end(text, at);
        tokens += cache.count(bytes, at, end);
        at = end;
    }
    tokens
}

/// The last byte offset at which `text` can be cut such that the tokens of both parts
/// add up to those of the whole, whatever else follows.
fn last_safe_cut(text: &str) -> Option<usize> {
    let mut after: Option<char> = None;
    for (at, before) in text.char_indices().rev() {
        if let Some(after) = after
            && split::is_safe_cut(before, after)
        {
            return Some(at + before.len_utf8());
        }
        after = Some(before);
    }
    None
}

/// Cuts a text at safe places into parts of about [`PART`] bytes.
fn parts(text: &str) -> Vec<&str> {
    let mut parts = Vec::with_capacity(text.len() / PART + 1);
    let mut rest = text;
    while rest.len() > PART {
        let mut chars = rest[rest.ceil_char_boundary(PART)..].char_indices();
        let from = rest.ceil_char_boundary(PART);
        let mut before = chars.next();
        let cut = chars.find_map(|(at, after)| {
            let safe = before.is_some_and(|(_, before)| split::is_safe_cut(before, after));
            before = Some((at, after));
            safe.then_some(from + at)
        });
        let Some(cut) = cut else { break };
        let (part, tail) = rest.split_at(cut);
        parts.push(part);
        rest = tail;
    }
    parts.push(rest);
    parts
}

/// Cuts a text behind line breaks into parts of about [`PART`] bytes.
fn line_parts(text: &str) -> Vec<&str> {
    let mut parts = Vec::with_capacity(text.len() / PART + 1);
    let mut rest = text;
    while rest.len() > PART {
        let Some(at) = memchr::memchr(b'\n', &rest.as_bytes()[PART..]) else {
            break;
        };
        let (part, tail) = rest.split_at(PART + at + 1);
        parts.push(part);
        rest = tail;
    }
    parts.push(rest);
    parts
}
