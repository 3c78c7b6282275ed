use super::setup::SERVER;
use crate::error::{Error, Result};
use crate::workspace::state::write_whole;
use similar::TextDiff;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// One file outside the root as it is and as it shall be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileChange {
    /// The file, symbolic links followed.
    pub path: PathBuf,
    before: Option<String>,
    after: Option<String>,
}

impl FileChange {
    /// Reads the file and asks `edit` for its new text, `None` for no file.
    pub(super) fn of(
        path: PathBuf,
        edit: impl FnOnce(&Path, &str) -> Result<Option<String>>,
    ) -> Result<Self> {
        // People keep their settings elsewhere and link to them.
        let path = fs::canonicalize(&path).unwrap_or(path);
        let before = read(&path)?;
        let after = edit(&path, before.as_deref().unwrap_or_default())?;
        let nothing = before.is_none() && after.as_deref().is_some_and(str::is_empty);
        Ok(Self {
            path,
            before,
            after: if nothing { None } else { after },
        })
    }

    pub(super) fn is_needed(&self) -> bool {
        self.before != self.after
    }

    /// The change as a unified diff with three lines of context.
    pub fn diff(&self) -> String {
        let old = self.before.as_deref().unwrap_or_default();
        let new = self.after.as_deref().unwrap_or_default();
        TextDiff::from_lines(old, new)
            .unified_diff()
            .missing_newline_hint(false)
            .to_string()
    }

    /// Writes the file, keeping its permissions.
    ///
    /// # Errors
    /// `stale_file` (refused) if it is no longer as it was read; `unwritable`.
    pub fn write(&self) -> Result<()> {
        if read(&self.path)? != self.before {
            return Err(Error::refused(
                "stale_file",
                format!("{} has just been changed.", self.path.display()),
                "Close the client if it is running, then run this again.",
            ));
        }
        let failed = |e: std::io::Error| {
            Error::failure(
                "unwritable",
                format!("{} cannot be written: {e}.", self.path.display()),
                "Check the permissions of the file and its folder.",
            )
        };
        let Some(after) = &self.after else {
            fs::remove_file(&self.path).map_err(failed)?;
            // The folder of a skill was made for it; it stays if anything else is
            // in it.
            if let Some(folder) = self.path.parent().filter(|f| f.ends_with(SERVER)) {
                let _ = fs::remove_dir(folder);
            }
            return Ok(());
        };
        if let Some(folder) = self.path.parent() {
            fs::create_dir_all(folder).map_err(failed)?;
        }
        let permissions = fs::metadata(&self.path).map(|m| m.permissions()).ok();
        write_whole(&self.path, after.as_bytes(), true).map_err(failed)?;
        permissions.map_or(Ok(()), |p| {
            fs::set_permissions(&self.path, p).map_err(failed)
        })
    }
}

fn read(path: &Path) -> Result<Option<String>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
        Err(e) => Err(Error::failure(
            "unreadable",
            format!("{} cannot be read: {e}.", path.display()),
            "Check that it is a text file and that you may read it.",
        )),
    }
}
