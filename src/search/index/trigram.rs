//! Trigrams: three bytes of a line, folded, as a number.

/// Three bytes, folded, as a number below 2^24.
pub(super) type Trigram = u32;

/// Number of different trigrams.
pub(super) const TRIGRAMS: usize = 1 << 24;

/// Two line breaks: no trigram with one of them counts.
pub(super) const BREAKS: u32 = (b'\n' as u32) << 8 | b'\n' as u32;

/// Calls `each` for every trigram of a folded text; several times for one that repeats.
pub(super) fn trigrams(text: &[u8], mut each: impl FnMut(Trigram)) {
    for line in text.split(|b| *b == b'\n') {
        for three in line.windows(3) {
            each(three.iter().fold(BREAKS, |last, byte| next(last, *byte)));
        }
    }
}

/// The trigram that ends with a byte, behind the one before it.
pub(super) fn next(last: u32, byte: u8) -> Trigram {
    (last << 8 | u32::from(byte)) & 0x00FF_FFFF
}
