//! The lines that selection works on.
//!
//! Mostly they are the lines of the input. A line of more than [`LONG`]
//! characters is cut into spans at structural borders, and a message history is
//! laid out as plain text first; then the lines are those of that layout.

use std::borrow::Cow;
use std::ops::Range;

/// Lines longer than this many characters are cut into spans.
pub const LONG: usize = 1000;
/// The length, in bytes, that spans without structure are cut to.
const SPAN: usize = 240;
/// Structural spans shorter than this many bytes are joined with the next one.
const SHORT: usize = 12;

/// A line of the view.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece {
    /// Byte offset of its start in the text.
    pub start: usize,
    /// Byte offset of its end, line break included.
    pub end: usize,
    /// Whether the next piece continues the same line of the text.
    pub glued: bool,
}

/// A text and its pieces, which cover it without a gap.
#[derive(Debug, Clone)]
pub struct View<'a> {
    /// The text; borrowed where it is the input itself.
    pub text: Cow<'a, str>,
    /// Its lines and spans, in order.
    pub pieces: Vec<Piece>,
    /// Where the view holds only some lines of a larger text: the numbers of its
    /// pieces there and how many lines there are.
    part: Option<(Vec<usize>, usize)>,
}

impl<'a> View<'a> {
    /// Cuts a text into lines, and long lines into spans.
    pub fn new(text: impl Into<Cow<'a, str>>) -> Self {
        let text = text.into();
        let mut pieces = Vec::with_capacity(text.len() / 32 + 1);
        let mut start = 0;
        while start < text.len() {
            let end = memchr::memchr(b'\n', &text.as_bytes()[start..])
                .map_or(text.len(), |i| start + i + 1);
            if end - start > LONG && text[start..end].chars().nth(LONG + 1).is_some() {
                cut(&text, start..end, &mut pieces);
            } else {
                pieces.push(Piece {
                    start,
                    end,
                    glued: false,
                });
            }
            start = end;
        }
        Self {
            text,
            pieces,
            part: None,
        }
    }

    /// A view of nothing.
    pub fn empty() -> Self {
        Self::new("")
    }

    /// Several views behind one another.
    pub fn joined(views: Vec<View>) -> Self {
        let mut text = String::new();
        let mut pieces = Vec::new();
        for view in views {
            pieces.extend(view.pieces.iter().map(|p| Piece {
                start: p.start + text.len(),
                end: p.end + text.len(),
                glued: p.glued,
            }));
            text.push_str(&view.text);
        }
        Self {
            text: text.into(),
            pieces,
            part: None,
        }
    }

    /// Some lines of a text of `total` lines, each with its number (from 1,
    /// rising). None of them is cut.
    pub fn of_lines(text: String, numbers: Vec<usize>, total: usize) -> Self {
        let mut start = 0;
        let pieces = text
            .split_inclusive('\n')
            .map(|line| {
                let piece = Piece {
                    start,
                    end: start + line.len(),
                    glued: false,
                };
                start = piece.end;
                piece
            })
            .collect();
        Self {
            text: text.into(),
            pieces,
            part: Some((numbers, total)),
        }
    }

    /// The number of piece `i` (from 0) among all lines, from 1.
    pub fn number(&self, i: usize) -> usize {
        match &self.part {
            Some((numbers, total)) => numbers.get(i).copied().unwrap_or(total + 1),
            None => i + 1,
        }
    }

    /// How many lines there are, those that the view does not hold included.
    pub fn total(&self) -> usize {
        self.part.as_ref().map_or(self.pieces.len(), |p| p.1)
    }

    /// Whether lines that the view does not hold lie in front of piece `i`; for
    /// `i` behind the last piece, at the end.
    pub fn hidden_before(&self, i: usize) -> bool {
        let before = if i == 0 { 0 } else { self.number(i - 1) };
        self.number(i) != before + 1
    }

    /// Number of pieces.
    pub fn len(&self) -> usize {
        self.pieces.len()
    }

    /// Piece `i` (from 0) with its line break; empty where there is none.
    pub fn full(&self, i: usize) -> &str {
        self.pieces
            .get(i)
            .map_or("", |p| &self.text[p.start..p.end])
    }

    /// Piece `i` (from 0) without its line break.
    pub fn get(&self, i: usize) -> &str {
        let full = self.full(i);
        let full = full.strip_suffix('\n').unwrap_or(full);
        full.strip_suffix('\r').unwrap_or(full)
    }

    /// All pieces without their line breaks.
    pub fn lines(&self) -> Vec<&str> {
        (0..self.len()).map(|i| self.get(i)).collect()
    }

    /// Whether some line was cut.
    pub fn is_cut(&self) -> bool {
        self.pieces.iter().any(|p| p.glued)
    }

    /// The text with a line break behind every span of a cut line, so that its
    /// line `n` is piece `n - 1`.
    pub fn laid_out(&self) -> Cow<'_, str> {
        if !self.is_cut() {
            return Cow::Borrowed(&self.text);
        }
        let mut out = String::with_capacity(self.text.len() + self.len());
        for (i, p) in self.pieces.iter().enumerate() {
            out.push_str(self.full(i));
            if p.glued {
                out.push('\n');
            }
        }
        Cow::Owned(out)
    }

    /// The piece that holds the byte at `offset`; the last for offsets behind the text.
    pub fn piece_at(&self, offset: usize) -> usize {
        self.pieces
            .partition_point(|p| p.start <= offset)
            .saturating_sub(1)
    }
}

/// Cuts one long line: behind the commas of objects, in front of elements that
/// are containers themselves, inside long strings at blanks and escaped line
/// breaks. Text that is not JSON has borders of the same look (call arguments,
/// fields, sentences), so one scanner serves all.
fn cut(text: &str, line: Range<usize>, pieces: &mut Vec<Piece>) {
    let bytes = text.as_bytes();
    let first = pieces.len();
    let mut from = line.start;
    let mut stack: Vec<u8> = Vec::new();
    let mut string = false;
    let mut i = line.start;
    let body = line.end - (bytes[..line.end].ends_with(b"\n") as usize);
    while i < body {
        let b = bytes[i];
        let mut border = None; // offset of a cut
        if string {
            match b {
                b'\\' if bytes.get(i + 1) == Some(&b'n') && i.saturating_sub(from) > SPAN / 2 => {
                    border = Some(i + 2);
                    i += 1;
                }
                b'\\' => i += 1,
                b'"' => string = false,
                b' ' if i.saturating_sub(from) > SPAN => border = Some(i + 1),
                _ => {}
            }
        } else {
            match b {
                b'"' => string = true,
                b'{' | b'[' => {
                    if i.saturating_sub(from) >= SHORT && stack.last() == Some(&b'[') {
                        border = Some(i);
                    }
                    stack.push(b);
                }
                b'}' | b']' => {
                    stack.pop();
                }
                b',' | b';' => {
                    let length = (i + 1).saturating_sub(from);
                    let closed = i > line.start && matches!(bytes[i - 1], b'}' | b']');
                    let least = match stack.last() {
                        Some(b'{') => SHORT,
                        _ if closed => 2,
                        Some(_) => SPAN / 3,
                        None => SPAN / 2,
                    };
                    if length >= least {
                        border = Some(i + 1);
                    }
                }
                b' ' | b'>' if i.saturating_sub(from) > SPAN => border = Some(i + 1),
                _ => {}
            }
        }
        if border.is_none() && i.saturating_sub(from) > 4 * SPAN {
            border = Some(i);
        }
        if let Some(mut at) = border {
            while at < body && !text.is_char_boundary(at) {
                at += 1;
            }
            if at > from && at < body {
                pieces.push(Piece {
                    start: from,
                    end: at,
                    glued: true,
                });
                from = at;
            }
        }
        i += 1;
    }
    pieces.push(Piece {
        start: from,
        end: line.end,
        glued: false,
    });
    debug_assert!(pieces.len() > first);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn cuts_an_object_behind_its_members() {
        let member = format!("\"text\":\"{}\",", "a".repeat(990));
        let text =
            format!("{{{member}\"items\":[{{\"id\":1234567,\"okay\":true}},{{\"id\":7654321}}]}}");
        let view = View::new(text.as_str());
        let lines = view.lines();
        let tail = &lines[lines.len() - 3..];
        assert_eq!(
            tail,
            [
                "\"items\":[{\"id\":1234567,",
                "\"okay\":true},",
                "{\"id\":7654321}]}"
            ]
        );
    }

    #[test]
    fn a_long_line_may_begin_with_a_border() {
        let text = ",[{}:[a".repeat(200);
        let view = View::new(text.as_str());
        let joined: String = (0..view.len()).map(|i| view.full(i)).collect();
        assert_eq!(joined, text);
    }

    proptest! {
        #[test]
        fn pieces_cover_the_text(text in "[a-c\\[\\]{},\":é\\\\ \n]{0,60}", times in 1usize..60) {
            let text = text.repeat(times);
            let view = View::new(text.as_str());
            let joined: String = (0..view.len()).map(|i| view.full(i)).collect();
            prop_assert_eq!(&joined, &text);
            let laid_out = view.laid_out();
            prop_assert_eq!(crate::text::Lines::new(&laid_out).len(), view.len());
        }
    }
}
