//! Comments that ask to remove something (`// removed: parse`) or tell that it is gone, and the text
//! without what they ask for.

use std::ops::Range;

use super::markers::{WORDS, begins_comment, dotted, has, strip_comment};
use super::script::{Asked, Haystack, Script};
use crate::apply::lines::facts::Facts;
use crate::apply::lines::line::{Class, Line};
use crate::apply::lines::shape::closes;
use crate::syntax::Definition;

/// What a comment asks to remove.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Removal<'l> {
    pub name: &'l str,
    /// It speaks of the edit (`removed: x`, `... delete x ...`): a comment of the text may say
    /// `remove x` of what the code does.
    pub of_the_edit: bool,
    /// And of a name, not of what is called so (`removed duplicates`).
    pub surely: bool,
}

/// What a comment of the file's language says of the edit: what it asks to remove, or nothing where
/// that is gone already. None for any other line: in prose, `* Removed: parse` is text.
pub(crate) fn spoken(text: &str, file: &Haystack) -> Option<Option<Asked>> {
    if !begins_comment(text.trim_start(), file.comments) {
        return None;
    }
    if let Some(asked) = removal(text) {
        // By its own name, or with what it belongs to in front.
        let last = asked.name.rsplit(['.', ':', '#', '\\']).next();
        let mut names = [Some(asked.name), last].into_iter().flatten();
        if let Some(name) = names.find(|n| (file.defines)(n)) {
            let name = name.to_string();
            return Some(Some(Asked::Definition(name, asked.surely)));
        }
    }
    if let Some(line) = line_gone(text).filter(|l| file.count(l) == 1) {
        return Some(Some(Asked::Line(line.to_string())));
    }
    let names = ends_gone(text)?;
    let known: Vec<_> = names.iter().filter(|w| (file.defines)(w)).collect();
    if let [name] = known.as_slice() {
        return Some(Some(Asked::Definition(name.to_string(), true)));
    }
    let gone = !names.is_empty() && !names.iter().any(|w| (file.mentions)(w));
    gone.then_some(None)
}

/// A comment that asks for a removal, if it names one thing.
pub(crate) fn removal(line: &str) -> Option<Removal<'_>> {
    let (opened, inner) = strip_comment(line.trim());
    if !opened {
        return None;
    }
    let framed = dotted(inner);
    let inner = inner.trim_matches(['.', '…', ' ', '[', ']', '(', ')']);
    let lower = inner.to_ascii_lowercase();
    for verb in &WORDS.removals {
        if lower.starts_with(verb.as_str()) {
            let rest = inner.get(verb.len()..)?.trim();
            // What follows in parentheses says more of it.
            let rest = rest.split_once(" (").map_or(rest, |(name, _)| name);
            let name = rest
                .split_whitespace()
                .filter(|w| !has(&WORDS.noise, &w.to_ascii_lowercase()))
                .collect::<Vec<_>>();
            if let [one] = name.as_slice() {
                let one = one.trim_matches(['`', '\'', '"', '(', ')', ':', '.', '$', ';']);
                let of_the_edit = framed || verb.ends_with(':') || verb.ends_with("ed ");
                let surely = framed || verb.ends_with(':') || reads_as_name(rest);
                return (!one.is_empty()).then_some(Removal {
                    name: one,
                    of_the_edit,
                    surely: of_the_edit && surely,
                });
            }
            return None;
        }
    }
    None
}

/// The names in a comment that ends with saying that something is gone: `// register() removed`,
/// `# (test_read and its docs removed)`.
fn ends_gone(line: &str) -> Option<Vec<&str>> {
    let (opened, inner) = strip_comment(line.trim());
    let inner = inner.trim_matches(['.', '…', ' ', '(', ')', '[', ']']);
    // What follows in parentheses says why.
    let inner = inner.split_once(" (").map_or(inner, |(told, _)| told);
    let (what, verb) = inner.rsplit_once(' ').filter(|_| opened)?;
    let names = what.split_whitespace().filter(|w| reads_as_name(w));
    has(&WORDS.gone, &verb.to_lowercase())
        .then(|| names.map(|w| w.trim_end_matches("()")).collect())
}

/// Whether a word of a comment reads as a name of the code: `parse()`, `max_size`, `toJson`.
fn reads_as_name(word: &str) -> bool {
    let word = word.trim_matches(['`', '\'', '"', ',', ';', ':']);
    let inner = |c: char| c == '_' || c.is_uppercase();
    word.ends_with("()") || word.chars().skip(1).any(inner) && word.chars().any(char::is_lowercase)
}

/// What a comment says is gone: `import x` of `# removed: import x`.
fn line_gone(line: &str) -> Option<&str> {
    let (opened, inner) = strip_comment(line.trim());
    let inner = inner.trim_matches(['.', '…', ' ']);
    let (head, what) = inner.split_once(':').filter(|_| opened)?;
    let what = what.trim().trim_matches('`');
    let asks = has(&WORDS.gone, &head.trim().to_lowercase());
    (asks && what.contains(' ')).then_some(what)
}

/// Whether a comment tells that what stood in its place is gone: `// removed: the old check`,
/// `# ... parse removed, see reader.py ...`.
pub(crate) fn told_gone(line: &str, comments: &[&str]) -> bool {
    if !begins_comment(line.trim_start(), comments) {
        return false;
    }
    let (opened, inner) = strip_comment(line.trim());
    if !opened {
        return false;
    }
    let gone = |w: &str| has(&WORDS.gone, &w.to_lowercase());
    let head = inner.split_once(':').map_or("", |(head, _)| head.trim());
    let framed = inner.starts_with(['.', '…']) && inner.ends_with(['.', '…']);
    let all: Vec<&str> = inner
        .split(|c: char| !c.is_alphanumeric() && c != '_')
        .filter(|w| !w.is_empty())
        .collect();
    let kept = |w: &&str| has(&WORDS.keywords, &w.to_lowercase());
    gone(head) || framed && all.iter().any(|w| gone(w)) && !all.iter().any(kept)
}

/// The text without what the comments of an edit ask to remove: definitions that have their name
/// alone, and lines that stand there once. Anything else is left for the checks to refuse.
pub(crate) fn without(file: &Facts, scripts: &[Script]) -> String {
    let asked = scripts.iter().flat_map(|s| &s.removals);
    let mut gone: Vec<Range<usize>> = asked.filter_map(|a| lines(file, a)).collect();
    gone.sort_by_key(|r| (r.start, r.end));
    let mut out = String::new();
    let mut next = 0;
    for run in gone {
        if run.start >= next {
            out.extend((next..run.start).map(|j| file.lines.full(j + 1)));
            next = run.end;
        }
    }
    out.extend((next..file.records.len()).map(|j| file.lines.full(j + 1)));
    out
}

/// The lines (from 0) that one of them means, with the blank ones that would be too many.
fn lines(file: &Facts, asked: &Asked) -> Option<Range<usize>> {
    let run = match asked {
        Asked::Definition(name, true) => definition(file, name)?,
        Asked::Definition(_, false) => return None,
        Asked::Line(text) => {
            let mut all = (0..file.records.len()).filter(|&j| file.records[j].trimmed == text);
            let j = all.next().filter(|_| all.next().is_none())?;
            return Some(j..j + 1);
        }
    };
    let blank = |l: &Line| l.class == Class::Blank;
    let above = file.records[..run.start].iter().rev();
    let above = above.take_while(|l| blank(l)).count();
    let below = file.records[run.end..].iter().take_while(|l| blank(l));
    let below = below.count();
    let next = file.records.get(run.end + below);
    let last = next.is_none_or(|l| closes(l.trimmed));
    Some(if last || below == 0 {
        run.start - above..run.end
    } else if above > 0 || run.start == 0 {
        run.start..run.end + below
    } else {
        run
    })
}

/// The lines of the only definition with a name, where they are nobody else's.
fn definition(file: &Facts, name: &str) -> Option<Range<usize>> {
    let all = file.definitions();
    let found = all.find(name);
    let [d] = found.as_slice() else { return None };
    let lines = d.lines_with_docs();
    let apart = |o: &Definition| {
        let within = lines.start <= o.lines.start && o.lines.end <= lines.end;
        let around = o.bytes.start < d.bytes.start && d.bytes.end < o.bytes.end;
        let beside = o.lines.end < lines.start || lines.end < o.lines.start;
        beside || around || within && d.bytes.start <= o.bytes.start && o.bytes.end <= d.bytes.end
    };
    let run = lines.start - 1..lines.end;
    (run.end <= file.records.len() && all.iter().all(apart)).then_some(run)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_may_tell_that_something_is_gone() {
        for t in [
            "// removed: `as any` casts",
            "// ... parse removed, see Reader ...",
            "# Deleted: x",
        ] {
            assert!(told_gone(t, &["#"]), "{t}");
        }
        for t in [
            "// removed a bug that crashed it",
            "// ... existing code (unused imports removed) ...",
            "removed: x",
            "# Note: removed",
        ] {
            assert!(!told_gone(t, &["#"]), "{t}");
        }
    }

    #[test]
    fn removal_comments_name_one_thing() {
        let asks = |name, of_the_edit| {
            Some(Removal {
                name,
                of_the_edit,
                surely: of_the_edit,
            })
        };
        assert!(removal("// removed duplicates").is_some_and(|r| r.of_the_edit && !r.surely));
        assert_eq!(removal("// removed: oldName"), asks("oldName", true));
        assert_eq!(removal("-- Deleted old_name"), asks("old_name", true));
        assert_eq!(
            removal("# ... delete the method `parse` ..."),
            asks("parse", true)
        );
        assert_eq!(
            removal("# removed: parse() (and its comment)"),
            asks("parse", true)
        );
        assert_eq!(line_gone("# removed: import os"), Some("import os"));
        assert_eq!(line_gone("// Removed it: see below"), None);
        assert_eq!(ends_gone("// register() removed"), Some(vec!["register"]));
        assert_eq!(
            ends_gone("# (test_x and its docs removed)"),
            Some(vec!["test_x"])
        );
        assert_eq!(ends_gone("// duplicates removed"), Some(vec![]));
        assert_eq!(ends_gone("// removed it"), None);
        assert_eq!(removal("// Remove duplicates"), asks("duplicates", false));
        assert_eq!(removal("// removed a bug that crashed it"), None);
        assert_eq!(removal("delete foo;"), None);
    }
}
