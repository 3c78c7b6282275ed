//! What is said above a definition, its comments and attributes, belongs to it.

use std::ops::Range;

use crate::apply::lines::line::{Class, starts_comment};
use crate::apply::lines::shape;
use crate::apply::pass::align::Op;
use crate::apply::pass::context::{Ctx, anchors, same_line};
use crate::apply::refuse;
use crate::apply::snippet::markers;
use crate::error::Result;

/// New lines at a segment's end below an attribute of the file, whose own definition the
/// marker below them stands for: the attribute is theirs, and the file's stays where it is.
pub(crate) fn kept(ctx: &Ctx, k: usize, ops: &mut [Op]) {
    if !ctx.script.segments[k].marker_after {
        return;
    }
    let is_new = |op: &Op| matches!(op, Op::Insert(_));
    let told = |op: &Op| matches!(*op, Op::Insert(i) if ctx.lines[i].class != Class::Blank);
    let from = ops.iter().rposition(|op| !is_new(op)).map_or(0, |x| x + 1);
    // A blank line would part them from it.
    if !ops.get(from).is_some_and(told) {
        return;
    }
    let said = |op: &Op| match *op {
        Op::Pair(i, j) if same_line(ctx, i, j) => said_of(ctx, j).map(|header| (j, header)),
        _ => None,
    };
    let above = ops[..from].iter().rev().map_while(said);
    let above: Vec<(usize, usize)> = above.collect();
    let is_attribute = |j: usize| !starts_comment(ctx.file[j].trimmed);
    let directly = above.first().is_some_and(|&(j, header)| j + 1 == header);
    if directly && above.iter().any(|&(j, _)| is_attribute(j)) {
        for op in &mut ops[from - above.len()..from] {
            if let Op::Pair(i, _) = *op {
                *op = Op::Insert(i);
            }
        }
    }
}

/// Refuses to take away what the file says above a line of which the snippet quotes it without that,
/// where something else comes or goes between.
///
/// # Errors
/// `unexplained_removal`.
pub(crate) fn left_out(ctx: &Ctx, k: usize, ops: &[Op]) -> Result<()> {
    let shared = |op: &Op| anchors(ctx, op);
    for (at, op) in ops.iter().enumerate().filter(|(_, op)| shared(op)) {
        let &Op::Pair(i, j) = op else { continue };
        let said = said_above(ctx, i, j);
        if said.is_empty() {
            continue;
        }
        let about = |op: &Op| matches!(*op, Op::Delete(x) | Op::Pair(_, x) if said.contains(&x));
        let above = &ops[..at];
        let Some(first) = above.iter().position(about) else {
            continue;
        };
        let from = above[..first].iter().rposition(shared).map_or(0, |x| x + 1);
        let told = |op: &&Op| ctx.is_told(op);
        let told = above[from..].iter().filter(told).count();
        let gone = above[first..]
            .iter()
            .filter(|op| matches!(op, Op::Delete(_)) && about(op));
        let gone = gone.count() == said.len() && told > said.len();
        // An attribute of both above what is new is said of that.
        let attribute = |op: &Op| match *op {
            Op::Pair(i, j) => {
                about(op)
                    && same_line(ctx, i, j)
                    && ctx.lines[i].trimmed.starts_with(['@', '#', '['])
            }
            _ => false,
        };
        let code = |op: &Op| matches!(*op, Op::Insert(i) if ctx.is_told(op) && !says(ctx, i));
        let between = above[first..]
            .windows(2)
            .any(|w| attribute(&w[0]) && code(&w[1]));
        // What the snippet says right above it is said instead.
        let instead = i.checked_sub(1).is_some_and(|i| says(ctx, i));
        // Or all that the file says, again: then it is the other that is above what is new.
        let again = |x: usize| {
            let l = (i + x).checked_sub(j).and_then(|y| ctx.lines.get(y));
            l.is_some_and(|l| l.same(&ctx.file[x]))
        };
        if !instead && (between || gone) && !said.clone().all(again) {
            return Err(refuse::removed_at_edge(ctx, k, said.start, j - 1));
        }
    }
    Ok(())
}

/// Refuses to take away the first of what the file says above a definition that the snippet gives from the
/// rest of that on, where it changes the rest: then that may be all it is about.
///
/// # Errors
/// `unexplained_removal`.
pub(crate) fn begun_late(ctx: &Ctx, k: usize, ops: &[Op]) -> Result<()> {
    let told: Vec<Op> = ops.iter().copied().filter(|op| ctx.is_told(op)).collect();
    for (at, op) in told.iter().enumerate().skip(1) {
        let Op::Pair(i, j) = *op else { continue };
        let Some(header) = said_of(ctx, j).filter(|_| same_line(ctx, i, j)) else {
            continue;
        };
        let gone: Vec<usize> = told[..at]
            .iter()
            .rev()
            .map_while(|op| match *op {
                Op::Delete(x) if said_of(ctx, x) == Some(header) => Some(x),
                _ => None,
            })
            .collect();
        let (Some(&last), Some(&first)) = (gone.first(), gone.last()) else {
            continue;
        };
        let further = first.checked_sub(1).and_then(|x| said_of(ctx, x));
        let above = at.checked_sub(gone.len() + 1).map(|x| told[x]);
        let stays = matches!(above, Some(Op::Pair(..)));
        let mut rest = told[at..].iter().take_while(|op| match **op {
            Op::Pair(_, x) | Op::Delete(x) => x <= header,
            Op::Insert(_) => true,
        });
        if further != Some(header) && stays && rest.any(|op| ctx.changes(op)) {
            return Err(refuse::removed_at_edge(ctx, k, first, last));
        }
    }
    Ok(())
}

/// What the file says of a definition right below its header does not go where the snippet has
/// one of its members there: it gives the header to say where that belongs.
///
/// # Errors
/// `unexplained_removal`.
pub(crate) fn said_below(ctx: &Ctx, k: usize, ops: &[Op]) -> Result<()> {
    for (at, op) in ops.iter().enumerate() {
        let Op::Pair(i, header) = *op else { continue };
        let Some((.., end)) = ctx.guides.around(header) else {
            continue;
        };
        if !ctx.guides.names(header) || !same_line(ctx, i, header) {
            continue;
        }
        let gone: Vec<usize> = ops[at + 1..]
            .iter()
            .map_while(|op| match *op {
                Op::Delete(j) => Some(j),
                _ => None,
            })
            .collect();
        let (Some(&first), Some(&last)) = (gone.first(), gone.last()) else {
            continue;
        };
        let next = ops[at + 1 + gone.len()..].iter().find(|op| ctx.is_told(op));
        let begins = |j: usize| j < end && ctx.guides.definitions.iter().any(|d| d.0 == j);
        let member = next
            .is_some_and(|op| matches!(*op, Op::Pair(i, j) if same_line(ctx, i, j) && begins(j)));
        let said = |j: &usize| {
            let t = ctx.file[*j].trimmed;
            ctx.file[*j].class == Class::Blank
                || starts_comment(t)
                || t.starts_with(['"', '\'', '@'])
        };
        if member && gone.iter().all(said) {
            return Err(refuse::removed_at_edge(ctx, k, first, last));
        }
    }
    Ok(())
}

/// The file lines that are said of file line `j`, which snippet line `i` quotes: those above the
/// header of a definition, and the comment above what a blank line parts from the rest.
fn said_above(ctx: &Ctx, i: usize, j: usize) -> Range<usize> {
    let apart = i
        .checked_sub(1)
        .is_some_and(|i| ctx.lines[i].class == Class::Blank);
    let named = ctx.guides.names(j);
    let apart = apart && !starts_comment(ctx.file[j].trimmed);
    let own = |x: &usize| {
        let t = ctx.file[*x].trimmed;
        let level = ctx.file_cols(*x) == ctx.file_cols(j);
        said_of(ctx, *x) == Some(j)
            || level && (named || apart) && starts_comment(t)
            || level && named && t.starts_with(['@', '['])
            || level && named && t.starts_with("#[")
    };
    (0..j).rev().take_while(own).last().unwrap_or(j)..j
}

/// Whether a snippet line is an attribute or ends a comment.
fn says(ctx: &Ctx, i: usize) -> bool {
    let t = ctx.lines[i].trimmed;
    shape::says(t)
        || t.starts_with('#')
        || markers::is_comment(t, ctx.pass.comments)
        || ["*/", "-->", "]"].iter().any(|end| t.ends_with(end))
}

/// The line with the name of the definition that a file line stands above and belongs to.
fn said_of(ctx: &Ctx, j: usize) -> Option<usize> {
    let all = ctx.guides.definitions.chunks_exact(2);
    let mut around = all.filter(|d| d[0].0 <= j && j < d[1].1);
    around.find_map(|d| {
        let (start, end) = d[1];
        // What some grammars take for a part of it stands above its name, over several lines or not.
        let attributes = ctx.file[start].trimmed.starts_with(['@', '[']);
        let level = |j: &usize| ctx.file_cols(*j) == ctx.file_cols(start);
        let mut below = (start..end).filter(|j| attributes && level(j));
        let header = below.find(|j| ctx.guides.names(*j)).unwrap_or(start);
        (j < header).then_some(header)
    })
}
