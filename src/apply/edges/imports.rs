//! Imports that new ones make superfluous: where a new statement brings in all that one of the
//! file does, both would bring it in twice.

use std::collections::BTreeSet;
use std::ops::Range;

use crate::apply::lines::line::{Class, Line, starts_comment};
use crate::apply::lines::shape::{import, net_brackets};
use crate::apply::lines::words::word_at;
use crate::apply::pass::align::Op;
use crate::apply::pass::context::{Ctx, anchors, same_line};
use crate::apply::pass::extent::Extent;
use crate::apply::refuse;
use crate::apply::snippet::script::Role;
use crate::error::Result;

/// The lines (from 0) of the file's import statements beside a segment that its new ones take
/// the place of.
///
/// # Errors
/// `duplicate_import` where such a statement stands apart from the segment.
pub(crate) fn superseded(
    ctx: &Ctx,
    k: usize,
    ops: &[Op],
    others: &[Vec<Op>],
) -> Result<Vec<usize>> {
    let old = taken_up(ctx, k, ops, others);
    let edge = Extent::of(k, ops);
    let clear = |j: usize| {
        let goes = |&(_, (x, y)): &(usize, (usize, usize))| x <= j && j < y;
        ctx.file[j].class == Class::Blank || old.iter().any(goes)
    };
    // Nothing that stays is between them and the segment.
    let beside = |from: usize, to: usize| match to <= edge.start {
        true => (to..edge.start).all(clear),
        false => from < edge.end || (edge.end..from).all(clear),
    };
    if let Some(&(i, (from, _))) = old.iter().find(|(_, (from, to))| !beside(*from, *to)) {
        return Err(refuse::brought_twice(ctx, i, from));
    }
    Ok(old
        .into_iter()
        .flat_map(|(_, (from, to))| from..to)
        .collect())
}

/// The file's import statements that new ones of a segment take up: the first snippet line of
/// the new one, and the lines of the old.
fn taken_up(ctx: &Ctx, k: usize, ops: &[Op], others: &[Vec<Op>]) -> Vec<(usize, (usize, usize))> {
    let (a, b) = ctx.bounds[k];
    if (a..b).any(|i| ctx.roles[i] != Role::Plain) {
        return Vec::new();
    }
    let new = new_statements(ctx, (a, b), ops);
    if new.is_empty() {
        return Vec::new();
    }
    let stays = |j: usize| {
        ops.iter()
            .any(|op| matches!(*op, Op::Pair(i, x) if x == j && same_line(ctx, i, x)))
    };
    // What another segment covers is its own to keep or take out.
    let covered = |j: usize| {
        others.iter().flatten().any(|op| match *op {
            Op::Pair(i, x) => x == j && !(a..b).contains(&i),
            Op::Delete(x) => x == j,
            Op::Insert(_) => false,
        })
    };
    let mut old: Vec<(usize, (usize, usize))> = Vec::new();
    for &(from, to) in &ctx.guides.imports {
        if ctx.file_cols(from) != 0 || (from..to).any(|j| stays(j) || covered(j)) {
            continue;
        }
        let lines = ctx.file.get(from..to).unwrap_or_default();
        let text = join(lines.iter().map(|l| l.trimmed));
        let brings = brought(&text);
        // It may be cut down, too, or brought in by several.
        let covers = |new: &&New| {
            let source = source(&text);
            let less = !new.brings.is_empty() && new.brings.is_subset(&brings);
            let shares = source.is_some() && !new.brings.is_disjoint(&brings);
            let other = || source.is_some() && is_given_up(ctx, from..to);
            brings.is_subset(&new.brings)
                || new.source.as_deref() == source && (less || shares || other())
        };
        let all = || brings.is_subset(&new.iter().flat_map(|n| n.brings.clone()).collect());
        let cover = new
            .iter()
            .find(covers)
            .or_else(|| new.first().filter(|_| all()));
        // What the snippet shows elsewhere stays.
        let mut others = ctx.lines[..a].iter().chain(&ctx.lines[b..]);
        let shown = others.any(|l| lines.first().is_some_and(|f| l.same(f)));
        if !brings.is_empty()
            && !shown
            && let Some(new) = cover
        {
            old.push((new.first, (from, to)));
        }
    }
    old
}

/// Whether nothing uses any more what an import of the file brings in, and something did before the edit.
fn is_given_up(ctx: &Ctx, own: Range<usize>) -> bool {
    let names = names(ctx, own.clone());
    !names.is_empty() && names.iter().all(|n| ctx.gives_up(n, &own))
}

/// Whether other lines of the file use what its import statement at line `j` brings in, and new
/// lines bring in nothing of it.
pub(crate) fn needed(ctx: &Ctx, new: &[usize], j: usize) -> bool {
    let own = ctx.guides.imports.iter().find(|d| d.0 <= j && j < d.1);
    let own = own.map_or(j..j + 1, |d| d.0..d.1);
    let given = |n: &str| {
        new.iter()
            .any(|&i| word_at(ctx.lines[i].trimmed, n).is_some())
    };
    let names = names(ctx, own.clone());
    !names.iter().any(|n| given(n)) && names.iter().any(|n| ctx.uses(n, &own))
}

/// Whether lines of the file are imports, and lines that stay use all that they bring in.
pub(crate) fn all_used(ctx: &Ctx, lines: Range<usize>) -> bool {
    let told = |j: &usize| {
        let l = &ctx.file[*j];
        l.class != Class::Blank && !starts_comment(l.trimmed)
    };
    let within = |d: &&(usize, usize)| lines.start <= d.0 && d.1 <= lines.end;
    let mut imports = ctx.guides.imports.iter().filter(within);
    let own = |j: &usize| ctx.guides.imports.iter().any(|d| d.0 <= *j && *j < d.1);
    let used = |&(from, to): &(usize, usize)| {
        let names = names(ctx, from..to);
        let told = |n: &str| {
            let mut lines = (0..ctx.file.len()).filter(|j| !own(j) && !ctx.touched.contains(j));
            lines.any(|j| {
                let t = ctx.file[j].trimmed;
                !starts_comment(t) && word_at(t, n).is_some()
            })
        };
        !names.is_empty() && names.iter().all(|n| told(n))
    };
    lines.clone().filter(told).all(|j| own(&j)) && imports.all(used)
}

/// Whether only the lines from `below` on use something that the edit no longer imports: it takes
/// them for gone.
pub(crate) fn used_below(ctx: &Ctx, below: usize) -> bool {
    let touches = |d: &&(usize, usize)| ctx.touched.range(d.0..d.1).next().is_some();
    let code = |l: &Line| !starts_comment(l.trimmed);
    let mut changed = ctx.guides.imports.iter().filter(touches);
    changed.any(|&(from, to)| {
        let names = names(ctx, from..to);
        let says = |l: &Line, n: &str| code(l) && word_at(l.trimmed, n).is_some();
        let given = |n: &str| ctx.lines.iter().any(|l| says(l, n));
        let stays = |n: &str, lines: Range<usize>| {
            let mut stays = lines.filter(|j| !(from..to).contains(j) && !ctx.touched.contains(j));
            stays.any(|j| says(&ctx.file[j], n))
        };
        let only = |n: &str| stays(n, below..ctx.file.len()) && !stays(n, 0..below);
        names.iter().any(|n| !given(n) && only(n))
    })
}

/// The names by which the file uses what an import statement in these lines brings in.
fn names(ctx: &Ctx, lines: Range<usize>) -> Vec<String> {
    let text = join(ctx.file[lines].iter().map(|l| l.trimmed));
    brought(&text).iter().filter_map(|b| name(b)).collect()
}

/// The name by which the file uses what an import brings in.
fn name(brings: &str) -> Option<String> {
    let path = brings
        .strip_prefix("name ")
        .or_else(|| brings.strip_prefix("path "))?;
    let last = path.split_whitespace().next_back()?;
    let last = last.rsplit(['.', ':', '\\', '/']).next()?;
    (last.len() > 1).then(|| last.to_string())
}

/// Refuses to take out imports, nothing new in their place, of which the rest of the file or the
/// edit uses what they bring in.
///
/// # Errors
/// `unexplained_removal`.
pub(crate) fn used(ctx: &Ctx, k: usize, ops: &[Op]) -> Result<()> {
    for change in ops.split(|op| anchors(ctx, op)) {
        let gone = change.iter().filter_map(|op| match *op {
            Op::Delete(j) => Some(j),
            _ => None,
        });
        let gone: Vec<usize> = gone.collect();
        let alone = change.iter().all(|op| match *op {
            Op::Insert(i) => ctx.lines[i].class == Class::Blank || import(ctx.lines[i].trimmed),
            Op::Pair(i, _) => ctx.lines[i].class == Class::Blank,
            Op::Delete(_) => true,
        });
        let (Some(&first), Some(&last)) = (gone.first(), gone.last()) else {
            continue;
        };
        if !alone {
            continue;
        }
        let gone = first..last + 1;
        let inside = |d: &&(usize, usize)| gone.start <= d.0 && d.1 <= gone.end;
        let brings = |j: &usize| ctx.guides.imports.iter().any(|d| (d.0..d.1).contains(j));
        let code = |j: &usize| {
            let t = ctx.file[*j].trimmed;
            ctx.file[*j].class != Class::Blank && !starts_comment(t) && !t.starts_with(['#', '@'])
        };
        // One that goes by itself was looked for, where markers say what stays.
        if ctx.script.markers > 0 && gone.clone().filter(code).all(|j| brings(&j)) {
            continue;
        }
        for &(a, b) in ctx.guides.imports.iter().filter(inside) {
            let names = names(ctx, a..b);
            let says = |i: &usize, n: &str| word_at(ctx.lines[*i].trimmed, n).is_some();
            let new = || (0..ctx.lines.len()).filter(|&i| !starts_comment(ctx.lines[i].trimmed));
            let given = |n: &str| new().any(|i| import(ctx.lines[i].trimmed) && says(&i, n));
            let uses = |n: &str| ctx.uses(n, &gone) || new().any(|i| says(&i, n));
            if names.iter().any(|n| !given(n) && uses(n)) {
                return Err(refuse::removed_at_edge(ctx, k, first, last));
            }
        }
    }
    Ok(())
}

/// A segment of new imports, none of which the file has, in the place of those that they take
/// up. Nothing where they take up none.
///
/// # Errors
/// `duplicate_import` where those stand apart from each other.
pub(crate) fn renewed(ctx: &Ctx, k: usize, others: &[Vec<Op>]) -> Result<Option<Vec<Op>>> {
    let (a, b) = ctx.bounds[k];
    let told = |i: &usize| ctx.lines[*i].class != Class::Blank;
    let (Some(first), Some(last)) = ((a..b).find(told), (a..b).rev().find(told)) else {
        return Ok(None);
    };
    // A statement may go on over lines.
    let mut open = 0;
    let mut is_import = |i: usize| {
        let goes_on = open > 0;
        open += net_brackets(ctx.lines[i].trimmed);
        goes_on || import(ctx.lines[i].trimmed)
    };
    if ctx.script.strict || !(first..=last).filter(told).all(&mut is_import) || open != 0 {
        return Ok(None);
    }
    let new: Vec<Op> = (first..=last).map(Op::Insert).collect();
    let mut old = taken_up(ctx, k, &new, others);
    old.sort_by_key(|(_, lines)| *lines);
    let mut gone: Vec<Op> = Vec::new();
    let mut end = None;
    for &(i, (from, to)) in &old {
        let gap = end.unwrap_or(from)..from;
        if gap.clone().any(|j| ctx.file[j].class != Class::Blank) {
            return Err(refuse::brought_twice(ctx, i, from));
        }
        gone.extend(gap.chain(from..to).map(Op::Delete));
        end = Some(to);
    }
    gone.extend(new);
    Ok(end.map(|_| gone))
}

/// A new import statement.
struct New {
    /// Its first snippet line.
    first: usize,
    brings: BTreeSet<String>,
    source: Option<String>,
}

/// The import statements of a segment that are no line of the file.
fn new_statements(ctx: &Ctx, (a, b): (usize, usize), ops: &[Op]) -> Vec<New> {
    let mut out = Vec::new();
    let mut i = a;
    while i < b {
        let first = i;
        let t = ctx.lines[i].trimmed;
        i += 1;
        let begins = ["import ", "from ", "use ", "using ", "pub use "];
        if ctx.cols(first) != 0 || !begins.iter().any(|w| t.starts_with(w)) {
            continue;
        }
        let mut open = net_brackets(t);
        while open > 0 && i < b {
            open += net_brackets(ctx.lines[i].trimmed);
            i += 1;
        }
        let new = |op: &Op| match *op {
            Op::Insert(x) => (first..i).contains(&x),
            Op::Pair(x, j) => (first..i).contains(&x) && !same_line(ctx, x, j),
            Op::Delete(_) => false,
        };
        if ops.iter().any(new) {
            let text = join(ctx.lines[first..i].iter().map(|l| l.trimmed));
            out.push(New {
                first,
                brings: brought(&text),
                source: source(&text).map(str::to_string),
            });
        }
    }
    out
}

fn join<'t>(lines: impl Iterator<Item = &'t str>) -> String {
    lines.collect::<Vec<_>>().join(" ")
}

/// Where the names come from that a statement brings in, where it says so apart from them.
fn source(statement: &str) -> Option<&str> {
    match statement.strip_prefix("from ") {
        Some(rest) => Some(rest.split_once(" import ")?.0.trim()),
        None => {
            let (_, source) = statement.rsplit_once(" from ")?;
            Some(source.trim_matches([' ', ';', '"', '\'']))
        }
    }
}

/// What an import statement brings in: names, paths or quoted sources, as its language has it.
fn brought(statement: &str) -> BTreeSet<String> {
    let text = statement.trim_end_matches(';').trim();
    let mut out = BTreeSet::new();
    let named = |list: &str, out: &mut BTreeSet<String>| {
        for item in list.split([',', '{', '}', '(', ')']) {
            // `type Name`, `name as other`.
            if let Some(name) = item.split_whitespace().next_back() {
                out.insert(format!("name {name}"));
            }
        }
    };
    if let Some(rest) = text.strip_prefix("from ") {
        if let Some((_, list)) = rest.split_once(" import ") {
            named(list, &mut out);
        }
    } else if let Some(rest) = text.strip_prefix("import ") {
        if let Some((list, _)) = rest.rsplit_once(" from ") {
            named(list, &mut out);
        } else if rest.contains(['"', '\'']) {
            let quoted = rest.split(['"', '\'']).skip(1).step_by(2);
            out.extend(quoted.map(|q| format!("source {q}")));
        } else {
            out.extend(rest.split(',').map(|p| format!("path {}", p.trim())));
        }
    } else if let Some(tree) = text.strip_prefix("use ") {
        paths("", tree, DEEPEST, &mut out);
    } else {
        out.insert(format!("path {text}"));
    }
    out
}

/// No tree of paths is deeper.
const DEEPEST: usize = 16;

/// The paths of a tree such as `a::{b, c::d}`, as far as it is so many levels deep.
fn paths(prefix: &str, tree: &str, levels: usize, out: &mut BTreeSet<String>) {
    let mut depth = 0usize;
    let pieces = tree.split(|c: char| {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        c == ',' && depth == 0
    });
    for piece in pieces.map(str::trim).filter(|p| !p.is_empty()) {
        match piece.split_once('{') {
            Some((head, inner)) if levels > 0 => {
                let inner = inner.trim_end().strip_suffix('}').unwrap_or(inner);
                paths(&format!("{prefix}{}", head.trim()), inner, levels - 1, out);
            }
            _ => {
                out.insert(format!("path {prefix}{piece}"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{brought, source};

    fn covers(new: &str, old: &str) -> bool {
        brought(old).is_subset(&brought(new))
    }

    #[test]
    fn a_statement_covers_another_that_brings_in_no_more() {
        for (new, old) in [
            ("use a::{b::C, d::{e, f::*}};", "use a::d::f::*;"),
            ("use std::path::{Path, PathBuf};", "use std::path::Path;"),
            ("import ( \"io\" \"net/http\" )", "import \"net/http\""),
            ("from b import (X, Y as Z)", "from a import X"),
            ("import { a, type B } from \"c\"", "import { B } from 'd'"),
        ] {
            assert!(covers(new, old), "{new} / {old}");
            assert!(!covers(old, new), "{old} / {new}");
        }
        for (new, old) in [
            ("from os import path", "import os"),
            ("import a.b.D;", "import a.b.C;"),
            ("use std::path::PathBuf;", "use std::path::Path;"),
            ("import x from \"y\"", "import \"y\""),
        ] {
            assert!(!covers(new, old), "{new} / {old}");
        }
        let deep = format!("use {}x;", "a::{".repeat(100_000));
        assert_eq!(brought(&deep).len(), 1);
    }

    #[test]
    fn names_come_from_a_source() {
        assert_eq!(source("from a.b import c"), Some("a.b"));
        assert_eq!(source("import { a } from \"b\";"), Some("b"));
        assert_eq!(source("use a::b;"), None);
    }
}
