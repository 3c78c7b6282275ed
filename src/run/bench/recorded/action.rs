//! What a call is about, whichever tool was used.

/// What a call is about, whichever tool was used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Lines that match a pattern.
    Search(Search),
    /// Names of files.
    List {
        /// The folder; the root where none.
        path: Option<String>,
        /// A glob of names or paths.
        glob: Option<String>,
    },
    /// Lines of a file.
    Read {
        /// As it was written.
        path: String,
        /// The first line (from 1).
        from: Option<usize>,
        /// How many lines.
        count: Option<usize>,
    },
    /// A text replaced by another.
    Replace {
        /// As it was written.
        path: String,
        /// What goes.
        old: String,
        /// What comes.
        new: String,
        /// Wherever it stands, not only where it stands once.
        all: bool,
    },
    /// Lines replaced by others.
    ReplaceLines {
        /// As it was written.
        path: String,
        /// The first line that goes (from 1).
        from: usize,
        /// The last; before `from` where lines are only put in.
        to: usize,
        /// What comes, without its last line break.
        text: String,
    },
    /// A file written whole.
    Write {
        /// As it was written.
        path: String,
        /// Its new text.
        content: String,
    },
    /// A command run for its output.
    Run,
    /// Anything else: lists of things to do, other agents, pages.
    Other,
}

/// A search for lines, or for the files that hold them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Search {
    /// A regular expression, or a text if `literal`.
    pub pattern: String,
    /// A file or folder.
    pub path: Option<String>,
    /// Which files, as globs.
    pub globs: Vec<String>,
    /// Whether upper and lower case are the same.
    pub insensitive: bool,
    /// Whether the pattern is the text itself.
    pub literal: bool,
    /// Only the files' names were asked for.
    pub files: bool,
    /// At most so many lines were asked for.
    pub head: Option<usize>,
}
