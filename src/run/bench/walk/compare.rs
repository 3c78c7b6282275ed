//! The reads that trimtab shortened, shown in the controls' ways.

use super::super::controls::{self, CONTROLS, Subject};
use super::super::policy::Taken;
use super::super::recorded::Call;
use super::parity::AROUND;
use super::walked::SHARES;
use super::walker::Walker;
use crate::compact::{Options, Size, compact};
use crate::text::Lines;
use crate::tokens::count;

/// A whole read of at least so many tokens is tried at several budgets.
const LARGE: usize = 2_000;
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
