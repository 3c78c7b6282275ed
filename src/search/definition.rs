//! A guess from one line whether it defines a name: cheap enough for every hit,
//! used only to decide which files are parsed first.

/// Words that introduce a definition in the languages we know. A wrong guess costs
/// a parse, a missed one a place in the order; neither changes what matches.
const KEYWORDS: &[&str] = &[
    "#define",
    "abstract",
    "alias",
    "class",
    "const",
    "def",
    "defun",
    "enum",
    "export",
    "extern",
    "final",
    "fn",
    "fun",
    "func",
    "function",
    "impl",
    "interface",
    "let",
    "local",
    "macro",
    "macro_rules!",
    "mod",
    "module",
    "namespace",
    "object",
    "package",
    "private",
    "protected",
    "protocol",
    "pub",
    "public",
    "record",
    "static",
    "struct",
    "sub",
    "trait",
    "type",
    "typedef",
    "union",
    "val",
    "var",
    "void",
];

/// Whether a word introduces definitions.
pub(super) fn is_keyword(word: &str) -> bool {
    KEYWORDS.binary_search(&word).is_ok()
}

/// Whether `line` looks as if it defined the name at `at`.
pub(super) fn looks_like(line: &[u8], at: std::ops::Range<usize>) -> bool {
    let (Some(before), Some(after)) = (line.get(..at.start), line.get(at.end..)) else {
        return false;
    };
    let before = String::from_utf8_lossy(before);
    let after = String::from_utf8_lossy(after);
    let after = after.trim_end();
    if before.split_whitespace().any(|w| {
        let w = w.split(['(', '<']).next().unwrap_or(w);
        is_keyword(w)
    }) {
        return true;
    }
    // C and its kin: a return type in the first column and no `;` behind.
    let type_first = before
        .chars()
        .next()
        .is_some_and(|c| c.is_alphabetic() || c == '_')
        && !before.contains(['=', '(', '.', '"'])
        && !before.starts_with("return");
    type_first && after.starts_with('(') && !after.ends_with(';')
}

/// Whether the name at `at` is no part of a longer one.
pub(super) fn stands_alone(line: &[u8], at: std::ops::Range<usize>) -> bool {
    let joins = |b: Option<&u8>| b.is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_');
    let before = at.start.checked_sub(1).and_then(|i| line.get(i));
    !joins(before) && !joins(line.get(at.end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keywords_are_sorted_for_the_search() {
        assert!(KEYWORDS.is_sorted());
    }

    #[test]
    fn guesses_from_one_line() {
        let guess = |line: &str| {
            let at = line.find("foo").unwrap();
            looks_like(line.as_bytes(), at..at + 3)
        };
        for line in [
            "pub fn foo() {",
            "    def foo(self):",
            "static int foo(struct bar *b)",
            "func (s *Server) foo(x int) error {",
            "#define foo 1",
            "export const foo = 1",
            "int foo(void)",
        ] {
            assert!(guess(line), "{line}");
        }
        for line in [
            "    foo();",
            "return foo(x)",
            "x = foo(1)",
            "int foo(void);",
        ] {
            assert!(!guess(line), "{line}");
        }
    }
}
