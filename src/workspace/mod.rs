//! The root and its walls, file discovery, atomic writes, undo, and the store of omitted text.
//!
//! Everything that touches the disk goes through here: a [`Root`] decides which
//! paths may be read or written, [`commit`] writes several files all or nothing
//! and remembers how to take that back, and [`Store`] keeps what an output left
//! out. State lies under the user's state folder, keyed by root, never in the root.

mod cancel;
pub mod clients;
mod commit;
mod crash;
mod entry;
mod fresh;
mod read;
mod recover;
mod replace;
mod root;
mod stamp;
mod state;
mod store;
mod undo;
mod walk;

pub use cancel::Cancel;
pub use commit::{Change, Committed, commit};
#[cfg(debug_assertions)]
pub(crate) use crash::step as crash_point;
pub use fresh::{Fresh, Listing, News, Touched, WatchLimits};
pub use read::{MAX_FILE_BYTES, read, read_text};
pub use recover::{Recovered, recover, unfinished};
pub use root::{FilePath, Root};
pub use stamp::Stamp;
pub use state::State;
pub(crate) use state::hash;
pub use store::{Omission, Spool, Store, TextId};
pub use undo::{Entry, history, undo};
pub(crate) use walk::threads;
pub use walk::{Scope, Seen, Visited, visit, walk};
