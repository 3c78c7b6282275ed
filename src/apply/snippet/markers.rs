//! Which snippet lines stand for unchanged code.
//!
//! Agents write such lines in any comment style whatever the file's language is, so
//! recognition goes by the line's text and never by the grammar's comment nodes. The words
//! are data: `markers.toml`.

use std::sync::LazyLock;

/// The lists of `markers.toml`.
#[derive(Debug, Default, serde::Deserialize)]
pub(super) struct Words {
    openers: Vec<String>,
    closers: Vec<String>,
    pub keywords: Vec<String>,
    plain_keywords: Vec<String>,
    vocabulary: Vec<String>,
    status: Vec<String>,
    bounds: Vec<String>,
    being: Vec<String>,
    doing: Vec<String>,
    joining: Vec<String>,
    within: Vec<String>,
    aside: Vec<String>,
    imports: Vec<String>,
    pub removals: Vec<String>,
    pub gone: Vec<String>,
    pub noise: Vec<String>,
}

// A test reads the file, so that it is never taken for an empty one.
pub(super) static WORDS: LazyLock<Words> =
    LazyLock::new(|| toml::from_str(include_str!("markers.toml")).unwrap_or_default());

/// Whether a list has a word.
pub(super) fn has(list: &[String], word: &str) -> bool {
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
    // An example in a text about the code has comments of its own.
    let about = ["///", "//!"].iter().find_map(|d| t.strip_prefix(d));
    if about.is_some_and(|rest| rest.trim_start().starts_with("//")) {
        return Marked::No;
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
pub(super) fn strip_comment(t: &str) -> (bool, &str) {
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

pub(super) fn dotted(s: &str) -> bool {
    s.starts_with("...") || s.starts_with('…') || dotted_behind(s)
}

fn dotted_behind(s: &str) -> bool {
    s.ends_with("...") || s.ends_with('…')
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
            || as_far_as(&words)
    } else {
        // Without a comment opener a line has to be nothing but a marker.
        let spaced = inner.starts_with("... ") || inner.starts_with("… ");
        head && spaced && keyword && (tail || plain) && known * 2 >= words.len()
    }
}

/// Whether words say how far something stays as it is: `body unchanged up to the match`.
fn as_far_as(words: &[String]) -> bool {
    let stays = |w: &String| has(&WORDS.status, w);
    let (head, tail) = words.split_at(words.iter().position(stays).unwrap_or(words.len()));
    let named = head.iter().all(|w| has(&WORDS.vocabulary, w));
    named && matches!(tail, [_, far, ..] if has(&WORDS.bounds, far)) && words.len() <= FAR
}

/// Words of such a remark at most.
const FAR: usize = 8;

/// Whether a comment says of what it stands for that it stays as it is: `// unchanged`,
/// `# -o option omitted`.
pub(crate) fn tells_of_the_rest(line: &str) -> bool {
    let status = |w: &String| has(&WORDS.status, w);
    let Some(words) = remark(line).filter(|_| !is_sentence(line)) else {
        return false;
    };
    let names = |after: &[String]| {
        let (_, inner) = strip_comment(line.trim());
        let part = inner.find(|c: char| !c.is_alphanumeric() && c != '[' && c != '(');
        let apart = part.is_some_and(|at| !inner[at..].starts_with(' '));
        apart || after.len() <= 2 || after.iter().all(|w| has(&WORDS.vocabulary, w))
    };
    match words.as_slice() {
        [first, after @ ..] if status(first) => names(after),
        // What is done to a value is no remark on the code: `# is passed through unchanged`.
        [.., done, last] if status(last) => {
            !done.ends_with("ed") && !has(&WORDS.doing, done) && !has(&WORDS.being, done)
        }
        _ => false,
    }
}

/// The same in words that may be said of what the code does: `# the imports stay the same`,
/// `// the header is unchanged`.
pub(crate) fn same_as_before(line: &str) -> bool {
    let words = remark(line).filter(|_| !is_sentence(line));
    words.is_some_and(|words| match words.as_slice() {
        [.., stays, the, same] if the == "the" && same == "same" => has(&WORDS.keywords, stays),
        [.., is, status] => has(&WORDS.being, is) && has(&WORDS.status, status),
        _ => false,
    })
}

/// Whether a comment documents something, or ends with a full stop as no marker does.
fn is_sentence(line: &str) -> bool {
    let t = line.trim();
    let documents = ["///", "//!", "/**"];
    let (_, inner) = strip_comment(t);
    documents.iter().any(|d| t.starts_with(d)) || inner.ends_with('.') && !dotted_behind(inner)
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

/// Whether a line is a comment in the file's language or in markup: elsewhere its first character
/// may be text, as those of a list or a heading are.
pub(crate) fn is_comment(line: &str, comments: &[&str]) -> bool {
    let text = line.trim_start().trim_start_matches('{');
    begins_comment(text, comments) || text.starts_with("<!--") || text.starts_with("<%--")
}

/// Whether a comment begins with dots and says something in words (`// ... license header`): a
/// marker, unless it goes on with a comment above it.
pub(crate) fn leads(line: &str) -> bool {
    let (opened, inner) = strip_comment(line.trim());
    let head = inner.starts_with("... ") || inner.starts_with("… ");
    let first = words(inner).into_iter().next();
    // A sentence goes on with it (`# ... or from a file.`), but for one that says where what
    // follows is (`# ... in parse:`).
    let goes_on = inner.ends_with('.') && !dotted_behind(inner)
        || !inner.ends_with(':') && first.is_some_and(|w| has(&WORDS.joining, &w));
    opened && head && !goes_on && !inner.contains(['{', '}', ';', '=', '"', '|', '\\'])
}

/// The name in a comment that says nothing but where the lines below it are: `// in Parser`, `# inside
/// the class Parser:`.
pub(crate) fn located(line: &str) -> Option<&str> {
    let (opened, inner) = strip_comment(line.trim());
    let (first, rest) = inner.split_once(' ').filter(|_| opened)?;
    if !has(&WORDS.within, &first.to_lowercase()) {
        return None;
    }
    let mut words = rest.trim_end_matches(':').split_whitespace().rev();
    let name = words.next()?.trim_matches('`').trim_end_matches("()");
    let kinds: Vec<&str> = words.collect();
    let any = |is: fn(char) -> bool| name.chars().any(is);
    // A unit or another word is no name: `# in seconds`, `// in UTC`.
    let written = name.contains('_') || any(char::is_uppercase) && any(char::is_lowercase);
    let told = kinds.iter().any(|k| *k != "the");
    let is_name = name.chars().all(|c| c.is_alphanumeric() || c == '_');
    (is_name && (written || told) && kinds.iter().all(|k| has(&WORDS.noise, k))).then_some(name)
}

/// Whether a comment says nothing but that imports follow, or where they go: `// and the import at the
/// top:`.
pub(crate) fn leads_imports(line: &str) -> bool {
    let Some(said) = remark(line) else {
        return false;
    };
    let is_import = |w: &String| has(&WORDS.imports, w);
    // A heading (`// Imports`) says no more than that.
    said.len() > 1
        && said.iter().any(is_import)
        && said.iter().all(|w| is_import(w) || has(&WORDS.aside, w))
}

/// A block on one line with nothing but a marker in it, `fn name() { /* ... */ }`: what opens it, and
/// what closes it.
pub(super) fn around(line: &str) -> Option<(&str, &str)> {
    let (head, rest) = line.split_at(line.find("{ ")? + 1);
    let (inner, tail) = rest.split_at(rest.rfind(" }")? + 1);
    let marker = matches!(classify(inner), Marked::Marker | Marked::BareDots);
    let name = head.trim().len() > 1;
    (marker && name && !tail.contains([' ', '{'])).then_some((head, tail))
}

/// Code with an ellipsis remark at its end: `foo(); // ... existing code ...`.
fn inline(t: &str) -> bool {
    // Dots alone may end a comment on the code, but not in the middle of it.
    let within = t.split("/*").skip(1).filter_map(|c| c.split_once("*/"));
    let mut within = within.map(|(inner, _)| inner.trim());
    if within.any(|inner| ["...", "…"].contains(&inner)) {
        return true;
    }
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

/// Whether a text begins with a comment of the file's language, or as most have it.
pub(crate) fn begins_comment(text: &str, comments: &[&str]) -> bool {
    let mut starts = comments.iter().chain(&["//", "/*"]);
    starts.any(|c| text.starts_with(c))
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
            &words.bounds,
            &words.being,
            &words.doing,
            &words.joining,
            &words.within,
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
            "///     // ...access database...",
            "# previous content",
        ] {
            assert_eq!(classify(t), Marked::No, "{t}");
        }
        assert_eq!(classify("..."), Marked::BareDots);
        assert_eq!(classify("foo(); // ... existing code ..."), Marked::Inline);
        assert_eq!(classify("def f(): # ... existing code ..."), Marked::Inline);
    }

    #[test]
    fn a_comment_may_say_where_the_lines_below_are() {
        for (line, name) in [
            ("// in trait Flag:", Some("Flag")),
            ("# inside the class parser", Some("parser")),
            ("/* in `JsonDecoder` */", Some("JsonDecoder")),
            ("-- within parse_args():", Some("parse_args")),
            ("// in seconds", None),
            ("// in UTC", None),
            ("# in the middle of Nowhere", None),
            ("// in case the Parser fails", None),
            ("in Parser", None),
        ] {
            assert_eq!(located(line), name, "{line}");
        }
    }

    #[test]
    fn a_comment_may_begin_with_dots() {
        for (line, marker) in [
            ("// ... license comment", true),
            ("# … the two helpers", true),
            ("// ...", false),
            ("// ... x = 1;", false),
            ("# ... or from a file in the folder", false),
            ("# ... the rest of a sentence.", false),
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
            ("/* the header is unchanged */", true),
            ("// unchanged imports", true),
            ("# passed through unchanged", false),
            ("# the value is returned unchanged", false),
            ("// Unchanged entries of the cache are skipped", false),
            ("// the list is unchanged.", false),
            ("/// the list is unchanged", false),
            ("unchanged", false),
        ] {
            let told = tells_of_the_rest(line) || same_as_before(line);
            assert_eq!(told, tells, "{line}");
        }
    }
}
