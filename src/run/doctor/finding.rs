//! What the doctor found, and how bad it is.

use serde::Serialize;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// As it should be.
    Fine,
    /// Works, but could work better.
    Notice,
    /// Does not work.
    Wrong,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was looked at, in a word or two.
    pub what: String,
    /// How bad it is.
    pub state: State,
    /// What was found.
    pub found: String,
    /// The command or step that mends it; empty where nothing needs mending.
    pub mend: String,
}

impl Finding {
    pub(super) fn new(what: &str, state: State, found: String, mend: &str) -> Self {
        Self {
            what: what.to_owned(),
            state,
            found,
            mend: mend.to_owned(),
        }
    }

    pub(super) fn fine(what: &str, found: String) -> Self {
        Self::new(what, State::Fine, found, "")
    }
}
