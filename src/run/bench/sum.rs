//! What comes of many sessions, with intervals over them.

use super::controls::CONTROLS;
use super::ledger::Kind;
use super::replayed::Replayed;
use super::stats::{Interval, interval, saving};
use super::walk::{Ceiling, Edits, SHARES, State, Step, Survival};
use serde::Serialize;
use std::collections::BTreeMap;

/// The parts of a session whose tokens are compared.
pub const DENOMINATORS: [&str; 3] = [
    "tool outputs",
    "search, read and edit steps",
    "the whole session",
];

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
    /// Share of the lines needed later that it showed.
    pub kept: f64,
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
    /// Net saving by denominator, then by ledger of [`LEDGERS`](super::LEDGERS).
    pub saved: [[Interval; 3]; 3],
    /// Tokens saved on each search, read or edit step.
    pub per_step: Interval,
    /// What became of the edits.
    pub edits: Edits,
    /// Edits that came to other bytes or to none, by why.
    pub refusals: BTreeMap<String, usize>,
    /// By kind of step.
    pub kinds: Vec<KindSum>,
    /// On the reads that trimtab shortened: trimtab, then the controls; none where
    /// it shortened none.
    pub arms: Vec<Arm>,
    /// Tokens of those reads as recorded.
    pub shortened: usize,
    /// Share of the tokens of reads that an oracle would save which shows what is
    /// going to be edited or quoted, with 15 lines around.
    pub ceiling: f64,
    /// What search, read and edit steps would save if every read that trimtab answers
    /// cost no more than that oracle's, with all else as it is: the bound of any way
    /// to choose what reads show.
    pub bound: f64,
    /// Tokens of lines that trimtab showed again, unchanged, because a read named them.
    pub repeated: usize,
    /// What search, read and edit steps would save if the agent did not ask again for
    /// lines that it has in view: an assumption about the agent.
    pub unrepeated: f64,
    /// Steps whose recorded answer was not what the tree holds.
    pub diverged: usize,
}

/// A figure by budget; none where no read was large enough to be tried.
fn curve(survival: &[Survival], figure: impl Fn(&Survival) -> f64) -> Vec<f64> {
    let tried = survival.iter().filter(|s| s.reads > 0);
    tried.map(figure).collect()
}

fn is_core(kind: Kind) -> bool {
    matches!(kind, Kind::Search | Kind::Read | Kind::Edit)
}

pub(super) fn counts(denominator: usize, kind: Kind, written: bool) -> bool {
    let schemas = kind == Kind::Schemas;
    match denominator {
        0 => !written && !matches!(kind, Kind::Prompt | Kind::Text | Kind::Schemas),
        // The tools' schemas are there for these steps.
        1 => is_core(kind) || schemas,
        _ => true,
    }
}

pub(super) fn sum(repo: &str, sessions: &[&Replayed], seed: u64) -> Sum {
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
    let (mut shortened, mut ceiling) = ((0, 0), Ceiling::default());
    for s in sessions {
        edits.count += s.edits.count;
        edits.exact += s.edits.exact;
        edits.refused += s.edits.refused;
        edits.wrong += s.edits.wrong;
        edits.unseen += s.edits.unseen;
        edits.missing += s.edits.missing;
        shortened.0 += s.rest.shortened.0;
        shortened.1 += s.rest.shortened.1;
        ceiling.recorded += s.rest.ceiling.recorded;
        ceiling.ours += s.rest.ceiling.ours;
        ceiling.oracle += s.rest.ceiling.oracle;
    }
    let share = |part: usize, whole: usize| part as f64 / whole.max(1) as f64;
    let arm = |(at, name): (usize, &'static str)| {
        let (mut misses, mut again) = (0, 0);
        let (mut needed, mut shown) = (0, 0);
        let mut survival = [Survival::default(); SHARES.len()];
        for s in sessions {
            misses += s.rest.controls[at].misses;
            again += s.rest.controls[at].again;
            needed += s.rest.controls[at].needed;
            shown += s.rest.controls[at].shown;
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
            kept: share(shown, needed),
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
    let repeated: usize = sessions.iter().map(|s| s.rest.repeated).sum();
    let (recorded, ours) = pairs(1, 0)
        .into_iter()
        .fold((0.0, 0.0), |s, p| (s.0 + p.0, s.1 + p.1));
    let again: usize = steps()
        .filter(|s| s.kind == Kind::Read && s.state == State::Penalty)
        .map(|s| s.ours)
        .sum();
    let reads = (ceiling.ours + again) as f64;
    let mut refusals: BTreeMap<String, usize> = BTreeMap::new();
    for step in steps().filter(|s| s.kind == Kind::Edit && s.state == State::Wasted) {
        let code = step.why.split(':').next().unwrap_or_default();
        *refusals.entry(code.to_string()).or_default() += 1;
    }
    Sum {
        repo: repo.to_string(),
        sessions: sessions.len(),
        steps: steps().filter(|s| core(s)).count(),
        refusals,
        unrepeated: 1.0 - (ours - repeated as f64) / f64::max(recorded, 1.0),
        saved: [0, 1, 2].map(|d| [0, 1, 2].map(|l| saving(&pairs(d, l), seed))),
        per_step: interval(&each, seed, |(saved, steps)| saved / steps.max(1.0)),
        edits,
        kinds: kinds.to_vec(),
        arms: match shortened.1 {
            0 => Vec::new(),
            _ => names.enumerate().map(arm).collect(),
        },
        shortened: shortened.1,
        ceiling: 1.0 - share(ceiling.oracle, ceiling.recorded),
        bound: 1.0 - (ours - reads + ceiling.oracle as f64) / f64::max(recorded, 1.0),
        repeated,
        diverged: steps().filter(|s| s.state == State::Diverged).count(),
    }
}

impl Sum {
    /// What bounds the headline.
    pub fn bounded(&self) -> String {
        format!(
            "No choice of what reads show could save more than {:.1}%: so much would be saved if each read showed \
             the lines that were edited or quoted later, with 15 lines around, and nothing else (an oracle with hindsight), \
             all other steps as they are.",
            100.0 * self.bound
        )
    }

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
