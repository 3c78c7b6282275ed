//! What could keep trimtab from working here, and what mends it.

use crate::error::Result;
use crate::workspace::clients::{Client, Places, Registered};
use crate::workspace::{self, Cancel, Root, Scope, Store, history, unfinished, walk};
use serde::Serialize;
use std::fs;
use std::path::Path;

/// Files beyond which a search is noticeably slow, mostly because something is
/// not ignored that should be.
const MANY_FILES: usize = 100_000;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// As it should be.
    Fine,
    /// Works, but could work better.
    Notice,
    /// Does not work.
    Wrong,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was looked at, in a word or two.
    pub what: String,
    /// How bad it is.
    pub state: State,
    /// What was found.
    pub found: String,
    /// The command or step that mends it; empty where nothing needs mending.
    pub mend: String,
}

impl Finding {
    fn new(what: &str, state: State, found: String, mend: &str) -> Self {
        Self {
            what: what.to_owned(),
            state,
            found,
            mend: mend.to_owned(),
        }
    }

    fn fine(what: &str, found: String) -> Self {
        Self::new(what, State::Fine, found, "")
    }
}

/// Looks at the root, at what trimtab keeps for it and at the clients. Changes
/// nothing but the state folder, which is made if it is missing.
pub fn examine(root: &Root, places: &Places, cancel: &Cancel) -> Vec<Finding> {
    let mut findings = vec![program(places)];
    findings.extend(files(root, cancel));
    findings.extend(state(root));
    findings.extend(clients(root, places));
    findings
}

fn program(places: &Places) -> Finding {
    let version = env!("CARGO_PKG_VERSION");
    match places.find_program("trimtab") {
        Some(path) => Finding::fine("program", format!("{version}, at {}", path.display())),
        None => Finding::new(
            "program",
            State::Notice,
            format!("{version}, not on the search path"),
            "cargo install --path . (or add its folder to PATH)",
        ),
    }
}

fn files(root: &Root, cancel: &Cancel) -> Vec<Finding> {
    let dir = root.dir();
    let mut findings = Vec::new();
    let shown = dir.display();
    let broad = dir.parent().is_none() || std::env::home_dir().is_some_and(|home| home == dir);
    findings.push(if broad {
        Finding::new(
            "root",
            State::Notice,
            format!("{shown} is no project, but a whole home folder or file system"),
            "give the project's folder: --root DIR",
        )
    } else {
        Finding::fine("root", shown.to_string())
    });
    if fs::metadata(dir).is_ok_and(|m| m.permissions().readonly()) {
        findings.push(Finding::new(
            "writing",
            State::Notice,
            "the root is read-only, so apply cannot work".to_owned(),
            "trimtab mcp --read-only, or make it writable",
        ));
    }
    let all = Scope {
        hidden: true,
        ..Scope::default()
    };
    let count = |scope: &Scope| walk(root, scope, cancel).map(|files| files.len());
    findings.push(match (count(&Scope::default()), count(&all)) {
        (Ok(0), Ok(hidden)) => Finding::new(
            "files",
            State::Notice,
            format!("none is searched; {hidden} are hidden, the others ignored"),
            "look through .gitignore and .ignore, or choose another --root",
        ),
        (Ok(seen), Ok(hidden)) => {
            let found = format!(
                "{seen} are searched, {} are hidden{}",
                hidden.saturating_sub(seen),
                if has_rules(dir) {
                    ""
                } else {
                    ", nothing is ignored"
                }
            );
            if seen > MANY_FILES {
                Finding::new(
                    "files",
                    State::Notice,
                    found,
                    "list generated and vendored folders in .gitignore or .ignore",
                )
            } else {
                Finding::fine("files", found)
            }
        }
        (Err(e), _) | (_, Err(e)) => Finding::new("files", State::Wrong, e.message, &e.next),
    });
    findings
}

fn has_rules(dir: &Path) -> bool {
    [".gitignore", ".ignore", ".rgignore"]
        .iter()
        .any(|name| dir.join(name).is_file())
}

fn state(root: &Root) -> Vec<Finding> {
    let kept = (|| -> Result<String> {
        let state = workspace::State::for_root(root)?;
        Store::for_root(root)?;
        let entries = history(root).len();
        Ok(format!(
            "{} ({} KB, {entries} undo entries)",
            state.dir().display(),
            size(state.dir()).div_ceil(1024)
        ))
    })();
    let mut findings = vec![match kept {
        Ok(found) => Finding::fine("state", found),
        Err(e) => Finding::new("state", State::Wrong, e.message, &e.next),
    }];
    let cut_short = unfinished(root);
    findings.push(if cut_short.is_empty() {
        Finding::fine("commits", "none was cut short".to_owned())
    } else {
        Finding::new(
            "commits",
            State::Notice,
            format!("cut short: {}", cut_short.join(", ")),
            "trimtab undo --list (completes them first)",
        )
    });
    findings.extend(left_runs(root));
    findings
}

/// Runs that a later call can go on with.
fn left_runs(root: &Root) -> Option<Finding> {
    let runs = match super::runs(root) {
        Ok(runs) => runs,
        Err(e) => return Some(Finding::new("runs", State::Wrong, e.message, &e.next)),
    };
    let of = |status: &str| -> Vec<String> {
        let found = runs.iter().filter(|r| r.status == status);
        found.map(|r| r.id.clone()).collect()
    };
    let (killed, waiting) = (of("killed"), of("waiting"));
    let mut found = Vec::new();
    if !killed.is_empty() {
        found.push(format!("cut short: {}", killed.join(", ")));
    }
    if !waiting.is_empty() {
        found.push(format!("waiting for approval: {}", waiting.join(", ")));
    }
    (!found.is_empty()).then(|| {
        Finding::new(
            "runs",
            State::Notice,
            found.join("; "),
            "trimtab run --resume ID, trimtab runs approve ID",
        )
    })
}

/// Bytes of the files in a folder, as far as they can be read.
fn size(dir: &Path) -> u64 {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| {
            let data = entry.metadata().ok()?;
            Some(if data.is_dir() {
                size(&entry.path())
            } else {
                data.len()
            })
        })
        .sum()
}

fn clients(root: &Root, places: &Places) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut registered = 0;
    for client in Client::all() {
        let entries = client.registered(places, root.dir());
        registered += entries.len();
        for entry in &entries {
            findings.push(registration(client, entry, places));
        }
        if entries.is_empty() && client.is_installed(places) {
            findings.push(Finding::new(
                &client.name,
                State::Notice,
                "installed, but trimtab is not registered".to_owned(),
                &format!("trimtab setup {}", client.id),
            ));
        }
    }
    if registered == 0 && findings.is_empty() {
        findings.push(Finding::new(
            "clients",
            State::Notice,
            "none that is known is installed here".to_owned(),
            "trimtab setup --help lists those that are",
        ));
    }
    findings
}

fn registration(client: &Client, entry: &Registered, places: &Places) -> Finding {
    let file = entry.file.display();
    let command = Path::new(&entry.command);
    let exists = if command.components().count() > 1 {
        command.is_file()
    } else {
        places.has_program(&entry.command)
    };
    if exists {
        return Finding::fine(
            &client.name,
            format!("registered in {file} as {}", entry.command),
        );
    }
    Finding::new(
        &client.name,
        State::Wrong,
        format!(
            "registered in {file}, but {:?} is no program",
            entry.command
        ),
        &format!("trimtab setup {} --yes", client.id),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::clients::{Scope as For, Setup};

    fn find<'a>(findings: &'a [Finding], what: &str) -> &'a Finding {
        findings.iter().find(|f| f.what == what).unwrap()
    }

    #[test]
    fn finds_what_is_wrong_and_says_what_mends_it() {
        let dir = tempfile::tempdir().unwrap();
        let home = dir.path().join("home");
        let project = home.join("project");
        fs::create_dir_all(home.join(".codex")).unwrap();
        fs::create_dir_all(&project).unwrap();
        fs::write(project.join("a.rs"), "fn a() {}\n").unwrap();
        fs::write(project.join(".hidden"), "").unwrap();
        let root = Root::open(&project).unwrap().with_home(&home);
        let places = Places::of_home(&home);
        let look = || examine(&root, &places, &Cancel::new());

        let found = look();
        assert_eq!(
            find(&found, "files").found,
            "1 are searched, 1 are hidden, nothing is ignored"
        );
        assert_eq!(find(&found, "state").state, State::Fine);
        assert_eq!(find(&found, "commits").state, State::Fine);
        assert_eq!(find(&found, "Codex").mend, "trimtab setup codex");

        let codex = Client::by_id("codex").unwrap();
        let setup = |command: &str| Setup {
            places: &places,
            root: root.dir(),
            scope: For::User,
            command: command.to_owned(),
            skill: false,
            remove: false,
        };
        for change in codex.plan(&setup("/no/such/trimtab")).unwrap() {
            change.write().unwrap();
        }
        let found = look();
        assert_eq!(find(&found, "Codex").state, State::Wrong);
        assert_eq!(find(&found, "Codex").mend, "trimtab setup codex --yes");

        let own = std::env::current_exe().unwrap();
        for change in codex.plan(&setup(&own.to_string_lossy())).unwrap() {
            change.write().unwrap();
        }
        assert_eq!(find(&look(), "Codex").state, State::Fine);

        fs::write(project.join(".gitignore"), "*\n").unwrap();
        let ignored = look();
        // Rules of git hold only in a repository.
        assert_eq!(find(&ignored, "files").state, State::Fine);
        fs::write(project.join(".ignore"), "*\n").unwrap();
        assert_eq!(find(&look(), "files").state, State::Notice);
    }
}
