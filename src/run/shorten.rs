use super::expand::{ExpandOptions, expand};
use crate::compact::{Compacted, Options, compact_stored};
use crate::error::Result;
use crate::workspace::{Cancel, Root, Store};

/// Shortens what `target` stands for, as [`expand`] reads it: a file, lines, a
/// definition, what a handle keeps. What is omitted goes to the root's store.
///
/// # Errors
/// As [`expand`] and [`compact_stored`].
pub fn shorten(root: &Root, target: &str, options: &Options, cancel: &Cancel) -> Result<Compacted> {
    let expanded = expand(root, target, &ExpandOptions::default(), cancel)?;
    let file = expanded.pieces.first().map(|p| p.source.clone());
    let options = Options {
        file: options.file.clone().or(file),
        ..options.clone()
    };
    let store = Store::for_root(root)?;
    compact_stored(&expanded.verbatim(), &options, &store, target.trim())
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
        // What was omitted can be looked through with another question.
        let again = short(&first.handle.unwrap()).unwrap();
        assert!(again.tokens <= 60);
        assert_eq!(short("none.log").unwrap_err().code, "no_such_file");
    }
}
