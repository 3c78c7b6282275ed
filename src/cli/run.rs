use super::output::Output;
use crate::error::{Error, Result};
use crate::run::{
    Caps, DEFAULT_STEPS, DEFAULT_TIMEOUT, Edit, Outcome, Planner, Progress, Task, WorkflowRequest,
    default_ask, parse_time, resume, run, run_workflow,
};
use crate::workspace::{Cancel, Root};
use clap::Args;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

/// Do a task in plain words: find the code it is about, apply and check edits
#[derive(Args)]
pub struct Command {
    /// The task: an issue, a question or a change
    #[arg(required_unless_present_any = ["task_file", "edit", "resume", "workflow"])]
    task: Option<String>,
    /// Read the task from a file
    #[arg(long, value_name = "F", conflicts_with = "task")]
    task_file: Option<PathBuf>,
    /// At most this many o200k tokens of output
    #[arg(long, value_name = "N")]
    budget: Option<usize>,
    /// Fill the budget, in rank order, instead of stopping where more is not worth it
    #[arg(long)]
    fill: bool,
    /// At most this many steps, up to 50 [default: 6]
    #[arg(long, value_name = "N")]
    max_steps: Option<usize>,
    /// At most this much time, such as 30s or 2m [default: 30s]
    #[arg(long, value_name = "TIME")]
    timeout: Option<String>,
    /// Apply the snippet in a file to PATH; several are all or nothing
    #[arg(long, value_name = "PATH=SNIPPET_FILE")]
    edit: Vec<String>,
    /// Show what the edits would change and write nothing
    #[arg(long)]
    dry_run: bool,
    /// Whether a write waits until `trimtab runs approve` lets it pass [default:
    /// `approve` of your trimtab.toml, or never]
    #[arg(long, value_enum, value_name = "WHEN")]
    approve: Option<Approve>,
    /// How long such a write may wait
    #[arg(long, value_name = "TIME", default_value = "7d")]
    approve_within: String,
    /// Refuse to write while another run of this root does, instead of waiting
    #[arg(long)]
    no_wait: bool,
    /// Who chooses what is searched
    #[arg(long, value_enum, default_value = "built-in", value_name = "WHO")]
    planner: Who,
    /// Run .trimtab/workflows/NAME.toml; the task is its input `task`
    #[arg(long, value_name = "NAME", conflicts_with_all = ["edit", "fill", "resume"])]
    workflow: Option<String>,
    /// An input of the workflow
    #[arg(long, value_name = "NAME=VALUE", requires = "workflow")]
    set: Vec<String>,
    /// Go on with a run that was cut short; see `trimtab runs`
    #[arg(long, value_name = "ID", conflicts_with_all = ["task", "task_file", "edit", "fill", "budget", "dry_run"])]
    resume: Option<String>,
    /// Take the steps of a workflow again that failed, and what was skipped for them
    #[arg(long, requires = "resume")]
    failed: bool,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Who {
    /// The program itself
    BuiltIn,
    /// The model of your trimtab.toml
    Model,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Approve {
    /// Writes are made at once
    Never,
    /// Writes wait
    Ask,
}

impl Command {
    pub fn run(self, root: &Root, cancel: &Cancel, out: &Output) -> Result<u8> {
        let timeout = self.timeout.as_deref().map(parse_time).transpose()?;
        if let Some(id) = &self.resume {
            let caps = Caps {
                max_steps: self.max_steps,
                timeout,
                failed: self.failed,
            };
            return show(out, |progress| resume(root, id, caps, cancel, progress));
        }
        if let Some(name) = &self.workflow {
            let request = self.request(root, name, timeout)?;
            return show(out, |progress| {
                run_workflow(root, &request, cancel, progress)
            });
        }
        let task = self.task(root, timeout)?;
        show(out, |progress| run(root, &task, cancel, progress))
    }

    fn text(&self) -> Result<String> {
        match &self.task_file {
            Some(path) => read(path),
            None => Ok(self.task.clone().unwrap_or_default()),
        }
    }

    fn ask(&self, root: &Root) -> Result<Option<Duration>> {
        match self.approve {
            Some(Approve::Ask) => parse_time(&self.approve_within).map(Some),
            Some(Approve::Never) => Ok(None),
            None => Ok(default_ask(root)),
        }
    }

    fn request(
        &self,
        root: &Root,
        name: &str,
        timeout: Option<Duration>,
    ) -> Result<WorkflowRequest> {
        Ok(WorkflowRequest {
            name: name.to_string(),
            set: self.set.clone(),
            task: self.text()?,
            budget: self.budget,
            max_steps: self.max_steps,
            timeout,
            ask: self.ask(root)?,
            dry_run: self.dry_run,
            wait: !self.no_wait,
        })
    }

    fn task(&self, root: &Root, timeout: Option<Duration>) -> Result<Task> {
        Ok(Task {
            text: self.text()?,
            budget: self.budget,
            fill: self.fill,
            max_steps: self.max_steps.unwrap_or(DEFAULT_STEPS),
            timeout: timeout.unwrap_or(DEFAULT_TIMEOUT),
            edits: self
                .edit
                .iter()
                .map(|arg| edit(arg))
                .collect::<Result<_>>()?,
            dry_run: self.dry_run,
            memory: Vec::new(),
            wait: !self.no_wait,
            planner: match self.planner {
                Who::BuiltIn => Planner::BuiltIn,
                Who::Model => Planner::Model,
            },
            ask: self.ask(root)?,
        })
    }
}

/// Takes a run's steps behind a progress line and prints what it came to.
pub(super) fn show(
    out: &Output,
    work: impl FnOnce(&mut dyn FnMut(Progress<'_>)) -> Result<Outcome>,
) -> Result<u8> {
    let bar = out.progress("run");
    let outcome = work(&mut |p| {
        bar.set_message(format!("step {} of at most {}: {}", p.step, p.cap, p.name));
    });
    bar.finish_and_clear();
    let outcome = outcome?;
    if out.is_json() {
        out.value(&outcome);
    } else {
        out.text(outcome.render());
    }
    Ok(outcome.exit_status())
}

fn edit(argument: &str) -> Result<Edit> {
    let (path, file) = argument.split_once('=').ok_or_else(|| {
        Error::failure(
            "bad_edit",
            format!("{argument:?} names no snippet file."),
            "Write it as PATH=SNIPPET_FILE.",
        )
    })?;
    Ok(Edit {
        path: path.to_string(),
        edit: read(&PathBuf::from(file))?,
    })
}

/// Reads a file that the user named; it may lie anywhere.
fn read(path: &PathBuf) -> Result<String> {
    fs::read_to_string(path).map_err(|e| {
        Error::failure(
            "unreadable",
            format!("{} cannot be read: {e}.", path.display()),
            "Name a readable text file.",
        )
    })
}
