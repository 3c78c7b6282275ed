//! Logs of builds, tests and services, and stack traces.
//!
//! What failed, where and how it ended comes first; then what the query asks
//! for; then what is rare. A message that was seen before is worth less each
//! time, and progress is worth next to nothing.

use super::super::failure::{Sign, Signs, signs};
use super::super::select::{Draft, NONE};
use super::super::template::Templates;
use super::super::words::Hits;
use super::spread::spread;

/// Lines behind an error that may explain it.
const EXPLANATION: usize = 12;

/// Lines in front of an error among which the heading of its section is looked for.
const HEADING: usize = 30;

/// Scores the lines of a log.
pub fn draft(lines: &[&str], hits: &Hits) -> Draft {
    let mut draft = Draft::new(lines.len());
    let signs: Vec<Signs> = lines.iter().map(|l| signs(l)).collect();
    draft.score = scores(lines, &signs, hits);
    failures(&mut draft, lines, &signs);
    under_paths(&mut draft, lines);
    draft
}

/// Rows that name no more than a line and column (`  71:13  error …`) belong to the
/// path above them.
fn under_paths(draft: &mut Draft, lines: &[&str]) {
    let mut path = NONE;
    for (i, line) in lines.iter().enumerate() {
        if line.is_empty() {
            continue;
        }
        if !line.starts_with([' ', '\t']) {
            let names = !line.contains([' ', '=']) && line.contains(['/', '\\', '.']);
            path = if names { i as u32 } else { NONE };
        } else if is_place(line.trim_start()) {
            draft.parent[i] = path;
        }
    }
}

/// Whether a text begins with a line and column, such as `71:13 `.
fn is_place(text: &str) -> bool {
    let digits = |t: &str| t.bytes().take_while(u8::is_ascii_digit).count();
    let line = digits(text);
    let Some(rest) = text.get(line..).and_then(|t| t.strip_prefix(':')) else {
        return false;
    };
    let column = digits(rest);
    line > 0 && column > 0 && rest[column..].starts_with(' ')
}

/// Names the errors, of which one must survive, and what belongs to the first.
pub fn failures(draft: &mut Draft, lines: &[&str], signs: &[Signs]) {
    draft.failures = (0..lines.len()).filter(|&i| signs[i].is_error()).collect();
    let Some(&first) = draft.failures.first() else {
        return;
    };
    draft.first.push(first);
    let near = first.saturating_sub(3)..(first + 2 * EXPLANATION).min(lines.len());
    if !has_location(lines[first])
        && let Some(place) = near
            .clone()
            .find(|&i| i >= first && (signs[i].has(Sign::Location) || has_location(lines[i])))
    {
        draft.first.push(place);
    }
    let summary = (0..lines.len())
        .rev()
        .find(|&i| signs[i].has(Sign::Summary) && !signs[i].has(Sign::Success))
        .or(draft.failures.last().copied());
    draft.first.extend(summary);
    // What was being done when it failed.
    let heading = (first.saturating_sub(HEADING)..first)
        .rev()
        .find(|&i| signs[i].has(Sign::Header));
    draft.first.extend(heading);
}

/// Whether a line names a place in a file: `name.ext:12`, `name.ext(12,3)`.
fn has_location(line: &str) -> bool {
    let b = line.as_bytes();
    b.windows(2).enumerate().any(|(i, w)| {
        matches!(w[0], b':' | b'(')
            && w[1].is_ascii_digit()
            && line[..i]
                .rsplit(|c: char| !(c.is_alphanumeric() || "._-/\\".contains(c)))
                .next()
                .and_then(|path| path.rsplit_once('.'))
                .is_some_and(|(stem, ext)| {
                    !stem.is_empty()
                        && (1..6).contains(&ext.len())
                        && ext.starts_with(|c: char| c.is_ascii_alphabetic())
                })
    })
}

/// The worth of every line of a log.
pub fn scores(lines: &[&str], signs: &[Signs], hits: &Hits) -> Vec<f32> {
    let n = lines.len();
    let templates = Templates::new(lines);
    let ln_n = (n.max(2) as f32).ln();
    // A heading is worth less where what it heads was said under another one.
    let heads = |i: usize| {
        let under = (i + 1..n.min(i + 3)).find(|&k| !lines[k].trim().is_empty());
        under.map_or(1.0, |k| repeated(&templates, k))
    };
    // The part that errors play, before what is near them shares it.
    let errors: Vec<f32> = (0..n)
        .map(|i| {
            if signs[i].is_error() && signs[i].has(Sign::Header) {
                10.0 * fading(&templates, i) * heads(i)
            } else if signs[i].is_error() {
                10.0 * fading(&templates, i)
            } else {
                0.0
            }
        })
        .collect();
    let near = spread(&errors, 2, EXPLANATION, 0.85);
    let asked: Vec<f32> = (0..n).map(|i| 14.0 * hits.line(i)).collect();
    let asked_near = spread(&asked, 1, 8, 0.7);
    let mut frames = 0;
    let mut own_frames = 0; // of those, frames outside libraries
    // How much the heading of the section around answers: a test's report is
    // asked for by the test's name.
    let mut section = 0.0;
    (0..n)
        .map(|i| {
            let s = signs[i];
            if s.has(Sign::Header) {
                section = asked[i];
            }
            let line = lines[i].trim();
            if line.is_empty() {
                frames = 0;
                return 0.0;
            }
            let fade = fading(&templates, i);
            let rarity = (n as f32 / templates.total[i] as f32).ln() / ln_n;
            let said = line.bytes().any(|b| b.is_ascii_alphanumeric());
            let mut worth = if said { 2.0 * rarity * fade } else { 0.1 };
            let close = near[i] - errors[i] > 0.0;
            if s.has(Sign::Frame) {
                frames += 1;
                own_frames += usize::from(!s.has(Sign::LibraryFrame));
            } else {
                (frames, own_frames) = (0, 0);
            }
            if s.is_error() {
                worth += errors[i];
            } else if s.has(Sign::Passed) {
                worth *= 0.1;
            } else if s.has(Sign::Progress) {
                worth *= 0.25;
            } else if close && said {
                // Explanations fade with distance, frames of libraries faster.
                worth += 0.45 * near[i] * repeated(&templates, i);
            }
            if s.has(Sign::Warning) && !s.is_error() && !s.has(Sign::Passed) {
                worth += 4.0 * fade;
            }
            if s.has(Sign::Summary) {
                worth += if s.has(Sign::Success) { 3.0 } else { 7.0 };
            }
            if s.has(Sign::Detail) {
                worth += if close { 5.0 } else { 1.0 } * repeated(&templates, i);
            }
            if s.has(Sign::Location) {
                worth += if close { 4.0 } else { 1.0 } * repeated(&templates, i);
            }
            if s.has(Sign::Header) {
                worth += 2.0 * repeated(&templates, i) * heads(i);
            }
            if s.has(Sign::Frame) && !s.is_error() {
                let library = s.has(Sign::LibraryFrame);
                worth *= match (library, frames) {
                    (_, 1) => 1.0,
                    (false, _) => 0.8,
                    (true, 2..=3) => 0.5,
                    (true, _) => 0.25,
                };
            }
            if own_frames == 1 && s.has(Sign::Frame) && !s.has(Sign::LibraryFrame) {
                // Where the trace leaves the libraries is where to look.
                worth += 3.0 * repeated(&templates, i);
            }
            if i < 2 || i + 3 >= n {
                worth += 1.0;
            }
            if s.is_error() || s.has(Sign::Detail) || s.has(Sign::Location) {
                worth += 0.55 * section * repeated(&templates, i);
            } else if said {
                worth += 0.1 * section * repeated(&templates, i);
            }
            worth + asked[i] * fade.max(0.5) + 0.35 * (asked_near[i] - asked[i]).max(0.0)
        })
        .collect()
}

/// What is left of a message's worth the more often it was said about something else.
fn fading(t: &Templates, i: usize) -> f32 {
    let seen = t.seen[i] as f32;
    repeated(t, i).min(1.0 / (1.0 + 0.15 * seen).sqrt())
}

/// What is left of it the more often it was said with other numbers only.
fn repeated(t: &Templates, i: usize) -> f32 {
    1.0 / (1.0 + 0.5 * t.repeats[i] as f32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_without_a_path_belongs_to_the_path_above() {
        let lines = [
            "/a/b.tsx",
            "  1:2  warning  x",
            "",
            "/a/c.tsx",
            "  71:13  error  y",
            "1 problem",
        ];
        let mut draft = Draft::new(lines.len());
        under_paths(&mut draft, &lines);
        assert_eq!(draft.parent, [NONE, 0, NONE, NONE, 3, NONE]);
        assert!(!is_place("12:30:07 x") && !is_place("71:13"));
    }

    #[test]
    fn places_are_recognised() {
        assert!(has_location("at src/lib.rs:17:34:"));
        assert!(has_location("  File a.ts(3,4): x"));
        assert!(!has_location("at 12:30 the 1:2 ratio"));
        assert!(!has_location("localhost:8080"));
    }
}
