//! What a watcher reports.

use std::collections::BTreeSet;
use std::path::PathBuf;

/// What the watcher has to say.
#[derive(Debug, Default)]
pub(super) struct Events {
    pub files: BTreeSet<PathBuf>,
    /// Folders below which anything may have changed.
    pub folders: BTreeSet<PathBuf>,
    /// Folders that were watched and are no more.
    pub gone: BTreeSet<PathBuf>,
    /// Whether more may have changed than the files and folders.
    pub sweep: bool,
}

/// Names of files that decide which others belong to a root.
pub(super) const IGNORE_FILES: [&str; 3] = [".gitignore", ".ignore", ".rgignore"];
