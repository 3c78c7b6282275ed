//! The o200k vocabulary as a table in the program itself: pages that no lookup
//! touches are never read.

use super::layout;

include!(concat!(env!("OUT_DIR"), "/limits.rs"));

/// Keeps a table from straddling more cache lines than it must.
#[repr(C, align(64))]
struct Aligned<T>(T);

macro_rules! table {
    ($name:ident, $file:literal) => {
        static $name: &[u8] = {
            static DATA: Aligned<[u8; include_bytes!(concat!(env!("OUT_DIR"), $file)).len()]> =
                Aligned(*include_bytes!(concat!(env!("OUT_DIR"), $file)));
            &DATA.0
        };
    };
}

table!(BUCKETS, "/buckets.bin");
table!(SLOTS, "/slots.bin");
table!(LONG, "/long.bin");
table!(BYTES, "/bytes.bin");
table!(PAIRS, "/pairs.bin");

/// The rank of a pair of parts that is no token.
pub const NO_RANK: u32 = layout::EMPTY;

/// The rank of a token, or [`NO_RANK`]. Lower ranks merge first.
#[inline]
pub fn rank(token: &[u8]) -> u32 {
    if token.len() > LONGEST {
        return NO_RANK;
    }
    let key = key(token);
    let mixed = layout::mix(key, token.len());
    let bucket = layout::bucket(mixed, BUCKETS.len() / layout::BUCKET);
    let [p0, p1, f0, f1] = array(BUCKETS, bucket * layout::BUCKET);
    if u16::from_le_bytes([f0, f1]) & layout::filter_bit(mixed) == 0 {
        return NO_RANK;
    }
    let pilot = u16::from_le_bytes([p0, p1]);
    let slot = layout::slot(mixed, pilot, SLOTS.len() / layout::SLOT) * layout::SLOT;
    if u64::from_le_bytes(array(SLOTS, slot)) != key {
        return NO_RANK;
    }
    let value = u32::from_le_bytes(array(SLOTS, slot + 8));
    if token.len() <= layout::SHORT_LEN {
        if value >> 24 == token.len() as u32 {
            value & 0xFF_FFFF
        } else {
            NO_RANK
        }
    } else {
        let entry = (value as usize).saturating_mul(layout::LONG);
        let Some(&[a, b, c, d, e, f, g, h]) = LONG.get(entry..entry.saturating_add(8)) else {
            return NO_RANK;
        };
        let start = u32::from_le_bytes([e, f, g, h]) as usize;
        if BYTES.get(start..start + token.len()) == Some(token) {
            u32::from_le_bytes([a, b, c, d])
        } else {
            NO_RANK
        }
    }
}

/// The rank of a token of two bytes, or [`NO_RANK`].
#[inline]
pub fn pair_rank(a: u8, b: u8) -> u32 {
    u32::from_le_bytes(array(PAIRS, (usize::from(a) << 8 | usize::from(b)) * 4))
}

/// [`layout::key`], read by words instead of bytes.
#[inline]
fn key(token: &[u8]) -> u64 {
    match token {
        [] => 0,
        [a] => u64::from(*a),
        [a, b] => u64::from(u16::from_le_bytes([*a, *b])),
        [a, b, c] => u64::from(u32::from_le_bytes([*a, *b, *c, 0])),
        _ if token.len() <= layout::SHORT_LEN => {
            // Two words that overlap; the shift drops what both have.
            let low = u64::from(u32::from_le_bytes(array(token, 0)));
            let high = u64::from(u32::from_le_bytes(array(token, token.len() - 4)));
            low | high << (8 * (token.len() - 4))
        }
        _ => layout::key(token),
    }
}

/// `N` bytes at `at`; zeros where the table is shorter, which no caller asks for.
#[inline]
fn array<const N: usize>(table: &[u8], at: usize) -> [u8; N] {
    table
        .get(at..)
        .and_then(|rest| rest.first_chunk::<N>())
        .copied()
        .unwrap_or([0; N])
}
