//! An edit as it has been read: lines with a role, cut into segments.

use crate::apply::lines::line::{Counts, Line};
use crate::syntax::Language;

/// What a snippet line asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Context or new text: the alignment finds out which.
    Plain,
    /// Context of a hunk: it has to be in the file.
    Context,
    /// A line to remove: it has to be in the file.
    Minus,
    /// New text, whether or not the file has such a line.
    Plus,
}

/// One line of the edit.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    /// Without line break, fences, prefixes.
    pub text: String,
    /// What it asks for.
    pub role: Role,
    /// Its line in the snippet as sent, from 1.
    pub number: usize,
}

/// A comment on the edit, which is no line of it.
#[derive(Debug, Clone)]
pub(crate) struct Note {
    /// How many lines of the segment stand above it.
    pub above: usize,
    /// Its line in the snippet as sent, from 1.
    pub number: usize,
    /// It names one thing, which the file does not mention: that is gone already.
    pub done: bool,
}

/// A run of lines between two markers.
#[derive(Debug, Clone, Default)]
pub(crate) struct Segment {
    /// Its lines without blank ones at both ends.
    pub items: Vec<Item>,
    /// Blank lines that stood before the first line.
    pub blank_before: usize,
    /// Blank lines that stood after the last line.
    pub blank_after: usize,
    /// A marker stands right before it.
    pub marker_before: bool,
    /// A marker stands right after it.
    pub marker_after: bool,
    /// What that marker is indented by.
    pub marker_indent: String,
    /// The line of the file at which a hunk header says that it starts, from 1.
    pub hint: Option<usize>,
    /// Comments which tell that what stood in their place is gone.
    pub notes: Vec<Note>,
    /// It is a line of the file above the hunk that follows: `@@ fn name`.
    pub locates: bool,
}

/// One pass over the file.
#[derive(Debug, Clone, Default)]
pub(crate) struct Script {
    /// In the order of the snippet.
    pub segments: Vec<Segment>,
    /// Number of markers.
    pub markers: usize,
    /// Hunks of a diff or a search/replace block: context has to match.
    pub strict: bool,
    /// What comments ask to remove.
    pub removals: Vec<Asked>,
}

impl Script {
    /// Its lines as one text, segments apart, behind what opens a file of its language; and of each
    /// line its segment and its number in that.
    pub fn text(&self, language: &Language) -> (String, Vec<Option<(usize, usize)>>) {
        let mut text = String::new();
        let mut at = Vec::new();
        let mut push = |line: &str, place| {
            text.push_str(line);
            text.push('\n');
            at.push(place);
        };
        if let Some(opening) = language.opening() {
            push(opening, None);
        }
        for (s, segment) in self.segments.iter().enumerate() {
            for (i, item) in segment.items.iter().enumerate() {
                push(&item.text, Some((s, i)));
            }
            push("", None);
        }
        (text, at)
    }

    /// Whether no line has a prefix.
    pub fn is_plain(&self) -> bool {
        let mut items = self.segments.iter().flat_map(|s| &s.items);
        items.all(|i| i.role == Role::Plain)
    }
}

/// What a comment asks to remove.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Asked {
    /// A definition, by its name; whether the comment surely speaks of the edit.
    Definition(String, bool),
    /// A line, which the file has once.
    Line(String),
}

/// A snippet that cannot be read as an edit.
#[derive(Debug)]
pub(crate) enum Unreadable {
    /// Code and a marker on one line (its number and text).
    Inline(usize, String),
    /// A search/replace block without its end (its line).
    OpenBlock(usize),
    /// Nothing but markers and blanks.
    Empty,
    /// Nothing but comments on what is gone (the line of the first).
    Gone(usize),
}

/// Where the text of an edit can be looked up.
pub(crate) struct Haystack<'a> {
    pub counts: &'a Counts,
    pub python: bool,
    /// What opens a comment in the file's language.
    pub comments: &'a [&'a str],
    /// Some line of the file begins with `+`.
    pub plus: bool,
    /// Some line of the file begins with a dash as a removed one does in a diff.
    pub minus: bool,
    /// Whether a line of the file, blanks apart, stands right above another.
    pub follows: &'a dyn Fn(&str, &str) -> bool,
    /// Whether the file defines a name.
    pub defines: &'a dyn Fn(&str) -> bool,
    /// Whether a line of the file holds a word.
    pub mentions: &'a dyn Fn(&str) -> bool,
}

impl Haystack<'_> {
    pub(super) fn holds(&self, text: &str) -> bool {
        self.count(text) > 0
    }

    /// How often a line stands in the file, blanks apart.
    pub fn count(&self, text: &str) -> usize {
        let count = self.counts.get(&Line::new(text).hash);
        count.map_or(0, |&n| usize::try_from(n).unwrap_or(usize::MAX))
    }
}
