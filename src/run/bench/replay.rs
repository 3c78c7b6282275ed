//! Sessions replayed against their repositories, and what comes of them all.

use super::controls::CONTROLS;
use super::ledger::{Amount, Kind, LEDGERS, Prices};
use super::policy::Policy;
use super::recorded::{Format, Session};
use super::stats::{Interval, interval, saving};
use super::tree::{Repos, Tree};
use super::walk::{Control, Edits, SHARES, State, Step, Survival, Walked, walk};
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

/// The parts of a session whose tokens are compared.
pub const DENOMINATORS: [&str; 3] = [
    "tool outputs",
    "search, read and edit steps",
    "the whole session",
];

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
    rest: Rest,
}

/// What is only used in sums.
#[derive(Debug, Clone, Default, PartialEq)]
struct Rest {
    controls: [Control; 6],
    shortened: (usize, usize),
    ceiling: (usize, usize),
    repeated: usize,
    survival: [[Survival; 6]; SHARES.len()],
}

/// A way of showing parts of files.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Arm {
    /// Its name.
    pub name: &'static str,
    /// Blocks of lines that had to be read again.
    pub misses: usize,
    /// Their tokens.
    pub again: usize,
    /// Tokens of what was shown and of what was read again.
    pub total: usize,
    /// Share of the recorded tokens that it saves.
    pub saved: f64,
    /// By share of a file's tokens: reads whose needed lines were all shown.
    pub complete: Vec<f64>,
    /// By share of a file's tokens: needed lines that were shown.
    pub recall: Vec<f64>,
}

/// Steps of one kind, summed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct KindSum {
    /// Which.
    pub kind: Kind,
    /// How many recorded steps.
    pub steps: usize,
    /// Those that trimtab took.
    pub replayed: usize,
    /// Tokens as recorded.
    pub recorded: usize,
    /// Through trimtab, penalties included.
    pub ours: usize,
    /// Of which penalties.
    pub penalties: usize,
}

/// Sessions over one or many repositories, summed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Sum {
    /// The repository, or `all`.
    pub repo: String,
    /// How many sessions.
    pub sessions: usize,
    /// Search, read and edit steps.
    pub steps: usize,
    /// Net saving by denominator, then by ledger of [`LEDGERS`].
    pub saved: [[Interval; 3]; 3],
    /// Tokens saved on each search, read or edit step.
    pub per_step: Interval,
    /// What became of the edits.
    pub edits: Edits,
    /// By kind of step.
    pub kinds: Vec<KindSum>,
    /// On the reads that trimtab shortened: trimtab, then the controls.
    pub arms: Vec<Arm>,
    /// Tokens of those reads as recorded.
    pub shortened: usize,
    /// Share of the tokens of reads that an oracle would save which shows what is
    /// going to be edited or quoted, with 15 lines around.
    pub ceiling: f64,
    /// Tokens of lines that trimtab showed again, unchanged, because a read named them.
    pub repeated: usize,
    /// Steps whose recorded answer was not what the tree holds.
    pub diverged: usize,
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

/// A figure by budget; none where no read was large enough to be tried.
fn curve(survival: &[Survival], figure: impl Fn(&Survival) -> f64) -> Vec<f64> {
    let tried = survival.iter().filter(|s| s.reads > 0);
    tried.map(figure).collect()
}

fn is_core(kind: Kind) -> bool {
    matches!(kind, Kind::Search | Kind::Read | Kind::Edit)
}

fn counts(denominator: usize, kind: Kind, written: bool) -> bool {
    let schemas = kind == Kind::Schemas;
    match denominator {
        0 => !written && !matches!(kind, Kind::Prompt | Kind::Text | Kind::Schemas),
        // The tools' schemas are there for these steps.
        1 => is_core(kind) || schemas,
        _ => true,
    }
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

fn sum(repo: &str, sessions: &[&Replayed], seed: u64) -> Sum {
    let pairs = |d: usize, l: usize| -> Vec<(f64, f64)> {
        let pair = |s: &&Replayed| (s.recorded[d].all()[l], s.ours[d].all()[l]);
        sessions.iter().map(pair).collect()
    };
    let steps = || sessions.iter().flat_map(|s| &s.steps);
    let core = |s: &&Step| is_core(s.kind) && s.state != State::Penalty;
    let each: Vec<(f64, f64)> = sessions
        .iter()
        .map(|s| {
            let saved = s.recorded[1].once - s.ours[1].once;
            (saved, s.steps.iter().filter(core).count() as f64)
        })
        .collect();
    let mut edits = Edits::default();
    let (mut shortened, mut ceiling) = ((0, 0), (0, 0));
    for s in sessions {
        edits.count += s.edits.count;
        edits.exact += s.edits.exact;
        edits.refused += s.edits.refused;
        edits.wrong += s.edits.wrong;
        edits.unseen += s.edits.unseen;
        edits.missing += s.edits.missing;
        shortened.0 += s.rest.shortened.0;
        shortened.1 += s.rest.shortened.1;
        ceiling.0 += s.rest.ceiling.0;
        ceiling.1 += s.rest.ceiling.1;
    }
    let share = |part: usize, whole: usize| part as f64 / whole.max(1) as f64;
    let arm = |(at, name): (usize, &'static str)| {
        let (mut misses, mut again) = (0, 0);
        let mut survival = [Survival::default(); SHARES.len()];
        for s in sessions {
            misses += s.rest.controls[at].misses;
            again += s.rest.controls[at].again;
            for (sum, one) in survival.iter_mut().zip(&s.rest.survival) {
                sum.reads += one[at].reads;
                sum.complete += one[at].complete;
                sum.needed += one[at].needed;
                sum.shown += one[at].shown;
            }
        }
        let total = shortened.0 + again;
        Arm {
            name,
            misses,
            again,
            total,
            saved: 1.0 - share(total, shortened.1),
            complete: curve(&survival, |s| share(s.complete, s.reads)),
            recall: curve(&survival, |s| share(s.shown, s.needed)),
        }
    };
    let names = std::iter::once("trimtab").chain(CONTROLS.iter().map(|(_, name)| *name));
    let kinds = Kind::STEPS.map(|kind| {
        let of = || steps().filter(move |s| s.kind == kind);
        let made = || of().filter(|s| s.state != State::Penalty);
        KindSum {
            kind,
            steps: made().count(),
            replayed: made().filter(|s| s.state == State::Replayed).count(),
            recorded: of().map(|s| s.recorded).sum(),
            ours: of().map(|s| s.ours).sum(),
            penalties: of()
                .filter(|s| s.state == State::Penalty)
                .map(|s| s.ours)
                .sum(),
        }
    });
    Sum {
        repo: repo.to_string(),
        sessions: sessions.len(),
        steps: steps().filter(|s| core(s)).count(),
        saved: [0, 1, 2].map(|d| [0, 1, 2].map(|l| saving(&pairs(d, l), seed))),
        per_step: interval(&each, seed, |(saved, steps)| saved / steps.max(1.0)),
        edits,
        kinds: kinds.to_vec(),
        arms: names.enumerate().map(arm).collect(),
        shortened: shortened.1,
        ceiling: 1.0 - share(ceiling.1, ceiling.0),
        repeated: sessions.iter().map(|s| s.rest.repeated).sum(),
        diverged: steps().filter(|s| s.state == State::Diverged).count(),
    }
}

impl Sum {
    /// The figure that matters, with what it is a share of.
    pub fn headline(&self) -> String {
        let saved = self.saved[1][0];
        format!(
            "trimtab saves {} of the tokens of search, read and edit steps ({} a step over {} steps of {} sessions), \
             net of {} and of the tools' schemas.",
            percent(&saved),
            tokens(&self.per_step),
            self.steps,
            self.sessions,
            "every re-read, repeated search and refused edit",
        )
    }
}

/// A share with its interval, in percent.
pub(super) fn percent(i: &Interval) -> String {
    format!(
        "{:.1}% [{:.1}, {:.1}]",
        100.0 * i.value,
        100.0 * i.low,
        100.0 * i.high
    )
}

fn tokens(i: &Interval) -> String {
    format!("{:.0} tokens [{:.0}, {:.0}]", i.value, i.low, i.high)
}

impl Replay {
    /// Tables for people.
    pub fn render(&self) -> String {
        let mut out = String::new();
        for sum in &self.sums {
            let of = if sum.repo == "all" {
                String::new()
            } else {
                format!("{}: ", sum.repo)
            };
            out.push_str(&format!("{of}{}\n", sum.headline()));
        }
        let Some(all) = self.sums.first() else {
            return out;
        };
        out.push_str(&format!("\n{:<30}", "net saving, 95% interval"));
        LEDGERS
            .iter()
            .for_each(|l| out.push_str(&format!("{l:<28}")));
        for (name, row) in DENOMINATORS.iter().zip(&all.saved) {
            out.push_str(&format!("\n{name:<30}"));
            row.iter()
                .for_each(|i| out.push_str(&format!("{:<28}", percent(i))));
        }
        out.push_str(&format!(
            "\n\n{:<10}{:>8}{:>10}{:>12}{:>12}{:>12}{:>9}\n",
            "steps", "number", "replayed", "recorded", "trimtab", "penalties", "saved"
        ));
        for k in &all.kinds {
            out.push_str(&format!(
                "{:<10}{:>8}{:>10}{:>12}{:>12}{:>12}{:>8.1}%\n",
                k.kind.name(),
                k.steps,
                k.replayed,
                k.recorded,
                k.ours,
                k.penalties,
                100.0 * (1.0 - k.ours as f64 / k.recorded.max(1) as f64),
            ));
        }
        let e = &all.edits;
        out.push_str(&format!(
            "\nedits: {} of {} with the recorded bytes, {} refused, {} wrong; {} with a line that trimtab had not shown \
             ({} that the session had not shown either)\n",
            e.exact, e.count, e.refused, e.wrong, e.missing, e.unseen
        ));
        out.push_str(&format!(
            "reads that trimtab shortened: {} tokens as recorded; the oracle would save {:.1}% of all reads; {} tokens were of lines shown before\n{:<24}{:>8}{:>12}{:>9}  all needed lines shown at {}% of a file's tokens\n",
            all.shortened,
            100.0 * all.ceiling,
            all.repeated,
            "at the same budget",
            "misses",
            "total",
            "saved",
            SHARES.map(|s| s.to_string()).join("/"),
        ));
        for arm in &all.arms {
            let complete: Vec<String> = arm
                .complete
                .iter()
                .map(|c| format!("{:.0}", 100.0 * c))
                .collect();
            out.push_str(&format!(
                "{:<24}{:>8}{:>12}{:>8.1}%  {}\n",
                arm.name,
                arm.misses,
                arm.total,
                100.0 * arm.saved,
                complete.join("/"),
            ));
        }
        out.push_str(&format!(
            "\n{} sessions replayed, {} not; {} steps diverged from the tree and are charged as recorded\n",
            self.sessions.len(),
            self.skipped.len(),
            all.diverged
        ));
        let mut why: BTreeMap<&str, usize> = BTreeMap::new();
        for (_, reason) in &self.skipped {
            *why.entry(reason).or_default() += 1;
        }
        for (reason, count) in why {
            out.push_str(&format!("  {count} not replayed: {reason}\n"));
        }
        out
    }
}
