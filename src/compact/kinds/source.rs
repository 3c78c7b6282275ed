//! Program text.
//!
//! The definitions that the query names come with their whole bodies, then the
//! lines that answer it with the headers around them, then an outline. Without
//! a query the outline is all there is to go by: signatures, first lines of
//! documentation, what is public before what is not.

use super::super::select::{Draft, NONE};
use super::super::view::View;
use super::super::words::{Hits, words};
use super::definitions::{Strength, definition};
use super::indent::indent;
use super::request::Request;
use super::search::{is_comment, is_import};
use super::spread::spread;
use crate::syntax::{self, Language};
use std::collections::{BTreeSet, HashMap};
use std::path::Path;

/// A definition and the lines it spans, counted from 0, `end` excluded.
#[derive(Debug, Clone)]
struct Block {
    name: String,
    /// First line, documentation and attributes included.
    start: usize,
    /// The line of the definition itself.
    head: usize,
    end: usize,
    strength: Strength,
    parent: Option<usize>,
}

/// Scores the lines of a program.
pub fn draft(view: &View, lines: &[&str], hits: &Hits, request: &Request) -> Draft {
    let n = lines.len();
    let mut draft = Draft::new(n);
    let blocks = by_grammar(view, request.file).unwrap_or_else(|| by_layout(lines));
    let innermost = innermost(&blocks, n);
    let mut names: HashMap<&str, Vec<usize>> = HashMap::new();
    for (i, b) in blocks.iter().enumerate() {
        names.entry(&b.name).or_default().push(i);
    }
    // How much of the query each definition answers.
    let relevance: Vec<f32> = blocks
        .iter()
        .map(|b| {
            if hits.is_empty() {
                return 0.0;
            }
            let named = hits.text(request.query, &b.name);
            let covered = hits.block(b.start..b.end);
            let bytes = view.pieces[b.end - 1].end - view.pieces[b.start].start;
            let tokens = bytes as f32 / 3.5;
            // A block that cannot fit says little about which of its lines to keep.
            let room = (0.7 * request.budget as f32 / tokens).min(1.0).sqrt();
            let lines = (b.end - b.start) as f32;
            let density = (b.start..b.end).map(|i| hits.line(i)).sum::<f32>() / lines.max(4.0);
            (1.3 * named + 0.5 * covered) * room + 0.8 * density
        })
        .collect();
    let asked: Vec<f32> = (0..n).map(|i| hits.line(i)).collect();
    let near = spread(&asked, 2, 3, 0.6);
    // Names that the best answer uses lead to their definitions.
    let mut mentioned: HashMap<usize, f32> = HashMap::new();
    if let Some(best) =
        (0..blocks.len()).max_by(|&a, &b| relevance[a].total_cmp(&relevance[b]).then(b.cmp(&a)))
        && relevance[best] > 0.0
    {
        let used: BTreeSet<&str> = lines[blocks[best].start..blocks[best].end]
            .iter()
            .flat_map(|l| words(l))
            .collect();
        for i in used.iter().filter_map(|w| names.get(w)).flatten() {
            if *i != best && blocks[*i].strength != Strength::Container {
                mentioned.insert(*i, relevance[best]);
            }
        }
    }
    for i in 0..n {
        let line = lines[i].trim();
        let block = innermost[i];
        if let Some(b) = block {
            draft.parent[i] = if blocks[b].head < i {
                blocks[b].head as u32
            } else {
                outer_head(&blocks, b, i)
            };
        }
        if line.is_empty() {
            continue;
        }
        let said = line.bytes().any(|c| c.is_ascii_alphanumeric());
        let mut worth = if said { 0.3 } else { 0.1 };
        worth += 10.0 * asked[i] + 2.0 * near[i];
        let mut at = block;
        let mut best = 0.0f32;
        while let Some(b) = at {
            best = best.max(relevance[b]);
            at = blocks[b].parent;
        }
        worth += 7.0 * best;
        let comment = is_comment(line);
        if comment {
            worth *= 0.6;
        }
        if is_import(line) {
            worth *= 0.7;
        }
        if let Some(b) = block
            && blocks[b].head == i
        {
            worth += outline(&blocks, b, line);
            worth += 4.0 * relevance[b];
            worth += 3.0 * mentioned.get(&b).copied().unwrap_or(0.0);
        } else if let Some(b) = block
            && i == blocks[b].start
            && comment
        {
            worth += 0.5;
        }
        draft.score[i] = worth;
    }
    draft
}

/// The worth of a signature in an outline.
fn outline(blocks: &[Block], b: usize, line: &str) -> f32 {
    let mut depth = 0;
    let mut at = blocks[b].parent;
    let mut local = false;
    while let Some(p) = at {
        depth += 1;
        local |= blocks[p].strength == Strength::Function;
        at = blocks[p].parent;
    }
    let kind = match blocks[b].strength {
        Strength::Container => 2.5,
        Strength::Function => 2.0,
        Strength::Value => 1.0,
    };
    let name = &blocks[b].name;
    let hidden = name.starts_with('_') && !name.starts_with("__")
        || line.starts_with("private")
        || line.starts_with("static ") && depth == 0;
    kind / (1.0 + 0.3 * depth as f32)
        * if local { 0.3 } else { 1.0 }
        * if hidden { 0.7 } else { 1.0 }
}

/// The header of the block around `b` that lies in front of line `i`.
fn outer_head(blocks: &[Block], b: usize, i: usize) -> u32 {
    match blocks[b].parent {
        Some(p) if blocks[p].head < i => blocks[p].head as u32,
        _ => NONE,
    }
}

/// The innermost block of every line.
fn innermost(blocks: &[Block], n: usize) -> Vec<Option<usize>> {
    let mut out = vec![None; n];
    // Parents come before their children, so children overwrite them.
    for (i, b) in blocks.iter().enumerate() {
        for slot in &mut out[b.start..b.end] {
            *slot = Some(i);
        }
    }
    out
}

/// Blocks by the grammar of the language, where there is one.
fn by_grammar(view: &View, file: Option<&str>) -> Option<Vec<Block>> {
    let language = Language::detect(Path::new(file.unwrap_or("")), &view.text)?;
    let parsed = syntax::parse(language, &view.text)?;
    let definitions = parsed.definitions(&view.text);
    let mut blocks: Vec<Block> = Vec::new();
    let mut of: Vec<Option<usize>> = Vec::new(); // definition to block
    for d in definitions.iter() {
        let strength = match d.kind {
            syntax::Kind::Function
            | syntax::Kind::Method
            | syntax::Kind::Test
            | syntax::Kind::Macro
            | syntax::Kind::Rule => Strength::Function,
            syntax::Kind::Constant
            | syntax::Kind::Variable
            | syntax::Kind::Field
            | syntax::Kind::Key
            | syntax::Kind::Type => Strength::Value,
            _ => Strength::Container,
        };
        let parent = d.parent.and_then(|p| of.get(p).copied().flatten());
        let docs = d.lines.start.saturating_sub(d.start_with_docs);
        let start = view.piece_at(d.bytes.start).saturating_sub(docs);
        let head = view.piece_at(d.name_bytes.start.max(d.bytes.start));
        let end = view.piece_at(d.bytes.end.saturating_sub(1)) + 1;
        // Several names on one line are one block.
        let same = blocks
            .last()
            .is_some_and(|b| b.head == head && b.end >= end);
        if same || start > head || head >= end {
            of.push(parent);
            continue;
        }
        of.push(Some(blocks.len()));
        blocks.push(Block {
            name: d.name.clone(),
            start,
            head,
            end,
            strength,
            parent,
        });
    }
    (!blocks.is_empty()).then_some(blocks)
}

/// Blocks by indentation: a definition lasts until the next line that is not
/// indented deeper, closing brackets and preprocessor lines aside.
fn by_layout(lines: &[&str]) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut open: Vec<(usize, usize)> = Vec::new(); // block, indent
    let mut last = 0; // behind the last line with text
    let mut docs: Option<usize> = None; // first line of a comment or attribute run
    for (i, line) in lines.iter().enumerate() {
        let t = line.trim_start();
        if t.is_empty() {
            docs = None;
            continue;
        }
        let depth = indent(line);
        let closer = t.starts_with(['}', ')', ']', '{']) || t == "end" || t.starts_with("end ");
        let directive = t.starts_with('#') && !t.starts_with("# ") && !t.starts_with("#[");
        let label = t.ends_with(':') && words(t).count() == 1 && depth == 0;
        if !(directive || label && open.last().is_some_and(|o| o.1 == 0)) {
            while let Some(&(b, d)) = open.last() {
                if d > depth || d == depth && !closer {
                    blocks[b].end = last;
                    open.pop();
                } else {
                    break;
                }
            }
        }
        if let Some((name, strength)) = definition(line) {
            blocks.push(Block {
                name: name.to_string(),
                start: docs.unwrap_or(i),
                head: i,
                end: i + 1,
                strength,
                parent: open.last().map(|o| o.0),
            });
            open.push((blocks.len() - 1, depth));
        }
        if is_comment(t) || t.starts_with('@') || t.starts_with("#[") {
            docs = docs.or(Some(i));
        } else {
            docs = None;
        }
        last = i + 1;
    }
    for (b, _) in open {
        blocks[b].end = last;
    }
    blocks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_follow_the_layout() {
        let text = "class A:\n    # says\n    def f(\n        self,\n    ) -> int:\n        return 1\n\n    def g(self):\n        pass\n\nX = 1\n";
        let lines: Vec<_> = text.lines().collect();
        let blocks = by_layout(&lines);
        let seen: Vec<_> = blocks
            .iter()
            .map(|b| (b.name.as_str(), b.start, b.head, b.end))
            .collect();
        assert_eq!(
            seen,
            [
                ("A", 0, 0, 9),
                ("f", 1, 2, 6),
                ("g", 7, 7, 9),
                ("X", 10, 10, 11)
            ]
        );
        assert_eq!(blocks[2].parent, Some(0));
    }
}
