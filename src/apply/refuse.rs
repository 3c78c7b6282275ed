//! Refusals: a code, which lines failed, where they may belong, and one next step.
//!
//! An agent reads them and sends the edit again, so each says what is missing and
//! nothing more.

use std::fmt::Write as _;
use std::ops::Range;

use super::align::{self, Op, Problem};
use super::context::{Ctx, same_line};
use super::line::{Class, Line};
use super::script::{Role, Unreadable};
use super::shape::closes;
use crate::error::Error;
use crate::text::Span;

/// Longest piece of a line that a message quotes, in characters.
const QUOTE: usize = 90;

fn quote(text: &str) -> String {
    let t = text.trim();
    if t.chars().count() <= QUOTE {
        format!("`{t}`")
    } else {
        let cut: String = t.chars().take(QUOTE).collect();
        format!("`{cut}…`")
    }
}

fn lines_of(ctx: &Ctx, k: usize) -> Span {
    let (a, b) = ctx.bounds[k];
    Span::new(ctx.numbers[a], ctx.numbers[b - 1])
}

fn lines_word(span: Span) -> String {
    if span.len() == 1 {
        format!("line {span}")
    } else {
        format!("lines {span}")
    }
}

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

/// How many refusals one answer tells: what is mended at once need not be sent twice.
const TOLD: usize = 3;

/// One refusal of what several parts of a snippet are refused for: the first, with those that
/// are no consequence of it.
pub(crate) fn together(refused: Vec<Error>) -> Option<Error> {
    let alone = |e: &Error| matches!(e.code, "unclear_edge" | "unexplained_removal" | "no_place");
    let mut refused = refused.into_iter();
    let mut first = refused.next()?;
    if !alone(&first) {
        return Some(first);
    }
    let others: Vec<Error> = refused.filter(alone).collect();
    for (n, other) in others.iter().enumerate() {
        if n + 1 == TOLD {
            let _ = write!(first.next, "\nalso: {} more like these.", others.len() - n);
            break;
        }
        let _ = write!(first.next, "\nalso: {}", other.message);
        if !first.next.contains(&other.next) {
            let _ = write!(first.next, " {}", other.next);
        }
    }
    Some(first)
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

/// A line of dots that leaves nothing out.
pub(crate) fn needless_dots(path: &str, number: usize, dots: &str) -> Error {
    Error::refused(
        "unclear_marker",
        format!(
            "Line {number} of the snippet (`{dots}`) leaves nothing of {path} out: it may be text or a marker."
        ),
        "Leave it out if it is a marker; if it is text, send the change as a diff with `+` in front of it.",
    )
}

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

/// A snippet without markers that would drop most of the file.
pub(crate) fn whole_file(path: &str, removed: usize, total: usize) -> Error {
    Error::refused(
        "missing_marker",
        format!("The snippet has no marker and would remove {removed} of {total} lines of {path}."),
        "Put `... existing code ...` where code stays, or ask for a full rewrite.",
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

/// The same edit, made again, would change the file again.
pub(crate) fn unstable(path: &str) -> Error {
    Error::refused(
        "unstable",
        format!(
            "Made twice, the edit would change {path} twice: its lines do not say clearly where they belong."
        ),
        "Send the change as a diff: a line `@@`, then `-` and `+` lines with a line of context above and below, that one after a space.",
    )
}

/// A text whose syntax cannot be checked in time.
pub(crate) fn unparsed(path: &str) -> Error {
    Error::refused(
        "unparsed",
        format!("Parsing {path} took too long, so the edit could not be checked."),
        "Send the edit again; if it is refused again, mend what nests too deeply or is never closed in the file.",
    )
}

/// Nothing differs but quotes or comments.
pub(crate) fn misquoted(path: &str, snippet: &str, file: &[Line]) -> Error {
    let first = snippet.lines().map(Line::new).zip(1..).find_map(|(l, n)| {
        let near = |f: &&Line| l.alike(f) || f.trimmed.starts_with(l.trimmed);
        let slip = l.class != Class::Blank && !file.iter().any(|f| l.same(f));
        let there = file.iter().position(|f| slip && near(&f))?;
        Some(format!(
            "; the first:\n  file {}: {}\n  your {n}: {}",
            there + 1,
            quote(file[there].raw),
            quote(l.raw)
        ))
    });
    Error::refused(
        "misquoted",
        format!(
            "The snippet differs from {path} in nothing but quotes or comments{}",
            first.unwrap_or_else(|| ".".into())
        ),
        "If that is the change, send it with `-` and `+` lines; if not, the file has this edit already.",
    )
}

/// A line beside a change differs from the file's in its blanks alone.
pub(crate) fn respaced(ctx: &Ctx, i: usize, j: usize) -> Error {
    Error::refused(
        "misquoted",
        format!(
            "Line {} of the snippet ({}) differs from line {} of {} ({}) in nothing but blanks.",
            ctx.numbers[i],
            quote(ctx.lines[i].raw),
            j + 1,
            ctx.pass.path,
            quote(ctx.file[j].raw)
        ),
        "Quote it as the file has it; if it changes, send it with `-` and `+` lines.",
    )
}

/// A comment asks for the removal of what the file does not define.
pub(crate) fn removal_of_nothing(path: &str, number: usize, text: &str, name: &str) -> Error {
    Error::refused(
        "removal_comment",
        format!(
            "Line {number} of the snippet ({}) asks to remove `{name}`, which {path} does not define.",
            quote(text)
        ),
        "If it is gone already, leave the comment out; to remove other lines send them with `-` in front, and to put the comment into the file send it with `+`.",
    )
}

/// More work than a merge may take.
pub(crate) fn too_large(path: &str, n: usize, m: usize) -> Error {
    Error::refused(
        "too_large",
        format!("{m} snippet lines against {n} lines of {path} are too many to align."),
        "Send smaller edits with markers, or the whole file as a full rewrite.",
    )
}

/// A snippet that is no edit.
pub(crate) fn unreadable(u: &Unreadable) -> Error {
    match u {
        Unreadable::Inline(n, text) => Error::refused(
            "inline_ellipsis",
            format!(
                "Line {n} of the snippet has code and a marker on one line: {}.",
                quote(text)
            ),
            "Write the line out, and put markers on lines of their own.",
        ),
        Unreadable::OpenBlock(n) => Error::refused(
            "open_block",
            format!(
                "The SEARCH block at line {n} of the snippet has no `=======`, no end, or several lines that may be its `=======`."
            ),
            "Write one `=======` and end with `>>>>>>> REPLACE`; where the text itself has such a line, send changed lines with `-` and `+` instead.",
        ),
        Unreadable::Gone(line) => Error::refused(
            "removal_comment",
            format!(
                "Line {line} of the snippet tells of a removal, and nothing in it shows what goes."
            ),
            "If it is gone already, nothing is left to do; if not, send what goes with `-` in front.",
        ),
        Unreadable::Empty => Error::refused(
            "empty_edit",
            "The snippet holds no line of code.".to_string(),
            "Send the changed lines with a line of context above and below.",
        ),
    }
}

fn capital(s: &str) -> String {
    let mut c = s.chars();
    match c.next() {
        Some(f) => f.to_uppercase().chain(c).collect(),
        None => String::new(),
    }
}
