//! One session, walked step by step: each step charged as recorded and as trimtab
//! would have taken it, and every line that is needed looked for in what was shown.

mod compare;
mod parity;
mod shown;
mod step;
mod walked;
mod walker;

pub use step::{Edits, State, Step};
pub(super) use walked::{Ceiling, Walked};
pub use walked::{Control, SHARES, Survival};

use super::change::{self, Change};
use super::ledger::Kind;
use super::policy::{self, Moment, Policy, Taken};
use super::recorded::{Action, Call, Session};
use super::tree::Tree;
use super::view::{self, RECORDED, View};
use crate::error::Result;
use crate::search::Engine;
use crate::text::Lines;
use crate::tokens::count;
use crate::workspace::{Cancel, hash};
use std::collections::{HashMap, HashSet};
use walker::Walker;

/// Tokens of trimtab's tools in every request: what a test allows them at most.
/// The client's own tools stay and are charged on both sides.
const SCHEMAS: usize = 900;
/// Tokens of instructions and tools where a session does not say.
const INSTRUCTIONS: usize = 5_000;
/// Names that a query takes over from what was said before.
const NAMES: usize = 12;

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
        needs: parity::needs(session),
        outputs: Vec::new(),
        named: HashMap::new(),
        names: Vec::new(),
        cut: HashSet::new(),
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
        let change = change::change(self.tree, call);
        if let Some(change) = &change {
            self.sync(change)?;
        }
        let kind = step::kind(call, change.as_ref());
        self.outputs.push((kind, call.output.clone()));
        self.meet(call)?;
        let path = self.path(call);
        if let Some(path) = &path {
            self.search_again(turn, path);
        }
        if let Some(change) = &change {
            self.look(turn, change);
        }
        let written = step::written(call);
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
            about: step::about(call),
            recorded: arguments + output,
            ours: arguments + output,
            state: if diverged {
                State::Diverged
            } else {
                State::AsRecorded
            },
            digest: String::new(),
            why: String::new(),
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
                step.why = taken.why.clone();
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

    /// A file beside the repository that is read whole is from then on what the
    /// session saw.
    fn meet(&mut self, call: &Call) -> Result<()> {
        let Action::Read {
            path,
            from: None,
            count: None,
        } = &call.action
        else {
            return Ok(());
        };
        if call.failed || self.tree.file(path).is_some() {
            return Ok(());
        }
        let shown = shown::lines(&call.output, 1);
        // Links, folders and what is no text are told of in a sentence.
        let text: String = shown.iter().map(|(_, line)| format!("{line}\n")).collect();
        match self.tree.new_file(path) {
            Some(place) if shown.len() > 1 => self.tree.write(&place, &text),
            _ => Ok(()),
        }
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
        let shown = shown::lines(&call.output, from.unwrap_or(1));
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
}

#[cfg(test)]
mod tests {
    use super::super::recorded::{Turn, read_session};
    use super::*;
    use serde_json::json;

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
        assert!(
            out.steps[1].why.starts_with("line 1168 is edited: def "),
            "{}",
            out.steps[1].why
        );
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

    /// What trimtab finds in a large file is not in view for the controls, which
    /// show lines of their own.
    #[test]
    fn controls_do_not_see_what_trimtab_shows() {
        let mut session = session();
        session.task = "Mend function_number_200.".into();
        session.turns.truncate(1);
        session.turns.push(Turn {
            text: "It is wrong:\n    def function_number_200(argument):".into(),
            calls: Vec::new(),
        });
        let out = walked(&session);
        let [ours, head, ..] = out.controls;
        assert_eq!((ours.misses, head.misses), (0, 1), "{:?}", out.steps);
        assert_eq!((ours.shown, head.shown, ours.needed), (1, 0, 1));
    }

    /// Files that the session makes or reads outside its repository are walked like
    /// the repository's own.
    #[test]
    fn files_beside_the_repository_are_read_and_edited_through_trimtab() {
        let notes = "first note of many\nsecond note of many\n";
        let messages = json!({"repo": "a/b", "base_commit": "c", "messages": [
            {"role": "user", "content": "Mend it."},
            call("1", "write_file", json!({"path": "/w/try.py", "content": "x = 1\ny = 2\n"})),
            answer("1", "done"),
            call("2", "edit_file", json!({"path": "/w/try.py", "old_str": "x = 1\n", "new_str": "x = 3\n"})),
            answer("2", "     1\tx = 3\n     2\ty = 2\n"),
            call("3", "read_file", json!({"path": "/w/notes.txt"})),
            answer("3", "     1\tfirst note of many\n     2\tsecond note of many\n"),
            call("4", "grep_search", json!({"pattern": "second", "path": "/w/notes.txt"})),
            answer("4", "2:second note of many"),
        ]});
        let session = read_session("s", &messages.to_string()).unwrap();
        let out = walked(&session);
        let states: Vec<State> = out.steps.iter().map(|s| s.state).collect();
        assert_eq!(states, [State::Replayed; 4], "{:?}", out.steps);
        assert_eq!((out.edits.count, out.edits.exact), (1, 1));
        // What it was told is what it is told again, without the numbers.
        let whole = count(notes) + count(&out.steps[2].about);
        assert!(out.steps[2].ours > whole && out.steps[2].ours < whole + 60);
    }

    /// An edit that repeats the lines behind it is taken for made already. That changes
    /// nothing and says so: no wrong bytes, but the recorded edit is made as well.
    #[test]
    fn an_edit_that_changes_nothing_is_not_a_wrong_one() {
        let text = "def f():\n    one()\n    two()\n    return 1\n";
        let messages = json!({"repo": "a/b", "base_commit": "c", "messages": [
            {"role": "user", "content": "Mend it."},
            call("1", "write_file", json!({"path": "/w/try.py", "content": text})),
            answer("1", "done"),
            call("2", "str_replace", json!({"path": "/w/try.py", "old_str": "    one()\n",
                "new_str": "    one()\n    two()\n    return 1\n"})),
            answer("2", "done"),
        ]});
        let session = read_session("s", &messages.to_string()).unwrap();
        let out = walked(&session);
        let edits = Edits {
            count: 1,
            refused: 1,
            ..Edits::default()
        };
        assert_eq!(out.edits, edits, "{:?}", out.steps);
        assert_eq!(out.steps[1].state, State::Wasted);
        assert!(out.steps[1].why.starts_with("unchanged: "));
        assert!(out.steps[1].ours > out.steps[1].recorded);
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
}
