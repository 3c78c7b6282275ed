use super::expand::{ExpandOptions, expand};
use crate::compact::{Compacted, Options, Part, compact_reader, compact_stored};
use crate::error::{Error, Result};
use crate::workspace::{Cancel, Root, Store};
use std::fs::File;

/// Files above this many bytes are read as a stream (16 MiB).
const LARGE: u64 = 16 << 20;

/// Shortens what `target` stands for, as [`expand`] reads it: a file, lines, a
/// definition, what a handle keeps. What is omitted goes to the root's store.
///
/// # Errors
/// As [`expand`] and [`compact_stored`].
pub fn shorten(root: &Root, target: &str, options: &Options, cancel: &Cancel) -> Result<Compacted> {
    let store = Store::for_root(root)?;
    let target = target.trim();
    if let Some((file, rel)) = large_file(root, target)? {
        let options = Options {
            file: options.file.clone().or(Some(rel.clone())),
            ..options.clone()
        };
        return compact_reader(file, &options, &store, &rel);
    }
    let expanded = expand(root, target, &ExpandOptions::default(), cancel)?;
    let file = expanded.pieces.first().map(|p| p.source.clone());
    let options = Options {
        file: options.file.clone().or(file),
        ..options.clone()
    };
    compact_stored(&expanded.verbatim(), &options, &store, target)
}

/// [`shorten`] for several targets at once, under one budget and one handle: each
/// keeps the best of its own kind, behind a marker with its name. Lines are
/// numbered throughout.
///
/// # Errors
/// As [`shorten`]; `no_target` where there is none.
pub fn shorten_all(
    root: &Root,
    targets: &[&str],
    options: &Options,
    cancel: &Cancel,
) -> Result<Compacted> {
    match targets {
        [] => Err(Error::failure(
            "no_target",
            "There is nothing to shorten.",
            "Name a path or a handle.",
        )),
        [one] => shorten(root, one, options, cancel),
        several => {
            let mut text = String::new();
            let mut parts = Vec::new();
            for target in several {
                let expanded = expand(root, target, &ExpandOptions::default(), cancel)?;
                let start = text.len();
                text.push_str(&expanded.verbatim());
                if text.len() > start && !text.ends_with('\n') {
                    text.push('\n');
                }
                parts.push(Part {
                    bytes: start..text.len(),
                    name: target.trim().to_string(),
                    kind: options.kind,
                });
            }
            let options = Options {
                parts,
                ..options.clone()
            };
            compact_stored(&text, &options, &Store::for_root(root)?, &several.join(" "))
        }
    }
}

/// The targets in a line of them, with commas or blanks between; a path with
/// blanks in its name is one where it exists.
pub fn targets<'a>(root: &Root, line: &'a str) -> Vec<&'a str> {
    let line = line.trim();
    if root.resolve(line).is_ok_and(|path| path.abs.exists()) {
        return vec![line];
    }
    line.split([',', '\n', ' '])
        .filter(|t| !t.is_empty())
        .collect()
}

/// The file that a target names, opened, if it is better read as a stream.
fn large_file(root: &Root, target: &str) -> Result<Option<(File, String)>> {
    let path = root.resolve(target)?;
    let is_large = path
        .abs
        .metadata()
        .is_ok_and(|m| m.is_file() && m.len() > LARGE);
    if !is_large {
        return Ok(None);
    }
    let file = File::open(&path.abs).map_err(|e| {
        Error::failure(
            "unreadable",
            format!("{} cannot be read: {e}.", path.rel),
            "Check that you may read it.",
        )
    })?;
    Ok(Some((file, path.rel)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compact::{Kind, Size};
    use std::fmt::Write;

    #[test]
    fn shortens_files_lines_and_handles() {
        let dir = tempfile::tempdir().unwrap();
        let project = dir.path().join("project");
        std::fs::create_dir_all(&project).unwrap();
        let mut log = String::new();
        for i in 0..400 {
            let state = if i == 200 { "FAILED" } else { "ok" };
            writeln!(log, "test case_{i} ... {state}").unwrap();
        }
        std::fs::write(project.join("test.log"), &log).unwrap();
        let root = Root::open(&project).unwrap().with_home(dir.path());
        let options = Options {
            size: Size::Budget(60),
            ..Options::default()
        };
        let short = |target: &str| shorten(&root, target, &options, &Cancel::new());
        let first = short("test.log").unwrap();
        assert_eq!(first.kind, Kind::BuildLog);
        assert!(first.text.contains("case_200 ... FAILED"), "{}", first.text);
        let part = short("test.log:150-250").unwrap();
        assert!(part.text.contains("case_200 ... FAILED"), "{}", part.text);
        // Each marker stands for the lines that it left out.
        let handle = first.handle.clone().unwrap();
        let span = first.omitted[0];
        let target = format!("{handle}⋯{}", span.start);
        let options = ExpandOptions::default();
        let lines =
            |target: &str| expand(&root, target, &options, &Cancel::new()).map(|e| e.verbatim());
        let wanted: Vec<&str> = log.lines().skip(span.start - 1).take(span.len()).collect();
        assert_eq!(lines(&target).unwrap().lines().collect::<Vec<_>>(), wanted);
        assert_eq!(
            lines(&format!("{handle}:201")).unwrap(),
            "test case_200 ... FAILED\n"
        );
        assert_eq!(
            lines(&format!("{handle}⋯401")).unwrap_err().code,
            "unknown_marker"
        );
        // What was omitted can be looked through with another question.
        let again = short(&first.handle.unwrap()).unwrap();
        assert!(again.tokens <= 60);
        assert_eq!(short("none.log").unwrap_err().code, "no_such_file");
    }

    #[test]
    fn several_targets_share_one_budget_and_one_handle() {
        let dir = tempfile::tempdir().unwrap();
        let project = dir.path().join("project");
        std::fs::create_dir_all(&project).unwrap();
        let mut log = String::new();
        for i in 0..300 {
            let state = if i == 99 { "FAILED" } else { "ok" };
            writeln!(log, "test case_{i} ... {state}").unwrap();
        }
        let code: String = (0..90)
            .map(|i| format!("pub fn f{i}() -> u32 {{\n    {i}\n}}\n\n"))
            .collect();
        std::fs::write(project.join("a.log"), &log).unwrap();
        std::fs::write(project.join("b c.rs"), code.trim_end()).unwrap();
        let root = Root::open(&project).unwrap().with_home(dir.path());
        let options = Options {
            size: Size::Budget(120),
            query: "f41".into(),
            ..Options::default()
        };
        assert_eq!(targets(&root, " a.log, x.rs"), ["a.log", "x.rs"]);
        assert_eq!(targets(&root, "b c.rs"), ["b c.rs"]);
        let cancel = Cancel::new();
        let all = ["b c.rs", "a.log"];
        let out = shorten_all(&root, &all, &options, &cancel).unwrap();
        assert!(out.tokens <= 120);
        for line in [
            "⋯ b c.rs\n",
            "pub fn f41() -> u32 {\n",
            "⋯ a.log\n",
            "case_99 ... FAILED\n",
        ] {
            assert!(out.text.contains(line), "{line}: {}", out.text);
        }
        assert_eq!(out.text.matches("; expand ").count(), 1);
        let kept = Store::for_root(&root)
            .unwrap()
            .get(&out.handle.unwrap())
            .unwrap();
        assert_eq!(kept.text, format!("{}\n{log}", code.trim_end()));
        let roomy = Options {
            size: Size::Budget(9_000),
            ..options
        };
        let whole = shorten_all(&root, &all, &roomy, &cancel).unwrap();
        assert_eq!(
            whole.text,
            format!("⋯ b c.rs\n{}\n⋯ a.log\n{log}", code.trim_end())
        );
        assert_eq!(
            shorten_all(&root, &[], &roomy, &cancel).unwrap_err().code,
            "no_target"
        );
    }
}
