//! What an agent reads where its edit is refused: the code, what happened, the next step.

use trimtab::apply::{MergeOptions, merge};

const FILE: &str = "\
import os

def first(value):
    base = value + 1
    if base > 3:
        return base
    return value

def second(value):
    base = value + 2
    if base > 3:
        return base
    return value

def third(value):
    total = value * 3
    log(total)
    return total
";

/// The message as a door shows it.
fn refused(path: &str, file: &str, snippet: &str) -> String {
    let options = MergeOptions {
        path: path.to_string(),
        ..MergeOptions::default()
    };
    match merge(file, snippet, &options) {
        Ok(merged) => panic!("merged:\n{}", merged.text),
        Err(e) => e.to_string(),
    }
}

/// Refused with this code, and with this message.
macro_rules! refusal {
    ($name:ident, $snippet:expr) => {
        refusal!($name, "a.py", FILE, $snippet);
    };
    ($name:ident, $path:expr, $file:expr, $snippet:expr) => {
        #[test]
        fn $name() {
            let message = refused($path, $file, $snippet);
            assert!(
                message.contains(stringify!($name)),
                "another code: {message}"
            );
            insta::assert_snapshot!(stringify!($name), message);
        }
    };
}

refusal!(
    no_place,
    "# ... existing code ...\ndef fourth(value):\n    return value * 4\n# ... existing code ...\n"
);
refusal!(
    ambiguous,
    "# ... existing code ...\n    if base > 3:\n        log(base)\n        return base\n# ... existing code ...\n"
);
refusal!(
    unclear_edge,
    "# ... existing code ...\n    total = value * 3\n    warn(total)\n# ... existing code ...\n"
);
refusal!(
    context_missing,
    "@@\n def third(value):\n-    total = value * 4\n+    total = value * 5\n"
);
refusal!(
    unexplained_removal,
    "import os\n\ndef third(value):\n    total = value * 3\n    log(total)\n    return total\n"
);
refusal!(
    inline_ellipsis,
    "def first(value): # ... existing code ...\n    return 1\n"
);
refusal!(open_block, "<<<<<<< SEARCH\nimport os\n>>>>>>> REPLACE\n");
refusal!(
    empty_edit,
    "# ... existing code ...\n\n# ... existing code ...\n"
);
refusal!(
    removal_comment,
    "# ... existing code ...\n# remove second\n\ndef third(value):\n# ... existing code ...\n"
);
refusal!(
    syntax,
    "# ... existing code ...\n    total = value * 3\n    log((total)\n    return total\n"
);
refusal!(
    duplicate_definition,
    "# ... existing code ...\n    log(total)\n    return total\n\ndef first(value):\n    return 0\n"
);
refusal!(
    several_files,
    "*** Begin Patch\n*** Update File: a.py\n@@\n-import os\n+import sys\n*** Delete File: b.py\n*** End Patch\n"
);

/// Forty lines, no two alike, of no language.
fn items() -> String {
    (1..=40)
        .map(|n| format!("item {n} of the list\n"))
        .collect()
}

refusal!(
    misplaced_context,
    "# ... existing code ...\ndef second(value):\n    base = value + 2\n    log(total)\n# ... existing code ...\n"
);
refusal!(
    unclear_start,
    "b.py",
    "import io\nimport os\n\ndef name():\n    return os.name\n",
    "import os\n\n# ... existing code ...\ndef name():\n    return os.name.lower()\n"
);
refusal!(
    unclear_end,
    "# ... existing code ...\nimport os\n\ndef first(value):\n    base = value + 9\n# ... existing code ...\n    base = value + 2\n    if base > 3:\n        return base\n    return value\n"
);
refusal!(
    duplicate_import,
    "c.py",
    "from old import Reader\nimport sys\nimport os\n\ndef read():\n    return Reader(os.name)\n",
    "# ... existing code ...\nimport os\nfrom new import Reader\n\ndef read():\n    return Reader(os.name)\n"
);
refusal!(
    missing_marker,
    "a.txt",
    &items(),
    "item 1 of the list\nitem 2 of the list\nitem 39 of the list\nitem 40 of the list\n"
);
refusal!(
    order,
    "a.txt",
    &items(),
    "... existing code ...\nitem 10 of the list\nnew a\nitem 11 of the list\n... existing code ...\nitem 10 of the list\nnew b\nitem 11 of the list\n... existing code ...\n"
);
refusal!(
    too_large,
    "a.txt",
    &items().repeat(500),
    &format!(
        "item 1 of the list\n... existing code ...\n{}",
        "one more item\n".repeat(3_500)
    )
);
refusal!(
    marker_leak,
    "import os\nimport sys\n@@\n\ndef first(value):\n    base = value + 1\n# ... existing code ...\n"
);
refusal!(
    unclear_marker,
    "a.md",
    "# Tool\n\n```\n$ tool install\n```\n\nThat is all.\n",
    "<!-- ... existing code ... -->\n```\n$ tool install\nFetching 12 parts\n…\n```\n\nThat is all.\n"
);
refusal!(
    open_fence,
    "a.md",
    "Run it:\n\n```\ntool run\n```\n\nThat is all.\n",
    "Run it:\n\n```sh\n<!-- ... existing code ... -->\n"
);
refusal!(
    duplicate_label,
    "a.go",
    include_str!("../../fixtures/edits/go_label_twice/before.go"),
    include_str!("../../fixtures/edits/go_label_twice/snippet")
);
refusal!(
    unreachable,
    "a.py",
    include_str!("../../fixtures/edits/py_nothing_below_a_raise/before.py"),
    include_str!("../../fixtures/edits/py_nothing_below_a_raise/snippet")
);
refusal!(
    indentation,
    "a.ts",
    include_str!("../../fixtures/edits/ts_test_dedented_at_the_end_of_its_block/before.ts"),
    include_str!("../../fixtures/edits/ts_test_dedented_at_the_end_of_its_block/snippet")
);
refusal!(
    open_condition,
    "a.h",
    include_str!("../../fixtures/edits/c_guard_with_another_comment/before.h"),
    include_str!("../../fixtures/edits/c_guard_with_another_comment/snippet")
);
refusal!(
    split_definition,
    "a.py",
    include_str!("../../fixtures/edits/py_class_renamed_below_a_marker/before.py"),
    include_str!("../../fixtures/edits/py_class_renamed_below_a_marker/snippet")
);
refusal!(
    no_anchor,
    "Cargo.toml",
    "[package]\nname = \"tool\"\nversion = \"1.2.0\"\nedition = \"2021\"\npublish = false\n",
    "# ... existing code ...\nedition = \"2024\"\nversion = \"2.0.0\"\n# ... existing code ...\n"
);
refusal!(
    misquoted,
    "a.py",
    "def third(value):\n    total = value * 3  # thrice\n    log('third')\n    return total\n",
    "# ... existing code ...\n    total = value * 3\n    log(\"third\")\n# ... existing code ...\n"
);
refusal!(
    unstable,
    "a.yaml",
    "-   repo: one\n    hooks:\n    -   id: first\n- repo: two\n  hooks:\n  - id: second\n    needs:\n    - tool\n",
    "# ... existing code ...\n  hooks:\n  - id: second\n-    needs:\n-    - tool\n"
);
refusal!(
    indent,
    "a.rb",
    "class T\n  def one\n    send 'a'\n    wait { |x| x.any? }\n  end\nend\n",
    "# ... existing code ...\n      def one\n    send 'b'\n   wait { |x| x.any? }\n  done\n   end\n"
);

#[test]
fn an_edge_asks_for_the_side_that_is_missing() {
    let above = "# ... existing code ...\n    warn(total)\n    return total\n";
    insta::assert_snapshot!("unclear_edge_above", refused("a.py", FILE, above));
}

#[test]
fn what_stays_above_ends_with_its_last_line() {
    let file = "class Log {\n    int level;\n\n    void set(Level level) {\n        this.level = level.rank();\n    }\n\n    int get() {\n        return level;\n    }\n}\n";
    let snippet = "// ... existing code ...\n\n    void set(String name) {\n        set(Level.of(name));\n    }\n\n    int get() {\n// ... existing code ...\n";
    insta::assert_snapshot!("unclear_edge_block", refused("Log.java", file, snippet));
}

#[test]
fn what_several_parts_lack_is_told_at_once() {
    let file: String = (0..6)
        .map(|n| format!("def part{n}(value):\n    total = value * {n}\n    log(total)\n    return total + {n}\n\n"))
        .collect();
    let snippet: String = (0..5)
        .map(|n| format!("# ... existing code ...\n    total = value * {n}\n    warn(total)\n"))
        .collect();
    let snippet = snippet + "# ... existing code ...\n    again()\n# ... existing code ...\n";
    insta::assert_snapshot!("unclear_edges", refused("a.py", &file, &snippet));
}
