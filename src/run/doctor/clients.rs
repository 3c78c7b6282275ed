//! The clients: whether they start this program.

use super::finding::{Finding, State};
use crate::workspace::Root;
use crate::workspace::clients::{Client, Places, Registered};
use std::path::{Path, PathBuf};

pub(super) fn examine(root: &Root, places: &Places) -> Vec<Finding> {
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
    if entry.command.is_empty() {
        let found = format!("registered in {file}, by address");
        return Finding::fine(&client.name, found);
    }
    let command = Path::new(&entry.command);
    let program = if command.components().count() > 1 {
        command.is_file().then(|| command.to_owned())
    } else {
        places.find_program(&entry.command)
    };
    let mend = format!("trimtab setup {} --yes", client.id);
    let Some(program) = program else {
        let found = format!(
            "registered in {file}, but {:?} is no program",
            entry.command
        );
        return Finding::new(&client.name, State::Wrong, found, &mend);
    };
    if is_this(&program) {
        let found = format!("registered in {file} as {}", entry.command);
        return Finding::fine(&client.name, found);
    }
    let found = format!(
        "registered in {file}, but starts {}, which is not this program",
        program.display()
    );
    Finding::new(&client.name, State::Notice, found, &mend)
}

/// Whether a file is the program that is running, links resolved.
fn is_this(program: &Path) -> bool {
    let real = |path: PathBuf| path.canonicalize().ok();
    let own = std::env::current_exe().ok().and_then(real);
    own.is_some() && real(program.to_owned()) == own
}
