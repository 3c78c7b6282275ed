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
        let done = trust(root)?;
        let status = done.left_out.first().map_or(0, |e| e.status);
        if out.is_json() {
            out.value(&done);
            return Ok(status);
        }
        for file in done.trusted {
            out.line(&format!(
                "{} is trusted until it changes; it may run:",
                file.file
            ));
            file.may
                .iter()
                .for_each(|what| out.line(&format!("  {what}")));
        }
        for wrong in done.left_out {
            out.note(&format!("not trusted: {}: {}", wrong.code, wrong.message));
        }
        Ok(status)
    }
}
