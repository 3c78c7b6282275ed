//! What the query asks for, and how much of it each line answers.
//!
//! Identifiers are split at underscores and changes of case, words are stemmed
//! (Snowball English), and a line's terms weigh by their inverse document
//! frequency over the lines, as in BM25 (Robertson and Zaragoza, 2009). Lines
//! are too short for its term frequencies and lengths to mean much: a term
//! counts once per line, and length is the selector's business.

use rust_stemmers::{Algorithm, Stemmer};
use std::collections::HashMap;

/// Words that say nothing about what is asked for.
const STOP_WORDS: &str = include_str!("stopwords.txt");

/// Words that say the same of programs, a group to a line.
const SYNONYMS: &str = include_str!("synonyms.txt");

/// What a word that stands in for one of the query's is worth beside it.
const STANDS_IN: f32 = 0.4;

/// The query's terms.
pub struct Query {
    /// The query's own, then those that stand in for them.
    terms: Vec<Term>,
    own: usize,
    /// First byte of a term (lower case) to the terms that begin with it.
    by_initial: HashMap<char, Vec<usize>>,
    letters: Letters,
    stemmer: Stemmer,
}

/// What is known of each ASCII byte (lower case): whether some term begins with it,
/// a term that may lie inside a longer word does, a term ends with it whose end may
/// be a word of its own.
struct Letters([u8; 128]);

const BEGINS: u8 = 1;
const BEGINS_INSIDE: u8 = 2;
const ENDS: u8 = 4;
/// A term inside a word has so many bytes, and the word more than [`LONG_WORD`].
const INSIDE_TERM: usize = 5;
const LONG_WORD: usize = 7;
/// A word that is the end of a term has so many bytes, and the term two more.
const END_WORD: usize = 5;

impl Letters {
    fn new(terms: &[Term], own: usize) -> Self {
        let mut of = [0; 128];
        let mut note = |b: Option<&u8>, what: u8| {
            if let Some(of) = b.and_then(|b| of.get_mut(usize::from(*b))) {
                *of |= what;
            }
        };
        for (i, term) in terms.iter().enumerate() {
            let word = term.word.as_bytes();
            note(word.first(), BEGINS);
            if i < own && !term.whole && word.len() >= INSIDE_TERM {
                note(word.first(), BEGINS_INSIDE);
            }
            if i < own && !term.whole && word.len() >= END_WORD + 2 {
                note(word.last(), ENDS);
            }
        }
        Self(of)
    }

    /// Whether a word may answer some term. Most words do not, and to be sure of
    /// that one look at their bytes is enough.
    fn may_answer(&self, word: &str) -> bool {
        let bytes = word.as_bytes();
        let long = bytes.len() > LONG_WORD;
        let mut before = b'_';
        for (i, &b) in bytes.iter().enumerate() {
            let Some(&is) = self.0.get(usize::from(b.to_ascii_lowercase())) else {
                return true;
            };
            // Parts begin behind an underscore or with a capital.
            let begins = before == b'_' || b.is_ascii_uppercase();
            let next = bytes.get(i + 1);
            let ends = next.is_none_or(|n| *n == b'_' || n.is_ascii_uppercase());
            if is & BEGINS != 0 && begins
                || is & BEGINS_INSIDE != 0 && long
                || is & ENDS != 0 && ends && i + 1 >= END_WORD
            {
                return true;
            }
            before = b;
        }
        false
    }
}

struct Term {
    word: String,
    stem: String,
    /// Whole identifiers as the query spells them count more than their parts.
    weight: f32,
    /// Whether it is a whole identifier of several parts.
    whole: bool,
    /// Place among the query's words, for pairs that follow each other.
    place: usize,
}

/// How a line word answers a term: the same word, the same stem, one a prefix of
/// the other (`auth`, `authorize`), or inside a word that has no visible joints.
const SAME: f32 = 1.0;
const STEM: f32 = 0.9;
const PREFIX: f32 = 0.5;
const INSIDE: f32 = 0.4;

impl Query {
    /// Reads a query: identifiers, words, paths, in any mix.
    pub fn new(query: &str) -> Self {
        let stemmer = Stemmer::create(Algorithm::English);
        let mut terms: Vec<Term> = Vec::new();
        let mut place = 0;
        for word in words(query) {
            let lower = word.to_lowercase();
            let parts: Vec<String> = parts(word).map(str::to_lowercase).collect();
            let add = |terms: &mut Vec<Term>, w: &str, weight: f32, whole: bool, place: usize| {
                if terms.iter().any(|t| t.word == w && t.whole == whole) {
                    return;
                }
                terms.push(Term {
                    word: w.to_string(),
                    stem: stemmer.stem(w).into_owned(),
                    weight,
                    whole,
                    place,
                });
            };
            if parts.len() > 1 {
                add(&mut terms, &lower, 3.0, true, place);
                // The parts of one name share the weight of a word and a half.
                let share = 1.5 / parts.len() as f32;
                for part in &parts {
                    if part.len() > 1 && !is_stop_word(part) {
                        add(&mut terms, part, share.max(0.4), false, place);
                    }
                }
                place += 1;
            } else if !is_stop_word(&lower)
                && (lower.len() > 1 || lower.chars().all(|c| c.is_ascii_digit()))
            {
                // A word spelled with capitals inside prose is most often a name.
                let named = word.chars().next().is_some_and(char::is_uppercase) && place > 0
                    || word.len() > 1 && word.chars().all(|c| c.is_ascii_uppercase());
                add(
                    &mut terms,
                    &lower,
                    if named { 1.3 } else { 1.0 },
                    false,
                    place,
                );
                place += 1;
            }
        }
        let own = terms.len();
        for word in synonyms(query, &stemmer) {
            let stem = stemmer.stem(word).into_owned();
            if !terms.iter().any(|t| t.stem == stem) {
                // Their places are apart: they follow nothing.
                place += 2;
                terms.push(Term {
                    word: word.to_string(),
                    stem,
                    weight: STANDS_IN,
                    whole: false,
                    place,
                });
            }
        }
        let mut by_initial: HashMap<char, Vec<usize>> = HashMap::new();
        for (i, t) in terms.iter().enumerate() {
            if let Some(c) = t.word.chars().next() {
                by_initial.entry(c).or_default().push(i);
            }
        }
        Self {
            letters: Letters::new(&terms, own),
            terms,
            own,
            by_initial,
            stemmer,
        }
    }

    /// The terms that a text answers, each with how well, in order of the terms.
    pub fn matches(&self, text: &str) -> Vec<(u16, f32)> {
        let mut found: Vec<(u16, f32)> = Vec::new();
        if self.terms.is_empty() {
            return found;
        }
        let mut note = |term: usize, strength: f32| match found
            .iter_mut()
            .find(|(t, _)| usize::from(*t) == term)
        {
            Some((_, s)) => *s = s.max(strength),
            None => found.push((term as u16, strength)),
        };
        let mut lower = String::new();
        for word in words(text).filter(|w| self.letters.may_answer(w)) {
            let mut joints = 0;
            for part in parts(word) {
                joints += 1;
                lower.clear();
                lower.extend(part.chars().flat_map(char::to_lowercase));
                self.match_word(&lower, false, &mut note);
                self.match_compound(&lower, &mut note);
            }
            if joints > 1 {
                lower.clear();
                lower.extend(word.chars().flat_map(char::to_lowercase));
                self.match_word(&lower, true, &mut note);
            } else if word.len() > LONG_WORD {
                self.match_inside(&lower, &mut note);
            }
        }
        found.sort_unstable_by_key(|&(t, _)| t);
        found
    }

    fn match_word(&self, word: &str, whole: bool, note: &mut impl FnMut(usize, f32)) {
        let Some(c) = word.chars().next() else { return };
        let Some(candidates) = self.by_initial.get(&c) else {
            return;
        };
        for &i in candidates {
            let t = &self.terms[i];
            if t.word == word {
                note(i, SAME);
            } else if t.whole != whole {
                // The parts of a name were asked for in one word, or the other way round.
            } else if !whole && word.len() > 2 && self.stemmer.stem(word) == t.stem.as_str() {
                note(i, STEM);
            } else if word.len().min(t.word.len()) >= 4
                && (word.starts_with(&t.word) || t.word.starts_with(word))
            {
                note(i, PREFIX);
            }
        }
    }

    /// A word at the end of one that the query runs together (`gitignore`, `ignore`).
    fn match_compound(&self, word: &str, note: &mut impl FnMut(usize, f32)) {
        if word.len() < END_WORD {
            return;
        }
        for (i, t) in self.terms[..self.own].iter().enumerate() {
            if !t.whole && t.word.len() >= word.len() + 2 && t.word.ends_with(word) {
                note(i, INSIDE);
            }
        }
    }

    fn match_inside(&self, word: &str, note: &mut impl FnMut(usize, f32)) {
        for (i, t) in self.terms[..self.own].iter().enumerate() {
            let fits = (INSIDE_TERM..word.len()).contains(&t.word.len());
            if !t.whole && fits && word.contains(&t.word) {
                note(i, INSIDE);
            }
        }
    }
}

/// The answers of every line of a text.
pub struct Hits {
    starts: Vec<u32>,
    found: Vec<(u16, f32)>,
    idf: Vec<f32>,
    weight: Vec<f32>,
    place: Vec<usize>,
    best: f32,
}

impl Hits {
    /// Matches a query with every line.
    pub fn new(query: &Query, lines: &[&str]) -> Self {
        let n = lines.len();
        let mut starts = Vec::with_capacity(n + 1);
        let mut found = Vec::new();
        let mut df = vec![0f32; query.terms.len()];
        starts.push(0);
        for line in lines {
            for (t, s) in query.matches(line) {
                df[usize::from(t)] += s;
                found.push((t, s));
            }
            starts.push(found.len() as u32);
        }
        let idf = df
            .iter()
            .map(|&d| (1.0 + (n as f32 - d + 0.5).max(0.0) / (d + 0.5)).ln())
            .collect::<Vec<_>>();
        let weight: Vec<f32> = query.terms.iter().map(|t| t.weight).collect();
        let best = idf
            .iter()
            .zip(&weight)
            .zip(&df)
            .filter(|&(_, &d)| d > 0.0)
            .map(|((i, w), _)| i * w)
            .sum::<f32>()
            .max(1e-6);
        Self {
            starts,
            found,
            idf,
            weight,
            place: query.terms.iter().map(|t| t.place).collect(),
            best,
        }
    }

    /// The answers of some of the lines (from 0), their terms worth what they are
    /// worth in all of them.
    pub fn part(&self, lines: std::ops::Range<usize>) -> Self {
        let base = self.starts[lines.start];
        let found = base as usize..self.starts[lines.end] as usize;
        Self {
            starts: self.starts[lines.start..=lines.end]
                .iter()
                .map(|s| s - base)
                .collect(),
            found: self.found[found].to_vec(),
            idf: self.idf.clone(),
            weight: self.weight.clone(),
            place: self.place.clone(),
            best: self.best,
        }
    }

    /// Whether no line answers anything.
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// The terms that line `i` answers.
    pub fn of(&self, i: usize) -> &[(u16, f32)] {
        match (self.starts.get(i), self.starts.get(i + 1)) {
            (Some(&a), Some(&b)) => &self.found[a as usize..b as usize],
            _ => &[],
        }
    }

    /// How much of the query line `i` answers, from 0 to about 1. Terms that
    /// follow each other in the query count more when they meet in one line.
    pub fn line(&self, i: usize) -> f32 {
        self.value(self.of(i)) / self.best
    }

    /// The same for text that is not a line of its own, such as a name.
    pub fn text(&self, query: &Query, text: &str) -> f32 {
        self.value(&query.matches(text)) / self.best
    }

    /// How much of the query a range of lines answers together.
    pub fn block(&self, range: std::ops::Range<usize>) -> f32 {
        let mut top = vec![0f32; self.idf.len()];
        for i in range {
            for &(t, s) in self.of(i) {
                let t = usize::from(t);
                top[t] = top[t].max(s);
            }
        }
        let sum: f32 = top
            .iter()
            .enumerate()
            .map(|(t, s)| s * self.idf[t] * self.weight[t])
            .sum();
        sum / self.best
    }

    fn value(&self, found: &[(u16, f32)]) -> f32 {
        let mut sum = 0.0;
        let mut last: Option<(usize, f32)> = None;
        for &(t, s) in found {
            let t = usize::from(t);
            let v = s * self.idf[t] * self.weight[t];
            sum += v;
            if let Some((place, before)) = last
                && self.place[t] == place + 1
            {
                sum += 0.3 * v.min(before);
            }
            last = Some((self.place[t], v));
        }
        sum
    }
}

/// The words that say the same as words and phrases of the query.
fn synonyms(query: &str, stemmer: &Stemmer) -> Vec<&'static str> {
    let stems = |text: &str| -> Vec<String> {
        words(text)
            .map(|w| stemmer.stem(&w.to_lowercase()).into_owned())
            .collect()
    };
    let asked = stems(query);
    let mut out = Vec::new();
    for line in SYNONYMS.lines() {
        let said = |phrase: &&str| {
            let phrase = stems(phrase);
            asked.windows(phrase.len()).any(|w| w == phrase)
        };
        let group: Vec<&str> = line.split(", ").collect();
        if group.iter().any(&said) {
            out.extend(group.iter().filter(|p| !p.contains(' ') && !said(p)));
        }
    }
    out
}

/// Whether a lower-case word says nothing about what is asked for.
pub fn is_stop_word(word: &str) -> bool {
    STOP_WORDS.lines().any(|w| w == word)
}

/// Runs of letters, digits and underscores.
pub fn words(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let (_, behind) = rest.split_at(run(rest, false));
        let (word, behind) = behind.split_at(run(behind, true));
        rest = behind;
        (!word.is_empty()).then_some(word)
    })
}

/// How many bytes at the start of a text are of a word, or are not.
fn run(text: &str, word: bool) -> usize {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let ascii = text
        .bytes()
        .take_while(|b| b.is_ascii() && is_word(char::from(*b)) == word)
        .count();
    match text.as_bytes().get(ascii) {
        Some(b) if !b.is_ascii() => {
            let end = text[ascii..].find(|c| is_word(c) != word);
            end.map_or(text.len(), |n| ascii + n)
        }
        _ => ascii,
    }
}

/// The parts of an identifier: `fooBar_baz`, `HTTPServer`, `utf8` split as a
/// reader would (`utf8` stays whole).
pub fn parts(word: &str) -> impl Iterator<Item = &str> {
    let mut rest = word;
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches('_');
        if rest.is_empty() {
            return None;
        }
        let mut prev: Option<char> = None;
        let mut end = rest.len();
        for (i, c) in rest.char_indices() {
            if let Some(p) = prev {
                let next_lower = rest[i + c.len_utf8()..]
                    .chars()
                    .next()
                    .is_some_and(char::is_lowercase);
                if c == '_'
                    || p.is_lowercase() && c.is_uppercase()
                    || p.is_uppercase() && c.is_uppercase() && next_lower
                    || p.is_ascii_digit() && c.is_uppercase() && next_lower
                {
                    end = i;
                    break;
                }
            }
            prev = Some(c);
        }
        let (part, tail) = rest.split_at(end);
        rest = tail;
        Some(part)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn splits_identifiers() {
        let split = |w| parts(w).collect::<Vec<_>>();
        assert_eq!(
            split("parseHTTPHeader_now"),
            ["parse", "HTTP", "Header", "now"]
        );
        assert_eq!(split("__init__"), ["init"]);
        assert_eq!(split("utf8"), ["utf8"]);
    }

    #[test]
    fn words_are_runs_of_letters_digits_and_underscores() {
        let found: Vec<_> = words("- héllo_1, wörld—x\u{301} (ß)日本 _").collect();
        assert_eq!(found, ["héllo_1", "wörld", "x", "ß", "日本", "_"]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2048))]
        // The look at a word's bytes leaves nothing out.
        #[test]
        fn a_word_that_may_answer_nothing_answers_nothing(
            query in "([a-cK_]{1,5}[ABé]?[a-c_]{0,6} ?){1,4}",
            word in "[a-cK_]{0,5}[ABéK1]?[a-c_]{0,6}",
        ) {
            let query = Query::new(&query);
            if query.letters.may_answer(&word) {
                return Ok(());
            }
            let all = Query { letters: Letters([u8::MAX; 128]), ..query };
            prop_assert!(all.matches(&word).is_empty());
        }
    }

    #[test]
    fn a_rare_term_outweighs_a_common_one() {
        let q = Query::new("widget frobnicate");
        let lines = ["a widget", "b widget", "c widget", "frobnicated", "none"];
        let h = Hits::new(&q, &lines);
        assert!(h.line(3) > h.line(0));
        assert_eq!(h.line(4), 0.0);
        assert!(h.block(0..5) > h.line(3));
    }

    #[test]
    fn words_of_the_same_meaning_stand_in_for_those_asked_for() {
        let q = Query::new("how do I turn off the skipping");
        let lines = ["disable it", "it is ignored", "skipped", "turn", "x"];
        let h = Hits::new(&q, &lines);
        assert!(h.line(0) > 0.0 && h.line(1) > 0.0);
        assert!(h.line(2) > h.line(1));
        assert_eq!(h.line(4), 0.0);
        // A name stays a name.
        let q = Query::new("parse_error");
        assert_eq!(Hits::new(&q, &["decode", "failure"]).line(0), 0.0);
    }

    #[test]
    fn whole_identifiers_outweigh_their_parts() {
        let q = Query::new("cache_key comparison");
        let lines = ["self.cache_key == other", "the cache holds a key", "x"];
        let h = Hits::new(&q, &lines);
        assert!(h.line(0) > h.line(1));
        assert!(h.line(1) > 0.0);
    }
}
