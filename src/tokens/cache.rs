//! Remembers how many tokens a piece has: of the pieces of a source file or log, more
//! than nineteen in twenty were seen before.
//!
//! Each thread has its own cache, made when it first counts. It is direct-mapped: a
//! piece has one slot, and the newest piece keeps it. Its size is fixed: 1.25 MiB of
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

/// Where the tokens of a piece stand in a short slot.
const TOKENS_SHIFT: u32 = 120;
const TOKENS_MASK: u128 = 0xF << TOKENS_SHIFT;
/// Where the length of a piece stands in a short slot.
const LEN_SHIFT: u32 = 124;

const K: u64 = 0x9E37_79B9_7F4A_7C15;

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
    short: Vec<u128>,
    long: Vec<[u8; LONG_SLOT]>,
}

impl Cache {
    fn new() -> Self {
        Self {
            short: vec![0; 1 << SHORT_BITS],
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
        let piece = match text.get(start..).and_then(|rest| rest.first_chunk::<16>()) {
            Some(chunk) => u128::from_le_bytes(*chunk) & ((1 << (8 * len)) - 1),
            None => {
                let mut chunk = [0; 16];
                chunk[..len].copy_from_slice(&text[start..end]);
                u128::from_le_bytes(chunk)
            }
        };
        let key = piece | (len as u128) << LEN_SHIFT;
        let (low, high) = (key as u64, (key >> 64) as u64);
        let hash = (low ^ high.rotate_left(29).wrapping_mul(K)).wrapping_mul(K);
        let slot = &mut self.short[(hash >> (64 - SHORT_BITS)) as usize];
        if (*slot ^ key) & !TOKENS_MASK == 0 {
            return ((*slot >> TOKENS_SHIFT) & 0xF) as usize;
        }
        let tokens = count_piece(&text[start..end]);
        *slot = key | (tokens as u128) << TOKENS_SHIFT;
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

#[cold]
#[inline(never)]
fn count_piece(piece: &[u8]) -> usize {
    if vocabulary::rank(piece) != vocabulary::NO_RANK {
        1
    } else {
        merge::count(piece)
    }
}
