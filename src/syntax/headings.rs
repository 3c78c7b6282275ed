//! The sections of a Markdown text by its lines, as long as these leave no doubt what a
//! heading is: the grammar takes a hundred times as long.
//!
//! Headings, fenced code and HTML blocks are those of CommonMark 0.31; where a heading may be
//! in a list or a quote, or is underlined, the grammar has to tell.

use std::ops::Range;

use super::definition::Kind;
use super::found::{At, Collected, Found};
use super::language::Language;
use super::names::{MAX_SIGNATURE, one_line, split_name};
use super::outline::{Outline, finish};
use crate::text::Span;

/// What a line is in.
enum Inside {
    Nothing,
    /// Between the marks at the head of a file that set apart what is for programs.
    FrontMatter,
    /// Code in a fence.
    Fence(Fence),
    /// HTML up to a line that holds one of these, or up to a blank one where there are none.
    Html(&'static [&'static str]),
    /// The same where it may as well be code or a paragraph.
    Unsure(&'static [&'static str]),
}

/// What opens code, and has to close it.
struct Fence {
    mark: u8,
    count: usize,
    indent: usize,
}

/// How HTML begins that blank lines do not end, and what ends it.
const HTML: &[(&str, &[&str])] = &[
    ("<!--", &["-->"]),
    ("<?", &["?>"]),
    ("<![cdata[", &["]]>"]),
    ("<!", &[">"]),
    ("<script", RAW),
    ("<pre", RAW),
    ("<style", RAW),
    ("<textarea", RAW),
];
const RAW: &[&str] = &["</script>", "</pre>", "</style>", "</textarea>"];

struct Heading {
    level: usize,
    /// From 1.
    line: usize,
    start: usize,
    /// What it says.
    text: Range<usize>,
}

/// The outline of a text, or `None` where the grammar has to tell, as in any language without
/// such headings.
pub(super) fn outline(language: &'static Language, text: &str) -> Option<Outline> {
    let headings = language.data().headings.then(|| headings(text))??;
    let mut all = Collected::default();
    for (i, heading) in headings.iter().enumerate() {
        let mut below = headings.iter().skip(i + 1);
        let next = below.find(|h| h.level <= heading.level);
        let end = next.map_or(text.len(), |h| h.start);
        let own = text.get(heading.start..end)?.trim_end();
        let said = text.get(heading.text.clone())?;
        let Some(name) = split_name(said, &[]).pop() else {
            continue;
        };
        let at = said.rfind(&name).map(|at| heading.text.start + at);
        let breaks = memchr::memchr_iter(b'\n', own.as_bytes()).count();
        let what = Found {
            kind: Kind::Section,
            bytes: heading.start..heading.start + own.len(),
            lines: Span::new(heading.line, heading.line + breaks),
            start_with_docs: heading.line,
            name_bytes: at.map_or(heading.text.clone(), |at| at..at + name.len()),
            name,
            qualifiers: Vec::new(),
            signature: one_line(own.lines().next().unwrap_or_default(), MAX_SIGNATURE),
            body: None,
            local: false,
            heading: None,
            language,
        };
        all.found.push(At {
            start: heading.start,
            depth: heading.level,
            what,
        });
    }
    Some(finish(all, text))
}

fn headings(text: &str) -> Option<Vec<Heading>> {
    let mut found = Vec::new();
    let mut inside = Inside::Nothing;
    let mut above = "";
    let mut next = 0;
    for (row, full) in text.split_inclusive('\n').enumerate() {
        let start = next;
        next += full.len();
        let line = full.trim_end();
        // Alone, it ends a line for the grammar.
        if line.contains('\r') {
            return None;
        }
        let own = line.trim_start();
        let above = std::mem::replace(&mut above, own);
        inside = match inside {
            Inside::FrontMatter if line == "---" => Inside::Nothing,
            Inside::Fence(fence) => {
                // What is less deep may end a list, and the code in it.
                if indent(line) < fence.indent && !own.is_empty() {
                    return None;
                }
                match fence.is_closed_by(line)? {
                    true => Inside::Nothing,
                    false => Inside::Fence(fence),
                }
            }
            Inside::Html(ends) if is_end(own, ends) => Inside::Nothing,
            Inside::Unsure(ends) => {
                let goes_on = html(line).is_some_and(|ends| !ends.is_empty());
                if own.starts_with('#')
                    || Fence::open(line).is_some()
                    || goes_on
                    || is_doubtful(line, above)
                {
                    return None;
                }
                match is_end(own, ends) {
                    true => Inside::Nothing,
                    false => Inside::Unsure(ends),
                }
            }
            Inside::Nothing if row == 0 && line == "---" => Inside::FrontMatter,
            Inside::Nothing => {
                if let Some((level, said)) = heading(line) {
                    found.push(Heading {
                        level,
                        line: row + 1,
                        start,
                        text: start + said.start..start + said.end,
                    });
                    Inside::Nothing
                } else if let Some(fence) = Fence::open(line) {
                    Inside::Fence(fence)
                } else if let Some(ends) = html(line) {
                    match ends {
                        _ if is_end(own, ends) => Inside::Nothing,
                        [_, ..] if own.len() == line.len() => Inside::Html(ends),
                        _ => Inside::Unsure(ends),
                    }
                } else if is_doubtful(line, above) {
                    return None;
                } else {
                    Inside::Nothing
                }
            }
            other => other,
        };
    }
    // Something else may have closed it.
    let is_closed = !matches!(inside, Inside::FrontMatter);
    (is_closed && !text.starts_with('\u{feff}')).then_some(found)
}

/// The level of a heading at the start of a line, and where in the line it says what.
fn heading(line: &str) -> Option<(usize, Range<usize>)> {
    let level = run(line, b'#');
    let behind = line.get(level..)?;
    if !(1..=6).contains(&level) || !(behind.is_empty() || behind.starts_with([' ', '\t'])) {
        return None;
    }
    Some((level, line.len() - behind.trim_start().len()..line.len()))
}

impl Fence {
    fn open(line: &str) -> Option<Self> {
        let own = line.trim_start();
        let mark = *own
            .as_bytes()
            .first()
            .filter(|b| matches!(b, b'`' | b'~'))?;
        let count = run(own, mark);
        let info = own.get(count..)?;
        (count >= 3 && (mark == b'~' || !info.contains('`'))).then(|| Self {
            mark,
            count,
            indent: indent(line),
        })
    }

    /// `None` where it depends on what the fence is in.
    fn is_closed_by(&self, line: &str) -> Option<bool> {
        let own = line.trim_start();
        let closes = own.len() >= self.count && run(own, self.mark) == own.len();
        let indent = indent(line);
        match closes && indent > 3 && indent != self.indent {
            true if self.indent > 0 => None,
            true => Some(false),
            false => Some(closes),
        }
    }
}

/// What ends HTML that may begin with a line.
fn html(line: &str) -> Option<&'static [&'static str]> {
    let own = line.trim_start();
    let tag = own.strip_prefix('<')?;
    let begins = |with: &str| {
        let head = own.get(..with.len());
        head.is_some_and(|h| h.eq_ignore_ascii_case(with))
    };
    if let Some((_, ends)) = HTML.iter().find(|(with, _)| begins(with)) {
        return Some(ends);
    }
    tag.starts_with(|c: char| c == '/' || c.is_ascii_alphabetic())
        .then_some(&[])
}

fn is_end(own: &str, ends: &[&str]) -> bool {
    match ends {
        [] => own.is_empty(),
        _ => ends
            .iter()
            .any(|end| own.to_ascii_lowercase().contains(end)),
    }
}

/// Whether a line may hold a heading, or open code, in a list or a quote, or make a heading of
/// the one above.
fn is_doubtful(line: &str, above: &str) -> bool {
    let around = |c: char| " \t>-*+.)".contains(c) || c.is_ascii_digit();
    let inner = line.trim_start_matches(around);
    inner.len() < line.len() && (inner.starts_with('#') || Fence::open(inner).is_some())
        || !above.is_empty() && is_underline(line.trim_start())
}

/// Whether a line may make a heading of the one above.
fn is_underline(own: &str) -> bool {
    let mark = own.as_bytes().first().filter(|b| matches!(b, b'=' | b'-'));
    mark.is_some_and(|mark| run(own, *mark) == own.len())
}

/// How often a text begins with a character.
fn run(text: &str, mark: u8) -> usize {
    text.bytes().take_while(|b| *b == mark).count()
}

/// How far a line is indented, in columns.
fn indent(line: &str) -> usize {
    let blanks = line.bytes().take_while(|b| matches!(b, b' ' | b'\t'));
    blanks.fold(0, |column, b| match b {
        b'\t' => column / 4 * 4 + 4,
        _ => column + 1,
    })
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;
    use proptest::prelude::*;

    fn markdown() -> &'static Language {
        Language::by_name("markdown").expect("known")
    }

    /// Name, first and last line of each section.
    fn told(text: &str) -> Option<Vec<(String, usize, usize)>> {
        let sections = outline(markdown(), text)?.definitions;
        let told = sections.iter().map(|d| {
            assert_eq!(d.kind, Kind::Section);
            (d.path.clone(), d.lines.start, d.lines.end)
        });
        Some(told.collect())
    }

    fn is_told(text: &str, want: &[(&str, usize, usize)]) {
        let want = want
            .iter()
            .map(|(path, first, last)| ((*path).to_owned(), *first, *last));
        assert_eq!(told(text), Some(want.collect()), "{text}");
        let whole = parse(markdown(), text).expect("small").outline(text);
        assert_eq!(outline(markdown(), text), Some(whole), "{text}");
    }

    #[test]
    fn sections_nest_by_level() {
        is_told(
            "above\n\n# A\n\ntext\n## `b` c\n\n### D\n\n\n## E\n#f\n# \"G\"\n",
            &[
                ("A", 3, 12),
                ("A.`b` c", 6, 8),
                ("A.`b` c.D", 8, 8),
                ("A.E", 11, 12),
                ("G", 13, 13),
            ],
        );
        is_told("#\n\n#######\n", &[]);
    }

    #[test]
    fn what_is_in_code_is_no_heading() {
        is_told(
            "# A\n```sh\n# b\n    ```\n# c\n````\n# D\n",
            &[("A", 1, 6), ("D", 7, 7)],
        );
        is_told("~~~\n```\n# b\n", &[]);
        is_told("---\n# a: b\n---\n\n# C\n", &[("C", 5, 5)]);
        is_told("<!--\n\n# a\n-->\n# B\n", &[("B", 5, 5)]);
        is_told("- a\n  ```\n  # b\n  ```\n# C\n", &[("C", 5, 5)]);
    }

    #[test]
    fn the_grammar_tells_what_lines_do_not() {
        for text in [
            "A\n===\n",
            "- # A\n",
            "> # A\n",
            " # A\n",
            "    # a\n",
            "<div>\n# A\n",
            "  ```\n# A\n  ```\n",
            "- ```\n# A\n",
            "---\n# a\n...\n",
            "# A\r# B\n",
        ] {
            assert_eq!(told(text), None, "{text}");
        }
    }

    /// Lines that open, close and go on with all that a heading may be in.
    const LINES: &[&str] = &[
        "# A",
        "## B",
        "### C `x`",
        "#D",
        "# \"E\"",
        "#",
        "text",
        "",
        "",
        "",
        "```",
        "```sh",
        "~~~",
        "````",
        "  ```",
        "    ```",
        "- item",
        "  more",
        "    code",
        "    # f",
        "  # G",
        "- # H",
        "1. one",
        "> quote",
        "> # I",
        "<!-- c",
        "-->",
        "<!-- d -->",
        "<div>",
        "</div>",
        "<pre>",
        "</pre>",
        "<script>",
        "</script>",
        "---",
        "===",
        "| a | b |",
        "|---|---|",
        "\tcode",
        "[a]: b",
    ];

    proptest! {
        #[test]
        fn lines_say_what_the_grammar_says(
            lines in prop::collection::vec(prop::sample::select(LINES), 1..10)
        ) {
            let text = lines.join("\n") + "\n";
            if let Some(sections) = outline(markdown(), &text) {
                let whole = parse(markdown(), &text).expect("small").outline(&text);
                prop_assert_eq!(sections, whole);
            }
        }
    }
}
