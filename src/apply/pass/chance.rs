//! Lines that are the same on both sides by chance: the blocks in which they stand are others.

use super::align::NO_PAIR;
use super::closers::{branches, header, opened};
use super::context::Ctx;
use crate::apply::lines::line::{Class, Line};

/// What a line is worth that closes a block of one side, for one that closes another block.
const APART: i16 = 5;

/// What a line at another depth is worth, alone in a block that the file does not have.
const STRAYED: i16 = 61;

/// Whether a pair with such a score says that the file has the line.
pub(super) fn tells(score: i16) -> bool {
    score > APART && score != STRAYED
}

/// A line at another depth, none beside it the same on both sides, in a block whose first line is none
/// of those of the block there, only happens to be the same.
pub(super) fn strays(ctx: &Ctx, file_cols: &[i32], general: Option<i32>, out: &mut [i16]) {
    let n = ctx.file.len();
    let beside = |lines: &[Line], from: usize, to: usize, i: usize| {
        let told = |x: &usize| lines[*x].class != Class::Blank;
        ((from..i).rev().find(told), (i + 1..to).find(told))
    };
    for (k, &(a, b)) in ctx.bounds.iter().enumerate() {
        let Some(shift) = ctx.shifts[k].or(general) else {
            continue;
        };
        for i in a..b {
            if ctx.lines[i].class != Class::Plain {
                continue;
            }
            let Some(top) = header(&ctx.lines, a, i, |x| ctx.cols(x)) else {
                continue;
            };
            for j in 0..n {
                if out[i * n + j] <= STRAYED || file_cols[j] == ctx.cols(i) + shift {
                    continue;
                }
                let above = header(ctx.file, 0, j, |y| file_cols[y]);
                if above.is_some_and(|y| out[top * n + y] != NO_PAIR) {
                    continue;
                }
                let (new, old) = (beside(&ctx.lines, a, b, i), beside(ctx.file, 0, n, j));
                let same = |x: Option<usize>, y: Option<usize>| {
                    x.zip(y)
                        .is_some_and(|(x, y)| ctx.lines[x].same(&ctx.file[y]))
                };
                if !same(new.0, old.0) && !same(new.1, old.1) {
                    out[i * n + j] = STRAYED;
                }
            }
        }
    }
}

/// The end of a preprocessor's condition, or its other branch, tells nothing where that condition may
/// not be the one there.
pub(super) fn conditions(ctx: &Ctx, out: &mut [i16]) {
    let n = ctx.file.len();
    let mut old = None;
    for &(a, b) in &ctx.bounds {
        for (i, top) in branches(&ctx.lines[a..b]) {
            let old = old.get_or_insert_with(|| branches(ctx.file));
            for &mut (j, above) in old {
                let apart = out[(a + top) * n + above] == NO_PAIR;
                let cell = &mut out[(a + i) * n + j];
                if apart {
                    *cell = APART.min(*cell);
                }
            }
        }
    }
}

/// Lines that close blocks which may have no line in common tell nothing.
pub(super) fn closers(ctx: &Ctx, file_cols: &[i32], out: &mut [i16]) {
    let n = ctx.file.len();
    let cols: Vec<i32> = (0..ctx.lines.len()).map(|i| ctx.cols(i)).collect();
    let new: Vec<_> = ctx
        .bounds
        .iter()
        .flat_map(|&(a, b)| {
            let opened = opened(&ctx.lines[a..b], &cols[a..b]);
            opened
                .into_iter()
                .enumerate()
                .filter_map(move |(i, o)| Some((a + i, a + o?)))
        })
        .collect();
    if new.is_empty() {
        return;
    }
    let old: Vec<_> = opened(ctx.file, file_cols)
        .into_iter()
        .enumerate()
        .filter_map(|(j, o)| Some((j, o?)))
        .collect();
    for &(i, top) in &new {
        if ctx.lines[top].class != Class::Plain {
            continue;
        }
        // How many lines above each one of the file may be one of the block.
        let mut shared = vec![0_u32; n + 1];
        for j in 0..n {
            let may = |x: usize| ctx.lines[x].class == Class::Plain && out[x * n + j] != NO_PAIR;
            shared[j + 1] = shared[j] + u32::from((top..i).any(may));
        }
        for &(j, above) in &old {
            if out[i * n + j] > APART && shared[j] == shared[above] {
                out[i * n + j] = APART;
            }
        }
    }
}
