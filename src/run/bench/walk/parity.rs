//! What the agent edits or quotes has to have been in view.

use super::super::change::Change;
use super::super::controls::{CONTROLS, Needs};
use super::super::ledger::Kind;
use super::super::recorded::{Action, Session};
use super::super::view::{self, OURS, RECORDED, Source, View};
use super::step::{self, State, Step, written};
use super::walker::Walker;
use crate::text::{Lines, Span};
use crate::tokens::count;
use serde_json::json;
use std::collections::BTreeMap;

/// Lines that a re-read brings on each side of a missing one.
pub(super) const AROUND: usize = 15;

/// A step that trimtab's way needs on top.
struct Penalty {
    turn: usize,
    kind: Kind,
    tool: &'static str,
    about: String,
    arguments: usize,
    output: usize,
    why: String,
}

impl Walker<'_> {
    /// A file is opened that the recorded searches had named and trimtab's had not:
    /// the recorded search is made as well.
    pub(super) fn search_again(&mut self, turn: usize, path: &str) {
        let Some((step, ways)) = self.named.get_mut(path) else {
            return;
        };
        if *ways & RECORDED != 0 && *ways & OURS == 0 {
            *ways = view::ALL;
            let step = *step;
            let Some(first) = self
                .out
                .steps
                .iter()
                .filter(|s| s.state != State::Penalty)
                .nth(step)
            else {
                return;
            };
            let (cost, about) = (first.recorded, first.about.clone());
            let output = count(&self.outputs[step].1);
            self.penalty(Penalty {
                turn,
                kind: Kind::Search,
                tool: "search again",
                about,
                arguments: cost.saturating_sub(output),
                output,
                why: format!("{path} is opened, which this search had not named"),
            });
        }
    }

    /// The lines that an edit quotes have to be in view.
    pub(super) fn look(&mut self, turn: usize, change: &Change) {
        let Some(before) = &change.before else { return };
        let lines = Lines::new(before);
        let changed: Vec<usize> = match change.span {
            Some(span) => (span.start..=span.end).collect(),
            None => {
                let diff = similar::TextDiff::from_lines(before, &change.after);
                let gone = diff
                    .ops()
                    .iter()
                    .filter(|o| o.tag() != similar::DiffTag::Equal);
                gone.flat_map(|o| o.old_range()).map(|n| n + 1).collect()
            }
        };
        let spans: Vec<Span> = changed.iter().map(|n| Span::new(*n, *n)).collect();
        let missing = |view: &View, way: u8| -> Vec<usize> {
            spans
                .iter()
                .flat_map(|s| view.missing(&change.path, &lines, *s, way))
                .collect()
        };
        let unseen = !spans
            .iter()
            .all(|s| self.view.has(&change.path, &lines, *s, RECORDED));
        self.out.edits.unseen += usize::from(unseen);
        for way in ways() {
            let missing = missing(&self.view, way);
            if way == OURS {
                self.out.edits.missing += usize::from(!missing.is_empty());
            }
            let source = Source::File(change.path.clone());
            self.again(turn, way, &source, &missing, "is edited");
        }
    }

    /// What the model quotes has to have been shown to it.
    pub(super) fn quotes(&mut self, turn: usize, written: &str) {
        for way in ways() {
            let mut sources: BTreeMap<Source, Vec<usize>> = BTreeMap::new();
            for (source, line) in self.view.unquotable(written, way) {
                sources.entry(source).or_default().push(line);
            }
            for (source, lines) in sources {
                self.again(turn, way, &source, &lines, "is quoted");
            }
        }
    }

    /// Charges a re-read and a further turn for each block of missing lines.
    fn again(&mut self, turn: usize, way: u8, source: &Source, missing: &[usize], used: &str) {
        if missing.is_empty() {
            return;
        }
        let (kind, name, text) = match source {
            Source::File(path) => {
                let text = self.tree.text(path).unwrap_or_default();
                (Kind::Read, path.clone(), text)
            }
            Source::Output(step) => {
                let (kind, text) = &self.outputs[*step];
                (*kind, "0a1b2c".to_string(), text.clone())
            }
        };
        let lines = Lines::new(&text);
        let mut blocks: Vec<Span> = Vec::new();
        for n in missing {
            let end = (n + AROUND).min(lines.len().max(1));
            let span = Span::new(n.saturating_sub(AROUND).max(1).min(end), end);
            match blocks.last_mut() {
                Some(last) if last.touches(span) => *last = last.union(span),
                _ => blocks.push(span),
            }
        }
        for span in blocks {
            let shown = lines.slice(span);
            let target = format!("{name}:{span}");
            let arguments = count(&json!({"target": target}).to_string());
            let output = count(&format!("⋯ {target}\n{shown}"));
            match source {
                Source::File(path) => {
                    self.view.show(path, &lines, span.start..=span.end, way);
                }
                Source::Output(_) => self.view.show_lines(shown.lines(), way),
            }
            // A quoted line may have moved in its file since it was shown.
            let quoted = missing
                .iter()
                .filter(|n| span.contains(**n) && **n <= lines.len());
            let quoted: Vec<&str> = quoted.map(|n| lines.get(*n)).collect();
            self.view.show_lines(quoted, way);
            // The controls stand in for trimtab in shortened reads alone.
            if let Source::File(path) = source
                && self.cut.contains(path)
            {
                let control = ways().position(|w| w == way).unwrap_or(0);
                self.out.controls[control].misses += 1;
                self.out.controls[control].again += arguments + output;
            }
            if way == OURS {
                let first = missing.iter().find(|n| span.contains(**n));
                let line = first.filter(|n| **n <= lines.len());
                let why = line.map_or(String::new(), |n| {
                    format!("line {n} {used}: {}", step::shortened(lines.get(*n).trim()))
                });
                self.penalty(Penalty {
                    turn,
                    kind,
                    tool: "re-read",
                    about: target,
                    arguments,
                    output,
                    why,
                });
            }
        }
    }

    fn penalty(&mut self, of: Penalty) {
        self.out.ours.wrote(of.kind, of.arguments);
        self.out.ours.reads(of.kind, of.output);
        self.out.ours.request();
        self.out.steps.push(Step {
            turn: of.turn + 1,
            kind: of.kind,
            tool: of.tool.to_string(),
            about: of.about,
            recorded: 0,
            ours: of.arguments + of.output,
            state: State::Penalty,
            digest: String::new(),
            why: of.why,
        });
    }
}

/// trimtab's way and the controls'.
fn ways() -> impl Iterator<Item = u8> {
    std::iter::once(OURS).chain(CONTROLS.iter().map(|(way, _)| *way))
}

/// For each line that an edit or an answer quotes, the last turn that does.
pub(super) fn needs(session: &Session) -> Needs {
    let mut needs = Needs::new();
    for (turn, answer) in session.turns.iter().enumerate() {
        let mut quote = |text: &str, least: usize| {
            let long = text.lines().filter(|l| l.trim().chars().count() >= least);
            for key in long.filter_map(view::key) {
                needs.insert(key, turn);
            }
        };
        quote(&answer.text, 25);
        for call in &answer.calls {
            quote(written(call), 25);
            if let Action::Replace { old, .. } = &call.action {
                quote(old, 1);
            }
        }
    }
    needs
}
