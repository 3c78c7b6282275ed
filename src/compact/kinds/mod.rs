//! One file per kind: each turns a text into a view and scores its lines.

pub mod definitions;
mod diff;
pub mod history;
mod indent;
mod json;
mod json_spans;
mod log;
mod markdown;
mod request;
mod search;
mod source;
mod spread;
mod text;
mod tree;

pub use history::Layout;
pub use request::Request;

use super::kind::Kind;
use super::select::Draft;
use super::view::View;
use super::words::Hits;

/// The view of a text of this kind, and the layout of its messages if it has any.
pub fn view(input: &str, kind: Kind) -> (View<'_>, Option<Layout>) {
    match kind {
        Kind::History => match history::layout(input) {
            Some(layout) => (View::new(layout.text.clone()), Some(layout)),
            None => (View::new(input), None),
        },
        _ => (View::new(input), None),
    }
}

/// The scores of the lines of a view.
pub fn draft(
    view: &View,
    layout: Option<&Layout>,
    kind: Kind,
    hits: &Hits,
    request: &Request,
) -> Draft {
    let lines = view.lines();
    match (kind, layout) {
        (Kind::History, Some(layout)) => history::draft(view, layout, hits),
        (Kind::Source, _) => source::draft(view, &lines, hits, request),
        (Kind::Search, _) => search::draft(&lines, hits, request),
        (Kind::BuildLog | Kind::Trace, _) => log::draft(&lines, hits),
        (Kind::Diff, _) => diff::draft(&lines, hits, request),
        (Kind::Json, _) => json::draft(view, &lines, hits),
        (Kind::Tree, _) => tree::draft(&lines, hits, request),
        (Kind::Markdown, _) => markdown::draft(&lines, hits),
        (Kind::Text | Kind::History, _) => text::draft(&lines, hits),
    }
}

/// The numbers of old and new lines in a diff's hunk header.
pub fn hunk_lengths(line: &str) -> Option<(usize, usize)> {
    diff::hunk_lengths(line)
}

/// Whether a line is a diff's hunk header.
pub fn is_hunk(line: &str) -> bool {
    diff::hunk_lengths(line).is_some()
}

/// Whether a line is a row of search results with a path and a line number.
pub fn is_row(line: &str) -> bool {
    let row = search::row(line);
    row.numbered && !row.path.is_empty()
}

/// What a row of search results found; empty for other lines.
pub fn row_text(line: &str) -> &str {
    let row = search::row(line);
    if row.numbered { row.text } else { "" }
}

/// Whether a line is a row of search results under a heading.
pub fn is_numbered(line: &str) -> bool {
    let row = search::row(line);
    row.numbered && row.path.is_empty()
}

/// Whether a text is a list of messages.
pub fn is_history(text: &str) -> bool {
    history::layout(text).is_some()
}
