//! Places of the file that read alike: whether anything but a changed line tells the one that
//! the alignment chose from the others.

use super::fate::name_at;
use crate::apply::lines::line::{Class, Line};
use crate::apply::lines::words::word_at;
use crate::apply::pass::align::Op;
use crate::apply::pass::context::{Ctx, same_line};
use crate::apply::pass::extent::Extent;
use crate::apply::snippet::script::Role;

/// Whether the lines that a segment shares with the file stand elsewhere in the same way,
/// around a line that its changed one takes up: then a word of it says another place than the
/// rest.
pub(crate) fn drawn(ctx: &Ctx, ops: &[Op]) -> bool {
    let mut same = Vec::new();
    let mut changed = Vec::new();
    for op in ops {
        match *op {
            Op::Pair(i, j) if same_line(ctx, i, j) => same.push((i, j)),
            Op::Pair(i, j) => changed.push((i, j)),
            _ => return false,
        }
    }
    let (Some(&(_, first)), Some(&(_, last))) = (same.first(), same.last()) else {
        return false;
    };
    // The name of a definition says more than any word behind it.
    let headed = |&(i, j): &(usize, usize)| {
        let kept = |name| word_at(ctx.lines[i].trimmed, name).is_some();
        ctx.is_guided(i, j) && name_at(ctx, j).is_some_and(kept)
    };
    if changed.iter().any(headed) {
        return false;
    }
    (0..(ctx.file.len() + first).saturating_sub(last))
        .filter(|&at| at != first)
        .any(|at| {
            let moved = |j: usize| ctx.file.get((at + j).checked_sub(first)?);
            same.iter()
                .all(|&(i, j)| moved(j).is_some_and(|f| ctx.lines[i].same(f)))
                && changed.iter().any(|&(i, j)| {
                    moved(j).is_some_and(|f| {
                        let l = &ctx.lines[i];
                        f.class == Class::Plain
                            && l.similarity(f) > 0
                            && l.draws_on(f, &ctx.file[j])
                    })
                })
        })
}

/// Whether a segment below a header that it goes on from stands outside of what the header
/// opens, and its first lines stand inside as well.
pub(crate) fn strays(ctx: &Ctx, ops: &[Op]) -> bool {
    let Some(&Op::Pair(first, at)) = ops.first() else {
        return false;
    };
    let Some(range) = ctx.guides.ranges[first].filter(|r| r.inside) else {
        return false;
    };
    let own = |i: usize| {
        let there = ctx.guides.ranges[i];
        there.is_some_and(|r| (r.low, r.high) == (range.low, range.high))
    };
    let run: Vec<usize> = ops
        .iter()
        .map_while(|op| match *op {
            Op::Pair(i, j) if own(i) && same_line(ctx, i, j) => Some(i),
            _ => None,
        })
        .collect();
    let within = range.low..range.high;
    let told = run.iter().any(|&i| ctx.lines[i].class == Class::Plain);
    told && !within.contains(&at)
        && ctx.file.get(within).is_some_and(|file| {
            file.windows(run.len())
                .any(|w| run.iter().zip(w).all(|(&i, f)| ctx.lines[i].same(f)))
        })
}

/// So many lines that go are more than a slip of the alignment.
const GONE: usize = 2;

/// Whether a segment that takes lines out reads elsewhere as new lines alone, between two runs
/// of its own that follow each other there, a telling line in each: then it is the line both
/// places share that led the alignment to the wrong one.
pub(crate) fn inserts_elsewhere(ctx: &Ctx, k: usize, ops: &[Op]) -> bool {
    let (a, b) = ctx.bounds[k];
    let gone = |op: &&Op| matches!(**op, Op::Delete(j) if ctx.file[j].class != Class::Blank);
    if ops.iter().filter(gone).count() < GONE || (a..b).any(|i| ctx.roles[i] != Role::Plain) {
        return false;
    }
    let (lines, file) = (&ctx.lines[a..b], ctx.file);
    let run = |lines: &[Line], file: &[Line]| {
        lines.len() == file.len()
            && lines.iter().zip(file).all(|(l, f)| l.same(f))
            && lines.iter().any(|l| l.class == Class::Plain)
    };
    let edge = Extent::of(k, ops);
    (1..file.len())
        .filter(|x| !(edge.start..=edge.end).contains(x))
        .any(|x| {
            let above = |h: &usize| {
                lines[h - 1].same(&file[x - 1]) && run(&lines[..*h], &file[x.saturating_sub(*h)..x])
            };
            let below = |t: &usize| {
                let from = lines.len() - t;
                lines[from].same(&file[x]) && run(&lines[from..], file.get(x..x + t).unwrap_or(&[]))
            };
            let head = (1..lines.len()).find(above);
            let tail = head.and_then(|h| Some(h + (1..lines.len() - h).find(below)?));
            tail.is_some_and(|shown| shown < lines.len())
        })
}

/// Whether the lines that a segment shares with the file, if they are all brackets and the
/// like or what told their place is taken for new, stand only there as they are.
pub(crate) fn told_apart(ctx: &Ctx, ops: &[Op], reread: bool) -> bool {
    let shared: Vec<(usize, usize)> = ops
        .iter()
        .filter_map(|op| match *op {
            Op::Pair(i, j) if same_line(ctx, i, j) => Some((i, j)),
            _ => None,
        })
        .collect();
    let guided = |op: &Op| matches!(*op, Op::Pair(i, j) if ctx.is_guided(i, j));
    let (Some(first), Some(last)) = (shared.first(), shared.last()) else {
        return true;
    };
    let told = shared
        .iter()
        .any(|&(i, _)| ctx.lines[i].class == Class::Plain);
    if told && !reread || ops.iter().any(guided) {
        return true;
    }
    let there = |at: usize| {
        let moved = |j: usize| at + (j - first.1);
        let shift = ctx.file_cols(at) - ctx.file_cols(first.1);
        shared.iter().all(|&(i, j)| {
            let level = ctx.file_cols(moved(j)) == ctx.file_cols(j) + shift;
            ctx.lines[i].same(&ctx.file[moved(j)]) && (level || ctx.lines[i].class == Class::Blank)
        })
    };
    let (low, high) = ctx.guides.ranges[first.0].map_or((0, ctx.file.len()), |r| (r.low, r.high));
    (low..(high + first.1).saturating_sub(last.1))
        .filter(|&at| there(at))
        .count()
        < 2
}
