//! Snippets that name their files themselves: patch envelopes and diffs of several files.

/// What a part of such a snippet asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Action {
    /// Hunks for a file that is there.
    Update(String),
    /// The text of a new file.
    Create(String),
    /// The file goes.
    Delete,
    /// Hunks, and the file gets this name.
    Move(String, String),
}

/// One file's part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Part {
    /// As the snippet names it.
    pub path: String,
    pub action: Action,
}

/// The parts of a snippet that names its files; none for all other snippets.
pub(crate) fn parts(snippet: &str) -> Option<Vec<Part>> {
    let lines: Vec<&str> = snippet
        .split('\n')
        .map(|l| l.strip_suffix('\r').unwrap_or(l))
        .collect();
    envelope(&lines).or_else(|| diffs(&lines))
}

/// `*** Begin Patch` … `*** End Patch`.
fn envelope(lines: &[&str]) -> Option<Vec<Part>> {
    let start = lines.iter().position(|l| l.trim() == "*** Begin Patch")?;
    let mut parts: Vec<Part> = Vec::new();
    let mut body: Vec<&str> = Vec::new();
    let mut open: Option<(String, u8)> = None;
    let mut moved: Option<String> = None;
    let mut close =
        |open: &mut Option<(String, u8)>, body: &mut Vec<&str>, moved: &mut Option<String>| {
            if let Some((path, kind)) = open.take() {
                let action = match kind {
                    b'u' => {
                        let mut text = body.join("\n");
                        if bare_hunk(body) {
                            text.insert_str(0, "@@\n");
                        }
                        match moved.take() {
                            Some(to) => Action::Move(to, text),
                            None => Action::Update(text),
                        }
                    }
                    b'a' => Action::Create(
                        body.iter()
                            .map(|l| format!("{}\n", l.strip_prefix('+').unwrap_or(l)))
                            .collect(),
                    ),
                    _ => Action::Delete,
                };
                parts.push(Part { path, action });
            }
            body.clear();
        };
    for l in &lines[start + 1..] {
        let t = l.trim_end();
        let named = |head: &str| t.strip_prefix(head).map(|p| p.trim().to_string());
        if t == "*** End Patch" {
            break;
        } else if let Some(p) = named("*** Update File:") {
            close(&mut open, &mut body, &mut moved);
            open = Some((p, b'u'));
        } else if let Some(p) = named("*** Add File:") {
            close(&mut open, &mut body, &mut moved);
            open = Some((p, b'a'));
        } else if let Some(p) = named("*** Delete File:") {
            close(&mut open, &mut body, &mut moved);
            open = Some((p, b'd'));
        } else if let Some(p) = named("*** Move to:") {
            moved = Some(p);
        } else if t != "*** End of File" {
            body.push(l);
        }
    }
    close(&mut open, &mut body, &mut moved);
    (!parts.is_empty()).then_some(parts)
}

/// Whether this is a hunk without its `@@`. What is none may be a lazy snippet.
fn bare_hunk(body: &[&str]) -> bool {
    body.first().is_some_and(|l| !l.starts_with("@@"))
        && body.iter().any(|l| l.starts_with(['+', '-']))
        && body
            .iter()
            .all(|l| l.is_empty() || l.starts_with([' ', '+', '-', '\\', '@']))
}

/// Unified diffs with `---` and `+++` lines.
fn diffs(lines: &[&str]) -> Option<Vec<Part>> {
    let heads: Vec<usize> = (0..lines.len().saturating_sub(2))
        .filter(|&i| {
            lines[i].starts_with("--- ")
                && lines[i + 1].starts_with("+++ ")
                && lines[i + 2].starts_with("@@")
        })
        .collect();
    let first = *heads.first()?;
    let preamble = |l: &str| {
        l.trim().is_empty()
            || [
                "diff ",
                "index ",
                "new file",
                "deleted file",
                "old mode",
                "new mode",
                "similarity",
                "rename ",
                "```",
            ]
            .iter()
            .any(|h| l.starts_with(h))
    };
    if !lines[..first].iter().all(|l| preamble(l)) {
        return None;
    }
    let mut parts = Vec::new();
    for (n, &at) in heads.iter().enumerate() {
        let end = heads.get(n + 1).copied().unwrap_or(lines.len());
        let name = |l: &str| {
            let p = l
                .get(4..)
                .unwrap_or("")
                .split('\t')
                .next()
                .unwrap_or("")
                .trim();
            (p != "/dev/null").then(|| {
                p.strip_prefix("a/")
                    .or_else(|| p.strip_prefix("b/"))
                    .unwrap_or(p)
                    .to_string()
            })
        };
        let body = lines.get(at + 2..end)?;
        let body = &body[..body
            .iter()
            .rposition(|l| l.starts_with([' ', '+', '-', '@', '\\']))
            .map_or(0, |p| p + 1)];
        let (old, new) = (name(lines[at]), name(lines[at + 1]));
        let part = match (old, new) {
            (None, Some(path)) => Part {
                path,
                action: Action::Create(
                    body.iter()
                        .filter_map(|l| l.strip_prefix('+'))
                        .map(|l| format!("{l}\n"))
                        .collect(),
                ),
            },
            (Some(path), None) => Part {
                path,
                action: Action::Delete,
            },
            (Some(path), Some(to)) if path != to => Part {
                path,
                action: Action::Move(to, body.join("\n")),
            },
            (Some(path), Some(_)) => Part {
                path,
                action: Action::Update(body.join("\n")),
            },
            (None, None) => continue,
        };
        parts.push(part);
    }
    (!parts.is_empty()).then_some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn envelope_with_all_actions() {
        let got = parts(
            "*** Begin Patch\n*** Update File: a.rs\n@@ fn a\n-x\n+y\n*** Add File: b.rs\n+one\n+two\n*** Delete File: c.rs\n*** End Patch\n",
        );
        assert_eq!(
            got,
            Some(vec![
                Part {
                    path: "a.rs".into(),
                    action: Action::Update("@@ fn a\n-x\n+y".into())
                },
                Part {
                    path: "b.rs".into(),
                    action: Action::Create("one\ntwo\n".into())
                },
                Part {
                    path: "c.rs".into(),
                    action: Action::Delete
                },
            ])
        );
    }

    #[test]
    fn only_a_hunk_gets_the_line_that_it_lacks() {
        let update = |body: &str| {
            let text = format!("*** Begin Patch\n*** Update File: a\n{body}*** End Patch\n");
            parts(&text).unwrap().remove(0).action
        };
        assert_eq!(update(" x\n-y\n"), Action::Update("@@\n x\n-y".into()));
        assert_eq!(
            update("- item\n* item\n"),
            Action::Update("- item\n* item".into())
        );
        assert_eq!(update(""), Action::Update(String::new()));
    }

    #[test]
    fn diff_of_two_files() {
        let got = parts(
            "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n--- /dev/null\n+++ b/y\n@@ -0,0 +1 @@\n+new\n",
        )
        .unwrap();
        assert_eq!(got[0].action, Action::Update("@@ -1 +1 @@\n-a\n+b".into()));
        assert_eq!(
            got[1],
            Part {
                path: "y".into(),
                action: Action::Create("new\n".into())
            }
        );
    }

    #[test]
    fn other_snippets_have_no_parts() {
        assert_eq!(parts("fn a() {}\n"), None);
        assert_eq!(parts("--- a note\n+++ not a diff\ntext\n"), None);
    }
}
