//! What lines of logs say: errors, places, details, summaries, progress.
//!
//! The patterns are data (`failures.toml`), by tool; one pass of one automaton
//! over a line finds all of them.

use regex_automata::hybrid::dfa::{Cache, DFA};
use regex_automata::nfa::thompson::{self, WhichCaptures};
use regex_automata::util::syntax;
use regex_automata::{Input, MatchKind, PatternSet};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{LazyLock, Mutex};

/// What a line says; the names are those of the lists in `failures.toml`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u16)]
pub enum Sign {
    Error = 1,
    Warning = 2,
    Passed = 4,
    Quiet = 8,
    Summary = 16,
    Success = 32,
    Location = 64,
    Detail = 128,
    Frame = 256,
    LibraryFrame = 512,
    Progress = 1024,
    Header = 2048,
}

/// The signs of one line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Signs(u16);

impl Signs {
    /// Whether the line says this.
    pub fn has(self, sign: Sign) -> bool {
        self.0 & sign as u16 != 0
    }

    /// Whether it reports that something went wrong, for certain.
    pub fn is_error(self) -> bool {
        self.has(Sign::Error) && !self.has(Sign::Passed) && !self.has(Sign::Quiet)
    }
}

/// One automaton with the signs of its patterns: no more than what tells which of them
/// match, as a set of expressions would also be built backwards.
struct Patterns {
    automaton: DFA,
    signs: Vec<u16>,
}

/// What an automaton has worked out so far, and the patterns that it found last.
struct Work {
    cache: Cache,
    found: PatternSet,
}

/// Bytes that an automaton may work out; it begins anew with more.
const WORKED_OUT: usize = 32 << 20;

impl Patterns {
    fn new(list: &[(String, u16)]) -> Option<Self> {
        let patterns: Vec<&str> = list.iter().map(|(p, _)| p.as_str()).collect();
        let states = thompson::Compiler::new()
            .syntax(syntax::Config::new().unicode(false).utf8(false))
            .configure(
                thompson::Config::new()
                    .utf8(false)
                    .which_captures(WhichCaptures::None),
            )
            .build_many(&patterns)
            .ok()?;
        let config = DFA::config()
            .match_kind(MatchKind::All)
            .cache_capacity(WORKED_OUT);
        let automaton = DFA::builder()
            .configure(config)
            .build_from_nfa(states)
            .ok()?;
        let signs = list.iter().map(|(_, s)| *s).collect();
        Some(Self { automaton, signs })
    }

    fn work(&self) -> Work {
        Work {
            cache: self.automaton.create_cache(),
            found: PatternSet::new(self.signs.len()),
        }
    }

    /// What a line says by these patterns.
    fn signs(&self, line: &[u8], work: &mut Work) -> u16 {
        work.found.clear();
        // It fails only where it is told to give up, which it is not.
        let _ = self.automaton.try_which_overlapping_matches(
            &mut work.cache,
            &Input::new(line),
            &mut work.found,
        );
        if work.found.is_empty() {
            return 0;
        }
        let found = work.found.iter();
        found.fold(0, |all, p| all | self.signs.get(p.as_usize()).unwrap_or(&0))
    }
}

#[derive(serde::Deserialize)]
struct Table {
    tool: Vec<BTreeMap<String, toml::Value>>,
}

const NAMES: [(&str, Sign); 12] = [
    ("error", Sign::Error),
    ("warning", Sign::Warning),
    ("passed", Sign::Passed),
    ("quiet", Sign::Quiet),
    ("summary", Sign::Summary),
    ("success", Sign::Success),
    ("location", Sign::Location),
    ("detail", Sign::Detail),
    ("frame", Sign::Frame),
    ("library_frame", Sign::LibraryFrame),
    ("progress", Sign::Progress),
    ("header", Sign::Header),
];

/// Every pattern with its sign.
fn patterns(table: &str) -> Result<Vec<(String, u16)>, String> {
    let table: Table = toml::from_str(table).map_err(|e| e.to_string())?;
    let mut out = Vec::new();
    for tool in &table.tool {
        for (key, value) in tool.iter().filter(|(k, _)| *k != "name") {
            let (_, sign) = NAMES
                .iter()
                .find(|(name, _)| name == key)
                .ok_or(format!("unknown list {key}"))?;
            let list = value.as_array().ok_or(format!("{key} is no list"))?;
            for pattern in list {
                let pattern = pattern.as_str().ok_or(format!("{key} holds no text"))?;
                out.push((pattern.to_string(), *sign as u16));
            }
        }
    }
    Ok(out)
}

/// Three automata instead of one: patterns that begin with a literal die within
/// a few bytes, those that begin with a run of anything and those that may begin
/// anywhere would multiply each other's states.
static PATTERNS: LazyLock<Vec<Patterns>> = LazyLock::new(|| {
    // A test compiles the table: in a release it cannot be broken.
    let list = patterns(include_str!("failures.toml")).unwrap_or_default();
    let group = |pattern: &str| {
        let plain = pattern.strip_prefix("(?i-u)").unwrap_or(pattern);
        match plain.strip_prefix('^') {
            Some(rest) if rest.starts_with(['\\', '.', '(', '[']) => 1,
            Some(_) => 0,
            None => 2,
        }
    };
    let part = |g| -> Vec<_> {
        let own = list.iter().filter(|(p, _)| group(p) == g);
        own.cloned().collect()
    };
    (0..3).filter_map(|g| Patterns::new(&part(g))).collect()
});

/// What is worked out stays for the next line, of this thread or another one.
static IDLE: Mutex<Vec<Vec<Work>>> = Mutex::new(Vec::new());

/// What a line says.
pub fn signs(line: &str) -> Signs {
    let line = bare(line);
    // Beyond this nothing is said that was not said before.
    let line = &line.as_bytes()[..line.len().min(600)];
    let idle = IDLE.lock().ok().and_then(|mut idle| idle.pop());
    let mut work = idle.unwrap_or_else(|| PATTERNS.iter().map(Patterns::work).collect());
    let all = PATTERNS.iter().zip(&mut work);
    let signs = all.fold(0, |signs, (p, work)| signs | p.signs(line, work));
    if let Ok(mut idle) = IDLE.lock() {
        idle.push(work);
    }
    Signs(signs)
}

/// A line without colours, indentation and what stands in front of the message.
fn bare(line: &str) -> Cow<'_, str> {
    if memchr::memchr(0x1b, line.as_bytes()).is_some() {
        let plain = without_colours(line);
        let at = plain.len() - unprefixed(&plain).len();
        return Cow::Owned(plain[at..].to_string());
    }
    Cow::Borrowed(unprefixed(line))
}

fn without_colours(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        if c != '\u{1b}' {
            out.push(c);
        } else if chars.clone().next() == Some('[') {
            for c in chars.by_ref() {
                if c.is_ascii_alphabetic() {
                    break;
                }
            }
        }
    }
    out
}

/// Cuts indentation, then time stamps and short prefixes such as `web-1  | `
/// and `#12 0.345 ` off the front.
fn unprefixed(line: &str) -> &str {
    let mut rest = line.trim_start();
    for _ in 0..3 {
        let cut = time_prefix(rest).or_else(|| pipe_prefix(rest));
        match cut {
            Some(n) if n < rest.len() => rest = rest[n..].trim_start(),
            _ => break,
        }
    }
    rest
}

/// Whether a line opens with a time stamp.
pub fn has_time(line: &str) -> bool {
    time_prefix(line.trim_start()).is_some()
}

/// The length of a time stamp at the start: at least two separators of time or
/// date among digits, or seconds in brackets.
fn time_prefix(s: &str) -> Option<usize> {
    let b = s.as_bytes();
    let open = matches!(b.first(), Some(b'[' | b'(')) as usize;
    if !b.get(open).is_some_and(u8::is_ascii_digit) {
        return None;
    }
    let mut i = open;
    let mut joints = 0;
    while let Some(&c) = b.get(i) {
        match c {
            b'0'..=b'9' | b'+' | b'Z' | b's' | b'T' => {}
            b':' | b'-' | b'/' | b'.' | b',' => joints += 1,
            b' ' if open == 0 && joints == 2 && b.get(i + 3) == Some(&b':') => {}
            _ => break,
        }
        i += 1;
    }
    let closed = open == 0 || matches!(b.get(i), Some(b']' | b')'));
    let time = joints >= 2 || open == 1 && joints == 1;
    if !(closed && time) || s[open..i].contains("::") || b.get(i - 1) == Some(&b':') {
        return None;
    }
    let end = i + open;
    b.get(end)
        .is_none_or(|&c| c == b' ' || c == b'\t' || c == b'[')
        .then_some(end)
}

/// The length of a container's or step's name with a bar behind it, or of
/// `#12 0.345 `.
fn pipe_prefix(s: &str) -> Option<usize> {
    if let Some(rest) = s.strip_prefix('#') {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let after = rest.get(digits..)?.strip_prefix(' ')?;
        let seconds = after
            .bytes()
            .take_while(|b| b.is_ascii_digit() || *b == b'.')
            .count();
        return (digits > 0 && seconds > 2).then_some(1 + digits + 1 + seconds);
    }
    let bar = s.as_bytes().iter().take(40).position(|&b| b == b'|')?;
    let name = s[..bar].trim_end();
    let is_name = !name.is_empty()
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-_./".contains(&b))
        && !name.bytes().all(|b| b.is_ascii_digit());
    is_name.then_some(bar + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sound() {
        let list = patterns(include_str!("failures.toml")).unwrap();
        for (p, _) in &list {
            regex::bytes::RegexBuilder::new(p)
                .unicode(false)
                .build()
                .unwrap();
        }
        let compiled: usize = PATTERNS.iter().map(|p| p.signs.len()).sum();
        assert_eq!(compiled, list.len());
    }

    #[test]
    fn errors_are_told_from_what_only_names_them() {
        for line in [
            "error[E0308]: mismatched types",
            "2024-05-01T10:00:00Z ERROR db: gone",
            "12:00:01.123 [main] ERROR com.acme.Job - boom",
            "\u{1b}[31merror\u{1b}[0m: it broke",
            "web-1  | panic: nil map",
            "src/a.ts(3,4): error TS2304: Cannot find name 'x'.",
            "    FAIL src/cart.test.ts",
            "make: *** [all] Error 2",
            "--- FAIL: TestParse (0.00s)",
            "Caused by: java.io.IOException: closed",
            "npm ERR! code ERESOLVE",
            "/a/b.c:3:4: error: expected ';'",
        ] {
            assert!(signs(line).is_error(), "{line}");
        }
        for line in [
            "test parse_error ... ok",
            "tests/test_a.py::test_error PASSED [ 3%]",
            "0 errors, 0 warnings",
            "   Compiling thiserror v1.0.0",
            "test result: ok. 3 passed; 0 failed; 0 ignored",
        ] {
            assert!(!signs(line).is_error(), "{line}");
        }
    }

    #[test]
    fn prefixes_are_cut_off() {
        assert_eq!(unprefixed("2024-01-02 03:04:05,678 INFO x"), "INFO x");
        assert_eq!(unprefixed("[0.104s][info] y"), "[info] y");
        assert_eq!(unprefixed("#12 0.345 gcc -c a.c"), "gcc -c a.c");
        assert_eq!(unprefixed("  12 | let x"), "12 | let x");
    }
}
