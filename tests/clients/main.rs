//! Real clients, where they are installed: a client that is not on the search path is
//! skipped, and the test says so. `.ci/clients` installs them.

mod agents;
#[cfg(feature = "http")]
mod conformance;
#[cfg(unix)]
mod hook;
mod model;
#[cfg(unix)]
mod newcomer;
mod sdks;
mod session;
mod setup;
mod user;
