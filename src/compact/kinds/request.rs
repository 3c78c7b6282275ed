//! What a text is shortened for.

use super::super::words::Query;

/// What every kind is given besides the text.
pub struct Request<'a> {
    /// The query; may be empty.
    pub query: &'a Query,
    /// Tokens of the output.
    pub budget: usize,
    /// The file's name, if known.
    pub file: Option<&'a str>,
}
