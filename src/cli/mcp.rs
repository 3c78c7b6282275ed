use crate::error::Result;
use crate::workspace::Root;
use clap::Args;
use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Serve the tools to an agent over the Model Context Protocol
#[derive(Args)]
#[cfg_attr(feature = "http", command(after_help = HTTP_HELP))]
pub struct Command {
    /// Leave out every way to write
    #[arg(long)]
    read_only: bool,
    #[cfg(feature = "http")]
    #[command(flatten)]
    http: HttpArguments,
}

#[cfg(feature = "http")]
const HTTP_HELP: &str = "\
Without --http one client is served over standard input and output. With it, the
root is served at http://ADDR/mcp and each further one at http://ADDR/mcp/NAME.
Where others than this machine's users can connect, a token is needed: put it into
TRIMTAB_TOKEN or a file; clients send it as `Authorization: Bearer TOKEN`. There is
no TLS: put a proxy that has it in front.

Examples:
  trimtab mcp --http 127.0.0.1:7333
  trimtab mcp --http 127.0.0.1:7333 --root api --serve web=../web --read-only
  trimtab mcp --http 0.0.0.0:7333 --token-file ~/.trimtab-token --allow-host dev.example";

#[cfg(feature = "http")]
#[derive(Args)]
struct HttpArguments {
    /// Listen for clients over Streamable HTTP, such as on 127.0.0.1:7333
    #[arg(long, value_name = "ADDR")]
    http: Option<SocketAddr>,
    /// Serve a further root
    #[arg(long, value_name = "NAME=DIR", requires = "http", value_parser = named)]
    serve: Vec<(String, PathBuf)>,
    /// The file that holds the token which clients have to show
    #[arg(long, value_name = "FILE", requires = "http")]
    token_file: Option<PathBuf>,
    /// A host name that clients may use for this machine
    #[arg(long, value_name = "NAME", requires = "http")]
    allow_host: Vec<String>,
}

/// How the server is asked for.
pub struct Serve {
    /// The folder that it may read and write.
    pub root: Root,
    /// Leaves out every way to write.
    pub read_only: bool,
    /// Over HTTP; over standard input and output without.
    pub http: Option<Http>,
}

/// How the server is reached over HTTP.
pub struct Http {
    /// Where it listens.
    pub address: SocketAddr,
    /// Further roots with their names.
    pub more: Vec<(String, Root)>,
    /// The file that holds the token.
    pub token_file: Option<PathBuf>,
    /// Host names of this machine.
    pub hosts: Vec<String>,
}

/// The arguments with which clients start the server.
#[derive(Debug, PartialEq)]
pub struct Plain {
    pub root: PathBuf,
    pub read_only: bool,
}

/// Reads `mcp [--root DIR] [--read-only]` by hand, none for anything else. A server
/// waits for its client for hours: what describes all commands stays out of its memory.
pub fn plain(mut arguments: impl Iterator<Item = OsString>) -> Option<Plain> {
    let (_program, command) = (arguments.next()?, arguments.next()?);
    if command != "mcp" {
        return None;
    }
    let (mut root, mut read_only) = (None, false);
    while let Some(argument) = arguments.next() {
        match argument.to_str()? {
            "--read-only" if !read_only => read_only = true,
            "--root" if root.is_none() => {
                let dir = arguments.next()?;
                if dir.is_empty() || dir.to_str()?.starts_with('-') {
                    return None;
                }
                root = Some(dir.into());
            }
            _ => return None,
        }
    }
    let root = root.unwrap_or_else(|| ".".into());
    Some(Plain { root, read_only })
}

impl Plain {
    pub fn serve(self) -> Result<Serve> {
        Ok(Serve {
            root: Root::open(&self.root)?,
            read_only: self.read_only,
            http: None,
        })
    }
}

impl Command {
    pub fn serve(self, root: Root) -> Result<Serve> {
        Ok(Serve {
            root,
            read_only: self.read_only,
            #[cfg(feature = "http")]
            http: self.http.open()?,
            #[cfg(not(feature = "http"))]
            http: None,
        })
    }
}

#[cfg(feature = "http")]
impl HttpArguments {
    fn open(self) -> Result<Option<Http>> {
        let Some(address) = self.http else {
            return Ok(None);
        };
        let more = self.serve.into_iter();
        let more = more.map(|(name, dir)| Ok((name, Root::open(&dir)?)));
        Ok(Some(Http {
            address,
            more: more.collect::<Result<_>>()?,
            token_file: self.token_file,
            hosts: self.allow_host,
        }))
    }
}

#[cfg(feature = "http")]
fn named(text: &str) -> std::result::Result<(String, PathBuf), String> {
    let (name, dir) = text.split_once('=').ok_or("write it as NAME=DIR")?;
    Ok((name.to_owned(), dir.into()))
}

#[cfg(test)]
mod tests {
    use super::super::{Cli, Command};
    use super::*;
    use clap::Parser;

    #[test]
    fn what_clients_pass_is_read_as_every_command_is() {
        let read = |line: &str| {
            let arguments = || line.split_whitespace().map(OsString::from);
            let full = Cli::try_parse_from(arguments()).ok().and_then(|cli| {
                let Command::Mcp(mcp) = cli.command else {
                    return None;
                };
                let (root, read_only) = (cli.common.root, mcp.read_only);
                Some(Plain { root, read_only })
            });
            (plain(arguments()), full)
        };
        for line in [
            "trimtab mcp",
            "trimtab mcp --root dir",
            "trimtab mcp --read-only",
            "trimtab mcp --read-only --root a/b",
        ] {
            let (by_hand, full) = read(line);
            assert!(by_hand.is_some(), "{line}");
            assert_eq!(by_hand, full, "{line}");
        }
        for line in [
            "trimtab",
            "trimtab doctor",
            "trimtab mcp --help",
            "trimtab mcp --root",
            "trimtab mcp --root --read-only",
            "trimtab mcp --root=dir",
            "trimtab --root dir mcp",
            "trimtab mcp --http 127.0.0.1:1",
            "trimtab mcp --read-only --read-only",
        ] {
            assert_eq!(read(line).0, None, "{line}");
        }
    }
}
