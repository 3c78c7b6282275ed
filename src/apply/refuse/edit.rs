//! Edits that are refused as a whole.

use super::quote::quote;
use crate::apply::lines::line::{Class, Line};
use crate::apply::snippet::script::Unreadable;
use crate::error::Error;

/// A line of dots that leaves nothing out.
pub(crate) fn needless_dots(path: &str, number: usize, dots: &str) -> Error {
    Error::refused(
        "unclear_marker",
        format!(
            "Line {number} of the snippet (`{dots}`) leaves nothing of {path} out: it may be text or a marker."
        ),
        "Leave it out if it is a marker; if it is text, send the change as a diff with `+` in front of it.",
    )
}

/// A snippet without markers that would drop most of the file.
pub(crate) fn whole_file(path: &str, removed: usize, total: usize) -> Error {
    Error::refused(
        "missing_marker",
        format!("The snippet has no marker and would remove {removed} of {total} lines of {path}."),
        "Put `... existing code ...` where code stays, or ask for a full rewrite.",
    )
}

/// The same edit, made again, would change the file again.
pub(crate) fn unstable(path: &str) -> Error {
    Error::refused(
        "unstable",
        format!(
            "Made twice, the edit would change {path} twice: its lines do not say clearly where they belong."
        ),
        "Send the change as a diff: a line `@@`, then `-` and `+` lines with a line of context above and below, that one after a space.",
    )
}

/// A text whose syntax cannot be checked in time.
pub(crate) fn unparsed(path: &str) -> Error {
    Error::refused(
        "unparsed",
        format!("Parsing {path} took too long, so the edit could not be checked."),
        "Send the edit again; if it is refused again, mend what nests too deeply or is never closed in the file.",
    )
}

/// Nothing differs but quotes or comments.
pub(crate) fn misquoted(path: &str, snippet: &str, file: &[Line]) -> Error {
    let first = snippet.lines().map(Line::new).zip(1..).find_map(|(l, n)| {
        let near = |f: &&Line| l.alike(f) || f.trimmed.starts_with(l.trimmed);
        let slip = l.class != Class::Blank && !file.iter().any(|f| l.same(f));
        let there = file.iter().position(|f| slip && near(&f))?;
        Some(format!(
            "; the first:\n  file {}: {}\n  your {n}: {}",
            there + 1,
            quote(file[there].raw),
            quote(l.raw)
        ))
    });
    Error::refused(
        "misquoted",
        format!(
            "The snippet differs from {path} in nothing but quotes or comments{}",
            first.unwrap_or_else(|| ".".into())
        ),
        "If that is the change, send it with `-` and `+` lines; if not, the file has this edit already.",
    )
}

/// A comment asks for the removal of what the file does not define.
pub(crate) fn removal_of_nothing(path: &str, number: usize, text: &str, name: &str) -> Error {
    Error::refused(
        "removal_comment",
        format!(
            "Line {number} of the snippet ({}) asks to remove `{name}`, which {path} does not define.",
            quote(text)
        ),
        "If it is gone already, leave the comment out; to remove other lines send them with `-` in front, and to put the comment into the file send it with `+`.",
    )
}

/// More work than a merge may take.
pub(crate) fn too_large(path: &str, n: usize, m: usize) -> Error {
    Error::refused(
        "too_large",
        format!("{m} snippet lines against {n} lines of {path} are too many to align."),
        "Send smaller edits with markers, or the whole file as a full rewrite.",
    )
}

/// A snippet that is no edit.
pub(crate) fn unreadable(u: &Unreadable) -> Error {
    match u {
        Unreadable::Inline(n, text) => Error::refused(
            "inline_ellipsis",
            format!(
                "Line {n} of the snippet has code and a marker on one line: {}.",
                quote(text)
            ),
            "Write the line out, and put markers on lines of their own.",
        ),
        Unreadable::OpenBlock(n) => Error::refused(
            "open_block",
            format!(
                "The SEARCH block at line {n} of the snippet has no `=======`, no end, or several lines that may be its `=======`."
            ),
            "Write one `=======` and end with `>>>>>>> REPLACE`; where the text itself has such a line, send changed lines with `-` and `+` instead.",
        ),
        Unreadable::Gone(line) => Error::refused(
            "removal_comment",
            format!(
                "Line {line} of the snippet tells of a removal, and nothing in it shows what goes."
            ),
            "If it is gone already, nothing is left to do; if not, send what goes with `-` in front.",
        ),
        Unreadable::Empty => Error::refused(
            "empty_edit",
            "The snippet holds no line of code.".to_string(),
            "Send the changed lines with a line of context above and below.",
        ),
    }
}
