//! How soon a search stops: by what is done between two looks at the flag, and how
//! often it is looked at once it is set. Clocks would measure the machine.

use super::{Engine, Mode, Request};
use crate::workspace::{Cancel, Root};
use std::fmt::Write;
use std::fs;

/// Looks that all threads together may take after the flag was set.
const LATE: usize = 80;

struct Tree {
    _dir: tempfile::TempDir,
    root: Root,
}

/// Many small files, and a few large ones.
fn tree() -> Tree {
    let dir = tempfile::tempdir().unwrap();
    for i in 0..300 {
        let text = format!("fn number_{i}() {{ needle(); }}\n").repeat(5);
        fs::write(dir.path().join(format!("small{i}.rs")), text).unwrap();
    }
    let mut long = String::new();
    for i in 0..60_000 {
        let _ = writeln!(long, "line {i} of a file that has no end, nearly");
    }
    fs::write(dir.path().join("long.txt"), &long).unwrap();
    let mut code = String::new();
    for i in 0..12_000 {
        let _ = writeln!(
            code,
            "fn needle_{i}(a: u32) -> u32 {{ a * {i} + other(a) }}"
        );
    }
    fs::write(dir.path().join("large.rs"), code).unwrap();
    let root = Root::open(dir.path()).unwrap();
    let root = root.with_home(dir.path().join(".home"));
    Tree { _dir: dir, root }
}

fn request(query: &str) -> Request {
    Request {
        mode: Mode::Regex,
        ..Request::new([query])
    }
}

/// What one run asks in all, and what runs that are stopped at various times ask
/// after that.
fn check(run: &dyn Fn(&Cancel) -> crate::error::Result<()>) -> usize {
    let whole = Cancel::after(usize::MAX);
    run(&whole).unwrap();
    let all = whole.asked();
    for nth in 0..40 {
        let after = all * nth / 41;
        let cancel = Cancel::after(after);
        // How often is asked depends a little on the threads: a run may be over before.
        let Err(e) = run(&cancel) else {
            assert!(
                cancel.asked() <= after,
                "stopped, but not told: {after} of {all}"
            );
            continue;
        };
        assert_eq!(e.code, "cancelled");
        let late = cancel.asked() - after;
        assert!(
            late <= LATE,
            "{late} looks after the flag was set, at {after} of {all}"
        );
    }
    all
}

#[test]
fn a_scan_stops_soon() {
    let tree = tree();
    let engine = Engine::new(&tree.root);
    let asked = check(&|cancel| engine.lines(&request("nearly|needle"), cancel).map(drop));
    // Between two looks lies no more than a window of a file.
    let long = tree.root.dir().join("long.txt").metadata().unwrap().len() as usize;
    assert!(asked > 300 + long / (128 << 10), "{asked}");
}

#[test]
fn ranges_stop_soon_even_while_a_file_is_parsed() {
    let tree = tree();
    let engine = || Engine::new(&tree.root);
    check(&|cancel| engine().search(&request("needle"), cancel).map(drop));
    let one = Request {
        globs: vec!["large.rs".into()],
        ..request("needle_11999")
    };
    let asked = check(&|cancel| engine().search(&one, cancel).map(drop));
    // The parser looks as well.
    assert!(asked > 100, "{asked}");
}

#[cfg(unix)]
#[test]
fn a_search_by_the_index_stops_soon() {
    let tree = tree();
    let engine = Engine::resident(&tree.root);
    engine.settle();
    check(&|cancel| engine.lines(&request("nearly|needle"), cancel).map(drop));
    check(&|cancel| engine.lines(&request("[a-z] [0-9]"), cancel).map(drop));
}

/// Stops looking at various times, and holds what comes against the whole answer.
fn partly(engine: &dyn Fn() -> Engine, query: &str) {
    let request = Request {
        queries: vec![query.to_owned(), "no_such_thing".to_owned()],
        ..request(query)
    };
    let looking = Cancel::late_after(usize::MAX);
    let never = Cancel::new();
    let whole = engine().search_while(&request, &looking, &never).unwrap();
    assert!(!whole.partial && !whole.render().contains("partial: "));
    let all = looking.asked();
    let mut parts = 0;
    for nth in 0..20 {
        let looking = Cancel::late_after(all * nth / 20);
        let part = match engine().search_while(&request, &looking, &never) {
            Ok(part) if part.partial => part,
            Ok(part) => {
                assert_eq!(part, whole);
                continue;
            }
            Err(e) => {
                assert_eq!(e.code, "timed_out");
                continue;
            }
        };
        let (found, text) = (&part.queries[0], part.render());
        assert!(found.more && found.lines > 0 && found.lines <= whole.queries[0].lines);
        assert!(!part.excerpts.is_empty(), "{text}");
        assert!(text.contains("`no_such_thing` nothing so far"), "{text}");
        assert!(text.contains("partial: time"), "{text}");
        assert!(part.tokens <= super::DEFAULT_BUDGET && text.len() <= super::DEFAULT_BYTES);
        parts += usize::from(found.lines < whole.queries[0].lines);
    }
    assert!(parts > 0, "never was a part of it found");
}

#[test]
fn what_was_found_in_time_is_shown() {
    let tree = tree();
    partly(&|| Engine::new(&tree.root), "needle\\(\\)");
    let late = Request {
        within: Some(std::time::Duration::ZERO),
        ..request("needle")
    };
    let e = Engine::new(&tree.root).search(&late, &Cancel::new());
    assert_eq!(e.unwrap_err().code, "timed_out");
}

#[cfg(unix)]
#[test]
fn what_the_index_found_in_time_is_shown() {
    let tree = tree();
    let settled = || {
        let engine = Engine::resident(&tree.root);
        engine.settle();
        engine
    };
    partly(&settled, "needle\\(\\)");
}

#[test]
fn a_cancelled_search_shows_no_part() {
    let tree = tree();
    let cancel = Cancel::new();
    cancel.cancel();
    let looking = Cancel::late_after(100);
    let e = Engine::new(&tree.root).search_while(&request("needle"), &looking, &cancel);
    assert_eq!(e.unwrap_err().code, "cancelled");
}
