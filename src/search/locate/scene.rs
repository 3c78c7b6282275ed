//! What is known when blocks are scored: the task, the words that are looked for, and the
//! blocks of the files that were parsed.

use std::ops::Deref;
use std::sync::Arc;

use super::block::Block;
use super::task::Task;
use super::words::Term;
use crate::search::class::Class;
use crate::workspace::FilePath;

/// A word that is looked for.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    pub(super) term: Term,
    /// Index of the task's word.
    pub(super) word: usize,
    /// Whether it is the word itself, not an abbreviation or long form.
    pub(super) own: bool,
    /// For another form: whether it shares a line with the word somewhere.
    pub(super) shared: bool,
    pub(super) idf: f64,
}

/// A parsed file.
pub(super) struct File {
    pub(super) path: FilePath,
    pub(super) class: Class,
    /// Terms of its path.
    pub(super) terms: Vec<Term>,
}

/// All that is known when blocks are scored.
pub(super) struct Scene {
    pub(super) task: Task,
    pub(super) wanted: Vec<Wanted>,
    pub(super) files: Vec<File>,
    /// In order of file and line.
    pub(super) blocks: Vec<Placed>,
}

/// A block among those of its file.
pub(super) struct Placed {
    /// Index in [`Scene::files`].
    pub(super) file: usize,
    pub(super) of: Arc<Vec<Block>>,
    pub(super) at: usize,
}

impl Deref for Placed {
    type Target = Block;

    fn deref(&self) -> &Block {
        &self.of[self.at]
    }
}
