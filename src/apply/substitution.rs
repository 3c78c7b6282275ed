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
    let between = replaced(ctx, ops);
    let change = |op: &Op| match *op {
        Op::Pair(i, j) if !same_line(ctx, i, j) => Some((i, j)),
        _ => None,
    };
    let apart = ops.iter().flatten().filter_map(change);
    let apart = apart.filter(|pair| !between.contains(pair));
    let all = between.iter().copied().map(|pair| (pair, true));
    for ((i, j), between) in all.chain(apart.map(|pair| (pair, false))) {
        let (old, new) = (ctx.file[j].trimmed, ctx.lines[i].trimmed);
        let Some(found) = substituted(old, new).or_else(|| phrase(old, new)) else {
            continue;
        };
        if between {
            sure.push((found, i));
        } else if let Some(other) = once.iter().find(|o| {
            // One line of a block may be like another as by chance.
            let together = || ctx.segment_of(o.1) == ctx.segment_of(i);
            o.0 == found && (named_word(&found.0) || together())
        }) {
            sure.extend([other.clone(), (found, i)]);
        } else {
            once.push((found, i));
        }
    }
    let left = |word: &str| ctx.lines.iter().any(|l| word_at(l.trimmed, word).is_some());
    sure.retain(|((old, _), _)| !named_word(old) || !left(old));
    sure
}

/// The lines that the edit puts in the place of others where both lines around are the file's:
/// each with the one that goes.
pub(crate) fn replaced(ctx: &Ctx, ops: &[Vec<Op>]) -> Vec<(usize, usize)> {
    let mut out = Vec::new();
    for ops in ops {
        let told: Vec<&Op> = ops.iter().filter(|op| ctx.is_told(op)).collect();
        for (at, window) in told.windows(2).enumerate() {
            let pair = match *window {
                [&Op::Pair(i, j), _] if !same_line(ctx, i, j) => Some((i, j, 1)),
                [&Op::Delete(j), &Op::Insert(i)] | [&Op::Insert(i), &Op::Delete(j)] => {
                    Some((i, j, 2))
                }
                _ => None,
            };
            let Some((i, j, len)) = pair else { continue };
            let held = |op: Option<&&Op>| op.is_some_and(|op| anchors(ctx, op));
            let plain = ctx.lines[i].class == Class::Plain && ctx.file[j].class == Class::Plain;
            let above = at.checked_sub(1).and_then(|x| told.get(x));
            if plain && held(above) && held(told.get(at + len)) {
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

/// A name that a line which gives another a value loses, the names that it gets, and the snippet
/// line.
pub(crate) type Swap = (String, Vec<String>, usize);

/// Those of which the snippet has the lost name nowhere.
pub(crate) fn swapped_names(ctx: &Ctx, ops: &[Vec<Op>]) -> Vec<Swap> {
    let changed = |op: &&Op| matches!(op, Op::Pair(..)) && ctx.takes(op);
    let mut changed = ops.iter().flatten().filter(changed).peekable();
    let mut out = Vec::new();
    if changed.peek().is_none() {
        return out;
    }
    let all = ctx.lines.iter().flat_map(|l| words(l.trimmed));
    let all: BTreeSet<&str> = all.map(|(_, w)| w).collect();
    for op in changed {
        let Op::Pair(i, j) = *op else { continue };
        let (old, new) = (ctx.file[j].trimmed, ctx.lines[i].trimmed);
        // What stands before the value is given by it.
        let (Some((old, _)), Some((new, _))) = (old.split_once(" = "), new.split_once(" = "))
        else {
            continue;
        };
        let gained = words(new).filter(|(_, w)| named_word(w) && word_at(old, w).is_none());
        let gained: Vec<String> = gained.map(|(_, w)| w.to_string()).collect();
        let lost = words(old).filter(|(_, w)| named_word(w) && !all.contains(w));
        if !gained.is_empty() {
            out.extend(lost.map(|(_, w)| (w.to_string(), gained.clone(), i)));
        }
    }
    out
}

/// The file's lines that the edit takes out or changes.
pub(crate) fn touched(ctx: &Ctx, ops: &[Vec<Op>]) -> BTreeSet<usize> {
    let takes = ops.iter().flatten().filter(|op| ctx.takes(op));
    takes
        .filter_map(|op| match *op {
            Op::Delete(j) | Op::Pair(_, j) => Some(j),
            Op::Insert(_) => None,
        })
        .collect()
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
/// wherever that stands in it, and another line of the snippet gives it that value.
pub(crate) fn extracted(ctx: &Ctx, i: usize, j: usize) -> bool {
    let (old, line) = (ctx.file[j].trimmed, ctx.lines[i].trimmed);
    // The remark behind it may go with the value.
    let Some((value, name)) = named(old, line).or_else(|| named(unremarked(old)?, line)) else {
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

/// A line without the comment behind it.
fn unremarked(t: &str) -> Option<&str> {
    let at = t.rfind(" //").or_else(|| t.rfind(" #"))?;
    t.get(..at).map(str::trim_end)
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
    let left = words(line).any(|(_, word)| word == old);
    (named_word(old) && named_word(new) && !left).then(|| (old.to_string(), new.to_string()))
}

/// Whether a text is a word that may name something.
fn named_word(w: &str) -> bool {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    w.starts_with(|c: char| c.is_alphabetic() || c == '_') && w.len() > 1 && w.chars().all(is_word)
}

/// What a line has between what it shares with another one at both ends, in whole words, and what
/// that one has there: a value and a name, or nothing and an option.
pub(crate) fn phrase(old: &str, line: &str) -> Option<Substitution> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let whole = |a: Option<char>, b: Option<char>| match (a, b) {
        (Some(a), Some(b)) => !(is_word(a) && is_word(b)),
        _ => true,
    };
    let ends = |t: &str, at: usize| whole(t[..at].chars().next_back(), t[at..].chars().next());
    let both = old.char_indices().zip(line.chars());
    let both = both.take_while(|((_, a), b)| a == b);
    let mut from = both.last().map_or(0, |((at, c), _)| at + c.len_utf8());
    while !(old.is_char_boundary(from) && ends(old, from) && ends(line, from)) {
        from -= 1;
    }
    let (rest, other) = (old.get(from..)?, line.get(from..)?);
    let back = rest.chars().rev().zip(other.chars().rev());
    let back = back.take_while(|(a, b)| a == b).map(|(a, _)| a.len_utf8());
    let mut to = back.sum::<usize>();
    while !(rest.is_char_boundary(rest.len() - to)
        && ends(rest, rest.len() - to)
        && ends(other, other.len() - to))
    {
        to -= 1;
    }
    let gone = rest.get(..rest.len() - to)?.trim();
    let new = other.get(..other.len() - to)?.trim();
    let shared = old.len() - gone.len();
    (new.len() >= PHRASE && shared >= PHRASE && new != gone)
        .then(|| (gone.to_string(), new.to_string()))
}

/// Bytes that a phrase has at least which tells a change, and what stands around it.
const PHRASE: usize = 4;

/// Whether a line is another but for a value in the place of which it has a name that gives, once
/// or wherever the value stands: the old value, the new name.
pub(crate) fn named<'t>(old: &'t str, line: &'t str) -> Option<(&'t str, &'t str)> {
    let is_name = |c: char| c.is_alphanumeric() || "_.:$".contains(c);
    let both = old.bytes().zip(line.bytes());
    let same = both.take_while(|(a, b)| a == b).count();
    let ends = old.bytes().rev().zip(line.bytes().rev());
    let rest = ends.take_while(|(a, b)| a == b).count();
    let most = old.len().min(line.len()) - same;
    let inner = |t: &'t str| t.get(same..t.len() - rest.min(most));
    let (mut value, mut name) = (inner(old)?, inner(line)?);
    if !name.chars().all(is_name) {
        let token = |t: &'t str| {
            let t = t.get(same..)?;
            let to = match t.chars().next()? {
                quote @ ('"' | '\'' | '`') => t.get(1..)?.find(quote)? + 2,
                _ => t.find(|c| !is_name(c)).unwrap_or(t.len()),
            };
            t.get(..to)
        };
        (value, name) = (token(old)?, token(line)?);
        if value.is_empty() || old.replace(value, name) != line {
            return None;
        }
    }
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
            (
                "f(10) == g(10);",
                "f(MOST) == g(MOST);",
                Some(("10", "MOST")),
            ),
            ("f('a', 'a')", "f(A.X, A.X)", Some(("'a'", "A.X"))),
            ("f(10) == g(10);", "f(MOST) == g(20);", None),
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
