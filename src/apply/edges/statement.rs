//! What a line at a segment's edge is a part of: a statement over several lines, a row of blocks, a
//! comment with what it is about.

use crate::apply::lines::key::Key;
use crate::apply::lines::line::{Class, Line, starts_comment};
use crate::apply::lines::shape::{braced, closes, last_word, net_brackets, opens, says};
use crate::apply::lines::words::word_at;
use crate::apply::pass::align::Op;
use crate::apply::pass::context::{Ctx, same_line};
use crate::apply::pass::likeness::begins_alike;
use crate::apply::pass::scores::CHANGED;

/// Which of the new lines right above a changed one begins its statement: it gives a value to the
/// name that file line `j` gives one to, and those below it are deeper.
pub(super) fn bound_above(ctx: &Ctx, above: &[Op], i: usize, j: usize) -> Option<usize> {
    let (Key::Binds(name), key) = (ctx.file[j].key(), ctx.lines[i].key()) else {
        return None;
    };
    if name.is_empty() || key == Key::Binds(name) {
        return None;
    }
    let least = ctx.cols(i);
    for (x, op) in above.iter().enumerate().rev() {
        let Op::Insert(n) = *op else { return None };
        if ctx.lines[n].class == Class::Blank {
            return None;
        }
        if ctx.cols(n) < least {
            return (ctx.lines[n].key() == Key::Binds(name)).then_some(x);
        }
    }
    None
}

/// Whether a line opens a block and is taken for the opening of another one, above or below which
/// a third stands that is opened as much like it: one more of their kind reads the same.
pub(super) fn in_a_row(ctx: &Ctx, i: usize, j: usize) -> bool {
    let (new, old) = (&ctx.lines[i], &ctx.file[j]);
    if same_line(ctx, i, j)
        || ctx.is_guided(i, j)
        || ctx.is_substituted(i, j)
        || braced(new.trimmed, old.trimmed)
        || goes_further(ctx, i, j)
        || !(opens(new.trimmed) && opens(old.trimmed))
    {
        return false;
    }
    let depth = ctx.file_cols(j);
    let told = |x: &usize| ctx.file[*x].class != Class::Blank;
    let level = |x: &usize| told(x) && ctx.file_cols(*x) <= depth;
    let head = |x: usize| ctx.file_cols(x) == depth && opens(ctx.file[x].trimmed);
    let mut above = (0..j).rev().filter(level);
    let mut below = (j + 1..ctx.file.len()).filter(level);
    let closed = |x: Option<usize>| x.filter(|&x| closes(ctx.file[x].trimmed));
    let above = closed(above.next()).and_then(|_| above.next());
    let below = closed(below.next()).and_then(|_| below.next());
    let r = new.similarity(old);
    let begins = |x: &Line| {
        let both = x.trimmed.bytes().zip(old.trimmed.bytes());
        both.take_while(|(a, b)| a == b).count()
    };
    let most = old.trimmed.len() * BEGINNING / 1000;
    [above, below].into_iter().flatten().any(|x| {
        let other = &ctx.file[x];
        let alike = begins(other) >= most && begins(new) <= begins(other);
        head(x) && (other.similarity(old) >= r || alike)
    })
}

/// How much of its beginning (thousandths) a block's first line shares with others of its row.
const BEGINNING: usize = 600;

/// Whether a line says what file line `j` does, which opens a block, and more, and the first line of that
/// block follows both, which the file has once.
fn goes_further(ctx: &Ctx, i: usize, j: usize) -> bool {
    let stem = ctx.file[j]
        .trimmed
        .trim_end_matches("then")
        .trim_end_matches("do");
    let stem = stem.trim_end_matches(['{', ':', ' ', ')']);
    let more = ctx.lines[i].trimmed.strip_prefix(stem);
    let told = |l: &Line| l.class != Class::Blank;
    let new = (i + 1..ctx.lines.len()).find(|&x| told(&ctx.lines[x]));
    let old = (j + 1..ctx.file.len()).find(|&y| told(&ctx.file[y]));
    more.is_some_and(|m| m.starts_with([' ', ')']))
        && matches!((new, old), (Some(x), Some(y)) if ctx.lines[x].same(&ctx.file[y])
            && ctx.lines[x].class == Class::Plain
            && ctx.counts.get(&ctx.file[y].hash) == Some(&1))
}

/// Whether new lines are a statement that begins as the one of file line `j` does and goes on below
/// where that one has all in its line.
pub(super) fn spread(ctx: &Ctx, new: &[usize], j: usize) -> bool {
    let Some(&i) = new.first() else { return false };
    let (head, old) = (ctx.lines[i].trimmed, ctx.file[j].trimmed);
    let begins = |x: Option<usize>| {
        x.and_then(|x| ctx.file.get(x))
            .is_some_and(|l| l.trimmed.starts_with(head))
    };
    let closed: i32 = new
        .iter()
        .map(|&x| net_brackets(ctx.lines[x].trimmed))
        .sum();
    head.len() >= SPREAD
        && head.ends_with(['(', '[', '{'])
        && new.len() > 1
        && closed == 0
        && net_brackets(old) == 0
        && begins(Some(j))
        && !begins(j.checked_sub(1))
        && !begins(Some(j + 1))
}

/// Whether new lines open a block with the statement that file line `j` has behind the same head.
pub(super) fn unfolded(ctx: &Ctx, new: &[usize], j: usize) -> bool {
    let &[head, statement, ..] = new else {
        return false;
    };
    let (head, old) = (ctx.lines[head].trimmed, ctx.file[j].trimmed);
    let stem = head.strip_suffix('{').map(str::trim_end);
    let stem = stem.or_else(|| head.ends_with(':').then_some(head));
    let rest = stem.and_then(|stem| old.strip_prefix(stem));
    rest.is_some_and(|rest| {
        rest.starts_with(' ') && rest.trim_start() == ctx.lines[statement].trimmed
    })
}

/// Which of the new lines right above a changed one begins a statement of which that is a part, in
/// the place of one that has all in file line `j`.
pub(super) fn spread_above(ctx: &Ctx, ops: &[Op], at: usize, j: usize) -> Option<usize> {
    let told = |op: &Op| match *op {
        Op::Insert(i) | Op::Pair(i, _) => (ctx.lines[i].class != Class::Blank).then_some(i),
        Op::Delete(_) => None,
    };
    let new = ops[..at].iter().rev();
    let new = new.take_while(|op| matches!(op, Op::Insert(_))).count();
    (at - new..at).find(|&x| {
        let lines: Vec<usize> = ops[x..].iter().filter_map(told).collect();
        matches!(ops[x], Op::Insert(i) if ctx.lines[i].class != Class::Blank)
            && spread(ctx, &lines, j)
    })
}

/// The statement over several lines (first and last file line) that file line `j` ends or, below an
/// anchor, begins, where new line `i`, to stand at `depth`, gives another value to the name that it
/// gives one: nothing is between that could use the first.
pub(super) fn bound_again(
    ctx: &Ctx,
    i: usize,
    j: usize,
    depth: i32,
    lead: bool,
) -> Option<(usize, usize)> {
    let inner = |x: &usize| {
        let l = &ctx.file[*x];
        let cols = ctx.file_cols(*x);
        l.class != Class::Blank && (cols > depth || cols == depth && closes(l.trimmed))
    };
    let first = match lead {
        true => (0..j).rev().find(|x| !inner(x))?,
        false => j,
    };
    let below = (first + 1..ctx.file.len()).take_while(inner);
    let last = below.last().filter(|&x| !lead || x == j)?;
    let (new, old) = (&ctx.lines[i], &ctx.file[first]);
    let whole = net_brackets(new.trimmed) == 0 && !opens(new.trimmed);
    let starts = old.class == Class::Plain && ctx.file_cols(first) == depth;
    if !(whole && starts) {
        return None;
    }
    let (Key::Binds(name), true) = (new.key(), new.key() == old.key()) else {
        return said_again(ctx, i, first, last).then_some((first, last));
    };
    let value = new.trimmed.get(name.len()..)?;
    let names = value.trim_start().starts_with('=') || !name.contains(' ');
    let bare = last_word(name).filter(|_| names)?;
    word_at(value, bare).is_none().then_some((first, last))
}

/// Whether a line says in one what begins with file line `first` and ends with `last`, and no
/// statement beside that one begins as it does.
fn said_again(ctx: &Ctx, i: usize, first: usize, last: usize) -> bool {
    let (new, old) = (ctx.lines[i].trimmed, ctx.file[first].trimmed);
    let told = |j: &usize| ctx.file[*j].class != Class::Blank;
    let level = |j: &usize| told(j) && ctx.file_cols(*j) <= ctx.file_cols(first);
    let starts = |j: &usize| level(j) && !closes(ctx.file[*j].trimmed);
    let beside = [
        (0..first).rev().find(starts),
        (last + 1..ctx.file.len()).find(level),
    ];
    let mut beside = beside.into_iter().flatten();
    old.ends_with('(')
        && begins_alike(new, old)
        && !beside.any(|j| begins_alike(ctx.file[j].trimmed, old))
}

/// Bytes that the beginning of a statement has at least to tell it.
const SPREAD: usize = 8;

/// Whether new lines are a comment with what it is about, and file line `next` is one about
/// something else.
pub(super) fn documented(ctx: &Ctx, new: &[usize], next: usize) -> bool {
    let code = |l: &Line| l.class != Class::Blank && !says(l.trimmed);
    let first = new
        .first()
        .is_some_and(|&i| starts_comment(ctx.lines[i].trimmed));
    let about = new.iter().find(|&&i| code(&ctx.lines[i]));
    let below = ctx.file[next..].iter().find(|l| code(l));
    let (Some(&about), Some(below)) = (about, below) else {
        return false;
    };
    let about = &ctx.lines[about];
    first
        && starts_comment(ctx.file[next].trimmed)
        && about.class == Class::Plain
        && about.similarity(below) < CHANGED
        && (about.key() != below.key() || matches!(about.key(), Key::Other(_)))
}
