//! The configuration files of MCP clients: where they lie, and one server's
//! entry set or removed in them with everything else left as it is.
//!
//! This is the one part of trimtab that reads and writes outside the root, and
//! only when the user asks for it. What differs between clients is data, in
//! `clients.toml`.

mod change;
mod guide;
mod hooks;
mod jsonc;
mod places;
mod setup;
mod tables;

pub use change::FileChange;
pub use places::Places;
pub use setup::{Scope, Setup};

use crate::error::{Error, Result};
use serde::Deserialize;
use serde_json::{Map, Value};
use setup::SERVER;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

const SKILL: &str = include_str!("skill.md");

/// A program that can start an MCP server.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Client {
    /// The word for it on the command line.
    pub id: String,
    #[serde(default)]
    aliases: Vec<String>,
    /// What it is called.
    pub name: String,
    format: Format,
    key: String,
    user: Vec<String>,
    project: Option<String>,
    found: Vec<String>,
    program: Option<String>,
    root: Option<String>,
    entry: Map<String, Value>,
    skills: Option<[String; 2]>,
    guide: Option<[String; 2]>,
    hooks: Option<hooks::Files>,
    /// What the user does after the entry was written, in a sentence.
    pub then: String,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Format {
    Json,
    Toml,
}

/// An entry that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registered {
    /// The file that holds it.
    pub file: PathBuf,
    /// The program that the client starts; empty if the entry names none.
    pub command: String,
}

impl Client {
    /// All clients, in the order in which they are shown.
    pub fn all() -> &'static [Client] {
        static ALL: OnceLock<Vec<Client>> = OnceLock::new();
        #[derive(Deserialize)]
        struct Data {
            client: Vec<Client>,
        }
        ALL.get_or_init(|| {
            // The data is part of the program and read by a test.
            toml::from_str(include_str!("clients.toml"))
                .map(|data: Data| data.client)
                .unwrap_or_default()
        })
    }

    /// The client of this name.
    ///
    /// # Errors
    /// `unknown_client`, with the names that exist.
    pub fn by_id(id: &str) -> Result<&'static Client> {
        let id = id.to_ascii_lowercase();
        Self::all()
            .iter()
            .find(|c| c.id == id || c.aliases.contains(&id))
            .ok_or_else(|| {
                let ids: Vec<&str> = Self::all().iter().map(|c| c.id.as_str()).collect();
                Error::failure(
                    "unknown_client",
                    format!("There is no client {id:?}."),
                    format!("Use one of {}.", ids.join(", ")),
                )
            })
    }

    /// Whether the client seems to be installed.
    pub fn is_installed(&self, places: &Places) -> bool {
        self.found
            .iter()
            .filter_map(|p| places.expand(p))
            .any(|p| p.exists())
            || self
                .program
                .as_deref()
                .is_some_and(|p| places.has_program(p))
    }

    /// The entries of trimtab in the client's files.
    pub fn registered(&self, places: &Places, root: &Path) -> Vec<Registered> {
        [Scope::User, Scope::Project]
            .into_iter()
            .filter_map(|scope| self.file(places, root, scope).ok())
            .filter_map(|file| {
                let text = std::fs::read_to_string(&file).ok()?;
                let path = [self.key.as_str(), SERVER];
                let entry = match self.format {
                    Format::Json => jsonc::get(&text, &path),
                    Format::Toml => tables::get(&text, &path),
                }?;
                let command = entry.get("command").and_then(|c| match c {
                    Value::Array(line) => line.first().and_then(Value::as_str),
                    other => other.as_str(),
                });
                let command = command.unwrap_or_default().to_owned();
                Some(Registered { file, command })
            })
            .collect()
    }

    /// The files that have to change; those that are right already are left out.
    ///
    /// # Errors
    /// `no_project_scope` where the client has no file in a project; `bad_config`
    /// where a file cannot be understood, so that it is left alone; `unreadable`.
    pub fn plan(&self, setup: &Setup) -> Result<Vec<FileChange>> {
        let mut changes = Vec::new();
        let file = self.file(setup.places, setup.root, setup.scope)?;
        changes.push(FileChange::of(file, |path, text| {
            self.edit(path, text, setup).map(Some)
        })?);
        let index = usize::from(setup.scope == Scope::Project);
        if setup.skill || setup.remove {
            if let Some(folder) = self.place(setup, self.skills.as_ref().map(|s| &s[index])) {
                let file = folder.join(SERVER).join("SKILL.md");
                changes.push(FileChange::of(file, |_, _| {
                    Ok((!setup.remove).then(|| SKILL.to_owned()))
                })?);
            }
            if let Some(file) = self.place(setup, self.guide.as_ref().map(|g| &g[index])) {
                changes.push(FileChange::of(file, |_, text| {
                    Ok(guide::edit(text, setup.remove))
                })?);
            }
        }
        changes.retain(FileChange::is_needed);
        Ok(changes)
    }

    /// The change that adds the hook, or with `setup.remove` takes it out; none
    /// where it is right already.
    ///
    /// # Errors
    /// `no_hooks` where the client has no such hooks; `bad_config` and
    /// `unreadable` as [`Client::plan`].
    pub fn plan_hook(&self, setup: &Setup) -> Result<Option<FileChange>> {
        let Some(files) = &self.hooks else {
            if setup.remove {
                return Ok(None);
            }
            return Err(Error::failure(
                "no_hooks",
                format!("{} cannot pass its output through a hook.", self.name),
                "Leave out `--with-hooks`.",
            ));
        };
        hooks::plan(files, setup, &self.name)
    }

    fn place(&self, setup: &Setup, pattern: Option<&String>) -> Option<PathBuf> {
        let pattern = pattern.filter(|p| !p.is_empty())?;
        match setup.scope {
            Scope::User => setup.places.expand(pattern),
            Scope::Project => Some(setup.root.join(pattern)),
        }
    }

    /// The configuration file, whether it exists or not.
    fn file(&self, places: &Places, root: &Path, scope: Scope) -> Result<PathBuf> {
        match scope {
            Scope::User => {
                let mut files = self.user.iter().filter_map(|p| places.expand(p));
                let first = files.next();
                let existing = first
                    .iter()
                    .cloned()
                    .chain(files)
                    .find(|file| file.exists());
                existing.or(first).ok_or_else(|| {
                    Error::failure(
                        "no_home",
                        format!("The settings folder of {} is not known.", self.name),
                        "Set HOME, or use `--project`.",
                    )
                })
            }
            Scope::Project => self.project.as_ref().map(|p| root.join(p)).ok_or_else(|| {
                Error::failure(
                    "no_project_scope",
                    format!("{} has no configuration in a project.", self.name),
                    "Leave out `--project`.",
                )
            }),
        }
    }

    fn edit(&self, file: &Path, text: &str, setup: &Setup) -> Result<String> {
        let path = [self.key.as_str(), SERVER];
        let entry = self.entry(setup);
        match (self.format, setup.remove) {
            (Format::Json, false) => jsonc::set(text, &path, &entry),
            (Format::Json, true) => jsonc::remove(text, &path),
            (Format::Toml, false) => tables::set(text, &path, &entry),
            (Format::Toml, true) => tables::remove(text, &path),
        }
        .map_err(|e| {
            Error::failure(
                "bad_config",
                format!(
                    "{} cannot be edited: line {} should hold {}.",
                    file.display(),
                    e.line,
                    e.expected
                ),
                "Mend the file, then run this again; nothing was changed.",
            )
        })
    }

    /// The entry with its blanks filled in.
    fn entry(&self, setup: &Setup) -> Value {
        let mut args = vec!["mcp".to_owned()];
        if let Some(root) = &self.root {
            args.push("--root".to_owned());
            args.push(root.replace("$root", &setup.root.to_string_lossy()));
        }
        let mut line = vec![setup.command.clone()];
        line.extend(args.iter().cloned());
        let filled = self.entry.iter().map(|(key, value)| {
            let value = match value.as_str() {
                Some("$command") => Value::from(setup.command.as_str()),
                Some("$args") => Value::from(args.clone()),
                Some("$line") => Value::from(line.clone()),
                _ => value.clone(),
            };
            (key.clone(), value)
        });
        Value::Object(filled.collect())
    }
}

/// The program as a client shall start it: by name where the file is shared
/// with others, else by path, because clients with windows often do not have
/// the user's search path.
///
/// # Errors
/// `no_program` if this process does not know where it lies.
pub fn command(places: &Places, scope: Scope) -> Result<String> {
    if scope == Scope::Project {
        return Ok(SERVER.to_owned());
    }
    let own = std::env::current_exe().map_err(|e| {
        Error::failure(
            "no_program",
            format!("The path of trimtab is not known: {e}."),
            "Use `--project`, and see to it that trimtab is on the search path.",
        )
    })?;
    // A link on the search path stays right when the program is updated.
    let linked = places.find_program(SERVER).filter(
        |found| matches!((found.canonicalize(), own.canonicalize()), (Ok(a), Ok(b)) if a == b),
    );
    Ok(linked.unwrap_or(own).to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests;
