//! Lines at the ends of a part that may go, stay or be replaced.

use std::ops::Range;

use super::quote::{capital, lines_of, lines_word, quote};
use crate::apply::lines::line::{Class, Line};
use crate::apply::lines::shape::closes;
use crate::apply::pass::context::{Ctx, same_line};
use crate::error::Error;
use crate::text::Span;

/// The snippet begins (or ends) without a marker at line `j`, with context below the first (or
/// above the last) lines of the file.
pub(crate) fn open_end(ctx: &Ctx, j: usize, starts: bool) -> Error {
    let (code, does, beyond, next) = match starts {
        true => (
            "unclear_start",
            "begins",
            "above",
            "Begin with `... existing code ...` to keep them; to remove them, send them with `-` in front.",
        ),
        false => (
            "unclear_end",
            "ends",
            "below",
            "End with `... existing code ...` to keep them; to remove them, send them with `-` in front.",
        ),
    };
    Error::refused(
        code,
        format!(
            "The snippet {does} without a marker at line {} of {} ({}): the lines {beyond} it may be meant to go.",
            j + 1,
            ctx.pass.path,
            quote(ctx.file[j].raw)
        ),
        next,
    )
}

/// New import `i` brings in all that the one at file line `j` does, which stays.
pub(crate) fn brought_twice(ctx: &Ctx, i: usize, j: usize) -> Error {
    Error::refused(
        "duplicate_import",
        format!(
            "Line {} of the snippet ({}) brings in what line {} of {} ({}) does, and the snippet does not say that this one goes.",
            ctx.numbers[i],
            quote(ctx.lines[i].raw),
            j + 1,
            ctx.pass.path,
            quote(ctx.file[j].raw)
        ),
        format!(
            "Begin or end the part with the lines around line {}, to keep it or leave it out, or send it with `-` in front.",
            j + 1
        ),
    )
}

/// A comment tells that something is gone where nothing goes.
pub(crate) fn nothing_goes(ctx: &Ctx, number: usize) -> Error {
    Error::refused(
        "removal_comment",
        format!(
            "Line {number} of the snippet tells of a removal, but the lines around it take nothing out of {} there.",
            ctx.pass.path
        ),
        "Give the lines above and below what goes, without a marker between, or what goes with `-` in front; leave the comment out.",
    )
}

/// A new line at a segment's end may replace the file's line or stand beside it.
pub(crate) fn edge(ctx: &Ctx, i: usize, j: usize) -> Error {
    let (new, old) = (quote(ctx.lines[i].raw), quote(ctx.file[j].raw));
    let (number, path) = (ctx.numbers[i], ctx.pass.path);
    let message = match ctx.lines[i].same(&ctx.file[j]) {
        true => format!(
            "Line {number} of the snippet ({new}) may be line {} of {path} or another one like it.",
            j + 1
        ),
        false => format!(
            "Line {number} of the snippet ({new}) may replace line {} of {path} ({old}) or stand beside it.",
            j + 1
        ),
    };
    Error::refused("unclear_edge", message, edge_next(ctx, i, j))
}

/// The last line of the block that file line `j` opens, itself where it opens none.
fn block_end(ctx: &Ctx, j: usize) -> usize {
    let out = ctx.out_of(j);
    let told = |n: &usize| ctx.file[*n].class != Class::Blank;
    let inside = (j + 1..out.unwrap_or(ctx.file.len())).rev().find(told);
    let closer = out.filter(|&n| closes(ctx.file[n].trimmed));
    inside.map_or(j, |last| closer.unwrap_or(last))
}

/// What tells whether new line `i` replaces file line `j`: the line behind it, on the side on
/// which the segment does not have it.
fn edge_next(ctx: &Ctx, i: usize, j: usize) -> String {
    let (a, b) = ctx.bounds[ctx.segment_of(i)];
    let told = |n: &usize| ctx.file[*n].class != Class::Blank;
    let above = (0..j).rev().find(told);
    let below = (j + 1..ctx.file.len()).find(told);
    // Whether some lines of the snippet stand in a part of the file.
    let given = |lines: Range<usize>, file: Range<usize>| {
        lines
            .filter(|&l| ctx.lines[l].class == Class::Plain)
            .any(|l| file.clone().any(|n| same_line(ctx, l, n)))
    };
    let is = |n: Option<usize>| n.map_or(0..0, |n| n..n + 1);
    let sides = (given(a..i, 0..j), given(i + 1..b, j + 1..ctx.file.len()));
    let sides = match sides {
        (true, true) => (given(a..i, is(above)), given(i + 1..b, is(below))),
        some => some,
    };
    let (does, side, n) = match sides {
        (false, true) => ("Begin", "last line above", above),
        (true, true) => ("", "", None),
        (_, false) => ("End", "first line below", below),
    };
    match n {
        Some(n) => {
            // What stays above ends with its last line.
            let stays = if does == "Begin" {
                block_end(ctx, j)
            } else {
                j
            };
            let end = match stays == j {
                true => String::new(),
                false => format!(" ({})", quote(ctx.file[stays].raw)),
            };
            format!(
                "{does} the part with the {side} that stays: line {} ({}) if line {} goes, else line {}{end}.",
                n + 1,
                quote(ctx.file[n].raw),
                j + 1,
                stays + 1
            )
        }
        None => format!(
            "Repeat line {} next to it to keep it, or send it with `-` in front to replace it.",
            j + 1
        ),
    }
}

/// A run of lines would go without a clear sign.
pub(crate) fn removed_at_edge(ctx: &Ctx, k: usize, from: usize, to: usize) -> Error {
    unexplained(
        ctx.pass.path,
        ctx.file,
        Span::new(from + 1, to + 1),
        lines_of(ctx, k),
    )
}

/// A run of lines would go without a clear sign.
pub(crate) fn unexplained(path: &str, file: &[Line], gone: Span, snippet: Span) -> Error {
    let told = |l: &&Line| l.class != Class::Blank;
    let first = file
        .get(gone.start - 1..gone.end)
        .and_then(|lines| lines.iter().find(told))
        .map_or(String::new(), |l| quote(l.raw));
    Error::refused(
        "unexplained_removal",
        format!(
            "{} of the snippet would remove {} of {path} (from {first}) without saying so.",
            capital(&lines_word(snippet)),
            lines_word(gone)
        ),
        "Put a line `... existing code ...` where they stay; to remove them, send each with `-` in front.",
    )
}

/// A line beside a change differs from the file's in its blanks alone.
pub(crate) fn respaced(ctx: &Ctx, i: usize, j: usize) -> Error {
    misquote(
        ctx,
        (i, j),
        "in nothing but blanks",
        "Quote it as the file has it; if it changes, send it with `-` and `+` lines.",
    )
}

/// A part of an edit shows nothing new but a line that differs from the file's in its blanks, quotes
/// or comment.
pub(crate) fn slip(ctx: &Ctx, i: usize, j: usize) -> Error {
    misquote(
        ctx,
        (i, j),
        "in blanks, quotes or a comment, and nothing else differs in its part",
        "If that is a change, send it with `-` and `+` lines; if not, leave the part out.",
    )
}

/// Lines that quote the file's have tabs where it has blanks, or the reverse, and others do not.
pub(crate) fn mixed_indent(ctx: &Ctx, i: usize, j: usize) -> Error {
    misquote(
        ctx,
        (i, j),
        "in the tabs and blanks in front of it, as other lines of its part do not",
        "Indent lines that stay as the file does; send those whose blanks change with `-` and `+`.",
    )
}

fn misquote(ctx: &Ctx, (i, j): (usize, usize), differs: &str, next: &str) -> Error {
    Error::refused(
        "misquoted",
        format!(
            "Line {} of the snippet ({}) differs from line {} of {} ({}) {differs}.",
            ctx.numbers[i],
            quote(ctx.lines[i].raw),
            j + 1,
            ctx.pass.path,
            quote(ctx.file[j].raw)
        ),
        next,
    )
}
