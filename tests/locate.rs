//! Locate from the outside: a small tree of our own, a task, and what comes back.

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use trimtab::search::{LocateOptions, Located, Locator, locate};
use trimtab::tokens;
use trimtab::workspace::{Cancel, Root};

const CACHE: &str = "\
import time

class Cache:
    \"\"\"Keeps values for a while.\"\"\"

    def __init__(self, limit):
        self.limit = limit
        self.entries = {}

    def put(self, key, value):
        self.entries[key] = (value, time.time())
        if len(self.entries) > self.limit:
            self.evict_oldest()

    def evict_oldest(self):
        # The entry that was stored first goes.
        oldest = min(self.entries, key=lambda k: self.entries[k][1])
        del self.entries[oldest]
";

const SERVER: &str = "\
package server

// Listen accepts connections until the context ends.
func Listen(ctx context.Context, addr string) error {
\tlistener, err := net.Listen(\"tcp\", addr)
\tif err != nil {
\t\treturn err
\t}
\treturn acceptAll(ctx, listener)
}

func acceptAll(ctx context.Context, l net.Listener) error {
\tfor {
\t\tconn, err := l.Accept()
\t\tif err != nil {
\t\t\treturn err
\t\t}
\t\tgo handle(ctx, conn)
\t}
}
";

fn tree(files: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a folder");
    for (path, text) in files {
        let to = dir.path().join(path);
        fs::create_dir_all(to.parent().expect("a parent")).expect("folders");
        fs::write(to, text).expect("a file");
    }
    dir
}

fn small() -> tempfile::TempDir {
    tree(&[
        ("src/cache.py", CACHE),
        ("src/server.go", SERVER),
        (
            "tests/test_cache.py",
            "def test_evict_oldest():\n    cache = Cache(1)\n    cache.put('a', 1)\n    cache.evict_oldest()\n",
        ),
    ])
}

fn ask(dir: &Path, task: &str, options: &LocateOptions) -> Located {
    let root = Root::open(dir).expect("a root");
    locate(&root, task, options, &Cancel::new()).expect("an answer")
}

fn filled(budget: usize) -> LocateOptions {
    LocateOptions {
        budget,
        fill: true,
        ..LocateOptions::default()
    }
}

#[test]
fn a_task_in_words_finds_the_definition() {
    let dir = small();
    let found = ask(
        dir.path(),
        "Evicting the oldest cache entry is slow",
        &LocateOptions::default(),
    );
    let first = &found.ranked[0];
    assert_eq!(
        (first.path.as_str(), first.symbol.as_str()),
        ("src/cache.py", "Cache.evict_oldest")
    );
    assert_eq!((first.span.start, first.span.end), (15, 18));
    assert!(first.why.iter().any(|w| w == "oldest"), "{:?}", first.why);
}

#[test]
fn product_code_comes_before_its_tests() {
    let dir = small();
    let found = ask(dir.path(), "evict_oldest in the cache", &filled(8000));
    let at = |path: &str| found.ranked.iter().position(|r| r.path == path);
    assert!(at("src/cache.py") < at("tests/test_cache.py"));
}

#[test]
fn without_fill_only_what_fits_the_task_comes_back() {
    let dir = small();
    let task = "Stop accepting connections when the listener fails";
    let few = ask(dir.path(), task, &LocateOptions::default());
    let all = ask(dir.path(), task, &filled(8000));
    assert_eq!(few.ranked[0].path, "src/server.go");
    let lines = |of: &Located| of.ranked.iter().map(|r| r.span.len()).sum::<usize>();
    assert!(lines(&few) < lines(&all));
}

#[test]
fn nothing_in_common_is_nothing_found() {
    let dir = small();
    let found = ask(dir.path(), "quaternion interpolation", &filled(8000));
    assert!(found.ranked.is_empty());
    assert_eq!(found.tokens, 0);
}

#[test]
fn a_named_file_and_line_is_found_without_a_common_word() {
    let dir = small();
    let found = ask(
        dir.path(),
        "panic\n  at /home/me/project/src/server.go:14",
        &LocateOptions::default(),
    );
    assert_eq!(found.ranked[0].symbol, "acceptAll");
}

#[test]
fn with_fill_short_definitions_that_follow_one_another_come_as_one() {
    let dir = small();
    let found = ask(
        dir.path(),
        "Evicting the oldest cache entry is slow",
        &filled(8000),
    );
    let first = &found.ranked[0];
    assert_eq!((first.span.start, first.span.end), (1, 18));
    assert_eq!(
        first.symbol,
        "Cache, Cache.__init__, Cache.put, Cache.evict_oldest"
    );
    assert!(first.why.iter().any(|w| w == "oldest"), "{:?}", first.why);
}

#[test]
fn a_cancelled_call_says_so() {
    let dir = small();
    let root = Root::open(dir.path()).expect("a root");
    let cancel = Cancel::new();
    cancel.cancel();
    let answer = locate(&root, "cache", &LocateOptions::default(), &cancel);
    assert_eq!(answer.expect_err("cancelled").code, "cancelled");
}

#[test]
fn what_is_remembered_is_never_stale() {
    let dir = small();
    let root = Root::open(dir.path()).expect("a root");
    let locator = Locator::new(&root);
    let again = |task: &str| {
        let known = locator
            .locate(task, &filled(8000), &Cancel::new())
            .expect("an answer");
        let fresh = ask(dir.path(), task, &filled(8000));
        assert_eq!(format!("{known:?}"), format!("{fresh:?}"), "{task}");
        known
    };
    again("evict the oldest cache entry");
    // From then on files count as left alone, and are remembered.
    std::thread::sleep(std::time::Duration::from_millis(2_700));
    again("evict the oldest cache entry");
    again("accept connections on a listener, cfg of the cache");
    let path = dir.path().join("src/cache.py");
    fs::write(&path, CACHE.replace("evict_oldest", "purge_oldest")).expect("a file");
    let found = again("purge the oldest cache entry");
    assert!(found.ranked[0].symbol.contains("Cache.purge_oldest"));
    fs::remove_file(dir.path().join("src/server.go")).expect("a file");
    fs::write(
        dir.path().join("src/new.py"),
        "def listen():\n    accept()\n",
    )
    .expect("a file");
    let found = again("accept connections on a listener");
    assert_eq!(found.ranked[0].path, "src/new.py");
}

#[test]
fn the_second_round_follows_names_that_the_first_one_found() {
    let mut files: Vec<(String, String)> = (0..30)
        .map(|i| {
            (
                format!("src/other{i}.py"),
                format!("def other{i}():\n    return plain{i}\n"),
            )
        })
        .collect();
    let first = "def rotate_journal():\n    seal_segment(spool_head)\n";
    let second = "def seal_segment(at):\n    spool_head.close(at)\n    spool_head = None\n";
    files.push(("src/a.py".into(), first.into()));
    files.push(("src/b.py".into(), second.into()));
    let files: Vec<(&str, &str)> = files
        .iter()
        .map(|(p, t)| (p.as_str(), t.as_str()))
        .collect();
    let dir = tree(&files);
    let paths = |rounds: usize| -> Vec<String> {
        let options = LocateOptions {
            rounds,
            ..filled(8000)
        };
        let found = ask(dir.path(), "Rotate the journal daily", &options);
        found.ranked.into_iter().map(|r| r.path).collect()
    };
    assert_eq!(paths(1), ["src/a.py"]);
    assert_eq!(paths(2), ["src/a.py", "src/b.py"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// The budget holds to the token, spans are apart, and the same call gives the same answer.
    #[test]
    fn any_task_and_budget(
        words in prop::collection::vec("(cache|evict|listen|conn|entry|server|ctx|`put`|Cache\\.put|test|[a-z]{3,8})", 1..8),
        budget in 0usize..400,
        fill in any::<bool>(),
    ) {
        let dir = small();
        let options = LocateOptions { budget, fill, ..LocateOptions::default() };
        let task = words.join(" ");
        let found = ask(dir.path(), &task, &options);
        let mut spent = 0;
        for (i, r) in found.ranked.iter().enumerate() {
            let text = fs::read_to_string(dir.path().join(&r.path)).expect("a file");
            let lines: Vec<&str> = text.split_inclusive('\n').collect();
            prop_assert!(r.span.end <= lines.len());
            let code = lines[r.span.start - 1..r.span.end].concat();
            spent += tokens::count(&format!("{}:{}-{}\n{code}", r.path, r.span.start, r.span.end));
            for other in &found.ranked[..i] {
                prop_assert!(other.path != r.path || !other.span.overlaps(r.span));
                prop_assert!(other.score >= r.score);
            }
        }
        prop_assert_eq!(spent, found.tokens);
        prop_assert!(spent <= budget);
        let again = ask(dir.path(), &task, &options);
        prop_assert_eq!(format!("{found:?}"), format!("{again:?}"));
    }
}
