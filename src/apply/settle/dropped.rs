//! Whether a function or type may go that a segment takes out of the file.

use std::ops::Range;

use super::fate::{Fate, defined_again, fate, named_once};
use super::removed::from_change;
use crate::apply::lines::line::{Class, Line};
use crate::apply::lines::shape::{first_word, opens};
use crate::apply::pass::align::Op;
use crate::apply::pass::closers::closes_around;
use crate::apply::pass::context::{Ctx, anchors, same_line};
use crate::apply::pass::scores::CHANGED;
use crate::apply::refuse;
use crate::error::Result;

/// Runs of removed lines, without a new header in their place, may not end within a definition
/// that begins in them: its header would go and its body stay.
pub(crate) fn headless(ctx: &Ctx, k: usize, ops: &[Op]) -> Result<()> {
    let held = |op: Option<&Op>| {
        op.is_some_and(|op| matches!(*op, Op::Pair(i, j) if same_line(ctx, i, j)))
    };
    let told = |r: Range<usize>| {
        let lines = ctx.file.get(r);
        lines.is_some_and(|l| l.iter().any(|l| l.class == Class::Plain))
    };
    let mut rest = ops;
    while let Some(at) = rest.iter().position(|op| !matches!(op, Op::Pair(..))) {
        let (above, change) = rest.split_at(at);
        let len = change
            .iter()
            .take_while(|op| !matches!(op, Op::Pair(..)))
            .count();
        let (change, below) = change.split_at(len);
        let pure = held(above.last()) && held(below.first());
        rest = below;
        let mut gone = change.iter().filter_map(|op| match *op {
            Op::Delete(j) => Some(j),
            Op::Pair(..) | Op::Insert(_) => None,
        });
        let Some(first) = gone.next().filter(|_| pure) else {
            continue;
        };
        let last = gone.next_back().unwrap_or(first);
        let renewed = |header: usize| {
            let header = &ctx.file[header];
            let word = first_word(header.trimmed);
            change.iter().any(|op| {
                matches!(*op, Op::Insert(i) if opens(ctx.lines[i].trimmed)
                    || word.is_some() && first_word(ctx.lines[i].trimmed) == word
                    || ctx.lines[i].similarity(header) > CHANGED)
            })
        };
        // Without what is said above it, each is the second of two.
        let cut = |d: &[(usize, usize)]| {
            d.last().is_some_and(|&(a, b)| {
                // Attributes, too, are a part of it: it may go without them.
                let named = (a..b).find(|&x| ctx.guides.names(x)).unwrap_or(a);
                first <= a && named <= last && told(last + 1..b) && !renewed(named)
            })
        };
        if ctx.guides.definitions.chunks_exact(2).any(cut) {
            return Err(refuse::removed_at_edge(ctx, k, first, last));
        }
    }
    Ok(())
}

/// Runs of removed lines as a whole definition, where they may be read so: what a run begins with,
/// the end of the one above, follows it as well.
pub(crate) fn slide(ctx: &Ctx, ops: &mut [Op]) {
    let starts = |j: usize| ctx.guides.definitions.chunks_exact(2).any(|d| d[0].0 == j);
    let gone = |op: &Op| match *op {
        Op::Delete(j) => Some(j),
        Op::Pair(..) | Op::Insert(_) => None,
    };
    let raw = |j: usize| ctx.file[j].raw;
    let mut x = 0;
    while x < ops.len() {
        let len = ops[x..].iter().map_while(gone).count();
        let Some(first) = gone(&ops[x]).filter(|&j| !starts(j)) else {
            x += len.max(1);
            continue;
        };
        let heads = |d: &[(usize, usize)]| first < d[0].0 && d[0].0 < first + len;
        let mut whole = ctx.guides.definitions.chunks_exact(2).filter(|d| heads(d));
        let (Some(from), None) = (whole.next(), whole.next()) else {
            x += len;
            continue;
        };
        let by = from[0].0 - first;
        let follows = |n: usize| {
            matches!(ops.get(x + len + n), Some(&Op::Pair(i, j))
                if j == first + len + n && same_line(ctx, i, j) && raw(j) == raw(first + n))
        };
        if (0..by).all(follows) {
            let kept: Vec<Op> = (0..by)
                .filter_map(|n| match ops[x + len + n] {
                    Op::Pair(i, _) => Some(Op::Pair(i, first + n)),
                    _ => None,
                })
                .collect();
            let gone = (first + by..first + len + by).map(Op::Delete);
            let slid: Vec<Op> = kept.into_iter().chain(gone).collect();
            ops[x..x + len + by].copy_from_slice(&slid);
        }
        x += len + by;
    }
}

/// A function or type may only go between lines that say where: brackets and the like stand
/// around every one.
pub(crate) fn definitions(ctx: &Ctx, k: usize, ops: &[Op]) -> Result<()> {
    for (at, op) in ops.iter().enumerate() {
        let Op::Delete(j) = *op else { continue };
        if !ctx.guides.names(j) {
            continue;
        }
        let whole = ops.iter().any(|op| {
            matches!(*op, Op::Pair(i, _) | Op::Insert(i)
                if ctx.guides.rewrites[i].is_some_and(|(a, b)| a <= j && j < b))
        });
        // New ones in the place of what lines that stay use were to stand beside it.
        let change = ops[from_change(ctx, ops, at)..].iter();
        let mut change = change.take_while(|op| !anchors(ctx, op));
        let other = change.any(|op| matches!(*op, Op::Insert(i) if ctx.guides.new[i]));
        let own = ctx.guides.around(j);
        let own = own.map_or(j..j + 1, |(_, start, end)| start..end);
        if !whole
            && other
            && named_once(ctx, j)
            && fate(ctx, j, own) == Fate::Needed
            && !defined_again(ctx, ops, j)
        {
            return Err(refuse::removed_at_edge(ctx, k, j, j));
        }
        if !whole && explained(ctx, ops, j) {
            continue;
        }
        // With nothing new in its place, what stands beside it in the snippet does not in the
        // file.
        let gone = |op: &&Op| matches!(op, Op::Delete(_));
        let mut before = ops[..at].iter().rev().skip_while(gone);
        let mut behind = ops[at..].iter().skip_while(gone);
        let telling = |op: &Op| {
            matches!(*op, Op::Pair(i, x)
                if ctx.lines[i].class == Class::Plain && same_line(ctx, i, x))
                || closes_around(ctx, ops, op)
        };
        let shown = ops[..at].iter().any(telling) && ops[at..].iter().any(telling);
        let next = ops[at..].iter().skip_while(gone).find(|op| ctx.is_told(op));
        if !whole && anchored(ctx, next) && below_a_header(ctx, &ops[..at], j) {
            return Err(refuse::removed_at_edge(ctx, k, j, j));
        }
        if shown && anchored(ctx, before.next()) && anchored(ctx, behind.next()) {
            continue;
        }
        let above = ops[..at].iter().rev();
        if !(whole || tells(ctx, above) && tells(ctx, ops[at..].iter())) {
            return Err(refuse::removed_at_edge(ctx, k, j, j));
        }
    }
    Ok(())
}

/// Whether the outermost definition around file line `j` of which all lines go stands elsewhere in the
/// snippet, or goes with all that uses it.
fn explained(ctx: &Ctx, ops: &[Op], j: usize) -> bool {
    let all = ctx
        .guides
        .definitions
        .chunks_exact(2)
        .map(|d| d[1].0..d[1].1);
    let goes = |own: &Range<usize>| {
        let gone = |op: &&Op| matches!(**op, Op::Delete(x) if own.contains(&x));
        own.contains(&j) && ops.iter().filter(gone).count() == own.len()
    };
    let outer = all.filter(goes).max_by_key(|own| own.len());
    outer.is_some_and(|own| {
        let head = own.clone().find(|&x| ctx.guides.names(x));
        given_elsewhere(ctx, &own) || head.is_some_and(|h| fate(ctx, h, own) == Fate::Unused)
    })
}

/// Whether the snippet has all lines of a definition that goes: it is moved.
fn given_elsewhere(ctx: &Ctx, own: &Range<usize>) -> bool {
    let mut lines = own.clone().map(|x| &ctx.file[x]);
    let once = |l: &Line| ctx.counts.get(&l.hash) == Some(&1);
    ctx.file.get(own.start).is_some_and(once)
        && lines.all(|f| f.class == Class::Blank || ctx.lines.iter().any(|l| l.same(f)))
}

/// Whether the line above what goes is the header of what is around it: a snippet gives that to
/// say where its lines belong.
fn below_a_header(ctx: &Ctx, above: &[Op], j: usize) -> bool {
    let told = |op: &&Op| !matches!(op, Op::Delete(_)) && ctx.is_told(op);
    let own = || ctx.guides.definitions.chunks_exact(2).map(|d| d[1]);
    let heads = |x: usize| own().any(|d| d.0 == x && j < d.1);
    above
        .iter()
        .rev()
        .find(told)
        .is_some_and(|op| matches!(*op, Op::Pair(_, x) if x < j && heads(x)))
}

/// Whether there is an operation, and it pairs a line with itself, blank ones included.
fn anchored(ctx: &Ctx, op: Option<&Op>) -> bool {
    op.is_some_and(|op| matches!(*op, Op::Pair(i, j) if same_line(ctx, i, j)))
}

/// Whether the nearest lines that both sides share hold one that is no bracket or the like.
fn tells<'o>(ctx: &Ctx, ops: impl Iterator<Item = &'o Op>) -> bool {
    let guided = |op: &Op| matches!(*op, Op::Pair(i, j) if ctx.is_guided(i, j));
    ops.skip_while(|op| !anchors(ctx, op) && !guided(op))
        .take_while(|op| matches!(op, Op::Pair(..)))
        .any(|op| {
            guided(op)
                || matches!(*op, Op::Pair(i, j)
                    if ctx.lines[i].class == Class::Plain && same_line(ctx, i, j))
        })
}
