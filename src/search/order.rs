//! What comes first: files to be read, and ranges to be shown.

use super::class::classify;
use super::query::{Kind, Query};
use super::ranges::Draft;
use super::scan::{FileHits, Guess, Hits, Mask};
use super::views::Loaded;
use crate::workspace;
use rayon::prelude::*;
use std::collections::BTreeSet;

/// In which order files are worth reading: each query in turn names its best.
pub(super) fn load_order(files: &[FileHits], queries: &[Query]) -> Vec<usize> {
    let places: Vec<_> = files.iter().map(|f| classify(&f.path.rel)).collect();
    let lists: Vec<Vec<usize>> = (0..)
        .zip(queries)
        .map(|(q, query)| {
            let mut mine: Vec<(usize, bool, &Hits)> = files
                .par_iter()
                .enumerate()
                .filter_map(|(i, f)| {
                    let hits = f.hits.iter().find(|h| h.query == q)?;
                    Some((i, holds_qualifier(f, hits, query), hits))
                })
                .collect();
            // Files come in order of paths, and the sort is stable.
            mine.sort_by_key(|(i, qualified, h)| {
                (
                    std::cmp::Reverse(h.defines),
                    !qualified,
                    places.get(*i),
                    std::cmp::Reverse(files.get(*i).map_or(0, |f| f.hits.len())),
                    std::cmp::Reverse(h.count.min(8)),
                )
            });
            mine.into_iter().map(|(i, ..)| i).collect()
        })
        .collect();
    in_turn(&lists)
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

/// Draws from several ranked lists in turn, each item once.
fn in_turn(lists: &[Vec<usize>]) -> Vec<usize> {
    let mut seen = BTreeSet::new();
    let mut out = Vec::new();
    let mut heads: Vec<_> = lists.iter().map(|l| l.iter()).collect();
    loop {
        let before = out.len();
        for head in &mut heads {
            if let Some(next) = head.find(|i| !seen.contains(*i)) {
                seen.insert(*next);
                out.push(*next);
            }
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
                    std::cmp::Reverse(d.queries.count_ones()),
                    std::cmp::Reverse(d.matches.len().min(4)),
                    files.get(d.file).map(|f| f.path.rel.as_str()),
                    d.span,
                )
            });
            mine.into_iter().map(|(i, _)| i).collect()
        })
        .collect();
    let mut drafts: Vec<Option<Draft>> = drafts.into_iter().map(Some).collect();
    in_turn(&lists)
        .into_iter()
        .filter_map(|i| drafts.get_mut(i)?.take())
        .collect()
}
