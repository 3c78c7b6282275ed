//! What kind of line a text is, by how it reads.

use super::line::{Line, starts_comment};

/// Imports from the same place.
pub(crate) fn same_source(a: &str, b: &str) -> bool {
    let quoted = |t: &str| -> Option<String> {
        let mut parts = t.rsplit(['"', '\'']);
        parts.next()?;
        parts.next().map(str::to_string)
    };
    if let (Some(x), Some(y)) = (quoted(a), quoted(b)) {
        return x == y;
    }
    let head = |t: &str| -> Option<String> {
        let mut w = t.split_whitespace();
        (w.next()? == "from").then(|| w.next().map(str::to_string))?
    };
    head(a).is_some() && head(a) == head(b)
}

/// The text of a line that a comment takes up as a whole.
fn commented(t: &str) -> Option<&str> {
    if !starts_comment(t) {
        return None;
    }
    let rest = ["<!--", "//", "--", "/*", "#"]
        .iter()
        .find_map(|open| t.strip_prefix(open))?;
    let rest = rest.trim_end_matches("-->").trim_end_matches("*/").trim();
    (!rest.is_empty()).then_some(rest)
}

/// Whether one line is the other one, which is code, commented out.
pub(crate) fn out_of_use(a: &str, b: &str) -> bool {
    let of = |out: &str, code: &str| commented(out) == Some(code) && !starts_comment(code);
    of(a, b) || of(b, a)
}

/// Whether a line is another with single blanks outside of strings dropped or, in a comment,
/// anything that is no letter or digit, but what begins and ends it: a careless quote leaves out,
/// an edit puts in.
pub(crate) fn dropped(short: &str, long: &str) -> bool {
    let ends = |t: &str| ["/*", "*/", "<!--", "-->"].map(|mark| t.matches(mark).count());
    let prose = starts_comment(short) && starts_comment(long) && ends(short) == ends(long);
    let mut rest = short.chars().peekable();
    let (mut before, mut string) = (None, None);
    let mut all = long.chars().peekable();
    while let Some(c) = all.next() {
        match string {
            None if matches!(c, '"' | '\'' | '`') => string = Some(c),
            Some(quote) if quote == c => string = None,
            _ => {}
        }
        if rest.next_if_eq(&c).is_none() {
            // Several blanks are a layout.
            let lone =
                c == ' ' && string.is_none() && before != Some(' ') && all.peek() != Some(&' ');
            if !(lone || prose && !c.is_alphanumeric()) {
                return false;
            }
        }
        before = Some(c);
    }
    rest.next().is_none()
}

/// Whether a line is another with a comment behind it.
pub(crate) fn remarked(short: &str, long: &str) -> bool {
    let rest = long.strip_prefix(short).unwrap_or_default();
    rest.starts_with([' ', '\t']) && starts_comment(rest.trim_start())
}

/// The first run of letters and digits of a text.
pub(crate) fn first_word(t: &str) -> Option<&str> {
    t.split(|c: char| !c.is_alphanumeric())
        .find(|w| !w.is_empty())
}

/// Whether two texts begin with the same two words.
pub(crate) fn same_first_words(a: &str, b: &str) -> bool {
    let (mut a, mut b) = (a.split_whitespace(), b.split_whitespace());
    (0..2).all(|_| a.next().is_some_and(|w| Some(w) == b.next()))
}

/// The word that a text ends with.
pub(crate) fn last_word(t: &str) -> Option<&str> {
    t.rsplit(|c: char| !c.is_alphanumeric() && c != '_')
        .next()
        .filter(|w| !w.is_empty())
}

/// Whether a line only goes on with a comment, without a word.
pub(crate) fn empty_comment(t: &str) -> bool {
    matches!(
        t,
        "*" | "//" | "///" | "//!" | "#" | "##" | "--" | ";" | ";;"
    )
}

/// Whether a line ends a block.
pub(crate) fn closes(t: &str) -> bool {
    t.starts_with(['}', ')', ']'])
        || t.starts_with("</")
        || t.starts_with("*/")
        || ["end", "fi", "done", "esac", "endif"].iter().any(|w| {
            t.strip_prefix(w)
                .is_some_and(|r| r.is_empty() || r.starts_with([';', ',', ' ', ')', '.']))
        })
}

/// Whether a line opens a block.
pub(crate) fn opens(t: &str) -> bool {
    t.ends_with(['{', ':', '(', '[', '>']) || t.ends_with(" do") || t.ends_with(" then")
}

/// Whether two lines differ in nothing but the bracket that opens a block behind them.
pub(crate) fn braced(a: &str, b: &str) -> bool {
    let bare = |t: &'_ str| t.strip_suffix('{').map_or(t, str::trim_end).to_string();
    a != b && bare(a) == bare(b)
}

/// Whether a line may follow a `return` at the same depth.
pub(crate) fn labels(t: &str) -> bool {
    [
        "case",
        "default",
        "else",
        "elif",
        "elsif",
        "elseif",
        "except",
        "finally",
        "rescue",
        "ensure",
        "when",
        "catch",
        "def",
        "class",
        "fn",
        "func",
        "function",
        "@",
        "#",
        "/",
        "pub",
        "async",
        "public",
        "private",
        "protected",
        "static",
        "local",
        "type",
        "struct",
        "impl",
        "export",
        "const",
        "let",
        "var",
    ]
    .iter()
    .any(|w| t.starts_with(w))
        || t.ends_with(':') && !t.contains(' ') && t != "try:"
}

/// Whether a line brings in names from elsewhere.
pub(crate) fn import(t: &str) -> bool {
    t.starts_with("import ")
        || t.starts_with("use ") && t.ends_with(';')
        || t.starts_with("using ") && t.ends_with(';')
        || t.starts_with("#include")
        || t.starts_with("from ") && t.contains(" import ")
        || t.starts_with("require ")
        || t.starts_with("require_relative ")
        || t.starts_with("const ") && t.contains("= require(")
}

/// Whether all words of one line are in the other.
pub(crate) fn contained(a: &Line, b: &Line) -> bool {
    a.shared(b) == a.word_count().min(b.word_count()) && a.word_count().min(b.word_count()) >= 2
}

/// Whether one name list goes on from the other.
pub(crate) fn extends(a: &Line, b: &Line) -> bool {
    contained(a, b) && (a.trimmed.starts_with(b.trimmed) || b.trimmed.starts_with(a.trimmed))
}

/// How often a mark stands in lines: what opens a comment, quotes.
pub(crate) fn times<'l>(lines: impl Iterator<Item = &'l str>, mark: &str) -> usize {
    lines.map(|l| l.matches(mark).count()).sum()
}

/// The condition of a preprocessor that a line is, which stands at the margin however deep the code
/// is: `if`, `ifdef`, `else`, `endif`.
pub(crate) fn condition(t: &str) -> Option<&str> {
    let word = first_word(t.strip_prefix('#')?)?;
    let known = ["if", "ifdef", "ifndef", "elif", "elseif", "else", "endif"];
    (known.contains(&word) && t[1..].trim_start().starts_with(word)).then_some(word)
}

/// Conditions of a preprocessor that a line leaves open, less those that it ends.
pub(crate) fn net_conditions(t: &str) -> i32 {
    match condition(t) {
        Some("if" | "ifdef" | "ifndef") => 1,
        Some("endif") => -1,
        _ => 0,
    }
}

/// Blocks that a line leaves open, less those that it closes: by brackets, and by the conditions of a
/// preprocessor.
pub(crate) fn net_blocks(t: &str) -> i32 {
    net_brackets(t) + net_conditions(t)
}

/// Brackets that a line leaves open, less those that it closes.
pub(crate) fn net_brackets(t: &str) -> i32 {
    t.bytes()
        .map(|b| match b {
            b'{' | b'(' | b'[' => 1,
            b'}' | b')' | b']' => -1,
            _ => 0,
        })
        .sum()
}

/// Whether a line begins a further branch.
pub(crate) fn branches(t: &str) -> bool {
    first_word(t).is_some_and(|word| BRANCHES.contains(&word))
}

/// What a further branch begins with.
const BRANCHES: &[&str] = &[
    "elif", "elsif", "elseif", "else", "except", "rescue", "when", "case",
];

/// Whether a line may be said above a definition: a comment, an attribute, a decorator.
pub(crate) fn says(t: &str) -> bool {
    starts_comment(t) || t.starts_with(['*', '@', '[']) || t.starts_with("#[")
}

/// Whether a line begins a block that goes by a title, as tests do: `test("adds", () => {`.
pub(crate) fn has_title(line: &str) -> bool {
    let code = line.trim();
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    let rest = code.trim_start_matches(is_name);
    let called = rest.len() < code.len() && rest.starts_with(['(', ' ']);
    let rest = rest.trim_start_matches(['(', ' ']);
    let title = rest.strip_prefix(['"', '\'']);
    let title = title.and_then(|t| t.split(['"', '\'']).next());
    called
        && opens(code)
        && title.is_some_and(|t| t.contains(char::is_alphabetic))
        && !code.ends_with(':')
}
