//! Fits ranges to a budget: first as many as possible with the least detail, then
//! more detail for the best, so that a result shows both where things are and what
//! the best of them look like. The rest is kept under a handle.

use super::query::{Kind, Query};
use super::ranges::{Detail, Draft, View};
use super::request::{DEFAULT_BUDGET, DEFAULT_BYTES, Request};
use super::response::{Excerpt, Freshness, Omitted, QueryReport, Response, Role};
use crate::error::{Error, Result};
use crate::text::{Lines, Span};
use crate::tokens;
use crate::workspace::{FilePath, Omission, Root, Store};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::sync::Arc;

/// A file of the result.
#[derive(Debug)]
pub(super) struct Loaded {
    pub path: FilePath,
    pub view: Arc<View>,
}

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

/// Matching lines of files that are not shown, as text for the store.
#[derive(Debug, Default)]
pub(super) struct Listed {
    pub text: String,
    pub files: usize,
    pub lines: usize,
    /// Files that are not even listed.
    pub beyond: usize,
}

/// Share of the budget that breadth may use before detail, in percent.
const BREADTH: usize = 60;
/// Longest line that is shown, in characters.
const LINE: usize = 300;
/// Characters shown before the match in a line that is cut.
const LEAD: usize = 80;
/// Text of omitted ranges that is kept (1 MiB).
const KEPT: usize = 1 << 20;

/// What an output may cost.
#[derive(Debug, Clone, Copy)]
pub(super) struct Budget {
    pub tokens: usize,
    pub bytes: usize,
}

impl Budget {
    pub fn of(request: &Request) -> Self {
        match request.budget {
            Some(tokens) => Self {
                tokens,
                bytes: usize::MAX,
            },
            None => Self {
                tokens: DEFAULT_BUDGET,
                bytes: DEFAULT_BYTES,
            },
        }
    }

    fn holds(self, text: &str) -> bool {
        text.len() <= self.bytes && tokens::fits(text, self.tokens)
    }
}

#[derive(Debug, Clone, Copy, Default)]
struct Cost {
    tokens: usize,
    bytes: usize,
}

impl Cost {
    fn of(text: &str) -> Self {
        Self {
            tokens: tokens::count(text),
            bytes: text.len(),
        }
    }

    fn plus(self, other: Cost) -> Self {
        Self {
            tokens: self.tokens + other.tokens,
            bytes: self.bytes + other.bytes,
        }
    }

    fn minus(self, other: Cost) -> Self {
        Self {
            tokens: self.tokens.saturating_sub(other.tokens),
            bytes: self.bytes.saturating_sub(other.bytes),
        }
    }

    fn within(self, budget: Budget, percent: usize) -> bool {
        let share = |n: usize| match n.checked_mul(percent) {
            Some(n) => n / 100,
            None => n / 100 * percent,
        };
        self.tokens <= share(budget.tokens) && self.bytes <= share(budget.bytes)
    }
}

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
    let mut chosen = choose(&found, &lines, budget);
    // Without a place for its state a search still answers, only without handles.
    let store = Store::for_root(found.root).ok();
    loop {
        let (response, omission) = assemble(&found, store.as_ref(), &lines, &chosen);
        if budget.holds(&response.text) {
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

/// Which drafts are shown, in rank order, and with how much detail.
fn choose(found: &Found<'_>, lines: &[Lines<'_>], budget: Budget) -> Vec<(usize, Detail)> {
    let cost = |draft: &Draft, detail: Detail| {
        let part = excerpt(found, lines, draft, detail, LINE);
        let mut text = header(&part, true);
        text.push_str(&body(&part));
        text.push('\n');
        Cost::of(&text)
    };
    let summary = summary(found);
    // What the closing lines need at most.
    let mut used = Cost::of(&summary).plus(Cost {
        tokens: 70,
        bytes: 260,
    });
    let mut chosen: Vec<(usize, Detail, Cost)> = Vec::new();
    let mut misses = 0;
    for (i, draft) in found.drafts.iter().enumerate() {
        let bare = cost(draft, Detail::Bare);
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
    if let (true, Some(draft)) = (chosen.is_empty(), found.drafts.first()) {
        let bare = cost(draft, Detail::Bare);
        if used.plus(bare).within(budget, 100) {
            used = used.plus(bare);
            chosen.push((0, Detail::Bare, bare));
        }
    }
    for (i, detail, had) in &mut chosen {
        for more in [Detail::Full, Detail::Near] {
            let Some(draft) = found.drafts.get(*i) else {
                continue;
            };
            let wants = cost(draft, more);
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

fn excerpt(
    found: &Found<'_>,
    lines: &[Lines<'_>],
    draft: &Draft,
    detail: Detail,
    longest: usize,
) -> Excerpt {
    let none = Lines::new("");
    let text = lines.get(draft.file).unwrap_or(&none);
    let mut cut = false;
    let shown: Vec<(usize, String)> = draft
        .lines(detail, found.request.context, found.queries)
        .into_iter()
        .filter(|n| (1..=text.len()).contains(n))
        .map(|n| {
            let line = text.get(n);
            let shown = shorten(line, longest, draft.matches.get(&n).copied(), found.queries);
            cut |= shown.len() != line.len();
            (n, shown)
        })
        .collect();
    let first = shown.first().map_or(draft.span.start, |l| l.0);
    let last = shown.last().map_or(draft.span.end, |l| l.0);
    let span = if draft.symbol.is_some() || draft.kind.is_some() {
        draft.span
    } else {
        draft.span.union(Span::new(first, last))
    };
    Excerpt {
        path: found
            .files
            .get(draft.file)
            .map(|f| f.path.rel.clone())
            .unwrap_or_default(),
        complete: !cut && shown.len() == span.len(),
        span,
        symbol: draft.symbol.clone(),
        kind: draft.kind.map(|k| k.as_str()),
        role: role(draft),
        queries: (0..found.queries.len())
            .filter(|i| draft.queries & (1 << i) != 0)
            .collect(),
        matches: draft.matches.keys().copied().collect(),
        lines: shown,
    }
}

fn role(draft: &Draft) -> Role {
    if draft.defines != 0 {
        Role::Definition
    } else if draft.topic.is_some() {
        Role::Topic
    } else if draft.comment {
        Role::Comment
    } else {
        Role::Match
    }
}

/// A line as it is shown: very long ones are cut around the match.
fn shorten(line: &str, longest: usize, mask: Option<u8>, queries: &[Query]) -> String {
    if line.len() <= longest {
        return line.to_string();
    }
    let at = mask.and_then(|mask| {
        queries
            .iter()
            .enumerate()
            .filter(|(i, _)| mask & (1 << i) != 0)
            .find_map(|(_, q)| q.find(line.as_bytes()))
    });
    let boundary = |mut at: usize| {
        while at > 0 && !line.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let start = boundary(at.map_or(0, |m| m.start.saturating_sub(LEAD)));
    let end = boundary((start + longest).min(line.len()));
    let mut out = String::new();
    if start > 0 {
        out.push('⋯');
    }
    out.push_str(&line[start..end]);
    if end < line.len() {
        out.push('⋯');
    }
    out
}

/// `path:10-42 Outer.inner`, without the path for a further range of one file, and
/// with a marker where lines are left out.
fn header(excerpt: &Excerpt, with_path: bool) -> String {
    let mut out = String::new();
    if with_path {
        out.push_str(&excerpt.path);
    }
    let _ = write!(out, ":{}", excerpt.span);
    if let Some(symbol) = &excerpt.symbol {
        let _ = write!(out, " {symbol}");
    }
    if !excerpt.complete {
        out.push_str(" ⋯");
    }
    out.push('\n');
    out
}

/// The lines: as they are where all are shown, else each behind its number.
fn body(excerpt: &Excerpt) -> String {
    let mut out = String::new();
    for (number, line) in &excerpt.lines {
        if !excerpt.complete {
            let _ = write!(out, "{number}:");
        }
        out.push_str(line);
        out.push('\n');
    }
    out
}

/// One line on what was found and how fresh it is.
fn summary(found: &Found<'_>) -> String {
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
    format!(
        "{} · {}{partial}\n",
        parts.join(" · "),
        found.freshness.name()
    )
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
    let mut text = summary(found);
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
                let part = excerpt(found, lines, draft, detail, LINE);
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
        let part = excerpt(found, lines, draft, Detail::Full, usize::MAX);
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
