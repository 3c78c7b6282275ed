use super::budget::Budget;
use super::collect::{self, Collected, line_queries};
use super::fit::{self, Found};
use super::lines::{LineMatch, Matches};
use super::listed::{Listed, list};
use super::load::load;
use super::locate::{LocateOptions, Locator};
use super::order::{load_order, promote, rank};
use super::query::{Kind, Query};
use super::ranges::{Draft, topic};
use super::request::{Mode, Request};
#[cfg(unix)]
use super::resident::Resident;
use super::response::{Freshness, QueryReport, Response};
use super::scan::{FileHits, Keep, Mask, What};
use super::views::{Loaded, Views};
use crate::error::{Error, Result};
use crate::workspace::{Cancel, FilePath, Root};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
#[cfg(unix)]
use std::sync::OnceLock;

/// Searches a root once.
///
/// # Errors
/// `bad_regex`, `bad_glob`, `budget_too_small` and the like for an unusable request;
/// `cancelled` or `timed_out`.
pub fn search(root: &Root, request: &Request, cancel: &Cancel) -> Result<Response> {
    let mut engine = Engine::new(root);
    // What it remembers would help further queries only.
    if request.queries.len() < 2 {
        engine.locator = Locator::once(root);
    }
    engine.search(request, cancel)
}

/// Searches a root again and again. It keeps what it parsed; every answer is checked
/// against the files as they are.
#[derive(Debug)]
pub struct Engine {
    root: Root,
    views: Views,
    locator: Locator,
    /// Begun when it is asked for.
    #[cfg(unix)]
    resident: Option<OnceLock<Resident>>,
}

/// Lines per query and file that are counted without being shown: beyond, a file is
/// reported to have more.
const COUNTED: usize = 1_000;

impl Engine {
    /// An engine without an index: each search walks the root.
    pub fn new(root: &Root) -> Self {
        Self {
            root: root.clone(),
            views: Views::default(),
            locator: Locator::new(root),
            #[cfg(unix)]
            resident: None,
        }
    }

    /// An engine that can keep an index: built in the background from
    /// [`Engine::begin`] on, kept in the user's cache folder, and used once it is
    /// there. Answers are the same with and without. Where the system has no change
    /// times (Windows), it has no index.
    pub fn resident(root: &Root) -> Self {
        Self {
            #[cfg(unix)]
            resident: Some(OnceLock::new()),
            ..Self::new(root)
        }
    }

    /// Begins to build the index, once, and returns at once. Until it is ready,
    /// searches read every file.
    pub fn begin(&self) {
        #[cfg(unix)]
        if let Some(resident) = &self.resident {
            resident.get_or_init(|| Resident::start(&self.root));
        }
    }

    /// Begins to build the index, and waits until it holds everything there is, or is
    /// known not to come: for measurements and tests. Searches need not wait.
    pub fn settle(&self) {
        self.begin();
        #[cfg(unix)]
        if let Some(resident) = self.resident.as_ref().and_then(OnceLock::get) {
            resident.wait();
        }
    }

    /// What ranks for its `words` queries, and remembers what the files hold.
    pub fn locator(&self) -> &Locator {
        &self.locator
    }

    /// The root it searches.
    pub fn root(&self) -> &Root {
        &self.root
    }

    /// All matching lines of each query, in order of paths and lines, up to
    /// [`Request::limit`] per query. Words are not matched by lines.
    ///
    /// # Errors
    /// As [`search`].
    pub fn lines(&self, request: &Request, cancel: &Cancel) -> Result<Vec<Vec<LineMatch>>> {
        Ok(self.matches(request, cancel)?.lines)
    }

    /// As [`Engine::lines`], with what else there is to say about them.
    ///
    /// # Errors
    /// As [`search`].
    pub fn matches(&self, request: &Request, cancel: &Cancel) -> Result<Matches> {
        let queries = Query::compile_all(request)?;
        let keep = Keep {
            lines: request.limit.map_or(usize::MAX, |l| l.saturating_add(1)),
            bytes: usize::MAX,
            what: What::Texts,
        };
        let (found, freshness) = self.collect(&queries, request, keep, cancel)?;
        found.stopped?;
        let files = found.files;
        let mut counts = vec![0; queries.len()];
        for hits in files.iter().flat_map(|f| &f.hits) {
            if let Some(count) = counts.get_mut(hits.query) {
                *count += hits.lines.len();
            }
        }
        let mut lines: Vec<Vec<LineMatch>> = counts.into_iter().map(Vec::with_capacity).collect();
        let mut more = vec![false; queries.len()];
        for file in files {
            let path: Arc<str> = file.path.rel.into();
            for hits in file.hits {
                let (Some(list), Some(more)) =
                    (lines.get_mut(hits.query), more.get_mut(hits.query))
                else {
                    continue;
                };
                *more |= hits.more;
                let found = hits.lines.into_iter().zip(hits.texts.into_lines());
                list.extend(found.map(|(line, text)| LineMatch {
                    path: Arc::clone(&path),
                    line: line as usize,
                    text,
                }));
            }
        }
        Ok(Matches {
            lines,
            more,
            freshness,
        })
    }

    /// Answers a request with ranges, fitted to its budget. Where [`Request::within`]
    /// is over, with those of what was found until then.
    ///
    /// # Errors
    /// As [`search`]; `timed_out` also where nothing was found in the time.
    pub fn search(&self, request: &Request, cancel: &Cancel) -> Result<Response> {
        let looking = request.within.map(|time| cancel.with_timeout(time));
        self.search_while(request, looking.as_ref().unwrap_or(cancel), cancel)
    }

    /// Looks until `looking` says that it is late; what comes after may go on.
    pub(super) fn search_while(
        &self,
        request: &Request,
        looking: &Cancel,
        cancel: &Cancel,
    ) -> Result<Response> {
        let mut late = Late {
            cancel,
            error: None,
        };
        let mut queries = Query::compile_all(request)?;
        let keep = Keep {
            lines: request
                .limit
                .map_or(COUNTED, |l| l.saturating_add(1).min(COUNTED)),
            bytes: usize::MAX,
            what: What::Count,
        };
        let found = late.unless(self.collect(&queries, request, keep, looking))?;
        let (mut files, freshness) = match found {
            Some((found, freshness)) => {
                late.unless(found.stopped)?;
                (found.files, freshness)
            }
            None => (Vec::new(), Freshness::Scan),
        };
        // What was not found may only not have been reached yet.
        if request.mode == Mode::Auto && late.error.is_none() {
            let again = literally(&mut queries, &files, request)?;
            if again != 0 {
                let found = self.collect_only(&queries, again, request, keep, looking);
                if let Some((more, _)) = late.unless(found)? {
                    late.unless(more.stopped)?;
                    files = join(files, more.files);
                }
            }
        }
        cancel.check()?;
        if request.mode == Mode::Auto && late.error.is_none() {
            by_words(&mut queries, &files, request)?;
        }
        let mut reports = report(&queries, &files);
        let order = load_order(&files, &queries, cancel)?;
        let (mut loaded, mut drafts) =
            load(&self.views, &files, &order, &queries, request, cancel)?;
        let rest = order.get(loaded.len()..).unwrap_or_default();
        let listed = list(&files, rest, &queries, keep, looking);
        let listed = late.unless(listed)?.unwrap_or_else(|| Listed {
            beyond: rest.len(),
            ..Listed::default()
        });
        late.unless(self.topics(
            &queries,
            request,
            &mut reports,
            &mut loaded,
            &mut drafts,
            looking,
        ))?;
        let partial = late.error.is_some();
        if partial {
            for report in reports.iter_mut().filter(|r| r.kind != Kind::Words) {
                report.more = true;
            }
        }
        // Of nothing there is no part.
        if let (Some(error), true) = (late.error, drafts.is_empty()) {
            return Err(error);
        }
        let drafts = rank(promote(drafts, &queries), &loaded, queries.len());
        fit::fit(Found {
            root: &self.root,
            request,
            queries: &queries,
            reports,
            files: &loaded,
            drafts,
            listed,
            freshness,
            partial,
        })
    }

    fn collect(
        &self,
        queries: &[Query],
        request: &Request,
        keep: Keep,
        cancel: &Cancel,
    ) -> Result<(Collected, Freshness)> {
        self.collect_only(queries, line_queries(queries), request, keep, cancel)
    }

    fn collect_only(
        &self,
        queries: &[Query],
        mask: Mask,
        request: &Request,
        keep: Keep,
        cancel: &Cancel,
    ) -> Result<(Collected, Freshness)> {
        #[cfg(unix)]
        if let Some(resident) = self.resident.as_ref().and_then(OnceLock::get)
            && mask != 0
            && let Some(plan) = resident.plan(queries, mask, request, cancel)?
        {
            let found = collect::by_list(&plan.candidates, queries, request.limit, keep, cancel);
            return Ok((found, plan.freshness));
        }
        let found = collect::by_walk(&self.root, queries, mask, request, keep, cancel)?;
        Ok((found, Freshness::Scan))
    }

    /// Adds what is about the queries in plain words.
    fn topics(
        &self,
        queries: &[Query],
        request: &Request,
        reports: &mut [QueryReport],
        loaded: &mut Vec<Loaded>,
        drafts: &mut Vec<Draft>,
        cancel: &Cancel,
    ) -> Result<()> {
        let options = LocateOptions {
            budget: Budget::of(request).tokens / queries.len().max(1),
            fill: false,
            scope: request.scope(),
            ..LocateOptions::default()
        };
        for (i, query) in queries.iter().enumerate() {
            if query.kind != Kind::Words {
                continue;
            }
            let found = self.locator.locate(&query.text, &options, cancel)?.ranked;
            if let Some(report) = reports.get_mut(i) {
                report.files = found.iter().map(|r| &r.path).collect::<BTreeSet<_>>().len();
            }
            for (nth, ranked) in found.into_iter().enumerate() {
                let at = match loaded.iter().position(|l| l.path.rel == ranked.path) {
                    Some(at) => at,
                    None => {
                        let path = FilePath {
                            abs: self.root.dir().join(&ranked.path),
                            rel: ranked.path,
                        };
                        let view = self.views.view(&path, cancel);
                        cancel.check()?;
                        loaded.push(Loaded { path, view });
                        loaded.len() - 1
                    }
                };
                if let Some(file) = loaded.get(at) {
                    let symbol = ranked.symbol;
                    drafts.push(topic(at, &file.path, i, nth, ranked.span, symbol));
                }
            }
        }
        Ok(())
    }
}

/// Tells that only the time to look is over from errors that end a search.
struct Late<'c> {
    cancel: &'c Cancel,
    /// What first came too late.
    error: Option<Error>,
}

impl Late<'_> {
    /// None where it came too late, which is kept in mind.
    fn unless<T>(&mut self, outcome: Result<T>) -> Result<Option<T>> {
        match outcome {
            Ok(done) => Ok(Some(done)),
            Err(e) if e.code == "timed_out" => {
                self.cancel.check()?;
                self.error.get_or_insert(e);
                Ok(None)
            }
            Err(e) => Err(e),
        }
    }
}

/// Takes queries that matched nowhere as a regex literally. Returns which.
fn literally(queries: &mut [Query], files: &[FileHits], request: &Request) -> Result<Mask> {
    let mut mask = 0;
    for (i, query) in queries.iter_mut().enumerate() {
        let found = files.iter().any(|f| f.hits.iter().any(|h| h.query == i));
        if found || query.kind != Kind::Regex {
            continue;
        }
        let mut literal = Query::literal(&query.text, request)?;
        literal.note = Some("no match as a regex, taken literally".into());
        *query = literal;
        mask |= 1 << i;
    }
    Ok(mask)
}

/// Takes queries of several plain words that stand nowhere together as words.
fn by_words(queries: &mut [Query], files: &[FileHits], request: &Request) -> Result<()> {
    for (i, query) in queries.iter_mut().enumerate() {
        let found = files.iter().any(|f| f.hits.iter().any(|h| h.query == i));
        let plain = |word: &str| word.chars().filter(|c| c.is_alphanumeric()).count() > 1;
        let several = query.text.split_whitespace().filter(|w| plain(w)).count() > 1;
        if !found && several && query.kind == Kind::Literal {
            *query = Query::words(&query.text, request)?;
        }
    }
    Ok(())
}

/// Hits of different queries in the same files, put together in order of paths.
fn join(a: Vec<FileHits>, b: Vec<FileHits>) -> Vec<FileHits> {
    let mut all: BTreeMap<String, FileHits> = BTreeMap::new();
    for file in a.into_iter().chain(b) {
        match all.get_mut(&file.path.rel) {
            Some(had) => {
                had.hits.extend(file.hits);
                had.hits.sort_by_key(|h| h.query);
            }
            None => {
                all.insert(file.path.rel.clone(), file);
            }
        }
    }
    all.into_values().collect()
}

fn report(queries: &[Query], files: &[FileHits]) -> Vec<QueryReport> {
    let mut out: Vec<QueryReport> = queries
        .iter()
        .map(|q| QueryReport {
            query: q.text.clone(),
            kind: q.kind,
            files: 0,
            lines: 0,
            more: false,
            note: q.note.clone(),
        })
        .collect();
    for hits in files.iter().flat_map(|f| &f.hits) {
        if let Some(report) = out.get_mut(hits.query) {
            report.files += 1;
            report.lines += hits.count;
            report.more |= hits.more;
        }
    }
    for report in out.iter_mut().filter(|r| r.lines == 0 && r.note.is_some()) {
        report.note = None;
    }
    out
}
