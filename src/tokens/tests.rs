//! Every count against tiktoken-rs, the reference.

use std::sync::LazyLock;

use proptest::prelude::*;
use tiktoken_rs::CoreBPE;

use super::*;

static REFERENCE: LazyLock<CoreBPE> =
    LazyLock::new(|| tiktoken_rs::o200k_base().expect("the vocabulary is part of the crate"));

fn reference(text: &str) -> usize {
    REFERENCE.count_ordinary(text)
}

/// Fragments that meet at the borders of the pattern's alternatives.
const FRAGMENTS: &[&str] = &[
    "a",
    "b",
    "Z",
    "the",
    "The",
    "HTTP",
    "getValue",
    "x1",
    "0",
    "12",
    "345",
    "6789",
    "'",
    "'s",
    "'S",
    "'t",
    "'re",
    "'VE",
    "'m",
    "'lL",
    "'d",
    "'ſ",
    "'x",
    "’s",
    "ſ",
    "K",
    " ",
    "  ",
    "    ",
    "                ",
    "\t",
    "\t\t",
    "\n",
    "\n\n",
    "\r",
    "\r\n",
    "\r\n\r\n",
    "\u{b}",
    "\u{c}",
    "\u{1c}",
    "\u{85}",
    "\u{a0}",
    "\u{2003}",
    "\u{2028}",
    "\u{3000}",
    "\u{200b}",
    "\u{feff}",
    "\0",
    "\u{7f}",
    "/",
    "//",
    "///",
    "/*",
    "*/",
    "#",
    "##",
    "-",
    "--",
    "----------------",
    "=====",
    "_",
    "__init__",
    "()",
    "();",
    "{",
    "}",
    "};",
    "::",
    "->",
    "=>",
    "\"",
    "\\n",
    ".",
    "...",
    ",",
    ";",
    "!",
    "?!",
    "<|endoftext|>",
    "<|endofprompt|>",
    "é",
    "É",
    "e\u{301}",
    "\u{301}",
    "\u{301}\u{302}",
    "\u{20dd}",
    "ß",
    "ẞ",
    "Ǆ",
    "ǅ",
    "ǆ",
    "ʰ",
    "ª",
    "日",
    "日本語",
    "。",
    "、",
    "中文A",
    "あア",
    "한국어",
    "ไทย",
    "हिन्दी",
    "العربية",
    "עברית",
    "١٢٣٤",
    "Ⅷ",
    "½",
    "²",
    "𝟘",
    "𝐀",
    "𝐚",
    "🙂",
    "👩‍👩‍👧",
    "🇩🇪",
    "☕️",
    "\u{e000}",
    "\u{10ffff}",
    "Ж",
    "ж",
    "Жж",
    "ЖЖжж",
    "İ",
    "ı",
];

fn fragments(max: usize) -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(FRAGMENTS), 0..max).prop_map(|f| f.concat())
}

fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => fragments(24),
        2 => any::<String>(),
        1 => "[ \\t\\r\\n/a'A1.]{0,24}",
        1 => "[ -~\\n]{0,80}",
        1 => ("[a-zA-Zé日=/ \\n\\r0-9\u{301}]", 1usize..400, fragments(4))
            .prop_map(|(run, n, rest)| run.repeat(n) + &rest),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn counts_are_the_reference(text in texts()) {
        prop_assert_eq!(count(&text), reference(&text));
        // Again, from the cache.
        prop_assert_eq!(count(&text), reference(&text));
    }

    #[test]
    fn parts_between_safe_cuts_add_up(text in texts()) {
        let whole = count(&text);
        let mut before = None;
        for (at, after) in text.char_indices() {
            if let Some(before) = before && split::is_safe_cut(before, after) {
                prop_assert_eq!(count(&text[..at]) + count(&text[at..]), whole, "cut at {}", at);
            }
            before = Some(after);
        }
    }

    #[test]
    fn a_counter_is_exact_after_every_push(parts in prop::collection::vec(texts(), 0..6)) {
        let mut counter = Counter::new();
        let mut whole = String::new();
        for part in &parts {
            counter.push(part);
            whole.push_str(part);
            prop_assert_eq!(counter.total(), count(&whole));
        }
    }

    #[test]
    fn fits_is_the_count(text in texts(), budget in 0usize..40) {
        prop_assert_eq!(fits(&text, budget), count(&text) <= budget);
    }

    #[test]
    fn fit_lines_is_the_longest_prefix(text in "([a-c'/é1 ;]{0,6}([ \\t]?\\r?\\n){0,3}){0,12}", budget in 0usize..30) {
        let mut longest = 0;
        let mut end = 0;
        for line in text.split_inclusive('\n') {
            end += line.len();
            if count(&text[..end]) <= budget {
                longest = end;
            }
        }
        prop_assert_eq!(fit_lines(&text, budget), longest);
    }

    #[test]
    fn count_lines_counts_each_line(text in texts()) {
        let expected: Vec<u32> = text.split_inclusive('\n').map(|l| count(l) as u32).collect();
        prop_assert_eq!(count_lines(&text), expected);
    }
}

#[test]
fn known_texts() {
    assert_eq!(count(""), 0);
    assert_eq!(count("hello world"), 2);
    assert_eq!(count("<|endoftext|>"), 7);
    assert_eq!(fit_lines("", 0), 0);
    assert!(fits("", 0));
    assert_eq!(count_lines("a\n\nb"), [2, 1, 1]);
    // Three parts are not the whole: fewer for blank lines, more for `/`.
    assert_eq!(count("a\n\nb"), 3);
    assert_eq!(
        (count_lines("{\n/*").iter().sum::<u32>(), count("{\n/*")),
        (2, 3)
    );
}

#[test]
fn every_token_is_in_the_table() {
    for rank in 0..199_998 {
        let token = REFERENCE.decode_bytes(&[rank]).expect("dense ranks");
        assert_eq!(vocabulary::rank(&token), rank);
        let mut longer = token.clone();
        longer.push(0);
        // NUL must not pass for padding.
        let longer_rank = vocabulary::rank(&longer);
        assert!(longer_rank == vocabulary::NO_RANK || longer_rank != rank);
    }
}

#[test]
fn every_token_alone_counts_like_the_reference() {
    for rank in 0..199_998 {
        let token = REFERENCE.decode_bytes(&[rank]).expect("dense ranks");
        if let Ok(token) = std::str::from_utf8(&token) {
            assert_eq!(count(token), reference(token), "{token:?}");
        }
    }
}

#[test]
fn every_character_counts_like_the_reference() {
    for c in ('\0'..=char::MAX).step_by(29) {
        let text = format!("a{c}B{c} {c}1{c}'s\n{c}");
        assert_eq!(count(&text), reference(&text), "{c:?}");
    }
}

#[test]
fn long_runs_count_like_the_reference() {
    for (run, times) in [
        ("a", 20_000),
        ("ab", 10_000),
        ("=", 20_000),
        ("\n", 5_000),
        (" ", 5_000),
        (" \n", 3_000),
        ("日", 10_000),
        ("/", 10_000),
        ("0", 10_000),
        ("\u{301}", 5_000),
        ("lorem ipsum\n", 10_000),
    ] {
        let text = run.repeat(times);
        assert_eq!(count(&text), reference(&text), "{run:?}");
    }
}

#[test]
fn fit_lines_copes_with_many_blank_lines() {
    let text = "x\n".to_owned() + &"\n".repeat(10_000) + "y";
    for budget in [0, 1, 2, 3, 10, 100] {
        let fitting = fit_lines(&text, budget);
        assert!(count(&text[..fitting]) <= budget);
        assert!(fitting >= if budget < 2 { 0 } else { 2 * budget });
    }
}

#[test]
fn large_texts_are_cut_without_a_trace() {
    for unit in [
        "fn main() { let x = 1; }\n",
        "日本語。\n",
        "x\n\n\n",
        "--- ",
        "don't ",
    ] {
        let text = unit.repeat(PARALLEL / unit.len() + 5_000);
        assert_eq!(count(&text), count_within(&text, usize::MAX), "{unit:?}");
        let lines: usize = count_lines(&text).iter().map(|&n| n as usize).sum();
        let expected: usize = text.split_inclusive('\n').map(count).sum();
        assert_eq!(lines, expected, "{unit:?}");
    }
}
