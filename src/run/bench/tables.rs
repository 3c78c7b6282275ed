//! A replay as tables for people.

use super::ledger::LEDGERS;
use super::replay::Replay;
use super::sum::{DENOMINATORS, percent};
use super::walk::SHARES;
use std::collections::BTreeMap;

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
            if sum.repo == "all" {
                out.push_str(&format!("{}\n", sum.bounded()));
            }
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
        for (why, count) in &all.refusals {
            out.push_str(&format!("  {count} of them: {why}\n"));
        }
        out.push_str(&format!(
            "did the agent not ask again for lines in view ({} tokens), search, read and edit steps would save {:.1}%\n",
            all.repeated,
            100.0 * all.unrepeated
        ));
        out.push_str(&format!(
            "an oracle would save {:.1}% of all reads\n",
            100.0 * all.ceiling,
        ));
        if !all.arms.is_empty() {
            out.push_str(&format!(
                "\n{:<24}{:>8}{:>12}{:>9}{:>8}  all needed lines shown at {}% of a file's tokens\n",
                "whole reads, shortened",
                "misses",
                format!("of {}", all.shortened),
                "saved",
                "needed",
                SHARES.map(|s| s.to_string()).join("/"),
            ));
        }
        for arm in &all.arms {
            let complete: Vec<String> = arm
                .complete
                .iter()
                .map(|c| format!("{:.0}", 100.0 * c))
                .collect();
            out.push_str(&format!(
                "{:<24}{:>8}{:>12}{:>8.1}%{:>7.0}%  {}\n",
                arm.name,
                arm.misses,
                arm.total,
                100.0 * arm.saved,
                100.0 * arm.kept,
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
