use super::output::Output;
use crate::error::Result;
use crate::run::bench::bench;
use crate::workspace::{Cancel, Root};
use clap::{Args, Subcommand};

/// Measure the tokens that trimtab saves on a source tree
#[derive(Args)]
pub struct Command {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Find a definition, have its lines in view, change one line: in four ways
    Tasks {
        /// How many definitions of the tree
        #[arg(long, value_name = "N", default_value_t = 40)]
        actions: usize,
    },
}

impl Command {
    pub fn run(self, root: &Root, cancel: &Cancel, out: &Output) -> Result<u8> {
        let What::Tasks { actions } = self.what;
        let bar = out.progress("actions");
        let report = bench(root, actions, cancel, |done| {
            bar.set_message(format!("{done} of {actions}"));
        });
        bar.finish_and_clear();
        let report = report?;
        if out.is_json() {
            out.value(&report);
        } else {
            out.text(&report.render());
        }
        Ok(0)
    }
}
