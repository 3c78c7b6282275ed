//! Whether a line at a segment's edge is a line of the file, changed, or a new one beside it.

use super::onesided::given;
use crate::apply::lines::key::Key;
use crate::apply::lines::line::{Class, Line, starts_comment};
use crate::apply::lines::shape::{
    braced, closes, contained, extends, last_word, net_brackets, out_of_use, remarked, same_source,
};
use crate::apply::lines::words::word_at;
use crate::apply::pass::context::{Ctx, same_line};
use crate::apply::pass::likeness::retouched;
use crate::apply::pass::signature::same_function;

/// What a line at a segment's edge is to the file's line there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Replaces,
    Joins,
    Unclear,
}

/// Whether snippet line `i`, outside of the segment's sure lines, is file line `j`
/// changed, or a new line beside it.
pub(super) fn verdict(
    ctx: &Ctx,
    i: usize,
    j: usize,
    anchor_i: usize,
    anchor_j: usize,
    lead: bool,
) -> Verdict {
    let (a, b) = (&ctx.lines[i], &ctx.file[j]);
    if same_line(ctx, i, j) || ctx.superseded.borrow().contains(&j) {
        return Verdict::Replaces;
    }
    if ctx.is_rephrased(i, j) || ctx.guides.names(j) && same_function(ctx, i, j) {
        return Verdict::Replaces;
    }
    let r = a.similarity(b);
    let shift = ctx.file_cols(anchor_j) - ctx.cols(anchor_i);
    let own = ctx.shifts[ctx.segment_of(i)].unwrap_or(shift);
    let level = [shift, own].contains(&(ctx.file_cols(j) - ctx.cols(i)));
    if !level && !out_of_use(a.trimmed, b.trimmed) {
        // A statement may have been broken into several lines.
        let part = contained(a, b) && a.word_count() >= 3;
        return if r >= 800 || part {
            Verdict::Unclear
        } else {
            Verdict::Joins
        };
    }
    // It opens the block whose first line follows on both sides.
    if lead
        && significant_between(&ctx.lines, i + 1, anchor_i) == 0
        && significant_between(ctx.file, j + 1, anchor_j) == 0
        && ctx.cols(i) < ctx.cols(anchor_i)
        && ctx.file_cols(j) < ctx.file_cols(anchor_j)
    {
        return Verdict::Replaces;
    }
    if out_of_use(a.trimmed, b.trimmed) || braced(a.trimmed, b.trimmed) {
        return Verdict::Replaces;
    }
    if starts_comment(a.trimmed) || starts_comment(b.trimmed) {
        let both = starts_comment(a.trimmed) && starts_comment(b.trimmed);
        return if both && shortened(ctx, i, j) {
            Verdict::Unclear
        } else if both {
            Verdict::Replaces
        } else {
            Verdict::Joins
        };
    }
    // A closing bracket has nothing to close beside another one.
    let closing = closes(a.trimmed)
        && closes(b.trimmed)
        && a.trimmed.chars().next() == b.trimmed.chars().next();
    if closing && net_brackets(a.trimmed) < 0 && net_brackets(a.trimmed) == net_brackets(b.trimmed)
    {
        return Verdict::Replaces;
    }
    if remarked(a.trimmed, b.trimmed) || remarked(b.trimmed, a.trimmed) {
        return Verdict::Replaces;
    }
    if declares_again(a.trimmed, b.trimmed) || declares_again(b.trimmed, a.trimmed) {
        return Verdict::Replaces;
    }
    if orphaned(ctx, i, j) {
        return Verdict::Replaces;
    }
    match by_subject(ctx, i, j, r) {
        Verdict::Unclear if retouched(ctx, i, j) => Verdict::Replaces,
        Verdict::Unclear if needed(ctx, i, j) => Verdict::Joins,
        verdict => verdict,
    }
}

/// Whether a comment is another with words left out, which no new line beside it takes up: who quotes
/// one leaves some out.
fn shortened(ctx: &Ctx, i: usize, j: usize) -> bool {
    let (new, old) = (&ctx.lines[i], &ctx.file[j]);
    let beside = [i.checked_sub(1), Some(i + 1)];
    let beside = || beside.iter().flatten().filter_map(|&x| ctx.lines.get(x));
    let words = old.trimmed.split(|c: char| !c.is_alphanumeric());
    let out = |w: &&str| !w.is_empty() && word_at(new.trimmed, w).is_none();
    let mut left = words.filter(out);
    let is_new = |l: &&Line| !ctx.counts.contains_key(&l.hash);
    let moved = |w: &str| {
        let mut new = beside().filter(is_new);
        new.any(|l| word_at(l.trimmed, w).is_some())
    };
    new.word_count() < old.word_count() && contained(new, old) && !left.all(moved)
}

/// Whether file line `j` uses a name that the edit takes out, and snippet line `i` does not.
fn orphaned(ctx: &Ctx, i: usize, j: usize) -> bool {
    let (new, old) = (ctx.lines[i].trimmed, ctx.file[j].trimmed);
    let names = ctx.touched.iter().filter(|&&x| x != j);
    let mut names = names.filter_map(|&x| given(ctx.file[x].trimmed));
    names.any(|name| {
        word_at(old, name).is_some()
            && word_at(new, name).is_none()
            && !ctx.lines.iter().any(|l| given(l.trimmed) == Some(name))
    })
}

/// Whether lines that stay use the name that file line `j` gives, and snippet line `i` gives another
/// one.
pub(super) fn needed(ctx: &Ctx, i: usize, j: usize) -> bool {
    let (new, old) = (ctx.lines[i].trimmed, ctx.file[j].trimmed);
    let Some(name) = given(old) else { return false };
    given(new).is_some() && word_at(new, name).is_none() && ctx.uses(name, &(j..j + 1))
}

/// The same by what the two lines, which share `r` thousandths of their words, are about.
fn by_subject(ctx: &Ctx, i: usize, j: usize, r: i32) -> Verdict {
    let (a, b) = (&ctx.lines[i], &ctx.file[j]);
    let enumerated = siblings(ctx, j, r);
    match (a.key(), b.key()) {
        (Key::Leaves, Key::Leaves) => Verdict::Replaces,
        // Items of a list may all begin alike.
        (Key::Binds(x), Key::Binds(y)) if x == y && (!item(x) || r >= 800) => Verdict::Replaces,
        (Key::Binds(x), Key::Binds(y)) => {
            if extends(&Line::new(x), &Line::new(y)) && contained(a, b) {
                // `let a, b = …` for `let a = …`.
                Verdict::Replaces
            } else if same_value(a.trimmed, b.trimmed) {
                let name = last_word(y).unwrap_or(y);
                match ctx.uses(name, &(j..j + 1)) {
                    true => Verdict::Unclear,
                    false => Verdict::Replaces,
                }
            } else if r < 600 || enumerated {
                Verdict::Joins
            } else {
                Verdict::Unclear
            }
        }
        (Key::Member(_), Key::Member(_)) => {
            if same_source(a.trimmed, b.trimmed) {
                // Another thing from there may be one more import.
                if a.shared(b) < b.word_count() {
                    Verdict::Unclear
                } else {
                    Verdict::Replaces
                }
            } else if r < 850 || enumerated {
                Verdict::Joins
            } else {
                Verdict::Unclear
            }
        }
        (Key::Other(x), Key::Other(y)) if x == y => {
            // A call that none beside it is like.
            let called = x.len() < a.trimmed.len().min(b.trimmed.len());
            if enumerated && !(called && alone(ctx, j)) {
                Verdict::Unclear
            } else if !listed(ctx, j) || r >= 900 {
                Verdict::Replaces
            } else {
                Verdict::Unclear
            }
        }
        _ if enumerated => Verdict::Joins,
        _ if r >= 800 || !listed(ctx, j) => Verdict::Replaces,
        _ => Verdict::Unclear,
    }
}

/// Whether a line is another with a longer word that begins as the one in its place: what is one
/// more of a row stands behind such a one, not in front of it.
pub(super) fn prolongs(new: &str, old: &str) -> bool {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let shared = new.chars().zip(old.chars()).take_while(|(a, b)| a == b);
    let at: usize = shared.map(|(c, _)| c.len_utf8()).sum();
    let (head, rest) = (&old[..at], &old[at..]);
    let more = new[at..].strip_suffix(rest).unwrap_or_default();
    head.ends_with(is_word) && !more.is_empty() && more.chars().all(is_word)
}

/// Whether two lines give a name the same value, one that says something.
fn same_value(a: &str, b: &str) -> bool {
    let value = |t: &'_ str| t.split_once(" = ").map(|(_, v)| v.to_string());
    let told = |v: &str| v.chars().filter(|c| c.is_alphabetic()).count() >= VALUE;
    matches!((value(a), value(b)), (Some(x), Some(y)) if x == y && told(&x))
}

/// Letters of such a value.
const VALUE: usize = 8;

/// Whether no line beside file line `j` is about the same.
pub(super) fn alone(ctx: &Ctx, j: usize) -> bool {
    let near = [j.checked_sub(1), Some(j + 1)];
    let key = ctx.file[j].key();
    near.into_iter()
        .flatten()
        .filter_map(|x| ctx.file.get(x))
        .all(|l| l.key() != key)
}

/// Whether a line declares what another does, and gives it a value.
fn declares_again(short: &str, long: &str) -> bool {
    let Some(declared) = short.strip_suffix(';') else {
        return false;
    };
    let value = long.strip_prefix(declared).map(str::trim_start);
    declared.contains(' ') && value.is_some_and(|v| v.starts_with('=') && !v.starts_with("=="))
}

/// Whether a name is that of the first entry of a list's item, which all items may share.
pub(super) fn item(name: &str) -> bool {
    name.starts_with("- ") && !name.contains(':')
}

/// Whether a line beside file line `j` begins with the same word, as those of a list do.
fn listed(ctx: &Ctx, j: usize) -> bool {
    let first = |l: &Line| {
        l.trimmed
            .split(|c: char| !c.is_alphanumeric() && c != '_')
            .find(|w| !w.is_empty())
            .map(str::to_string)
    };
    let near = [j.checked_sub(1), Some(j + 1)];
    let word = first(&ctx.file[j]);
    near.into_iter()
        .flatten()
        .filter(|&x| x < ctx.file.len())
        .any(|x| first(&ctx.file[x]) == word && ctx.file_cols(x) == ctx.file_cols(j))
}

/// Whether a line beside file line `j` gives the same name a value: then the name does not
/// tell them apart.
pub(super) fn bound_again(ctx: &Ctx, j: usize, name: &str) -> bool {
    let near = [j.checked_sub(1), Some(j + 1)];
    near.into_iter()
        .flatten()
        .filter_map(|x| ctx.file.get(x))
        .any(|l| matches!(l.key(), Key::Binds(x) if x == name))
}

fn significant_between(lines: &[Line], from: usize, to: usize) -> usize {
    lines
        .get(from..to)
        .map_or(0, |l| l.iter().filter(|l| l.class != Class::Blank).count())
}

/// Whether file line `j` is one of several that resemble each other as much.
pub(super) fn siblings(ctx: &Ctx, j: usize, r: i32) -> bool {
    let near = [j.checked_sub(1), Some(j + 1)];
    near.into_iter()
        .flatten()
        .filter_map(|x| ctx.file.get(x))
        .any(|l| l.similarity(&ctx.file[j]) >= r - 100)
}
