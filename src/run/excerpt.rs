use super::task::Limits;
use crate::error::Result;
use crate::text::{Lines, Span};
use crate::tokens;
use crate::workspace::{Cancel, Root, read_text};
use serde::{Deserialize, Serialize, Serializer};
use std::collections::BTreeMap;

/// A span that a search found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Place {
    /// Relative to the root, `/`-separated.
    pub path: String,
    /// Its lines.
    #[serde(flatten)]
    pub span: Span,
    /// Qualified name of the definition that it is or lies in; may be empty.
    pub symbol: String,
    /// How well it answers the task; only comparable within one run.
    #[serde(serialize_with = "rounded")]
    pub score: f64,
}

/// Four decimals: enough to see the distances, and the same after a journal.
fn rounded<S: Serializer>(score: &f64, s: S) -> std::result::Result<S::Ok, S::Error> {
    s.serialize_f64((score * 1e4).round() / 1e4)
}

/// A place with its lines.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Hit {
    /// Where it is; as far as it is shown.
    #[serde(flatten)]
    pub place: Place,
    /// The lines with their line breaks, byte for byte.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub text: String,
}

/// Places read, best first, until the limits are reached.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Read {
    pub hits: Vec<Hit>,
    /// Places that were not read because the limits were reached before.
    pub rest: Vec<Place>,
}

/// Reads the places in their order. Lines that an earlier place shows are left
/// out of later ones; so are blank lines at the ends. Reads somewhat more than the
/// limits hold, never much more. Places that are gone by now are passed over.
pub(super) fn read_places(
    root: &Root,
    places: &[Place],
    limits: Limits,
    cancel: &Cancel,
) -> Result<Read> {
    let mut texts: BTreeMap<&str, Option<String>> = BTreeMap::new();
    let mut shown: BTreeMap<&str, Vec<Span>> = BTreeMap::new();
    let mut out = Read::default();
    let (mut used, mut bytes) = (0, 0);
    for (i, place) in places.iter().enumerate() {
        cancel.check()?;
        if used > limits.tokens || bytes > limits.bytes {
            out.rest.extend_from_slice(&places[i..]);
            break;
        }
        let text = texts.entry(&place.path).or_insert_with(|| {
            let path = root.resolve(&place.path).ok()?;
            read_text(&path).ok()
        });
        let Some(text) = text else { continue };
        let lines = Lines::new(text);
        let before = shown.entry(&place.path).or_default();
        for span in subtract(place.span, before) {
            let Some(span) = without_blank_ends(&lines, span) else {
                continue;
            };
            let text = lines.slice(span);
            used += tokens::count(text);
            bytes += text.len();
            out.hits.push(Hit {
                place: Place {
                    span,
                    ..place.clone()
                },
                text: text.to_string(),
            });
        }
        before.push(place.span);
    }
    Ok(out)
}

/// What is left of a span without the lines of others.
fn subtract(span: Span, others: &[Span]) -> Vec<Span> {
    let mut left = vec![span];
    for other in others {
        left = left
            .into_iter()
            .flat_map(|s| {
                if !s.overlaps(*other) {
                    return vec![s];
                }
                let mut parts = Vec::new();
                if s.start < other.start {
                    parts.push(Span::new(s.start, other.start - 1));
                }
                if s.end > other.end {
                    parts.push(Span::new(other.end + 1, s.end));
                }
                parts
            })
            .collect();
    }
    left
}

/// `None` where no line holds anything.
fn without_blank_ends(lines: &Lines<'_>, span: Span) -> Option<Span> {
    let blank = |n: &usize| lines.get(*n).trim().is_empty();
    let end = span.end.min(lines.len());
    let first = (span.start..=end).find(|n| !blank(n))?;
    let last = (first..=end).rev().find(|n| !blank(n))?;
    Some(Span::new(first, last))
}

#[cfg(test)]
mod tests {
    use super::*;

    const WIDE: Limits = Limits {
        tokens: 10_000,
        bytes: 100_000,
    };

    fn place(path: &str, start: usize, end: usize) -> Place {
        Place {
            path: path.into(),
            span: Span::new(start, end),
            symbol: "f".into(),
            score: 1.0,
        }
    }

    fn tree() -> (tempfile::TempDir, Root) {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("a.txt"), "1\n\n3\n4\n5\n6\n\n8").unwrap();
        let root = Root::open(dir.path()).unwrap();
        (dir, root)
    }

    fn spans(root: &Root, places: &[Place], limits: Limits) -> Vec<Span> {
        let read = read_places(root, places, limits, &Cancel::new()).unwrap();
        read.hits.iter().map(|h| h.place.span).collect()
    }

    #[test]
    fn no_line_is_shown_twice_and_blank_ends_go() {
        let (_d, root) = tree();
        let places = [
            place("a.txt", 4, 5),
            place("a.txt", 2, 8),
            place("a.txt", 7, 7),
            place("gone.txt", 1, 2),
            place("a.txt", 1, 1),
        ];
        let want = [(4, 5), (3, 3), (6, 8), (1, 1)].map(|(a, b)| Span::new(a, b));
        assert_eq!(spans(&root, &places, WIDE), want);
    }

    #[test]
    fn reading_ends_with_the_limits() {
        let (_d, root) = tree();
        let places = [
            place("a.txt", 1, 3),
            place("a.txt", 4, 5),
            place("a.txt", 8, 8),
        ];
        let least = Limits { tokens: 3, ..WIDE };
        let read = read_places(&root, &places, least, &Cancel::new()).unwrap();
        assert_eq!((read.hits.len(), read.rest.len()), (1, 2));
    }

    #[test]
    fn scores_are_the_same_after_a_journal() {
        let mut p = place("a.txt", 1, 1);
        p.score = 0.1 + 0.2;
        let text = serde_json::to_string(&p).unwrap();
        assert!(text.ends_with("\"score\":0.3}"), "{text}");
        let again: Place = serde_json::from_str(&text).unwrap();
        assert_eq!(serde_json::to_string(&again).unwrap(), text);
    }
}
