//! Blocks to scores: fielded BM25, then what a colleague would also look at.

use super::block::{Block, Shape};
use super::class::Class;
use super::task::Task;
use super::words::{Map, Term};

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
    /// An abbreviation or long form, against the word itself.
    pub form: f64,
    /// Share of the best score for a block that mentions an identifier of the task.
    pub mention: f64,
    /// Share of the best score for the block that defines it.
    pub defines: f64,
    /// Share of the best score for blocks of a file that the task names.
    pub file_named: f64,
    /// Share of its neighbours' scores that a block gets.
    pub neighbour: f64,
    /// Share of its file's score.
    pub file: f64,
    /// Share for the closeness of different words.
    pub near: f64,
    /// Share of the best score of those who call it.
    pub caller: f64,
    /// Share of the best score of those it calls.
    pub callee: f64,
    /// Share for words that the best blocks have in common.
    pub feedback: f64,
    /// Factor for tests, benchmarks and examples.
    pub test: f64,
    /// Factor for code of others and generated code.
    pub vendor: f64,
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
    /// Reward for the share of the task's words that a block has.
    pub coverage: f64,
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
            repeat: 1.0,
            form: 0.0,
            mention: 0.3,
            defines: 0.7,
            file_named: 0.5,
            neighbour: 0.15,
            file: 0.0,
            near: 0.0,
            caller: 0.0,
            callee: 0.0,
            feedback: 0.0,
            test: 0.3,
            vendor: 0.3,
            prose: 0.3,
            data: 0.3,
            imports: 0.2,
            gap: 1.0,
            piece: 1.0,
            tiny: 0.6,
            types: 1.0,
            coverage: 0.0,
        }
    }
}

/// A word that is looked for.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    pub(super) term: Term,
    /// Index of the task's word.
    pub(super) word: usize,
    /// Whether it is the word itself, not an abbreviation or long form.
    pub(super) own: bool,
    pub(super) idf: f64,
}

/// A parsed file.
pub(super) struct File {
    pub(super) rel: String,
    pub(super) class: Class,
    /// Terms of its path.
    pub(super) path: Vec<Term>,
}

/// All that is known when blocks are scored.
pub(super) struct Scene {
    pub(super) task: Task,
    pub(super) wanted: Vec<Wanted>,
    pub(super) files: Vec<File>,
    /// In order of file and line.
    pub(super) blocks: Vec<Block>,
}

/// Scores of all blocks, in their order.
pub(super) fn score(scene: &Scene, w: &Weights) -> Vec<f64> {
    let lengths: Vec<f64> = scene.blocks.iter().map(|b| length(b, w)).collect();
    let average = lengths.iter().sum::<f64>() / lengths.len().max(1) as f64;
    let mut scores = words(scene, w, &lengths, average);
    let top = scores.iter().copied().fold(0.0, f64::max);
    identifiers(scene, w, top, &mut scores);
    factors(scene, w, &mut scores);
    if w.feedback > 0.0 {
        feedback(scene, w, &lengths, average, &mut scores);
    }
    if w.caller > 0.0 || w.callee > 0.0 {
        calls(scene, w, &mut scores);
    }
    if w.file > 0.0 {
        files(scene, w, &mut scores);
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
    let total: f64 = scene
        .wanted
        .iter()
        .filter(|q| q.own)
        .map(|q| q.idf * weights.get(q.word).copied().unwrap_or_default())
        .sum();
    let in_path: Vec<Vec<bool>> = scene
        .files
        .iter()
        .map(|f| {
            scene
                .wanted
                .iter()
                .map(|q| f.path.contains(&q.term))
                .collect()
        })
        .collect();
    let mut per_word = vec![0.0f64; scene.task.words.len()];
    scene
        .blocks
        .iter()
        .zip(lengths)
        .map(|(block, length)| {
            per_word.fill(0.0);
            let norm = w.k1 * (1.0 - w.b + w.b * length / average.max(1.0));
            for (i, q) in scene.wanted.iter().enumerate() {
                if !q.own && w.form <= 0.0 {
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
                let s = weight * q.idf * tf * (w.k1 + 1.0) / (tf + norm)
                    * if q.own { 1.0 } else { w.form };
                // A word and its short form say the same thing once.
                if let Some(best) = per_word.get_mut(q.word) {
                    *best = best.max(s);
                }
            }
            let sum: f64 = per_word.iter().sum();
            if w.coverage > 0.0 && total > 0.0 {
                let covered: f64 = scene
                    .wanted
                    .iter()
                    .filter(|q| q.own && per_word.get(q.word).is_some_and(|s| *s > 0.0))
                    .map(|q| q.idf * weights.get(q.word).copied().unwrap_or_default())
                    .sum();
                sum * (1.0 + w.coverage * (covered / total).powf(1.5))
            } else {
                sum
            }
        })
        .collect()
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
        let sure = if id.certain { 1.0 } else { 0.5 };
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
            let hit: Vec<bool> = scene.files.iter().map(|f| names(named, &f.rel)).collect();
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

fn factors(scene: &Scene, w: &Weights, scores: &mut [f64]) {
    for (b, s) in scene.blocks.iter().zip(scores.iter_mut()) {
        let class = scene.files.get(b.file).map_or(Class::Code, |f| f.class);
        *s *= match class {
            Class::Code if b.test => w.test,
            Class::Code => 1.0,
            Class::Test => w.test,
            Class::Vendor => w.vendor,
            Class::Prose => w.prose,
            Class::Data => w.data,
        };
        *s *= match b.shape {
            Shape::Callable => 1.0,
            Shape::Piece => w.piece,
            Shape::Type => w.types,
            Shape::Gap | Shape::Section => w.gap,
            Shape::Imports => w.imports,
        };
        if b.solid <= 2 {
            *s *= w.tiny;
        }
        if w.near > 0.0 {
            *s *= 1.0 + w.near * closeness(scene, b);
        }
    }
}

/// The largest share of the task's weight that stands within four lines.
fn closeness(scene: &Scene, b: &Block) -> f64 {
    let weight: Map<Term, f64> = scene
        .wanted
        .iter()
        .filter(|q| q.own)
        .map(|q| {
            let w = scene.task.words.get(q.word).map_or(0.0, |x| x.weight);
            (q.term, q.idf * w)
        })
        .collect();
    let total: f64 = scene
        .wanted
        .iter()
        .filter(|q| q.own)
        .filter_map(|q| weight.get(&q.term))
        .sum();
    let mut best: f64 = 0.0;
    for (i, first) in b.places.iter().enumerate() {
        let mut seen: Vec<Term> = Vec::new();
        let mut sum = 0.0;
        for (line, term) in b.places.iter().skip(i) {
            if *line > first.0 + 3 {
                break;
            }
            if !seen.contains(term) {
                seen.push(*term);
                sum += weight.get(term).copied().unwrap_or_default();
            }
        }
        best = best.max(sum);
    }
    if total > 0.0 { best / total } else { 0.0 }
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

/// Blocks of files whose best blocks are good.
fn files(scene: &Scene, w: &Weights, scores: &mut [f64]) {
    let mut best: Vec<[f64; 3]> = vec![[0.0; 3]; scene.files.len()];
    for (b, &s) in scene.blocks.iter().zip(scores.iter()) {
        if let Some(three) = best.get_mut(b.file) {
            let mut s = s;
            for x in three.iter_mut() {
                if s > *x {
                    std::mem::swap(&mut s, x);
                }
            }
        }
    }
    for (b, s) in scene.blocks.iter().zip(scores.iter_mut()) {
        if let Some(three) = best.get(b.file) {
            *s += w.file * three.iter().sum::<f64>() / 3.0;
        }
    }
}

/// Blocks that call good ones, or are called by them.
fn calls(scene: &Scene, w: &Weights, scores: &mut [f64]) {
    let mut definers: Map<u64, Vec<usize>> = Map::default();
    for (i, b) in scene.blocks.iter().enumerate() {
        if let Some(n) = b.name
            && matches!(b.shape, Shape::Callable | Shape::Piece | Shape::Type)
        {
            definers.entry(n).or_default().push(i);
        }
    }
    let before = scores.to_vec();
    let mut from_caller = vec![0.0f64; scores.len()];
    for (i, b) in scene.blocks.iter().enumerate() {
        let own = before.get(i).copied().unwrap_or_default();
        let mut callee: f64 = 0.0;
        for (id, _) in &b.identifiers {
            let Some(d) = definers.get(id) else { continue };
            if d.len() > 3 {
                continue;
            }
            for &j in d {
                if j == i {
                    continue;
                }
                let share = 1.0 / d.len() as f64;
                callee = callee.max(share * before.get(j).copied().unwrap_or_default());
                if let Some(c) = from_caller.get_mut(j) {
                    *c = c.max(share * own);
                }
            }
        }
        if let Some(s) = scores.get_mut(i) {
            *s += w.callee * callee;
        }
    }
    for (s, c) in scores.iter_mut().zip(from_caller) {
        *s += w.caller * c;
    }
}

/// Words that the best blocks share and the repository does not (RM3): they stand
/// in for the task's words that the code has other names for.
fn feedback(scene: &Scene, w: &Weights, lengths: &[f64], average: f64, scores: &mut [f64]) {
    const BLOCKS: usize = 10;
    const TERMS: usize = 15;
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]).then(a.cmp(&b)));
    order.truncate(BLOCKS);
    let mut df: Map<Term, u32> = Map::default();
    for b in &scene.blocks {
        for (t, _) in &b.terms {
            *df.entry(*t).or_default() += 1;
        }
    }
    let n = scene.blocks.len() as f64;
    let mut model: Map<Term, f64> = Map::default();
    for &i in &order {
        let (Some(b), Some(len)) = (scene.blocks.get(i), lengths.get(i)) else {
            continue;
        };
        for (t, c) in &b.terms {
            let tf = w.symbol * f64::from(c.symbol)
                + f64::from(c.code)
                + w.comment * f64::from(c.comment);
            *model.entry(*t).or_default() +=
                scores.get(i).copied().unwrap_or_default() * tf / len.max(1.0);
        }
    }
    let own: Map<Term, ()> = scene.wanted.iter().map(|q| (q.term, ())).collect();
    let mut model: Vec<(Term, f64)> = model
        .into_iter()
        .filter(|(t, _)| !own.contains_key(t) && df.get(t).is_some_and(|d| *d > 1))
        .map(|(t, p)| {
            let d = f64::from(df.get(&t).copied().unwrap_or(1));
            (t, p * (1.0 + (n - d + 0.5) / (d + 0.5)).ln())
        })
        .collect();
    model.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    model.truncate(TERMS);
    let Some(best) = model.first().map(|m| m.1).filter(|m| *m > 0.0) else {
        return;
    };
    let idf_top = scene.wanted.iter().map(|q| q.idf).fold(0.0, f64::max);
    let extra: Vec<f64> = scene
        .blocks
        .iter()
        .zip(lengths)
        .map(|(b, len)| {
            let norm = w.k1 * (1.0 - w.b + w.b * len / average.max(1.0));
            model
                .iter()
                .filter_map(|(t, p)| {
                    let at = b.terms.binary_search_by_key(t, |x| x.0).ok()?;
                    let c = b.terms.get(at)?.1;
                    let tf = w.symbol * f64::from(c.symbol)
                        + f64::from(c.code)
                        + w.comment * f64::from(c.comment);
                    Some(p / best * idf_top * tf * (w.k1 + 1.0) / (tf + norm))
                })
                .sum::<f64>()
        })
        .collect();
    for ((b, s), e) in scene.blocks.iter().zip(scores.iter_mut()).zip(extra) {
        let class = scene.files.get(b.file).map_or(Class::Code, |f| f.class);
        let f = if class == Class::Code && !b.test {
            1.0
        } else {
            w.test
        };
        *s += w.feedback * e * f;
    }
}

/// The task's words that a block was found by, the most telling first, at most five.
pub(super) fn why(scene: &Scene, w: &Weights, block: usize) -> Vec<String> {
    let Some(b) = scene.blocks.get(block) else {
        return Vec::new();
    };
    let mut found: Vec<(f64, &str)> = scene
        .wanted
        .iter()
        .filter(|q| q.own && b.terms.binary_search_by_key(&q.term, |t| t.0).is_ok())
        .filter_map(|q| {
            let word = scene.task.words.get(q.word)?;
            Some((q.idf * word.weight.powf(w.repeat), word.text.as_str()))
        })
        .collect();
    found.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
    found.into_iter().take(5).map(|f| f.1.to_string()).collect()
}
