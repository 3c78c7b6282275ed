//! A task in plain words, or an issue's text, to ranked spans of whole definitions.
//!
//! No index is needed. One pass over all files notes where the task's words stand;
//! the files that look best are parsed and cut into blocks, mostly whole
//! definitions; blocks are ranked by fielded BM25 and a few signals beside it.
//!
//! # What each signal adds
//!
//! Mean range recall over budgets of 2,000, 4,000 and 8,000 tokens, as the change in
//! points when the signal is taken away: on two sets of commits (A: 50 of 7
//! repositories, B: 108 of 12 others), on issues (44 of 8 repositories), and on all
//! with the 90% interval of the paired difference.
//!
//! | without | A | B | issues | all |
//! |---|---|---|---|---|
//! | tests, benchmarks and examples marked down | -6.6 | -4.4 | -8.0 | -5.7 [-7.4, -4.2] |
//! | strings as a field | -2.3 | -2.2 | -4.1 | -2.6 [-4.2, -1.1] |
//! | identifiers of the task, their definitions | -4.0 | -2.2 | +0.4 | -2.1 [-3.3, -0.8] |
//! | prose and data marked down | -0.8 | -2.7 | -1.8 | -2.0 [-3.0, -1.2] |
//! | a quarter of the neighbours' scores | -4.5 | -1.2 | -1.1 | -2.0 [-3.5, -0.6] |
//! | comments as a field | -1.9 | -1.7 | -2.3 | -1.9 [-2.9, -1.0] |
//! | words of the path | -4.1 | -1.2 | -1.1 | -1.9 [-3.1, -0.9] |
//! | words of quoted code set aside | 0.0 | 0.0 | -6.4 | -1.4 [-2.4, -0.6] |
//! | five times the weight for the title, twice instead | -0.9 | -0.7 | -1.6 | -1.0 [-1.6, -0.3] |
//! | code between definitions marked down | -0.4 | -0.9 | -0.9 | -0.8 [-1.4, -0.1] |
//! | the second round | -0.1 | -0.5 | -2.0 | -0.7 [-1.5, 0.0] |
//! | short and long forms (`cfg` of config) | -1.1 | -1.0 | +0.6 | -0.7 [-1.3, -0.1] |
//! | a tenth of the best score in the file | -0.4 | -0.9 | +0.1 | -0.6 [-1.1, 0.0] |
//! | rarity with an exponent below 1 | -0.9 | -0.3 | -0.8 | -0.6 [-1.3, +0.1] |
//! | identifiers in quoted code marked down | 0.0 | 0.0 | -2.4 | -0.5 [-1.0, -0.1] |
//! | types marked down a little | -0.3 | 0.0 | -1.4 | -0.4 [-1.0, +0.1] |
//!
//! On sets that nothing was tuned on (96 commits, 34 issues) the changes of this
//! version against the one before it were +0.2 [-2.0, +2.1] and +9.5 [+2.2, +18.1]
//! points of range recall at 8,000 tokens; the line F1 of what is returned without
//! filling did not change beyond chance (0.0 [-2.3, +2.3] and -2.9 [-7.8, +1.4]).
//!
//! # What each round adds
//!
//! On 332 cases (those above, 96 further commits and 34 further issues), against the
//! round before: the second +1.2 [+0.6, +1.9] points of mean range recall and +0.6
//! [-0.2, +1.5] of line F1; a third -0.1 [-0.3, +0.2] and -0.3 [-0.7, +0.2]; a fourth
//! -0.1 [-0.3, 0.0] and 0.0. So there are two.
//!
//! Without filling, that gain was bought with tokens, and by the case the second round
//! did harm as often as good (of the 50 commits of A better in 9, worse in 8). So it
//! has no more tokens than the first, whose four best places stay, and replaces only
//! what it does not find again: of 164 cases (A and those that nothing was tuned on)
//! line F1 is better in one and worse in one, and no range is lost.
//!
//! # What breadth adds
//!
//! With all that fits, a tenth more for the best block of each file, if it is short:
//! file recall +2.9, +0.9 and +1.0 points at 2,000, 4,000 and 8,000 tokens, range
//! recall +0.6, 0.0 and +0.1. For long blocks, too, it costs range recall (-0.4, -0.9,
//! -0.5); marking down each further block of a file costs more than it brings.
//!
//! # What joining adds
//!
//! With all that fits, what follows one another in a file is one result with one header
//! where that puts at most 60 tokens before results that rank higher. Range recall at
//! 2,000, 4,000 and 8,000 tokens: on A +1.7 [+0.2, +4.1], +1.3 [+0.2, +3.0] and +0.5 [0.0,
//! +1.3] points; on 174 commits of 44 other repositories, by which the rule was chosen,
//! +1.5 [-0.6, +3.6], +1.3 [+0.1, +2.6] and +0.2 [0.0, +0.4]; on 173 of 44 more, -0.2
//! [-1.8, +1.3], +1.3 [+0.3, +2.5] and +0.8 [+0.3, +1.6]. At 8,000 no case is worse. All
//! that touches as one gains more there (+0.7 [0.0, +1.4], +0.9 [+0.1, +1.9] and +1.4 [+0.3,
//! +2.7]), but costs recall at 2,000 tokens (-8.4, -6.0 and -3.7); what touches and scores
//! 0.9 as much as one gains nothing at 8,000 (A +0.3, the 174 -0.3). Without filling
//! joining gains nothing (line F1 of the 174 0.0 [-0.1, 0.0]): results stay apart.
//!
//! # What an issue's form adds
//!
//! Headings behind the title, what is told about the machine, ticked boxes, images and
//! numbers of versions and issues are no words of the task. On 61 issues: range recall
//! +0.4 [0.0, +1.2], +2.9 [-1.0, +7.2] and +2.6 [+0.4, +5.7] points at 2,000, 4,000 and
//! 8,000 tokens (there better in three, worse in none), line F1 +0.7 [-1.4, +2.7]. Most
//! of it comes from the 34 among them whose misses were read beforehand; the other 27
//! have 0.0, -1.2 [-3.7, 0.0] and 0.0, and line F1 +0.6 [-1.4, +3.0].
//!
//! # What is missing
//!
//! Of the ranges of the 332 cases, weighted by case, 79.5% are returned within 8,000
//! tokens. Of 10.0% another block of the same file is returned, and of 7.3% none; 3.0%
//! share no word with the task, and 0.2% are in files that are not read. Range recall is
//! 85.8 with 16,000 tokens and 91.9 with 32,000: what is missing ranks far below, and
//! no other choice behind the first 4,000 tokens brought it up (see below).
//!
//! # What was tried and left out
//!
//! Other weights: 19 were moved, most of them both ways, on the 332 cases, and none gained
//! beyond chance. Weights of 37 features fitted to the gold (listwise, tested on
//! repositories that they were not fitted on) lost 4.0 [-5.6, -2.5] points of mean range
//! recall. Other parameters of the stop, chosen on some repositories, lost 0.5 to 1.2
//! points of line F1 on the others.
//!
//! Signals, as the change when added: callees 0.0, callers -0.1, what tests
//! and prose call -0.1, definitions of the same name -0.5, closeness of the words +0.2
//! (issues -0.9), coverage of the task's words -0.2, size of the block 0.0. A fitted
//! model of what is worth returning had the line F1 of the rule that is used.
//!
//! Choices behind the first 4,000 tokens, as the change of range recall at 8,000: shorter
//! blocks first -0.2 [-0.8, +0.4], what lies beside a returned block 0.0 [-0.4, +0.3],
//! methods of its type -0.1 [-0.4, +0.1], words that little was returned for +0.2 [-0.6,
//! +1.0], imports of the best file -0.1 [-0.3, 0.0], blocks that fit instead of a cut one
//! -0.1 [-0.3, 0.0]. Blocks of the ten best files before others: +0.6 [0.0, +1.4], for
//! file recall -0.9 [-1.8, -0.3]; but on 94 commits that it was not chosen on, -2.1 [-5.3,
//! 0.0].
//!
//! On some 200 cases, as the change of range recall at 8,000: words of the best blocks
//! in place of the names that they use 0.0 [-1.4, +1.4], words of their names as well 0.0
//! [-1.2, +1.2]; rarity by block -0.8 [-1.6, -0.1], by file -0.5 [-1.7, +0.6]; two words
//! of the task written as one 0.0. A list of 69 groups of synonyms (delete, remove, erase),
//! each for a fifth of the word: mean range recall +0.6 [0.0, +1.3] on 269 cases, but -0.5
//! on the 89 commits among them that came last, and line F1 -0.3 [-0.7, +0.1].
//!
//! On 294 cases, as the change of range recall at 8,000: the task's sentences ranked each
//! on its own, behind the first 4,000 tokens, +0.1 to -1.4; the best score of a directory
//! -0.4 to 0.0; comments above definitions left out there +0.1 [0.0, +0.3]; results that
//! follow one another and score alike as one +0.6 [+0.1, +1.3], by four cases, of which
//! what their headers cost is +0.2 [0.0, +0.3]; a model of 27 features for what lies
//! behind 4,000 tokens, tested on other repositories, +0.5 [-1.2, +2.0].

mod abbreviation;
mod block;
mod company;
mod facts;
mod located;
mod scan;
mod scene;
mod score;
mod select;
mod task;
mod words;

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

pub use block::Shape;
pub use located::{Located, Ranked};
pub use score::Weights;
pub use task::{Identifier, Task, Word};

use super::class::Class;
use crate::error::Result;
use crate::workspace::{self, Cancel, FilePath, Root, Scope};
use block::Block;
use facts::Memory;
use scan::Scan;
use scene::{File, Placed, Scene, Wanted};
use words::{Map, Stems};

/// Bytes of the best files that are parsed (3 MiB); the first pass has seen all. That is
/// most of the time that a first answer takes, and with 4 MiB, range recall at 8,000
/// tokens is no better in any of 79 cases; with 2 MiB, it is worse in one.
const PARSED_BYTES: usize = 3 << 20;

/// How much is returned, and from where.
#[derive(Debug, Clone)]
pub struct LocateOptions {
    /// o200k tokens that the results may cost together: for each, the line
    /// `path:start-end` and its code.
    pub budget: usize,
    /// Whether to go on in rank order as long as the budget holds, instead of
    /// stopping where more is not worth its tokens.
    pub fill: bool,
    /// Which files are considered.
    pub scope: Scope,
    /// 1: by the task's own words and names. 2, the default: then by the names that
    /// the best places of the first round use. More are not taken. The best of the
    /// first round stay, and unless all that fits is wanted, the answer has no more
    /// tokens than that of one round.
    pub rounds: usize,
}

impl Default for LocateOptions {
    fn default() -> Self {
        Self {
            budget: 8000,
            fill: false,
            scope: Scope::default(),
            rounds: 2,
        }
    }
}

/// Finds the spans that a task is about.
///
/// Reads every file of `options.scope` once. The same tree and task give the same
/// answer, whatever the number of threads.
///
/// # Errors
/// `bad_glob`, or what `cancel` says once it is set.
pub fn locate(
    root: &Root,
    task: &str,
    options: &LocateOptions,
    cancel: &Cancel,
) -> Result<Located> {
    Locator::once(root).locate(task, options, cancel)
}

/// [`locate`] for a process that answers again: it remembers what the files hold, and
/// reads only those that are not as they were. The answers are the same.
#[derive(Debug)]
pub struct Locator {
    root: Root,
    memory: Memory,
}

impl Locator {
    /// Remembers nothing yet; the first answer takes as long as [`locate`].
    pub fn new(root: &Root) -> Self {
        Self {
            root: root.clone(),
            memory: Memory::kept(),
        }
    }

    /// For a process that asks once: it remembers nothing, and takes less memory.
    pub fn once(root: &Root) -> Self {
        Self {
            root: root.clone(),
            memory: Memory::default(),
        }
    }

    /// The root that it searches.
    pub fn root(&self) -> &Root {
        &self.root
    }

    /// As [`locate`] in the locator's root.
    ///
    /// # Errors
    /// As [`locate`].
    pub fn locate(&self, task: &str, options: &LocateOptions, cancel: &Cancel) -> Result<Located> {
        answer(&self.root, &self.memory, task, options, cancel)
    }
}

fn answer(
    root: &Root,
    memory: &Memory,
    task: &str,
    options: &LocateOptions,
    cancel: &Cancel,
) -> Result<Located> {
    let (scene, read) = prepare(root, memory, task, options, cancel)?;
    let scores = score::score(&scene, &Weights::default(), options.rounds);
    cancel.check()?;
    let mut located = select::select(&scene, &scores, options.budget, options.fill);
    located.files = read;
    Ok(located)
}

fn prepare(
    root: &Root,
    memory: &Memory,
    task: &str,
    options: &LocateOptions,
    cancel: &Cancel,
) -> Result<(Scene, usize)> {
    let task = Task::parse(task);
    let files = workspace::walk(root, &options.scope, cancel)?;
    let mut scan = scan::scan(&files, &task, memory, cancel)?;
    let wanted = wanted(&scan, &task);
    let chosen = choose(&files, &scan, &task, &wanted);
    cancel.check()?;
    let stems = std::mem::take(&mut scan.stems);
    let parsed = cut(&files, &scan, &chosen, stems, cancel);
    cancel.check()?;
    let mut stems = Stems::new();
    let mut scene = Scene {
        task,
        wanted,
        files: Vec::new(),
        blocks: Vec::new(),
    };
    for (blocks, &i) in parsed.into_iter().zip(&chosen) {
        let (Some(blocks), Some(found)) = (blocks, scan.files.get(i)) else {
            continue;
        };
        let Some(path) = files.get(found.file) else {
            continue;
        };
        let file = scene.files.len();
        scene.files.push(File {
            terms: stems.terms(&path.rel),
            class: found.facts.class,
            path: path.clone(),
        });
        let placed = (0..blocks.len()).map(|at| Placed {
            file,
            of: Arc::clone(&blocks),
            at,
        });
        scene.blocks.extend(placed);
    }
    // A search of some files must not make the others be forgotten.
    if memory.keeps() && options.scope.globs.is_empty() {
        let seen = scan.files.iter();
        memory.keep(seen.filter_map(|f| Some((files.get(f.file)?.rel.as_str(), &f.facts))));
    }
    Ok((scene, scan.read))
}

/// The blocks of the chosen files, in their order. The largest are cut first, so that
/// no thread is left alone with one at the end; each goes on with what one knows of
/// words since the first pass.
fn cut(
    files: &[FilePath],
    scan: &Scan,
    chosen: &[usize],
    stems: Vec<Stems>,
    cancel: &Cancel,
) -> Vec<Option<Arc<Vec<Block>>>> {
    let bytes = |at: usize| {
        let file = chosen.get(at).and_then(|&i| scan.files.get(i));
        file.map_or(0, |f| f.facts.bytes)
    };
    let mut order: Vec<usize> = (0..chosen.len()).collect();
    order.sort_by_key(|&at| std::cmp::Reverse(bytes(at)));
    let next = AtomicUsize::new(0);
    let done: Vec<OnceLock<Arc<Vec<Block>>>> = chosen.iter().map(|_| OnceLock::new()).collect();
    let (order, next, done_of) = (&order, &next, &done);
    std::thread::scope(|scope| {
        for mut stems in stems {
            scope.spawn(move || {
                while let Some(&at) = order.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if cancel.is_cancelled() {
                        break;
                    }
                    let found = chosen.get(at).and_then(|&i| scan.files.get(i));
                    let blocks = found.and_then(|f| f.facts.blocks(files.get(f.file)?, &mut stems));
                    if let (Some(blocks), Some(place)) = (blocks, done_of.get(at)) {
                        let _ = place.set(blocks);
                    }
                }
            });
        }
    });
    done.into_iter().map(OnceLock::into_inner).collect()
}

/// The terms to look for, with what each is worth.
fn wanted(scan: &Scan, task: &Task) -> Vec<Wanted> {
    let n = f64::from(scan.windows.max(1));
    let mut stems = Stems::new();
    scan.slots
        .iter()
        .filter_map(|slot| {
            let df = f64::from(slot.windows);
            let (term, own) = match &slot.form {
                None => (task.words.get(slot.word)?.term, true),
                Some(form) => (stems.term(form)?, false),
            };
            Some(Wanted {
                term,
                word: slot.word,
                own,
                shared: slot.shared,
                idf: (1.0 + (n - df + 0.5).max(0.0) / (df + 0.5)).ln(),
            })
        })
        .collect()
}

/// The files that are worth parsing, by the best windows of the first pass, as
/// indexes into `scan.files` in path order.
fn choose(files: &[FilePath], scan: &Scan, task: &Task, wanted: &[Wanted]) -> Vec<usize> {
    let total: usize = scan.files.iter().map(|f| f.facts.bytes).sum();
    let all = 0..scan.files.len();
    if total <= PARSED_BYTES {
        return all.collect();
    }
    let mut stems = Stems::new();
    let mut ranked: Vec<(f64, usize)> = all
        .map(|i| (promise(files, scan, task, wanted, i, &mut stems), i))
        .filter(|(s, _)| *s > 0.0)
        .collect();
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let mut left = PARSED_BYTES;
    let mut chosen: Vec<usize> = ranked
        .into_iter()
        .map_while(|(_, i)| {
            left = left.checked_sub(scan.files.get(i)?.facts.bytes)?;
            Some(i)
        })
        .collect();
    chosen.sort_unstable();
    chosen
}

/// How well a file's best windows fit, without its syntax.
fn promise(
    files: &[FilePath],
    scan: &Scan,
    task: &Task,
    wanted: &[Wanted],
    i: usize,
    stems: &mut Stems,
) -> f64 {
    let Some(file) = scan.files.get(i) else {
        return 0.0;
    };
    let worth = |slot: u32, count: f64| {
        wanted.get(slot as usize).map_or(0.0, |q| {
            let weight = task.words.get(q.word).map_or(0.0, |w| w.weight);
            let own = if q.own { 1.0 } else { 0.3 };
            own * weight * q.idf * count / (count + 1.2)
        })
    };
    let mut best = [0.0f64; 3];
    for window in file
        .places
        .chunk_by(|a, b| a.0 / scan::WINDOW == b.0 / scan::WINDOW)
    {
        let mut counts: Map<u32, f64> = Map::default();
        for (_, slot) in window {
            *counts.entry(*slot).or_default() += 1.0;
        }
        let mut counts: Vec<_> = counts.into_iter().collect();
        counts.sort_unstable_by_key(|c| c.0);
        let mut s: f64 = counts.into_iter().map(|(slot, n)| worth(slot, n)).sum();
        for x in &mut best {
            if s > *x {
                std::mem::swap(&mut s, x);
            }
        }
    }
    let rel = files.get(file.file).map_or("", |f| &f.rel);
    let path = stems.terms(rel);
    let in_path: f64 = wanted
        .iter()
        .filter(|q| q.own && path.contains(&q.term))
        .map(|q| q.idf * 0.3)
        .sum();
    let named = task
        .files
        .iter()
        .any(|(f, _)| Path::new(rel).ends_with(f) || Path::new(f).ends_with(rel));
    let ids = file.identifiers as f64 * 5.0;
    let factor = match file.facts.class {
        Class::Code => 1.0,
        _ => 0.3,
    };
    factor * (best[0] + 0.5 * best[1] + 0.25 * best[2] + in_path + ids)
        + if named { 1e6 } else { 0.0 }
}
