use super::output::Output;
use crate::error::{Error, Result};
use crate::workspace::Root;
use crate::workspace::clients::{Client, FileChange, Places, Scope, Setup, command};
use clap::Args;
use serde_json::json;
use std::io::{self, BufRead, IsTerminal};

/// Register trimtab with a coding agent or editor, or take it out again
#[derive(Args)]
#[command(after_help = "\
Clients: claude, codex, opencode, gemini, cursor, vscode, zed, windsurf, cline,
claude-desktop. Without one, all that are installed here.")]
pub struct Command {
    /// The client to register with; by default all that are installed
    client: Option<String>,
    /// Edit the configuration in the root, shared with everyone who works there
    #[arg(long)]
    project: bool,
    /// Install a skill file and a paragraph of instructions for agents, too
    #[arg(long)]
    skill: bool,
    /// Pass long output of the client's shell through compact (Claude Code)
    #[arg(long)]
    with_hooks: bool,
    /// Take out what setup has written
    #[arg(long)]
    remove: bool,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
}

impl Command {
    pub fn run(self, root: &Root, out: &Output) -> Result<u8> {
        let places = Places::from_env();
        let scope = if self.project {
            Scope::Project
        } else {
            Scope::User
        };
        let setup = Setup {
            places: &places,
            root: root.dir(),
            scope,
            command: command(&places, scope)?,
            skill: self.skill,
            remove: self.remove,
        };
        if let Some(id) = &self.client {
            self.one(Client::by_id(id)?, &setup, out)?;
            return Ok(0);
        }
        let installed: Vec<&Client> = Client::all()
            .iter()
            .filter(|c| c.is_installed(&places))
            .collect();
        if installed.is_empty() {
            return Err(Error::not_found(
                "no_client",
                "No client that trimtab knows is installed here.",
                "Name one: `trimtab setup CLIENT`; `trimtab setup --help` lists them.",
            ));
        }
        for client in installed {
            match self.one(client, &setup, out) {
                // Asked for all, those without a file in a project are passed over.
                Err(e) if e.code == "no_project_scope" => out.note(&e.message),
                other => other?,
            }
        }
        Ok(0)
    }

    fn one(&self, client: &Client, setup: &Setup, out: &Output) -> Result<()> {
        let mut changes = client.plan(setup)?;
        if self.with_hooks || self.remove {
            match client.plan_hook(setup) {
                // Asked for all, those without hooks are registered without.
                Err(e) if e.code == "no_hooks" && self.client.is_none() => out.note(&e.message),
                other => changes.extend(other?),
            }
        }
        if changes.is_empty() {
            let state = if self.remove {
                "nothing of trimtab is there"
            } else {
                "already set up"
            };
            show(client, &changes, state, out);
            return Ok(());
        }
        if !self.yes {
            show(client, &changes, "not written yet", out);
            if !self.confirmed(client)? {
                out.note("Nothing was written.");
                return Ok(());
            }
        }
        for change in &changes {
            change.write()?;
        }
        if self.yes {
            let state = if self.remove { "removed" } else { "written" };
            show(client, &changes, state, out);
        }
        if !self.yes {
            out.note(if self.remove { "Removed." } else { "Written." });
        }
        if !self.remove {
            out.note(&client.then);
        }
        Ok(())
    }

    fn confirmed(&self, client: &Client) -> Result<bool> {
        if !io::stdin().is_terminal() {
            let mut same = format!("trimtab setup {} --yes", client.id);
            for (set, flag) in [
                (self.project, " --project"),
                (self.skill, " --skill"),
                (self.with_hooks, " --with-hooks"),
                (self.remove, " --remove"),
            ] {
                if set {
                    same.push_str(flag);
                }
            }
            return Err(Error::failure(
                "not_confirmed",
                "Nothing was written: nobody can be asked here.",
                format!("Run `{same}` to write it."),
            ));
        }
        anstream::eprint!("Write this for {}? [y/N] ", client.name);
        let mut answer = String::new();
        io::stdin()
            .lock()
            .read_line(&mut answer)
            .map_err(|e| Error::failure("not_confirmed", format!("No answer: {e}."), ""))?;
        let answer = answer.trim().to_ascii_lowercase();
        Ok(matches!(answer.as_str(), "y" | "yes"))
    }
}

fn show(client: &Client, changes: &[FileChange], state: &str, out: &Output) {
    if out.is_json() {
        let files: Vec<_> = changes
            .iter()
            .map(|c| json!({"path": c.path, "diff": c.diff()}))
            .collect();
        out.value(&json!({"client": client.id, "state": state, "files": files}));
        return;
    }
    out.line(&format!("{}: {state}", client.name));
    for change in changes {
        out.line(&change.path.display().to_string());
        out.line(&change.diff());
    }
}
