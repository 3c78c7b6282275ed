//! The house plan, held against the code: imports run downwards only, the three
//! engines do not know each other, and the two doors do not either.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

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

fn floor(room: &str) -> Option<u8> {
    FLOORS.iter().find(|(r, _)| *r == room).map(|(_, f)| *f)
}

fn sources(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

/// The rooms that a source names after `crate::`, groups included.
fn named(source: &str) -> BTreeSet<String> {
    let word = |s: &str| -> String {
        s.trim_start()
            .chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect()
    };
    let mut rooms = BTreeSet::new();
    for (at, _) in source.match_indices("crate::") {
        let rest = &source[at + "crate::".len()..];
        if let Some(group) = rest.strip_prefix('{') {
            let (mut depth, mut item) = (1, String::new());
            for c in group.chars() {
                match c {
                    '{' => depth += 1,
                    '}' => depth -= 1,
                    _ => {}
                }
                if depth == 0 || (depth == 1 && c == ',') {
                    rooms.insert(word(&item));
                    item.clear();
                    if depth == 0 {
                        break;
                    }
                } else {
                    item.push(c);
                }
            }
        } else {
            rooms.insert(word(rest));
        }
    }
    rooms
}

#[test]
fn imports_run_downwards_only() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&src, &mut files);
    let (mut wrong, mut seen) = (Vec::new(), BTreeSet::new());
    for file in &files {
        let inside = file.strip_prefix(&src).unwrap();
        let first = inside.components().next().unwrap();
        let room = first.as_os_str().to_string_lossy().replace(".rs", "");
        if room == "lib" {
            continue;
        }
        let own = floor(&room).unwrap_or_else(|| panic!("{room} is not in the house plan"));
        seen.insert(room.clone());
        for other in named(&fs::read_to_string(file).unwrap()) {
            if let Some(f) = floor(&other)
                && other != room
                // Two rooms of floor 0 may build on the error type and on text.
                && f >= own
                && !(own == 0 && ["error", "text"].contains(&other.as_str()))
            {
                wrong.push(format!("{} imports {other}", inside.display()));
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
    let rooms: Vec<String> = named(text).into_iter().collect();
    assert_eq!(rooms, ["error", "text", "tokens"]);
}
