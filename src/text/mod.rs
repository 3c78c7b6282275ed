//! Lines, spans, line endings and encodings.
//!
//! Everything above this floor counts lines from 1, both ends included, and
//! offsets in bytes.

mod encoding;
mod lines;

pub use encoding::{Decoded, Encoding, decode, is_binary};
pub use lines::{Ending, Lines, Span, changed};
