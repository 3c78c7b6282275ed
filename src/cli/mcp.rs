use super::Serve;
use crate::workspace::Root;
use clap::Args;

/// Serve the tools to an agent over the Model Context Protocol
#[derive(Args)]
pub struct Command {
    /// Leave out every way to write
    #[arg(long)]
    read_only: bool,
}

impl Command {
    pub fn serve(self, root: Root) -> Serve {
        Serve {
            root,
            read_only: self.read_only,
        }
    }
}
