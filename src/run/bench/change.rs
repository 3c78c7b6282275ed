//! What a recorded edit does to the tree.

use super::recorded::{Action, Call};
use super::tree::Tree;
use crate::text::{Lines, Span};

/// A change of a file, as the session made it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Change {
    pub path: String,
    /// `None` for a new file.
    pub before: Option<String>,
    pub after: String,
    /// The lines of `before` that the recorded edit quoted; where it named them by
    /// number, with as many around as fix their place.
    pub span: Option<Span>,
}

/// What a recorded edit does to the tree; `None` where it lies outside, failed or
/// does not fit the file.
pub(super) fn change(tree: &Tree, call: &Call) -> Option<Change> {
    if call.failed {
        return None;
    }
    match &call.action {
        Action::Replace {
            path,
            old,
            new,
            all,
        } => {
            let path = tree.file(path)?;
            let before = call.before.clone().or_else(|| tree.text(&path))?;
            let at = before.find(old.as_str()).filter(|_| !old.is_empty())?;
            let lines = Lines::new(&before);
            let span = Span::new(
                lines.line_at(at),
                lines.line_at(at + old.trim_end_matches('\n').len().saturating_sub(1)),
            );
            let after = if *all {
                before.replace(old.as_str(), new)
            } else {
                before.replacen(old.as_str(), new, 1)
            };
            Some(Change {
                span: Some(span),
                before: Some(before),
                path,
                after,
            })
        }
        Action::ReplaceLines {
            path,
            from,
            to,
            text,
        } => {
            let path = tree.file(path)?;
            let before = call.before.clone().or_else(|| tree.text(&path))?;
            let lines = Lines::new(&before);
            let to = (*to).min(lines.len());
            if *from > lines.len() + 1 {
                return None;
            }
            let mut after = before[..lines.start_of(*from)].to_string();
            if !after.is_empty() && !after.ends_with('\n') {
                after.push('\n');
            }
            after.push_str(text);
            after.push('\n');
            after.push_str(&before[lines.start_of(to.max(from - 1) + 1)..]);
            Some(Change {
                span: unique(&before, *from, to),
                before: Some(before),
                path,
                after,
            })
        }
        Action::Write { path, content } => match tree.file(path) {
            Some(path) => {
                let before = call.before.clone().or_else(|| tree.text(&path))?;
                Some(Change {
                    path,
                    before: Some(before),
                    after: content.clone(),
                    span: None,
                })
            }
            None => {
                let path = tree.new_file(path)?;
                Some(Change {
                    path,
                    before: None,
                    after: content.clone(),
                    span: None,
                })
            }
        },
        _ => None,
    }
}

/// Lines `from` to `to` (none where `to` lies before) with as many lines on each
/// side as make them stand but once: by their numbers alone no snippet can say
/// where they are.
fn unique(text: &str, from: usize, to: usize) -> Option<Span> {
    let lines = Lines::new(text);
    if lines.is_empty() {
        return None;
    }
    let (mut first, mut last) = (from.min(lines.len()), to.max(1));
    if first > last {
        (first, last) = (last, first);
    }
    let said = |n: usize| !lines.get(n).trim().is_empty();
    loop {
        let span = Span::new(first, last);
        let once = text.matches(lines.slice(span)).take(2).count() < 2;
        if (first == 1 && last == lines.len()) || (once && said(first) && said(last)) {
            return Some(span);
        }
        first = first.saturating_sub(1).max(1);
        last = (last + 1).min(lines.len());
    }
}

/// The old and new lines that the recorded edit was about.
pub(super) fn region(before: &str, change: &Change) -> (String, String) {
    let (a, b) = (Lines::new(before), Lines::new(&change.after));
    let Some(span) = change.span else {
        return (before.to_string(), change.after.clone());
    };
    // What lies before and behind the quoted lines is the same in both texts.
    let head = span.start - 1;
    let tail = a.len().saturating_sub(span.end);
    let same = a.len() >= head + tail && b.len() >= head + tail;
    let equal = |x: &str, y: &str| x == y;
    if same
        && equal(
            &before[..a.start_of(head + 1)],
            change.after.get(..b.start_of(head + 1)).unwrap_or_default(),
        )
        && equal(
            &before[a.start_of(span.end + 1)..],
            &change.after[b.start_of(b.len() - tail + 1)..],
        )
    {
        let new = &change.after[b.start_of(head + 1)..b.start_of(b.len() - tail + 1)];
        return (a.slice(span).to_string(), new.to_string());
    }
    (before.to_string(), change.after.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recorded_edits_are_found_in_the_tree() {
        let tree = Tree::of(&[("src/a.py", "one\ntwo\nthree\n")]).unwrap();
        let call = |action: Action| Call {
            tool: "edit".into(),
            arguments: String::new(),
            output: String::new(),
            failed: false,
            before: None,
            action,
        };
        let replaced = change(
            &tree,
            &call(Action::Replace {
                path: "/x/src/a.py".into(),
                old: "wo\nth".into(),
                new: "WO\nTH".into(),
                all: false,
            }),
        )
        .unwrap();
        assert_eq!(replaced.after, "one\ntWO\nTHree\n");
        assert_eq!(replaced.span, Some(Span::new(2, 3)));
        assert_eq!(
            region("one\ntwo\nthree\n", &replaced),
            ("two\nthree\n".to_string(), "tWO\nTHree\n".to_string())
        );
        let lines = |from, to, text: &str| {
            change(
                &tree,
                &call(Action::ReplaceLines {
                    path: "src/a.py".into(),
                    from,
                    to,
                    text: text.into(),
                }),
            )
            .unwrap()
            .after
        };
        assert_eq!(lines(2, 2, "2"), "one\n2\nthree\n");
        // What stands twice, or is blank, is quoted with its neighbours.
        let text = "a {\n  x\n}\n\nb {\n  y\n}\n";
        assert_eq!(unique(text, 2, 2), Some(Span::new(2, 2)));
        assert_eq!(unique(text, 7, 7), Some(Span::new(6, 7)));
        assert_eq!(unique(text, 4, 4), Some(Span::new(3, 5)));
        assert_eq!(unique(text, 7, 6), Some(Span::new(6, 7)));
        assert_eq!(unique(text, 8, 7), Some(Span::new(6, 7)));
        assert_eq!(unique("", 1, 1), None);
        assert_eq!(lines(2, 1, "in"), "one\nin\ntwo\nthree\n");
        assert_eq!(lines(4, 3, "end"), "one\ntwo\nthree\nend\n");
        let new = change(
            &tree,
            &call(Action::Write {
                path: "/x/src/b.py".into(),
                content: "b\n".into(),
            }),
        )
        .unwrap();
        assert_eq!((new.path.as_str(), new.before), ("src/b.py", None));
    }
}
