//! The house plan, held against the code: imports run downwards only, the three
//! engines do not know each other, the two doors do not either, and no files import
//! each other in a circle.

use regex::Regex;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::slice::Iter;
use std::sync::LazyLock;

const FLOORS: [(&str, u8); 12] = [
    ("error", 0),
    ("text", 0),
    ("tokens", 0),
    ("syntax", 1),
    ("workspace", 1),
    ("search", 2),
    ("apply", 2),
    ("compact", 2),
    ("run", 3),
    ("cli", 4),
    ("mcp", 4),
    ("main", 5),
];

/// The rooms of `apply` from the ground up.
const APPLY: [&str; 8] = [
    "lines", "snippet", "pass", "refuse", "edges", "settle", "place", "checks",
];

fn floor(room: &str) -> Option<u8> {
    FLOORS.iter().find(|(r, _)| *r == room).map(|(_, f)| *f)
}

/// All files of `src` by their path in it, and their text.
fn sources() -> Vec<(String, String)> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let (mut open, mut found) = (vec![src.clone()], Vec::new());
    while let Some(path) = open.pop() {
        if path.is_dir() {
            let entries = fs::read_dir(path).unwrap().flatten();
            open.extend(entries.map(|entry| entry.path()));
        } else if path.extension().is_some_and(|e| e == "rs") {
            let inside = path.strip_prefix(&src).unwrap().to_string_lossy();
            found.push((
                inside.replace('\\', "/"),
                fs::read_to_string(&path).unwrap(),
            ));
        }
    }
    found
}

/// The same without what is compiled for tests only.
fn without_tests() -> Vec<(String, String)> {
    let mut sources = sources();
    sources.retain(|(file, _)| !file.ends_with("tests.rs"));
    for (_, text) in &mut sources {
        text.truncate(text.find("\nmod tests {").unwrap_or(text.len()));
    }
    sources
}

/// The words and signs of a source, without comments and literals.
fn tokens(source: &str) -> Vec<&str> {
    static TOKEN: LazyLock<Regex> = LazyLock::new(|| {
        let comment = r"//[^\n]*|/\*.*?\*/";
        let raw = r###"b?r##".*?"##|b?r#".*?"#|b?r"[^"]*""###;
        let quoted = r#"b?"(?:\\.|[^"\\])*"|b?'(?:\\.[^']*|[^'\\])'"#;
        Regex::new(&format!(r"(?s){comment}|{raw}|{quoted}|(\w+|::|\S)")).unwrap()
    });
    let found = TOKEN.captures_iter(source).filter_map(|c| c.get(1));
    found.map(|token| token.as_str()).collect()
}

/// What a source takes by a leaf of a `use` tree, or by a path in its code.
struct Taken<'a> {
    path: Vec<&'a str>,
    /// What the source calls it; empty for a path in code.
    name: &'a str,
    /// A re-export, which is no import.
    passed_on: bool,
}

/// Reads one `use` tree below `stem` into `all` and returns the sign that ends it.
fn use_tree<'a>(
    tokens: &mut Iter<&'a str>,
    stem: &[&'a str],
    passed_on: bool,
    all: &mut Vec<Taken<'a>>,
) -> &'a str {
    let (mut path, mut name) = (stem.to_vec(), "");
    while let Some(&token) = tokens.next() {
        match token {
            "::" => {}
            "{" => {
                while use_tree(tokens, &path, passed_on, all) == "," {}
                name = "";
            }
            "as" => name = tokens.next().unwrap(),
            "self" if !stem.is_empty() => name = stem[stem.len() - 1],
            "," | "}" | ";" => {
                if !name.is_empty() {
                    all.push(Taken {
                        path,
                        name,
                        passed_on,
                    });
                }
                return token;
            }
            word => {
                path.push(word);
                name = word;
            }
        }
    }
    ""
}

/// All that a source takes.
fn taken(source: &str) -> Vec<Taken<'_>> {
    let is_word = |t: &str| t.starts_with(|c: char| c.is_alphabetic() || c == '_');
    let tokens = tokens(source);
    let (mut rest, mut before, mut all) = (tokens.iter(), "", Vec::new());
    while let Some(&token) = rest.next() {
        // Not the `use<'a>` of a type.
        if token == "use" && rest.as_slice().first() != Some(&"<") {
            use_tree(&mut rest, &[], ["pub", ")"].contains(&before), &mut all);
        } else if is_word(token) {
            let (mut path, name, passed_on) = (vec![token], "", false);
            while let ["::", word, ..] = rest.as_slice()
                && is_word(word)
            {
                path.push(word);
                rest.nth(1);
            }
            // A lone word was defined here or taken by a leaf, which counts already.
            if path.len() > 1 && before != "::" {
                all.push(Taken {
                    path,
                    name,
                    passed_on,
                });
            }
        }
        before = token;
    }
    all
}

/// The rooms that a source names after `crate::`, groups included.
fn named(source: &str) -> BTreeSet<&str> {
    let all = taken(source).into_iter();
    let own = all.filter(|t| t.path[0] == "crate");
    own.filter_map(|t| t.path.get(1).copied()).collect()
}

/// What each module takes, by its path from the root of the package.
type Modules<'a> = BTreeMap<Vec<&'a str>, Vec<Taken<'a>>>;

/// The path of the module in a file.
fn module(file: &str) -> Vec<&str> {
    let path = file.trim_end_matches(".rs").split('/');
    path.filter(|part| !["lib", "mod"].contains(part)).collect()
}

/// The module that defines what `module` calls `path`, or `module` itself for what comes
/// from outside the package; none for a module, since naming one takes nothing yet.
fn holder<'a>(modules: &Modules<'a>, module: &[&'a str], path: &[&'a str]) -> Option<Vec<&'a str>> {
    let (first, rest) = path.split_first()?;
    match *first {
        "crate" | "trimtab" => return holder(modules, &[], rest),
        "self" => return holder(modules, module, rest),
        "super" => return holder(modules, module.split_last()?.1, rest),
        _ => {}
    }
    let inner = [module, &[*first]].concat();
    let is_module = modules.contains_key(&inner);
    let leaf = modules[module].iter().find(|t| t.name == *first);
    match leaf {
        // A function may have the name of its module: `pub use walk::walk`. And a crate may
        // have the name of what is taken from it, which would be looked up for ever.
        Some(leaf) if is_module && rest.is_empty() || !is_module && leaf.path[0] != *first => {
            holder(modules, module, &[&leaf.path, rest].concat())
        }
        _ if is_module => holder(modules, &inner, rest),
        _ => Some(module.to_vec()),
    }
}

/// The files that each file imports from.
type Imports<'a> = BTreeMap<&'a str, BTreeSet<&'a str>>;

/// What the files import from each other, re-exports followed to the end.
fn imports(sources: &[(String, String)]) -> Imports<'_> {
    let (mut files, mut modules) = (BTreeMap::new(), Modules::new());
    for (file, text) in sources {
        files.insert(module(file), file.as_str());
        modules.insert(module(file), taken(text));
    }
    let mut imports = BTreeMap::new();
    for (module, all) in &modules {
        // The name of a re-export counts as little as the re-export, unless it is a module's.
        let re_exported = |t: &Taken| {
            let mut leaves = all.iter().filter(|leaf| leaf.passed_on);
            leaves.any(|leaf| leaf.name == t.path[0])
                && !modules.contains_key(&[module, &t.path[..1]].concat())
        };
        let used = all.iter().filter(|t| !t.passed_on && !re_exported(t));
        let held = used.filter_map(|t| holder(&modules, module, &t.path));
        let others = held.filter(|other| other != module);
        imports.insert(files[module], others.map(|other| files[&other]).collect());
    }
    imports
}

/// The files that are reached from one file by its imports.
fn reached<'a>(imports: &Imports<'a>, from: &'a str) -> BTreeSet<&'a str> {
    let (mut seen, mut open) = (BTreeSet::new(), vec![from]);
    while let Some(file) = open.pop() {
        let next = imports.get(file).into_iter().flatten();
        open.extend(next.filter(|file| seen.insert(**file)));
    }
    seen
}

/// The groups of files that all reach each other.
fn circles<'a>(imports: &Imports<'a>) -> BTreeSet<Vec<&'a str>> {
    let each = imports.keys().map(|file| (*file, reached(imports, file)));
    let reached: BTreeMap<_, _> = each.collect();
    let circle = |(file, ahead): (&&'a str, &BTreeSet<&'a str>)| {
        let back = ahead.iter().filter(|other| reached[*other].contains(file));
        back.copied().collect::<Vec<_>>()
    };
    reached.iter().map(circle).filter(|c| c.len() > 1).collect()
}

#[test]
fn imports_run_downwards_only() {
    let (mut wrong, mut seen) = (Vec::new(), BTreeSet::new());
    for (file, text) in sources() {
        let room = file.split(['/', '.']).next().unwrap().to_string();
        if room == "lib" {
            continue;
        }
        let own = floor(&room).unwrap_or_else(|| panic!("{room} is not in the house plan"));
        seen.insert(room.clone());
        for other in named(&text) {
            if let Some(f) = floor(other)
                && other != room
                // Two rooms of floor 0 may build on the error type and on text.
                && f >= own
                && !(own == 0 && ["error", "text"].contains(&other))
            {
                wrong.push(format!("{file} imports {other}"));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
    assert_eq!(seen.len(), FLOORS.len(), "a room is missing: {seen:?}");
}

#[test]
fn groups_and_paths_are_read() {
    let text =
        "use crate::{error::{Error, Result}, text::Lines};\nfn f() { crate::tokens::count(x) }";
    let rooms: Vec<&str> = named(text).into_iter().collect();
    assert_eq!(rooms, ["error", "text", "tokens"]);
}

#[test]
fn no_files_import_each_other_in_a_circle() {
    let sources = without_tests();
    let circles = circles(&imports(&sources));
    assert!(circles.is_empty(), "import each other: {circles:#?}");
}

#[test]
fn imports_within_apply_run_downwards_only() {
    let level = |file: &str| {
        let (room, _) = file.strip_prefix("apply/")?.split_once('/')?;
        let found = APPLY.iter().position(|r| *r == room);
        Some(found.unwrap_or_else(|| panic!("{room} is not in the house plan")))
    };
    let sources = without_tests();
    let (mut wrong, mut seen) = (Vec::new(), BTreeSet::new());
    for (file, others) in imports(&sources) {
        seen.extend(level(file));
        // Nothing is above the files directly in the folder.
        let own = level(file).unwrap_or(APPLY.len());
        let above = others.iter().filter(|other| level(other) > Some(own));
        wrong.extend(above.map(|other| format!("{file} imports {other}")));
    }
    assert_eq!(wrong, Vec::<String>::new());
    assert_eq!(seen.len(), APPLY.len(), "a room is missing");
}

#[test]
fn use_trees_are_read() {
    let all = taken("pub use super::{a::{self, B as C, d::*}, /* e, */ f::f,};");
    let read = all.iter().map(|t| (t.path[1..].join("::"), t.name));
    let wanted = [("a", "a"), ("a::B", "C"), ("a::d::*", "*"), ("f::f", "f")];
    let wanted = wanted.map(|(path, name)| (path.to_string(), name));
    assert_eq!(read.collect::<Vec<_>>(), wanted);
    assert!(all.iter().all(|t| t.path[0] == "super" && t.passed_on));
}

#[test]
fn re_exports_are_followed_to_the_file_that_defines() {
    let sources = [
        ("lib.rs", "mod a; mod z;"),
        ("a/mod.rs", "pub use {b::B, go::go}; fn f() { B::f() }"),
        ("a/b.rs", "// crate::z::f\nconst S: &str = \"crate::z::f\";"),
        ("a/go.rs", "use super::B; fn go() { std::f(B::P) }"),
        ("z.rs", "use crate::a::{self, go}; fn f() -> a::B {}"),
    ];
    let sources = sources.map(|(file, text)| (file.to_string(), text.to_string()));
    let mut read = imports(&sources);
    read.retain(|_, others| !others.is_empty());
    let wanted = [
        ("a/go.rs", BTreeSet::from(["a/b.rs"])),
        ("z.rs", BTreeSet::from(["a/b.rs", "a/go.rs"])),
    ];
    assert_eq!(read, Imports::from(wanted));
}

#[test]
fn a_circle_of_three_is_found_and_a_diamond_is_none() {
    let graph = |edges: &[(&'static str, &'static str)]| {
        let mut imports = Imports::new();
        for (from, to) in edges {
            imports.entry(*from).or_default().insert(*to);
            imports.entry(*to).or_default();
        }
        imports
    };
    let three = graph(&[("a", "b"), ("b", "c"), ("c", "a"), ("c", "d"), ("e", "a")]);
    assert_eq!(circles(&three), BTreeSet::from([vec!["a", "b", "c"]]));
    let diamond = graph(&[("a", "b"), ("a", "c"), ("b", "d"), ("c", "d")]);
    assert_eq!(circles(&diamond), BTreeSet::new());
}
