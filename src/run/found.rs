//! What the steps of a run find, checked before the next step takes it.

use super::edits::Merged;
use super::excerpt::{Place, Read};
use super::outcome::{Checked, Written};
use super::step::Value;
use crate::text::{Lines, Span};
use serde::{Deserialize, Serialize};

/// What the steps have brought so far.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub merged: Option<Merged>,
    pub written: Option<Written>,
    pub checked: Option<Checked>,
    pub located: Option<Located>,
    pub read: Option<Read>,
    /// What the reader should know.
    pub notes: Vec<String>,
    /// Tokens that were spent on models.
    pub model_tokens: u64,
    /// Whether that came to its cap.
    pub cut: bool,
}

/// What a search has found, best first.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Located {
    pub places: Vec<Place>,
}

impl Value for Located {
    fn check(&self) -> std::result::Result<(), String> {
        self.places.iter().try_for_each(Place::check)
    }
}

impl Value for Read {
    fn check(&self) -> std::result::Result<(), String> {
        self.rest.iter().try_for_each(Place::check)?;
        for hit in &self.hits {
            hit.place.check()?;
            let lines = Lines::new(&hit.text).len();
            if lines != hit.place.span.len() {
                return Err(format!(
                    "{}:{} has {lines} lines",
                    hit.place.path, hit.place.span
                ));
            }
        }
        Ok(())
    }
}

impl Place {
    pub(super) fn check(&self) -> std::result::Result<(), String> {
        let Span { start, end } = self.span;
        if self.path.is_empty() || start == 0 || end < start || !self.score.is_finite() {
            return Err(format!("{}:{start}-{end} is no place", self.path));
        }
        Ok(())
    }
}
