//! What an MCP server costs before it has done anything, for trimtab and its peers, in
//! the same run: how long until `initialize` is answered, what listing the tools costs
//! in bytes and o200k tokens, and the memory of all its processes.
//!
//! `cargo bench --bench peers` measures trimtab alone; with
//! `cargo bench --bench peers -- LIST.json [RUNS]` those in a file, too:
//! `[{"name": "…", "command": ["program", "argument"]}]`. Prints a Markdown table.

#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::expect_used)]

use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// How long a peer may take for one answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long a server is left alone before its memory is looked at.
const REST: Duration = Duration::from_secs(2);

struct Server {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<String>,
}

impl Server {
    fn start(command: &[String]) -> Option<Self> {
        let (program, arguments) = command.split_first()?;
        let mut child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        let stdin = child.stdin.take();
        let stdout = BufReader::new(child.stdout.take()?);
        let (send, lines) = channel();
        std::thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                if send.send(line).is_err() {
                    break;
                }
            }
        });
        Some(Self {
            child,
            stdin,
            lines,
        })
    }

    fn send(&mut self, message: &Value) {
        let stdin = self.stdin.as_mut().unwrap();
        // A server that has ended is noticed where its answer is awaited.
        let _ = writeln!(stdin, "{message}").and_then(|()| stdin.flush());
    }

    /// The answer to a request, and its bytes.
    fn ask(&mut self, id: u32, method: &str, params: &Value) -> Option<(Value, usize)> {
        self.send(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}));
        loop {
            let line = self.lines.recv_timeout(PATIENCE).ok()?;
            let Ok(message) = serde_json::from_str::<Value>(&line) else {
                continue;
            };
            if message["id"] == id && message.get("method").is_none() {
                return message.get("result").cloned().map(|r| (r, line.len()));
            }
        }
    }

    fn initialize(&mut self) -> Option<()> {
        let params = json!({"protocolVersion": "2025-11-25", "capabilities": {},
            "clientInfo": {"name": "peers", "version": "1"}});
        self.ask(0, "initialize", &params)?;
        self.send(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}));
        Some(())
    }

    /// Whether it ends by itself once its input has ended.
    fn ends(mut self) -> bool {
        drop(self.stdin.take());
        let begun = Instant::now();
        while begun.elapsed() < 2 * REST {
            if matches!(self.child.try_wait(), Ok(Some(_))) {
                return true;
            }
            std::thread::sleep(REST / 100);
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
        false
    }
}

/// Megabytes of a process and of those that it started (Linux; none elsewhere).
fn memory(id: u32) -> Option<f64> {
    let mut parents: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for entry in std::fs::read_dir("/proc").ok()?.flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|n| n.parse().ok()) else {
            continue;
        };
        let stat = std::fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        // The name before it may hold anything.
        let after = stat.rsplit(')').next().unwrap_or_default();
        if let Some(parent) = after.split_whitespace().nth(1).and_then(|p| p.parse().ok()) {
            parents.entry(parent).or_default().push(pid);
        }
    }
    let (mut todo, mut kilobytes) = (vec![id], 0.0);
    while let Some(pid) = todo.pop() {
        todo.extend(parents.get(&pid).into_iter().flatten());
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:"));
        let number = line.and_then(|l| l.split_whitespace().next());
        kilobytes += number.and_then(|n| n.parse::<f64>().ok()).unwrap_or(0.0);
    }
    Some(kilobytes / 1024.0)
}

/// A row of the table.
fn measure(name: &str, command: &[String], runs: usize) -> Option<String> {
    let mut times = Vec::new();
    for _ in 1..runs {
        let begun = Instant::now();
        let mut server = Server::start(command)?;
        server.initialize()?;
        times.push(begun.elapsed());
        server.ends();
    }
    let begun = Instant::now();
    let mut server = Server::start(command)?;
    server.initialize()?;
    times.push(begun.elapsed());
    times.sort();
    std::thread::sleep(REST);
    let megabytes = memory(server.child.id());
    let (listed, bytes) = server.ask(1, "tools/list", &json!({}))?;
    let tools = listed["tools"].as_array()?;
    // What agents hand to their model.
    let told: Vec<Value> = tools
        .iter()
        .map(|t| {
            json!({"name": t["name"], "description": t["description"],
                "inputSchema": t["inputSchema"]})
        })
        .collect();
    let tokens = trimtab::tokens::count(&Value::from(told).to_string());
    let milliseconds = |t: Duration| t.as_secs_f64() * 1000.0;
    Some(format!(
        "| {name} | {} | {bytes} | {tokens} | {:.1} | {:.1} | {} | {} |",
        tools.len(),
        milliseconds(times[0]),
        milliseconds(times[times.len() / 2]),
        megabytes.map_or("?".to_owned(), |m| format!("{m:.1}")),
        if server.ends() { "yes" } else { "no" },
    ))
}

fn main() {
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|a| a != "--bench")
        .collect();
    let own = vec![env!("CARGO_BIN_EXE_trimtab").to_owned(), "mcp".to_owned()];
    let mut servers = vec![("trimtab".to_owned(), own)];
    if let Some(file) = arguments.first() {
        let text = std::fs::read_to_string(file).expect(file);
        let list: Vec<Value> = serde_json::from_str(&text).expect(file);
        for peer in list {
            let name = peer["name"].as_str().expect("name").to_owned();
            let command = peer["command"].as_array().expect("command").iter();
            let command = command.map(|c| c.as_str().expect("text").to_owned());
            servers.push((name, command.collect()));
        }
    }
    let runs = arguments.get(1).and_then(|n| n.parse().ok()).unwrap_or(20);
    println!(
        "| server | tools | list, bytes | tools, tokens | initialize, least ms | median ms \
         | memory, MB | ends with its input |\n|---|---|---|---|---|---|---|---|"
    );
    for (name, command) in servers {
        match measure(&name, &command, runs) {
            Some(row) => println!("{row}"),
            None => println!("| {name} | did not answer | | | | | | |"),
        }
    }
}
