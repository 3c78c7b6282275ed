//! The strings and comments of a text by its language's data, without a parse.

use std::ops::Range;

use super::language::{Language, StringSyntax};

/// The bytes of the strings and comments, in order. What
/// it makes of a text by its marks alone may be wrong, as where a pattern holds a quote.
pub(super) fn within(language: &'static Language, text: &str) -> Vec<Range<usize>> {
    let lexer = Lexer::new(language, text);
    let mut out = Vec::new();
    let mut at = 0;
    while let Some(found) = lexer.next(at) {
        at = found.end.max(found.start + 1);
        out.push(found);
    }
    out
}

struct Lexer<'a> {
    text: &'a str,
    line_comments: &'a [String],
    block_comments: &'a [(String, String)],
    strings: &'a [StringSyntax],
    /// Bytes that may begin a string or comment.
    first: [bool; 256],
}

impl<'a> Lexer<'a> {
    fn new(language: &'static Language, text: &'a str) -> Self {
        let mut first = [false; 256];
        let (line_comments, block_comments) = (language.line_comments(), language.block_comments());
        let strings = language.strings();
        let blocks = block_comments.iter().map(|(open, _)| open);
        let opens = line_comments.iter().chain(blocks);
        for open in opens.chain(strings.iter().map(|s| &s.open)) {
            if let Some(byte) = open.bytes().next() {
                first[usize::from(byte)] = true;
            }
        }
        Self {
            text,
            line_comments,
            block_comments,
            strings,
            first,
        }
    }

    /// The first string or comment at or behind a byte.
    fn next(&self, mut at: usize) -> Option<Range<usize>> {
        let bytes = self.text.as_bytes();
        loop {
            let open = bytes
                .get(at..)?
                .iter()
                .position(|&b| self.first[usize::from(b)])?;
            at += open;
            if let Some(end) = self.end(at) {
                return Some(at..end);
            }
            at += 1;
        }
    }

    /// Where the string or comment ends that begins at a byte, if one does.
    fn end(&self, at: usize) -> Option<usize> {
        let rest = self.text.get(at..)?;
        let begins = |open: &&String| rest.starts_with(open.as_str());
        let line = || memchr::memchr(b'\n', rest.as_bytes()).map_or(self.text.len(), |n| at + n);
        let block = self.block_comments.iter().find(|(open, _)| begins(&open));
        if let Some((open, close)) = block {
            let inside = rest.get(open.len()..)?;
            let end = inside.find(close.as_str()).map(|n| n + close.len());
            return Some(end.map_or(self.text.len(), |n| at + open.len() + n));
        }
        if self.line_comments.iter().any(|open| begins(&open)) {
            return Some(line());
        }
        let strings = self.strings.iter().filter(|s| begins(&&s.open));
        let string = strings.max_by_key(|s| s.open.len())?;
        let before = self.text.as_bytes().get(at.wrapping_sub(1));
        // A quote in quotes.
        if before == Some(&b'\'') && rest.get(1..).is_some_and(|r| r.starts_with('\'')) {
            return None;
        }
        // An apostrophe is more often one of a word.
        let end = match string.multiline && string.open != "'" {
            true => self.text.len(),
            false => line(),
        };
        let from = at + string.open.len();
        Some(closed(self.text, from..end, string))
    }
}

/// Where a string is closed in a range, or the range's end.
fn closed(text: &str, range: Range<usize>, string: &StringSyntax) -> usize {
    let inside = text.get(range.clone()).unwrap_or_default();
    let mut from = 0;
    while let Some(found) = inside
        .get(from..)
        .and_then(|r| r.find(string.close.as_str()))
    {
        let close = from + found;
        let before = inside.get(..close).unwrap_or_default();
        let escapes = match string.escape {
            Some(escape) => before.chars().rev().take_while(|c| *c == escape).count(),
            None => 0,
        };
        if escapes.is_multiple_of(2) {
            return range.start + close + string.close.len();
        }
        from = close + 1;
    }
    range.end
}
