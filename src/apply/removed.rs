//! Which lines of the file a segment takes out, and whether it says so.

use super::align::Op;
use super::closers::{self, closes_around};
use super::context::{Ctx, same_line};
use super::edges::{Edge, anchors};
use super::fate::{Fate, defined_again, fate, named_once};
use super::line::{Class, Key};
use super::refuse;
use super::scores::CHANGED;
use super::shape::{
    closes, empty_comment, first_word, net_blocks, net_brackets, opens, starts_comment,
};
use crate::error::Result;

/// Removed runs that only a weak line bounds have to lie within what that line closes.
pub(crate) fn weak_bounds(ctx: &Ctx, k: usize, ops: &[Op]) -> Result<()> {
    let strong = |op: &Op| {
        matches!(*op, Op::Pair(i, j) if ctx.lines[i].class == Class::Plain && same_line(ctx, i, j))
            || matches!(*op, Op::Pair(i, j) if ctx.is_guided(i, j))
    };
    let strong = |op: &Op| strong(op) || closes_around(ctx, ops, op);
    let mut x = 0;
    while x < ops.len() {
        if !matches!(ops[x], Op::Delete(_)) {
            x += 1;
            continue;
        }
        let from = x;
        // A run ends at the next line that both sides share.
        while x < ops.len() && !anchors(ctx, &ops[x]) && !strong(&ops[x]) {
            x += 1;
        }
        let gone: Vec<usize> = ops[from..x]
            .iter()
            .filter_map(|op| match op {
                Op::Delete(j) if ctx.file[*j].class != Class::Blank => Some(*j),
                _ => None,
            })
            .collect();
        let (Some(&first), Some(&last)) = (gone.first(), gone.last()) else {
            continue;
        };
        // The definition is given whole: the rest of the old one goes with them.
        if ctx.superseded.borrow().contains(&first) {
            continue;
        }
        let nothing = |op: &Op| match *op {
            Op::Pair(i, _) => {
                ctx.lines[i].class == Class::Blank || empty_comment(ctx.lines[i].trimmed)
            }
            Op::Insert(_) | Op::Delete(_) => true,
        };
        if ops[..from].iter().all(nothing) || ops[x..].iter().all(nothing) {
            return Err(refuse::removed_at_edge(ctx, k, first, last));
        }
        // `else` and the like at another depth than the rest belong to something else.
        let shift = ops.iter().find(|op| strong(op)).and_then(|op| match *op {
            Op::Pair(i, j) => Some(ctx.file_cols(j) - ctx.cols(i)),
            _ => None,
        });
        let astray = |op: &Op| {
            matches!(*op, Op::Pair(i, j) if ctx.lines[i].class != Class::Blank
                && Some(ctx.file_cols(j) - ctx.cols(i)) != shift)
        };
        let held_by_it = |side: &[Op]| !side.iter().any(strong) && side.iter().any(astray);
        // Nor does a definition go between lines of which one side stands at other depths.
        let heads = gone.iter().any(|j| ctx.guides.names(*j));
        let torn = |side: &[Op]| heads && !side.iter().any(|op| strong(op) && !astray(op));
        let astray_side = |side: &[Op]| held_by_it(side) || torn(side);
        if shift.is_some() && (astray_side(&ops[..from]) || astray_side(&ops[x..])) {
            return Err(refuse::removed_at_edge(ctx, k, first, last));
        }
        let change = from_change(ctx, ops, from);
        // Beside a marker, what ends a new block may be there for the old one.
        let level = |op: &Op| strong(op) && !astray(op);
        let open = ctx.script.segments[k].marker_after && !ops[x..].iter().any(level);
        if open && opens_another(ctx, ops, change..x, first) {
            return Err(refuse::removed_at_edge(ctx, k, first, last));
        }
        if balanced(ctx, &ops[change..x]) {
            continue;
        }
        if let Some(Some((a, b))) = ops[..from].iter().rev().find_map(|op| match *op {
            Op::Pair(i, _) | Op::Insert(i) => Some(ctx.guides.rewrites[i]),
            Op::Delete(_) => None,
        }) && gone.iter().all(|&j| a <= j && j < b)
        {
            continue;
        }
        let after = ops.get(x);
        if after.is_some_and(strong) {
            continue;
        }
        let Some(&Op::Pair(_, close)) = after else {
            return Err(refuse::removed_at_edge(ctx, k, first, last));
        };
        // Behind a weak line a strong one may follow without a break.
        let mut y = x + 1;
        let mut held = false;
        while let Some(op) = ops.get(y) {
            if strong(op) {
                held = true;
                break;
            }
            if !matches!(op, Op::Pair(i, j) if same_line(ctx, *i, *j)) {
                break;
            }
            y += 1;
        }
        let depth = ctx.file_cols(close);
        if !held && gone.iter().any(|&j| ctx.file_cols(j) <= depth) {
            return Err(refuse::removed_at_edge(ctx, k, first, last));
        }
    }
    Ok(())
}

/// Lines that a part takes out right below a bracket with which it begins have to end with another one
/// than that: else they may stay, and the bracket is the one below them.
///
/// # Errors
/// `unexplained_removal`.
pub(crate) fn below_any_bracket(ctx: &Ctx, k: usize, ops: &[Op]) -> Result<()> {
    let mut told = ops.iter().filter(|op| ctx.is_told(op));
    let Some(&Op::Pair(i, j)) = told.next() else {
        return Ok(());
    };
    let (l, f) = (&ctx.lines[i], &ctx.file[j]);
    if l.class == Class::Plain || !l.same(f) || !closes(l.trimmed) {
        return Ok(());
    }
    let header = closers::opener_above(ctx, i);
    if header.is_some_and(|h| ctx.is_inside(h, i)) {
        return Ok(());
    }
    let gone = told.map_while(|op| match *op {
        Op::Delete(j) => Some(Some(j)),
        Op::Insert(_) => Some(None),
        Op::Pair(..) => None,
    });
    let gone: Vec<usize> = gone.flatten().collect();
    let again = |y: &&usize| ctx.file[**y].same(f) && ctx.file_cols(**y) == ctx.file_cols(j);
    match (gone.first(), gone.iter().rfind(again)) {
        (Some(&first), Some(&last)) => Err(refuse::removed_at_edge(ctx, k, first, last)),
        _ => Ok(()),
    }
}

/// Whether what a change puts in opens a block that has another head than what it takes out from
/// file line `first` on.
fn opens_another(ctx: &Ctx, ops: &[Op], change: std::ops::Range<usize>, first: usize) -> bool {
    let mut new = ops[change].iter().filter_map(|op| match *op {
        Op::Insert(i) if ctx.lines[i].class != Class::Blank => Some(i),
        _ => None,
    });
    let Some(head) = new.next() else { return false };
    let opened = new.chain([head]).map(|i| net_blocks(ctx.lines[i].trimmed));
    let (new, old) = (&ctx.lines[head], &ctx.file[first]);
    let same = new.similarity(old) > CHANGED
        || matches!(new.key(), Key::Binds(n) if !n.is_empty() && new.key() == old.key())
        || ctx.renames(new, old);
    // A comment right above the old one and the new one is about both.
    let about = head > 0
        && first > 0
        && starts_comment(ctx.lines[head - 1].trimmed)
        && ops.contains(&Op::Pair(head - 1, first - 1));
    opened.sum::<i32>() > 0 && !same && !about
}

/// A comment which tells that something is gone has to stand where lines go or change.
///
/// # Errors
/// `removal_comment`.
pub(crate) fn notes(ctx: &Ctx, k: usize, ops: &[Op]) -> Result<()> {
    let (a, b) = ctx.bounds[k];
    for note in ctx.script.segments[k].notes.iter().filter(|n| !n.done) {
        let at = ops
            .iter()
            .position(|op| matches!(*op, Op::Pair(i, _) | Op::Insert(i) if i >= a + note.above));
        let (above, below) = ops.split_at(at.unwrap_or(ops.len()));
        let takes = |op: &Op| ctx.takes(op);
        let open = |op: &&Op| !anchors(ctx, op);
        // Beside a marker, the next line has to be what has changed.
        let taken = if note.above == 0 {
            below.first().is_some_and(takes)
        } else if a + note.above == b {
            above.last().is_some_and(takes)
        } else {
            above.iter().rev().take_while(open).any(takes)
                || below.iter().take_while(open).any(takes)
        };
        if !taken {
            return Err(refuse::nothing_goes(ctx, note.number));
        }
    }
    Ok(())
}

/// Lines that change and as many that go: more than a slip of the alignment.
const MIXED: usize = 2;

/// Beyond the outermost telling line of a segment, lines may be new, others changed and others
/// gone, but not all of it at once: then the next block has been taken for what is new.
pub(crate) fn mixed_edge(ctx: &Ctx, k: usize, ops: &[Op]) -> Result<()> {
    let telling = |op: &Op| {
        matches!(*op, Op::Pair(i, j) if ctx.lines[i].class == Class::Plain && same_line(ctx, i, j)
            || ctx.is_guided(i, j))
            || closes_around(ctx, ops, op)
    };
    let (Some(first), Some(last)) = (ops.iter().position(telling), ops.iter().rposition(telling))
    else {
        return Ok(());
    };
    for side in [&ops[..first], &ops[last + 1..]] {
        let (mut new, mut changed, mut gone) = (0, 0, Vec::new());
        for op in side {
            match *op {
                Op::Insert(i) if ctx.lines[i].class != Class::Blank => new += 1,
                Op::Pair(i, j) if !same_line(ctx, i, j) => changed += 1,
                Op::Delete(j) if ctx.file[j].class != Class::Blank => gone.push(j),
                _ => {}
            }
        }
        if let (Some(&from), Some(&to)) = (gone.first(), gone.last())
            && new > 0
            && changed >= MIXED
            && gone.len() >= MIXED
            && !ctx.superseded.borrow().contains(&from)
            && !rest_of_statement(ctx, side)
        {
            return Err(refuse::removed_at_edge(ctx, k, from, to));
        }
    }
    Ok(())
}

/// Where the change around an operation starts: behind the line that both sides share.
fn from_change(ctx: &Ctx, ops: &[Op], at: usize) -> usize {
    (0..at)
        .rev()
        .find(|&x| anchors(ctx, &ops[x]))
        .map_or(0, |x| x + 1)
}

/// Whether what a change puts in opens and closes as many brackets as what it takes out,
/// and reaches as far out: then it replaces it.
fn balanced(ctx: &Ctx, ops: &[Op]) -> bool {
    let (mut new, mut old) = (0, 0);
    let (mut new_depth, mut old_depth) = (i32::MAX, i32::MAX);
    let mut lines = 0;
    for op in ops {
        if let Op::Insert(i) | Op::Pair(i, _) = *op {
            new += net_brackets(ctx.lines[i].trimmed);
            if ctx.lines[i].class != Class::Blank {
                new_depth = new_depth.min(ctx.cols(i));
                lines += 1;
            }
        }
        if let Op::Delete(j) | Op::Pair(_, j) = *op {
            old += net_brackets(ctx.file[j].trimmed);
            if ctx.file[j].class != Class::Blank {
                old_depth = old_depth.min(ctx.file_cols(j));
            }
        }
    }
    let shift = ctx.shifts.first().copied().flatten().unwrap_or(0);
    lines > 0 && new == old && new_depth.saturating_add(shift) <= old_depth
}

/// A run of lines that a merge takes out of the file.
pub(crate) struct Removed {
    /// First and last-plus-one line, from 0.
    pub lines: (usize, usize),
    /// The new lines in their place: those up to the next lines that both sides share.
    pub put: Vec<String>,
}

/// Runs of removed lines that are not all blank.
pub(crate) fn removed_runs(ctx: &Ctx, ops: &[Op]) -> Vec<Removed> {
    let mut runs = Vec::new();
    let mut x = 0;
    while x < ops.len() {
        let Op::Delete(from) = ops[x] else {
            x += 1;
            continue;
        };
        let start = from_change(ctx, ops, x);
        let mut to = from + 1;
        while let Some(&Op::Delete(j)) = ops.get(x) {
            to = j + 1;
            x += 1;
        }
        let change = ops[start..].iter().take_while(|op| !anchors(ctx, op));
        let put = change.filter_map(|op| match *op {
            Op::Insert(i) => Some(ctx.lines[i].trimmed.to_string()),
            Op::Pair(..) | Op::Delete(_) => None,
        });
        if (from..to).any(|j| ctx.file[j].class != Class::Blank) {
            runs.push(Removed {
                lines: (from, to),
                put: put.collect(),
            });
        }
    }
    runs
}

/// Adds the removal of lines that what a segment gives takes up to its operations.
pub(crate) fn superseded(ops: &mut Vec<Op>, k: usize, lines: &[usize]) {
    let edge = Edge::of(k, ops);
    let outside = lines
        .iter()
        .filter(|&&j| !(edge.start..edge.end).contains(&j));
    let (above, below): (Vec<usize>, Vec<usize>) = outside.partition(|&&j| j < edge.start);
    let gap = above.last().map_or(edge.start, |j| j + 1)..edge.start;
    let first = above.into_iter().chain(gap).map(Op::Delete);
    ops.splice(0..0, first);
    let gap = edge.end..below.first().copied().unwrap_or(edge.end);
    ops.extend(gap.chain(below).map(Op::Delete));
}

/// Runs of removed lines, without a new header in their place, may not end within a definition
/// that begins in them: its header would go and its body stay.
pub(crate) fn headless(ctx: &Ctx, k: usize, ops: &[Op]) -> Result<()> {
    let held = |op: Option<&Op>| {
        op.is_some_and(|op| matches!(*op, Op::Pair(i, j) if same_line(ctx, i, j)))
    };
    let told = |r: std::ops::Range<usize>| {
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
            let header = first_word(ctx.file[header].trimmed);
            change.iter().any(|op| {
                matches!(*op, Op::Insert(i) if opens(ctx.lines[i].trimmed)
                    || header.is_some() && first_word(ctx.lines[i].trimmed) == header)
            })
        };
        // Without what is said above it, each is the second of two.
        let cut = |d: &[(usize, usize)]| {
            d.last()
                .is_some_and(|&(a, b)| first <= a && a <= last && told(last + 1..b) && !renewed(a))
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

/// So many lines fewer are a large removal.
const MANY: usize = 5;

/// Whether a change gives the first line of a statement anew, that goes on over lines by its brackets,
/// and takes out nothing but the rest of it.
fn rest_of_statement(ctx: &Ctx, change: &[Op]) -> bool {
    let mut changed = change.iter().enumerate();
    let head = changed.find_map(|(n, op)| match *op {
        Op::Pair(i, j) if net_brackets(ctx.file[j].trimmed) > 0 => Some((n, i, j)),
        _ => None,
    });
    let Some((at, i, j)) = head else { return false };
    let (above, below) = change.split_at(at + 1);
    let takes = |op: &Op| matches!(op, Op::Delete(_)) && ctx.is_told(op);
    let last = below.iter().filter_map(|op| match *op {
        Op::Delete(j) if takes(op) => Some(j),
        _ => None,
    });
    let put = below.iter().filter_map(|op| match *op {
        Op::Insert(i) | Op::Pair(i, _) => Some(i),
        Op::Delete(_) => None,
    });
    let Some(last) = last.max() else { return false };
    let net = |y: usize| -> i32 {
        let lines = &ctx.file[j..=y];
        lines.iter().map(|l| net_brackets(l.trimmed)).sum()
    };
    let given: i32 = put.map(|i| net_brackets(ctx.lines[i].trimmed)).sum();
    !above.iter().any(takes)
        && (j..last).all(|y| net(y) > 0)
        && net(last) == 0
        && given + net_brackets(ctx.lines[i].trimmed) == 0
}

/// A part that takes out far more than it puts in has to show, on both sides of the place, a
/// line that stands only there: what is repeated may be met elsewhere by chance.
pub(crate) fn net_removals(ctx: &Ctx, k: usize, ops: &[Op]) -> Result<()> {
    // Within a definition that the snippet heads, what stands there once does.
    let once = |i: usize, j: usize| {
        let range = ctx.guides.ranges[i].filter(|r| r.inside && r.low <= j && j < r.high);
        let within = range.and_then(|r| ctx.file.get(r.low..r.high));
        ctx.counts.get(&ctx.file[j].hash) == Some(&1)
            || within.is_some_and(|f| f.iter().filter(|f| f.same(&ctx.file[j])).count() == 1)
    };
    let sure = |op: &Op| {
        matches!(*op, Op::Pair(i, j)
            if ctx.lines[i].class == Class::Plain
                && once(i, j)
                && same_line(ctx, i, j)
            || ctx.guides.pairs.iter().any(|&(a, b, _)| (a, b) == (i, j)))
            || closes_around(ctx, ops, op)
    };
    let mut x = 0;
    while x < ops.len() {
        if anchors(ctx, &ops[x]) {
            x += 1;
            continue;
        }
        let from = x;
        while x < ops.len() && !anchors(ctx, &ops[x]) {
            x += 1;
        }
        let mut gone: Vec<usize> = Vec::new();
        let mut new = 0;
        for op in &ops[from..x] {
            match *op {
                Op::Delete(j) if ctx.file[j].class != Class::Blank => gone.push(j),
                Op::Insert(i) if ctx.lines[i].class != Class::Blank => new += 1,
                _ => {}
            }
        }
        let (Some(&first), Some(&last)) = (gone.first(), gone.last()) else {
            continue;
        };
        let whole = ops.iter().any(|op| {
            matches!(*op, Op::Pair(i, _) | Op::Insert(i)
                if ctx.guides.rewrites[i].is_some_and(|(a, b)| a <= first && last < b))
        });
        if gone.len() < new + MANY || whole || rest_of_statement(ctx, &ops[from..x]) {
            continue;
        }
        if !ops[..from].iter().any(sure) || !ops[x..].iter().any(sure) {
            return Err(refuse::removed_at_edge(ctx, k, first, last));
        }
    }
    Ok(())
}
