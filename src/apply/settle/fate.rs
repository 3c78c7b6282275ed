//! Whether a definition may go, by the lines of the file that use it.

use crate::apply::lines::line::starts_comment;
use crate::apply::lines::words::word_at;
use crate::apply::pass::align::Op;
use crate::apply::pass::context::Ctx;

/// What the rest of the file says of a definition that may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// Lines that stay use it.
    Needed,
    /// The edit takes out or changes all lines that use it.
    Unused,
    /// Nothing uses it, or one of its name.
    Open,
}

/// What becomes of the definition named in file line `j`, by the lines other than its own that use
/// it: a type by its name, a function by a call that is no other object's.
pub(crate) fn fate(ctx: &Ctx, j: usize, own: std::ops::Range<usize>) -> Fate {
    let Some(name) = name_at(ctx, j) else {
        return Fate::Open;
    };
    let rest = || (0..ctx.file.len()).filter(|x| !own.contains(x));
    let line = |x: usize| ctx.file[x].trimmed;
    let told = |x: &usize| !starts_comment(line(*x)) && word_at(line(*x), name).is_some();
    let uses: Vec<usize> = rest().filter(told).collect();
    let stays = |x: &&usize| !ctx.touched.contains(x);
    let mut left = uses.iter().filter(stays).peekable();
    if left.peek().is_none() {
        return if uses.is_empty() {
            Fate::Open
        } else {
            Fate::Unused
        };
    }
    let callable = line(j).contains(&format!("{name}("));
    let called = |x: &usize| {
        let t = line(*x);
        let at = word_at(t, name).unwrap_or(0);
        let (above, below) = (&t[..at], &t[at + name.len()..]);
        let own = [
            "self.", "this.", "this->", "self::", "Self::", "cls.", "self?.",
        ];
        let bare = !above.ends_with(['.', ':', '>']);
        below.starts_with('(') && (bare || own.iter().any(|o| above.ends_with(o)))
    };
    if !callable || left.any(called) {
        Fate::Needed
    } else {
        Fate::Open
    }
}

/// Whether new lines have the name of the definition that file line `j` heads: then it may be that
/// one.
pub(crate) fn named_again(ctx: &Ctx, ops: &[Op], j: usize) -> bool {
    let name = name_at(ctx, j).unwrap_or_default();
    ops.iter().any(|op| match *op {
        Op::Insert(i) => word_at(ctx.lines[i].trimmed, name).is_some(),
        Op::Pair(..) | Op::Delete(_) => false,
    })
}

/// Whether new lines define what file line `j` heads: the word before the name is the same.
pub(crate) fn defined_again(ctx: &Ctx, ops: &[Op], j: usize) -> bool {
    let name = name_at(ctx, j).unwrap_or_default();
    let before = |t: &'_ str| {
        let above = t.get(..word_at(t, name)?)?;
        Some(above.split_whitespace().next_back()?.to_string())
    };
    let old = before(ctx.file[j].trimmed);
    ops.iter().any(|op| match *op {
        Op::Insert(i) => old.is_some() && before(ctx.lines[i].trimmed) == old,
        Op::Pair(..) | Op::Delete(_) => false,
    })
}

/// Whether no other definition of the file has the name of the one that file line `j` heads.
pub(crate) fn named_once(ctx: &Ctx, j: usize) -> bool {
    let name = |j: usize| name_at(ctx, j);
    ctx.guides.heads().filter(|&x| name(x) == name(j)).count() == 1
}

/// The name of the definition that file line `j` heads.
pub(super) fn name_at<'a>(ctx: &Ctx<'a>, j: usize) -> Option<&'a str> {
    ctx.text.text().get(ctx.guides.name_at(j)?)
}
