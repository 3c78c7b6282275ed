//! What comes first: files to be read, and ranges to be shown.

use super::class::classify;
use super::query::{Kind, Query};
use super::ranges::Draft;
use super::scan::{FileHits, Guess, Hits, Mask};
use super::views::Loaded;
use crate::error::Result;
use crate::workspace::{self, Cancel};
use rayon::prelude::*;
use std::cmp::Reverse;

/// In which order files are worth reading: each query in turn names its best.
///
/// # Errors
/// What `cancel` says once it is set.
pub(super) fn load_order(
    files: &[FileHits],
    queries: &[Query],
    cancel: &Cancel,
) -> Result<Vec<usize>> {
    let places: Vec<_> = files.par_iter().map(|f| classify(&f.path.rel)).collect();
    let mut lists = Vec::new();
    for (q, query) in queries.iter().enumerate() {
        cancel.check()?;
        let mut mine: Vec<_> = files
            .par_iter()
            .zip(&places)
            .enumerate()
            .filter_map(|(i, (f, place))| {
                let hits = f.hits.iter().find(|h| h.query == q)?;
                let worth = (
                    Reverse(hits.defines),
                    !holds_qualifier(f, hits, query),
                    *place,
                    Reverse(f.hits.len()),
                    Reverse(hits.count.min(8)),
                );
                // Files come in order of paths.
                Some((worth, i))
            })
            .collect();
        mine.par_sort_unstable();
        lists.push(mine.into_iter().map(|(_, i)| i).collect());
    }
    cancel.check()?;
    Ok(in_turn(&lists, files.len()))
}

/// Whether a file that may define a qualified name also holds the part before it.
fn holds_qualifier(file: &FileHits, hits: &Hits, query: &Query) -> bool {
    let Some(qualifier) = &query.qualifier else {
        return false;
    };
    if hits.defines == Guess::Nothing {
        return false;
    }
    let Ok(mut bytes) = workspace::read(&file.path) else {
        return false;
    };
    if query.insensitive {
        bytes.make_ascii_lowercase();
    }
    memchr::memmem::find(&bytes, qualifier.as_bytes()).is_some()
}

/// Draws from several ranked lists of numbers below `end` in turn, each number once.
fn in_turn(lists: &[Vec<usize>], end: usize) -> Vec<usize> {
    let mut seen = vec![false; end];
    let mut out = Vec::new();
    let mut heads: Vec<_> = lists.iter().map(|l| l.iter()).collect();
    loop {
        let before = out.len();
        for head in &mut heads {
            let mut fresh = |i: &usize| {
                seen.get_mut(*i)
                    .is_some_and(|s| !std::mem::replace(s, true))
            };
            out.extend(head.find(|i| fresh(i)));
        }
        if out.len() == before {
            return out;
        }
    }
}

/// Symbols that nothing is called exactly: definitions of the bare name count, or
/// else those with the asked name as part of theirs.
pub(super) fn promote(mut drafts: Vec<Draft>, queries: &[Query]) -> Vec<Draft> {
    let exact = drafts.iter().fold(0, |mask, d| mask | d.defines);
    let mut vague = queries
        .iter()
        .enumerate()
        .filter(|(_, q)| q.kind == Kind::Symbol)
        .fold(0, |mask: Mask, (i, _)| mask | 1 << i)
        & !exact;
    for draft in &mut drafts {
        draft.defines |= draft.named & vague;
    }
    vague &= !drafts.iter().fold(0, |mask, d| mask | d.named);
    for draft in &mut drafts {
        draft.defines |= draft.partly & vague;
    }
    drafts
}

/// Puts ranges in order: each query in turn names its best. Definitions of the name
/// come first, then code before comments, tests and foreign files, then ranges that
/// several queries or lines match in, then paths.
pub(super) fn rank(drafts: Vec<Draft>, files: &[Loaded], queries: usize) -> Vec<Draft> {
    let lists: Vec<Vec<usize>> = (0..queries)
        .map(|q| {
            let bit: Mask = 1 << q;
            let mut mine: Vec<(usize, &Draft)> = drafts
                .iter()
                .enumerate()
                .filter(|(_, d)| d.queries & bit != 0)
                .collect();
            mine.sort_by_key(|(_, d)| {
                let class = match () {
                    () if d.defines & bit != 0 => 0,
                    () => 1,
                };
                (
                    d.topic,
                    class,
                    d.place,
                    d.comment,
                    Reverse(d.queries.count_ones()),
                    Reverse(d.matches.len().min(4)),
                    files.get(d.file).map(|f| f.path.rel.as_str()),
                    d.span,
                )
            });
            mine.into_iter().map(|(i, _)| i).collect()
        })
        .collect();
    let mut drafts: Vec<Option<Draft>> = drafts.into_iter().map(Some).collect();
    in_turn(&lists, drafts.len())
        .into_iter()
        .filter_map(|i| drafts.get_mut(i)?.take())
        .collect()
}
