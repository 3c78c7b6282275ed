//! What was compacted and sent before.
//!
//! A text may hold outputs of this engine: a session that goes on, a log put
//! together from earlier answers. A provider's prompt cache holds as long as the
//! bytes before stay the same, so such a part is kept as it is or left out as a
//! whole, never shortened again; at the start of a text it even precedes the
//! marker that says what this call left out. Its markers go on to resolve under
//! the handle that it names itself.

use super::select::{Draft, NONE};
use super::view::View;
use std::ops::Range;

/// The worth of a part that was sent before: above that of any line.
const WORTH: f32 = 1000.0;

/// Lets every part that was compacted before stand or fall as one.
pub fn hold(view: &View, draft: &mut Draft) {
    for part in sealed(view) {
        // Every line depends on the one before, so the last one brings them all.
        for i in part.clone() {
            draft.score[i] = 0.0;
            if i > part.start {
                draft.parent[i] = i as u32 - 1;
            } else if draft.parent[i] != NONE && draft.parent[i] as usize >= i {
                draft.parent[i] = NONE;
            }
        }
        draft.score[part.end - 1] = WORTH;
        draft.first.retain(|i| !part.contains(i));
        draft.first.insert(0, part.end - 1);
        if part.start == 0 {
            draft.sealed = part.end;
        }
    }
}

/// The parts (lines from 0) that are whole outputs of this engine.
fn sealed(view: &View) -> Vec<Range<usize>> {
    let mut parts: Vec<Range<usize>> = Vec::new();
    let mut i = 0;
    while i < view.len() {
        let line = view.get(i);
        let Some((omitted, total)) = line.starts_with('⋯').then(|| head(line)).flatten() else {
            i += 1;
            continue;
        };
        // An output that itself began with what was sent before counts those
        // lines as its own.
        let before = parts.last().filter(|p| p.end == i).map(|p| p.start);
        let nested = before.and_then(|start| {
            let kept = (total - omitted).checked_sub(i - start)?;
            Some((start, end(view, i + 1, i - start, kept)?))
        });
        let alone = || Some((i, end(view, i + 1, 0, total - omitted)?));
        match nested.or_else(alone) {
            Some((start, end)) => {
                parts.retain(|p| p.start != start);
                parts.push(start..end);
                i = end;
            }
            None => i += 1,
        }
    }
    parts
}

/// How many of how many lines a marker at the head says are omitted.
fn head(line: &str) -> Option<(usize, usize)> {
    let (counts, rest) = line
        .strip_prefix('⋯')?
        .split_once(" lines omitted; expand ")?;
    let (omitted, total) = counts.split_once('/')?;
    let (omitted, total) = (omitted.parse().ok()?, total.parse().ok()?);
    let handle = !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_lowercase());
    (handle && omitted <= total).then_some((omitted, total))
}

/// The line behind an output that keeps so many lines behind its head, `before`
/// of its lines being in front; `None` where the text is none.
fn end(view: &View, from: usize, before: usize, kept: usize) -> Option<usize> {
    let mut i = from;
    let mut left = kept;
    let mut gaps = 0;
    while left > 0 || i < view.len() && gap(view.get(i)).is_some() {
        if i >= view.len() {
            return None;
        }
        match gap(view.get(i)) {
            // The first gap is where counting from the head leads.
            Some(start) if gaps == 0 && start != before + (kept - left) + 1 => return None,
            Some(_) => gaps += 1,
            None => left -= 1,
        }
        i += 1;
        if left == 0 && gaps > 0 && view.get(i - 1).starts_with('⋯') {
            break;
        }
    }
    (gaps > 0 || kept == 0).then_some(i)
}

/// The line that the marker of a gap names.
fn gap(line: &str) -> Option<usize> {
    line.strip_prefix('⋯')?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outputs_are_found_with_their_last_marker() {
        let text = "x\n⋯3/5 lines omitted; expand bdfhkn\na\n⋯2\nb\n⋯5\ny\n⋯9\n";
        assert_eq!(sealed(&View::new(text)), vec![1..6]);
        // One that began with another, and two that have nothing to do with each other.
        let grown =
            "⋯1/2 lines omitted; expand bdfhkn\n⋯1\nb\n⋯2/6 lines omitted; expand cdfhkn\nc\n⋯5\n";
        assert_eq!(sealed(&View::new(grown)), vec![0..6]);
        let two =
            "⋯1/2 lines omitted; expand bdfhkn\n⋯1\nb\n⋯1/2 lines omitted; expand cdfhkn\nc\n⋯2\n";
        assert_eq!(sealed(&View::new(two)), vec![0..3, 3..6]);
        // Cut short, or only said to be one.
        for text in [
            "⋯3/9 lines omitted; expand bdfhkn\na\n",
            "⋯3/5 lines omitted\na\nb\n",
            "⋯3/5 lines omitted; expand bdfhkn\na\n⋯3\nb\n",
            "⋯7/5 lines omitted; expand bdfhkn\na\n",
            "3/5 lines omitted; expand bdfhkn\na\nb\n",
        ] {
            assert!(sealed(&View::new(text)).is_empty(), "{text}");
        }
    }
}
