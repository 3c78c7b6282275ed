//! Bytes that an edit does not name stay as they are, and forms of snippets that name
//! definitions alone find them.

use trimtab::apply::{MergeOptions, merge};

fn merged(path: &str, file: &str, snippet: &str) -> String {
    let options = MergeOptions {
        path: path.to_string(),
        ..MergeOptions::default()
    };
    merge(file, snippet, &options).unwrap().text
}

const FUNCTIONS: &str = "\
fn one() -> u32 {
    1
}

fn two() -> u32 {
    2
}

fn three() -> u32 {
    3
}
";

#[test]
fn definitions_without_markers_in_another_order() {
    let snippet = "fn three() -> u32 {\n    33\n}\n\nfn one() -> u32 {\n    11\n}\n";
    let marked = snippet.replace("\n\n", "\n\n// ... existing code ...\n\n");
    let want = FUNCTIONS
        .replace("    1\n", "    11\n")
        .replace("    3\n", "    33\n");
    assert_eq!(merged("a.rs", FUNCTIONS, &marked), want);
    let bare = "fn two() -> u32 {\n    22\n}\n";
    let want = FUNCTIONS.replace("    2\n", "    22\n");
    assert_eq!(merged("a.rs", FUNCTIONS, bare), want);
}

#[test]
fn each_line_keeps_its_own_ending() {
    let file = "alpha\r\nbeta\ngamma\r\ndelta\nepsilon\n";
    let got = merged(
        "a.txt",
        file,
        "... existing code ...\nbeta\nnew\ngamma\n... existing code ...\n",
    );
    assert_eq!(got, "alpha\r\nbeta\nnew\ngamma\r\ndelta\nepsilon\n");
}

#[test]
fn the_byte_order_mark_stays_once() {
    let file = "\u{feff}use alpha::One;\nuse beta::Two;\n\nfn f() {}\n";
    let want = "\u{feff}use alpha::One;\nuse beta::Two;\nuse gamma::Three;\n\nfn f() {}\n";
    let with =
        "\u{feff}use alpha::One;\nuse beta::Two;\nuse gamma::Three;\n\n// ... existing code ...\n";
    assert_eq!(merged("a.rs", file, with), want);
    assert_eq!(merged("a.rs", file, &with[3..]), want);
    // A file without the mark does not get it.
    assert_eq!(merged("a.rs", &file[3..], with), &want[3..]);
}

#[test]
fn blanks_for_tabs_and_no_final_line_break() {
    let file = "func f() {\n\tif a {\n\t\tb()\n\t}\n}";
    let got = merged(
        "a.go",
        file,
        "// ... existing code ...\n    if a {\n        b()\n        c()\n    }\n}\n",
    );
    assert_eq!(got, "func f() {\n\tif a {\n\t\tb()\n\t\tc()\n\t}\n}");
}

#[test]
fn blanks_behind_untouched_lines_stay() {
    let file = "one   \ntwo\t\nthree\n\n\nfour";
    let got = merged(
        "a.txt",
        file,
        "one\ntwo\nnew\nthree\n... existing code ...\n",
    );
    assert_eq!(got, "one   \ntwo\t\nnew\nthree\n\n\nfour");
}

#[test]
fn a_block_may_trim_blanks_alone() {
    let file = "import os\n   \ndef f():   \n    return 1  \n\ndef g():\n    return 2\n";
    let trimmed = "import os\n\ndef f():\n    return 1\n\ndef g():\n    return 2\n";
    let block = "<<<<<<< SEARCH\n   \ndef f():   \n    return 1  \n=======\n\ndef f():\n    return 1\n>>>>>>> REPLACE\n";
    let once = merged("a.py", file, block);
    assert_eq!(once, trimmed);
    assert_eq!(merged("a.py", &once, block), trimmed);
}

#[test]
fn prefixes_are_told_when_the_edit_is_made() {
    let file =
        "# Notes\n\n-   one of them\n+ an odd one\n\nSee below.\n**NOTE:** old text\nThe end.\n";
    let snippet = "<!-- ... existing code ... -->\nSee below.\n-**NOTE:** old text\n+> [!NOTE]\n+> new text\nThe end.\n";
    let once = merged("a.md", file, snippet);
    let want = file.replace("**NOTE:** old text", "> [!NOTE]\n> new text");
    assert_eq!(once, want);
    assert_eq!(merged("a.md", &once, snippet), once);
}

#[test]
fn a_dash_of_the_text_is_no_prefix() {
    let file = "def f():\n    \"\"\"Turns values into text:\n\n    -   dates in one form\n    -   numbers in another\n    \"\"\"\n";
    let snippet = "-   dates in one form\n-   names as they are\n-   numbers in another\n";
    let want = file.replace("form\n", "form\n    -   names as they are\n");
    assert_eq!(merged("a.py", file, snippet), want);
}

#[test]
fn an_edit_that_is_made_already_says_so() {
    for snippet in [
        "// ... existing code ...\nfn two() -> u32 {\n    22\n}\n// ... existing code ...\n",
        "// ... existing code ...\n fn two() -> u32 {\n-    2\n+    22\n }\n// ... existing code ...\n",
        "// ... existing code ...\nfn one() -> u32 {\n-    1\n}\n// ... existing code ...\n",
        "@@\n fn two() -> u32 {\n-    2\n+    22\n }\n",
        "<<<<<<< SEARCH\n    2\n}\n=======\n    22\n}\n>>>>>>> REPLACE\n",
        "// ... existing code ...\nfn two() -> u32 {\n    2\n}\n\nfn between() -> u32 {\n    0\n}\n\nfn three() -> u32 {\n// ... existing code ...\n",
    ] {
        let once = merged("a.rs", FUNCTIONS, snippet);
        assert_ne!(once, FUNCTIONS, "{snippet}");
        assert_eq!(merged("a.rs", &once, snippet), once, "{snippet}");
    }
}

#[test]
fn a_whole_file_is_as_it_was_sent() {
    let file = "\
package shop.tests

import kotlin.test.fail
import shop.Cart

/** What a cart holds. */
class CartTest {
    fun adds() {
        check(Cart().add(1).size == 1)
    }

    // removed: nothing
    fun empty() {
        check(Cart().size == 0)
    }
}
";
    let sent = "\
package shop

import shop.Cart

class CartTest {
\tfun adds() {
\t\tcheck(Cart().add(2).size == 2)
\t}

    // removed: empty
}
";
    let options = MergeOptions {
        path: "a.kt".to_string(),
        allow_full_rewrite: true,
        ..MergeOptions::default()
    };
    let whole = |snippet: &str| merge(file, snippet, &options).unwrap().text;
    assert_eq!(whole(sent), sent);
    assert_eq!(whole(&format!("```kotlin\n{sent}```\n")), sent);
    // Markers stand for what is there.
    let snippet = "class CartTest {\n    fun adds() {\n        check(true)\n    }\n    // ... existing code ...\n}\n";
    let want = file.replace("Cart().add(1).size == 1", "true");
    assert_eq!(whole(snippet), want);
}
