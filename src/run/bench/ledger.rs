//! Three ledgers of a session: tokens once, tokens sent again on each turn, price.

use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};
use std::ops::AddAssign;

/// What tokens were spent on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Searches for lines or files.
    Search,
    /// Lines of files.
    Read,
    /// Changes of files that exist.
    Edit,
    /// New files.
    Create,
    /// Output of commands.
    Log,
    /// Other tools.
    Other,
    /// What the model wrote besides calls.
    Text,
    /// Instructions, tools and task.
    Prompt,
    /// The schemas of trimtab's tools.
    Schemas,
}

impl Kind {
    /// The kinds of steps, in the order of reports.
    pub const STEPS: [Kind; 6] = [
        Kind::Search,
        Kind::Read,
        Kind::Edit,
        Kind::Create,
        Kind::Log,
        Kind::Other,
    ];

    /// Its name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Search => "search",
            Kind::Read => "read",
            Kind::Edit => "edit",
            Kind::Create => "create",
            Kind::Log => "log",
            Kind::Other => "other",
            Kind::Text => "text",
            Kind::Prompt => "prompt",
            Kind::Schemas => "schemas",
        }
    }
}

/// Dollars for a million tokens.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prices {
    /// Read for the first time.
    pub input: f64,
    /// Read again, from the cache.
    pub cached: f64,
    /// Written by the model.
    pub output: f64,
}

impl Prices {
    /// The table `name` of a TOML text, or its first; the one that comes with
    /// trimtab where there is no text.
    ///
    /// # Errors
    /// `bad_prices`.
    pub fn read(text: Option<&str>, name: Option<&str>) -> Result<(String, Self)> {
        let bad = |what: String| {
            Error::failure(
                "bad_prices",
                format!("The prices cannot be read: {what}."),
                "Write tables of `input`, `cached` and `output`, in dollars for a million tokens.",
            )
        };
        let text = text.unwrap_or(include_str!("prices.toml"));
        let tables: toml_edit::DocumentMut = text
            .parse()
            .map_err(|e: toml_edit::TomlError| bad(e.message().to_string()))?;
        let first = tables.iter().next().map(|(k, _)| k.to_string());
        let name = name
            .map(str::to_string)
            .or(first)
            .ok_or_else(|| bad("there is no table".into()))?;
        let parsed: std::collections::BTreeMap<String, Prices> =
            toml::from_str(text).map_err(|e| bad(e.message().to_string()))?;
        let prices = parsed
            .get(&name)
            .ok_or_else(|| bad(format!("there is no table `{name}`")))?;
        Ok((name, *prices))
    }
}

/// An amount in each ledger.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Amount {
    /// Tokens, each once.
    pub once: f64,
    /// Tokens as often as they were read or written by the model.
    pub resent: f64,
    /// Dollars.
    pub price: f64,
}

impl Amount {
    /// The figures in the order of [`LEDGERS`].
    pub fn all(&self) -> [f64; 3] {
        [self.once, self.resent, self.price]
    }
}

/// The ledgers' names.
pub const LEDGERS: [&str; 3] = ["tokens once", "tokens re-sent each turn", "price"];

impl AddAssign for Amount {
    fn add_assign(&mut self, other: Self) {
        self.once += other.once;
        self.resent += other.resent;
        self.price += other.price;
    }
}

/// What one way of working through a session spent.
#[derive(Debug, Clone, Default)]
pub(super) struct Book {
    items: Vec<Item>,
    requests: usize,
}

#[derive(Debug, Clone, Copy)]
struct Item {
    kind: Kind,
    written: bool,
    tokens: usize,
    /// How many requests had been made when it came about.
    request: usize,
}

impl Book {
    /// The model is asked: all that was entered before is sent.
    pub fn request(&mut self) {
        self.requests += 1;
    }

    /// The model wrote something.
    pub fn wrote(&mut self, kind: Kind, tokens: usize) {
        self.enter(kind, true, tokens);
    }

    /// The model is given something to read.
    pub fn reads(&mut self, kind: Kind, tokens: usize) {
        self.enter(kind, false, tokens);
    }

    fn enter(&mut self, kind: Kind, written: bool, tokens: usize) {
        self.items.push(Item {
            kind,
            written,
            tokens,
            request: self.requests,
        });
    }

    /// The sum over what `counts` says yes to, by kind and by whether the model
    /// wrote it.
    pub fn sum(&self, prices: &Prices, counts: impl Fn(Kind, bool) -> bool) -> Amount {
        let mut sum = Amount::default();
        for item in self.items.iter().filter(|i| counts(i.kind, i.written)) {
            let tokens = item.tokens as f64;
            let sent = (self.requests - item.request) as f64;
            let written = if item.written { 1.0 } else { 0.0 };
            sum.once += tokens;
            sum.resent += tokens * (sent + written);
            let first = if sent > 0.0 { prices.input } else { 0.0 };
            let dollars = written * prices.output + first + (sent - 1.0).max(0.0) * prices.cached;
            sum.price += tokens * dollars / 1e6;
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_early_is_sent_often() {
        let prices = Prices {
            input: 4.0,
            cached: 1.0,
            output: 10.0,
        };
        let mut book = Book::default();
        book.reads(Kind::Prompt, 100);
        book.request();
        book.wrote(Kind::Read, 10);
        book.reads(Kind::Read, 50);
        book.request();
        book.wrote(Kind::Text, 5);
        let all = book.sum(&prices, |_, _| true);
        assert_eq!(all.once, 165.0);
        // The prompt twice, the call written and sent, its answer sent, the text written.
        assert_eq!(all.resent, 200.0 + 20.0 + 50.0 + 5.0);
        let dollars = 100.0 * (4.0 + 1.0) + 10.0 * (10.0 + 4.0) + 50.0 * 4.0 + 5.0 * 10.0;
        assert!((all.price - dollars / 1e6).abs() < 1e-12);
        let read = book.sum(&prices, |k, written| k == Kind::Read && !written);
        assert_eq!(read.once, 50.0);
    }

    #[test]
    fn prices_can_be_edited() {
        let (name, own) = Prices::read(None, None).unwrap();
        assert_eq!(name, "claude-sonnet-4-5");
        assert!(own.cached < own.input);
        let text = "[x]\ninput = 1.0\ncached = 0.5\noutput = 2.0\n";
        assert_eq!(Prices::read(Some(text), None).unwrap().1.cached, 0.5);
        for (text, name) in [
            ("", None),
            (text, Some("y")),
            ("[x]\ninput = 1\n", None),
            ("=", None),
        ] {
            assert_eq!(
                Prices::read(Some(text), name).unwrap_err().code,
                "bad_prices"
            );
        }
    }
}
