//! Streamable HTTP: several clients and several roots in one process.
//!
//! Each root has a path of its own, and each legacy client a session of its own.
//! What a request must show before anything of it is read is in `guard`, what
//! bounds a connection in `connection`, what bounds requests and sessions in
//! `site`.

mod connection;
mod guard;
mod handler;
mod site;

use super::{CONCURRENT_CALLS, LAST_CALLS, STACK_BYTES, Server};
use crate::error::{Error, Result};
use crate::workspace::Root;
use axum::Router;
use connection::Bounded;
use guard::Guard;
pub use guard::Token;
use handler::Handler;
use rmcp::transport::streamable_http_server::StreamableHttpServerConfig;
use site::{House, Limits, Site};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

/// Where a root is served; further roots have their name behind it.
const PATH: &str = "/mcp";

/// How long requests that are being answered may take once the end is asked for.
const DRAIN: Duration = Duration::from_secs(5);

/// How the server is reached.
#[derive(Debug, Clone)]
pub struct Options {
    /// The address to listen on; port 0 takes any that is free.
    pub address: SocketAddr,
    /// The folder that is served at `/mcp`.
    pub root: Root,
    /// Further folders, each served at `/mcp/NAME`.
    pub more: Vec<(String, Root)>,
    /// Leaves out every way to write.
    pub read_only: bool,
    /// What a client has to show.
    pub token: Option<Token>,
    /// Names under which the server may be addressed, besides those of the loopback.
    pub hosts: Vec<String>,
}

/// Serves clients over HTTP until the process is told to end by an interrupt or
/// termination signal. Requests that are being answered then are finished.
///
/// `ready` is given the URL of each root once connections are accepted.
///
/// # Errors
/// `token_needed` where others than this machine's users could connect and no token
/// is asked of them; `bad_name` for a further root that cannot be part of a path;
/// `cannot_listen` when the address is not to be had; `internal`.
pub fn serve(options: Options, ready: impl FnOnce(&[String])) -> Result<()> {
    if !options.address.ip().is_loopback() && options.token.is_none() {
        return Err(Error::failure(
            "token_needed",
            format!(
                "Others than this machine's users can reach {}, and nothing is asked of them.",
                options.address
            ),
            "Set TRIMTAB_TOKEN or give --token-file FILE, or listen on 127.0.0.1.",
        ));
    }
    let guard = Guard::new(options.address, &options.hosts, options.token);
    let mut roots = BTreeMap::from([(PATH.to_owned(), options.root)]);
    for (name, root) in options.more {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        let is_usable = !name.is_empty() && !name.starts_with('.') && name.chars().all(is_plain);
        if !is_usable || roots.insert(format!("{PATH}/{name}"), root).is_some() {
            return Err(Error::failure(
                "bad_name",
                format!("A root cannot be served as {name:?}."),
                "Use letters, digits, `-` and `_`, and each name once: --serve NAME=DIR.",
            ));
        }
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(CONCURRENT_CALLS)
        .thread_stack_size(STACK_BYTES)
        .build()
        .map_err(|e| Error::failure("internal", format!("No runtime: {e}."), ""))?;
    let outcome = runtime.block_on(async {
        let (address, read_only) = (options.address, options.read_only);
        let cannot = |e: std::io::Error| {
            Error::failure(
                "cannot_listen",
                format!("{address} cannot be listened on: {e}."),
                "Choose another port, or 0 for any that is free.",
            )
        };
        let listener = TcpListener::bind(address).await.map_err(cannot)?;
        let base = format!("http://{}", listener.local_addr().map_err(cannot)?);
        let stop = stop_signal().map_err(cannot)?;
        let urls: Vec<String> = roots.keys().map(|path| format!("{base}{path}")).collect();
        let servers = roots.into_iter().map(|(path, root)| {
            let server = Server::new(super::options::Options { root, read_only });
            (path, Handler(server))
        });
        ready(&urls);
        answer(listener, servers.collect(), guard, Limits::default(), stop).await;
        Ok(())
    });
    runtime.shutdown_timeout(LAST_CALLS);
    outcome
}

/// Answers requests until `stop`, then those that have begun.
async fn answer(
    listener: TcpListener,
    servers: Vec<(String, Handler)>,
    guard: Guard,
    limits: Limits,
    stop: impl Future<Output = ()>,
) {
    // The host is checked by the guard, for all paths alike; bodies are read by the
    // site, which bounds their time as well.
    let config = StreamableHttpServerConfig::default()
        .disable_allowed_hosts()
        .with_max_request_body_bytes(limits.body_bytes);
    let streams = config.cancellation_token.clone();
    let sites = servers.into_iter().map(|(path, server)| {
        let site = Site::new(server, limits.sessions, config.clone());
        (path, site)
    });
    let house = Arc::new(House::new(sites.collect(), guard, limits));
    let app = Router::new()
        .fallback(site::handle)
        .with_state(Arc::clone(&house));
    let (begin, begun) = oneshot::channel::<()>();
    let serving =
        axum::serve(Bounded::new(listener, limits.idle), app).with_graceful_shutdown(async {
            // A sender that has gone asks for the end, too.
            let _ = begun.await;
        });
    let mut serving = pin!(serving.into_future());
    tokio::select! {
        _ = &mut serving => return,
        () = stop => {}
    }
    drop(begin);
    let drained = async {
        let _ = tokio::time::timeout(DRAIN, house.idle()).await;
        // Streams on which clients only listen would never end by themselves.
        streams.cancel();
    };
    let ended = tokio::time::timeout(DRAIN + LAST_CALLS, &mut serving);
    let ((), _) = tokio::join!(drained, ended);
}

/// Ends when the process is asked to end.
#[cfg(unix)]
fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Ends when the process is asked to end.
#[cfg(windows)]
fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::windows::{ctrl_break, ctrl_c, ctrl_close};
    let (mut c, mut pause, mut close) = (ctrl_c()?, ctrl_break()?, ctrl_close()?);
    Ok(async move {
        tokio::select! {
            _ = c.recv() => {}
            _ = pause.recv() => {}
            _ = close.recv() => {}
        }
    })
}

#[cfg(test)]
mod tests;
