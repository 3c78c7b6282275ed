//! What kind of text is this?

use super::failure::{Sign, signs};
use super::kind::Kind;
use super::kinds::definitions::definition;
use std::path::Path;

/// At most this many lines are looked at, from the head, the middle and the tail.
const SAMPLE: usize = 300;

/// The kind of a text, from the shape of its lines and the name of its file.
pub fn detect(text: &str, file: Option<&str>) -> Kind {
    let trimmed = text.trim_start_matches('\u{feff}').trim_start();
    if let Some(kind) = json(trimmed) {
        return kind;
    }
    let lines = sample(text);
    let n = lines.iter().filter(|l| !l.trim().is_empty()).count().max(1);
    let share = |count: usize| count as f32 / n as f32;
    let count = |test: &dyn Fn(&str) -> bool| lines.iter().filter(|l| test(l)).count();

    let hunks = count(&|l| super::kinds::is_hunk(l));
    let files = count(&|l| {
        l.starts_with("diff --git ") || l.starts_with("+++ ") || l.starts_with("Index: ")
    });
    if hunks > 0
        && files > 0
        && (diff_opens(trimmed) || share(count(&|l| l.starts_with(['+', '-', ' ', '@']))) > 0.6)
    {
        return Kind::Diff;
    }
    let marks: Vec<_> = lines.iter().map(|l| signs(l)).collect();
    let with = |s: Sign| marks.iter().filter(|m| m.has(s)).count();
    let said = marks
        .iter()
        .filter(|m| {
            m.is_error()
                || [Sign::Passed, Sign::Progress, Sign::Header]
                    .iter()
                    .any(|s| m.has(*s))
        })
        .count();
    let by_name = file.and_then(named);
    if by_name == Some(Kind::Markdown) {
        return Kind::Markdown;
    }
    let rows = count(&|l| super::kinds::is_row(l));
    let diagnostics = count(&|l| is_diagnostic(super::kinds::row_text(l)));
    let grouped = count(&|l| super::kinds::is_numbered(l));
    if share(rows + grouped) > 0.75 && (diagnostics as f32) < 0.5 * (rows + grouped) as f32 {
        return Kind::Search;
    }
    if by_name == Some(Kind::Source) && share(rows) < 0.5 {
        return Kind::Source;
    }
    let stamped = count(&|l| super::failure::has_time(l));
    let levels = count(&|l| has_level(l));
    let entries = count(&|l| is_entry(l));
    if share(entries) > 0.85 && share(said) < 0.3 && share(stamped) < 0.2 && !fails(text) {
        return Kind::Tree;
    }
    let frames = with(Sign::Frame);
    if share(stamped) > 0.4 || share(levels) > 0.3 || share(frames) > 0.3 {
        // Build tools stamp their lines too, but they speak of tests and steps.
        return if share(said) > 0.5 && (share(levels) < 0.3 || share(stamped) < 0.2) {
            Kind::BuildLog
        } else {
            Kind::Trace
        };
    }
    let ruled = lines
        .windows(2)
        .filter(|w| {
            let rule = w[1].trim_end();
            !w[0].trim().is_empty()
                && rule.len() > 2
                && (rule.bytes().all(|b| b == b'-') || rule.bytes().all(|b| b == b'='))
        })
        .count();
    let headings =
        ruled + count(&|l| l.starts_with('#') && l.trim_start_matches('#').starts_with(' '));
    let marked = count(&|l| {
        let t = l.trim_start();
        t.starts_with("- ")
            || t.starts_with("* ")
            || t.starts_with("```")
            || t.contains("](")
            || t.starts_with("> ")
    });
    let defined = count(&|l| definition(l).is_some());
    let code = count(&|l| {
        let t = l.trim_end();
        let listed = t.trim_start().starts_with(['*', '-', '#', '>']);
        !listed && t.ends_with(['{', '}', ';', ')', ':', ',']) || t.trim_start().starts_with("//")
    });
    let prose = share(headings) > 0.01 && share(headings + marked) > 0.06 && share(code) < 0.4;
    if prose && (share(said) < 0.1 || share(headings + marked) > 0.3) {
        return Kind::Markdown;
    }
    if share(said) > 0.15 || said > 0 && share(with(Sign::Summary)) > 0.0 && share(code) < 0.4 {
        return Kind::BuildLog;
    }
    if by_name.is_some() || share(defined) > 0.02 && share(code) > 0.3 {
        return by_name.unwrap_or(Kind::Source);
    }
    if said > 0 || share(with(Sign::Warning)) > 0.05 {
        return Kind::BuildLog;
    }
    Kind::Text
}

/// Whether any line of the text, sampled or not, reports an error and is no name
/// of a file. A tree would not keep it.
fn fails(text: &str) -> bool {
    text.lines()
        .any(|l| signs(l).is_error() && !l.trim_end().ends_with('/') && l.trim().contains(' '))
}

/// JSON or a history in it.
fn json(text: &str) -> Option<Kind> {
    if !text.starts_with(['{', '[']) {
        return None;
    }
    if text.starts_with('[')
        && !text[1..].trim_start().starts_with([
            '{', '[', '"', ']', '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 't', 'f',
            'n',
        ])
    {
        return None;
    }
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<serde::de::IgnoredAny>();
    let mut read = 0;
    let mut broken = false;
    for value in values.by_ref().take(200) {
        match value {
            Ok(_) => read += 1,
            Err(e) => {
                broken = !e.is_eof();
                break;
            }
        }
    }
    // A log may open with brackets; JSON that breaks off is JSON still.
    if broken && read < 3 || read == 0 && !text[1..].trim_start().starts_with(['"', '{']) {
        return None;
    }
    if broken {
        return None;
    }
    Some(if super::kinds::is_history(text) {
        Kind::History
    } else {
        Kind::Json
    })
}

/// Whether what follows a place is a compiler's or linter's word: `error: `,
/// `warning[x]`, `E501 `.
fn is_diagnostic(text: &str) -> bool {
    let t = text.trim_start();
    let word = t
        .split(|c: char| !c.is_ascii_alphanumeric())
        .next()
        .unwrap_or("");
    let letters = word.bytes().take_while(u8::is_ascii_alphabetic).count();
    let code = (1..=6).contains(&letters)
        && word.len() - letters >= 2
        && word.bytes().take(letters).all(|b| b.is_ascii_uppercase())
        && word.bytes().skip(letters).all(|b| b.is_ascii_digit());
    let level = [
        "error",
        "warning",
        "note",
        "fatal",
        "info",
        "hint",
        "remark",
        "help",
        "convention",
        "refactor",
    ];
    code || level.contains(&word.to_ascii_lowercase().as_str())
        && t[word.len()..].starts_with([':', '[', ' '])
}

fn diff_opens(text: &str) -> bool {
    ["diff --", "--- ", "Index: ", "commit ", "From "]
        .iter()
        .any(|p| text.starts_with(p))
}

/// The kind that a file's name tells; `None` where it tells nothing.
fn named(file: &str) -> Option<Kind> {
    let path = Path::new(file);
    let ext = path.extension()?.to_str()?.to_ascii_lowercase();
    match ext.as_str() {
        "md" | "markdown" | "mdx" => Some(Kind::Markdown),
        "log" | "txt" | "out" | "json" | "jsonl" | "ndjson" | "diff" | "patch" => None,
        _ if crate::syntax::Language::for_path(path).is_some() => Some(Kind::Source),
        _ => None,
    }
}

fn has_level(line: &str) -> bool {
    [
        "INFO",
        "DEBUG",
        "WARN",
        "ERROR",
        "TRACE",
        "SEVERE",
        "FATAL",
        "level=",
        "[info]",
        "[debug]",
        "[warn",
        "[error]",
        "\"level\"",
        "[notice]",
    ]
    .iter()
    .any(|l| line.contains(l))
}

/// A line of a listing or drawing: a path or a name, not a sentence.
fn is_entry(line: &str) -> bool {
    let t = line.trim();
    if t.is_empty() {
        return true;
    }
    if t.contains("── ") || t.starts_with("|-- ") || t.starts_with("`-- ") {
        return true;
    }
    if t.starts_with("total ")
        || t.len() > 10 && t.as_bytes()[1..4].iter().all(|b| b"rwx-".contains(b))
    {
        return true;
    }
    let name = t.trim_end_matches(':');
    !name.contains(['(', ')', '{', '}', ';', '"', '=', '<', '>', ',', ':', '|'])
        && name.split(' ').count() <= 2
        && !name.contains("  ")
}

/// Lines from the head, the middle and the tail.
fn sample(text: &str) -> Vec<&str> {
    let total = memchr::memchr_iter(b'\n', text.as_bytes()).count() + 1;
    if total <= SAMPLE {
        return text.lines().collect();
    }
    let third = SAMPLE / 3;
    let middle = total / 2;
    text.lines()
        .enumerate()
        .filter(|(i, _)| *i < third || (*i >= middle && *i < middle + third) || *i + third >= total)
        .map(|(_, l)| l)
        .collect()
}
