//! The reading of a segment that takes nothing out of the file.

use crate::apply::lines::key::Key;
use crate::apply::lines::line::{Class, Line, starts_comment};
use crate::apply::lines::shape::{has_title, net_brackets, opens};
use crate::apply::pass::align::Op;
use crate::apply::pass::context::{Ctx, same_line};
use crate::apply::pass::guides::CALLABLE;
use crate::apply::pass::signature::same_function;
use crate::apply::refuse;
use crate::apply::snippet::script::Role;
use crate::error::Result;

/// The reading of a segment as new lines between lines that follow each other in the
/// file. Where there is one, the snippet does not say that anything goes: a closing
/// bracket or the like above new code stands in many places.
///
/// # Errors
/// `unclear_edge` where the new lines may as well be an entry of the file under another name,
/// and no line of them stands only there.
pub(crate) fn only(ctx: &Ctx, k: usize, ops: &[Op]) -> Result<Option<Vec<Op>>> {
    let Some(other) = reading(ctx, k, ops, Fresh::Surely) else {
        return Ok(None);
    };
    // A function of the same name for the same arguments is no other one.
    let again = |op: &Op| {
        matches!(*op, Op::Pair(i, j) if other.contains(&Op::Insert(i))
            && ctx.guides.overloads
            && ctx.guides.names(j)
            && same_function(ctx, i, j))
    };
    if ops.iter().any(again) {
        return Ok(None);
    }
    let doubled = doubles(ctx, ops, &other);
    let copied = copies(ctx, ops, &other);
    let block = || other.iter().filter(|op| is_new_line(ctx, op)).count() > FEW;
    let slight = slight(ctx, ops);
    // A block with another title and other lines may be one more like the one above it.
    if let Some((i, j)) = retitled(ctx, ops)
        && slight
        && doubled
    {
        return Err(refuse::edge(ctx, i, j));
    }
    if doubled && (slight || copied) || copied && block() || prose(ctx, ops, &other) {
        return Ok(None);
    }
    if !mapped(ctx, ops, &other) {
        return match fuller(ctx, ops, &other) {
            Some((i, j)) => Err(refuse::edge(ctx, i, j)),
            None => Ok(Some(other)),
        };
    }
    match unnamed(ctx, ops) {
        Some((i, j)) if !doubled => Err(refuse::edge(ctx, i, j)),
        _ => Ok(None),
    }
}

/// The pair that gives a block another title, where a further line changes.
fn retitled(ctx: &Ctx, ops: &[Op]) -> Option<(usize, usize)> {
    let title = ops.iter().find_map(|op| match *op {
        Op::Pair(i, j)
            if !same_line(ctx, i, j)
                && has_title(ctx.lines[i].trimmed)
                && has_title(ctx.file[j].trimmed) =>
        {
            Some((i, j))
        }
        _ => None,
    });
    title.filter(|_| ops.iter().filter(|op| ctx.changes(op)).count() > 1)
}

/// Whether the new lines of a reading, or as many that say the same where they may as well stand,
/// close no bracket and no comment that they do not open.
fn whole(ctx: &Ctx, other: &[Op]) -> bool {
    let is_new = |op: &Op| matches!(op, Op::Insert(_));
    let Some(at) = other.iter().position(is_new) else {
        return true;
    };
    let below = other[at..].iter().find_map(|op| match *op {
        Op::Pair(_, j) => Some(j),
        _ => None,
    });
    let above = other[..at].iter().rev().find_map(|op| match *op {
        Op::Pair(_, j) => Some(j + 1),
        _ => None,
    });
    // The file's line in front of which they stand.
    let Some(x) = below.or(above) else {
        return true;
    };
    let new = other[at..].iter().map_while(|op| match *op {
        Op::Insert(i) => Some(&ctx.lines[i]),
        _ => None,
    });
    let new: Vec<&Line> = new.collect();
    let net = |l: &Line| {
        let comments = |mark| l.trimmed.matches(mark).count() as i32;
        net_brackets(l.trimmed) + comments("/*") - comments("*/")
    };
    let closed = |lines: Vec<&Line>| {
        let mut open = 0;
        lines.iter().all(|l| {
            open += net(l);
            open >= 0
        })
    };
    let (old_above, old_below) = ctx.file.split_at(x);
    let up = new.iter().rev().zip(old_above.iter().rev());
    let up = up.take_while(|(l, f)| l.same(f)).count();
    let down = new.iter().zip(old_below);
    let down = down.take_while(|(l, f)| l.same(f)).count();
    let above = |n: usize| {
        old_above[x - n..]
            .iter()
            .chain(new[..new.len() - n].iter().copied())
    };
    let below = |n: usize| new[n..].iter().copied().chain(&old_below[..n]);
    (0..=up).any(|n| closed(above(n).collect())) || (1..=down).any(|n| closed(below(n).collect()))
}

/// Whether an operation puts in a line that says something.
fn is_new_line(ctx: &Ctx, op: &Op) -> bool {
    matches!(*op, Op::Insert(i) if ctx.lines[i].class == Class::Plain)
}

/// Whether a reading takes a line for new that the alignment has found in the file, where it
/// stands once.
pub(crate) fn doubles(ctx: &Ctx, ops: &[Op], other: &[Op]) -> bool {
    ops.iter().any(|op| {
        matches!(*op, Op::Pair(i, j) if ctx.lines[i].class == Class::Plain
            && doubled(ctx, i, j, other))
    })
}

/// Whether a reading takes for new what stands in the file once, or for another line what is
/// that one slightly misquoted.
fn doubled(ctx: &Ctx, i: usize, j: usize, other: &[Op]) -> bool {
    matches!(ctx.lines[i].class, Class::Plain | Class::Short)
        && ctx.counts.get(&ctx.file[j].hash) == Some(&1)
        && same_line(ctx, i, j)
        && (other.contains(&Op::Insert(i))
            || !ctx.lines[i].same(&ctx.file[j]) && !other.contains(&Op::Pair(i, j)))
}

/// Whether all that a reading takes for new has been found in the file as it is: nobody sends a
/// block to have it twice.
fn copies(ctx: &Ctx, ops: &[Op], other: &[Op]) -> bool {
    let is_there = |i: usize| {
        ctx.lines[i].class == Class::Blank
            || ops
                .iter()
                .any(|op| matches!(*op, Op::Pair(x, j) if x == i && same_line(ctx, i, j)))
    };
    other
        .iter()
        .all(|op| !matches!(*op, Op::Insert(i) if !is_there(i)))
}

/// Whether a segment is all comment, and such a line is in it, or one that the comment would have
/// twice: a text does not say the same twice, as near-copies of code do.
fn prose(ctx: &Ctx, ops: &[Op], other: &[Op]) -> bool {
    let is_comment = |op: &Op| match *op {
        Op::Insert(i) | Op::Pair(i, _) => {
            ctx.lines[i].class == Class::Blank || starts_comment(ctx.lines[i].trimmed)
        }
        Op::Delete(_) => true,
    };
    let place = |op: &Op| match *op {
        Op::Pair(_, j) => Some(j),
        _ => None,
    };
    let is_new = |op: &Op| matches!(op, Op::Insert(_));
    let at = other.iter().position(is_new);
    let at = at.and_then(|at| other[at..].iter().find_map(place));
    let repeated = |i: usize, j: usize| {
        let beside = at.and_then(|at| ctx.file.get(at.min(j)..at.max(j)));
        ctx.lines[i].class == Class::Plain
            && same_line(ctx, i, j)
            && other.contains(&Op::Insert(i))
            && beside.is_some_and(|l| l.iter().all(|l| starts_comment(l.trimmed)))
    };
    ops.iter().all(is_comment)
        && ops
            .iter()
            .any(|op| matches!(*op, Op::Pair(i, j) if doubled(ctx, i, j, other) || repeated(i, j)))
}

/// The changed line of an alignment that changes one and takes none out, and has found several
/// that the other reading would put in again.
fn fuller(ctx: &Ctx, ops: &[Op], other: &[Op]) -> Option<(usize, usize)> {
    let plain = |i: usize| ctx.lines[i].class == Class::Plain;
    let mut changed = ops.iter().filter_map(|op| match *op {
        Op::Pair(i, j) if !same_line(ctx, i, j) => Some((i, j)),
        _ => None,
    });
    let one = changed.next().filter(|_| changed.next().is_none())?;
    let clean = ops.iter().all(|op| match *op {
        Op::Pair(..) | Op::Insert(_) => true,
        Op::Delete(j) => ctx.file[j].class == Class::Blank,
    });
    let again = |op: &&Op| {
        matches!(**op, Op::Pair(i, j) if plain(i) && same_line(ctx, i, j)
            && other.contains(&Op::Insert(i)))
    };
    (clean && ops.iter().filter(again).count() >= FEW).then_some(one)
}

/// Lines of a slight change.
pub(super) const FEW: usize = 2;

/// Whether an alignment changes so little that it says more than a reading by which a line
/// of the file would come again.
pub(super) fn slight(ctx: &Ctx, ops: &[Op]) -> bool {
    let told = |lines: &[Line], x: usize| lines.get(x).is_some_and(|l| l.class != Class::Blank);
    let count = |is: &dyn Fn(&Op) -> bool| ops.iter().filter(|op| is(op)).count();
    let new = count(&|op| matches!(*op, Op::Insert(i) if told(&ctx.lines, i)));
    let gone = count(&|op| matches!(*op, Op::Delete(j) if told(ctx.file, j)));
    let changed = count(&|op| matches!(*op, Op::Pair(i, j) if !same_line(ctx, i, j)));
    changed + new.max(gone) <= FEW
}

/// A changed line that no name holds for the file's: neither a definition's nor one that is
/// given a value. The first key of a list's entry is that of all its entries.
fn unnamed(ctx: &Ctx, ops: &[Op]) -> Option<(usize, usize)> {
    ops.iter().find_map(|op| match *op {
        Op::Pair(i, j) if !same_line(ctx, i, j) && !ctx.is_guided(i, j) => {
            let (new, old) = (ctx.lines[i].key(), ctx.file[j].key());
            let named = matches!(new, Key::Binds(name) if !name.is_empty()
                && !name.starts_with("- ") && new == old);
            (!named).then_some((i, j))
        }
        _ => None,
    })
}

/// Whether the alignment has a file line for each line of the segment, and most of those that
/// the other reading takes for new are the file's as they are: then the rest of them has
/// changed.
fn mapped(ctx: &Ctx, ops: &[Op], other: &[Op]) -> bool {
    let changed = ops
        .iter()
        .filter(|op| matches!(**op, Op::Pair(i, j) if !same_line(ctx, i, j)));
    let new = other
        .iter()
        .filter(|op| matches!(**op, Op::Insert(i) if ctx.lines[i].class != Class::Blank));
    // What would be new has a head of its own.
    let cols = |op: &Op| match *op {
        Op::Insert(i) | Op::Pair(i, _) => ctx.cols(i),
        Op::Delete(_) => i32::MAX,
    };
    let least = new.clone().map(cols).min();
    let headed = |op: &Op| {
        Some(cols(op)) == least && matches!(*op, Op::Pair(i, _) if opens(ctx.lines[i].trimmed))
    };
    let renames = |op: &Op| matches!(*op, Op::Pair(_, j) if ctx.guides.names(j));
    ops.iter().all(|op| matches!(op, Op::Pair(..)))
        && !changed.clone().any(|op| renames(op) || headed(op))
        && changed.count() * 2 < new.count()
}

/// Whether the lines around a part of the segment stand together in the file: it may be new
/// as a whole.
pub(crate) fn fits(ctx: &Ctx, k: usize, ops: &[Op]) -> bool {
    reading(ctx, k, ops, Fresh::Any).is_some()
}

/// What lines have to be that are taken for new ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fresh {
    /// No part of what the file has.
    Surely,
    /// No definition and no name that the file has.
    Likely,
    /// Any lines.
    Any,
}

/// One line of so many is met by chance.
const CHANCE: usize = 12;

/// A reading that takes nothing out.
pub(super) fn reading(ctx: &Ctx, k: usize, ops: &[Op], wanted: Fresh) -> Option<Vec<Op>> {
    // Definitions of their own behind the rest stay what they are.
    let own = |op: &&Op| matches!(**op, Op::Insert(i) if ctx.guides.new[i] || ctx.lines[i].class == Class::Blank);
    let behind = ops.iter().rev().take_while(own).count();
    let (ops, behind) = ops.split_at(ops.len() - behind);
    let read = rest_as_new(ctx, k, ops, wanted);
    let mut read = read.filter(|read| whole(ctx, read))?;
    read.extend(behind);
    Some(read)
}

/// The same for the lines up to the last that the file has.
fn rest_as_new(ctx: &Ctx, k: usize, ops: &[Op], wanted: Fresh) -> Option<Vec<Op>> {
    let (a, b) = ctx.bounds[k];
    let last = ops.iter().rev().find_map(|op| match *op {
        Op::Pair(i, _) | Op::Insert(i) => Some(i + 1),
        Op::Delete(_) => None,
    });
    let b = last.unwrap_or(b);
    let takes = |op: &Op| ctx.takes(op);
    if !ops.iter().any(takes) || (a..b).any(|i| ctx.roles[i] != Role::Plain) {
        return None;
    }
    let told = |r: std::ops::Range<usize>| ctx.lines[r].iter().any(|l| l.class != Class::Blank);
    // A definition that the file has is not new, unless the lines beside the new ones show
    // its header as well.
    let fresh = |r: std::ops::Range<usize>| {
        let beside = |i: usize| {
            (a..r.start)
                .chain(r.end..b)
                .any(|x| ctx.lines[x].same(&ctx.lines[i]))
        };
        if wanted == Fresh::Any {
            return told(r);
        }
        let held = |p: &(usize, usize, i16)| r.contains(&p.0) && !beside(p.0);
        told(r.clone())
            && !ctx
                .guides
                .pairs
                .iter()
                .any(|p| held(p) && (wanted == Fresh::Surely || p.2 >= CALLABLE))
            && !declared_twice(ctx, r, ops)
    };
    // Beside nothing but brackets and the like, a line that the alignment found in the
    // file is that line, unless it is part of a definition of its own.
    let repeats = |new: std::ops::Range<usize>, above: std::ops::Range<usize>| {
        wanted == Fresh::Surely && !ctx.lines[above].iter().any(|l| l.class == Class::Plain) && {
            let found = ops.iter().filter_map(|op| match *op {
                Op::Pair(i, j)
                    if new.contains(&i)
                        && ctx.lines[i].class == Class::Plain
                        && !ctx.guides.new[i]
                        && ctx.counts.get(&ctx.lines[i].hash) == Some(&1)
                        && same_line(ctx, i, j) =>
                {
                    Some(j)
                }
                _ => None,
            });
            let found: Vec<usize> = found.collect();
            let told = ctx.lines[new.clone()].iter();
            let told = told.filter(|l| l.class == Class::Plain).count();
            found.len() * CHANCE > told || found.iter().any(|j| ctx.guides.names(*j))
        }
    };
    // Nor is a line of the file that is commented out, or in which a word changes as it does
    // elsewhere.
    let substituted = |op: &Op| matches!(*op, Op::Pair(i, j) if ctx.is_substituted(i, j));
    if ctx.puts_out_of_use(ops) || ops.iter().any(substituted) {
        return None;
    }
    let build = |head: usize, tail: usize, x: usize| -> Vec<Op> {
        let mut out: Vec<Op> = (0..head).map(|d| Op::Pair(a + d, x - head + d)).collect();
        out.extend((a + head..b - tail).map(Op::Insert));
        out.extend((0..tail).map(|d| Op::Pair(b - tail + d, x + d)));
        out
    };
    // The end is sure: what stands right above it?
    if let Some(&Op::Pair(i, j)) = ops.last()
        && i + 1 == b
        && ctx.lines[i].same(&ctx.file[j])
    {
        let level = levels(ctx, i, j);
        let mut tail = 0;
        while tail < b - a && tail <= j && level(b - 1 - tail, j - tail) {
            tail += 1;
        }
        // Near-duplicates share more than the context: any cut of the run will do.
        for tail in (1..=tail).rev() {
            let x = j + 1 - tail;
            for head in (1..=(b - a - tail).min(x)).rev() {
                if told(a..a + head)
                    && (0..head).all(|d| level(a + d, x - head + d))
                    && fresh(a + head..b - tail)
                    && !repeats(a + head..b - tail, a..a + head)
                    && told(b - tail..b)
                {
                    return Some(build(head, tail, x));
                }
            }
        }
    }
    if let Some(&Op::Pair(i, j)) = ops.first()
        && i == a
        && ctx.lines[i].same(&ctx.file[j])
    {
        let n = ctx.file.len();
        let level = levels(ctx, i, j);
        let mut head = 0;
        while head < b - a && j + head < n && level(a + head, j + head) {
            head += 1;
        }
        for head in (1..=head).rev() {
            let x = j + head;
            for tail in (1..=(b - a - head).min(n - x)).rev() {
                if told(b - tail..b)
                    && (0..tail).all(|d| level(b - tail + d, x + d))
                    && fresh(a + head..b - tail)
                    && !repeats(a + head..b - tail, b - tail..b)
                    && told(a..a + head)
                {
                    return Some(build(head, tail, x));
                }
            }
        }
    }
    None
}

/// Whether lines taken for new give a name that the lines which the alignment takes out
/// or changes give as well, at the same depth.
fn declared_twice(ctx: &Ctx, new: std::ops::Range<usize>, ops: &[Op]) -> bool {
    let taken: Vec<usize> = ops
        .iter()
        .filter_map(|op| match *op {
            Op::Delete(j) => Some(j),
            Op::Pair(i, j) if new.contains(&i) => Some(j),
            _ => None,
        })
        .collect();
    let shift = ops
        .iter()
        .find_map(|op| match *op {
            Op::Pair(i, j) if same_line(ctx, i, j) => Some(ctx.file_cols(j) - ctx.cols(i)),
            _ => None,
        })
        .unwrap_or(0);
    // Within a block of its own a name is another one.
    let plain = |i: &usize| ctx.lines[*i].class == Class::Plain;
    let least = new.clone().filter(plain).map(|i| ctx.cols(i)).min();
    new.filter(plain)
        .filter(|&i| !starts_comment(ctx.lines[i].trimmed) && Some(ctx.cols(i)) == least)
        .any(|i| match ctx.lines[i].key() {
            // `- name: value` is one more of a list. Of assignments, those at the margin count.
            Key::Binds(x)
                if x.contains(' ') && !x.starts_with('-') && !conditional(x)
                    || x.contains('.') && ctx.cols(i) == 0 =>
            {
                taken.iter().any(|&j| {
                    ctx.file_cols(j) == ctx.cols(i) + shift && ctx.file[j].key() == Key::Binds(x)
                })
            }
            _ => false,
        })
}

/// Whether a name is given a value for the block below alone.
fn conditional(name: &str) -> bool {
    const WORDS: &[&str] = &["if", "for", "while", "switch", "else", "guard", "until"];
    name.split_whitespace()
        .next()
        .is_some_and(|w| WORDS.contains(&w))
}

/// Tells equal lines at the depth that the pair `i`, `j` sets, where the definitions around
/// them let them stand.
fn levels<'c>(ctx: &'c Ctx, i: usize, j: usize) -> impl Fn(usize, usize) -> bool + 'c {
    let shift = ctx.file_cols(j) - ctx.cols(i);
    move |i, j| {
        let range = ctx.guides.ranges[i].filter(|r| r.firm);
        ctx.lines[i].same(&ctx.file[j])
            && range.is_none_or(|r| r.low <= j && j < r.high)
            && (ctx.lines[i].class == Class::Blank || ctx.file_cols(j) - ctx.cols(i) == shift)
    }
}
