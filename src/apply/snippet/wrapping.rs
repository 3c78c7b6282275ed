//! What an agent puts around a snippet or in front of its lines: code fences, tags, line numbers.

use super::markers::{self, Marked};
use super::script::Haystack;

/// Takes off a code fence or a tag around the whole snippet.
pub(super) fn unwrap(lines: &mut Vec<(usize, &str)>, file: &Haystack) {
    loop {
        while lines.first().is_some_and(|(_, l)| l.trim().is_empty())
            && lines.len() > 1
            && wrapped_below(lines)
        {
            lines.remove(0);
        }
        let Some(first) = lines.first().map(|(_, l)| l.trim()) else {
            return;
        };
        let Some(last_at) = lines.iter().rposition(|(_, l)| !l.trim().is_empty()) else {
            return;
        };
        let last = lines[last_at].1.trim();
        let fence = ["```", "~~~"].into_iter().find(|f| first.starts_with(f));
        let fenced = fence.is_some_and(|f| {
            last_at > 0
                && last.starts_with(f)
                && last.trim_start_matches(['`', '~']).is_empty()
                && !text_fence(&lines[..=last_at], file)
                && (lines[1..last_at]
                    .iter()
                    .filter(|(_, l)| l.trim().starts_with(f))
                    .count()
                    % 2
                    == 0
                    // A fence right below another one is no text either, and one right
                    // above a marker tells of no place.
                    || lines[last_at - 1].1.trim() == f
                    || markers::classify(lines[1].1) == Marked::Marker)
        });
        let tagged = ["code", "update", "edit", "snippet", "file"]
            .iter()
            .any(|t| first == format!("<{t}>") && last == format!("</{t}>") && !file.holds(first));
        if last_at == 0 || !(fenced || tagged) {
            return;
        }
        lines.truncate(last_at);
        lines.remove(0);
    }
}

/// Whether a fence around the lines is text of the file: it stands there beside the line
/// that it stands beside in the snippet, and that is not blank.
fn text_fence(lines: &[(usize, &str)], file: &Haystack) -> bool {
    let beside = |a: usize, b: usize| {
        let (a, b) = (lines[a].1.trim(), lines[b].1.trim());
        !a.is_empty() && !b.is_empty() && (file.follows)(a, b)
    };
    beside(0, 1) || beside(lines.len() - 2, lines.len() - 1)
}

/// Whether the first line that is not blank opens a fence or a tag.
fn wrapped_below(lines: &[(usize, &str)]) -> bool {
    lines
        .iter()
        .map(|(_, l)| l.trim())
        .find(|l| !l.is_empty())
        .is_some_and(|l| l.starts_with("```") || l.starts_with("~~~") || l.starts_with('<'))
}

/// Takes off `12 | `, `12: ` or `12<tab>` where every line has one and the file shows
/// that they are no text.
pub(super) fn strip_line_numbers<'s>(
    lines: &[(usize, &'s str)],
    file: &Haystack,
) -> Option<Vec<(usize, &'s str)>> {
    let mut out = Vec::with_capacity(lines.len());
    let (mut seen, mut hits, mut raw_hits) = (0usize, 0usize, 0usize);
    for &(n, l) in lines {
        if l.trim().is_empty() || markers::classify(l) != Marked::No {
            out.push((n, l));
            continue;
        }
        let t = l.trim_start();
        let digits = t.len() - t.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        if digits == 0 || digits > 6 {
            return None;
        }
        let rest = &t[digits..];
        let text = if let Some(r) = rest.strip_prefix('\t').or_else(|| rest.strip_prefix('→')) {
            r
        } else {
            let r = rest.trim_start();
            let r = r.strip_prefix(['|', ':', '│'])?;
            r.strip_prefix(' ').unwrap_or(r)
        };
        seen += 1;
        hits += usize::from(!text.trim().is_empty() && file.holds(text));
        raw_hits += usize::from(file.holds(l));
        out.push((n, text));
    }
    (seen >= 1 && hits * 2 >= seen && raw_hits == 0).then_some(out)
}
