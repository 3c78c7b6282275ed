use super::*;

#[test]
fn every_language_knows_its_data() {
    for language in Language::all() {
        let name = language.name();
        assert!(!language.extensions().is_empty(), "{name}: language.toml");
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
