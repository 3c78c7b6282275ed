//! What closes a block: which line it closes, and whether what is around it tells where it stands.

use super::align::Op;
use super::context::{Ctx, same_line};
use super::guide::Guides;
use super::line::{Class, Line};
use super::refuse;
use super::shape::{closes, opens};
use super::snippet::Role;
use crate::error::Result;

/// Whether an operation pairs the lines that close, on both sides, the block around a telling line
/// above, or the block that this one opens.
pub(super) fn closes_around(ctx: &Ctx, ops: &[Op], op: &Op) -> bool {
    let at = || ops.iter().position(|o| o == op);
    let weak = matches!(*op, Op::Pair(i, _) if closes(ctx.lines[i].trimmed));
    weak && at().is_some_and(|at| closed_around(ctx, ops, at).is_some())
}

/// The pair of that telling line.
pub(super) fn closed_around(ctx: &Ctx, ops: &[Op], at: usize) -> Option<(usize, usize)> {
    let (above, rest) = ops.split_at_checked(at)?;
    let &Op::Pair(i, j) = rest.first()? else {
        return None;
    };
    if !same_line(ctx, i, j) || !closes(ctx.lines[i].trimmed) {
        return None;
    }
    if let Some(&[_, opener]) = ctx.guides.shut.iter().find(|s| s[0] == (i, j)) {
        return Some(opener);
    }
    let (x, y) = above.iter().rev().find_map(|op| match *op {
        Op::Pair(x, y) if ctx.lines[x].class == Class::Plain && same_line(ctx, x, y) => {
            Some((x, y))
        }
        _ => None,
    })?;
    let (new, old) = (ctx.cols(i), ctx.file_cols(j));
    let inside = ctx.cols(x) > new || ctx.cols(x) == new && opens(ctx.lines[x].trimmed);
    let told = |l: &Line| l.class != Class::Blank && !section(l.trimmed);
    (inside
        && ctx.cols(x) - new == ctx.file_cols(y) - old
        && (x + 1..i).all(|n| !told(&ctx.lines[n]) || ctx.cols(n) > new)
        && (y + 1..j).all(|n| !told(&ctx.file[n]) || ctx.file_cols(n) > old))
    .then_some((x, y))
}

/// The lines that close what the part above ends by opening with a line that stands once, behind a
/// deeper marker, each with the pair of the line that opens it.
pub(super) fn shut(ctx: &Ctx, guides: &Guides) -> Vec<[(usize, usize); 2]> {
    let told = |i: &usize| ctx.lines[*i].class != Class::Blank;
    let parts = ctx.bounds.iter().zip(ctx.bounds.iter().skip(1));
    let shut = parts.enumerate().filter_map(|(k, (&(a, b), &(c, d)))| {
        let (x, i) = ((a..b).rev().find(told)?, (c..d).find(told)?);
        let (open, close) = (&ctx.lines[x], &ctx.lines[i]);
        let marker = &ctx.script.segments[k].marker_indent;
        let plain = ctx.roles[x] == Role::Plain && ctx.roles[i] == Role::Plain;
        let between = plain && ctx.snippet_cols(marker) > ctx.cols(x) && ctx.cols(x) == ctx.cols(i);
        let once = open.class == Class::Plain && ctx.counts.get(&open.hash) == Some(&1);
        if !between || !once || !opens(open.trimmed) || !closes(close.trimmed) {
            return None;
        }
        let y = ctx.file.iter().position(|l| l.same(open))?;
        let range = guides.ranges[x].is_none_or(|r| r.low <= y && y < r.high);
        let j = ctx.out_of(y)?;
        (range && close.same(&ctx.file[j])).then_some([(i, j), (x, y)])
    });
    shut.collect()
}

/// Whether a line begins a part of a type (`public:`), as deep as its header.
fn section(t: &str) -> bool {
    let name = t.trim_end_matches(':').trim_end();
    t.ends_with(':') && ["public", "private", "protected"].contains(&name)
}

/// A part of which nothing tells its place but the line that closes what the part above opens shows
/// new lines below that one: what takes lines of the file for them may be wrong.
///
/// # Errors
/// `unclear_edge`.
pub(super) fn below_closer(ctx: &Ctx, ops: &[Op]) -> Result<()> {
    let told = || ops.iter().filter(|op| ctx.is_told(op));
    let Some(&Op::Pair(i, j)) = told().next() else {
        return Ok(());
    };
    let shut = ctx.guides.shut.iter().any(|s| s[0] == (i, j));
    let sure = |op: &Op| {
        ctx.stands_there(op) || matches!(*op, Op::Pair(x, y) if x != i && ctx.is_guided(x, y))
    };
    let new = told().find_map(|op| match *op {
        Op::Insert(x) => Some(x),
        Op::Pair(x, y) if !same_line(ctx, x, y) => Some(x),
        Op::Pair(..) | Op::Delete(_) => None,
    });
    let taken = told().find_map(|op| match *op {
        Op::Delete(y) => Some(y),
        Op::Pair(x, y) if !same_line(ctx, x, y) => Some(y),
        Op::Pair(..) | Op::Insert(_) => None,
    });
    match (new, taken) {
        (Some(x), Some(y)) if shut && opens(ctx.lines[x].trimmed) && !ops.iter().any(sure) => {
            Err(refuse::edge(ctx, x, y))
        }
        _ => Ok(()),
    }
}

/// A block that both sides open with the same line ends for both with the line that closes it:
/// where that is the one of a block further down, what is between has been taken for the block's
/// own.
///
/// # Errors
/// `unexplained_removal`.
pub(super) fn blocks(ctx: &Ctx, k: usize, ops: &[Op]) -> Result<()> {
    for (at, op) in ops.iter().enumerate() {
        let Op::Pair(x, y) = *op else { continue };
        let (new, old) = (&ctx.lines[x], &ctx.file[y]);
        if new.class != Class::Plain || !same_line(ctx, x, y) || !opens(new.trimmed) {
            continue;
        }
        let ends = |op: &&Op| {
            matches!(**op, Op::Pair(i, _) | Op::Insert(i)
            if ctx.lines[i].class != Class::Blank && ctx.cols(i) <= ctx.cols(x))
        };
        let Some(&Op::Pair(i, j)) = ops[at + 1..].iter().find(ends) else {
            continue;
        };
        let Some(end) = ctx.out_of(y) else { continue };
        let both = ctx.cols(i) == ctx.cols(x) && ctx.file_cols(j) == ctx.file_cols(y);
        let closers = closes(ctx.lines[i].trimmed)
            && ctx.file[end].same(&ctx.file[j])
            && old.indent().len() == ctx.file[end].indent().len();
        // What the two have in common may as well be cut off behind as before.
        let beyond = |op: &Op| {
            matches!(*op, Op::Pair(p, q)
            if x < p && p < i && end < q && ctx.lines[p].class == Class::Plain
                && !ctx.file[y..end].iter().any(|l| l.same(&ctx.lines[p])))
        };
        if both && closers && end < j && ops.iter().any(beyond) {
            return Err(refuse::removed_at_edge(ctx, k, end, j));
        }
    }
    Ok(())
}
