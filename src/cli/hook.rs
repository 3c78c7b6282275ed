use super::compact::stdin;
use super::output::Output;
use crate::error::Result;
use crate::run::after_tool;
use crate::workspace::Root;
use clap::{Args, ValueEnum};
use std::path::Path;

/// Answer a client's hook: called by clients, installed by `setup --with-hooks`
#[derive(Args)]
pub struct Command {
    /// The client that calls
    client: Client,
}

#[derive(Clone, Copy, ValueEnum)]
enum Client {
    Claude,
}

impl Command {
    pub fn run(self, root: &Path, out: &Output) -> u8 {
        let Client::Claude = self.client;
        let answer = || -> Result<Option<String>> { after_tool(&Root::open(root)?, &stdin()?) };
        match answer() {
            Ok(answer) => {
                if let Some(answer) = answer {
                    out.line(&answer);
                }
                0
            }
            Err(e) => {
                out.error(&e);
                // With 2 the client would take it for a word to its model.
                1
            }
        }
    }
}
