//! Which snippet lines stand for unchanged code.
//!
//! Agents write such lines in any comment style whatever the file's language is, so
//! recognition goes by the line's text and never by the grammar's comment nodes. The words
//! are data: `markers.toml`.

use std::sync::LazyLock;

/// The lists of `markers.toml`.
#[derive(Debug, Default, serde::Deserialize)]
struct Words {
    openers: Vec<String>,
    closers: Vec<String>,
    keywords: Vec<String>,
    plain_keywords: Vec<String>,
    vocabulary: Vec<String>,
    status: Vec<String>,
    removals: Vec<String>,
    gone: Vec<String>,
    noise: Vec<String>,
}

// A test reads the file, so that it is never taken for an empty one.
static WORDS: LazyLock<Words> =
    LazyLock::new(|| toml::from_str(include_str!("markers.toml")).unwrap_or_default());

/// Whether a list has a word.
fn has(list: &[String], word: &str) -> bool {
    list.iter().any(|w| w == word)
}

/// What a line is to the merge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Marked {
    /// Text of the edit.
    No,
    /// It stands for unchanged code.
    Marker,
    /// A lone `...` without a comment opener: a marker unless the language means it.
    BareDots,
    /// Code and a marker on one line, which no merge can place.
    Inline,
}

/// Reads one snippet line. Lines that stand in the file word for word are text and must
/// be excluded by the caller.
pub(crate) fn classify(line: &str) -> Marked {
    let t = line.trim();
    if t.is_empty() {
        return Marked::No;
    }
    if t == "..." || t == "…" || t == "...." {
        return Marked::BareDots;
    }
    if t == "⋯" || t.starts_with("⋯ ") {
        return Marked::Marker;
    }
    let (opened, inner) = strip_comment(t);
    if is_marker_text(opened, inner) {
        return Marked::Marker;
    }
    if !opened && inline(t) {
        return Marked::Inline;
    }
    Marked::No
}

/// The comment's words without opener and closer; whether there was an opener.
fn strip_comment(t: &str) -> (bool, &str) {
    let mut inner = t;
    let mut opened = false;
    for o in &WORDS.openers {
        if let Some(rest) = inner.strip_prefix(o.as_str()) {
            inner = rest;
            opened = true;
            break;
        }
    }
    // `// // ...` and `//// ...` are written too.
    if opened {
        inner = inner.trim_start_matches([' ', '\t', '/', '#']);
    }
    if !opened {
        let boxed = [('[', ']'), ('(', ')'), ('<', '>')];
        for (a, b) in boxed {
            if let Some(rest) = t.strip_prefix(a).and_then(|r| r.strip_suffix(b)) {
                // `[...rest]` and `(...args)` spread a value: a marker has a blank.
                let rest = rest.trim();
                if dotted(rest) && (rest.contains("... ") || rest.contains("… ")) {
                    return (true, rest);
                }
            }
        }
    }
    for c in &WORDS.closers {
        if let Some(rest) = inner.trim_end().strip_suffix(c.as_str()) {
            inner = rest;
            break;
        }
    }
    (opened, inner.trim())
}

fn dotted(s: &str) -> bool {
    s.starts_with("...") || s.starts_with('…') || s.ends_with("...") || s.ends_with('…')
}

fn is_marker_text(opened: bool, inner: &str) -> bool {
    // A boxed remark, `// [... existing code ...]` or `# (unchanged)`.
    let boxed = inner
        .strip_prefix(['[', '(', '<'])
        .and_then(|r| r.strip_suffix([']', ')', '>']));
    let inner = boxed.unwrap_or(inner).trim();
    let core = inner.trim_matches(['.', '…', ' ', '-', '=', '*']);
    if opened && core.is_empty() {
        return inner.contains("...") || inner.contains('…');
    }
    let words = words(core);
    if words.is_empty() || words.len() > 16 {
        return false;
    }
    let head = inner.starts_with("...") || inner.starts_with('…');
    let tail = inner.ends_with("...") || inner.ends_with('…');
    // Words only: anything that reads as code is code, but for a name in a remark between dots.
    let remark = opened && head && tail && core.len() + 2 <= inner.trim_matches(['.', '…']).len();
    let code: &[char] = if remark {
        &['{', '}', ';', '=', '|', '\\']
    } else {
        &['{', '}', ';', '=', '"', '`', '$', '|', '\\']
    };
    let keyword = words.iter().any(|w| has(&WORDS.keywords, w));
    let known = words
        .iter()
        .filter(|w| has(&WORDS.vocabulary, w) || w.bytes().all(|b| b.is_ascii_digit()))
        .count();
    // One that is mostly a marker's words may quote a condition.
    let quotes = remark && keyword && known * 2 >= words.len();
    let aside = remark.then(|| without_asides(core));
    if !quotes && aside.as_deref().unwrap_or(core).contains(code) {
        return false;
    }
    let plain = known == words.len();
    let said = words.iter().any(|w| has(&WORDS.plain_keywords, w));
    // `// rest of parse_args unchanged`
    let rest = matches!(words.as_slice(), [a, b, .., last]
        if a == "rest" && b == "of" && has(&WORDS.plain_keywords, last))
        && known + 2 >= words.len();
    if opened {
        // `# ... anything ...` is a marker by its shape alone. With dots in front it takes one
        // of a marker's words, without dots nothing but a marker's words: a remark such as
        // `# keep the lock while writing` is text.
        (head && tail)
            || (head && (said || keyword && known * 2 >= words.len()))
            || (plain
                && (words.len() >= 2 || boxed.is_some())
                && (dotted(inner) && keyword || said))
            || rest
    } else {
        // Without a comment opener a line has to be nothing but a marker.
        let spaced = inner.starts_with("... ") || inner.starts_with("… ");
        head && spaced && keyword && (tail || plain) && known * 2 >= words.len()
    }
}

/// Whether a comment says of what it stands for that it stays as it is: `// unchanged`,
/// `# -o option omitted`.
pub(crate) fn tells_of_the_rest(line: &str) -> bool {
    let said = |w: Option<&String>| w.is_some_and(|w| has(&WORDS.status, w));
    remark(line).is_some_and(|words| said(words.first()) || said(words.last()))
}

/// The same in words that may be said of what the code does: `# the imports stay the same`.
pub(crate) fn same_as_before(line: &str) -> bool {
    remark(line).is_some_and(|words| {
        matches!(words.as_slice(), [.., stays, the, same]
            if has(&WORDS.keywords, stays) && the == "the" && same == "same")
    })
}

/// The words of a comment without code.
fn remark(line: &str) -> Option<Vec<String>> {
    let (opened, inner) = strip_comment(line.trim());
    let code = without_asides(inner).contains(['{', '}', ';', '=', '|', '\\']);
    let words = words(inner);
    (opened && !code && words.len() <= 16).then_some(words)
}

/// A remark without what it quotes or says in parentheses.
fn without_asides(remark: &str) -> String {
    let mut out = String::new();
    let mut rest = remark;
    while let Some(from) = rest.find(['(', '`', '"']) {
        let (head, tail) = rest.split_at(from);
        let end = match tail.as_bytes().first() {
            Some(b'(') => ')',
            Some(b'`') => '`',
            _ => '"',
        };
        let Some(to) = tail.get(1..).and_then(|t| t.find(end)) else {
            break;
        };
        out.push_str(head);
        rest = tail.get(to + 2..).unwrap_or_default();
    }
    out + rest
}

/// Whether a comment begins with dots and says something in words (`// ... license header`): a
/// marker, unless it goes on with a comment above it.
pub(crate) fn leads(line: &str) -> bool {
    let (opened, inner) = strip_comment(line.trim());
    let head = inner.starts_with("... ") || inner.starts_with("… ");
    opened && head && !inner.contains(['{', '}', ';', '=', '"', '|', '\\'])
}

/// Code with an ellipsis remark at its end: `foo(); // ... existing code ...`.
fn inline(t: &str) -> bool {
    for o in ["//", "#", "/*", "--", "<!--"] {
        let mut from = 0;
        while let Some(p) = t.get(from..).and_then(|r| r.find(o)) {
            let at = from + p;
            let (_, inner) = strip_comment(&t[at..]);
            let all = words(inner);
            let plain = all.iter().all(|w| has(&WORDS.vocabulary, w));
            if at > 0 && dotted(inner) && plain && is_marker_text(true, inner) && !all.is_empty() {
                return true;
            }
            from = at + o.len();
        }
    }
    false
}

fn words(s: &str) -> Vec<String> {
    s.split(|c: char| !c.is_alphanumeric() && c != '_')
        .filter(|w| !w.is_empty())
        .map(str::to_lowercase)
        .collect()
}

/// What a comment asks to remove.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Removal<'l> {
    pub name: &'l str,
    /// It speaks of the edit (`removed: x`, `... delete x ...`): a comment of the text may say
    /// `remove x` of what the code does.
    pub of_the_edit: bool,
    /// And of a name, not of what is called so (`removed duplicates`).
    pub surely: bool,
}

/// A comment that asks for a removal, if it names one thing.
pub(crate) fn removal(line: &str) -> Option<Removal<'_>> {
    let (opened, inner) = strip_comment(line.trim());
    if !opened {
        return None;
    }
    let framed = dotted(inner);
    let inner = inner.trim_matches(['.', '…', ' ', '[', ']', '(', ')']);
    let lower = inner.to_ascii_lowercase();
    for verb in &WORDS.removals {
        if lower.starts_with(verb.as_str()) {
            let rest = inner.get(verb.len()..)?.trim();
            // What follows in parentheses says more of it.
            let rest = rest.split_once(" (").map_or(rest, |(name, _)| name);
            let name = rest
                .split_whitespace()
                .filter(|w| !has(&WORDS.noise, &w.to_ascii_lowercase()))
                .collect::<Vec<_>>();
            if let [one] = name.as_slice() {
                let one = one.trim_matches(['`', '\'', '"', '(', ')', ':', '.', '$', ';']);
                let of_the_edit = framed || verb.ends_with(':') || verb.ends_with("ed ");
                let surely = framed || verb.ends_with(':') || reads_as_name(rest);
                return (!one.is_empty()).then_some(Removal {
                    name: one,
                    of_the_edit,
                    surely: of_the_edit && surely,
                });
            }
            return None;
        }
    }
    None
}

/// Whether a text begins with a comment of the file's language, or as most have it.
pub(crate) fn begins_comment(text: &str, comments: &[&str]) -> bool {
    let mut starts = comments.iter().chain(&["//", "/*"]);
    starts.any(|c| text.starts_with(c))
}

/// The names in a comment that ends with saying that something is gone: `// register() removed`,
/// `# (test_read and its docs removed)`.
pub(crate) fn ends_gone(line: &str) -> Option<Vec<&str>> {
    let (opened, inner) = strip_comment(line.trim());
    let inner = inner.trim_matches(['.', '…', ' ', '(', ')', '[', ']']);
    let (what, verb) = inner.rsplit_once(' ').filter(|_| opened)?;
    let names = what.split_whitespace().filter(|w| reads_as_name(w));
    has(&WORDS.gone, &verb.to_lowercase())
        .then(|| names.map(|w| w.trim_end_matches("()")).collect())
}

/// Whether a word of a comment reads as a name of the code: `parse()`, `max_size`, `toJson`.
fn reads_as_name(word: &str) -> bool {
    let word = word.trim_matches(['`', '\'', '"', ',', ';', ':']);
    let inner = |c: char| c == '_' || c.is_uppercase();
    word.ends_with("()") || word.chars().skip(1).any(inner) && word.chars().any(char::is_lowercase)
}

/// What a comment says is gone: `import x` of `# removed: import x`.
pub(crate) fn gone(line: &str) -> Option<&str> {
    let (opened, inner) = strip_comment(line.trim());
    let inner = inner.trim_matches(['.', '…', ' ']);
    let (head, what) = inner.split_once(':').filter(|_| opened)?;
    let what = what.trim().trim_matches('`');
    let asks = has(&WORDS.gone, &head.trim().to_lowercase());
    (asks && what.contains(' ')).then_some(what)
}

/// Whether a comment tells that what stood in its place is gone: `// removed: the old check`,
/// `# ... parse removed, see reader.py ...`.
pub(crate) fn told_gone(line: &str, comments: &[&str]) -> bool {
    if !begins_comment(line.trim_start(), comments) {
        return false;
    }
    let (opened, inner) = strip_comment(line.trim());
    if !opened {
        return false;
    }
    let gone = |w: &str| has(&WORDS.gone, &w.to_lowercase());
    let head = inner.split_once(':').map_or("", |(head, _)| head.trim());
    let framed = inner.starts_with(['.', '…']) && inner.ends_with(['.', '…']);
    let all: Vec<&str> = inner
        .split(|c: char| !c.is_alphanumeric() && c != '_')
        .filter(|w| !w.is_empty())
        .collect();
    let kept = |w: &&str| has(&WORDS.keywords, &w.to_lowercase());
    gone(head) || framed && all.iter().any(|w| gone(w)) && !all.iter().any(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_lists_can_be_read() {
        let words: Words = toml::from_str(include_str!("markers.toml")).unwrap();
        let lists = [
            &words.openers,
            &words.closers,
            &words.keywords,
            &words.plain_keywords,
            &words.vocabulary,
            &words.status,
            &words.removals,
            &words.gone,
            &words.noise,
        ];
        assert!(lists.iter().all(|l| !l.is_empty()));
        let known = |w: &String| has(&words.keywords, w);
        assert!(words.plain_keywords.iter().all(known));
    }

    #[test]
    fn markers_in_any_comment_style() {
        for m in [
            "// ... existing code ...",
            "# ... existing code ...",
            "-- ... existing code ...",
            "    # ...",
            "// …",
            "/* ... existing props and markup ... */",
            "{/* ... existing props and markup ... */}",
            "<!-- ... existing code ... -->",
            "// ... (unchanged) ...",
            "# ... (name, triggers and the lic-headers job unchanged)",
            "// (unchanged)",
            "// ... current_ref unchanged ...",
            "# ... keep everything up to handle_exception ...",
            "// ... license header and package clause ...",
            "// ... rest of the loop unchanged ...",
            "// ... rest of methods",
            "// rest of the code remains the same",
            "// rest of parse_args unchanged",
            "// ... keep the x != nil case the same ...",
            "# ... keep the rest of the test (prompt=True, `a = 1`) unchanged ...",
            "... existing code ...",
            "[... existing code ...]",
            "// [Previous content from line 1-305 remains exactly the same]",
            "; ... rest of file ...",
            "// ... $total and `names` computed as before ...",
            "(* ... unchanged ... *)",
            "# … rest unchanged …",
        ] {
            assert_eq!(classify(m), Marked::Marker, "{m}");
        }
    }

    #[test]
    fn text_that_only_looks_like_a_marker() {
        for t in [
            "foo(...args);",
            "let x = [...existing];",
            "// TODO: handle the other cases",
            "...props,",
            "...existing,",
            "{...rest}",
            "for i in 0..=n {",
            "# see https://example.com/...",
            "// wait until the buffer is full",
            "print(\"... existing ...\")",
            "* @param rest the remaining arguments",
            "// keep the lock while writing",
            "# Original tests.",
            "// other methods",
            "// rest of the queue is drained",
            "# previous content",
        ] {
            assert_eq!(classify(t), Marked::No, "{t}");
        }
        assert_eq!(classify("..."), Marked::BareDots);
        assert_eq!(classify("foo(); // ... existing code ..."), Marked::Inline);
        assert_eq!(classify("def f(): # ... existing code ..."), Marked::Inline);
    }

    #[test]
    fn a_comment_may_begin_with_dots() {
        for (line, marker) in [
            ("// ... license comment", true),
            ("# … the two helpers", true),
            ("// ...", false),
            ("// ... x = 1;", false),
            ("foo(...args)", false),
        ] {
            assert_eq!(leads(line), marker, "{line}");
        }
    }

    #[test]
    fn a_comment_may_say_what_stays() {
        for (line, tells) in [
            ("// unchanged", true),
            ("<!-- unchanged, up to the -l option -->", true),
            ("# the two imports above stay the same", true),
            ("// -o option unchanged", true),
            ("// unchanged = true;", false),
            ("// all of it is the same", false),
            ("unchanged", false),
        ] {
            let told = tells_of_the_rest(line) || same_as_before(line);
            assert_eq!(told, tells, "{line}");
        }
    }

    #[test]
    fn a_comment_may_tell_that_something_is_gone() {
        for t in [
            "// removed: `as any` casts",
            "// ... parse removed, see Reader ...",
            "# Deleted: x",
        ] {
            assert!(told_gone(t, &["#"]), "{t}");
        }
        for t in [
            "// removed a bug that crashed it",
            "// ... existing code (unused imports removed) ...",
            "removed: x",
            "# Note: removed",
        ] {
            assert!(!told_gone(t, &["#"]), "{t}");
        }
    }

    #[test]
    fn removal_comments_name_one_thing() {
        let asks = |name, of_the_edit| {
            Some(Removal {
                name,
                of_the_edit,
                surely: of_the_edit,
            })
        };
        assert!(removal("// removed duplicates").is_some_and(|r| r.of_the_edit && !r.surely));
        assert_eq!(removal("// removed: oldName"), asks("oldName", true));
        assert_eq!(removal("-- Deleted old_name"), asks("old_name", true));
        assert_eq!(
            removal("# ... delete the method `parse` ..."),
            asks("parse", true)
        );
        assert_eq!(
            removal("# removed: parse() (and its comment)"),
            asks("parse", true)
        );
        assert_eq!(gone("# removed: import os"), Some("import os"));
        assert_eq!(gone("// Removed it: see below"), None);
        assert_eq!(ends_gone("// register() removed"), Some(vec!["register"]));
        assert_eq!(
            ends_gone("# (test_x and its docs removed)"),
            Some(vec!["test_x"])
        );
        assert_eq!(ends_gone("// duplicates removed"), Some(vec![]));
        assert_eq!(ends_gone("// removed it"), None);
        assert_eq!(removal("// Remove duplicates"), asks("duplicates", false));
        assert_eq!(removal("// removed a bug that crashed it"), None);
        assert_eq!(removal("delete foo;"), None);
    }
}
