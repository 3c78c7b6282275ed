//! A TOML file read table by table, with the line of every mistake.

use crate::error::{Error, Result};
use crate::text::Lines;
use serde_json::Value;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A file's text, to find lines in it.
pub(super) struct Source<'t> {
    name: &'t str,
    lines: Lines<'t>,
}

/// A value and where it stands.
pub(super) type Item<'a> = Spanned<DeValue<'a>>;

impl<'t> Source<'t> {
    pub fn new(name: &'t str, text: &'t str) -> Self {
        Self {
            name,
            lines: Lines::new(text),
        }
    }

    /// The whole file as a table.
    ///
    /// # Errors
    /// `bad_workflow` with the line.
    pub fn parse(&self) -> Result<Spanned<DeTable<'t>>> {
        DeTable::parse(self.lines.text()).map_err(|e| {
            let at = e.span().map_or(0, |s| s.start);
            self.bad(self.line(&(at..at)), e.message())
        })
    }

    pub fn line(&self, at: &Range<usize>) -> usize {
        self.lines.line_at(at.start)
    }

    /// What is wrong with a line.
    pub fn bad(&self, line: usize, message: impl std::fmt::Display) -> Error {
        Error::failure(
            "bad_workflow",
            format!("{}, line {line}: {message}.", self.name),
            "Mend that line; nothing was run.",
        )
    }
}

/// A table of which each entry is asked for once; what is left is unknown.
pub(super) struct Table<'s, 'a> {
    pub source: &'s Source<'a>,
    /// What it is, for messages.
    what: String,
    /// The line at which it begins.
    pub line: usize,
    entries: BTreeMap<&'s str, (usize, &'s Item<'a>)>,
    known: RefCell<Vec<String>>,
}

impl<'s, 'a> Table<'s, 'a> {
    pub fn new(
        source: &'s Source<'a>,
        what: impl Into<String>,
        line: usize,
        table: &'s DeTable<'a>,
    ) -> Self {
        let entries = table
            .iter()
            .map(|(key, value)| (key.get_ref().as_ref(), (source.line(&key.span()), value)));
        Self {
            source,
            what: what.into(),
            line,
            entries: entries.collect(),
            known: RefCell::default(),
        }
    }

    /// A value that is a table.
    pub fn of(source: &'s Source<'a>, what: &str, item: &'s Item<'a>) -> Result<Self> {
        let line = source.line(&item.span());
        match item.get_ref().as_table() {
            Some(table) => Ok(Self::new(source, what, line, table)),
            None => Err(source.bad(line, format_args!("{what} is a table"))),
        }
    }

    /// From now on messages call it so.
    pub fn call(&mut self, what: impl Into<String>) {
        self.what = what.into();
    }

    pub fn take(&mut self, name: &str) -> Option<(usize, &'s Item<'a>)> {
        self.known.borrow_mut().push(name.to_string());
        self.entries.remove(name)
    }

    pub fn bad(&self, line: usize, message: impl std::fmt::Display) -> Error {
        self.source.bad(line, message)
    }

    /// An entry of another type than it should be.
    fn mismatch(&self, line: usize, name: &str, wanted: &str, found: &DeValue<'_>) -> Error {
        let found = found.type_str();
        self.bad(
            line,
            format_args!("`{name}` of {} is {wanted}, not {found}", self.what),
        )
    }

    pub fn text(&mut self, name: &str) -> Result<Option<(usize, String)>> {
        let Some((line, item)) = self.take(name) else {
            return Ok(None);
        };
        match item.get_ref().as_str() {
            Some(text) => Ok(Some((line, text.to_string()))),
            None => Err(self.mismatch(line, name, "a text", item.get_ref())),
        }
    }

    pub fn needed_text(&mut self, name: &str) -> Result<(usize, String)> {
        self.text(name)?
            .ok_or_else(|| self.bad(self.line, format_args!("{} has no `{name}`", self.what)))
    }

    /// A whole number of at least 1.
    pub fn count(&mut self, name: &str) -> Result<Option<(usize, usize)>> {
        let Some((line, item)) = self.take(name) else {
            return Ok(None);
        };
        match json(item.get_ref())
            .as_u64()
            .and_then(|n| usize::try_from(n).ok())
        {
            Some(n) if n > 0 => Ok(Some((line, n))),
            _ => Err(self.mismatch(line, name, "a whole number of at least 1", item.get_ref())),
        }
    }

    /// A text or a list of texts.
    pub fn texts(&mut self, name: &str) -> Result<Vec<(usize, String)>> {
        let Some((line, item)) = self.take(name) else {
            return Ok(Vec::new());
        };
        if let Some(text) = item.get_ref().as_str() {
            return Ok(vec![(line, text.to_string())]);
        }
        let Some(items) = item.get_ref().as_array() else {
            return Err(self.mismatch(line, name, "a list of texts", item.get_ref()));
        };
        items
            .iter()
            .map(|item| {
                let line = self.source.line(&item.span());
                match item.get_ref().as_str() {
                    Some(text) => Ok((line, text.to_string())),
                    None => Err(self.mismatch(line, name, "a list of texts", item.get_ref())),
                }
            })
            .collect()
    }

    /// The entries that nobody asked for so far, each with its line.
    pub fn rest(&mut self) -> Vec<(String, usize, &'s Item<'a>)> {
        std::mem::take(&mut self.entries)
            .into_iter()
            .map(|(name, (line, item))| (name.to_string(), line, item))
            .collect()
    }

    /// Refuses what nobody asked for.
    pub fn finish(self) -> Result<()> {
        let first = self.entries.iter().min_by_key(|(_, (line, _))| *line);
        let Some((name, (line, _))) = first else {
            return Ok(());
        };
        let known = self.known.borrow().join(", ");
        Err(self.bad(
            *line,
            format_args!("{} has no field `{name}`; it has {known}", self.what),
        ))
    }
}

/// A TOML value as JSON; dates become texts.
pub(super) fn json(value: &DeValue<'_>) -> Value {
    match value {
        DeValue::String(s) => Value::from(s.as_ref()),
        DeValue::Integer(n) => i64::from_str_radix(n.as_str(), n.radix())
            .map_or_else(|_| Value::from(n.as_str()), Value::from),
        DeValue::Float(n) => n
            .as_str()
            .parse::<f64>()
            .map_or_else(|_| Value::from(n.as_str()), Value::from),
        DeValue::Boolean(b) => Value::from(*b),
        DeValue::Datetime(d) => Value::from(d.to_string()),
        DeValue::Array(items) => items.iter().map(|i| json(i.get_ref())).collect(),
        DeValue::Table(table) => table
            .iter()
            .map(|(k, v)| (k.get_ref().to_string(), json(v.get_ref())))
            .collect(),
    }
}
