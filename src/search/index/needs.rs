//! Patterns to the trigrams and longer sequences that every match must hold.

use super::signature::Gram;
use super::trigram::{self, Trigram};
use crate::search::query::Query;
use regex_syntax::hir::{Class, Hir, HirKind};
use std::collections::BTreeSet;

/// What a file must hold for a pattern to match in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::search) enum Needs {
    /// Nothing is known: any file may match.
    Anything,
    /// No file can match.
    Never,
    /// All of these.
    All {
        trigrams: BTreeSet<Trigram>,
        grams: BTreeSet<Gram>,
        parts: Vec<Needs>,
    },
    /// One of these.
    Either(Vec<Needs>),
}

/// Most texts that are followed side by side. More of them (letters with several
/// forms multiply) are cut into parts that are needed independently.
const TEXTS: usize = 32;
/// Largest class of characters that is taken apart.
const CLASS: usize = 16;
/// Most copies of a repeated part that are written out.
const COPIES: u32 = 4;

/// What every match of a query needs.
pub(in crate::search) fn needs(query: &Query) -> Needs {
    query
        .hir()
        .map_or(Needs::Anything, |hir| settle(walk(&hir)))
}

/// What is known of a part of a pattern: all texts it can match, or what they need.
enum Part {
    Texts(BTreeSet<Vec<u8>>),
    Needs(Needs),
}

fn walk(hir: &Hir) -> Part {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => one(Vec::new()),
        HirKind::Literal(literal) => one(fold(&literal.0)),
        HirKind::Class(class) => self::class(class),
        HirKind::Capture(capture) => walk(&capture.sub),
        HirKind::Repetition(r) => match (r.min, r.max) {
            (0, Some(1)) => match walk(&r.sub) {
                Part::Texts(mut texts) => {
                    texts.insert(Vec::new());
                    Part::Texts(texts)
                }
                Part::Needs(_) => Part::Needs(Needs::Anything),
            },
            (0, _) => Part::Needs(Needs::Anything),
            (n, max) => {
                let exact = max == Some(n) && n <= COPIES;
                let copies = vec![&*r.sub; n.min(COPIES) as usize];
                match concat(&copies) {
                    part if exact => part,
                    part => Part::Needs(settle(part)),
                }
            }
        },
        HirKind::Concat(parts) => concat(&parts.iter().collect::<Vec<_>>()),
        HirKind::Alternation(parts) => alternation(parts),
    }
}

fn one(text: Vec<u8>) -> Part {
    Part::Texts(BTreeSet::from([text]))
}

fn fold(bytes: &[u8]) -> Vec<u8> {
    bytes.to_ascii_lowercase()
}

/// A class as its texts where they are few.
fn class(class: &Class) -> Part {
    let mut texts = BTreeSet::new();
    match class {
        Class::Unicode(class) => {
            let count: usize = class.iter().map(|r| r.len()).sum();
            if count > CLASS {
                return Part::Needs(Needs::Anything);
            }
            for c in class.iter().flat_map(|r| r.start()..=r.end()) {
                texts.insert(fold(c.encode_utf8(&mut [0; 4]).as_bytes()));
            }
        }
        Class::Bytes(class) => {
            let count: usize = class.iter().map(|r| r.len()).sum();
            if count > CLASS {
                return Part::Needs(Needs::Anything);
            }
            for b in class.iter().flat_map(|r| r.start()..=r.end()) {
                texts.insert(fold(&[b]));
            }
        }
    }
    // An empty class matches nothing, and so does what it is part of.
    Part::Texts(texts)
}

fn concat(parts: &[&Hir]) -> Part {
    let mut all = Vec::new();
    let mut texts = BTreeSet::from([Vec::new()]);
    for part in parts {
        match walk(part) {
            Part::Texts(more) => {
                if texts.len().saturating_mul(more.len()) > TEXTS {
                    all.push(of_texts(&texts));
                    // What follows may still join with the ends of what came before.
                    texts = ends(&texts);
                    if texts.len().saturating_mul(more.len()) > TEXTS {
                        texts = more;
                        continue;
                    }
                }
                texts = texts
                    .iter()
                    .flat_map(|a| more.iter().map(move |b| [&a[..], &b[..]].concat()))
                    .collect();
            }
            Part::Needs(need) => {
                all.push(of_texts(&texts));
                all.push(need);
                texts = BTreeSet::from([Vec::new()]);
            }
        }
    }
    if all.is_empty() {
        return Part::Texts(texts);
    }
    all.push(of_texts(&texts));
    Part::Needs(both(all))
}

/// The last two bytes of each text.
fn ends(texts: &BTreeSet<Vec<u8>>) -> BTreeSet<Vec<u8>> {
    texts
        .iter()
        .map(|t| t[t.len().saturating_sub(2)..].to_vec())
        .collect()
}

fn alternation(parts: &[Hir]) -> Part {
    let mut texts = BTreeSet::new();
    let mut needs = Vec::new();
    for part in parts {
        match walk(part) {
            Part::Texts(more) => texts.extend(more),
            Part::Needs(need) => needs.push(need),
        }
    }
    if needs.is_empty() && texts.len() <= TEXTS {
        return Part::Texts(texts);
    }
    if !texts.is_empty() {
        needs.push(of_texts(&texts));
    }
    Part::Needs(either(needs))
}

fn settle(part: Part) -> Needs {
    match part {
        Part::Texts(texts) => of_texts(&texts),
        Part::Needs(needs) => needs,
    }
}

/// One of the texts must be there.
fn of_texts(texts: &BTreeSet<Vec<u8>>) -> Needs {
    either(texts.iter().map(|text| of_text(text)).collect())
}

fn of_text(text: &[u8]) -> Needs {
    let (mut trigrams, mut grams) = (BTreeSet::new(), BTreeSet::new());
    trigram::trigrams(text, |t| {
        trigrams.insert(t);
    });
    super::signature::grams(text, |g| {
        grams.insert(g);
    });
    if trigrams.is_empty() {
        return Needs::Anything;
    }
    Needs::All {
        trigrams,
        grams,
        parts: Vec::new(),
    }
}

fn both(parts: Vec<Needs>) -> Needs {
    let (mut trigrams, mut grams) = (BTreeSet::new(), BTreeSet::new());
    let mut others = Vec::new();
    for part in parts {
        match part {
            Needs::Anything => {}
            Needs::Never => return Needs::Never,
            Needs::All {
                trigrams: t,
                grams: g,
                parts: p,
            } => {
                trigrams.extend(t);
                grams.extend(g);
                others.extend(p);
            }
            either => others.push(either),
        }
    }
    if trigrams.is_empty() && others.is_empty() {
        return Needs::Anything;
    }
    Needs::All {
        trigrams,
        grams,
        parts: others,
    }
}

fn either(parts: Vec<Needs>) -> Needs {
    let mut out = Vec::new();
    for part in parts {
        match part {
            Needs::Anything => return Needs::Anything,
            Needs::Never => {}
            Needs::Either(inner) => out.extend(inner),
            all => {
                if !out.contains(&all) {
                    out.push(all);
                }
            }
        }
    }
    match out.len() {
        0 => Needs::Never,
        1 => out.remove(0),
        _ => Needs::Either(out),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::request::{Case, Mode, Request};
    use proptest::prelude::*;

    fn of(pattern: &str, case: Case) -> Needs {
        let request = Request {
            mode: Mode::Regex,
            case,
            multiline: true,
            ..Request::new([pattern])
        };
        needs(&Query::compile_all(&request).unwrap()[0])
    }

    fn holds(needs: &Needs, text: &[u8]) -> bool {
        let text = fold(text);
        type There = (BTreeSet<Trigram>, BTreeSet<Gram>);
        let mut there = There::default();
        trigram::trigrams(&text, |t| {
            there.0.insert(t);
        });
        super::super::signature::grams(&text, |g| {
            there.1.insert(g);
        });
        fn check(needs: &Needs, there: &There) -> bool {
            match needs {
                Needs::Anything => true,
                Needs::Never => false,
                Needs::All {
                    trigrams,
                    grams,
                    parts,
                } => {
                    trigrams.is_subset(&there.0)
                        && grams.is_subset(&there.1)
                        && parts.iter().all(|n| check(n, there))
                }
                Needs::Either(parts) => parts.iter().any(|n| check(n, there)),
            }
        }
        check(needs, &there)
    }

    #[test]
    fn literals_need_all_their_trigrams() {
        let n = of("kmalloc_array", Case::Sensitive);
        assert!(matches!(&n, Needs::All { trigrams, grams, parts }
            if trigrams.len() == 11 && grams.len() == 9 && parts.is_empty()));
        assert!(holds(&n, b"x = KMALLOC_ARRAY(n)"));
        assert!(!holds(&n, b"kmalloc array"));
    }

    #[test]
    fn parts_between_wildcards_are_needed() {
        let n = of(r"static\s+int\s+\w+_probe\(", Case::Sensitive);
        assert!(holds(&n, b"static  int foo_probe(x)"));
        assert!(!holds(&n, b"static  int foo_prob(x)"));
        assert_eq!(of(r"\d{4}-\d{2}-\d{2}", Case::Sensitive), Needs::Anything);
        assert_eq!(of("ab", Case::Sensitive), Needs::Anything);
        assert_eq!(of("foo|b", Case::Sensitive), Needs::Anything);
    }

    #[test]
    fn folded_letters_have_all_their_forms() {
        let n = of("kiss", Case::Insensitive);
        for text in ["KISS", "\u{212A}iss", "ki\u{17F}\u{17F}", "Kis\u{17F}"] {
            assert!(holds(&n, text.as_bytes()), "{text}");
        }
        assert!(!holds(&n, b"kid"));
        let n = of("ärger", Case::Insensitive);
        assert!(holds(&n, "ÄRGER".as_bytes()));
    }

    #[test]
    fn breaks_between_lines_are_no_trigrams() {
        let n = of(r"foo\nbar", Case::Sensitive);
        assert!(holds(&n, b"foo\nbar") && holds(&n, b"bar foo"));
        assert!(!holds(&n, b"foo"));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]
        /// Whatever matches has what it needs.
        #[test]
        fn no_match_is_lost(
            pattern in "(\\(\\?i\\))?([a-ck-s]{1,3}|[sS]k|\\\\w|.|[ab-d]|\\\\s|é|\\|){1,6}([?*+]|\\{1,3\\}|\\{2\\})?([a-d]{0,3})",
            texts in prop::collection::vec("[a-dk-sKS\u{212A}\u{17F}éÉ \\n]{0,14}", 1..12),
            insensitive in any::<bool>(),
        ) {
            let case = if insensitive { Case::Insensitive } else { Case::Sensitive };
            let request = Request { mode: Mode::Regex, case, ..Request::new([pattern.clone()]) };
            let Ok(queries) = Query::compile_all(&request) else { return Ok(()) };
            let n = needs(&queries[0]);
            for text in texts {
                if queries[0].find(text.as_bytes()).is_some() {
                    prop_assert!(holds(&n, text.as_bytes()), "{} {:?} {:?}", pattern, text, n);
                }
            }
        }
    }
}
