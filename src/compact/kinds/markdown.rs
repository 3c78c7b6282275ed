//! Markdown.
//!
//! Sections that answer the query, their paragraphs and code whole, under their
//! headings; without a query the headings and the opening line of each section.

use super::super::select::{Draft, NONE};
use super::super::template::Templates;
use super::super::words::Hits;
use super::indent::indent;
use super::spread::spread;

/// Scores the lines of a document.
pub fn draft(lines: &[&str], hits: &Hits) -> Draft {
    let n = lines.len();
    let mut draft = Draft::new(n);
    let levels = levels(lines);
    let templates = Templates::new(lines);
    let asked: Vec<f32> = (0..n).map(|i| hits.line(i)).collect();
    let near = spread(&asked, 2, 4, 0.65);
    let mut open: Vec<(usize, usize)> = Vec::new(); // level, line
    let mut section = 0.0f32; // how much of the query the section answers
    let mut heading = 0.0f32; // and its headings
    let mut since = 0; // lines with text since the heading
    let mut fence = false;
    let mut paragraph = 0.0f32;
    let mut starts = true;
    for i in 0..n {
        let line = lines[i];
        let t = line.trim();
        if let Some(level) = levels[i] {
            while open.last().is_some_and(|o| o.0 >= level) {
                open.pop();
            }
            draft.parent[i] = open.last().map_or(NONE, |o| o.1 as u32);
            open.push((level, i));
            let end = (i + 1..n).find(|&j| levels[j].is_some()).unwrap_or(n);
            let deep = (i + 1..n)
                .find(|&j| levels[j].is_some_and(|l| l <= level))
                .unwrap_or(n);
            section = hits.block(i..end);
            heading = open.iter().map(|o| asked[o.1]).fold(0.0, f32::max);
            draft.score[i] = 3.5 / (1.0 + 0.35 * (level - 1) as f32)
                + 10.0 * asked[i]
                + 4.0 * section.max(0.5 * hits.block(i..deep));
            since = 0;
            starts = true;
            continue;
        }
        draft.parent[i] = open.last().map_or(NONE, |o| o.1 as u32);
        let is_fence = t.starts_with("```") || t.starts_with("~~~");
        if t.is_empty() && !fence {
            starts = true;
            continue;
        }
        if i > 0
            && levels[i - 1].is_some()
            && !t.is_empty()
            && t.chars().all(|c| c == '-' || c == '=')
        {
            // The rule under a heading goes with it.
            draft.parent[i] = (i - 1) as u32;
            draft.score[i] = 0.05;
            continue;
        }
        if starts && !fence {
            let end = (i..n).find(|&j| lines[j].trim().is_empty()).unwrap_or(n);
            paragraph = hits.block(i..end);
        }
        if is_fence {
            // A fence alone says nothing; it comes where it costs no more than its gap.
            fence = !fence;
            starts = false;
            draft.score[i] = 0.01;
            continue;
        }
        let code = fence || indent(line) >= 4 && !t.starts_with(['-', '*']);
        let mut worth = if t.bytes().any(|b| b.is_ascii_alphanumeric()) {
            0.5
        } else {
            0.1
        };
        worth += match since {
            0 => 1.5,
            1..=2 => 0.5,
            _ => 0.0,
        };
        if starts {
            worth += 0.3;
        }
        if code {
            worth += 0.6;
        }
        // A line that is all bold, or a term with a colon, announces something.
        if t.starts_with("**") && t.ends_with("**") {
            worth += 1.0;
        }
        // Steps and names in code are what a reader can act on.
        let acts = code || line.contains('`') || is_item(t);
        if acts {
            worth += 0.4;
        }
        draft.score[i] = worth
            + 11.0 * asked[i]
            + 4.0 * (near[i] - asked[i]).max(0.0)
            + 4.0 * paragraph
            + (2.5 * section + 4.5 * heading) * if acts { 1.4 } else { 1.0 };
        // Listings say the same again and again.
        draft.score[i] /= 1.0 + 0.4 * templates.seen[i] as f32 * f32::from(u8::from(code));
        draft.score[i] /= 1.0 + 0.5 * templates.repeats[i] as f32;
        if t.bytes().filter(u8::is_ascii_alphanumeric).nth(2).is_none() && t.is_ascii() {
            draft.score[i] *= 0.3;
        }
        since += 1;
        starts = false;
    }
    draft
}

/// Whether a line opens an item of a list.
fn is_item(t: &str) -> bool {
    let digits = t.bytes().take_while(u8::is_ascii_digit).count();
    t.starts_with("- ")
        || t.starts_with("* ")
        || t.starts_with("+ ")
        || digits > 0 && (t[digits..].starts_with(". ") || t[digits..].starts_with(") "))
}

/// The level of each line that is a heading: `#` or underlined.
fn levels(lines: &[&str]) -> Vec<Option<usize>> {
    let mut fence = false;
    lines
        .iter()
        .enumerate()
        .map(|(i, line)| {
            let t = line.trim();
            if t.starts_with("```") || t.starts_with("~~~") {
                fence = !fence;
                return None;
            }
            if fence {
                return None;
            }
            let hashes = t.bytes().take_while(|b| *b == b'#').count();
            if (1..=6).contains(&hashes)
                && t.as_bytes().get(hashes).is_some_and(|b| *b == b' ')
                && indent(line) < 4
            {
                return Some(hashes);
            }
            let under = lines.get(i + 1).map_or("", |l| l.trim_end());
            let ruled = |c: char| under.len() >= 2 && under.chars().all(|u| u == c);
            let opens = i == 0 || lines[i - 1].trim().is_empty();
            if !t.is_empty() && opens && indent(line) < 4 && !t.starts_with(['-', '|', '*', '>']) {
                if ruled('=') {
                    return Some(1);
                }
                if ruled('-') {
                    return Some(2);
                }
            }
            None
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_headings() {
        let lines = [
            "Title", "=====", "", "text", "```", "# no", "```", "## Yes", "", "- a", "---",
        ];
        let found: Vec<_> = levels(&lines);
        assert_eq!(found[0], Some(1));
        assert_eq!(found[7], Some(2));
        assert_eq!(found.iter().flatten().count(), 2);
    }
}
