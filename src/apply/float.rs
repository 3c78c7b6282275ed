//! Where a segment goes that has no line of the file.

use super::align::Op;
use super::columns::most;
use super::context::Ctx;
use super::extent::Extent;
use super::likeness::{RETOUCHED, likeness};
use super::line::Class;
use super::placement::Placement;
use super::refuse;
use super::script::Role;
use super::shape::{closes, import};
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
