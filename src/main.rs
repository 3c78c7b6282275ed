//! The `trimtab` program: the command line of the library, and its server.

use std::process::ExitCode;
use trimtab::{cli, mcp};

fn main() -> ExitCode {
    match cli::main() {
        cli::Outcome::Done(status) => status,
        cli::Outcome::Serve(serve) => cli::finish(mcp::serve_stdio(mcp::Options {
            root: serve.root,
            read_only: serve.read_only,
        })),
    }
}
