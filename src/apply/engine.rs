//! Edits of files: read, merge, check, and write all or nothing.

use std::collections::BTreeMap;

use super::merge::{Syntax, merge, syntax_of};
use super::options::MergeOptions;
use super::place::placement::Placed;
use super::reply::{Applied, AppliedFile, Outcome, diff};
use super::snippet::forms::{self, Action};
use super::snippet::markers::{self, Marked};
use crate::error::{Error, Result};
use crate::text::{self, Encoding, Span};
use crate::workspace::{self, Change, FilePath, Root};

/// One edit as it was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// The file, relative to the root. May be empty where the edit names its files itself
    /// (a patch envelope or a diff with file headers).
    pub path: String,
    /// The snippet: changed lines with context and markers, a diff, search/replace blocks
    /// or a patch.
    pub edit: String,
}

/// How to apply.
#[derive(Debug, Clone, Copy, Default)]
pub struct ApplyOptions {
    /// Merge and check, but write nothing.
    pub dry_run: bool,
    /// A snippet without markers is the whole file: what it leaves out goes.
    pub allow_full_rewrite: bool,
}

/// Edits that are merged and checked, and not written yet.
#[derive(Debug, Clone)]
pub struct Plan {
    /// What is to be written; empty where the files have the edits already.
    pub changes: Vec<Change>,
    /// What will have been done.
    pub applied: Applied,
}

/// A file in memory while edits are merged into it.
struct Draft {
    path: FilePath,
    before: Option<Vec<u8>>,
    encoding: Encoding,
    /// The text as read and as it shall be; `None` where there is no file.
    old: Option<String>,
    new: Option<String>,
    syntax: Syntax,
    removed: Vec<String>,
    misquoted: usize,
    placed: Vec<Placed>,
    left_below: Option<Span>,
}

/// Applies edits to files of the root: all of them, or none if any is refused. One undo
/// entry takes all of them back.
///
/// # Errors
/// What [`merge`] refuses, with the file named; `stale_file` if a file changed between
/// reading and writing; what reading and writing give.
pub fn apply(root: &Root, edits: &[Edit], options: &ApplyOptions) -> Result<Applied> {
    let Plan {
        changes,
        mut applied,
    } = plan(root, edits, options)?;
    if !options.dry_run && !changes.is_empty() {
        let names: Vec<&str> = changes.iter().map(|c| c.path.rel.as_str()).collect();
        let done = workspace::commit(root, &changes, &format!("apply {}", names.join(", ")))?;
        applied.undo = Some(done.id);
        applied.recovered = done.recovered.len();
    }
    Ok(applied)
}

/// The first half of [`apply`]: merges and checks, and writes nothing.
///
/// # Errors
/// As [`apply`].
pub fn plan(root: &Root, edits: &[Edit], options: &ApplyOptions) -> Result<Plan> {
    if edits.is_empty() {
        return Err(Error::failure(
            "no_edit",
            "There is no edit to apply.",
            "Send at least one.",
        ));
    }
    let mut drafts: Vec<Draft> = Vec::new();
    let mut index: BTreeMap<String, usize> = BTreeMap::new();
    for edit in edits {
        let path = edit.path.trim();
        match forms::parts(&edit.edit) {
            Some(parts) => {
                for part in parts {
                    let target = if path.is_empty() || same_path(path, &part.path) {
                        if path.is_empty() {
                            part.path.as_str()
                        } else {
                            path
                        }
                    } else if edits.len() == 1 && path != part.path && !path.is_empty() {
                        return Err(path_mismatch(path, &part.path));
                    } else {
                        part.path.as_str()
                    };
                    act(root, &mut drafts, &mut index, target, &part.action, options)?;
                }
            }
            None if path.is_empty() => {
                return Err(Error::failure(
                    "no_path",
                    "The edit names no file.",
                    "Give the path of the file to edit.",
                ));
            }
            None => act(
                root,
                &mut drafts,
                &mut index,
                path,
                &Action::Update(edit.edit.clone()),
                options,
            )?,
        }
    }
    Ok(finish(drafts, options))
}

/// Whether a diff's path means the file that the call names.
fn same_path(asked: &str, named: &str) -> bool {
    let (a, b) = (
        asked.trim_start_matches("./"),
        named.trim_start_matches("./"),
    );
    a == b || a.ends_with(&format!("/{b}")) || b.ends_with(&format!("/{a}"))
}

fn path_mismatch(asked: &str, named: &str) -> Error {
    Error::refused(
        "path_mismatch",
        format!("The edit is for {named}, the call for {asked}."),
        "Name the file that the edit is for.",
    )
}

fn open<'d>(
    root: &Root,
    drafts: &'d mut Vec<Draft>,
    index: &mut BTreeMap<String, usize>,
    path: &str,
) -> Result<&'d mut Draft> {
    let file = root.resolve(path)?;
    if let Some(&at) = index.get(&file.rel) {
        return drafts.get_mut(at).ok_or_else(|| missing(path));
    }
    let before = match workspace::read(&file) {
        Ok(bytes) => Some(bytes),
        Err(e) if e.code == "no_such_file" => None,
        Err(e) => return Err(e),
    };
    let (mut encoding, mut old) = (Encoding::Utf8, None);
    if let Some(bytes) = &before {
        let decoded = text::decode(bytes);
        if text::is_binary(bytes) || decoded.lossy {
            return Err(Error::refused(
                "not_text",
                format!("{} is no text in UTF-8 or UTF-16.", file.rel),
                "Edit text files only.",
            ));
        }
        encoding = decoded.encoding;
        old = Some(decoded.text.into_owned());
    }
    index.insert(file.rel.clone(), drafts.len());
    drafts.push(Draft {
        path: file,
        before,
        encoding,
        new: old.clone(),
        old,
        syntax: Syntax::Unchecked,
        removed: Vec::new(),
        misquoted: 0,
        placed: Vec::new(),
        left_below: None,
    });
    drafts.last_mut().ok_or_else(|| missing(path))
}

fn missing(path: &str) -> Error {
    Error::not_found(
        "no_such_file",
        format!("{path} does not exist."),
        "Check the path; to create the file, send its whole text without markers.",
    )
}

fn act(
    root: &Root,
    drafts: &mut Vec<Draft>,
    index: &mut BTreeMap<String, usize>,
    path: &str,
    action: &Action,
    options: &ApplyOptions,
) -> Result<()> {
    match action {
        Action::Update(edit) => {
            let draft = open(root, drafts, index, path)?;
            match &draft.new {
                Some(text) => {
                    let merged = merge(
                        text,
                        edit,
                        &MergeOptions {
                            path: draft.path.rel.clone(),
                            language: None,
                            allow_full_rewrite: options.allow_full_rewrite,
                        },
                    )?;
                    draft.new = Some(merged.text);
                    draft.syntax = merged.syntax;
                    draft.removed.extend(merged.removed);
                    draft.misquoted += merged.misquoted;
                    draft.placed.extend(merged.placed);
                    draft.left_below = merged.left_below;
                }
                None => {
                    let text = whole_text(edit).ok_or_else(|| missing(path))?;
                    draft.syntax = syntax_of(&draft.path.rel, &text);
                    draft.new = Some(text);
                }
            }
        }
        Action::Create(content) => {
            let draft = open(root, drafts, index, path)?;
            if draft.new.as_ref().is_some_and(|t| t != content) {
                return Err(Error::refused(
                    "file_exists",
                    format!("{path} exists already."),
                    "Send the change as an edit of the file.",
                ));
            }
            draft.syntax = syntax_of(&draft.path.rel, content);
            draft.new = Some(content.clone());
        }
        Action::Delete => {
            let draft = open(root, drafts, index, path)?;
            if draft.new.take().is_none() {
                return Err(missing(path));
            }
        }
        Action::Move(to, edit) => {
            if !edit.trim_matches(['@', '\n', ' ']).is_empty() {
                act(
                    root,
                    drafts,
                    index,
                    path,
                    &Action::Update(edit.clone()),
                    options,
                )?;
            }
            let from = open(root, drafts, index, path)?;
            let (Some(text), encoding) = (from.new.take(), from.encoding) else {
                return Err(missing(path));
            };
            let target = open(root, drafts, index, to)?;
            if target.new.is_some() {
                return Err(Error::refused(
                    "file_exists",
                    format!("{to} exists already."),
                    "Choose another name, or delete it first.",
                ));
            }
            target.encoding = encoding;
            target.syntax = syntax_of(&target.path.rel, &text);
            target.new = Some(text);
        }
    }
    Ok(())
}

/// The text of a new file: a snippet without any marker, out of its fence.
fn whole_text(edit: &str) -> Option<String> {
    let lines: Vec<&str> = edit.split_inclusive('\n').collect();
    if lines.iter().any(|l| markers::classify(l) == Marked::Marker) {
        return None;
    }
    let first = lines.first()?.trim();
    let last = lines.last()?.trim();
    let body = if lines.len() > 2 && first.starts_with("```") && last == "```" {
        lines.get(1..lines.len() - 1)?.concat()
    } else {
        edit.to_string()
    };
    Some(if body.is_empty() || body.ends_with('\n') {
        body
    } else {
        body + "\n"
    })
}

fn encode(text: &str, encoding: Encoding) -> Vec<u8> {
    match encoding {
        Encoding::Utf8 => text.as_bytes().to_vec(),
        Encoding::Utf8Bom => [b"\xEF\xBB\xBF", text.as_bytes()].concat(),
        Encoding::Utf16Le => [0xFEFF]
            .into_iter()
            .chain(text.encode_utf16())
            .flat_map(u16::to_le_bytes)
            .collect(),
        Encoding::Utf16Be => [0xFEFF]
            .into_iter()
            .chain(text.encode_utf16())
            .flat_map(u16::to_be_bytes)
            .collect(),
    }
}

fn finish(drafts: Vec<Draft>, options: &ApplyOptions) -> Plan {
    let mut files = Vec::new();
    let mut changes = Vec::new();
    for d in drafts {
        let outcome = match (&d.old, &d.new) {
            (None, None) => continue,
            (None, Some(_)) => Outcome::Created,
            (Some(_), None) => Outcome::Deleted,
            (Some(a), Some(b)) if a == b => Outcome::Unchanged,
            _ => Outcome::Changed,
        };
        let stats = diff(&d.path.rel, d.old.as_deref(), d.new.as_deref());
        let after = match outcome {
            Outcome::Unchanged => d.before.clone(),
            _ => d.new.as_deref().map(|t| encode(t, d.encoding)),
        };
        if outcome != Outcome::Unchanged {
            changes.push(Change {
                path: d.path.clone(),
                before: d.before,
                after: after.clone(),
            });
        }
        let left_below = d.left_below.filter(|_| outcome == Outcome::Unchanged);
        files.push(AppliedFile {
            path: d.path.rel,
            outcome,
            hunks: stats.hunks,
            added: stats.added,
            removed: stats.removed,
            syntax: d.syntax,
            removed_definitions: d.removed,
            misquoted: d.misquoted,
            placed: d.placed,
            left_below,
            diff: stats.text,
            after,
        });
    }
    Plan {
        changes,
        applied: Applied {
            files,
            undo: None,
            dry_run: options.dry_run,
            recovered: 0,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn fixture() -> (tempfile::TempDir, Root) {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("root")).unwrap();
        let root = Root::open(&dir.path().join("root"))
            .unwrap()
            .with_home(dir.path().join("home"));
        (dir, root)
    }

    fn edit(path: &str, edit: &str) -> Edit {
        Edit {
            path: path.into(),
            edit: edit.into(),
        }
    }

    #[test]
    fn writes_replies_and_undoes() {
        let (_dir, root) = fixture();
        let file = root.dir().join("a.rs");
        let old = "fn one() {\r\n    1;\r\n}\r\n\r\nfn two() {\r\n    2;\r\n}\r\n";
        fs::write(&file, old).unwrap();
        let edits = [edit(
            "a.rs",
            "// ... existing code ...\nfn two() {\n    22;\n}\n",
        )];
        let options = ApplyOptions::default();
        let dry = apply(
            &root,
            &edits,
            &ApplyOptions {
                dry_run: true,
                ..options
            },
        )
        .unwrap();
        assert_eq!(
            dry.summary(),
            "a.rs: 1 hunk, +1 −1, syntax ok, dry run, nothing written"
        );
        assert_eq!(fs::read_to_string(&file).unwrap(), old);
        let done = apply(&root, &edits, &options).unwrap();
        assert_eq!(done.summary(), "a.rs: 1 hunk, +1 −1, syntax ok, undo u1");
        assert_eq!(
            fs::read_to_string(&file).unwrap(),
            old.replace("    2;", "    22;")
        );
        let again = apply(&root, &edits, &options).unwrap();
        assert_eq!(
            again.summary(),
            "a.rs: no change, the file has this edit already"
        );
        workspace::undo(&root, None).unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), old);
    }

    #[test]
    fn lines_below_the_end_of_a_snippet_are_told() {
        let (_dir, root) = fixture();
        let old = "fn a() {\n    1;\n}\n\nfn b() {\n    2;\n}\n\nfn c() {\n    3;\n}\n";
        fs::write(root.dir().join("a.rs"), old).unwrap();
        let summary = |snippet: &str| {
            let edits = [edit("a.rs", snippet)];
            let applied = apply(&root, &edits, &ApplyOptions::default()).unwrap();
            assert!(applied.undo.is_none());
            applied.summary()
        };
        let marked = "// ... existing code ...\n\nfn b() {\n    2;\n}\n";
        assert_eq!(
            summary(marked),
            "a.rs: no change, the file has this edit already; the snippet ends above lines 9-11, \
             which stay: to remove them, send them with `-` in front"
        );
        let closed = format!("{marked}// ... existing code ...\n");
        let plain = "a.rs: no change, the file has this edit already";
        assert_eq!(summary(&closed), plain);
        let last = "// ... existing code ...\n\nfn c() {\n    3;\n}\n";
        assert_eq!(summary(last), plain);
        assert_eq!(summary("fn b() {\n    2;\n}\n"), plain);
    }

    #[test]
    fn several_files_all_or_nothing() {
        let (_dir, root) = fixture();
        fs::write(root.dir().join("a.py"), "x = 1\ny = 2\n").unwrap();
        fs::write(root.dir().join("old.txt"), "gone\n").unwrap();
        let patch = "*** Begin Patch\n*** Update File: a.py\n@@\n x = 1\n-y = 2\n+y = 3\n*** Add File: new/b.py\n+z = 1\n*** Delete File: old.txt\n*** End Patch\n";
        let bad = [edit("", patch), edit("a.py", "nothing = here\nat = all\n")];
        let options = ApplyOptions::default();
        assert_eq!(apply(&root, &bad, &options).unwrap_err().code, "no_place");
        assert_eq!(
            fs::read_to_string(root.dir().join("a.py")).unwrap(),
            "x = 1\ny = 2\n"
        );
        let done = apply(&root, &[edit("", patch)], &options).unwrap();
        assert_eq!(
            done.summary(),
            "a.py: 1 hunk, +1 −1, syntax ok\nnew/b.py: created, +1, syntax ok\nold.txt: deleted, −1\nundo u1"
        );
        assert_eq!(
            fs::read_to_string(root.dir().join("new/b.py")).unwrap(),
            "z = 1\n"
        );
        assert!(!root.dir().join("old.txt").exists());
        workspace::undo(&root, Some("u1")).unwrap();
        assert!(root.dir().join("old.txt").exists());
        assert!(!root.dir().join("new/b.py").exists());
    }

    #[test]
    fn keeps_the_encoding() {
        let (_dir, root) = fixture();
        for (name, encoding) in [
            ("bom.txt", Encoding::Utf8Bom),
            ("le.txt", Encoding::Utf16Le),
            ("be.txt", Encoding::Utf16Be),
        ] {
            let path = root.dir().join(name);
            fs::write(&path, encode("first é\nsecond line\nthird", encoding)).unwrap();
            apply(
                &root,
                &[edit(name, "-second line\n+changed ü\n third\n")],
                &ApplyOptions::default(),
            )
            .unwrap();
            assert_eq!(
                fs::read(&path).unwrap(),
                encode("first é\nchanged ü\nthird", encoding)
            );
        }
    }

    #[test]
    fn a_new_file_needs_its_whole_text() {
        let (_dir, root) = fixture();
        let options = ApplyOptions::default();
        let e = apply(
            &root,
            &[edit("n.rs", "fn a() {}\n// ... existing code ...\n")],
            &options,
        )
        .unwrap_err();
        assert_eq!(e.code, "no_such_file");
        apply(&root, &[edit("n.rs", "```rust\nfn a() {}\n```")], &options).unwrap();
        assert_eq!(
            fs::read_to_string(root.dir().join("n.rs")).unwrap(),
            "fn a() {}\n"
        );
    }
}
