//! Names that lines give to values, in the places of those values.

use super::key::Key;
use super::line::Line;
use super::shape::last_word;

/// A line (its number) that gives a name a value which says something.
pub(crate) struct Value<'a> {
    line: usize,
    name: &'a str,
    value: &'a str,
}

/// The values that lines give to names.
pub(crate) fn values<'a>(lines: &[Line<'a>]) -> Vec<Value<'a>> {
    let given = |(line, l): (usize, &Line<'a>)| {
        let (name, value) = given(l.trimmed)?;
        Some(Value { line, name, value })
    };
    lines.iter().enumerate().filter_map(given).collect()
}

/// Whether a line with a number is an old one but for names in the places of values that other lines
/// give them.
pub(crate) fn extracted(values: &[Value], number: usize, line: &str, old: &str) -> bool {
    let gives = |name: &str, old: &str| {
        let mut others = values.iter().filter(|v| v.line != number && v.name == name);
        others
            .find(|v| old.starts_with(v.value))
            .map(|v| v.value.len())
    };
    // The remark behind it may go with the value.
    let old = [Some(old), unremarked(old)];
    old.into_iter()
        .flatten()
        .any(|old| by_name(old, line, gives))
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

/// A line without the comment behind it.
fn unremarked(t: &str) -> Option<&str> {
    let at = t.rfind(" //").or_else(|| t.rfind(" #"))?;
    t.get(..at).map(str::trim_end)
}

#[cfg(test)]
mod tests {
    use super::by_name;

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
}
