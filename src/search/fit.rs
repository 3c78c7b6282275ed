//! Fits ranges to a budget: first as many as possible with the least detail, then
//! more detail for the best, so that a result shows both where things are and what
//! the best of them look like. The rest is kept under a handle.

use super::budget::{Budget, Cost};
use super::excerpt::{LINE, Source, body, excerpt, header, price};
use super::listed::Listed;
use super::query::{Kind, Query};
use super::ranges::{Detail, Draft};
use super::request::Request;
use super::response::{Freshness, Omitted, QueryReport, Response};
use super::views::Loaded;
use crate::error::{Error, Result};
use crate::text::{Lines, Span};
use crate::tokens;
use crate::workspace::{Omission, Root, Store};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// Everything found, ready to be fitted.
pub(super) struct Found<'a> {
    pub root: &'a Root,
    pub request: &'a Request,
    pub queries: &'a [Query],
    pub reports: Vec<QueryReport>,
    pub files: &'a [Loaded],
    /// In rank order.
    pub drafts: Vec<Draft>,
    /// Matches in files that were not loaded, as text, and how many files and lines.
    pub listed: Listed,
    pub freshness: Freshness,
    /// Whether the time to look was over before everything was read.
    pub partial: bool,
}

impl Found<'_> {
    /// What a range is made of. None for one whose file is not here.
    fn source<'s>(&'s self, lines: &'s [Lines<'s>], draft: &Draft) -> Option<Source<'s>> {
        Some(Source {
            request: self.request,
            queries: self.queries,
            path: &self.files.get(draft.file)?.path.rel,
            lines: lines.get(draft.file)?,
        })
    }
}

/// Share of the budget that breadth may use before detail, in percent.
pub(super) const BREADTH: usize = 60;
/// Text of omitted ranges that is kept (1 MiB).
const KEPT: usize = 1 << 20;

/// Fits and renders.
///
/// # Errors
/// `budget_too_small` where not even the summary fits.
pub(super) fn fit(found: Found<'_>) -> Result<Response> {
    let budget = Budget::of(found.request);
    let lines: Vec<Lines<'_>> = found
        .files
        .iter()
        .map(|f| Lines::new(&f.view.text))
        .collect();
    let (summary, spare) = dearest_summary(&found);
    let mut chosen = choose(&found, &lines, budget, summary);
    // Without a place for its state a search still answers, only without handles.
    let store = Store::for_root(found.root).ok();
    loop {
        let (response, omission) = assemble(&found, store.as_ref(), &lines, &chosen);
        if budget.holds(&response.text, spare) {
            if let (Some(omission), Some(store)) = (omission, &store) {
                store.put(&omission)?;
            }
            return Ok(response);
        }
        // Sums of parts nearly always exceed the whole. Where they do not, or the
        // last lines need more than was set aside, the last range goes.
        if chosen.pop().is_none() {
            return Err(Error::failure(
                "budget_too_small",
                format!(
                    "A budget of {} tokens does not hold the summary of what was found.",
                    budget.tokens
                ),
                format!(
                    "Allow at least {} tokens.",
                    tokens::count(&response.text).max(100)
                ),
            ));
        }
    }
}

/// What the summary costs with the longest word for how the result was made sure of, and
/// what that is beyond its own: the same ranges are shown whatever that was.
fn dearest_summary(found: &Found<'_>) -> (Cost, Cost) {
    let with = |freshness: Freshness| Cost::of(&summary(found, freshness));
    let dearest = Freshness::ALL.map(with).into_iter();
    let dearest = dearest.fold(Cost::default(), Cost::most);
    (dearest, dearest.minus(with(found.freshness)))
}

/// Which drafts are shown, in rank order, and with how much detail, beside a summary of
/// such a cost.
fn choose(
    found: &Found<'_>,
    lines: &[Lines<'_>],
    budget: Budget,
    summary: Cost,
) -> Vec<(usize, Detail)> {
    let cost = |draft: &Draft, detail: Detail| {
        let source = found.source(lines, draft)?;
        Some(price(source, draft, detail))
    };
    // What the closing lines need at most.
    let mut used = summary.plus(Cost {
        tokens: 70,
        bytes: 260,
    });
    let mut chosen: Vec<(usize, Detail, Cost)> = Vec::new();
    let mut misses = 0;
    for (i, draft) in found.drafts.iter().enumerate() {
        let Some(bare) = cost(draft, Detail::Bare) else {
            continue;
        };
        if used.plus(bare).within(budget, BREADTH) {
            used = used.plus(bare);
            chosen.push((i, Detail::Bare, bare));
        } else {
            misses += 1;
            if misses > 8 {
                break;
            }
        }
    }
    // A single range may need more than its share.
    let first = found.drafts.first().filter(|_| chosen.is_empty());
    if let Some(bare) = first.and_then(|draft| cost(draft, Detail::Bare))
        && used.plus(bare).within(budget, 100)
    {
        used = used.plus(bare);
        chosen.push((0, Detail::Bare, bare));
    }
    for (i, detail, had) in &mut chosen {
        for more in [Detail::Full, Detail::Near] {
            let draft = found.drafts.get(*i);
            let Some(wants) = draft.and_then(|draft| cost(draft, more)) else {
                continue;
            };
            let total = used.minus(*had).plus(wants);
            if total.within(budget, 100) {
                used = total;
                *had = wants;
                *detail = more;
                break;
            }
        }
    }
    chosen.into_iter().map(|(i, d, _)| (i, d)).collect()
}

/// One line on what was found and how fresh it is.
fn summary(found: &Found<'_>, freshness: Freshness) -> String {
    let mut parts = Vec::new();
    for report in &found.reports {
        let query: String = if report.query.chars().count() > 48 {
            report.query.chars().take(47).chain(['…']).collect()
        } else {
            report.query.clone()
        };
        let query = query.replace('\n', "⏎");
        let mut part = match (report.kind, report.lines) {
            (Kind::Words, 0) if report.files > 0 => format!("`{query}` by words"),
            (_, 0) if found.partial => format!("`{query}` nothing so far"),
            (_, 0) => format!("`{query}` nothing"),
            (_, n) => format!(
                "`{query}` {n}{} {}, {} {}",
                if report.more { "+" } else { "" },
                plural(n, "line"),
                report.files,
                plural(report.files, "file"),
            ),
        };
        if let Some(note) = &report.note {
            let _ = write!(part, " ({note})");
        }
        parts.push(part);
    }
    let partial = if found.partial {
        " · partial: time (not all was read: narrow by globs, or ask for less)"
    } else {
        ""
    };
    format!("{} · {}{partial}\n", parts.join(" · "), freshness.name())
}

fn plural(n: usize, word: &str) -> String {
    if n == 1 {
        word.to_string()
    } else {
        format!("{word}s")
    }
}

/// The response, and what it leaves out, which is not kept yet.
fn assemble(
    found: &Found<'_>,
    store: Option<&Store>,
    lines: &[Lines<'_>],
    chosen: &[(usize, Detail)],
) -> (Response, Option<Omission>) {
    let mut by_file: BTreeMap<usize, Vec<(usize, Detail)>> = BTreeMap::new();
    let mut order: Vec<usize> = Vec::new();
    for &(i, detail) in chosen {
        let Some(draft) = found.drafts.get(i) else {
            continue;
        };
        let entry = by_file.entry(draft.file).or_default();
        if entry.is_empty() {
            order.push(draft.file);
        }
        entry.push((i, detail));
    }
    let mut text = summary(found, found.freshness);
    let mut excerpts = Vec::new();
    let symbols = found.queries.iter().any(|q| q.kind == Kind::Symbol);
    for (group, heading) in groups(symbols) {
        let mut first = true;
        for file in &order {
            let mut members: Vec<(&Draft, Detail)> = by_file
                .get(file)
                .into_iter()
                .flatten()
                .filter_map(|(i, detail)| Some((found.drafts.get(*i)?, *detail)))
                .filter(|(d, _)| group.is_none_or(|defines| (d.defines != 0) == defines))
                .collect();
            members.sort_by_key(|(d, _)| (d.span.start, d.span.end));
            for (nth, (draft, detail)) in members.into_iter().enumerate() {
                let Some(source) = found.source(lines, draft) else {
                    continue;
                };
                let part = excerpt(source, draft, detail, LINE);
                if first {
                    text.push_str(heading);
                    first = false;
                }
                if nth == 0 {
                    text.push('\n');
                }
                text.push_str(&header(&part, nth == 0));
                text.push_str(&body(&part));
                excerpts.push(part);
            }
        }
    }
    let (omission, omitted) = left_out(found, lines, chosen);
    let handle = omission.as_ref().zip(store).map(|(o, s)| s.handle(o));
    let mut response = Response {
        excerpts,
        queries: found.reports.clone(),
        omitted,
        handle,
        freshness: found.freshness,
        partial: found.partial,
        tokens: 0,
        text,
    };
    let tail = tail(&response, found.request.limit);
    response.text.push_str(&tail);
    response.tokens = tokens::count(&response.text);
    (response, omission)
}

/// Everything that is not shown, as text for the store and as counts.
fn left_out(
    found: &Found<'_>,
    lines: &[Lines<'_>],
    chosen: &[(usize, Detail)],
) -> (Option<Omission>, Omitted) {
    let mut omitted = Omitted {
        files: found.listed.beyond,
        ..Omitted::default()
    };
    let mut text = String::new();
    let shown: BTreeSet<usize> = chosen.iter().map(|c| c.0).collect();
    let mut lost = BTreeSet::new();
    for (i, draft) in found.drafts.iter().enumerate() {
        if shown.contains(&i) {
            continue;
        }
        if text.len() > KEPT {
            lost.insert(draft.file);
            continue;
        }
        let Some(source) = found.source(lines, draft) else {
            continue;
        };
        let part = excerpt(source, draft, Detail::Full, usize::MAX);
        text.push_str(&header(&part, true));
        text.push_str(&body(&part));
        text.push('\n');
        omitted.ranges += 1;
        omitted.lines += draft.matches.len();
    }
    omitted.files += lost.len();
    text.push_str(&found.listed.text);
    omitted.ranges += found.listed.files;
    omitted.lines += found.listed.lines;
    if omitted.ranges == 0 {
        return (None, omitted);
    }
    let count = Lines::new(&text).len();
    let omission = Omission {
        source: format!("search {}", found.request.queries.join(" · ")),
        spans: vec![Span::new(1, count)],
        text,
    };
    (Some(omission), omitted)
}

/// In symbol mode, definitions and uses stand apart.
fn groups(symbols: bool) -> Vec<(Option<bool>, &'static str)> {
    if symbols {
        vec![(Some(true), "\ndefinitions\n"), (Some(false), "\nuses\n")]
    } else {
        vec![(None, "")]
    }
}

/// What is left out and how to get it.
fn tail(response: &Response, limit: Option<usize>) -> String {
    let mut out = String::new();
    let omitted = &response.omitted;
    if omitted.ranges > 0 {
        let next = match &response.handle {
            Some(handle) => format!("expand {handle}"),
            None => "narrow by globs or a longer pattern".into(),
        };
        let _ = writeln!(
            out,
            "\n⋯ {} more {} ({} {}): {next}",
            omitted.ranges,
            plural(omitted.ranges, "range"),
            omitted.lines,
            plural(omitted.lines, "line"),
        );
    }
    if omitted.files > 0 {
        let _ = writeln!(
            out,
            "⋯ {} more {} with matches not kept: narrow by globs or a longer pattern",
            omitted.files,
            plural(omitted.files, "file"),
        );
    }
    let stopped = |q: &QueryReport| limit.is_some_and(|l| q.more && q.lines >= l);
    if let (Some(limit), true) = (limit, response.queries.iter().any(stopped)) {
        let _ = writeln!(
            out,
            "⋯ stopped at {limit} {} of a query: raise the limit, or narrow by globs or a longer pattern",
            plural(limit, "line"),
        );
    }
    out
}
