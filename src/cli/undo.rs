use super::output::Output;
use crate::error::Result;
use crate::workspace::{Root, history, undo};
use clap::Args;

/// Take an apply back, if its files are still as it left them
#[derive(Args)]
pub struct Command {
    /// The entry to take back, such as u12; by default the last one
    id: Option<String>,
    /// Show the entries of this root instead
    #[arg(long, conflicts_with = "id")]
    list: bool,
}

impl Command {
    pub fn run(self, root: &Root, out: &Output) -> Result<u8> {
        if self.list {
            let entries = history(root);
            if out.is_json() {
                out.value(&entries);
            }
            for e in entries.iter().filter(|_| !out.is_json()) {
                out.line(&format!("{}  {}  {}", e.id, e.label, e.files.join(" ")));
            }
            return Ok(u8::from(entries.is_empty()));
        }
        let entry = undo(root, self.id.as_deref())?;
        if out.is_json() {
            out.value(&entry);
        } else {
            let what = entry.undoes.as_deref().unwrap_or_default();
            out.line(&format!(
                "took back {what}: {} (undo {} brings it again)",
                entry.files.join(" "),
                entry.id
            ));
        }
        Ok(0)
    }
}
