//! The calls that every client makes, and what they come to when nothing is between
//! the server and the reader.

use crate::user::{TRIMTAB, User};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;

/// A tool call.
#[derive(Clone)]
pub struct Call {
    pub tool: &'static str,
    pub arguments: Value,
}

/// One call of each kind: reading, shortening, writing, finding, and a mistake.
pub fn calls() -> Vec<Call> {
    let edit = "fn greet() -> &'static str {\n    \"good day\"\n}\n";
    [
        ("search", json!({"queries": ["greet", "println"]})),
        (
            "compact",
            json!({"target": "src/main.rs", "query": "greet"}),
        ),
        ("apply", json!({"path": "src/main.rs", "edit": edit})),
        ("run", json!({"task": "what does greet say?"})),
        ("expand", json!({"target": "src/none.rs"})),
    ]
    .into_iter()
    .map(|(tool, arguments)| Call { tool, arguments })
    .collect()
}

/// The text of each result, byte for byte, as the server sends it to a client that
/// works on the same files.
pub fn expected(calls: &[Call]) -> Vec<String> {
    let user = User::new();
    let mut child = user
        .command(TRIMTAB)
        .arg("mcp")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut ask = |id: usize, method: &str, params: Value| -> Value {
        let request = json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params});
        writeln!(stdin, "{request}").unwrap();
        serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap()
    };
    ask(
        0,
        "initialize",
        json!({"protocolVersion": "2025-11-25", "capabilities": {},
            "clientInfo": {"name": "test", "version": "1"}}),
    );
    let texts = calls.iter().zip(1..).map(|(call, id)| {
        let params = json!({"name": call.tool, "arguments": call.arguments});
        let answer = ask(id, "tools/call", params);
        let text = answer["result"]["content"][0]["text"].as_str();
        text.unwrap_or_else(|| panic!("{answer}")).to_owned()
    });
    let texts = texts.collect();
    drop(stdin);
    assert!(child.wait().unwrap().success());
    texts
}
