//! Byte-pair merging: from single bytes on, the adjacent parts that make the token
//! of the lowest rank are merged, the leftmost of equals first, until none is left.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::vocabulary::{NO_RANK, pair_rank, rank};

/// Up to this many bytes a scan over all parts beats a heap.
const SCAN: usize = 64;

/// Number of tokens of a piece. Time grows with n log n for pieces of n bytes.
pub fn count(piece: &[u8]) -> usize {
    match piece.len() {
        0 | 1 => piece.len(),
        2..=SCAN => count_by_scan(piece),
        _ => count_by_heap(piece),
    }
}

fn count_by_scan(piece: &[u8]) -> usize {
    // Start of each part and the rank of the token it would make with the next one.
    // Behind the last part stands the end of the piece.
    let mut starts = [0u8; SCAN + 2];
    let mut ranks = [NO_RANK; SCAN + 2];
    let mut parts = piece.len();
    for (i, pair) in piece.windows(2).enumerate() {
        starts[i] = i as u8;
        ranks[i] = pair_rank(pair[0], pair[1]);
    }
    starts[parts - 1] = (parts - 1) as u8;
    starts[parts] = parts as u8;
    loop {
        let mut best = NO_RANK;
        let mut at = 0;
        for (i, &rank) in ranks[..parts - 1].iter().enumerate() {
            if rank < best {
                best = rank;
                at = i;
            }
        }
        if best == NO_RANK {
            return parts;
        }
        starts.copy_within(at + 2..=parts, at + 1);
        ranks.copy_within(at + 2..=parts, at + 1);
        parts -= 1;
        let joined = |first: usize| {
            if first + 2 <= parts {
                rank(&piece[usize::from(starts[first])..usize::from(starts[first + 2])])
            } else {
                NO_RANK
            }
        };
        ranks[at] = joined(at);
        if at > 0 {
            ranks[at - 1] = joined(at - 1);
        }
    }
}

/// Bits for the start of a part in a heap entry: more than memory has bytes.
const START_BITS: u32 = 46;

/// A part in a list of parts, kept at the index of its first byte.
#[derive(Clone, Copy)]
struct Part {
    /// Start of the part before.
    prev: usize,
    /// End of this part, the start of the next.
    end: usize,
    /// Rank of the token that this part would make with the next one.
    rank: u32,
}

fn count_by_heap(piece: &[u8]) -> usize {
    let n = piece.len();
    let mut parts: Vec<Part> = (0..n)
        .map(|i| Part {
            prev: i.wrapping_sub(1),
            end: i + 1,
            rank: match piece[i..] {
                [a, b, ..] => pair_rank(a, b),
                _ => NO_RANK,
            },
        })
        .collect();
    // The rank on top of the start: one number to compare. A rank has 18 bits.
    let entry = |rank: u32, start: usize| Reverse(u64::from(rank) << START_BITS | start as u64);
    let mut heap: BinaryHeap<Reverse<u64>> = parts
        .iter()
        .enumerate()
        .filter(|(_, part)| part.rank != NO_RANK)
        .map(|(i, part)| entry(part.rank, i))
        .collect();
    let mut count = n;
    while let Some(Reverse(next)) = heap.pop() {
        let lowest = (next >> START_BITS) as u32;
        let left = (next & ((1 << START_BITS) - 1)) as usize;
        // An entry is stale where its parts have changed. One of the same rank is not:
        // a rank is one token, so it is the same merge.
        if parts[left].rank != lowest {
            continue;
        }
        let right = parts[left].end;
        let end = parts[right].end;
        parts[left].end = end;
        parts[right].rank = NO_RANK;
        if end < n {
            parts[end].prev = left;
        }
        count -= 1;
        let prev = parts[left].prev;
        let mut update = |first: usize| {
            let middle = parts[first].end;
            let new = match parts.get(middle) {
                Some(next) => rank(&piece[first..next.end]),
                None => NO_RANK,
            };
            parts[first].rank = new;
            if new != NO_RANK {
                heap.push(entry(new, first));
            }
        };
        update(left);
        if left > 0 {
            update(prev);
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn scan_and_heap_agree(piece in proptest::collection::vec(any::<u8>(), 2..=SCAN)) {
            prop_assert_eq!(count_by_scan(&piece), count_by_heap(&piece));
        }

        #[test]
        fn scan_and_heap_agree_on_letters(piece in "[a-e]{2,64}|[ =-]{2,64}|[a-z]{2,64}") {
            let piece = piece.as_bytes();
            prop_assert_eq!(count_by_scan(piece), count_by_heap(piece));
        }
    }
}
