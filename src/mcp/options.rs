//! How to serve.

use crate::workspace::Root;

/// What the server may touch.
#[derive(Debug, Clone)]
pub struct Options {
    /// The folder that it reads and writes.
    pub root: Root,
    /// Leaves out every way to write.
    pub read_only: bool,
}
