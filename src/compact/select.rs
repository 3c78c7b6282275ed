//! From scored lines to an output that fits.
//!
//! A greedy knapsack: lines in the order of their score for their length, each
//! with the lines it depends on, as long as the budget holds. Every gap between
//! kept lines costs a marker, which is paid for along the way. Sums of counts
//! per line are close to the count of the whole but not equal to it, so the
//! rendered output is counted at the end, and lines are taken back or added
//! until it fits.

use super::view::View;
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
    /// Lines in front of which the name of the text that begins there is shown.
    pub names: Vec<(usize, String)>,
    /// How many lines at the start were compacted before: where all of them are
    /// kept, the marker at the head stands behind them.
    pub sealed: usize,
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
/// The least that can be chosen, where the budget cannot hold it.
pub fn select(
    view: &View,
    draft: &Draft,
    forced: &[usize],
    budget: usize,
    handle: Option<&str>,
) -> Result<Selection, Selection> {
    let n = view.len();
    let mut s = Selector {
        view,
        draft,
        cost: vec![u32::MAX; n],
        kept: vec![false; n],
        added: Vec::new(),
        used: tokens::count(&head(view.total(), view.total(), handle))
            + draft
                .names
                .iter()
                .map(|(_, n)| tokens::count(&name(n)))
                .sum::<usize>(),
        gaps: 1 + draft.names.len(),
        marker: tokens::count(&marker(view.total())),
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
        return Err(Selection {
            kept: s.kept,
            text: least.0,
            tokens: least.1,
        });
    }
    // What each line costs by itself adds up to more than all of them together.
    let whole = render(view, draft, &vec![true; n], handle);
    if tokens::fits(&whole, budget) {
        return Ok(Selection {
            tokens: tokens::count(&whole),
            kept: vec![true; n],
            text: whole,
        });
    }
    let order = s.order();
    for &i in &draft.first {
        s.try_add(i, budget);
        // The failure that had to be kept came without what it depends on.
        if s.kept[i] && draft.parent[i] != NONE {
            s.try_add(draft.parent[i] as usize, budget);
        }
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
        let closed = |at: usize, neighbour: Option<usize>| {
            !self.view.hidden_before(at)
                && neighbour.is_none_or(|n| self.kept.get(n).is_none_or(|k| *k))
        };
        let before = closed(i, i.checked_sub(1));
        let after = closed(i + 1, Some(i + 1));
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
        // Of what was sent before, a line may be kept already for its own sake.
        while at != NONE && (!self.kept[at as usize] || (at as usize) < self.draft.sealed) {
            if !self.kept[at as usize] {
                chain.push(at as usize);
            }
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
            let mut hidden = self.view.hidden_before(i);
            while i < n && !self.kept[i] {
                if sum <= self.marker {
                    sum += self.cost(i);
                }
                i += 1;
                hidden |= self.view.hidden_before(i);
            }
            if sum <= self.marker && !hidden {
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
        let text = render(self.view, self.draft, &self.kept, handle);
        let tokens = tokens::count(&text);
        (text, tokens)
    }
}

/// The marker of the gap that begins at a line, with its line break. It names
/// the first omitted line only: the next line's own number follows from it and
/// the next marker, and a range would cost as much again.
fn marker(start: usize) -> String {
    format!("⋯{start}\n")
}

/// The marker at the head: what was left out, and how to get it back.
fn head(omitted: usize, lines: usize, handle: Option<&str>) -> String {
    match handle {
        Some(h) => format!("⋯{omitted}/{lines} lines omitted; expand {h}\n"),
        None => format!("⋯{omitted}/{lines} lines omitted\n"),
    }
}

/// The spans of lines that are not kept.
pub fn omitted(view: &View, kept: &[bool]) -> Vec<Span> {
    let mut spans = Vec::new();
    let mut next = 1; // first line of which nothing is known yet
    let kept = (0..kept.len()).filter(|&i| kept[i]).map(|i| view.number(i));
    for line in kept.chain([view.total() + 1]) {
        if line > next {
            spans.push(Span::new(next, line - 1));
        }
        next = line + 1;
    }
    spans
}

/// The marker in front of one of several texts.
fn name(of: &str) -> String {
    format!("⋯ {of}\n")
}

/// Kept lines as they are, gaps as markers, what was left out at the head.
pub fn render(view: &View, draft: &Draft, kept: &[bool], handle: Option<&str>) -> String {
    let spans = omitted(view, kept);
    let markers = markers(view, draft, &spans, handle);
    if markers.is_empty() {
        return view.text.to_string();
    }
    let mut out = String::new();
    let add = |out: &mut String, marker: &str| {
        if !out.is_empty() && !out.ends_with('\n') {
            out.push('\n');
        }
        out.push_str(marker);
    };
    let mut rest = markers.iter().peekable();
    for i in (0..kept.len()).filter(|&i| kept[i]) {
        while let Some(m) = rest.next_if(|m| m.line <= view.number(i)) {
            add(&mut out, &m.text);
        }
        out.push_str(view.full(i));
    }
    let ends_with_marker = rest.peek().is_some();
    for m in rest {
        add(&mut out, &m.text);
    }
    if ends_with_marker && !view.text.ends_with('\n') {
        out.pop();
    }
    out
}

/// A line of the output that is none of the text.
struct Marker {
    /// The line that it stands in front of.
    line: usize,
    text: String,
}

/// All markers, in the order of the lines that they stand in front of.
fn markers(view: &View, draft: &Draft, spans: &[Span], handle: Option<&str>) -> Vec<Marker> {
    let mut out = Vec::new();
    let count: usize = spans.iter().map(Span::len).sum();
    if count > 0 {
        // What was sent before comes first, as it was sent.
        let behind = view.number(draft.sealed);
        let intact = draft.sealed > 0 && spans.iter().all(|s| s.start >= behind);
        out.push(Marker {
            line: if intact { behind } else { 0 },
            text: head(count, view.total(), handle),
        });
    }
    // Where all of it is gone the head says so already.
    if count == view.total() {
        return out;
    }
    let named: Vec<usize> = draft.names.iter().map(|n| view.number(n.0)).collect();
    out.extend(
        draft
            .names
            .iter()
            .zip(&named)
            .map(|((_, of), &line)| Marker {
                line,
                text: name(of),
            }),
    );
    for s in spans {
        // A gap ends where another text begins.
        let inner = named.iter().filter(|n| s.start < **n && **n <= s.end);
        out.extend(inner.chain([&s.start]).map(|&line| Marker {
            line,
            text: marker(line),
        }));
    }
    out.sort_by_key(|m| m.line);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_become_markers() {
        let view = View::new("a\nb\r\nc\nd\ne");
        let draft = Draft::new(5);
        let shown = |kept: [bool; 5]| render(&view, &draft, &kept, Some("k3f9a1"));
        assert_eq!(
            shown([true, false, false, true, true]),
            "⋯2/5 lines omitted; expand k3f9a1\na\n⋯2\nd\ne"
        );
        assert_eq!(
            shown([false, true, true, true, false]),
            "⋯2/5 lines omitted; expand k3f9a1\n⋯1\nb\r\nc\nd\n⋯5"
        );
        assert_eq!(shown([false; 5]), "⋯5/5 lines omitted; expand k3f9a1");
        assert_eq!(shown([true; 5]), "a\nb\r\nc\nd\ne");
    }

    #[test]
    fn several_texts_are_named_and_gaps_end_with_them() {
        let view = View::new("a\nb\nc\nd\n");
        let mut draft = Draft::new(4);
        draft.names = vec![(0, "x.log".into()), (2, "y.log".into())];
        let shown = |kept: [bool; 4]| render(&view, &draft, &kept, None);
        assert_eq!(
            shown([true, false, false, true]),
            "⋯2/4 lines omitted\n⋯ x.log\na\n⋯2\n⋯ y.log\n⋯3\nd\n"
        );
        assert_eq!(shown([true; 4]), "⋯ x.log\na\nb\n⋯ y.log\nc\nd\n");
    }

    #[test]
    fn lines_of_a_larger_text_keep_their_numbers() {
        let view = View::of_lines("b\nc\nf\n".into(), vec![2, 3, 6], 7);
        let draft = Draft::new(3);
        let shown = |kept: [bool; 3]| render(&view, &draft, &kept, None);
        assert_eq!(
            shown([true, true, true]),
            "⋯4/7 lines omitted\n⋯1\nb\nc\n⋯4\nf\n⋯7\n"
        );
        assert_eq!(
            shown([false, true, false]),
            "⋯6/7 lines omitted\n⋯1\nc\n⋯4\n"
        );
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
