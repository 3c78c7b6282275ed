//! The trust store of a root: which files are trusted, each as it was.

use super::journal::encode;
use crate::error::{Error, Result};
use crate::workspace::{Root, State, hash};
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

/// Whether a file of a root was trusted with this text.
pub(super) fn is_trusted(root: &Root, file: &str, text: &str) -> bool {
    trusted(root).get(file) == Some(&hash(text.as_bytes()))
}

fn place(state: &State) -> PathBuf {
    state.dir().join("trust.json")
}

/// The files that are trusted, each with the hash of its text.
fn trusted(root: &Root) -> BTreeMap<String, String> {
    State::existing(root)
        .and_then(|s| fs::read_to_string(place(&s)).ok())
        .and_then(|t| serde_json::from_str(&t).ok())
        .unwrap_or_default()
}

/// Records which files are trusted, each with the hash of its text.
pub(super) fn store(root: &Root, all: &BTreeMap<String, String>) -> Result<()> {
    let path = place(&State::for_root(root)?);
    let text = encode(all)?;
    fs::write(&path, text).map_err(|e| {
        Error::failure(
            "no_state",
            format!("{} cannot be written: {e}.", path.display()),
            "Make that place writable.",
        )
    })
}
