//! What a segment shows of new lines at its edge by where they stand, whatever they say: what closes
//! them, how deep the marker beside them is, and what of a block is left.

use crate::apply::lines::key::Key;
use crate::apply::lines::line::{Class, Line, starts_comment};
use crate::apply::lines::shape::{closes, condition, labels, same_first_words};
use crate::apply::pass::align::Op;
use crate::apply::pass::closers;
use crate::apply::pass::context::Ctx;

/// Whether the line of an operation closes what a new line above it opens around lines of the file
/// that were as deep as that one, and none of which goes.
pub(super) fn closes_new(ctx: &Ctx, k: usize, ops: &[Op], at: usize) -> bool {
    let Op::Insert(i) = ops[at] else { return false };
    let t = ctx.lines[i].trimmed;
    let branch = condition(t) == Some("endif");
    if !branch && !closes(t) {
        return false;
    }
    let Some(opener) = closers::opener(ctx, i) else {
        return false;
    };
    let Some(from) = ops.iter().position(|op| *op == Op::Insert(opener)) else {
        return false;
    };
    let held = &ops[from..at];
    let depths = held.iter().filter_map(|op| match *op {
        Op::Pair(i, j) if ctx.lines[i].class != Class::Blank => Some(ctx.file_cols(j)),
        _ => None,
    });
    // A part that is nothing but such a block tells no shift of its own.
    let shifts = [0, ctx.shifts[k].unwrap_or(0)];
    let level = depths.min().map(|depth| depth - ctx.cols(opener));
    // Conditions stand at the margin however deep the code is.
    let level = level.is_some_and(|d| branch || shifts.contains(&d));
    level && !held.iter().any(|op| matches!(op, Op::Delete(_)))
}

/// One of some new lines that is much like one of the file above line `end`, as deep, with it.
pub(super) fn like_above(
    ctx: &Ctx,
    new: &[usize],
    shift: i32,
    end: usize,
) -> Option<(usize, usize)> {
    let plain = |l: &Line| l.class == Class::Plain;
    new.iter()
        .filter(|&&i| plain(&ctx.lines[i]))
        .find_map(|&i| {
            let alike = |&j: &usize| {
                let (x, y) = (&ctx.lines[i], &ctx.file[j]);
                let other = matches!((x.key(), y.key()), (Key::Binds(p), Key::Binds(q)) if p != q);
                plain(y)
                    && !other
                    && !ctx.guides.new[i]
                    && ctx.cols(i) + shift == ctx.file_cols(j)
                    && same_first_words(x.trimmed, y.trimmed)
                    && x.similarity(y) >= ALIKE
            };
            (0..end).rev().find(alike).map(|j| (i, j))
        })
}

/// How similar such lines are at least.
const ALIKE: i32 = 600;

/// Whether file line `j` is the last of its block and the marker behind snippet line `i` stands
/// outside of it: then the snippet shows how the block ends.
pub(super) fn last_of_block(ctx: &Ctx, k: usize, i: usize, j: usize) -> bool {
    // What is said of the block does nothing.
    let t = ctx.lines[i].trimmed;
    let does = !starts_comment(t) && !t.starts_with(['"', '\'']);
    // Markers that stand at the margin wherever they are say nothing.
    let mut behind = ctx.bounds.iter().skip(1).zip(&ctx.script.segments);
    let indented = behind.all(|(&(a, b), above)| {
        let first = (a..b).find(|&x| ctx.lines[x].class != Class::Blank);
        first.is_none_or(|x| ctx.cols(x) <= ctx.snippet_cols(&above.marker_indent))
    });
    does && indented && ends_its_block(ctx, k, j) && marker_cols(ctx, k) < ctx.cols(i)
}

/// Whether file line `j` is the last of its block and the marker behind snippet line `i` stands in
/// it: then it stands for that line.
pub(super) fn keeps_the_last(ctx: &Ctx, k: usize, i: usize, j: usize) -> bool {
    let (depth, below) = (marker_cols(ctx, k), ctx.bounds.get(k + 1));
    let outside = below.is_some_and(|b| ctx.cols(b.0) < depth && closes(ctx.lines[b.0].trimmed));
    ends_its_block(ctx, k, j) && depth == ctx.cols(i) && outside
}

/// How deep the marker behind a segment stands.
fn marker_cols(ctx: &Ctx, k: usize) -> i32 {
    ctx.snippet_cols(&ctx.script.segments[k].marker_indent)
}

/// Whether file line `j` is the last of its block, and a marker stands behind a segment.
fn ends_its_block(ctx: &Ctx, k: usize, j: usize) -> bool {
    let mut below = (j + 1..ctx.file.len()).filter(|&x| ctx.file[x].class != Class::Blank);
    let ends = below
        .next()
        .is_none_or(|x| ctx.file_cols(x) < ctx.file_cols(j));
    ctx.script.segments[k].marker_after && ends
}

/// Whether new lines above an anchor would stand right below a statement that leaves the block.
pub(super) fn unreached(ctx: &Ctx, new: &[usize], shift: i32, above: usize) -> bool {
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
pub(super) fn cut_short(ctx: &Ctx, k: usize, next: usize) -> bool {
    let (a, b) = ctx.bounds[k];
    let segment = &ctx.script.segments[k];
    // It is headed above.
    let range = ctx.guides.ranges[b - 1].filter(|r| r.inside && !r.firm);
    if !segment.marker_after && range.is_some_and(|r| r.low <= next && next < r.high) {
        return true;
    }
    // Where nothing closes a body, a blank line and a marker no deeper than the header may.
    let ends = |header: usize| {
        ctx.guides.indented
            && segment.blank_after > 0
            && ctx.snippet_cols(&segment.marker_indent) <= ctx.cols(header)
    };
    let headers = ctx.guides.pairs.iter();
    let headers = headers.filter(|p| (a..b).contains(&p.0) && ctx.guides.names(p.1));
    headers.max_by_key(|p| p.0).is_some_and(|&(i, j, _)| {
        let own = ctx.guides.around(j);
        (!segment.marker_after || ends(i)) && own.is_some_and(|(.., end)| next < end)
    })
}
