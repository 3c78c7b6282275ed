//! Lines that the caller wants in whatever happens.

use super::view::View;
use regex::Regex;

const OPEN: &str = "<keepContext>";
const CLOSE: &str = "</keepContext>";

/// The pieces (from 0) that match one of the patterns or lie between lines that
/// open and close with keep tags, the tags included; an open one lasts to the end.
pub fn forced(view: &View, patterns: &[Regex]) -> Vec<usize> {
    forced_from(view, patterns, &mut false)
}

/// [`forced`] for a text that comes in parts: `inside` says whether keep tags are
/// open where this part begins, and afterwards whether they are at its end.
pub fn forced_from(view: &View, patterns: &[Regex], inside: &mut bool) -> Vec<usize> {
    let mut forced = Vec::new();
    for i in 0..view.len() {
        let line = view.get(i);
        let trimmed = line.trim();
        let opens = trimmed == OPEN;
        let closes = trimmed == CLOSE;
        if *inside || opens || patterns.iter().any(|p| p.is_match(line)) {
            forced.push(i);
        }
        *inside = (*inside || opens) && !closes;
    }
    forced
}
