//! A part of the snippet whose place is not found or not clear.

use super::quote::{capital, lines_of, lines_word, quote};
use crate::apply::lines::line::Class;
use crate::apply::pass::align::{self, Op, Problem};
use crate::apply::pass::context::{Ctx, same_line};
use crate::apply::snippet::script::Role;
use crate::error::Error;
use crate::text::Span;

/// The file's window that shares most with a segment: its first line and the first
/// snippet line that differs there, with the file line it was held against.
struct Nearest {
    start: usize,
    end: usize,
    differs: Option<(usize, usize)>,
}

fn nearest(ctx: &Ctx, k: usize) -> Option<Nearest> {
    let (a, b) = ctx.bounds[k];
    let lines: Vec<usize> = (a..b)
        .filter(|&i| ctx.lines[i].class == Class::Plain && ctx.roles[i] != Role::Plus)
        .collect();
    let mut votes: std::collections::BTreeMap<i64, i32> = std::collections::BTreeMap::new();
    let mut best: Vec<(usize, usize, i32)> = Vec::new();
    for &i in &lines {
        for (j, f) in ctx.file.iter().enumerate() {
            let r = if same_line(ctx, i, j) {
                1500
            } else {
                ctx.lines[i].similarity(f)
            };
            if r >= 400 {
                *votes.entry(j as i64 - i as i64).or_insert(0) += r;
                best.push((i, j, r));
            }
        }
    }
    let (&shift, _) = votes.iter().max_by_key(|(s, v)| (**v, -**s))?;
    let start = (a as i64 + shift).max(0) as usize;
    let end = ((b as i64 + shift).max(1) as usize).min(ctx.file.len());
    let differs = (a..b).find_map(|i| {
        let j = usize::try_from(i as i64 + shift).ok()?;
        let f = ctx.file.get(j)?;
        (ctx.lines[i].class != Class::Blank
            && ctx.roles[i] != Role::Plus
            && !ctx.lines[i].same(f)
            && ctx.lines[i].similarity(f) >= 300)
            .then_some((i, j))
    });
    (start < end).then_some(Nearest {
        start,
        end,
        differs,
    })
}

fn near_text(ctx: &Ctx, k: usize) -> (String, Option<Span>) {
    let Some(n) = nearest(ctx, k) else {
        return (" Nothing in the file resembles them.".into(), None);
    };
    let span = Span::new(n.start + 1, n.end);
    let mut text = format!(" The nearest is {} of the file", lines_word(span));
    if let Some((i, j)) = n.differs {
        text.push_str(&format!(
            "; the first that differs:\n  file {}: {}\n  your {}: {}",
            j + 1,
            quote(ctx.file[j].raw),
            ctx.numbers[i],
            quote(ctx.lines[i].raw)
        ));
    } else {
        text.push('.');
    }
    (text, Some(span))
}

/// No line of the segment says where it belongs.
pub(crate) fn no_anchor(ctx: &Ctx, k: usize) -> Error {
    let (near, span) = near_text(ctx, k);
    Error::refused(
        "no_anchor",
        format!(
            "{} of the snippet {} of {}.{near}",
            capital(&lines_word(lines_of(ctx, k))),
            if lines_of(ctx, k).len() == 1 { "is no line" } else { "are no lines" },
            ctx.pass.path
        ),
        match span {
            Some(s) => format!("Copy a line above and one below {} word for word round the change.", lines_word(s)),
            None => "Copy one or two lines of the file word for word next to the change; check that this is the file you mean.".into(),
        },
    )
}

/// A line of the file at the segment's end that is not where the segment goes.
pub(crate) fn misplaced(ctx: &Ctx, k: usize, i: usize) -> Error {
    let stands: Vec<String> = (0..ctx.file.len())
        .filter(|&j| ctx.file[j].same(&ctx.lines[i]))
        .take(3)
        .map(|j| (j + 1).to_string())
        .collect();
    Error::refused(
        "misplaced_context",
        format!(
            "Line {} of the snippet ({}) is line {} of {}, but the rest of its part (lines {}) belongs elsewhere.",
            ctx.numbers[i],
            quote(ctx.lines[i].raw),
            stands.join(", "),
            ctx.pass.path,
            lines_of(ctx, k)
        ),
        "Put a marker line in front of it if that line is meant; if not, add the line that follows it where it belongs.",
    )
}

/// New lines between two markers, which may go anywhere.
pub(crate) fn no_place(ctx: &Ctx, k: usize) -> Error {
    let (a, _) = ctx.bounds[k];
    Error::refused(
        "no_place",
        format!(
            "The place of {} of the snippet (from {}) is open: no line among them stands once in {}.",
            lines_word(lines_of(ctx, k)),
            quote(ctx.lines[a].raw),
            ctx.pass.path
        ),
        "Copy the existing line above or below that place into the snippet, without a marker between.",
    )
}

/// Lines that a hunk or a search block asks for are not there.
pub(crate) fn context_missing(ctx: &Ctx) -> Error {
    let m = ctx.lines.len();
    let missing: Vec<usize> = (0..m)
        .filter(|&i| {
            matches!(ctx.roles[i], Role::Minus | Role::Context)
                && ctx.lines[i].class != Class::Blank
                && !(0..ctx.file.len()).any(|j| same_line(ctx, i, j))
        })
        .collect();
    let k = missing.first().map_or(0, |&i| {
        ctx.bounds
            .iter()
            .position(|&(a, b)| a <= i && i < b)
            .unwrap_or(0)
    });
    let (near, span) = near_text(ctx, k);
    let what = match missing.first() {
        Some(&i) => {
            let n = missing.len();
            let more = if n > 1 {
                format!(" and {} more", n - 1)
            } else {
                String::new()
            };
            format!(
                "Line {} of the edit ({}){more} is not in {}.{near}",
                ctx.numbers[i],
                quote(ctx.lines[i].raw),
                ctx.pass.path
            )
        }
        None => format!(
            "The lines to replace (from {}) do not stand together in {} as the edit gives them.{near}",
            ctx.lines.first().map_or(String::new(), |l| quote(l.raw)),
            ctx.pass.path
        ),
    };
    // The agent may have sent an edit that is made already.
    let made = (0..m).any(|i| ctx.roles[i] == Role::Plus)
        && (0..m)
            .filter(|&i| ctx.roles[i] == Role::Plus && ctx.lines[i].class == Class::Plain)
            .all(|i| ctx.counts.contains_key(&ctx.lines[i].hash));
    let hint = if made {
        "The new lines stand in the file already: the edit seems to be made. ".to_string()
    } else {
        String::new()
    };
    Error::refused(
        "context_missing",
        what,
        match span {
            Some(s) => format!(
                "{hint}Copy the lines to replace word for word; read {} again.",
                lines_word(s)
            ),
            None => {
                format!("{hint}Read the file again and copy the lines to replace word for word.")
            }
        },
    )
}

/// The segment fits several places alike.
pub(crate) fn ambiguous(ctx: &Ctx, k: usize, ops: &[Op], problem: &Problem, s: usize) -> Error {
    let first = ops
        .iter()
        .find_map(|op| match op {
            Op::Pair(_, j) => Some(*j),
            _ => None,
        })
        .unwrap_or(0);
    let places = align::candidates(problem, s, first);
    let mut list = String::new();
    for &j in &places {
        list.push_str(&format!("\n  line {}: {}", j + 1, quote(ctx.file[j].raw)));
        if let Some(h) = header_above(ctx, j) {
            list.push_str(&format!(
                " below line {}: {}",
                h + 1,
                quote(ctx.file[h].raw)
            ));
        }
    }
    Error::refused(
        "ambiguous",
        format!(
            "{} of the snippet fit more than one place in {}:{list}",
            capital(&lines_word(lines_of(ctx, k))),
            ctx.pass.path
        ),
        "Put the header above the one you mean (and a marker below it), or a line that stands only there, in front of these lines.",
    )
}

/// The nearest line above that is less deep and tells the places apart.
fn header_above(ctx: &Ctx, j: usize) -> Option<usize> {
    let mut depth = ctx.file_cols(j);
    let mut at = j;
    loop {
        let h = (0..at)
            .rev()
            .find(|&h| ctx.file[h].class == Class::Plain && ctx.file_cols(h) < depth)?;
        if ctx.counts.get(&ctx.file[h].hash) == Some(&1) {
            return Some(h);
        }
        depth = ctx.file_cols(h);
        at = h;
    }
}

/// Segments that do not follow the file's order.
pub(crate) fn order(ctx: &Ctx, k: usize) -> Error {
    Error::refused(
        "order",
        format!(
            "{} of the snippet fit {} only before or between lines that another part of it covers.",
            capital(&lines_word(lines_of(ctx, k))),
            ctx.pass.path
        ),
        "Send the parts in the order of the file, or as separate edits; where they are in order, give each a line that stands only there.",
    )
}

/// The depth of the segment's lines cannot be told.
pub(crate) fn indent(ctx: &Ctx, k: usize) -> Error {
    Error::refused(
        "indent",
        format!(
            "{} of the snippet are indented neither as in {} nor all by the same amount less.",
            capital(&lines_word(lines_of(ctx, k))),
            ctx.pass.path
        ),
        "Indent the lines as they shall stand in the file.",
    )
}
