//! An undo entry: the record of one commit, in a folder of its own.

use std::fs;
use std::io;
use std::path::Path;

/// The record of one commit, kept in its undo entry.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub(super) struct Manifest {
    pub label: String,
    pub files: Vec<FileRecord>,
    /// The entry that this one takes back.
    #[serde(default)]
    pub undoes: Option<String>,
}

/// One file of a [`Manifest`]; the hashes name blobs in the entry's folder.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub(super) struct FileRecord {
    pub rel: String,
    pub before: Option<String>,
    pub after: Option<String>,
}

pub(super) const PENDING: &str = "pending";
pub(super) const MANIFEST: &str = "manifest.json";

/// The numbers of the undo entries, in order.
pub(super) fn numbers(entries: &Path) -> Vec<u64> {
    let mut found: Vec<u64> = fs::read_dir(entries)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|e| e.file_name().to_str()?.strip_prefix('u')?.parse().ok())
        .collect();
    found.sort_unstable();
    found
}

pub(super) fn read_manifest(entry: &Path) -> io::Result<Manifest> {
    let bytes = fs::read(entry.join(MANIFEST))?;
    serde_json::from_slice(&bytes).map_err(io::Error::other)
}
