use super::output::Output;
use crate::error::{Error, Result};
use clap::Args;
use clap_complete::Shell;

/// Print the completions of a shell
#[derive(Args)]
#[command(after_help = "\
Examples:
  trimtab completions bash > ~/.local/share/bash-completion/completions/trimtab
  trimtab completions zsh > ~/.zfunc/_trimtab
  trimtab completions fish > ~/.config/fish/completions/trimtab.fish")]
pub struct Command {
    /// The shell
    shell: Shell,
}

impl Command {
    pub fn run(self, mut cli: clap::Command, out: &Output) -> u8 {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut cli, "trimtab", &mut script);
        out.text(&String::from_utf8_lossy(&script));
        0
    }
}

/// Print the manual page; pages of the commands as roff for `man -l -`
#[derive(Args)]
pub struct Man {
    /// The command that the page is about; by default all of trimtab
    command: Option<String>,
}

impl Man {
    pub fn run(self, mut cli: clap::Command, out: &Output) -> Result<u8> {
        cli.build();
        let page = match &self.command {
            None => cli,
            Some(name) => cli.find_subcommand(name).cloned().ok_or_else(|| {
                Error::failure(
                    "unknown_command",
                    format!("There is no command {name:?}."),
                    "`trimtab --help` lists the commands.",
                )
            })?,
        };
        let mut roff = Vec::new();
        clap_mangen::Man::new(page)
            .render(&mut roff)
            .map_err(|e| Error::failure("internal", format!("No page: {e}."), ""))?;
        out.text(&String::from_utf8_lossy(&roff));
        Ok(0)
    }
}
