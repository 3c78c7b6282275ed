//! What setting a client up is asked to do.

use super::places::Places;
use std::path::Path;

/// The name of the entry in every client.
pub(super) const SERVER: &str = "trimtab";

/// For whom a client is configured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// The user, in all projects.
    User,
    /// Everyone who works on the project that the root is.
    Project,
}

/// What `setup` is asked to do, for any client.
#[derive(Debug, Clone)]
pub struct Setup<'a> {
    /// The user's folders.
    pub places: &'a Places,
    /// The root that is served.
    pub root: &'a Path,
    /// Which file is edited.
    pub scope: Scope,
    /// The program as the client shall start it.
    pub command: String,
    /// Whether the skill file and the paragraph for agents are wanted too.
    pub skill: bool,
    /// Whether all of it is taken out instead.
    pub remove: bool,
}
