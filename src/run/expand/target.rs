//! What a target names: a handle, a file, lines, a symbol, a folder.

use crate::error::{Error, Result};
use crate::syntax::{self, Language};
use crate::text::Span;
use crate::workspace::{FilePath, Root, Store};
use std::path::Path;

/// What a target names.
pub(super) enum Found {
    Folder(FilePath),
    File(FilePath),
    Lines(FilePath, Span),
    Symbol(FilePath, String),
    Handle(crate::workspace::Omission),
}

/// A path that exists wins over every other reading of the target.
pub(super) fn find(root: &Root, target: &str) -> Result<Found> {
    let existing = |path: &str| -> Result<Option<FilePath>> {
        let path = root.resolve(path)?;
        Ok(path.abs.exists().then_some(path))
    };
    if let Some(path) = existing(target)? {
        return Ok(if path.abs.is_dir() {
            Found::Folder(path)
        } else {
            Found::File(path)
        });
    }
    if let Some((path, symbol)) = target.split_once('#')
        && let Some(path) = existing(path)?
    {
        return Ok(Found::Symbol(path, symbol.to_string()));
    }
    if let Some((path, range)) = target.rsplit_once(':')
        && let Some(span) = parse_span(range)
    {
        let missing = root.resolve(path)?;
        if !missing.abs.exists()
            && let Ok(mut omission) = Store::for_root(root)?.get(path)
        {
            omission.spans = vec![span];
            return Ok(Found::Handle(omission));
        }
        // Reading it gives the right error where it does not exist.
        return Ok(Found::Lines(missing, span));
    }
    if let Some((handle, marker)) = target.split_once('⋯') {
        let mut omission = Store::for_root(root)?.get(handle.trim())?;
        let line = marker.trim().parse::<usize>().ok();
        omission.spans.retain(|s| Some(s.start) == line);
        if omission.spans.is_empty() {
            return Err(Error::not_found(
                "unknown_marker",
                format!(
                    "The output under {:?} has no marker ⋯{marker}.",
                    handle.trim()
                ),
                "Copy the marker from the output, or ask for lines.",
            ));
        }
        return Ok(Found::Handle(omission));
    }
    if target.contains(['/', '.', '#', '\\']) {
        return Ok(Found::File(root.resolve(target)?));
    }
    Ok(Found::Handle(Store::for_root(root)?.get(target)?))
}

/// Reads `7` or `7-12` (also `7..12`, `L7-L12`) as lines.
pub fn parse_span(text: &str) -> Option<Span> {
    let number = |s: &str| {
        s.trim()
            .trim_start_matches(['L', 'l'])
            .parse::<usize>()
            .ok()
    };
    let (a, b) = text
        .split_once("..")
        .or_else(|| text.split_once(['-', '–', ',']))
        .unwrap_or((text, text));
    let (a, b) = (number(a)?, number(b)?);
    (a >= 1 && a <= b).then(|| Span::new(a, b))
}

/// Where a file defines a symbol, comments above it included.
pub(super) fn symbol_spans(path: &FilePath, text: &str, symbol: &str) -> Result<Vec<Span>> {
    let parsed = Language::detect(Path::new(&path.rel), text)
        .and_then(|language| syntax::parse(language, text))
        .ok_or_else(|| {
            Error::failure(
                "no_symbols",
                format!(
                    "{} is in no language whose definitions are known.",
                    path.rel
                ),
                format!("Ask for lines: {}:A-B.", path.rel),
            )
        })?;
    let definitions = parsed.definitions(text);
    let found: Vec<Span> = definitions
        .find(symbol)
        .iter()
        .map(|d| d.lines_with_docs())
        .collect();
    if found.is_empty() {
        let mut names: Vec<&str> = definitions.iter().map(|d| d.path.as_str()).collect();
        let wanted = symbol.to_lowercase();
        // Names that share letters with the wish first, then in file order.
        names.sort_by_key(|n| !n.to_lowercase().contains(&wanted));
        names.truncate(12);
        return Err(Error::not_found(
            "unknown_symbol",
            format!("{} defines no {symbol:?}.", path.rel),
            format!("It defines: {}.", names.join(", ")),
        ));
    }
    Ok(found)
}
