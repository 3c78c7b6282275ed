//! Words that an edit replaces throughout: a line that differs from one of the file by such a
//! word alone is that line, changed.

use std::collections::BTreeSet;

use super::align::Op;
use super::context::{Ctx, anchors, same_line};
use super::extent::Extent;
use super::guides::CALLABLE;
use crate::apply::lines::key::Key;
use crate::apply::lines::line::{Class, Line, starts_comment};
use crate::apply::lines::words::{
    Substitution, Swap, named_word, phrase, substituted, word_at, words,
};

/// The words that changed lines replace whose place is sure, and that the snippet has nowhere
/// any more: both lines around the changed one are the file's, or several lines replace the
/// same word. Each with the snippet line that shows it.
pub(crate) fn substitutions(ctx: &Ctx, ops: &[Vec<Op>]) -> Vec<(Substitution, usize)> {
    let mut sure = Vec::new();
    let mut once: Vec<(Substitution, usize)> = Vec::new();
    let between = replaced(ctx, ops);
    let change = |op: &Op| match *op {
        Op::Pair(i, j) if !same_line(ctx, i, j) => Some((i, j)),
        _ => None,
    };
    let apart = ops.iter().flatten().filter_map(change);
    let apart = apart.filter(|pair| !between.contains(pair));
    let all = between.iter().copied().map(|pair| (pair, true));
    for ((i, j), between) in all.chain(apart.map(|pair| (pair, false))) {
        let (old, new) = (ctx.file[j].trimmed, ctx.lines[i].trimmed);
        let Some(found) = substituted(old, new).or_else(|| phrase(old, new)) else {
            continue;
        };
        // Brackets and the like are no words.
        if !found.0.is_empty() && !found.0.contains(char::is_alphanumeric) {
            continue;
        }
        if between {
            sure.push((found, i));
        } else if let Some(other) = once.iter().find(|o| {
            // One line of a block may be like another as by chance.
            let together = || ctx.segment_of(o.1) == ctx.segment_of(i);
            o.0 == found
                && (named_word(&found.0) || together())
                && !copied(ctx, ops, (o.1, i), &found.0)
        }) {
            sure.extend([other.clone(), (found, i)]);
        } else {
            once.push((found, i));
        }
    }
    // In what is said of the code, a name may be a word like others.
    let code = || ctx.lines.iter().filter(|l| !prose(l.trimmed));
    let left = |word: &str| code().any(|l| word_at(l.trimmed, word).is_some());
    sure.retain(|((old, _), _)| !named_word(old) || !left(old));
    sure
}

/// Whether of two changed lines one stands in the other's block, with none that is the file's between,
/// and the word that both lose stays in others: a block much like one of the file has another word
/// throughout, too.
fn copied(ctx: &Ctx, ops: &[Vec<Op>], (one, other): (usize, usize), word: &str) -> bool {
    let (from, to) = (one.min(other), one.max(other));
    let mut between = ops.iter().flatten();
    let apart = between.any(|op| {
        matches!(*op, Op::Pair(i, _) if from < i && i < to
            && ctx.lines[i].class == Class::Plain && anchors(ctx, op))
    });
    let taken = |j: usize| {
        let takes = |op: &Op| matches!(*op, Op::Delete(x) | Op::Pair(_, x) if x == j);
        ops.iter().flatten().any(|op| takes(op) && ctx.takes(op))
    };
    let stays = |(j, l): (usize, &Line)| word_at(l.trimmed, word).is_some() && !taken(j);
    ctx.segment_of(from) == ctx.segment_of(to)
        && ctx.cols(from) < ctx.cols(to)
        && !apart
        && ctx.file.iter().enumerate().any(stays)
}

/// Whether a line is a comment or reads as one.
fn prose(t: &str) -> bool {
    let code = |c: char| "(){}[]<>=;:\"'_".contains(c);
    starts_comment(t) || t.split_whitespace().count() >= SENTENCE && !t.contains(code)
}

/// Words of a sentence.
const SENTENCE: usize = 4;

/// The lines that the edit puts in the place of others where both lines around are the file's:
/// each with the one that goes.
pub(crate) fn replaced(ctx: &Ctx, ops: &[Vec<Op>]) -> Vec<(usize, usize)> {
    let mut out = Vec::new();
    for ops in ops {
        let told: Vec<&Op> = ops.iter().filter(|op| ctx.is_told(op)).collect();
        for (at, window) in told.windows(2).enumerate() {
            let pair = match *window {
                [&Op::Pair(i, j), _] if !same_line(ctx, i, j) => Some((i, j, 1)),
                [&Op::Delete(j), &Op::Insert(i)] | [&Op::Insert(i), &Op::Delete(j)] => {
                    Some((i, j, 2))
                }
                _ => None,
            };
            let Some((i, j, len)) = pair else { continue };
            let held = |op: Option<&&Op>| op.is_some_and(|op| anchors(ctx, op));
            let plain = ctx.lines[i].class == Class::Plain && ctx.file[j].class == Class::Plain;
            let above = at.checked_sub(1).and_then(|x| told.get(x));
            if plain && held(above) && held(told.get(at + len)) {
                out.push((i, j));
            }
        }
    }
    out
}

/// What the lines begin with (`log`) that the edit puts in between two of the file's that follow
/// each other.
pub(crate) fn joined(ctx: &Ctx, ops: &[Vec<Op>]) -> Vec<String> {
    let mut out = Vec::new();
    for ops in ops {
        let told: Vec<&Op> = ops.iter().filter(|op| ctx.is_told(op)).collect();
        for window in told.windows(3) {
            let [above, Op::Insert(i), below] = *window else {
                continue;
            };
            if let Key::Other(head) = ctx.lines[*i].key()
                && head.len() < ctx.lines[*i].trimmed.len()
                && anchors(ctx, above)
                && anchors(ctx, below)
            {
                out.push(head.to_string());
            }
        }
    }
    out
}

/// Those of which the snippet has the lost name nowhere.
pub(crate) fn swapped_names(ctx: &Ctx, ops: &[Vec<Op>]) -> Vec<Swap> {
    let changed = |op: &&Op| matches!(op, Op::Pair(..)) && ctx.takes(op);
    let mut changed = ops.iter().flatten().filter(changed).peekable();
    let mut out = Vec::new();
    if changed.peek().is_none() {
        return out;
    }
    let all = ctx.lines.iter().flat_map(|l| words(l.trimmed));
    let all: BTreeSet<&str> = all.map(|(_, w)| w).collect();
    for op in changed {
        let Op::Pair(i, j) = *op else { continue };
        let (old, new) = (ctx.file[j].trimmed, ctx.lines[i].trimmed);
        // What stands before the value is given by it.
        let (Some((old, _)), Some((new, _))) = (old.split_once(" = "), new.split_once(" = "))
        else {
            continue;
        };
        let gained = words(new).filter(|(_, w)| named_word(w) && word_at(old, w).is_none());
        let gained: Vec<String> = gained.map(|(_, w)| w.to_string()).collect();
        let lost = words(old).filter(|(_, w)| named_word(w) && !all.contains(w));
        if !gained.is_empty() {
            out.extend(lost.map(|(_, w)| (w.to_string(), gained.clone(), i)));
        }
    }
    out
}

/// The file's lines that the edit takes out or changes.
pub(crate) fn touched(ctx: &Ctx, ops: &[Vec<Op>]) -> BTreeSet<usize> {
    let takes = ops.iter().flatten().filter(|op| ctx.takes(op));
    takes
        .filter_map(|op| match *op {
            Op::Delete(j) | Op::Pair(_, j) => Some(j),
            Op::Insert(_) => None,
        })
        .collect()
}

/// Pairs lines that go with the new ones in their place that are the same but for a word which the
/// edit replaces throughout.
pub(crate) fn pair_up(ctx: &Ctx, ops: &mut Vec<Op>) {
    let mut x = 0;
    while x < ops.len() {
        let change = |op: &&Op| !matches!(op, Op::Pair(..));
        let len = ops[x..].iter().take_while(change).count();
        let (mut gone, mut new) = (Vec::new(), Vec::new());
        for op in &ops[x..x + len] {
            match *op {
                Op::Delete(j) => gone.push(j),
                Op::Insert(i) => new.push(i),
                Op::Pair(..) => {}
            }
        }
        let both = || new.iter().zip(&gone);
        let all = len > 0 && gone.len() == new.len();
        if all && both().all(|(&i, &j)| ctx.is_substituted(i, j)) {
            let pairs: Vec<Op> = both().map(|(&i, &j)| Op::Pair(i, j)).collect();
            let paired = pairs.len();
            ops.splice(x..x + len, pairs);
            x += paired;
        } else {
            x += len.max(1);
        }
    }
}

/// The texts (by their hashes) of lines that the edit takes out and puts others in their place,
/// between two lines that the file has.
pub(crate) fn taken(ctx: &Ctx, ops: &[Vec<Op>]) -> BTreeSet<u64> {
    let mut out = BTreeSet::new();
    for ops in ops {
        let told = ops.iter().filter(|op| ctx.is_told(op));
        let told: Vec<&Op> = told.collect();
        for change in told.split(|op| anchors(ctx, op)).skip(1) {
            // The last one is open below.
            let last = told.last().is_some_and(|l| change.last() == Some(l));
            let new = change.iter().any(|op| !matches!(op, Op::Delete(_)));
            let gone = change.iter().filter_map(|op| match **op {
                Op::Delete(j) | Op::Pair(_, j) if ctx.file[j].class == Class::Plain => {
                    Some(ctx.file[j].hash)
                }
                _ => None,
            });
            if new && !last {
                out.extend(gone);
            }
        }
    }
    out
}

/// The lines of parts that name no place which are the file's, where they stand once between the parts
/// beside them, but for words that the edit replaces elsewhere; each with its file line and the weight
/// of a header.
pub(crate) fn known(
    ctx: &Ctx,
    floating: &[bool],
    placed: &[(usize, &[Op])],
) -> Vec<(usize, usize, i16)> {
    let mut out = Vec::new();
    let n = ctx.file.len();
    let names: Vec<(&str, &str)> = (ctx.substitutions.iter())
        .map(|((old, new), _)| (old.as_str(), new.as_str()))
        .filter(|(old, new)| named_word(old) && named_word(new))
        .collect();
    let parts = (0..ctx.bounds.len()).filter(|&k| floating[k]);
    for (k, i) in parts.flat_map(|k| (ctx.bounds[k].0..ctx.bounds[k].1).map(move |i| (k, i))) {
        let line = &ctx.lines[i];
        if line.class != Class::Plain || names.is_empty() {
            continue;
        }
        let mut changed = false;
        let mut old = String::new();
        for (gap, word) in words(line.trimmed) {
            let name = names.iter().find(|n| n.1 == word);
            changed |= name.is_some();
            old += gap;
            old += name.map_or(word, |n| n.0);
        }
        let hash = Line::new(&old).hash;
        if !changed || !ctx.counts.contains_key(&hash) {
            continue;
        }
        let (above, below) = placed.split_at(placed.partition_point(|p| p.0 < k));
        let low = above.last().map_or(0, |p| Extent::of(p.0, p.1).end);
        let high = below.first().map_or(n, |p| Extent::of(p.0, p.1).start);
        let mut there = (low..high.max(low)).filter(|&j| ctx.file[j].hash == hash);
        if let (Some(j), None) = (there.next(), there.next())
            && (ctx.counts.get(&hash) == Some(&1) || ctx.cols(i) == ctx.file_cols(j))
        {
            out.push((i, j, CALLABLE));
        }
    }
    out
}
