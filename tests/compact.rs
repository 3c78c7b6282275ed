//! The promises of the compact engine, for every kind and any text: the budget
//! holds, lines are verbatim and in order, nothing is lost, runs agree.

use proptest::prelude::*;
use trimtab::compact::{Compacted, Kind, Options, Size, compact, compact_stored};
use trimtab::tokens;
use trimtab::workspace::{Root, Store};

/// Checks one run; `None` where the budget was refused.
fn checked(input: &str, options: &Options, budget: usize) -> Option<Compacted> {
    let options = Options {
        size: Size::Budget(budget),
        ..options.clone()
    };
    let out = match compact(input, &options) {
        Ok(out) => out,
        Err(e) => {
            assert_eq!(e.code, "budget_too_small");
            let least = number(&e.next);
            assert!(least > budget, "{e}");
            // The least budget named is one that is accepted.
            let size = Size::Budget(least);
            compact(input, &Options { size, ..options }).expect("the least budget holds");
            return None;
        }
    };
    assert_eq!(out.tokens, tokens::count(&out.text));
    assert!(out.tokens <= budget, "{} > {budget}", out.tokens);
    let again = compact(input, &options).expect("it worked before");
    assert_eq!(out, again);
    if out.omitted.is_empty() {
        // A history may fit as soon as it is laid out.
        assert_eq!(out.text, out.laid_out.as_deref().unwrap_or(input));
    } else {
        whole(input, &out);
    }
    Some(out)
}

fn number(text: &str) -> usize {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    digits.parse().expect("a number")
}

/// Kept lines are those that are not omitted, byte for byte and in order; with
/// the omitted ones they are the text.
fn whole(input: &str, out: &Compacted) {
    let laid_out = out.laid_out.as_deref().unwrap_or(input);
    let kept: String = laid_out
        .split('\n')
        .enumerate()
        .filter(|(i, _)| !out.omitted.iter().any(|s| s.contains(i + 1)))
        .map(|(_, l)| l)
        .collect();
    let shown: String = out
        .text
        .split('\n')
        .filter(|l| !l.starts_with('⋯'))
        .collect();
    assert_eq!(shown, kept);
    // Every gap has its marker, unless all is gone.
    let markers: Vec<String> = out
        .text
        .lines()
        .filter(|l| l.starts_with('⋯'))
        .skip(1)
        .map(|l| l.trim_start_matches('⋯').to_string())
        .collect();
    let spans: Vec<String> = out.omitted.iter().map(|s| s.start.to_string()).collect();
    if !shown.is_empty() || !markers.is_empty() {
        assert_eq!(markers, spans);
    }
    if out.kind != Kind::History {
        assert_eq!(laid_out.replace('\n', ""), input.replace('\n', ""));
    }
}

/// Lines that look like each kind's, and lines that look like nothing.
fn line() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z ]{0,30}",
        "\\PC{0,20}",
        "    (if|for|return|let) [a-z_]{1,8}[(){};:]{0,3}",
        "(pub fn|def|class|func|const) [A-Za-z_]{1,10}\\([a-z, ]{0,9}\\) ?[:{]?",
        "src/[a-z]{1,5}\\.(rs|py|c):[0-9]{1,3}:[a-z (){}]{0,20}",
        "(error|warning|note|ERROR|FAILED|test [a-z]{1,5} \\.\\.\\.) ?[a-z:]{0,20}",
        "    at [a-z.]{1,12}\\([A-Z][a-z]{1,5}\\.java:[0-9]{1,3}\\)",
        "2024-01-0[1-9]T10:0[0-9]:00Z (INFO|WARN|ERROR) [a-z ]{0,20}",
        "(diff --git a/x b/x|@@ -1,[0-9] \\+1,[0-9] @@|[-+ ][a-z ]{0,10}|index 1\\.\\.2)",
        "[├└]── [a-z]{1,8}",
        "(#{1,3} |- |```|> )[a-z ]{0,12}",
        "[\\[{]?\"[a-z]{1,6}\": ?(\"[a-z ]{0,9}\"|[0-9]{1,4}|\\[|\\{|null)[,\\]}]{0,2}",
        "\\{\"role\":\"(user|assistant|tool)\",\"content\":\"[a-z \\\\n]{0,20}\"\\}",
        "[{\\[\\]}\",:\\\\a-z]{0,40}",
    ]
}

fn text() -> impl Strategy<Value = String> {
    let ending = prop_oneof![4 => Just("\n"), 1 => Just("\r\n")];
    (
        prop::collection::vec(line(), 0..40),
        ending,
        any::<bool>(),
        1usize..4,
    )
        .prop_map(|(lines, ending, last, times)| {
            let lines: Vec<_> = lines
                .iter()
                .map(|l| l.replace(['⋯', '\n', '\r'], ""))
                .collect();
            let mut text = lines.join(ending).repeat(times);
            if last {
                text.push_str(ending);
            }
            text
        })
}

/// JSON on one line, long enough to be cut.
fn long_line() -> impl Strategy<Value = String> {
    prop::collection::vec(("[a-z]{1,8}", "[a-zé \\\\\"]{0,30}", any::<u16>()), 30..90).prop_map(
        |rows| {
            let rows: Vec<_> = rows
                .into_iter()
                .map(|(k, v, n)| serde_json::json!({k: v, "n": n, "list": [n, 1, 2]}))
                .collect();
            serde_json::json!({"rows": rows, "ok": true}).to_string()
        },
    )
}

/// Arguments of a call, written in one of the ways that programs write them.
fn arguments() -> impl Strategy<Value = String> {
    let value = prop_oneof![
        line().prop_map(|l| serde_json::Value::from(l.replace('⋯', "")).to_string()),
        "(1\\.50|1E5|-0|true|null|\"(\\\\u00e9|\\\\/|\\\\n|[a-z(){}]){0,12}\"|\\[ \\]|\\{ \"a\":1 \\})",
    ];
    let between = prop_oneof![Just(""), Just(" "), Just("\n    ")];
    (
        prop::collection::vec(("[a-z_]{1,6}", value), 0..5),
        between.clone(),
        between,
    )
        .prop_map(|(members, a, b)| {
            let members: Vec<_> = members
                .iter()
                .map(|(k, v)| format!("{a}\"{k}\":{b}{v}"))
                .collect();
            format!("{{{}{a}}}", members.join(","))
        })
}

/// Messages with calls of tools, as OpenAI, Anthropic and Claude Code write them.
fn history() -> impl Strategy<Value = String> {
    let message = (
        prop_oneof![
            Just("user"),
            Just("assistant"),
            Just("tool"),
            Just("system")
        ],
        prop::collection::vec(line(), 0..8),
        prop::option::of(("[A-Za-z_()\n]{0,9}", arguments())),
    );
    (prop::collection::vec(message, 1..12), 0..3).prop_map(|(messages, shape)| {
        let messages: Vec<_> = messages
            .into_iter()
            .map(|(role, lines, call)| {
                let json = |text: &str| serde_json::Value::from(text).to_string();
                let text = json(&lines.join("\n").replace('⋯', ""));
                match (call, shape) {
                    (None, 0 | 1) => format!("{{\"role\":\"{role}\",\"content\":{text}}}"),
                    (Some((name, args)), 0) => format!(
                        "{{\"role\":\"{role}\",\"content\":{text},\"tool_calls\":[{{\"function\":{{\"arguments\":{},\"name\":{}}}}}]}}",
                        json(&args),
                        json(&name)
                    ),
                    (call, _) => {
                        let call = call.map_or(String::new(), |(name, args)| {
                            format!(
                                ", {{\"type\": \"tool_use\", \"name\": {}, \"input\": {args}}}",
                                json(&name)
                            )
                        });
                        let message = format!(
                            "{{\"role\": \"{role}\", \"content\": [{{\"type\": \"text\", \"text\": {text}}}{call}]}}"
                        );
                        match shape {
                            1 => message,
                            _ => format!("{{\"type\":\"{role}\",\"message\":{message}}}").replace('\n', " "),
                        }
                    }
                }
            })
            .collect();
        match shape {
            2 => messages.join("\n"),
            _ => format!("[{}]", messages.join(",\n")),
        }
    })
}

/// Whether every line of a history's layout is one in front of a message or of a
/// call, or a line or span of the input or of a string in it.
fn stands_in(history: &str, laid_out: &str) {
    let mut texts = vec![history.to_string()];
    let values: Vec<serde_json::Value> = match serde_json::from_str(history) {
        Ok(whole) => vec![whole],
        Err(_) => {
            let each = history.lines().map(serde_json::from_str);
            each.collect::<Result<_, _>>().expect("values")
        }
    };
    strings(&values.into(), &mut texts);
    let role = regex::Regex::new(r"^\[\d+\] (system|user|assistant|tool)( \([^()]*\))?:$")
        .expect("it is one");
    for line in laid_out.lines() {
        assert!(
            role.is_match(line) || texts.iter().any(|t| t.contains(line)),
            "{line:?} is not in {history}"
        );
    }
}

fn strings(value: &serde_json::Value, out: &mut Vec<String>) {
    match value {
        serde_json::Value::String(s) => out.push(s.clone()),
        serde_json::Value::Array(list) => list.iter().for_each(|v| strings(v, out)),
        serde_json::Value::Object(map) => map.values().for_each(|v| strings(v, out)),
        _ => {}
    }
}

fn kind() -> impl Strategy<Value = Option<Kind>> {
    prop_oneof![
        1 => Just(None),
        4 => prop::sample::select(Kind::ALL.to_vec()).prop_map(Some),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn promises_hold_for_any_text(
        text in prop_oneof![8 => text(), 2 => long_line(), 2 => history()],
        kind in kind(),
        query in prop_oneof![Just(String::new()), "[a-zA-Z_ ]{1,20}"],
        budget in 0usize..600,
        file in prop_oneof![Just(None), "[a-z]{1,4}\\.(rs|py|md|txt|json)".prop_map(Some)],
    ) {
        let options = Options { kind, query, file, ..Options::default() };
        checked(&text, &options, budget);
    }

    #[test]
    fn a_history_is_shown_in_its_own_lines(text in history(), percent in 5usize..60) {
        let options = Options {
            kind: Some(Kind::History),
            ..Options::default()
        };
        let budget = tokens::count(&text) * percent / 100;
        if let Some(out) = checked(&text, &options, budget) {
            let kept: Vec<_> = out.text.lines().filter(|l| !l.starts_with('⋯')).collect();
            stands_in(&text, &kept.join("\n"));
            stands_in(&text, out.laid_out.as_deref().unwrap_or(""));
        }
    }

    #[test]
    fn lines_to_keep_are_kept(text in text(), budget in 40usize..300) {
        let keep = vec![regex::Regex::new("^FAILED|return").unwrap()];
        let options = Options { keep: keep.clone(), ..Options::default() };
        if let Some(out) = checked(&text, &options, budget) {
            let wanted = |t: &str| t.lines().filter(|l| keep[0].is_match(l)).count();
            prop_assert_eq!(wanted(&out.text), wanted(out.laid_out.as_deref().unwrap_or(&text)));
        }
    }
}

/// Shortens with a store, as every door does; `None` where the budget was refused.
fn stored(store: &Store, text: &str, options: &Options, budget: usize) -> Option<Compacted> {
    let with = |budget| {
        let size = Size::Budget(budget);
        compact_stored(
            text,
            &Options {
                size,
                ..options.clone()
            },
            store,
            "text",
        )
    };
    let out = match with(budget) {
        Ok(out) => out,
        Err(e) => {
            assert_eq!(e.code, "budget_too_small");
            let least = number(&e.next);
            assert!(least > budget, "{e}");
            assert!(with(least).expect("the least budget holds").tokens <= least);
            return None;
        }
    };
    assert_eq!(out.tokens, tokens::count(&out.text));
    assert!(out.tokens <= budget, "{} > {budget}", out.tokens);
    Some(out)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn handles_cost_no_token_over_and_bring_everything_back(
        text in prop_oneof![8 => text(), 2 => long_line(), 2 => history()],
        kind in kind(),
        budget in 0usize..400,
    ) {
        let dir = tempfile::tempdir().unwrap();
        let root = Root::open(dir.path()).unwrap().with_home(dir.path());
        let store = Store::for_root(&root).unwrap();
        let options = Options { kind, ..Options::default() };
        let Some(out) = stored(&store, &text, &options, budget) else { return Ok(()) };
        let Some(handle) = &out.handle else {
            prop_assert_eq!(&out.text, out.laid_out.as_ref().unwrap_or(&text));
            return Ok(());
        };
        let kept = store.get(handle).unwrap();
        prop_assert_eq!(&kept.text, out.laid_out.as_deref().unwrap_or(&text));
        prop_assert_eq!(kept.spans, out.omitted);
    }

    #[test]
    fn what_would_not_get_smaller_is_untouched(
        text in prop_oneof![8 => text(), 2 => long_line(), 2 => history()],
        kind in kind(),
        more in 0usize..3,
    ) {
        let options = Options {
            kind,
            size: Size::Budget(tokens::count(&text) + more),
            ..Options::default()
        };
        let out = compact(&text, &options).unwrap();
        prop_assert_eq!(&out.text, &text);
        prop_assert!(out.omitted.is_empty());
        // And what did get smaller has fewer tokens than before.
        let half = Options { size: Size::Ratio(0.5), ..options };
        if let Ok(out) = compact(&text, &half) {
            prop_assert!(out.omitted.is_empty() || out.tokens < tokens::count(&text));
        }
    }

    #[test]
    fn what_was_sent_before_keeps_its_bytes(
        lines in prop::collection::vec(line(), 20..60),
        more in text(),
        kind in kind(),
        room in 30usize..200,
    ) {
        let dir = tempfile::tempdir().unwrap();
        let root = Root::open(dir.path()).unwrap().with_home(dir.path());
        let store = Store::for_root(&root).unwrap();
        let text = lines.join("\n").replace('⋯', "") + "\n";
        let options = Options { kind, ..Options::default() };
        let half = tokens::count(&text) / 2;
        let Some(sent) = stored(&store, &text, &options, half) else { return Ok(()) };
        let Some(handle) = &sent.handle else { return Ok(()) };
        let grown = format!("{}{more}", sent.text);
        let budget = sent.tokens + room;
        let Some(out) = stored(&store, &grown, &options, budget) else { return Ok(()) };
        // A line that must be kept may leave no room for what was sent.
        if out.text.contains(sent.text.as_str()) {
            prop_assert!(out.text.starts_with(sent.text.as_str()));
        } else {
            prop_assert!(!out.text.contains(handle.as_str()), "{}", out.text);
        }
        prop_assert_eq!(store.get(handle).unwrap().spans, sent.omitted);
    }
}

#[test]
fn a_session_that_goes_on_keeps_the_bytes_sent_before() {
    let dir = tempfile::tempdir().unwrap();
    let root = Root::open(dir.path()).unwrap().with_home(dir.path());
    let store = Store::for_root(&root).unwrap();
    let options = Options::default();
    let mut sent = String::new();
    for round in 0..4 {
        let log = failing_log().replace("dates", &format!("dates{round}"));
        let budget = tokens::count(&sent) + 200;
        let out = stored(&store, &format!("{sent}{log}"), &options, budget).expect("it holds");
        assert!(out.text.starts_with(&sent), "{}", out.text);
        assert!(out.text.contains(&format!("src/dates{round}.rs:41:9")));
        sent = out.text;
    }
    assert_eq!(sent.matches(" lines omitted; expand ").count(), 4);
}

fn failing_log() -> String {
    let mut log = String::new();
    for i in 0..400 {
        log.push_str(&format!("test module::case_{i:03} ... ok\n"));
        if i == 211 {
            log.push_str("test module::parses_dates ... FAILED\n");
        }
    }
    log.push_str("\nfailures:\n\n---- module::parses_dates stdout ----\n");
    log.push_str("thread 'module::parses_dates' panicked at src/dates.rs:41:9:\n");
    log.push_str("assertion `left == right` failed\n  left: 3\n right: 4\n\n");
    log.push_str("test result: FAILED. 400 passed; 1 failed; 0 ignored\n");
    log
}

#[test]
fn a_failure_is_never_hidden() {
    let log = failing_log();
    for kind in [
        None,
        Some(Kind::BuildLog),
        Some(Kind::Trace),
        Some(Kind::Text),
    ] {
        let options = Options {
            kind,
            ..Options::default()
        };
        for budget in (1..400).step_by(7) {
            let Some(out) = checked(&log, &options, budget) else {
                continue;
            };
            assert!(
                out.text.contains("FAILED") || out.text.contains("panicked"),
                "{budget}: {}",
                out.text
            );
            if budget > 150 {
                for fact in [
                    "parses_dates ... FAILED",
                    "src/dates.rs:41:9",
                    "left: 3",
                    "test result: FAILED",
                ] {
                    assert!(
                        out.text.contains(fact),
                        "{budget} lost {fact}: {}",
                        out.text
                    );
                }
            }
        }
    }
}

/// How tools report one failure: the error, the line that names its place, the line
/// that sums up.
const FAILURES: [[&str; 3]; 6] = [
    [
        "error[E0308]: mismatched types",
        " --> src/dates.rs:41:9",
        "error: could not compile `dates` (lib) due to 1 previous error",
    ],
    [
        "thread 'parses' panicked at src/dates.rs:41:9:",
        "",
        "test result: FAILED. 12 passed; 1 failed; 0 ignored; 0 measured",
    ],
    [
        "src/dates.c:41:9: error: expected ';' before '}' token",
        "",
        "make: *** [Makefile:12: all] Error 2",
    ],
    [
        "src/dates.ts(41,9): error TS2304: Cannot find name 'day'.",
        "",
        "Found 1 error in src/dates.ts:41",
    ],
    [
        "--- FAIL: TestParses (0.00s)",
        "    dates_test.go:41: got 3, want 4",
        "FAIL\tgithub.com/acme/dates\t0.012s",
    ],
    [
        "E   AssertionError: assert 3 == 4",
        "tests/test_dates.py:41: AssertionError",
        "=========== 1 failed, 12 passed in 0.12s ===========",
    ],
];

/// Lines of all kinds that speak of no failure.
fn quiet() -> impl Strategy<Value = Vec<String>> {
    let speaks = regex::Regex::new("(?i)err|fail|fatal|panic|exception|assert|✗|✘|×").unwrap();
    prop::collection::vec(line(), 0..50).prop_map(move |lines| {
        let lines = lines.iter().map(|l| l.replace(['⋯', '\n', '\r'], ""));
        lines.filter(|l| !speaks.is_match(l)).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn a_failure_among_any_lines_keeps_its_error_its_place_and_its_summary(
        before in quiet(),
        between in quiet(),
        after in quiet(),
        failure in prop::sample::select(FAILURES.to_vec()),
        kind in prop::sample::select(vec![Kind::BuildLog, Kind::Trace, Kind::Text]),
        room in 0usize..400,
    ) {
        let [error, place, summary] = failure;
        let told = [error, place].into_iter().filter(|l| !l.is_empty());
        let lines = before.iter().map(String::as_str).chain(told);
        let lines = lines.chain(between.iter().map(String::as_str)).chain([summary]);
        let lines: Vec<&str> = lines.chain(after.iter().map(String::as_str)).collect();
        let text = lines.join("\n") + "\n";
        let options = Options { kind: Some(kind), ..Options::default() };
        let budget = 20 + room;
        let Some(out) = checked(&text, &options, budget) else { return Ok(()) };
        let has = |line: &str| out.text.lines().any(|l| l == line);
        prop_assert!(has(error) || has(summary) || has(place), "{}", out.text);
        // What they cost with the markers around them and what is said at the head.
        let cost = |l: &str| tokens::count(l) + 5;
        let need = [error, place, summary].map(cost).iter().sum::<usize>() + 20;
        if budget >= need {
            for line in [error, place, summary] {
                prop_assert!(line.is_empty() || has(line), "{budget} lost {line}: {}", out.text);
            }
        }
    }
}

#[test]
fn a_text_that_fits_is_untouched() {
    let out = checked("a\r\nb", &Options::default(), 100).expect("it fits");
    assert_eq!(out.text, "a\r\nb");
    assert_eq!(out.handle, None);
    let bad = Options {
        size: Size::Ratio(0.0),
        ..Options::default()
    };
    assert_eq!(compact("a", &bad).unwrap_err().code, "bad_ratio");
}

#[test]
fn keep_tags_force_what_is_between() {
    let mut text: String = (0..200)
        .map(|i| format!("line number {i} says little\n"))
        .collect();
    text.push_str("<keepContext>\nthe code is 4711\n</keepContext>\n");
    let out = checked(&text, &Options::default(), 60).expect("it holds");
    assert!(
        out.text
            .contains("<keepContext>\nthe code is 4711\n</keepContext>\n")
    );
}

#[test]
fn what_is_omitted_resolves() {
    let dir = tempfile::tempdir().unwrap();
    let root = Root::open(dir.path()).unwrap().with_home(dir.path());
    let store = Store::for_root(&root).unwrap();
    let log = failing_log();
    for budget in [60, 100, 300, 1000] {
        let options = Options {
            size: Size::Budget(budget),
            ..Options::default()
        };
        let out = compact_stored(&log, &options, &store, "stdin").unwrap();
        assert!(out.tokens <= budget);
        assert_eq!(out.tokens, tokens::count(&out.text));
        let handle = out.handle.clone().expect("something was omitted");
        assert!(out.text.lines().next().unwrap().contains(&handle));
        let kept = store.get(&handle).unwrap();
        assert_eq!(kept.text, log);
        assert_eq!(kept.spans, out.omitted);
        whole(&log, &out);
    }
    let short = compact_stored(
        "short\n",
        &Options {
            size: Size::Budget(50),
            ..Options::default()
        },
        &store,
        "stdin",
    )
    .unwrap();
    assert_eq!((short.text.as_str(), short.handle), ("short\n", None));
}

#[test]
fn an_error_under_its_path_brings_the_path() {
    let mut log = String::new();
    for i in 0..60 {
        log.push_str(&format!("/srv/web/src/part{i}.tsx\n"));
        for k in 1..5 {
            log.push_str(&format!(
                "  {k}:7  warning  Unexpected console statement  no-console\n"
            ));
        }
        if i == 41 {
            log.push_str("  71:13  error  A hook is called conditionally  rules-of-hooks\n");
        }
        log.push('\n');
    }
    log.push_str("✖ 241 problems (1 error, 240 warnings)\n");
    for budget in [80, 120, 300] {
        let out = checked(&log, &Options::default(), budget).expect("it holds");
        for line in [
            "src/part41.tsx\n",
            "  71:13  error  A hook",
            "✖ 241 problems",
        ] {
            assert!(
                out.text.contains(line),
                "{budget} lost {line}: {}",
                out.text
            );
        }
    }
}

#[test]
fn one_error_among_lines_that_look_like_names_is_kept() {
    let quiet = "step ok\n".repeat(900);
    let log = format!("{quiet}error: it broke\n{quiet}");
    let options = Options {
        size: Size::Budget(100),
        ..Options::default()
    };
    let short = compact(&log, &options).unwrap();
    assert!(short.text.contains("error: it broke\n"), "{}", short.text);
    assert!(short.tokens <= 100);
}
