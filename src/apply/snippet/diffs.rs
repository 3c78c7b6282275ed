//! Snippets that are diffs or search/replace blocks.

use super::script::{Item, Role, Script, Segment, Unreadable};

/// `<<<<<<< SEARCH` … `=======` … `>>>>>>> REPLACE`, in any number. Each is a pass.
pub(super) fn search_replace(lines: &[(usize, &str)]) -> Result<Option<Vec<Script>>, Unreadable> {
    let opens = |l: &str| {
        let t = l.trim_end();
        let bare = t.trim_start_matches(['<', '-']);
        (t.starts_with("<<<<<") || t.starts_with("-----"))
            && matches!(bare.trim(), "SEARCH" | "ORIGINAL")
    };
    let middle = |l: &str| {
        let t = l.trim_end();
        t.len() >= 5 && t.bytes().all(|b| b == b'=')
    };
    let closes = |l: &str| {
        let t = l.trim_end();
        let bare = t.trim_start_matches(['>', '+']);
        (t.starts_with(">>>>>") || t.starts_with("+++++"))
            && matches!(bare.trim(), "REPLACE" | "UPDATED")
    };
    if !lines.iter().any(|(_, l)| opens(l)) {
        return Ok(None);
    }
    let mut scripts = Vec::new();
    let mut i = 0;
    while i < lines.len() {
        if !opens(lines[i].1) {
            i += 1;
            continue;
        }
        let start = lines[i].0;
        let mid = (i + 1..lines.len()).find(|&k| middle(lines[k].1));
        let Some(mid) = mid else {
            return Err(Unreadable::OpenBlock(start));
        };
        // A line of the text that looks like the divider leaves the halves open.
        let next = (mid + 1..lines.len())
            .find(|&k| middle(lines[k].1) || closes(lines[k].1))
            .filter(|&k| middle(lines[k].1));
        if next.is_some() {
            return Err(Unreadable::OpenBlock(start));
        }
        let Some(end) = (mid + 1..lines.len()).find(|&k| closes(lines[k].1)) else {
            return Err(Unreadable::OpenBlock(start));
        };
        scripts.push(block(&lines[i + 1..mid], &lines[mid + 1..end]));
        i = end + 1;
    }
    Ok(Some(scripts))
}

/// A search/replace block as a hunk: what both sides share is context.
fn block(search: &[(usize, &str)], replace: &[(usize, &str)]) -> Script {
    let old: Vec<&str> = search.iter().map(|(_, l)| *l).collect();
    let new: Vec<&str> = replace.iter().map(|(_, l)| *l).collect();
    let mut items = Vec::new();
    for op in similar::capture_diff_slices(similar::Algorithm::Myers, &old, &new) {
        let (tag, a, b) = op.as_tag_tuple();
        let equal = tag == similar::DiffTag::Equal;
        for k in a {
            items.push(Item {
                text: search[k].1.to_string(),
                role: if equal { Role::Context } else { Role::Minus },
                number: search[k].0,
            });
        }
        if !equal {
            for k in b {
                items.push(Item {
                    text: replace[k].1.to_string(),
                    role: Role::Plus,
                    number: replace[k].0,
                });
            }
        }
    }
    let segment = Segment {
        items,
        marker_before: true,
        marker_after: true,
        ..Segment::default()
    };
    Script {
        segments: vec![segment],
        strict: true,
        ..Script::default()
    }
}

/// A unified diff or the hunks of a patch envelope, where every line is prefixed.
pub(super) fn unified(lines: &[(usize, &str)]) -> Option<Script> {
    let hunk = |l: &str| l.starts_with("@@");
    let numbered = lines.iter().any(|(_, l)| hunk_start(l).is_some());
    let headed = lines
        .windows(2)
        .any(|w| w[0].1.starts_with("--- ") && w[1].1.starts_with("+++ "));
    let prefixed = |l: &str| l.is_empty() || l.starts_with([' ', '+', '-', '\\', '@']);
    let first = lines.iter().position(|(_, l)| hunk(l))?;
    let body = &lines[first..];
    let changes = body.iter().any(|(_, l)| l.starts_with(['+', '-']));
    if !(changes
        && body
            .iter()
            .all(|(_, l)| prefixed(l) || l.starts_with("*** ") || header(l)))
    {
        return None;
    }
    if !(numbered
        || headed
        || lines[..first]
            .iter()
            .all(|(_, l)| l.trim().is_empty() || header(l)))
    {
        return None;
    }
    let mut script = Script {
        strict: true,
        ..Script::default()
    };
    let mut current: Option<Segment> = None;
    let mut flush = |s: Option<Segment>| {
        if let Some(mut s) = s {
            while s
                .items
                .last()
                .is_some_and(|i| i.role == Role::Context && i.text.trim().is_empty())
            {
                s.items.pop();
            }
            while s
                .items
                .first()
                .is_some_and(|i| i.role == Role::Context && i.text.trim().is_empty())
            {
                s.items.remove(0);
            }
            if !s.items.is_empty() {
                script.segments.push(s);
            }
        }
    };
    for &(number, l) in body {
        if hunk(l) {
            flush(current.take());
            let mut s = Segment {
                marker_before: true,
                marker_after: true,
                hint: hunk_start(l),
                ..Segment::default()
            };
            if s.hint.is_none() {
                // `@@ fn name` of a patch envelope: a line of the file above the hunk.
                let named = l.trim_matches(['@', ' ']);
                if !named.is_empty() {
                    s.items.push(Item {
                        text: named.to_string(),
                        role: Role::Context,
                        number,
                    });
                    s.locates = true;
                    flush(Some(std::mem::replace(
                        &mut s,
                        Segment {
                            marker_before: true,
                            marker_after: true,
                            ..Segment::default()
                        },
                    )));
                }
            }
            current = Some(s);
            continue;
        }
        if header(l) || l.starts_with('\\') || l.starts_with("*** ") {
            continue;
        }
        let Some(s) = current.as_mut() else { continue };
        let (role, text) = match l.as_bytes().first() {
            Some(b'+') => (Role::Plus, &l[1..]),
            Some(b'-') => (Role::Minus, &l[1..]),
            Some(b' ') => (Role::Context, &l[1..]),
            _ => (Role::Context, l),
        };
        s.items.push(Item {
            text: text.to_string(),
            role,
            number,
        });
    }
    flush(current.take());
    Some(script)
}

/// Lines above the hunks of a diff.
fn header(l: &str) -> bool {
    [
        "--- ",
        "+++ ",
        "diff --git",
        "index ",
        "new file mode",
        "deleted file mode",
        "similarity index",
        "rename ",
    ]
    .iter()
    .any(|h| l.starts_with(h))
}

/// The old file's line in `@@ -12,3 +12,4 @@`.
pub(crate) fn hunk_start(l: &str) -> Option<usize> {
    let rest = l.strip_prefix("@@ -")?;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    rest.contains("@@").then(|| digits.parse().ok())?
}
