//! Cuts text into the pieces that the o200k pattern finds, by hand.
//!
//! The pattern is an alternation tried in this order at every position, with `A` for
//! upper and title case letters, other letters and marks, `B` for lower case letters,
//! other letters and marks:
//!
//! ```text
//! 1. [^\r\n\p{L}\p{N}]? A* B+ (?i:'s|'t|'re|'ve|'m|'ll|'d)?
//! 2. [^\r\n\p{L}\p{N}]? A+ B* (?i:'s|'t|'re|'ve|'m|'ll|'d)?
//! 3. \p{N}{1,3}
//! 4. ' '? [^\s\p{L}\p{N}]+ [\r\n/]*
//! 5. \s* [\r\n]+
//! 6. \s+(?!\S)
//! 7. \s+
//! ```
//!
//! [`piece_end`] takes a short way through ASCII and leaves every piece in which it
//! meets another byte to [`general`], which decides by character.

use super::layout::class::{BREAK, LOWER, MARK, NUMBER, OTHER, SECOND, SPACE, UPPER};
use super::layout::{BLOCK, class};

static CLASS_INDEX: &[u8; 0x11_0000 / BLOCK] =
    include_bytes!(concat!(env!("OUT_DIR"), "/class_index.bin"));
static CLASS_BLOCKS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/class_blocks.bin"));

/// Stands in [`ASCII`] for bytes of longer characters.
const HIGH: u8 = 64;
/// Stands for the end of the text.
const END: u8 = 128;

/// Classes of bytes; a test compares them with the table of all characters.
static ASCII: [u8; 256] = {
    let mut table = [HIGH; 256];
    let mut b = 0;
    while b < 128 {
        table[b] = match b as u8 {
            b'A'..=b'Z' => UPPER,
            b'a'..=b'z' => LOWER,
            b'0'..=b'9' => NUMBER,
            b'\r' | b'\n' => BREAK,
            b'\t' | 0x0B | 0x0C | b' ' => SPACE,
            _ => OTHER,
        };
        b += 1;
    }
    table
};

/// The class of a character.
#[inline]
pub fn class_of(c: char) -> u8 {
    let code = c as usize;
    let block = CLASS_INDEX.get(code / BLOCK).copied().unwrap_or(0);
    CLASS_BLOCKS
        .get(usize::from(block) * BLOCK + code % BLOCK)
        .copied()
        .unwrap_or(OTHER)
}

/// Where the piece that starts at `at` ends. `at` must be where another piece ended,
/// or the start of the text. Always behind `at`, unless `at` is the end of the text.
#[inline]
pub fn piece_end(text: &str, at: usize) -> usize {
    ascii(text.as_bytes(), at).unwrap_or_else(|| general(text, at))
}

/// Whether a text can be cut between these two characters such that both parts, each
/// on its own, have the pieces that they have together.
///
/// That is so where a piece ends in any case, and where the one look-ahead, that of
/// alternative 6, does not decide where: it would find the end of the text.
///
/// - A letter or number is only in pieces of alternatives 1 to 3. These go on with
///   letters, marks, numbers and apostrophes only.
/// - No piece goes on with a space, but pieces of spaces and line breaks do.
/// - Behind a line break a piece goes on with spaces and line breaks (alternative 5)
///   or with `/` and line breaks (alternative 4).
pub fn is_safe_cut(before: char, after: char) -> bool {
    let blank = |class| class == SPACE || class == BREAK;
    let (b, a) = (class_of(before), class_of(after));
    if b == BREAK {
        return !blank(a) && after != '/';
    }
    match a {
        SPACE => b != SPACE,
        BREAK | OTHER => b != SPACE && b != OTHER && b != MARK && after != '\'',
        _ => false,
    }
}

#[inline(always)]
fn class_at(bytes: &[u8], at: usize) -> u8 {
    match bytes.get(at) {
        Some(&b) => ASCII[usize::from(b)],
        None => END,
    }
}

/// `None` where a byte that decides is not ASCII.
#[inline(always)]
fn ascii(bytes: &[u8], at: usize) -> Option<usize> {
    match class_at(bytes, at) {
        LOWER | UPPER => ascii_word(bytes, at),
        SPACE => match class_at(bytes, at + 1) {
            LOWER | UPPER => ascii_word(bytes, at + 1),
            OTHER if bytes.get(at) == Some(&b' ') => ascii_symbols(bytes, at + 1),
            SPACE | BREAK => ascii_space(bytes, at),
            HIGH => None,
            _ => Some(at + 1),
        },
        OTHER => match class_at(bytes, at + 1) {
            LOWER | UPPER => ascii_word(bytes, at + 1),
            HIGH => None,
            _ => ascii_symbols(bytes, at),
        },
        NUMBER => {
            let mut end = at + 1;
            while end < at + 3 {
                match class_at(bytes, end) {
                    NUMBER => end += 1,
                    HIGH => return None,
                    _ => break,
                }
            }
            Some(end)
        }
        BREAK => ascii_space(bytes, at),
        HIGH => None,
        _ => Some(at),
    }
}

/// Alternatives 1 and 2 from a letter on.
#[inline(always)]
fn ascii_word(bytes: &[u8], at: usize) -> Option<usize> {
    let mut end = at;
    while class_at(bytes, end) == UPPER {
        end += 1;
    }
    while let Some(word) = bytes.get(end..).and_then(|rest| rest.first_chunk::<8>()) {
        let run = lower_run(u64::from_le_bytes(*word));
        end += run;
        if run < 8 {
            break;
        }
    }
    let mut class = class_at(bytes, end);
    while class == LOWER {
        end += 1;
        class = class_at(bytes, end);
    }
    if class == HIGH {
        return None;
    }
    if bytes.get(end) == Some(&b'\'') {
        return Some(end + contraction(bytes, end));
    }
    Some(end)
}

/// How many of eight bytes, from the lowest on, are `a` to `z`.
#[inline(always)]
fn lower_run(word: u64) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH_BITS: u64 = 0x80 * ONES;
    // Without its high bit no byte carries into the next.
    let low = word & !HIGH_BITS;
    let from_a = low + (0x80 - b'a' as u64) * ONES;
    let above_z = low + (0x7F - b'z' as u64) * ONES;
    let others = !(from_a & !above_z & !word) & HIGH_BITS;
    (others.trailing_zeros() / 8) as usize
}

/// Alternative 4 without its space.
#[inline(always)]
fn ascii_symbols(bytes: &[u8], at: usize) -> Option<usize> {
    let mut end = at + 1;
    loop {
        match class_at(bytes, end) {
            OTHER => end += 1,
            HIGH => return None,
            BREAK => return Some(breaks_end(bytes, end)),
            _ => return Some(end),
        }
    }
}

/// The end of `[\r\n/]*`.
#[inline]
fn breaks_end(bytes: &[u8], mut at: usize) -> usize {
    while matches!(bytes.get(at), Some(b'\r' | b'\n' | b'/')) {
        at += 1;
    }
    at
}

/// Alternatives 5 to 7.
#[inline(always)]
fn ascii_space(bytes: &[u8], at: usize) -> Option<usize> {
    let mut end = at;
    let mut after_break = None;
    loop {
        match class_at(bytes, end) {
            SPACE => end += 1,
            BREAK => {
                end += 1;
                after_break = Some(end);
            }
            HIGH => return None,
            END => return Some(after_break.unwrap_or(end)),
            // The last space belongs to what follows, unless it is the only one.
            _ => return Some(after_break.unwrap_or((end - 1).max(at + 1))),
        }
    }
}

/// Bytes of the contraction at an apostrophe; 0 where there is none.
#[inline]
fn contraction(bytes: &[u8], at: usize) -> usize {
    let lower = |i: usize| bytes.get(at + i).map_or(0, u8::to_ascii_lowercase);
    match (lower(1), lower(2)) {
        (b's' | b't' | b'm' | b'd', _) => 2,
        (b'r' | b'v', b'e') | (b'l', b'l') => 3,
        // U+017F, the long s, is an s where case is ignored.
        (0xC5, 0xBF) => 3,
        _ => 0,
    }
}

/// The class of the character at `at` and its length in bytes.
#[inline]
fn char_at(text: &str, at: usize) -> (u8, usize) {
    match text.as_bytes().get(at) {
        None => (END, 0),
        Some(&b) if b < 0x80 => (ASCII[usize::from(b)], 1),
        Some(_) => match text.get(at..).and_then(|rest| rest.chars().next()) {
            Some(c) => (class_of(c), c.len_utf8()),
            None => (END, 0),
        },
    }
}

/// What the two word alternatives find.
enum Word {
    /// Alternative 1 ends here.
    First(usize),
    /// Only alternative 2 matches, and ends here.
    Second(usize),
    None,
}

/// `A* B+`, or else `A+ B*`, from `at` on.
fn word(text: &str, at: usize) -> Word {
    let mut end = at;
    // The end of the last character that is in both A and B.
    let mut both = None;
    let (mut class, mut len) = char_at(text, end);
    while class & class::FIRST != 0 && class < NUMBER {
        end += len;
        if class & SECOND != 0 {
            both = Some(end);
        }
        (class, len) = char_at(text, end);
    }
    if class == LOWER {
        while class & SECOND != 0 && class < NUMBER {
            end += len;
            (class, len) = char_at(text, end);
        }
        return Word::First(end);
    }
    // Without a lower case letter behind A*, B+ takes back the last character it can;
    // what A* had behind that is upper case only and ends the match.
    match both {
        Some(both) => Word::First(both),
        None if end > at => Word::Second(end),
        None => Word::None,
    }
}

/// Any piece, by character.
#[cold]
#[inline(never)]
fn general(text: &str, at: usize) -> usize {
    let bytes = text.as_bytes();
    let with_contraction = |end: usize| {
        if bytes.get(end) == Some(&b'\'') {
            end + contraction(bytes, end)
        } else {
            end
        }
    };
    let (class, len) = char_at(text, at);
    match class {
        UPPER | LOWER | class::LETTER => match word(text, at) {
            Word::First(end) | Word::Second(end) => return with_contraction(end),
            Word::None => {}
        },
        OTHER | SPACE | MARK => match word(text, at + len) {
            Word::First(end) => return with_contraction(end),
            // A mark is a word of alternative 1 by itself, before alternative 2 is tried.
            _ if class == MARK => return with_contraction(at + len),
            Word::Second(end) => return with_contraction(end),
            Word::None => {}
        },
        _ => {}
    }
    match class {
        NUMBER => {
            let mut end = at + len;
            for _ in 0..2 {
                let (class, len) = char_at(text, end);
                if class != NUMBER {
                    break;
                }
                end += len;
            }
            end
        }
        OTHER => symbols(text, at),
        SPACE if bytes.get(at) == Some(&b' ') && char_at(text, at + len).0 == OTHER => {
            symbols(text, at + len)
        }
        SPACE | BREAK => space(text, at),
        _ => at + len,
    }
}

/// Alternative 4 without its space.
fn symbols(text: &str, at: usize) -> usize {
    let mut end = at;
    loop {
        let (class, len) = char_at(text, end);
        if class != OTHER && class != MARK {
            return breaks_end(text.as_bytes(), end);
        }
        end += len;
    }
}

/// Alternatives 5 to 7.
fn space(text: &str, at: usize) -> usize {
    let mut end = at;
    let mut after_break = None;
    let mut last = at;
    loop {
        let (class, len) = char_at(text, end);
        match class {
            SPACE => {
                last = end;
                end += len;
            }
            BREAK => {
                end += len;
                after_break = Some(end);
            }
            _ => {
                let spaces = if class == END || last == at {
                    end
                } else {
                    last
                };
                return after_break.unwrap_or(spaces);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ascii_classes_are_those_of_the_characters() {
        for b in 0..128u8 {
            assert_eq!(ASCII[usize::from(b)], class_of(char::from(b)), "{b}");
        }
    }

    #[test]
    fn a_run_of_lower_case_ends_at_any_other_byte() {
        for n in 0..=8 {
            for other in (0..=255).filter(|b: &u8| !b.is_ascii_lowercase()) {
                let mut word = *b"azbymzaz";
                word[n..].fill(b'm');
                if let Some(b) = word.get_mut(n) {
                    *b = other;
                }
                assert_eq!(lower_run(u64::from_le_bytes(word)), n, "{other}");
            }
        }
    }

    #[test]
    fn classes_are_those_of_the_pattern() {
        let classes = [
            (r"^[\p{Lu}\p{Lt}]$", UPPER),
            (r"^\p{Ll}$", LOWER),
            (r"^[\p{Lm}\p{Lo}]$", class::LETTER),
            (r"^\p{M}$", MARK),
            (r"^\p{N}$", NUMBER),
            (r"^[\s&&[^\r\n]]$", SPACE),
            (r"^[\r\n]$", BREAK),
            (r"^[^\p{L}\p{M}\p{N}\s]$", OTHER),
        ]
        .map(|(pattern, class)| (regex::Regex::new(pattern).unwrap(), class));
        let mut buffer = [0; 4];
        for c in '\0'..=char::MAX {
            let s = c.encode_utf8(&mut buffer);
            for (regex, class) in &classes {
                assert_eq!(regex.is_match(s), class_of(c) == *class, "{c:?}");
            }
        }
    }
}
