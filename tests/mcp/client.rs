//! A small MCP client over the pipes of the real process.

use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// Far beyond what any call needs; only a hang reaches it.
const HANG: Duration = Duration::from_secs(120);

#[derive(Clone, Copy, PartialEq)]
pub enum Era {
    /// `initialize`, then a session.
    Legacy,
    /// No session; every request carries the version.
    Modern,
}

pub struct Client {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<String>,
    era: Era,
    next: u64,
    pub notifications: Vec<Value>,
    _home: tempfile::TempDir,
}

impl Client {
    /// Starts the server with nothing but `HOME` and `PATH` in its environment.
    pub fn start(project: &Path, arguments: &[&str], era: Era) -> Self {
        let home = tempfile::tempdir().unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_trimtab"))
            .arg("mcp")
            .args(arguments)
            .current_dir(project)
            .env_clear()
            .env("HOME", home.path())
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            // Windows cannot start a process without it.
            .envs(std::env::var_os("SystemRoot").map(|r| ("SystemRoot", r)))
            .env("LOCALAPPDATA", home.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let stdin = child.stdin.take();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (send, lines) = channel();
        std::thread::spawn(move || {
            for line in stdout.lines() {
                if send.send(line.unwrap()).is_err() {
                    break;
                }
            }
        });
        Self {
            child,
            stdin,
            lines,
            era,
            next: 0,
            notifications: Vec::new(),
            _home: home,
        }
    }

    /// Starts the server and opens the connection as the era asks.
    pub fn open(project: &Path, arguments: &[&str], era: Era) -> Self {
        let mut client = Self::start(project, arguments, era);
        match era {
            Era::Legacy => {
                let opened = client.request(
                    "initialize",
                    json!({"protocolVersion": "2025-11-25", "capabilities": {},
                        "clientInfo": {"name": "test", "version": "1"}}),
                );
                assert_eq!(opened["result"]["protocolVersion"], "2025-11-25");
                client.notify("notifications/initialized", json!({}));
            }
            Era::Modern => {
                let found = client.request("server/discover", json!({}));
                assert!(found["result"]["supportedVersions"].is_array(), "{found}");
            }
        }
        client
    }

    pub fn raw(&mut self, line: &str) {
        let stdin = self.stdin.as_mut().unwrap();
        writeln!(stdin, "{line}").unwrap();
        stdin.flush().unwrap();
    }

    pub fn notify(&mut self, method: &str, params: Value) {
        self.raw(&json!({"jsonrpc": "2.0", "method": method, "params": params}).to_string());
    }

    /// Sends a request and returns its id.
    pub fn send(&mut self, method: &str, mut params: Value) -> u64 {
        self.next += 1;
        if self.era == Era::Modern {
            params["_meta"]["io.modelcontextprotocol/protocolVersion"] = "2026-07-28".into();
            params["_meta"]["io.modelcontextprotocol/clientCapabilities"] = json!({});
            params["_meta"]["io.modelcontextprotocol/clientInfo"] =
                json!({"name": "test", "version": "1"});
        }
        let id = self.next;
        let request = json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params});
        self.raw(&request.to_string());
        id
    }

    /// The next message that is no notification; anything on standard output
    /// that is no message fails the test.
    pub fn receive(&mut self) -> Value {
        loop {
            let line = self.lines.recv_timeout(HANG).expect("an answer");
            let message: Value = serde_json::from_str(&line).expect(&line);
            assert_eq!(message["jsonrpc"], "2.0", "{line}");
            if message.get("id").is_some() || message.get("error").is_some() {
                return message;
            }
            self.notifications.push(message);
        }
    }

    pub fn request(&mut self, method: &str, params: Value) -> Value {
        let id = self.send(method, params);
        let answer = self.receive();
        assert_eq!(answer["id"], id, "{answer}");
        answer
    }

    /// Calls a tool: its one text block, or `Err` with it if it is an error.
    pub fn call(&mut self, tool: &str, arguments: Value) -> Result<String, String> {
        let answer = self.request("tools/call", json!({"name": tool, "arguments": arguments}));
        let result = &answer["result"];
        assert!(result.get("structuredContent").is_none(), "{answer}");
        let [block] = result["content"].as_array().expect("content").as_slice() else {
            panic!("not one block: {answer}");
        };
        assert_eq!(block["type"], "text");
        let text = block["text"].as_str().unwrap().to_owned();
        if result["isError"] == true {
            Err(text)
        } else {
            Ok(text)
        }
    }

    /// Ends the input and waits for the process; what it still says must be
    /// messages.
    pub fn end(mut self) -> (ExitStatus, Vec<Value>) {
        drop(self.stdin.take());
        let mut rest = Vec::new();
        while let Ok(line) = self.lines.recv_timeout(HANG) {
            rest.push(serde_json::from_str(&line).expect(&line));
        }
        (self.child.wait().unwrap(), rest)
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        drop(self.stdin.take());
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
