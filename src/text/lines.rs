use std::fmt;
use std::ops::Range;

/// A range of lines of one text, counted from 1, both ends included.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
pub struct Span {
    /// First line.
    pub start: usize,
    /// Last line; never below `start`.
    pub end: usize,
}

impl Span {
    /// A span from two line numbers, put in order and raised to 1 where needed.
    pub fn new(start: usize, end: usize) -> Self {
        let (a, b) = if start <= end {
            (start, end)
        } else {
            (end, start)
        };
        Self {
            start: a.max(1),
            end: b.max(1),
        }
    }

    /// Number of lines.
    pub fn len(&self) -> usize {
        self.end - self.start + 1
    }

    /// A span always holds a line.
    pub fn is_empty(&self) -> bool {
        false
    }

    /// Whether a line lies within.
    pub fn contains(&self, line: usize) -> bool {
        self.start <= line && line <= self.end
    }

    /// Whether `other` lies within, ends included.
    pub fn covers(&self, other: Span) -> bool {
        self.start <= other.start && other.end <= self.end
    }

    /// Whether the two share a line.
    pub fn overlaps(&self, other: Span) -> bool {
        self.start <= other.end && other.start <= self.end
    }

    /// Whether the two share a line or follow each other without a gap.
    pub fn touches(&self, other: Span) -> bool {
        self.start <= other.end + 1 && other.start <= self.end + 1
    }

    /// The smallest span that holds both.
    pub fn union(&self, other: Span) -> Span {
        Span {
            start: self.start.min(other.start),
            end: self.end.max(other.end),
        }
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.start == self.end {
            write!(f, "{}", self.start)
        } else {
            write!(f, "{}-{}", self.start, self.end)
        }
    }
}

/// How a line ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ending {
    /// `\n`
    Lf,
    /// `\r\n`
    CrLf,
    /// The end of the text without a line break.
    None,
}

impl Ending {
    /// Its bytes.
    pub fn as_str(self) -> &'static str {
        match self {
            Ending::Lf => "\n",
            Ending::CrLf => "\r\n",
            Ending::None => "",
        }
    }
}

/// A text cut into lines without copying it. A lone `\r` is not a line break;
/// text after the last line break is a line, the empty rest after it is not.
#[derive(Debug, Clone)]
pub struct Lines<'a> {
    text: &'a str,
    /// Byte offset of each line, then the length of the text.
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    /// Finds the lines of `text`.
    pub fn new(text: &'a str) -> Self {
        let mut starts = Vec::with_capacity(text.len() / 32 + 2);
        starts.push(0);
        starts.extend(memchr::memchr_iter(b'\n', text.as_bytes()).map(|i| i + 1));
        if starts.last() != Some(&text.len()) {
            starts.push(text.len());
        }
        Self { text, starts }
    }

    /// The whole text.
    pub fn text(&self) -> &'a str {
        self.text
    }

    /// Number of lines.
    pub fn len(&self) -> usize {
        self.starts.len() - 1
    }

    /// Whether the text is empty.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The span of the whole text, if it has a line.
    pub fn span(&self) -> Option<Span> {
        (!self.is_empty()).then(|| Span::new(1, self.len()))
    }

    /// Line `n` (from 1) with its line break; empty where there is no such line.
    pub fn full(&self, n: usize) -> &'a str {
        if n == 0 || n > self.len() {
            return "";
        }
        &self.text[self.starts[n - 1]..self.starts[n]]
    }

    /// Line `n` (from 1) without its line break.
    pub fn get(&self, n: usize) -> &'a str {
        let full = self.full(n);
        &full[..full.len() - ending_of(full).as_str().len()]
    }

    /// How line `n` (from 1) ends.
    pub fn ending(&self, n: usize) -> Ending {
        ending_of(self.full(n))
    }

    /// Lines without their line breaks, in order.
    pub fn iter(&self) -> impl Iterator<Item = &'a str> + '_ {
        (1..=self.len()).map(|n| self.get(n))
    }

    /// The bytes of a span with its last line break, cut to the text.
    pub fn bytes(&self, span: Span) -> Range<usize> {
        let first = span.start.clamp(1, self.len() + 1);
        let last = span.end.clamp(first - 1, self.len());
        self.starts[first - 1]..self.starts[last]
    }

    /// The text of a span with its line breaks.
    pub fn slice(&self, span: Span) -> &'a str {
        &self.text[self.bytes(span)]
    }

    /// The line (from 1) that holds the byte at `offset`; the last line for
    /// offsets behind the text, 1 for an empty text.
    pub fn line_at(&self, offset: usize) -> usize {
        self.starts
            .partition_point(|&s| s <= offset)
            .clamp(1, self.len().max(1))
    }

    /// Byte offset at which line `n` (from 1) starts; the text's length behind the last.
    pub fn start_of(&self, n: usize) -> usize {
        self.starts[n.clamp(1, self.starts.len()) - 1]
    }

    /// The ending that most lines have; `\n` where the text has no line break.
    pub fn majority_ending(&self) -> Ending {
        let crlf = (1..=self.len())
            .filter(|&n| self.ending(n) == Ending::CrLf)
            .count();
        let lf = (1..=self.len())
            .filter(|&n| self.ending(n) == Ending::Lf)
            .count();
        if crlf > lf { Ending::CrLf } else { Ending::Lf }
    }
}

fn ending_of(full: &str) -> Ending {
    if full.ends_with("\r\n") {
        Ending::CrLf
    } else if full.ends_with('\n') {
        Ending::Lf
    } else {
        Ending::None
    }
}

/// The byte ranges of two texts that are left without the whole lines that they share at
/// their ends.
pub fn changed(before: &str, after: &str) -> (Range<usize>, Range<usize>) {
    let (a, b) = (before.as_bytes(), after.as_bytes());
    let same = shared(a.chunks(BLOCK), b.chunks(BLOCK), a.iter(), b.iter());
    let start = memchr::memrchr(b'\n', &a[..same]).map_or(0, |p| p + 1);
    let (x, y) = (&a[start..], &b[start..]);
    let same = shared(
        x.rchunks(BLOCK),
        y.rchunks(BLOCK),
        x.iter().rev(),
        y.iter().rev(),
    );
    // From the end back to the first line break that lies within what is shared.
    let tail = memchr::memchr(b'\n', &x[x.len() - same..]).map_or(0, |p| same - p - 1);
    (start..a.len() - tail, start..b.len() - tail)
}

/// How many bytes are compared at once.
const BLOCK: usize = 256;

/// How many bytes two texts share from one end: whole blocks first, then single bytes.
fn shared<'t>(
    blocks: impl Iterator<Item = &'t [u8]>,
    others: impl Iterator<Item = &'t [u8]>,
    bytes: impl Iterator<Item = &'t u8>,
    other: impl Iterator<Item = &'t u8>,
) -> usize {
    let whole = blocks
        .zip(others)
        .take_while(|(x, y)| x.len() == BLOCK && x == y);
    let skip = whole.count() * BLOCK;
    let rest = bytes.skip(skip).zip(other.skip(skip));
    skip + rest.take_while(|(x, y)| x == y).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn cuts_mixed_endings() {
        let l = Lines::new("a\r\nb\n\nc");
        assert_eq!(l.iter().collect::<Vec<_>>(), ["a", "b", "", "c"]);
        assert_eq!(l.ending(1), Ending::CrLf);
        assert_eq!(l.ending(2), Ending::Lf);
        assert_eq!(l.ending(4), Ending::None);
        assert_eq!(l.slice(Span::new(2, 3)), "b\n\n");
        assert_eq!(l.line_at(0), 1);
        assert_eq!(l.line_at(3), 2);
        assert_eq!(l.line_at(99), 4);
    }

    #[test]
    fn empty_text_has_no_line() {
        let l = Lines::new("");
        assert!(l.is_empty());
        assert_eq!(l.span(), None);
        assert_eq!(l.slice(Span::new(1, 5)), "");
        assert_eq!(l.line_at(0), 1);
    }

    proptest! {
        #[test]
        fn lines_put_together_are_the_text(text in "[a\\r\\n é]{0,40}") {
            let l = Lines::new(&text);
            let joined: String = (1..=l.len()).map(|n| l.full(n)).collect();
            prop_assert_eq!(&joined, &text);
            let again: String = (1..=l.len()).map(|n| format!("{}{}", l.get(n), l.ending(n).as_str())).collect();
            prop_assert_eq!(&again, &text);
            for n in 1..=l.len() {
                prop_assert_eq!(l.line_at(l.start_of(n)), n);
            }
        }
    }

    #[test]
    fn what_two_texts_do_not_share_is_whole_lines() {
        let parts = |a: &'static str, b: &'static str| {
            let (x, y) = changed(a, b);
            (&a[x], &b[y])
        };
        assert_eq!(parts("a\nb\nc\n", "a\nx\nc\n"), ("b\n", "x\n"));
        assert_eq!(parts("a\nb\n", "a\nb\n"), ("", ""));
        assert_eq!(parts("a\nb", "a\nbc"), ("b", "bc"));
        assert_eq!(parts("a\na\n", "a\na\na\n"), ("", "a\n"));
        assert_eq!(parts("é\n", "è\n"), ("é\n", "è\n"));
        let long = "a line of some length\n".repeat(100);
        let (a, b) = (format!("{long}x\n{long}"), format!("{long}y\n{long}"));
        let (x, y) = changed(&a, &b);
        assert_eq!((&a[x], &b[y]), ("x\n", "y\n"));
    }
}
