//! What the blocks that file and snippet open with the same line say about the lines within.

use super::closers::{block, block_of, header};
use super::context::{Ctx, same_line};
use super::guides::{CLOSER, Guides, Range};
use super::scores::CHANGED;
use crate::apply::lines::line::Class;
use crate::apply::lines::shape::opens;
use crate::apply::lines::words::word_at;
use crate::apply::snippet::script::Role;

/// Bounds the lines of each block of the snippet whose first line stands once where it may stand,
/// and pairs the lines that close it.
pub(super) fn bound(ctx: &Ctx, guides: &mut Guides) {
    for i in 0..ctx.lines.len() {
        let plain = ctx.roles[i] == Role::Plain && ctx.lines[i].class == Class::Plain;
        if plain && !guides.new[i] && !guides.pairs.iter().any(|p| p.0 == i) {
            within(ctx, guides, i);
        }
    }
}

/// Whether the blocks around a snippet line, as far as its segment shows them, are those around a
/// line of the file, changed or not.
fn nested(ctx: &Ctx, guides: &Guides, i: usize, j: usize) -> bool {
    let (from, _) = ctx.bounds[ctx.segment_of(i)];
    let Some(x) = header(&ctx.lines, from, i, |x| ctx.cols(x)) else {
        return true;
    };
    header(ctx.file, 0, j, |y| ctx.file_cols(y)).is_some_and(|y| {
        let name = guides.name_at(y).and_then(|n| ctx.text.text().get(n));
        // A function under another name may be another one.
        let kept = name.is_none_or(|name| word_at(ctx.lines[x].trimmed, name).is_some());
        (same_line(ctx, x, y) || kept && ctx.lines[x].similarity(&ctx.file[y]) >= CHANGED)
            && nested(ctx, guides, x, y)
    })
}

/// The same for the block that a snippet line opens. Nothing where it opens none that the file has.
fn within(ctx: &Ctx, guides: &mut Guides, i: usize) -> Option<()> {
    let line = &ctx.lines[i];
    ctx.counts.get(&line.hash)?;
    let bounds = guides.ranges[i].map_or(0..ctx.file.len(), |r| r.low..r.high);
    let once = ctx.lines.iter().filter(|l| l.same(line)).count() == 1;
    let mut same = bounds.clone().filter(|&j| ctx.file[j].same(line));
    let j = same.next().filter(|_| once && same.next().is_none())?;
    let s = ctx.segment_of(i);
    let (_, to) = ctx.bounds[s];
    let opened = match (i + 1..to).find(|&x| ctx.lines[x].class != Class::Blank) {
        Some(x) => {
            let deeper = ctx.cols(x) - ctx.cols(i);
            deeper > 0 || deeper == 0 && ctx.lines[x].trimmed == "{"
        }
        None => {
            let marker = &ctx.script.segments[s].marker_indent;
            ctx.snippet_cols(marker) > ctx.cols(i) && opens(line.trimmed)
        }
    };
    let (new, old) = (block(ctx, i), block_of(ctx.file, j, |n| ctx.file_cols(n)));
    if !opened || old.end == j + 1 || !nested(ctx, guides, i, j) {
        return None;
    }
    for x in (i + 1..new.end).filter(|&x| ctx.is_inside(i, x)) {
        guides.ranges[x] = Some(Range {
            low: j,
            high: old.end.min(bounds.end),
            firm: false,
            inside: true,
        });
    }
    let x = new.end - 1;
    let y = old.end - 1;
    let alike = ctx.lines[x].trimmed.chars().next() == ctx.file[y].trimmed.chars().next();
    if new.closed && old.closed && alike && ctx.is_inside(i, x) && ctx.roles[x] == Role::Plain {
        guides.pairs.push((x, y, CLOSER));
        guides.ranges[x] = Some(Range::only(y));
    }
    Some(())
}
