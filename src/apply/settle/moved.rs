//! Lines that an edit moves into a new function and replaces by a call of it.

use crate::apply::edges::onesided::called;
use crate::apply::lines::line::Class;
use crate::apply::lines::words::word_at;
use crate::apply::pass::align::Op;
use crate::apply::pass::closers::block;
use crate::apply::pass::context::{Ctx, anchors, same_line};

/// The file's lines beside a segment's first or last change that go with those that it takes out: a
/// new function which takes their place has them all, one below the other.
pub(super) fn with_the_rest(ctx: &Ctx, ops: &[Op]) -> Vec<usize> {
    let first = ops.iter().position(|op| anchors(ctx, op));
    let last = ops.iter().rposition(|op| anchors(ctx, op));
    let (Some(first), Some(last)) = (first, last) else {
        return Vec::new();
    };
    let mut out = side(ctx, &ops[..first], true);
    out.extend(side(ctx, &ops[last + 1..], false));
    out
}

/// Those above a change, or below it.
fn side(ctx: &Ctx, change: &[Op], above: bool) -> Vec<usize> {
    let gone = change.iter().filter_map(|op| match *op {
        Op::Delete(j) if ctx.file[j].class != Class::Blank => Some(j),
        Op::Pair(i, j) if !same_line(ctx, i, j) => Some(j),
        _ => None,
    });
    let Some(edge) = (if above { gone.min() } else { gone.max() }) else {
        return Vec::new();
    };
    let new = change.iter().filter_map(|op| match *op {
        Op::Insert(i) | Op::Pair(i, _) => Some(i),
        Op::Delete(_) => None,
    });
    let names = new.filter_map(|i| last_called(ctx.lines[i].trimmed));
    names
        .filter_map(|name| body(ctx, name))
        .map(|body| run(ctx, body, edge, above))
        .max_by_key(Vec::len)
        .unwrap_or_default()
}

/// The name that a line calls, whatever it gives the result to.
fn last_called(t: &str) -> Option<&str> {
    let t = t.rsplit_once('=').map_or(t, |(_, value)| value);
    called(t.trim_start_matches("return ").trim_start())
}

/// The lines of the new function of a name.
fn body(ctx: &Ctx, name: &str) -> Option<std::ops::Range<usize>> {
    let heads = |&i: &usize| ctx.guides.new[i] && word_at(ctx.lines[i].trimmed, name).is_some();
    let head = (0..ctx.lines.len()).find(heads)?;
    let end = block(ctx, head).end;
    (end > head + 2).then_some(head + 1..end)
}

/// The lines of the file beside one that stand in a function beside that as well.
fn run(ctx: &Ctx, body: std::ops::Range<usize>, edge: usize, above: bool) -> Vec<usize> {
    let told = |i: &usize| ctx.lines[*i].class != Class::Blank;
    let Some(at) = body.clone().find(|&i| ctx.lines[i].same(&ctx.file[edge])) else {
        return Vec::new();
    };
    let beside = |new: &mut dyn Iterator<Item = usize>, old: &mut dyn Iterator<Item = usize>| {
        let pairs = new
            .filter(told)
            .zip(old.filter(|&j| ctx.file[j].class != Class::Blank));
        let same = pairs.take_while(|&(i, j)| {
            ctx.lines[i].class == Class::Plain && ctx.lines[i].same(&ctx.file[j])
        });
        same.map(|(_, j)| j).collect()
    };
    match above {
        true => beside(&mut (body.start..at).rev(), &mut (0..edge).rev()),
        false => beside(&mut (at + 1..body.end), &mut (edge + 1..ctx.file.len())),
    }
}
