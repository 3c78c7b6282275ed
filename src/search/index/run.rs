//! Lists of files by trigram for a stretch of the files: sorted, packed, and put
//! together with those of the other stretches.

use super::list::{FileId, Form, pack};
use super::trigram::{TRIGRAMS, Trigram};
use super::varint::{put_number, take_number};

/// Parts that can be put together one by one: trigrams by their first byte.
pub(super) const PARTS: usize = 256;
/// Bits of half a trigram, by which is sorted at a time.
const HALF: u32 = 12;
const HALVES: usize = 1 << HALF;
/// Half a trigram and the number of a file in its stretch go into 32 bits.
const FILE: u32 = 32 - HALF;
/// Most files of a stretch.
pub(super) const MOST: usize = 1 << FILE;

/// Memory that is asked for in pieces of this size (32 MiB) goes back to the system
/// when it is freed, and is taken only as far as it is used.
const PIECE: usize = (32 << 20) / size_of::<u32>();

/// The trigrams of one file after the other.
pub(super) struct Gathered {
    pub trigrams: Vec<Trigram>,
    /// Where those of each file end.
    pub ends: Vec<usize>,
}

impl Gathered {
    pub fn new() -> Self {
        Self {
            trigrams: Vec::with_capacity(PIECE),
            ends: Vec::new(),
        }
    }
}

/// Sorts one stretch after the other, and keeps its memory.
pub(super) struct Sorter {
    by_low: Vec<u32>,
    sorted: Vec<u32>,
    packed: Vec<u8>,
}

/// The lists of a stretch of files. Each begins with the lower two bytes of its
/// trigram and the number of bytes behind the two numbers that follow: its first and
/// its last file, counted from the first of the stretch. The differences between
/// all of its files are what comes then.
pub(super) struct Run {
    base: FileId,
    bytes: Box<[u8]>,
    /// Where each part begins, and the last ends.
    starts: Vec<usize>,
}

/// A list of a run.
struct List<'a> {
    low: u16,
    first: FileId,
    last: FileId,
    differences: &'a [u8],
}

impl Gathered {
    /// By the lower half of each trigram: the upper half and the file.
    fn halves(&self) -> impl Iterator<Item = (u32, u32)> + Clone {
        let starts = std::iter::once(&0).chain(&self.ends);
        let files = starts.zip(&self.ends).zip(0u32..);
        files.flat_map(|((start, end), file)| {
            let trigrams = self.trigrams.get(*start..*end).unwrap_or_default();
            let halves = move |t: &Trigram| (t % HALVES as u32, t >> HALF << FILE | file);
            trigrams.iter().map(halves)
        })
    }
}

impl Sorter {
    pub fn new() -> Self {
        Self {
            by_low: Vec::with_capacity(PIECE),
            sorted: Vec::with_capacity(PIECE),
            packed: Vec::new(),
        }
    }

    /// Sorts the trigrams of files numbered from `base` on, at most [`MOST`] of them,
    /// and leaves none.
    pub fn sort(&mut self, base: FileId, gathered: &mut Gathered) -> Run {
        let ends = scatter(gathered.halves(), &mut self.by_low);
        let starts = std::iter::once(&0).chain(&ends);
        let lows = starts.zip(&ends).zip(0u32..);
        let by_low = &self.by_low;
        let upper = lows.flat_map(|((start, end), low)| {
            let of_low = by_low.get(*start..*end).unwrap_or_default();
            let halves = move |v: &u32| (v >> FILE, (low << FILE) | (v % MOST as u32));
            of_low.iter().map(halves)
        });
        let ends = scatter(upper, &mut self.sorted);
        let run = self.pack(base, &ends);
        gathered.trigrams.clear();
        gathered.ends.clear();
        run
    }

    fn pack(&mut self, base: FileId, ends: &[usize]) -> Run {
        self.packed.clear();
        let mut starts = Vec::with_capacity(PARTS + 1);
        let mut start = 0;
        let mut differences = Vec::new();
        for (upper, end) in ends.iter().enumerate() {
            if upper % (HALVES / PARTS) == 0 {
                starts.push(self.packed.len());
            }
            let of_upper = self.sorted.get(start..*end).unwrap_or_default();
            start = *end;
            for list in of_upper.chunk_by(|a, b| a >> FILE == b >> FILE) {
                let (Some(first), Some(last)) = (list.first(), list.last()) else {
                    continue;
                };
                differences.clear();
                for (a, b) in list.iter().zip(list.iter().skip(1)) {
                    put_number(&mut differences, b - a);
                }
                let low = ((upper as u32) << HALF | first >> FILE) as u16;
                self.packed.extend(low.to_le_bytes());
                put_number(&mut self.packed, differences.len() as u32);
                put_number(&mut self.packed, first % MOST as u32);
                put_number(&mut self.packed, last % MOST as u32);
                self.packed.extend_from_slice(&differences);
            }
        }
        starts.push(self.packed.len());
        Run {
            base,
            bytes: self.packed.as_slice().into(),
            starts,
        }
    }
}

/// Puts values in order of their keys, which are less than [`HALVES`]; those of one
/// key stay in order. Says where those of each key end.
fn scatter(items: impl Iterator<Item = (u32, u32)> + Clone, out: &mut Vec<u32>) -> Vec<usize> {
    let mut places = vec![0usize; HALVES];
    let mut count = 0;
    items.clone().for_each(|(key, _)| {
        places[key as usize % HALVES] += 1;
        count += 1;
    });
    let mut start = 0;
    for place in &mut places {
        start += std::mem::replace(place, start);
    }
    // What is in it already is overwritten.
    out.resize(count, 0);
    items.for_each(|(key, value)| {
        let place = &mut places[key as usize % HALVES];
        if let Some(slot) = out.get_mut(*place) {
            *slot = value;
        }
        *place += 1;
    });
    places
}

impl Run {
    fn lists(&self, part: usize) -> impl Iterator<Item = List<'_>> {
        let range = self.starts.get(part).zip(self.starts.get(part + 1));
        let bytes = range.and_then(|(start, end)| self.bytes.get(*start..*end));
        let mut rest = bytes.unwrap_or_default();
        std::iter::from_fn(move || {
            let (low, after) = rest.split_first_chunk()?;
            rest = after;
            let len = take_number(&mut rest)? as usize;
            let first = self.base + take_number(&mut rest)?;
            let last = self.base + take_number(&mut rest)?;
            let (differences, after) = rest.split_at_checked(len)?;
            rest = after;
            Some(List {
                low: u16::from_le_bytes(*low),
                first,
                last,
                differences,
            })
        })
    }
}

/// All lists of one part, in order of trigrams, packed.
#[derive(Default)]
pub(super) struct Merged {
    bytes: Vec<u8>,
    /// Where each ends.
    lists: Vec<(Trigram, Form, usize)>,
}

impl Merged {
    /// Of runs in order of their files, of which there are `count`.
    pub fn new(runs: &[Run], part: usize, count: usize) -> Self {
        let mut lists: Vec<List<'_>> = runs.iter().flat_map(|run| run.lists(part)).collect();
        // Those of a trigram stay in order of files.
        lists.sort_by_key(|l| l.low);
        let mut out = Self::default();
        let mut differences = Vec::new();
        for of_one in lists.chunk_by(|a, b| a.low == b.low) {
            let mut low = 0;
            let mut next = 0;
            differences.clear();
            for list in of_one {
                low = list.low;
                put_number(&mut differences, list.first + 1 - next);
                differences.extend_from_slice(list.differences);
                next = list.last + 1;
            }
            let trigram = part * (TRIGRAMS / PARTS) + usize::from(low);
            let form = pack(&differences, count, &mut out.bytes);
            out.lists.push((trigram as Trigram, form, out.bytes.len()));
        }
        out
    }

    /// Each trigram with its list.
    pub fn lists(&self) -> impl Iterator<Item = (Trigram, Form, &[u8])> {
        let starts = std::iter::once(0).chain(self.lists.iter().map(|l| l.2));
        starts
            .zip(&self.lists)
            .map(|(start, (trigram, form, end))| {
                let bytes = self.bytes.get(start..*end).unwrap_or_default();
                (*trigram, *form, bytes)
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::index::list::unpack;
    use proptest::prelude::*;
    use std::collections::{BTreeMap, BTreeSet};

    proptest! {
        /// However the files are cut into runs, each trigram has the files it is in.
        #[test]
        fn every_trigram_has_its_files(
            files in prop::collection::vec(
                prop::collection::btree_set(
                    prop_oneof![0u32..40, 0x61_6160u32..0x61_6170, 0xFF_FFF0u32..0x100_0000],
                    0..12,
                ),
                0..300,
            ),
            run in 1usize..200,
        ) {
            let mut expected: BTreeMap<Trigram, Vec<FileId>> = BTreeMap::new();
            let (mut runs, mut sorter, mut gathered) = (Vec::new(), Sorter::new(), Gathered::new());
            for (nth, trigrams) in files.chunks(run).enumerate() {
                let base = nth * run;
                for (file, trigrams) in (base..).zip(trigrams) {
                    for t in trigrams.iter().rev() {
                        expected.entry(*t).or_default().push(file as FileId);
                        gathered.trigrams.push(*t);
                    }
                    gathered.ends.push(gathered.trigrams.len());
                }
                runs.push(sorter.sort(base as FileId, &mut gathered));
            }
            let mut found = BTreeMap::new();
            let mut order = BTreeSet::new();
            for part in 0..PARTS {
                for (trigram, form, bytes) in Merged::new(&runs, part, files.len()).lists() {
                    prop_assert!(order.last().is_none_or(|l| *l < trigram));
                    order.insert(trigram);
                    let set = unpack(form, bytes, files.len());
                    found.insert(trigram, set.iter().collect());
                }
            }
            prop_assert_eq!(found, expected);
        }
    }
}
