//! The reads that trimtab shortened, shown in the controls' ways.

use super::super::controls::{self, CONTROLS, Subject};
use super::super::policy::Taken;
use super::super::recorded::Call;
use super::Walker;
use super::parity::AROUND;
use crate::compact::{Options, Size, compact};
use crate::text::Lines;
use crate::tokens::count;
use serde::Serialize;

/// A whole read of at least so many tokens is tried at several budgets.
const LARGE: usize = 2_000;
/// Shares of a file's tokens that are tried, in percent.
pub const SHARES: [usize; 6] = [5, 10, 20, 30, 50, 70];

/// A control on the reads that trimtab shortened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Control {
    /// Blocks of lines that were needed and not shown.
    pub misses: usize,
    /// Tokens of reading them again.
    pub again: usize,
    /// Lines of those files that were needed later.
    pub needed: usize,
    /// Those that were shown at once.
    pub shown: usize,
}

/// Needed lines of large files that were shown at a share of their tokens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Survival {
    /// Reads with a line that was needed later.
    pub reads: usize,
    /// Those that showed all such lines.
    pub complete: usize,
    /// Needed lines.
    pub needed: usize,
    /// Those shown.
    pub shown: usize,
}

/// Tokens of the answers to all reads that trimtab took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in super::super) struct Ceiling {
    /// As recorded.
    pub recorded: usize,
    /// Through trimtab.
    pub ours: usize,
    /// Of an oracle: the lines that are edited or quoted later, with some around.
    pub oracle: usize,
}

impl Walker<'_> {
    /// Shows the same file in the controls' ways, at the price of trimtab's.
    pub(super) fn compare(
        &mut self,
        path: &str,
        text: &str,
        turn: usize,
        call: &Call,
        taken: &Taken,
        query: &[String],
    ) {
        let lines = Lines::new(text);
        let subject = Subject {
            path,
            text,
            query,
            turn,
        };
        let budget = count(&taken.output);
        self.out.shortened.0 += budget;
        self.out.shortened.1 += count(&call.output);
        let needed = controls::needed(&lines, turn, &self.needs, 0);
        let hits = |shown: &[usize]| {
            let is_shown = |n: &&usize| shown.binary_search(n).is_ok();
            needed.iter().filter(is_shown).count()
        };
        let mut ours: Vec<usize> = taken.shows.iter().flat_map(|(_, l)| l.clone()).collect();
        ours.sort_unstable();
        let mut all = vec![hits(&ours)];
        for (way, _) in CONTROLS {
            let shown = controls::lines(way, &subject, budget, &self.needs);
            all.push(hits(&shown));
            self.view.show(path, &lines, shown, way);
        }
        for (control, shown) in self.out.controls.iter_mut().zip(all) {
            control.needed += needed.len();
            control.shown += shown;
        }
        let whole = count(text);
        if needed.is_empty() || whole < LARGE {
            return;
        }
        for (at, share) in SHARES.iter().enumerate() {
            let budget = whole * share / 100;
            let options = Options {
                file: Some(path.to_string()),
                query: query.join(" "),
                size: Size::Budget(budget),
                ..Options::default()
            };
            let ours: Vec<usize> = compact(text, &options)
                .map(|short| {
                    (1..=lines.len())
                        .filter(|n| !short.omitted.iter().any(|s| s.contains(*n)))
                        .collect()
                })
                .unwrap_or_default();
            let mut ways = vec![ours];
            ways.extend(
                CONTROLS.map(|(way, _)| controls::lines(way, &subject, budget, &self.needs)),
            );
            for (way, shown) in ways.iter().enumerate() {
                let hits = hits(shown);
                let survival = &mut self.out.survival[at][way];
                survival.reads += 1;
                survival.needed += needed.len();
                survival.shown += hits;
                survival.complete += usize::from(hits == needed.len());
            }
        }
    }

    /// What a read would cost that knew the future.
    pub(super) fn ceiling(
        &mut self,
        call: &Call,
        lines: &Lines<'_>,
        shown: &[usize],
        turn: usize,
        taken: Option<&Taken>,
    ) {
        let Some(taken) = taken else { return };
        let mut needed = controls::needed(lines, turn, &self.needs, AROUND);
        needed.retain(|n| shown.contains(n));
        needed.sort_unstable();
        let text: String = needed.iter().map(|n| lines.full(*n)).collect();
        self.out.ceiling.recorded += count(&call.output);
        self.out.ceiling.ours += count(&taken.output);
        self.out.ceiling.oracle += count(&text);
    }
}
