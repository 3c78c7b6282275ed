//! Whose text a paired line gets: the file's, where the snippet only misquotes it.

use super::align::Op;
use super::context::Ctx;
use super::edges::anchors;
use super::shape::dropped;
use super::snippet::Role;

/// Whose text a paired line gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keep {
    /// The file's: both are the same.
    Same,
    /// The file's: the snippet quotes it slightly wrong.
    Misquoted,
    /// The snippet's.
    Snippet,
}

/// Whose text wins in a pair.
pub(crate) fn keeps_file_text(ctx: &Ctx, i: usize, j: usize, ops: &[Op]) -> Keep {
    let (a, b) = (&ctx.lines[i], &ctx.file[j]);
    if a.same(b) {
        return Keep::Same;
    }
    if ctx.roles[i] == Role::Context {
        return Keep::Misquoted;
    }
    if dropped(a.trimmed, b.trimmed) || plain_blanks(a.trimmed).eq(plain_blanks(b.trimmed)) {
        return Keep::Misquoted;
    }
    if a.alike(b) {
        // Blanks within the line are a change of layout, quotes are a slip.
        let bare = |t: &str| t.chars().filter(|c| !c.is_whitespace()).collect::<String>();
        return if bare(a.trimmed) == bare(b.trimmed) {
            Keep::Snippet
        } else {
            Keep::Misquoted
        };
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
