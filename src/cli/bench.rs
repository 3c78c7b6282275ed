use super::output::Output;
use crate::error::{Error, Result};
use crate::run::bench::{
    self, Overall, Policy, Prices, ReplayOptions, Report, bench, latency, read_sessions,
};
use crate::workspace::{Cancel, Root, State};
use clap::{Args, Subcommand};
use std::path::{Path, PathBuf};

/// Measure the tokens that trimtab saves
#[derive(Args)]
pub struct Command {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Find a definition, have its lines in view, change one line: in five ways
    Tasks {
        /// How many definitions of the tree
        #[arg(long, value_name = "N", default_value_t = 40)]
        actions: usize,
    },
    /// Charge recorded sessions twice: as recorded, and through trimtab
    Replay {
        /// Transcripts of Claude Code, trajectories of SWE-agent or message logs
        sessions: PathBuf,
        /// The folder of git repositories that hold the sessions' commits
        #[arg(long, value_name = "DIR")]
        repos: PathBuf,
        #[command(flatten)]
        how: How,
    },
    /// All that can be measured here, as an HTML report with JSON beside it
    All {
        /// How many definitions of the tree
        #[arg(long, value_name = "N", default_value_t = 40)]
        actions: usize,
        /// Recorded sessions, as in `replay`
        #[arg(long, value_name = "PATH", requires = "repos")]
        sessions: Option<PathBuf>,
        /// The folder of their git repositories
        #[arg(long, value_name = "DIR")]
        repos: Option<PathBuf>,
        /// The report's file
        #[arg(long, value_name = "FILE", default_value = "trimtab-bench.html")]
        report: PathBuf,
        #[command(flatten)]
        how: How,
    },
}

/// Which sessions to replay, and how.
#[derive(Args)]
pub struct How {
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
                let report = tasks(root, actions, cancel, out)?;
                if out.is_json() {
                    out.value(&report);
                } else {
                    out.text(&report.render());
                }
            }
            What::Replay {
                sessions,
                repos,
                how,
            } => {
                let replay = how.replay(&sessions, &repos, root, cancel, out)?;
                if out.is_json() {
                    out.value(&replay);
                } else {
                    out.text(&replay.render());
                }
            }
            What::All {
                actions,
                sessions,
                repos,
                report,
                how,
            } => {
                let replay = match (&sessions, &repos) {
                    (Some(sessions), Some(repos)) => {
                        Some(how.replay(sessions, repos, root, cancel, out)?)
                    }
                    _ => None,
                };
                let tasks = match tasks(root, actions, cancel, out) {
                    Err(e) if e.code == "no_actions" => {
                        out.note(&e.message);
                        None
                    }
                    tasks => Some(tasks?),
                };
                let place = State::cache_dir(root)?.join("bench");
                let all = Overall {
                    version: env!("CARGO_PKG_VERSION"),
                    commands: vec![command_line()],
                    tasks,
                    replay,
                    latency: latency(root, &place, cancel)?,
                };
                write_report(&report, &all, out)?;
            }
        }
        Ok(0)
    }
}

fn tasks(root: &Root, actions: usize, cancel: &Cancel, out: &Output) -> Result<Report> {
    let bar = out.bar("actions", actions);
    let report = bench(root, actions, cancel, |done| bar.set_position(done as u64));
    bar.finish_and_clear();
    report
}

/// This process's command line, as a shell reads it.
fn command_line() -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./=:+,@".contains(c);
    let words = std::env::args().enumerate().map(|(n, word)| match n {
        0 => "trimtab".to_string(),
        _ if !word.is_empty() && word.chars().all(plain) => word,
        _ => format!("'{}'", word.replace('\'', "'\\''")),
    });
    words.collect::<Vec<_>>().join(" ")
}

fn write_report(path: &Path, all: &Overall, out: &Output) -> Result<()> {
    let json = serde_json::to_string(all).map_err(|e| {
        Error::failure(
            "no_report",
            format!("The report has no JSON form: {e}."),
            "",
        )
    })?;
    let write = |path: &Path, text: &str| {
        std::fs::write(path, text).map_err(|e| {
            Error::failure(
                "no_report",
                format!("{} cannot be written: {e}.", path.display()),
                "Name another file with --report.",
            )
        })
    };
    let beside = path.with_extension("json");
    write(&beside, &json)?;
    #[cfg(feature = "report")]
    write(path, &bench::html(all)?)?;
    #[cfg(not(feature = "report"))]
    out.note("this build has no HTML reports (feature `report`)");
    if out.is_json() {
        out.text(&json);
    } else {
        if let Some(sum) = all.replay.as_ref().and_then(|r| r.sums.first()) {
            out.line(&sum.headline());
        }
        if cfg!(feature = "report") {
            out.line(&path.display().to_string());
        }
        out.line(&beside.display().to_string());
    }
    Ok(())
}

impl How {
    fn replay(
        &self,
        sessions: &Path,
        repos: &Path,
        root: &Root,
        cancel: &Cancel,
        out: &Output,
    ) -> Result<bench::Replay> {
        let mut sessions = read_sessions(sessions, |e| out.note(&e.to_string()))?;
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
            repos: repos.to_path_buf(),
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
        let bar = out.bar("sessions", sessions.len());
        let replay = bench::replay(&sessions, &options, cancel, &|done| {
            bar.set_position(done as u64);
        });
        bar.finish_and_clear();
        replay
    }
}
