//! Lines named by a handle, a path, a symbol or a folder, verbatim.

mod expanded;
mod grep;
mod target;
mod tree;

pub use expanded::{ExpandOptions, Expanded, Piece};
pub use target::parse_span;

use crate::error::{Error, Result};
use crate::text::{Lines, Span};
use crate::tokens;
use crate::workspace::{Cancel, Root, read_text};
use grep::matching;
use target::{Found, find, symbol_spans};
use tree::folder;

/// Gets back what `target` stands for: a handle, `HANDLE:A-B`, a handle with a
/// marker of its output (`HANDLE⋯N`), `PATH`, `PATH:A-B`, `PATH#SYMBOL` or a folder.
///
/// # Errors
/// `no_such_file`, `outside_root` and what else reading a file gives;
/// `unknown_handle`; `unknown_symbol`; `no_such_lines`; `bad_pattern` for `grep`;
/// `no_match` where it matches nothing; `budget_too_small`.
pub fn expand(
    root: &Root,
    target: &str,
    options: &ExpandOptions,
    cancel: &Cancel,
) -> Result<Expanded> {
    let target = target.trim();
    let (source, text, wanted) = match find(root, target)? {
        Found::Folder(path) => return folder(root, &path, options, cancel),
        Found::File(path) => {
            let text = read_text(&path)?;
            let all = Lines::new(&text).span().into_iter().collect();
            (path.rel, text, all)
        }
        Found::Lines(path, span) => {
            let text = read_text(&path)?;
            (path.rel, text, vec![span])
        }
        Found::Symbol(path, symbol) => {
            let text = read_text(&path)?;
            let spans = symbol_spans(&path, &text, &symbol)?;
            (path.rel, text, spans)
        }
        Found::Handle(omission) => {
            // A pattern or a range may ask for any line of the whole text.
            let all = Lines::new(&omission.text).span().into_iter().collect();
            let narrowed = options.grep.is_some() || !options.lines.is_empty();
            let spans = if narrowed { all } else { omission.spans };
            (omission.source, omission.text, spans)
        }
    };
    let lines = Lines::new(&text);
    let mut spans = clip(&lines, wanted, target)?;
    if !options.lines.is_empty() {
        let asked = clip(&lines, options.lines.clone(), target)?;
        spans = intersect(&spans, &asked);
    }
    if let Some(pattern) = &options.grep {
        spans = matching(&lines, &spans, pattern, cancel)?;
    }
    if spans.is_empty() && !lines.is_empty() {
        return Err(Error::not_found(
            "no_match",
            format!("No line of {target} is asked for by these options."),
            "Widen `lines` or `grep`.",
        ));
    }
    fit(&source, &lines, spans, target, options.budget)
}

fn clip(lines: &Lines<'_>, spans: Vec<Span>, target: &str) -> Result<Vec<Span>> {
    let last = lines.len();
    if let Some(beyond) = spans.iter().find(|s| s.start > last)
        && last > 0
    {
        return Err(Error::failure(
            "no_such_lines",
            format!("{target} has {last} lines; {beyond} is beyond them."),
            format!("Ask for lines within 1-{last}."),
        ));
    }
    Ok(spans
        .into_iter()
        .filter(|s| s.start <= last)
        .map(|s| Span::new(s.start, s.end.min(last)))
        .collect())
}

fn intersect(a: &[Span], b: &[Span]) -> Vec<Span> {
    let mut out = Vec::new();
    for x in a {
        for y in b.iter().filter(|y| x.overlaps(**y)) {
            out.push(Span::new(x.start.max(y.start), x.end.min(y.end)));
        }
    }
    out.sort_unstable();
    out.dedup();
    out
}

/// Keeps pieces in order as long as the budget holds; the piece that overflows
/// is cut after the last line that fits.
fn fit(
    source: &str,
    lines: &Lines<'_>,
    spans: Vec<Span>,
    target: &str,
    budget: Option<usize>,
) -> Result<Expanded> {
    let piece = |span: Span| Piece {
        source: source.to_string(),
        span,
        text: lines.slice(span).to_string(),
    };
    let whole = Expanded {
        pieces: spans.iter().copied().map(piece).collect(),
        rest: String::new(),
    };
    let Some(budget) = budget else {
        return Ok(whole);
    };
    if tokens::fits(&whole.render(), budget) {
        return Ok(whole);
    }
    let total: usize = spans.iter().map(Span::len).sum();
    // Lines shown, from none to all: rendering grows with it, so bisect.
    let shown = |count: usize| -> Expanded {
        let (mut left, mut kept, mut next) = (count, Vec::new(), None);
        for span in &spans {
            let take = left.min(span.len());
            left -= take;
            if take > 0 {
                kept.push(piece(Span::new(span.start, span.start + take - 1)));
            }
            if take < span.len() && next.is_none() {
                next = Some((span.start + take, span.end));
            }
        }
        let place = next.map_or(String::new(), |(a, b)| {
            let name = target.split(['#']).next().unwrap_or(target);
            let name = match name.rsplit_once(':') {
                Some((path, range)) if parse_span(range).is_some() => path,
                _ => name,
            };
            format!(
                "⋯ {} more lines: expand {name} lines {a}-{b}\n",
                total - count
            )
        });
        Expanded {
            pieces: kept,
            rest: place,
        }
    };
    let (mut low, mut high) = (0, total);
    while low + 1 < high {
        let middle = low.midpoint(high);
        if tokens::fits(&shown(middle).render(), budget) {
            low = middle;
        } else {
            high = middle;
        }
    }
    if low == 0 {
        let least = tokens::count(&shown(1).render());
        return Err(Error::failure(
            "budget_too_small",
            format!("A budget of {budget} tokens holds no line of {target}."),
            format!("Allow at least {least} tokens."),
        ));
    }
    Ok(shown(low))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::Omission;
    use crate::workspace::Store;
    use std::fs;

    fn place() -> (tempfile::TempDir, Root) {
        let dir = tempfile::tempdir().unwrap();
        let tree = dir.path().join("tree");
        fs::create_dir_all(tree.join("src/deep")).unwrap();
        fs::write(
            tree.join("src/a.rs"),
            "/// Adds.\nfn add() {\r\n    1\n}\n\nstruct S;\nimpl S {\n    fn go() {}\n}\n",
        )
        .unwrap();
        fs::write(tree.join("src/deep/b.txt"), "no final newline").unwrap();
        fs::write(tree.join("top.md"), "# T\n").unwrap();
        let root = Root::open(&tree).unwrap().with_home(dir.path());
        (dir, root)
    }

    fn get(root: &Root, target: &str, options: ExpandOptions) -> Result<Expanded> {
        expand(root, target, &options, &Cancel::new())
    }

    #[test]
    fn paths_ranges_and_symbols_come_back_verbatim() {
        let (_d, root) = place();
        let all = |t: &str| get(&root, t, ExpandOptions::default()).unwrap().verbatim();
        assert_eq!(all("src/deep/b.txt"), "no final newline");
        assert_eq!(all("src/a.rs:2-3"), "fn add() {\r\n    1\n");
        assert_eq!(all("src/a.rs:8-99"), "    fn go() {}\n}\n");
        assert_eq!(all("src/a.rs#add"), "/// Adds.\nfn add() {\r\n    1\n}\n");
        assert_eq!(all("src/a.rs#S.go"), "    fn go() {}\n");
    }

    #[test]
    fn a_handle_gives_what_was_omitted_or_any_line_asked_for() {
        let (_d, root) = place();
        let omission = Omission {
            source: "build.log".into(),
            text: "one\ntwo\nthree\nfour\n".into(),
            spans: vec![Span::new(2, 2), Span::new(4, 4)],
        };
        let handle = Store::for_root(&root).unwrap().put(&omission).unwrap();
        let all = get(&root, &handle, ExpandOptions::default()).unwrap();
        assert_eq!(all.verbatim(), "two\nfour\n");
        assert_eq!(all.render(), "⋯ build.log:2\ntwo\n⋯ build.log:4\nfour\n");
        let lines = ExpandOptions {
            lines: vec![Span::new(1, 2)],
            ..Default::default()
        };
        assert_eq!(get(&root, &handle, lines).unwrap().verbatim(), "one\ntwo\n");
        let grep = ExpandOptions {
            grep: Some("^t".into()),
            ..Default::default()
        };
        assert_eq!(
            get(&root, &handle, grep).unwrap().verbatim(),
            "two\nthree\n"
        );
    }

    #[test]
    fn a_budget_is_kept_and_the_rest_can_be_had() {
        let (_d, root) = place();
        let text: String = (1..=500).map(|n| format!("line number {n}\n")).collect();
        fs::write(root.dir().join("long.txt"), &text).unwrap();
        let (mut target, mut lines, mut got) = ("long.txt".to_string(), vec![], String::new());
        for _ in 0..100 {
            let options = ExpandOptions {
                lines,
                budget: Some(200),
                ..Default::default()
            };
            let part = get(&root, &target, options).unwrap();
            assert!(tokens::count(&part.render()) <= 200);
            got.push_str(&part.verbatim());
            if part.rest.is_empty() {
                break;
            }
            let words: Vec<&str> = part.rest.split_whitespace().collect();
            target = words[words.len() - 3].to_string();
            lines = vec![parse_span(words[words.len() - 1]).unwrap()];
        }
        assert_eq!(got, text);
        let tiny = ExpandOptions {
            budget: Some(3),
            ..Default::default()
        };
        assert_eq!(
            get(&root, "long.txt", tiny).unwrap_err().code,
            "budget_too_small"
        );
    }

    #[test]
    fn a_folder_is_shown_as_deep_as_fits() {
        let (_d, root) = place();
        let all = get(&root, ".", ExpandOptions::default()).unwrap();
        assert_eq!(all.verbatim(), "src/\n  deep/\n    b.txt\n  a.rs\ntop.md\n");
        let tight = |budget| ExpandOptions {
            budget: Some(budget),
            ..Default::default()
        };
        let cost = tokens::count(&all.render());
        assert_eq!(get(&root, ".", tight(cost)).unwrap(), all);
        for n in 0..40 {
            fs::write(root.dir().join(format!("src/deep/file{n}.txt")), "").unwrap();
        }
        let closed = get(&root, "src", tight(50)).unwrap();
        assert_eq!(closed.verbatim(), "deep/ (41)\na.rs\n");
        assert!(closed.rest.contains("expand them"));
        assert_eq!(
            get(&root, ".", tight(2)).unwrap_err().code,
            "budget_too_small"
        );
    }

    #[test]
    fn what_does_not_exist_is_named() {
        let (_d, root) = place();
        let code = |t: &str| get(&root, t, ExpandOptions::default()).unwrap_err().code;
        assert_eq!(code("src/none.rs"), "no_such_file");
        assert_eq!(code("src/none.rs:1-2"), "no_such_file");
        assert_eq!(code("src/a.rs#nothing"), "unknown_symbol");
        assert_eq!(code("src/a.rs:90-99"), "no_such_lines");
        assert_eq!(code("../x"), "outside_root");
        assert_eq!(code("zzzzzz"), "unknown_handle");
        assert_eq!(code(""), "bad_path");
        let bad = ExpandOptions {
            grep: Some("(".into()),
            ..Default::default()
        };
        assert_eq!(get(&root, "top.md", bad).unwrap_err().code, "bad_pattern");
    }
}
