// The layout of the vocabulary table, shared by `build.rs`, which writes it, and
// `vocabulary.rs`, which reads it. Plain arithmetic, no dependencies.

/// Bytes of one slot: the key (8, little endian), then the value (4, little endian).
pub const SLOT: usize = 12;
/// Bytes of one bucket: the pilot (2, little endian), then the filter (2, little endian).
pub const BUCKET: usize = 4;
/// Bytes of one entry for a long token: its rank, then the offset of its bytes.
pub const LONG: usize = 8;
/// Tokens up to this many bytes are their own key; longer ones are hashed.
pub const SHORT_LEN: usize = 8;
/// The value of an empty slot.
pub const EMPTY: u32 = u32::MAX;
/// Code points per block of the table of character classes.
pub const BLOCK: usize = 256;

/// Character classes as bits. The two halves of the word patterns overlap:
/// upper and title case may only stand in the first, lower case only in the second,
/// other letters and marks in both. A mark is no letter.
pub mod class {
    /// None of the below: punctuation, symbols, controls.
    pub const OTHER: u8 = 0;
    /// May stand in the first half of a word.
    pub const FIRST: u8 = 1;
    /// May stand in the second half of a word.
    pub const SECOND: u8 = 2;
    /// `\p{Lu}`, `\p{Lt}`
    pub const UPPER: u8 = FIRST;
    /// `\p{Ll}`
    pub const LOWER: u8 = SECOND;
    /// `\p{Lm}`, `\p{Lo}`
    pub const LETTER: u8 = FIRST | SECOND;
    /// `\p{M}`
    pub const MARK: u8 = FIRST | SECOND | 4;
    /// `\p{N}`
    pub const NUMBER: u8 = 8;
    /// `\s` but for line breaks
    pub const SPACE: u8 = 16;
    /// `\r`, `\n`
    pub const BREAK: u8 = 32;
}

const K: u64 = 0x9E37_79B9_7F4A_7C15;

/// Up to eight bytes as one number.
#[inline]
pub fn word(bytes: &[u8]) -> u64 {
    let mut word = 0u64;
    for (i, &b) in bytes.iter().take(8).enumerate() {
        word |= u64::from(b) << (8 * i);
    }
    word
}

/// The key of a token: its own bytes where it is short, else a hash of them.
#[inline]
pub fn key(bytes: &[u8]) -> u64 {
    if bytes.len() <= SHORT_LEN {
        return word(bytes);
    }
    let mut h = bytes.len() as u64;
    for chunk in bytes.chunks(8) {
        h = (h.rotate_left(23) ^ word(chunk)).wrapping_mul(K);
    }
    h ^ (h >> 29)
}

/// Mixes a key with the length, so that trailing NUL bytes count.
#[inline]
pub fn mix(key: u64, len: usize) -> u64 {
    let h = (key ^ (len as u64).wrapping_mul(0xD6E8_FEB8_6659_FD93)).wrapping_mul(K);
    (h ^ (h >> 32)).wrapping_mul(K)
}

/// The bucket of a mixed key, out of `buckets`.
#[inline]
pub fn bucket(mixed: u64, buckets: usize) -> usize {
    scale(mixed, buckets)
}

/// The bit of a mixed key in its bucket's filter, which has the bits of all its keys:
/// most keys that are not in the table need no look at a slot.
#[inline]
pub fn filter_bit(mixed: u64) -> u16 {
    1 << (mixed >> 60)
}

/// The slot of a mixed key whose bucket has this pilot, out of `slots`.
#[inline]
pub fn slot(mixed: u64, pilot: u16, slots: usize) -> usize {
    let h = (mixed ^ (u64::from(pilot) + 1).wrapping_mul(0xA24B_AED4_963E_E407)).wrapping_mul(K);
    scale(h ^ (h >> 32), slots)
}

#[inline]
fn scale(h: u64, n: usize) -> usize {
    (((h & 0xFFFF_FFFF) * n as u64) >> 32) as usize
}
