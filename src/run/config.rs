//! What the user configured: commands that check an edit, other servers, models.
//!
//! The user's own file is believed. A repository's file is not, whoever opened the
//! repository: what it would run is left out until the user trusted it.

use super::retry::Policy;
use super::task::parse_time;
use super::trust_store::is_trusted;
use crate::error::{Error, Result};
use crate::workspace::{Root, Scope};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Name of the configuration in the user's folder and in a root.
pub const CONFIG_FILE: &str = "trimtab.toml";
/// Time of a check where none is given.
const DEFAULT_TIME: Duration = Duration::from_secs(60);

/// How long a write waits for approval where nothing else is said.
pub(super) const ASK_TIME: Duration = Duration::from_secs(7 * 86_400);
/// Time of one attempt to ask an endpoint, where none is given.
const ENDPOINT_TIME: Duration = Duration::from_secs(60);

/// Most tokens of an answer, where nothing else is said.
const ANSWER: u64 = 4_096;
/// Most tokens that a run may spend on models, where nothing else is said.
#[cfg_attr(not(feature = "model"), allow(dead_code))]
const MODEL_TOKENS: u64 = 200_000;

/// A command that checks the tree after an edit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Check {
    /// What it is called in results.
    pub name: String,
    /// Program and arguments; run in the root.
    pub command: Vec<String>,
    /// The files for which it is run, as in [`Scope::globs`]; all where empty.
    pub paths: Vec<String>,
    pub time: Duration,
    pub on_failure: OnFailure,
}

/// What becomes of an edit whose check fails.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum OnFailure {
    #[default]
    Keep,
    Rollback,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    check: Vec<CheckEntry>,
    #[serde(default)]
    server: BTreeMap<String, ServerEntry>,
    #[serde(default)]
    model: ModelEntry,
    #[serde(default)]
    memory: bool,
    #[serde(default)]
    approve: ApproveEntry,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum ApproveEntry {
    #[default]
    Never,
    Ask,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ServerEntry {
    command: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct ModelEntry {
    tokens: Option<u64>,
    #[serde(default)]
    endpoint: Vec<EndpointEntry>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct EndpointEntry {
    url: String,
    name: String,
    key: Option<String>,
    timeout: Option<String>,
    attempts: Option<u32>,
    answer: Option<u64>,
    #[serde(default)]
    answer_field: AnswerField,
}

/// How the field of a request is called that limits the answer: servers differ.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum AnswerField {
    #[default]
    MaxTokens,
    MaxCompletionTokens,
}

#[cfg_attr(not(feature = "model"), allow(dead_code))]
impl AnswerField {
    pub fn as_str(self) -> &'static str {
        match self {
            AnswerField::MaxTokens => "max_tokens",
            AnswerField::MaxCompletionTokens => "max_completion_tokens",
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CheckEntry {
    name: Option<String>,
    command: Vec<String>,
    #[serde(default)]
    paths: Vec<String>,
    timeout: Option<String>,
    #[serde(default)]
    on_failure: OnFailure,
}

/// The configuration that holds for a root.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(not(feature = "model"), allow(dead_code))]
pub(super) struct Config {
    pub checks: Vec<Check>,
    /// Programs of other MCP servers with their arguments, by name.
    pub servers: BTreeMap<String, Vec<String>>,
    /// Model endpoints in the order of preference.
    pub endpoints: Vec<Endpoint>,
    /// Most tokens that a run may spend on them.
    pub model_tokens: Option<u64>,
    /// Whether runs remember which files answered which task.
    pub memory: bool,
    /// Whether writes wait for approval where nothing else is said.
    pub ask: bool,
    /// What was left out, and why.
    pub notes: Vec<String>,
}

/// A model behind an address that speaks the chat completions protocol.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(not(feature = "model"), allow(dead_code))]
pub(super) struct Endpoint {
    /// Such as `http://localhost:8080/v1`; `/chat/completions` follows.
    pub url: String,
    /// The model's name there.
    pub name: String,
    /// The environment variable that holds the key.
    pub key: Option<String>,
    /// Most time of one attempt.
    pub timeout: Duration,
    pub attempts: u32,
    /// Most tokens of an answer.
    pub answer: u64,
    pub answer_field: AnswerField,
}

impl Endpoint {
    /// Model and host, for logs; what else an address may hold is left out.
    pub fn label(&self) -> String {
        let rest = self
            .url
            .split_once("://")
            .map_or(self.url.as_str(), |(_, rest)| rest);
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let host = host.rsplit('@').next().unwrap_or_default();
        format!("{} at {host}", self.name)
    }
}

impl Config {
    /// Most tokens that a run may spend on models.
    #[cfg_attr(not(feature = "model"), allow(dead_code))]
    pub fn model_tokens(&self) -> u64 {
        self.model_tokens.unwrap_or(MODEL_TOKENS)
    }

    /// What it would run, start or ask, a line each.
    pub fn would(&self) -> Vec<String> {
        let checks = self.checks.iter().map(|c| c.command.join(" "));
        let servers = self.servers.iter();
        let servers = servers.map(|(name, c)| format!("server {name}: {}", c.join(" ")));
        let endpoints = self
            .endpoints
            .iter()
            .map(|e| format!("endpoint {}", e.label()));
        checks.chain(servers).chain(endpoints).collect()
    }

    /// Such as `1 check, 2 servers`; empty where there is nothing.
    fn counted(&self) -> String {
        let parts = [
            (self.checks.len(), "check"),
            (self.servers.len(), "server"),
            (self.endpoints.len(), "endpoint"),
        ];
        let some = parts.iter().filter(|(n, _)| *n > 0);
        let words = some.map(|(n, what)| format!("{n} {what}{}", if *n == 1 { "" } else { "s" }));
        words.collect::<Vec<_>>().join(", ")
    }
}

/// How long a write waits for approval where the configuration says that writes do;
/// `None` where it does not, or cannot be read.
pub fn default_ask(root: &Root) -> Option<Duration> {
    load(root).ok()?.ask.then_some(ASK_TIME)
}

/// Reads the user's configuration and, as far as it is trusted, the repository's.
///
/// # Errors
/// `bad_config` with the line.
pub(super) fn load(root: &Root) -> Result<Config> {
    let mut config = Config::default();
    if let Some(path) = user_file(root)
        && let Some(text) = read(&path)?
    {
        config = parse(root, &text, &path.display().to_string())?;
    }
    let path = root.dir().join(CONFIG_FILE);
    if let Some(text) = read(&path)? {
        if is_trusted(root, CONFIG_FILE, &text) {
            let own = parse(root, &text, CONFIG_FILE)?;
            config.checks.extend(own.checks);
            for (name, command) in own.servers {
                config.servers.entry(name).or_insert(command);
            }
            config.endpoints.extend(own.endpoints);
            config.model_tokens = config.model_tokens.or(own.model_tokens);
            config.ask |= own.ask;
        } else {
            // What cannot be read would not be run either.
            let what = parse(root, &text, CONFIG_FILE).map_or("all".into(), |c| c.counted());
            if !what.is_empty() {
                config.notes.push(format!(
                    "{CONFIG_FILE}: {what} left out, the file is not trusted (`trimtab trust`)"
                ));
            }
        }
    }
    Ok(config)
}

impl Check {
    /// Whether it is to be run for a file.
    pub fn concerns(&self, root: &Root, path: &str) -> bool {
        if self.paths.is_empty() {
            return true;
        }
        let scope = Scope {
            globs: self.paths.clone(),
            hidden: true,
        };
        scope
            .overrides(root)
            .is_ok_and(|o| o.matched(path, false).is_whitelist())
    }
}

pub(super) fn parse(root: &Root, text: &str, name: &str) -> Result<Config> {
    let bad = |message: &str, line: usize| {
        Error::failure(
            "bad_config",
            format!("{name}, line {line}: {message}"),
            "Mend that line.",
        )
    };
    let file: File = toml::from_str(text).map_err(|e| {
        let at = e.span().map_or(0, |s| s.start);
        let line = crate::text::Lines::new(text).line_at(at);
        bad(e.message(), line)
    })?;
    // Values have no place of their own: their entry's is near enough.
    let heads = |head: &str| -> Vec<usize> {
        let lines = text.lines().enumerate();
        let heads = lines.filter(|(_, l)| l.trim_start().starts_with(head));
        heads.map(|(n, _)| n + 1).collect()
    };
    let entries = heads("[[check]]");
    let mut checks = Vec::with_capacity(file.check.len());
    for (i, entry) in file.check.into_iter().enumerate() {
        let line = entries.get(i).copied().unwrap_or(1);
        if entry.command.first().is_none_or(|c| c.trim().is_empty()) {
            return Err(bad("a check needs a command", line));
        }
        let time = match &entry.timeout {
            Some(time) => parse_time(time).map_err(|e| bad(&e.message, line))?,
            None => DEFAULT_TIME,
        };
        let check = Check {
            name: entry.name.unwrap_or_else(|| entry.command.join(" ")),
            command: entry.command,
            paths: entry.paths,
            time,
            on_failure: entry.on_failure,
        };
        let scope = Scope {
            globs: check.paths.clone(),
            hidden: true,
        };
        scope.overrides(root).map_err(|e| bad(&e.message, line))?;
        checks.push(check);
    }
    let mut servers = BTreeMap::new();
    for (server, entry) in file.server {
        if entry.command.first().is_none_or(|c| c.trim().is_empty()) {
            let line = heads(&format!("[server.{server}]"));
            return Err(bad(
                "a server needs a command",
                line.first().copied().unwrap_or(1),
            ));
        }
        servers.insert(server, entry.command);
    }
    let entries = heads("[[model.endpoint]]");
    let mut endpoints = Vec::new();
    for (i, entry) in file.model.endpoint.into_iter().enumerate() {
        let line = entries.get(i).copied().unwrap_or(1);
        if !entry.url.starts_with("http://") && !entry.url.starts_with("https://") {
            return Err(bad(
                "the url of an endpoint begins with http:// or https://",
                line,
            ));
        }
        let attempts = entry.attempts.unwrap_or(3);
        if !(1..=Policy::MOST).contains(&attempts) {
            return Err(bad("an endpoint has 1 to 10 attempts", line));
        }
        endpoints.push(Endpoint {
            url: entry.url,
            name: entry.name,
            key: entry.key,
            timeout: match &entry.timeout {
                Some(time) => parse_time(time).map_err(|e| bad(&e.message, line))?,
                None => ENDPOINT_TIME,
            },
            attempts,
            answer: entry.answer.unwrap_or(ANSWER).max(1),
            answer_field: entry.answer_field,
        });
    }
    Ok(Config {
        checks,
        servers,
        endpoints,
        model_tokens: file.model.tokens,
        memory: file.memory,
        ask: file.approve == ApproveEntry::Ask,
        notes: Vec::new(),
    })
}

/// The text of a file that may not be there.
pub(super) fn read(path: &Path) -> Result<Option<String>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(Error::failure(
            "bad_config",
            format!("{} cannot be read: {e}.", path.display()),
            "Make it a readable text file, or remove it.",
        )),
    }
}

/// The user's own configuration: `$XDG_CONFIG_HOME/trimtab/trimtab.toml`, by
/// default in `~/.config` (`%APPDATA%` on Windows).
fn user_file(root: &Root) -> Option<PathBuf> {
    Some(user_folder(root)?.join(CONFIG_FILE))
}

/// The folder of the user's own configuration and workflows.
pub(super) fn user_folder(root: &Root) -> Option<PathBuf> {
    let set = |name: &str| {
        env::var_os(name)
            .map(PathBuf::from)
            .filter(|p| p.is_absolute())
    };
    let base = match root.home() {
        Some(home) => home.join(".config"),
        None => set("XDG_CONFIG_HOME")
            .or_else(|| if cfg!(windows) { set("APPDATA") } else { None })
            .or_else(|| env::home_dir().map(|h| h.join(".config")))?,
    };
    Some(base.join("trimtab"))
}

#[cfg(test)]
mod tests {
    use super::super::trust::{distrust, trust};
    use super::*;

    fn place() -> (tempfile::TempDir, Root) {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("tree")).unwrap();
        fs::create_dir_all(dir.path().join(".config/trimtab")).unwrap();
        let root = Root::open(&dir.path().join("tree")).unwrap();
        let root = root.with_home(dir.path());
        (dir, root)
    }

    const CHECK: &str = "[[check]]\ncommand = [\"make\", \"check\"]\npaths = [\"*.c\"]\ntimeout = \"5s\"\non_failure = \"rollback\"\n";

    #[test]
    fn a_repository_is_believed_once_it_is_trusted_and_as_it_was() {
        let (dir, root) = place();
        assert_eq!(load(&root).unwrap(), Config::default());
        let own = root.dir().join(CONFIG_FILE);
        fs::write(&own, CHECK).unwrap();
        let config = load(&root).unwrap();
        assert_eq!(config.checks, []);
        assert!(config.notes[0].contains("1 check left out"), "{config:?}");

        trust(&root).unwrap();
        let config = load(&root).unwrap();
        assert_eq!(config.notes, Vec::<String>::new());
        let check = &config.checks[0];
        assert_eq!(check.name, "make check");
        assert_eq!(check.on_failure, OnFailure::Rollback);
        assert!(check.concerns(&root, "src/a.c") && !check.concerns(&root, "src/a.rs"));

        fs::write(&own, CHECK.replace("check\"]", "evil\"]")).unwrap();
        assert_eq!(load(&root).unwrap().checks, []);
        trust(&root).unwrap();
        distrust(&root).unwrap();
        assert_eq!(load(&root).unwrap().checks, []);

        fs::write(dir.path().join(".config/trimtab").join(CONFIG_FILE), CHECK).unwrap();
        assert_eq!(load(&root).unwrap().checks.len(), 1);
    }

    #[test]
    fn mistakes_are_named_with_their_line() {
        let (_d, root) = place();
        let wrong = |text: &str| parse(&root, text, "f").unwrap_err().message;
        assert!(
            wrong("\n[[check]]\ncommand = [\"x\"]\nshell = true\n")
                .starts_with("f, line 4: unknown field")
        );
        assert!(wrong("[[check]]\ncommand = \"x\"\n").starts_with("f, line 2:"));
        assert!(wrong("\n\n[[check]]\ncommand = []\n").starts_with("f, line 3: a check needs"));
        assert!(wrong("[[check]]\ncommand = [\"x\"]\ntimeout = \"soon\"\n").contains("no time"));
        assert!(wrong("[[check]]\ncommand = [\"x\"]\npaths = [\"[\"]\n").contains("glob"));
    }
}
