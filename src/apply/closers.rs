//! What closes a block: which line it closes, and whether what is around it tells where it stands.

use super::align::Op;
use super::context::{Ctx, same_line};
use super::guide::Guides;
use super::line::{Class, Line};
use super::refuse;
use super::shape::{closes, condition, net_brackets, opens};
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

/// The lines that close what a part above opens with a line that stands once, behind deeper markers,
/// each with the pair of the line that opens it.
pub(super) fn shut(ctx: &Ctx, guides: &Guides) -> Vec<[(usize, usize); 2]> {
    let told = |i: &usize| ctx.lines[*i].class != Class::Blank;
    let cols: Vec<i32> = (0..ctx.lines.len()).map(|i| ctx.cols(i)).collect();
    let openers = opened(&ctx.lines, &cols).into_iter().enumerate();
    let shut = openers.filter_map(|(i, x)| {
        let x = x?;
        let k = ctx.segment_of(x);
        let a = ctx.bounds[k].0;
        let (open, close) = (&ctx.lines[x], &ctx.lines[i]);
        let plain = ctx.roles[x] == Role::Plain && ctx.roles[i] == Role::Plain;
        let between = plain && ctx.segment_of(i) > k && ctx.is_inside(x, i);
        // The header's bracket may stand on the next line.
        let next = (x + 1..ctx.bounds[k].1).find(told);
        let below = next.is_some_and(|n| ctx.lines[n].trimmed == "{" && ctx.cols(n) == ctx.cols(x));
        if !between || !(opens(open.trimmed) || below) || !closes(close.trimmed) {
            return None;
        }
        // A bracket on a line of its own belongs to the line above.
        let head = match open.class {
            Class::Plain => x,
            _ => (a..x).rev().find(told)?,
        };
        let headed = ctx.lines[head].class == Class::Plain && ctx.cols(head) == ctx.cols(x);
        let bounds = guides.ranges[head].map_or(0..ctx.file.len(), |r| r.low..r.high);
        let mut same = bounds.filter(|&y| ctx.file[y].same(&ctx.lines[head]));
        let top = same.next().filter(|_| headed && same.next().is_none())?;
        let following =
            |y: usize| (y + 1..ctx.file.len()).find(|&n| ctx.file[n].class != Class::Blank);
        let y = if head == x { top } else { following(top)? };
        let bracket = if below { following(y)? } else { y };
        if !ctx.file[y].same(open) || below && ctx.file[bracket].trimmed != "{" {
            return None;
        }
        let j = ctx.out_of(bracket)?;
        let closes = close.same(&ctx.file[j]) && !strays(ctx, i, (y, j));
        closes.then_some([(i, j), (x, y)])
    });
    shut.collect()
}

/// Whether a line right above a bracket, of the same part, stands in the file once, outside of some lines.
pub(super) fn strays(ctx: &Ctx, bracket: usize, (low, high): (usize, usize)) -> bool {
    let from = ctx.bounds[ctx.segment_of(bracket)].0;
    let told = |i: &usize| ctx.lines[*i].class != Class::Blank;
    let above = (from..bracket).rev().filter(told);
    let mut above = above.take_while(|&i| ctx.cols(i) > ctx.cols(bracket));
    let once = above.any(|i| {
        let l = &ctx.lines[i];
        let once = l.class == Class::Plain && ctx.counts.get(&l.hash) == Some(&1);
        let place = || ctx.file.iter().position(|f| l.same(f));
        once && place().is_some_and(|j| j < low || j >= high)
    });
    let inside = |i: usize| ctx.file[low..high].iter().any(|f| f.same(&ctx.lines[i]));
    let apart = bracket
        .checked_sub(1)
        .is_some_and(|i| i >= from && !inside(i));
    once || apart && follows_elsewhere(ctx, bracket, high - 1)
}

/// Whether the line right above a snippet line, of the same part, stands right above such a line of the
/// file, but not above line `j`.
fn follows_elsewhere(ctx: &Ctx, i: usize, j: usize) -> bool {
    let from = ctx.bounds[ctx.segment_of(i)].0;
    let told = |x: &usize| *x >= from && ctx.lines[*x].class == Class::Plain;
    let Some(above) = i.checked_sub(1).filter(told) else {
        return false;
    };
    let pair = |f: &[Line]| f[0].same(&ctx.lines[above]) && f[1].same(&ctx.lines[i]);
    let here = j.checked_sub(1).and_then(|x| ctx.file.get(x..=j));
    !here.is_some_and(pair) && ctx.file.windows(2).any(pair)
}

/// The lines that end a part by opening a block, which the file has several times: each with the one
/// around what the next part shows of that block.
pub(super) fn opens_around(ctx: &Ctx, guides: &Guides) -> Vec<(usize, usize)> {
    let known = |i: usize| guides.pairs.iter().find(|p| p.0 == i).map(|p| p.1);
    let place = |i: usize| {
        let l = &ctx.lines[i];
        let once = l.class == Class::Plain && ctx.counts.get(&l.hash) == Some(&1);
        let there = || ctx.file.iter().position(|f| f.same(l));
        known(i).or_else(|| once.then(there).flatten())
    };
    let openers = ctx.bounds.windows(2).filter_map(|parts| {
        let &[(a, b), (from, to)] = parts else {
            return None;
        };
        let i = (a..b).rfind(|&i| ctx.lines[i].class != Class::Blank)?;
        let line = &ctx.lines[i];
        let several = ctx.counts.get(&line.hash).is_some_and(|&n| n > 1);
        let plain = line.class == Class::Plain && ctx.roles[i] == Role::Plain;
        if !several || !plain || !opens(line.trimmed) || known(i).is_some() {
            return None;
        }
        let inner = |x: &usize| ctx.cols(*x) > ctx.cols(i) && ctx.is_inside(i, *x);
        let within = (from..to).take_while(inner).find_map(place)?;
        let up = |&y: &usize| header(ctx.file, 0, y, |y| ctx.file_cols(y));
        let around = std::iter::successors(up(&within), up);
        let mut same = around.filter(|&y| ctx.file[y].same(line));
        let j = same.next().filter(|_| same.next().is_none())?;
        (!follows_elsewhere(ctx, i, j)).then_some((i, j))
    });
    openers.collect()
}

/// For each line that closes a block, the line that opens it, by their columns: the one above a
/// bracket on a line of its own.
pub(super) fn opened(lines: &[Line], cols: &[i32]) -> Vec<Option<usize>> {
    let mut out = vec![None; lines.len()];
    // The last line at each depth, with what is above it there.
    let mut open: Vec<(i32, usize, Option<usize>)> = Vec::new();
    for (i, (line, &depth)) in lines.iter().zip(cols).enumerate() {
        if line.class == Class::Blank {
            continue;
        }
        while open.last().is_some_and(|o| o.0 > depth) {
            open.pop();
        }
        let above = open.pop_if(|o| o.0 == depth);
        if let Some((_, at, further)) = above
            && closes(line.trimmed)
        {
            out[i] = match lines[at].trimmed {
                "{" => further,
                _ => Some(at),
            };
        }
        open.push((depth, i, above.map(|o| o.1)));
    }
    out
}

/// The lines that end a preprocessor's condition or begin another branch of it, each with the one
/// that begins it.
pub(super) fn branches(lines: &[Line]) -> Vec<(usize, usize)> {
    let mut open = Vec::new();
    let mut out = Vec::new();
    for (x, l) in lines.iter().enumerate() {
        match condition(l.trimmed) {
            Some("if" | "ifdef" | "ifndef") => open.push(x),
            Some(branch) => {
                out.extend(open.last().map(|&top| (x, top)));
                if branch == "endif" {
                    open.pop();
                }
            }
            None => {}
        }
    }
    out
}

/// The nearest line above a line, from `from` on, that heads what the line stands in: it says
/// something, is less deep, and closes nothing.
pub(super) fn header(
    lines: &[Line],
    from: usize,
    i: usize,
    cols: impl Fn(usize) -> i32,
) -> Option<usize> {
    let heads = |l: &Line| l.class == Class::Plain && !closes(l.trimmed);
    (from..i)
        .rev()
        .find(|&x| heads(&lines[x]) && cols(x) < cols(i))
}

/// The line that opens what a line closes, of its segment or one above.
pub(super) fn opener_above(ctx: &Ctx, i: usize) -> Option<usize> {
    let cols: Vec<i32> = (0..=i).map(|i| ctx.cols(i)).collect();
    *opened(&ctx.lines[..=i], &cols).last()?
}

/// The line of its segment that opens what a line closes, or the condition that it is a branch or
/// the end of.
pub(super) fn opener(ctx: &Ctx, i: usize) -> Option<usize> {
    let (a, b) = ctx.bounds[ctx.segment_of(i)];
    if condition(ctx.lines[i].trimmed).is_some() {
        let all = branches(&ctx.lines[a..b]);
        return all.iter().find(|c| a + c.0 == i).map(|c| a + c.1);
    }
    let cols: Vec<i32> = (a..b).map(|i| ctx.cols(i)).collect();
    let opened = opened(&ctx.lines[a..b], &cols);
    Some(a + (*opened.get(i - a)?)?)
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

/// Whether snippet line `i` opens a block where file line `j` in its place opens none.
pub(super) fn opens_anew(ctx: &Ctx, i: usize, j: usize) -> bool {
    let (new, old) = (ctx.lines[i].trimmed, ctx.file[j].trimmed);
    new.ends_with('{') && net_brackets(new) > 0 && net_brackets(old) == 0 && !opens(old)
}

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
