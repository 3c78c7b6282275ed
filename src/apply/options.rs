//! How to merge.

/// How to merge.
#[derive(Debug, Clone, Default)]
pub struct MergeOptions {
    /// The file's path, for its language and for messages.
    pub path: String,
    /// The language, where the path does not say it.
    pub language: Option<&'static str>,
    /// The snippet is the whole file: what it leaves out goes.
    pub allow_full_rewrite: bool,
}
