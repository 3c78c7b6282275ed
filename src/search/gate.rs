//! Whether a text can match at all, told faster than by the regex engine.
//!
//! For patterns that begin with a literal the engine looks for that first and is as
//! fast as can be. For three kinds it is not: alternatives, which it looks for side by
//! side although all of them may have a piece in common (`alloc_percpu|free_percpu`),
//! patterns with a literal behind something else (`\w+\s+probe\s*\(`), and patterns with
//! a fixed shape but no literal of any length (`\d{4}-\d{2}-\d{2}`), for which it looks
//! at every byte. A gate only ever leaves texts out that cannot match.

use super::query::Query;
use memchr::memmem::Finder;
use regex_syntax::hir::literal::{ExtractKind, Extractor};
use regex_syntax::hir::{Class, Hir, HirKind};

/// Shortest piece that is worth looking for.
const PIECE: usize = 3;
/// Fewest bytes of a shape: less is in nearly every text.
const SHAPE: usize = 3;
/// Most bytes of a shape that are compared.
const MOST: usize = 32;

/// What every text that matches has.
#[derive(Debug)]
pub(super) enum Gate {
    /// Nothing that is found sooner than by the engine.
    Open,
    /// A piece that every match holds.
    Piece(Box<Finder<'static>>),
    /// Bytes of certain sets in a row.
    Shape(Shape),
}

/// Bytes of certain sets in a row, around one that is always the same.
#[derive(Debug)]
pub(super) struct Shape {
    /// A byte that is rare in most texts.
    pivot: u8,
    before: Vec<Set>,
    after: Vec<Set>,
}

/// What may stand at one place of a shape.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Set {
    ascii: u128,
    /// Whether a character beyond ASCII may, of which the bytes are not looked at.
    beyond: bool,
}

impl Gate {
    /// What a query needs.
    pub fn new(query: &Query) -> Self {
        // Matches across lines are rare, and may begin anywhere.
        let Some(hir) = query.hir().filter(|_| !query.multiline) else {
            return Gate::Open;
        };
        if let Some(piece) = common_piece(&hir) {
            return Gate::Piece(Box::new(Finder::new(&piece).into_owned()));
        }
        let runs = Runs::of(&hir);
        if let Some(piece) = longest_piece(&runs) {
            // With a literal in front, the engine looks for that by itself.
            return match begins_with_literal(&hir) {
                true => Gate::Open,
                false => Gate::Piece(Box::new(Finder::new(&piece).into_owned())),
            };
        }
        let shapes = runs.iter().filter_map(|run| shape(run));
        let longest = shapes.max_by_key(|s| s.before.len() + s.after.len());
        longest.map_or(Gate::Open, Gate::Shape)
    }

    /// False only for a text without a match.
    pub fn admits(&self, text: &[u8]) -> bool {
        match self {
            Gate::Open => true,
            Gate::Piece(finder) => finder.find(text).is_some(),
            Gate::Shape(shape) => shape.is_in(text),
        }
    }
}

impl Shape {
    fn is_in(&self, text: &[u8]) -> bool {
        memchr::memchr_iter(self.pivot, text).any(|at| {
            let (before, after) = text.split_at(at);
            fits(after.iter().skip(1), self.after.iter())
                && fits(before.iter().rev(), self.before.iter().rev())
        })
    }
}

/// Whether bytes may be of these sets.
fn fits<'a>(
    mut bytes: impl Iterator<Item = &'a u8>,
    mut sets: impl Iterator<Item = &'a Set>,
) -> bool {
    sets.find_map(|set| match bytes.next() {
        Some(byte) if byte.is_ascii() => (set.ascii >> byte & 1 == 0).then_some(false),
        // What stands behind a character of several bytes is not known.
        Some(_) => Some(set.beyond),
        None => Some(false),
    })
    .unwrap_or(true)
}

impl Set {
    fn of(byte: u8) -> Self {
        Self {
            ascii: if byte.is_ascii() { 1 << byte } else { 0 },
            beyond: !byte.is_ascii(),
        }
    }

    fn of_class(class: &Class) -> Self {
        let mut set = Self {
            ascii: 0,
            beyond: false,
        };
        let mut add = |start: u32, end: u32| {
            set.beyond |= end > 0x7F;
            for byte in start..=end.min(0x7F) {
                set.ascii |= 1 << byte;
            }
        };
        match class {
            Class::Unicode(class) => class
                .iter()
                .for_each(|r| add(r.start().into(), r.end().into())),
            Class::Bytes(class) => class
                .iter()
                .for_each(|r| add(r.start().into(), r.end().into())),
        }
        set
    }

    /// Its only byte.
    fn single(&self) -> Option<u8> {
        let one = self.ascii.is_power_of_two() && !self.beyond;
        one.then(|| self.ascii.trailing_zeros() as u8)
    }
}

/// Most bytes of a pattern, repetitions written out, that are looked at.
const LOOKED_AT: usize = 4096;

/// What stands in a row in every match, as far as that is certain.
struct Runs {
    runs: Vec<Vec<Set>>,
    count: usize,
}

impl Runs {
    fn of(hir: &Hir) -> Vec<Vec<Set>> {
        let mut all = Self {
            runs: vec![Vec::new()],
            count: 0,
        };
        all.add(hir);
        all.runs
    }

    fn push(&mut self, set: Set) {
        self.count += 1;
        if let Some(run) = self.runs.last_mut() {
            run.push(set);
        }
    }

    /// What comes next need not follow at once.
    fn cut(&mut self) {
        self.count += 1;
        self.runs.push(Vec::new());
    }

    fn add(&mut self, hir: &Hir) {
        if self.count > LOOKED_AT {
            self.cut();
            return;
        }
        match hir.kind() {
            HirKind::Empty | HirKind::Look(_) => {}
            HirKind::Literal(literal) => literal.0.iter().for_each(|b| self.push(Set::of(*b))),
            HirKind::Class(class) => self.push(Set::of_class(class)),
            HirKind::Capture(capture) => self.add(&capture.sub),
            HirKind::Concat(parts) => parts.iter().for_each(|part| self.add(part)),
            HirKind::Repetition(r) => {
                let copies = r.min.min(MOST as u32);
                (0..copies).for_each(|_| self.add(&r.sub));
                if r.max != Some(r.min) || copies != r.min {
                    self.cut();
                    // The last of them stand before what follows.
                    (0..copies).for_each(|_| self.add(&r.sub));
                }
            }
            HirKind::Alternation(_) => self.cut(),
        }
    }
}

/// The shape of a run, if it has a byte to look for.
fn shape(run: &[Set]) -> Option<Shape> {
    let mut places = run.iter().enumerate();
    let (at, pivot) = places.find_map(|(at, set)| Some((at, set.single().filter(rare)?)))?;
    if run.len() < SHAPE {
        return None;
    }
    let before = run.get(at.saturating_sub(MOST)..at)?;
    let after = run.get(at + 1..run.len().min(at + 1 + MOST))?;
    Some(Shape {
        pivot,
        before: before.to_vec(),
        after: after.to_vec(),
    })
}

/// Whether a byte is rare enough in code and prose to be looked for.
fn rare(byte: &u8) -> bool {
    byte.is_ascii_punctuation() && !b"_,.;()*/=".contains(byte)
}

/// The longest piece that stands in every match, the first of several.
fn longest_piece(runs: &[Vec<Set>]) -> Option<Vec<u8>> {
    let singles = runs.iter().flat_map(|run| {
        run.split(|set| set.single().is_none())
            .map(|piece| piece.iter().filter_map(Set::single).collect::<Vec<u8>>())
    });
    let long = singles.filter(|piece| piece.len() >= PIECE);
    long.reduce(|best, piece| match piece.len() > best.len() {
        true => piece,
        false => best,
    })
}

/// Whether each match begins with one of a few texts of some length.
fn begins_with_literal(hir: &Hir) -> bool {
    let prefixes = Extractor::new().kind(ExtractKind::Prefix).extract(hir);
    prefixes
        .literals()
        .is_some_and(|all| all.iter().all(|l| l.as_bytes().len() >= PIECE))
}

/// The longest piece that all of several texts have in common with which every match
/// begins.
fn common_piece(hir: &Hir) -> Option<Vec<u8>> {
    let prefixes = Extractor::new().kind(ExtractKind::Prefix).extract(hir);
    let (first, others) = prefixes.literals()?.split_first()?;
    let first = first.as_bytes();
    if others.is_empty() {
        return None;
    }
    for len in (PIECE..=first.len()).rev() {
        let mut pieces = first.windows(len);
        let common = |piece: &&[u8]| {
            let finder = Finder::new(piece);
            others.iter().all(|o| finder.find(o.as_bytes()).is_some())
        };
        if let Some(piece) = pieces.find(common) {
            return Some(piece.to_vec());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::request::{Case, Mode, Request};
    use proptest::prelude::*;

    fn query(pattern: &str, case: Case) -> Option<Query> {
        let request = Request {
            mode: Mode::Regex,
            case,
            ..Request::new([pattern])
        };
        Query::compile_all(&request).ok()?.pop()
    }

    fn gate(pattern: &str) -> Gate {
        Gate::new(&query(pattern, Case::Sensitive).unwrap())
    }

    #[test]
    fn alternatives_have_a_piece_in_common() {
        let found = gate("(alloc|free)_percpu|percpu_(down|up)_write");
        assert!(
            matches!(&found, Gate::Piece(f) if f.needle() == b"percpu"),
            "{found:?}"
        );
        assert!(!found.admits(b"free_per_cpu") && found.admits(b"a percpu"));
        assert!(matches!(gate("alpha|beta"), Gate::Open));
        assert!(matches!(gate("alpha"), Gate::Open));
    }

    #[test]
    fn a_literal_may_stand_behind_something_else() {
        for (pattern, piece) in [
            (r"\w+\s+probe\s*\(", "probe"),
            (r"\d+-foo", "-foo"),
            (r"[a-z]*(alpha)[0-9]+_beta", "alpha"),
            (r"(?:\w|x)abc?d\.efg", "d.efg"),
        ] {
            let found = gate(pattern);
            assert!(
                matches!(&found, Gate::Piece(f) if f.needle() == piece.as_bytes()),
                "{pattern}: {found:?}"
            );
        }
        for pattern in ["alpha", r"alpha\w+beta", r"\w+ab\w"] {
            assert!(matches!(gate(pattern), Gate::Open), "{pattern}");
        }
    }

    #[test]
    fn a_shape_is_told_by_its_rare_byte() {
        let found = gate(r"\d{4}-\d{2}-\d{2}");
        assert!(
            matches!(&found, Gate::Shape(s) if s.pivot == b'-'),
            "{found:?}"
        );
        for text in ["on 2024-01-31", "٢٠٢٤-01-31", "2024-01-31"] {
            assert!(found.admits(text.as_bytes()), "{text}");
        }
        for text in [
            "",
            "-",
            "a->b",
            "1-2",
            "2001-2005",
            "2024-1-31",
            "2024-01-3",
        ] {
            assert!(!found.admits(text.as_bytes()), "{text}");
        }
        let found = gate(r"[a-z]{2}\d{2,}:[A-Z]");
        assert!(found.admits(b"ab12:X") && found.admits(b"ab12345:X"));
        assert!(!found.admits(b"ab1:X") && !found.admits(b"ab12: X"));
        // However often it is repeated, it is not written out without end.
        let nested = (0..9).fold("[0-9]".to_owned(), |p, _| format!("(?:{p}:?){{2,}}"));
        assert!(Runs::of(&query(&nested, Case::Sensitive).unwrap().hir().unwrap()).len() < 9_000);
        // A byte that is everywhere.
        assert!(matches!(gate(r"\d+_\d+"), Gate::Open));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(400))]
        /// What matches is admitted.
        #[test]
        fn no_match_is_left_out(
            pattern in "(\\^|\\\\b)?([0-9a-ck]|\\\\d|\\\\w|[a-c0-9]|[^a]|-|:|\\(a\\|b-\\)|\\(ab1\\|cab1\\)|é|[?*+]|\\{2\\}|\\{1,3\\}|\\|){1,8}\\$?",
            texts in prop::collection::vec("[a-ck0-3:é\u{663}\u{212A} -]{0,12}", 1..16),
            insensitive in any::<bool>(),
        ) {
            let case = if insensitive { Case::Insensitive } else { Case::Sensitive };
            let Some(query) = query(&pattern, case) else { return Ok(()) };
            let gate = Gate::new(&query);
            for text in texts {
                if query.find(text.as_bytes()).is_some() {
                    prop_assert!(gate.admits(text.as_bytes()), "{pattern} {text:?} {gate:?}");
                }
            }
        }
    }
}
