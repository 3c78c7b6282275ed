use super::output::Output;
use crate::error::{Error, Result};
use crate::run::bench::{self, Policy, Prices, ReplayOptions, bench, read_sessions};
use crate::workspace::{Cancel, Root, State};
use clap::{Args, Subcommand};
use std::path::PathBuf;

/// Measure the tokens that trimtab saves
#[derive(Args)]
pub struct Command {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Find a definition, have its lines in view, change one line: in several ways
    Tasks {
        /// How many definitions of the tree
        #[arg(long, value_name = "N", default_value_t = 40)]
        actions: usize,
    },
    /// Charge recorded sessions twice: as recorded, and through trimtab
    Replay(Replay),
}

/// What to replay, and how.
#[derive(Args)]
pub struct Replay {
    /// Transcripts of Claude Code, trajectories of SWE-agent or message logs
    sessions: PathBuf,
    /// The folder of git repositories that hold the sessions' commits
    #[arg(long, value_name = "DIR")]
    repos: PathBuf,
    /// Only sessions on these repositories (owner/name)
    #[arg(long, value_name = "REPO")]
    only: Vec<String>,
    /// No sessions on these repositories, such as those used for tuning
    #[arg(long, value_name = "REPO")]
    without: Vec<String>,
    /// A TOML file of prices
    #[arg(long, value_name = "FILE")]
    prices: Option<PathBuf>,
    /// Which of its tables; the first by default
    #[arg(long, value_name = "NAME")]
    model: Option<String>,
    /// Seed of the resampling
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Budget of a search for lines, in tokens
    #[arg(long, value_name = "N", default_value_t = Policy::default().lines)]
    lines: usize,
    /// Budget of a search for files
    #[arg(long, value_name = "N", default_value_t = Policy::default().files)]
    files: usize,
    /// Budget of a list of files
    #[arg(long, value_name = "N", default_value_t = Policy::default().list)]
    list: usize,
    /// Budget of a whole file
    #[arg(long, value_name = "N", default_value_t = Policy::default().whole)]
    whole: usize,
    /// Budget of a command's output
    #[arg(long, value_name = "N", default_value_t = Policy::default().log)]
    log: usize,
}

impl Command {
    pub fn run(self, root: &Root, cancel: &Cancel, out: &Output) -> Result<u8> {
        match self.what {
            What::Tasks { actions } => {
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
            }
            What::Replay(what) => {
                let replay = what.replay(root, cancel, out)?;
                if out.is_json() {
                    out.value(&replay);
                } else {
                    out.text(&replay.render());
                }
            }
        }
        Ok(0)
    }
}

impl Replay {
    fn replay(&self, root: &Root, cancel: &Cancel, out: &Output) -> Result<bench::Replay> {
        let mut sessions = read_sessions(&self.sessions, |e| out.note(&e.to_string()))?;
        let named =
            |list: &[String], repo: &Option<String>| list.iter().any(|r| Some(r) == repo.as_ref());
        sessions.retain(|s| {
            (self.only.is_empty() || named(&self.only, &s.repo)) && !named(&self.without, &s.repo)
        });
        let prices = self
            .prices
            .as_ref()
            .map(std::fs::read_to_string)
            .transpose()
            .map_err(|e| {
                Error::failure(
                    "unreadable",
                    format!("The prices cannot be read: {e}."),
                    "Name a TOML file.",
                )
            })?;
        let options = ReplayOptions {
            repos: self.repos.clone(),
            place: State::cache_dir(root)?.join("bench"),
            policy: Policy {
                lines: self.lines,
                files: self.files,
                list: self.list,
                whole: self.whole,
                log: self.log,
            },
            prices: Prices::read(prices.as_deref(), self.model.as_deref())?,
            seed: self.seed,
        };
        let bar = out.progress("sessions");
        let total = sessions.len();
        let replay = bench::replay(&sessions, &options, cancel, &|done| {
            bar.set_message(format!("{done} of {total}"));
        });
        bar.finish_and_clear();
        replay
    }
}
