//! The last part of a snippet as the end of the file.

use crate::apply::edges::frame::is_begun;
use crate::apply::lines::line::Class;
use crate::apply::lines::shape::closes;
use crate::apply::pass::align::Op;
use crate::apply::pass::columns::most;
use crate::apply::pass::context::Ctx;
use crate::apply::pass::extent::Extent;
use crate::apply::pass::likeness::{RETOUCHED, likeness};
use crate::apply::snippet::script::Role;

/// The last segment as new lines at the file's end, where the alignment has it elsewhere: a
/// marker above the snippet and none below say that the file ends with it.
pub(crate) fn at_the_end(ctx: &Ctx, k: usize, ops: &[Op]) -> Option<Vec<Op>> {
    let begun = is_begun(ctx, k);
    let below = ctx.file.get(Extent::of(k, ops).end..)?;
    let elsewhere = below.iter().any(|l| l.class != Class::Blank);
    // What closes a block that is told closes that one.
    let (a, b) = ctx.bounds[k];
    let shut = |s: &[(usize, usize); 2]| {
        (a..b).contains(&s[0].0) && ops.contains(&Op::Pair(s[0].0, s[0].1))
    };
    if elsewhere && ctx.guides.shut.iter().any(shut) {
        return None;
    }
    // The header of a definition is held by its name and by what is around it.
    let headed =
        |op: &Op| matches!(*op, Op::Pair(i, j) if ctx.guides.names(j) && ctx.is_guided(i, j));
    let there = |op: &Op| ctx.stands_there(op) || headed(op) || !elsewhere && is_like(ctx, op);
    let closing =
        || closing(ctx, k).filter(|own| ops.iter().all(|op| !there(op) || own.contains(op)));
    match elsewhere && begun {
        true => tail(ctx, k).or_else(closing),
        false => closing(),
    }
}

/// Whether a line may be one of the file, changed.
fn is_like(ctx: &Ctx, op: &Op) -> bool {
    matches!(*op, Op::Pair(i, j) if ctx.lines[i].class == Class::Plain
        && (ctx.is_guided(i, j)
            || likeness(ctx.lines[i].trimmed, ctx.file[j].trimmed) >= RETOUCHED))
}

/// The last segment where its first lines are the file's last ones: what follows them is
/// new. The lines below the new ones, such as brackets that close what was open before,
/// may be the file's as well.
pub(crate) fn tail(ctx: &Ctx, k: usize) -> Option<Vec<Op>> {
    let segment = &ctx.script.segments[k];
    if k + 1 != ctx.bounds.len() || segment.marker_after || ctx.script.strict {
        return None;
    }
    let (a, b) = ctx.bounds[k];
    if (a..b).any(|i| ctx.roles[i] != Role::Plain) {
        return None;
    }
    let told: Vec<usize> = (a..b)
        .filter(|&i| ctx.lines[i].class != Class::Blank)
        .collect();
    let file: Vec<usize> = (0..ctx.file.len())
        .filter(|&j| ctx.file[j].class != Class::Blank)
        .collect();
    let shift = ctx.shifts[k]
        .or_else(|| most(&ctx.shifts.iter().flatten().copied().collect::<Vec<_>>()))
        .unwrap_or(0);
    let same = |i: usize, j: usize| {
        ctx.lines[i].same(&ctx.file[j]) && ctx.cols(i) + shift == ctx.file_cols(j)
    };
    // How many lines above and below the new ones are the file's. Where several numbers
    // fit, their sum decides what the file becomes.
    let mut found: Option<(usize, usize)> = None;
    for both in 1..told.len().min(file.len() + 1) {
        let end = &file[file.len() - both..];
        let fits = (1..=both).rev().find(|&lead| {
            (0..lead).all(|d| same(told[d], end[d]))
                && (lead..both).all(|d| same(told[told.len() - both + d], end[d]))
        });
        if let Some(lead) = fits {
            if found.is_some() {
                return None;
            }
            found = Some((lead, both));
        }
    }
    let (lead, both) = found?;
    let end = &file[file.len() - both..];
    let below = told.len() - (both - lead);
    if end[both - 1] - end[0] + 1 != both {
        return None;
    }
    let mut ops: Vec<Op> = Vec::new();
    ops.extend((0..lead).map(|d| Op::Pair(told[d], end[d])));
    ops.extend((told[lead - 1] + 1..told.get(below).copied().unwrap_or(b)).map(Op::Insert));
    ops.extend((lead..both).map(|d| Op::Pair(told[below + d - lead], end[d])));
    Some(ops)
}

/// The last segment where its last lines are the file's and stand only there: those above them are
/// the file's, changed, where each is one of as many but for a few letters.
pub(crate) fn ends(ctx: &Ctx, k: usize) -> Option<Vec<Op>> {
    let (a, b) = ctx.bounds[k];
    let open = k + 1 == ctx.bounds.len() && !ctx.script.segments[k].marker_after;
    if !open || (a..b).any(|i| ctx.roles[i] != Role::Plain) {
        return None;
    }
    let last = ctx.file.iter().rposition(|l| l.class != Class::Blank)?;
    let pairs = || (a..b).rev().zip((0..last + 1).rev());
    let same = |&(i, j): &(usize, usize)| {
        ctx.lines[i].same(&ctx.file[j]) && ctx.counts.get(&ctx.file[j].hash) == Some(&1)
    };
    let shared = pairs().take_while(same).count();
    let like = |(i, j): (usize, usize)| {
        let (new, old) = (&ctx.lines[i], &ctx.file[j]);
        new.class == Class::Plain && likeness(new.trimmed, old.trimmed) >= RETOUCHED
    };
    if shared == 0 || last + 1 < b - a || !pairs().skip(shared).all(like) {
        return None;
    }
    Some(pairs().map(|(i, j)| Op::Pair(i, j)).rev().collect())
}

/// The last segment as new lines in the block that the file ends with: its last lines close
/// that block, all others are deeper, and a marker above stands for what is there.
pub(crate) fn closing(ctx: &Ctx, k: usize) -> Option<Vec<Op>> {
    let segment = &ctx.script.segments[k];
    let open = k + 1 == ctx.bounds.len() && !segment.marker_after && segment.marker_before;
    let (a, b) = ctx.bounds[k];
    if !open || ctx.script.strict || (a..b).any(|i| ctx.roles[i] != Role::Plain) {
        return None;
    }
    let told = |i: &usize| ctx.lines[*i].class != Class::Blank;
    let first = (a..b).find(told)?;
    let depth = ctx.cols(first);
    let shut = |i: &usize| ctx.cols(*i) < depth && closes(ctx.lines[*i].trimmed);
    let mut closers: Vec<usize> = (a..b).rev().filter(told).take_while(shut).collect();
    closers.reverse();
    let from = *closers.first()?;
    let last = ctx.file.iter().rposition(|l| l.class != Class::Blank)? + 1;
    let start = last.checked_sub(closers.len())?;
    let shift = ctx.file_cols(start) - ctx.cols(from);
    let same = |(n, &i): (usize, &usize)| {
        let (new, old) = (&ctx.lines[i], &ctx.file[start + n]);
        new.same(old) && ctx.cols(i) + shift == ctx.file_cols(start + n)
    };
    // What stands in the block has its members' depth and ends above.
    let above = start.checked_sub(1)?;
    let fits = ctx.file_cols(above) == depth + shift
        && closes(ctx.file[above].trimmed)
        && !closes(ctx.lines[first].trimmed)
        && (first..from).filter(told).all(|i| ctx.cols(i) >= depth)
        && closers.iter().enumerate().all(same);
    let news = (a..from).map(Op::Insert);
    let closers = closers.iter().enumerate();
    fits.then(|| {
        news.chain(closers.map(|(n, &i)| Op::Pair(i, start + n)))
            .collect()
    })
}
