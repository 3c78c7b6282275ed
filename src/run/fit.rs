//! Fits a run's result to its budget, status line included.

use super::excerpt::{Hit, Place};
use super::task::Limits;
use crate::error::{Error, Result};
use crate::text::{Lines, Span};
use crate::tokens;

/// What is to be shown.
pub(super) struct Draft<'a> {
    /// What comes first: edits, checks, a failure. Whole lines.
    pub head: &'a str,
    /// Places with their lines, best first.
    pub hits: &'a [Hit],
    /// Places without their lines, further down in the ranking.
    pub rest: &'a [Place],
    /// The last line, given how many places are shown and how many are not.
    pub status: &'a dyn Fn(Shown) -> String,
    /// The handle under which a list of places will be kept, if it can be.
    pub handle: &'a dyn Fn(&[Place]) -> Option<String>,
    pub limits: Limits,
}

/// How much of a draft is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shown {
    /// Places that are shown, a cut one included.
    pub places: usize,
    /// Places of which lines are missing.
    pub left: usize,
}

/// A draft as it is shown.
#[derive(Debug)]
pub(super) struct Fitted {
    pub text: String,
    /// The places that are shown, as far as they are.
    pub hits: Vec<Hit>,
    pub shown: Shown,
    /// What is not shown, in rank order.
    pub left: Vec<Place>,
    /// The handle that the text names for it.
    pub handle: Option<String>,
}

/// Fewest lines of a cut place that are worth its header.
const LEAST_CUT: usize = 3;
/// Most places that are named where they are not shown.
const NAMED: usize = 8;

/// Shows the places in order, each whole, as far as the limits hold; the one that
/// overflows is cut after the last line that fits. What is not shown is named.
///
/// # Errors
/// `budget_too_small` where not even the head and the status fit.
pub(super) fn fit(draft: &Draft<'_>) -> Result<Fitted> {
    let blocks: Vec<String> = draft.hits.iter().map(block).collect();
    let all = Choice {
        whole: blocks.len(),
        cut: 0,
        named: NAMED,
    };
    if draft.rest.is_empty() {
        let text = assemble(draft, &blocks, all, None);
        if draft.limits.hold(&text) {
            return Ok(fitted(draft, text, all, None));
        }
    }
    let mut choice = choose(draft, &blocks);
    loop {
        let left = left_out(draft, choice);
        // A list of names that says all needs no handle.
        let handle = (left.len() > choice.named)
            .then(|| (draft.handle)(&left))
            .flatten();
        let text = assemble(draft, &blocks, choice, handle.as_deref());
        if draft.limits.hold(&text) {
            return Ok(fitted(draft, text, choice, handle));
        }
        choice = match choice {
            Choice { named, .. } if named > 0 => Choice {
                named: named - 1,
                ..choice
            },
            Choice { cut, .. } if cut > 0 => Choice {
                cut: cut - 1,
                ..choice
            },
            Choice { whole, .. } if whole > 0 => Choice {
                whole: whole - 1,
                ..choice
            },
            _ => {
                return Err(Error::failure(
                    "budget_too_small",
                    format!(
                        "A budget of {} tokens does not hold the summary of the run.",
                        draft.limits.tokens
                    ),
                    format!("Allow at least {} tokens.", tokens::count(&text).max(100)),
                ));
            }
        };
    }
}

/// How many places are shown whole, how many lines of the next one, and how many
/// of the others are named.
#[derive(Debug, Clone, Copy)]
struct Choice {
    whole: usize,
    cut: usize,
    named: usize,
}

/// The first guess, from the costs of the parts; they add up to the whole's.
fn choose(draft: &Draft<'_>, blocks: &[String]) -> Choice {
    let most = Shown {
        places: draft.hits.len(),
        left: draft.hits.len() + draft.rest.len(),
    };
    let frame = format!("{}{}", draft.head, (draft.status)(most));
    // Names of what is left out may take a tenth.
    let spare = |n: usize, least: usize| n - frame_share(n, least);
    let limits = Limits {
        tokens: spare(draft.limits.tokens, 48),
        bytes: spare(draft.limits.bytes, 160),
    };
    let (mut tokens, mut bytes) = (tokens::count(&frame), frame.len());
    let mut whole = 0;
    for block in blocks {
        let cost = tokens::count(block);
        if tokens + cost > limits.tokens || bytes + block.len() > limits.bytes {
            break;
        }
        tokens += cost;
        bytes += block.len();
        whole += 1;
    }
    let cut = draft.hits.get(whole).map_or(0, |hit| {
        let mark = format!("{}{}", header(&hit.place), remainder(hit, 0));
        let left = Limits {
            tokens: limits
                .tokens
                .saturating_sub(tokens + tokens::count(&mark) + 2),
            bytes: limits.bytes.saturating_sub(bytes + mark.len() + 2),
        };
        let fit = tokens::fit_lines(&hit.text, left.tokens);
        let lines = Lines::new(hit.text.get(..fit).unwrap_or(""));
        let lines = (0..=lines.len())
            .rev()
            .find(|n| *n == 0 || lines.bytes(Span::new(1, *n)).end <= left.bytes)
            .unwrap_or(0);
        let total = hit.place.span.len();
        if lines >= LEAST_CUT || (whole == 0 && lines > 0) {
            lines.min(total - 1)
        } else {
            0
        }
    });
    Choice {
        whole,
        cut,
        named: NAMED,
    }
}

fn frame_share(n: usize, least: usize) -> usize {
    (n / 10).min(least)
}

/// The places that are not shown or not whole, in rank order, as far as they are missing.
fn left_out(draft: &Draft<'_>, choice: Choice) -> Vec<Place> {
    let mut out = Vec::new();
    for (i, hit) in draft.hits.iter().enumerate().skip(choice.whole) {
        let mut place = hit.place.clone();
        if i == choice.whole {
            place.span = Span::new(place.span.start + choice.cut, place.span.end);
        }
        out.push(place);
    }
    out.extend_from_slice(draft.rest);
    out
}

/// The hits as they are shown.
fn shown_hits(draft: &Draft<'_>, choice: Choice) -> Vec<Hit> {
    let mut hits: Vec<Hit> = draft.hits.iter().take(choice.whole).cloned().collect();
    if choice.cut > 0
        && let Some(hit) = draft.hits.get(choice.whole)
    {
        let mut hit = hit.clone();
        let span = Span::new(1, choice.cut);
        hit.text = Lines::new(&hit.text).slice(span).to_string();
        hit.place.span.end = hit.place.span.start + choice.cut - 1;
        hits.push(hit);
    }
    hits
}

fn shown(draft: &Draft<'_>, choice: Choice) -> Shown {
    Shown {
        places: choice.whole + usize::from(choice.cut > 0),
        left: draft.hits.len() - choice.whole + draft.rest.len(),
    }
}

fn fitted(draft: &Draft<'_>, text: String, choice: Choice, handle: Option<String>) -> Fitted {
    Fitted {
        text,
        hits: shown_hits(draft, choice),
        shown: shown(draft, choice),
        left: left_out(draft, choice),
        handle,
    }
}

fn assemble(draft: &Draft<'_>, blocks: &[String], choice: Choice, handle: Option<&str>) -> String {
    let mut text = draft.head.to_string();
    for block in blocks.iter().take(choice.whole) {
        text.push_str(block);
    }
    let mut left = left_out(draft, choice);
    if choice.cut > 0
        && let Some(hit) = draft.hits.get(choice.whole)
    {
        text.push_str(&header(&hit.place));
        text.push_str(Lines::new(&hit.text).slice(Span::new(1, choice.cut)));
        text.push_str(&remainder(hit, choice.cut));
        text.push('\n');
        // The cut one has a marker of its own.
        left.remove(0);
    }
    if !left.is_empty() {
        text.push_str(&names(&left, choice.named, handle));
    }
    text.push_str(&(draft.status)(shown(draft, choice)));
    text
}

/// A place without its lines is a header alone.
fn block(hit: &Hit) -> String {
    let mut text = header(&hit.place);
    if hit.text.is_empty() {
        return text;
    }
    text.push_str(&hit.text);
    if !text.ends_with('\n') {
        text.push('\n');
    }
    text.push('\n');
    text
}

/// `path:10-42 Outer.inner`
pub(super) fn header(place: &Place) -> String {
    let gap = if place.symbol.is_empty() { "" } else { " " };
    format!("{}:{}{gap}{}\n", place.path, place.span, place.symbol)
}

/// The marker behind the first `cut` lines of a hit.
fn remainder(hit: &Hit, cut: usize) -> String {
    let span = Span::new(hit.place.span.start + cut, hit.place.span.end);
    format!("⋯ {}:{span}\n", hit.place.path)
}

/// `⋯ 9 more: a.rs:1-20 f, b.rs:4-9 g; all: expand k3x9q2`
fn names(left: &[Place], named: usize, handle: Option<&str>) -> String {
    let list: Vec<String> = left
        .iter()
        .take(named)
        .map(|p| header(p).trim_end().to_string())
        .collect();
    let colon = if list.is_empty() { "" } else { ": " };
    let rest = match handle {
        Some(handle) => format!("; all: expand {handle}"),
        None => String::new(),
    };
    format!("⋯ {} more{colon}{}{rest}\n", left.len(), list.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn hit(path: &str, start: usize, text: &str) -> Hit {
        Hit {
            place: Place {
                path: path.into(),
                span: Span::new(start, start + Lines::new(text).len() - 1),
                symbol: "f".into(),
                score: 1.0,
            },
            text: text.into(),
        }
    }

    fn status(shown: Shown) -> String {
        format!("done: {} shown, {} left\n", shown.places, shown.left)
    }

    fn fit_to(hits: &[Hit], rest: &[Place], tokens: usize, bytes: usize) -> Result<Fitted> {
        fit(&Draft {
            head: "",
            hits,
            rest,
            status: &status,
            handle: &|_| Some("0a1b2c".into()),
            limits: Limits { tokens, bytes },
        })
    }

    fn body(lines: usize) -> String {
        (1..=lines)
            .map(|n| format!("    let value_{n} = {n};\n"))
            .collect()
    }

    #[test]
    fn all_that_fits_is_shown_whole() {
        let hits = [hit("a.rs", 3, "fn f() {}"), hit("b.rs", 9, "fn g() {\n}\n")];
        let out = fit_to(&hits, &[], 100, 1000).unwrap();
        insta::assert_snapshot!(out.text, @r"
        a.rs:3 f
        fn f() {}

        b.rs:9-10 f
        fn g() {
        }

        done: 2 shown, 0 left
        ");
        assert_eq!(out.hits, hits);
        assert_eq!(out.handle, None);
    }

    #[test]
    fn what_overflows_is_cut_and_what_is_left_is_named() {
        let hits = [
            hit("a.rs", 3, "fn f() {}\n"),
            hit("b.rs", 10, &body(9)),
            hit("c.rs", 1, &body(3)),
        ];
        let out = fit_to(&hits, &[], 110, 10_000).unwrap();
        insta::assert_snapshot!(out.text, @r"
        a.rs:3 f
        fn f() {}

        b.rs:10-18 f
            let value_1 = 1;
            let value_2 = 2;
            let value_3 = 3;
            let value_4 = 4;
            let value_5 = 5;
            let value_6 = 6;
        ⋯ b.rs:16-18

        ⋯ 1 more: c.rs:1-3 f
        done: 2 shown, 2 left
        ");
        assert_eq!(out.hits.len(), 2);
    }

    #[test]
    fn many_names_get_a_handle() {
        let hits: Vec<Hit> = (1..30)
            .map(|i| hit("long/path.rs", i * 40, &body(12)))
            .collect();
        let out = fit_to(&hits, &[], 260, 10_000).unwrap();
        insta::assert_snapshot!(out.text, @r"
        long/path.rs:40-51 f
            let value_1 = 1;
            let value_2 = 2;
            let value_3 = 3;
            let value_4 = 4;
            let value_5 = 5;
            let value_6 = 6;
            let value_7 = 7;
            let value_8 = 8;
            let value_9 = 9;
            let value_10 = 10;
            let value_11 = 11;
            let value_12 = 12;

        long/path.rs:80-91 f
            let value_1 = 1;
            let value_2 = 2;
            let value_3 = 3;
            let value_4 = 4;
            let value_5 = 5;
            let value_6 = 6;
            let value_7 = 7;
            let value_8 = 8;
            let value_9 = 9;
        ⋯ long/path.rs:89-91

        ⋯ 27 more: long/path.rs:120-131 f; all: expand 0a1b2c
        done: 2 shown, 28 left
        ");
        assert_eq!(out.handle.as_deref(), Some("0a1b2c"));
    }

    #[test]
    fn bytes_are_a_limit_too_and_too_little_is_said() {
        let hits = [hit("a.rs", 1, &body(50))];
        let out = fit_to(&hits, &[], 10_000, 400).unwrap();
        assert!(out.text.len() <= 400);
        assert!(out.hits[0].place.span.end > 5);
        assert_eq!(
            fit_to(&hits, &[], 5, 400).unwrap_err().code,
            "budget_too_small"
        );
    }

    proptest! {
        #[test]
        fn a_limit_is_never_exceeded_and_lines_stay_whole(
            sizes in prop::collection::vec(1usize..40, 0..12),
            rest in 0usize..20,
            tokens in 30usize..900,
            bytes in 120usize..4000,
        ) {
            let hits: Vec<Hit> = sizes.iter().enumerate()
                .map(|(i, n)| hit(&format!("dir{i}/f.rs"), i * 50 + 1, &body(*n)))
                .collect();
            let rest: Vec<Place> = (0..rest).map(|i| hit("rest.rs", i * 9 + 1, &body(5)).place).collect();
            let Ok(out) = fit_to(&hits, &rest, tokens, bytes) else { return Ok(()) };
            prop_assert!(tokens::count(&out.text) <= tokens);
            prop_assert!(out.text.len() <= bytes);
            prop_assert_eq!(out.shown.places, out.hits.len());
            for (shown, whole) in out.hits.iter().zip(&hits) {
                prop_assert!(whole.text.starts_with(&shown.text));
                prop_assert_eq!(Lines::new(&shown.text).len(), shown.place.span.len());
                prop_assert!(out.text.contains(&shown.text));
            }
            let complete = out.hits.iter().zip(&hits).filter(|(a, b)| a == b).count();
            prop_assert_eq!(out.shown.left, hits.len() - complete + rest.len());
        }
    }
}
