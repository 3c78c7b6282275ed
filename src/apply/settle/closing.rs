//! Whether the line that closes what a segment puts in is its own or the file's, and what goes with it.

use crate::apply::lines::line::Class;
use crate::apply::lines::shape::{closes, opens};
use crate::apply::pass::align::Op;
use crate::apply::pass::closers::{opener, opens_anew};
use crate::apply::pass::context::{Ctx, same_line};
use crate::apply::refuse;
use crate::error::Result;

/// A line that opens a block where the file's line in its place opens none ends that block with a line
/// of its own: the file's that closes another block below is not the one, nor does that block go.
pub(super) fn own_end(ctx: &Ctx, ops: &mut Vec<Op>) {
    let grown = |op: &Op| matches!(*op, Op::Pair(x, y) if opens_anew(ctx, x, y));
    let Some(at) = ops.iter().position(grown) else {
        return;
    };
    let Op::Pair(x, y) = ops[at] else { return };
    let ends = |op: &Op| {
        matches!(*op, Op::Pair(i, _) | Op::Insert(i)
            if ctx.lines[i].class != Class::Blank && ctx.cols(i) <= ctx.cols(x))
    };
    let Some(end) = (at + 1..ops.len()).find(|&n| ends(&ops[n])) else {
        return;
    };
    let Op::Pair(i, j) = ops[end] else { return };
    let depth = ctx.file_cols(y);
    let closers = closes(ctx.lines[i].trimmed) && ctx.cols(i) == ctx.cols(x);
    let other = (y + 1..j).any(|n| ctx.file[n].class == Class::Plain && ctx.file_cols(n) <= depth);
    let held = ops[at + 1..end].iter().any(|op| match *op {
        Op::Pair(i, _) => ctx.lines[i].class != Class::Blank,
        Op::Insert(_) | Op::Delete(_) => false,
    });
    if !closers || !other || held || ctx.file_cols(j) != depth {
        return;
    }
    let mut own: Vec<Op> = Vec::with_capacity(ops.len());
    for (n, op) in ops.iter().enumerate() {
        match *op {
            Op::Pair(i, _) if (at + 1..=end).contains(&n) => own.push(Op::Insert(i)),
            Op::Delete(_) if (at + 1..end).contains(&n) => {}
            op => own.push(op),
        }
    }
    *ops = own;
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

/// An alignment whose new lines in front of a marker end with a line that closes them, with that one
/// for the next of its kind in the file: as it is read where it may be the file's.
pub(super) fn shared(ctx: &Ctx, k: usize, ops: &[Op]) -> Option<Vec<Op>> {
    let at = ops.iter().rposition(|op| ctx.is_told(op))?;
    let (&Op::Insert(x), true) = (&ops[at], ctx.script.segments[k].marker_after) else {
        return None;
    };
    let last = ops[..at]
        .iter()
        .rposition(|op| matches!(op, Op::Pair(..)))?;
    let &Op::Pair(i, j) = &ops[last] else {
        return None;
    };
    let new = &ops[last + 1..at];
    let is_new = |op: &Op| matches!(op, Op::Insert(_));
    let closed = closes(ctx.lines[x].trimmed)
        && opener(ctx, x).is_some_and(|o| ops[last..].contains(&Op::Insert(o)));
    if !closed || ctx.guides.new[x] || !new.iter().all(is_new) {
        return None;
    }
    let depth = ctx.cols(x) + ctx.file_cols(j) - ctx.cols(i);
    let y = (j + 1..ctx.file.len())
        .find(|&y| ctx.file[y].same(&ctx.lines[x]) && ctx.file_cols(y) == depth)?;
    let mut out = ops[..=last].to_vec();
    out.extend((j + 1..y).map(Op::Delete));
    out.extend(new);
    out.push(Op::Pair(x, y));
    Some(out)
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

/// A new block in front of a marker may have the place of one of the file, but not of several: where
/// only the line that closes the last of them is shared, the others have been taken for its own.
///
/// # Errors
/// `unexplained_removal`.
pub(super) fn several(ctx: &Ctx, k: usize, ops: &[Op]) -> Result<()> {
    let Some(&Op::Pair(x, y)) = ops.iter().rev().find(|op| ctx.is_told(op)) else {
        return Ok(());
    };
    let closers = same_line(ctx, x, y) && closes(ctx.lines[x].trimmed);
    if !closers || !ctx.script.segments[k].marker_after || ctx.guides.rewrites[x].is_some() {
        return Ok(());
    }
    let told = |j: &usize| ctx.file[*j].class != Class::Blank;
    let depth = ctx.file_cols(y);
    let mut above = (0..y)
        .rev()
        .filter(|j| told(j) && ctx.file_cols(*j) <= depth);
    let old = above.next().and_then(|j| match ctx.file[j].trimmed {
        "{" => above.next(),
        _ => Some(j),
    });
    let (Some(new), Some(old)) = (opener(ctx, x), old) else {
        return Ok(());
    };
    if !ops.contains(&Op::Insert(new)) || !ops.contains(&Op::Delete(old)) {
        return Ok(());
    }
    let gone = |j: &usize| !told(j) || ops.contains(&Op::Delete(*j));
    let run = (0..old).rev().take_while(gone);
    let ends = |j: &usize| ctx.file_cols(*j) == depth && closes(ctx.file[*j].trimmed);
    match run.filter(ends).last() {
        Some(first) => Err(refuse::removed_at_edge(ctx, k, first, old)),
        None => Ok(()),
    }
}

/// Right below what closes the block that a marker stands in, the marker may be meant to stand for
/// what follows the block as well: there, several blocks do not go with nothing in their place.
///
/// # Errors
/// `unexplained_removal`.
pub(super) fn beyond(ctx: &Ctx, k: usize, ops: &[Op]) -> Result<()> {
    let mut told = ops.iter().filter(|op| ctx.is_told(op));
    let Some(&Op::Pair(x, y)) = told.next() else {
        return Ok(());
    };
    let marker = k
        .checked_sub(1)
        .map(|k| &ctx.script.segments[k].marker_indent);
    let deeper = marker.is_some_and(|indent| ctx.snippet_cols(indent) > ctx.cols(x));
    if !deeper || !same_line(ctx, x, y) || !closes(ctx.lines[x].trimmed) {
        return Ok(());
    }
    let gone: Vec<usize> = told
        .clone()
        .map_while(|op| match *op {
            Op::Delete(j) => Some(j),
            Op::Pair(..) | Op::Insert(_) => None,
        })
        .collect();
    let depth = ctx.file_cols(y);
    let ends = |j: &&usize| ctx.file_cols(**j) == depth && closes(ctx.file[**j].trimmed);
    let kept = told
        .nth(gone.len())
        .is_some_and(|op| matches!(op, Op::Pair(..)));
    match (gone.first(), gone.last()) {
        (Some(&first), Some(&last)) if kept && gone.iter().filter(ends).count() > 1 => {
            Err(refuse::removed_at_edge(ctx, k, first, last))
        }
        _ => Ok(()),
    }
}
