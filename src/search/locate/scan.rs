//! The first pass: every file is read once, in parallel, or known from before, and the
//! places of the task's words are noted. Nothing is parsed; the text is not kept.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::abbreviation;
use super::facts::{self, Facts, Memory, Reader, Words};
use super::task::Task;
use super::words::{self, Map, Stems, Term};
use crate::error::Result;
use crate::workspace::{self, Cancel, FilePath};

/// Lines to a window, the unit in which the first pass counts.
pub(super) const WINDOW: u32 = 40;

/// A file with the places of the task's words.
pub(super) struct Scanned {
    /// Index in the walk's order.
    pub(super) file: usize,
    pub(super) facts: Arc<Facts>,
    /// Where words stand: line from 0 and index into [`Scan::slots`].
    pub(super) places: Vec<(u32, u32)>,
    /// How many identifiers of the task occur.
    pub(super) identifiers: usize,
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
    /// Whether a short or long form shares a line with its word somewhere.
    pub(super) shared: bool,
}

pub(super) struct Scan {
    pub(super) files: Vec<Scanned>,
    pub(super) slots: Vec<Slot>,
    /// Windows of all files.
    pub(super) windows: u32,
    /// Files that were read.
    pub(super) read: usize,
    /// What each thread knows of words by now.
    pub(super) stems: Vec<Stems>,
}

#[derive(Default)]
struct Local {
    files: Vec<Scanned>,
    /// Forms by (word, spelling), their indexes starting behind the task's words.
    forms: Map<(usize, Box<str>), u32>,
    windows: u32,
    read: usize,
    stems: Option<Stems>,
}

/// Reads all files. The result does not depend on the number of threads.
///
/// # Errors
/// What `cancel` says once it is set.
pub(super) fn scan(
    files: &[FilePath],
    task: &Task,
    memory: &Memory,
    cancel: &Cancel,
) -> Result<Scan> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..workspace::threads() {
            scope.spawn(|| {
                let mut local = Local::default();
                let mut finder = Finder::new(task, memory);
                loop {
                    let i = next.fetch_add(1, Ordering::Relaxed);
                    let Some(path) = files.get(i) else { break };
                    if cancel.is_cancelled() {
                        break;
                    }
                    if let Some(found) = finder.file(i, path, &mut local) {
                        local.files.push(found);
                    }
                }
                local.stems = Some(finder.into_stems());
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
        stems: Vec::new(),
    };
    for local in locals {
        out.stems.extend(local.stems);
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
            shared: false,
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
                let word = self.slots.get(slot as usize).map_or(0, |s| s.word as u32);
                let shared = slot != word && here.binary_search(&word).is_ok();
                let Some(s) = self.slots.get_mut(slot as usize) else {
                    continue;
                };
                s.shared |= shared;
                if last_window.insert(slot, window) != Some(window) {
                    s.windows += 1;
                }
            }
        }
    }
}

/// What one thread remembers between files of one call.
struct Finder<'t> {
    memory: &'t Memory,
    reader: Reader,
    asked: Asked<'t>,
    /// Slots by spelling, as far as they are known; most spellings have none.
    known: Vec<Option<Box<[u32]>>>,
    /// Slots by the hash of the part, where nothing is kept.
    parts: Map<u64, Box<[u32]>>,
    stems: Stems,
}

impl<'t> Finder<'t> {
    fn new(task: &'t Task, memory: &'t Memory) -> Self {
        Finder {
            memory,
            reader: Reader::new(),
            asked: Asked::new(task),
            known: Vec::new(),
            parts: Map::default(),
            stems: Stems::new(),
        }
    }

    fn file(&mut self, file: usize, path: &FilePath, local: &mut Local) -> Option<Scanned> {
        let (facts, places, identifiers) = if self.memory.keeps() {
            let facts = self.memory.facts(path, &mut self.reader)?;
            let mut places = Vec::new();
            for &(line, spelling) in &facts.words {
                for &slot in self.slots(spelling, local) {
                    places.push((line, slot));
                }
            }
            let occurs = |d: &&u64| facts.names.binary_search(d).is_ok();
            let identifiers = self.asked.identifiers.iter().filter(occurs).count();
            (facts, places, identifiers)
        } else {
            let mut once = Once {
                finder: self,
                local,
                places: Vec::new(),
                named: Vec::new(),
            };
            let facts = facts::read(path, &mut once)?;
            (Arc::new(facts), once.places, once.named.len())
        };
        local.read += 1;
        local.windows += facts.lines.div_ceil(WINDOW);
        Some(Scanned {
            file,
            facts,
            places,
            identifiers,
        })
    }

    /// What it knows of words.
    fn into_stems(self) -> Stems {
        if self.memory.keeps() {
            self.reader.into_stems()
        } else {
            self.stems
        }
    }

    fn slots(&mut self, spelling: u32, local: &mut Local) -> &[u32] {
        let at = spelling as usize;
        if self.known.get(at).is_none_or(Option::is_none) {
            let found = match self.memory.spelling(spelling) {
                Some(spelling) => self.asked.slots(&spelling.text, spelling.term, local),
                None => Vec::new(),
            };
            if self.known.len() <= at {
                self.known.resize(at + 1, None);
            }
            if let Some(slot) = self.known.get_mut(at) {
                *slot = Some(found.into());
            }
        }
        self.known
            .get(at)
            .and_then(Option::as_deref)
            .unwrap_or_default()
    }
}

/// What a task asks for.
struct Asked<'t> {
    task: &'t Task,
    words: Map<Term, u32>,
    /// Hashes of its identifiers, each once.
    identifiers: Vec<u64>,
    /// Bits at the lengths of its identifiers in bytes; the last one for longer ones.
    lengths: u64,
}

impl<'t> Asked<'t> {
    fn new(task: &'t Task) -> Self {
        let words = task.words.iter().zip(0..).map(|(w, i)| (w.term, i));
        let identifiers = task.identifiers.iter();
        Asked {
            task,
            words: words.collect(),
            identifiers: identifiers.clone().map(|d| d.hash).collect(),
            lengths: identifiers.fold(0, |bits, d| bits | bit(d.name.len())),
        }
    }

    /// The slots of a word of the repository in lower case.
    fn slots(&self, text: &str, term: Term, local: &mut Local) -> Vec<u32> {
        if let Some(&i) = self.words.get(&term) {
            return vec![i];
        }
        let own = self.task.words.len();
        let mut found = Vec::new();
        for (i, w) in self.task.words.iter().enumerate() {
            if abbreviation::related(text, &w.stem) {
                let next = (own + local.forms.len()) as u32;
                let key = (i, text.into());
                found.push(*local.forms.entry(key).or_insert(next));
            }
        }
        found
    }
}

fn bit(length: usize) -> u64 {
    1 << length.min(63)
}

/// Looks for the task's words in a file as it is read, and keeps nothing else.
struct Once<'f, 't> {
    finder: &'f mut Finder<'t>,
    local: &'f mut Local,
    places: Vec<(u32, u32)>,
    /// Identifiers of the task that were found.
    named: Vec<u64>,
}

impl Words for Once<'_, '_> {
    fn part(&mut self, line: u32, part: &str) {
        if !(2..=words::MAX_PART).contains(&part.len()) {
            return;
        }
        let key = words::whole(part);
        let Finder {
            parts,
            stems,
            asked,
            ..
        } = &mut *self.finder;
        if let Some(slots) = parts.get(&key) {
            self.places.extend(slots.iter().map(|&slot| (line, slot)));
            return;
        }
        let slots = match stems.term(part) {
            Some(term) => asked.slots(&part.to_lowercase(), term, self.local),
            None => Vec::new(),
        };
        self.places.extend(slots.iter().map(|&slot| (line, slot)));
        parts.insert(key, slots.into());
    }

    fn name(&mut self, name: &str) {
        let asked = &self.finder.asked;
        if asked.lengths & bit(name.len()) == 0 {
            return;
        }
        let hash = words::whole(name);
        if asked.identifiers.contains(&hash) && !self.named.contains(&hash) {
            self.named.push(hash);
        }
    }
}
