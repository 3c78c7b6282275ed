//! Another reading of a segment that takes less out of the file.
//!
//! Where a segment leaves out lines of the file, what follows them in the snippet may stand
//! among the lines left out as well: near-copies repeat the context. Both readings put all
//! of the snippet into the file; an agent that wanted the larger removal would have shown
//! a line that only it explains, so the smaller one is meant.

use super::insertion;
use crate::apply::lines::key::Key;
use crate::apply::lines::line::{Class, Line, starts_comment};
use crate::apply::lines::shape::net_brackets;
use crate::apply::pass::align::{NO_PAIR, Op, Problem};
use crate::apply::pass::context::{Ctx, same_line};
use crate::apply::snippet::script::Role;

/// A reading of segment `s` whose removed and changed lines are some of those of `ops`,
/// and not all.
pub(crate) fn smaller(ctx: &Ctx, problem: &Problem, s: usize, ops: &[Op]) -> Option<Vec<Op>> {
    let (a, b) = problem.segments[s];
    // Lines that are commented out do not stand beside what they were.
    if (a..b).any(|i| ctx.roles[i] != Role::Plain) || ctx.puts_out_of_use(ops) {
        return None;
    }
    let low = ops.iter().find_map(place)?;
    let high = ops.iter().rev().find_map(place)? + 1;
    let taken = touched(ctx, ops);
    let mut x = 0;
    let mut best: Option<(Vec<Op>, usize)> = None;
    while x < ops.len() {
        let Op::Delete(from) = ops[x] else {
            x += 1;
            continue;
        };
        let first = x;
        let mut to = from;
        while let Some(&Op::Delete(j)) = ops.get(x) {
            to = j + 1;
            x += 1;
        }
        let told = |j: usize| ctx.file[j].class != Class::Blank;
        let whole = ops.iter().any(|op| {
            matches!(*op, Op::Pair(i, _) | Op::Insert(i)
                if ctx.guides.rewrites[i].is_some_and(|(a, b)| a <= from && to <= b))
        });
        if whole || !(from..to).any(told) {
            continue;
        }
        let paired = |op: Option<&Op>| matches!(op, Some(Op::Pair(..)));
        let pure = first > 0 && paired(ops.get(first - 1)) && paired(ops.get(x));
        // What follows stands within the lines left out, or what precedes them does.
        for (p, q) in [(low, to), (from, high)] {
            let Some(other) = within(problem, (a, b), p, q) else {
                continue;
            };
            // What stands in the file once does not come again.
            if insertion::doubles(ctx, ops, &other)
                || defines_again(ctx, ops, &other)
                || stands_alone(ctx, from..to) && misplaces(ctx, ops, &other)
                || !held_beyond(ctx, &other, ops, (from, to), p == low, pure)
            {
                continue;
            }
            let less = touched(ctx, &other);
            if less.len() < taken.len()
                && less.iter().all(|j| taken.contains(j))
                && best.as_ref().is_none_or(|(_, n)| less.len() < *n)
            {
                best = Some((other, less.len()));
            }
        }
    }
    best.map(|b| b.0)
}

/// Whether lines are a piece of their own: none is less deep than the first, and they close what
/// they open.
fn stands_alone(ctx: &Ctx, lines: std::ops::Range<usize>) -> bool {
    let mut told = lines.filter(|&j| ctx.file[j].class != Class::Blank);
    let Some(first) = told.next() else {
        return false;
    };
    let mut open = net_brackets(ctx.file[first].trimmed);
    told.all(|j| {
        open += net_brackets(ctx.file[j].trimmed);
        open >= 0 && ctx.file_cols(j) >= ctx.file_cols(first)
    }) && open == 0
}

/// Whether a reading takes for new the header of a definition that the file has, as it is.
fn defines_again(ctx: &Ctx, ops: &[Op], other: &[Op]) -> bool {
    ops.iter().any(|op| {
        matches!(*op, Op::Pair(i, j) if ctx.guides.names(j)
            && ctx.is_guided(i, j)
            && same_line(ctx, i, j)
            && other.contains(&Op::Insert(i)))
    })
}

/// Whether a reading takes for another line, changed, what stands in the file once.
fn misplaces(ctx: &Ctx, ops: &[Op], other: &[Op]) -> bool {
    ops.iter()
        .any(|op| ctx.stands_there(op) && !other.contains(op))
}

/// Whether a reading at the file's end, which shows no line there that stands only there, gives up such
/// lines elsewhere. In a definition that the file does not have they are met by chance.
pub(crate) fn strays_to_the_end(ctx: &Ctx, ops: &[Op], end: &[Op]) -> bool {
    let new = |op: &Op| matches!(*op, Op::Pair(i, _) if ctx.guides.new[i]);
    let elsewhere = |op: &Op| ctx.stands_there(op) && !new(op) && !end.contains(op);
    !end.iter().any(|op| ctx.stands_there(op)) && ops.iter().any(elsewhere)
}

/// Lines that one reading has for context and the other for new ones.
const REPEATED: usize = 5;

/// Whether a reading puts in so many lines that the first one has found in the file, more than
/// it saves from removal: then neither is sure.
pub(crate) fn repeats(ctx: &Ctx, ops: &[Op], other: &[Op]) -> bool {
    let again = ops.iter().filter(|op| {
        matches!(**op, Op::Pair(i, j) if ctx.lines[i].class != Class::Blank
            && same_line(ctx, i, j)
            && other.contains(&Op::Insert(i)))
    });
    let again = again.count();
    let saved = touched(ctx, ops)
        .len()
        .saturating_sub(touched(ctx, other).len());
    again >= REPEATED && again > 2 * saved
}

/// Whether a reading takes nothing out of the file but what another one does, and less of it, and
/// finds all lines that the other has found.
pub(crate) fn takes_less(ctx: &Ctx, ops: &[Op], other: &[Op]) -> bool {
    let (less, more) = (touched(ctx, ops), touched(ctx, other));
    let found = |op: &Op| match *op {
        Op::Pair(i, j) if same_line(ctx, i, j) => Some(i),
        _ => None,
    };
    let kept: Vec<usize> = ops.iter().filter_map(found).collect();
    less.len() < more.len()
        && less.iter().all(|j| more.contains(j))
        && other.iter().filter_map(found).all(|i| kept.contains(&i))
}

/// The reading by which a line stays where it is that `ops` take out and put in again. What stands
/// once in the file and once in the snippet holds more than lines that both have several times, or
/// at another depth.
pub(crate) fn uncrossed(ctx: &Ctx, problem: &Problem, s: usize, ops: &[Op]) -> Option<Vec<Op>> {
    let (a, b) = problem.segments[s];
    if (a..b).any(|i| ctx.roles[i] != Role::Plain) {
        return None;
    }
    let (i, j) = crossed(ctx, ops)?;
    let shift = |i: usize, j: usize| ctx.file_cols(j) - ctx.cols(i);
    let first = ops.iter().find_map(|op| match *op {
        Op::Pair(i, j) if ctx.lines[i].class == Class::Plain && same_line(ctx, i, j) => {
            Some(shift(i, j))
        }
        _ => None,
    });
    // What has come to stand at another depth has moved.
    if first.is_some_and(|first| first != shift(i, j)) {
        return None;
    }
    let low = ops.iter().find_map(place)?;
    let high = ops.iter().rev().find_map(place)? + 1;
    let mut other = match a < i && low < j {
        true => within(problem, (a, i), low, j)?,
        false => (a..i).map(Op::Insert).collect(),
    };
    // What stands between it and the line that stays goes.
    if let Some(at) = other.iter().rposition(|op| place(op).is_some())
        && let Some(last) = place(&other[at])
    {
        other.splice(at + 1..at + 1, (last + 1..j).map(Op::Delete));
    }
    other.push(Op::Pair(i, j));
    let below = match i + 1 < b && j + 1 < high {
        true => within(problem, (i + 1, b), j + 1, high)?,
        false => (i + 1..b).map(Op::Insert).collect(),
    };
    if let Some(first) = below.iter().find_map(place) {
        other.extend((j + 1..first).map(Op::Delete));
    }
    other.extend(below);
    let weak = |x: usize, y: usize| {
        // What is said of one thing is often said of another.
        starts_comment(ctx.lines[x].trimmed)
            || ctx.lines[x].class != Class::Plain
            || !stands_once(ctx, x, y)
            || shift(x, y) != shift(i, j)
    };
    let lost = |op: &Op| matches!(*op, Op::Pair(i, j) if same_line(ctx, i, j) && !weak(i, j) && !other.contains(op));
    let fits = touched(ctx, &other).len() <= touched(ctx, ops).len();
    (fits && !ops.iter().any(lost) && crossed(ctx, &other).is_none()).then_some(other)
}

/// A line that an alignment takes out and puts in again, and that stands nowhere else.
fn crossed(ctx: &Ctx, ops: &[Op]) -> Option<(usize, usize)> {
    let gone = || {
        ops.iter().filter_map(|op| match *op {
            Op::Delete(j) if ctx.file[j].class == Class::Plain => Some(j),
            _ => None,
        })
    };
    ops.iter().find_map(|op| match *op {
        Op::Insert(i) => gone()
            .find(|&j| ctx.lines[i].same(&ctx.file[j]) && stands_once(ctx, i, j))
            .map(|j| (i, j)),
        _ => None,
    })
}

/// Whether a line stands once in the snippet and once in the file.
fn stands_once(ctx: &Ctx, i: usize, j: usize) -> bool {
    let same = |l: &&Line| l.same(&ctx.lines[i]);
    ctx.counts.get(&ctx.file[j].hash) == Some(&1) && ctx.lines.iter().filter(same).count() == 1
}

/// The line of the file that an operation covers.
fn place(op: &Op) -> Option<usize> {
    match *op {
        Op::Pair(_, j) | Op::Delete(j) => Some(j),
        Op::Insert(_) => None,
    }
}

/// File lines that are removed or changed.
fn touched(ctx: &Ctx, ops: &[Op]) -> Vec<usize> {
    ops.iter()
        .filter_map(|op| match *op {
            Op::Delete(j) if ctx.file[j].class != Class::Blank => Some(j),
            Op::Pair(i, j) if !same_line(ctx, i, j) => Some(j),
            _ => None,
        })
        .collect()
}

/// Whether the outermost lines that the first reading shares with the file behind (or
/// before) the removed run are shared in the other one as well, a telling one among them.
fn held_beyond(
    ctx: &Ctx,
    other: &[Op],
    ops: &[Op],
    (from, to): (usize, usize),
    behind: bool,
    pure: bool,
) -> bool {
    let mut beyond: Vec<usize> = ops
        .iter()
        .filter_map(|op| match *op {
            Op::Pair(i, j)
                if ctx.lines[i].class != Class::Blank
                    && same_line(ctx, i, j)
                    && (if behind { j >= to } else { j < from }) =>
            {
                Some(i)
            }
            _ => None,
        })
        .collect();
    // What stands there alone is no new line.
    let put = |i: &usize| {
        ctx.lines[*i].class == Class::Plain
            && ctx.counts.get(&ctx.lines[*i].hash) == Some(&1)
            && other.contains(&Op::Insert(*i))
    };
    if beyond.iter().any(put) {
        return false;
    }
    if behind {
        beyond.reverse();
    }
    let weak = beyond.iter().all(|&i| ctx.lines[i].class != Class::Plain);
    if !weak {
        beyond.truncate(OUTERMOST);
    }
    let held = |i: usize| {
        other
            .iter()
            .any(|o| matches!(*o, Op::Pair(x, y) if x == i && same_line(ctx, x, y)))
    };
    // The nearest line may be a copy of the one that changes.
    let changed = |i: usize| {
        other.iter().any(|o| {
            matches!(*o, Op::Pair(x, y) if x == i
                && matches!((ctx.lines[x].key(), ctx.file[y].key()),
                    (Key::Binds(p), Key::Binds(q)) if p == q && !p.is_empty()))
        })
    };
    // Brackets and the like say nothing of what lies between them and the rest: where all
    // of them stand beside it as well, the removal is not shown.
    if weak {
        let depth = |ops: &[Op], i: usize| {
            ops.iter().find_map(|op| match *op {
                Op::Pair(x, j) if x == i => Some(ctx.file_cols(j)),
                _ => None,
            })
        };
        let level = |i: usize| depth(ops, i) == depth(other, i);
        return pure && !beyond.is_empty() && beyond.iter().all(|&i| held(i) && level(i));
    }
    beyond.iter().all(|&i| held(i) || changed(i))
        && beyond.iter().any(|&i| ctx.lines[i].class == Class::Plain)
}

/// So many lines at the end of a part are its context.
const OUTERMOST: usize = 2;

/// The best alignment of snippet lines `a..b` with file lines `p..q` alone.
fn within(problem: &Problem, (a, b): (usize, usize), p: usize, q: usize) -> Option<Vec<Op>> {
    let n = q - p;
    let mut pairs = vec![NO_PAIR; (b - a) * n];
    for i in a..b {
        let row = &problem.pairs[i * problem.n + p..i * problem.n + q];
        pairs[(i - a) * n..(i - a + 1) * n].copy_from_slice(row);
    }
    let rewrites: Vec<_> = problem.rewrites[a..b]
        .iter()
        .map(|r| r.map(|(x, y)| (x.saturating_sub(p), y.saturating_sub(p))))
        .collect();
    let one = Problem {
        n,
        segments: &[(0, b - a)],
        pairs: &pairs,
        inserts: &problem.inserts[a..b],
        deletable: &problem.deletable[a..b],
        rewrites: &rewrites,
    };
    let ops = one.solve(false)?.ops.pop()?;
    Some(
        ops.into_iter()
            .map(|op| match op {
                Op::Pair(i, j) => Op::Pair(i + a, j + p),
                Op::Insert(i) => Op::Insert(i + a),
                Op::Delete(j) => Op::Delete(j + p),
            })
            .collect(),
    )
}
