//! Searches end to end: ranges, order, budget, handles.

use proptest::prelude::*;
use std::fs;
use std::path::Path;
use trimtab::search::{Engine, Mode, Request, Response, Role, search};
use trimtab::tokens;
use trimtab::workspace::{Cancel, Root, Store};

struct Tree {
    dir: tempfile::TempDir,
    _home: tempfile::TempDir,
    root: Root,
}

fn tree(files: &[(&str, &str)]) -> Tree {
    let dir = tempfile::tempdir().unwrap();
    let home = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = dir.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let root = Root::open(dir.path()).unwrap().with_home(home.path());
    Tree {
        dir,
        _home: home,
        root,
    }
}

fn small() -> Tree {
    tree(&[
        (
            "src/lamp.rs",
            "//! Lamps.\n\n/// A lamp.\npub struct Lamp {\n    watts: u32,\n}\n\nimpl Lamp {\n    /// Switches it on.\n    pub fn light(&self) -> u32 {\n        // light what there is\n        self.watts\n    }\n}\n",
        ),
        (
            "src/main.rs",
            "mod lamp;\n\nfn main() {\n    let lamp = lamp::new();\n    println!(\"{}\", lamp.light());\n}\n",
        ),
        (
            "tests/lamp.rs",
            "#[test]\nfn light_is_on() {\n    assert_eq!(lamp().light(), 60);\n}\n",
        ),
        ("docs/use.md", "# Use\n\nCall light to light it.\n"),
    ])
}

/// Many files with many matches, long definitions and long lines.
fn large() -> Tree {
    let mut files = Vec::new();
    for i in 0..60 {
        let mut text = String::new();
        for j in 0..6 {
            text.push_str(&format!("def handler_{i}_{j}(request):\n"));
            for k in 0..i {
                text.push_str(&format!("    value_{k} = request.get({k})\n"));
            }
            text.push_str("    return needle(request)\n\n\n");
        }
        text.push_str(&format!(
            "X = '{}needle{}'\n",
            "é".repeat(900),
            "y".repeat(900)
        ));
        files.push((format!("pkg{}/mod_{i}.py", i % 7), text));
    }
    files.push((
        "defs.py".into(),
        "def needle(request):\n    return request\n".into(),
    ));
    let files: Vec<(&str, &str)> = files.iter().map(|(a, b)| (&a[..], &b[..])).collect();
    tree(&files)
}

fn ask(tree: &Tree, mode: Mode, queries: &[&str]) -> Response {
    let request = Request {
        mode,
        ..Request::new(queries.iter().copied())
    };
    search(&tree.root, &request, &Cancel::new()).unwrap()
}

#[test]
fn matches_are_shown_in_their_definitions_code_first() {
    let found = ask(&small(), Mode::Auto, &["light"]);
    insta::assert_snapshot!(found.render(), @r##"
    `light` 6 lines, 4 files · scan

    src/lamp.rs:9-13 Lamp.light
        /// Switches it on.
        pub fn light(&self) -> u32 {
            // light what there is
            self.watts
        }

    src/main.rs:3-6 main
    fn main() {
        let lamp = lamp::new();
        println!("{}", lamp.light());
    }

    docs/use.md:1-3 Use
    # Use

    Call light to light it.

    tests/lamp.rs:1-4 light_is_on
    #[test]
    fn light_is_on() {
        assert_eq!(lamp().light(), 60);
    }
    "##);
}

#[test]
fn symbols_stand_before_their_uses() {
    let found = ask(&small(), Mode::Symbol, &["Lamp::light"]);
    insta::assert_snapshot!(found.render(), @r##"
    `Lamp::light` 6 lines, 4 files · scan

    definitions

    src/lamp.rs:9-13 Lamp.light
        /// Switches it on.
        pub fn light(&self) -> u32 {
            // light what there is
            self.watts
        }

    uses

    src/main.rs:3-6 main
    fn main() {
        let lamp = lamp::new();
        println!("{}", lamp.light());
    }

    docs/use.md:1-3 Use
    # Use

    Call light to light it.

    tests/lamp.rs:1-4 light_is_on
    #[test]
    fn light_is_on() {
        assert_eq!(lamp().light(), 60);
    }
    "##);
    assert_eq!(found.excerpts[0].role, Role::Definition);
    assert_eq!(found.excerpts[0].symbol.as_deref(), Some("Lamp.light"));
}

#[test]
fn parts_of_names_are_found_where_no_whole_one_is() {
    let found = ask(&small(), Mode::Symbol, &["is_o"]);
    assert_eq!(found.excerpts[0].symbol.as_deref(), Some("light_is_on"));
    assert_eq!(found.excerpts[0].role, Role::Definition);
}

#[test]
fn a_qualified_name_is_found_among_many_that_share_its_last_part() {
    let mut files: Vec<(String, String)> = (0..60)
        .map(|i| {
            let path = format!("src/a{i:02}.rs");
            (path, format!("fn open_all{i}() {{}}\nfn open() {{}}\n"))
        })
        .collect();
    let door = "struct Door;\nimpl Door {\n    fn open(&self) {}\n}\n";
    files.push(("src/z.rs".into(), door.into()));
    let files: Vec<(&str, &str)> = files.iter().map(|f| (&*f.0, &*f.1)).collect();
    let tree = tree(&files);
    let first = |name: &str| {
        let request = Request {
            mode: Mode::Symbol,
            budget: Some(200),
            ..Request::new([name])
        };
        let found = search(&tree.root, &request, &Cancel::new()).unwrap();
        let first = &found.excerpts[0];
        (first.path.clone(), first.symbol.clone().unwrap_or_default())
    };
    assert_eq!(first("Door::open"), ("src/z.rs".into(), "Door.open".into()));
    // Of a qualifier that nothing has, the bare name is left, before parts of names.
    assert_eq!(first("Gate::open"), ("src/a00.rs".into(), "open".into()));
}

#[test]
fn the_definition_is_first_among_hundreds_of_uses() {
    let found = ask(&large(), Mode::Auto, &["needle"]);
    assert_eq!(found.excerpts[0].path, "defs.py");
    assert_eq!(found.excerpts[0].role, Role::Definition);
    assert!(found.excerpts[0].complete);
    assert!(found.render().len() <= 10_000);
    assert!(found.excerpts.len() > 20, "{}", found.excerpts.len());
}

#[test]
fn several_queries_share_the_budget() {
    let tree = large();
    let found = ask(
        &tree,
        Mode::Auto,
        &["needle", "handler_59_5", "value_17", "nowhere"],
    );
    let shown = |q: usize| found.excerpts.iter().any(|e| e.queries.contains(&q));
    assert!(shown(0) && shown(1) && shown(2) && !shown(3));
    assert!(found.render().contains("`nowhere` nothing"));
}

#[test]
fn what_is_left_out_comes_back() {
    let tree = large();
    let found = ask(&tree, Mode::Auto, &["needle"]);
    let handle = found.handle.as_deref().unwrap();
    assert!(found.render().contains(handle));
    let rest = Store::for_root(&tree.root).unwrap().get(handle).unwrap();
    // Every matching line is shown, or kept, or its file is counted as not kept.
    assert_eq!(found.omitted.files, 0);
    let lines = Engine::new(&tree.root)
        .lines(&Request::new(["needle"]), &Cancel::new())
        .unwrap();
    for line in &lines[0] {
        let shown = found
            .excerpts
            .iter()
            .any(|e| *e.path == *line.path && e.matches.contains(&line.line));
        let kept = rest.text.contains(&*line.path);
        assert!(shown || kept, "{}:{}", line.path, line.line);
    }
}

#[test]
fn a_query_that_was_stopped_says_so() {
    let tree = tree(&[("a.c", "x\nx\n"), ("b.c", "x\n"), ("c.c", "x y\n")]);
    let ask = |limit| {
        let request = Request {
            limit: Some(limit),
            ..Request::new(["x", "y"])
        };
        let found = search(&tree.root, &request, &Cancel::new()).unwrap();
        let counts: Vec<(usize, bool)> = found.queries.iter().map(|q| (q.lines, q.more)).collect();
        (counts, found.render().contains("stopped at"))
    };
    assert_eq!(ask(5), (vec![(4, false), (1, false)], false));
    // Exactly as many as there are.
    assert_eq!(ask(4), (vec![(4, false), (1, false)], false));
    // The limit lies between two files, and within one.
    assert_eq!(ask(3), (vec![(3, true), (1, false)], true));
    assert_eq!(ask(1), (vec![(1, true), (1, false)], true));
}

/// Every line of every file, of which some are very long: what is kept stays small.
#[test]
fn a_pattern_that_matches_everything_keeps_little() {
    let long = format!("{}\n", "word ".repeat(20_000));
    let many: Vec<(String, String)> = (0..40)
        .map(|i| (format!("f{i:02}.txt"), long.repeat(12)))
        .collect();
    let files: Vec<(&str, &str)> = many.iter().map(|(p, t)| (p.as_str(), t.as_str())).collect();
    let tree = tree(&files);
    let found = ask(&tree, Mode::Regex, &["."]);
    assert_eq!(found.queries[0].lines, 40 * 12);
    assert!(found.render().len() <= 10_000);
    assert!(found.omitted.ranges + found.omitted.files > 0);
    let kept = found.handle.map(|h| {
        let store = Store::for_root(&tree.root).unwrap();
        store.get(&h).unwrap().text.len()
    });
    // 48 MB match; about 1 MiB of ranges and half of that in lists is kept.
    assert!(kept.unwrap_or(0) < 8 << 20, "{kept:?}");
}

#[test]
fn a_regex_without_a_match_is_tried_literally() {
    let tree = tree(&[("a.c", "x = values[0];\n")]);
    let found = ask(&tree, Mode::Auto, &["values[0]"]);
    assert_eq!(found.queries[0].lines, 1);
    assert!(found.render().contains("taken literally"));
    let found = ask(&tree, Mode::Auto, &["nothing[0]"]);
    assert!(found.is_empty());
}

#[test]
fn words_that_stand_nowhere_together_are_ranked() {
    for (mode, query) in [
        (Mode::Auto, "switches the lamp on light"),
        (Mode::Words, "light"),
    ] {
        let found = ask(&small(), mode, &[query]);
        assert_eq!(found.excerpts[0].role, Role::Topic);
        assert_eq!(found.excerpts[0].path, "src/lamp.rs");
        assert!(found.render().contains("by words"), "{}", found.render());
    }
    let found = ask(&small(), Mode::Words, &["zebra quagga"]);
    assert!(found.is_empty());
}

#[test]
fn unusable_requests_say_what_to_do() {
    let tree = small();
    let fails = |request: Request| {
        let e = search(&tree.root, &request, &Cancel::new()).unwrap_err();
        assert!(!e.next.is_empty(), "{e}");
        e.code
    };
    let regex = Request {
        mode: Mode::Regex,
        ..Request::new(["a(b"])
    };
    assert_eq!(fails(regex), "bad_regex");
    let glob = Request {
        globs: vec!["a{".into()],
        ..Request::new(["light"])
    };
    assert_eq!(fails(glob), "bad_glob");
    let poor = Request {
        budget: Some(3),
        ..Request::new(["light"])
    };
    assert_eq!(fails(poor), "budget_too_small");
}

#[test]
fn a_cancelled_search_stops() {
    let cancel = Cancel::new();
    cancel.cancel();
    let e = search(&small().root, &Request::new(["light"]), &cancel).unwrap_err();
    assert_eq!(e.code, "cancelled");
}

#[test]
fn an_engine_sees_what_changed() {
    let tree = small();
    let engine = Engine::new(&tree.root);
    let ask = || {
        let found = engine.search(&Request::new(["light"]), &Cancel::new());
        found.unwrap().render().to_string()
    };
    let before = ask();
    assert_eq!(before, ask());
    let path = tree.dir.path().join("src/main.rs");
    let text = fs::read_to_string(&path).unwrap();
    // The same size, so that only the bytes tell.
    fs::write(&path, text.replace("println", "eprintl")).unwrap();
    let after = ask();
    assert!(
        after.contains("eprintl") && !after.contains("println"),
        "{after}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn a_budget_is_never_exceeded_and_output_is_the_same_each_time(
        budget in 40usize..3000,
        query in prop::sample::select(vec!["needle", "value_1", "request", "handler", "é", "="]),
        second in prop::sample::select(vec!["X", "def", "return"]),
    ) {
        thread_local! { static TREE: Tree = large(); }
        TREE.with(|tree| {
            let request = Request { budget: Some(budget), ..Request::new([query, second]) };
            let found = search(&tree.root, &request, &Cancel::new());
            match found {
                Ok(found) => {
                    prop_assert_eq!(found.tokens, tokens::count(found.render()));
                    prop_assert!(found.tokens <= budget);
                    let again = search(&tree.root, &request, &Cancel::new()).unwrap();
                    prop_assert_eq!(found.render(), again.render());
                }
                Err(e) => prop_assert_eq!(e.code, "budget_too_small"),
            }
            Ok(())
        })?;
    }
}

#[test]
fn a_missing_place_for_state_takes_only_the_handle() {
    let tree = large();
    let root = Root::open(Path::new(tree.dir.path()))
        .unwrap()
        .with_home("/dev/null/none");
    let found = search(&root, &Request::new(["needle"]), &Cancel::new()).unwrap();
    assert_eq!(found.handle, None);
    assert!(found.omitted.ranges > 0);
}
