//! From scores to what is returned: in rank order, within the budget, and no
//! further than it is worth its tokens.

use super::block::{Block, Shape};
use super::facts::load;
use super::score::{File, Scene, Weights, why};
use super::words::Map;
use super::{Located, Ranked};
use crate::text::{Lines, Span};
use crate::tokens;

/// The share of the best score from which a block is worth its tokens, and how it
/// rises with the logarithm of the rank: how often a block belongs to the task falls
/// with both (39% at rank 1, 21% at 2, 13% at 3, 9% at 4 and below 5% from 6 on).
const WORTH: f64 = 0.6;
const WORTH_RISE: f64 = 0.15;
/// What is asked on top of a block in a file that nothing was returned from yet, and
/// of one that is no definition or has few lines.
const OTHER_FILE: f64 = 0.1;
const SLIGHT: f64 = 0.1;
/// Lines that are not blank, below which a block is slight.
const SLIGHT_LINES: u32 = 5;
/// Tokens that are worth spending on one task, and ranks that are looked at.
const ENOUGH_TOKENS: usize = 3000;
const ENOUGH_RANKS: usize = 20;
/// With all that fits, the best block of each file counts for this much more, if it has
/// at most so many lines that are not blank: to see one more file costs little then.
const BREADTH: f64 = 1.1;
const BREADTH_LINES: u32 = 25;

pub(super) fn select(scene: &Scene, scores: &[f64], budget: usize, fill: bool) -> Located {
    let broad = fill.then(|| broaden(scene, scores));
    let scores = broad.as_deref().unwrap_or(scores);
    let score = |i: usize| scores.get(i).copied().unwrap_or_default();
    let mut order: Vec<usize> = (0..scores.len()).filter(|&i| score(i) > 0.0).collect();
    order.sort_by(|&a, &b| score(b).total_cmp(&score(a)).then(a.cmp(&b)));
    let top = order.first().map_or(0.0, |&i| score(i));
    let budget = if fill {
        budget
    } else {
        order.truncate(ENOUGH_RANKS);
        budget.min(ENOUGH_TOKENS)
    };
    let mut out = Located {
        considered: scores.len(),
        ..Located::default()
    };
    let mut texts: Map<usize, Option<String>> = Map::default();
    for (rank, i) in order.into_iter().enumerate() {
        let Some(block) = scene.blocks.get(i) else {
            continue;
        };
        let Some(file) = scene.files.get(block.file) else {
            continue;
        };
        if !fill && rank > 0 && score(i) < share(&out, file, block, rank) * top {
            continue;
        }
        let text = texts.entry(block.file).or_insert_with(|| load(&file.path));
        let Some(lines) = text.as_deref().map(Lines::new) else {
            continue;
        };
        // Shorter than a moment ago: what was ranked is gone.
        if block.span.end > lines.len() {
            continue;
        }
        let left = budget.saturating_sub(out.tokens);
        let Some((span, cost)) = fit(&file.path.rel, &lines, block.span, left) else {
            break;
        };
        // A part is worth having only where there is nothing else, or all is wanted.
        if span != block.span && !fill && rank > 0 {
            continue;
        }
        out.tokens += cost;
        out.ranked.push(Ranked {
            path: file.path.rel.clone(),
            span,
            symbol: block.symbol.clone(),
            score: score(i),
            why: why(scene, &Weights::default(), i),
            tokens: cost,
        });
        if span != block.span {
            break;
        }
    }
    out
}

/// The scores with those of each file's best block raised, where it is short.
fn broaden(scene: &Scene, scores: &[f64]) -> Vec<f64> {
    let mut out = scores.to_vec();
    let mut best: Vec<Option<usize>> = vec![None; scene.files.len()];
    for (i, (block, score)) in scene.blocks.iter().zip(scores).enumerate() {
        if let Some(best) = best.get_mut(block.file)
            && best.is_none_or(|b| scores.get(b).is_some_and(|s| s < score))
        {
            *best = Some(i);
        }
    }
    for i in best.into_iter().flatten() {
        if let (Some(block), Some(score)) = (scene.blocks.get(i), out.get_mut(i))
            && block.solid <= BREADTH_LINES
        {
            *score *= BREADTH;
        }
    }
    out
}

/// The share of the best score that a block must have to be returned at a rank.
fn share(so_far: &Located, file: &File, block: &Block, rank: usize) -> f64 {
    let mut share = WORTH + WORTH_RISE * ((rank + 1) as f64).ln();
    if so_far.ranked.iter().all(|r| r.path != file.path.rel) {
        share += OTHER_FILE;
    }
    if matches!(block.shape, Shape::Gap | Shape::Imports) || block.solid < SLIGHT_LINES {
        share += SLIGHT;
    }
    share
}

/// The whole span, or as many of its first lines as fit, with their cost.
fn fit(path: &str, lines: &Lines<'_>, span: Span, left: usize) -> Option<(Span, usize)> {
    let cost =
        |s: Span| tokens::count(&format!("{path}:{}-{}\n{}", s.start, s.end, lines.slice(s)));
    let whole = cost(span);
    if whole <= left {
        return Some((span, whole));
    }
    // Costs grow with the lines: find the last that fits.
    let (mut good, mut bad) = (0, span.len());
    while bad - good > 1 {
        let mid = (good + bad) / 2;
        if cost(Span::new(span.start, span.start + mid - 1)) <= left {
            good = mid;
        } else {
            bad = mid;
        }
    }
    (good > 0).then(|| {
        let cut = Span::new(span.start, span.start + good - 1);
        (cut, cost(cut))
    })
}
