//! What the alignment of one segment means: which lines stay, go or are new, and whether that
//! is sure.

mod attributes;
mod closing;
mod declared;
mod dropped;
pub(super) mod ending;
mod fate;
mod insertion;
mod instead;
mod moved;
mod onemore;
mod overload;
pub(super) mod removed;
pub(super) mod renamed;
pub(super) mod rival;
mod row;
pub(super) mod tail;
mod twins;

use self::instead::Instead;
use super::edges::{self, frame, imports};
use super::lines::line::Class;
use super::pass::align::{Op, Problem};
use super::pass::context::{Ctx, same_line};
use super::pass::scores::{self, Evidence, Run, evidence};
use super::pass::substitution;
use super::refuse;
use super::snippet::script::Role;
use crate::error::Result;

/// By how much the best placement of a segment has to beat the second best: nearly half
/// a unique line, more than any weak line or chain of two can make up.
const MARGIN: i32 = 120;

/// How a segment was aligned.
pub(crate) struct Aligned<'a> {
    pub problem: &'a Problem<'a>,
    pub scores: &'a [i16],
    pub runs: &'a [Run],
    /// Its number among the aligned ones, and among all.
    pub numbers: (usize, usize),
    /// By how much its place beats the next best one.
    pub margin: i32,
}

/// What a segment does.
pub(super) struct Settled {
    /// It changes the file.
    pub changes: bool,
    /// It goes to the end of the file or of the scope that it opens.
    pub ended: bool,
    pub evidence: Evidence,
}

/// Settles what a segment does, and rewrites its alignment among those of all by it.
///
/// # Errors
/// A refusal where that is not sure.
pub(crate) fn settle(ctx: &Ctx, alignment: &Aligned, ops: &mut [Vec<Op>]) -> Result<Settled> {
    let strict = ctx.script.strict;
    let (problem, (s, k)) = (alignment.problem, alignment.numbers);
    let changes = ops[s].iter().any(|op| match *op {
        Op::Pair(i, j) => ctx.roles[i] == Role::Minus || !same_line(ctx, i, j),
        _ => true,
    });
    let evidence = evidence(ctx, &ops[s], alignment.scores);
    let end = changes.then(|| tail::at_the_end(ctx, k, &ops[s]));
    let end = end.flatten();
    let ended = end.is_some();
    if let Some(end) = end {
        if rival::strays_to_the_end(ctx, &ops[s], &end) {
            return Err(refuse::ambiguous(ctx, k, &ops[s], problem, s));
        }
        renamed::respelt(ctx, &end)?;
        ops[s] = end;
    }
    let changes = changes && !ended;
    let asks = ops[s]
        .iter()
        .any(|op| matches!(*op, Op::Pair(i, _) if ctx.roles[i] != Role::Plain));
    if changes && evidence.strong == 0 && !asks {
        // What stands in the file, but not where the rest of the snippet leaves room.
        let (a, b) = ctx.bounds[k];
        let known = ctx.lines[a..b]
            .iter()
            .any(|l| l.class == Class::Plain && ctx.counts.contains_key(&l.hash));
        return Err(if known {
            refuse::order(ctx, k)
        } else {
            refuse::no_anchor(ctx, k)
        });
    }
    if changes && alignment.margin < MARGIN {
        // Only the line numbers of a hunk header may decide between equals.
        if !hinted(ctx, k, &ops[s]) {
            return Err(refuse::ambiguous(ctx, k, &ops[s], problem, s));
        }
    }
    // What is above the change belongs to one place and what is below it to another.
    let torn = || {
        let ops = &ops[s];
        alignment.runs.iter().any(|r| r.left(ops))
            && !scores::held(ctx, k, ops)
            && !scores::parts_neighbours(ctx, ops)
    };
    let drawn = || !strict && twins::drawn(ctx, &ops[s]);
    if changes && (drawn() || torn()) {
        return Err(refuse::ambiguous(ctx, k, &ops[s], problem, s));
    }
    if !strict {
        removed::notes(ctx, k, &ops[s])?;
        if twins::strays(ctx, &ops[s]) {
            return Err(refuse::ambiguous(ctx, k, &ops[s], problem, s));
        }
        frame::leaves_off(ctx, &ops[s])?;
        frame::leaves_imports_out(ctx, k, &ops[s])?;
        frame::leaves_a_comment_out(ctx, k, &ops[s])?;
        if !changes && !ended {
            frame::starts_late(ctx, k, &ops[s])?;
        }
        frame::ends_early(ctx, k, &ops[s], changes || ended)?;
    }
    if changes && !strict {
        let (mut reread, mut settled) = (false, false);
        if let Some(other) = rival::uncrossed(ctx, problem, s, &ops[s]) {
            ops[s] = other;
        }
        if let Some(cut) = ending::cut(ctx, k, &ops[s]) {
            ops[s] = cut;
        }
        closing::own_end(ctx, &mut ops[s]);
        closing::below_closer(ctx, &ops[s])?;
        substitution::pair_up(ctx, &mut ops[s]);
        if let Some(shut) = ending::shut(ctx, k, &ops[s]) {
            ops[s] = shut;
        }
        attributes::kept(ctx, k, &mut ops[s]);
        dropped::slide(ctx, &mut ops[s]);
        if let Some(less) = rival::smaller(ctx, problem, s, &ops[s]) {
            if rival::repeats(ctx, &ops[s], &less) {
                let changed = ops[s].iter().find_map(|op| match *op {
                    Op::Pair(i, j) if !same_line(ctx, i, j) => Some((i, j)),
                    _ => None,
                });
                return Err(match changed {
                    Some((i, j)) => refuse::edge(ctx, i, j),
                    None => refuse::ambiguous(ctx, k, &ops[s], problem, s),
                });
            }
            ops[s] = less;
        }
        overload::check(ctx, k, &ops[s])?;
        let shared = closing::shared(ctx, k, &ops[s]);
        if let Some(Ok(Some(insertion))) = shared.map(|ops| insertion::only(ctx, k, &ops)) {
            ops[s] = insertion;
            reread = true;
        } else if let Some(insertion) = insertion::only(ctx, k, &ops[s])? {
            ops[s] = insertion;
            reread = true;
        } else if let Some(instead) = instead::of_a_definition(ctx, k, &ops[s])? {
            (ops[s], settled) = match instead {
                Instead::Perhaps(insertion) => (insertion, false),
                Instead::Surely(insertion) => (insertion, true),
            };
            reread = true;
        }
        renamed::check(ctx, k, &ops[s], reread)?;
        let mut superseded = imports::superseded(ctx, k, &ops[s], ops)?;
        superseded.extend(moved::with_the_rest(ctx, &ops[s]));
        superseded.extend(ending::replaced(ctx, k, &ops[s]).unwrap_or_default());
        ctx.superseded.replace(superseded);
        if !settled {
            edges::settle(ctx, k, &mut ops[s])?;
            renamed::definition(ctx, k, &ops[s])?;
        }
        declared::check(ctx, &ops[s])?;
        onemore::check(ctx, k, &ops[s])?;
        edges::unmatched_context(ctx, k, &ops[s])?;
        edges::unprefixed(ctx, k, &ops[s])?;
        row::check(ctx, k, &ops[s])?;
        attributes::left_out(ctx, k, &ops[s])?;
        attributes::begun_late(ctx, k, &ops[s])?;
        removed::weak_bounds(ctx, k, &ops[s])?;
        removed::mixed_edge(ctx, k, &ops[s])?;
        removed::below_any_bracket(ctx, k, &ops[s])?;
        removed::net_removals(ctx, k, &ops[s])?;
        dropped::headless(ctx, k, &ops[s])?;
        closing::blocks(ctx, k, &ops[s])?;
        closing::several(ctx, k, &ops[s])?;
        closing::beyond(ctx, k, &ops[s])?;
        attributes::said_below(ctx, k, &ops[s])?;
        dropped::definitions(ctx, k, &ops[s])?;
        imports::used(ctx, k, &ops[s])?;
        if !twins::told_apart(ctx, &ops[s], reread) || twins::inserts_elsewhere(ctx, k, &ops[s]) {
            return Err(refuse::ambiguous(ctx, k, &ops[s], problem, s));
        }
        removed::superseded(&mut ops[s], k, &ctx.superseded.take());
    }
    Ok(Settled {
        changes,
        ended,
        evidence,
    })
}

/// Whether the hunk header's line number names the place that was found.
fn hinted(ctx: &Ctx, k: usize, ops: &[Op]) -> bool {
    let Some(hint) = ctx.script.segments[k].hint else {
        return false;
    };
    ops.iter()
        .find_map(|op| match op {
            Op::Pair(_, j) => Some(j + 1 == hint),
            _ => None,
        })
        .unwrap_or(false)
}
