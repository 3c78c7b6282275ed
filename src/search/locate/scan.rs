//! The first pass: every file is read once, in parallel, and the places of the
//! task's words are noted. Nothing is parsed; the text is not kept.

use std::path::Path;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::abbreviation;
use super::task::Task;
use super::words::{self, Map, Stems};
use crate::error::Result;
use crate::search::class::{self, Class};
use crate::syntax::Language;
use crate::text;
use crate::workspace::{self, Cancel, FilePath};

/// Larger files are data, whatever their name says.
const MAX_BYTES: usize = 2 << 20;
/// A file of longer lines on average was not written by hand.
const MAX_AVERAGE_LINE: usize = 400;
/// Lines to a window, the unit in which the first pass counts.
pub(super) const WINDOW: u32 = 40;

/// A file with at least one place.
pub(super) struct Scanned {
    /// Index in the walk's order.
    pub(super) file: usize,
    pub(super) language: &'static Language,
    pub(super) class: Class,
    pub(super) bytes: usize,
    /// Where words stand: line from 0 and index into [`Scan::slots`].
    pub(super) places: Vec<(u32, u32)>,
    /// Which identifiers of the task occur, by index.
    pub(super) identifiers: Vec<u32>,
}

/// A word of the repository that is one of the task's, or may abbreviate one.
#[derive(Clone)]
pub(super) struct Slot {
    /// Index of the task's word.
    pub(super) word: usize,
    /// The repository's word where it is another: an abbreviation or long form.
    pub(super) form: Option<Box<str>>,
    /// Windows that hold it.
    pub(super) windows: u32,
}

pub(super) struct Scan {
    pub(super) files: Vec<Scanned>,
    pub(super) slots: Vec<Slot>,
    /// Windows of all files.
    pub(super) windows: u32,
    /// Files that were read.
    pub(super) read: usize,
}

#[derive(Default)]
struct Local {
    files: Vec<Scanned>,
    /// Forms by (word, spelling), their indexes starting behind the task's words.
    forms: Map<(usize, Box<str>), u32>,
    windows: u32,
    read: usize,
}

/// Reads all files. The result does not depend on the number of threads.
///
/// # Errors
/// What `cancel` says once it is set.
pub(super) fn scan(files: &[FilePath], task: &Task, cancel: &Cancel) -> Result<Scan> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::new());
    let threads = std::thread::available_parallelism().map_or(1, |n| n.get().min(12));
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let mut local = Local::default();
                let mut reader = Reader::new(task);
                loop {
                    let i = next.fetch_add(1, Ordering::Relaxed);
                    let Some(path) = files.get(i) else { break };
                    if cancel.is_cancelled() {
                        break;
                    }
                    if let Some(found) = reader.file(i, path, &mut local) {
                        local.files.push(found);
                    }
                }
                done.lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push(local);
            });
        }
    });
    cancel.check()?;
    Ok(merge(
        done.into_inner().unwrap_or_else(PoisonError::into_inner),
        task,
    ))
}

/// Gives the forms one numbering, by spelling, and counts windows.
fn merge(locals: Vec<Local>, task: &Task) -> Scan {
    let own = task.words.len();
    let mut names: Vec<(usize, Box<str>)> = locals
        .iter()
        .flat_map(|l| l.forms.keys().cloned())
        .collect();
    names.sort_unstable();
    names.dedup();
    let mut slots: Vec<Slot> = (0..own).map(|word| Slot::new(word, None)).collect();
    slots.extend(
        names
            .iter()
            .map(|(word, form)| Slot::new(*word, Some(form.clone()))),
    );
    let mut out = Scan {
        files: Vec::new(),
        slots,
        windows: 0,
        read: 0,
    };
    for local in locals {
        let mut renumber: Map<u32, u32> = Map::default();
        for (name, slot) in &local.forms {
            if let Ok(at) = names.binary_search(name) {
                renumber.insert(*slot, (own + at) as u32);
            }
        }
        out.windows += local.windows;
        out.read += local.read;
        for mut file in local.files {
            for place in &mut file.places {
                if let Some(&to) = renumber.get(&place.1) {
                    place.1 = to;
                }
            }
            out.count(&file.places);
            out.files.push(file);
        }
    }
    out.files.sort_unstable_by_key(|f| f.file);
    out
}

impl Slot {
    fn new(word: usize, form: Option<Box<str>>) -> Self {
        Slot {
            word,
            form,
            windows: 0,
        }
    }
}

impl Scan {
    fn count(&mut self, places: &[(u32, u32)]) {
        let mut last_window: Map<u32, u32> = Map::default();
        for line in places.chunk_by(|a, b| a.0 == b.0) {
            let window = line.first().map_or(0, |p| p.0 / WINDOW);
            let mut here: Vec<u32> = line.iter().map(|p| p.1).collect();
            here.sort_unstable();
            here.dedup();
            for &slot in &here {
                let Some(s) = self.slots.get_mut(slot as usize) else {
                    continue;
                };
                if last_window.insert(slot, window) != Some(window) {
                    s.windows += 1;
                }
            }
        }
    }
}

/// What one thread remembers between files.
struct Reader<'t> {
    task: &'t Task,
    stems: Stems,
    words: Map<u64, u32>,
    identifiers: Map<u64, u32>,
    /// Slots by lower-case part; most parts have none.
    known: Map<Box<[u8]>, Box<[u32]>>,
    lower: Vec<u8>,
}

impl<'t> Reader<'t> {
    fn new(task: &'t Task) -> Self {
        let index = |(i, h): (usize, u64)| (h, i as u32);
        Reader {
            task,
            stems: Stems::new(),
            words: task
                .words
                .iter()
                .map(|w| w.term)
                .enumerate()
                .map(index)
                .collect(),
            identifiers: task
                .identifiers
                .iter()
                .map(|w| w.hash)
                .enumerate()
                .map(index)
                .collect(),
            known: Map::default(),
            lower: Vec::new(),
        }
    }

    fn file(&mut self, file: usize, path: &FilePath, local: &mut Local) -> Option<Scanned> {
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
        local.read += 1;
        local.windows += (lines as u32).div_ceil(WINDOW);
        let mut places = Vec::new();
        let mut identifiers = Vec::new();
        let line = std::cell::Cell::new(0u32);
        words::parts(
            &text,
            |p| {
                let part = text.get(p.start..p.end).unwrap_or_default();
                if part.len() < 2 {
                    return;
                }
                for &slot in self.slots(part, local) {
                    places.push((line.get(), slot));
                }
                // Whole identifiers are compared once, at their last part.
                if p.last && !self.identifiers.is_empty() {
                    let name = text.get(p.word..p.end).unwrap_or_default();
                    if let Some(&i) = self.identifiers.get(&words::whole(name)) {
                        identifiers.push(i);
                    }
                }
            },
            || line.set(line.get() + 1),
        );
        identifiers.sort_unstable();
        identifiers.dedup();
        Some(Scanned {
            file,
            language,
            class,
            bytes: text.len(),
            places,
            identifiers,
        })
    }

    /// The slots of a part in any case.
    fn slots(&mut self, part: &str, local: &mut Local) -> &[u32] {
        self.lower.clear();
        self.lower.extend_from_slice(part.as_bytes());
        self.lower.make_ascii_lowercase();
        if !self.known.contains_key(self.lower.as_slice()) {
            let found = self.find(part, local);
            self.known
                .insert(self.lower.as_slice().into(), found.into());
        }
        self.known
            .get(self.lower.as_slice())
            .map_or(&[], |s| &s[..])
    }

    fn find(&mut self, part: &str, local: &mut Local) -> Vec<u32> {
        let Some(term) = self.stems.term(part) else {
            return Vec::new();
        };
        if let Some(&i) = self.words.get(&term) {
            return vec![i];
        }
        let lower = part.to_lowercase();
        let own = self.task.words.len();
        let mut found = Vec::new();
        for (i, w) in self.task.words.iter().enumerate() {
            if abbreviation::related(&lower, &w.stem) {
                let next = (own + local.forms.len()) as u32;
                let key = (i, lower.clone().into_boxed_str());
                found.push(*local.forms.entry(key).or_insert(next));
            }
        }
        found
    }
}
