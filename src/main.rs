//! The `trimtab` program: the command line of the library, and its server.

use std::process::ExitCode;
use trimtab::{cli, mcp};

fn main() -> ExitCode {
    match cli::main() {
        cli::Outcome::Done(status) => status,
        cli::Outcome::Serve(serve) => cli::finish(match serve.http {
            #[cfg(feature = "http")]
            Some(http) => mcp::http::Token::find(http.token_file.as_deref()).and_then(|token| {
                let options = mcp::http::Options {
                    address: http.address,
                    root: serve.root,
                    more: http.more,
                    read_only: serve.read_only,
                    token,
                    hosts: http.hosts,
                };
                mcp::http::serve(options, cli::listening)
            }),
            _ => mcp::serve_stdio(mcp::Options {
                root: serve.root,
                read_only: serve.read_only,
            }),
        }),
    }
}
