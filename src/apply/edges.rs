//! What happens where a segment meets a marker: whether a line there replaces one of the
//! file or joins it.

use std::collections::BTreeSet;

use super::align::Op;
use super::context::{Ctx, Reading, same_line};
use super::frame;
use super::guide::says;
use super::likeness::retouched;
use super::line::{Class, Key};
use super::onesided::{self, OneSided};
use super::refuse;
use super::removed;
use super::shape::{closes, import, labels, starts_comment};
use super::snippet::Role;
use super::statement::{bound_above, documented, in_a_row, spread};
use super::verdict::{Verdict, bound_again, item, siblings, verdict};
use crate::error::Result;

/// The file lines that a segment covers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Edge {
    /// Its number.
    pub segment: usize,
    /// First file line (from 0).
    pub start: usize,
    /// First file line behind it.
    pub end: usize,
    /// It begins with new lines.
    pub inserts_first: bool,
    /// It ends with new lines.
    pub inserts_last: bool,
}

impl Edge {
    pub fn of(k: usize, ops: &[Op]) -> Self {
        let mut start = None;
        let mut end = 0;
        for op in ops {
            if let Op::Pair(_, j) | Op::Delete(j) = *op {
                start.get_or_insert(j);
                end = j + 1;
            }
        }
        let start = start.unwrap_or(end);
        let new = |op: Option<&Op>| matches!(op, Some(Op::Insert(_)));
        Edge {
            segment: k,
            start,
            end,
            inserts_first: new(ops.first()),
            inserts_last: new(ops.last()),
        }
    }
}

/// Whether a pair is one line on both sides, and not a blank one.
pub(crate) fn anchors(ctx: &Ctx, op: &Op) -> bool {
    matches!(*op, Op::Pair(i, j) if ctx.lines[i].class != Class::Blank && same_line(ctx, i, j))
}

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
            removed::closed_around(ctx, ops, at).is_some_and(|(x, y)| {
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
    let told = |op: &Op| {
        guided(op)
            || closer(op)
            || matches!(*op, Op::Pair(i, j)
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
    let tells = |op: &Op| once(op) || !some && told(op);
    loosen(ctx, ops, &tells, true);
    loosen(ctx, ops, &tells, false);
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

/// The file lines behind an anchor that belong to a definition which the segment ends with
/// and gives whole, where new lines follow the anchor.
fn rest_of_definition(ctx: &Ctx, k: usize, ops: &[Op]) -> Option<std::ops::Range<usize>> {
    let end = ctx.bounds[k].1;
    let last = end.checked_sub(1)?;
    let (_, to) = ctx.guides.rewrites[last]?;
    let (&Op::Pair(_, anchor), new) = ops.split_first()? else {
        return None;
    };
    let is_new = new.iter().all(|op| matches!(op, Op::Insert(_)));
    (is_new && !new.is_empty() && anchor + 1 < to).then_some(anchor + 1..to)
}

/// Whether a line that the file has several times stands at another depth than the segment.
fn strays(ctx: &Ctx, k: usize, i: usize, j: usize) -> bool {
    let repeated = ctx.counts.get(&ctx.file[j].hash).is_some_and(|&c| c > 1);
    repeated && ctx.shifts[k].is_some_and(|s| ctx.file_cols(j) != ctx.cols(i) + s)
}

/// Takes weak lines (closers, blanks) that only happen to match for new ones, where a
/// segment begins or ends with new lines.
fn loosen(ctx: &Ctx, ops: &mut Vec<Op>, told: &impl Fn(&Op) -> bool, lead: bool) {
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
        while keep > 0 && matches!(ops[keep - 1], Op::Pair(i, j) if same_line(ctx, i, j)) {
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
        if first.2 && first.1 > 0 && second.1 == 0 {
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
        // A statement that ends with a line gives the name that the file's line gives.
        if let Op::Pair(i, j) = ops[at]
            && !lead
            && let Some(x) = bound_above(ctx, &ops[..at], i, j)
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
            Op::Pair(i, j) if lead && in_a_row(ctx, i, j) => return Err(refuse::edge(ctx, i, j)),
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
    beside(ctx, k, ops.as_mut_slice(), anchor_i, anchor_j, lead)
}

/// Where the anchor's pair stands now that other operations may have gone.
fn anchor_at(ops: &[Op], anchor_i: usize) -> usize {
    ops.iter()
        .position(|op| matches!(*op, Op::Pair(i, _) if i == anchor_i))
        .unwrap_or(0)
}

/// New lines beside an anchor against the file line that they would join.
fn beside(
    ctx: &Ctx,
    k: usize,
    ops: &mut [Op],
    anchor_i: usize,
    anchor_j: usize,
    lead: bool,
) -> Result<()> {
    let at = anchor_at(ops, anchor_i);
    let new: Vec<usize> = if lead {
        (0..at).rev().collect()
    } else {
        (at + 1..ops.len()).collect()
    };
    let new: Vec<usize> = new
        .into_iter()
        .filter(|&x| matches!(ops[x], Op::Insert(i) if ctx.lines[i].class != Class::Blank))
        .collect();
    let Some(&nearest) = new.first() else {
        return Ok(());
    };
    let neighbour = if lead {
        (0..anchor_j).rev().find(|&j| ctx.stays(j))
    } else {
        (anchor_j + 1..ctx.file.len()).find(|&j| ctx.stays(j))
    };
    let Some(j) = neighbour else { return Ok(()) };
    let Op::Insert(i) = ops[nearest] else {
        return Ok(());
    };
    let substituted = |x: &&usize| matches!(ops[**x], Op::Insert(i) if ctx.is_substituted(i, j));
    if let Some(&x) = new.iter().find(substituted)
        && let Op::Insert(i) = ops[x]
    {
        ops[x] = Op::Pair(i, j);
        return beside(ctx, k, ops, i, j, lead);
    }
    // As many blank lines between on both sides.
    let adjacent = j.abs_diff(anchor_j) == i.abs_diff(anchor_i);
    let all: Vec<usize> = new
        .iter()
        .filter_map(|&x| match ops[x] {
            Op::Insert(i) => Some(i),
            _ => None,
        })
        .collect();
    let shift = ctx.file_cols(anchor_j) - ctx.cols(anchor_i);
    let spread = |n: &usize| {
        !lead && ctx.cols(all[*n]) + shift == ctx.file_cols(j) && spread(ctx, &all[*n..], j)
    };
    if let Some(n) = (0..all.len()).find(spread) {
        ops[new[n]] = Op::Pair(all[n], j);
        return beside(ctx, k, ops, all[n], j, lead);
    }
    let level = ctx.cols(i) + shift == ctx.file_cols(j);
    if adjacent && level && ctx.roles[i] == Role::Plain {
        let (a, b) = (&ctx.lines[i], &ctx.file[j]);
        // Behind a statement that leaves the block another one would do nothing.
        let leaves = lead && all.len() == 1 && a.key() == Key::Leaves && b.key() == Key::Leaves;
        let heads = lead
            && ctx.file_cols(j) < ctx.file_cols(anchor_j)
            && ctx.cols(i) < ctx.cols(anchor_i)
            && ctx.lines[anchor_i].class == Class::Plain
            && !starts_comment(b.trimmed);
        // One more item of a list begins as the next one does.
        let binds = matches!((a.key(), b.key()), (Key::Binds(x), Key::Binds(y))
            if x == y && !x.is_empty() && !item(x) && !bound_again(ctx, j, x));
        let (least, most) = (a.word_count().min(b.word_count()), a.shared(b));
        let plain = a.class == Class::Plain && b.class == Class::Plain;
        let extended = plain && all.len() == 1 && most == least && retouched(ctx, i, j);
        if heads || binds || leaves || extended {
            let between = at.min(nearest)..at.max(nearest) + 1;
            for op in ops.get_mut(between).unwrap_or_default() {
                if let Op::Insert(x) = *op {
                    *op = Op::Pair(x, (anchor_j + x).checked_sub(anchor_i).unwrap_or(j));
                }
            }
            return beside(ctx, k, ops, i, j, lead);
        }
    }
    // A line much like the one that it would stand beside, and no other is, is that line
    // changed more often than not.
    let (x, y) = (&ctx.lines[i], &ctx.file[j]);
    if level && ctx.roles[i] == Role::Plain && x.class == Class::Plain && y.class == Class::Plain {
        let r = x.similarity(y);
        let first = |t: &str| {
            t.split_whitespace()
                .take(2)
                .map(str::to_string)
                .collect::<Vec<_>>()
        };
        let alike = r >= 330 && starts_comment(x.trimmed) && starts_comment(y.trimmed)
            || first(x.trimmed) == first(y.trimmed) && (250..500).contains(&r);
        if alike && !siblings(ctx, j, r) && !documented(ctx, &all, j) {
            match ctx.reading() {
                Some(Reading::Replaces) => {
                    ops[nearest] = Op::Pair(i, j);
                    return beside(ctx, k, ops, i, j, lead);
                }
                Some(Reading::Joins) => {}
                None => return Err(refuse::edge(ctx, i, j)),
            }
        }
    }
    // A snippet that ends without a marker ends with the file: as many lines as are left there
    // may be the new ones as they were.
    let left = || {
        ctx.file[j..]
            .iter()
            .filter(|l| l.class != Class::Blank)
            .count()
    };
    let last = k + 1 == ctx.bounds.len() && !ctx.script.segments[k].marker_after;
    if !lead
        && last
        && ctx.script.markers > 0
        && level
        && y.class == Class::Plain
        && left() <= all.len()
    {
        return Err(refuse::edge(ctx, i, j));
    }
    if !lead && cut_short(ctx, k, j) || lead && unreached(ctx, &all, shift, j) {
        return Err(refuse::edge(ctx, i, j));
    }
    let one_sided = OneSided {
        segment: k,
        new: &all,
        anchor: (anchor_i, anchor_j),
        next: j,
        lead,
    };
    let joins = match documented(ctx, &all, j) && !lead {
        true => Some(true),
        false => onesided::joins(ctx, &one_sided),
    };
    match joins {
        // Beside a line that has changed, the next one may have changed as much.
        Some(true)
            if adjacent
                && level
                && !anchors(ctx, &Op::Pair(anchor_i, anchor_j))
                && !closes(y.trimmed) =>
        {
            return Err(refuse::edge(ctx, i, j));
        }
        // Where other imports change or go, this one may.
        Some(true)
            if level && import(x.trimmed) && import(y.trimmed) && takes_imports(ctx, ops) =>
        {
            return Err(refuse::edge(ctx, i, j));
        }
        Some(true) => {}
        Some(false) => return Err(refuse::edge(ctx, i, j)),
        None => match ctx.reading() {
            Some(Reading::Joins) => {}
            // One line for one line; more say nothing of how many go.
            Some(Reading::Replaces) if all.len() == 1 && level && adjacent => {
                ops[nearest] = Op::Pair(i, j);
                return Ok(());
            }
            _ => return Err(refuse::edge(ctx, i, j)),
        },
    }
    // Nothing may follow a statement that leaves the block.
    let Some(&last) = new.iter().max_by_key(|&&x| x) else {
        return Ok(());
    };
    if !lead {
        let Op::Insert(i) = ops[last] else {
            return Ok(());
        };
        let l = &ctx.lines[i];
        if l.key() == Key::Leaves
            && l.trimmed.ends_with([';', ')']) | !l.trimmed.ends_with(['{', '(', ',', '['])
            && ctx.cols(i) + shift == ctx.file_cols(j)
            && !closes(ctx.file[j].trimmed)
            && !labels(ctx.file[j].trimmed)
        {
            return Err(refuse::edge(ctx, i, j));
        }
    }
    Ok(())
}

/// Whether a segment changes or takes out an import.
fn takes_imports(ctx: &Ctx, ops: &[Op]) -> bool {
    ops.iter().any(|op| match *op {
        Op::Delete(j) => import(ctx.file[j].trimmed),
        Op::Pair(i, j) => import(ctx.file[j].trimmed) && !same_line(ctx, i, j),
        Op::Insert(_) => false,
    })
}

/// Whether new lines above an anchor would stand right below a statement that leaves the block.
fn unreached(ctx: &Ctx, new: &[usize], shift: i32, above: usize) -> bool {
    let t = ctx.file[above].trimmed;
    let Some(&top) = new.last() else { return false };
    let first = ctx.lines[top].trimmed;
    ctx.file[above].key() == Key::Leaves
        && !t.ends_with(['{', '(', ',', '['])
        // In some languages it may leave on a condition.
        && !t.contains(" if ")
        && !t.contains(" unless ")
        && ctx.cols(top) + shift == ctx.file_cols(above)
        && !closes(first)
        && !labels(first)
        && !starts_comment(first)
}

/// Whether a segment gives a definition from its header on, no marker behind it, and file line
/// `next` belongs to it: then nothing says whether the rest of it stays.
fn cut_short(ctx: &Ctx, k: usize, next: usize) -> bool {
    let (a, b) = ctx.bounds[k];
    let Some(head) = (a..b).find(|&i| ctx.lines[i].class != Class::Blank) else {
        return false;
    };
    let segment = &ctx.script.segments[k];
    // It is headed above.
    let range = ctx.guides.ranges[b - 1].filter(|r| r.inside && !r.firm);
    if !segment.marker_after && range.is_some_and(|r| r.low <= next && next < r.high) {
        return true;
    }
    let header = |p: &&(usize, usize, i16)| p.0 == head && ctx.guides.names.contains(&p.1);
    // Where nothing closes a body, a blank line and a marker no deeper than the header may.
    let ends = |header: usize| {
        ctx.guides.indented
            && segment.blank_after > 0
            && ctx.snippet_cols(&segment.marker_indent) <= ctx.cols(header)
    };
    (!segment.marker_after || ends(head))
        && ctx
            .guides
            .pairs
            .iter()
            .find(header)
            .is_some_and(|&(_, j, _)| {
                let own = ctx.guides.definitions.chunks_exact(2).map(|d| d[1]);
                let own = own.filter(|d| d.0 <= j && j < d.1).max_by_key(|d| d.0);
                own.is_some_and(|d| next < d.1)
            })
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
                .any(|op| matches!(*op, Op::Pair(x, j) if x == i && !l.same(&ctx.file[j])));
        if ctx.roles[i] == Role::Plain
            && matches!(l.class, Class::Plain | Class::Short)
            // What is said above a definition may be said of others.
            && !ctx.guides.new[i]
            && !(says(l.trimmed) && ctx.guides.ranges[i].is_some_and(|r| r.firm))
            && (known.is_some() && ops.contains(&Op::Insert(i)) || elsewhere)
        {
            return Err(refuse::misplaced(ctx, k, i));
        }
    }
    Ok(())
}

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
