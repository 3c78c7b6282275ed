//! What happens where a segment meets a marker: whether a line there replaces one of the
//! file or joins it.

mod beside;
pub(super) mod frame;
pub(super) mod imports;
pub(super) mod onesided;
mod signs;
mod statement;
mod verdict;

use std::collections::BTreeSet;

use self::beside::{beside, other_branch};
use self::statement::{bound_above, in_a_row, spread_above};
use self::verdict::{Verdict, verdict};
use super::lines::line::{Class, Line, starts_comment};
use super::lines::shape::{branches, closes, import, says};
use super::pass::align::Op;
use super::pass::closers;
use super::pass::context::{Ctx, Reading, anchors, same_line};
use super::pass::extent::anchor_at;
use super::refuse;
use super::snippet::script::Role;
use crate::error::Result;

/// Decides the lines before the first and after the last line that is surely the file's.
pub(crate) fn settle(ctx: &Ctx, k: usize, ops: &mut Vec<Op>) -> Result<()> {
    frame::unframe(ctx, k, ops);
    frame::open_comment(ctx, ops);
    let guided = |op: &Op| matches!(*op, Op::Pair(i, j) if ctx.guides.pairs.iter().any(|&(a, b, w)| (a, b) == (i, j) && w >= 200));
    let sure = |op: &Op| anchors(ctx, op) || guided(op);
    // The lines that close a definition of which the snippet shows the header, or what is around
    // a telling line above them.
    let closers: BTreeSet<usize> = (0..ops.len())
        .filter(|&at| {
            closers::closed_around(ctx, ops, at).is_some_and(|(x, y)| {
                ctx.counts.get(&ctx.file[y].hash) == Some(&1) || ctx.is_guided(x, y)
            }) || matches!(ops[at], Op::Pair(i, j)
                    if ctx.guides.ranges[i]
                        .is_some_and(|r| r.firm && (r.low, r.high) == (j, j + 1)))
        })
        .filter_map(|at| match ops[at] {
            Op::Pair(i, _) => Some(i),
            _ => None,
        })
        .collect();
    let closer = |op: &Op| matches!(op, Op::Pair(i, _) if closers.contains(i));
    let branched = branched(ctx, k, ops);
    let told = |op: &Op| {
        guided(op)
            || closer(op)
            || !branched.contains(op)
                && matches!(*op, Op::Pair(i, j)
                if ctx.lines[i].class == Class::Plain && same_line(ctx, i, j) && !strays(ctx, k, i, j))
    };
    // What the file has several times says less of where new lines begin.
    let once = |op: &Op| {
        told(op)
            && matches!(*op, Op::Pair(i, j)
                if ctx.is_guided(i, j) || ctx.counts.get(&ctx.file[j].hash) == Some(&1))
            || closer(op)
    };
    let some = ops.iter().any(once);
    let next = next_to(ctx, ops, &once);
    let tells = |op: &Op| once(op) || !some && told(op) || next.contains(op) && told(op);
    loosen(ctx, ops, &tells, &branched, true);
    loosen(ctx, ops, &tells, &branched, false);
    // Leading part: from the outside in.
    if let Some(first) = ops.iter().position(sure) {
        settle_side(ctx, k, ops, first, true)?;
    }
    if let Some(last) = ops.iter().rposition(sure) {
        if let Some(rest) = rest_of_definition(ctx, k, &ops[last..]) {
            ctx.superseded.borrow_mut().extend(rest);
        } else {
            settle_side(ctx, k, ops, last, false)?;
        }
    }
    Ok(())
}

/// The pairs that are next in the file to those that tell their place, whatever new lines are
/// between, or one for one that goes: two lines that follow each other do not both by chance.
fn next_to(ctx: &Ctx, ops: &[Op], tells: &impl Fn(&Op) -> bool) -> Vec<Op> {
    // A comment may begin as another one does.
    let code =
        |op: &&Op| matches!(**op, Op::Pair(i, _) if ctx.is_told(op) && !says(ctx.lines[i].trimmed));
    let pairs = ops.iter().filter(code);
    let pairs: Vec<Op> = pairs.copied().collect();
    let follow = |a: &Op, b: &Op| match (*a, *b) {
        (Op::Pair(p, x), Op::Pair(q, y)) => {
            let (p, q) = (p.min(q), p.max(q));
            let gone = (x.min(y) + 1..x.max(y)).filter(|&j| ctx.file[j].class != Class::Blank);
            let mut new = (p + 1..q).filter(|&i| ctx.lines[i].class != Class::Blank);
            // One line may have taken the place of another, which heads no block.
            let mut replaced = || match (new.next(), new.next()) {
                (Some(i), None) => ctx.cols(i) >= ctx.cols(q),
                _ => false,
            };
            match gone.count() {
                0 => true,
                1 => replaced(),
                _ => false,
            }
        }
        _ => false,
    };
    let mut next: Vec<bool> = pairs.iter().map(tells).collect();
    for x in 1..pairs.len() {
        next[x] |= next[x - 1] && follow(&pairs[x - 1], &pairs[x]);
    }
    for x in (1..pairs.len()).rev() {
        next[x - 1] |= next[x] && follow(&pairs[x - 1], &pairs[x]);
    }
    pairs
        .into_iter()
        .zip(next)
        .filter(|p| p.1)
        .map(|p| p.0)
        .collect()
}

/// The file lines behind an anchor that belong to a definition which the segment ends with
/// and gives whole, where new lines follow the anchor.
fn rest_of_definition(ctx: &Ctx, k: usize, ops: &[Op]) -> Option<std::ops::Range<usize>> {
    let end = ctx.bounds[k].1;
    let last = end.checked_sub(1)?;
    let (_, to) = ctx.guides.rewrites[last]?;
    let (&Op::Pair(_, anchor), new) = ops.split_first()? else {
        return None;
    };
    (!new.is_empty() && anchor + 1 < to).then_some(anchor + 1..to)
}

/// Whether a line that the file has several times stands at another depth than the segment.
fn strays(ctx: &Ctx, k: usize, i: usize, j: usize) -> bool {
    let repeated = ctx.counts.get(&ctx.file[j].hash).is_some_and(|&c| c > 1);
    repeated && ctx.shifts[k].is_some_and(|s| ctx.file_cols(j) != ctx.cols(i) + s)
}

/// Pairs of lines below a new branch (`elif`, `else`) of what is above, at another depth than the
/// rest: a branch is no block around what the one above it holds.
fn branched(ctx: &Ctx, k: usize, ops: &[Op]) -> Vec<Op> {
    let Some(shift) = ctx.shifts[k] else {
        return Vec::new();
    };
    let mut out = Vec::new();
    // How deep the new branch is in which the lines are.
    let mut branch: Option<i32> = None;
    for op in ops.iter().filter(|op| ctx.is_told(op)) {
        let (Op::Pair(i, _) | Op::Insert(i)) = *op else {
            continue;
        };
        let cols = ctx.cols(i);
        branch = branch.filter(|&b| cols > b);
        match *op {
            Op::Insert(_) if branches(ctx.lines[i].trimmed) => branch = branch.or(Some(cols)),
            Op::Pair(_, j) if branch.is_some() && ctx.file_cols(j) - cols != shift => out.push(*op),
            _ => {}
        }
    }
    out
}

/// Takes weak lines (closers, blanks) that only happen to match for new ones, where a
/// segment begins or ends with new lines.
fn loosen(ctx: &Ctx, ops: &mut Vec<Op>, told: &impl Fn(&Op) -> bool, branched: &[Op], lead: bool) {
    if !lead {
        ops.reverse();
    }
    let blank = |op: &Op| matches!(*op, Op::Insert(i) | Op::Pair(i, _) if ctx.lines[i].class == Class::Blank);
    let outer_new = ops
        .iter()
        .find(|op| !blank(op))
        .is_some_and(|op| matches!(op, Op::Insert(_)));
    if let (true, Some(mut first)) = (outer_new, ops.iter().position(told)) {
        // Weak lines that touch the telling one stay.
        let mut keep = first;
        let touches = |op: &Op| {
            matches!(*op, Op::Pair(i, j) if same_line(ctx, i, j)) && !branched.contains(op)
        };
        while keep > 0 && touches(&ops[keep - 1]) {
            keep -= 1;
        }
        // Changed lines there are judged one by one later.
        let judged = ops[..keep]
            .iter()
            .any(|op| matches!(*op, Op::Pair(i, j) if !same_line(ctx, i, j)));
        if !judged {
            let mut x = 0;
            while x < keep {
                match ops[x] {
                    Op::Pair(i, _) => {
                        ops[x] = Op::Insert(i);
                        x += 1;
                    }
                    Op::Delete(_) => {
                        ops.remove(x);
                        keep -= 1;
                        first -= 1;
                    }
                    Op::Insert(_) => x += 1,
                }
            }
            // New lines that end deeper than they begin need the closers that follow.
            let cols = |op: &Op| match *op {
                Op::Insert(i) if ctx.lines[i].class != Class::Blank => Some(ctx.cols(i)),
                _ => None,
            };
            while lead && keep < first {
                let new: Vec<i32> = ops[..keep].iter().filter_map(cols).collect();
                let (Some(&a), Some(&b)) = (new.first(), new.last()) else {
                    break;
                };
                let Op::Pair(i, _) = ops[keep] else { break };
                if b <= a || ctx.cols(i) < a || !closes(ctx.lines[i].trimmed) {
                    break;
                }
                ops[keep] = Op::Insert(i);
                keep += 1;
            }
        }
    }
    if !lead {
        ops.reverse();
    }
}

/// Lines at a segment's ends that stand less deep in the snippet for no reason: nothing
/// around them was taken away, and the lines beside them are as deep as in the file.
pub(crate) fn slipped(ctx: &Ctx, ops: &[Op], shift: i32) -> Vec<usize> {
    let mut out = Vec::new();
    let off = |op: &Op| match *op {
        Op::Pair(i, j) if ctx.lines[i].class != Class::Blank => Some((
            i,
            ctx.file_cols(j) - ctx.cols(i) - shift,
            same_line(ctx, i, j),
        )),
        _ => None,
    };
    for back in [false, true] {
        let at = |x: usize| {
            if back {
                ops.len().checked_sub(x + 1)
            } else {
                Some(x)
            }
        };
        let Some(first) = at(0).and_then(|x| ops.get(x)).and_then(off) else {
            continue;
        };
        let Some(second) = at(1).and_then(|x| ops.get(x)).and_then(off) else {
            continue;
        };
        // What goes on with a changed line above may have to stand elsewhere.
        let follows = back && !second.2 && ctx.hangs(first.0, second.0);
        // Two that close blocks are not as deep as each other: the outer block is not dedented.
        let closers = [first.0, second.0].map(|i| (closes(ctx.lines[i].trimmed), ctx.cols(i)));
        let outer = closers[0].0 && closers[0] == closers[1] && first.1 < 0;
        if first.2 && (first.1 > 0 || outer) && second.1 == 0 && !follows {
            out.push(first.0);
        }
    }
    out
}

fn settle_side(ctx: &Ctx, k: usize, ops: &mut Vec<Op>, anchor: usize, lead: bool) -> Result<()> {
    let Op::Pair(anchor_i, anchor_j) = ops[anchor] else {
        return Ok(());
    };
    loop {
        let range = if lead {
            0..anchor_at(ops, anchor_i)
        } else {
            anchor_at(ops, anchor_i) + 1..ops.len()
        };
        let mut order: Vec<usize> = range.collect();
        if !lead {
            order.reverse();
        }
        let Some(at) = order
            .into_iter()
            .find(|&x| !matches!(ops[x], Op::Insert(_)))
        else {
            break;
        };
        // A statement that ends with a line gives the name that the file's line gives, or begins
        // as that one does.
        if let Op::Pair(i, j) = ops[at]
            && !lead
            && let Some(x) =
                bound_above(ctx, &ops[..at], i, j).or_else(|| spread_above(ctx, ops, at, j))
            && let Op::Insert(head) = ops[x]
        {
            (ops[x], ops[at]) = (Op::Pair(head, j), Op::Insert(i));
            continue;
        }
        match ops[at] {
            Op::Delete(_) => {
                ops.remove(at);
            }
            Op::Pair(i, _) if ctx.lines[i].class == Class::Blank => ops[at] = Op::Insert(i),
            // A new header above it makes it part of another block.
            Op::Pair(i, j)
                if lead
                    && !same_line(ctx, i, j)
                    && ops[..at].iter().any(|op| {
                        matches!(*op, Op::Insert(x)
                            if ctx.lines[x].class == Class::Plain && ctx.cols(x) < ctx.cols(i))
                    }) =>
            {
                ops[at] = Op::Insert(i);
            }
            Op::Pair(i, j)
                if lead && (in_a_row(ctx, i, j) || other_branch(ctx, ops, i, j, anchor_j)) =>
            {
                return Err(refuse::edge(ctx, i, j));
            }
            Op::Pair(i, j) => match verdict(ctx, i, j, anchor_i, anchor_j, lead) {
                Verdict::Replaces => return beside(ctx, k, ops, i, j, lead),
                Verdict::Joins => ops[at] = Op::Insert(i),
                Verdict::Unclear => match ctx.reading() {
                    Some(Reading::Replaces) => return beside(ctx, k, ops, i, j, lead),
                    Some(Reading::Joins) => ops[at] = Op::Insert(i),
                    None => return Err(refuse::edge(ctx, i, j)),
                },
            },
            Op::Insert(_) => break,
        }
    }
    beside(ctx, k, ops, anchor_i, anchor_j, lead)
}

/// The outermost lines of a segment are context as a rule: one that stands in the file
/// but was not found there says that the segment does not fit its place.
pub(crate) fn unmatched_context(ctx: &Ctx, k: usize, ops: &[Op]) -> Result<()> {
    let (a, b) = ctx.bounds[k];
    for i in [a, b - 1] {
        let known = ctx.counts.get(&ctx.lines[i].hash).copied();
        let l = &ctx.lines[i];
        // It was taken for another line's new text, though it stands as it is elsewhere.
        let elsewhere = known.is_some()
            && l.class == Class::Plain
            && ops
                .iter()
                .any(|op| matches!(*op, Op::Pair(x, j) if x == i && !l.same(&ctx.file[j]) && !ctx.is_guided(x, j)));
        // At the margin an import is for all, in a block for that alone.
        let deeper = || {
            (0..ctx.file.len())
                .filter(|&j| l.same(&ctx.file[j]))
                .all(|j| ctx.file_cols(j) > 0)
        };
        let wider = import(l.trimmed) && ctx.cols(i) == 0 && deeper();
        // What closes a new block is new, and so is what stands in it.
        let around = (a..i)
            .rev()
            .find(|&x| ctx.lines[x].class != Class::Blank && ctx.cols(x) < ctx.cols(i));
        let around = around.filter(|&x| !ctx.counts.contains_key(&ctx.lines[x].hash));
        let opens = |op: &Op, x: usize| matches!(*op, Op::Insert(i) | Op::Pair(i, _) if i == x);
        let new = |x| ops.iter().any(|op| opens(op, x) && !anchors(ctx, op));
        let own = || closers::opener(ctx, i).or(around).is_some_and(new);
        // It has moved within the lines that the segment gives anew.
        let moved = || {
            ops.iter()
                .any(|op| matches!(*op, Op::Delete(j) if l.same(&ctx.file[j])))
        };
        if ctx.roles[i] == Role::Plain
            && matches!(l.class, Class::Plain | Class::Short)
            && !wider
            // What is said above a definition may be said of others.
            && !ctx.guides.new[i]
            && !(says(l.trimmed) && ctx.guides.ranges[i].is_some_and(|r| r.firm))
            && (known.is_some() && ops.contains(&Op::Insert(i)) && !own() && !moved() || elsewhere)
        {
            return Err(refuse::misplaced(ctx, k, i));
        }
        // Right beside its place a comment much like it is it sooner.
        let beside = |j: usize| {
            let place = |op: &Op| matches!(*op, Op::Pair(_, y) if y.abs_diff(j) <= NEAR);
            ops.iter().any(place)
        };
        let quoted = |(j, f): (usize, &Line)| {
            starts_comment(f.trimmed)
                && match l.similarity(f) {
                    QUOTED.. => true,
                    r => r >= ALIKE && beside(j),
                }
        };
        if ctx.roles[i] == Role::Plain
            && starts_comment(l.trimmed)
            && l.word_count() >= SENTENCE
            && ops.contains(&Op::Insert(i))
            && let Some(j) = ctx.file.iter().enumerate().position(quoted)
            && !ops
                .iter()
                .any(|op| matches!(*op, Op::Pair(_, y) | Op::Delete(y) if y == j))
        {
            return Err(refuse::edge(ctx, i, j));
        }
    }
    Ok(())
}

/// How similar a comment of so many words is to one of the file that it misquotes.
const QUOTED: i32 = 850;

/// The same where that one stands within so many lines.
const ALIKE: i32 = 600;

const NEAR: usize = 2;

const SENTENCE: usize = 5;

/// Where new lines have a prefix, a line without one that the file has is the file's.
pub(crate) fn unprefixed(ctx: &Ctx, k: usize, ops: &[Op]) -> Result<()> {
    let (a, b) = ctx.bounds[k];
    if !(a..b).any(|i| ctx.roles[i] == Role::Plus) {
        return Ok(());
    }
    for op in ops {
        if let Op::Insert(i) = *op
            && ctx.roles[i] == Role::Plain
            && ctx.lines[i].class != Class::Blank
            && ctx.counts.contains_key(&ctx.lines[i].hash)
        {
            return Err(refuse::misplaced(ctx, k, i));
        }
    }
    Ok(())
}

/// Blank lines between the sure lines and new ones at a segment's end are new as well, so
/// that the file's own blank line stays on the far side.
pub(crate) fn lift_blanks(ctx: &Ctx, ops: &mut [Op]) {
    let held = |op: &Op| match *op {
        Op::Pair(i, _) => ctx.lines[i].class != Class::Blank,
        Op::Delete(j) => ctx.file[j].class != Class::Blank,
        Op::Insert(_) => false,
    };
    let (Some(first), Some(last)) = (ops.iter().position(held), ops.iter().rposition(held)) else {
        return;
    };
    let n = ops.len();
    for x in (0..first).chain(last + 1..n) {
        if let Op::Pair(i, _) = ops[x] {
            ops[x] = Op::Insert(i);
        }
    }
}
