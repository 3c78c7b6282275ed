//! Definitions that an edit would put in a second time, and those that it takes out.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::apply::lines::facts::Facts;
use crate::apply::lines::shape::{branches, condition};
use crate::apply::options::MergeOptions;
use crate::apply::pass::signature::{doubled, implemented};
use crate::error::{Error, Result};
use crate::syntax::{Definition, Definitions, Kind};
use crate::text::changed;

/// Bytes of its line in front of a definition.
fn column(text: &str, d: &Definition) -> usize {
    let above = text.get(..d.bytes.start).unwrap_or_default();
    above.len() - above.rfind('\n').map_or(0, |p| p + 1)
}

/// Whether two definitions, of which one (at a column) ends where the other one begins or before,
/// stand in the same block or object: nothing between them closes it, begins another item of a
/// list, or is a further branch of what both are in.
fn same_block(text: &str, (above, end): (usize, usize), start: usize) -> bool {
    let between = text.get(end..start).unwrap_or_default();
    let indent = |l: &str| l.len() - l.trim_start().len();
    let ends = |l: &str| l.trim() == "end" && indent(l) < above;
    let own = between.lines().last().map_or(0, indent);
    let branch = |l: &str| indent(l) < own && branches(l.trim_start());
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
        && depth == 0
        && between
            .lines()
            .skip(1)
            .all(|l| !l.trim_start().starts_with(['-', '[']) && !branch(l) && !ends(l))
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
    let mut ends: HashMap<&str, ((usize, usize), Option<usize>)> = HashMap::new();
    for d in found.iter().filter(|d| named_once(found, d)) {
        let parent = d.parent.and_then(|p| found.get(p));
        // The objects of a list have the same keys, and those of a function the same methods; a type
        // may be given in several parts.
        let told = parent.is_none_or(|p| p.kind.is_type() || p.kind == Kind::Module);
        let column = column(text, d);
        if let Some((end, above)) = ends.insert(&d.path, ((column, d.bytes.end), d.parent))
            && (d.kind == Kind::Key || !told || above == d.parent)
            && !same_block(text, end, d.name_bytes.start)
        {
            continue;
        }
        let within = parent.map(|p| {
            (
                p.kind,
                implemented(p.first_line(text)).or(arguments(p, text)),
            )
        });
        let apart = if d.kind.is_value() {
            // Branches may each give the same name a value.
            Apart::Indent(column)
        } else {
            Apart::Signature {
                signature: if overloads { &d.signature } else { "" },
                condition: compiled(text, d),
            }
        };
        let e = names
            .entry((d.path.as_str(), within, apart))
            .or_insert((0, 0));
        *e = (e.0 + 1, d.lines.start);
    }
    names
}

/// What stands in angle brackets behind the name of a type: of a template, there may be one for each.
fn arguments<'d>(d: &Definition, text: &'d str) -> Option<&'d str> {
    let rest = text.get(d.name_bytes.end..d.bytes.end)?;
    let mut open = 0;
    let end = rest.char_indices().find(|&(_, c)| {
        open += match c {
            '<' => 1,
            '>' => -1,
            _ => 0,
        };
        open <= 0
    })?;
    (end.0 > 0).then(|| &rest[..=end.0])
}

/// The line (1-based) of the branch of a preprocessor's condition that a line is in.
fn branch(text: &str, line: usize) -> Option<usize> {
    let above: Vec<&str> = text.lines().take(line).collect();
    let mut ended = 0;
    for (n, l) in above.iter().enumerate().rev() {
        match condition(l.trim_start()) {
            Some("endif") => ended += 1,
            Some("if" | "ifdef" | "ifndef") if ended > 0 => ended -= 1,
            Some(_) if ended == 0 => return Some(n + 1),
            _ => {}
        }
    }
    None
}

/// Whether a preprocessor sees one definition of a path at a time.
fn conditional(found: &Definitions, path: &str, text: &str) -> bool {
    let mut seen = BTreeSet::new();
    let same = || found.iter().filter(|d| d.path == path);
    // A macro may be taken back.
    let taken_back = |d: &Definition| {
        d.first_line(text).starts_with('#')
            && text.lines().any(|l| {
                let name = l.trim_start().strip_prefix('#').map(str::trim_start);
                name.and_then(|l| l.strip_prefix("undef ")).map(str::trim) == Some(&d.name)
            })
    };
    same().all(|d| seen.insert(branch(text, d.lines.start))) || same().all(taken_back)
}

/// The attribute above a definition that says when it is compiled: of two that are not at once, both
/// may have one name.
fn compiled<'d>(text: &'d str, d: &Definition) -> &'d str {
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

/// A new type right below another one may not have members of that: its header would have come between
/// them.
fn split(before: &Facts, found: &Definitions, path: &str) -> Result<()> {
    let old = before.definitions();
    let types = |all: &'_ Definitions| -> BTreeSet<String> {
        let types = all.iter().filter(|d| d.kind.is_type());
        types.map(|d| d.path.clone()).collect()
    };
    let (was, is) = (types(old), types(found));
    if is.is_subset(&was) {
        return Ok(());
    }
    let members = |all: &'_ Definitions, of: &str| -> Vec<String> {
        let own = all.iter().filter(|d| {
            let parent = d.parent.and_then(|p| all.get(p));
            d.kind.is_callable() && parent.is_some_and(|p| p.path == of)
        });
        own.map(|d| d.name.clone()).collect()
    };
    let all: Vec<&Definition> = found.iter().filter(|d| d.kind.is_type()).collect();
    for pair in all.windows(2) {
        let [above, new] = pair else { continue };
        let beside = above.parent == new.parent && above.lines.end < new.lines.start;
        if !beside || was.contains(&new.path) || !was.contains(&above.path) {
            continue;
        }
        let left = members(found, &above.path);
        let taken = members(found, &new.path);
        let all = members(old, &above.path);
        let is_lost = |m: &&String| !left.contains(m) && taken.contains(m);
        let from = all.iter().position(|m| is_lost(&m)).unwrap_or(all.len());
        let below = all.get(from..).unwrap_or_default();
        // A header takes all that is below it: where some of that stays, the others have been moved.
        if let Some(member) = below.first()
            && !below.iter().any(|m| left.contains(m))
        {
            return Err(Error::refused(
                "split_definition",
                format!(
                    "Merged, `{}` of {path} would lose `{member}` to `{}`, which would begin above it.",
                    above.path, new.path
                ),
                format!(
                    "If `{}` takes its place, send the old header with `-` in front; if it is a new one, give it whole.",
                    new.name
                ),
            ));
        }
    }
    Ok(())
}

/// No function that the file has may get a parameter twice: a header that shows on one line what the
/// file's has on several would.
fn parameters(before: &Facts, found: &Definitions, after: &str, path: &str) -> Result<()> {
    // A declaration may give types alone.
    if before.parsed().is_some_and(|p| p.language().preprocessed()) {
        return Ok(());
    }
    let old = before.definitions();
    let (_, put) = changed(before.text(), after);
    let touched = |d: &&Definition| d.bytes.start < put.end && put.start < d.bytes.end;
    let functions = found.iter().filter(|d| d.kind.is_callable());
    for new in functions.filter(touched) {
        let Some(twice) = doubled(header(new, after)) else {
            continue;
        };
        let mut had = old.find(&new.path).into_iter().peekable();
        if had.peek().is_some() && had.all(|d| doubled(header(d, before.text())).is_none()) {
            return Err(Error::refused(
                "duplicate_definition",
                format!(
                    "Merged, `{}` of {path} (line {}) would have the parameter `{twice}` twice.",
                    new.path, new.lines.start
                ),
                "Give the header as the file has it, each line of it.",
            ));
        }
    }
    Ok(())
}

/// A definition from its name up to its body.
fn header<'t>(d: &Definition, text: &'t str) -> &'t str {
    let end = d.body.as_ref().map_or(d.bytes.end, |b| b.start);
    text.get(d.name_bytes.start..end).unwrap_or_default()
}

/// No definition may be there twice that was not before; those gone are named.
pub(super) fn definitions(
    before: &Facts,
    found: &Definitions,
    after: &str,
    options: &MergeOptions,
) -> Result<Vec<String>> {
    let overloads = before.parsed().is_some_and(|p| p.language().overloads());
    let (old, text) = (before.definitions(), before.text());
    let (was, is) = rayon::join(
        || counted(old, text, overloads),
        || counted(found, after, overloads),
    );
    for (key, &(n, line)) in &is {
        let had = was.get(key).map_or(0, |w| w.0);
        if n > 1 && n > had && !conditional(found, key.0, after) {
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
    split(before, found, &options.path)?;
    parameters(before, found, after, &options.path)?;
    let still: BTreeSet<&str> = is.keys().map(|k| k.0).collect();
    let mut gone: Vec<String> = was
        .keys()
        .filter(|k| !still.contains(k.0) && matches!(k.2, Apart::Signature { .. }))
        .map(|k| k.0.to_string())
        .collect();
    gone.dedup();
    Ok(gone)
}
