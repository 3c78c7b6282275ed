//! Whether a block with which a segment ends at a marker is the file's next one, changed, or one
//! more.

use super::align::Op;
use super::context::{Ctx, same_line};
use super::line::Class;
use super::refuse;
use super::shape::{closes, starts_comment};
use super::snippet::Role;
use crate::error::Result;

/// Refuses to take a block for several of the file, where nothing of them is left beside it.
///
/// # Errors
/// `unexplained_removal`.
pub(crate) fn check(ctx: &Ctx, k: usize, ops: &[Op]) -> Result<()> {
    let (a, b) = ctx.bounds[k];
    if !ctx.script.segments[k].marker_after || (a..b).any(|i| ctx.roles[i] != Role::Plain) {
        return Ok(());
    }
    let code = |t: &str| !starts_comment(t) && !closes(t) && !t.starts_with(['@', '#']);
    let new = |op: &Op| match *op {
        Op::Pair(i, _) | Op::Insert(i) if ctx.lines[i].class != Class::Blank => Some(i),
        _ => None,
    };
    let mut from = 0;
    while let Some(at) = ops[from..].iter().position(|op| ctx.takes(op)) {
        let tail = &ops[from + at..];
        let told = || {
            tail.iter()
                .filter_map(new)
                .filter(|&i| code(ctx.lines[i].trimmed))
        };
        let Some(head) = told().next() else { break };
        let depth = ctx.cols(head);
        let held = |op: &Op| {
            matches!(*op, Op::Pair(i, j) if ctx.cols(i) <= depth && ctx.lines[i].class == Class::Plain
                && code(ctx.lines[i].trimmed) && same_line(ctx, i, j))
        };
        if let Some(next) = tail.iter().position(held) {
            from += at + next + 1;
            continue;
        }
        let kept = tail
            .iter()
            .any(|op| matches!(*op, Op::Pair(i, j) if i == head && same_line(ctx, i, j)));
        let outer = |i: usize| ctx.cols(i) < depth;
        if kept || tail.iter().filter_map(new).any(outer) || told().all(|i| ctx.cols(i) == depth) {
            break;
        }
        let shift = ctx.shifts[k].unwrap_or(0);
        let mut old = tail.iter().filter_map(|op| match *op {
            Op::Pair(_, j) | Op::Delete(j) => Some(j),
            Op::Insert(_) => None,
        });
        let Some(first) = old.next() else { break };
        let last = old.last().unwrap_or(first);
        let heads = |j: &usize| {
            let l = &ctx.file[*j];
            l.class == Class::Plain && code(l.trimmed) && ctx.file_cols(*j) == depth + shift
        };
        let old = (first..=last).filter(heads).count();
        let new = told()
            .filter(|&i| ctx.cols(i) == depth && ctx.lines[i].class == Class::Plain)
            .count();
        let gone = tail
            .iter()
            .filter(|op| matches!(op, Op::Delete(_)) && ctx.is_told(op))
            .count();
        let kept = tail
            .iter()
            .filter(|op| matches!(op, Op::Pair(..)) && ctx.is_told(op))
            .count();
        if old > new && gone >= 2 * kept && !tail.iter().any(|op| ctx.stands_there(op)) {
            return Err(refuse::removed_at_edge(ctx, k, first, last));
        }
        break;
    }
    Ok(())
}
