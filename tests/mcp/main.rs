//! The MCP server as a client meets it: the real process, in both protocol eras.

mod client;
mod protocol;
mod tools;
