//! A folder's tree.

use super::expanded::{ExpandOptions, Expanded, Piece};
use super::grep::regex;
use crate::error::{Error, Result};
use crate::text::{Lines, Span};
use crate::tokens;
use crate::workspace::{Cancel, FilePath, Root, Scope, walk};
use std::collections::BTreeMap;

/// The tree of a folder, as deep as the budget allows.
pub(super) fn folder(
    root: &Root,
    path: &FilePath,
    options: &ExpandOptions,
    cancel: &Cancel,
) -> Result<Expanded> {
    let files = walk(root, &Scope::default(), cancel)?;
    let inside = |rel: &str| -> Option<String> {
        if path.abs == root.dir() {
            return Some(rel.to_string());
        }
        Some(
            rel.strip_prefix(&root.relative(&path.abs))?
                .strip_prefix('/')?
                .to_string(),
        )
    };
    let filter = options.grep.as_deref().map(regex).transpose()?;
    let mut tree = Node::default();
    for file in files.iter().filter_map(|f| inside(&f.rel)) {
        if filter.as_ref().is_none_or(|r| r.is_match(&file)) {
            tree.add(&file);
        }
    }
    let budget = options.budget.unwrap_or(usize::MAX);
    let at = |depth: usize| {
        let mut text = String::new();
        let cut = tree.render(0, depth, &mut text);
        let lines = Lines::new(&text).len().max(1);
        let rest = if cut {
            "⋯ folders shown with a count are not opened: expand them\n".to_string()
        } else {
            String::new()
        };
        Expanded {
            pieces: vec![Piece {
                source: format!("{}/", path.rel.trim_end_matches('/')),
                span: Span::new(1, lines),
                text,
            }],
            rest,
        }
    };
    let mut best = None;
    for depth in 1..=tree.depth().max(1) {
        cancel.check()?;
        let deeper = at(depth);
        if tokens::fits(&deeper.render(), budget) {
            best = Some(deeper);
        }
    }
    best.ok_or_else(|| {
        Error::failure(
            "budget_too_small",
            format!(
                "A budget of {budget} tokens cannot hold the first level of {}.",
                path.rel
            ),
            format!(
                "Allow at least {} tokens, or expand a folder inside.",
                tokens::count(&at(1).render())
            ),
        )
    })
}

/// A folder: its folders and files by name.
#[derive(Default)]
struct Node {
    folders: BTreeMap<String, Node>,
    files: Vec<String>,
    count: usize,
}

impl Node {
    fn add(&mut self, path: &str) {
        let mut node = self;
        let mut parts = path.split('/').peekable();
        while let Some(part) = parts.next() {
            node.count += 1;
            if parts.peek().is_none() {
                node.files.push(part.to_string());
                return;
            }
            node = node.folders.entry(part.to_string()).or_default();
        }
    }

    fn depth(&self) -> usize {
        1 + self.folders.values().map(Node::depth).max().unwrap_or(0)
    }

    /// Whether a folder stayed closed.
    fn render(&self, indent: usize, depth: usize, out: &mut String) -> bool {
        let mut cut = false;
        for (name, folder) in &self.folders {
            let pad = "  ".repeat(indent);
            if depth > 1 {
                out.push_str(&format!("{pad}{name}/\n"));
                cut |= folder.render(indent + 1, depth - 1, out);
            } else {
                out.push_str(&format!("{pad}{name}/ ({})\n", folder.count));
                cut = true;
            }
        }
        for name in &self.files {
            out.push_str(&format!("{}{name}\n", "  ".repeat(indent)));
        }
        cut
    }
}
