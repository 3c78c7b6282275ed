//! Lines that say the same thing again.
//!
//! Two shapes of a line: with its numbers masked (a repetition), and with
//! everything masked that is not a plain word (the same message about something
//! else). Log analysis calls these templates.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// What is known about the repetition of each line.
pub struct Templates {
    /// How many lines with the same words came before, per line.
    pub seen: Vec<u32>,
    /// How many lines with the same words there are, per line.
    pub total: Vec<u32>,
    /// How many lines that differ only in numbers came before, per line.
    pub repeats: Vec<u32>,
}

impl Templates {
    /// Counts the shapes of all lines.
    pub fn new(lines: &[&str]) -> Self {
        let mut words: Map<u32> = Map::default();
        let mut exact: Map<u32> = Map::default();
        let mut keys = Vec::with_capacity(lines.len());
        let mut seen = Vec::with_capacity(lines.len());
        let mut repeats = Vec::with_capacity(lines.len());
        for line in lines {
            let (number_mask, word_mask) = shapes(line);
            keys.push(word_mask);
            let e = exact.entry(number_mask).or_default();
            repeats.push(*e);
            *e += 1;
            let w = words.entry(word_mask).or_default();
            seen.push(*w);
            *w += 1;
        }
        let total = keys
            .iter()
            .map(|k| words.get(k).copied().unwrap_or(1))
            .collect();
        Self {
            seen,
            total,
            repeats,
        }
    }
}

type Map<V> = HashMap<u64, V, BuildHasherDefault<Ready>>;

/// For keys that are hashes already.
#[derive(Default)]
struct Ready(u64);

impl Hasher for Ready {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for &b in bytes {
            self.0 = mix(self.0, b);
        }
    }
    fn write_u64(&mut self, n: u64) {
        self.0 = n;
    }
}

/// FNV-1a, 64 bits.
fn mix(hash: u64, byte: u8) -> u64 {
    (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
}

const SEED: u64 = 0xcbf2_9ce4_8422_2325;

/// The two masks of a line: digits and long hexadecimal words masked; all but
/// plain words, the keys of `key=value` and punctuation between them masked.
fn shapes(line: &str) -> (u64, u64) {
    let mut exact = SEED;
    let mut words = SEED;
    for token in line.split([' ', '\t']).filter(|t| !t.is_empty()) {
        let bytes = token.as_bytes();
        let has_digit = bytes.iter().any(u8::is_ascii_digit);
        let hex = has_digit
            && bytes.len() >= 7
            && bytes.iter().all(|b| b.is_ascii_hexdigit() || *b == b'-');
        if hex {
            exact = mix(exact, b'#');
        } else {
            let mut in_number = false;
            for &b in bytes {
                if b.is_ascii_digit() {
                    if !in_number {
                        exact = mix(exact, b'#');
                    }
                    in_number = true;
                } else {
                    in_number = false;
                    exact = mix(exact, b);
                }
            }
        }
        exact = mix(exact, b' ');
        let plain = token.trim_matches(|c: char| c.is_ascii_punctuation() && c != '/' && c != '_');
        if !plain.is_empty()
            && plain
                .bytes()
                .all(|b| b.is_ascii_alphabetic() || b == b'\'' || b >= 0x80)
        {
            for b in token.bytes() {
                words = mix(words, b);
            }
        } else if let Some(eq) = token.find('=').filter(|&e| e > 0) {
            for &b in &bytes[..eq] {
                words = mix(words, b);
            }
            let value = &bytes[eq + 1..];
            if value.len() < 12 && value.iter().all(u8::is_ascii_alphabetic) {
                for &b in value {
                    words = mix(words, b);
                }
            }
        } else if plain.is_empty() {
            // Rules of any length are one shape.
            words = mix(words, bytes[0]);
        } else {
            words = mix(words, b'*');
        }
        words = mix(words, b' ');
    }
    (exact, words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names_are_masked() {
        let t = Templates::new(&[
            "GET /a/1 took 3 ms",
            "GET /a/2 took 44 ms",
            "GET /b took 5 ms",
            "connection lost",
        ]);
        assert_eq!(t.seen, [0, 1, 2, 0]);
        assert_eq!(t.total, [3, 3, 3, 1]);
        assert_eq!(t.repeats, [0, 1, 0, 0]);
    }
}
