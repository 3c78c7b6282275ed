//! Streamable HTTP, spoken byte by byte.

use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Far beyond what any request needs; only a hang reaches it.
const HANG: Duration = Duration::from_secs(120);

struct Server {
    child: Child,
    address: SocketAddr,
    log: BufReader<std::process::ChildStderr>,
    _home: tempfile::TempDir,
}

fn command(root: &Path, home: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_trimtab"));
    command
        .args(["mcp", "--root"])
        .arg(root)
        .args(arguments)
        .env_remove("TRIMTAB_TOKEN")
        .env("HOME", home)
        .env("XDG_STATE_HOME", home.join("state"))
        .env("XDG_CACHE_HOME", home.join("cache"))
        .env("LOCALAPPDATA", home)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

impl Server {
    fn start(root: &Path, arguments: &[&str]) -> Self {
        Self::with(root, arguments, |_| {})
    }

    fn with(root: &Path, arguments: &[&str], set: impl FnOnce(&mut Command)) -> Self {
        let home = tempfile::tempdir().unwrap();
        let mut command = command(root, home.path(), arguments);
        if !arguments.contains(&"--http") {
            command.args(["--http", "127.0.0.1:0"]);
        }
        set(&mut command);
        let mut child = command.spawn().unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        log.read_line(&mut line).unwrap();
        let url = line.trim().strip_prefix("listening on http://");
        let (address, path) = url.expect(&line).split_once('/').unwrap();
        assert_eq!(path, "mcp");
        let port = address.rsplit_once(':').unwrap().1.parse().unwrap();
        Self {
            child,
            address: SocketAddr::from(([127, 0, 0, 1], port)),
            log,
            _home: home,
        }
    }

    /// Sends bytes as they are and reads until the server closes.
    fn raw(&self, request: &[u8]) -> Reply {
        let mut stream = self.connect();
        // A server that refuses may close before it has read everything.
        let _ = stream.write_all(request);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        Reply::read(&answer)
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(HANG)).unwrap();
        stream
    }

    fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Reply {
        self.raw(request(method, path, headers, body).as_bytes())
    }

    fn post(&self, path: &str, headers: &[(&str, &str)], body: &Value) -> Reply {
        self.send("POST", path, headers, &body.to_string())
    }

    /// Opens a session of a legacy client and gives back its id.
    fn open(&self, path: &str, version: &str) -> String {
        let opened = self.post(path, &[], &initialize(version));
        assert_eq!(opened.status, 200, "{}", opened.body);
        assert_eq!(opened.message()["result"]["protocolVersion"], version);
        let id = opened.header("mcp-session-id").expect("a session");
        let session = [("mcp-session-id", id.as_str())];
        let opened = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
        assert_eq!(self.post(path, &session, &opened).status, 202);
        id
    }

    fn call(&self, path: &str, session: &str, tool: &str, arguments: Value) -> String {
        let headers = [("mcp-session-id", session)];
        let reply = self.post(path, &headers, &call(1, tool, arguments));
        assert_eq!(reply.status, 200, "{}", reply.body);
        text(&reply.message())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn request(method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> String {
    let mut all = vec![
        ("host", "localhost"),
        ("connection", "close"),
        ("accept", "application/json, text/event-stream"),
        ("content-type", "application/json"),
    ];
    all.retain(|(name, _)| headers.iter().all(|(other, _)| other != name));
    all.extend(headers);
    let lines: String = all.iter().map(|(n, v)| format!("{n}: {v}\r\n")).collect();
    let length = body.len();
    format!("{method} {path} HTTP/1.1\r\n{lines}content-length: {length}\r\n\r\n{body}")
}

fn initialize(version: &str) -> Value {
    json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {
        "protocolVersion": version, "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"}}})
}

fn call(id: u32, tool: &str, arguments: Value) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "method": "tools/call",
        "params": {"name": tool, "arguments": arguments}})
}

fn text(message: &Value) -> String {
    let text = message["result"]["content"][0]["text"].as_str();
    text.unwrap_or_else(|| panic!("{message}")).to_owned()
}

struct Reply {
    status: u16,
    head: String,
    body: String,
}

impl Reply {
    fn read(bytes: &[u8]) -> Self {
        let all = String::from_utf8_lossy(bytes);
        let (head, body) = all.split_once("\r\n\r\n").unwrap_or((&all, ""));
        let status = head.split(' ').nth(1).and_then(|s| s.parse().ok());
        let chunked = head.to_lowercase().contains("transfer-encoding: chunked");
        Self {
            status: status.unwrap_or_default(),
            head: head.to_owned(),
            body: if chunked { joined(body) } else { body.into() },
        }
    }

    fn header(&self, name: &str) -> Option<String> {
        self.head.lines().find_map(|line| {
            let (n, value) = line.split_once(':')?;
            n.eq_ignore_ascii_case(name).then(|| value.trim().into())
        })
    }

    /// The one answer in the body, be it JSON or a stream of events.
    fn message(&self) -> Value {
        let lines = self.body.lines();
        let mut messages = lines
            .map(|line| line.strip_prefix("data:").unwrap_or(line).trim())
            .filter_map(|line| serde_json::from_str::<Value>(line).ok())
            .filter(|message| message.get("id").is_some());
        let message = messages.next().unwrap_or_else(|| panic!("{}", self.body));
        assert!(messages.next().is_none(), "{}", self.body);
        message
    }
}

/// The chunks of a body put together.
fn joined(mut body: &str) -> String {
    let mut all = String::new();
    while let Some((length, rest)) = body.split_once("\r\n") {
        let length = usize::from_str_radix(length, 16).unwrap();
        all.push_str(&rest[..length]);
        body = rest[length..].strip_prefix("\r\n").unwrap_or_default();
    }
    all
}

fn project(word: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("a.rs"), format!("fn {word}() {{}}\n")).unwrap();
    dir
}

#[test]
fn sessions_live_until_they_are_deleted() {
    let project = project("needle");
    let server = Server::start(project.path(), &[]);
    for version in ["2025-06-18", "2025-11-25"] {
        // Two clients at once.
        let one = server.open("/mcp", version);
        let two = server.open("/mcp", version);
        assert_ne!(one, two);
        for session in [&one, &two] {
            let found = server.call("/mcp", session, "search", json!({"queries": ["needle"]}));
            assert!(found.contains("fn needle() {}"), "{found}");
        }
        let list = json!({"jsonrpc": "2.0", "id": 2, "method": "tools/list"});
        let headers = [("mcp-session-id", one.as_str())];
        let listed = server.post("/mcp", &headers, &list).message();
        assert_eq!(listed["result"]["tools"].as_array().unwrap().len(), 5);
        let deleted = server.send("DELETE", "/mcp", &headers, "");
        assert!(deleted.status < 300, "{}", deleted.status);
        assert_eq!(server.post("/mcp", &headers, &list).status, 404);
        let headers = [("mcp-session-id", two.as_str())];
        assert_eq!(server.post("/mcp", &headers, &list).status, 200);
        assert_eq!(server.post("/mcp", &[], &list).status, 400);
    }
}

#[test]
fn newer_clients_need_no_session() {
    let project = project("needle");
    let server = Server::start(project.path(), &[]);
    let mut request = call(7, "expand", json!({"target": "a.rs"}));
    request["params"]["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"}});
    let headers = [
        ("mcp-protocol-version", "2026-07-28"),
        ("mcp-method", "tools/call"),
        ("mcp-name", "expand"),
    ];
    let reply = server.post("/mcp", &headers, &request);
    assert_eq!(reply.status, 200, "{}", reply.body);
    assert_eq!(reply.header("mcp-session-id"), None);
    let message = reply.message();
    assert_eq!(message["id"], 7);
    assert!(text(&message).contains("fn needle() {}"));
    // Headers that say something else are not believed.
    let headers = [headers[0], headers[1], ("mcp-name", "apply")];
    assert_eq!(server.post("/mcp", &headers, &request).status, 400);
}

#[test]
fn strangers_are_refused() {
    let project = project("needle");
    let server = Server::start(project.path(), &["--allow-host", "dev.example"]);
    let status = |headers: &[(&str, &str)]| {
        let reply = server.post("/mcp", headers, &initialize("2025-11-25"));
        reply.status
    };
    assert_eq!(status(&[("host", "evil.example")]), 403);
    assert_eq!(status(&[("host", "192.0.2.7")]), 403);
    assert_eq!(status(&[("origin", "https://evil.example")]), 403);
    assert_eq!(status(&[("origin", "null")]), 403);
    assert_eq!(status(&[("origin", "http://localhost:6274")]), 200);
    assert_eq!(status(&[("host", "dev.example:443")]), 200);
    let nowhere = server.post("/", &[], &initialize("2025-11-25"));
    assert_eq!(nowhere.status, 404);
    assert!(nowhere.body.contains("/mcp"), "{}", nowhere.body);
    // Pages of other sites are not even let off the preflight.
    let preflight = [
        ("origin", "http://localhost:6274"),
        ("access-control-request-method", "POST"),
    ];
    let preflight = server.send("OPTIONS", "/mcp", &preflight, "");
    assert_eq!(preflight.status, 405);
    assert_eq!(preflight.header("access-control-allow-origin"), None);
}

#[test]
fn a_token_is_asked_for() {
    let project = project("needle");
    let secret = "correct-horse-battery-staple";
    let file = project.path().join("token");
    std::fs::write(&file, format!("{secret}\n")).unwrap();
    let from_file = ["--token-file", file.to_str().unwrap()];
    let from_environment = |c: &mut Command| {
        c.env("TRIMTAB_TOKEN", secret);
    };
    let everywhere = [&["--http", "0.0.0.0:0"][..], &from_file].concat();
    for mut server in [
        Server::start(project.path(), &from_file),
        Server::start(project.path(), &everywhere),
        Server::with(project.path(), &[], from_environment),
    ] {
        let ask =
            |headers: &[(&str, &str)]| server.post("/mcp", headers, &initialize("2025-11-25"));
        let refused = ask(&[]);
        assert_eq!(refused.status, 401);
        assert_eq!(
            refused.header("www-authenticate").as_deref(),
            Some("Bearer")
        );
        assert_eq!(ask(&[("authorization", "Bearer wrong")]).status, 401);
        let right = format!("Bearer {secret}");
        assert_eq!(ask(&[("authorization", &right)]).status, 200);
        server.child.kill().unwrap();
        let mut log = String::new();
        server.log.read_to_string(&mut log).unwrap();
        assert!(!log.contains("horse"), "{log}");
    }
}

#[test]
fn does_not_start_open_to_the_world() {
    let project = project("needle");
    let weak = project.path().join("weak");
    std::fs::write(&weak, "secret").unwrap();
    let weak = weak.to_str().unwrap();
    for (arguments, code) in [
        (&["--http", "0.0.0.0:0"][..], "token_needed"),
        (&["--http", "[::]:0"], "token_needed"),
        (
            &["--http", "127.0.0.1:0", "--token-file", weak],
            "weak_token",
        ),
        (
            &["--http", "127.0.0.1:0", "--token-file", "/no/such"],
            "no_token",
        ),
        (&["--http", "127.0.0.1:0", "--serve", "a/b=."], "bad_name"),
        (
            &["--http", "127.0.0.1:0", "--serve", "a=/no/such"],
            "bad_root",
        ),
        (
            &["--http", "192.0.2.1:1", "--token-file", weak],
            "weak_token",
        ),
    ] {
        let output = command(project.path(), project.path(), arguments)
            .output()
            .unwrap();
        let log = String::from_utf8_lossy(&output.stderr);
        assert!(log.contains(code), "{arguments:?}: {log}");
        assert!(log.contains("next: "), "{log}");
        assert_eq!(output.status.code(), Some(2));
    }
}

#[test]
fn each_root_has_a_path_of_its_own() {
    let (one, two) = (project("first"), project("second"));
    let more = format!("web={}", two.path().display());
    let server = Server::start(one.path(), &["--serve", &more, "--read-only"]);
    let first = server.open("/mcp", "2025-11-25");
    let second = server.open("/mcp/web", "2025-11-25");
    let both = json!({"queries": ["first", "second"]});
    let found = server.call("/mcp", &first, "search", both.clone());
    assert!(found.contains("fn first") && !found.contains("fn second"));
    let found = server.call("/mcp/web", &second, "search", both);
    assert!(found.contains("fn second") && !found.contains("fn first"));
    // A session is worth nothing elsewhere.
    let list = json!({"jsonrpc": "2.0", "id": 2, "method": "tools/list"});
    let headers = [("mcp-session-id", first.as_str())];
    assert_eq!(server.post("/mcp/web", &headers, &list).status, 404);
    assert_eq!(server.post("/mcp/api", &headers, &list).status, 404);
    // Nor are folders that nobody offered within reach.
    let outside = json!({"target": two.path().join("a.rs")});
    let refused = server.call("/mcp", &first, "expand", outside);
    assert!(refused.starts_with("outside_root: "), "{refused}");
    let listed = server.post("/mcp", &headers, &list).message();
    assert_eq!(listed["result"]["tools"].as_array().unwrap().len(), 4);
}

#[test]
fn requests_have_a_size_and_a_form() {
    let project = project("needle");
    let server = Server::start(project.path(), &[]);
    let long = format!("\"{}\"", "x".repeat(5 << 20));
    assert_eq!(server.send("POST", "/mcp", &[], &long).status, 413);
    // The length need not be told beforehand.
    let head = request("POST", "/mcp", &[("transfer-encoding", "chunked")], "");
    let head = head.replace("content-length: 0\r\n", "");
    let chunked = format!("{head}{:x}\r\n{long}\r\n0\r\n\r\n", long.len());
    assert_eq!(server.raw(chunked.as_bytes()).status, 413);
    assert_eq!(server.send("POST", "/mcp", &[], "no JSON").status, 415);
    let plain = [("content-type", "text/plain")];
    assert_eq!(server.send("POST", "/mcp", &plain, "{}").status, 415);
    let html = [("accept", "text/html")];
    assert_eq!(server.send("POST", "/mcp", &html, "{}").status, 406);
    assert_eq!(server.send("PUT", "/mcp", &[], "{}").status, 405);
    // After all that it still works.
    server.open("/mcp", "2025-11-25");
}

#[cfg(unix)]
#[test]
fn ends_when_told_to_although_clients_listen() {
    for signal in ["TERM", "INT"] {
        let project = project("needle");
        let mut server = Server::start(project.path(), &[]);
        let session = server.open("/mcp", "2025-11-25");
        // A stream on which a client waits for news.
        let mut stream = server.connect();
        let headers = [("mcp-session-id", session.as_str())];
        let listen = request("GET", "/mcp", &headers, "");
        stream.write_all(listen.as_bytes()).unwrap();
        let mut line = String::new();
        let mut news = BufReader::new(stream);
        news.read_line(&mut line).unwrap();
        assert!(line.starts_with("HTTP/1.1 200"), "{line}");
        let id = server.child.id().to_string();
        let sent = Command::new("kill").args(["-s", signal, &id]).status();
        assert!(sent.unwrap().success());
        // The stream ends in order, then the process.
        let mut rest = String::new();
        news.read_to_string(&mut rest).unwrap();
        assert!(rest.ends_with("0\r\n\r\n"), "{rest}");
        assert_eq!(server.child.wait().unwrap().code(), Some(0));
        assert!(TcpStream::connect(server.address).is_err());
        let mut out = String::new();
        let stdout = server.child.stdout.as_mut().unwrap();
        stdout.read_to_string(&mut out).unwrap();
        assert_eq!(out, "");
    }
}
