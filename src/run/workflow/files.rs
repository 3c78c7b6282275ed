//! Where workflow files lie, and whether they are believed.

use super::plan::Plan;
use crate::error::{Error, Result};
use crate::run::config;
use crate::workspace::Root;
use std::fs;
use std::path::Path;

/// The folder of workflows in a root.
const FOLDER: &str = ".trimtab/workflows";

/// A workflow file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct File {
    /// Its name in messages and among what is trusted: relative to the root.
    pub path: String,
    pub text: String,
    /// Whether it is the user's own, which needs no trust.
    pub own: bool,
}

/// A workflow of a root, for `trimtab trust`.
pub(in crate::run) struct Listed {
    pub path: String,
    pub text: String,
    /// What it would do that needs trust, a line each; nothing for most.
    pub would: Vec<String>,
}

/// Finds a workflow by its name: in the root, else in the user's own folder.
///
/// # Errors
/// `bad_name`, `unknown_workflow` with those that there are.
pub(super) fn find(root: &Root, name: &str) -> Result<File> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if name.is_empty() || !name.chars().all(plain) {
        return Err(Error::failure(
            "bad_name",
            format!("{name:?} is no name of a workflow."),
            "Use letters, digits, - and _; the file is NAME.toml.",
        ));
    }
    let path = format!("{FOLDER}/{name}.toml");
    let file = root.resolve(&path)?;
    if let Some(text) = config::read(&file.abs)? {
        return Ok(File {
            path,
            text,
            own: false,
        });
    }
    let own = config::user_folder(root).map(|f| f.join("workflows"));
    if let Some(folder) = &own
        && let Some(text) = config::read(&folder.join(format!("{name}.toml")))?
    {
        return Ok(File {
            path: format!("{name}.toml"),
            text,
            own: true,
        });
    }
    let mut known = names(&root.dir().join(FOLDER));
    known.extend(own.iter().flat_map(|f| names(f)));
    known.sort();
    known.dedup();
    let next = match known.is_empty() {
        true => format!("Write it as {path}; docs/workflows.md shows how."),
        false => format!("There is {}.", known.join(", ")),
    };
    Err(Error::not_found(
        "unknown_workflow",
        format!("There is no workflow {name:?}."),
        next,
    ))
}

fn names(folder: &Path) -> Vec<String> {
    let mut out: Vec<String> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|e| {
            let name = e.file_name().to_string_lossy().into_owned();
            name.strip_suffix(".toml").map(String::from)
        })
        .collect();
    out.sort();
    out
}

/// The workflows of a root, by name; an error where one cannot be read, which is
/// then not to be trusted.
pub(in crate::run) fn list(root: &Root) -> Vec<Result<Listed>> {
    let listed = |name: String| {
        let file = find(root, &name)?;
        let would = Plan::read(&file.path, &file.text)?.trusted();
        Ok(Listed {
            path: file.path,
            text: file.text,
            would,
        })
    };
    let names = names(&root.dir().join(FOLDER));
    names.into_iter().map(listed).collect()
}
