//! The door for people and scripts: one file per command, rendering only.

mod apply;
mod bench;
mod compact;
mod completions;
mod doctor;
mod exec;
mod expand;
mod hook;
mod mcp;
mod output;
mod run;
mod runs;
mod search;
mod setup;
mod trust;
mod undo;

use crate::error::Result;
use crate::workspace::{Cancel, Root, recover};
use clap::{Args, CommandFactory, Parser, Subcommand};
pub use mcp::{Http, Serve};
use output::Output;
use std::path::PathBuf;
use std::process::ExitCode;

/// Search, compact, apply and run for coding agents: fewer tokens, fewer turns,
/// no wrong edits. Deterministic; no model, no key, nothing leaves the machine.
#[derive(Parser)]
#[command(name = "trimtab", version, max_term_width = 100)]
#[command(after_help = "\
Exit status: 0 done, 1 nothing found, 2 usage or failure, 3 refused (nothing
written), 4 stopped by a cap (the partial result is printed).

Examples:
  trimtab search 'fn main' parse_args       ranked definitions for two queries
  trimtab run \"where are retries capped?\"   a task in plain words, to the code
  cargo test 2>&1 | trimtab compact --budget 2000
  trimtab apply src/a.rs --edit snippet.txt --dry-run
  trimtab setup claude                      register with a coding agent")]
struct Cli {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Command,
}

/// What every command takes.
#[derive(Args)]
struct Common {
    /// The folder that may be read and written
    #[arg(long, global = true, default_value = ".", value_name = "DIR")]
    root: PathBuf,
    /// Print one JSON value for machines
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Subcommand)]
enum Command {
    Search(search::Command),
    Run(run::Command),
    Runs(runs::Command),
    Compact(compact::Command),
    Exec(exec::Command),
    Expand(expand::Command),
    Apply(apply::Command),
    Undo(undo::Command),
    Trust(trust::Command),
    Mcp(mcp::Command),
    Setup(setup::Command),
    Doctor(doctor::Command),
    Bench(bench::Command),
    #[command(hide = true)]
    Hook(hook::Command),
    Completions(completions::Command),
    Man(completions::Man),
}

/// What is left to do after the command line was read.
pub enum Outcome {
    /// Nothing; the process ends with this status.
    Done(ExitCode),
    /// The other door is to be opened.
    Serve(Serve),
}

/// Runs the command line of this process.
pub fn main() -> Outcome {
    if let Some(plain) = mcp::plain(std::env::args_os()) {
        return match plain.serve() {
            Ok(serve) => Outcome::Serve(serve),
            Err(e) => Outcome::Done(Output::new(false).error(&e).into()),
        };
    }
    let cli = Cli::parse();
    let out = Output::new(cli.common.json);
    let outcome = match cli.command {
        Command::Completions(c) => Ok(Outcome::Done(c.run(Cli::command(), &out).into())),
        Command::Man(c) => c.run(Cli::command(), &out).map(|s| Outcome::Done(s.into())),
        Command::Hook(c) => Ok(Outcome::Done(c.run(&cli.common.root, &out).into())),
        Command::Mcp(c) => Root::open(&cli.common.root)
            .and_then(|root| c.serve(root))
            .map(Outcome::Serve),
        command => dispatch(command, &cli.common, &out).map(|s| Outcome::Done(s.into())),
    };
    outcome.unwrap_or_else(|e| Outcome::Done(out.error(&e).into()))
}

/// Shows where the server is reached, as standard output may be somebody else's.
pub fn listening(urls: &[String]) {
    for url in urls {
        Output::new(false).note(&format!("listening on {url}"));
    }
}

/// Shows how the server ended and gives the status to end with.
pub fn finish(served: Result<()>) -> ExitCode {
    match served {
        Ok(()) => ExitCode::SUCCESS,
        // Standard output belongs to the protocol.
        Err(e) => Output::new(false).error(&e).into(),
    }
}

fn dispatch(command: Command, common: &Common, out: &Output) -> Result<u8> {
    let root = Root::open(&common.root)?;
    let cancel = Cancel::new();
    if matches!(
        command,
        Command::Apply(_) | Command::Run(_) | Command::Undo(_)
    ) {
        for done in recover(&root)? {
            out.note(&done.to_string());
        }
    }
    match command {
        Command::Search(c) => c.run(&root, &cancel, out),
        Command::Bench(c) => c.run(&root, &cancel, out),
        Command::Compact(c) => c.run(&root, &cancel, out),
        Command::Exec(c) => c.run(&root, out),
        Command::Expand(c) => c.run(&root, &cancel, out),
        Command::Run(c) => c.run(&root, &cancel, out),
        Command::Apply(c) => c.run(&root, out),
        Command::Runs(c) => c.run(&root, &cancel, out),
        Command::Undo(c) => c.run(&root, out),
        Command::Trust(c) => c.run(&root, out),
        Command::Setup(c) => c.run(&root, out),
        Command::Doctor(c) => c.run(&root, &cancel, out),
        // Answered before any root is opened for a command.
        Command::Mcp(_) | Command::Completions(_) | Command::Man(_) | Command::Hook(_) => Ok(0),
    }
}
