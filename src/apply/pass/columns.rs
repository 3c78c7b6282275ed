//! How the columns of a snippet are those of the file: tabs against blanks, other depths, and parts
//! that are moved in or out.

use super::context::Ctx;
use crate::apply::lines::line::{Class, Line, starts_comment};
use crate::apply::snippet::script::Role;

/// How many blanks of one side make a tab of the other.
pub(crate) fn tab_width(ctx: &Ctx, pairs: &[(usize, usize)]) -> usize {
    let mut votes = [0usize; 9];
    for &(i, j) in pairs {
        let (a, b) = (ctx.lines[i].indent(), ctx.file[j].indent());
        let (tabs, blanks) = if b.bytes().all(|c| c == b'\t') && a.bytes().all(|c| c == b' ') {
            (b.len(), a.len())
        } else if a.bytes().all(|c| c == b'\t') && b.bytes().all(|c| c == b' ') {
            (a.len(), b.len())
        } else {
            continue;
        };
        if tabs > 0
            && blanks > 0
            && blanks % tabs == 0
            && let Some(v) = votes.get_mut(blanks / tabs)
        {
            *v += 1;
        }
    }
    (1..votes.len())
        .filter(|&w| votes[w] > 0)
        .max_by_key(|&w| (votes[w], std::cmp::Reverse(w)))
        .or_else(|| blanks_for_tabs(&ctx.lines, ctx.file))
        .or_else(|| blanks_for_tabs(ctx.file, &ctx.lines))
        .unwrap_or(4)
}

/// By how many blanks one side is indented a level, where the other has nothing but tabs.
fn blanks_for_tabs(blanks: &[Line], tabs: &[Line]) -> Option<usize> {
    let only = |lines: &[Line], blank: u8| {
        let mut indents = lines.iter().map(Line::indent);
        let some = lines.iter().any(|l| !l.indent().is_empty());
        some && indents.all(|indent| indent.bytes().all(|b| b == blank))
    };
    if !only(blanks, b' ') || !only(tabs, b'\t') {
        return None;
    }
    let width = |l: &&Line| l.indent().len() as i32;
    let code = || blanks.iter().filter(|l| is_code(l));
    let least = code().map(|l| width(&l)).min()?;
    let level = unit(code().map(|l| width(&l) - least));
    usize::try_from(level)
        .ok()
        .filter(|n| [2, 3, 4, 8].contains(n))
}

/// Whether a line stands as deep as its block: comments that go on are a column deeper.
fn is_code(l: &Line) -> bool {
    let comment = starts_comment(l.trimmed) || l.trimmed.starts_with('*');
    l.class != Class::Blank && !comment
}

/// Whether the snippet indents by twice or half of what the file does, as lines of several
/// depths show that stand on both sides, or of one and what all depths have in common; where none but
/// the margin is on both sides, by how much deeper blocks are than their headers.
pub(crate) fn scale(ctx: &Ctx, pairs: &[(usize, usize)]) -> (i32, i32) {
    let mut depths: Vec<(i32, i32)> = pairs
        .iter()
        .map(|&(i, j)| (ctx.file_cols(j), ctx.cols(i)))
        .collect();
    depths.sort_unstable();
    depths.dedup();
    let outer = depths.contains(&(0, 0));
    let inner = depths.len() - usize::from(outer);
    let here = || {
        let lines = (0..ctx.lines.len()).filter(|&i| is_code(&ctx.lines[i]));
        unit(lines.map(|i| ctx.cols(i)))
    };
    let there = || {
        let lines = (0..ctx.file.len()).filter(|&j| is_code(&ctx.file[j]));
        unit(lines.map(|j| ctx.file_cols(j)))
    };
    let stepped = |file: i32, snippet: i32| {
        let (Some(here), Some(there)) = (
            step(&ctx.lines, |i| ctx.cols(i), |n, all| n == all),
            step(
                ctx.file,
                |j| ctx.file_cols(j),
                |n, all| all >= STEPS && n * 10 >= all * 9,
            ),
        ) else {
            return false;
        };
        there * snippet == here * file
    };
    [(1, 2), (2, 1)]
        .into_iter()
        .find(|&(file, snippet)| {
            depths.iter().all(|(f, s)| f * snippet == s * file)
                && match inner {
                    0 => (outer || depths.is_empty()) && stepped(file, snippet),
                    1 => outer && there() * snippet == here() * file,
                    _ => true,
                }
        })
        .unwrap_or((1, 1))
}

/// So many blocks show how a file is indented.
const STEPS: usize = 5;

/// By how many columns blocks are deeper than their headers: all, or as many of all as `enough` says.
fn step(
    lines: &[Line],
    cols: impl Fn(usize) -> i32,
    enough: impl Fn(usize, usize) -> bool,
) -> Option<i32> {
    let told: Vec<usize> = (0..lines.len())
        .filter(|&i| lines[i].class != Class::Blank)
        .collect();
    let opens = |i: usize| lines[i].trimmed.ends_with(['{', ':']);
    let steps = told.windows(2).filter(|w| opens(w[0]));
    let steps: Vec<i32> = steps
        .map(|w| cols(w[1]) - cols(w[0]))
        .filter(|&n| n > 0)
        .collect();
    // A label such as `public:` may stand a column deeper than its class.
    let most = most(&steps).filter(|n| n % 2 == 0)?;
    let times = steps.iter().filter(|n| **n == most).count();
    enough(times, steps.len()).then_some(most)
}

/// What all depths are a multiple of.
fn unit(depths: impl Iterator<Item = i32>) -> i32 {
    depths.fold(0, |mut a, mut b| {
        while b != 0 {
            (a, b) = (b, a % b);
        }
        a
    })
}

/// Whether the snippet writes all its indentation in blanks where the file has tabs, or the
/// reverse, as a line that stands on both sides shows: then each of its lines does.
pub(crate) fn is_swapped(ctx: &Ctx, pairs: &[(usize, usize)]) -> bool {
    let all = |blank: u8| {
        let mut indents = ctx.lines.iter().map(Line::indent);
        indents.all(|indent| indent.bytes().all(|b| b == blank))
    };
    let shows = |blank: char, other: char| {
        pairs.iter().any(|&(i, j)| {
            ctx.lines[i].indent().starts_with(blank) && ctx.file[j].indent().starts_with(other)
        })
    };
    all(b' ') && shows(' ', '\t') || all(b'\t') && shows('\t', ' ')
}

/// Whether a part's first line stands at the margin and not in the file, although the next line stands
/// as deep as it does there: only the start of the first line was not copied.
pub(crate) fn lost_its_indent(ctx: &Ctx, a: usize, pairs: &[(usize, usize)]) -> bool {
    let Some(&(_, j)) = pairs.iter().find(|p| p.0 == a) else {
        return false;
    };
    let told = |l: &Line| l.class != Class::Blank;
    let new = (a + 1..ctx.lines.len()).find(|&x| told(&ctx.lines[x]));
    let old = (j + 1..ctx.file.len()).find(|&y| told(&ctx.file[y]));
    ctx.cols(a) == 0
        && ctx.file_cols(j) > 0
        && matches!((new, old), (Some(x), Some(y)) if ctx.lines[x].same(&ctx.file[y])
            && ctx.cols(x) == ctx.file_cols(y))
}

/// Whether the lines of each segment that stand once on both sides, of which there are some, are all as
/// much deeper in the file.
pub(crate) fn steady(ctx: &Ctx, pairs: &[(usize, usize)]) -> Vec<bool> {
    let segments = ctx.bounds.iter().map(|&(a, b)| {
        let own = pairs.iter().filter(|p| (a..b).contains(&p.0));
        let mut shifts = own.map(|&(i, j)| ctx.file_cols(j) - ctx.cols(i));
        shifts
            .next()
            .is_some_and(|first| shifts.all(|s| s == first))
    });
    segments.collect()
}

/// How far each segment has to be moved to the right, where its unique lines tell.
pub(crate) fn shifts(ctx: &Ctx, pairs: &[(usize, usize)]) -> Vec<Option<i32>> {
    let shift = |i: usize, j: usize| ctx.file_cols(j) - ctx.cols(i);
    let by_segment: Vec<Vec<(i32, i32)>> = ctx
        .bounds
        .iter()
        .map(|&(a, b)| {
            pairs
                .iter()
                .filter(|&&(i, _)| a <= i && i < b && !ctx.hangs(i, a))
                .map(|&(i, j)| (ctx.cols(i), shift(i, j)))
                .collect()
        })
        .collect();
    by_segment
        .iter()
        .zip(&ctx.bounds)
        .map(|(d, &(a, b))| {
            if d.is_empty() {
                return repeated_shift(ctx, a, b);
            }
            // Lines below may be moved or wrapped, the first stands where it stood.
            if d.first()?.1 == 0 {
                return Some(0);
            }
            // Inner lines may be wrapped or unwrapped, the outermost are not.
            let least = d.iter().map(|x| x.0).min()?;
            let outer: Vec<i32> = d.iter().filter(|x| x.0 == least).map(|x| x.1).collect();
            most(&outer)
        })
        .collect()
}

/// How far a segment has to be moved whose lines all stand in the file more than once: the
/// shift of those that stand at one depth there.
fn repeated_shift(ctx: &Ctx, a: usize, b: usize) -> Option<i32> {
    let mut votes = Vec::new();
    for i in (a..b).filter(|&i| ctx.lines[i].class == Class::Plain) {
        if ctx.roles[i] == Role::Plus || !ctx.counts.contains_key(&ctx.lines[i].hash) {
            continue;
        }
        let mut there = (0..ctx.file.len()).filter(|&j| ctx.lines[i].same(&ctx.file[j]));
        let first = there.next().map(|j| ctx.file_cols(j));
        if let Some(cols) = first
            && there.all(|j| ctx.file_cols(j) == cols)
        {
            votes.push(cols - ctx.cols(i));
        }
    }
    if votes.is_empty() && as_deep(ctx, a, b) {
        return Some(0);
    }
    most(&votes)
}

/// Whether each line of a segment that the file has stands there as deep, too.
fn as_deep(ctx: &Ctx, a: usize, b: usize) -> bool {
    let known = |i: &usize| {
        let l = &ctx.lines[*i];
        l.class == Class::Plain && ctx.counts.contains_key(&l.hash)
    };
    let there =
        |i: usize, j: usize| ctx.lines[i].same(&ctx.file[j]) && ctx.file_cols(j) == ctx.cols(i);
    let mut known = (a..b).filter(known).peekable();
    known.peek().is_some() && known.all(|i| (0..ctx.file.len()).any(|j| there(i, j)))
}

/// The most frequent value, the one nearest to zero among equals.
pub(crate) fn most(values: &[i32]) -> Option<i32> {
    values
        .iter()
        .copied()
        .max_by_key(|v| (values.iter().filter(|w| *w == v).count(), -v.abs(), *v))
}
