//! From scores to what is returned: in rank order, within the budget, and no
//! further than it is worth its tokens.

use super::block::Shape;
use super::facts::load;
use super::located::{Located, Ranked};
use super::scene::{Placed, Scene};
use super::score::{Scores, Weights, why};
use super::words::Map;
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
/// With all that fits, what follows one another in a file becomes one place with one
/// header, where at most so many tokens pass places that rank higher: about what three
/// headers cost.
const SLIVER: usize = 60;
/// So many of the symbols in one place are named, or one more.
const NAMED: usize = 4;
/// So many of the first round's best places stay, whatever a later round finds.
const CONFIDENT: usize = 4;

/// Selects by the scores of the last round. The first round's best places stay, and
/// the answer costs no more than that round's own: what a later round finds takes the
/// place of those that it does not find again, and where that leaves tokens they stay
/// as well. With all that fits, a later round ranks what is behind the best ones, as far
/// as the budget goes.
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
        return first.located(scene);
    };
    let confident = first.blocks.get(..CONFIDENT).unwrap_or(&first.blocks);
    let mut order = confident.to_vec();
    let most = if fill { budget } else { first.tokens };
    let found = ranked(scene, later, fill);
    if fill {
        order.extend(found);
    } else {
        let found = take(later, &found, budget, 1).blocks;
        order.extend(first.blocks.iter().filter(|b| found.contains(b)));
        order.extend(found);
        order.extend(&first.blocks);
    }
    let mut seen = HashSet::new();
    order.retain(|b| seen.insert(*b));
    let mut located = take(later, &order, most, order.len()).located(scene);
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
    /// Best first.
    places: Vec<Place>,
    /// What they cost together.
    tokens: usize,
    /// Their blocks, in the order in which they were picked.
    blocks: Vec<usize>,
}

/// A span that is returned.
struct Place {
    file: usize,
    span: Span,
    /// That of the best of its parts.
    score: f64,
    tokens: usize,
    /// The blocks that it is made of.
    parts: Vec<usize>,
}

impl Picked {
    /// Makes a block one with the best place that it follows or is followed by, and with
    /// what is on its other side. Whether it has: not where that would put more than a
    /// sliver before places that rank higher.
    fn join(&mut self, scene: &Scene, i: usize, lines: &Lines<'_>, left: usize) -> bool {
        let Some(block) = scene.blocks.get(i) else {
            return false;
        };
        let path = scene.files.get(block.file).map_or("", |f| &f.path.rel);
        let beside = |p: &Place| p.file == block.file && touch(lines, p.span, block.span);
        let beside: Vec<usize> = (0..)
            .zip(&self.places)
            .filter(|(_, p)| beside(p))
            .map(|(n, _)| n)
            .collect();
        // With all of them, or with fewer.
        for with in (1..=beside.len()).rev().filter_map(|n| beside.get(..n)) {
            let Some((&best, others)) = with.split_first() else {
                continue;
            };
            let joined = with.iter().filter_map(|&n| self.places.get(n));
            let (span, before) = joined.fold((block.span, 0), |(span, tokens), p| {
                (span.union(p.span), tokens + p.tokens)
            });
            let tokens = cost(path, lines, span);
            let own = self.places.get(best).map_or(0, |p| p.tokens);
            // Nothing is passed where these are the last places.
            let passes = self.places.len() > best + with.len();
            if tokens > left + before || (passes && tokens.saturating_sub(own) > SLIVER) {
                continue;
            }
            let mut parts = vec![i];
            for &n in others.iter().rev() {
                parts.extend(self.places.remove(n).parts);
            }
            if let Some(place) = self.places.get_mut(best) {
                place.span = span;
                place.tokens = tokens;
                place.parts.extend(parts);
            }
            self.tokens = self.tokens + tokens - before;
            self.blocks.push(i);
            return true;
        }
        false
    }

    fn located(self, scene: &Scene) -> Located {
        let mut out = Located {
            tokens: self.tokens,
            considered: scene.blocks.len(),
            ..Located::default()
        };
        for mut place in self.places {
            let Some(file) = scene.files.get(place.file) else {
                continue;
            };
            // Blocks are in order of their lines.
            place.parts.sort_unstable();
            out.ranked.push(Ranked {
                path: file.path.rel.clone(),
                span: place.span,
                symbol: symbols(scene, &place.parts),
                score: place.score,
                why: why(scene, &Weights::default(), &place.parts),
                tokens: place.tokens,
            });
        }
        out
    }
}

/// The symbols of blocks, each once, and how many more there are where there are many:
/// `Journal.rotate, Journal.prune`.
fn symbols(scene: &Scene, blocks: &[usize]) -> String {
    let mut symbols: Vec<&str> = Vec::new();
    for &i in blocks {
        if let Some(block) = scene.blocks.get(i)
            && !block.symbol.is_empty()
            && !symbols.contains(&block.symbol.as_str())
        {
            symbols.push(&block.symbol);
        }
    }
    let more = symbols.len().saturating_sub(NAMED);
    if more < 2 {
        return symbols.join(", ");
    }
    symbols.truncate(NAMED);
    format!("{} and {more} more", symbols.join(", "))
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
    for (rank, &i) in order.iter().enumerate() {
        let Some(block) = scene.blocks.get(i) else {
            continue;
        };
        let Some(file) = scene.files.get(block.file) else {
            continue;
        };
        let sure = fill || rank < sure;
        if !sure && score(i) < share(&picked, block, rank) * top {
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
        let left = budget.saturating_sub(picked.tokens);
        // Without filling there are few places, and joining them gains nothing.
        if fill && picked.join(scene, i, &lines, left) {
            continue;
        }
        let Some((span, cost)) = fit(&file.path.rel, &lines, block.span, left) else {
            break;
        };
        // A part is worth having only where there is nothing else, or all is wanted.
        if span != block.span && !fill && rank > 0 {
            continue;
        }
        picked.tokens += cost;
        picked.places.push(Place {
            file: block.file,
            span,
            score: score(i),
            tokens: cost,
            parts: vec![i],
        });
        picked.blocks.push(i);
        if span != block.span {
            break;
        }
    }
    picked
}

/// Whether two spans of a file, which do not overlap, have nothing but blank lines
/// between them.
fn touch(lines: &Lines<'_>, a: Span, b: Span) -> bool {
    let between = a.end.min(b.end) + 1..a.start.max(b.start);
    between.into_iter().all(|n| lines.get(n).trim().is_empty())
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
fn share(so_far: &Picked, block: &Placed, rank: usize) -> f64 {
    let mut share = WORTH + WORTH_RISE * ((rank + 1) as f64).ln();
    if so_far.places.iter().all(|p| p.file != block.file) {
        share += OTHER_FILE;
    }
    if matches!(block.shape, Shape::Gap | Shape::Imports) || block.solid < SLIGHT_LINES {
        share += SLIGHT;
    }
    share
}

/// The whole span, or as many of its first lines as fit, with their cost.
fn fit(path: &str, lines: &Lines<'_>, span: Span, left: usize) -> Option<(Span, usize)> {
    let cost = |s: Span| cost(path, lines, s);
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

/// o200k tokens of the line `path:start-end` and the code.
fn cost(path: &str, lines: &Lines<'_>, s: Span) -> usize {
    tokens::count(&format!("{path}:{}-{}\n{}", s.start, s.end, lines.slice(s)))
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
            let order = ranked(&scene, &first, fill);
            let best = pick(&scene, &first, &order, (budget, fill, 1), &mut Texts::default()).blocks;
            let one = Scores { first: first.clone(), later: None };
            let two = Scores { first, later: Some(later) };
            let one = select(&scene, &one, budget, fill);
            let two = select(&scene, &two, budget, fill);
            for answer in [&one, &two] {
                prop_assert!(answer.tokens <= budget);
                prop_assert_eq!(answer.tokens, exact(&scene, answer), "{:?}", answer);
                for (i, r) in answer.ranked.iter().enumerate() {
                    let apart = |o: &Ranked| o.path != r.path || !o.span.overlaps(r.span);
                    prop_assert!(answer.ranked[..i].iter().all(apart), "{answer:?}");
                }
            }
            prop_assert!(fill || two.tokens <= one.tokens, "{two:?} after {one:?}");
            for &best in best.iter().take(CONFIDENT) {
                let block = &scene.blocks[best];
                let path = &scene.files[block.file].path.rel;
                let stays = |r: &Ranked| r.path == *path && r.span.contains(block.span.start);
                prop_assert!(two.ranked.iter().any(stays), "{two:?} after {one:?}");
            }
        }
    }

    /// What the places cost, counted anew.
    fn exact(scene: &Scene, answer: &Located) -> usize {
        let of = |r: &Ranked| {
            let file = scene.files.iter().find(|f| f.path.rel == r.path).unwrap();
            let text = fs::read_to_string(&file.path.abs).unwrap();
            let tokens = cost(&r.path, &Lines::new(&text), r.span);
            assert_eq!(tokens, r.tokens, "{r:?}");
            tokens
        };
        answer.ranked.iter().map(of).sum()
    }

    /// The answer with all that fits, as `path:span symbol`, best first, where the blocks
    /// of these files score as said, in order of path and line.
    fn filled(files: &[(&str, &str)], scores: &[f64], budget: usize) -> Vec<String> {
        let dir = tempfile::tempdir().unwrap();
        for (path, text) in files {
            fs::write(dir.path().join(path), text).unwrap();
        }
        let root = Root::open(dir.path()).unwrap();
        let (memory, options) = (facts::Memory::default(), LocateOptions::default());
        let (scene, _) =
            prepare(&root, &memory, "rotate journal", &options, &Cancel::new()).unwrap();
        assert_eq!(scene.blocks.len(), scores.len());
        let scores = Scores {
            first: scores.to_vec(),
            later: None,
        };
        let answer = select(&scene, &scores, budget, true);
        assert_eq!(answer.tokens, exact(&scene, &answer));
        let shown = |r: &Ranked| format!("{}:{} {}", r.path, r.span, r.symbol);
        answer.ranked.iter().map(shown).collect()
    }

    fn function(name: &str, calls: usize) -> String {
        format!(
            "def {name}(journal):\n{}",
            "    rotate(journal)\n".repeat(calls)
        )
    }

    #[test]
    fn slivers_that_follow_one_another_are_one_place() {
        let [a, b, c] = ["a", "b", "c"].map(|n| function(n, 2));
        let file = format!("{a}\n\n{b}\n\n{c}");
        let other = function("other", 2);
        let files = [("f.py", file.as_str()), ("g.py", &other)];
        // The last one found lies between the others.
        let found = filled(&files, &[4.0, 1.0, 2.0, 3.0], 1000);
        assert_eq!(found, ["f.py:1-13 a, b, c", "g.py:1-3 other"]);
        // Code between them keeps them apart.
        let apart = file.replacen("\n\n\n", "\n\nlimit = 3\n\n", 1);
        let files = [("f.py", apart.as_str()), ("g.py", &other)];
        let found = filled(&files, &[4.0, 0.0, 1.0, 2.0, 3.0], 1000);
        assert_eq!(found, ["f.py:1-3 a", "g.py:1-3 other", "f.py:7-14 b, c"]);
    }

    #[test]
    fn what_is_long_passes_nothing_that_ranks_higher() {
        let (a, long) = (function("a", 2), function("long", 30));
        let file = format!("{a}\n\n{long}");
        let other = function("other", 2);
        let files = [("f.py", file.as_str()), ("g.py", &other)];
        assert_eq!(
            filled(&files, &[3.0, 1.0, 2.0], 1000),
            ["f.py:1-3 a", "g.py:1-3 other", "f.py:6-36 long"]
        );
        // With nothing between them in the ranking, it passes nothing.
        assert_eq!(
            filled(&files, &[3.0, 2.0, 1.0], 1000),
            ["f.py:1-36 a, long", "g.py:1-3 other"]
        );
    }
}
