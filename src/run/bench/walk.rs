//! One session, walked step by step: each step charged as recorded and as trimtab
//! would have taken it, and every line that is needed looked for in what was shown.

use super::controls::{self, CONTROLS, Needs, Subject};
use super::ledger::{Book, Kind};
use super::policy::{self, Change, Moment, Policy, Taken};
use super::recorded::{Action, Call, Session};
use super::tree::Tree;
use super::view::{self, OURS, RECORDED, Source, View};
use crate::compact::{Options, Size, compact};
use crate::error::Result;
use crate::search::Engine;
use crate::text::{Lines, Span};
use crate::tokens::count;
use crate::workspace::{Cancel, hash};
use serde::Serialize;
use serde_json::json;
use std::collections::{BTreeMap, HashMap};

/// Lines that a re-read brings on each side of a missing one.
const AROUND: usize = 15;
/// Tokens of trimtab's tools in every request: what a test allows them at most.
/// The client's own tools stay and are charged on both sides.
const SCHEMAS: usize = 900;
/// Tokens of instructions and tools where a session does not say.
const INSTRUCTIONS: usize = 5_000;
/// Names that a query takes over from what was said before.
const NAMES: usize = 12;
/// A whole read of at least so many tokens is tried at several budgets.
const LARGE: usize = 2_000;
/// Shares of a file's tokens that are tried, in percent.
pub const SHARES: [usize; 6] = [5, 10, 20, 30, 50, 70];

/// A step of a session, with what it cost in o200k tokens (call and answer).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// The model's answer that made it, from 1.
    pub turn: usize,
    /// What it was.
    pub kind: Kind,
    /// The recorded tool; `re-read` and `search again` are trimtab's own.
    pub tool: String,
    /// The pattern, path or command, shortened.
    pub about: String,
    /// As recorded.
    pub recorded: usize,
    /// Through trimtab.
    pub ours: usize,
    /// How it was replayed.
    pub state: State,
    /// Hash of what trimtab was sent and answered.
    pub digest: String,
}

/// How a step was replayed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Through trimtab.
    Replayed,
    /// Charged as recorded on both sides: no tool of trimtab's has a part in it,
    /// it failed, or it lies outside the tree.
    AsRecorded,
    /// The recorded answer is not what the tree holds: charged as recorded.
    Diverged,
    /// trimtab refused or gave other bytes: its attempt and the recorded call.
    Wasted,
    /// Charged because something needed had not been shown.
    Penalty,
}

/// What became of the edits of a session.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Edits {
    /// Edits of files that existed.
    pub count: usize,
    /// `apply` gave the recorded bytes.
    pub exact: usize,
    /// `apply` refused.
    pub refused: usize,
    /// `apply` gave other bytes.
    pub wrong: usize,
    /// Edits with a line that the recorded session had not shown either.
    pub unseen: usize,
    /// Edits with a line that was recorded in view and not in trimtab's.
    pub missing: usize,
}

/// A control on the reads that trimtab shortened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Control {
    /// Blocks of lines that were needed and not shown.
    pub misses: usize,
    /// Tokens of reading them again.
    pub again: usize,
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

/// All that a walk finds out.
#[derive(Debug, Default)]
pub(super) struct Walked {
    pub recorded: Book,
    pub ours: Book,
    pub steps: Vec<Step>,
    pub edits: Edits,
    /// trimtab, then the controls in their order.
    pub controls: [Control; 6],
    /// Tokens of what shortened reads showed, and of the same reads as recorded.
    pub shortened: (usize, usize),
    /// Tokens of all replayed reads as recorded, and of the lines around what was
    /// needed of them.
    pub ceiling: (usize, usize),
    /// Tokens of lines that trimtab showed again, unchanged, because a read named them.
    pub repeated: usize,
    /// By share of [`SHARES`]: trimtab, then the controls.
    pub survival: [[Survival; 6]; SHARES.len()],
}

/// Walks a session over the tree it began with.
pub(super) fn walk(
    session: &Session,
    tree: &mut Tree,
    engine: &Engine,
    policy: &Policy,
    cancel: &Cancel,
) -> Result<Walked> {
    let mut walker = Walker {
        tree,
        engine,
        policy,
        cancel,
        view: View::default(),
        needs: needs(session),
        outputs: Vec::new(),
        named: HashMap::new(),
        names: Vec::new(),
        out: Walked::default(),
    };
    walker.begin(session);
    for (turn, answer) in session.turns.iter().enumerate() {
        cancel.check()?;
        walker.out.recorded.request();
        walker.out.ours.request();
        walker.remember(&answer.text);
        walker.quotes(turn, &answer.text);
        let text = count(&answer.text);
        walker.out.recorded.wrote(Kind::Text, text);
        walker.out.ours.wrote(Kind::Text, text);
        walker.view.wrote(&answer.text);
        for call in &answer.calls {
            walker.step(turn, call)?;
        }
    }
    Ok(walker.out)
}

struct Walker<'a> {
    tree: &'a mut Tree,
    engine: &'a Engine,
    policy: &'a Policy,
    cancel: &'a Cancel,
    view: View,
    needs: Needs,
    /// The recorded answers so far.
    outputs: Vec<(Kind, String)>,
    /// Files that an answer named: the step that did, and the ways.
    named: HashMap<String, (usize, u8)>,
    /// Names said so far, the latest last.
    names: Vec<String>,
    out: Walked,
}

impl Walker<'_> {
    fn begin(&mut self, session: &Session) {
        let task = count(&session.task);
        let prompt = session.first_request.unwrap_or(INSTRUCTIONS + task);
        self.out.recorded.reads(Kind::Prompt, prompt);
        self.out.ours.reads(Kind::Prompt, prompt);
        self.out.ours.reads(Kind::Schemas, SCHEMAS);
        self.view.wrote(&session.task);
        self.remember(&session.task);
    }

    fn step(&mut self, turn: usize, call: &Call) -> Result<()> {
        let number = self.outputs.len();
        let change = policy::change(self.tree, call);
        if let Some(change) = &change {
            self.sync(change)?;
        }
        let kind = kind(call, change.as_ref());
        self.outputs.push((kind, call.output.clone()));
        let path = self.path(call);
        if let Some(path) = &path {
            self.search_again(turn, path);
        }
        if let Some(change) = &change {
            self.look(turn, change);
        }
        let written = written(call);
        self.quotes(turn, written);
        let (arguments, output) = (count(&call.arguments), count(&call.output));
        self.out.recorded.wrote(kind, arguments);
        self.out.recorded.reads(kind, output);

        let diverged = self.diverged(call, path.as_deref())?;
        let query: Vec<String> = self.names.iter().rev().take(NAMES).cloned().collect();
        let skip = diverged || (call.failed && call.action != Action::Run);
        let taken = if skip {
            None
        } else {
            let now = Moment {
                tree: self.tree,
                engine: self.engine,
                policy: self.policy,
                cancel: self.cancel,
                query: &query,
            };
            policy::take(&now, call, change.as_ref())?
        };
        let mut step = Step {
            turn: turn + 1,
            kind,
            tool: call.tool.clone(),
            about: about(call),
            recorded: arguments + output,
            ours: arguments + output,
            state: if diverged {
                State::Diverged
            } else {
                State::AsRecorded
            },
            digest: String::new(),
        };
        if let Some(taken) = &taken {
            let (own_arguments, own_output) = (count(&taken.arguments), count(&taken.output));
            step.ours = own_arguments + own_output;
            step.state = State::Replayed;
            step.digest = hash(format!("{}\n{}", taken.arguments, taken.output).as_bytes())
                .chars()
                .take(12)
                .collect();
            self.out.ours.wrote(kind, own_arguments);
            self.out.ours.reads(kind, own_output);
            if taken.wasted {
                step.ours += arguments + output;
                step.state = State::Wasted;
                self.out.ours.request();
            }
        }
        if taken.as_ref().is_none_or(|t| t.wasted) {
            self.out.ours.wrote(kind, arguments);
            self.out.ours.reads(kind, output);
        }
        if let Some(change) = change.as_ref().filter(|c| c.before.is_some()) {
            self.count_edit(change, taken.as_ref());
        }
        self.show(number, turn, call, path.as_deref(), taken.as_ref(), &query);
        if let Some(change) = &change {
            self.edited(change, call)?;
        }
        self.view.wrote(written);
        self.out.steps.push(step);
        Ok(())
    }

    /// Makes the tree's file the one that the session's edit met: a command may have
    /// changed it in between.
    fn sync(&mut self, change: &Change) -> Result<()> {
        if let Some(before) = &change.before
            && let now = self.tree.text(&change.path)
            && now.as_ref() != Some(before)
        {
            self.tree.write(&change.path, before)?;
            self.view
                .edited(&change.path, &now.unwrap_or_default(), before);
        }
        Ok(())
    }

    fn path(&self, call: &Call) -> Option<String> {
        match &call.action {
            Action::Read { path, .. }
            | Action::Replace { path, .. }
            | Action::ReplaceLines { path, .. }
            | Action::Write { path, .. } => self.tree.file(path),
            _ => None,
        }
    }

    /// Whether a recorded read shows other lines than the tree holds. A read of the
    /// whole file says what the file is: then the tree is mended instead.
    fn diverged(&mut self, call: &Call, path: Option<&str>) -> Result<bool> {
        let (Action::Read { from, count, .. }, Some(path)) = (&call.action, path) else {
            return Ok(false);
        };
        let Some(text) = self.tree.text(path) else {
            return Ok(true);
        };
        let lines = Lines::new(&text);
        let shown = shown(&call.output, from.unwrap_or(1));
        let same = |(n, line): &(usize, &str)| {
            let own = if *n <= lines.len() { lines.get(*n) } else { "" };
            // Reading tools cut long lines.
            own.trim_end() == line.trim_end() || line.chars().count() >= 500
        };
        if call.failed || shown.iter().all(same) {
            return Ok(false);
        }
        let whole = from.is_none() && count.is_none() && shown.len() < 1_900;
        let in_order = shown.iter().enumerate().all(|(i, (n, _))| *n == i + 1);
        let numbered = call.output.trim_start().starts_with('1');
        if whole && in_order && numbered {
            let mut new: String = shown.iter().map(|(_, l)| format!("{l}\n")).collect();
            if !text.ends_with('\n') {
                new.pop();
            }
            self.tree.write(path, &new)?;
            self.view.edited(path, &text, &new);
            return Ok(false);
        }
        Ok(true)
    }

    /// What came into view with a step.
    fn show(
        &mut self,
        number: usize,
        turn: usize,
        call: &Call,
        path: Option<&str>,
        taken: Option<&Taken>,
        query: &[String],
    ) {
        let others = !RECORDED;
        let recorded = match taken {
            // The same answer in every way.
            None => view::ALL,
            Some(t) if t.wasted => view::ALL,
            Some(_) => RECORDED,
        };
        match &call.action {
            Action::Read { from, .. } if !call.failed => {
                if let Some(path) = path
                    && let Some(text) = self.tree.text(path)
                {
                    let lines = shown(&call.output, from.unwrap_or(1));
                    let numbers: Vec<usize> = lines.iter().map(|(n, _)| *n).collect();
                    let lines = Lines::new(&text);
                    self.ceiling(call, &lines, &numbers, turn, taken);
                    self.view.show(path, &lines, numbers, recorded);
                }
            }
            Action::Search(search) => {
                let only = search.path.as_deref().and_then(|p| self.tree.file(p));
                self.show_matches(&call.output, only.as_deref(), recorded);
                self.name(number, &call.output, recorded);
            }
            Action::List { .. } => self.name(number, &call.output, recorded),
            _ => {}
        }
        // After the files: what can be read in one is read there again.
        self.view.show_text(number, &call.output, recorded);
        let Some(taken) = taken.filter(|t| !t.wasted) else {
            return;
        };
        self.view.show_lines(taken.output.lines(), others);
        match &call.action {
            Action::Search(_) => self.name(number, &taken.output, others),
            Action::List { .. } => {
                for path in listed(&taken.output) {
                    let named = self.named.entry(path).or_insert((number, 0));
                    named.1 |= others;
                }
            }
            _ => {}
        }
        for (path, lines) in &taken.shows {
            if let Some(text) = self.tree.text(path) {
                if matches!(call.action, Action::Read { .. }) {
                    let lines_of = Lines::new(&text);
                    let one = |n: &usize| Span::new(*n, *n);
                    let again = lines
                        .iter()
                        .filter(|n| self.view.has(path, &lines_of, one(n), OURS));
                    let again: String = again.map(|n| lines_of.full(*n)).collect();
                    self.out.repeated += count(&again);
                }
                let ways = if taken.cut.is_some() { OURS } else { others };
                let text = Lines::new(&text);
                self.view.show(path, &text, lines.iter().copied(), ways);
            }
        }
        if let Some(path) = &taken.cut
            && let Some(text) = self.tree.text(path)
        {
            self.compare(path, &text, turn, call, taken, query);
        }
    }

    /// Shows the same file in the controls' ways, at the price of trimtab's.
    fn compare(
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
        for (way, _) in CONTROLS {
            let shown = controls::lines(way, &subject, budget, &self.needs);
            self.view.show(path, &lines, shown, way);
        }
        let needed = controls::needed(&lines, turn, &self.needs, 0);
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
                let hits = needed.iter().filter(|n| shown.binary_search(n).is_ok());
                let hits = hits.count();
                let survival = &mut self.out.survival[at][way];
                survival.reads += 1;
                survival.needed += needed.len();
                survival.shown += hits;
                survival.complete += usize::from(hits == needed.len());
            }
        }
    }

    /// What a read would cost that knew the future.
    fn ceiling(
        &mut self,
        call: &Call,
        lines: &Lines<'_>,
        shown: &[usize],
        turn: usize,
        taken: Option<&Taken>,
    ) {
        if taken.is_none() {
            return;
        }
        let mut needed = controls::needed(lines, turn, &self.needs, AROUND);
        needed.retain(|n| shown.contains(n));
        needed.sort_unstable();
        let text: String = needed.iter().map(|n| lines.full(*n)).collect();
        self.out.ceiling.0 += count(&call.output);
        self.out.ceiling.1 += count(&text);
    }

    /// Lines that a search printed, where it named their file.
    fn show_matches(&mut self, output: &str, only: Option<&str>, ways: u8) {
        let mut found: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for line in output.lines() {
            let Some((n, _)) = view::numbered(line) else {
                continue;
            };
            let named = line.split([':', '-']).next().unwrap_or_default();
            let path = match only {
                Some(path) => Some(path.to_string()),
                None => self.tree.file(named),
            };
            if let Some(path) = path {
                found.entry(path).or_default().push(n);
            }
        }
        for (path, numbers) in found {
            if let Some(text) = self.tree.text(&path) {
                self.view.show(&path, &Lines::new(&text), numbers, ways);
            }
        }
    }

    /// The files that an answer names.
    fn name(&mut self, step: usize, output: &str, ways: u8) {
        let words = output.split(|c: char| c.is_whitespace() || ":()\"',".contains(c));
        for word in words.filter(|w| w.contains('.') && w.len() > 2) {
            if let Some(path) = self.tree.file(word) {
                self.named.entry(path).or_insert((step, 0)).1 |= ways;
            }
        }
    }

    /// A file is opened that the recorded searches had named and trimtab's had not:
    /// the recorded search is made as well.
    fn search_again(&mut self, turn: usize, path: &str) {
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
            self.penalty(
                turn,
                Kind::Search,
                "search again",
                about,
                cost.saturating_sub(output),
                output,
            );
        }
    }

    /// The lines that an edit quotes have to be in view.
    fn look(&mut self, turn: usize, change: &Change) {
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
            self.again(turn, way, &source, &missing);
        }
    }

    /// What the model quotes has to have been shown to it.
    fn quotes(&mut self, turn: usize, written: &str) {
        for way in ways() {
            let mut sources: BTreeMap<Source, Vec<usize>> = BTreeMap::new();
            for (source, line) in self.view.unquotable(written, way) {
                sources.entry(source).or_default().push(line);
            }
            for (source, lines) in sources {
                self.again(turn, way, &source, &lines);
            }
        }
    }

    /// Charges a re-read and a further turn for each block of missing lines.
    fn again(&mut self, turn: usize, way: u8, source: &Source, missing: &[usize]) {
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
            let control = ways().position(|w| w == way).unwrap_or(0);
            if let Source::File(_) = source {
                self.out.controls[control].misses += 1;
                self.out.controls[control].again += arguments + output;
            }
            if way == OURS {
                self.penalty(turn, kind, "re-read", target, arguments, output);
            }
        }
    }

    fn penalty(
        &mut self,
        turn: usize,
        kind: Kind,
        tool: &str,
        about: String,
        arguments: usize,
        output: usize,
    ) {
        self.out.ours.wrote(kind, arguments);
        self.out.ours.reads(kind, output);
        self.out.ours.request();
        self.out.steps.push(Step {
            turn: turn + 1,
            kind,
            tool: tool.to_string(),
            about,
            recorded: 0,
            ours: arguments + output,
            state: State::Penalty,
            digest: String::new(),
        });
    }

    fn count_edit(&mut self, change: &Change, taken: Option<&Taken>) {
        if change.before.as_ref() == Some(&change.after) {
            return;
        }
        let edits = &mut self.out.edits;
        edits.count += 1;
        match taken {
            Some(t) if t.exact => edits.exact += 1,
            Some(t) if t.output.contains(", undo u1") => edits.wrong += 1,
            _ => edits.refused += 1,
        }
    }

    fn edited(&mut self, change: &Change, call: &Call) -> Result<()> {
        let before = change.before.clone().unwrap_or_default();
        self.tree.write(&change.path, &change.after)?;
        self.view.edited(&change.path, &before, &change.after);
        // The recorded tool shows the lines around the change.
        let numbers: Vec<usize> = call
            .output
            .lines()
            .filter_map(|l| Some(view::numbered(l)?.0))
            .collect();
        let lines = Lines::new(&change.after);
        self.view.show(&change.path, &lines, numbers, RECORDED);
        Ok(())
    }

    /// Names in what was said: what looks like code, not like a word.
    fn remember(&mut self, text: &str) {
        let words = text.split(|c: char| !c.is_alphanumeric() && c != '_');
        for word in words {
            let inner = word.chars().skip(1).any(char::is_uppercase);
            let code = word.len() >= 4
                && word.len() <= 40
                && (word.contains('_') || inner)
                && word.chars().any(char::is_lowercase);
            if code {
                self.names.retain(|n| n != word);
                self.names.push(word.to_string());
            }
        }
        let surplus = self.names.len().saturating_sub(200);
        self.names.drain(..surplus);
    }
}

/// trimtab's way and the controls'.
fn ways() -> impl Iterator<Item = u8> {
    std::iter::once(OURS).chain(CONTROLS.iter().map(|(way, _)| *way))
}

fn kind(call: &Call, change: Option<&Change>) -> Kind {
    match &call.action {
        Action::Search(_) | Action::List { .. } => Kind::Search,
        Action::Read { .. } => Kind::Read,
        Action::Write { .. } if change.is_none_or(|c| c.before.is_none()) => Kind::Create,
        Action::Replace { .. } | Action::ReplaceLines { .. } | Action::Write { .. } => Kind::Edit,
        Action::Run => Kind::Log,
        Action::Other => Kind::Other,
    }
}

/// What the model wrote of its own in a call.
fn written(call: &Call) -> &str {
    match &call.action {
        Action::Replace { new, .. } => new,
        Action::ReplaceLines { text, .. } => text,
        Action::Write { content, .. } => content,
        _ => "",
    }
}

fn about(call: &Call) -> String {
    let text = match &call.action {
        Action::Search(s) => s.pattern.clone(),
        Action::List { path, glob } => {
            format!(
                "{} {}",
                path.as_deref().unwrap_or("."),
                glob.as_deref().unwrap_or("")
            )
        }
        Action::Read { path, from, count } => match (from, count) {
            (None, None) => path.clone(),
            (from, count) => {
                let from = from.unwrap_or(1);
                let to = count.map_or(String::new(), |c| (from + c).saturating_sub(1).to_string());
                format!("{path}:{from}-{to}")
            }
        },
        Action::Replace { path, .. }
        | Action::ReplaceLines { path, .. }
        | Action::Write { path, .. } => path.clone(),
        Action::Run | Action::Other => call.arguments.clone(),
    };
    let line: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let long = line.chars().count() > 90;
    // The end of a path says more than its beginning.
    if long && matches!(call.action, Action::Read { .. } | Action::Replace { .. }) {
        let skip = line.chars().count() - 89;
        return format!("…{}", line.chars().skip(skip).collect::<String>());
    }
    let mut short: String = line.chars().take(89).collect();
    if long {
        short.push('…');
    }
    short
}

/// Numbers and texts of the lines that a read printed; numbered from `from` where
/// it printed no numbers.
fn shown(output: &str, from: usize) -> Vec<(usize, &str)> {
    let numbered: Vec<(usize, &str)> = output
        .lines()
        .filter(|l| !l.trim_start().starts_with(['[', '(']))
        .map_while(view::numbered)
        .collect();
    let follow = numbered.windows(2).all(|w| w[1].0 == w[0].0 + 1);
    if !numbered.is_empty() && follow && numbered[0].0 == from {
        return numbered;
    }
    output
        .lines()
        .enumerate()
        .map(|(n, line)| (from + n, line))
        .collect()
}

/// The paths in a tree that `expand` printed: a head `⋯ FOLDER/:1-9`, then names,
/// two blanks deeper in each folder.
fn listed(output: &str) -> Vec<String> {
    let mut folders: Vec<String> = Vec::new();
    let mut paths = Vec::new();
    let mut base = String::new();
    for line in output.lines() {
        if let Some(head) = line.strip_prefix("⋯ ") {
            if let Some((folder, _)) = head.rsplit_once("/:") {
                base = match folder {
                    "." => String::new(),
                    folder => format!("{folder}/"),
                };
            }
            continue;
        }
        let name = line.trim_start();
        folders.truncate((line.len() - name.len()) / 2);
        match name.strip_suffix('/') {
            Some(folder) => folders.push(format!("{folder}/")),
            None => paths.push(format!("{base}{}{name}", folders.concat())),
        }
    }
    paths
}

/// For each line that an edit or an answer quotes, the last turn that does.
fn needs(session: &Session) -> Needs {
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

#[cfg(test)]
mod tests {
    use super::super::recorded::{Turn, read_session};
    use super::*;

    fn file() -> String {
        (1..=400)
            .map(|n| format!("def function_number_{n}(argument):\n    return argument + {n}\n\n"))
            .collect()
    }

    fn call(id: &str, name: &str, arguments: serde_json::Value) -> serde_json::Value {
        json!({"role": "assistant", "content": format!("Step {id}."), "tool_calls": [
            {"id": id, "function": {"name": name, "arguments": arguments.to_string()}}]})
    }

    fn answer(id: &str, text: &str) -> serde_json::Value {
        json!({"role": "tool", "tool_call_id": id, "content": text})
    }

    /// A whole read, an edit of a line far down, a search, a read of lines.
    fn session() -> Session {
        let text = file();
        let numbered: String = text
            .lines()
            .enumerate()
            .map(|(n, l)| format!("{:>6}\t{l}\n", n + 1))
            .collect();
        let old = "def function_number_390(argument):\n    return argument + 390\n";
        let new = "def function_number_390(argument):\n    return argument - 390\n";
        let messages = json!({"repo": "a/b", "base_commit": "c", "messages": [
            {"role": "user", "content": "Mend it."},
            call("1", "read_file", json!({"path": "/r/src/a.py"})),
            answer("1", &numbered),
            call("2", "edit_file", json!({"path": "/r/src/a.py", "old_str": old, "new_str": new})),
            answer("2", "done"),
            call("3", "grep_search", json!({"pattern": "number_39", "path": "/r/src"})),
            answer("3", "src/a.py:1168:def function_number_390(argument):"),
            call("4", "read_file", json!({"path": "src/a.py", "start_line": 1, "end_line": 6})),
            answer("4", numbered.lines().take(6).collect::<Vec<_>>().join("\n").as_str()),
            call("5", "bash", json!({"command": "python -m pytest"})),
            answer("5", "1 passed"),
        ]});
        read_session("s", &messages.to_string()).unwrap()
    }

    fn walked(session: &Session) -> Walked {
        let mut tree = Tree::of(&[("src/a.py", &file()), ("src/b.py", "x = 1\n")]).unwrap();
        let engine = Engine::new(tree.root());
        let policy = Policy::default();
        walk(session, &mut tree, &engine, &policy, &Cancel::new()).unwrap()
    }

    #[test]
    fn a_line_that_was_not_shown_is_read_again_before_its_edit() {
        let out = walked(&session());
        let tools: Vec<&str> = out.steps.iter().map(|s| s.tool.as_str()).collect();
        assert_eq!(
            tools,
            [
                "read_file",
                "re-read",
                "edit_file",
                "grep_search",
                "read_file",
                "bash"
            ]
        );
        assert!(out.steps[0].ours < out.steps[0].recorded / 3);
        assert_eq!(out.steps[1].state, State::Penalty);
        let edits = Edits {
            count: 1,
            exact: 1,
            missing: 1,
            ..Edits::default()
        };
        assert_eq!(out.edits, edits);
        // The oracle shows the line; the head of the file does not.
        let [ours, head, .., oracle] = out.controls;
        assert_eq!((ours.misses, head.misses, oracle.misses), (1, 1, 0));
        // Penalties are in the books: the steps' tokens are theirs.
        let prices = super::super::ledger::Prices::read(None, None).unwrap().1;
        let steps = |k: Kind| Kind::STEPS.contains(&k);
        let once = out.ours.sum(&prices, |k, _| steps(k)).once;
        assert_eq!(once, out.steps.iter().map(|s| s.ours).sum::<usize>() as f64);
        let once = out.recorded.sum(&prices, |k, _| steps(k)).once;
        assert_eq!(
            once,
            out.steps.iter().map(|s| s.recorded).sum::<usize>() as f64
        );
    }

    /// Nothing that comes later changes what trimtab is sent or answers before.
    #[test]
    fn the_future_changes_no_byte() {
        let session = session();
        let all = walked(&session);
        assert!(all.steps.iter().filter(|s| !s.digest.is_empty()).count() >= 5);
        for known in 1..session.turns.len() {
            let mut other = session.clone();
            other.turns[known..].reverse();
            other.turns.insert(
                known,
                Turn {
                    text: "    return argument + 200\ndef function_number_201(argument):".into(),
                    calls: Vec::new(),
                },
            );
            let other = walked(&other);
            let before = |w: &Walked| -> Vec<Step> {
                w.steps
                    .iter()
                    .filter(|s| s.turn <= known)
                    .cloned()
                    .collect()
            };
            assert!(!before(&all).is_empty());
            assert_eq!(before(&all), before(&other), "known: {known} turns");
        }
    }

    #[test]
    fn a_tree_that_is_listed_gives_its_paths() {
        let text = "⋯ src/:1-5\ndeep/\n  deeper/\n    c.py\n  b.py\na.py\n";
        assert_eq!(
            listed(text),
            ["src/deep/deeper/c.py", "src/deep/b.py", "src/a.py"]
        );
        assert_eq!(listed("⋯ ./:1-1\na.py\n"), ["a.py"]);
    }
}
