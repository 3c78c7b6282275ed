use super::Serve;
use crate::error::Result;
use crate::workspace::Root;
use clap::Args;
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
