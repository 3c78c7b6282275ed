//! New lines between a line that is surely the file's and a marker, against the next line of the
//! file: whether they stand beside it or in its place.

use super::frame;
use super::onesided::{self, OneSided, block_opener};
use super::signs::{closes_new, cut_short, keeps_the_last, last_of_block, like_above, unreached};
use super::statement::{self, documented};
use super::verdict::{alone, bound_again, item, needed, prolongs, siblings};
use crate::apply::lines::key::Key;
use crate::apply::lines::line::{Class, starts_comment};
use crate::apply::lines::shape::{
    braced, branches, closes, import, net_blocks, net_brackets, opens, same_first_words,
};
use crate::apply::pass::align::Op;
use crate::apply::pass::closers::opens_anew;
use crate::apply::pass::context::{Ctx, Reading, anchors, same_line};
use crate::apply::pass::extent::anchor_at;
use crate::apply::pass::likeness::{more_arguments, retouched};
use crate::apply::pass::scores::CHANGED;
use crate::apply::refuse;
use crate::apply::snippet::script::Role;
use crate::error::Result;

/// New lines beside an anchor against the file line that they would join.
pub(super) fn beside(
    ctx: &Ctx,
    k: usize,
    ops: &mut Vec<Op>,
    anchor_i: usize,
    anchor_j: usize,
    lead: bool,
) -> Result<()> {
    let at = anchor_at(ops, anchor_i);
    let new: Vec<usize> = if lead {
        (0..at).rev().collect()
    } else {
        (at + 1..ops.len()).collect()
    };
    let new: Vec<usize> = new
        .into_iter()
        .filter(|&x| matches!(ops[x], Op::Insert(i) if ctx.lines[i].class != Class::Blank))
        // What closes a new block around lines of the file is no other line.
        .skip_while(|&x| !lead && closes_new(ctx, k, ops, x))
        .collect();
    if !lead && fills(ctx, ops, &new, anchor_i, anchor_j) {
        return Ok(());
    }
    let Some(&nearest) = new.first() else {
        return Ok(());
    };
    let neighbour = if lead {
        (0..anchor_j).rev().find(|&j| ctx.stays(j))
    } else {
        (anchor_j + 1..ctx.file.len()).find(|&j| ctx.stays(j))
    };
    let Some(j) = neighbour else { return Ok(()) };
    let Op::Insert(i) = ops[nearest] else {
        return Ok(());
    };
    let substituted = |x: &&usize| matches!(ops[**x], Op::Insert(i) if ctx.is_rephrased(i, j));
    if let Some(&x) = new.iter().find(substituted)
        && let Op::Insert(i) = ops[x]
    {
        ops[x] = Op::Pair(i, j);
        return beside(ctx, k, ops, i, j, lead);
    }
    // As many blank lines between on both sides.
    let adjacent = j.abs_diff(anchor_j) == i.abs_diff(anchor_i);
    let shift = ctx.file_cols(anchor_j) - ctx.cols(anchor_i);
    let level = ctx.cols(i) + shift == ctx.file_cols(j);
    // What closes a block that new lines do not open closes the file's, and the reverse.
    let t = ctx.lines[i].trimmed;
    let bounds = if lead { opens(t) } else { closes(t) };
    if adjacent && level && bounds && same_line(ctx, i, j) {
        ops[nearest] = Op::Pair(i, j);
        return beside(ctx, k, ops, i, j, lead);
    }
    let all: Vec<usize> = new
        .iter()
        .filter_map(|&x| match ops[x] {
            Op::Insert(i) => Some(i),
            _ => None,
        })
        .collect();
    // The file's next line as it is, below new ones or above them.
    let itself = |n: &usize| {
        let i = all[*n];
        ctx.cols(i) + shift == ctx.file_cols(j)
            && ctx.stands_there(&Op::Pair(i, j))
            && !ctx.guides.new[i]
    };
    // What closes the block, deeper in which the new lines stand.
    let shuts = |n: &usize| {
        let (inner, i) = (&all[..*n], all[*n]);
        let net = inner.iter().map(|&x| net_brackets(ctx.lines[x].trimmed));
        !lead
            && !inner.is_empty()
            && closes(ctx.lines[i].trimmed)
            && same_line(ctx, i, j)
            && ctx.cols(i) + shift == ctx.file_cols(j)
            && inner.iter().all(|&x| ctx.cols(x) > ctx.cols(i))
            && net.sum::<i32>() == 0
    };
    let begins = |n: usize, lines: &[usize]| {
        ctx.cols(all[n]) + shift == ctx.file_cols(j) && statement::spread(ctx, lines, j)
            || statement::unfolded(ctx, lines, j)
    };
    let spread = |n: &usize| !lead && begins(*n, &all[*n..]);
    // From its first line down to the anchor.
    let down_to = |n: &usize| {
        let lines: Vec<usize> = all[..=*n].iter().rev().copied().collect();
        lead && begins(*n, &lines)
    };
    let each = || 0..all.len();
    let found = each()
        .find(itself)
        .or_else(|| each().find(shuts))
        .or_else(|| each().find(spread))
        .or_else(|| each().find(down_to));
    if let Some(n) = found {
        ops[new[n]] = Op::Pair(all[n], j);
        return beside(ctx, k, ops, all[n], j, lead);
    }
    let anchor = (anchor_i, anchor_j);
    let plain = ctx.roles[i] == Role::Plain;
    let depth = ctx.cols(i) + shift;
    if plain && let Some((first, last)) = statement::bound_again(ctx, i, j, depth, lead) {
        ctx.superseded.borrow_mut().extend(first + 1..=last);
        ops[nearest] = Op::Pair(i, first);
        if lead {
            let gone = (first + 1..anchor_j).filter(|j| {
                !ops.iter()
                    .any(|op| matches!(*op, Op::Pair(_, x) if x == *j))
            });
            let gone: Vec<Op> = gone.map(Op::Delete).collect();
            ops.splice(nearest + 1..nearest + 1, gone);
        }
        return beside(ctx, k, ops, i, first, lead);
    }
    if lead
        && adjacent
        && level
        && let Some(said) = said_anew(ctx, k, &all, anchor)
    {
        ctx.superseded.borrow_mut().extend(said);
        return Ok(());
    }
    // The bracket below a header may stand behind the last line of one over several lines.
    if !lead && takes_the_bracket(ctx, &all, (anchor_i, anchor_j), j) {
        ctx.superseded.borrow_mut().push(j);
        return Ok(());
    }
    // Definitions of their own are no others, however much their headers are like them.
    let own = all.iter().all(|&i| ctx.guides.new[i]);
    if adjacent && level && plain && !own && takes_its_place(ctx, ops, &all, anchor, j, lead) {
        // A block under another name is a new one where lines that stay use the old name.
        if lead && opens(ctx.lines[i].trimmed) && needed(ctx, i, j) {
            return Err(refuse::edge(ctx, i, j));
        }
        let between = at.min(nearest)..at.max(nearest) + 1;
        for op in ops.get_mut(between).unwrap_or_default() {
            if let Op::Insert(x) = *op {
                *op = Op::Pair(x, (anchor_j + x).checked_sub(anchor_i).unwrap_or(j));
            }
        }
        return beside(ctx, k, ops, i, j, lead);
    }
    // The last of several may be the next line, with more in it.
    if let [others @ .., last] = all.as_slice()
        && !lead
        && !own
        && !others.is_empty()
        && ctx.roles[*last] == Role::Plain
        && ctx.cols(*last) + shift == ctx.file_cols(j)
        && grows(ctx, others, *last, j)
        && let Some(&at) = new.last()
    {
        ops[at] = Op::Pair(*last, j);
        return beside(ctx, k, ops, *last, j, lead);
    }
    // A line much like the one that it would stand beside, and no other is, is that line
    // changed more often than not.
    let (x, y) = (&ctx.lines[i], &ctx.file[j]);
    if level && ctx.roles[i] == Role::Plain && x.class == Class::Plain && y.class == Class::Plain {
        let r = x.similarity(y);
        let alike = r >= 330 && starts_comment(x.trimmed) && starts_comment(y.trimmed)
            || same_first_words(x.trimmed, y.trimmed) && (250..500).contains(&r);
        let other = || documented(ctx, &all, j) || needed(ctx, i, j);
        if alike && !own && !siblings(ctx, j, r) && !other() {
            match ctx.reading() {
                Some(Reading::Replaces) => {
                    ops[nearest] = Op::Pair(i, j);
                    return beside(ctx, k, ops, i, j, lead);
                }
                Some(Reading::Joins) => {}
                None => return Err(refuse::edge(ctx, i, j)),
            }
        }
    }
    // A snippet that ends without a marker ends with the file: as many lines as are left there
    // may be the new ones as they were, or all, where it has a marker at its start.
    let left = || {
        ctx.file[j..]
            .iter()
            .filter(|l| l.class != Class::Blank)
            .count()
    };
    let last = k + 1 == ctx.bounds.len() && !ctx.script.segments[k].marker_after;
    if !lead
        && last
        && ctx.script.markers > 0
        && level
        && y.class == Class::Plain
        && (left() <= all.len() || frame::is_begun(ctx, k))
        && !ctx.superseded.borrow().contains(&j)
    {
        return Err(refuse::edge(ctx, i, j));
    }
    // Where nothing is said to be above them, they may be lines further up, changed.
    if lead
        && !ctx.script.segments[k].marker_before
        && let Some((i, j)) = like_above(ctx, &all, shift, anchor_j)
    {
        return Err(refuse::edge(ctx, i, j));
    }
    if !lead && cut_short(ctx, k, j) || lead && unreached(ctx, &all, shift, j) {
        return Err(refuse::edge(ctx, i, j));
    }
    let one_sided = OneSided {
        segment: k,
        new: &all,
        anchor: (anchor_i, anchor_j),
        next: j,
        lead,
    };
    let joins = match !lead && (documented(ctx, &all, j) || level && keeps_the_last(ctx, k, i, j)) {
        true => Some(true),
        false => onesided::joins(ctx, &one_sided),
    };
    match joins {
        // Beside a line that has changed, the next one may have changed as much.
        Some(true)
            if adjacent
                && level
                && !anchors(ctx, &Op::Pair(anchor_i, anchor_j))
                && !onesided::goes_on(ctx, &one_sided)
                && !closes(y.trimmed) =>
        {
            return Err(refuse::edge(ctx, i, j));
        }
        // What is one more of a row stands behind one that begins alike, not in front of it.
        Some(true)
            if !lead && all.len() == 1 && adjacent && level && prolongs(x.trimmed, y.trimmed) =>
        {
            return Err(refuse::edge(ctx, i, j));
        }
        // Where other imports change or go, this one may.
        Some(true)
            if level && import(x.trimmed) && import(y.trimmed) && takes_imports(ctx, ops) =>
        {
            return Err(refuse::edge(ctx, i, j));
        }
        Some(true) => {}
        // What opens or closes as much as the next line does stands in its place.
        Some(false) if all.len() == 1 && level && adjacent && open_alike(x.trimmed, y.trimmed) => {
            ops[nearest] = Op::Pair(i, j);
            return Ok(());
        }
        Some(false) => return Err(refuse::edge(ctx, i, j)),
        None if !lead && level && all.len() == 1 && last_of_block(ctx, k, i, j) => {
            ops[nearest] = Op::Pair(i, j);
            return Ok(());
        }
        None => match ctx.reading() {
            Some(Reading::Joins) => {}
            // One line for one line; more say nothing of how many go.
            Some(Reading::Replaces) if all.len() == 1 && level && adjacent => {
                ops[nearest] = Op::Pair(i, j);
                return Ok(());
            }
            _ => return Err(refuse::edge(ctx, i, j)),
        },
    }
    Ok(())
}

/// Whether new lines are the block, down to its end, which a changed line opens and did not open before.
fn fills(ctx: &Ctx, ops: &[Op], new: &[usize], anchor_i: usize, anchor_j: usize) -> bool {
    let lines = new.iter().filter_map(|&x| match ops[x] {
        Op::Insert(i) => Some(i),
        Op::Pair(..) | Op::Delete(_) => None,
    });
    let depth = ctx.cols(anchor_i);
    let lines: Vec<usize> = lines.collect();
    lines.split_last().is_some_and(|(&last, body)| {
        opens_anew(ctx, anchor_i, anchor_j)
            && closes(ctx.lines[last].trimmed)
            && ctx.cols(last) == depth
            && body.iter().all(|&i| ctx.cols(i) > depth)
    })
}

/// Whether new lines go on with a changed header and open its block, which file line `j` does below
/// the old one.
fn takes_the_bracket(ctx: &Ctx, new: &[usize], (i, j): (usize, usize), below: usize) -> bool {
    let net = |x: &usize| net_blocks(ctx.lines[*x].trimmed);
    let header = net(&i) + new.iter().map(net).sum::<i32>();
    let last = new.iter().max().map_or("", |&x| ctx.lines[x].trimmed);
    ctx.file[below].trimmed == "{"
        && last.ends_with('{')
        && net(&i) > 0
        && !same_line(ctx, i, j)
        && header == net_blocks(ctx.file[j].trimmed) + 1
}

/// The comment of the file right above the header of a definition, where a new comment stands there,
/// parted from what is above: a definition has one.
fn said_anew(
    ctx: &Ctx,
    k: usize,
    new: &[usize],
    (anchor_i, anchor_j): (usize, usize),
) -> Option<std::ops::Range<usize>> {
    let (first, from) = (*new.last()?, ctx.bounds[k].0);
    let whole = (first..anchor_i).rev().eq(new.iter().copied());
    let parted = match first == from {
        true => ctx.script.segments[k].blank_before > 0,
        false => ctx.lines[first - 1].class == Class::Blank,
    };
    // A mark without a blank behind it tells a program something: `//go:embed`.
    let prose = |t: &str| {
        let text = t.trim_start_matches(['/', '#', '-', '*', '!']);
        starts_comment(t) && (text.is_empty() || text.starts_with(' '))
    };
    let old = (0..anchor_j).rev();
    let old = old
        .take_while(|&j| starts_comment(ctx.file[j].trimmed))
        .last()?;
    // Of a longer one it may be the end.
    let part = |i: usize| {
        let (l, mut below) = (&ctx.lines[i], ctx.file[old + 1..anchor_j].iter());
        below.any(|f| same_first_words(l.trimmed, f.trimmed) || l.similarity(f) >= CHANGED)
    };
    let sound = whole
        && parted
        && ctx.guides.names(anchor_j)
        && same_line(ctx, anchor_i, anchor_j)
        && !new.iter().any(|&i| part(i))
        && new.iter().all(|&i| prose(ctx.lines[i].trimmed))
        && (old..anchor_j).all(|j| prose(ctx.file[j].trimmed));
    sound.then_some(old..anchor_j)
}

/// Whether the nearest of new lines, as deep as the file's next one and as far from the anchor, takes
/// the place of that line `j` by what both say.
fn takes_its_place(
    ctx: &Ctx,
    ops: &[Op],
    all: &[usize],
    (anchor_i, anchor_j): (usize, usize),
    j: usize,
    lead: bool,
) -> bool {
    let Some(&i) = all.first() else { return false };
    let (a, b) = (&ctx.lines[i], &ctx.file[j]);
    // Behind a statement that leaves the block another one would do nothing.
    let leaves = lead && all.len() == 1 && a.key() == Key::Leaves && b.key() == Key::Leaves;
    let heads = lead
        && ctx.file_cols(j) < ctx.file_cols(anchor_j)
        && ctx.cols(i) < ctx.cols(anchor_i)
        && match ctx.lines[anchor_i].class {
            Class::Plain => true,
            // No header stands right above another one of its depth.
            Class::Short => block_opener(a.trimmed) && block_opener(b.trimmed),
            _ => false,
        }
        && !starts_comment(b.trimmed)
        && !other_branch(ctx, ops, i, j, anchor_j);
    // One more item of a list begins as the next one does.
    let binds = matches!((a.key(), b.key()), (Key::Binds(x), Key::Binds(y))
        if x == y && !x.is_empty() && !item(x) && !bound_again(ctx, j, x));
    // A statement that goes on below its first line ends once.
    let header = ctx.file[anchor_j].trimmed;
    let ended = !lead
        && all.len() == 1
        && a.trimmed.ends_with(';')
        && b.trimmed.ends_with(';')
        && ctx.file_cols(j) > ctx.file_cols(anchor_j)
        && !header.ends_with(['{', '}', ';', ':', ',', '(', '[', '>']);
    // What it begins the marker goes on with, as the file does with its own.
    let begun = |t: &str| t.ends_with(" =");
    let begun = !lead && all.len() == 1 && begun(a.trimmed) && begun(b.trimmed);
    let (least, most) = (a.word_count().min(b.word_count()), a.shared(b));
    let plain = a.class == Class::Plain && b.class == Class::Plain;
    let extended = plain
        && (more_arguments(ctx, i, j)
            || all.len() == 1 && (most == least && retouched(ctx, i, j) || ctx.swaps(i, j)));
    // What is done to one part of a thing, and to no other near.
    let subject = all.len() == 1
        && matches!((a.key(), b.key()), (Key::Other(x), Key::Other(y))
            if x == y && x.matches('.').count() >= PARTS && alone(ctx, j));
    heads || binds || leaves || extended || ended || begun || subject
}

/// Dots between the parts of what such a statement is about, at least.
const PARTS: usize = 2;

/// Whether two lines above an anchor begin further branches on conditions of their own, which may begin
/// alike: what follows says little, or some of it goes.
pub(super) fn other_branch(ctx: &Ctx, ops: &[Op], i: usize, j: usize, anchor_j: usize) -> bool {
    let goes = |op: &Op| matches!(*op, Op::Delete(j) if ctx.file[j].class == Class::Plain);
    let once = ctx.counts.get(&ctx.file[anchor_j].hash) == Some(&1);
    branches(ctx.lines[i].trimmed)
        && branches(ctx.file[j].trimmed)
        && !same_line(ctx, i, j)
        && !braced(ctx.lines[i].trimmed, ctx.file[j].trimmed)
        && !ctx.is_rephrased(i, j)
        && (!once || ops.iter().any(goes))
}

/// Whether a new line is file line `j` with more in it, and none of the others is like it.
fn grows(ctx: &Ctx, others: &[usize], last: usize, j: usize) -> bool {
    let (a, b) = (&ctx.lines[last], &ctx.file[j]);
    let plain = a.class == Class::Plain && b.class == Class::Plain;
    let old = b.trimmed.trim_end_matches([',', ';', ')']);
    let more = b.word_count() >= GROWS
        && a.trimmed
            .strip_prefix(old)
            .is_some_and(|rest| rest.starts_with([',', ' ', ')', '.']));
    let like = |i: &usize| {
        let l = &ctx.lines[*i];
        l.class == Class::Plain && (l.key() == b.key() || same_first_words(l.trimmed, b.trimmed))
    };
    plain && more && !others.iter().any(like)
}

/// Words of such a line at least.
const GROWS: usize = 2;

/// Whether two lines leave as many blocks open, or close as many.
fn open_alike(a: &str, b: &str) -> bool {
    let text = |t: &str| t.matches("\"\"\"").count() == 1;
    net_blocks(a) == net_blocks(b) && (net_blocks(a) != 0 || text(a) && text(b))
}

/// Whether a segment changes or takes out an import.
fn takes_imports(ctx: &Ctx, ops: &[Op]) -> bool {
    ops.iter().any(|op| match *op {
        Op::Delete(j) => import(ctx.file[j].trimmed),
        Op::Pair(i, j) => import(ctx.file[j].trimmed) && !same_line(ctx, i, j),
        Op::Insert(_) => false,
    })
}
