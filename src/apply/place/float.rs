//! Where a segment goes that has no line of the file.

use super::placement::Placement;
use crate::apply::lines::line::Class;
use crate::apply::lines::shape::{closes, import};
use crate::apply::pass::columns::most;
use crate::apply::pass::context::Ctx;
use crate::apply::pass::extent::Extent;

use crate::apply::refuse;
use crate::error::Result;

/// The place of a segment that has no line of the file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Float {
    /// The number of file lines before it.
    pub line: usize,
    pub by: Placement,
    /// Columns to add.
    pub shift: i32,
}

/// Finds the only place there is for a segment without any line of the file.
pub(crate) fn float(ctx: &Ctx, k: usize, edges: &[Extent]) -> Result<Float> {
    let segments = &ctx.script.segments;
    let (a, b) = ctx.bounds[k];
    if ctx.script.strict {
        return Err(refuse::context_missing(ctx));
    }
    let n = ctx.file.len();
    if n == 0 || ctx.file.iter().all(|l| l.class == Class::Blank) {
        return Ok(Float {
            line: n,
            by: Placement::End,
            shift: 0,
        });
    }
    let shift = most(&ctx.shifts.iter().flatten().copied().collect::<Vec<_>>()).unwrap_or(0);
    let least = (a..b)
        .filter(|&i| ctx.lines[i].class != Class::Blank)
        .map(|i| ctx.cols(i) + shift)
        .min()
        .unwrap_or(0);
    // A part that begins or ends in the middle of something is not all new.
    let told: Vec<usize> = (a..b)
        .filter(|&i| ctx.lines[i].class != Class::Blank)
        .collect();
    let (Some(&first), Some(_)) = (told.first(), told.last()) else {
        return Err(refuse::no_place(ctx, k));
    };
    if closes(ctx.lines[first].trimmed) || told.iter().any(|&i| ctx.cols(i) < ctx.cols(first)) {
        return Err(refuse::no_place(ctx, k));
    }
    // Nor is one whose first line is the file's.
    if ctx.counts.contains_key(&ctx.lines[first].hash) && !ctx.guides.new[first] {
        return Err(refuse::no_place(ctx, k));
    }
    let imports = (a..b)
        .filter(|&i| ctx.lines[i].class != Class::Blank)
        .all(|i| import(ctx.lines[i].trimmed));
    if imports
        && told
            .iter()
            .any(|&i| ctx.counts.contains_key(&ctx.lines[i].hash))
    {
        return Err(refuse::no_place(ctx, k));
    }
    // What begins without a marker begins the file.
    if imports
        && k == 0
        && !segments[k].marker_before
        && let Some(first) = ctx.guides.imports.first()
    {
        return Ok(Float {
            line: first.0,
            by: Placement::Imports,
            shift,
        });
    }
    if imports {
        let last = ctx
            .guides
            .imports
            .iter()
            .map(|s| s.1)
            .filter(|&e| edges.iter().filter(|x| x.segment > k).all(|x| e <= x.start))
            .max();
        if let Some(line) = last {
            return Ok(Float {
                line,
                by: Placement::Imports,
                shift,
            });
        }
    }
    if let Some(line) = between(ctx, k, edges, least) {
        return Ok(Float {
            line,
            by: Placement::Surroundings,
            shift,
        });
    }
    let segment = &segments[k];
    let last = k + 1 == segments.len();
    if last && !segment.marker_after && segment.marker_before && least <= 0 {
        let end = (0..n)
            .rev()
            .find(|&j| ctx.file[j].class != Class::Blank)
            .map_or(0, |j| j + 1);
        // What the file ends with may be what they take the place of.
        if let Some(j) = end.checked_sub(1)
            && ctx.file[j].class == Class::Plain
            && told.iter().any(|&i| akin(ctx, i, j, shift))
        {
            return Err(refuse::edge(ctx, first, j));
        }
        return Ok(Float {
            line: end,
            by: Placement::End,
            shift,
        });
    }
    Err(refuse::no_place(ctx, k))
}

/// Whether a snippet line begins with the words of a file line at its depth.
fn akin(ctx: &Ctx, i: usize, j: usize, shift: i32) -> bool {
    let head = |t: &str| {
        t.find(['(', '=', '{', '['])
            .and_then(|at| t.get(..at).map(str::len))
    };
    let (new, old) = (ctx.lines[i].trimmed, ctx.file[j].trimmed);
    let both = new.bytes().zip(old.bytes()).take_while(|(a, b)| a == b);
    let both = both.count();
    ctx.cols(i) + shift == ctx.file_cols(j)
        && head(old).is_some_and(|n| both * 2 >= n && both >= AKIN)
}

/// So many bytes tell what a line begins with.
const AKIN: usize = 6;

/// The end of the part above where the part below follows it in the file, blank lines
/// aside: nothing else lies between the markers.
fn between(ctx: &Ctx, k: usize, edges: &[Extent], least: i32) -> Option<usize> {
    let above = edges.iter().find(|e| e.segment + 1 == k)?;
    let below = edges.iter().find(|e| e.segment == k + 1)?;
    let gap = ctx.file.get(above.end..below.start)?;
    let level = |j: usize| ctx.file_cols(j) == least;
    (above.end > above.start
        && below.end > below.start
        && !above.inserts_last
        && !below.inserts_first
        && gap.iter().all(|l| l.class == Class::Blank)
        && level(above.end - 1)
        && level(below.start))
    .then_some(above.end)
}
