//! Tokens that one action costs an agent, done in several ways.
//!
//! An action is: find a named definition, have all of its lines in view, change
//! one line of it. Each way is charged what the model would read (`input`: results
//! of searches, reads and edits) and write (`output`: queries and edits). Every way
//! must end with the same lines in view and the same bytes in the file: where one
//! does not, the read or the edit that makes up for it is charged too.

use super::action::actions;
use super::cost::Cost;
use super::ways;
use crate::error::{Error, Result};
use crate::workspace::{Cancel, Root};
use serde::Serialize;

/// One way of doing the actions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Way {
    /// What it does.
    pub name: &'static str,
    /// What it cost.
    pub cost: Cost,
    /// What it cost for each action, in the order of [`Report::actions`].
    pub each: Vec<usize>,
}

/// The actions of a tree, done in every way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// `path:start-end symbol` of each action's definition.
    pub actions: Vec<String>,
    /// The ways; the last one is trimtab's.
    pub ways: Vec<Way>,
}

/// What the row of a hosted service rests on.
pub(super) const PUBLISHED: &str = "Morph's row is no measurement: it is the grep way with an edit as short as Morph's own \
benchmark says (38% less to write than search/replace). Morph publishes 10,500 tokens a second and 98% right for its \
edits (2.9 s an edit when we tried) and 33,000 tokens a second for compaction; its figures are not checked for \
what stays in view.";

/// Measures `count` actions over the definitions of a tree. The choice depends on
/// nothing but the tree.
///
/// # Errors
/// `no_actions` where the tree holds no definition that could be used, and what
/// `cancel` says.
pub fn bench(
    root: &Root,
    count: usize,
    cancel: &Cancel,
    mut progress: impl FnMut(usize),
) -> Result<Report> {
    let actions = actions(root, count, cancel)?;
    if actions.is_empty() {
        return Err(Error::not_found(
            "no_actions",
            "No file under the root holds a definition of 6 to 150 lines with a name of its own.",
            "Name a source tree with --root.",
        ));
    }
    let mut ways: Vec<Way> = ways::ALL
        .iter()
        .map(|(name, _)| Way {
            name,
            cost: Cost::default(),
            each: Vec::new(),
        })
        .collect();
    for (done, action) in actions.iter().enumerate() {
        for (way, (_, cost)) in ways.iter_mut().zip(ways::ALL) {
            cancel.check()?;
            let cost = cost(root, action, cancel)?;
            way.each.push(cost.total());
            way.cost.add(&cost);
        }
        progress(done + 1);
    }
    Ok(Report {
        actions: actions.iter().map(ToString::to_string).collect(),
        ways,
    })
}

impl Report {
    /// A table for people, with the saving against each way in its last column.
    pub fn render(&self) -> String {
        let n = self.actions.len();
        let ours = self.ways.last().map_or(0, |w| w.cost.total());
        let mut out = format!(
            "{n} actions: find a definition, have all its lines in view, change one line (o200k tokens per action)\n\n\
             {:<44} {:>8} {:>8} {:>8}  {:>6} {:>7} {:>5}  saved by trimtab\n",
            "way", "input", "output", "both", "missed", "refused", "wrong"
        );
        for way in &self.ways {
            let c = &way.cost;
            let saved = 100.0 * (1.0 - ours as f64 / c.total().max(1) as f64);
            out.push_str(&format!(
                "{:<44} {:>8} {:>8} {:>8}  {:>6} {:>7} {:>5}  {}\n",
                way.name,
                c.input / n,
                c.output / n,
                c.total() / n,
                c.misses,
                c.refused,
                c.wrong,
                if c.total() == ours {
                    String::new()
                } else {
                    format!("{saved:.0}%")
                },
            ));
        }
        out.push_str(&format!("\n{PUBLISHED}\n"));
        out.push_str(
            "\nCharged: queries, results, reads that a miss makes necessary, edits, replies, failed edits \
             and what replaces them.\nNot charged: tool schemas, reasoning, re-sending on later turns.\n",
        );
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn place() -> (tempfile::TempDir, Root) {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("tree")).unwrap();
        for file in 0..6 {
            let text: String = (0..30)
                .map(|n| {
                    format!(
                        "/// Does step {n}.\npub fn step_{file}_{n}(input: u32) -> u32 {{\n    let first = input + {n};\n    \
                         let second = first * 2;\n    let third = second - 1;\n    third + first\n}}\n\n"
                    )
                })
                .collect();
            fs::write(dir.path().join(format!("tree/m{file}.rs")), text).unwrap();
        }
        let root = Root::open(&dir.path().join("tree")).unwrap();
        (dir, root)
    }

    #[test]
    fn the_same_tree_gives_the_same_report() {
        let (dir, root) = place();
        let root = root.with_home(dir.path());
        let run = || bench(&root, 6, &Cancel::new(), |_| {}).unwrap();
        let report = run();
        assert_eq!(report, run());
        assert_eq!(report.actions.len(), 6);
        for way in &report.ways {
            assert_eq!(way.each.len(), 6);
            assert_eq!(way.each.iter().sum::<usize>(), way.cost.total());
            assert_eq!(way.cost.wrong, 0, "{}", way.name);
        }
        // Whole files cost more than what is looked for.
        let both = |name: &str| {
            let way = report.ways.iter().find(|w| w.name.starts_with(name));
            way.map(|w| w.cost.total()).unwrap()
        };
        assert!(both("whole files") > both("trimtab"));
        assert!(report.render().contains("saved by trimtab"));
        // Measuring changes nothing.
        assert!(crate::workspace::history(&root).is_empty());
    }

    #[test]
    fn a_tree_without_code_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("a.txt"), "text\n").unwrap();
        let root = Root::open(dir.path()).unwrap();
        let e = bench(&root, 5, &Cancel::new(), |_| {}).unwrap_err();
        assert_eq!(e.code, "no_actions");
    }
}
