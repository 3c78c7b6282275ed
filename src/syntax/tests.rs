use std::ops::Range;
use std::path::{Path, PathBuf};

use proptest::prelude::*;

use super::parse::try_parse;
use super::piece::Piece;
use super::walk::{Descend, walk_with_ancestors};
use super::*;
use crate::text::{Lines, Span};

#[test]
fn every_language_knows_its_data() {
    for language in Language::all() {
        let name = language.name();
        assert_eq!(language.read().err(), None, "{name}: language.toml");
        let unknown = &language.grammar().unknown;
        assert!(unknown.is_empty(), "{name}: {unknown:?}");
    }
}

fn parsed(language: &str, text: &str) -> (Parsed, Definitions) {
    let language = Language::by_name(language).expect("a known language");
    let parsed = parse(language, text).expect("a small text");
    let definitions = parsed.definitions(text);
    (parsed, definitions)
}

#[test]
fn finds_names_and_paths_as_they_are_typed() {
    let text = "mod a {\n    struct T;\n    impl T { fn go(&self) {} }\n    impl Clone for T { fn clone(&self) -> T { T } }\n}\nfn go() {}\n";
    let (_, found) = parsed("rust", text);
    let lines =
        |asked: &str| -> Vec<usize> { found.find(asked).iter().map(|d| d.lines.start).collect() };
    assert_eq!(lines("go"), [3, 6]);
    for asked in ["T.go", "T::go", "T#go", "a::T::go", "a.T.go()"] {
        assert_eq!(lines(asked), [3], "{asked}");
    }
    assert_eq!(lines("<T as Clone>::clone"), [4]);
    assert_eq!(lines("T"), [2, 3, 4]);
    let text = "struct A {\n    operator bool() { return true; }\n};\n";
    let (_, found) = parsed("cpp", text);
    assert_eq!(found.find("A.operator bool()").len(), 1);
    assert!(lines("o").is_empty());
}

#[test]
fn errors_have_lines_and_keys() {
    let (p, _) = parsed("rust", "fn a() {}\nfn b( {}\n");
    let errors = p.errors("fn a() {}\nfn b( {}\n");
    assert_eq!(errors.len(), p.error_count());
    assert!(
        !errors.is_empty() && errors.iter().all(|e| e.line == 2),
        "{errors:?}"
    );
}

#[test]
fn a_word_that_closes_nothing_is_an_error() {
    for (language, text, line) in [
        ("ruby", "class A\n  def b\n  end\nend\nend\nc do\nend\n", 5),
        ("elixir", "defmodule A do\n  def b, do: 1\nend\nend\n", 4),
        ("bash", "if a; then\n  b\nfi\nfi\n", 4),
        ("bash", "for a in b; do\n  c\ndone\ndone\n", 4),
    ] {
        let (p, _) = parsed(language, text);
        let lines: Vec<usize> = p.errors(text).iter().map(|e| e.line).collect();
        assert_eq!((lines, p.error_count()), (vec![line], 1), "{text}");
    }
    for (language, text) in [
        ("ruby", "a = 1..3\nb = a.end\nc(end: 1)\n"),
        ("bash", "echo fi done\ndone=1\n"),
    ] {
        let (p, _) = parsed(language, text);
        assert_eq!(p.errors(text), [], "{text}");
    }
}

/// The scanner of the shell's grammar reads beyond a table there, and may crash.
#[test]
fn wide_characters_in_a_brace_range_are_kept_from_the_scanner() {
    let language = Language::by_name("bash").expect("a known language");
    for text in ["echo {\u{1f600}}\n", "a {1\u{10ffff}", "{1..2\u{1f600}}\n"] {
        assert!(parse(language, text).is_none(), "{text}");
    }
    assert!(parse(language, "echo {1..3} \u{1f600}\n").is_some());
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/languages")
}

/// The fixture of each language: the file with its name that is no snapshot.
fn sources() -> Vec<(&'static Language, PathBuf, String)> {
    let entries = std::fs::read_dir(fixtures()).expect("fixtures");
    let mut paths: Vec<PathBuf> = entries.flatten().map(|e| e.path()).collect();
    paths.sort();
    paths
        .into_iter()
        .filter(|p| p.extension().is_some_and(|e| e != "snap"))
        .map(|path| {
            let text = std::fs::read_to_string(&path).expect("a fixture");
            let stem = path.file_stem().and_then(|s| s.to_str()).expect("a name");
            let language = Language::by_name(stem).expect("named after a language");
            (language, path, text)
        })
        .collect()
}

/// What a reader of a snapshot checks against the source.
fn outline(parsed: &Parsed, text: &str) -> String {
    let mut out = String::new();
    let definitions = parsed.definitions(text);
    for d in definitions.iter() {
        let mut depth = 0;
        let mut above = d.parent;
        while let Some(p) = above {
            depth += 1;
            above = definitions.get(p).and_then(|d| d.parent);
        }
        let lines = Lines::new(text);
        let docs = if d.start_with_docs < d.lines.start {
            format!(" docs {}", d.start_with_docs)
        } else {
            String::new()
        };
        let body = d.body.as_ref().map_or(String::new(), |b| {
            let last = lines.line_at(b.end.saturating_sub(1).max(b.start));
            format!(" body {}", Span::new(lines.line_at(b.start), last))
        });
        out += &format!(
            "{:indent$}{} {} [{}]{docs}{body} | {}\n",
            "",
            d.kind.as_str(),
            d.path,
            d.lines,
            d.signature,
            indent = depth * 2
        );
        let named = text[d.name_bytes.clone()].split_whitespace();
        assert_eq!(named.collect::<Vec<_>>().join(" "), d.name);
    }
    let imports: Vec<String> = parsed.imports(text).iter().map(Span::to_string).collect();
    let (walked, strings) = parsed.outline_and_strings(text);
    assert_eq!(walked.imports, parsed.imports(text));
    assert_eq!(walked.comments, parsed.comments(text));
    assert_eq!(strings, parsed.strings(text));
    out += &format!("imports: {}\n", imports.join(" "));
    let lines = Lines::new(text);
    let place = |ranges: Vec<std::ops::Range<usize>>| -> String {
        let lines: Vec<String> = ranges
            .iter()
            .map(|r| lines.line_at(r.start).to_string())
            .collect();
        lines.join(" ")
    };
    out += &format!("comments: {}\n", place(parsed.comments(text)));
    out += &format!("strings: {}\n", place(parsed.strings(text)));
    out
}

#[test]
fn outlines_are_as_reviewed() {
    for (language, path, text) in sources() {
        let found = Language::detect(&path, &text);
        assert_eq!(found, Some(language), "{}", path.display());
        let parsed = parse(language, &text).expect("a small text");
        assert_eq!(parsed.errors(&text), [], "{}", language.name());
        insta::with_settings!({
            snapshot_path => fixtures(),
            prepend_module_to_snapshot => false,
            omit_expression => true,
        }, {
            insta::assert_snapshot!(language.name(), outline(&parsed, &text));
        });
    }
}

#[test]
fn every_language_has_a_fixture() {
    let have: Vec<&str> = sources().iter().map(|(l, _, _)| l.name()).collect();
    let want: Vec<&str> = Language::all().iter().map(Language::name).collect();
    assert_eq!(have, want);
}

/// The pattern files are queries that tree-sitter's own engine reads, and it finds
/// every name that the matcher finds.
#[test]
fn the_query_engine_agrees() {
    use streaming_iterator::StreamingIterator;
    for (language, _, text) in sources() {
        let source = language.pattern_sources().concat();
        let query = tree_sitter::Query::new(&language.grammar().language, &source);
        let query = query.unwrap_or_else(|e| panic!("{}: {e}", language.name()));
        let name = query.capture_index_for_name("name").expect("names");
        let parsed = parse(language, &text).expect("a small text");
        let mut cursor = tree_sitter::QueryCursor::new();
        let mut names = Vec::new();
        let mut matches = cursor.matches(&query, parsed.tree().root_node(), text.as_bytes());
        while let Some(m) = matches.next() {
            names.extend(m.nodes_for_capture_index(name).map(|n| n.byte_range()));
        }
        let embedded: Vec<_> = parsed
            .others()
            .iter()
            .map(|e| e.tree().root_node().byte_range())
            .collect();
        for d in parsed.definitions(&text).iter() {
            let own = d.name_bytes.start;
            let is_header = d.name_bytes.start == d.bytes.start && d.name.contains(['@', '(', '"']);
            if !is_header && !embedded.iter().any(|e| e.contains(&own)) {
                let found = names.iter().any(|n| n.contains(&own));
                assert!(found, "{}: {}", language.name(), d.path);
            }
        }
    }
}

#[test]
fn a_body_lies_within_its_definition() {
    for language in Language::all() {
        for text in [
            "=class @ස function \u{1FAA8}def \n",
            "function f \n\n",
            "class A \n def",
        ] {
            if let Some(parsed) = parse(language, text) {
                check_invariants(&parsed, text);
            }
        }
    }
}

fn check_invariants(parsed: &Parsed, text: &str) {
    let lines = Lines::new(text);
    let definitions = parsed.definitions(text);
    let mut last = 0;
    for (i, d) in definitions.iter().enumerate() {
        assert!(last <= d.bytes.start, "in order");
        last = d.bytes.start;
        assert!(text.get(d.bytes.clone()).is_some() && text.get(d.name_bytes.clone()).is_some());
        assert!(
            d.body
                .as_ref()
                .is_none_or(|b| b.start >= d.bytes.start && b.end <= d.bytes.end)
        );
        assert_eq!(d.lines.start, lines.line_at(d.bytes.start));
        assert!(d.start_with_docs <= d.lines.start && d.lines.end <= lines.len().max(1));
        assert!(!d.name.is_empty() && d.path.ends_with(&d.name));
        if let Some(p) = d.parent {
            let parent = definitions.get(p).expect("a parent");
            assert!(p < i && parent.lines.covers(d.lines));
        }
        assert!(definitions.find(&d.path).contains(&d), "{}", d.path);
        assert!(definitions.enclosing(d.lines.start).is_some());
    }
    for ranges in [
        parsed.comments(text),
        parsed.strings(text),
        parsed.identifiers(text),
    ] {
        assert!(ranges.iter().all(|r| text.get(r.clone()).is_some()));
    }
    for span in parsed.imports(text) {
        assert!(span.end <= lines.len().max(1));
    }
    for b in parsed.blocks_within(text, 0..text.len()) {
        assert!(text.get(b.bytes.clone()).is_some() && b.lines.end <= lines.len());
    }
    assert_eq!(parsed.errors(text).len(), parsed.error_count());
}

#[test]
fn fixtures_keep_the_invariants() {
    for (language, _, text) in sources() {
        // Prefixes that end at a line, so also with broken ends.
        let lines = Lines::new(&text);
        for line in (1..lines.len()).step_by(4) {
            let prefix = &text[..lines.start_of(line)];
            let parsed = parse(language, prefix).expect("a small text");
            check_invariants(&parsed, prefix);
        }
        let crlf = text.replace('\n', "\r\n");
        let parsed = parse(language, &crlf).expect("a small text");
        check_invariants(&parsed, &crlf);
    }
}

fn walk_all(parsed: &Parsed, text: &str) {
    parsed.definitions(text);
    parsed.comments(text);
    parsed.error_count();
    parsed.blocks_within(text, 0..text.len());
}

#[test]
fn deep_nesting_overflows_nothing() {
    // Without errors, so that the parser itself stays fast.
    for (name, open, close, depth) in [
        ("json", "[", "]", 20_000),
        ("json", "{\"a\":", "}", 20_000),
        ("javascript", "({a(){", "}})", 2_000),
        ("rust", "{", "}", 5_000),
        ("html", "<a>", "</a>", 1_000),
    ] {
        let language = Language::by_name(name).expect("a known language");
        let inside = if name == "json" { "1" } else { "" };
        let before = if name == "rust" { "fn f()" } else { "" };
        let (open, close) = (open.repeat(depth), close.repeat(depth));
        let text = format!("{before}{open}{inside}{close}");
        let parsed = parse(language, &text).expect("parsed in time");
        walk_all(&parsed, &text);
    }
}

#[test]
fn what_is_never_closed_aborts_nothing() {
    for language in Language::all() {
        for piece in [
            "(", "[", "{", "<a>", "a: ", "- ", "> ", "f(){", "if x:\n ", "\"#{",
        ] {
            let text = piece.repeat(400);
            if let Some(parsed) = parse(language, &text) {
                walk_all(&parsed, &text);
            }
        }
        let stairs: String = (0..600).map(|n| format!("{}a:\n", " ".repeat(n))).collect();
        if let Some(parsed) = parse(language, &stairs) {
            walk_all(&parsed, &stairs);
        }
        let word = format!("x = <<{}\n", "A".repeat(1019));
        if let Some(parsed) = parse(language, &word) {
            walk_all(&parsed, &word);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_text_is_outlined_without_a_panic(
        text in "(\\PC|[(){}\\[\\]<>:;,.#/*\"'`=\\-!@$%\\\\\\n\\r\\t ]|def |class |fn |function |const |import ){0,200}"
    ) {
        for language in Language::all() {
            if let Some(parsed) = parse(language, &text) {
                check_invariants(&parsed, &text);
            }
        }
    }

    #[test]
    fn mangled_sources_keep_the_invariants(
        which in 0usize..1000, at in 0usize..2000, cut in 0usize..40, put in "\\PC{0,8}"
    ) {
        let sources = sources();
        let (language, _, text) = &sources[which % sources.len()];
        let chars: Vec<char> = text.chars().collect();
        let at = at % (chars.len() + 1);
        let end = (at + cut).min(chars.len());
        let middle: Vec<char> = put.chars().collect();
        let mangled: String = [&chars[..at], &middle, &chars[end..]].concat().iter().collect();
        match try_parse(language, &mangled) {
            Ok(parsed) => check_invariants(&parsed, &mangled),
            // Such as a wide character behind a brace, in bash.
            Err(why) => {
                prop_assert_eq!(why, Unparsed::Never);
                prop_assert!(language.data().scanner.iter().any(|s| s.overflows(&mangled)));
            }
        }
    }

    #[test]
    fn a_text_parsed_again_is_as_parsed_at_first(
        seed in 0usize..1000, at in 0usize..2000, cut in 0usize..6, copy in 0usize..6, from in 0usize..2000
    ) {
        for (language, _, text) in &sources() {
            let lines: Vec<&str> = text.split_inclusive('\n').collect();
            let at = (at + seed) % (lines.len() + 1);
            let end = (at + cut).min(lines.len());
            let from = (from + seed) % lines.len();
            let copied = &lines[from..(from + copy).min(lines.len())];
            let edited = [&lines[..at], copied, &lines[end..]].concat().concat();
            let first = try_parse(language, &edited).expect("a small text");
            let (outline, name) = (first.outline(&edited), language.name());
            for size in [usize::MAX, 64] {
                let old = Pieces::parse_by(language, text, size).expect("a small text");
                let outlined = old.outlined(text);
                let (new, again) = old.edited(&outlined, text, &edited).expect("a small text");
                prop_assert_eq!(leaves_of(&new), leaves([(&first, 0..usize::MAX)]), "{}: {}", name, edited);
                prop_assert_eq!(new.error_count(), first.error_count());
                prop_assert_eq!(&again.outline, &outline, "{}: {}", name, edited);
                // The next edit begins with what this one left.
                let (_, back) = new.edited(&again, &edited, text).expect("a small text");
                prop_assert_eq!(&back.outline, &outlined.outline, "{}: {}", name, edited);
            }
        }
    }
}

/// The leaves of a text's trees, each with the kinds of the nodes around it.
fn leaves<'a>(trees: impl IntoIterator<Item = (&'a Parsed, Range<usize>)>) -> String {
    let mut leaves = String::new();
    for (tree, own) in trees {
        walk_with_ancestors(tree.tree(), |node, above| {
            if node.child_count() == 0 && own.contains(&node.start_byte()) {
                let (kind, bytes) = (node.kind(), node.byte_range());
                leaves += &format!("{kind} {bytes:?} {above:?}\n");
            }
            Descend::Yes
        });
    }
    leaves
}

fn leaves_of(pieces: &Pieces) -> String {
    let own = |p: &Piece| match p.part.shell {
        Some(_) => p.part.own.clone(),
        None => 0..usize::MAX,
    };
    leaves(pieces.pieces().iter().map(|p| (&p.parsed, own(p))))
}

#[test]
fn a_text_in_pieces_is_as_in_one() {
    let mut in_pieces = Vec::new();
    for (language, _, text) in &sources() {
        let whole = try_parse(language, text).expect("a small text");
        let pieces = Pieces::parse_by(language, text, 64).expect("a small text");
        let name = language.name();
        let apart = language.data().members.as_ref().is_some_and(|m| m.apart);
        if pieces.pieces().len() > 1 {
            assert!(apart && whole.error_count() == 0, "{name}");
            in_pieces.push(name);
        }
        assert_eq!(leaves_of(&pieces), leaves([(&whole, 0..usize::MAX)]));
        assert_eq!(pieces.outlined(text).outline, whole.outline(text), "{name}");
        assert_eq!(pieces.identifiers(text), whole.identifiers(text), "{name}");
    }
    assert!(in_pieces.len() >= 6, "{in_pieces:?}");
}

#[test]
fn what_is_open_at_the_end_of_a_piece_is_an_error() {
    for language in Language::all() {
        if !language.data().members.as_ref().is_some_and(|m| m.apart) {
            continue;
        }
        let strings = language.strings().iter().map(|s| s.open.as_str());
        let comments = language
            .block_comments()
            .iter()
            .map(|(open, _)| open.as_str());
        let inside = format!("{}x\n\n", language.line_comments()[0]);
        for open in strings.chain(comments).chain(["(", "[", "{"]) {
            for text in [
                format!("{inside}x = {open}\n\n"),
                format!("{inside}{open} a\n\n"),
            ] {
                let parsed = parse(language, &text).expect("a small text");
                assert!(parsed.has_error(), "{}: {text}", language.name());
            }
        }
    }
}

#[test]
fn finds_what_is_around_a_line() {
    let text = "class A:\n    x = 1\n\n    # Says it.\n    @staticmethod\n    def f():\n        return 1\n";
    let (_, found) = parsed("python", text);
    let path = |d: Option<&Definition>| d.map(|d| d.path.clone()).unwrap_or_default();
    assert_eq!(path(found.enclosing(2)), "A.x");
    assert_eq!(path(found.enclosing_scope(2)), "A");
    assert_eq!(path(found.enclosing(3)), "A");
    assert_eq!(
        path(found.enclosing(4)),
        "A.f",
        "docs belong to what they are above"
    );
    assert_eq!(found.chain(7).len(), 2);
    assert!(found.chain(8).is_empty());
    let f = &found.find("A#f")[0];
    assert_eq!(
        (f.lines, f.lines_with_docs()),
        (Span::new(6, 7), Span::new(4, 7))
    );
    let members: Vec<&str> = found.children(Some(0)).map(|d| d.name.as_str()).collect();
    assert_eq!(members, ["x", "f"]);
}

#[test]
fn blocks_begin_and_end_with_lines() {
    let text = "fn f(a: u8) {\n    let b = a;\n    if b > 1 {\n        g(\n            b,\n        );\n        h();\n    } else {\n        h();\n    }\n    b; b\n}\n";
    let (parsed, found) = parsed("rust", text);
    let body = found.find("f")[0].body.clone().expect("a body");
    let blocks: Vec<String> = parsed
        .blocks_within(text, body)
        .iter()
        .map(|b| format!("{}{}", " ".repeat(b.depth), b.lines))
        .collect();
    assert_eq!(blocks, ["2", "3-10", " 4-6", "  5", " 7", " 9"]);
}

#[test]
fn misread_code_is_no_function() {
    let text = "void f(void) {\n  MACRO { a(); }\n  else if (b) {\n    c();\n  }\n}\nint g(void) { return 0; }\n";
    let (_, found) = parsed("c", text);
    assert!(
        found.find("if").is_empty() && !found.find("g").is_empty(),
        "{found:?}"
    );
    let text = "template <typename T>\nMY_INLINE MY_CONST result_t read(const T* at) noexcept { return 0; }\n";
    let (_, found) = parsed("cpp", text);
    assert!(!found.find("read").is_empty(), "{found:?}");
}

#[test]
fn the_thread_s_time_is_what_is_allowed() {
    let mut allowed = parse::Allowance::new(std::time::Duration::from_millis(20));
    std::thread::sleep(std::time::Duration::from_millis(40));
    let told = parse::thread_time().is_some();
    assert_eq!(allowed.is_left(), told, "sleep is no work");
    if told {
        while allowed.is_left() {}
    }
    assert!(!allowed.is_left());
}
