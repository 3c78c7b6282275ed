//! Which files of a repository may run what they name.
//!
//! A file is trusted as it is: its hash is recorded, and after any change to it the
//! user is to be asked again.

use super::config::{CONFIG_FILE, parse, read};
use super::outcome::Failure;
use super::trust_store::store;
use super::workflow;
use crate::error::{Error, Result};
use crate::workspace::{Root, hash};
use serde::Serialize;
use std::collections::BTreeMap;

/// What [`trust`] came to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Trust {
    /// The files that are trusted now.
    pub trusted: Vec<Trusted>,
    /// What is wrong with those that cannot be: nobody knows what they would do.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<Failure>,
}

/// A file of a root that would do what only a trusted file may.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Trusted {
    /// Relative to the root.
    pub file: String,
    /// Hash of its text.
    pub hash: String,
    /// What it may do, a line each.
    pub may: Vec<String>,
}

/// Records that a root's own configuration and workflows may do what they say, as
/// they are now. Files with mistakes are left out and named; the others are trusted
/// all the same.
///
/// # Errors
/// `no_config` where there is nothing to trust; `no_state`.
pub fn trust(root: &Root) -> Result<Trust> {
    let mut out = Trust::default();
    let mut add = |file: Result<Trusted>| match file {
        Ok(file) => out.trusted.push(file),
        Err(e) => out.left_out.push(Failure::from(&e)),
    };
    match read(&root.dir().join(CONFIG_FILE)) {
        Ok(None) => {}
        Ok(Some(text)) => add(parse(root, &text, CONFIG_FILE)
            .map(|config| trusted_as(CONFIG_FILE.into(), &text, config.would()))),
        Err(e) => add(Err(e)),
    }
    for listed in workflow::list(root) {
        // Most name nothing that needs it.
        if listed.as_ref().is_ok_and(|l| l.would.is_empty()) {
            continue;
        }
        add(listed.map(|l| trusted_as(l.path, &l.text, l.would)));
    }
    if out == Trust::default() {
        return Err(Error::not_found(
            "no_config",
            format!("There is no {CONFIG_FILE} and no workflow in this root that needs trust."),
            "",
        ));
    }
    let all = out.trusted.iter().map(|t| (t.file.clone(), t.hash.clone()));
    store(root, &all.collect())?;
    Ok(out)
}

fn trusted_as(file: String, text: &str, may: Vec<String>) -> Trusted {
    Trusted {
        file,
        hash: hash(text.as_bytes()),
        may,
    }
}

/// Takes back what [`trust`] recorded.
///
/// # Errors
/// `no_state`.
pub fn distrust(root: &Root) -> Result<()> {
    store(root, &BTreeMap::new())
}
