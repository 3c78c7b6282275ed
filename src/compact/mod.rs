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
mod parts;
mod sealed;
mod select;
mod stream;
mod template;
mod view;
mod words;

pub use detect::detect;
pub use kind::Kind;
pub use parts::Part;
pub use stream::compact_reader;

use crate::error::{Error, Result};
use crate::text::Span;
use crate::tokens;
use crate::workspace::{Store, TextId};
use kinds::Request;
use regex::Regex;
use select::{Draft, Selection, select};
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
    /// Where the text is several texts behind one another, each with its name:
    /// every one is shortened by its own kind, under the one budget.
    pub parts: Vec<Part>,
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
            parts: Vec::new(),
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
/// form of plain text, a line such as `[3] tool:` in front of each message and
/// one such as `[3] assistant (NAME):` in front of what a tool is called with;
/// all its other lines stand in the input, or in a string of it.
///
/// # Errors
/// `budget_too_small` with the least budget that holds the lines that must be
/// kept; `bad_ratio` for a ratio that is not above 0 and at most 1.
pub fn compact(input: &str, options: &Options) -> Result<Compacted> {
    Plan::new(input, options)?.select()
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
    Plan::new(input, options)?.select_stored(store, label, |out| {
        store.keep(out.laid_out.as_deref().unwrap_or(input))
    })
}

fn bad_ratio(ratio: f64) -> Error {
    Error::failure(
        "bad_ratio",
        format!("The ratio {ratio} is not above 0 and at most 1."),
        "Give the share of the tokens to keep, such as 0.3.",
    )
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
        let several = !options.parts.is_empty();
        let kind = match options.kind {
            Some(kind) => kind,
            None if several => Kind::Text,
            None => detect(input, file),
        };
        let (budget, fits) = match options.size {
            Size::Budget(b) => (b, tokens::fits(input, b)),
            Size::Ratio(r) if r > 0.0 && r <= 1.0 => {
                ((tokens::count(input) as f64 * r) as usize, r >= 1.0)
            }
            Size::Ratio(r) => return Err(bad_ratio(r)),
        };
        // Several texts are told apart by markers even where nothing is omitted.
        if fits && !several {
            return Ok(Self {
                input,
                view: View::empty(),
                kind,
                draft: Draft::default(),
                forced: Vec::new(),
                budget,
                fits,
            });
        }
        let query = Query::new(&options.query);
        let parts = match (several, options.kind) {
            (false, None) => parts::split(input, kind),
            _ => options.parts.clone(),
        };
        let (view, mut draft) = if parts.is_empty() {
            let (view, layout) = kinds::view(input, kind);
            let hits = Hits::new(&query, &view.lines());
            let request = Request {
                query: &query,
                budget,
                file,
            };
            let draft = kinds::draft(&view, layout.as_ref(), kind, &hits, &request);
            (view, draft)
        } else {
            parts::draft(input, &parts, &query, budget)
        };
        sealed::hold(&view, &mut draft);
        let forced = keep::forced(&view, &options.keep);
        Ok(Self {
            input,
            view,
            kind,
            draft,
            forced,
            budget,
            fits: false,
        })
    }

    /// Selects without a handle.
    fn select(&self) -> Result<Compacted> {
        if self.fits {
            return Ok(self.untouched());
        }
        select(&self.view, &self.draft, &self.forced, self.budget, None)
            .map(|selection| self.compacted(selection))
            .map_err(|least| self.too_small(least.tokens))
    }

    /// Selects with a handle in the head marker, and keeps what was omitted;
    /// `keep` sees to it that the text is in the store.
    fn select_stored(
        &self,
        store: &Store,
        label: &str,
        keep: impl FnOnce(&Compacted) -> Result<TextId>,
    ) -> Result<Compacted> {
        if self.fits {
            return Ok(self.untouched());
        }
        // The handle depends on what is omitted and its tokens on its characters:
        // select with a handle of the usual length, then with the real one.
        let mut handle = "bdfhkn".to_string();
        let mut budget = self.budget;
        let mut keep = Some(keep);
        let mut text = None;
        loop {
            let selection = select(&self.view, &self.draft, &self.forced, budget, Some(&handle));
            let is_least = selection.is_err();
            let mut out = self.compacted(selection.unwrap_or_else(|least| least));
            if out.omitted.is_empty() && !is_least {
                return Ok(out);
            }
            if let Some(keep) = keep.take() {
                text = Some(keep(&out)?);
            }
            let Some(text) = &text else {
                return Err(self.too_small(out.tokens));
            };
            handle = store.handle_in(text, label, &out.omitted);
            out.text = self.render(&out.omitted, &handle);
            out.tokens = tokens::count(&out.text);
            if out.tokens <= self.budget {
                out.handle = Some(store.put_in(text, label, &out.omitted)?);
                return Ok(out);
            }
            if is_least {
                return Err(self.too_small(out.tokens));
            }
            budget = budget.saturating_sub(out.tokens - self.budget);
        }
    }

    fn untouched(&self) -> Compacted {
        Compacted {
            text: self.input.to_string(),
            tokens: tokens::count(self.input),
            kind: self.kind,
            omitted: Vec::new(),
            laid_out: None,
            handle: None,
        }
    }

    fn compacted(&self, selection: Selection) -> Compacted {
        let other = self.view.is_cut() || self.view.text != self.input;
        Compacted {
            omitted: select::omitted(&self.view, &selection.kept),
            text: selection.text,
            tokens: selection.tokens,
            kind: self.kind,
            laid_out: other.then(|| self.view.laid_out().into_owned()),
            handle: None,
        }
    }

    fn too_small(&self, least: usize) -> Error {
        let budget = self.budget;
        Error::failure(
            "budget_too_small",
            format!(
                "The budget of {budget} tokens cannot hold the markers and the lines that must be kept."
            ),
            format!("Give a budget of at least {least} tokens."),
        )
    }

    fn render(&self, omitted: &[Span], handle: &str) -> String {
        let mut gaps = omitted.iter().peekable();
        let kept: Vec<bool> = (0..self.view.len())
            .map(|i| {
                let line = self.view.number(i);
                while gaps.next_if(|s| s.end < line).is_some() {}
                gaps.peek().is_none_or(|s| line < s.start)
            })
            .collect();
        select::render(&self.view, &self.draft, &kept, Some(handle))
    }
}
