//! Text to terms: identifiers are split into their parts, parts are stemmed,
//! a term is the hash of the stem.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use rust_stemmers::{Algorithm, Stemmer};

/// A stemmed word part, as the FNV-1a hash of its bytes: the same in every run
/// and on every thread, so that no table of words has to be shared.
pub(super) type Term = u64;

/// Parts longer than this are data (base64, hashes), not words.
pub(super) const MAX_PART: usize = 40;

/// FNV-1a, 64 bits: fast for the short keys used here, the same in every run.
#[derive(Clone)]
pub(super) struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Fnv(0xcbf2_9ce4_8422_2325)
    }
}

impl Hasher for Fnv {
    fn finish(&self) -> u64 {
        // The low bits of FNV are its weakest, and hash tables use those.
        self.0 ^ (self.0 >> 29)
    }
    fn write(&mut self, bytes: &[u8]) {
        for &b in bytes {
            self.0 = (self.0 ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    fn write_u64(&mut self, n: u64) {
        self.0 = (self.0 ^ n).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
    fn write_u32(&mut self, n: u32) {
        self.write_u64(u64::from(n));
    }
    fn write_usize(&mut self, n: usize) {
        self.write_u64(n as u64);
    }
}

/// A map with a hash that does not differ between runs. Its order is still
/// never used for output.
pub(super) type Map<K, V> = HashMap<K, V, BuildHasherDefault<Fnv>>;

fn hash(bytes: &[u8]) -> u64 {
    let mut h = Fnv::default();
    h.write(bytes);
    h.0
}

/// The hash under which a whole identifier or a part of one is compared, the case of
/// ASCII letters ignored.
pub(super) fn whole(identifier: &str) -> u64 {
    let mut h = Fnv::default();
    for b in identifier.bytes() {
        h.write(&[b.to_ascii_lowercase()]);
    }
    h.0
}

/// A part of an identifier or word in a text.
#[derive(Clone, Copy)]
pub(super) struct Part {
    /// Byte offset in the text.
    pub(super) start: usize,
    pub(super) end: usize,
    /// Byte offset of the identifier that the part belongs to.
    pub(super) word: usize,
    /// Whether it is the last part of its identifier.
    pub(super) last: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Other,
    Lower,
    Upper,
    Digit,
    /// `_` and `$`: within an identifier, but in no part.
    Joint,
    /// A byte of a character beyond ASCII.
    Wide,
}

const CLASSES: [Class; 256] = {
    let mut t = [Class::Other; 256];
    let mut i = 0;
    while i < 256 {
        t[i] = match i as u8 {
            b'a'..=b'z' => Class::Lower,
            b'A'..=b'Z' => Class::Upper,
            b'0'..=b'9' => Class::Digit,
            b'_' | b'$' => Class::Joint,
            128.. => Class::Wide,
            _ => Class::Other,
        };
        i += 1;
    }
    t
};

fn class(byte: u8) -> Class {
    CLASSES[byte as usize]
}

/// Calls `each` for every part of every identifier of `text`, and `line` at
/// every line break. `HTTPServer2_maxSize` has the parts http, server, 2, max, size.
pub(super) fn parts(text: &str, mut each: impl FnMut(Part), mut line: impl FnMut()) {
    let bytes = text.as_bytes();
    let mut i = 0;
    while i < bytes.len() {
        match class(bytes[i]) {
            Class::Other => {
                if bytes[i] == b'\n' {
                    line();
                }
                i += 1;
            }
            Class::Wide if !is_letter(text, i) => {
                i += wide_len(bytes[i]);
            }
            _ => i = identifier(text, i, &mut each),
        }
    }
}

/// Emits the parts of the identifier at `word`; returns where it ends.
fn identifier(text: &str, word: usize, each: &mut impl FnMut(Part)) -> usize {
    let bytes = text.as_bytes();
    let mut pending: Option<Part> = None;
    let mut start = word;
    let mut i = word;
    let mut before = Class::Joint;
    let mut emit = |from: usize, to: usize, pending: &mut Option<Part>| {
        if to > from {
            let part = Part {
                start: from,
                end: to,
                word,
                last: false,
            };
            if let Some(p) = pending.replace(part) {
                each(p);
            }
        }
    };
    while i < bytes.len() {
        let mut now = class(bytes[i]);
        let mut step = 1;
        match now {
            Class::Other => break,
            Class::Wide => {
                if !is_letter(text, i) {
                    break;
                }
                step = wide_len(bytes[i]);
                now = Class::Lower;
            }
            _ => {}
        }
        let cut = match (before, now) {
            (_, Class::Joint) | (Class::Joint, _) => true,
            (Class::Digit, Class::Digit) => false,
            (Class::Digit, _) | (_, Class::Digit) => true,
            (Class::Lower, Class::Upper) => true,
            // The last capital of a run belongs to the word that follows it, but not in
            // the plural of initials (URLs).
            (Class::Upper, Class::Lower) if i - start > 1 && !is_plural(bytes, i) => {
                emit(start, i - 1, &mut pending);
                start = i - 1;
                false
            }
            _ => false,
        };
        if cut {
            if before != Class::Joint {
                emit(start, i, &mut pending);
            }
            start = i;
        }
        before = now;
        i += step;
    }
    if before != Class::Joint {
        emit(start, i, &mut pending);
    }
    if let Some(mut p) = pending {
        p.last = true;
        each(p);
    }
    i
}

/// Whether at `at` stands an `s` that no letter in lower case follows.
fn is_plural(bytes: &[u8], at: usize) -> bool {
    let next = bytes.get(at + 1).map_or(Class::Other, |b| class(*b));
    bytes.get(at) == Some(&b's') && !matches!(next, Class::Lower | Class::Wide)
}

fn wide_len(lead: u8) -> usize {
    match lead {
        0xf0.. => 4,
        0xe0.. => 3,
        _ => 2,
    }
}

fn is_letter(text: &str, at: usize) -> bool {
    text.get(at..)
        .and_then(|t| t.chars().next())
        .is_some_and(char::is_alphanumeric)
}

/// Stems parts, remembering every part it has seen.
pub(super) struct Stems {
    stemmer: Stemmer,
    /// Places in `terms` by the hash of the part.
    seen: Map<u64, Option<u32>>,
    places: Map<Term, u32>,
    /// Each term once.
    terms: Vec<Term>,
    /// By place: the last tally that counted the term, and where.
    counted: Vec<(u32, u32)>,
    /// Tallies so far.
    tallies: u32,
}

impl Stems {
    pub(super) fn new() -> Self {
        Self {
            stemmer: Stemmer::create(Algorithm::English),
            seen: Map::default(),
            places: Map::default(),
            terms: Vec::new(),
            counted: Vec::new(),
            tallies: 0,
        }
    }

    /// The stem of a part in any case; `None` for what is no word: single
    /// characters and overlong runs.
    pub(super) fn stem(&self, part: &str) -> Option<String> {
        let wordless = part.len() < 2 || part.len() > MAX_PART;
        (!wordless).then(|| self.stemmer.stem(&part.to_lowercase()).into_owned())
    }

    /// The term of a part in any case, if it is a word.
    pub(super) fn term(&mut self, part: &str) -> Option<Term> {
        let place = self.place(part)?;
        self.terms.get(place as usize).copied()
    }

    /// Where the part's term stands among those known.
    fn place(&mut self, part: &str) -> Option<u32> {
        if part.len() < 2 || part.len() > MAX_PART {
            return None;
        }
        let key = whole(part);
        if let Some(&place) = self.seen.get(&key) {
            return place;
        }
        let place = self.stem(part).map(|s| {
            let term = hash(s.as_bytes());
            *self.places.entry(term).or_insert_with(|| {
                self.terms.push(term);
                (self.terms.len() - 1) as u32
            })
        });
        self.seen.insert(key, place);
        place
    }

    /// Begins to count something of terms.
    pub(super) fn tally<T: Default>(&mut self) -> Tally<'_, T> {
        self.tallies += 1;
        Tally {
            stems: self,
            counts: Vec::new(),
        }
    }

    /// The terms of a short text, in order.
    pub(super) fn terms(&mut self, text: &str) -> Vec<Term> {
        let mut found = Vec::new();
        parts(
            text,
            |p| found.extend(self.term(&text[p.start..p.end])),
            || {},
        );
        found
    }
}

/// What was counted of terms, without a table to look them up in.
pub(super) struct Tally<'s, T> {
    stems: &'s mut Stems,
    /// By the term's place in [`Stems::terms`].
    counts: Vec<(u32, T)>,
}

impl<T: Default> Tally<'_, T> {
    /// The count of a part's term, if it is a word.
    pub(super) fn of(&mut self, part: &str) -> Option<&mut T> {
        let place = self.stems.place(part)?;
        let Stems {
            terms,
            counted,
            tallies,
            ..
        } = &mut *self.stems;
        if counted.len() < terms.len() {
            counted.resize(terms.len(), (0, 0));
        }
        let (last, at) = counted.get_mut(place as usize)?;
        if last != tallies {
            *last = *tallies;
            *at = self.counts.len() as u32;
            self.counts.push((place, T::default()));
        }
        self.counts.get_mut(*at as usize).map(|c| &mut c.1)
    }

    /// The counts, in order of the terms.
    pub(super) fn finish(self) -> Vec<(Term, T)> {
        let term = |place: u32| self.stems.terms.get(place as usize).copied();
        let counts = self.counts.into_iter();
        let mut found: Vec<(Term, T)> = counts
            .filter_map(|(place, count)| Some((term(place)?, count)))
            .collect();
        found.sort_unstable_by_key(|c| c.0);
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str) -> Vec<&str> {
        let mut out = Vec::new();
        parts(text, |p| out.push(&text[p.start..p.end]), || {});
        out
    }

    #[test]
    fn identifiers_fall_into_parts() {
        assert_eq!(
            split("HTTPServer2_maxSize"),
            ["HTTP", "Server", "2", "max", "Size"]
        );
        assert_eq!(
            split("parseURL x->y_ __init__"),
            ["parse", "URL", "x", "y", "init"]
        );
        assert_eq!(
            split("utf8 IOError ID a.B"),
            ["utf", "8", "IO", "Error", "ID", "a", "B"]
        );
        assert_eq!(
            split("getURLs APIs_ IDsOf CSState"),
            ["get", "URLs", "APIs", "IDs", "Of", "CS", "State"]
        );
    }

    #[test]
    fn letters_of_any_script_are_words_and_typographic_marks_are_not() {
        assert_eq!(split("“größe” naïve—ok"), ["größe", "naïve", "ok"]);
    }

    #[test]
    fn forms_of_a_word_share_a_term() {
        let mut s = Stems::new();
        let a = s.terms("replicated");
        assert_eq!(a, s.terms("Replicating"));
        assert_ne!(a, s.terms("reply"));
        assert!(s.terms("a 1").is_empty());
    }

    #[test]
    fn the_last_part_of_an_identifier_is_marked() {
        let text = "foo_bar baz";
        let mut lasts = Vec::new();
        parts(text, |p| lasts.push((p.word, p.last)), || {});
        assert_eq!(lasts, [(0, false), (0, true), (8, true)]);
    }
}
