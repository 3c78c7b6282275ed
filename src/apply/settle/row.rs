//! Rows of entries that read alike, where a segment shows the lines between two of them and a
//! part of one: it may be one more of the row as well as another in the place of the next.

use crate::apply::lines::line::Class;
use crate::apply::pass::align::Op;
use crate::apply::pass::context::{Ctx, same_line};
use crate::apply::refuse;
use crate::apply::snippet::script::Role;
use crate::error::Result;

/// Lines that an entry and what parts it from the next have at least: fewer read alike by
/// chance.
const LEAST: usize = 4;

/// Refuses to change an entry beside a marker into another one of its row.
///
/// # Errors
/// `unclear_edge` where the lines between the last telling line and the entry stand on its
/// other side as well: put in between them, the new lines would be one entry more.
pub(crate) fn check(ctx: &Ctx, k: usize, ops: &[Op]) -> Result<()> {
    let (a, b) = ctx.bounds[k];
    if (a..b).any(|i| ctx.roles[i] != Role::Plain) {
        return Ok(());
    }
    let segment = &ctx.script.segments[k];
    if segment.marker_before
        && let Some((i, j)) = replaced(ctx, ops.iter(), |j| j.checked_sub(1))
    {
        return Err(refuse::edge(ctx, i, j));
    }
    if segment.marker_after
        && let Some((i, j)) = replaced(ctx, ops.iter().rev(), |j| Some(j + 1))
    {
        return Err(refuse::edge(ctx, i, j));
    }
    Ok(())
}

/// The outermost line of an entry that another takes the place of, from the marker inwards.
fn replaced<'o>(
    ctx: &Ctx,
    ops: impl Iterator<Item = &'o Op>,
    outwards: impl Fn(usize) -> Option<usize>,
) -> Option<(usize, usize)> {
    // A header goes by its name.
    let known = |i: usize, j: usize| {
        same_line(ctx, i, j) || ctx.is_rephrased(i, j) || ctx.guides.names(j) && ctx.is_guided(i, j)
    };
    let changed = |&(i, j): &(usize, usize)| !known(i, j);
    let repeated = |i: usize| {
        ctx.lines[i].class != Class::Plain
            || ctx.counts.get(&ctx.lines[i].hash).is_some_and(|&c| c > 1)
    };
    let part: Vec<(usize, usize)> = ops
        .map_while(|op| match *op {
            Op::Pair(i, j) if changed(&(i, j)) || repeated(i) => Some((i, j)),
            _ => None,
        })
        .collect();
    let outermost = *part.first().filter(|p| changed(p))?;
    let entry = part.iter().rposition(changed)? + 1;
    let (_, nearest) = *part.get(entry..)?.last()?;
    let beyond = ctx.file.get(outwards(outermost.1)?)?;
    (entry >= 2 && part.len() >= LEAST && beyond.same(&ctx.file[nearest])).then_some(outermost)
}
