//! What a merged text must not lose, by its lines alone: where no grammar tells, and where one lets
//! pass what it does not understand.

use std::collections::BTreeMap;

use crate::apply::lines::line::depth;
use crate::error::{Error, Result};
use crate::syntax::Language;
use crate::text::{Lines, changed};

/// Pairs of marks of which a text has as many of one as of the other.
const PAIRS: &[(&str, &str)] = &[("{", "}"), ("(", ")"), ("[", "]"), ("/*", "*/")];

/// Refuses a merged text without a grammar in which brackets or comments no longer close, or a branch
/// follows the last one of its chain.
///
/// # Errors
/// `syntax`.
pub(super) fn check(before: &str, after: &str, path: &str) -> Result<()> {
    // What brings as many marks as it takes, and no branch, leaves the structure as it was.
    let (old, new) = changed(before, after);
    let (gone, put) = (Balance::of(&before[old]), Balance::of(&after[new]));
    if gone.counts == put.counts && !gone.branches && !put.branches {
        return Ok(());
    }
    let (was, is) = (Balance::of(before), Balance::of(after));
    for (n, (open, close)) in PAIRS.iter().enumerate() {
        let (old, new) = (was.counts[n], is.counts[n]);
        if was.blocks[n] && old.0 == old.1 && new.0 != new.1 {
            return Err(broken(format!(
                "Merged, {path} would have {} `{open}` and {} `{close}`.",
                new.0, new.1
            )));
        }
    }
    if was.late == 0
        && let Some(line) = is.first_late
    {
        return Err(broken(format!(
            "Merged, {path} would have another branch behind the last one of its chain, at line {line}: `{}`.",
            Lines::new(after).get(line).trim()
        )));
    }
    Ok(())
}

/// A merge that leaves a text worse by its syntax.
pub(super) fn broken(what: String) -> Error {
    Error::refused(
        "syntax",
        what,
        "Check that the snippet is complete (brackets, ends) and that its markers stand where code is left out.",
    )
}

/// What the lines of a text tell of its structure.
#[derive(Default)]
struct Balance {
    /// Of each pair: how many there are of either mark.
    counts: [(usize, usize); PAIRS.len()],
    /// Whether a line ends with the first and another begins with the second: they hold blocks.
    blocks: [bool; PAIRS.len()],
    /// Whether there is a further branch.
    branches: bool,
    /// Branches behind the last one of a chain.
    late: usize,
    /// The first of them (line, from 1).
    first_late: Option<usize>,
}

impl Balance {
    fn of(text: &str) -> Self {
        let mut out = Self::default();
        let (mut ends, mut begins) = ([false; PAIRS.len()], [false; PAIRS.len()]);
        // Per column, whether the chain of branches there has had its last one.
        let mut chains: BTreeMap<usize, bool> = BTreeMap::new();
        for (number, raw) in (1..).zip(text.lines()) {
            let t = raw.trim();
            if t.is_empty() {
                continue;
            }
            let code = unquoted(t);
            for (n, (open, close)) in PAIRS.iter().enumerate() {
                out.counts[n].0 += code.matches(open).count();
                out.counts[n].1 += code.matches(close).count();
                ends[n] |= t.ends_with(open) || *open == "/*" && t.starts_with(open);
                begins[n] |= t.starts_with(close) || *open == "/*" && t.ends_with(close);
            }
            let cols = depth(raw);
            chains.retain(|&c, _| c <= cols);
            let rest = t.strip_prefix('}').unwrap_or(t).trim_start();
            match branch(rest) {
                Some(last) => {
                    out.branches = true;
                    if chains.insert(cols, last) == Some(true) {
                        out.late += 1;
                        out.first_late.get_or_insert(number);
                    }
                }
                // The bracket that ends a branch stands there as well.
                None if t.starts_with(['}', ')', ']', '{']) => {}
                None => {
                    chains.remove(&cols);
                }
            }
        }
        for n in 0..PAIRS.len() {
            out.blocks[n] = ends[n] && begins[n];
        }
        out
    }
}

/// Whether code is a further branch that opens a block, and the last one of its chain.
fn branch(code: &str) -> Option<bool> {
    match code {
        "else" | "else {" | "else{" | "else:" => Some(true),
        _ if code.starts_with("else if") && code.ends_with('{') => Some(false),
        _ => None,
    }
}

/// A line without what stands in quotes on it and characters that a backslash takes the meaning from.
fn unquoted(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        match c {
            '\\' => {
                rest = rest
                    .get(rest.chars().next().map_or(0, char::len_utf8)..)
                    .unwrap_or_default()
            }
            '"' | '\'' | '`' => match closing(rest, c) {
                Some(end) => rest = rest.get(end..).unwrap_or_default(),
                None => out.push(c),
            },
            c => out.push(c),
        }
    }
    out
}

/// Where a quoted text ends (bytes), its quote included.
fn closing(text: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return Some(at + c.len_utf8()),
            _ => {}
        }
    }
    None
}

/// Refuses to put a remark to the reader of the edit into the text: a comment in slashes, where the
/// language has another form and the file none in slashes.
///
/// # Errors
/// `marker_leak`.
pub(super) fn remarks(
    language: &'static Language,
    before: &str,
    after: &str,
    path: &str,
) -> Result<()> {
    let slashes = |t: &str| t.starts_with("//");
    let blocks = language.block_comments().iter().map(|(open, _)| open);
    let mut forms = language.line_comments().iter().chain(blocks).peekable();
    if forms.peek().is_none() || forms.any(|f| slashes(f) || f.starts_with('<')) {
        return Ok(());
    }
    let (_, new) = changed(before, after);
    let is_word = |w: &&str| !w.is_empty() && w.chars().all(char::is_alphabetic);
    let remark = |l: &str| {
        let said = l.trim().strip_prefix("// ").unwrap_or_default();
        let words = said.split(' ').take_while(is_word).take(REMARK).count();
        words == REMARK && said.split(' ').nth(REMARK).is_some()
    };
    let (above, put) = after.split_at(new.start);
    let mut lines = put[..new.len()].lines().enumerate();
    match lines.find(|(_, l)| remark(l)) {
        Some((n, l)) if !before.lines().any(|l| slashes(l.trim())) => Err(Error::refused(
            "marker_leak",
            format!(
                "A remark that is no comment of the language would stay in {path} at line {}: `{}`.",
                above.lines().count() + n + 1,
                l.trim()
            ),
            "Leave it out, or write it as a comment of the language.",
        )),
        _ => Ok(()),
    }
}

/// So many words, and something behind them, are prose.
const REMARK: usize = 2;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_of_blocks_and_comments_have_to_close() {
        let code = |before, after| check(before, after, "f").map_err(|e| e.code);
        let text = "a {\n  b(1)\n}\n";
        assert_eq!(code(text, "a {\n  b(2)\n}\nc {\n}\n"), Ok(()));
        assert_eq!(code(text, "a {\n  b(1)\n}\n}\n"), Err("syntax"));
        // Neither what is quoted nor what holds no block is a bracket of the text's.
        assert_eq!(code(text, "a {\n  b(\"}\")\n}\n"), Ok(()));
        assert_eq!(code(text, "a {\n  b(1)\n  1) c\n}\n"), Ok(()));
        // Nor is what was open before.
        assert_eq!(code("a {\n  b(1)\n", "a {\n"), Ok(()));
        let said = "/**\n * a\n */\nb\n";
        assert_eq!(code(said, "/**\n * a\n */\nc\n"), Ok(()));
        assert_eq!(code(said, "/**\n * a\nb\n"), Err("syntax"));
        insta::assert_snapshot!(check(text, "a {\n}}\n", "f").unwrap_err(), @r"
        syntax: Merged, f would have 1 `{` and 2 `}`.
        next: Check that the snippet is complete (brackets, ends) and that its markers stand where code is left out.
        ");
    }

    #[test]
    fn no_branch_follows_the_last_one() {
        let code = |after: &str| check("", after, "f").map_err(|e| e.code);
        let chain = "if a {\n  b\n} else if c {\n  d\n} else {\n  e\n}\n";
        assert_eq!(code(chain), Ok(()));
        assert_eq!(code(chain.repeat(2).as_str()), Ok(()));
        let late = "if a {\n  b\n} else {\n  d\n} else if c {\n  e\n}\n";
        assert_eq!(code(late), Err("syntax"));
        assert_eq!(check(late, late, "f").map_err(|e| e.code), Ok(()));
        insta::assert_snapshot!(check("", late, "f").unwrap_err(), @r"
        syntax: Merged, f would have another branch behind the last one of its chain, at line 5: `} else if c {`.
        next: Check that the snippet is complete (brackets, ends) and that its markers stand where code is left out.
        ");
    }

    #[test]
    fn remarks_in_slashes_stay_out_where_comments_have_none() {
        let code = |name, before, after| {
            let language = Language::by_name(name).unwrap();
            remarks(language, before, after, "f").map_err(|e| e.code)
        };
        let after = "a\n// removed the b\n";
        assert_eq!(code("ruby", "a\n", after), Err("marker_leak"));
        assert_eq!(code("rust", "a\n", after), Ok(()));
        assert_eq!(code("html", "a\n", after), Ok(()));
        assert_eq!(code("ruby", "a\n// b\n", after), Ok(()));
        assert_eq!(code("python", "a\n", "a\n// b_c if d\n"), Ok(()));
    }
}
