//! Whether a block with which a segment ends at a marker is the file's next one, changed, or one
//! more: where no line of it stands only there, both read the same.

use super::align::Op;
use super::context::{Ctx, same_line};
use super::line::{Class, Key};
use super::refuse;
use super::shape::{net_blocks, starts_comment};
use super::snippet::Role;
use crate::error::Result;

/// Refuses to take a block for the one in its place.
///
/// # Errors
/// `unclear_edge`.
pub(crate) fn check(ctx: &Ctx, k: usize, ops: &[Op]) -> Result<()> {
    let (a, b) = ctx.bounds[k];
    if !ctx.script.segments[k].marker_after || (a..b).any(|i| ctx.roles[i] != Role::Plain) {
        return Ok(());
    }
    let held = |op: &Op| {
        ctx.stands_there(op) || matches!(*op, Op::Pair(i, j) if ctx.is_guided(i, j))
    };
    let from = ops.iter().rposition(held).map_or(0, |at| at + 1);
    if from == 0 {
        return Ok(());
    }
    let tail = &ops[from..];
    let Some(taken) = tail.iter().position(|op| ctx.takes(op)) else {
        return Ok(());
    };
    let start = tail[..taken]
        .iter()
        .rposition(|op| matches!(op, Op::Pair(..)) && ctx.is_told(op))
        .map_or(0, |at| at + 1);
    let tail = &tail[start..];
    let new: Vec<usize> = tail
        .iter()
        .filter(|op| ctx.is_told(op))
        .filter_map(|op| match *op {
            Op::Pair(i, _) | Op::Insert(i) => Some(i),
            Op::Delete(_) => None,
        })
        .collect();
    let gone = tail.iter().filter(|op| ctx.takes(op)).find_map(|op| match *op {
        Op::Pair(_, j) | Op::Delete(j) => Some(j),
        Op::Insert(_) => None,
    });
    let code = |i: &&usize| !starts_comment(ctx.lines[**i].trimmed);
    let (Some(&head), Some(j)) = (new.iter().find(code), gone) else {
        return Ok(());
    };
    let least = new.iter().map(|&i| ctx.cols(i)).min().unwrap_or(0);
    let net: i32 = new.iter().map(|&i| net_blocks(ctx.lines[i].trimmed)).sum();
    let deep = new.iter().any(|&i| ctx.cols(i) > least);
    if !deep || net != 0 || ctx.cols(head) != least || ctx.cols(*new.last().unwrap_or(&head)) < least {
        return Ok(());
    }
    let gone = tail.iter().filter_map(|op| match *op {
        Op::Pair(_, j) | Op::Delete(j) if ctx.is_told(op) => Some(j),
        _ => None,
    });
    let gone: Vec<usize> = gone.collect();
    let names = |key: Key| matches!(key, Key::Binds(n) if !n.is_empty());
    let again = new.iter().any(|&i| {
        ctx.cols(i) == least && ctx.lines[i].class == Class::Plain && {
            let l = &ctx.lines[i];
            gone.iter().any(|&j| {
                let f = &ctx.file[j];
                f.class == Class::Plain
                    && (l.same(f) && f.class == Class::Plain && same_line(ctx, i, j)
                        || names(l.key()) && l.key() == f.key()
                        || ctx.is_substituted(i, j) || ctx.renames(l, f))
            })
        }
    });
    if again || new.iter().any(|&i| ctx.guides.rewrites[i].is_some()) {
        return Ok(());
    }
    Err(refuse::edge(ctx, head, j))
}
