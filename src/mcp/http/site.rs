//! What is served under each path, and how much of it at a time.

use super::guard::Guard;
use super::handler::Handler;
use axum::body::{Body, Bytes, HttpBody, to_bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use axum::response::{IntoResponse, Response};
use rmcp::transport::StreamableHttpService;
use rmcp::transport::streamable_http_server::StreamableHttpServerConfig;
use rmcp::transport::streamable_http_server::session::SessionManager;
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The header that names a session of a legacy client.
const SESSION: &str = "mcp-session-id";

/// The longest that a session may lie idle: an editor may be left open over night.
/// What bounds sessions is their number.
const SESSION_IDLE: Duration = Duration::from_secs(24 * 3600);

/// What clients may use up.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Bytes of a request's body.
    pub body_bytes: usize,
    /// How long a body may take to arrive.
    pub body_time: Duration,
    /// Requests that are answered at the same time; more are told to come back.
    pub requests: usize,
    /// Sessions of a root; the one not used for longest makes place for a new one.
    pub sessions: usize,
    /// How long nothing may move on a connection. Longer than a call may take.
    pub idle: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes: 4 << 20,
            body_time: Duration::from_secs(30),
            requests: 32,
            sessions: 128,
            idle: Duration::from_secs(120),
        }
    }
}

/// One root.
pub(super) struct Site {
    service: StreamableHttpService<Handler, LocalSessionManager>,
    manager: Arc<LocalSessionManager>,
    /// Those not used for longest first.
    sessions: Mutex<Vec<Arc<str>>>,
    most: usize,
}

impl Site {
    pub(super) fn new(server: Handler, most: usize, config: StreamableHttpServerConfig) -> Self {
        let mut manager = LocalSessionManager::default();
        manager.session_config.keep_alive = Some(SESSION_IDLE);
        let manager = Arc::new(manager);
        let factory = move || Ok(server.clone());
        Self {
            service: StreamableHttpService::new(factory, Arc::clone(&manager), config),
            manager,
            sessions: Mutex::default(),
            most,
        }
    }

    /// Remembers that a session was used. Gives back those that have to go.
    fn used(&self, id: &str, is_new: bool) -> Vec<Arc<str>> {
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        let known = sessions.iter().position(|s| &**s == id);
        match known {
            Some(at) => {
                let id = sessions.remove(at);
                sessions.push(id);
            }
            None if is_new => sessions.push(id.into()),
            None => {}
        }
        let over = sessions.len().saturating_sub(self.most);
        sessions.drain(..over).collect()
    }

    async fn answer(&self, request: Request<Body>) -> Response {
        let session = |headers: &HeaderMap| {
            let id = headers.get(SESSION)?.to_str().ok()?;
            Some(id.to_owned())
        };
        if let Some(id) = session(request.headers()) {
            self.used(&id, false);
        }
        let response = self.service.handle(request).await;
        if let Some(id) = session(response.headers()) {
            for old in self.used(&id, true) {
                // It may have ended by itself.
                let _ = self.manager.close_session(&old).await;
            }
        }
        response.map(Body::new)
    }
}

/// All roots, behind one door.
pub(super) struct House {
    sites: BTreeMap<String, Site>,
    guard: Guard,
    limits: Limits,
    places: Arc<Semaphore>,
}

impl House {
    pub(super) fn new(sites: BTreeMap<String, Site>, guard: Guard, limits: Limits) -> Self {
        Self {
            sites,
            guard,
            limits,
            places: Arc::new(Semaphore::new(limits.requests)),
        }
    }

    /// Waits until no request is being answered; lets none begin from now on.
    pub(super) async fn idle(&self) {
        let all = u32::try_from(self.limits.requests).unwrap_or(u32::MAX);
        if let Ok(all) = self.places.acquire_many(all).await {
            all.forget();
        }
    }
}

/// Answers a request, or says why not.
pub(super) async fn handle(State(house): State<Arc<House>>, request: Request<Body>) -> Response {
    if let Err((status, why)) = house.guard.check(request.uri(), request.headers()) {
        let mut response = (status, why).into_response();
        if status == StatusCode::UNAUTHORIZED {
            let scheme = header::HeaderValue::from_static("Bearer");
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, scheme);
        }
        return response;
    }
    let path = request.uri().path();
    let Some(site) = house.sites.get(path.strip_suffix('/').unwrap_or(path)) else {
        let paths: Vec<&str> = house.sites.keys().map(String::as_str).collect();
        let why = format!("Nothing is served here; {} is.", paths.join(", "));
        return (StatusCode::NOT_FOUND, why).into_response();
    };
    // A stream on which a client listens may stay open for long; connections bound it.
    if request.method() != Method::POST {
        return site.answer(request).await;
    }
    let Ok(place) = Arc::clone(&house.places).try_acquire_owned() else {
        let why = "Too many requests are being answered.";
        let headers = [(header::RETRY_AFTER, "1")];
        return (StatusCode::SERVICE_UNAVAILABLE, headers, why).into_response();
    };
    let (head, body) = request.into_parts();
    let limits = house.limits;
    let read = tokio::time::timeout(limits.body_time, to_bytes(body, limits.body_bytes)).await;
    let body = match read {
        Ok(Ok(body)) => body,
        // A connection that broke will not see it.
        Ok(Err(_)) => {
            let why = format!("A request may have {} bytes.", limits.body_bytes);
            return (StatusCode::PAYLOAD_TOO_LARGE, why).into_response();
        }
        Err(_) => {
            let why = "The request took too long to arrive.";
            return (StatusCode::REQUEST_TIMEOUT, why).into_response();
        }
    };
    let request = Request::from_parts(head, Body::from(body));
    site.answer(request).await.map(|body| {
        Body::new(Placed {
            body,
            _place: place,
        })
    })
}

/// A body whose request counts as being answered until it is sent or given up.
struct Placed {
    body: Body,
    _place: OwnedSemaphorePermit,
}

impl HttpBody for Placed {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> http_body::SizeHint {
        self.body.size_hint()
    }
}
