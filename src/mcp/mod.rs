//! The door for agents: the MCP server, one file per tool.
//!
//! A tool file holds the tool's arguments, its description and how its result
//! is put into words; the work is done below. Every result is one text block,
//! because that is the only shape that all clients forward to the model
//! unchanged, and so is every error: clients hide or garble protocol errors.

mod apply;
mod compact;
mod consent;
mod expand;
mod fit;
#[cfg(feature = "http")]
pub mod http;
mod options;
mod run;
mod schema;
mod search;
mod server;
mod tool;
mod transport;

use crate::error::{Error, Result};
use rmcp::ServiceExt;
use std::time::Duration;

pub use options::Options;
pub use server::Server;

/// How long calls that are still running at the end may take to notice it.
const LAST_CALLS: Duration = Duration::from_secs(2);

/// Calls that work at the same time; more wait for their turn.
const CONCURRENT_CALLS: usize = 16;

/// The stack of a working thread, as large as a main thread's, because trees of
/// deeply nested code are walked on it.
const STACK_BYTES: usize = 8 << 20;

/// Serves one client over standard input and output until the input ends.
///
/// Nothing but protocol messages is written to standard output.
///
/// # Errors
/// `protocol` when the client does not open the connection as any supported
/// version of the protocol asks; `internal` when no thread can be started.
pub fn serve_stdio(options: Options) -> Result<()> {
    // One thread until the first call: messages are small, and work goes to the
    // blocking threads.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(CONCURRENT_CALLS)
        .thread_stack_size(STACK_BYTES)
        .build()
        .map_err(|e| Error::failure("internal", format!("No runtime: {e}."), ""))?;
    let outcome = runtime.block_on(async {
        let (input, output) = rmcp::transport::io::stdio_pipes();
        match Server::new(options)
            .serve(transport::Patient::new(input, output))
            .await
        {
            Ok(running) => running.waiting().await.map(drop).map_err(|e| e.to_string()),
            Err(rmcp::service::ServerInitializeError::ConnectionClosed(_)) => Ok(()),
            Err(e) => Err(e.to_string()),
        }
    });
    runtime.shutdown_timeout(LAST_CALLS);
    outcome.map_err(|e| {
        Error::failure(
            "protocol",
            format!("The connection failed: {e}."),
            "Start `trimtab mcp` from an MCP client; `trimtab doctor` checks the registration.",
        )
    })
}
