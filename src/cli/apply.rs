use super::compact::stdin;
use super::output::Output;
use crate::apply::{Applied, ApplyOptions, Edit, apply};
use crate::error::{Error, Result};
use crate::workspace::Root;
use clap::Args;
use std::fs;

/// Merge a lazy edit snippet, a diff or search/replace blocks into a file, or refuse
#[derive(Args)]
pub struct Command {
    /// The file to edit; not needed where the edit names its files
    #[arg(required_unless_present = "batch", conflicts_with = "batch")]
    path: Option<String>,
    /// The file that holds the snippet; it may lie anywhere; - is standard input
    #[arg(long, value_name = "FILE", required_unless_present = "batch")]
    edit: Option<String>,
    /// Edits of several files, all or nothing: JSON, [{"path": …, "edit": …}, …]
    #[arg(long, value_name = "FILE", conflicts_with = "edit")]
    batch: Option<String>,
    /// Show the diff and write nothing
    #[arg(long)]
    dry_run: bool,
    /// Print the merged file and write nothing
    #[arg(long, conflicts_with_all = ["dry_run", "batch"])]
    stdout: bool,
    /// Take a snippet without markers as the whole file: what it leaves out goes
    #[arg(long)]
    full_rewrite: bool,
    /// Say what fixed the place of each part of the snippet
    #[arg(short, long)]
    verbose: bool,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct BatchEdit {
    path: String,
    edit: String,
}

impl Command {
    pub fn run(self, root: &Root, out: &Output) -> Result<u8> {
        let edits = match &self.batch {
            Some(file) => batch(&read(file)?)?,
            None => vec![Edit {
                path: self.path.clone().unwrap_or_default(),
                edit: read(self.edit.as_deref().unwrap_or("-"))?,
            }],
        };
        let options = ApplyOptions {
            dry_run: self.dry_run || self.stdout,
            allow_full_rewrite: self.full_rewrite,
        };
        let applied = apply(root, &edits, &options)?;
        if self.stdout {
            for file in &applied.files {
                out.bytes(file.after.as_deref().unwrap_or_default());
            }
        } else if out.is_json() {
            out.value(&applied);
        } else {
            self.show(&applied, out);
        }
        Ok(0)
    }

    fn show(&self, applied: &Applied, out: &Output) {
        out.line(&applied.summary());
        for file in &applied.files {
            if self.dry_run {
                out.text(&file.diff);
            }
            for placed in file.placed.iter().filter(|_| self.verbose) {
                out.note(&placed.to_string());
            }
        }
    }
}

fn read(file: &str) -> Result<String> {
    if file == "-" {
        return stdin();
    }
    fs::read_to_string(file).map_err(|e| {
        Error::failure(
            "unreadable",
            format!("{file} cannot be read: {e}."),
            "Name a text file in UTF-8 that holds the edit.",
        )
    })
}

fn batch(text: &str) -> Result<Vec<Edit>> {
    let edits: Vec<BatchEdit> = serde_json::from_str(text).map_err(|e| {
        Error::failure(
            "bad_batch",
            format!("The batch is not a JSON list of edits: {e}."),
            "Write it as [{\"path\": \"src/a.rs\", \"edit\": \"…\"}, …].",
        )
    })?;
    Ok(edits
        .into_iter()
        .map(|e| Edit {
            path: e.path,
            edit: e.edit,
        })
        .collect())
}
