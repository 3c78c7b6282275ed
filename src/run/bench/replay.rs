//! Sessions replayed against their repositories.

use super::ledger::{Amount, Prices};
use super::policy::Policy;
use super::recorded::{Format, Session};
use super::sum::{Sum, counts, sum};
use super::tree::{Repos, Tree};
use super::walk::{Control, Edits, SHARES, Step, Survival, Walked, walk};
use crate::error::{Error, Result};
use crate::search::Engine;
use crate::workspace::Cancel;
use rayon::prelude::*;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

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

/// What one session comes to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Replayed {
    /// The session's name.
    pub id: String,
    /// What wrote it down.
    pub format: Format,
    /// `owner/name`.
    pub repo: String,
    /// The commit it starts from.
    pub commit: String,
    /// Answers of the model.
    pub turns: usize,
    /// As recorded, by denominator.
    pub recorded: [Amount; 3],
    /// Through trimtab, by denominator.
    pub ours: [Amount; 3],
    /// What became of its edits.
    pub edits: Edits,
    /// Every step.
    pub steps: Vec<Step>,
    #[serde(skip)]
    pub(super) rest: Rest,
}

/// What is only used in sums.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Rest {
    pub controls: [Control; 6],
    pub shortened: (usize, usize),
    pub ceiling: (usize, usize),
    pub repeated: usize,
    pub survival: [[Survival; 6]; SHARES.len()],
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

/// Replays sessions. Those that start from the same commit share its tree.
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
    let mut groups: BTreeMap<(&str, &str), Vec<&Session>> = BTreeMap::new();
    let mut skipped: Vec<(String, String)> = Vec::new();
    for session in sessions {
        match (&session.repo, &session.commit) {
            (Some(repo), Some(commit)) => {
                groups.entry((repo, commit)).or_default().push(session);
            }
            (None, _) => skipped.push((session.id.clone(), "it names no repository".into())),
            (_, None) => skipped.push((session.id.clone(), "it names no commit".into())),
        }
    }
    let done = AtomicUsize::new(skipped.len());
    let groups: Vec<_> = groups.into_iter().collect();
    let parts: Vec<Vec<std::result::Result<Replayed, (String, Error)>>> = groups
        .par_iter()
        .map(|((repo, commit), sessions)| {
            let fail = |e: Error| -> Vec<_> {
                sessions
                    .iter()
                    .map(|s| Err((s.id.clone(), e.clone())))
                    .collect()
            };
            let tree = match repos.find(repo) {
                Some(dir) => Tree::checkout(dir, commit, &options.place),
                None => Err(Error::not_found(
                    "no_repository",
                    format!("the repository {repo} is not at hand"),
                    "",
                )),
            };
            let mut tree = match tree {
                Ok(tree) => tree,
                Err(e) => {
                    progress(done.fetch_add(sessions.len(), Ordering::Relaxed) + sessions.len());
                    return fail(e);
                }
            };
            let engine = Engine::new(tree.root());
            let each = |session: &&Session| {
                let out = tree
                    .reset()
                    .and_then(|()| walk(session, &mut tree, &engine, &options.policy, cancel))
                    .map(|walked| replayed(session, walked, &options.prices.1))
                    .map_err(|e| (session.id.clone(), e));
                progress(done.fetch_add(1, Ordering::Relaxed) + 1);
                out
            };
            sessions.iter().map(each).collect()
        })
        .collect();
    cancel.check()?;
    let mut replayed = Vec::new();
    for part in parts.into_iter().flatten() {
        match part {
            Ok(one) => replayed.push(one),
            Err((id, e)) => skipped.push((id, e.message.trim_end_matches('.').to_string())),
        }
    }
    skipped.sort();
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
