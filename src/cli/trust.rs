use super::output::Output;
use crate::error::Result;
use crate::run::{distrust, trust};
use crate::workspace::Root;
use clap::Args;

/// Let this root's own trimtab.toml and workflows run what they name, as they are now
#[derive(Args)]
pub struct Command {
    /// Take that back
    #[arg(long)]
    revoke: bool,
}

impl Command {
    pub fn run(self, root: &Root, out: &Output) -> Result<u8> {
        if self.revoke {
            distrust(root)?;
            out.line("nothing of this root is trusted any longer");
            return Ok(0);
        }
        let trusted = trust(root)?;
        if out.is_json() {
            out.value(&trusted);
            return Ok(0);
        }
        for file in trusted {
            out.line(&format!(
                "{} is trusted until it changes; it may run:",
                file.file
            ));
            file.may
                .iter()
                .for_each(|what| out.line(&format!("  {what}")));
        }
        Ok(0)
    }
}
