//! What a file holds, whatever the task: its words by line, its names and its blocks.
//! A process that answers again keeps them for as long as the file stays as it is.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::SystemTime;

use super::block::{self, Block};
use super::words::{self, Map, Stems, Term};
use crate::search::class::{self, Class};
use crate::syntax::{self, Language};
use crate::text;
use crate::workspace::{self, FilePath, Stamp};

/// Larger files are data, whatever their name says.
const MAX_BYTES: usize = 2 << 20;
/// A file of longer lines on average was not written by hand.
const MAX_AVERAGE_LINE: usize = 400;
/// Bytes of source whose facts are kept; they take about five times as many.
const KEPT_BYTES: usize = 48 << 20;

/// What one file holds.
#[derive(Debug)]
pub(super) struct Facts {
    pub(super) language: &'static Language,
    pub(super) class: Class,
    pub(super) bytes: usize,
    pub(super) lines: u32,
    /// Its words in order: line from 0, and index of the spelling.
    pub(super) words: Vec<(u32, u32)>,
    /// Hashes of its whole identifiers, in order.
    pub(super) names: Vec<u64>,
    stamp: Option<Stamp>,
    blocks: OnceLock<Arc<Vec<Block>>>,
}

/// A word in lower case, and its term.
#[derive(Debug, Clone)]
pub(super) struct Spelling {
    pub(super) text: Box<str>,
    pub(super) term: Term,
}

#[derive(Debug, Default)]
struct Spellings {
    index: Map<Box<str>, u32>,
    all: Vec<Spelling>,
}

/// Facts of a root's files between calls.
#[derive(Debug, Default)]
pub(super) struct Memory {
    spellings: RwLock<Spellings>,
    files: RwLock<HashMap<String, Arc<Facts>>>,
    /// Whether anything outlives the call.
    keeps: bool,
}

impl Memory {
    /// For a process that answers again.
    pub(super) fn kept() -> Self {
        Self {
            keeps: true,
            ..Self::default()
        }
    }

    pub(super) fn keeps(&self) -> bool {
        self.keeps
    }

    pub(super) fn spelling(&self, index: u32) -> Option<Spelling> {
        let spellings = self
            .spellings
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        spellings.all.get(index as usize).cloned()
    }

    /// The facts of a file as it is now; `None` for what is no source.
    pub(super) fn facts(&self, path: &FilePath, reader: &mut Reader) -> Option<Arc<Facts>> {
        Language::for_path(Path::new(&path.rel))?;
        let seen = Stamp::of(&fs::metadata(&path.abs).ok()?);
        let files = self.files.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = files.get(&path.rel)
            && known.stamp == Some(seen)
        {
            return Some(Arc::clone(known));
        }
        drop(files);
        // A file that may change again under the same stamp is read each time.
        let stamp = Some(seen).filter(|s| s.is_settled(SystemTime::now()));
        let mut keeper = Keeper {
            reader,
            memory: self,
            words: Vec::new(),
            names: Vec::new(),
        };
        let mut facts = read(path, &mut keeper)?;
        let Keeper { words, names, .. } = keeper;
        facts.words = words;
        facts.names = names;
        facts.names.sort_unstable();
        facts.names.dedup();
        facts.stamp = stamp;
        Some(Arc::new(facts))
    }

    /// Keeps the facts of the files that a call has seen, up to a limit, in their order.
    pub(super) fn keep<'f>(&self, seen: impl Iterator<Item = (&'f str, &'f Arc<Facts>)>) {
        let mut left = KEPT_BYTES;
        let mut files = HashMap::new();
        for (rel, facts) in seen.filter(|(_, f)| f.stamp.is_some()) {
            let Some(rest) = left.checked_sub(facts.bytes) else {
                break;
            };
            left = rest;
            files.insert(rel.to_string(), Arc::clone(facts));
        }
        *self.files.write().unwrap_or_else(PoisonError::into_inner) = files;
    }

    fn intern(&self, part: &str, term: Term) -> u32 {
        let text = part.to_lowercase();
        let known = self
            .spellings
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(&i) = known.index.get(text.as_str()) {
            return i;
        }
        drop(known);
        let mut spellings = self
            .spellings
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        let next = spellings.all.len() as u32;
        let text = text.into_boxed_str();
        let index = *spellings.index.entry(text.clone()).or_insert(next);
        if index == next {
            spellings.all.push(Spelling { text, term });
        }
        index
    }
}

/// What is done with the words of a file as it is read.
pub(super) trait Words {
    /// A part of an identifier, or a word of text; lines from 0.
    fn part(&mut self, line: u32, part: &str);
    /// A whole identifier.
    fn name(&mut self, name: &str);
}

/// Reads a file and hands over its words, which the facts then lack; `None` for what
/// is no source.
pub(super) fn read(path: &FilePath, to: &mut impl Words) -> Option<Facts> {
    let language = Language::for_path(Path::new(&path.rel))?;
    let bytes = workspace::read(path).ok()?;
    if bytes.len() > MAX_BYTES || text::is_binary(&bytes) {
        return None;
    }
    let text = text::decode(&bytes).text;
    let lines = memchr::memchr_iter(b'\n', text.as_bytes()).count() + 1;
    if text.len() / lines > MAX_AVERAGE_LINE {
        return None;
    }
    let mut class = class::classify(&path.rel);
    if class == Class::Code && class::says_generated(&text) {
        class = Class::Foreign;
    }
    let line = std::cell::Cell::new(0u32);
    words::parts(
        &text,
        |p| {
            to.part(line.get(), text.get(p.start..p.end).unwrap_or_default());
            if p.last {
                to.name(text.get(p.word..p.end).unwrap_or_default());
            }
        },
        || line.set(line.get() + 1),
    );
    Some(Facts {
        language,
        class,
        bytes: text.len(),
        lines: lines as u32,
        words: Vec::new(),
        names: Vec::new(),
        stamp: None,
        blocks: OnceLock::new(),
    })
}

/// Notes all words of a file, whatever the task.
struct Keeper<'m> {
    reader: &'m mut Reader,
    memory: &'m Memory,
    words: Vec<(u32, u32)>,
    names: Vec<u64>,
}

impl Words for Keeper<'_> {
    fn part(&mut self, line: u32, part: &str) {
        if let Some(spelling) = self.reader.spelling(part, self.memory) {
            self.words.push((line, spelling));
        }
    }

    fn name(&mut self, name: &str) {
        self.names.push(words::whole(name));
    }
}

impl Facts {
    /// The file's blocks, cut now if they never were.
    pub(super) fn blocks(&self, path: &FilePath, stems: &mut Stems) -> Option<Arc<Vec<Block>>> {
        if let Some(blocks) = self.blocks.get() {
            return Some(Arc::clone(blocks));
        }
        let text = load(path)?;
        let parsed = syntax::parse(self.language, &text);
        let blocks = Arc::new(block::blocks(&text, parsed.as_ref(), self.language, stems));
        // A file that was written meanwhile has another stamp, and other blocks.
        let now = || fs::metadata(&path.abs).ok().map(|m| Stamp::of(&m));
        if self.stamp.is_some() && now() == self.stamp {
            let _ = self.blocks.set(Arc::clone(&blocks));
        }
        Some(blocks)
    }
}

/// A file's text.
pub(super) fn load(path: &FilePath) -> Option<String> {
    let bytes = workspace::read(path).ok()?;
    Some(text::decode(&bytes).text.into_owned())
}

/// What one thread remembers between files.
pub(super) struct Reader {
    stems: Stems,
    /// Indexes by the hash of the part; `None` for no word.
    known: Map<u64, Option<u32>>,
}

impl Reader {
    pub(super) fn new() -> Self {
        Self {
            stems: Stems::new(),
            known: Map::default(),
        }
    }

    /// What it knows of words.
    pub(super) fn into_stems(self) -> Stems {
        self.stems
    }

    fn spelling(&mut self, part: &str, memory: &Memory) -> Option<u32> {
        if part.len() < 2 {
            return None;
        }
        let key = words::whole(part);
        if let Some(&known) = self.known.get(&key) {
            return known;
        }
        let found = self.stems.term(part).map(|term| memory.intern(part, term));
        self.known.insert(key, found);
        found
    }
}
