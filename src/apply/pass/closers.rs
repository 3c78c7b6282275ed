//! What closes a block: which line it closes, and whether what is around it tells where it stands.

use super::align::Op;
use super::context::{Ctx, same_line};
use super::guides::Guides;
use crate::apply::lines::line::{Class, Line};
use crate::apply::lines::shape::{self, closes, condition, net_brackets, opens};
use crate::apply::snippet::script::Role;

/// Whether an operation pairs the lines that close, on both sides, the block around a telling line
/// above, or the block that this one opens.
pub(crate) fn closes_around(ctx: &Ctx, ops: &[Op], op: &Op) -> bool {
    let at = || ops.iter().position(|o| o == op);
    let weak = matches!(*op, Op::Pair(i, _) if closes(ctx.lines[i].trimmed));
    weak && at().is_some_and(|at| closed_around(ctx, ops, at).is_some())
}

/// The pair of that telling line.
pub(crate) fn closed_around(ctx: &Ctx, ops: &[Op], at: usize) -> Option<(usize, usize)> {
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
pub(crate) fn opener_above(ctx: &Ctx, i: usize) -> Option<usize> {
    let cols: Vec<i32> = (0..=i).map(|i| ctx.cols(i)).collect();
    *opened(&ctx.lines[..=i], &cols).last()?
}

/// The line of its segment that opens what a line closes, or the condition that it is a branch or
/// the end of.
pub(crate) fn opener(ctx: &Ctx, i: usize) -> Option<usize> {
    let (a, b) = ctx.bounds[ctx.segment_of(i)];
    if condition(ctx.lines[i].trimmed).is_some() {
        let all = branches(&ctx.lines[a..b]);
        return all.iter().find(|c| a + c.0 == i).map(|c| a + c.1);
    }
    let cols: Vec<i32> = (a..b).map(|i| ctx.cols(i)).collect();
    let opened = opened(&ctx.lines[a..b], &cols);
    Some(a + (*opened.get(i - a)?)?)
}

/// Whether snippet line `i` opens a block where file line `j` in its place opens none.
pub(crate) fn opens_anew(ctx: &Ctx, i: usize, j: usize) -> bool {
    let (new, old) = (ctx.lines[i].trimmed, ctx.file[j].trimmed);
    new.ends_with('{') && net_brackets(new) > 0 && net_brackets(old) == 0 && !opens(old)
}

/// Whether a line begins a part of a type (`public:`), as deep as its header.
fn section(t: &str) -> bool {
    let name = t.trim_end_matches(':').trim_end();
    t.ends_with(':') && ["public", "private", "protected"].contains(&name)
}

/// A definition of the snippet, found by how its header reads and is indented.
pub(crate) struct Block {
    /// Last-plus-one line.
    pub end: usize,
    /// It ends with a line that closes it.
    pub closed: bool,
}

/// The lines that belong to a header by their depth, markers passed over.
pub(crate) fn block(ctx: &Ctx, head: usize) -> Block {
    block_of(&ctx.lines, head, |i| ctx.cols(i))
}

/// The lines that belong to a header by their depth.
pub(super) fn block_of(lines: &[Line], head: usize, cols: impl Fn(usize) -> i32) -> Block {
    let depth = cols(head);
    let mut end = head + 1;
    for (x, l) in lines.iter().enumerate().skip(head + 1) {
        if l.class == Class::Blank || condition(l.trimmed).is_some() {
            continue;
        }
        let cols = cols(x);
        if cols > depth {
            end = x + 1;
            continue;
        }
        if cols == depth && shape::closes(l.trimmed) {
            end = x + 1;
            if shape::opens(l.trimmed) {
                // `) -> T {` goes on.
                continue;
            }
            return Block { end, closed: true };
        }
        if cols == depth && (l.trimmed == "{" || l.trimmed == "where" || l.trimmed == "begin") {
            end = x + 1;
            continue;
        }
        break;
    }
    Block { end, closed: false }
}
