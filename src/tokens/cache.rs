//! Remembers how many tokens a piece has: of the pieces of a source file or log, more
//! than nineteen in twenty were seen before.
//!
//! Each thread has its own cache, made when it first counts. It is direct-mapped: a
//! piece has one slot, and the newest piece keeps it. Its size is fixed: 768 KiB of
//! zeroed memory, of which only the pages that are used become resident.

use std::cell::Cell;

use super::{merge, vocabulary};

const SHORT_BITS: u32 = 15;
const LONG_BITS: u32 = 12;
/// Bytes of the longest piece in a short slot.
const SHORT_LEN: usize = 15;
/// Bytes of a long slot: the piece's length, its tokens, its bytes.
const LONG_SLOT: usize = 64;
const LONG_LEN: usize = LONG_SLOT - 2;

/// Where the tokens of a piece stand in the second word of a short slot.
const TOKENS_SHIFT: u32 = 56;
const TOKENS_MASK: u64 = 0xF << TOKENS_SHIFT;
/// Where the length of a piece stands there.
const LEN_SHIFT: u32 = 60;

/// For each length, what keeps that many bytes of two words.
static MASKS: [(u64, u64); SHORT_LEN + 1] = {
    let mut masks = [(0, 0); SHORT_LEN + 1];
    let mut len = 0;
    while len <= SHORT_LEN {
        let mask = (1u128 << (8 * len)) - 1;
        masks[len] = (mask as u64, (mask >> 64) as u64);
        len += 1;
    }
    masks
};

const K: u64 = 0x9E37_79B9_7F4A_7C15;
const K2: u64 = 0xD6E8_FEB8_6659_FD93;

thread_local! {
    static CACHE: Cell<Option<Box<Cache>>> = const { Cell::new(None) };
}

/// Calls `f` with the cache of this thread; with a fresh one where there is none yet,
/// or none any more.
pub fn with<R>(f: impl FnOnce(&mut Cache) -> R) -> R {
    let mut cache = CACHE
        .try_with(Cell::take)
        .ok()
        .flatten()
        .unwrap_or_else(|| Box::new(Cache::new()));
    let result = f(&mut cache);
    // A thread that is ending has no place for it: then it is dropped here.
    let _ = CACHE.try_with(|place| place.set(Some(cache)));
    result
}

/// See the module.
pub struct Cache {
    /// The piece in the low 15 bytes, then its tokens and its length, 4 bits each.
    /// No piece has length 0, so an empty slot matches none.
    short: Vec<[u64; 2]>,
    long: Vec<[u8; LONG_SLOT]>,
}

impl Cache {
    fn new() -> Self {
        Self {
            short: vec![[0; 2]; 1 << SHORT_BITS],
            long: vec![[0; LONG_SLOT]; 1 << LONG_BITS],
        }
    }

    /// Number of tokens of the piece of `text` from `start` to `end`.
    #[inline(always)]
    pub fn count(&mut self, text: &[u8], start: usize, end: usize) -> usize {
        let len = end - start;
        if len == 1 {
            return 1;
        }
        if len > SHORT_LEN {
            return self.count_long(&text[start..end]);
        }
        let (mut low, mut high) = match text.get(start..).and_then(|rest| rest.first_chunk()) {
            Some(chunk) => words(chunk),
            None => {
                let mut chunk = [0; 16];
                chunk[..len].copy_from_slice(&text[start..end]);
                words(&chunk)
            }
        };
        low &= MASKS[len].0;
        high = high & MASKS[len].1 | (len as u64) << LEN_SHIFT;
        let hash = low.wrapping_mul(K) ^ high.wrapping_mul(K2);
        let slot = &mut self.short[(hash >> (64 - SHORT_BITS)) as usize];
        if slot[0] == low && (slot[1] ^ high) & !TOKENS_MASK == 0 {
            return ((slot[1] >> TOKENS_SHIFT) & 0xF) as usize;
        }
        let tokens = count_piece(&text[start..end]);
        *slot = [low, high | (tokens as u64) << TOKENS_SHIFT];
        tokens
    }

    #[inline(never)]
    fn count_long(&mut self, piece: &[u8]) -> usize {
        if piece.len() > LONG_LEN {
            return count_piece(piece);
        }
        let mut hash = piece.len() as u64;
        let mut rest = piece;
        while let Some((word, tail)) = rest.split_first_chunk::<8>() {
            hash = (hash.rotate_left(23) ^ u64::from_le_bytes(*word)).wrapping_mul(K);
            rest = tail;
        }
        // The last eight bytes, some of them again.
        if let Some(word) = piece.last_chunk::<8>() {
            hash = (hash.rotate_left(23) ^ u64::from_le_bytes(*word)).wrapping_mul(K);
        }
        let slot = &mut self.long[(hash >> (64 - LONG_BITS)) as usize];
        if usize::from(slot[0]) == piece.len() && &slot[2..2 + piece.len()] == piece {
            return usize::from(slot[1]);
        }
        let tokens = count_piece(piece);
        // Neither is above LONG_LEN.
        slot[0] = piece.len() as u8;
        slot[1] = tokens as u8;
        slot[2..2 + piece.len()].copy_from_slice(piece);
        tokens
    }
}

#[inline(always)]
fn words(chunk: &[u8; 16]) -> (u64, u64) {
    let both = u128::from_le_bytes(*chunk);
    (both as u64, (both >> 64) as u64)
}

#[cold]
#[inline(never)]
fn count_piece(piece: &[u8]) -> usize {
    if vocabulary::rank(piece) != vocabulary::NO_RANK {
        1
    } else {
        merge::count(piece)
    }
}
