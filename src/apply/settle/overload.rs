//! Functions of one name: whether a header is one of the file, changed, or one more.

use super::fate::{Fate, fate};
use super::insertion;
use crate::apply::lines::line::{Class, Line};
use crate::apply::pass::align::Op;
use crate::apply::pass::context::{Ctx, same_line};
use crate::apply::pass::signature::{head, same_parameters};
use crate::apply::refuse;
use crate::error::Result;

/// A function with another signature and another body may be one more of its name.
///
/// # Errors
/// `unclear_edge` where the lines around it fit that as well.
pub(crate) fn check(ctx: &Ctx, k: usize, ops: &[Op]) -> Result<()> {
    if !ctx.guides.overloads {
        return Ok(());
    }
    let header = ops.iter().find_map(|op| match *op {
        Op::Pair(i, j)
            if ctx.is_guided(i, j)
                && ctx.guides.names(j)
                && !same_line(ctx, i, j)
                && !same_parameters(&ctx.lines[i..], &ctx.file[j..]) =>
        {
            Some((i, j))
        }
        _ => None,
    });
    let Some((i, j)) = header else { return Ok(()) };
    let Some((.., end)) = ctx.guides.around(j) else {
        return Ok(());
    };
    if ctx.guides.one_body
        && head(&ctx.lines[i]) == head(&ctx.file[j])
        && has_body(&ctx.lines[i..ctx.bounds[k].1])
        && has_body(&ctx.file[j..end])
    {
        return Ok(());
    }
    let body = (j + 1..end).filter(|&x| ctx.file[x].class == Class::Plain);
    let kept = ops
        .iter()
        .filter(|op| {
            matches!(**op, Op::Pair(i, x) if j < x && x < end
                && ctx.file[x].class == Class::Plain && same_line(ctx, i, x))
        })
        .count();
    // Of a new one, nothing can be left out.
    let segment = &ctx.script.segments[k];
    let whole = ctx.guides.rewrites[i].is_some();
    if !whole && segment.marker_after && ctx.snippet_cols(&segment.marker_indent) > ctx.cols(i) {
        return Ok(());
    }
    let first = (ctx.bounds[k].0..i).all(|x| ctx.lines[x].class == Class::Blank);
    // All that call it call the new one.
    let unused = || fate(ctx, j, j..end) == Fate::Unused;
    if kept * 2 < body.count() && (first || insertion::fits(ctx, k, ops)) && !unused() {
        return Err(refuse::edge(ctx, i, j));
    }
    Ok(())
}

/// Whether a body begins behind the header that lines begin with.
fn has_body(lines: &[Line]) -> bool {
    let mut ends = lines.iter().map(|l| l.trimmed);
    ends.find(|l| l.ends_with(['{', ';']))
        .is_some_and(|l| l.ends_with('{'))
}
