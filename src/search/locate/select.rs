//! From scores to what is returned: in rank order, within the budget, and no
//! further than it is worth its tokens.

use super::score::{Scene, Weights, why};
use super::{Located, Ranked};
use crate::text::{Lines, Span};
use crate::tokens;

/// Below this share of the best score a block is not worth its tokens.
const WORTH: f64 = 0.8;

pub(super) fn select(
    scene: &Scene,
    texts: &[String],
    scores: &[f64],
    budget: usize,
    fill: bool,
) -> Located {
    let mut order: Vec<usize> = (0..scores.len())
        .filter(|&i| scores.get(i).is_some_and(|s| *s > 0.0))
        .collect();
    let score = |i: usize| scores.get(i).copied().unwrap_or_default();
    order.sort_by(|&a, &b| score(b).total_cmp(&score(a)).then(a.cmp(&b)));
    let top = order.first().map_or(0.0, |&i| score(i));
    let mut out = Located {
        considered: scores.len(),
        ..Located::default()
    };
    for i in order {
        if !fill && score(i) < WORTH * top {
            break;
        }
        let Some(block) = scene.blocks.get(i) else {
            continue;
        };
        let (Some(file), Some(text)) = (scene.files.get(block.file), texts.get(block.file)) else {
            continue;
        };
        let lines = Lines::new(text);
        let left = budget.saturating_sub(out.tokens);
        let Some((span, cost)) = fit(&file.rel, &lines, block.span, left) else {
            break;
        };
        out.tokens += cost;
        out.ranked.push(Ranked {
            path: file.rel.clone(),
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
