//! Words that an edit replaces throughout: a line that differs from one of the file by such a
//! word alone is that line, changed.

use std::collections::BTreeSet;

use super::align::Op;
use super::context::{Ctx, same_line};
use super::edges::anchors;
use super::guide::word_at;
use super::line::{Class, Key};

/// A word, and what stands for it in the snippet.
pub(crate) type Substitution = (String, String);

/// The words that changed lines replace whose place is sure, and that the snippet has nowhere
/// any more: both lines around the changed one are the file's, or several lines replace the
/// same word. Each with the snippet line that shows it.
pub(crate) fn substitutions(ctx: &Ctx, ops: &[Vec<Op>]) -> Vec<(Substitution, usize)> {
    let mut sure = Vec::new();
    let mut once: Vec<(Substitution, usize)> = Vec::new();
    for ops in ops {
        let told = |op: &&Op| ctx.is_told(op);
        let held = |op: Option<&Op>| op.is_some_and(|op| anchors(ctx, op));
        for (at, op) in ops.iter().enumerate() {
            let Op::Pair(i, j) = *op else { continue };
            let Some(found) = substituted(ctx.file[j].trimmed, ctx.lines[i].trimmed) else {
                continue;
            };
            let between =
                held(ops[..at].iter().rev().find(told)) && held(ops[at + 1..].iter().find(told));
            if between {
                sure.push((found, i));
            } else if let Some(other) = once.iter().find(|o| o.0 == found) {
                sure.extend([other.clone(), (found, i)]);
            } else {
                once.push((found, i));
            }
        }
    }
    let left = |word: &str| ctx.lines.iter().any(|l| word_at(l.trimmed, word).is_some());
    sure.retain(|((old, _), _)| !left(old));
    sure
}

/// The lines that the edit puts in the place of others where both lines around are the file's:
/// each with the one that goes.
pub(crate) fn replaced(ctx: &Ctx, ops: &[Vec<Op>]) -> Vec<(usize, usize)> {
    let mut out = Vec::new();
    for ops in ops {
        for (at, window) in ops.windows(2).enumerate() {
            let pair = match *window {
                [Op::Pair(i, j), _] if !same_line(ctx, i, j) => Some((i, j, 1)),
                [Op::Delete(j), Op::Insert(i)] | [Op::Insert(i), Op::Delete(j)] => Some((i, j, 2)),
                _ => None,
            };
            let Some((i, j, len)) = pair else { continue };
            let held = |op: Option<&Op>| op.is_some_and(|op| anchors(ctx, op));
            let plain = ctx.lines[i].class == Class::Plain && ctx.file[j].class == Class::Plain;
            if plain && held(at.checked_sub(1).and_then(|x| ops.get(x))) && held(ops.get(at + len))
            {
                out.push((i, j));
            }
        }
    }
    out
}

/// What the lines begin with (`log`) that the edit puts in between two of the file's that follow
/// each other.
pub(crate) fn joined(ctx: &Ctx, ops: &[Vec<Op>]) -> Vec<String> {
    let mut out = Vec::new();
    for ops in ops {
        let told: Vec<&Op> = ops.iter().filter(|op| ctx.is_told(op)).collect();
        for window in told.windows(3) {
            let [above, Op::Insert(i), below] = *window else {
                continue;
            };
            if let Key::Other(head) = ctx.lines[*i].key()
                && head.len() < ctx.lines[*i].trimmed.len()
                && anchors(ctx, above)
                && anchors(ctx, below)
            {
                out.push(head.to_string());
            }
        }
    }
    out
}

/// The texts (by their hashes) of lines that the edit takes out and puts others in their place,
/// between two lines that the file has.
pub(crate) fn taken(ctx: &Ctx, ops: &[Vec<Op>]) -> BTreeSet<u64> {
    let mut out = BTreeSet::new();
    for ops in ops {
        let told = ops.iter().filter(|op| ctx.is_told(op));
        let told: Vec<&Op> = told.collect();
        for change in told.split(|op| anchors(ctx, op)).skip(1) {
            // The last one is open below.
            let last = told.last().is_some_and(|l| change.last() == Some(l));
            let new = change.iter().any(|op| !matches!(op, Op::Delete(_)));
            let gone = change.iter().filter_map(|op| match **op {
                Op::Delete(j) if ctx.file[j].class == Class::Plain => Some(ctx.file[j].hash),
                _ => None,
            });
            if new && !last {
                out.extend(gone);
            }
        }
    }
    out
}

/// Whether snippet line `i` has the name of a constant in the place of a value of file line `j`,
/// and another line of the snippet gives it that value.
pub(crate) fn extracted(ctx: &Ctx, i: usize, j: usize) -> bool {
    let Some((value, name)) = named(ctx.file[j].trimmed, ctx.lines[i].trimmed) else {
        return false;
    };
    let last = |t: &'_ str| {
        let from = t.rfind(|c: char| !c.is_alphanumeric() && c != '_');
        t.get(from.map_or(0, |at| at + 1)..).map(str::to_string)
    };
    let name = last(name);
    let gives = |t: &str| {
        let (_, given) = t.split_once('=').or_else(|| t.split_once(' '))?;
        let given = given.trim().trim_end_matches([';', ',']);
        Some(given == value || given.ends_with(value))
    };
    ctx.lines.iter().enumerate().any(|(x, l)| {
        let bound = match l.key() {
            Key::Binds(bound) => last(bound) == name,
            _ => {
                l.trimmed.starts_with("#define ") && name.as_deref() == l.trimmed.split(' ').nth(1)
            }
        };
        x != i && bound && gives(l.trimmed) == Some(true)
    })
}

/// The one word by which two lines differ, wherever it stands in them.
pub(crate) fn substituted(old: &str, line: &str) -> Option<Substitution> {
    if old == line {
        return None;
    }
    let (mut olds, mut news) = (words(old), words(line));
    let mut found: Option<(&str, &str)> = None;
    loop {
        match (olds.next(), news.next()) {
            (None, None) => break,
            (Some((gap, word)), Some((other_gap, other))) => {
                if gap.trim() != other_gap.trim() {
                    return None;
                }
                if word != other && *found.get_or_insert((word, other)) != (word, other) {
                    return None;
                }
            }
            _ => return None,
        }
    }
    let (old, new) = found?;
    let named = |w: &str| w.starts_with(|c: char| c.is_alphabetic() || c == '_') && w.len() > 1;
    let left = words(line).any(|(_, word)| word == old);
    (named(old) && named(new) && !left).then(|| (old.to_string(), new.to_string()))
}

/// Whether a line is another but for a value in the place of which it has a name that gives: the
/// old value, the new name.
pub(crate) fn named<'t>(old: &'t str, line: &'t str) -> Option<(&'t str, &'t str)> {
    let both = old.bytes().zip(line.bytes());
    let same = both.take_while(|(a, b)| a == b).count();
    let ends = old.bytes().rev().zip(line.bytes().rev());
    let rest = ends.take_while(|(a, b)| a == b).count();
    let most = old.len().min(line.len()) - same;
    let inner = |t: &'t str| t.get(same..t.len() - rest.min(most));
    let (value, name) = (inner(old)?, inner(line)?);
    let is_name = |c: char| c.is_alphanumeric() || "_.:$".contains(c);
    let literal = value.starts_with(|c: char| c.is_ascii_digit() || "\"'`".contains(c));
    (literal && name.len() > 1 && name.chars().all(is_name)).then_some((value, name))
}

/// The words of a line, each with what stands before it, and the end of the line with none.
fn words(line: &str) -> impl Iterator<Item = (&str, &str)> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut rest = Some(line);
    std::iter::from_fn(move || {
        let line = rest?;
        let from = line.find(is_word).unwrap_or(line.len());
        let (gap, tail) = line.split_at(from);
        let to = tail.find(|c| !is_word(c)).unwrap_or(tail.len());
        let (word, tail) = tail.split_at(to);
        rest = (!word.is_empty()).then_some(tail);
        Some((gap, word))
    })
}

#[cfg(test)]
mod tests {
    use super::{named, substituted};

    #[test]
    fn a_name_may_take_the_place_of_a_value() {
        for (old, line, expected) in [
            (
                "f(x, 'default');",
                "f(x, self::DEFAULT);",
                Some(("'default'", "self::DEFAULT")),
            ),
            ("return 10", "return MOST", Some(("10", "MOST"))),
            ("if n > 10:", "if n > 100:", None),
            ("f(a)", "f(b)", None),
            ("f(1)", "f(g(x))", None),
        ] {
            assert_eq!(named(old, line), expected, "{old} / {line}");
        }
    }

    #[test]
    fn two_lines_may_differ_by_one_word() {
        let pair = |a: &str, b: &str| Some((a.to_string(), b.to_string()));
        let (old, new) = ("let at = at.clone();", "let from = from.clone();");
        assert_eq!(substituted(old, new), pair("at", "from"));
        assert_eq!(substituted("f(a, bb)", "g_2(a, bb)"), None);
        assert_eq!(substituted("ff(a, bb)", "g_2(a, bb)"), pair("ff", "g_2"));
        for (old, new) in [
            ("ff(a)", "ff(a)"),
            ("ff(aa, bb)", "ff(cc, dd)"),
            ("ff(aa, aa)", "ff(cc, aa)"),
            ("ff(aa)", "ff(aa, bb)"),
            ("ff(aa)", "ff[cc]"),
            ("x = 10", "x = 20"),
        ] {
            assert_eq!(substituted(old, new), None, "{old} / {new}");
        }
    }
}
