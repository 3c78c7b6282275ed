//! What could keep trimtab from working here, and what mends it.

mod clients;
mod files;
mod finding;
mod kept;

pub use finding::{Finding, State};

use crate::workspace::clients::Places;
use crate::workspace::{Cancel, Root};

/// Looks at the root, at what trimtab keeps for it and at the clients. Changes
/// nothing but the state and cache folders, which are made if they are missing.
pub fn examine(root: &Root, places: &Places, cancel: &Cancel) -> Vec<Finding> {
    let mut findings = vec![program(places)];
    findings.extend(files::examine(root, cancel));
    findings.extend(kept::examine(root));
    findings.extend(clients::examine(root, places));
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::clients::{Client, Scope as For, Setup};
    use std::fs;

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
        assert_eq!(find(&found, "files").found, "1 are searched, 1 are hidden");
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

        // Another program of the same name, such as an older copy.
        let other = home.join("trimtab");
        fs::write(&other, "").unwrap();
        for change in codex.plan(&setup(&other.to_string_lossy())).unwrap() {
            change.write().unwrap();
        }
        assert_eq!(find(&look(), "Codex").state, State::Notice);

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
