//! Blocks to scores: fielded BM25, then what a colleague would also look at.

use super::block::{Block, Shape};
use super::company;
use super::scene::{Scene, Wanted};
use super::words::Term;
use crate::search::class::Class;

/// How much each signal counts. The defaults were measured; see the module's figures.
#[derive(Debug, Clone)]
pub struct Weights {
    /// BM25: how fast repetition of a word stops to count.
    pub k1: f64,
    /// BM25: how much longer blocks are marked down, 0 to 1.
    pub b: f64,
    /// A word in the block's qualified name, against one in its code.
    pub symbol: f64,
    /// A word in the file's path.
    pub path: f64,
    /// A word in a comment.
    pub comment: f64,
    /// A word in a string.
    pub string: f64,
    /// Exponent of a word's weight in the task.
    pub repeat: f64,
    /// Exponent of a word's rarity in the repository.
    pub rarity: f64,
    /// An abbreviation or long form, against the word itself.
    pub form: f64,
    /// The same for one that never shares a line with the word.
    pub lone_form: f64,
    /// Share of the best score for a block that mentions an identifier of the task.
    pub mention: f64,
    /// Share of the best score for the block that defines it.
    pub defines: f64,
    /// Factor for both where the identifier stands in quoted code only.
    pub quoted: f64,
    /// Share of the best score for blocks of a file that the task names.
    pub file_named: f64,
    /// Share of the best score for the block that uses most of the names which the
    /// best blocks use; others get theirs in proportion.
    pub company: f64,
    /// Share of the best score in its file that a block gets.
    pub file: f64,
    /// Share of its neighbours' scores that a block gets.
    pub neighbour: f64,
    /// Factor for tests, benchmarks and examples.
    pub test: f64,
    /// Factor for code of others and generated code.
    pub foreign: f64,
    /// Factor for documentation.
    pub prose: f64,
    /// Factor for data, markup and styles.
    pub data: f64,
    /// Factor for blocks of imports.
    pub imports: f64,
    /// Factor for code between definitions.
    pub gap: f64,
    /// Factor for pieces of long functions.
    pub piece: f64,
    /// Factor for a block of a line or two.
    pub tiny: f64,
    /// Factor for types.
    pub types: f64,
}

impl Default for Weights {
    fn default() -> Self {
        Weights {
            k1: 1.2,
            b: 0.75,
            symbol: 3.0,
            path: 0.7,
            comment: 0.6,
            string: 1.0,
            repeat: 0.5,
            rarity: 0.8,
            form: 0.3,
            lone_form: 0.15,
            mention: 0.3,
            defines: 0.7,
            quoted: 0.3,
            file_named: 0.5,
            company: 0.2,
            file: 0.1,
            neighbour: 0.25,
            test: 0.3,
            foreign: 0.3,
            prose: 0.15,
            data: 0.15,
            imports: 0.2,
            gap: 0.8,
            piece: 1.0,
            tiny: 0.8,
            types: 0.8,
        }
    }
}

/// Scores of all blocks, in their order.
pub(super) struct Scores {
    /// By the task's own words and names.
    pub first: Vec<f64>,
    /// By what the first round has found, too, where a second one was taken.
    pub later: Option<Vec<f64>>,
}

/// Scores after one round, and after a second where `rounds` allows it.
pub(super) fn score(scene: &Scene, w: &Weights, rounds: usize) -> Scores {
    let lengths: Vec<f64> = scene.blocks.iter().map(|b| length(b, w)).collect();
    let average = lengths.iter().sum::<f64>() / lengths.len().max(1) as f64;
    let mut scores = words(scene, w, &lengths, average);
    let top = scores.iter().copied().fold(0.0, f64::max);
    identifiers(scene, w, top, &mut scores);
    for (i, s) in scores.iter_mut().enumerate() {
        *s *= factor(scene, w, i);
    }
    let later = (rounds > 1).then(|| {
        let company = company::company(scene, &scores);
        around(scene, w, scores.clone(), &company)
    });
    Scores {
        first: around(scene, w, scores, &[]),
        later,
    }
}

/// Adds what a block's file, company and neighbours give it.
fn around(scene: &Scene, w: &Weights, mut scores: Vec<f64>, company: &[f64]) -> Vec<f64> {
    let top = scores.iter().copied().fold(0.0, f64::max);
    let mut best = vec![0.0f64; scene.files.len()];
    for (b, s) in scene.blocks.iter().zip(&scores) {
        if let Some(best) = best.get_mut(b.file) {
            *best = best.max(*s);
        }
    }
    for (i, (b, s)) in scene.blocks.iter().zip(scores.iter_mut()).enumerate() {
        *s += w.file * best.get(b.file).copied().unwrap_or_default();
        if let Some(share) = company.get(i).filter(|share| **share > 0.0) {
            *s += w.company * top * share * factor(scene, w, i);
        }
    }
    if w.neighbour > 0.0 {
        neighbours(scene, w, &mut scores);
    }
    scores
}

fn length(b: &Block, w: &Weights) -> f64 {
    let [comment, string, code] = b.lengths.map(f64::from);
    w.comment * comment + w.string * string + code
}

/// BM25F: occurrences are weighted by field, added up, and only then saturated.
fn words(scene: &Scene, w: &Weights, lengths: &[f64], average: f64) -> Vec<f64> {
    let weights: Vec<f64> = scene
        .task
        .words
        .iter()
        .map(|word| word.weight.powf(w.repeat))
        .collect();
    let rarity: Vec<f64> = scene.wanted.iter().map(|q| q.idf.powf(w.rarity)).collect();
    let in_path: Vec<Vec<bool>> = scene
        .files
        .iter()
        .map(|f| {
            scene
                .wanted
                .iter()
                .map(|q| f.terms.contains(&q.term))
                .collect()
        })
        .collect();
    let mut per_word = vec![0.0f64; scene.task.words.len()];
    let factors = form_factors(scene, w);
    scene
        .blocks
        .iter()
        .zip(lengths)
        .map(|(block, length)| {
            per_word.fill(0.0);
            let norm = w.k1 * (1.0 - w.b + w.b * length / average.max(1.0));
            for (i, q) in scene.wanted.iter().enumerate() {
                let factor = factors.get(i).copied().unwrap_or_default();
                if factor <= 0.0 {
                    continue;
                }
                let c = block
                    .terms
                    .binary_search_by_key(&q.term, |t| t.0)
                    .ok()
                    .and_then(|at| block.terms.get(at))
                    .map(|t| t.1)
                    .unwrap_or_default();
                let path = in_path
                    .get(block.file)
                    .and_then(|p| p.get(i))
                    .copied()
                    .unwrap_or(false);
                let tf = w.symbol * f64::from(c.symbol)
                    + w.comment * f64::from(c.comment)
                    + w.string * f64::from(c.string)
                    + f64::from(c.code)
                    + if path { w.path } else { 0.0 };
                if tf <= 0.0 {
                    continue;
                }
                let weight = weights.get(q.word).copied().unwrap_or_default();
                let rare = rarity.get(i).copied().unwrap_or_default();
                let s = weight * rare * tf * (w.k1 + 1.0) / (tf + norm) * factor;
                // A word and its short form say the same thing once.
                if let Some(best) = per_word.get_mut(q.word) {
                    *best = best.max(s);
                }
            }
            per_word.iter().sum()
        })
        .collect()
}

/// What each wanted term counts against the task's word that it stands for: short
/// and long forms that the repository writes beside the word (`cfg: &Config`) are
/// more likely to mean the same.
fn form_factors(scene: &Scene, w: &Weights) -> Vec<f64> {
    let factor = |q: &Wanted| match (q.own, q.shared) {
        (true, _) => 1.0,
        (false, true) => w.form,
        (false, false) => w.lone_form,
    };
    scene.wanted.iter().map(factor).collect()
}

/// Names that the task spells out: their definitions, and who mentions them.
fn identifiers(scene: &Scene, w: &Weights, top: f64, scores: &mut [f64]) {
    for id in &scene.task.identifiers {
        let mut defined = Vec::new();
        let mut mentioned = Vec::new();
        let qualifier = id.qualifier.as_deref().map(super::words::whole);
        for (i, b) in scene.blocks.iter().enumerate() {
            if b.name == Some(id.hash) {
                defined.push(i);
            }
            if b.identifiers
                .binary_search_by_key(&id.hash, |x| x.0)
                .is_ok()
            {
                mentioned.push(i);
            }
        }
        if let Some(q) = qualifier {
            let fitting: Vec<usize> = defined
                .iter()
                .copied()
                .filter(|&i| scene.blocks.get(i).is_some_and(|b| b.parents.contains(&q)))
                .collect();
            if !fitting.is_empty() {
                defined = fitting;
            }
        }
        let sure = if id.certain { 1.0 } else { 0.5 } * if id.quoted { w.quoted } else { 1.0 };
        let n = scene.blocks.len().max(2) as f64;
        for (set, weight) in [(&defined, w.defines), (&mentioned, w.mention)] {
            let rarity = 1.0 - (set.len().max(1) as f64).ln() / n.ln();
            for &i in set {
                if let Some(s) = scores.get_mut(i) {
                    *s += weight * sure * top * rarity.powi(2);
                }
            }
        }
    }
    if w.file_named > 0.0 {
        for (named, line) in &scene.task.files {
            let hit: Vec<bool> = scene
                .files
                .iter()
                .map(|f| names(named, &f.path.rel))
                .collect();
            let n = hit.iter().filter(|h| **h).count().max(1) as f64;
            for (b, s) in scene.blocks.iter().zip(scores.iter_mut()) {
                if hit.get(b.file).copied().unwrap_or(false) {
                    let at_line = line.is_some_and(|l| b.span.contains(l));
                    *s += w.file_named * top / n * if at_line { 2.0 } else { 0.5 };
                }
            }
        }
    }
}

/// Whether a file named in a text, perhaps from another machine's root, is this one.
fn names(named: &str, rel: &str) -> bool {
    let ends = |long: &str, short: &str| {
        long == short || long.strip_suffix(short).is_some_and(|r| r.ends_with('/'))
    };
    ends(rel, named.trim_start_matches("./")) || (rel.contains('/') && ends(named, rel))
}

/// What a block's place and shape say about it.
fn factor(scene: &Scene, w: &Weights, block: usize) -> f64 {
    let Some(b) = scene.blocks.get(block) else {
        return 0.0;
    };
    let class = match scene.files.get(b.file).map_or(Class::Code, |f| f.class) {
        Class::Code if b.test => w.test,
        Class::Code => 1.0,
        Class::Test => w.test,
        Class::Foreign => w.foreign,
        Class::Prose => w.prose,
        Class::Data => w.data,
    };
    let shape = match b.shape {
        Shape::Callable => 1.0,
        Shape::Piece => w.piece,
        Shape::Type => w.types,
        Shape::Gap | Shape::Section => w.gap,
        Shape::Imports => w.imports,
    };
    class * shape * if b.solid <= 2 { w.tiny } else { 1.0 }
}

/// Blocks next to good ones in the same file.
fn neighbours(scene: &Scene, w: &Weights, scores: &mut [f64]) {
    let before = scores.to_vec();
    for i in 0..scores.len() {
        let mut extra = 0.0;
        for j in [i.wrapping_sub(1), i + 1] {
            if let (Some(a), Some(b), Some(s)) =
                (scene.blocks.get(i), scene.blocks.get(j), before.get(j))
                && a.file == b.file
            {
                extra += s;
            }
        }
        if let Some(s) = scores.get_mut(i) {
            *s += w.neighbour * extra;
        }
    }
}

/// The task's words that blocks were found by, the most telling first, at most five.
pub(super) fn why(scene: &Scene, w: &Weights, blocks: &[usize]) -> Vec<String> {
    let blocks = blocks.iter().filter_map(|&i| scene.blocks.get(i));
    let terms: Vec<_> = blocks.map(|b| &b.terms).collect();
    let holds = |term: &Term| {
        let mut terms = terms.iter();
        terms.any(|t| t.binary_search_by_key(term, |t| t.0).is_ok())
    };
    let mut found: Vec<(f64, &str)> = scene
        .wanted
        .iter()
        .filter(|q| q.own && holds(&q.term))
        .filter_map(|q| {
            let word = scene.task.words.get(q.word)?;
            Some((q.idf * word.weight.powf(w.repeat), word.text.as_str()))
        })
        .collect();
    found.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
    found.into_iter().take(5).map(|f| f.1.to_string()).collect()
}
