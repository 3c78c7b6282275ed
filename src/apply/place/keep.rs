//! Whose text a paired line gets: the file's, where the snippet only misquotes it.

use crate::apply::lines::line::alike_unended;
use crate::apply::lines::shape::{closes, dropped};
use crate::apply::pass::align::Op;
use crate::apply::pass::context::{Ctx, anchors};
use crate::apply::snippet::script::Role;

/// Whose text a paired line gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keep {
    /// The file's: both are the same.
    Same,
    /// The file's: the snippet quotes it slightly wrong.
    Misquoted,
    /// The snippet's.
    Snippet,
    /// Nobody can tell: they differ in blanks, beside lines that change.
    Unclear,
}

/// Whose text wins in a pair.
pub(crate) fn keeps_file_text(ctx: &Ctx, i: usize, j: usize, ops: &[Op]) -> Keep {
    let (a, b) = (&ctx.lines[i], &ctx.file[j]);
    if a.same(b) {
        return Keep::Same;
    }
    // What goes and what comes has a prefix there.
    let (from, to) = ctx.bounds[ctx.segment_of(i)];
    let prefixed = || ctx.roles[from..to].contains(&Role::Minus);
    if ctx.roles[i] == Role::Context || prefixed() && a.similarity(b) >= QUOTED {
        return Keep::Misquoted;
    }
    if plain_blanks(a.trimmed).eq(plain_blanks(b.trimmed)) {
        return Keep::Misquoted;
    }
    if spaced(a.trimmed, b.trimmed) && (beside_another(ctx, i, ops) || whole_block(ctx, i, ops)) {
        return Keep::Snippet;
    }
    if dropped(a.trimmed, b.trimmed) {
        return Keep::Misquoted;
    }
    if a.alike(b) {
        // Blanks within the line are a change of layout, quotes are a slip. Beside a change either
        // may be, but nobody aligns what he only quotes.
        return match spaced(a.trimmed, b.trimmed) {
            true if gaps(a.trimmed) > gaps(b.trimmed) || among_context(ctx, i, ops) => {
                Keep::Snippet
            }
            true => Keep::Unclear,
            false => Keep::Misquoted,
        };
    }
    if ended_otherwise(ctx, i, j) && count(ops, |x, y| ended_otherwise(ctx, x, y)) <= MANY {
        return Keep::Misquoted;
    }
    if let Some(comment) = dropped_comment(ctx, a.trimmed, b.trimmed)
        && among_context(ctx, i, ops)
    {
        // Unless the comment has moved to a line of its own.
        let words = |t: &str| -> String {
            t.split(|c: char| !c.is_alphanumeric())
                .filter(|w| !w.is_empty())
                .map(str::to_lowercase)
                .collect::<Vec<_>>()
                .join(" ")
        };
        let gone = words(comment);
        let moved = ops
            .iter()
            .any(|op| matches!(*op, Op::Insert(x) if words(ctx.lines[x].trimmed).contains(&gone)));
        if !moved {
            return Keep::Misquoted;
        }
    }
    Keep::Snippet
}

/// Whether a snippet line differs from the file's in the semicolon at its end, and the kind of quotes,
/// alone, and the file's is as the rest of the file is.
fn ended_otherwise(ctx: &Ctx, i: usize, j: usize) -> bool {
    let (a, b) = (ctx.lines[i].trimmed, ctx.file[j].trimmed);
    let ends = |t: &str| t.ends_with(';');
    ends(a) != ends(b)
        && ctx.guides.semicolons == Some(ends(b))
        && alike_unended(a, b)
        && !spaced(a.trim_end_matches(';'), b.trim_end_matches(';'))
}

/// Pairs of which something is so.
fn count(ops: &[Op], is: impl Fn(usize, usize) -> bool) -> usize {
    let pairs = ops.iter().filter_map(|op| match *op {
        Op::Pair(x, y) => Some((x, y)),
        Op::Insert(_) | Op::Delete(_) => None,
    });
    pairs.filter(|&(x, y)| is(x, y)).count()
}

/// How similar (thousandths) a line beside prefixed ones is to the one that it quotes.
pub(crate) const QUOTED: i32 = 800;

/// Whether two lines differ in the blanks within them alone.
fn spaced(a: &str, b: &str) -> bool {
    let bare = |t: &'_ str| t.chars().filter(|c| !c.is_whitespace()).collect::<String>();
    a != b && bare(a) == bare(b)
}

/// Blanks of a line that stand behind another one.
fn gaps(t: &str) -> usize {
    t.as_bytes().windows(2).filter(|w| *w == b"  ").count()
}

/// Whether a line beside a snippet line is another one that differs from the file's in its blanks
/// alone: then both were laid out anew.
fn beside_another(ctx: &Ctx, i: usize, ops: &[Op]) -> bool {
    let pairs = ops.iter().filter(|op| ctx.is_told(op));
    let pairs: Vec<Option<(usize, usize)>> = pairs
        .map(|op| match *op {
            Op::Pair(x, y) => Some((x, y)),
            Op::Insert(_) | Op::Delete(_) => None,
        })
        .collect();
    let spaced = |p: &Option<(usize, usize)>| {
        p.is_some_and(|(x, y)| spaced(ctx.lines[x].trimmed, ctx.file[y].trimmed))
    };
    let Some(at) = pairs.iter().position(|p| p.is_some_and(|p| p.0 == i)) else {
        return false;
    };
    let others = pairs.iter().filter(|p| spaced(p)).count();
    at.checked_sub(1).is_some_and(|at| spaced(&pairs[at]))
        || pairs.get(at + 1).is_some_and(spaced)
        || others > MANY
}

/// So many lines that differ in blanks alone, and one more, are no slips.
const MANY: usize = 2;

/// Whether a snippet line is the only one that differs from the file's in a block that the segment
/// gives whole, from its header to what closes it: for nothing else would it be given.
fn whole_block(ctx: &Ctx, i: usize, ops: &[Op]) -> bool {
    let told: Vec<&Op> = ops.iter().filter(|op| ctx.is_told(op)).collect();
    let is_own = |op: &&&Op| matches!(***op, Op::Pair(x, _) if x == i);
    let Some(at) = told.iter().position(|op| is_own(&op)) else {
        return false;
    };
    let (above, below) = (&told[..at], &told[at + 1..]);
    let depth = |op: &Op| match *op {
        Op::Pair(x, _) | Op::Insert(x) => ctx.cols(x),
        Op::Delete(_) => i32::MAX,
    };
    let outside = |op: &&&Op| depth(op) < ctx.cols(i);
    let (Some(&&head), Some(&&foot)) =
        (above.iter().rev().find(outside), below.iter().find(outside))
    else {
        return false;
    };
    let inner = above.iter().rev().take_while(|op| !outside(op));
    let mut inner = inner.chain(below.iter().take_while(|op| !outside(op)));
    let closed = matches!(foot, Op::Pair(x, _) if closes(ctx.lines[x].trimmed));
    closed && anchors(ctx, &head) && anchors(ctx, &foot) && inner.all(|op| anchors(ctx, op))
}

/// A text with a plain blank for each other one (no-break space, …), which a quote cannot show.
fn plain_blanks(t: &str) -> impl Iterator<Item = char> {
    t.chars().map(|c| match c {
        c if c.is_whitespace() && !c.is_ascii() => ' ',
        c => c,
    })
}

/// Whether the lines beside a snippet line are the file's: what changes beside others that do is
/// no slip.
fn among_context(ctx: &Ctx, i: usize, ops: &[Op]) -> bool {
    let told = |op: &&Op| ctx.is_told(op);
    let at = |op: &Op| matches!(*op, Op::Pair(x, _) if x == i);
    let Some(at) = ops.iter().position(at) else {
        return false;
    };
    let above = ops[..at].iter().rev().find(told);
    let below = ops[at + 1..].iter().find(told);
    [above, below]
        .iter()
        .all(|op| op.is_none_or(|op| anchors(ctx, op)))
}

/// The comment behind a file line that the snippet quotes without it.
fn dropped_comment<'t>(ctx: &Ctx, short: &str, long: &'t str) -> Option<&'t str> {
    let rest = long.strip_prefix(short)?;
    let t = rest.trim_start();
    if t.len() == rest.len() {
        return None;
    }
    ctx.pass
        .comments
        .iter()
        .any(|c| t.starts_with(c))
        .then_some(t)
}
