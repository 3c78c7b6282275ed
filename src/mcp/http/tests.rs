//! What bounds clients, with bounds small enough to be reached.

use super::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

struct Running {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
    _root: tempfile::TempDir,
}

impl Running {
    async fn start(limits: Limits) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let root = Root::open(dir.path()).unwrap().with_home(dir.path());
        let options = Options {
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            root: root.clone(),
            more: Vec::new(),
            read_only: true,
            token: None,
            hosts: Vec::new(),
        };
        let listener = TcpListener::bind(options.address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = Server::new(crate::mcp::Options {
            root,
            read_only: true,
        });
        let servers = vec![(PATH.to_owned(), Handler(server))];
        let (stop, stopped) = oneshot::channel();
        let guard = Guard::new(options.address, &options.hosts, options.token);
        let task = tokio::spawn(answer(listener, servers, guard, limits, async {
            let _ = stopped.await;
        }));
        Self {
            address,
            stop: Some(stop),
            task,
            _root: dir,
        }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// The whole answer to a body.
    async fn post(&self, session: Option<&str>, body: &str) -> String {
        let mut stream = self.connect().await;
        stream
            .write_all(head(session, body.len()).as_bytes())
            .await
            .unwrap();
        stream.write_all(body.as_bytes()).await.unwrap();
        read(&mut stream).await
    }

    async fn open(&self) -> String {
        let opened = self.post(None, INITIALIZE).await;
        let line = opened
            .lines()
            .find_map(|l| l.strip_prefix("mcp-session-id: "));
        let id = line.unwrap_or_else(|| panic!("{opened}")).trim().to_owned();
        let told = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
        assert_eq!(status(&self.post(Some(&id), told).await), 202);
        id
    }

    async fn ping(&self, session: &str) -> u16 {
        let ping = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;
        status(&self.post(Some(session), ping).await)
    }
}

const INITIALIZE: &str = r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{
"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}"#;

fn head(session: Option<&str>, length: usize) -> String {
    let session = session.map(|id| format!("mcp-session-id: {id}\r\n"));
    format!(
        "POST /mcp HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\
         content-type: application/json\r\naccept: application/json, text/event-stream\r\n\
         {}content-length: {length}\r\n\r\n",
        session.unwrap_or_default()
    )
}

async fn read(stream: &mut TcpStream) -> String {
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer).await;
    answer
}

fn status(answer: &str) -> u16 {
    let status = answer.split(' ').nth(1).and_then(|s| s.parse().ok());
    status.unwrap_or_default()
}

#[tokio::test]
async fn bodies_have_to_arrive_in_time() {
    let server = Running::start(Limits {
        body_time: Duration::from_millis(20),
        ..Limits::default()
    })
    .await;
    let mut slow = server.connect().await;
    slow.write_all(head(None, 10).as_bytes()).await.unwrap();
    assert_eq!(status(&read(&mut slow).await), 408);
}

#[tokio::test]
async fn idle_connections_are_closed() {
    let server = Running::start(Limits {
        idle: Duration::from_millis(20),
        ..Limits::default()
    })
    .await;
    let mut mute = server.connect().await;
    assert_eq!(read(&mut mute).await, "");
    // One byte now and then does not count as a request, but as a sign of life.
    let mut half = server.connect().await;
    half.write_all(b"POST /mcp").await.unwrap();
    assert_eq!(read(&mut half).await, "");
}

#[tokio::test]
async fn requests_beyond_the_limit_are_told_to_come_back() {
    let server = Running::start(Limits {
        requests: 1,
        ..Limits::default()
    })
    .await;
    let mut first = server.connect().await;
    let length = INITIALIZE.len();
    first
        .write_all(head(None, length).as_bytes())
        .await
        .unwrap();
    // The first is taken up at some time; then the second finds no place.
    loop {
        let second = server.post(None, "").await;
        if status(&second) == 503 {
            assert!(second.to_lowercase().contains("retry-after: 1"));
            break;
        }
    }
    first.write_all(INITIALIZE.as_bytes()).await.unwrap();
    assert_eq!(status(&read(&mut first).await), 200);
    server.open().await;
}

#[tokio::test]
async fn session_not_used_for_longest_makes_place() {
    let server = Running::start(Limits {
        sessions: 2,
        ..Limits::default()
    })
    .await;
    let (one, two) = (server.open().await, server.open().await);
    assert_eq!(server.ping(&one).await, 200);
    let three = server.open().await;
    assert_eq!(server.ping(&two).await, 404);
    assert_eq!(server.ping(&one).await, 200);
    assert_eq!(server.ping(&three).await, 200);
}

#[tokio::test]
async fn requests_that_have_begun_are_answered_at_the_end() {
    let mut server = Running::start(Limits::default()).await;
    let mut slow = server.connect().await;
    let length = INITIALIZE.len();
    slow.write_all(head(None, length).as_bytes()).await.unwrap();
    // It has begun for sure once another one, sent later, was answered.
    server.open().await;
    drop(server.stop.take());
    slow.write_all(INITIALIZE.as_bytes()).await.unwrap();
    assert_eq!(status(&read(&mut slow).await), 200);
    server.task.await.unwrap();
    assert!(TcpStream::connect(server.address).await.is_err());
}
