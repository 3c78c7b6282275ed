//! What a snippet that ends with the file leaves out before its end.

use super::align::Op;
use super::context::{Ctx, same_line};
use super::line::Class;
use super::shape::{closes, net_brackets};
use super::snippet::Role;

/// The reading of a snippet's last part, no marker behind it, which ends with the brackets that end
/// the file: what stands there between them and the line above goes, if that is whole and begins
/// as deep as what the line above ends.
pub(crate) fn cut(ctx: &Ctx, k: usize, ops: &[Op]) -> Option<Vec<Op>> {
    let (a, b) = ctx.bounds[k];
    let is_last = k + 1 == ctx.bounds.len() && !ctx.script.segments[k].marker_after;
    if !is_last || ctx.script.markers == 0 || (a..b).any(|i| ctx.roles[i] != Role::Plain) {
        return None;
    }
    let told = |op: &Op| ctx.is_told(op);
    let at = ops
        .iter()
        .rposition(|op| told(op) && !matches!(op, Op::Insert(_)))?;
    let Op::Pair(i, j) = ops[at] else { return None };
    if !same_line(ctx, i, j) || !closes(ctx.lines[i].trimmed) {
        return None;
    }
    let new = ops[at + 1..].iter().filter(|op| told(op));
    let new: Vec<usize> = new
        .filter_map(|op| match *op {
            Op::Insert(i) => Some(i),
            Op::Pair(..) | Op::Delete(_) => None,
        })
        .collect();
    let ends = (j + 1..ctx.file.len()).rev();
    let ends = ends.filter(|&y| ctx.file[y].class != Class::Blank);
    let mut ends: Vec<usize> = ends.take(new.len()).collect();
    ends.reverse();
    let shift = ctx.file_cols(j) - ctx.cols(i);
    let closed = new.iter().zip(&ends).all(|(&x, &y)| {
        closes(ctx.lines[x].trimmed)
            && ctx.lines[x].same(&ctx.file[y])
            && ctx.cols(x) + shift == ctx.file_cols(y)
            && ctx.file_cols(y) < ctx.file_cols(j)
    });
    let (Some(&first), true) = (ends.first(), closed && ends.len() == new.len()) else {
        return None;
    };
    let mut gone = (j + 1..first).filter(|&y| ctx.file[y].class != Class::Blank);
    let net: i32 = gone
        .clone()
        .map(|y| net_brackets(ctx.file[y].trimmed))
        .sum();
    let whole = gone.clone().all(|y| ctx.file_cols(y) >= ctx.file_cols(j));
    let sibling = gone
        .next()
        .is_some_and(|y| ctx.file_cols(y) == ctx.file_cols(j));
    let sure = ops[..at].iter().any(|op| ctx.stands_there(op));
    if net != 0 || !whole || !sibling || !sure {
        return None;
    }
    let mut read = ops[..=at].to_vec();
    read.extend((j + 1..first).map(Op::Delete));
    let mut next = first;
    for (&x, &y) in new.iter().zip(&ends) {
        read.extend((next..y).map(Op::Delete));
        read.push(Op::Pair(x, y));
        next = y + 1;
    }
    Some(read)
}
