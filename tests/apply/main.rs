//! Promises of `apply` on snippets that are made from random edits.

mod fidelity;
mod fuzz;
mod refusals;

use proptest::prelude::*;
use trimtab::apply::{MergeOptions, merge};

fn options(path: &str) -> MergeOptions {
    MergeOptions {
        path: path.to_string(),
        ..MergeOptions::default()
    }
}

/// A file of small functions, no two alike.
fn file(functions: usize) -> Vec<String> {
    let mut out = vec!["use std::fmt;".to_string(), String::new()];
    for n in 0..functions {
        out.push(format!("/// Works out part {n}."));
        out.push(format!("fn part_{n}(input_{n}: u32) -> u32 {{"));
        out.push(format!("    let base_{n} = input_{n} + {n};"));
        out.push(format!("    if base_{n} > {} {{", n * 7));
        out.push(format!("        return base_{n} * 2;"));
        out.push("    }".to_string());
        out.push(format!("    base_{n} - {n}"));
        out.push("}".to_string());
        out.push(String::new());
    }
    out
}

fn text(lines: &[String]) -> String {
    lines.iter().map(|l| format!("{l}\n")).collect()
}

/// A random change of one line: replaced, added below, or taken out.
#[derive(Debug, Clone)]
enum Change {
    Replace(usize),
    Add(usize, usize),
    Remove(usize),
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        (0usize..1000).prop_map(Change::Replace),
        (0usize..1000, 1usize..4).prop_map(|(at, n)| Change::Add(at, n)),
        (0usize..1000).prop_map(Change::Remove),
    ]
}

/// The lines of function bodies that may change without breaking the syntax.
fn edit(before: &[String], change: &Change) -> (usize, usize, Vec<String>) {
    let bodies: Vec<usize> = (0..before.len())
        .filter(|&i| before[i].starts_with("    let ") || before[i].starts_with("        return"))
        .collect();
    let pick = |at: usize| bodies[at % bodies.len()];
    match *change {
        Change::Replace(at) => {
            let i = pick(at);
            let indent: String = before[i].chars().take_while(|c| *c == ' ').collect();
            (
                i,
                i + 1,
                vec![format!("{indent}let changed_{i} = compute({i});")],
            )
        }
        Change::Add(at, n) => {
            let i = pick(at);
            let indent: String = before[i].chars().take_while(|c| *c == ' ').collect();
            let new = (0..n)
                .map(|k| format!("{indent}trace(\"{i} {k}\");"))
                .collect();
            (i, i, new)
        }
        Change::Remove(at) => {
            let i = pick(at);
            (i, i + 1, Vec::new())
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// A snippet with context on both sides merges to the exact result or is refused, with
    /// any marker, and a second time changes nothing.
    #[test]
    fn snippets_of_a_change_merge_exactly(
        functions in 2usize..12,
        change in change(),
        context in 1usize..5,
        marker in prop::sample::select(vec!["// ... existing code ...", "# ... rest of code ...", "/* ... unchanged ... */", "// ..."]),
        crlf in any::<bool>(),
    ) {
        let before = file(functions);
        let (from, to, new) = edit(&before, &change);
        let mut after = before.clone();
        after.splice(from..to, new.iter().cloned());
        let start = from.saturating_sub(context);
        let end = (to + context).min(before.len());
        let mut snippet = vec![marker.to_string()];
        snippet.extend_from_slice(&before[start..from]);
        snippet.extend(new);
        snippet.extend_from_slice(&before[to..end]);
        snippet.push(marker.to_string());
        let eol = |t: String| if crlf { t.replace('\n', "\r\n") } else { t };
        let want = eol(text(&after));
        if let Ok(m) = merge(&eol(text(&before)), &text(&snippet), &options("a.rs")) {
            prop_assert_eq!(&m.text, &want);
            if let Ok(again) = merge(&m.text, &text(&snippet), &options("a.rs")) {
                prop_assert_eq!(&again.text, &want);
            }
        }
    }

    /// A unified diff merges to the exact result or is refused, wherever its header points.
    #[test]
    fn diffs_of_a_change_merge_exactly(functions in 2usize..12, change in change(), wrong in any::<bool>()) {
        let before = file(functions);
        let (from, to, new) = edit(&before, &change);
        let mut after = before.clone();
        after.splice(from..to, new.iter().cloned());
        let start = from.saturating_sub(3);
        let end = (to + 3).min(before.len());
        let mut diff = format!("@@ -{},{} +{},{} @@\n", if wrong { 1 } else { start + 1 }, end - start, start + 1, end - start);
        for l in &before[start..from] { diff.push_str(&format!(" {l}\n")); }
        for l in &before[from..to] { diff.push_str(&format!("-{l}\n")); }
        for l in &new { diff.push_str(&format!("+{l}\n")); }
        for l in &before[to..end] { diff.push_str(&format!(" {l}\n")); }
        if let Ok(m) = merge(&text(&before), &diff, &options("a.rs")) {
            prop_assert_eq!(m.text, text(&after));
        }
    }

    /// No text makes it panic.
    #[test]
    fn any_text_is_merged_or_refused(file in ".{0,200}", snippet in ".{0,200}", path in prop::sample::select(vec!["a.rs", "b.py", "c.md", "d.html", "e"])) {
        let _ = merge(&file, &snippet, &options(path));
    }

    /// No mix of the pieces that have a meaning makes it panic.
    #[test]
    fn any_pieces_are_merged_or_refused(
        file in prop::collection::vec(piece(), 0..12),
        snippet in prop::collection::vec(piece(), 0..12),
    ) {
        let _ = merge(&file.concat(), &snippet.concat(), &options("a.py"));
    }
}

fn piece() -> impl Strategy<Value = &'static str> {
    prop::sample::select(fuzz::PIECES)
}

#[test]
fn a_comment_that_asks_for_a_removal_is_never_dropped_in_silence() {
    let before = text(&file(4));
    let ask = "// ... existing code ...\n// removed: part_2\n\n/// Works out part 3.\n// ... existing code ...\n";
    let merged = merge(&before, ask, &options("a.rs")).unwrap();
    assert_eq!(merged.removed, ["part_2"]);
    assert_eq!(merged.text.lines().count() + 9, before.lines().count());
    let again = merge(&merged.text, ask, &options("a.rs")).unwrap();
    assert!(!again.changed);
    let alone = "// ... existing code ...\n// removed: part_2\n// ... existing code ...\n";
    assert_eq!(
        merge(&before, alone, &options("a.rs")).unwrap().text,
        merged.text
    );
    let refused = merge(&merged.text, alone, &options("a.rs")).unwrap_err();
    assert_eq!(refused.code, "removal_comment", "{refused}");
    // It may as well say what the code does.
    let unsure = ask.replace("removed:", "remove");
    let refused = merge(&before, &unsure, &options("a.rs")).unwrap_err();
    assert_eq!(refused.code, "removal_comment", "{refused}");
    let several = ask.replace("part_2", "the parts that nobody needs");
    let refused = merge(&before, &several, &options("a.rs")).unwrap_err();
    assert_eq!(refused.code, "removal_comment", "{refused}");

    // Said by the lines around it as well, it is done.
    let said = "// ... existing code ...\n    base_1 - 1\n}\n\n// removed: part_2\n/// Works out part 3.\n// ... existing code ...\n";
    let merged = merge(&before, said, &options("a.rs")).unwrap().text;
    assert!(
        !merged.contains("part_2") && !merged.contains("removed:"),
        "{merged}"
    );

    // Asked again, it is not text.
    let again = merge(&merged, said, &options("a.rs")).unwrap();
    assert!(!again.changed);
    let again = said.replace("removed:", "remove");
    let refused = merge(&merged, &again, &options("a.rs")).unwrap_err();
    assert_eq!(refused.code, "removal_comment", "{refused}");

    // A comment about something else is text.
    let comment = "// ... existing code ...\n    let base_2 = input_2 + 2;\n    // Remove duplicates\n    let base_2 = unique(base_2);\n    if base_2 > 14 {\n// ... existing code ...\n";
    let merged = merge(&before, comment, &options("a.rs")).unwrap().text;
    assert!(merged.contains("    // Remove duplicates\n"), "{merged}");
    let list = "# Changes\n\n* Added: parse\n* Fixed: format\n";
    let item = "* Added: parse\n* Removed: print\n* Fixed: format\n";
    let merged = merge(list, item, &options("a.md")).unwrap().text;
    assert!(merged.contains("* Removed: print\n"), "{merged}");
}

/// `fixtures/edits/NAME/`: `before.EXT`, `snippet`, and either `after.EXT` or `refused`,
/// which holds the refusal's code.
#[test]
fn edits_of_the_fixtures() {
    let dir = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/edits");
    let mut names: Vec<_> = std::fs::read_dir(&dir)
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    names.sort();
    assert!(names.len() > 10);
    let mut wrong = Vec::new();
    for case in names {
        let name = case.file_name().unwrap().to_string_lossy().into_owned();
        let before = std::fs::read_dir(&case)
            .unwrap()
            .map(|e| e.unwrap().path())
            .find(|p| p.file_stem().is_some_and(|s| s == "before"))
            .unwrap();
        let extension = before.extension().unwrap().to_string_lossy().into_owned();
        let read = |file: &str| std::fs::read_to_string(case.join(file));
        let text = std::fs::read_to_string(&before).unwrap();
        let snippet = read("snippet").unwrap();
        let path = format!("file.{extension}");
        let merged = merge(&text, &snippet, &options(&path));
        let made = merged.is_ok();
        let got = match merged {
            Ok(m) => m.text,
            Err(e) => format!("refused: {}\n", e.code),
        };
        let want = read(&format!("after.{extension}"))
            .unwrap_or_else(|_| format!("refused: {}", read("refused").unwrap()));
        if got != want {
            wrong.push(format!("{name}: wanted\n{want}\ngot\n{got}"));
            continue;
        }
        // Of an edit that was made, the second application changes nothing or is refused.
        if made && let Ok(again) = merge(&got, &snippet, &options(&path)) {
            assert_eq!(again.text, got, "{name}, the second time");
        }
        // Other line endings and a byte order mark make no difference.
        let crlf = |t: &str| t.replace('\n', "\r\n");
        if let Ok(m) = merge(&crlf(&text), &snippet, &options(&path)) {
            assert_eq!(m.text, crlf(&want), "{name} with CRLF");
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn an_empty_search_block_is_refused() {
    let empty = "<<<<<<< SEARCH\n=======\n>>>>>>> REPLACE\n";
    for file in ["", "x = 1\n"] {
        let refused = merge(file, empty, &options("a.py")).unwrap_err();
        assert_eq!(refused.code, "empty_edit");
    }
}
