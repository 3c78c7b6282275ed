//! Which lines of a text begin a member of what is around them, such as an item of the file
//! or a method of a class, as far as the lines tell: a member begins behind a blank line, as
//! deep as its siblings.

use std::ops::Range;

use super::language::{Language, Members};
use super::lexed;

/// What begins the ends of a conditional section.
const SECTIONS: [&str; 3] = ["#if", "#el", "#end"];

/// A line as the search for members sees it.
pub(super) struct Row {
    /// Its first byte.
    pub start: usize,
    /// Bytes of white space before its text; none where it is blank or begins inside a
    /// string or comment.
    pub depth: Option<usize>,
    /// A member may begin here.
    pub opens: bool,
    /// It begins with code.
    pub code: bool,
    /// Brackets that are open where it begins, less those that closed none.
    pub open: isize,
    /// The least that are open below.
    pub least: isize,
    /// Ends of conditional sections above.
    pub ends: usize,
}

/// The lines, and one of nothing at the end.
pub(super) fn rows(language: &'static Language, members: &Members, text: &str) -> Vec<Row> {
    let comments = language.line_comments().iter();
    let blocks = language.block_comments().iter().map(|(open, _)| open);
    let comments: Vec<&String> = comments.chain(blocks).collect();
    let is_comment = |code: &str| comments.iter().any(|c| code.starts_with(c.as_str()));
    let within = lexed::within(language, text);
    let mut within = within.iter().peekable();
    let (mut open, mut ends) = (0, 0);
    let mut rows: Vec<Row> = Vec::new();
    let mut start = 0;
    let mut blank_above = true;
    // How deep an attribute begins: it belongs to what is below it, even across a blank line.
    let mut attribute = None;
    // The comments that the next line of code is below.
    let mut pending: Vec<usize> = Vec::new();
    for line in text.split_inclusive('\n') {
        while within.next_if(|w| w.end <= start).is_some() {}
        let is_code = within.peek().is_none_or(|w| start <= w.start);
        let code = line.trim_start();
        let depth = (is_code && !code.is_empty()).then(|| line.len() - code.len());
        let is_comment = is_comment(code);
        let begins = is_comment || members.may_begin(code);
        let row = Row {
            start,
            depth,
            open,
            least: 0,
            ends,
            code: depth.is_some() && !is_comment,
            opens: depth.is_some() && begins && attribute.is_none() && blank_above,
        };
        let strings = within.clone().take_while(|w| w.start < start + line.len());
        open += brackets(line, start, strings);
        ends += usize::from(code.starts_with('#') && SECTIONS.iter().any(|s| code.starts_with(s)));
        start += line.len();
        blank_above = is_code && code.is_empty();
        if depth.is_some() && is_comment {
            pending.push(rows.len());
        } else if let Some(depth) = depth {
            let goes_on = |a: &usize| depth > *a || code.starts_with([')', ']']);
            attribute = match members.is_attribute(code) {
                true => attribute.or(Some(depth)),
                false => attribute.filter(goes_on),
            };
            // Code that is commented out may begin anywhere.
            for n in pending.drain(..) {
                if let Some(row) = rows.get_mut(n) {
                    row.depth = row.depth.max(Some(depth));
                }
            }
        }
        rows.push(row);
    }
    rows.push(Row {
        start,
        depth: None,
        opens: false,
        code: false,
        open,
        least: open,
        ends,
    });
    let mut least = open;
    for row in rows.iter_mut().rev() {
        least = least.min(row.open);
        row.least = least;
    }
    rows
}

/// The brackets that a line opens, less those that it closes, outside of strings and
/// comments.
fn brackets<'a>(line: &str, start: usize, within: impl Iterator<Item = &'a Range<usize>>) -> isize {
    let count = |from: usize, to: usize| {
        let part = line.as_bytes().get(from..to).unwrap_or_default();
        let one = |b: &u8| match b {
            b'(' | b'[' | b'{' => 1,
            b')' | b']' | b'}' => -1,
            _ => 0,
        };
        part.iter().map(one).sum::<isize>()
    };
    let mut from = 0;
    let mut open = 0;
    for w in within {
        open += count(from, w.start.saturating_sub(start).max(from));
        from = w.end - start;
    }
    open + count(from, line.len())
}
