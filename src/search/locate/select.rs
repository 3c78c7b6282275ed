//! From scores to what is returned: in rank order, within the budget, and no
//! further than it is worth its tokens.

use super::block::{Block, Shape};
use super::facts::load;
use super::score::{File, Scene, Scores, Weights, why};
use super::words::Map;
use super::{Located, Ranked};
use crate::text::{Lines, Span};
use crate::tokens;
use std::collections::HashSet;

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
/// So many of the first round's best places stay, whatever a later round finds.
const CONFIDENT: usize = 4;

/// Selects by the scores of the last round. The first round's best places stay, and
/// the answer costs no more than that round's own: what a later round finds takes the
/// place of those that it does not find again, and where that leaves tokens they stay
/// as well. With all that fits, a later round ranks what is behind the best ones, and
/// may go on where the first has nothing more.
pub(super) fn select(scene: &Scene, scores: &Scores, budget: usize, fill: bool) -> Located {
    let mut texts = Texts::default();
    let mut take = |scores: &[f64], order: &[usize], budget, sure| {
        pick(scene, scores, order, (budget, fill, sure), &mut texts)
    };
    let first = take(
        &scores.first,
        &ranked(scene, &scores.first, fill),
        budget,
        1,
    );
    let Some(later) = &scores.later else {
        return first.located;
    };
    let confident = first.blocks.get(..CONFIDENT).unwrap_or(&first.blocks);
    let mut order = confident.to_vec();
    let mut most = first.located.tokens;
    let found = ranked(scene, later, fill);
    if fill {
        order.extend(found);
        if !first.cut {
            most = budget;
        }
    } else {
        let found = take(later, &found, budget, 1).blocks;
        order.extend(first.blocks.iter().filter(|b| found.contains(b)));
        order.extend(found);
        order.extend(&first.blocks);
    }
    let mut seen = HashSet::new();
    order.retain(|b| seen.insert(*b));
    let mut located = take(later, &order, most, order.len()).located;
    // What ranks higher scores no less.
    let mut least = 0.0f64;
    for r in located.ranked.iter_mut().rev() {
        r.score = r.score.max(least);
        least = r.score;
    }
    located
}

/// What was picked in one round.
#[derive(Default)]
struct Picked {
    located: Located,
    /// Its blocks, in the order of `located`.
    blocks: Vec<usize>,
    /// Whether the budget ended it.
    cut: bool,
}

/// The files that were read, by their place in the scene.
type Texts = Map<usize, Option<String>>;

/// The blocks with a score, best first; without filling, those that are looked at.
fn ranked(scene: &Scene, scores: &[f64], fill: bool) -> Vec<usize> {
    let broad = fill.then(|| broaden(scene, scores));
    let scores = broad.as_deref().unwrap_or(scores);
    let score = |i: usize| scores.get(i).copied().unwrap_or_default();
    let mut order: Vec<usize> = (0..scores.len()).filter(|&i| score(i) > 0.0).collect();
    order.sort_by(|&a, &b| score(b).total_cmp(&score(a)).then(a.cmp(&b)));
    if !fill {
        order.truncate(ENOUGH_RANKS);
    }
    order
}

/// Picks blocks in an order, as far as the budget goes. The first `sure` ones are
/// worth their tokens, others only if they score enough.
fn pick(
    scene: &Scene,
    scores: &[f64],
    order: &[usize],
    (budget, fill, sure): (usize, bool, usize),
    texts: &mut Texts,
) -> Picked {
    let broad = fill.then(|| broaden(scene, scores));
    let scores = broad.as_deref().unwrap_or(scores);
    let score = |i: usize| scores.get(i).copied().unwrap_or_default();
    let top = order.iter().map(|&i| score(i)).fold(0.0, f64::max);
    let budget = match fill {
        true => budget,
        false => budget.min(ENOUGH_TOKENS),
    };
    let mut picked = Picked::default();
    let out = &mut picked.located;
    out.considered = scores.len();
    for (rank, &i) in order.iter().enumerate() {
        let Some(block) = scene.blocks.get(i) else {
            continue;
        };
        let Some(file) = scene.files.get(block.file) else {
            continue;
        };
        let sure = fill || rank < sure;
        if !sure && score(i) < share(out, file, block, rank) * top {
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
            picked.cut = true;
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
        picked.blocks.push(i);
        if span != block.span {
            picked.cut = true;
            break;
        }
    }
    picked
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

#[cfg(test)]
mod tests {
    use super::super::{LocateOptions, facts, prepare};
    use super::*;
    use crate::workspace::{Cancel, Root};
    use proptest::prelude::*;
    use std::fs;

    /// Twelve functions in four files, of 3 to 25 lines.
    fn scene() -> (tempfile::TempDir, Scene) {
        let dir = tempfile::tempdir().unwrap();
        for file in 0..4 {
            let function = |n: usize| {
                let calls = "    rotate(journal)\n".repeat(1 + n * file * 4);
                format!("def rotate_{file}_{n}(journal):\n{calls}    return journal\n\n\n")
            };
            let text: String = (0..3).map(function).collect();
            fs::write(dir.path().join(format!("f{file}.py")), text).unwrap();
        }
        let root = Root::open(dir.path()).unwrap();
        let (memory, options) = (facts::Memory::default(), LocateOptions::default());
        let (scene, _) =
            prepare(&root, &memory, "rotate journal", &options, &Cancel::new()).unwrap();
        assert!(scene.blocks.len() >= 12);
        (dir, scene)
    }

    proptest! {
        #[test]
        fn a_later_round_costs_no_more_and_keeps_the_best(
            first in prop::collection::vec(0.0f64..1.0, 40),
            more in prop::collection::vec(0.0f64..2.0, 40),
            budget in 0usize..900,
            fill in any::<bool>(),
        ) {
            let (_dir, scene) = scene();
            let blocks = scene.blocks.len().min(40);
            let first = first[..blocks].to_vec();
            let later = first.iter().zip(&more).map(|(a, b)| a + b).collect();
            let one = Scores { first: first.clone(), later: None };
            let two = Scores { first, later: Some(later) };
            let one = select(&scene, &one, budget, fill);
            let two = select(&scene, &two, budget, fill);
            // With all that fits, the first round stops where nothing fits or is left.
            prop_assert!(two.tokens <= one.tokens, "{two:?} after {one:?}");
            prop_assert_eq!(two.tokens, two.ranked.iter().map(|r| r.tokens).sum::<usize>());
            for best in one.ranked.iter().take(CONFIDENT) {
                let stays = |r: &Ranked| (&r.path, r.span) == (&best.path, best.span);
                prop_assert!(two.ranked.iter().any(stays), "{two:?} after {one:?}");
            }
        }
    }
}
