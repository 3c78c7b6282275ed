//! A kind of step: its fields, what it gives and the work that it does.

use crate::error::{Error, Result};
use crate::run::config::Config;
use crate::run::journal::Decision;
#[cfg(feature = "model")]
use crate::run::model::Spend;
use crate::run::retry::Attempt;
use crate::run::workflow::types::{Type, to_text};
use crate::workspace::{Cancel, Root};
use serde_json::{Map, Value};
use std::cell::RefCell;
use std::time::Duration;

/// The fields of a step as they are written.
pub(in crate::run::workflow) type Fields = Map<String, Value>;

/// What a step gives, by name.
pub(in crate::run::workflow) type Gives = Vec<(&'static str, Type)>;

/// Says what is wrong with the fields of a step, if anything.
type Sound = fn(&Fields) -> std::result::Result<(), String>;

/// A field of a kind.
#[derive(Debug, Clone)]
pub(in crate::run::workflow) struct Field {
    pub name: &'static str,
    pub wanted: Type,
    pub needed: bool,
    /// Whether it is taken as it is written, braces included.
    pub verbatim: bool,
    /// The values that a text may have; any where empty.
    pub one_of: &'static [&'static str],
}

/// A kind of step.
pub(in crate::run::workflow) struct Kind {
    pub name: &'static str,
    pub fields: fn() -> Vec<Field>,
    /// What it gives, by name; `fields` are those of the step, as they are written.
    pub gives: fn(&Fields) -> Gives,
    /// Says what is wrong with the fields as a whole, if anything.
    pub check: Option<Sound>,
    /// Whether no other step is taken beside it: it writes or asks.
    pub alone: bool,
    /// Whether it may change files.
    pub writes: bool,
    /// What it would do that only a trusted file may, in a few words.
    pub trusted: Option<&'static str>,
    /// What is done and written down first, if anything.
    pub prepare: Option<Work>,
    pub work: Work,
    /// What follows once the result is written down. It may be done again.
    pub finish: Option<Work>,
}

/// The work of a kind: takes its inputs, gives a record.
pub(in crate::run::workflow) type Work = fn(&Context<'_>, &Inputs) -> Result<Value>;

/// What a step works with.
pub(in crate::run::workflow) struct Context<'a> {
    pub root: &'a Root,
    pub config: &'a Config,
    pub cancel: Cancel,
    /// The same for the same step of the same run with the same inputs.
    pub key: &'a str,
    /// What a text that is shown in passing may cost, in tokens.
    pub room: usize,
    /// Where writes wait for approval: for how long.
    pub ask: Option<Duration>,
    /// The run's number.
    pub number: i64,
    /// What was decided, where it was asked.
    pub decided: Option<Decision>,
    /// Whether nothing may be written.
    pub dry_run: bool,
    /// Where attempts that failed are told.
    #[cfg_attr(not(feature = "model"), allow(dead_code))]
    pub log: &'a RefCell<Vec<Attempt>>,
    /// What may be spent on models.
    #[cfg(feature = "model")]
    pub spend: &'a Spend,
    /// What came of [`Kind::prepare`], or of the work for [`Kind::finish`].
    pub before: Value,
}

/// The values of a step's fields, in their shape.
pub(in crate::run::workflow) struct Inputs(pub Map<String, Value>);

impl Inputs {
    /// A text; none where it is not given or empty.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0
            .get(name)
            .and_then(Value::as_str)
            .filter(|t| !t.is_empty())
    }

    pub fn texts(&self, name: &str) -> Vec<String> {
        match self.0.get(name).and_then(Value::as_array) {
            Some(items) => items.iter().map(to_text).collect(),
            None => Vec::new(),
        }
    }

    pub fn flag(&self, name: &str) -> bool {
        self.0.get(name).and_then(Value::as_bool) == Some(true)
    }

    /// A whole number of at least 1.
    ///
    /// # Errors
    /// `bad_number`.
    pub fn count(&self, name: &str) -> Result<Option<usize>> {
        let Some(value) = self.0.get(name) else {
            return Ok(None);
        };
        match value.as_u64().and_then(|n| usize::try_from(n).ok()) {
            Some(n) if n > 0 => Ok(Some(n)),
            _ => Err(Error::failure(
                "bad_number",
                format!("`{name}` is {value}."),
                "Give a whole number of at least 1.",
            )),
        }
    }
}

/// A field that may be left out.
pub(super) fn field(name: &'static str, wanted: Type) -> Field {
    Field {
        name,
        wanted,
        needed: false,
        verbatim: false,
        one_of: &[],
    }
}

impl Field {
    pub(super) fn needed(self) -> Self {
        Self {
            needed: true,
            ..self
        }
    }

    pub(super) fn one_of(self, one_of: &'static [&'static str]) -> Self {
        Self { one_of, ..self }
    }
}

/// Most tokens of what a step gives where it names no budget.
pub(super) const BUDGET: usize = 2_000;

/// Says so where not exactly one of some fields is given.
pub(super) fn one_of(fields: &Fields, names: &[&str]) -> std::result::Result<(), String> {
    match names.iter().filter(|n| fields.contains_key(**n)).count() {
        1 => Ok(()),
        _ => Err(format!("give one of {}", names.join(" and "))),
    }
}
