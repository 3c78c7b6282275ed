use super::compact::{How, print};
use super::output::Output;
use crate::compact::Size;
use crate::error::Result;
use crate::run::run_command;
use crate::workspace::Root;
use clap::Args;
use std::ffi::OsString;

/// Tokens printed where no size is asked for.
const BUDGET: usize = 2_000;

/// Run a command; print its output compacted (by default to 2,000 tokens) and
/// keep its exit status
#[derive(Args)]
pub struct Command {
    #[command(flatten)]
    how: How,
    /// The command and its arguments
    #[arg(last = true, required = true, value_name = "CMD")]
    command: Vec<OsString>,
}

impl Command {
    pub fn run(self, root: &Root, out: &Output) -> Result<u8> {
        let program = self.command.first().map(|w| w.to_string_lossy());
        let progress = out.pulse(&program.unwrap_or_default());
        let options = self.how.options(None, Size::Budget(BUDGET));
        let ran = run_command(root, &self.command, &options, |bytes| {
            progress.tell(|| format!("{} KiB", bytes / 1024));
        });
        progress.finish();
        let ran = ran?;
        print(&ran.output, out);
        Ok(ran.status)
    }
}
