//! From scored lines to an output that fits.
//!
//! A greedy knapsack: lines in the order of their score for their length, each
//! with the lines it depends on, as long as the budget holds. Every gap between
//! kept lines costs a marker, which is paid for along the way. Sums of counts
//! per line are close to the count of the whole but not equal to it, so the
//! rendered output is counted at the end, and lines are taken back or added
//! until it fits.

use super::view::View;
use crate::error::{Error, Result};
use crate::text::Span;
use crate::tokens;

/// No line to depend on.
pub const NONE: u32 = u32::MAX;

/// What a kind makes of a text: a score for every line of the view.
#[derive(Debug, Clone, Default)]
pub struct Draft {
    /// The worth of each line; 0 for lines that only fill gaps.
    pub score: Vec<f32>,
    /// The line that must be kept with a line ([`NONE`] for none); always an
    /// earlier one, so chains end.
    pub parent: Vec<u32>,
    /// Lines taken before all others, in this order, as far as they fit.
    pub first: Vec<usize>,
    /// Lines of which at least one must be kept: the text reports a failure,
    /// and without one of these the rest would read like a success.
    pub failures: Vec<usize>,
}

impl Draft {
    /// A draft for `n` lines, all without worth.
    pub fn new(n: usize) -> Self {
        Self {
            score: vec![0.0; n],
            parent: vec![NONE; n],
            ..Self::default()
        }
    }
}

/// The chosen lines and what they cost.
#[derive(Debug, Clone)]
pub struct Selection {
    /// Whether each piece is kept.
    pub kept: Vec<bool>,
    /// The output.
    pub text: String,
    /// Its tokens, counted exactly.
    pub tokens: usize,
}

/// The exponent of the length in a line's rank: 0 would ignore what a line
/// costs, 1 would fill the budget with the shortest lines. Facts grow with
/// length, but slower.
const LENGTH_EXPONENT: f32 = 0.45;

struct Selector<'a> {
    view: &'a View<'a>,
    draft: &'a Draft,
    cost: Vec<u32>,
    kept: Vec<bool>,
    /// In the order of their being added.
    added: Vec<usize>,
    used: usize,
    gaps: usize,
    marker: usize,
}

/// Chooses lines so that the output, with its markers and `handle`, costs at
/// most `budget` tokens. `forced` lines are always in.
///
/// # Errors
/// `budget_too_small` with the least number of tokens that holds what must be kept.
pub fn select(
    view: &View,
    draft: &Draft,
    forced: &[usize],
    budget: usize,
    handle: Option<&str>,
) -> Result<Selection> {
    let n = view.len();
    let mut s = Selector {
        view,
        draft,
        cost: vec![u32::MAX; n],
        kept: vec![false; n],
        added: Vec::new(),
        used: tokens::count(&head(n, n, handle)),
        gaps: 1,
        marker: tokens::count(&marker(n, n)),
    };
    for &i in forced {
        s.add(i);
    }
    let mut fixed = s.added.len();
    if !draft.failures.is_empty() && !draft.failures.iter().any(|&i| s.kept[i]) {
        // The first one; where it does not fit, the shortest.
        let shortest = draft
            .failures
            .iter()
            .copied()
            .min_by_key(|&i| (view.full(i).len(), i));
        for i in draft.failures.first().copied().into_iter().chain(shortest) {
            s.add(i);
            if s.rendered(handle).1 <= budget {
                break;
            }
            s.undo_to(fixed);
        }
        if s.added.len() == fixed
            && let Some(i) = shortest
        {
            s.add(i);
        }
        fixed = s.added.len();
    }
    let least = s.rendered(handle);
    if least.1 > budget {
        return Err(Error::failure(
            "budget_too_small",
            format!(
                "The budget of {budget} tokens cannot hold the markers and the lines that must be kept."
            ),
            format!("Give a budget of at least {} tokens.", least.1),
        ));
    }
    let order = s.order();
    for &i in &draft.first {
        s.try_add(i, budget);
    }
    let mut allowed = budget;
    let mut best = None;
    for _ in 0..4 {
        for &i in &order {
            s.try_add(i, allowed);
        }
        s.bridge();
        for &i in &order {
            if s.cost_left(allowed) < 2 {
                break;
            }
            s.try_add(i, allowed);
        }
        let mut out = s.rendered(handle);
        while out.1 > budget && s.added.len() > fixed {
            // One line for each bit over at first, then singly: lines taken
            // back are the last, so the least worth.
            let over = out.1 - budget;
            let mut freed = 0;
            while freed < over && s.added.len() > fixed {
                freed += s.undo_last();
            }
            out = s.rendered(handle);
        }
        let left = budget.saturating_sub(out.1);
        let fits = out.1 <= budget;
        if fits {
            best = Some((s.kept.clone(), out));
        }
        if !fits || left < 4 || s.total() + left <= allowed {
            break;
        }
        allowed = s.total() + left;
    }
    match best {
        Some((kept, (text, tokens))) => Ok(Selection { kept, text, tokens }),
        None => Ok(Selection {
            kept: s.kept.clone(),
            text: least.0,
            tokens: least.1,
        }),
    }
}

impl Selector<'_> {
    fn cost(&mut self, i: usize) -> usize {
        if self.cost[i] == u32::MAX {
            self.cost[i] = tokens::count(self.view.full(i)).min(u32::MAX as usize - 1) as u32;
        }
        self.cost[i] as usize
    }

    /// How many gaps keeping line `i` adds.
    fn gap_change(&self, i: usize) -> isize {
        let before = i == 0 || self.kept[i - 1];
        let after = i + 1 == self.kept.len() || self.kept[i + 1];
        match (before, after) {
            (true, true) => -1,
            (false, false) => 1,
            _ => 0,
        }
    }

    fn add(&mut self, i: usize) {
        if !self.kept[i] {
            self.used += self.cost(i);
            self.gaps = self.gaps.saturating_add_signed(self.gap_change(i));
            self.kept[i] = true;
            self.added.push(i);
        }
    }

    fn undo_last(&mut self) -> usize {
        let Some(i) = self.added.pop() else { return 0 };
        self.kept[i] = false;
        self.gaps = self.gaps.saturating_add_signed(-self.gap_change(i));
        let cost = self.cost(i);
        self.used -= cost;
        cost.max(1)
    }

    fn undo_to(&mut self, len: usize) {
        while self.added.len() > len {
            self.undo_last();
        }
    }

    fn total(&self) -> usize {
        self.used + self.gaps * self.marker
    }

    fn cost_left(&self, allowed: usize) -> usize {
        allowed.saturating_sub(self.total())
    }

    /// Adds a line with the lines it depends on, if all of them fit.
    fn try_add(&mut self, i: usize, allowed: usize) {
        if self.kept[i] {
            return;
        }
        let len = self.added.len();
        let mut chain = vec![i];
        let mut at = self.draft.parent[i];
        while at != NONE && !self.kept[at as usize] {
            chain.push(at as usize);
            at = self.draft.parent[at as usize];
        }
        for &line in chain.iter().rev() {
            self.add(line);
            // A line that closes no gap can still be undone here.
            if self.total() > allowed + 2 * self.marker {
                break;
            }
        }
        if self.total() > allowed || !self.kept[i] {
            self.undo_to(len);
        }
    }

    /// Keeps the lines of gaps that cost no more than their marker.
    fn bridge(&mut self) {
        let n = self.kept.len();
        let mut i = 0;
        while i < n {
            if self.kept[i] {
                i += 1;
                continue;
            }
            let start = i;
            let mut sum = 0;
            while i < n && !self.kept[i] {
                if sum <= self.marker {
                    sum += self.cost(i);
                }
                i += 1;
            }
            if sum <= self.marker {
                for j in start..i {
                    self.add(j);
                }
            }
        }
    }

    /// All lines with worth, best first; ties in their order in the text.
    fn order(&self) -> Vec<usize> {
        let rank: Vec<f32> = (0..self.view.len())
            .map(|i| {
                let length = self.view.full(i).len() as f32 / 4.0 + self.marker as f32;
                self.draft.score[i] / length.powf(LENGTH_EXPONENT)
            })
            .collect();
        let mut order: Vec<usize> = (0..rank.len()).filter(|&i| rank[i] > 0.0).collect();
        order.sort_by(|&a, &b| rank[b].total_cmp(&rank[a]).then(a.cmp(&b)));
        order
    }

    fn rendered(&self, handle: Option<&str>) -> (String, usize) {
        let text = render(self.view, &self.kept, handle);
        let tokens = tokens::count(&text);
        (text, tokens)
    }
}

/// The marker of one gap, with its line break.
fn marker(start: usize, end: usize) -> String {
    format!("⋯{}\n", Span::new(start, end))
}

/// The marker at the head: what was left out, and how to get it back.
fn head(omitted: usize, lines: usize, handle: Option<&str>) -> String {
    match handle {
        Some(h) => format!("⋯{omitted}/{lines} lines omitted; expand {h}\n"),
        None => format!("⋯{omitted}/{lines} lines omitted\n"),
    }
}

/// The spans of lines (of the view) that are not kept.
pub fn omitted(kept: &[bool]) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    for (i, _) in kept.iter().enumerate().filter(|(_, k)| !**k) {
        match spans.last_mut() {
            Some(s) if s.end == i => s.end = i + 1,
            _ => spans.push(Span::new(i + 1, i + 1)),
        }
    }
    spans
}

/// Kept lines as they are, gaps as markers, what was left out at the head.
pub fn render(view: &View, kept: &[bool], handle: Option<&str>) -> String {
    let spans = omitted(kept);
    if spans.is_empty() {
        return view.text.to_string();
    }
    let count = spans.iter().map(Span::len).sum();
    let mut out = head(count, kept.len(), handle);
    let mut next = 0; // first piece not yet rendered
    let keep = |out: &mut String, from: usize, to: usize| {
        if from < to {
            out.push_str(&view.text[view.pieces[from].start..view.pieces[to - 1].end]);
        }
    };
    for s in &spans {
        keep(&mut out, next, s.start - 1);
        if !out.ends_with('\n') {
            out.push('\n');
        }
        // All of it is gone: the head says so already.
        if s.len() < kept.len() {
            out.push_str(&marker(s.start, s.end));
        }
        next = s.end;
    }
    keep(&mut out, next, kept.len());
    if next == kept.len() && !view.text.ends_with('\n') {
        out.pop();
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_become_markers() {
        let view = View::new("a\nb\r\nc\nd\ne");
        let shown = |kept: [bool; 5]| render(&view, &kept, Some("k3f9a1"));
        assert_eq!(
            shown([true, false, false, true, true]),
            "⋯2/5 lines omitted; expand k3f9a1\na\n⋯2-3\nd\ne"
        );
        assert_eq!(
            shown([false, true, true, true, false]),
            "⋯2/5 lines omitted; expand k3f9a1\n⋯1\nb\r\nc\nd\n⋯5"
        );
        assert_eq!(shown([false; 5]), "⋯5/5 lines omitted; expand k3f9a1");
        assert_eq!(shown([true; 5]), "a\nb\r\nc\nd\ne");
    }

    #[test]
    fn a_line_brings_what_it_depends_on() {
        let text: String = (0..40)
            .map(|i| format!("this is line number {i} of a text\n"))
            .collect();
        let view = View::new(text.as_str());
        let mut draft = Draft::new(40);
        draft.score[30] = 9.0;
        draft.parent[30] = 12;
        draft.parent[12] = 3;
        let out = select(&view, &draft, &[], 80, None).unwrap();
        let kept: Vec<_> = (0..40).filter(|&i| out.kept[i]).collect();
        assert_eq!(kept, [3, 12, 30]);
        // Without room for all of them, none is kept.
        let out = select(&view, &draft, &[], 40, None).unwrap();
        assert!(out.kept.iter().all(|k| !k));
    }
}
