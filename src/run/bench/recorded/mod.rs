//! Recorded sessions: who said what, which tools were called, what they answered.
//!
//! Three forms are read: transcripts of Claude Code (one JSON object on a line),
//! trajectories of SWE-agent (`.traj`) and logs of chat messages with tool calls
//! as OpenAI's interface has them. Each call is read as an [`Action`], by the names
//! of its tool and arguments or by the shell command it ran, so that what follows
//! need not know the form.

mod action;
mod call;
mod claude;
mod messages;
mod session;
mod shell;
mod swe_agent;

pub use action::{Action, Search};
pub use session::{Call, Format, Session, Turn};

use crate::error::{Error, Result};
use rayon::prelude::*;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The repository and commit of a session that does not name them itself.
#[derive(Debug, Clone, Deserialize)]
struct Origin {
    repo: String,
    commit: String,
}

/// A file beside the sessions that names repository and commit of those that do
/// not: `{"SESSION": {"repo": "owner/name", "commit": "…"}}`.
const ORIGINS: &str = "origins.json";

/// Reads one session, in whichever form it is. Parts that cannot be read, such as
/// a line that was cut off, are left out.
///
/// # Errors
/// `not_a_session` where the text has none of the forms.
pub fn read_session(id: &str, text: &str) -> Result<Session> {
    let found = match serde_json::from_str::<Value>(text) {
        Ok(value) if value.get("trajectory").is_some_and(Value::is_array) => {
            swe_agent::read(id, &value)
        }
        Ok(value) => messages::read(id, &value),
        Err(_) => {
            let lines: Vec<Value> = text
                .lines()
                .filter_map(|line| serde_json::from_str(line).ok())
                .collect();
            if lines.iter().any(|l| l.get("message").is_some()) {
                claude::read(id, &lines)
            } else {
                messages::read(id, &Value::Array(lines))
            }
        }
    };
    found
        .filter(|s| s.turns.iter().any(|t| !t.calls.is_empty()))
        .ok_or_else(|| {
            Error::failure(
                "not_a_session",
                format!("{id} is no transcript, trajectory or message log with tool calls."),
                "Give Claude Code transcripts (.jsonl), SWE-agent trajectories (.traj) or message logs.",
            )
        })
}

/// Reads a session file, or all of a folder and the folders in it, in the order of
/// their names. `skipped` is told of files that look like sessions and are none.
///
/// # Errors
/// `no_sessions` where there is none, and `unreadable`.
pub fn read_sessions(path: &Path, mut skipped: impl FnMut(&Error)) -> Result<Vec<Session>> {
    let mut files = Vec::new();
    find(path, &mut files).map_err(|e| {
        Error::failure(
            "unreadable",
            format!("{} cannot be read: {e}.", path.display()),
            "Name a session file or a folder of them.",
        )
    })?;
    files.sort();
    let read: Vec<(&PathBuf, Result<Session>)> = files
        .par_iter()
        .filter_map(|file| {
            let id = file
                .file_stem()
                .map(|s| s.to_string_lossy().into_owned())
                .unwrap_or_default();
            let bytes = std::fs::read(file).ok()?;
            Some((file, read_session(&id, &String::from_utf8_lossy(&bytes))))
        })
        .collect();
    let mut sessions = Vec::new();
    let mut origins: BTreeMap<PathBuf, BTreeMap<String, Origin>> = BTreeMap::new();
    for (file, session) in read {
        match session {
            Ok(mut session) => {
                let folder = file.parent().unwrap_or(Path::new(".")).to_path_buf();
                let known = origins.entry(folder.clone()).or_insert_with(|| {
                    std::fs::read(folder.join(ORIGINS))
                        .ok()
                        .and_then(|b| serde_json::from_slice(&b).ok())
                        .unwrap_or_default()
                });
                if let Some(origin) = known.get(&session.id) {
                    session.repo = Some(origin.repo.clone());
                    session.commit = Some(origin.commit.clone());
                }
                sessions.push(session);
            }
            Err(e) => skipped(&e),
        }
    }
    if sessions.is_empty() {
        return Err(Error::not_found(
            "no_sessions",
            format!("{} holds no session that can be read.", path.display()),
            "Give Claude Code transcripts (.jsonl), SWE-agent trajectories (.traj) or message logs.",
        ));
    }
    Ok(sessions)
}

fn find(path: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    if path.is_file() {
        files.push(path.to_path_buf());
        return Ok(());
    }
    for entry in std::fs::read_dir(path)? {
        let entry = entry?.path();
        let ending = entry.extension().and_then(|e| e.to_str());
        if entry.is_dir() {
            find(&entry, files)?;
        } else if matches!(ending, Some("jsonl" | "json" | "traj"))
            && entry.file_name().is_none_or(|n| n != ORIGINS)
        {
            files.push(entry);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_session_is_refused() {
        for text in ["", "{}", "plain words", "[1,2]", r#"{"messages":[]}"#] {
            assert_eq!(read_session("x", text).unwrap_err().code, "not_a_session");
        }
    }
}
