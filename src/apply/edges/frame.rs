//! What the first and the last lines of a snippet say of the file's own, with a marker beside
//! them or without.

use super::imports;
use super::onesided::block_opener;
use crate::apply::lines::line::{Class, Line, starts_comment};
use crate::apply::lines::shape::{closes, empty_comment, import, opens};
use crate::apply::pass::align::Op;
use crate::apply::pass::context::{Ctx, anchors, same_line};
use crate::apply::pass::extent::Extent;
use crate::apply::refuse;
use crate::error::Result;

/// So many lines at either end of a file may be meant to go where a snippet does not reach them.
const REST: usize = 3;

/// A snippet that begins without a marker begins with the file. Where its first part shows
/// nothing but context, a line or two above it may be what it leaves out.
///
/// # Errors
/// `unclear_start`.
pub(crate) fn starts_late(ctx: &Ctx, k: usize, ops: &[Op]) -> Result<()> {
    let first = ctx.bounds[k].0;
    let Some(&Op::Pair(i, j)) = ops.first() else {
        return Ok(());
    };
    let at_the_start = k == 0 && !ctx.script.segments[k].marker_before && i == first;
    if !at_the_start || ctx.script.markers == 0 || ctx.cols(i) != 0 || !ctx.script.is_plain() {
        return Ok(());
    }
    // A header is there for what is in it.
    if ops
        .last()
        .is_some_and(|op| matches!(*op, Op::Pair(i, _) if opens(ctx.lines[i].trimmed)))
    {
        return Ok(());
    }
    let is_code = |l: &&Line| l.class != Class::Blank && !starts_comment(l.trimmed);
    let above = ctx.file[..j].iter().filter(is_code).count();
    if (1..=REST).contains(&above) && !needs_all(ctx, j) {
        return Err(refuse::open_end(ctx, j, true));
    }
    Ok(())
}

/// A snippet that begins without a marker begins with the file. Where its first line takes the place of
/// one that the file begins with, what is said above that may be what it leaves out.
///
/// # Errors
/// `unclear_start`.
pub(crate) fn leaves_a_comment_out(ctx: &Ctx, k: usize, ops: &[Op]) -> Result<()> {
    let first = ops.iter().find_map(|op| match *op {
        Op::Pair(i, j) => Some((j, !same_line(ctx, i, j))),
        Op::Delete(j) => Some((j, true)),
        Op::Insert(_) => None,
    });
    let Some((j, true)) = first else {
        return Ok(());
    };
    let at_the_start = k == 0 && !ctx.script.segments[k].marker_before && ctx.script.markers > 0;
    let above = &ctx.file[..j];
    if at_the_start && !above.is_empty() && above.iter().all(|l| starts_comment(l.trimmed)) {
        return Err(refuse::open_end(ctx, j, true));
    }
    Ok(())
}

/// A snippet that begins without a marker begins with the file. Where it shows imports and changes
/// none, one above them may be what it leaves out.
///
/// # Errors
/// `unclear_start`.
pub(crate) fn leaves_imports_out(ctx: &Ctx, k: usize, ops: &[Op]) -> Result<()> {
    let Some(&Op::Pair(i, j)) = ops.first() else {
        return Ok(());
    };
    let at_the_start = i == 0 && k == 0 && !ctx.script.segments[k].marker_before;
    let mut above = ctx.file[..j].iter().rev().peekable();
    let beside = above.peek().is_some_and(|l| import(l.trimmed));
    let only = above.all(|l| l.class == Class::Blank || import(l.trimmed));
    let shows = |op: &&Op| match **op {
        Op::Pair(i, _) | Op::Insert(i) => {
            ctx.lines[i].class == Class::Blank || import(ctx.lines[i].trimmed)
        }
        Op::Delete(_) => false,
    };
    let mut shown = ops.iter().take_while(shows);
    let context = shown.all(|op| matches!(*op, Op::Pair(i, j) if same_line(ctx, i, j)));
    let begins = import(ctx.lines[i].trimmed) && !needs_all(ctx, j);
    if at_the_start && ctx.script.markers > 0 && begins && context && beside && only {
        return Err(refuse::open_end(ctx, j, true));
    }
    Ok(())
}

/// Whether the lines above the first part are imports that the rest of the file needs. A snippet
/// with no marker at either end may leave out what needs them as well.
fn needs_all(ctx: &Ctx, j: usize) -> bool {
    let ends = ctx.script.segments.last().is_some_and(|s| s.marker_after);
    ends && imports::all_used(ctx, 0..j)
}

/// A snippet that ends without a marker ends with the file. Where its last part shows nothing
/// but context, or what is below uses what is no longer imported or is no longer used, that may be what
/// it leaves out.
///
/// # Errors
/// `unclear_end`.
pub(crate) fn ends_early(ctx: &Ctx, k: usize, ops: &[Op], changes: bool) -> Result<()> {
    let at_the_end = k + 1 == ctx.bounds.len() && !ctx.script.segments[k].marker_after;
    if !at_the_end || ctx.script.markers == 0 || !ctx.script.is_plain() {
        return Ok(());
    }
    let Some(&Op::Pair(i, j)) = ops.last() else {
        return Ok(());
    };
    let told = |op: &Op| matches!(*op, Op::Pair(i, _) if ctx.lines[i].class == Class::Plain);
    let below = ctx.file[j + 1..].iter();
    let left = below.filter(|l| l.class != Class::Blank).count();
    let goes_on = left > 0;
    // The end of what is around it is there for that, unless the file all but ends there.
    let few = left <= REST && from_the_start(ctx);
    let closes = ctx.cols(i) == 0 && closes(ctx.lines[i].trimmed);
    let ends = closes || ctx.guides.ranges[i].is_some_and(|r| r.low <= j && j < r.high);
    let meant = !changes && ops.iter().any(told) && (!ends || few)
        || imports::used_below(ctx, j + 1)
        || gives_up_below(ctx, j + 1);
    if meant && goes_on {
        return Err(refuse::open_end(ctx, j, false));
    }
    Ok(())
}

/// Whether nothing uses any more what the file defines in the lines from `below` on, and something did
/// before the edit.
fn gives_up_below(ctx: &Ctx, below: usize) -> bool {
    let mut heads = ctx.guides.heads().filter(|&j| j >= below);
    heads.any(|j| {
        let name = ctx.guides.name_at(j).and_then(|n| ctx.text.text().get(n));
        let own = ctx.guides.around(j).map(|(said, _, end)| said..end);
        matches!((name, own), (Some(name), Some(own)) if ctx.gives_up(name, &own))
    })
}

/// So many lines from the top of the file on are more than a part of it.
const LONG: usize = 20;

/// A snippet without any marker that begins with the file and goes on for long gives the whole
/// of it: what it does not reach may be what it leaves out.
///
/// # Errors
/// `unclear_end`.
pub(crate) fn leaves_off(ctx: &Ctx, ops: &[Op]) -> Result<()> {
    let code = |l: &Line| l.class != Class::Blank;
    let (Some(&Op::Pair(0, first)), Some(&Op::Pair(_, last))) = (ops.first(), ops.last()) else {
        return Ok(());
    };
    let begins = ctx.file[..first].iter().all(|l| !code(l));
    let reached = ctx.lines.iter().filter(|l| code(l)).count();
    let below = ctx.file[last + 1..].iter().filter(|l| code(l)).count();
    if ctx.script.markers == 0 && ctx.script.is_plain() && begins && reached >= LONG && below > 0 {
        return Err(refuse::open_end(ctx, last, false));
    }
    Ok(())
}

/// Takes off lines beside a marker that only go on with a comment, where the file has none
/// there: they part the marker from the text, as blank ones do.
pub(crate) fn unframe(ctx: &Ctx, k: usize, ops: &mut Vec<Op>) {
    let segment = &ctx.script.segments[k];
    let frames = |ops: &[Op], op: Option<&Op>| {
        let told = ops.iter().any(|op| anchors(ctx, op));
        told && matches!(op, Some(&Op::Insert(i)) if empty_comment(ctx.lines[i].trimmed))
    };
    if segment.marker_before
        && frames(ops, ops.first())
        && !matches!(ops.get(1), Some(Op::Insert(_)))
    {
        ops.remove(0);
    }
    let above = ops.len().checked_sub(2).and_then(|x| ops.get(x));
    if segment.marker_after && frames(ops, ops.last()) && !matches!(above, Some(Op::Insert(_))) {
        ops.pop();
    }
}

/// Takes a line that opens a comment for a new one where only new lines close it: in the file it
/// opens another one.
pub(crate) fn open_comment(ctx: &Ctx, ops: &mut [Op]) {
    let Some(last) = ops.iter().rposition(|op| matches!(op, Op::Pair(..))) else {
        return;
    };
    let (Op::Pair(i, _), behind) = (ops[last], &ops[last + 1..]) else {
        return;
    };
    let marks = [("/*", "*/"), ("<!--", "-->")];
    let open = |(from, to): &&(&str, &str)| {
        let t = ctx.lines[i].trimmed;
        t.starts_with(from) && !t.contains(to)
    };
    let new = |op: &Op| matches!(op, Op::Insert(_));
    if let Some((_, to)) = marks.iter().find(open)
        && behind.iter().all(new)
        && behind
            .iter()
            .any(|op| matches!(*op, Op::Insert(x) if ctx.lines[x].trimmed.contains(to)))
    {
        ops[last] = Op::Insert(i);
    }
}

/// The same at the end of the file: a marker behind a part that takes out all that is left there
/// stands for nothing, unless a name says that it is this which is given anew.
///
/// # Errors
/// `unexplained_removal`.
pub(crate) fn leaves_nothing_behind(ctx: &Ctx, edge: &Extent, ops: &[Op]) -> Result<()> {
    let k = edge.segment;
    let rest = ctx.file.get(edge.end..).unwrap_or_default();
    let last = k + 1 == ctx.bounds.len() && ctx.script.segments[k].marker_after;
    if !last || rest.iter().any(|l| l.class != Class::Blank) {
        return Ok(());
    }
    let Some(first) = ops.iter().position(|op| ctx.takes(op)) else {
        return Ok(());
    };
    let change = &ops[first..];
    let named = |op: &Op| matches!(*op, Op::Pair(i, j) if ctx.is_guided(i, j));
    let kept = |op: &&Op| ctx.stands_there(op);
    let gone = change.iter().filter_map(|op| match *op {
        Op::Delete(j) | Op::Pair(_, j) if ctx.takes(op) => Some(j),
        _ => None,
    });
    let gone: Vec<usize> = gone.collect();
    match (gone.first(), gone.last()) {
        (Some(&first), Some(&last))
            if gone.len() > 1
                && !change.iter().any(named)
                && change.iter().filter(kept).count() * 2 < gone.len() =>
        {
            Err(refuse::removed_at_edge(ctx, k, first, last))
        }
        _ => Ok(()),
    }
}

/// A marker stands for something. Where a segment goes on with what follows the one above it in the
/// file, and changes it right below the header of a block, it may be meant to stand further below;
/// where the one above ends with nothing but brackets behind lines that it takes out, or nothing is
/// between the two and one takes lines out, those may be what the marker stands for.
///
/// # Errors
/// `unclear_edge`, `unexplained_removal`.
pub(crate) fn leaves_nothing_out(
    ctx: &Ctx,
    (above, its): (&Extent, &[Op]),
    (edge, ops): (&Extent, &[Op]),
) -> Result<()> {
    let blank = |j: usize| ctx.file[j].class == Class::Blank;
    if above.segment + 1 != edge.segment
        || above.start == above.end
        || !(above.end..edge.start).all(blank)
    {
        return Ok(());
    }
    let head = above.end - 1;
    let inner = ctx.file_cols(head) < ctx.file_cols(edge.start);
    let changed = ops.iter().find_map(|op| match *op {
        Op::Pair(i, j) if !same_line(ctx, i, j) => Some((i, j)),
        _ => None,
    });
    if let Some((i, j)) = changed
        && inner
        && !above.inserts_last
        && block_opener(ctx.file[head].trimmed)
    {
        return Err(refuse::edge(ctx, i, j));
    }
    let telling = |op: &Op| {
        matches!(*op, Op::Pair(i, j)
            if ctx.lines[i].class == Class::Plain && same_line(ctx, i, j))
    };
    let behind = its.iter().rposition(telling).map_or(0, |x| x + 1);
    let gone = its[behind..].iter().filter_map(|op| match *op {
        Op::Delete(j) if !blank(j) => Some(j),
        _ => None,
    });
    let gone: Vec<usize> = gone.collect();
    // With nothing between them, what either takes out may be what it stands for.
    let mut all = its.iter().chain(ops).filter_map(|op| match *op {
        Op::Delete(j) if !blank(j) => Some(j),
        _ => None,
    });
    if above.end == edge.start
        && let Some(first) = all.next()
    {
        let last = all.next_back().unwrap_or(first);
        let k = if last < above.end { above } else { edge }.segment;
        return Err(refuse::removed_at_edge(ctx, k, first, last));
    }
    let put = |op: &&Op| matches!(op, Op::Insert(_)) && ctx.is_told(op);
    let new = its[behind..].iter().filter(put).count();
    // It stands in the block that the part below it goes on to close.
    let inside = {
        let indent = &ctx.script.segments[above.segment].marker_indent;
        ctx.snippet_cols(indent) > ctx.cols(ctx.bounds[edge.segment].0)
    };
    let many = match inside {
        true => gone.len() >= new,
        false => gone.len() > new + 1,
    };
    match (gone.first(), gone.last()) {
        (Some(&first), Some(&last)) if many => {
            Err(refuse::removed_at_edge(ctx, above.segment, first, last))
        }
        _ => Ok(()),
    }
}

/// Whether a snippet shows where the file begins above segment `k`, or begins with a marker: then it shows
/// the file's end as well where it has none behind it.
pub(crate) fn is_begun(ctx: &Ctx, k: usize) -> bool {
    let marked = ctx.script.segments.first().is_some_and(|s| s.marker_before);
    marked || k > 0 && from_the_start(ctx)
}

/// Whether the first segment has the first line of the file that says something.
pub(crate) fn from_the_start(ctx: &Ctx) -> bool {
    let start = ctx.file.iter().find(|l| l.class == Class::Plain);
    let own = ctx.bounds.first().and_then(|&(a, b)| ctx.lines.get(a..b));
    start
        .zip(own)
        .is_some_and(|(s, own)| own.iter().any(|l| l.same(s)))
}
