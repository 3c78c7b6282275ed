//! Words that an edit replaces throughout: a line that differs from one of the file by such a
//! word alone is that line, changed.

use std::collections::BTreeSet;

use super::align::Op;
use super::context::{Ctx, same_line};
use super::edges::{Edge, anchors};
use super::guide::{CALLABLE, word_at};
use super::line::{Class, Key, Line};
use super::shape::{last_word, starts_comment};

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
        // Brackets and the like are no words.
        if !found.0.is_empty() && !found.0.contains(char::is_alphanumeric) {
            continue;
        }
        if between {
            sure.push((found, i));
        } else if let Some(other) = once.iter().find(|o| {
            // One line of a block may be like another as by chance.
            let together = || ctx.segment_of(o.1) == ctx.segment_of(i);
            o.0 == found
                && (named_word(&found.0) || together())
                && !copied(ctx, ops, (o.1, i), &found.0)
        }) {
            sure.extend([other.clone(), (found, i)]);
        } else {
            once.push((found, i));
        }
    }
    // In what is said of the code, a name may be a word like others.
    let code = || ctx.lines.iter().filter(|l| !prose(l.trimmed));
    let left = |word: &str| code().any(|l| word_at(l.trimmed, word).is_some());
    sure.retain(|((old, _), _)| !named_word(old) || !left(old));
    sure
}

/// Whether of two changed lines one stands in the other's block, with none that is the file's between,
/// and the word that both lose stays in others: a block much like one of the file has another word
/// throughout, too.
fn copied(ctx: &Ctx, ops: &[Vec<Op>], (one, other): (usize, usize), word: &str) -> bool {
    let (from, to) = (one.min(other), one.max(other));
    let mut between = ops.iter().flatten();
    let apart = between.any(|op| {
        matches!(*op, Op::Pair(i, _) if from < i && i < to
            && ctx.lines[i].class == Class::Plain && anchors(ctx, op))
    });
    let taken = |j: usize| {
        let takes = |op: &Op| matches!(*op, Op::Delete(x) | Op::Pair(_, x) if x == j);
        ops.iter().flatten().any(|op| takes(op) && ctx.takes(op))
    };
    let stays = |(j, l): (usize, &Line)| word_at(l.trimmed, word).is_some() && !taken(j);
    ctx.segment_of(from) == ctx.segment_of(to)
        && ctx.cols(from) < ctx.cols(to)
        && !apart
        && ctx.file.iter().enumerate().any(stays)
}

/// Whether a line is a comment or reads as one.
fn prose(t: &str) -> bool {
    let code = |c: char| "(){}[]<>=;:\"'_".contains(c);
    starts_comment(t) || t.split_whitespace().count() >= SENTENCE && !t.contains(code)
}

/// Words of a sentence.
const SENTENCE: usize = 4;

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

/// Pairs lines that go with the new ones in their place that are the same but for a word which the
/// edit replaces throughout.
pub(crate) fn pair_up(ctx: &Ctx, ops: &mut Vec<Op>) {
    let mut x = 0;
    while x < ops.len() {
        let change = |op: &&Op| !matches!(op, Op::Pair(..));
        let len = ops[x..].iter().take_while(change).count();
        let (mut gone, mut new) = (Vec::new(), Vec::new());
        for op in &ops[x..x + len] {
            match *op {
                Op::Delete(j) => gone.push(j),
                Op::Insert(i) => new.push(i),
                Op::Pair(..) => {}
            }
        }
        let both = || new.iter().zip(&gone);
        let all = len > 0 && gone.len() == new.len();
        if all && both().all(|(&i, &j)| ctx.is_substituted(i, j)) {
            let pairs: Vec<Op> = both().map(|(&i, &j)| Op::Pair(i, j)).collect();
            let paired = pairs.len();
            ops.splice(x..x + len, pairs);
            x += paired;
        } else {
            x += len.max(1);
        }
    }
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
                Op::Delete(j) | Op::Pair(_, j) if ctx.file[j].class == Class::Plain => {
                    Some(ctx.file[j].hash)
                }
                _ => None,
            });
            if new && !last {
                out.extend(gone);
            }
        }
    }
    out
}

/// Whether snippet line `i` is file line `j` but for the names of constants in the places of values
/// that other lines of the snippet give them.
pub(crate) fn extracted(ctx: &Ctx, i: usize, j: usize) -> bool {
    let (old, line) = (ctx.file[j].trimmed, ctx.lines[i].trimmed);
    let values = ctx.values.get_or_init(|| values(ctx));
    let gives = |name: &str, old: &str| {
        let others = values.iter().filter(|v| v.0 != i && v.1 == name);
        others
            .map(|v| v.2)
            .find(|v| old.starts_with(v))
            .map(str::len)
    };
    // The remark behind it may go with the value.
    let old = [Some(old), unremarked(old)];
    old.into_iter()
        .flatten()
        .any(|old| by_name(old, line, gives))
}

/// The snippet's lines that give a name a value which says something: line, name and value.
pub(crate) fn values<'a>(ctx: &Ctx<'a>) -> Vec<(usize, &'a str, &'a str)> {
    let lines = ctx.lines.iter().enumerate();
    lines
        .filter_map(|(i, l)| given(l.trimmed).map(|(name, value)| (i, name, value)))
        .collect()
}

/// The name that a line gives a value, and the value.
fn given(line: &str) -> Option<(&str, &str)> {
    let (name, value) = match line.strip_prefix("#define ") {
        Some(rest) => rest.split_once(' ')?,
        None => {
            let Key::Binds(bound) = Line::new(line).key() else {
                return None;
            };
            let (_, value) = line.split_once('=').or_else(|| line.split_once(' '))?;
            (last_word(bound)?, value)
        }
    };
    let value = unremarked(value).unwrap_or(value);
    let value = value.trim().trim_end_matches([';', ',']);
    // A string may have a prefix: `b"x"`.
    let quoted = |t: &str| t.starts_with(['"', '\'', '`']);
    let prefixed = |n: usize| value.get(n..).is_some_and(quoted);
    let literal = value.starts_with(|c: char| c.is_ascii_digit() || "([{".contains(c));
    // Names are given to one another for other reasons as well.
    let composed = value.contains(' ') && !value.ends_with(['{', '(', '[']);
    (literal || composed || (0..=2).any(prefixed)).then_some((name, value))
}

/// Whether a line is another one but for names, at least one, each in the place of what it stands
/// for: how many bytes of the rest of the old line, is asked of `gives`.
fn by_name(old: &str, line: &str, gives: impl Fn(&str, &str) -> Option<usize>) -> bool {
    let is_name = |c: char| c.is_alphanumeric() || "_.:$".contains(c);
    let (mut old, mut new) = (old, line);
    let (mut found, mut inside) = (false, false);
    loop {
        let name = new.find(|c| !is_name(c)).map_or(new, |to| &new[..to]);
        let last = last_word(name.trim_end_matches([':', '.'])).unwrap_or_default();
        let whole = name.trim_end_matches([':', '.']);
        if !inside
            && whole.len() > 1
            && let Some(size) = gives(last, old)
            && let Some(rest) = old.get(size..)
        {
            (old, new) = (rest, &new[whole.len()..]);
            found = true;
        }
        let (mut olds, mut news) = (old.chars(), new.chars());
        match (olds.next(), news.next()) {
            (None, None) => return found,
            (Some(a), Some(b)) if a == b => {
                inside = is_name(a);
                (old, new) = (olds.as_str(), news.as_str());
            }
            _ => return false,
        }
    }
}

/// The lines of parts that name no place which are the file's, where they stand once between the parts
/// beside them, but for words that the edit replaces elsewhere; each with its file line and the weight
/// of a header.
pub(crate) fn known(
    ctx: &Ctx,
    floating: &[bool],
    placed: &[(usize, &[Op])],
) -> Vec<(usize, usize, i16)> {
    let mut out = Vec::new();
    let n = ctx.file.len();
    let names: Vec<(&str, &str)> = (ctx.substitutions.iter())
        .map(|((old, new), _)| (old.as_str(), new.as_str()))
        .filter(|(old, new)| named_word(old) && named_word(new))
        .collect();
    let parts = (0..ctx.bounds.len()).filter(|&k| floating[k]);
    for (k, i) in parts.flat_map(|k| (ctx.bounds[k].0..ctx.bounds[k].1).map(move |i| (k, i))) {
        let line = &ctx.lines[i];
        if line.class != Class::Plain || names.is_empty() {
            continue;
        }
        let mut changed = false;
        let mut old = String::new();
        for (gap, word) in words(line.trimmed) {
            let name = names.iter().find(|n| n.1 == word);
            changed |= name.is_some();
            old += gap;
            old += name.map_or(word, |n| n.0);
        }
        let hash = Line::new(&old).hash;
        if !changed || !ctx.counts.contains_key(&hash) {
            continue;
        }
        let (above, below) = placed.split_at(placed.partition_point(|p| p.0 < k));
        let low = above.last().map_or(0, |p| Edge::of(p.0, p.1).end);
        let high = below.first().map_or(n, |p| Edge::of(p.0, p.1).start);
        let mut there = (low..high.max(low)).filter(|&j| ctx.file[j].hash == hash);
        if let (Some(j), None) = (there.next(), there.next())
            && (ctx.counts.get(&hash) == Some(&1) || ctx.cols(i) == ctx.file_cols(j))
        {
            out.push((i, j, CALLABLE));
        }
    }
    out
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
    use super::{by_name, substituted};

    #[test]
    fn names_may_take_the_place_of_values() {
        let values = [
            ("DEFAULT", "'default'"),
            ("MOST", "10"),
            ("X", "'a'"),
            ("TYPES", "(int, str)"),
        ];
        let gives = |name: &str, old: &str| {
            let value = values
                .iter()
                .find(|(n, v)| *n == name && old.starts_with(v));
            value.map(|(_, v)| v.len())
        };
        for (old, line, expected) in [
            ("f(x, 'default');", "f(x, self::DEFAULT);", true),
            ("return 10", "return MOST", true),
            ("f(10) == g('a');", "f(MOST) == g(A.X);", true),
            ("if is(x, (int, str)):", "if is(x, TYPES):", true),
            ("f(10) == g(10);", "f(MOST) == g(20);", false),
            ("if n > 10:", "if n > 100:", false),
            ("f(10)", "f(MOST, x)", false),
            ("f(11)", "f(MOST)", false),
            ("f(a)", "f(a)", false),
        ] {
            assert_eq!(by_name(old, line, gives), expected, "{old} / {line}");
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
