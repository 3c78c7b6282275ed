//! Reads and parses the files that are worth showing, and cuts them into ranges.

use super::budget::{Budget, Cost};
use super::excerpt::{Source, price};
use super::fit::BREADTH;
use super::query::Query;
use super::ranges::{Detail, Draft, Syntax, drafts};
use super::request::Request;
use super::scan::{FileHits, Hits, Keep, Scanner, What};
use super::views::{Loaded, Parsing, Views};
use crate::error::Result;
use crate::text::Lines;
use crate::workspace::Cancel;
use rayon::prelude::*;
use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Files that are read and parsed at once: parsing is what takes longest of all.
const BATCH: usize = 8;
/// Ranges that cost so much of the budget at the least detail, in percent, are enough
/// to choose from: a quarter more than are shown.
const ENOUGH: usize = BREADTH * 5 / 4;

/// All hits.
const ALL: Keep = Keep {
    lines: usize::MAX,
    bytes: usize::MAX,
    what: What::Numbers,
};

/// Reads files in the given order, until the result can hold no more, and parses
/// them as far as [`Parsing`] goes.
///
/// # Errors
/// What `cancel` says.
pub(super) fn load(
    known: &Views,
    files: &[FileHits],
    order: &[usize],
    queries: &[Query],
    request: &Request,
    cancel: &Cancel,
) -> Result<(Vec<Loaded>, Vec<Draft>)> {
    let budget = Budget::of(request);
    let mut cost = Cost::default();
    let mut loaded = Vec::new();
    let mut found: Vec<Draft> = Vec::new();
    // How many of those found are part of the cost.
    let mut priced = 0;
    let mut parsing = Parsing::default();
    let mut scanner = Scanner::new(queries, ALL, cancel);
    for batch in order.chunks(BATCH) {
        let further = found.get(priced..).unwrap_or_default();
        cost = cost.plus(bare(further, &loaded, queries, request));
        priced = found.len();
        if !cost.within(budget, ENOUGH) {
            break;
        }
        cancel.check()?;
        let views: Vec<Loaded> = batch
            .par_iter()
            .filter_map(|i| files.get(*i))
            .map(|file| Loaded {
                path: file.path.clone(),
                view: known.view(&file.path, cancel),
            })
            .collect();
        let files = batch.iter().filter_map(|i| files.get(*i));
        let hits: Vec<Vec<Hits>> = files
            .zip(&views)
            .map(|(file, v)| again(&mut scanner, &v.view.bytes, file, request))
            .collect();
        let parsed: Vec<bool> = views.iter().map(|v| parsing.admits(v)).collect();
        let mut jobs: Vec<_> = views.iter().zip(&hits).zip(parsed).enumerate().collect();
        // The longest first: begun last, it would be waited for alone.
        jobs.sort_by_key(|(_, ((v, _), _))| Reverse(v.view.text.len()));
        let jobs = jobs.into_par_iter().with_max_len(1);
        let syntax = jobs.map(|(nth, ((v, hits), parsed))| match parsed {
            true => (nth, v.view.syntax(&v.path, lines(hits), cancel)),
            // Its lines are shown as they stand.
            false => (nth, Arc::default()),
        });
        let mut syntax: Vec<(usize, Arc<Syntax>)> = syntax.collect();
        syntax.sort_unstable_by_key(|(nth, _)| *nth);
        cancel.check()?;
        for ((view, hits), (_, syntax)) in views.iter().zip(&hits).zip(&syntax) {
            found.extend(drafts(loaded.len(), &view.path, syntax, hits, queries));
            loaded.push(Loaded::clone(view));
        }
    }
    Ok((loaded, found))
}

/// What ranges of loaded files, those of a file together, cost with the least detail.
fn bare(drafts: &[Draft], loaded: &[Loaded], queries: &[Query], request: &Request) -> Cost {
    let mut cost = Cost::default();
    for drafts in drafts.chunk_by(|a, b| a.file == b.file) {
        let Some(file) = drafts.first().and_then(|d| loaded.get(d.file)) else {
            continue;
        };
        let source = Source {
            request,
            queries,
            path: &file.path.rel,
            lines: &Lines::new(&file.view.text),
        };
        for draft in drafts {
            cost = cost.plus(price(source, draft, Detail::Bare));
        }
    }
    cost
}

/// The hits of a file in the bytes that are shown; with a limit, those it allowed.
fn again(scanner: &mut Scanner<'_>, bytes: &[u8], file: &FileHits, request: &Request) -> Vec<Hits> {
    file.hits
        .iter()
        .filter_map(|old| {
            let mut new = scanner.scan_bytes(old.query, bytes)?;
            if request.limit.is_some() {
                new.lines.truncate(old.count);
            }
            Some(new)
        })
        .collect()
}

/// The lines of hits, each once and in order.
fn lines(hits: &[Hits]) -> Vec<usize> {
    let lines = hits.iter().flat_map(|h| &h.lines);
    let lines: BTreeSet<usize> = lines.map(|line| *line as usize).collect();
    lines.into_iter().collect()
}
