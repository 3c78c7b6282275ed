//! The MCP server as a client meets it: the real process, in both protocol eras.

mod client;
#[cfg(feature = "http")]
mod http;
mod protocol;
mod tools;
