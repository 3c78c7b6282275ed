//! Sessions replayed against their repositories.

use super::ledger::Prices;
use super::policy::Policy;
use super::recorded::Session;
use super::replayed::{Replayed, Rest};
use super::sum::{Sum, counts, sum};
use super::tree::{Repos, Tree, times};
use super::walk::{Walked, walk};
use crate::error::{Error, Result};
use crate::search::Engine;
use crate::workspace::Cancel;
use serde::Serialize;
use std::collections::{BTreeMap, HashMap};
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// How to replay.
#[derive(Debug, Clone)]
pub struct ReplayOptions {
    /// The folder of git repositories.
    pub repos: PathBuf,
    /// Where trees are laid out.
    pub place: PathBuf,
    /// The budgets asked for.
    pub policy: Policy,
    /// The prices' name and table.
    pub prices: (String, Prices),
    /// For resampling.
    pub seed: u64,
}

/// A replay of many sessions.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Replay {
    /// The rules' budgets.
    pub policy: Policy,
    /// The prices' name.
    pub prices: String,
    /// The resampling's seed.
    pub seed: u64,
    /// All sessions, then each repository.
    pub sums: Vec<Sum>,
    /// Every session.
    pub sessions: Vec<Replayed>,
    /// Sessions that were not replayed, and why.
    pub skipped: Vec<(String, String)>,
}

/// The stack of a thread that replays, as large as a main thread's, because trees of
/// deeply nested code are walked on it.
const STACK_BYTES: usize = 8 << 20;

/// Sessions that start from the same commit.
struct Group<'a> {
    repo: &'a str,
    /// The repository; none where it is not at hand.
    dir: Option<&'a Path>,
    /// When the commit was made: neighbours in time differ least.
    time: u64,
    commit: &'a str,
    sessions: Vec<&'a Session>,
}

type Outcome = std::result::Result<Replayed, (String, Error)>;

/// Replays sessions. Those that start from the same commit share its tree, which is
/// then turned to the repository's next commit.
///
/// # Errors
/// `nothing_replayed` where no session's repository and commit are at hand, and
/// what `cancel` says.
pub fn replay(
    sessions: &[Session],
    options: &ReplayOptions,
    cancel: &Cancel,
    progress: &(impl Fn(usize) + Sync),
) -> Result<Replay> {
    let repos = Repos::open(&options.repos);
    let mut by_commit: BTreeMap<(&str, &str), Vec<&Session>> = BTreeMap::new();
    let mut skipped: Vec<(String, String)> = Vec::new();
    for session in sessions {
        match (&session.repo, &session.commit) {
            (Some(repo), Some(commit)) => {
                by_commit.entry((repo, commit)).or_default().push(session);
            }
            (None, _) => skipped.push((session.id.clone(), "it names no repository".into())),
            (_, None) => skipped.push((session.id.clone(), "it names no commit".into())),
        }
    }
    let groups = groups(by_commit, &repos);
    let done = AtomicUsize::new(skipped.len());
    let each = || progress(done.fetch_add(1, Ordering::Relaxed) + 1);
    let next = AtomicUsize::new(0);
    let work = || -> Vec<(usize, Vec<Outcome>)> {
        let mut tree = None;
        let mut out = Vec::new();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(group) = groups.get(at) else {
                return out;
            };
            out.push((at, together(group, &mut tree, options, cancel, &each)));
        }
    };
    let mut parts: Vec<(usize, Vec<Outcome>)> = thread::scope(|scope| {
        let count = thread::available_parallelism().map_or(1, NonZero::get);
        let threads: Vec<_> = (0..count.min(groups.len()))
            .filter_map(|_| {
                let thread = thread::Builder::new().stack_size(STACK_BYTES);
                thread.spawn_scoped(scope, work).ok()
            })
            .collect();
        let mut parts = Vec::new();
        for thread in threads {
            match thread.join() {
                Ok(part) => parts.extend(part),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        // What is left where no thread could be started.
        parts.extend(work());
        parts
    });
    parts.sort_by_key(|(at, _)| *at);
    cancel.check()?;
    let mut replayed = Vec::new();
    for one in parts.into_iter().flat_map(|(_, part)| part) {
        match one {
            Ok(one) => replayed.push(one),
            Err((id, e)) => skipped.push((id, e.message.trim_end_matches('.').to_string())),
        }
    }
    skipped.sort();
    // As they were given, whichever order they were replayed in.
    let place: HashMap<&str, usize> = sessions
        .iter()
        .enumerate()
        .map(|(n, s)| (s.id.as_str(), n))
        .collect();
    replayed.sort_by(|a, b| {
        let key = |r: &Replayed| {
            (
                r.repo.clone(),
                r.commit.clone(),
                place.get(r.id.as_str()).copied(),
            )
        };
        key(a).cmp(&key(b))
    });
    if replayed.is_empty() {
        return Err(Error::not_found(
            "nothing_replayed",
            format!(
                "None of {} sessions could be replayed ({}).",
                sessions.len(),
                skipped.first().map_or("", |(_, why)| why)
            ),
            "Put git repositories that hold the sessions' commits into the folder of --repos.",
        ));
    }
    let mut sums = vec![sum(
        "all",
        &replayed.iter().collect::<Vec<_>>(),
        options.seed,
    )];
    let mut by_repo: BTreeMap<&str, Vec<&Replayed>> = BTreeMap::new();
    for one in &replayed {
        by_repo.entry(&one.repo).or_default().push(one);
    }
    if by_repo.len() > 1 {
        sums.extend(
            by_repo
                .iter()
                .map(|(repo, all)| sum(repo, all, options.seed)),
        );
    }
    Ok(Replay {
        policy: options.policy,
        prices: options.prices.0.clone(),
        seed: options.seed,
        sums,
        sessions: replayed,
        skipped,
    })
}

/// The groups by repository, in the order in which their commits were made.
fn groups<'a>(
    by_commit: BTreeMap<(&'a str, &'a str), Vec<&'a Session>>,
    repos: &'a Repos,
) -> Vec<Group<'a>> {
    let mut commits: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (repo, commit) in by_commit.keys() {
        commits.entry(repo).or_default().push(commit);
    }
    let times: BTreeMap<&str, HashMap<String, u64>> = commits
        .into_iter()
        .filter_map(|(repo, commits)| Some((repo, times(repos.find(repo)?, &commits))))
        .collect();
    let mut groups: Vec<Group<'_>> = by_commit
        .into_iter()
        .map(|((repo, commit), sessions)| Group {
            repo,
            dir: repos.find(repo),
            time: times
                .get(repo)
                .and_then(|t| t.get(commit))
                .copied()
                .unwrap_or(0),
            commit,
            sessions,
        })
        .collect();
    groups.sort_by_key(|g| (g.repo, g.time, g.commit));
    groups
}

/// Replays the sessions of a group in the tree of the group before, if it is of the
/// same repository, or else in one of its own.
fn together<'a>(
    group: &Group<'a>,
    kept: &mut Option<(&'a str, Tree)>,
    options: &ReplayOptions,
    cancel: &Cancel,
    progress: &impl Fn(),
) -> Vec<Outcome> {
    let tree = match (kept.take(), group.dir) {
        (_, None) => Err(Error::not_found(
            "no_repository",
            format!("the repository {} is not at hand", group.repo),
            "",
        )),
        (Some((repo, mut tree)), Some(dir)) if repo == group.repo => {
            tree.turn_to(dir, group.commit).map(|()| tree)
        }
        (_, Some(dir)) => Tree::checkout(dir, group.commit, &options.place),
    };
    let mut tree = match tree {
        Ok(tree) => tree,
        Err(e) => {
            let fail = |s: &&Session| {
                progress();
                Err((s.id.clone(), e.clone()))
            };
            return group.sessions.iter().map(fail).collect();
        }
    };
    let engine = Engine::new(tree.root());
    let each = |session: &&Session| {
        let out = tree
            .reset()
            .and_then(|()| walk(session, &mut tree, &engine, &options.policy, cancel))
            .map(|walked| replayed(session, walked, &options.prices.1))
            .map_err(|e| (session.id.clone(), e));
        progress();
        out
    };
    let out = group.sessions.iter().map(each).collect();
    *kept = Some((group.repo, tree));
    out
}

fn replayed(session: &Session, walked: Walked, prices: &Prices) -> Replayed {
    let amounts = |book: &super::ledger::Book| {
        [0, 1, 2].map(|d| book.sum(prices, |kind, written| counts(d, kind, written)))
    };
    Replayed {
        id: session.id.clone(),
        format: session.format,
        repo: session.repo.clone().unwrap_or_default(),
        commit: session.commit.clone().unwrap_or_default(),
        turns: session.turns.len(),
        recorded: amounts(&walked.recorded),
        ours: amounts(&walked.ours),
        edits: walked.edits,
        steps: walked.steps,
        rest: Rest {
            controls: walked.controls,
            shortened: walked.shortened,
            ceiling: walked.ceiling,
            repeated: walked.repeated,
            survival: walked.survival,
        },
    }
}
