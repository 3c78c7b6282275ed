//! Other ways to show part of a file at the same price, to compare with.

use super::stats::Numbers;
use super::view::{Mask, key};
use crate::syntax::{self, Language};
use crate::text::{Lines, Span};
use crate::tokens::count_lines;
use std::collections::HashMap;
use std::path::Path;

/// The controls with their bits and names.
pub(super) const CONTROLS: [(Mask, &str); 5] = [
    (4, "head"),
    (8, "random windows"),
    (16, "ripgrep with context"),
    (32, "outline"),
    (64, "oracle with hindsight"),
];

/// Lines of context around a match, and of a random window's half.
const CONTEXT: usize = 5;

/// Tokens of a marker where lines are left out, such as `⋯120`.
const MARKER: usize = 4;
/// Tokens of the line that says how much was left out and how to get it.
const HANDLE: usize = 14;

/// What the agent is going to need, known to the oracle alone: for each line (by
/// its [`key`]) the last turn that uses it.
pub(super) type Needs = HashMap<u64, usize>;

/// A text about to be shown in part.
pub(super) struct Subject<'a> {
    pub path: &'a str,
    pub text: &'a str,
    pub query: &'a [String],
    pub turn: usize,
}

/// The lines that a control shows within `budget` tokens. What it leaves out is
/// marked as trimtab marks it, and paid for.
pub(super) fn lines(way: Mask, of: &Subject<'_>, budget: usize, needs: &Needs) -> Vec<usize> {
    let lines = Lines::new(of.text);
    let costs = count_lines(of.text);
    let order: Vec<usize> = match way {
        4 => (1..=lines.len()).collect(),
        8 => random(lines.len(), of.path, of.turn),
        16 => around(&lines, |line| {
            of.query.iter().any(|word| line.contains(word.as_str()))
        }),
        32 => outline(of.path, of.text),
        _ => needed(&lines, of.turn, needs, 1),
    };
    let mut used = HANDLE + MARKER;
    let mut seen = vec![false; lines.len() + 2];
    for n in order {
        if seen[n] {
            continue;
        }
        let cost = costs.get(n - 1).map_or(0, |c| *c as usize);
        // A line between two gaps makes one more, one that joins two makes one less.
        let beside = [n > 1 && !seen[n - 1], n < lines.len() && !seen[n + 1]];
        let gaps = beside.iter().filter(|gap| **gap).count();
        let then = (used + cost + gaps * MARKER).saturating_sub(MARKER);
        if then > budget {
            break;
        }
        used = then;
        seen[n] = true;
    }
    (1..=lines.len()).filter(|n| seen[*n]).collect()
}

/// The lines that will be needed, with `context` lines around each.
pub(super) fn needed(lines: &Lines<'_>, turn: usize, needs: &Needs, context: usize) -> Vec<usize> {
    let is = |n: &usize| {
        key(lines.get(*n)).is_some_and(|k| needs.get(&k).is_some_and(|last| *last > turn))
    };
    let hits: Vec<usize> = (1..=lines.len()).filter(is).collect();
    let mut out = hits.clone();
    for hit in hits {
        out.extend(hit.saturating_sub(context).max(1)..=(hit + context).min(lines.len()));
    }
    let mut seen = vec![false; lines.len() + 1];
    out.retain(|n| !std::mem::replace(&mut seen[*n], true));
    out
}

fn around(lines: &Lines<'_>, hit: impl Fn(&str) -> bool) -> Vec<usize> {
    (1..=lines.len())
        .filter(|n| hit(lines.get(*n)))
        .flat_map(|n| n.saturating_sub(CONTEXT).max(1)..=(n + CONTEXT).min(lines.len()))
        .collect()
}

fn random(count: usize, path: &str, turn: usize) -> Vec<usize> {
    let seed = key(path).unwrap_or(0) ^ turn as u64;
    let mut numbers = Numbers::new(seed);
    let windows = count.div_ceil(CONTEXT) * 4;
    (0..windows)
        .map(|_| numbers.below(count) + 1)
        .flat_map(|n| n.saturating_sub(CONTEXT).max(1)..=(n + CONTEXT).min(count))
        .collect()
}

fn outline(path: &str, text: &str) -> Vec<usize> {
    let Some(parsed) = Language::detect(Path::new(path), text).and_then(|l| syntax::parse(l, text))
    else {
        return Vec::new();
    };
    let mut heads: Vec<usize> = parsed
        .definitions(text)
        .iter()
        .map(|d| Span::new(d.lines.start, d.lines.end).start)
        .collect();
    heads.sort_unstable();
    heads.dedup();
    heads
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn controls_keep_their_budget_and_the_oracle_knows() {
        let text: String = (1..=200)
            .map(|n| format!("def function_{n}(a):\n    return a + {n}\n"))
            .collect();
        let query = vec!["function_77".to_string()];
        let of = Subject {
            path: "a.py",
            text: &text,
            query: &query,
            turn: 3,
        };
        let lines_of = Lines::new(&text);
        let key_of = |n: usize| key(lines_of.get(n)).unwrap();
        let needs: Needs = [(key_of(300), 9), (key_of(40), 2)].into();
        let costs = count_lines(&text);
        for (way, name) in CONTROLS {
            let shown = lines(way, &of, 160, &needs);
            assert!(!shown.is_empty(), "{name}");
            let cost: u32 = shown.iter().map(|n| costs[n - 1]).sum();
            let gaps = shown.windows(2).filter(|w| w[1] > w[0] + 1).count();
            assert!(cost as usize + gaps * MARKER + HANDLE <= 160, "{name}");
            assert_eq!(shown, lines(way, &of, 160, &needs), "{name}");
        }
        assert_eq!(lines(64, &of, 120, &needs), [299, 300, 301]);
        assert!(lines(16, &of, 120, &needs).contains(&153));
        assert!(lines(4, &of, 120, &needs).starts_with(&[1, 2, 3]));
        assert!(lines(32, &of, 120, &needs).iter().all(|n| n % 2 == 1));
    }
}
