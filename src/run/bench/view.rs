//! Which lines the agent had before its eyes, under each way of showing them.

use crate::text::{Lines, Span};
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

/// A set of ways, one bit each.
pub(super) type Mask = u8;
/// What the session recorded.
pub(super) const RECORDED: Mask = 1;
/// What trimtab shows.
pub(super) const OURS: Mask = 2;
/// All ways, the controls' bits included.
pub(super) const ALL: Mask = Mask::MAX;

/// A line quoted by the agent counts from this many letters on.
const QUOTED: usize = 25;

/// Where a line that was shown came from.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Source {
    /// A line of a file of the tree.
    File(String),
    /// A line of the answer to the step of this number.
    Output(usize),
}

/// What has been in view so far.
#[derive(Debug, Default)]
pub(super) struct View {
    /// For each line of a file, the ways that showed it.
    files: HashMap<String, Vec<Mask>>,
    /// The ways that showed a line with this text, anywhere.
    texts: HashMap<u64, Mask>,
    /// Where the recorded session first showed it.
    origins: HashMap<u64, (Source, usize)>,
}

impl View {
    /// Lines (from 1) of a file with this text came into view.
    pub fn show(
        &mut self,
        path: &str,
        text: &Lines<'_>,
        lines: impl IntoIterator<Item = usize>,
        ways: Mask,
    ) {
        for n in lines {
            if n == 0 || n > text.len() {
                continue;
            }
            let flags = self.files.entry(path.to_string()).or_default();
            flags.resize(text.len().max(flags.len()), 0);
            flags[n - 1] |= ways;
            self.show_line(text.get(n), ways, || (Source::File(path.to_string()), n));
        }
    }

    /// An answer's lines came into view.
    pub fn show_text(&mut self, step: usize, text: &str, ways: Mask) {
        for (n, line) in text.lines().enumerate() {
            self.show_line(bare(line), ways, || (Source::Output(step), n + 1));
        }
    }

    /// Some lines of an answer came into view.
    pub fn show_lines<'a>(&mut self, lines: impl IntoIterator<Item = &'a str>, ways: Mask) {
        for line in lines {
            if let Some(key) = key(bare(line)) {
                *self.texts.entry(key).or_default() |= ways;
            }
        }
    }

    fn show_line(&mut self, line: &str, ways: Mask, from: impl FnOnce() -> (Source, usize)) {
        let Some(key) = key(line) else { return };
        *self.texts.entry(key).or_default() |= ways;
        if ways & RECORDED != 0 {
            self.origins.entry(key).or_insert_with(from);
        }
    }

    /// What the agent wrote itself it knows, in every way.
    pub fn wrote(&mut self, text: &str) {
        for key in text.lines().filter_map(key) {
            *self.texts.entry(key).or_default() |= ALL;
        }
    }

    /// A file changed: lines that stayed keep their flags, new ones are the agent's.
    pub fn edited(&mut self, path: &str, before: &str, after: &str) {
        let old = self.files.remove(path).unwrap_or_default();
        let mut flags = Vec::new();
        for op in similar::TextDiff::from_lines(before, after).ops() {
            let (tag, a, b) = op.as_tag_tuple();
            if tag == similar::DiffTag::Equal {
                flags.extend(a.map(|n| old.get(n).copied().unwrap_or(0)));
            } else {
                flags.extend(b.map(|_| ALL));
            }
        }
        self.files.insert(path.to_string(), flags);
    }

    /// The lines of a span that the recorded session had shown and `way` has not.
    /// Blank lines need not be seen.
    pub fn missing(&self, path: &str, text: &Lines<'_>, span: Span, way: Mask) -> Vec<usize> {
        let Some(flags) = self.files.get(path) else {
            return Vec::new();
        };
        (span.start..=span.end.min(text.len()))
            .filter(|n| !text.get(*n).trim().is_empty())
            .filter(|n| {
                let shown = flags.get(n - 1).copied().unwrap_or(0);
                shown & RECORDED != 0 && shown & way == 0
            })
            .collect()
    }

    /// Whether all lines of a span are in view in this way.
    pub fn has(&self, path: &str, text: &Lines<'_>, span: Span, way: Mask) -> bool {
        let flags = self.files.get(path).map_or(&[][..], Vec::as_slice);
        (span.start..=span.end.min(text.len())).all(|n| {
            text.get(n).trim().is_empty() || flags.get(n - 1).is_some_and(|f| f & way != 0)
        })
    }

    /// The lines of what the agent writes that it quotes from what the session had
    /// shown and `way` has not, by where they came from.
    pub fn unquotable(&self, written: &str, way: Mask) -> Vec<(Source, usize)> {
        let mut out: Vec<_> = written
            .lines()
            .filter(|line| line.trim().chars().count() >= QUOTED)
            .filter_map(key)
            .filter(|key| {
                self.texts
                    .get(key)
                    .is_some_and(|shown| shown & RECORDED != 0 && shown & way == 0)
            })
            .filter_map(|key| self.origins.get(&key).cloned())
            .collect();
        out.sort();
        out.dedup();
        out
    }
}

/// A hash of a line without the blanks around it; none for a blank line.
pub(super) fn key(line: &str) -> Option<u64> {
    let line = line.trim();
    if line.is_empty() {
        return None;
    }
    // Its keys are fixed: equal in every run.
    let mut hasher = DefaultHasher::new();
    line.hash(&mut hasher);
    Some(hasher.finish())
}

/// A line without what tools put in front: `path:12:`, `12-`, `    12→`.
pub(super) fn bare(line: &str) -> &str {
    numbered(line).map_or(line, |(_, text)| text)
}

/// Number and text of a line that a reading or searching tool printed.
pub(super) fn numbered(line: &str) -> Option<(usize, &str)> {
    let start = line.trim_start();
    let digits = start.bytes().take_while(u8::is_ascii_digit).count();
    if digits > 0
        && let Some(rest) = start.get(digits..)
        && let Some(sign) = rest.chars().next().filter(|c| "→\t:-".contains(*c))
    {
        return Some((start[..digits].parse().ok()?, &rest[sign.len_utf8()..]));
    }
    // `path:12:text`, where the path holds no blank.
    let (path, rest) = start.split_once([':', '-'])?;
    if path.is_empty() || path.contains(char::is_whitespace) || !path.contains(['/', '.']) {
        return None;
    }
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let sign = rest.as_bytes().get(digits).copied();
    if digits == 0 || !matches!(sign, Some(b':' | b'-')) {
        return None;
    }
    Some((rest[..digits].parse().ok()?, &rest[digits + 1..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_front_of_lines_are_taken_off() {
        assert_eq!(numbered("    12→  x = 1"), Some((12, "  x = 1")));
        assert_eq!(numbered("12\tx"), Some((12, "x")));
        assert_eq!(numbered("src/a.py:7:def f"), Some((7, "def f")));
        assert_eq!(numbered("./a.py-8-  y"), Some((8, "  y")));
        assert_eq!(numbered("12:  x"), Some((12, "  x")));
        assert_eq!(numbered("12 apples"), None);
        assert_eq!(numbered("note: 12: x"), None);
        assert_eq!(bare("plain"), "plain");
    }

    #[test]
    fn what_is_missing_follows_the_lines_through_edits() {
        let before = "a\nb\nc\n\nd\n";
        let text = Lines::new(before);
        let mut view = View::default();
        view.show("f", &text, 1..=5, RECORDED);
        view.show("f", &text, [1], OURS);
        assert_eq!(view.missing("f", &text, Span::new(1, 5), OURS), [2, 3, 5]);
        let after = "a\nnew\nc\n\nd\n";
        view.edited("f", before, after);
        let text = Lines::new(after);
        assert_eq!(view.missing("f", &text, Span::new(1, 5), OURS), [3, 5]);
        assert!(view.has("f", &text, Span::new(1, 2), OURS));
        // What was never shown is nobody's miss.
        assert!(
            view.missing("other", &text, Span::new(1, 5), OURS)
                .is_empty()
        );
    }

    #[test]
    fn quotes_need_what_the_session_showed() {
        let line = "def a_function_with_a_long_name():";
        let mut view = View::default();
        view.show_text(3, &format!("src/a.py:9:{line}\nshort\n"), RECORDED);
        let written = format!("```\n  {line}\nshort\n```");
        assert_eq!(view.unquotable(&written, OURS), [(Source::Output(3), 1)]);
        view.wrote(line);
        assert!(view.unquotable(&written, OURS).is_empty());
    }
}
