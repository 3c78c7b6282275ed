//! One file to its trigrams and its signature, in one pass over its bytes.

use super::signature::{Signature, Signer};
use super::store::Indexed;
use super::trigram::{BREAKS, TRIGRAMS, Trigram, next};
use crate::workspace::Stamp;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::time::SystemTime;

/// Bytes read at once: little enough to stay in the processor's cache.
const READ: usize = 64 << 10;
/// Larger files are always searched (64 MiB): nearly every pattern's trigrams are in
/// them.
const HUGE: u64 = 64 << 20;

/// Reads one file after the other.
pub(super) struct Extractor {
    /// A bit for each trigram: whether the file at hand has it. Set at all times for
    /// those across lines, which therefore never are new.
    seen: Box<[u64; TRIGRAMS / 64]>,
    /// Trigrams of one part, those that are new in front.
    fresh: Box<[Trigram; READ]>,
    signer: Signer,
    buffer: Vec<u8>,
}

impl Extractor {
    pub fn new() -> Self {
        let mut seen = zeros();
        for (at, word) in seen.iter_mut().enumerate() {
            // A word is of 64 trigrams with the same two bytes in front.
            if [at >> 10, at >> 2 & 0xFF].contains(&usize::from(b'\n')) {
                *word = u64::MAX;
            } else if at & 3 == 0 {
                *word = 1 << b'\n';
            }
        }
        Self {
            seen,
            fresh: zeros(),
            signer: Signer::new(),
            buffer: vec![0; READ],
        }
    }

    /// Adds the trigrams of a file, each once, and the bytes of its signature.
    pub fn extract(
        &mut self,
        path: &Path,
        found: &mut Vec<Trigram>,
        signatures: &mut Vec<u8>,
    ) -> (Indexed, Signature) {
        let first = found.len();
        self.signer.begin(0);
        // What cannot be read is not sound.
        let indexed = self.read(path, found).unwrap_or_default();
        for t in found.iter().skip(first) {
            self.seen[*t as usize / 64 % (TRIGRAMS / 64)] &= !(1 << (t % 64));
        }
        (indexed, self.signer.finish(signatures))
    }

    fn read(&mut self, path: &Path, found: &mut Vec<Trigram>) -> io::Result<Indexed> {
        let mut file = File::open(path)?;
        let now = SystemTime::now();
        let stamp = Stamp::of(&file.metadata()?);
        let mut always = stamp.size > HUGE;
        let mut last = BREAKS;
        let mut begun = false;
        self.signer.begin(stamp.size);
        while !always {
            let n = match file.read(&mut self.buffer) {
                Ok(0) => break,
                Ok(n) => n,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                Err(e) => return Err(e),
            };
            let part = self.buffer.get_mut(..n).unwrap_or_default();
            if !begun {
                // Decoded for a search, so that its bytes say nothing.
                always = matches!(part, [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..]) || n < 3;
                let marked = part.starts_with(&[0xEF, 0xBB, 0xBF]);
                if !marked
                    && !part.iter().take(3).any(|b| *b == b'\n')
                    && memchr::memchr(b'\0', part).is_some()
                {
                    // Binary from the start: no line of it is ever matched.
                    break;
                }
            }
            begun = true;
            part.make_ascii_lowercase();
            last = feed(&mut self.seen, &mut self.fresh, last, part, found);
            self.signer.feed(part);
        }
        // What changed while it was read, or may change without a new stamp, is not
        // trusted.
        let same = Stamp::of(&file.metadata()?) == stamp;
        Ok(Indexed {
            stamp,
            settled: same && stamp.is_settled(now),
            sound: same,
            always,
        })
    }
}

/// Adds the trigrams of a part that were not seen before. It runs once for every byte
/// there is, and so has no branch that depends on them.
fn feed(
    seen: &mut [u64; TRIGRAMS / 64],
    fresh: &mut [Trigram; READ],
    mut last: u32,
    part: &[u8],
    found: &mut Vec<Trigram>,
) -> u32 {
    let mut new = 0;
    for byte in part {
        last = next(last, *byte);
        let word = &mut seen[last as usize / 64 % (TRIGRAMS / 64)];
        fresh[new % READ] = last;
        new += usize::from(*word >> (last % 64) & 1 == 0);
        *word |= 1 << (last % 64);
    }
    found.extend_from_slice(fresh.get(..new).unwrap_or_default());
    last
}

/// On the heap from the start: it is too large for the stack.
fn zeros<T: Clone + Default, const N: usize>() -> Box<[T; N]> {
    match vec![T::default(); N].into_boxed_slice().try_into() {
        Ok(zeros) => zeros,
        Err(_) => unreachable!("a vector of N has N elements"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::index::trigram::trigrams;
    use proptest::prelude::*;
    use std::collections::BTreeSet;
    use std::fs;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]
        /// File after file, however long, gives each of its trigrams once.
        #[test]
        fn a_file_has_the_trigrams_of_its_text(
            parts in prop::collection::vec(("[a-zA-Z\n\r é]{0,12}", 1usize..9_000), 1..6),
        ) {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("f");
            let mut extractor = Extractor::new();
            let mut found = Vec::new();
            for (text, times) in parts {
                let text = text.repeat(times);
                fs::write(&path, &text).unwrap();
                let before = found.len();
                let indexed = extractor.extract(&path, &mut found, &mut Vec::new()).0;
                prop_assert!(indexed.sound);
                let mut expected = BTreeSet::new();
                let folded = text.to_ascii_lowercase();
                trigrams(folded.as_bytes(), |t| { expected.insert(t); });
                let mine = &found[before..];
                if indexed.always {
                    prop_assert!(text.len() < 3 && mine.is_empty());
                } else {
                    prop_assert_eq!(mine.len(), expected.len());
                    prop_assert_eq!(mine.iter().copied().collect::<BTreeSet<_>>(), expected);
                }
            }
        }
    }

    #[test]
    fn says_what_its_bytes_do_not_show() {
        let dir = tempfile::tempdir().unwrap();
        let mut extractor = Extractor::new();
        let mut of = |bytes: &[u8]| {
            let path = dir.path().join("f");
            fs::write(&path, bytes).unwrap();
            let mut found = Vec::new();
            let indexed = extractor.extract(&path, &mut found, &mut Vec::new()).0;
            (indexed.always, found.len())
        };
        assert_eq!(of(b"abcd\nef"), (false, 2));
        assert_eq!(of(b"\xFF\xFEa\0b\0c\0"), (true, 0));
        assert_eq!(of(b"ab"), (true, 0));
        assert_eq!(of(b"abcd\0"), (false, 0));
        // A search does look at the first line here.
        assert_eq!(of(b"a\nbcde\0"), (false, 3));
        assert_eq!(of(b""), (false, 0));
        let none = dir.path().join("none");
        let gone = extractor.extract(&none, &mut Vec::new(), &mut Vec::new());
        assert!(!gone.0.sound && gone.1.words == 0);
    }
}
