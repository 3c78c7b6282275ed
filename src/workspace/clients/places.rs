use std::env;
use std::ffi::OsString;
use std::path::PathBuf;

/// The user's folders and variables, by which clients find their settings.
#[derive(Debug, Clone, Default)]
pub struct Places {
    home: Option<PathBuf>,
    variables: Vec<(String, OsString)>,
}

impl Places {
    /// Those of this process.
    pub fn from_env() -> Self {
        let mut places = Self::default();
        // A name or a value that is no text cannot be one that clients use.
        for (name, value) in env::vars_os() {
            if let Ok(name) = name.into_string() {
                places.variables.push((name, value));
            }
        }
        places.home = places
            .variable("HOME")
            .or_else(|| places.variable("USERPROFILE"))
            .map(PathBuf::from);
        places
    }

    /// Nothing but a home folder: for tests and for programs that use this
    /// library.
    pub fn of_home(home: impl Into<PathBuf>) -> Self {
        Self {
            home: Some(home.into()),
            variables: Vec::new(),
        }
    }

    fn variable(&self, name: &str) -> Option<&OsString> {
        self.variables
            .iter()
            .find(|(n, value)| n == name && !value.is_empty())
            .map(|(_, value)| value)
    }

    /// `~/x` or `$VARIABLE/x` as a path; none where the variable is not set.
    pub(super) fn expand(&self, pattern: &str) -> Option<PathBuf> {
        let (head, rest) = pattern.split_once('/').unwrap_or((pattern, ""));
        let base = match head.strip_prefix('$') {
            _ if head == "~" => self.home.clone()?,
            Some("XDG_CONFIG") => self.config_home()?,
            Some("CONFIG") if cfg!(windows) => self.variable("APPDATA").map(PathBuf::from)?,
            Some("CONFIG") if cfg!(target_os = "macos") => {
                self.home.as_ref()?.join("Library/Application Support")
            }
            Some("CONFIG") => self.config_home()?,
            Some(name) => PathBuf::from(self.variable(name)?),
            None => return None,
        };
        Some(base.join(rest))
    }

    fn config_home(&self) -> Option<PathBuf> {
        let set = self.variable("XDG_CONFIG_HOME").map(PathBuf::from);
        set.or_else(|| Some(self.home.as_ref()?.join(".config")))
    }

    /// Whether the program is on the search path.
    pub fn has_program(&self, name: &str) -> bool {
        self.find_program(name).is_some()
    }

    /// Where the search path has the program.
    pub fn find_program(&self, name: &str) -> Option<PathBuf> {
        let path = self.variable("PATH")?;
        let ends: &[&str] = if cfg!(windows) {
            &[".exe", ".cmd", ".bat"]
        } else {
            &[""]
        };
        env::split_paths(path)
            .flat_map(|dir| ends.iter().map(move |end| dir.join(format!("{name}{end}"))))
            .find(|file| file.is_file())
    }
}
