//! Definitions that an edit would put in a second time, and those that it takes out.

use std::collections::{BTreeMap, BTreeSet};

use super::facts::Facts;
use super::merge::MergeOptions;
use super::signature::implemented;
use crate::error::{Error, Result};
use crate::syntax::{Definition, Definitions, Kind};

/// Whether two keys, of which one ends where the other one begins or before, stand in the
/// same object: nothing between them closes it or begins another item of a list.
fn same_object(text: &str, end: usize, start: usize) -> bool {
    let between = text.get(end..start).unwrap_or_default();
    let mut depth = 0;
    let inside = between.bytes().all(|b| {
        match b {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth -= 1,
            _ => {}
        }
        depth >= 0
    });
    inside
        && between
            .lines()
            .skip(1)
            .all(|l| !l.trim_start().starts_with(['-', '[']))
}

/// Whether a second definition of the name beside the first is a mistake.
fn named_once(all: &Definitions, d: &Definition) -> bool {
    match d.kind {
        Kind::Section | Kind::Element | Kind::Rule | Kind::Impl | Kind::Module => false,
        Kind::Variable => false,
        Kind::Constant | Kind::Field => d
            .parent
            .and_then(|p| all.get(p))
            .is_none_or(|p| p.kind.is_type()),
        _ => true,
    }
}

/// How often a text gives a name a definition, and the line of the last one, by qualified
/// name and what tells definitions of one name apart.
fn counted<'d>(
    found: &'d Definitions,
    text: &'d str,
    overloads: bool,
) -> BTreeMap<Place<'d>, (usize, usize)> {
    let mut names = BTreeMap::new();
    let mut ends: BTreeMap<&str, usize> = BTreeMap::new();
    for d in found.iter().filter(|d| named_once(found, d)) {
        // The objects of a list have the same keys.
        if d.kind == Kind::Key
            && let Some(end) = ends.insert(&d.path, d.bytes.end)
            && !same_object(text, end, d.name_bytes.start)
        {
            continue;
        }
        let parent = d.parent.and_then(|p| found.get(p));
        let within = parent.map(|p| (p.kind, implemented(p.first_line(text))));
        let apart = if d.kind.is_value() {
            // Branches may each give the same name a value.
            let start = text.get(..d.bytes.start).unwrap_or_default();
            let indent = start.len() - start.rfind('\n').map_or(0, |p| p + 1);
            Apart::Indent(indent)
        } else {
            Apart::Signature {
                signature: if overloads { &d.signature } else { "" },
                condition: condition(text, d),
            }
        };
        let e = names
            .entry((d.path.as_str(), within, apart))
            .or_insert((0, 0));
        *e = (e.0 + 1, d.lines.start);
    }
    names
}

/// The attribute above a definition that says when it is compiled: of two that are not at once, both
/// may have one name.
fn condition<'d>(text: &'d str, d: &Definition) -> &'d str {
    let line = |at: usize| {
        text.get(..at)
            .and_then(|t| t.rfind('\n'))
            .map_or(0, |p| p + 1)
    };
    let above = d.lines.start.saturating_sub(d.start_with_docs);
    let start = (0..above).fold(line(d.bytes.start), |at, _| line(at.saturating_sub(1)));
    let said = text.get(start..d.name_bytes.start).unwrap_or_default();
    let mut said = said.lines().map(str::trim);
    said.find(|l| l.starts_with("#[cfg(")).unwrap_or_default()
}

/// What tells two definitions of one name apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Apart<'d> {
    Signature {
        signature: &'d str,
        /// On what it is compiled, as said above it.
        condition: &'d str,
    },
    /// For a value.
    Indent(usize),
}

/// Where a definition is, by its path, what is around it (a type may give what it declares in a block
/// of its own, told by what that implements), and what tells it from others of its name there.
type Place<'d> = (&'d str, Option<(Kind, Option<&'d str>)>, Apart<'d>);

/// No definition may be there twice that was not before; those gone are named.
pub(super) fn definitions(
    before: &Facts,
    found: &Definitions,
    after: &str,
    options: &MergeOptions,
) -> Result<Vec<String>> {
    let overloads = before.parsed().is_some_and(|p| p.language().overloads());
    let was = counted(before.definitions(), before.text(), overloads);
    let is = counted(found, after, overloads);
    for (key, &(n, line)) in &is {
        let had = was.get(key).map_or(0, |w| w.0);
        if n > 1 && n > had {
            return Err(Error::refused(
                "duplicate_definition",
                format!(
                    "Merged, {} would define `{}` twice (again at line {line}).",
                    options.path, key.0
                ),
                format!(
                    "Give `{}` where it stands in the file, with its header, or remove the old one with `-` lines.",
                    key.0
                ),
            ));
        }
    }
    let still: BTreeSet<&str> = is.keys().map(|k| k.0).collect();
    let mut gone: Vec<String> = was
        .keys()
        .filter(|k| !still.contains(k.0) && matches!(k.2, Apart::Signature { .. }))
        .map(|k| k.0.to_string())
        .collect();
    gone.dedup();
    Ok(gone)
}
