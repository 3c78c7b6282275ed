//! Files that match and are not shown.

use super::collect::{self, Candidate};
use super::lines::Text;
use super::query::Query;
use super::scan::{FileHits, Keep, What};
use crate::error::Result;
use crate::workspace::Cancel;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;

/// Files whose matching lines are kept under the handle without being parsed.
const LISTED: usize = 300;
/// Bytes of such lines (512 KiB).
const LISTED_BYTES: usize = 512 << 10;
/// Files that are read again at once.
const BATCH: usize = 64;

/// Matching lines of files that are not shown, as text for the store.
#[derive(Debug, Default)]
pub(super) struct Listed {
    pub text: String,
    pub files: usize,
    pub lines: usize,
    /// Files that are not even listed.
    pub beyond: usize,
}

/// Lists the matching lines of files, in the given order.
///
/// # Errors
/// What `cancel` says.
pub(super) fn list(
    files: &[FileHits],
    order: &[usize],
    queries: &[Query],
    keep: Keep,
    cancel: &Cancel,
) -> Result<Listed> {
    let keep = Keep {
        bytes: LISTED_BYTES,
        what: What::Texts,
        ..keep
    };
    let mut listed = Listed::default();
    let first = order.get(..LISTED.min(order.len())).unwrap_or_default();
    for batch in first.chunks(BATCH) {
        if listed.text.len() > LISTED_BYTES {
            break;
        }
        let batch: Vec<Candidate> = batch
            .iter()
            .filter_map(|i| files.get(*i))
            .map(|file| Candidate {
                path: Arc::new(file.path.clone()),
                mask: file.hits.iter().fold(0, |m, h| m | 1 << h.query),
            })
            .collect();
        let found = collect::by_list(&batch, queries, None, keep, cancel);
        found.stopped?;
        for file in found.files {
            listed.add(file);
        }
    }
    listed.beyond = order.len() - listed.files.min(order.len());
    Ok(listed)
}

impl Listed {
    fn add(&mut self, file: FileHits) {
        if self.text.len() > LISTED_BYTES {
            return;
        }
        let more = file.hits.iter().any(|h| h.more);
        let mut lines: BTreeMap<u32, Text> = BTreeMap::new();
        for hit in file.hits {
            lines.extend(hit.lines.into_iter().zip(hit.texts.into_lines()));
        }
        self.files += 1;
        self.lines += lines.len();
        let _ = writeln!(self.text, "{}", file.path.rel);
        for (number, line) in lines {
            let line = String::from_utf8_lossy(&line);
            let line = line.trim_end_matches(['\r', '\n']);
            let _ = writeln!(self.text, "{number}:{line}");
        }
        if more {
            self.text
                .push_str("⋯ further lines match: search this file alone\n");
        }
        self.text.push('\n');
    }
}
