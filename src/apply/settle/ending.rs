//! What a part leaves out before what it ends with: the end of a block or of the file, or the line that
//! opens the block at the end of which the next part begins.

use crate::apply::edges::frame::is_begun;
use crate::apply::lines::key::Key;
use crate::apply::lines::line::Class;
use crate::apply::lines::shape::{closes, first_word, net_brackets, opens};
use crate::apply::pass::align::Op;
use crate::apply::pass::closers;
use crate::apply::pass::context::{Ctx, same_line};
use crate::apply::pass::scores::CHANGED;
use crate::apply::snippet::script::Role;

/// The reading of a part which ends with new lines and, less deep than the line of the file above
/// them, one that closes a block: that is the block around both, and what the file has in it below
/// the line above gives way to the new lines.
pub(crate) fn shut(ctx: &Ctx, k: usize, ops: &[Op]) -> Option<Vec<Op>> {
    let (a, b) = ctx.bounds[k];
    if (a..b).any(|i| ctx.roles[i] != Role::Plain) {
        return None;
    }
    let at = ops
        .iter()
        .rposition(|op| ctx.is_told(op) && !matches!(op, Op::Insert(_)))?;
    let Op::Pair(i, j) = ops[at] else { return None };
    // Blank lines below it stay.
    let paired = |op: &&Op| matches!(op, Op::Pair(..));
    let kept = at + 1 + ops[at + 1..].iter().take_while(paired).count();
    let below = j + (kept - at);
    let (last, rest) = ops[kept..].split_last()?;
    let (&Op::Insert(end), true) = (last, ctx.stands_there(&ops[at])) else {
        return None;
    };
    let shift = ctx.file_cols(j) - ctx.cols(i);
    let depth = ctx.cols(end) + shift;
    let inner = |op: &Op| match *op {
        Op::Insert(x) => ctx.lines[x].class == Class::Blank || ctx.cols(x) >= ctx.cols(i),
        Op::Pair(..) | Op::Delete(_) => false,
    };
    let net = |lines: &mut dyn Iterator<Item = &str>| lines.map(net_brackets).sum::<i32>();
    let mut new = rest.iter().filter_map(|op| match *op {
        Op::Insert(x) => Some(ctx.lines[x].trimmed),
        Op::Pair(..) | Op::Delete(_) => None,
    });
    let told = |y: &usize| ctx.file[*y].class != Class::Blank;
    let close = (j + 1..ctx.file.len()).find(|y| told(y) && ctx.file_cols(*y) <= depth)?;
    let sound = closes(ctx.lines[end].trimmed)
        && depth < ctx.file_cols(j)
        && rest.iter().all(inner)
        && rest.iter().any(|op| ctx.is_told(op))
        && net(&mut new) == 0
        && net(&mut ctx.file.get(below..close)?.iter().map(|l| l.trimmed)) == 0
        && ctx.lines[end].same(&ctx.file[close])
        && ctx.file_cols(close) == depth;
    if !sound || !(below..close).any(|y| told(&y)) {
        return None;
    }
    let mut read = ops[..kept].to_vec();
    read.extend((below..close).map(Op::Delete));
    read.extend(rest);
    read.push(Op::Pair(end, close));
    Some(read)
}

/// Lines with which a file may end where a snippet ends otherwise.
const LAST: usize = 3;

/// The last lines of the file, if they are few, where the last part ends with other ones and no marker:
/// whoever puts a marker at the start, or shows the file's, puts one at the end as well.
pub(crate) fn replaced(ctx: &Ctx, k: usize, ops: &[Op]) -> Option<Vec<usize>> {
    let (a, b) = ctx.bounds[k];
    let is_last = k + 1 == ctx.bounds.len() && !ctx.script.segments[k].marker_after;
    if !is_last || !is_begun(ctx, k) || (a..b).any(|i| ctx.roles[i] != Role::Plain) {
        return None;
    }
    let told = |op: &Op| matches!(op, Op::Pair(..)) && ctx.is_told(op);
    let at = ops.iter().rposition(told)?;
    let &Op::Pair(i, j) = ops.get(at)? else {
        return None;
    };
    let new = ops[at + 1..].iter().filter(|op| ctx.is_told(op)).count();
    let told = |x: &usize| ctx.file[*x].class != Class::Blank;
    let gone: Vec<usize> = (j + 1..ctx.file.len()).filter(told).collect();
    let sure = ctx.lines[i].class == Class::Plain && same_line(ctx, i, j);
    // A value may go, a function or type may not.
    let value = |x: usize| matches!(ctx.file[x].key(), Key::Binds(_)) && gone.len() == 1;
    let named = gone.iter().any(|&x| ctx.guides.names(x) && !value(x));
    (sure && !named && !gone.is_empty() && gone.len() <= LAST.min(new)).then_some(gone)
}

/// The changed line at a part's end that opens a block, of which the next part begins with the end, and
/// what opens that block in the file.
pub(crate) fn opened(ctx: &Ctx, k: usize, ops: &[Op], below: &[Op]) -> Option<(usize, usize)> {
    let (&Op::Insert(i), above) = ops.split_last()? else {
        return None;
    };
    let &Op::Pair(x, y) = below.iter().find(|op| ctx.is_told(op))? else {
        return None;
    };
    if ctx.segment_of(x) != k + 1
        || !same_line(ctx, x, y)
        || !closes(ctx.lines[x].trimmed)
        || closers::opener_above(ctx, x) != Some(i)
    {
        return None;
    }
    let head =
        |j: &usize| ctx.file[*j].class != Class::Blank && ctx.file_cols(*j) <= ctx.file_cols(y);
    let j = (0..y).rev().find(head)?;
    let last = above.iter().rev().find_map(|op| match *op {
        Op::Pair(_, j) => Some(j),
        _ => None,
    })?;
    let (new, old) = (&ctx.lines[i], &ctx.file[j]);
    let same = opens(old.trimmed)
        && ctx.file_cols(j) - ctx.cols(i) == ctx.file_cols(y) - ctx.cols(x)
        && first_word(new.trimmed) == first_word(old.trimmed)
        && new.similarity(old) > CHANGED;
    (same && last < j).then_some((i, j))
}

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
