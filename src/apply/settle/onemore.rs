//! Whether a block with which a segment ends at a marker is the file's next one, changed, or one
//! more: what it shares with the file may be there by chance.

use crate::apply::lines::line::{Class, Line, starts_comment};
use crate::apply::lines::shape::closes;
use crate::apply::pass::align::Op;
use crate::apply::pass::context::{Ctx, same_line};
use crate::apply::refuse;
use crate::apply::snippet::script::Role;
use crate::error::Result;

/// Refuses to put a block in the place of several of the file that it has little in common with.
///
/// # Errors
/// `unexplained_removal`.
pub(crate) fn check(ctx: &Ctx, k: usize, ops: &[Op]) -> Result<()> {
    let (a, b) = ctx.bounds[k];
    if !ctx.script.segments[k].marker_after || (a..b).any(|i| ctx.roles[i] != Role::Plain) {
        return Ok(());
    }
    let Some((tail, head)) = last_block(ctx, ops) else {
        return Ok(());
    };
    let depth = ctx.cols(head);
    let own: Vec<usize> = tail.iter().filter_map(|op| told(ctx, op)).collect();
    let outside = own.iter().any(|&i| ctx.cols(i) < depth);
    if outside || own.iter().all(|&i| ctx.cols(i) == depth) {
        return Ok(());
    }
    let lines = tail.iter().filter_map(|op| match *op {
        Op::Pair(_, j) | Op::Delete(j) => Some(j),
        Op::Insert(_) => None,
    });
    let Some((first, last)) = lines.fold(None, |all, j| match all {
        None => Some((j, j)),
        Some((first, _)) => Some((first, j)),
    }) else {
        return Ok(());
    };
    let level = depth + ctx.shifts[k].unwrap_or(0);
    let begins = |l: &Line| l.class == Class::Plain && is_code(l.trimmed);
    let old = (first..=last).filter(|&j| ctx.file_cols(j) == level && begins(&ctx.file[j]));
    let new = own
        .iter()
        .filter(|&&i| ctx.cols(i) == depth && begins(&ctx.lines[i]));
    let several = old.count() > new.count();
    let count = |is: &dyn Fn(&Op) -> bool| {
        let told = tail.iter().filter(|op| ctx.is_told(op));
        told.filter(|op| is(op)).count()
    };
    let gone = count(&|op| matches!(op, Op::Delete(_)));
    let shared = count(&|op| matches!(op, Op::Pair(..)));
    let known = tail.iter().any(|op| ctx.stands_there(op));
    if several && gone >= 2 * shared && !known {
        return Err(refuse::removed_at_edge(ctx, k, first, last));
    }
    Ok(())
}

/// The operations from the last place on where a segment changes the file and after which nothing
/// of it stays at the depth of what it puts there, with the first line of that.
fn last_block<'o>(ctx: &Ctx, ops: &'o [Op]) -> Option<(&'o [Op], usize)> {
    let mut from = 0;
    loop {
        let at = ops[from..].iter().position(|op| ctx.takes(op))?;
        let tail = &ops[from + at..];
        let code = |op: &Op| told(ctx, op).filter(|&i| is_code(ctx.lines[i].trimmed));
        let head = tail.iter().find_map(code)?;
        let stays = |op: &Op| {
            matches!(*op, Op::Pair(i, j) if ctx.lines[i].class == Class::Plain
                && ctx.cols(i) <= ctx.cols(head)
                && is_code(ctx.lines[i].trimmed)
                && same_line(ctx, i, j))
        };
        match tail.iter().position(stays) {
            Some(next) => from += at + next + 1,
            None => return Some((tail, head)),
        }
    }
}

/// The snippet line of an operation, if it is not blank.
fn told(ctx: &Ctx, op: &Op) -> Option<usize> {
    match *op {
        Op::Pair(i, _) | Op::Insert(i) => (ctx.lines[i].class != Class::Blank).then_some(i),
        Op::Delete(_) => None,
    }
}

/// Whether a line is what a block does, not what is said of it or what ends it.
fn is_code(t: &str) -> bool {
    !starts_comment(t) && !closes(t) && !t.starts_with(['@', '#'])
}
