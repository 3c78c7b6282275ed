use super::output::Output;
use crate::error::Result;
use crate::run::{CONFIG_FILE, commands, distrust, trust};
use crate::workspace::Root;
use clap::Args;

/// Let this root's own trimtab.toml run the commands that it names, as it is now
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
            out.line(&format!("{CONFIG_FILE} is no longer trusted"));
            return Ok(0);
        }
        let commands = commands(root)?;
        let hash = trust(root)?;
        if out.is_json() {
            out.value(
                &serde_json::json!({"file": CONFIG_FILE, "hash": hash, "commands": commands}),
            );
        } else {
            out.line(&format!(
                "{CONFIG_FILE} is trusted until it changes; it may run:"
            ));
            commands.iter().for_each(|c| out.line(&format!("  {c}")));
        }
        Ok(0)
    }
}
