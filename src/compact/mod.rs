//! Text to scored lines, selected under a budget, with markers for the rest.
//!
//! What fills an agent's context is mostly repetition around a few facts. The
//! engine finds out what [`Kind`] of text it has, lets that kind score every
//! line by structure and query, and keeps the best lines that fit the budget,
//! byte for byte. Gaps become marker lines that begin with `⋯` and name the
//! omitted lines; a marker at the head says how many are gone and, after
//! [`compact_stored`], under which handle they can be got back.
//!
//! ```
//! use trimtab::compact::{Options, Size, compact};
//!
//! let log: String = (0..300)
//!     .map(|i| format!("test case_{i} ... ok\n"))
//!     .chain(["test parse ... FAILED\n".to_string()])
//!     .collect();
//! let options = Options {
//!     size: Size::Budget(60),
//!     ..Options::default()
//! };
//! let short = compact(&log, &options).unwrap();
//! assert!(short.tokens <= 60);
//! assert!(short.text.contains("test parse ... FAILED"));
//! ```

mod detect;
mod failure;
mod keep;
mod kind;
mod kinds;
mod select;
mod template;
mod view;
mod words;

pub use detect::detect;
pub use kind::Kind;

use crate::error::{Error, Result};
use crate::text::Span;
use crate::tokens;
use crate::workspace::{Omission, Store};
use regex::Regex;
use select::{Draft, select};
use view::View;
use words::{Hits, Query};

/// How large the output may be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Size {
    /// At most this many o200k tokens, markers included.
    Budget(usize),
    /// At most this share of the input's tokens, above 0 and up to 1.
    Ratio(f64),
}

/// What to keep of a text.
#[derive(Debug, Clone)]
pub struct Options {
    /// The kind of text; found out from `file` and the text where it is `None`.
    pub kind: Option<Kind>,
    /// The file's name, as a hint at its kind and language.
    pub file: Option<String>,
    /// What the reader wants to know; empty for a general shortening.
    pub query: String,
    /// The size of the output.
    pub size: Size,
    /// Lines that match one of these are always kept.
    pub keep: Vec<Regex>,
}

impl Default for Options {
    /// No query, kind detected, 30% of the tokens.
    fn default() -> Self {
        Self {
            kind: None,
            file: None,
            query: String::new(),
            size: Size::Ratio(0.3),
            keep: Vec::new(),
        }
    }
}

/// A shortened text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compacted {
    /// The output; the input itself where nothing was omitted.
    pub text: String,
    /// Tokens of the output, counted exactly.
    pub tokens: usize,
    /// The kind that the text was taken for.
    pub kind: Kind,
    /// The omitted lines, as the markers name them.
    pub omitted: Vec<Span>,
    /// The text whose lines are counted, where it is not the input: long lines
    /// are cut into spans on lines of their own, and a message history is laid
    /// out as plain text.
    pub laid_out: Option<String>,
    /// The handle of what was omitted, if it was stored.
    pub handle: Option<String>,
}

/// Shortens a text to the size asked for.
///
/// Every line of the output is a line of the input, or a span of one that has
/// more than 1,000 characters, or a marker that begins with `⋯`. A text that
/// fits already comes back untouched. A message history is shortened in the
/// form of plain text, a line such as `[3] tool:` in front of each message.
///
/// # Errors
/// `budget_too_small` with the least budget that holds the lines that must be
/// kept; `bad_ratio` for a ratio that is not above 0 and at most 1.
pub fn compact(input: &str, options: &Options) -> Result<Compacted> {
    Plan::new(input, options)?.select(None)
}

/// [`compact`], and keeps what was omitted in `store` before it returns: the
/// marker at the head names the handle. `label` says where the text is from (a
/// path, a command, `stdin`).
///
/// # Errors
/// Those of [`compact`], and `no_state` if the store cannot be written.
pub fn compact_stored(
    input: &str,
    options: &Options,
    store: &Store,
    label: &str,
) -> Result<Compacted> {
    let plan = Plan::new(input, options)?;
    // The handle depends on what is omitted and its tokens on its characters:
    // select with a handle of the usual length, then with the real one.
    let mut reserve = "0a1b2c".to_string();
    let mut budget = plan.budget;
    loop {
        let mut out = plan.select_within(budget, Some(&reserve))?;
        if out.omitted.is_empty() {
            return Ok(out);
        }
        let omission = Omission {
            source: label.to_string(),
            text: out.laid_out.clone().unwrap_or_else(|| input.to_string()),
            spans: out.omitted.clone(),
        };
        reserve = store.handle(&omission);
        out.text = plan.render(&out.omitted, &reserve);
        out.tokens = tokens::count(&out.text);
        if out.tokens <= plan.budget {
            out.handle = Some(store.put(&omission)?);
            return Ok(out);
        }
        budget = budget.saturating_sub(out.tokens - plan.budget);
    }
}

/// A text that is ready for selection.
struct Plan<'a> {
    input: &'a str,
    view: View<'a>,
    kind: Kind,
    draft: Draft,
    forced: Vec<usize>,
    budget: usize,
    /// It needs no shortening.
    fits: bool,
}

impl<'a> Plan<'a> {
    fn new(input: &'a str, options: &Options) -> Result<Self> {
        let file = options.file.as_deref();
        let kind = options.kind.unwrap_or_else(|| detect(input, file));
        let (budget, fits) = match options.size {
            Size::Budget(b) => (b, tokens::fits(input, b)),
            Size::Ratio(r) if r > 0.0 && r <= 1.0 => {
                ((tokens::count(input) as f64 * r) as usize, r >= 1.0)
            }
            Size::Ratio(r) => {
                return Err(Error::failure(
                    "bad_ratio",
                    format!("The ratio {r} is not above 0 and at most 1."),
                    "Give the share of the tokens to keep, such as 0.3.",
                ));
            }
        };
        if fits {
            return Ok(Self {
                input,
                view: View {
                    text: input.into(),
                    pieces: Vec::new(),
                },
                kind,
                draft: Draft::default(),
                forced: Vec::new(),
                budget,
                fits,
            });
        }
        let query = Query::new(&options.query);
        let (view, draft) = kinds::draft(input, kind, file, &query, budget);
        let forced = keep::forced(&view, &options.keep);
        Ok(Self {
            input,
            view,
            kind,
            draft,
            forced,
            budget,
            fits,
        })
    }

    fn select(&self, handle: Option<&str>) -> Result<Compacted> {
        self.select_within(self.budget, handle)
    }

    fn select_within(&self, budget: usize, handle: Option<&str>) -> Result<Compacted> {
        let untouched = || Compacted {
            text: self.input.to_string(),
            tokens: tokens::count(self.input),
            kind: self.kind,
            omitted: Vec::new(),
            laid_out: None,
            handle: None,
        };
        if self.fits {
            return Ok(untouched());
        }
        let selection = select(&self.view, &self.draft, &self.forced, budget, handle)?;
        let omitted = select::omitted(&selection.kept);
        let other = self.view.is_cut() || self.view.text != self.input;
        Ok(Compacted {
            text: selection.text,
            tokens: selection.tokens,
            kind: self.kind,
            laid_out: other.then(|| self.view.laid_out().into_owned()),
            omitted,
            handle: None,
        })
    }

    fn render(&self, omitted: &[Span], handle: &str) -> String {
        let mut kept = vec![true; self.view.len()];
        for line in omitted.iter().flat_map(|s| s.start..=s.end) {
            kept[line - 1] = false;
        }
        select::render(&self.view, &kept, Some(handle))
    }
}
