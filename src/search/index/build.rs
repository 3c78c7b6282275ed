//! Files to an index, in one pass over their bytes.

use super::store::{Index, Indexed, Writer};
use super::{FileId, TRIGRAMS, Trigram};
use crate::error::Result;
use crate::workspace::{Cancel, FilePath, Root, Stamp};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::SystemTime;

/// Files handed from a reading thread to the collecting one at once.
const BLOCK: usize = 64;
/// Bytes read at once.
const READ: usize = 256 << 10;
/// Larger files are always searched (64 MiB): nearly every pattern's trigrams are in
/// them.
const HUGE: u64 = 64 << 20;
/// Bytes in which a NUL makes a file binary for every search.
const BINARY: usize = 64 << 10;

/// Calls `each` for every trigram of a text; several times for one that repeats.
pub(super) fn trigrams(text: &[u8], mut each: impl FnMut(Trigram)) {
    let mut rolling = Rolling::default();
    rolling.feed(text, &mut each);
}

/// The last bytes of a text that comes in parts.
#[derive(Default)]
struct Rolling {
    last: u32,
    run: u32,
}

impl Rolling {
    fn feed(&mut self, text: &[u8], each: &mut impl FnMut(Trigram)) {
        let (mut last, mut run) = (self.last, self.run);
        for &byte in text {
            if byte == b'\n' {
                run = 0;
                continue;
            }
            last = (last << 8 | u32::from(byte.to_ascii_lowercase())) & 0x00FF_FFFF;
            run += 1;
            if run >= 3 {
                each(last);
            }
        }
        (self.last, self.run) = (last, run.min(3));
    }
}

/// What was found in one file.
struct Extract {
    /// The file as it was when it was read.
    indexed: Indexed,
    /// Its trigrams, each once.
    trigrams: Vec<Trigram>,
}

/// Reads one file after the other.
struct Extractor {
    seen: Vec<u64>,
    buffer: Vec<u8>,
}

impl Extractor {
    fn new() -> Self {
        Self {
            seen: vec![0; TRIGRAMS / 64],
            buffer: vec![0; READ],
        }
    }

    fn extract(&mut self, path: &Path) -> Extract {
        let mut found = Vec::new();
        let read = self.read(path, &mut found);
        for t in &found {
            if let Some(word) = self.seen.get_mut(*t as usize / 64) {
                *word = 0;
            }
        }
        let indexed = read.unwrap_or_default();
        Extract {
            trigrams: if indexed.always { Vec::new() } else { found },
            indexed,
        }
    }

    fn read(&mut self, path: &Path, found: &mut Vec<Trigram>) -> io::Result<Indexed> {
        let mut file = File::open(path)?;
        let now = SystemTime::now();
        let stamp = Stamp::of(&file.metadata()?);
        let mut always = stamp.size > HUGE;
        let mut rolling = Rolling::default();
        let mut total = 0;
        while !always {
            let n = match file.read(&mut self.buffer) {
                Ok(0) => break,
                Ok(n) => n,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                Err(e) => return Err(e),
            };
            let part = &self.buffer[..n];
            if total == 0 {
                // Decoded for a search, so that its bytes say nothing.
                always = matches!(part, [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..]) || n < 3;
                let marked = part.starts_with(&[0xEF, 0xBB, 0xBF]);
                let head = &part[..n.min(BINARY)];
                if !marked
                    && !head[..head.len().min(3)].contains(&b'\n')
                    && memchr::memchr(b'\0', head).is_some()
                {
                    // Binary from the start: no line of it is ever matched.
                    break;
                }
            }
            total += n;
            let seen = &mut self.seen;
            rolling.feed(part, &mut |t| {
                let (word, bit) = (t as usize / 64, 1u64 << (t % 64));
                // A trigram is below 2^24, which is how long the set is.
                if let Some(word) = seen.get_mut(word)
                    && *word & bit == 0
                {
                    *word |= bit;
                    found.push(t);
                }
            });
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

/// Indexes files, given in order of paths, into the file `out`.
///
/// # Errors
/// `no_state` if the file cannot be written; what `cancel` says.
pub(in crate::search) fn build(
    root: &Root,
    files: &[FilePath],
    threads: usize,
    out: &Path,
    cancel: &Cancel,
) -> Result<(Index, Vec<Indexed>)> {
    let next = AtomicUsize::new(0);
    let mut lists = Lists::new();
    let mut indexed = Vec::with_capacity(files.len());
    std::thread::scope(|scope| {
        let (send, receive) = mpsc::sync_channel::<(usize, Vec<Extract>)>(threads * 4);
        for _ in 0..threads.max(1) {
            let send = send.clone();
            let next = &next;
            scope.spawn(move || {
                let mut extractor = Extractor::new();
                loop {
                    let block = next.fetch_add(1, Ordering::Relaxed);
                    let Some(part) = files.chunks(BLOCK).nth(block) else {
                        return;
                    };
                    if cancel.is_cancelled() {
                        return;
                    }
                    let part = part.iter().map(|f| extractor.extract(&f.abs)).collect();
                    if send.send((block, part)).is_err() {
                        return;
                    }
                }
            });
        }
        drop(send);
        // Blocks are taken in order, so that lists are written in order of files.
        let mut waiting = BTreeMap::new();
        let mut wanted = 0;
        for (block, part) in receive {
            waiting.insert(block, part);
            while let Some(part) = waiting.remove(&wanted) {
                for extract in part {
                    let id = indexed.len() as FileId;
                    for t in &extract.trigrams {
                        lists.add(*t, id);
                    }
                    indexed.push(extract.indexed);
                }
                wanted += 1;
            }
        }
    });
    cancel.check()?;
    let index = lists.write(root, files, &indexed, out)?;
    Ok((index, indexed))
}

/// Lists of files by trigram, as differences in chains of small chunks: there are some
/// hundred thousand lists of very different lengths.
struct Lists {
    /// Position in `lists` plus one, by trigram.
    places: Vec<u32>,
    lists: Vec<List>,
    pages: Vec<Box<[u8]>>,
    chunks: u32,
}

#[derive(Clone, Copy)]
struct List {
    trigram: Trigram,
    /// The last file plus one.
    last: FileId,
    first_chunk: u32,
    /// The chunk and the byte in it that is written next.
    chunk: u32,
    used: u32,
}

const CHUNK: usize = 32;
/// The rest of a chunk is the number of the next.
const DATA: usize = CHUNK - 4;
/// 32 MiB a page: blocks of this size go back to the system when they are freed, and
/// take memory only as far as they are written.
const PAGE_CHUNKS: usize = 1 << 20;

impl Lists {
    fn new() -> Self {
        Self {
            places: vec![0; TRIGRAMS],
            lists: Vec::new(),
            pages: Vec::new(),
            chunks: 0,
        }
    }

    fn new_chunk(&mut self) -> u32 {
        if self.chunks as usize == self.pages.len() * PAGE_CHUNKS {
            self.pages
                .push(vec![0; PAGE_CHUNKS * CHUNK].into_boxed_slice());
        }
        self.chunks += 1;
        self.chunks - 1
    }

    fn chunk(&mut self, n: u32) -> &mut [u8] {
        let (page, at) = (n as usize / PAGE_CHUNKS, n as usize % PAGE_CHUNKS * CHUNK);
        self.pages
            .get_mut(page)
            .and_then(|p| p.get_mut(at..at + CHUNK))
            .unwrap_or_default()
    }

    fn add(&mut self, trigram: Trigram, file: FileId) {
        let place = self.places.get(trigram as usize).copied().unwrap_or(0);
        let place = if place == 0 {
            let chunk = self.new_chunk();
            self.lists.push(List {
                trigram,
                last: 0,
                first_chunk: chunk,
                chunk,
                used: 0,
            });
            let place = self.lists.len() as u32;
            if let Some(p) = self.places.get_mut(trigram as usize) {
                *p = place;
            }
            place
        } else {
            place
        };
        let at = place as usize - 1;
        let Some(&(mut list)) = self.lists.get(at) else {
            return;
        };
        // Differences start at one, so that a zero byte ends a list.
        let mut rest = file + 1 - list.last;
        list.last = file + 1;
        loop {
            let byte = (rest & 0x7F) as u8 | if rest > 0x7F { 0x80 } else { 0 };
            if list.used as usize == DATA {
                let next = self.new_chunk();
                let old = self.chunk(list.chunk);
                if let Some(link) = old.get_mut(DATA..) {
                    link.copy_from_slice(&next.to_le_bytes());
                }
                (list.chunk, list.used) = (next, 0);
            }
            if let Some(b) = self.chunk(list.chunk).get_mut(list.used as usize) {
                *b = byte;
            }
            list.used += 1;
            rest >>= 7;
            if rest == 0 {
                break;
            }
        }
        if let Some(l) = self.lists.get_mut(at) {
            *l = list;
        }
    }

    fn write(
        mut self,
        root: &Root,
        files: &[FilePath],
        indexed: &[Indexed],
        out: &Path,
    ) -> Result<Index> {
        self.places = Vec::new();
        let mut lists = std::mem::take(&mut self.lists);
        lists.sort_unstable_by_key(|l| l.trigram);
        let mut writer = Writer::create(out, files.len())?;
        let mut bytes = Vec::new();
        for list in lists {
            bytes.clear();
            let mut at = list.first_chunk;
            while at != list.chunk {
                let chunk = self.chunk(at);
                bytes.extend_from_slice(chunk.get(..DATA).unwrap_or_default());
                let link = chunk.get(DATA..).and_then(|l| l.try_into().ok());
                at = u32::from_le_bytes(link.unwrap_or_default());
            }
            let last = self.chunk(at).get(..list.used as usize).unwrap_or_default();
            bytes.extend_from_slice(last);
            writer.list(list.trigram, &bytes)?;
        }
        writer.finish(root, files, indexed)
    }
}
