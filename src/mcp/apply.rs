//! The `apply` tool.

use super::tool::{Answer, Call, Tool};
use crate::apply::{self, ApplyOptions};
use crate::error::{Error, Result};
use schemars::JsonSchema;
use serde::Deserialize;

pub(super) struct Apply;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Arguments {
    path: Option<String>,
    /// The changed code only
    edit: Option<String>,
    /// Several files, all or nothing
    edits: Option<Vec<Edit>>,
    /// Only show the diff
    dry_run: Option<bool>,
    /// The edit is the whole file
    rewrite: Option<bool>,
}

/// One file's snippet. A patch or a diff names its files itself.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Edit {
    pub(super) path: String,
    pub(super) edit: String,
}

impl Tool for Apply {
    const NAME: &'static str = "apply";
    const DESCRIPTION: &'static str = "Edit or create files: merges a snippet of only the changed code, where a \
comment such as `// ... existing code ...` stands for unchanged lines; also takes diffs, patches and \
search/replace blocks. Checks the syntax, refuses rather than guesses, can be undone. Replaces \
str_replace and rewriting files.";
    const READ_ONLY: Option<&'static str> = None;
    const ONLY_READS: bool = false;
    type Arguments = Arguments;

    fn call(call: &Call, arguments: Arguments) -> Result<Answer> {
        let edits = match (arguments.edit, arguments.edits) {
            (Some(edit), None) => vec![Edit {
                path: arguments.path.unwrap_or_default(),
                edit,
            }],
            (None, Some(edits)) if arguments.path.is_none() => edits,
            _ => {
                return Err(Error::failure(
                    "bad_arguments",
                    "apply: either `path` and `edit` are wanted, or `edits`.",
                    "Give one file as `path` and `edit`, several as `edits`.",
                ));
            }
        };
        let edits: Vec<apply::Edit> = edits.into_iter().map(Into::into).collect();
        let options = ApplyOptions {
            dry_run: arguments.dry_run.unwrap_or_default(),
            allow_full_rewrite: arguments.rewrite.unwrap_or_default(),
        };
        call.cancel.check()?;
        let applied = apply::apply(&call.root, &edits, &options)?;
        let mut text = applied.summary();
        if options.dry_run {
            for file in &applied.files {
                text.push('\n');
                text.push_str(&file.diff);
            }
        }
        Ok(text.into())
    }
}

impl From<Edit> for apply::Edit {
    fn from(edit: Edit) -> Self {
        Self {
            path: edit.path,
            edit: edit.edit,
        }
    }
}
