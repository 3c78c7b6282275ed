//! Which parts of a text tell the definitions around some of its lines: the headers above
//! them and what stands beside them. The other members of a class, the other items of a
//! file are left out, and the parser reads on behind them as if they were not there.
//!
//! Members are told by their lines: one begins behind a blank line, as deep as its
//! siblings. Where that is a mistake what is left is rarely valid, and is parsed whole.

use std::ops::Range;

use tree_sitter::Point;

use super::language::{Language, Members};
use super::lexed;

/// Members with fewer lines are not looked into.
const SHORT: usize = 24;
/// What begins the ends of a conditional section.
const SECTIONS: [&str; 3] = ["#if", "#el", "#end"];
/// Members inside members are looked into so deep.
const MAX_DEPTH: usize = 16;

/// A line as the search for members sees it.
struct Row {
    /// Its first byte.
    start: usize,
    /// Bytes of white space before its text; none where it is blank or begins inside a
    /// string or comment.
    depth: Option<usize>,
    /// A member may begin here.
    opens: bool,
    /// It begins with code.
    code: bool,
    /// Brackets that are open where it begins, less those that closed none.
    open: isize,
    /// Ends of conditional sections above.
    ends: usize,
}

/// The ranges of a text that tell the definitions around the lines `wanted` (from 1, in
/// order); `None` where they would be most of it, or members of its language cannot be left
/// out.
pub(super) fn ranges(
    language: &'static Language,
    text: &str,
    wanted: &[usize],
) -> Option<Vec<tree_sitter::Range>> {
    let members = language.data().members.as_ref()?;
    let rows = rows(language, members, text);
    let text = Text {
        language,
        text,
        rows,
        wanted,
    };
    let mut gaps = Vec::new();
    text.leave_out(0..text.len(), 0, 0, &mut gaps);
    let left_out: usize = gaps.iter().map(|g| text.bytes(g).len()).sum();
    (left_out > text.text.len() / 3).then(|| text.without(&gaps))
}

/// The lines, and one of nothing at the end.
fn rows(language: &'static Language, members: &Members, text: &str) -> Vec<Row> {
    let comments = language.line_comments().iter();
    let blocks = language.block_comments().iter().map(|(open, _)| open);
    let comments: Vec<&String> = comments.chain(blocks).collect();
    let is_comment = |code: &str| comments.iter().any(|c| code.starts_with(c.as_str()));
    let within = lexed::within(language, text);
    let mut within = within.iter().peekable();
    let (mut open, mut ends) = (0, 0);
    let mut rows: Vec<Row> = Vec::new();
    let mut start = 0;
    let mut blank_above = true;
    // How deep an attribute begins: it belongs to what is below it, even across a blank line.
    let mut attribute = None;
    // The comments that the next line of code is below.
    let mut pending: Vec<usize> = Vec::new();
    for line in text.split_inclusive('\n') {
        while within.next_if(|w| w.end <= start).is_some() {}
        let is_code = within.peek().is_none_or(|w| start <= w.start);
        let code = line.trim_start();
        let depth = (is_code && !code.is_empty()).then(|| line.len() - code.len());
        let is_comment = is_comment(code);
        let begins = is_comment || members.may_begin(code);
        let row = Row {
            start,
            depth,
            open,
            ends,
            code: depth.is_some() && !is_comment,
            opens: depth.is_some() && begins && attribute.is_none() && blank_above,
        };
        let strings = within.clone().take_while(|w| w.start < start + line.len());
        open += brackets(line, start, strings);
        ends += usize::from(code.starts_with('#') && SECTIONS.iter().any(|s| code.starts_with(s)));
        start += line.len();
        blank_above = is_code && code.is_empty();
        if depth.is_some() && is_comment {
            pending.push(rows.len());
        } else if let Some(depth) = depth {
            let goes_on = |a: &usize| depth > *a || code.starts_with([')', ']']);
            attribute = match members.is_attribute(code) {
                true => attribute.or(Some(depth)),
                false => attribute.filter(goes_on),
            };
            // Code that is commented out may begin anywhere.
            for n in pending.drain(..) {
                if let Some(row) = rows.get_mut(n) {
                    row.depth = row.depth.max(Some(depth));
                }
            }
        }
        rows.push(row);
    }
    rows.push(Row {
        start,
        depth: None,
        opens: false,
        code: false,
        open,
        ends,
    });
    rows
}

/// The brackets that a line opens, less those that it closes, outside of strings and
/// comments.
fn brackets<'a>(line: &str, start: usize, within: impl Iterator<Item = &'a Range<usize>>) -> isize {
    let count = |from: usize, to: usize| {
        let part = line.as_bytes().get(from..to).unwrap_or_default();
        let one = |b: &u8| match b {
            b'(' | b'[' | b'{' => 1,
            b')' | b']' | b'}' => -1,
            _ => 0,
        };
        part.iter().map(one).sum::<isize>()
    };
    let mut from = 0;
    let mut open = 0;
    for w in within {
        open += count(from, w.start.saturating_sub(start).max(from));
        from = w.end - start;
    }
    open + count(from, line.len())
}

struct Text<'a> {
    language: &'static Language,
    text: &'a str,
    rows: Vec<Row>,
    wanted: &'a [usize],
}

impl<'a> Text<'a> {
    /// Adds the members among `rows`, at least `depth` deep, that are not wanted.
    fn leave_out(
        &self,
        rows: Range<usize>,
        depth: usize,
        level: usize,
        gaps: &mut Vec<Range<usize>>,
    ) {
        let at = |n: usize| self.rows.get(n);
        let opens = |n: &usize| at(*n).filter(|r| r.opens).and_then(|r| r.depth);
        let deep = |n: &usize| opens(n).is_some_and(|d| d >= depth);
        let Some(depth) = rows.clone().filter(deep).filter_map(|n| opens(&n)).min() else {
            return;
        };
        let starts: Vec<usize> = rows.clone().filter(|n| opens(n) == Some(depth)).collect();
        let mut begun = false;
        for (i, &start) in starts.iter().enumerate() {
            let next = starts.get(i + 1).copied();
            // What is less deep closes what is around.
            let closes = |n: &usize| at(*n).and_then(|r| r.depth).is_some_and(|d| d < depth);
            let end = next.unwrap_or(rows.end);
            let end = (start..end).find(closes).unwrap_or(end);
            // Where nothing opens and closes a body, its first and last members do.
            let is_edge = depth > 0 && (!begun || next.is_none());
            // What a text begins with may say how to read it (`<?php`).
            let is_kept = start == 0 || is_edge && self.language.indentation_sensitive();
            begun |= (start..end).any(|n| at(n).is_some_and(|r| r.code));
            if is_kept || self.is_wanted(start..end) {
                if end - start > SHORT && level < MAX_DEPTH {
                    self.leave_out(start..end, depth + 1, level + 1, gaps);
                }
            } else if self.stands_alone(start..end) {
                gaps.push(start..end);
            }
        }
    }

    fn is_wanted(&self, rows: Range<usize>) -> bool {
        let first = self.wanted.partition_point(|&line| line <= rows.start);
        self.wanted.get(first).is_some_and(|&line| line <= rows.end)
    }

    /// Whether these rows close what they open, and no conditional section begins or ends in
    /// them: the other end may be elsewhere.
    fn stands_alone(&self, rows: Range<usize>) -> bool {
        let (Some(first), Some(behind)) = (self.rows.get(rows.start), self.rows.get(rows.end))
        else {
            return false;
        };
        let mut inside = self.rows.get(rows.clone()).into_iter().flatten();
        first.ends == behind.ends
            && first.open == behind.open
            && inside.all(|r| r.open >= first.open)
    }

    /// How many lines there are.
    fn len(&self) -> usize {
        self.rows.len().saturating_sub(1)
    }

    fn bytes(&self, rows: &Range<usize>) -> Range<usize> {
        let start = |n: usize| self.rows.get(n).map_or(self.text.len(), |r| r.start);
        start(rows.start)..start(rows.end)
    }

    /// The ranges of the text beside the gaps, which are in order.
    fn without(&self, gaps: &[Range<usize>]) -> Vec<tree_sitter::Range> {
        let mut out = Vec::with_capacity(gaps.len() + 1);
        let mut from = 0;
        let all = self.len();
        // The last line may end without a break.
        let broken = memchr::memrchr(b'\n', self.text.as_bytes()).map_or(0, |n| n + 1);
        for gap in gaps.iter().chain([&(all..all)]) {
            let rows = from..gap.start;
            let bytes = self.bytes(&rows);
            from = gap.end;
            if bytes.is_empty() {
                continue;
            }
            let column = bytes.end.saturating_sub(broken.max(bytes.start));
            let row = rows.end - usize::from(column > 0);
            out.push(tree_sitter::Range {
                start_byte: bytes.start,
                end_byte: bytes.end,
                start_point: Point::new(rows.start, 0),
                end_point: Point::new(row, column),
            });
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Outline, parse, parse_around};
    use super::*;

    /// The first line of each gap, and the first behind it.
    fn left_out(name: &str, text: &str, line: usize) -> Vec<(usize, usize)> {
        let language = Language::by_name(name).expect("known");
        let row = |at: usize| text[..at].matches('\n').count() + 1;
        let mut from = 0;
        let mut gaps = Vec::new();
        for kept in ranges(language, text, &[line]).expect("worth it") {
            if from < kept.start_byte {
                gaps.push((row(from), row(kept.start_byte)));
            }
            from = kept.end_byte;
        }
        if from < text.len() {
            gaps.push((row(from), row(text.len())));
        }
        gaps
    }

    /// What a line lies in, told by all of the text and by what is around it.
    fn both(name: &str, text: &str, line: usize) -> (String, String) {
        let language = Language::by_name(name).expect("known");
        let show = |outline: Outline| {
            let chain = outline.definitions.chain(line).into_iter();
            let chain: Vec<_> = chain.filter_map(|i| outline.definitions.get(i)).collect();
            let comment = |c: &&Range<usize>| text[..c.end].matches('\n').count() + 1 >= line;
            let told = chain.iter().map(|d| {
                let docs = d.start_with_docs;
                format!("{} {:?} {docs} {}", d.path, d.lines, d.signature)
            });
            let comments = outline.comments.iter().find(comment).filter(|c| {
                let first = text[..c.start].matches('\n').count() + 1;
                first <= line
            });
            format!("{:#?} {comments:?}", told.collect::<Vec<_>>())
        };
        let whole = parse(language, text).expect("small");
        let part = parse_around(language, text, &[line], &|| false).expect("small");
        let told = show(whole.outline(text));
        // Neither depends on the other.
        assert_eq!(told, show(whole.outline_around(text, &[line])));
        (told, show(part.outline_around(text, &[line])))
    }

    fn same(name: &str, text: &str) {
        for line in 1..=text.lines().count() {
            let (whole, part) = both(name, text, line);
            assert_eq!(whole, part, "line {line} of\n{text}");
        }
    }

    /// So many lines of a body, which nobody asks for.
    fn body(indent: &str) -> String {
        (0..30).map(|n| format!("{indent}f({n});\n")).collect()
    }

    #[test]
    fn members_that_nobody_asks_for_are_left_out() {
        let text = format!(
            "use a;\n\nimpl B {{\n    fn c() {{\n{0}    }}\n\n    /// D.\n    fn d() {{\n{0}    }}\n}}\n\nfn e() {{\n{0}}}\n",
            body("        ")
        );
        assert_eq!(left_out("rust", &text, 5), [(37, 70), (72, 104)]);
        assert_eq!(left_out("rust", &text, 80), [(3, 72)]);
        same("rust", &text);
    }

    #[test]
    fn a_text_in_a_string_is_no_member() {
        let text = format!(
            "describe(\"x\", () => {{\n  it(\"a\", () => {{\n    const input = `\n\nfirst\n\nlast`;\n  }});\n\n  it(\"b\", () => {{\n{0}    const input = `\n\nsecond`;\n  }});\n\n  it(\"c\", () => {{\n{0}  }});\n}});\n",
            body("    ")
        );
        same("typescript", &text);
        let text = "/* A\n\nb\n\nc */\nfn d() {}\n\nfn e() {}\n".to_owned();
        same("rust", &(text + &body("// ")));
    }

    #[test]
    fn a_body_without_brackets_ends_with_its_last_member() {
        let def = |name: &str| {
            format!(
                "    def {name}(self):\n        x = 1\n{}\n",
                body("        ")
            )
        };
        let class = format!(
            "class A:\n\n    # First.\n\n{}{}    @b(\n        [\n            1\n        ]\n    )\n\n{}",
            def("a"),
            def("b"),
            def("c")
        );
        same("python", &format!("import x\n\n{class}\n{class}"));
        same("python", &class);
    }

    #[test]
    fn what_is_around_need_not_be_deeper() {
        let text = format!(
            "namespace a {{\n\nvoid b() {{\n{0}}}\n\nint c() {{\n{0}out:\n\treturn 1;\n}}\n\n}}\n\nvoid d() {{\n{0}}}\n",
            body("\t")
        );
        same("cpp", &text);
        let text = format!(
            "class A {{\n//    func a() {{\n//    }}\n\n    func b() {{\n{0}    }}\n\n//    func c() {{\n\n    func d() {{\n{0}    }}\n}}\n",
            body("        ")
        );
        same("swift", &text);
    }

    #[test]
    fn a_text_keeps_its_beginning() {
        let text = format!(
            "#!/usr/bin/env php\n<?php\n\nfunction a() {{\n{0}}}\n\nfunction b() {{\n{0}}}\n",
            body("    ")
        );
        same("php", &text);
    }

    #[test]
    fn both_ends_of_a_condition_are_kept() {
        let text = format!(
            "#if A\nint a() {{\n{0}}}\n\nint b() {{\n{0}}}\n#else\nint c;\n\nint d() {{\n{0}}}\n#endif\n\nint e() {{\n{0}}}\n",
            body("\t")
        );
        same("c", &text);
    }

    #[test]
    fn this_repository_is_told_the_same() {
        let mut folders = vec![std::path::PathBuf::from(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/src"
        ))];
        let mut left_out = 0;
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).expect("there").flatten() {
                let path = entry.path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|e| e == "rs") {
                    let text = std::fs::read_to_string(&path).expect("there");
                    let line = 1 + text.len() % text.lines().count().max(1);
                    let (whole, part) = both("rust", &text, line);
                    assert_eq!(whole, part, "{path:?} line {line}");
                    let rust = Language::by_name("rust").expect("known");
                    left_out += usize::from(ranges(rust, &text, &[line]).is_some());
                }
            }
        }
        assert!(left_out > 50);
    }
}
