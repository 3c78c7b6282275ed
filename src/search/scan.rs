//! One read of a file for all queries, with ripgrep's rules.
//!
//! A file is read up to its end or its first NUL byte. Text without one is searched
//! as a slice; anything else (NUL bytes, a byte order mark, a very large file) goes
//! through the same buffered reader that ripgrep uses when it walks a folder,
//! because which lines match before a NUL depends on how that reader fills its
//! buffer.

use super::definition;
use super::query::{Kind, Query};
use crate::workspace::{Cancel, FilePath};
use grep_regex::RegexMatcher;
use grep_searcher::{BinaryDetection, Searcher, SearcherBuilder, Sink, SinkMatch};
use std::fs::File;
use std::io::{self, Read, Seek};
use std::path::Path;

/// What ripgrep looks at first to tell binary files, and the least that is read.
const FIRST_READ: usize = 64 << 10;
/// Files above this size are streamed once per query instead of held (16 MiB).
const HELD: usize = 16 << 20;
/// A buffer that grew beyond this for one file is given back (4 MiB).
const KEPT: usize = 4 << 20;

/// A set of queries of one request, by position.
pub(super) type Mask = u8;

/// What is remembered about the matching lines of one query in one file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Hits {
    /// Position of the query in the request.
    pub query: usize,
    /// Matching lines, from 1, in order.
    pub lines: Vec<u32>,
    /// Their bytes with line breaks, where the caller asked for them.
    pub texts: Vec<Vec<u8>>,
    /// Whether some matching lines are left out: there are more.
    pub more: bool,
    /// Whether some line looks like a definition of the name that is asked for.
    pub defines: bool,
}

/// The hits of all queries in one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FileHits {
    pub path: FilePath,
    /// In order of queries; only those that match.
    pub hits: Vec<Hits>,
}

/// How much of the hits is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Keep {
    /// Most lines per query and file.
    pub lines: usize,
    /// Whether their texts are kept.
    pub texts: bool,
}

/// Searches files one after the other, reusing its buffers. One per thread.
pub(super) struct Scanner<'q> {
    queries: &'q [Query],
    /// Own clones: clones of a matcher do not contend for its scratch memory.
    matchers: Vec<RegexMatcher>,
    /// For text known to hold no NUL byte: by lines, and across lines.
    plain: [Searcher; 2],
    keep: Keep,
    cancel: Cancel,
    buffer: Vec<u8>,
}

/// What a file turned out to be.
enum Content {
    /// Nothing, or binary from the start: it matches nothing.
    Empty,
    /// Text of this many bytes at the start of the buffer, without a NUL byte.
    Plain(usize),
    /// This many bytes, to be searched as ripgrep does with binary detection.
    Guarded(usize),
    /// Too large to hold.
    Streamed(File),
}

impl<'q> Scanner<'q> {
    pub fn new(queries: &'q [Query], keep: Keep, cancel: &Cancel) -> Self {
        let plain = |multi_line| searcher(multi_line, BinaryDetection::none());
        Self {
            queries,
            matchers: queries.iter().map(|q| q.matcher.clone()).collect(),
            plain: [plain(false), plain(true)],
            keep,
            cancel: cancel.clone(),
            buffer: Vec::new(),
        }
    }

    /// All hits of the queries in `mask` in one file; none where there is no hit,
    /// or the file cannot be read (it may have gone since it was listed).
    pub fn scan(&mut self, path: &FilePath, mask: Mask) -> Option<FileHits> {
        let content = self.load(&path.abs, mask).ok()?;
        let mut all = Vec::new();
        for i in (0..self.queries.len()).filter(|i| mask & (1 << i) != 0) {
            if self.cancel.is_cancelled() {
                return None;
            }
            if let Some(hits) = self.search(i, &content) {
                all.push(hits);
            }
        }
        if self.buffer.len() > KEPT {
            self.buffer = Vec::new();
        }
        (!all.is_empty()).then(|| FileHits {
            path: path.clone(),
            hits: all,
        })
    }

    /// All hits of one query in bytes that were read before.
    pub fn scan_bytes(&mut self, query: usize, bytes: &[u8]) -> Option<Hits> {
        let asked = self.queries.get(query)?;
        let matcher = self.matchers.get(query)?;
        let mut sink = LineSink::new(asked, query, self.keep);
        let clean = !has_mark(bytes) && memchr::memchr(b'\0', bytes).is_none();
        let done = if clean {
            self.plain[usize::from(asked.multiline)].search_slice(matcher, bytes, &mut sink)
        } else {
            guarded(asked, matcher, bytes, &mut sink)
        };
        // As when it was scanned, what matched before an error counts.
        let _ = done;
        sink.finish()
    }

    fn search(&mut self, query: usize, content: &Content) -> Option<Hits> {
        let asked = self.queries.get(query)?;
        let matcher = self.matchers.get(query)?;
        let mut sink = LineSink::new(asked, query, self.keep);
        let done = match content {
            Content::Empty => return None,
            Content::Plain(len) => self.plain[usize::from(asked.multiline)].search_slice(
                matcher,
                self.buffer.get(..*len)?,
                &mut sink,
            ),
            Content::Guarded(len) => guarded(asked, matcher, self.buffer.get(..*len)?, &mut sink),
            Content::Streamed(file) => {
                let mut file = file;
                file.rewind().ok()?;
                let reader = Stoppable {
                    file,
                    cancel: &self.cancel,
                };
                searcher(false, BinaryDetection::quit(b'\0'))
                    .search_reader(matcher, reader, &mut sink)
            }
        };
        // An unreadable rest of a file takes nothing from what matched before it.
        let _ = done;
        sink.finish()
    }

    fn load(&mut self, path: &Path, mask: Mask) -> io::Result<Content> {
        let mut file = File::open(path)?;
        let mut len = 0;
        let mut goal = FIRST_READ;
        let mut marked = false;
        let mut nul = false;
        loop {
            if self.buffer.len() < goal {
                self.buffer.resize(goal, 0);
            }
            let n = match file.read(&mut self.buffer[len..goal]) {
                Ok(n) => n,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                Err(e) => return Err(e),
            };
            let fresh = len..len + n;
            if len < 3 {
                let head = &self.buffer[..fresh.end];
                marked = has_mark(head);
            }
            len = fresh.end;
            if n == 0 {
                break;
            }
            if !marked && !nul && memchr::memchr(b'\0', &self.buffer[fresh]).is_some() {
                nul = true;
                // What follows cannot matter, except across lines.
                if !self.any_multiline(mask) || len <= FIRST_READ {
                    break;
                }
            }
            if len == goal {
                if len >= HELD && !self.any_multiline(mask) {
                    return Ok(Content::Streamed(file));
                }
                goal = len * 2;
                self.cancel.check().map_err(io::Error::other)?;
            }
        }
        // The reader fills its buffer, meets the NUL and gives up; only a line break
        // in the three bytes that it peeks at first would let it look at a line.
        let binary = nul && len <= FIRST_READ && !self.buffer[..len.min(3)].contains(&b'\n');
        Ok(if binary || len == 0 {
            Content::Empty
        } else if marked || nul {
            Content::Guarded(len)
        } else {
            Content::Plain(len)
        })
    }

    fn any_multiline(&self, mask: Mask) -> bool {
        let mut queries = self.queries.iter().enumerate();
        queries.any(|(i, q)| q.multiline && mask & (1 << i) != 0)
    }
}

fn searcher(multi_line: bool, detection: BinaryDetection) -> Searcher {
    SearcherBuilder::new()
        .multi_line(multi_line)
        .binary_detection(detection)
        .line_number(true)
        .build()
}

/// Searches bytes as ripgrep searches a file that it found by walking. Always with a
/// new searcher: one that was used before may have grown its buffer for a long line,
/// and what matches before a NUL byte would depend on which file that was.
fn guarded(
    query: &Query,
    matcher: &RegexMatcher,
    bytes: &[u8],
    sink: &mut LineSink<'_>,
) -> io::Result<()> {
    let mut searcher = searcher(query.multiline, BinaryDetection::quit(b'\0'));
    if searcher.multi_line_with_matcher(matcher) {
        searcher.search_slice(matcher, bytes, sink)
    } else {
        searcher.search_reader(matcher, bytes, sink)
    }
}

/// Whether a byte order mark stands in front, so that the text must be decoded.
fn has_mark(head: &[u8]) -> bool {
    matches!(
        head,
        [0xEF, 0xBB, 0xBF, ..] | [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..]
    )
}

/// A file that stops giving once the call was cancelled.
struct Stoppable<'a> {
    file: &'a File,
    cancel: &'a Cancel,
}

impl Read for Stoppable<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.cancel.check().map_err(io::Error::other)?;
        self.file.read(buf)
    }
}

/// Collects the matching lines of one query in one file.
struct LineSink<'q> {
    query: &'q Query,
    keep: Keep,
    hits: Hits,
}

impl<'q> LineSink<'q> {
    fn new(query: &'q Query, position: usize, keep: Keep) -> Self {
        Self {
            query,
            keep,
            hits: Hits {
                query: position,
                ..Hits::default()
            },
        }
    }

    fn finish(self) -> Option<Hits> {
        (!self.hits.lines.is_empty()).then_some(self.hits)
    }

    fn guess_definition(&mut self, line: &[u8]) {
        if self.hits.defines || self.query.name.is_none() {
            return;
        }
        if let Some(at) = self.query.find(line) {
            // A pattern with a keyword in it has matched the definition itself.
            self.hits.defines = match self.query.kind {
                Kind::Regex if self.query.text.contains(char::is_whitespace) => true,
                _ => definition::looks_like(line, at),
            };
        }
    }
}

impl Sink for LineSink<'_> {
    type Error = io::Error;

    fn matched(&mut self, _: &Searcher, found: &SinkMatch<'_>) -> io::Result<bool> {
        let first = found.line_number().unwrap_or(1);
        for (line, number) in found.lines().zip(first..) {
            if self.hits.lines.len() >= self.keep.lines {
                self.hits.more = true;
                return Ok(false);
            }
            self.hits
                .lines
                .push(u32::try_from(number).unwrap_or(u32::MAX));
            if self.keep.texts {
                self.hits.texts.push(line.to_vec());
            }
            self.guess_definition(line);
        }
        Ok(true)
    }
}
