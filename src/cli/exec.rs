use super::compact::{How, print};
use super::output::Output;
use crate::compact::{Size, compact_stored};
use crate::error::Result;
use crate::run::run_command;
use crate::workspace::{Root, Store};
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
        let words: Vec<_> = self.command.iter().map(|w| w.to_string_lossy()).collect();
        let label = words.join(" ");
        let bar = out.progress(&label);
        let mut bytes = 0;
        let ran = run_command(&self.command, |chunk| {
            bytes += chunk.len();
            bar.set_message(format!("{} KiB", bytes / 1024));
        });
        bar.finish_and_clear();
        let ran = ran?;
        let store = Store::for_root(root)?;
        let short = compact_stored(
            &ran.output,
            &self.how.options(None, Size::Budget(BUDGET)),
            &store,
            &label,
        )?;
        print(&short, out);
        Ok(ran.status)
    }
}
