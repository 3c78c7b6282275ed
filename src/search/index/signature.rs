//! Which sequences of five bytes a file may hold.
//!
//! Most files of some size hold all trigrams of a common word, here and there, without
//! the word. So each file has a Bloom filter (Bloom, "Space/time trade-offs in hash
//! coding with allowable errors", 1970) of its sequences of five bytes, folded and
//! within lines as trigrams are, with one bit for each. It is looked at only for files
//! that have the trigrams.

/// Bytes of a sequence.
const GRAM: usize = 5;
/// Bits of a filter for each sequence in the file, in quarters: somewhat more than half
/// of them are set then, and on the Linux source all filters together are 2.5% of it.
const QUARTERS: usize = 5;
/// How many bits of a hash count: at least, and at most.
const SCALES: std::ops::RangeInclusive<u32> = 10..=20;

/// A sequence, as a hash of all 32 bits.
pub(super) type Gram = u32;

/// A filter within the bytes that hold several.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Signature {
    /// Where its first byte is.
    pub offset: u64,
    /// Its length in 64 bits.
    pub words: u32,
    /// How many of the lower bits of a hash count.
    pub scale: u8,
}

impl Signature {
    /// Length in bytes.
    pub fn len(&self) -> usize {
        self.words as usize * 8
    }

    /// Whether it is one that [`Signer::finish`] made, as far as it shows by itself.
    pub fn is_sound(&self) -> bool {
        SCALES.contains(&u32::from(self.scale)) && self.words <= 1 << SCALES.end()
    }

    /// Whether a file with the filter `bytes` may hold a sequence.
    pub fn admits(&self, bytes: &[u8], gram: Gram) -> bool {
        let at = place(u64::from(gram) & ((1 << self.scale) - 1), self);
        let byte = bytes.get(at / 8).copied().unwrap_or_default();
        byte >> (at % 8) & 1 == 1
    }
}

/// Which bit of a filter stands for the lower bits of a hash.
fn place(lower: u64, of: &Signature) -> usize {
    ((lower * u64::from(of.words) * 64) >> of.scale) as usize
}

/// Calls `each` for every sequence of a folded text; several times for one that repeats.
pub(super) fn grams(text: &[u8], mut each: impl FnMut(Gram)) {
    let mut start = 0;
    for end in memchr::memchr_iter(b'\n', text).chain([text.len()]) {
        let line = text.get(start..end).unwrap_or_default();
        line.windows(GRAM).for_each(|five| each(hash(five)));
        start = end + 1;
    }
}

/// Knuth's multiplicative hash, with the golden ratio in 64 bits.
fn hash(five: &[u8]) -> Gram {
    let [a, b, c, d, e] = *five else { return 0 };
    let number = u64::from(u32::from_le_bytes([a, b, c, d])) | u64::from(e) << 32;
    (number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32) as Gram
}

/// Makes the filter of one file after the other.
pub(super) struct Signer {
    /// A byte for each value of the lower bits of a hash, 1 where it was seen: to set a bit
    /// takes half as long again, since it must be read first.
    seen: Vec<u8>,
    scale: u32,
    /// The end of the part before, where sequences may begin.
    end: Vec<u8>,
}

impl Signer {
    pub fn new() -> Self {
        Self {
            seen: Vec::new(),
            scale: *SCALES.start(),
            end: Vec::new(),
        }
    }

    /// Begins a file of about so many bytes.
    pub fn begin(&mut self, size: u64) {
        let scale = size.max(1).ilog2();
        self.scale = scale.clamp(*SCALES.start(), *SCALES.end());
        self.seen.clear();
        self.seen.resize(1 << self.scale, 0);
        self.end.clear();
    }

    /// Adds a part of the folded text.
    pub fn feed(&mut self, part: &[u8]) {
        const MOST: usize = GRAM - 1;
        let mut both = std::mem::take(&mut self.end);
        both.extend_from_slice(part.get(..MOST).unwrap_or(part));
        self.add(&both);
        self.add(part);
        let end = if part.len() < MOST { &both } else { part };
        let rest = end.len().saturating_sub(MOST);
        self.end = end.get(rest..).unwrap_or_default().to_vec();
    }

    fn add(&mut self, text: &[u8]) {
        let mask = (1 << self.scale) - 1;
        let seen = self.seen.as_mut_slice();
        grams(text, |gram| {
            if let Some(seen) = seen.get_mut((gram & mask) as usize) {
                *seen = 1;
            }
        });
    }

    /// Adds the filter of the file to `out`, and says where it is.
    pub fn finish(&mut self, out: &mut Vec<u8>) -> Signature {
        let eights = || {
            let eights = self.seen.chunks_exact(8);
            eights.map(|e| e.iter().rev().fold(0, |w, b| w << 8 | u64::from(*b)))
        };
        let set: usize = eights().map(|w| w.count_ones() as usize).sum();
        let signature = Signature {
            offset: out.len() as u64,
            words: (set * QUARTERS / 4).div_ceil(64) as u32,
            scale: self.scale as u8,
        };
        out.resize(out.len() + signature.len(), 0);
        let bytes = out.get_mut(signature.offset as usize..).unwrap_or_default();
        for (at, mut rest) in eights().enumerate() {
            while rest != 0 {
                let lower = at as u64 * 8 + u64::from(rest.trailing_zeros() / 8);
                rest &= rest - 1;
                let at = place(lower, &signature);
                if let Some(byte) = bytes.get_mut(at / 8) {
                    *byte |= 1 << (at % 8);
                }
            }
        }
        signature
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn signed(texts: &[Vec<u8>]) -> Vec<(Signature, Vec<u8>)> {
        let mut signer = Signer::new();
        let mut all = Vec::new();
        let signatures: Vec<Signature> = texts
            .iter()
            .map(|text| {
                signer.begin(text.len() as u64);
                text.chunks(7).for_each(|part| signer.feed(part));
                signer.finish(&mut all)
            })
            .collect();
        let bytes = |s: &Signature| all[s.offset as usize..][..s.len()].to_vec();
        signatures.iter().map(|s| (*s, bytes(s))).collect()
    }

    proptest! {
        #[test]
        fn every_sequence_of_a_text_is_admitted(
            texts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..3_000), 1..4),
        ) {
            for (text, (signature, bytes)) in texts.iter().zip(signed(&texts)) {
                for line in text.split(|b| *b == b'\n') {
                    grams(line, |g| assert!(signature.admits(&bytes, g)));
                }
            }
        }
    }

    #[test]
    fn most_others_are_not() {
        let text: String = (0..2_000)
            .map(|n| format!("line {n}, {}\n", n * 7919))
            .collect();
        let (signature, bytes) = signed(&[text.into_bytes()]).remove(0);
        let (mut asked, mut admitted) = (0, 0);
        for n in 0..10_000u32 {
            grams(format!("x{n:04}").as_bytes(), |gram| {
                asked += 1;
                admitted += u32::from(signature.admits(&bytes, gram));
            });
        }
        assert_eq!(asked, 10_000);
        assert!((4_500..6_500).contains(&admitted), "{admitted}");
    }

    #[test]
    fn a_line_break_ends_a_sequence() {
        let count = |text: &[u8]| {
            let mut n = 0;
            grams(text, |_| n += 1);
            n
        };
        assert_eq!(count(b"abcd\nefgh\n"), 0);
        assert_eq!(count(b"abcde\nfghijk"), 3);
        let (signature, bytes) = signed(&[b"abcd\nefgh\n".to_vec()]).remove(0);
        assert_eq!(signature.words, 0);
        grams(b"abcde", |gram| assert!(!signature.admits(&bytes, gram)));
    }
}
