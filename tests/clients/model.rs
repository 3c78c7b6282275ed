//! A model on loopback that follows a script, in the four protocols in which agents
//! ask models: Anthropic's Messages, OpenAI's Responses and Chat Completions, and
//! Google's generateContent. It keeps what each tool result looked like to it.

use crate::session::Call;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// What the model says when its script is over.
pub const CLOSING: &str = "that was all";

/// Tools of agents that bring further tools into view.
const FINDER: &str = "ToolSearch";
/// What the agent offers of its own, always in view.
const SHELL: &str = "Bash";

pub struct Model {
    pub address: SocketAddr,
    story: Arc<Story>,
}

struct Story {
    script: Vec<Call>,
    /// What it says at the end, by what it was shown.
    closing: fn(&[String]) -> String,
    told: Mutex<Told>,
}

#[derive(Default, Clone)]
struct Told {
    /// The results in the longest request so far.
    results: Vec<Value>,
    /// Names that the script asked for and that the agent did not offer.
    missing: Vec<String>,
}

impl Model {
    /// A model that makes these calls one after the other, then closes.
    pub fn start(script: Vec<Call>) -> Self {
        Self::start_and_close(script, |_| CLOSING.to_owned())
    }

    /// As [`Model::start`], with closing words of its own, made of what it was shown.
    pub fn start_and_close(script: Vec<Call>, closing: fn(&[String]) -> String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let story = Arc::new(Story {
            script,
            closing,
            told: Mutex::default(),
        });
        let theirs = Arc::clone(&story);
        // Ends with the test's process.
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let story = Arc::clone(&theirs);
                std::thread::spawn(move || answer(&stream, &story));
            }
        });
        Self { address, story }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Every result of a scripted call as text, as the model was shown it.
    pub fn seen(&self) -> Vec<String> {
        let told = self.story.told.lock().unwrap().clone();
        assert_eq!(told.missing, Vec::<String>::new(), "tools not offered");
        told.results.iter().map(strings).collect()
    }
}

/// All text in a value, also in JSON that is packed into a text.
fn strings(value: &Value) -> String {
    match value {
        Value::String(text) => match serde_json::from_str(text) {
            Ok(inner @ (Value::Array(_) | Value::Object(_))) => strings(&inner),
            _ => text.clone(),
        },
        Value::Array(list) => list.iter().map(|v| strings(v) + "\n").collect(),
        Value::Object(fields) => fields.values().map(|v| strings(v) + "\n").collect(),
        _ => String::new(),
    }
}

/// A tool that an agent offers.
struct Offer {
    name: String,
    namespace: Option<String>,
}

impl Offer {
    fn of(tool: &Value) -> Vec<Self> {
        let name = |tool: &Value| {
            let name = tool.get("name").or(tool.pointer("/function/name"));
            name.and_then(Value::as_str).unwrap_or_default().to_owned()
        };
        if tool["type"] != "namespace" {
            let namespace = None;
            return vec![Self {
                name: name(tool),
                namespace,
            }];
        }
        let inner = tool["tools"].as_array().into_iter().flatten();
        inner
            .map(|t| Self {
                name: name(t),
                namespace: Some(name(tool)),
            })
            .collect()
    }

    fn is(&self, tool: &str) -> bool {
        let server = self.namespace.as_deref().unwrap_or(&self.name);
        let own = self.name.rsplit('_').next();
        self.name == tool || (own == Some(tool) && server.contains("trimtab"))
    }
}

/// What the model does next.
enum Turn<'a> {
    Call(&'a Offer, Value),
    Say(String),
}

impl Story {
    /// Decides by the results that have come back so far, so that an agent may ask
    /// again, and for other things in between.
    fn turn<'a>(&self, offers: &'a [Offer], results: Vec<Value>) -> Turn<'a> {
        if offers.is_empty() {
            // A title, a summary.
            return Turn::Say("a greeting".to_owned());
        }
        let mut told = self.told.lock().unwrap();
        let hidden = self.script.iter().any(|c| c.tool != SHELL);
        let finder = offers.iter().find(|o| hidden && o.name == FINDER);
        let mut done = results.len();
        if let Some(finder) = finder {
            if done == 0 {
                let mut names: Vec<String> = self
                    .script
                    .iter()
                    .map(|c| format!("mcp__trimtab__{}", c.tool))
                    .collect();
                names.dedup();
                let query = format!("select:{}", names.join(","));
                return Turn::Call(finder, json!({"query": query, "max_results": 10}));
            }
            done -= 1;
        }
        let results = results[results.len() - done..].to_vec();
        if results.len() > told.results.len() {
            told.results = results;
        }
        let Some(call) = self.script.get(done) else {
            let shown: Vec<String> = told.results.iter().map(strings).collect();
            return Turn::Say((self.closing)(&shown));
        };
        match offers.iter().find(|o| o.is(call.tool)) {
            Some(offer) => Turn::Call(offer, call.arguments.clone()),
            None => {
                told.missing.push(call.tool.to_owned());
                Turn::Say(CLOSING.to_owned())
            }
        }
    }
}

fn answer(stream: &TcpStream, story: &Story) {
    let mut reader = BufReader::new(stream);
    let Some((path, body)) = read(&mut reader) else {
        return;
    };
    let request: Value = serde_json::from_str(&body).unwrap_or_default();
    let (kind, body) = if path.ends_with("/count_tokens") {
        ("application/json", json!({"input_tokens": 10}).to_string())
    } else if path.ends_with("/messages") {
        messages(&request, story)
    } else if path.ends_with("/responses") {
        responses(&request, story)
    } else if path.ends_with("/chat/completions") {
        completions(&request, story)
    } else if path.contains("enerateContent") {
        content(&path, &request, story)
    } else {
        (
            "application/json",
            json!({"data": [], "models": []}).to_string(),
        )
    };
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    // An agent that has gone needs no answer.
    let mut stream = stream;
    let _ = stream.write_all((head + &body).as_bytes());
}

/// The path, without what is asked of it, and the body of a request.
fn read(reader: &mut impl BufRead) -> Option<(String, String)> {
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let target = line.split(' ').nth(1)?;
    let path = target.split('?').next()?.to_owned();
    let (mut length, mut chunked) = (0, false);
    loop {
        line.clear();
        reader.read_line(&mut line).ok()?;
        let lower = line.trim().to_lowercase();
        match lower.split_once(':') {
            Some(("content-length", n)) => length = n.trim().parse().ok()?,
            Some(("transfer-encoding", how)) => chunked = how.contains("chunked"),
            Some(_) => {}
            None => break,
        }
    }
    let mut body = Vec::new();
    if !chunked {
        reader.take(length).read_to_end(&mut body).ok()?;
    }
    while chunked {
        line.clear();
        reader.read_line(&mut line).ok()?;
        let size = u64::from_str_radix(line.trim().split(';').next()?, 16).ok()?;
        reader.by_ref().take(size).read_to_end(&mut body).ok()?;
        line.clear();
        reader.read_line(&mut line).ok()?;
        chunked = size > 0;
    }
    Some((path, String::from_utf8(body).ok()?))
}

fn list<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    value[key].as_array().into_iter().flatten()
}

/// Server-sent events, named by their type where they have one.
fn events(events: &[Value]) -> (&'static str, String) {
    let event = |e: &Value| match e["type"].as_str() {
        Some(name) => format!("event: {name}\ndata: {e}\n\n"),
        None => format!("data: {e}\n\n"),
    };
    ("text/event-stream", events.iter().map(event).collect())
}

fn plain(value: &Value) -> (&'static str, String) {
    ("application/json", value.to_string())
}

/// Anthropic: `POST /v1/messages`.
fn messages(request: &Value, story: &Story) -> (&'static str, String) {
    let offers: Vec<Offer> = list(request, "tools").flat_map(Offer::of).collect();
    let results: Vec<Value> = list(request, "messages")
        .flat_map(|m| list(m, "content"))
        .filter(|part| part["type"] == "tool_result")
        .map(|part| part["content"].clone())
        .collect();
    let id = results.len();
    let (block, empty, delta, stop) = match story.turn(&offers, results) {
        Turn::Call(offer, input) => (
            json!({"type": "tool_use", "id": format!("toolu_{id}"), "name": offer.name,
                "input": input}),
            json!({"type": "tool_use", "id": format!("toolu_{id}"), "name": offer.name,
                "input": {}}),
            json!({"type": "input_json_delta", "partial_json": input.to_string()}),
            "tool_use",
        ),
        Turn::Say(text) => (
            json!({"type": "text", "text": text}),
            json!({"type": "text", "text": ""}),
            json!({"type": "text_delta", "text": text}),
            "end_turn",
        ),
    };
    let usage = json!({"input_tokens": 1, "output_tokens": 1});
    let mut message = json!({"id": format!("msg_{id}"), "type": "message", "role": "assistant",
        "model": request["model"], "content": [], "stop_reason": null, "stop_sequence": null,
        "usage": usage});
    if request["stream"] != true {
        message["content"] = json!([block]);
        message["stop_reason"] = stop.into();
        return plain(&message);
    }
    events(&[
        json!({"type": "message_start", "message": message}),
        json!({"type": "content_block_start", "index": 0, "content_block": empty}),
        json!({"type": "content_block_delta", "index": 0, "delta": delta}),
        json!({"type": "content_block_stop", "index": 0}),
        json!({"type": "message_delta", "delta": {"stop_reason": stop, "stop_sequence": null},
            "usage": usage}),
        json!({"type": "message_stop"}),
    ])
}

/// OpenAI: `POST /v1/responses`.
fn responses(request: &Value, story: &Story) -> (&'static str, String) {
    let offers: Vec<Offer> = list(request, "tools").flat_map(Offer::of).collect();
    let results: Vec<Value> = list(request, "input")
        .filter(|item| item["type"] == "function_call_output")
        .map(|item| item["output"].clone())
        .collect();
    let id = results.len();
    let item = match story.turn(&offers, results) {
        Turn::Call(offer, arguments) => {
            let mut item = json!({"type": "function_call", "id": format!("fc_{id}"),
                "call_id": format!("call_{id}"), "name": offer.name, "status": "completed",
                "arguments": arguments.to_string()});
            if let Some(namespace) = &offer.namespace {
                item["namespace"] = namespace.as_str().into();
            }
            item
        }
        Turn::Say(text) => json!({"type": "message", "id": format!("msg_{id}"),
            "role": "assistant", "status": "completed",
            "content": [{"type": "output_text", "text": text, "annotations": []}]}),
    };
    let response = json!({"id": format!("resp_{id}"), "object": "response",
        "status": "completed", "model": request["model"], "output": [item],
        "usage": {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens_details": {"reasoning_tokens": 0}}});
    events(&[
        json!({"type": "response.created", "response": {"id": response["id"]}}),
        json!({"type": "response.output_item.done", "output_index": 0, "item": item}),
        json!({"type": "response.completed", "response": response}),
    ])
}

/// OpenAI and most others: `POST /v1/chat/completions`.
fn completions(request: &Value, story: &Story) -> (&'static str, String) {
    let offers: Vec<Offer> = list(request, "tools").flat_map(Offer::of).collect();
    let results: Vec<Value> = list(request, "messages")
        .filter(|m| m["role"] == "tool")
        .map(|m| m["content"].clone())
        .collect();
    let id = results.len();
    let (delta, finish) = match story.turn(&offers, results) {
        Turn::Call(offer, arguments) => (
            json!({"role": "assistant", "tool_calls": [{"index": 0, "type": "function",
                "id": format!("call_{id}"), "function":
                {"name": offer.name, "arguments": arguments.to_string()}}]}),
            "tool_calls",
        ),
        Turn::Say(text) => (json!({"role": "assistant", "content": text}), "stop"),
    };
    let usage = json!({"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2});
    let base = |object: &str, choice: Value| {
        json!({"id": format!("chat_{id}"), "object": object, "created": 1,
            "model": request["model"], "choices": [choice], "usage": usage})
    };
    if request["stream"] != true {
        let choice = json!({"index": 0, "message": delta, "finish_reason": finish});
        return plain(&base("chat.completion", choice));
    }
    let chunk = |choice| base("chat.completion.chunk", choice);
    let (kind, mut body) = events(&[
        chunk(json!({"index": 0, "delta": delta, "finish_reason": null})),
        chunk(json!({"index": 0, "delta": {}, "finish_reason": finish})),
    ]);
    body.push_str("data: [DONE]\n\n");
    (kind, body)
}

/// Google: `POST /v1beta/models/NAME:generateContent`, or `:streamGenerateContent`.
fn content(path: &str, request: &Value, story: &Story) -> (&'static str, String) {
    let offers: Vec<Offer> = list(request, "tools")
        .flat_map(|t| list(t, "functionDeclarations"))
        .flat_map(Offer::of)
        .collect();
    let results: Vec<Value> = list(request, "contents")
        .flat_map(|c| list(c, "parts"))
        .filter_map(|part| part.get("functionResponse"))
        .map(|answer| answer["response"].clone())
        .collect();
    let part = match story.turn(&offers, results) {
        Turn::Call(offer, arguments) => {
            json!({"functionCall": {"name": offer.name, "args": arguments}})
        }
        Turn::Say(text) => json!({"text": text}),
    };
    let answer = json!({
        "candidates": [{"index": 0, "finishReason": "STOP",
            "content": {"role": "model", "parts": [part]}}],
        "usageMetadata": {"promptTokenCount": 1, "candidatesTokenCount": 1,
            "totalTokenCount": 2}});
    if path.contains("stream") {
        events(&[answer])
    } else {
        plain(&answer)
    }
}
