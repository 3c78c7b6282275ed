//! The words of a line, and those by which two lines differ.

/// Where a name stands as a whole word.
pub(crate) fn word_at(text: &str, name: &str) -> Option<usize> {
    let mut from = 0;
    if name.is_empty() {
        return None;
    }
    while let Some(p) = text.get(from..)?.find(name) {
        let at = from + p;
        let word = |c: char| c.is_alphanumeric() || c == '_';
        let before = text[..at].chars().next_back().is_some_and(word);
        let after = text[at + name.len()..].chars().next().is_some_and(word);
        if !before && !after {
            return Some(at);
        }
        from = at + name.len();
    }
    None
}

/// The words of a line, each with what stands before it, and the end of the line with none.
pub(crate) fn words(line: &str) -> impl Iterator<Item = (&str, &str)> {
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

/// Whether a text is a word that may name something.
pub(crate) fn named_word(w: &str) -> bool {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    w.starts_with(|c: char| c.is_alphabetic() || c == '_') && w.len() > 1 && w.chars().all(is_word)
}

/// A word, and what stands for it in the snippet.
pub(crate) type Substitution = (String, String);

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

/// A name that a line which gives another a value loses, the names that it gets, and the snippet
/// line.
pub(crate) type Swap = (String, Vec<String>, usize);

#[cfg(test)]
mod tests {
    use super::substituted;

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
