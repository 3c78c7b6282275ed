//! A definition in the place of another one: whether it is that one under another name or a new one
//! beside it.

use super::fate::{Fate, fate, named_again};
use super::insertion::{FEW, Fresh, doubles, reading, slight};
use crate::apply::edges::onesided::called;
use crate::apply::lines::line::Class;
use crate::apply::lines::shape::{first_word, net_brackets, times};
use crate::apply::pass::align::Op;
use crate::apply::pass::context::{Ctx, anchors, same_line};
use crate::apply::pass::likeness::{likeness, shared_ends};
use crate::apply::pass::signature::same_function;
use crate::apply::refuse;
use crate::apply::snippet::script::Role;
use crate::error::Result;

/// The reading of a segment by which a definition stays that the alignment would take out for one
/// with another name: much of a new one may be like the one beside it.
///
/// # Errors
/// `unclear_edge` where it may be the old one, renamed: as nearly a copy of it, or where
/// there is no other reading and nothing shows what stands above and below it.
pub(crate) fn of_a_definition(ctx: &Ctx, k: usize, ops: &[Op]) -> Result<Option<Instead>> {
    // The snippet's lines in the place of those of a definition, where none of them stands there alone:
    // what they say of its name is no more than that says.
    let own = |j: usize| -> Vec<usize> {
        let range = ctx.guides.around(j).map_or(j..j, |(from, _, to)| from..to);
        let there = |op: &&Op| matches!(**op, Op::Pair(_, x) if range.contains(&x));
        match ops.iter().filter(there).any(|op| ctx.stands_there(op)) {
            true => Vec::new(),
            false => ops
                .iter()
                .filter(there)
                .filter_map(|op| match *op {
                    Op::Pair(i, _) => Some(i),
                    _ => None,
                })
                .collect(),
        }
    };
    let gone = ops.iter().enumerate().find_map(|(at, op)| {
        let j = match *op {
            Op::Delete(j) => j,
            Op::Pair(i, j)
                if !same_line(ctx, i, j)
                    && !ctx.is_guided(i, j)
                    && !ctx.is_rephrased_beyond(i, j, &own(j))
                    && !same_function(ctx, i, j)
                    && !same_block(ctx, ops, i, j) =>
            {
                j
            }
            _ => return None,
        };
        // What takes its place stands above the next line that both sides share.
        let mut change = ops[at..].iter().take_while(|op| !anchors(ctx, op));
        let i = change.find_map(|op| match *op {
            Op::Insert(i) | Op::Pair(i, _) if ctx.lines[i].class != Class::Blank => Some(i),
            _ => None,
        })?;
        ctx.guides.names(j).then_some((i, j))
    });
    let Some((i, j)) = gone else { return Ok(None) };
    if ctx.guides.rewrites[i].is_some() {
        return Ok(None);
    }
    let (a, b) = ctx.bounds[k];
    if (a..b).any(|i| ctx.roles[i] != Role::Plain) {
        return Ok(None);
    }
    let Some((from, _, to)) = ctx.guides.around(j) else {
        return Ok(None);
    };
    // What is said above it, and nowhere else, is said of the new one.
    let attribute = |t: &str| t.starts_with(['[', '@', '#']);
    let commented = |x: usize| {
        let above = || ctx.file[from..x].iter().map(|l| l.trimmed);
        times(above(), "/*") > times(above(), "*/")
    };
    let said = ops.iter().any(|op| {
        matches!(*op, Op::Pair(i, x) if from <= x && x < j
            && ctx.lines[i].class == Class::Plain
            && (!attribute(ctx.lines[i].trimmed) || commented(x))
            && ctx.counts.get(&ctx.file[x].hash) == Some(&1)
            && same_line(ctx, i, x))
    });
    if said {
        return Ok(None);
    }
    let any = reading(ctx, k, ops, Fresh::Any);
    let fate = match fate(ctx, j, from..to) {
        Fate::Needed if named_again(ctx, ops, j) => Fate::Open,
        fate => fate,
    };
    match fate {
        // It goes under another name now.
        Fate::Unused => return Ok(None),
        Fate::Needed if any.is_some() => return Ok(any.map(Instead::Perhaps)),
        Fate::Needed | Fate::Open => {}
    }
    if any.is_none() {
        // What stands above and below it shows that it is the one that is meant.
        let held = |outside: &dyn Fn(usize) -> bool, told: bool| {
            ops.iter().any(|op| {
                matches!(*op, Op::Pair(i, x) if outside(x)
                    && (ctx.lines[i].class == Class::Plain
                        || !told && ctx.lines[i].class != Class::Blank)
                    && same_line(ctx, i, x))
            })
        };
        let (above, below) = (|x: usize| x < from, |x: usize| x >= to);
        let shown = held(&above, false) && held(&below, false);
        // One that is not given whole is no new one.
        let whole = ops
            .iter()
            .any(|op| matches!(*op, Op::Delete(x) | Op::Pair(_, x) if x + 1 == to));
        if !whole || shown && (held(&above, true) || held(&below, true)) {
            return Ok(None);
        }
        let stays = fate == Fate::Needed || foreign(ctx, ops, j + 1..to);
        let other = stays.then(|| new_definition(ctx, k, ops, from..to));
        return match other.flatten() {
            Some(other) => Ok(Some(Instead::Surely(other))),
            None => Err(refuse::edge(ctx, i, j)),
        };
    }
    let Some(other) = reading(ctx, k, ops, Fresh::Likely) else {
        return Err(refuse::edge(ctx, i, j));
    };
    if slight(ctx, ops) && doubles(ctx, ops, &other) {
        return Ok(None);
    }
    let plain =
        |r: std::ops::Range<usize>| r.filter(|&j| ctx.file[j].class == Class::Plain).count();
    let kept = ops
        .iter()
        .filter(|op| {
            matches!(**op, Op::Pair(i, x) if from <= x && x < to
                && ctx.file[x].class == Class::Plain && same_line(ctx, i, x))
        })
        .count();
    if kept * 2 >= plain(from..to) {
        return Err(refuse::edge(ctx, i, j));
    }
    Ok(Some(Instead::Perhaps(other)))
}

/// What stands in the place of an alignment that would take out a definition.
pub(crate) enum Instead {
    /// What its edges have yet to bear out.
    Perhaps(Vec<Op>),
    /// What is sure.
    Surely(Vec<Op>),
}

/// A segment of which nothing goes: beside a marker it gives a whole new definition where the
/// alignment puts one in the place of that in lines `own`.
fn new_definition(ctx: &Ctx, k: usize, ops: &[Op], own: std::ops::Range<usize>) -> Option<Vec<Op>> {
    let segment = &ctx.script.segments[k];
    let first = ops.iter().position(|op| ctx.takes(op))?;
    let last = ops.iter().rposition(|op| ctx.takes(op))? + 1;
    let outside = |op: &Op| {
        matches!(*op, Op::Pair(i, j) if !own.contains(&j) && ctx.lines[i].class == Class::Plain
            && same_line(ctx, i, j))
    };
    let net = |ops: &[Op]| -> i32 {
        let net = |op: &Op| match *op {
            Op::Insert(i) | Op::Pair(i, _) => net_brackets(ctx.lines[i].trimmed),
            Op::Delete(_) => 0,
        };
        ops.iter().map(net).sum()
    };
    let new = |ops: &[Op]| -> Vec<Op> {
        let new = ops.iter().filter_map(|op| match *op {
            Op::Insert(i) | Op::Pair(i, _) => Some(Op::Insert(i)),
            Op::Delete(_) => None,
        });
        new.collect()
    };
    let held = |op: Option<&Op>| {
        op.is_some_and(|op| anchors(ctx, op) && !matches!(*op, Op::Pair(_, j) if own.contains(&j)))
    };
    let (shown, rest) = ops.split_at(first);
    if segment.marker_after
        && !rest.iter().any(outside)
        && net(rest) == 0
        && held(shown.iter().rfind(|op| ctx.is_told(op)))
    {
        return Some(shown.iter().copied().chain(new(rest)).collect());
    }
    // What the new lines open they close.
    let end = (last..=ops.len()).find(|&end| net(&ops[..end]) == 0)?;
    let (rest, shown) = ops.split_at(end);
    if segment.marker_before
        && !rest.iter().any(outside)
        && held(shown.iter().find(|op| ctx.is_told(op)))
    {
        return Some(new(rest).into_iter().chain(shown.iter().copied()).collect());
    }
    None
}

/// Whether nothing of these lines of the file stays but what it has more than twice.
fn foreign(ctx: &Ctx, ops: &[Op], lines: std::ops::Range<usize>) -> bool {
    let telling = |j: &usize| {
        let l = &ctx.file[*j];
        l.class == Class::Plain && ctx.counts.get(&l.hash).is_some_and(|&c| c as usize <= FEW)
    };
    let kept = ops.iter().any(|op| {
        matches!(*op, Op::Pair(i, j) if lines.contains(&j) && telling(&j) && same_line(ctx, i, j))
    });
    !kept && lines.filter(telling).count() >= FEW
}

/// Whether a definition is one of the file although its header has changed: it heads others that
/// the file has in it, or the header is the same but for a few letters. Where a word of it gives
/// way to another it may be a copy, unless the rest is as it was or the word was misspelt.
fn same_block(ctx: &Ctx, ops: &[Op], i: usize, j: usize) -> bool {
    let (new, old) = (&ctx.lines[i], &ctx.file[j]);
    let behind = ops
        .iter()
        .skip_while(|op| !matches!(**op, Op::Pair(x, _) if x == i))
        .skip(1);
    let inside = || {
        behind.clone().take_while(|op| match **op {
            Op::Pair(x, _) | Op::Insert(x) => {
                ctx.lines[x].class == Class::Blank || ctx.cols(x) > ctx.cols(i)
            }
            Op::Delete(_) => true,
        })
    };
    let guided = |op: &Op| matches!(*op, Op::Pair(x, y) if ctx.is_guided(x, y));
    if inside().any(guided) {
        return true;
    }
    let same = |op: &Op| matches!(*op, Op::Pair(x, y) if same_line(ctx, x, y));
    let told = || inside().filter(|op| ctx.is_told(op));
    let once = |op: &Op| {
        matches!(*op, Op::Pair(x, y) if ctx.lines[x].class == Class::Plain
            && ctx.counts.get(&ctx.file[y].hash) == Some(&1))
    };
    let kept = told().all(same);
    if kept && told().any(once) && first_word(new.trimmed) == first_word(old.trimmed) {
        return true;
    }
    // Of functions that may have one name the letters say nothing.
    let overloads = ctx.guides.overloads && called(new.trimmed) == called(old.trimmed);
    if overloads || likeness(new.trimmed, old.trimmed) < SAME_HEADER {
        return false;
    }
    new.shared(old) == old.word_count()
        || told().next().is_some() && kept
        || respelt(new.trimmed, old.trimmed)
}

/// Whether two texts differ by no more than two letters in one place.
fn respelt(new: &str, old: &str) -> bool {
    let (same, rest) = shared_ends(new, old);
    let most = new.len().max(old.len());
    let least = new.len().min(old.len());
    most - same - rest.min(least - same) <= 2
}

/// How much of the letters of a header (thousandths) stays where it is the same one.
const SAME_HEADER: i32 = 880;
