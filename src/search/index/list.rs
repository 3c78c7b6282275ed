//! Sets of files, in memory and as the lists of the index.
//!
//! A list is kept as the gaps between its files, each in an exponential Golomb code
//! (Teuhola, "A compression method for clustered bit-vectors", 1978), which suits
//! files of one folder that have much in common, or as a bit for each file where that
//! is about as short, because it is quicker to read.

use super::varint::take_number;

/// Number of a file in one index.
pub(super) type FileId = u32;

/// A set of files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::search) struct Set(Vec<u64>);

impl Set {
    pub fn none(count: usize) -> Self {
        Self(vec![0; count.div_ceil(64)])
    }

    pub fn all(count: usize) -> Self {
        Self(vec![u64::MAX; count.div_ceil(64)])
    }

    pub fn insert(&mut self, id: FileId) {
        if let Some(word) = self.0.get_mut(id as usize / 64) {
            *word |= 1 << (id % 64);
        }
    }

    /// The files in it, in order.
    pub fn iter(&self) -> impl Iterator<Item = FileId> + '_ {
        self.0.iter().enumerate().flat_map(|(at, &word)| {
            let mut rest = word;
            std::iter::from_fn(move || {
                (rest != 0).then(|| {
                    let bit = rest.trailing_zeros();
                    rest &= rest - 1;
                    at as FileId * 64 + bit
                })
            })
        })
    }

    pub fn and(&mut self, other: &Set) {
        for (a, b) in self.0.iter_mut().zip(&other.0) {
            *a &= b;
        }
    }

    pub fn or(&mut self, other: &Set) {
        for (a, b) in self.0.iter_mut().zip(&other.0) {
            *a |= b;
        }
    }

    pub fn len(&self) -> usize {
        self.0.iter().map(|w| w.count_ones() as usize).sum()
    }
}

/// How a list is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// A bit for each file there is.
    Bits,
    /// Gaps, of which so many of the lower bits are written as they are.
    Gaps(u8),
}

/// What stands for [`Form::Bits`] where a form is a number.
const BITS: u8 = 0xFF;

impl Form {
    pub fn number(self) -> u8 {
        match self {
            Self::Bits => BITS,
            Self::Gaps(low) => low,
        }
    }

    /// None where it is the number of no form.
    pub fn of(number: u8) -> Option<Self> {
        match number {
            BITS => Some(Self::Bits),
            low if low < LOW => Some(Self::Gaps(low)),
            _ => None,
        }
    }
}

/// Lower bits of a gap that are written as they are: less than these.
const LOW: u8 = 32;
/// Most bits of what is above them, so that its code fits into what is read at once.
const MOST: u32 = 28;

/// Adds a list, given as differences that start at one, of some of `count` files.
pub(super) fn pack(differences: &[u8], count: usize, out: &mut Vec<u8>) -> Form {
    // How many gaps have how many bits says nearly all about the length of the code.
    let mut sizes = [0usize; 33];
    for gap in gaps(differences) {
        if let Some(n) = sizes.get_mut(bits(gap) as usize) {
            *n += 1;
        }
    }
    let largest = sizes.iter().rposition(|n| *n > 0).unwrap_or(0) as u32;
    let length = |low: u32| -> usize {
        let sizes = (0..).zip(&sizes);
        sizes
            .map(|(size, n): (u32, _)| n * (2 * size.saturating_sub(low) + 1 + low) as usize)
            .sum()
    };
    let low = (largest.saturating_sub(MOST)..u32::from(LOW))
        .min_by_key(|low| length(*low))
        .unwrap_or(0);
    let whole = count.div_ceil(64) * 8;
    let start = out.len();
    let mut writer = Writer { out, held: 0, n: 0 };
    for gap in gaps(differences) {
        let above = u64::from(gap >> low) + 1;
        let size = above.ilog2();
        // As many zeros as bits follow the one, these bits, and the lower ones.
        let code = 1 << size | (above & ((1 << size) - 1)) << (size + 1);
        writer.put(code, 2 * size + 1);
        writer.put(u64::from(gap) & ((1 << low) - 1), low);
    }
    writer.finish();
    // Bits may take a third more, for less to do at each query.
    if (out.len() - start) * 4 <= whole * 3 {
        return Form::Gaps(low as u8);
    }
    out.truncate(start);
    let mut set = Set::none(count);
    ids(differences).for_each(|id| set.insert(id));
    out.extend(set.0.iter().flat_map(|w| w.to_le_bytes()));
    Form::Bits
}

/// The files of a list of some of `count` files.
pub(super) fn unpack(form: Form, bytes: &[u8], count: usize) -> Set {
    let mut set = Set::none(count);
    match form {
        Form::Bits => {
            for (word, part) in set.0.iter_mut().zip(bytes.chunks(8)) {
                let mut full = [0; 8];
                full.iter_mut().zip(part).for_each(|(a, b)| *a = *b);
                *word = u64::from_le_bytes(full);
            }
        }
        Form::Gaps(low) => {
            let low = u32::from(low);
            let mut reader = Reader { bytes, at: 0 };
            let mut next: u32 = 0;
            while let Some(gap) = reader.gap(low) {
                let Some(id) = next.checked_add(gap) else {
                    break;
                };
                set.insert(id);
                next = id.saturating_add(1);
            }
        }
    }
    set
}

/// The files of a list of differences that start at one.
pub(super) fn ids(mut differences: &[u8]) -> impl Iterator<Item = FileId> + '_ {
    let mut last: u32 = 0;
    std::iter::from_fn(move || {
        last = last.wrapping_add(take_number(&mut differences)?);
        last.checked_sub(1)
    })
}

/// How many files each leaves out before it.
fn gaps(mut differences: &[u8]) -> impl Iterator<Item = u32> + '_ {
    std::iter::from_fn(move || take_number(&mut differences).map(|d| d.saturating_sub(1)))
}

/// How many bits a number has.
fn bits(number: u32) -> u32 {
    u32::BITS - number.leading_zeros()
}

/// Bits from the lowest of each byte on.
struct Writer<'a> {
    out: &'a mut Vec<u8>,
    held: u64,
    n: u32,
}

impl Writer<'_> {
    /// The lowest `n` bits of a number that has no others; at most 57 of them.
    fn put(&mut self, number: u64, n: u32) {
        if self.n + n >= u64::BITS {
            let whole = self.n / 8;
            let bytes = self.held.to_le_bytes();
            self.out.extend_from_slice(&bytes[..whole as usize]);
            self.held = self.held.checked_shr(whole * 8).unwrap_or(0);
            self.n %= 8;
        }
        self.held |= number << self.n;
        self.n += n;
    }

    fn finish(self) {
        let bytes = self.held.to_le_bytes();
        self.out
            .extend_from_slice(&bytes[..self.n.div_ceil(8) as usize]);
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    /// In bits.
    at: usize,
}

impl Reader<'_> {
    /// The next 57 bits at least, with zeros behind the last.
    fn peek(&self) -> u64 {
        let from = self.bytes.get(self.at / 8..).unwrap_or_default();
        let word = match from.first_chunk() {
            Some(eight) => u64::from_le_bytes(*eight),
            None => from.iter().rev().fold(0, |w, b| w << 8 | u64::from(*b)),
        };
        word >> (self.at % 8)
    }

    /// None at the end, behind which are zeros only, or where there is no code.
    fn gap(&mut self, low: u32) -> Option<u32> {
        let word = self.peek();
        let size = word.trailing_zeros();
        if size > MOST {
            return None;
        }
        let above = (word >> (size + 1)) & ((1 << size) - 1) | 1 << size;
        self.at += 2 * size as usize + 1;
        let below = self.peek() & ((1 << low) - 1);
        self.at += low as usize;
        u32::try_from((above - 1) << low | below).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::index::varint::put_number;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn packed(ids: &BTreeSet<FileId>, count: usize) -> (Form, Vec<u8>) {
        let mut differences = Vec::new();
        let mut next = 0;
        for id in ids {
            put_number(&mut differences, id + 1 - next);
            next = id + 1;
        }
        let mut out = b"before".to_vec();
        let form = pack(&differences, count, &mut out);
        (form, out.split_off(6))
    }

    proptest! {
        #[test]
        fn what_is_packed_is_unpacked(
            gaps in prop::collection::vec(prop_oneof![0u32..3, 0u32..70, 0u32..60_000], 0..400),
            rest in 0usize..5_000,
        ) {
            let mut next = 0;
            let mut files = BTreeSet::new();
            for gap in gaps {
                files.insert(next + gap);
                next += gap + 1;
            }
            let count = next as usize + rest;
            let (form, bytes) = packed(&files, count);
            prop_assert!(bytes.len() <= count.div_ceil(64) * 8);
            prop_assert_eq!(Form::of(form.number()), Some(form));
            let set = unpack(form, &bytes, count);
            prop_assert_eq!(set.len(), files.len());
            prop_assert_eq!(set.iter().collect::<BTreeSet<_>>(), files);
        }

        #[test]
        fn any_bytes_are_some_set(
            bytes in prop::collection::vec(any::<u8>(), 0..60),
            number in any::<u8>(),
            count in 0usize..2_000,
        ) {
            if let Some(form) = Form::of(number) {
                let set = unpack(form, &bytes, count);
                prop_assert!(set.0.len() == count.div_ceil(64));
            }
        }
    }

    #[test]
    fn a_list_is_as_short_as_it_can_be() {
        let some = |step: usize| (0..50_000).step_by(step).map(|n| n as FileId).collect();
        let all = 50_000usize.div_ceil(64) * 8;
        let (form, bytes) = packed(&some(2), 50_000);
        assert_eq!((form, bytes.len()), (Form::Bits, all));
        let (form, bytes) = packed(&some(100), 50_000);
        assert!(matches!(form, Form::Gaps(_)), "{form:?}");
        assert!(bytes.len() < all / 8, "{}", bytes.len());
        // The first and the last that a number can hold.
        let far = BTreeSet::from([0, u32::MAX - 64]);
        let mut out = Vec::new();
        let mut differences = Vec::new();
        put_number(&mut differences, 1);
        put_number(&mut differences, u32::MAX - 64);
        let form = pack(&differences, usize::MAX / 64, &mut out);
        let Form::Gaps(low) = form else {
            panic!("{form:?}");
        };
        let mut reader = Reader { bytes: &out, at: 0 };
        let first = reader.gap(u32::from(low)).unwrap();
        let second = first + 1 + reader.gap(u32::from(low)).unwrap();
        assert_eq!(BTreeSet::from([first, second]), far);
    }
}
