//! Which parts of a text tell the definitions around some of its lines: the headers above
//! them and what stands beside them. The other members of a class, the other items of a
//! file are left out, and the parser reads on behind them as if they were not there.
//!
//! Where the lines that seem to begin a member do not, what is left is rarely valid, and all
//! of the text is parsed.

use std::ops::Range;

use rayon::prelude::*;
use tree_sitter::Point;

use super::headings;
use super::items::{Text, parse_stoppable};
use super::language::Language;
use super::outline::{self, Outline};
use super::parse::{Parsed, is_bearable, parse_ranges};

/// Members with fewer lines are not looked into.
const SHORT: usize = 24;
/// Members inside members are looked into so deep.
const MAX_DEPTH: usize = 16;

/// What a text says about some lines (from 1, in order): the definitions and comments that
/// they lie in. Parts that tell nothing about them are not parsed, where it can be without.
/// `None` as with [`super::parse`], and soon after `stop` says so.
pub fn outline_around(
    language: &'static Language,
    text: &str,
    lines: &[usize],
    stop: &(dyn Fn() -> bool + Sync),
) -> Option<Outline> {
    if is_bearable(language, text) {
        if let Some(outline) = headings::outline(language, text) {
            return Some(outline);
        }
        if let Some(kept) = kept(language, text, lines) {
            let told = kept.par_iter().map(|kept| kept.parse(language, text, stop));
            if let Some(trees) = told.collect::<Option<Vec<Parsed>>>() {
                return Some(outline::around(&trees, text, lines));
            }
        }
    }
    let whole = parse_stoppable(language, text, stop).ok()?;
    Some(outline::around(&[whole], text, lines))
}

/// Parts of an item of a text that are parsed as if nothing stood between them.
struct Kept<'a> {
    ranges: Vec<tree_sitter::Range>,
    /// All of the item.
    item: tree_sitter::Range,
    /// Whether it is not all of the text.
    is_apart: bool,
    /// The lines of it that they are to tell about, from 1.
    wanted: &'a [usize],
}

impl Kept<'_> {
    /// `None` where an error shows that they do not stand alone.
    fn parse(
        &self,
        language: &'static Language,
        text: &str,
        stop: &dyn Fn() -> bool,
    ) -> Option<Parsed> {
        let parse = |ranges: &[_]| parse_ranges(language, text, ranges, None, stop).ok();
        let mut parsed = parse(&self.ranges)?;
        if !parsed.has_error() {
            return Some(parsed);
        }
        if !self.is_apart {
            return None;
        }
        if self.ranges.as_slice() != [self.item] {
            parsed = parse(&[self.item])?;
        }
        let is_told = |line: &usize| is_told(&parsed, *line);
        (!parsed.has_error() || self.wanted.iter().all(is_told)).then_some(parsed)
    }
}

/// Whether nothing around the first word of a line (from 1) is an error.
fn is_told(parsed: &Parsed, line: usize) -> bool {
    let start = Point::new(line - 1, 0);
    let mut cursor = parsed.tree().walk();
    loop {
        let node = cursor.node();
        if node.is_error() || node.is_missing() {
            return false;
        }
        if !node.has_error() || cursor.goto_first_child_for_point(start).is_none() {
            return true;
        }
    }
}

/// What is parsed to tell the definitions around the lines `wanted` (from 1, in order); `None`
/// where it would be most of a text of one item, or members of its language cannot be left
/// out.
fn kept<'a>(language: &'static Language, text: &str, wanted: &'a [usize]) -> Option<Vec<Kept<'a>>> {
    let text = Text::new(language, text)?;
    let items = text.items();
    let mut kept = Vec::new();
    for item in &items {
        let wanted = within(wanted, item);
        if wanted.is_empty() {
            continue;
        }
        let mut gaps = Vec::new();
        text.leave_out(item.clone(), 0, 0, wanted, &mut gaps);
        kept.push(Kept {
            ranges: text.without(item, &gaps),
            item: text.range(item)?,
            is_apart: items.len() > 1,
            wanted,
        });
    }
    let ranges = kept.iter().flat_map(|k| &k.ranges);
    let bytes: usize = ranges.map(|r| r.end_byte - r.start_byte).sum();
    // Items are parsed at the same time.
    (items.len() > 1 || bytes < text.text.len() / 3 * 2).then_some(kept)
}

/// Those of some lines (from 1, in order) that are among rows (from 0).
fn within<'a>(lines: &'a [usize], rows: &Range<usize>) -> &'a [usize] {
    let place = |row: usize| lines.partition_point(|&line| line <= row);
    lines
        .get(place(rows.start)..place(rows.end))
        .unwrap_or_default()
}

impl Text<'_> {
    /// Adds the members among `rows`, at least `depth` deep, that hold no wanted line.
    fn leave_out(
        &self,
        rows: Range<usize>,
        depth: usize,
        level: usize,
        wanted: &[usize],
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
            let rows = start..end;
            let wanted = within(wanted, &rows);
            if is_kept || !wanted.is_empty() {
                if rows.len() > SHORT && level < MAX_DEPTH {
                    self.leave_out(rows, depth + 1, level + 1, wanted, gaps);
                }
            } else if self.stands_alone(&rows) {
                gaps.push(rows);
            }
        }
    }

    /// Whether these rows close what they open, and no conditional section begins or ends in
    /// them: the other end may be elsewhere.
    fn stands_alone(&self, rows: &Range<usize>) -> bool {
        let (Some(first), Some(behind)) = (self.rows.get(rows.start), self.rows.get(rows.end))
        else {
            return false;
        };
        let mut inside = self.rows.get(rows.clone()).into_iter().flatten();
        first.ends == behind.ends
            && first.open == behind.open
            && inside.all(|r| r.open >= first.open)
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;
    use crate::text::Span;

    /// The first line of each range that is parsed, and the first behind it.
    fn parsed(name: &str, text: &str, lines: &[usize]) -> Vec<Vec<(usize, usize)>> {
        let language = Language::by_name(name).expect("known");
        let kept = kept(language, text, lines).expect("worth it");
        let rows = |r: &tree_sitter::Range| (r.start_point.row + 1, r.end_point.row + 1);
        let trees = kept.iter().map(|k| k.ranges.iter().map(rows).collect());
        trees.collect()
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
        let part = outline_around(language, text, &[line], &|| false).expect("small");
        let told = show(whole.outline(text));
        // It does not take a part of the text to look at what is around a line.
        assert_eq!(told, show(outline::around(&[whole], text, &[line])));
        (told, show(part))
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
        // A member is told by what is around it, an item by itself.
        assert_eq!(parsed("rust", &text, &[5]), [[(3, 37), (70, 72)]]);
        assert_eq!(parsed("rust", &text, &[80]), [[(72, 104)]]);
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
    fn an_error_is_told_where_it_is() {
        // What the grammar makes of a macro between strings reaches over all that is below.
        let text = "void a(int t) {
    switch (t) {
    case 1: g(t); break;
    default: h(t, QUOTED(\"=\") \" or \" QUOTED(\"in\") \" expected\");
    }
    g(t);
}

int b(int t) {
    return t;
}

int c(int t) {
    return t;
}
";
        let language = Language::by_name("c").expect("known");
        let all = parse(language, text).expect("small").outline(text);
        let some = outline_around(language, text, &[10], &|| false).expect("small");
        let b = ("b", Span::new(9, 11));
        let lines = [("a", Span::new(1, 7)), b, ("c", Span::new(13, 15))];
        for (told, lines) in [(all, &lines[..]), (some, &[b])] {
            let told = told.definitions.iter().map(|d| (d.path.as_str(), d.lines));
            assert_eq!(told.collect::<Vec<_>>(), lines);
        }
    }

    #[test]
    fn a_label_is_no_member() {
        let text = format!(
            "void a() {{\n    if (b)\n        goto c;\n{0}\nc: /* D. */\n    e();\n\nf:\n    g();\n}}\n\nvoid h() {{\n{0}}}\n",
            body("    ")
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
                    left_out += usize::from(kept(rust, &text, &[line]).is_some());
                }
            }
        }
        assert!(left_out > 50);
    }
}
