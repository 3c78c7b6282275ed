//! Which lines of the file a segment takes out, and whether it says so.

use crate::apply::lines::key::Key;
use crate::apply::lines::line::{Class, Line, starts_comment};
use crate::apply::lines::shape::{
    closes, empty_comment, first_word, net_blocks, net_brackets, opens,
};
use crate::apply::pass::align::Op;
use crate::apply::pass::closers::{self, closes_around};
use crate::apply::pass::context::{Ctx, anchors, same_line};
use crate::apply::pass::extent::Extent;
use crate::apply::pass::scores::CHANGED;
use crate::apply::refuse;
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
        let shifts = [shift, ctx.shifts[k]];
        let astray = |op: &Op| {
            matches!(*op, Op::Pair(i, j) if ctx.lines[i].class != Class::Blank
                && !shifts.contains(&Some(ctx.file_cols(j) - ctx.cols(i))))
        };
        let held_by_it = |side: &[Op]| !side.iter().any(strong) && side.iter().any(astray);
        // Nor does a definition go between lines of which one side stands at other depths.
        let heads = gone.iter().any(|j| ctx.guides.names(*j));
        let torn = |side: &[Op]| heads && !side.iter().any(|op| strong(op) && !astray(op));
        let astray_side = |side: &[Op]| held_by_it(side) || torn(side);
        if shift.is_some() && (astray_side(&ops[..from]) || astray_side(&ops[x..])) {
            return Err(refuse::removed_at_edge(ctx, k, first, last));
        }
        if let Some(Some((a, b))) = ops[..from].iter().rev().find_map(|op| match *op {
            Op::Pair(i, _) | Op::Insert(i) => Some(ctx.guides.rewrites[i]),
            Op::Delete(_) => None,
        }) && gone.iter().all(|&j| a <= j && j < b)
        {
            continue;
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
        let after = ops.get(x);
        if after.is_some_and(strong) || traded(ctx, ops, from, strong) {
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
        if !held && !stands_once(ctx, &ops[x..y]) && gone.iter().any(|&j| ctx.file_cols(j) <= depth)
        {
            return Err(refuse::removed_at_edge(ctx, k, first, last));
        }
    }
    Ok(())
}

/// Whether weak lines, of which one has a word, stand together in the file just there.
fn stands_once(ctx: &Ctx, ops: &[Op]) -> bool {
    let lines: Vec<usize> = ops
        .iter()
        .map_while(|op| match *op {
            Op::Pair(_, j) => Some(j),
            _ => None,
        })
        .collect();
    let worded = lines.iter().any(|&j| ctx.file[j].class == Class::Short);
    let told = |j: &&usize| ctx.file[**j].class != Class::Blank;
    let again = |w: &&[Line]| w.iter().zip(&lines).all(|(l, &j)| l.same(&ctx.file[j]));
    worded
        && lines.iter().filter(told).count() > 1
        && ctx.file.windows(lines.len()).filter(again).count() == 1
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
pub(super) fn from_change(ctx: &Ctx, ops: &[Op], at: usize) -> usize {
    (0..at)
        .rev()
        .find(|&x| anchors(ctx, &ops[x]))
        .map_or(0, |x| x + 1)
}

/// Whether all the lines around an operation up to those that both sides share for sure are one
/// change, whatever is paired within it: code for code, that opens and closes as much.
fn traded(ctx: &Ctx, ops: &[Op], at: usize, strong: impl Fn(&Op) -> bool) -> bool {
    let above = ops[..at].iter().rposition(&strong);
    let below = ops[at..].iter().position(&strong);
    let (Some(above), Some(below)) = (above, below) else {
        return false;
    };
    let change = &ops[above + 1..at + below];
    let code = |op: &Op| match *op {
        Op::Insert(i) => ctx.is_told(op) && !starts_comment(ctx.lines[i].trimmed),
        Op::Pair(..) | Op::Delete(_) => false,
    };
    change.iter().any(code) && balanced(ctx, change)
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
    let edge = Extent::of(k, ops);
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

/// Whether a change puts lines in the place of others, each the head of one block, that begin with the
/// same word: the old one goes on over lines by its brackets.
fn head_for_head(ctx: &Ctx, change: &[Op]) -> bool {
    let told = || change.iter().filter(|op| ctx.is_told(op));
    let pairs = told().any(|op| matches!(op, Op::Pair(..)));
    let new = told().filter_map(|op| match *op {
        Op::Insert(i) => Some(ctx.lines[i].trimmed),
        Op::Pair(..) | Op::Delete(_) => None,
    });
    let old = told().filter_map(|op| match *op {
        Op::Delete(j) => Some(ctx.file[j].trimmed),
        Op::Pair(..) | Op::Insert(_) => None,
    });
    let (new, old): (Vec<&str>, Vec<&str>) = (new.collect(), old.collect());
    let word = |lines: &[&str]| {
        lines
            .first()
            .and_then(|l| first_word(l))
            .map(str::to_string)
    };
    let is_head = |lines: &[&str]| {
        let mut net = 0;
        let open = lines.iter().all(|l| {
            net += net_brackets(l);
            net > 0
        });
        open && net == 1 && lines.last().is_some_and(|l| opens(l))
    };
    !pairs && word(&new).is_some() && word(&new) == word(&old) && is_head(&new) && is_head(&old)
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
        let change = &ops[from..x];
        if gone.len() < new + MANY
            || whole
            || rest_of_statement(ctx, change)
            || head_for_head(ctx, change)
        {
            continue;
        }
        let (above, below) = (ops[..from].iter().any(sure), ops[x..].iter().any(sure));
        // Nothing comes in their place, and code stands next to code.
        let next = |op: Option<&Op>| {
            op.is_some_and(|op| {
                matches!(*op, Op::Pair(i, j)
                    if ctx.lines[i].class == Class::Plain && same_line(ctx, i, j))
            })
        };
        let told = |op: &&Op| ctx.is_told(op);
        let joins =
            new == 0 && next(ops[..from].iter().rfind(told)) && next(ops[x..].iter().find(told));
        if !(above && below || joins && (above || below)) {
            return Err(refuse::removed_at_edge(ctx, k, first, last));
        }
    }
    Ok(())
}
