//! Finds where the segments of one pass belong.

mod float;
pub(super) mod keep;
pub(super) mod placement;
mod write;

use self::float::Float;
use self::placement::{Merged, Placed, Placement};
use self::write::Writer;
use super::edges::{self, frame, imports};
use super::lines::facts::Facts;
use super::lines::line::Class;
use super::pass::align::{NO_PAIR, Op, Problem, UNIQUE};
use super::pass::context::{Ctx, Pass, same_line};
use super::pass::extent::Extent;
use super::pass::guides::{CALLABLE, Guides};
use super::pass::prepare::prepare;
use super::pass::scores::{self, TELLING, insert_costs};
use super::pass::substitution;
use super::refuse;
use super::settle::{Aligned, ending, removed, renamed, rival, settle, tail};
use super::snippet::script::{Role, Script};
use crate::error::{Error, Result};
use crate::text::Span;

/// Cells of the dynamic program that a merge may fill (bytes, about).
const MAX_CELLS: usize = 64 << 20;

/// Places all segments of a script and writes the merged text.
pub(crate) fn place<'a>(
    pass: Pass<'a>,
    script: &'a Script,
    file: &'a Facts<'a>,
    guide: impl FnOnce(&Ctx<'a>) -> Guides,
) -> Result<Merged> {
    let mut ctx = prepare(pass, script, file);
    ctx.guides = guide(&ctx);
    place_by_guides(ctx, true)
}

/// Places all segments by what their guides say; `first` says that what the edit renames is not
/// known yet.
fn place_by_guides(mut ctx: Ctx, first: bool) -> Result<Merged> {
    let (pass, script) = (ctx.pass, ctx.script);
    let n = ctx.file.len();
    let m = ctx.lines.len();
    if m.saturating_mul(n + 1) > MAX_CELLS {
        return Err(refuse::too_large(pass.path, n, m));
    }
    let plain_scores = scores::scores(&ctx);
    let mut scores = plain_scores.clone();
    let runs = scores::prefer_runs(&ctx, &mut scores);
    let telling: Vec<bool> = ctx
        .bounds
        .iter()
        .map(|&(a, b)| {
            let closes = |s: &[(usize, usize); 2]| (a..b).contains(&s[0].0);
            ctx.guides.shut.iter().any(closes)
                || (a..b).any(|i| {
                    scores[i * n..(i + 1) * n]
                        .iter()
                        .any(|&p| i32::from(p) >= TELLING && p != NO_PAIR)
                })
        })
        .collect();
    // Segments that name no place of their own stay out of the alignment.
    let floating: Vec<bool> = ctx
        .bounds
        .iter()
        .zip(&telling)
        .map(|(&(a, b), &t)| {
            // What asks for lines of the file has to find them.
            let asks = (a..b).any(|i| matches!(ctx.roles[i], Role::Context | Role::Minus));
            !t && !asks
                && (a..b).any(|i| {
                    ctx.lines[i].class != Class::Blank
                        && (ctx.roles[i] == Role::Plus
                            || !scores[i * n..(i + 1) * n]
                                .iter()
                                .enumerate()
                                .any(|(j, &p)| p != NO_PAIR && same_line(&ctx, i, j)))
                })
        })
        .collect();
    let solid: Vec<usize> = (0..ctx.bounds.len()).filter(|&k| !floating[k]).collect();
    let bounds: Vec<(usize, usize)> = solid.iter().map(|&k| ctx.bounds[k]).collect();
    let inserts = insert_costs(&ctx, &scores);
    let deletable: Vec<bool> = {
        let prefixed: Vec<bool> = ctx
            .bounds
            .iter()
            .map(|&(a, b)| {
                script.strict || (a..b).any(|i| matches!(ctx.roles[i], Role::Plus | Role::Context))
            })
            .collect();
        (0..m).map(|i| !prefixed[ctx.segment_of(i)]).collect()
    };
    let problem = Problem {
        n,
        segments: &bounds,
        pairs: &scores,
        inserts: &inserts,
        deletable: &deletable,
        rewrites: &ctx.guides.rewrites,
    };
    let (mut ops, margins) = if bounds.is_empty() {
        (Vec::new(), Vec::new())
    } else if pass.reorder {
        apart(&ctx, &problem)?
    } else {
        let Some(mut first) = problem.solve(true) else {
            return Err(refuse::context_missing(&ctx));
        };
        if !runs.is_empty() {
            let plain = Problem {
                pairs: &plain_scores,
                ..problem
            };
            if let Some(second) = plain.solve(false)
                && let Some(s) = disagree(&ctx, &mut first.ops, &second.ops)
            {
                return Err(refuse::ambiguous(
                    &ctx,
                    solid[s],
                    &first.ops[s],
                    &problem,
                    s,
                ));
            }
        }
        (first.ops, first.margins)
    };
    if !script.strict {
        ctx.substitutions = substitution::substitutions(&ctx, &ops);
        ctx.replaced = substitution::replaced(&ctx, &ops);
        ctx.joined = substitution::joined(&ctx, &ops);
        ctx.taken = substitution::taken(&ctx, &ops);
        ctx.touched = substitution::touched(&ctx, &ops);
        ctx.swapped_names = substitution::swapped_names(&ctx, &ops);
        let placed: Vec<(usize, &[Op])> = (solid.iter().copied())
            .zip(ops.iter().map(Vec::as_slice))
            .collect();
        let mut known = substitution::known(&ctx, &floating, &placed);
        let parts = solid.windows(2).zip(ops.windows(2));
        let opened = parts.filter_map(|(k, ops)| ending::opened(&ctx, k[0], &ops[0], &ops[1]));
        known.extend(opened.map(|(i, j)| (i, j, CALLABLE)));
        if first && !known.is_empty() {
            ctx.guides.pairs.extend(known);
            return place_by_guides(ctx, false);
        }
    }
    let mut edges: Vec<Extent> = Vec::new();
    let (mut misquoted, mut idle) = (0, 0);
    let mut slip = None;
    let mut removed = Vec::new();
    let mut placed = Vec::new();
    let mut refused: Vec<Error> = Vec::new();
    for (s, &k) in solid.iter().enumerate() {
        let aligned = Aligned {
            problem: &problem,
            scores: &scores,
            runs: &runs,
            numbers: (s, k),
            margin: margins[s],
        };
        let settled = settle(&ctx, &aligned, &mut ops).and_then(|settled| {
            edges::lift_blanks(&ctx, &mut ops[s]);
            let edge = Extent::of(k, &ops[s]);
            if script.strict {
                return Ok(settled);
            }
            if let Some(above) = edges.last() {
                frame::leaves_nothing_out(&ctx, (above, &ops[s - 1]), (&edge, &ops[s]))?;
            }
            if settled.changes {
                frame::leaves_nothing_behind(&ctx, &edge, &ops[s])?;
            }
            Ok(settled)
        });
        let edge = Extent::of(k, &ops[s]);
        edges.push(edge);
        let settled = match settled {
            Ok(settled) => settled,
            Err(e) => {
                refused.push(e);
                continue;
            }
        };
        removed.extend(removed::removed_runs(&ctx, &ops[s]));
        let numbers = (
            ctx.numbers[ctx.bounds[k].0],
            ctx.numbers[ctx.bounds[k].1 - 1],
        );
        placed.push(Placed {
            snippet: Span::new(numbers.0, numbers.1),
            after_line: edge.start,
            lines: edge.end - edge.start,
            by: if settled.ended {
                Placement::End
            } else if settled.evidence.definition {
                Placement::Definition
            } else if settled.evidence.unique {
                Placement::UniqueLines
            } else {
                Placement::Surroundings
            },
            margin: Some(margins[s]).filter(|&m| !settled.ended && m < UNIQUE * 100),
        });
    }
    let mut writer = Writer::new(&ctx);
    // Floating segments between the others.
    let mut jobs: Vec<(usize, Job)> = edges
        .iter()
        .zip(&ops)
        .map(|(e, o)| (e.segment, Job::Aligned(*e, o.clone())))
        .collect();
    for k in (0..ctx.bounds.len()).filter(|&k| floating[k]) {
        let numbers = (
            ctx.numbers[ctx.bounds[k].0],
            ctx.numbers[ctx.bounds[k].1 - 1],
        );
        let clear = |ops: &Vec<Op>| {
            let edge = Extent::of(k, ops);
            edges
                .iter()
                .all(|e| e.end <= edge.start || edge.end <= e.start)
        };
        let new: Vec<Op> = (ctx.bounds[k].0..ctx.bounds[k].1).map(Op::Insert).collect();
        renamed::respelt(&ctx, &new)?;
        let mut found = imports::renewed(&ctx, k, &ops)?.map(|o| (o, Placement::Imports));
        if found.is_none() {
            found = tail::tail(&ctx, k).map(|o| (o, Placement::End));
        }
        if found.is_none() {
            found = tail::ends(&ctx, k).map(|o| (o, Placement::End));
        }
        if found.is_none() {
            found = tail::closing(&ctx, k).map(|o| (o, Placement::End));
        }
        if let Some((own, by)) = found.filter(|(own, _)| clear(own)) {
            let edge = Extent::of(k, &own);
            removed.extend(removed::removed_runs(&ctx, &own));
            placed.push(Placed {
                snippet: Span::new(numbers.0, numbers.1),
                after_line: edge.start,
                lines: edge.end - edge.start,
                by,
                margin: None,
            });
            jobs.push((k, Job::Aligned(edge, own)));
            continue;
        }
        let place = match float::float(&ctx, k, &edges) {
            Ok(place) => place,
            Err(e) => {
                refused.push(e);
                continue;
            }
        };
        placed.push(Placed {
            snippet: Span::new(numbers.0, numbers.1),
            after_line: place.line,
            lines: 0,
            by: place.by,
            margin: None,
        });
        jobs.push((k, Job::Floating(place)));
    }
    if let Some(e) = refuse::together(refused) {
        return Err(e);
    }
    let at = |j: &Job| match j {
        Job::Aligned(e, _) => (e.start, e.end),
        Job::Floating(p) => (p.line, p.line),
    };
    jobs.sort_by_key(|(k, j)| (at(j).0, at(j).1, *k));
    placed.sort_by_key(|p| (p.after_line, p.snippet.start));
    for (k, job) in &jobs {
        match job {
            Job::Aligned(edge, list) => {
                let quoted = writer.segment(*k, *edge, list)?;
                misquoted += quoted.misquoted.len();
                idle += usize::from(quoted.misquoted.is_empty());
                slip = slip.or(quoted.slip());
            }
            Job::Floating(p) => writer.floating(*k, p)?,
        }
    }
    let text = writer.finish();
    // Beside parts that change something, one may be given for what differs in its quotes.
    if let Some((i, j)) = slip
        && text != ctx.text.text()
    {
        return Err(refuse::slip(&ctx, i, j));
    }
    Ok(Merged {
        text,
        placed,
        removed,
        misquoted,
        idle,
        decided: ctx.decided.get(),
    })
}

enum Job {
    Aligned(Extent, Vec<Op>),
    Floating(Float),
}

/// The first segment for which two alignments cover other lines of the file, and the first removes or
/// changes some: then neither is sure. Where the second takes out a part of that and nothing else, it
/// is taken over.
fn disagree(ctx: &Ctx, one: &mut [Vec<Op>], other: &[Vec<Op>]) -> Option<usize> {
    one.iter_mut().zip(other).position(|(a, b)| {
        let (x, y) = (Extent::of(0, a), Extent::of(0, b));
        let apart = a.iter().any(|op| ctx.takes(op)) && (x.start, x.end) != (y.start, y.end);
        let less = apart && rival::takes_less(ctx, b, a);
        if less {
            a.clone_from(b);
        }
        apart && !less
    })
}

/// Each segment where it fits best, whatever the order.
fn apart(ctx: &Ctx, problem: &Problem) -> Result<(Vec<Vec<Op>>, Vec<i32>)> {
    let mut ops = Vec::new();
    let mut margins = Vec::new();
    let mut taken: Vec<(usize, usize)> = Vec::new();
    for (s, one) in problem.segments.iter().enumerate() {
        let single = Problem {
            segments: std::slice::from_ref(one),
            ..*problem
        };
        let Some(mut a) = single.solve(true) else {
            return Err(refuse::context_missing(ctx));
        };
        let list = a.ops.pop().unwrap_or_default();
        let lines = list.iter().filter_map(|op| match op {
            Op::Pair(_, j) | Op::Delete(j) => Some(*j),
            Op::Insert(_) => None,
        });
        let (x, y) = lines.fold((usize::MAX, 0), |(x, y), j| (x.min(j), y.max(j + 1)));
        if x < y {
            if taken.iter().any(|&(p, q)| x < q && p < y) {
                return Err(refuse::order(ctx, s));
            }
            taken.push((x, y));
        }
        ops.push(list);
        margins.push(a.margins.first().copied().unwrap_or(0));
    }
    Ok((ops, margins))
}
