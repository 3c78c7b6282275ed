//! One read of a file for all queries, with ripgrep's rules.
//!
//! A file is read up to its end or its first NUL byte. Text without one is searched
//! as a slice, window by window where it is large; anything else (NUL bytes, a byte
//! order mark) goes through the same buffered reader that ripgrep uses when it walks a folder,
//! because which lines match before a NUL depends on how that reader fills its
//! buffer.

use super::definition;
use super::gate::Gate;
use super::lines::Texts;
use super::query::{Kind, Query};
use crate::workspace::{Cancel, FilePath};
use grep_regex::RegexMatcher;
use grep_searcher::{BinaryDetection, Searcher, SearcherBuilder, Sink, SinkMatch};
use std::fs::File;
use std::io::{self, Read, Seek};

/// What ripgrep looks at first to tell binary files.
const FIRST_READ: usize = 64 << 10;
/// Larger files are searched window by window of this size, for all queries while it
/// is in the processor's cache.
const WINDOW: usize = 128 << 10;
/// A buffer that grew beyond this for one file is given back (4 MiB).
const KEPT: usize = 4 << 20;

/// A set of queries of one request, by position.
pub(super) type Mask = u8;

/// What is remembered about the matching lines of one query in one file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Hits {
    /// Position of the query in the request.
    pub query: usize,
    /// How many lines match, as far as they were counted.
    pub count: usize,
    /// Matching lines, from 1, in order, where the caller asked for them.
    pub lines: Vec<u32>,
    /// Their bytes with line breaks, where the caller asked for them.
    pub texts: Texts,
    /// Whether some matching lines are left out: there are more.
    pub more: bool,
    /// What some line looks as if it defined.
    pub defines: Guess,
}

/// What a line looks as if it defined, by its text alone; the best last.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Guess {
    #[default]
    Nothing,
    /// A name that the one asked for is a part of.
    Part,
    /// The name that is asked for.
    Name,
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
    /// Most bytes of texts per query and file.
    pub bytes: usize,
    /// What of them is kept.
    pub what: What,
}

/// What is kept of matching lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    /// How many there are.
    Count,
    /// Their numbers.
    Numbers,
    /// Their numbers and texts.
    Texts,
}

/// Searches files one after the other, reusing its buffers. One per thread.
pub(super) struct Scanner<'q> {
    queries: &'q [Query],
    /// Own clones: clones of a matcher do not contend for its scratch memory.
    matchers: Vec<RegexMatcher>,
    gates: Vec<Gate>,
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
    /// To be streamed once per query, with binary detection.
    Streamed(File),
    /// The first window of a file without a NUL byte so far, and the file behind it.
    Windows(File, usize),
}

impl<'q> Scanner<'q> {
    pub fn new(queries: &'q [Query], keep: Keep, cancel: &Cancel) -> Self {
        // They are given slices, never readers, and need no buffer to read into.
        let plain = |multi_line| {
            builder(multi_line, BinaryDetection::none())
                .bom_sniffing(false)
                .heap_limit(Some(1))
                .build()
        };
        Self {
            queries,
            matchers: queries.iter().map(|q| q.matcher.clone()).collect(),
            gates: queries.iter().map(Gate::new).collect(),
            plain: [plain(false), plain(true)],
            keep,
            cancel: cancel.clone(),
            buffer: Vec::new(),
        }
    }

    /// All hits of the queries in `mask` in one file; none where there is no hit,
    /// or the file cannot be read (it may have gone since it was listed).
    pub fn scan(&mut self, path: &FilePath, mask: Mask) -> Option<FileHits> {
        let hits = self.scan_open(File::open(&path.abs).ok()?, mask)?;
        Some(FileHits {
            path: path.clone(),
            hits,
        })
    }

    /// As [`Scanner::scan`], of a file that was just opened.
    pub fn scan_open(&mut self, file: File, mask: Mask) -> Option<Vec<Hits>> {
        let mut content = self.load(file, mask).ok()?;
        let mut all = Vec::new();
        if let Content::Windows(file, len) = content {
            match self.windows(&file, len, mask) {
                Some(hits) => {
                    all = hits;
                    content = Content::Empty;
                }
                None => content = Content::Streamed(file),
            }
        }
        if !matches!(content, Content::Empty) {
            for i in (0..self.queries.len()).filter(|i| mask & (1 << i) != 0) {
                if self.cancel.is_cancelled() {
                    return None;
                }
                all.extend(self.search(i, &content));
            }
        }
        if self.buffer.len() > KEPT {
            self.buffer = Vec::new();
        }
        (!all.is_empty()).then_some(all)
    }

    /// Searches a file window by window, the first of which is in the buffer. None
    /// where a NUL byte turns up, and the file must be searched with care.
    fn windows(&mut self, mut file: &File, first: usize, mask: Mask) -> Option<Vec<Hits>> {
        let queries = self.queries;
        let keep = self.keep;
        let sinks = || -> Vec<LineSink<'q>> {
            let queries = queries.iter().enumerate();
            queries
                .filter(|(i, _)| mask & (1 << i) != 0)
                .map(|(i, query)| LineSink::new(query, i, keep))
                .collect()
        };
        let mut found = sinks();
        // Lines are counted only once there is a hit to number.
        let mut counting = false;
        let mut counted = 0u64;
        let mut len = first;
        let mut nth = 0;
        loop {
            if self.cancel.is_cancelled() {
                return Some(Vec::new());
            }
            // Fill up, until there is a line break or the end.
            let mut end = false;
            let upto = loop {
                if len == self.buffer.len() {
                    self.buffer.resize((len * 2).max(WINDOW), 0);
                }
                if len < WINDOW || memchr::memrchr(b'\n', &self.buffer[..len]).is_none() {
                    let goal = self.buffer.len().min(len + WINDOW);
                    match file.read(&mut self.buffer[len..goal]) {
                        Ok(0) => {
                            end = true;
                            break len;
                        }
                        Ok(n) => {
                            let fresh = &self.buffer[len..len + n];
                            if memchr::memchr(b'\0', fresh).is_some() {
                                return None;
                            }
                            len += n;
                        }
                        Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                        Err(_) => {
                            end = true;
                            break len;
                        }
                    }
                } else if let Some(at) = memchr::memrchr(b'\n', &self.buffer[..len]) {
                    break at + 1;
                }
            };
            let window = &self.buffer[..upto];
            let mut restart = false;
            for sink in &mut found {
                if sink.full() {
                    continue;
                }
                let had = sink.hits.count;
                sink.before = counted;
                let query = sink.hits.query;
                let matcher = self.matchers.get(query)?;
                if !self.gates.get(query)?.admits(window) {
                    continue;
                }
                let _ = self.plain[0].search_slice(matcher, window, &mut *sink);
                restart |= nth > 0 && !counting && sink.hits.count > had;
            }
            if restart {
                counting = true;
                found = sinks();
                (counted, len, nth) = (0, 0, 0);
                file.rewind().ok()?;
                continue;
            }
            if counting {
                counted += memchr::memchr_iter(b'\n', window).count() as u64;
            }
            if end || found.iter().all(LineSink::full) {
                break;
            }
            self.buffer.copy_within(upto..len, 0);
            len -= upto;
            nth += 1;
        }
        Some(found.into_iter().filter_map(LineSink::finish).collect())
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
            Content::Empty | Content::Windows(..) => return None,
            Content::Plain(len) => {
                let text = self.buffer.get(..*len)?;
                if !self.gates.get(query)?.admits(text) {
                    return None;
                }
                self.plain[usize::from(asked.multiline)].search_slice(matcher, text, &mut sink)
            }
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

    fn load(&mut self, mut file: File, mask: Mask) -> io::Result<Content> {
        let whole = self.any_multiline(mask);
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
            if len < 3 {
                marked = has_mark(&self.buffer[..len + n]);
            }
            let fresh = len..len + n;
            len += n;
            if n == 0 {
                break;
            }
            if !marked && !nul && memchr::memchr(b'\0', &self.buffer[fresh]).is_some() {
                nul = true;
                if len <= FIRST_READ {
                    break;
                }
                if !whole {
                    return Ok(Content::Streamed(file));
                }
            }
            if len == goal {
                self.cancel.check().map_err(io::Error::other)?;
                if goal < WINDOW {
                    goal = WINDOW;
                } else if whole {
                    goal *= 2;
                } else if marked {
                    return Ok(Content::Streamed(file));
                } else {
                    return Ok(Content::Windows(file, len));
                }
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
    builder(multi_line, detection).build()
}

fn builder(multi_line: bool, detection: BinaryDetection) -> SearcherBuilder {
    let mut builder = SearcherBuilder::new();
    builder
        .multi_line(multi_line)
        .binary_detection(detection)
        .line_number(true);
    builder
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
    /// Lines before what is searched.
    before: u64,
    /// Bytes of matching lines so far.
    bytes: usize,
    hits: Hits,
}

impl<'q> LineSink<'q> {
    fn new(query: &'q Query, position: usize, keep: Keep) -> Self {
        Self {
            query,
            keep,
            before: 0,
            bytes: 0,
            hits: Hits {
                query: position,
                ..Hits::default()
            },
        }
    }

    fn finish(self) -> Option<Hits> {
        (self.hits.count > 0).then_some(self.hits)
    }

    /// Whether nothing more is wanted.
    fn full(&self) -> bool {
        self.hits.more
    }

    fn guess_definition(&mut self, line: &[u8]) {
        // Only the first look at all files puts them in order by it.
        let wanted = self.keep.what == What::Count;
        if !wanted || self.hits.defines == Guess::Name || self.query.name.is_none() {
            return;
        }
        if let Some(at) = self.query.find(line) {
            // A pattern with a keyword in it has matched the definition itself.
            let guess = match self.query.kind {
                Kind::Regex if self.query.text.contains(char::is_whitespace) => Guess::Name,
                _ if !definition::looks_like(line, at.clone()) => Guess::Nothing,
                _ if definition::stands_alone(line, at) => Guess::Name,
                _ => Guess::Part,
            };
            self.hits.defines = self.hits.defines.max(guess);
        }
    }
}

impl Sink for LineSink<'_> {
    type Error = io::Error;

    fn matched(&mut self, _: &Searcher, found: &SinkMatch<'_>) -> io::Result<bool> {
        let first = self.before + found.line_number().unwrap_or(1);
        for (line, number) in found.lines().zip(first..) {
            self.bytes += line.len();
            if self.hits.count >= self.keep.lines || self.bytes > self.keep.bytes {
                self.hits.more = true;
                return Ok(false);
            }
            self.hits.count += 1;
            if self.keep.what != What::Count {
                let number = u32::try_from(number).unwrap_or(u32::MAX);
                self.hits.lines.push(number);
            }
            if self.keep.what == What::Texts {
                self.hits.texts.push(line);
            }
            self.guess_definition(line);
        }
        Ok(true)
    }
}
