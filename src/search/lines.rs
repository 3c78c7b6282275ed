//! Matching lines, as they are found and as they are handed out. Those of a file lie
//! behind each other in one piece of memory: of a frequent word there are hundreds of
//! thousands, and to allot each its own takes longer than to find it.

use super::response::Freshness;
use std::fmt;
use std::ops::{Deref, Range};
use std::sync::Arc;

/// The matching lines of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matches {
    /// By query, in order of paths and lines.
    pub lines: Vec<Vec<LineMatch>>,
    /// By query, whether there are more than [`Request::limit`](super::Request::limit).
    pub more: Vec<bool>,
    /// How it was made sure to be up to date.
    pub freshness: Freshness,
}

/// A matching line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineMatch {
    /// Relative to the root.
    pub path: Arc<str>,
    /// From 1.
    pub line: usize,
    /// With its line break, decoded from UTF-16 where the file is.
    pub text: Text,
}

/// The bytes of a line; shares memory with the other matching lines of its file.
#[derive(Clone)]
pub struct Text {
    all: Arc<Vec<u8>>,
    at: Range<usize>,
}

impl Deref for Text {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.all.get(self.at.clone()).unwrap_or_default()
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Text {}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&String::from_utf8_lossy(self), f)
    }
}

/// Lines one behind the other.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Texts {
    bytes: Vec<u8>,
    /// Where each of them ends.
    ends: Vec<usize>,
}

impl Texts {
    pub fn push(&mut self, line: &[u8]) {
        self.bytes.extend_from_slice(line);
        self.ends.push(self.bytes.len());
    }

    /// Keeps the first so many.
    pub fn truncate(&mut self, most: usize) {
        self.ends.truncate(most);
        self.bytes
            .truncate(self.ends.last().copied().unwrap_or_default());
    }

    /// Each for itself, in order.
    pub fn into_lines(self) -> impl Iterator<Item = Text> {
        let all = Arc::new(self.bytes);
        let mut start = 0;
        self.ends.into_iter().map(move |end| Text {
            all: Arc::clone(&all),
            at: std::mem::replace(&mut start, end)..end,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_back_as_they_were_put_in() {
        let mut texts = Texts::default();
        for line in ["one\n", "", "three"] {
            texts.push(line.as_bytes());
        }
        let lines: Vec<Text> = texts.clone().into_lines().collect();
        let lines: Vec<&[u8]> = lines.iter().map(|l| &**l).collect();
        assert_eq!(lines, [&b"one\n"[..], b"", b"three"]);
        texts.truncate(1);
        assert_eq!(
            format!("{:?}", texts.clone().into_lines().last()),
            "Some(\"one\\n\")"
        );
        texts.truncate(0);
        assert_eq!(texts, Texts::default());
    }
}
