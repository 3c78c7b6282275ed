//! What the alignment knows about one line of the file or the snippet.

use std::cell::OnceCell;
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::LazyLock;

use super::key::{Key, requirement};

/// A hasher for keys that are hashes already.
#[derive(Default)]
pub(crate) struct Passthrough(u64);

impl Hasher for Passthrough {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for b in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*b);
        }
    }
    fn write_u64(&mut self, n: u64) {
        self.0 = n;
    }
}

pub(crate) type Counts = HashMap<u64, u32, BuildHasherDefault<Passthrough>>;

/// A polynomial over bytes with a final mix: the same on every machine and in every run,
/// and that of a text from those of its parts.
#[derive(Clone, Copy)]
struct Hash {
    value: u64,
    /// By how much the value of what stands before counts: 1 of nothing.
    weight: u64,
}

impl Hash {
    const EMPTY: Self = Self {
        value: 0,
        weight: 1,
    };
    const BASE: u64 = 0x2545_f491_4f6c_dd1d;

    fn add(&mut self, byte: u8) {
        self.push(u64::from(byte));
    }

    fn push(&mut self, n: u64) {
        self.value = self
            .value
            .wrapping_mul(Self::BASE)
            .wrapping_add(n.wrapping_add(1));
        self.weight = self.weight.wrapping_mul(Self::BASE);
    }

    fn append(&mut self, other: Self) {
        self.value = self
            .value
            .wrapping_mul(other.weight)
            .wrapping_add(other.value);
        self.weight = self.weight.wrapping_mul(other.weight);
    }

    fn is_empty(self) -> bool {
        self.weight == 1
    }

    fn finish(self) -> u64 {
        let h = (self.value ^ (self.value >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        h ^ (h >> 29)
    }
}

/// How much a line tells about where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// Nothing but blanks.
    Blank,
    /// No letter or digit: `}`, `);`.
    Punctuation,
    /// A few letters or a lone keyword: `else {`, `return`, `end`.
    Short,
    /// Everything else.
    Plain,
}

/// One line, read once.
#[derive(Debug, Clone)]
pub(crate) struct Line<'a> {
    /// Without its line break.
    pub raw: &'a str,
    /// Without blanks at both ends.
    pub trimmed: &'a str,
    /// Hash of `trimmed`.
    pub hash: u64,
    /// Hash without any blanks and with all quotes alike.
    pub fold: u64,
    /// How telling it is.
    pub class: Class,
    /// One bit per word, for a quick bound on the similarity.
    bloom: u64,
    /// Number of words.
    count: usize,
    /// Hashes of its words, sorted, once they are asked for.
    words: OnceCell<Vec<u32>>,
}

/// Lone words that say nothing about the place.
const GENERIC: &[&str] = &[
    "else",
    "return",
    "break",
    "continue",
    "pass",
    "end",
    "try",
    "finally",
    "default",
    "do",
    "then",
    "fi",
    "done",
    "begin",
    "esac",
    "endif",
    "private",
    "public",
    "protected",
    "return nil",
    "return null",
    "return false",
    "return true",
    "return none",
    "return err",
    "return 0",
    "return result",
    "return self",
    "return this",
    "else if",
    "break default",
    "div",
    "return x",
    "return nil err",
    "if err nil",
    "raise",
    "throw",
    "static",
    "const",
    "override",
];

impl<'a> Line<'a> {
    /// Reads a line without its line break.
    pub fn new(raw: &'a str) -> Self {
        let trimmed = raw.trim();
        let read = Read::of(trimmed, None);
        let class = if trimmed.is_empty() {
            Class::Blank
        } else if read.letters == 0 {
            Class::Punctuation
        } else if read.letters <= 4 || (read.words <= 3 && generic(trimmed, read.letters)) {
            Class::Short
        } else {
            Class::Plain
        };
        Self {
            raw,
            trimmed,
            hash: read.hash(),
            fold: match trimmed.strip_suffix('.').filter(|t| starts_comment(t)) {
                // Who quotes a sentence leaves its end out.
                Some(sentence) => Read::of(sentence, None).fold.finish(),
                None => read.fold.finish(),
            },
            class,
            bloom: read.bloom,
            count: read.words,
            words: OnceCell::new(),
        }
    }

    fn words(&self) -> &[u32] {
        self.words.get_or_init(|| {
            let read = Read::of(self.trimmed, Some(Vec::with_capacity(self.count)));
            let mut words = read.hashes.unwrap_or_default();
            words.sort_unstable();
            words
        })
    }

    /// Whether the texts are equal but for blanks at both ends.
    pub fn same(&self, other: &Line) -> bool {
        self.hash == other.hash && self.trimmed == other.trimmed
    }

    /// Whether the texts are equal but for blanks, the kind of quotes and the full stop of a comment.
    pub fn alike(&self, other: &Line) -> bool {
        self.fold == other.fold
    }

    /// Number of words.
    pub fn word_count(&self) -> usize {
        self.count
    }

    /// Shared words over all words, in thousandths (a Jaccard index of multisets). A
    /// line whose words all stand in the other counts as at least 550.
    pub fn similarity(&self, other: &Line) -> i32 {
        let (a, b) = (self.count, other.count);
        if a == 0 || b == 0 || (self.bloom & other.bloom) == 0 {
            return 0;
        }
        // Words that share no bit of the bloom cannot be shared.
        let either = (self.bloom & other.bloom).count_ones() as usize;
        if a.min(b) <= 64 && either * 4 < a.min(b).min(48) {
            return 0;
        }
        let both = self.shared(other);
        let r = (both * 1000 / (a + b - both)) as i32;
        if both == a.min(b) && both >= 3 {
            r.max(550)
        } else {
            r
        }
    }

    /// Whether the similarity may come to so much, by a look that costs little: a word
    /// whose bit of the bloom the other line lacks is not shared.
    pub fn may_reach(&self, other: &Line, least: i32) -> bool {
        let lacks = |x: &Line, y: &Line| (x.bloom & !y.bloom).count_ones() as usize;
        let (a, b) = (self.count, other.count);
        let here = a.saturating_sub(lacks(self, other));
        let both = here.min(b.saturating_sub(lacks(other, self)));
        both >= a.min(b) || both * 1000 >= (a + b - both) * least as usize
    }

    /// Whether both ask for versions of the same package.
    pub fn same_requirement(&self, other: &Line) -> bool {
        let name = requirement(self.trimmed);
        name.is_some() && name == requirement(other.trimmed)
    }

    /// Number of words that stand in both, as often as in the one that has fewer.
    pub fn shared(&self, other: &Line) -> usize {
        let (mut i, mut j, mut both) = (0, 0, 0usize);
        let (here, there) = (self.words(), other.words());
        while let (Some(x), Some(y)) = (here.get(i), there.get(j)) {
            match x.cmp(y) {
                std::cmp::Ordering::Less => i += 1,
                std::cmp::Ordering::Greater => j += 1,
                std::cmp::Ordering::Equal => {
                    both += 1;
                    i += 1;
                    j += 1;
                }
            }
        }
        both
    }

    /// Whether it has a word that one line has and another has not.
    pub fn draws_on(&self, one: &Line, not: &Line) -> bool {
        let has = |l: &Line, w: &u32| l.words().binary_search(w).is_ok();
        self.words().iter().any(|w| has(one, w) && !has(not, w))
    }

    /// The blanks it starts with.
    pub fn indent(&self) -> &'a str {
        let cut = self.raw.len() - self.raw.trim_start().len();
        self.raw.get(..cut).unwrap_or("")
    }

    /// What it is about, for telling a changed line from a new one beside it.
    pub fn key(&self) -> Key<'a> {
        Key::of(self.trimmed)
    }
}

/// What one walk over a line finds.
struct Read {
    /// Without blanks, and with all quotes alike.
    fold: Hash,
    /// What that leaves out, and where.
    aside: Hash,
    /// The word that the walk is in.
    word: Hash,
    words: usize,
    /// Bytes that belong to words.
    letters: usize,
    bloom: u64,
    /// Of each word, where they are asked for.
    hashes: Option<Vec<u32>>,
}

impl Read {
    fn of(trimmed: &str, hashes: Option<Vec<u32>>) -> Self {
        let mut read = Self {
            fold: Hash::EMPTY,
            aside: Hash::EMPTY,
            word: Hash::EMPTY,
            words: 0,
            letters: 0,
            bloom: 0,
            hashes,
        };
        if trimmed.is_ascii() {
            for (at, b) in trimmed.bytes().enumerate() {
                read.byte(at, b);
            }
        } else {
            for (at, c) in trimmed.char_indices() {
                read.character(at, c);
            }
        }
        read.end_word();
        read
    }

    /// Of the whole line: what counts, and what was set aside.
    fn hash(&self) -> u64 {
        self.fold.finish() ^ self.aside.finish().rotate_left(32)
    }

    /// Takes a byte that is a character of its own.
    fn byte(&mut self, at: usize, b: u8) {
        if b.is_ascii_alphanumeric() || b == b'_' {
            self.letters += 1;
            self.word.add(b);
            return;
        }
        self.end_word();
        match b {
            b'\t'..=b'\r' | b' ' => self.set_aside(at, char::from(b)),
            b'\'' | b'`' => {
                self.set_aside(at, char::from(b));
                self.fold.add(b'"');
            }
            b => self.fold.add(b),
        }
    }

    fn character(&mut self, at: usize, c: char) {
        let mut buffer = [0u8; 4];
        let bytes = c.encode_utf8(&mut buffer).as_bytes();
        if let [b] = *bytes {
            return self.byte(at, b);
        }
        if c.is_alphanumeric() {
            self.letters += bytes.len();
            bytes.iter().for_each(|&b| self.word.add(b));
            return;
        }
        self.end_word();
        let counted = folded(c);
        if counted != Some(c) {
            self.set_aside(at, c);
        }
        if let Some(c) = counted {
            let mut buffer = [0u8; 4];
            c.encode_utf8(&mut buffer)
                .bytes()
                .for_each(|b| self.fold.add(b));
        }
    }

    fn set_aside(&mut self, at: usize, c: char) {
        self.aside.push(((at as u64) << 32) | u64::from(c));
    }

    fn end_word(&mut self) {
        let word = std::mem::replace(&mut self.word, Hash::EMPTY);
        if word.is_empty() {
            return;
        }
        self.fold.append(word);
        let hash = word.finish();
        self.words += 1;
        self.bloom |= 1 << (hash & 63);
        if let Some(hashes) = &mut self.hashes {
            hashes.push((hash >> 16) as u32);
        }
    }
}

/// Bytes of words in the longest of [`GENERIC`].
const GENERIC_LETTERS: usize = 12;

/// Whether a line, which has so many bytes of words, holds no words but lone ones.
fn generic(trimmed: &str, letters: usize) -> bool {
    static KNOWN: LazyLock<HashSet<u64>> =
        LazyLock::new(|| GENERIC.iter().map(|g| lone(g)).collect());
    letters <= GENERIC_LETTERS && KNOWN.contains(&lone(trimmed))
}

/// Hash of a text's words in lower case, whatever stands between them.
fn lone(text: &str) -> u64 {
    let mut hash = Hash::EMPTY;
    let mut ended = false;
    for b in text.bytes() {
        if b.is_ascii_alphanumeric() || b == b'_' || !b.is_ascii() {
            if std::mem::take(&mut ended) {
                hash.add(b' ');
            }
            hash.add(b.to_ascii_lowercase());
        } else {
            ended = !hash.is_empty();
        }
    }
    hash.finish()
}

/// A character as it counts where blanks and the kind of quotes do not.
fn folded(c: char) -> Option<char> {
    match c {
        c if c.is_whitespace() => None,
        '\'' | '`' | '“' | '”' | '‘' | '’' => Some('"'),
        '–' | '—' => Some('-'),
        c => Some(c),
    }
}

/// Whether a line begins with a comment.
pub(crate) fn starts_comment(t: &str) -> bool {
    t.starts_with("//")
        || t.starts_with("/*")
        || t.starts_with("* ")
        || t == "*"
        || t.starts_with("--")
        || t.starts_with("<!--")
        || (t.starts_with('#')
            && !t.starts_with("#[")
            && !t.starts_with("#![")
            && !t.starts_with("#include")
            && !t.starts_with("#define")
            && !t.starts_with("#if"))
}

/// Whether two texts are equal but for blanks and the kind of quotes.
pub(crate) fn alike(a: &str, b: &str) -> bool {
    a.chars()
        .filter_map(folded)
        .eq(b.chars().filter_map(folded))
}

/// Whether two texts are equal but for that and a semicolon at the end.
pub(crate) fn alike_unended(a: &str, b: &str) -> bool {
    alike(
        a.strip_suffix(';').unwrap_or(a),
        b.strip_suffix(';').unwrap_or(b),
    )
}

/// How often each line's text occurs.
pub(crate) fn counts<'a>(lines: impl Iterator<Item = &'a Line<'a>>) -> Counts {
    let mut counts = Counts::default();
    for l in lines {
        *counts.entry(l.hash).or_insert(0) += 1;
    }
    counts
}

/// The width of leading blanks, a tab being `tab` wide.
pub(crate) fn columns(indent: &str, tab: usize) -> usize {
    indent
        .chars()
        .map(|c| if c == '\t' { tab } else { 1 })
        .sum()
}

/// Width of a tab where lines are compared by their depth, whatever the file's own is.
const TAB: usize = 4;

/// The column where a line's text begins.
pub(crate) fn depth(line: &str) -> usize {
    columns(&line[..line.len() - line.trim_start().len()], TAB)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes() {
        let class = |s| Line::new(s).class;
        assert_eq!(class("  "), Class::Blank);
        assert_eq!(class("  });"), Class::Punctuation);
        assert_eq!(class("} else {"), Class::Short);
        assert_eq!(class("  return"), Class::Short);
        assert_eq!(class("fn main() {"), Class::Plain);
    }

    #[test]
    fn the_longest_lone_words_are_as_long_as_said() {
        let letters = |g: &&str| g.chars().filter(|c| *c != ' ').count();
        assert_eq!(GENERIC.iter().map(letters).max(), Some(GENERIC_LETTERS));
        let class = |s| Line::new(s).class;
        assert_eq!(class("} Else if ("), Class::Short);
        assert_eq!(class("elseif found"), Class::Plain);
    }

    #[test]
    fn lines_beyond_ascii_are_read_as_others_are() {
        let (a, b) = (Line::new("naïve(“x”, été)"), Line::new("naïve( 'x', été )"));
        assert!(a.alike(&b) && alike(a.raw, b.raw) && !a.same(&b));
        assert_eq!(
            (a.word_count(), a.shared(&b), a.class),
            (3, 3, Class::Plain)
        );
        assert!(!alike("a", "ab") && !alike("ab", "a"));
    }

    #[test]
    fn alike_but_for_blanks_and_quotes() {
        let (a, b) = (Line::new("x =  'a'"), Line::new("  x = \"a\""));
        assert!(!a.same(&b) && a.alike(&b));
        assert!(Line::new(" x ").same(&Line::new("x")));
    }

    #[test]
    fn similarity_counts_words() {
        let (a, b) = (Line::new("foo(a, b)"), Line::new("foo(a, c)"));
        assert_eq!(a.similarity(&b), 500);
        assert_eq!(a.similarity(&Line::new("bar")), 0);
        let r = Line::new("return handler(e)").similarity(&Line::new(
            "return self.finalize(handler(e), from_error=True)",
        ));
        assert_eq!(r, 550);
    }
}
