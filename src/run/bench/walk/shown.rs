//! What each step brought into view, and which files and names it named.

use super::super::policy::Taken;
use super::super::recorded::{Action, Call};
use super::super::view::{self, OURS, RECORDED};
use super::walker::Walker;
use crate::text::{Lines, Span};
use crate::tokens::count;
use std::collections::BTreeMap;

impl Walker<'_> {
    /// What came into view with a step.
    pub(super) fn show(
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
                    let lines = lines(&call.output, from.unwrap_or(1));
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
        // A control shows lines of its own where trimtab shortened.
        let ways = if taken.cut.is_some() { OURS } else { others };
        self.view.show_lines(taken.output.lines(), ways);
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
                let text = Lines::new(&text);
                self.view.show(path, &text, lines.iter().copied(), ways);
            }
        }
        if let Some(path) = &taken.cut
            && let Some(text) = self.tree.text(path)
        {
            self.cut.insert(path.clone());
            self.compare(path, &text, turn, call, taken, query);
        }
    }

    /// Lines that a search printed, where it named their file.
    pub(super) fn show_matches(&mut self, output: &str, only: Option<&str>, ways: u8) {
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
    pub(super) fn name(&mut self, step: usize, output: &str, ways: u8) {
        let words = output.split(|c: char| c.is_whitespace() || ":()\"',".contains(c));
        for word in words.filter(|w| w.contains('.') && w.len() > 2) {
            if let Some(path) = self.tree.file(word) {
                self.named.entry(path).or_insert((step, 0)).1 |= ways;
            }
        }
    }

    /// Names in what was said: what looks like code, not like a word.
    pub(super) fn remember(&mut self, text: &str) {
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

/// Numbers and texts of the lines that a read printed; numbered from `from` where
/// it printed no numbers.
pub(super) fn lines(output: &str, from: usize) -> Vec<(usize, &str)> {
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
pub(super) fn listed(output: &str) -> Vec<String> {
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

#[cfg(test)]
mod tests {
    use super::*;

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
