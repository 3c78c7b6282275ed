//! Whether new lines are something new or what stands in their place under another name:
//! where a segment shows nothing but brackets and the like above them, both read the same.

use std::ops::Range;

use super::fate::{Fate, fate};
use super::insertion;
use crate::apply::lines::key::Key;
use crate::apply::lines::line::{Class, Line, starts_comment};
use crate::apply::lines::shape::{has_title, opens};
use crate::apply::pass::align::Op;
use crate::apply::pass::closers;
use crate::apply::pass::context::{Ctx, anchors, same_line};
use crate::apply::pass::scores::CHANGED;
use crate::apply::pass::signature::implemented;
use crate::apply::refuse;
use crate::apply::snippet::script::Role;
use crate::error::Result;

/// Refuses what may be new as well as renamed; `reread` says that the alignment has been given
/// up for a reading that takes nothing out.
///
/// # Errors
/// `unclear_edge`.
pub(crate) fn check(ctx: &Ctx, k: usize, ops: &[Op], reread: bool) -> Result<()> {
    let (a, b) = ctx.bounds[k];
    if (a..b).any(|i| ctx.roles[i] != Role::Plain) {
        return Ok(());
    }
    if !reread {
        head(ctx, k, ops)?;
        titled(ctx, ops)?;
        block(ctx, k, ops)?;
        section(ctx, ops)?;
        definition(ctx, k, ops)?;
        implementation(ctx, ops)?;
    }
    copy(ctx, k, ops)?;
    respelt(ctx, ops)?;
    retold(ctx, ops)
}

/// Refuses to put a line beside a marker that differs from one of the file's in the case of its letters
/// alone, where nothing in the snippet keeps that one: it may be the same under a new spelling.
///
/// # Errors
/// `unclear_edge`.
pub(crate) fn respelt(ctx: &Ctx, ops: &[Op]) -> Result<()> {
    let kept = |op: &Op| matches!(*op, Op::Pair(i, j) if same_line(ctx, i, j) && ctx.is_told(op));
    let (first, last) = (ops.iter().position(kept), ops.iter().rposition(kept));
    for (at, op) in ops.iter().enumerate() {
        let Op::Insert(i) = *op else { continue };
        let between = first.is_some_and(|x| x < at) && last.is_some_and(|y| at < y);
        let line = &ctx.lines[i];
        if between || line.class != Class::Plain || ctx.counts.contains_key(&line.hash) {
            continue;
        }
        let other = |f: &&Line| {
            f.trimmed.len() == line.trimmed.len() && f.trimmed.eq_ignore_ascii_case(line.trimmed)
        };
        let mut there = ctx.file.iter().enumerate().filter(|(_, f)| other(f));
        if let (Some((j, f)), None) = (there.next(), there.next())
            && !ctx.lines.iter().any(|l| l.same(f))
            && !ops.contains(&Op::Delete(j))
        {
            return Err(refuse::edge(ctx, i, j));
        }
    }
    Ok(())
}

/// Refuses to say of a new definition what the file says above one that it has, and of no other.
///
/// # Errors
/// `unclear_edge`.
fn retold(ctx: &Ctx, ops: &[Op]) -> Result<()> {
    let new = |op: &Op| matches!(*op, Op::Insert(i) if ctx.lines[i].class == Class::Plain);
    let mut runs = ops.split(|op| !matches!(op, Op::Insert(_)));
    let said = runs.find_map(|run| match *run.iter().find(|op| new(op))? {
        Op::Insert(i) if starts_comment(ctx.lines[i].trimmed) => Some(i),
        _ => None,
    });
    let Some(i) = said else { return Ok(()) };
    let above = ctx.guides.definitions.chunks_exact(2).map(|d| d[0].0);
    let mut heads = above.filter(|&j| ctx.file[j].same(&ctx.lines[i]));
    match heads.next() {
        Some(j) if ctx.counts.get(&ctx.file[j].hash) == Some(&1) => Err(refuse::edge(ctx, i, j)),
        _ => Ok(()),
    }
}

/// Refuses to change the head of a block by which one more of its kind may begin.
///
/// # Errors
/// `unclear_edge` where a word of the head gives way to another, nothing telling stands
/// above it, and the lines around it stand together in the file.
fn head(ctx: &Ctx, k: usize, ops: &[Op]) -> Result<()> {
    let (a, b) = ctx.bounds[k];
    let least = told(ctx, a..b).map(|i| ctx.cols(i)).min();
    let changed = ops.iter().find_map(|op| match *op {
        Op::Pair(i, j) if !same_line(ctx, i, j) && !ctx.is_substituted(i, j) => Some((i, j)),
        _ => None,
    });
    let Some((i, j)) = changed else { return Ok(()) };
    let (new, old) = (&ctx.lines[i], &ctx.file[j]);
    let replaced = new.shared(old) < old.word_count();
    if opens(new.trimmed)
        && opens(old.trimmed)
        && Some(ctx.cols(i)) == least
        && !ctx.is_guided(i, j)
        && replaced
        && weak(ctx, a..i)
        && insertion::fits(ctx, k, ops)
    {
        return Err(refuse::edge(ctx, i, j));
    }
    Ok(())
}

/// Refuses to give a block another title and other lines, where nothing stands above it and what follows
/// it does: it may be one more, beside one much like it.
///
/// # Errors
/// `unclear_edge`.
fn titled(ctx: &Ctx, ops: &[Op]) -> Result<()> {
    let mut told = ops.iter().filter(|op| ctx.is_told(op));
    let title = match (told.next(), told.find(|op| matches!(op, Op::Pair(..)))) {
        (Some(&Op::Pair(i, j)), _) => Some((i, j)),
        (Some(&Op::Insert(i)), Some(&Op::Pair(_, y))) => y.checked_sub(1).map(|j| (i, j)),
        _ => None,
    };
    let Some((i, j)) = title else { return Ok(()) };
    let (new, old) = (&ctx.lines[i], &ctx.file[j]);
    let other = has_title(new.trimmed) && has_title(old.trimmed) && !new.same(old);
    if !other || ctx.is_substituted(i, j) {
        return Ok(());
    }
    let level = |op: &&Op| {
        matches!(**op, Op::Pair(x, y) if x > i && ctx.is_told(op)
            && ctx.cols(x) <= ctx.cols(i) && same_line(ctx, x, y))
    };
    let shown = ops.iter().filter(level).count() > 1;
    let within = ops.iter().take_while(|op| !level(op));
    let changes = within.filter(|op| ctx.changes(op)).count();
    match shown && changes > 1 {
        true => Err(refuse::edge(ctx, i, j)),
        false => Ok(()),
    }
}

/// Refuses to take a block beside a marker for another one, of which nothing but the bracket stays
/// that closes it: that may close a new one above or below it as well.
///
/// # Errors
/// `unclear_edge`.
fn block(ctx: &Ctx, k: usize, ops: &[Op]) -> Result<()> {
    let plain = |op: &Op| {
        matches!(*op, Op::Pair(i, j)
            if ctx.lines[i].class == Class::Plain && same_line(ctx, i, j))
    };
    let Some(last) = ops.iter().rposition(plain) else {
        return Ok(());
    };
    if !ctx.script.segments[k].marker_after {
        return Ok(());
    }
    let mut told = ops[last + 1..].iter().filter(|op| ctx.is_told(op));
    let Some(&Op::Pair(i, j)) = told.next() else {
        return Ok(());
    };
    let (new, old) = (&ctx.lines[i], &ctx.file[j]);
    let heads = opens(new.trimmed) && opens(old.trimmed);
    // It is in what a line above opens and one below closes.
    let shut = |at: usize| {
        matches!(closers::closed_around(ctx, ops, at), Some((x, _)) if x < i)
            && !matches!(ops[at], Op::Pair(x, _) if ctx.cols(x) >= ctx.cols(i))
    };
    if (last + 1..ops.len()).any(shut) {
        return Ok(());
    }
    let takes = ops[last + 1..].iter().filter(|op| ctx.takes(op)).count();
    // What gives the same name a value is the old one, changed.
    let gone = || {
        ops[last + 1..].iter().filter_map(|op| match *op {
            Op::Delete(j) => Some(ctx.file[j].key()),
            _ => None,
        })
    };
    let binds = |key: Key| matches!(key, Key::Binds(name) if !name.is_empty());
    let kept = ops[last + 1..].iter().any(|op| {
        matches!(*op, Op::Insert(i) if binds(ctx.lines[i].key())
            && gone().any(|key| key == ctx.lines[i].key()))
    });
    if heads
        && takes > 1
        && !kept
        && ctx.guides.rewrites[i].is_none()
        && !same_line(ctx, i, j)
        && !ctx.is_guided(i, j)
        && !ctx.is_substituted(i, j)
        && new.similarity(old) < ALIKE
    {
        return Err(refuse::edge(ctx, i, j));
    }
    Ok(())
}

/// Refuses to take a definition at a segment's end for the one in its place, where most of its
/// lines are others and none stays that stands only there: it may be a new one like it.
///
/// # Errors
/// `unclear_edge`.
pub(super) fn definition(ctx: &Ctx, k: usize, ops: &[Op]) -> Result<()> {
    if !ctx.script.segments[k].marker_after && ctx.script.markers == 0 {
        return Ok(());
    }
    let renamed = ops.iter().find_map(|op| match *op {
        Op::Pair(i, j) if ctx.guides.names(j) && !same_line(ctx, i, j) && !ctx.is_guided(i, j) => {
            Some((i, j))
        }
        _ => None,
    });
    // In a type that is given whole, nothing else can be meant.
    let whole =
        |&(i, j): &(usize, usize)| !ctx.guides.rewrites[i].is_some_and(|(a, b)| a <= j && j < b);
    let Some((i, j)) = renamed.filter(whole) else {
        return Ok(());
    };
    let Some((said, _, end)) = ctx.guides.around(j) else {
        return Ok(());
    };
    let inside = |op: &Op, from: usize| matches!(*op, Op::Pair(_, y) if from <= y && y < end);
    let body = || {
        ops.iter().filter(|op| {
            inside(op, j + 1)
                && matches!(**op, Op::Pair(x, _) if ctx.lines[x].class == Class::Plain)
        })
    };
    let changed = |op: &&Op| matches!(**op, Op::Pair(x, y) if !same_line(ctx, x, y));
    let others = body().filter(changed).count();
    let kept = |op: &Op| inside(op, said) && ctx.stands_there(op);
    if others > 0
        && !ops.iter().any(kept)
        && !ctx.puts_out_of_use(ops)
        && fate(ctx, j, j..end) != Fate::Unused
    {
        return Err(refuse::edge(ctx, i, j));
    }
    Ok(())
}

/// Refuses to take the block that implements something for a type for one that implements something
/// else, where the segment shows only one side of it.
///
/// # Errors
/// `unclear_edge`.
fn implementation(ctx: &Ctx, ops: &[Op]) -> Result<()> {
    let of = |t: &'_ str| {
        implemented(t)
            .filter(|_| t.starts_with("impl"))
            .map(str::to_string)
    };
    for (at, op) in ops.iter().enumerate() {
        let Op::Pair(i, j) = *op else { continue };
        let (new, old) = (of(ctx.lines[i].trimmed), of(ctx.file[j].trimmed));
        let other = matches!((new, old), (Some(new), Some(old)) if new != old);
        if other && !ops[..at].iter().any(|op| anchors(ctx, op)) {
            return Err(refuse::edge(ctx, i, j));
        }
    }
    Ok(())
}

/// How much of the line that opens a block (thousandths) stays at least where it is the same one.
const ALIKE: i32 = 700;

/// Refuses to put a section in the place of one under another heading, of which little is
/// kept, where the segment shows only one side of it.
///
/// # Errors
/// `unclear_edge`.
fn section(ctx: &Ctx, ops: &[Op]) -> Result<()> {
    // Where `#` opens a comment it heads nothing.
    if ctx.pass.comments.contains(&"#") {
        return Ok(());
    }
    let same = || {
        ops.iter().filter_map(|op| match *op {
            Op::Pair(i, j) if ctx.file[j].class == Class::Plain && same_line(ctx, i, j) => Some(j),
            _ => None,
        })
    };
    for (at, op) in ops.iter().enumerate() {
        let (Op::Pair(_, j) | Op::Delete(j)) = *op else {
            continue;
        };
        let new = ops[at..].iter().find_map(|op| match *op {
            Op::Insert(i) | Op::Pair(i, _) if ctx.lines[i].class != Class::Blank => Some(i),
            _ => None,
        });
        let Some(i) = new.filter(|&i| !ctx.lines[i].same(&ctx.file[j])) else {
            continue;
        };
        let (Some(_), Some(level)) = (heading(ctx.lines[i].raw), heading(ctx.file[j].raw)) else {
            continue;
        };
        let end = (j + 1..ctx.file.len())
            .find(|&x| heading(ctx.file[x].raw).is_some_and(|other| other <= level))
            .unwrap_or(ctx.file.len());
        let plain = (j + 1..end).filter(|&x| ctx.file[x].class == Class::Plain);
        let kept = same().filter(|&x| j < x && x < end).count();
        let shown = same().any(|x| x < j) && same().any(|x| x >= end);
        let reworded = ctx.lines[i].similarity(&ctx.file[j]) == 1000;
        if !shown && !reworded && kept * 2 < plain.count() {
            return Err(refuse::edge(ctx, i, j));
        }
    }
    Ok(())
}

/// The level of a Markdown heading.
fn heading(line: &str) -> Option<usize> {
    let level = line.len() - line.trim_start_matches('#').len();
    let text = line.get(level..)?;
    ((1..=6).contains(&level) && text.starts_with(' ')).then_some(level)
}

/// Refuses to put a definition beside one that it copies line by line.
///
/// # Errors
/// `unclear_edge` where the lines above the new one stand above the old one as well.
fn copy(ctx: &Ctx, k: usize, ops: &[Op]) -> Result<()> {
    let a = ctx.bounds[k].0;
    let is_new = |op: &Op| matches!(*op, Op::Insert(i) if ctx.lines[i].class != Class::Blank);
    let Some(first) = ops.iter().position(is_new) else {
        return Ok(());
    };
    let run: Vec<usize> = ops[first..]
        .iter()
        .map_while(|op| match *op {
            Op::Insert(i) => Some(i),
            _ => None,
        })
        .filter(|&i| ctx.lines[i].class != Class::Blank)
        .collect();
    let above: Vec<usize> = ops[..first]
        .iter()
        .filter_map(|op| match *op {
            Op::Pair(i, j) if same_line(ctx, i, j) => Some(j),
            _ => None,
        })
        .filter(|&j| ctx.file[j].class != Class::Blank)
        .collect();
    let (Some(&i), Some(&end)) = (run.first(), above.last()) else {
        return Ok(());
    };
    let own = ctx.guides.definitions.chunks_exact(2).map(|d| d[1]);
    let Some((from, to)) = own.filter(|d| d.1 == end + 1).max_by_key(|d| d.0) else {
        return Ok(());
    };
    let old: Vec<usize> = (from..to)
        .filter(|&j| ctx.file[j].class != Class::Blank)
        .collect();
    let copied = old.len() == run.len()
        && run.iter().zip(&old).all(|(&i, &j)| {
            let (new, old): (&Line, &Line) = (&ctx.lines[i], &ctx.file[j]);
            new.same(old) || new.similarity(old) >= CHANGED
        });
    let before = (0..from)
        .rev()
        .filter(|&j| ctx.file[j].class != Class::Blank);
    let stands = above
        .iter()
        .rev()
        .zip(before.map(Some).chain(std::iter::repeat(None)))
        .all(|(&x, y)| y.is_some_and(|y| ctx.file[x].same(&ctx.file[y])));
    let headed = ctx.guides.names(from) || opens(ctx.file[from].trimmed);
    // Where the snippet shows its header it stays.
    let shown = ctx.lines.iter().any(|l| l.same(&ctx.file[from]));
    if copied && stands && headed && !shown && weak(ctx, a..i) {
        return Err(refuse::edge(ctx, i, from));
    }
    Ok(())
}

/// The lines that are not blank.
fn told(ctx: &Ctx, lines: Range<usize>) -> impl Iterator<Item = usize> {
    lines.filter(|&i| ctx.lines[i].class != Class::Blank)
}

/// Whether lines are there, and none of them tells where they stand.
fn weak(ctx: &Ctx, lines: Range<usize>) -> bool {
    let mut told = told(ctx, lines).peekable();
    told.peek().is_some() && told.all(|i| ctx.lines[i].class != Class::Plain)
}
