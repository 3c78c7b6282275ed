//! A model and servers of others, where the user configured them: a scripted server
//! on loopback asserts what is sent. That a model plans well is not tested here.
#![cfg(feature = "model")]

use serde_json::{Value, json};
use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// What the server does with a request.
enum Act {
    /// A status, more headers, a body.
    Answer(u16, &'static str, String),
    /// Says nothing for a while.
    Hang,
    /// Promises more than it sends.
    Cut,
}

struct Request {
    head: String,
    body: Value,
}

struct Server {
    url: String,
    seen: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    /// Acts in order, one for each request; more requests are refused.
    fn start(script: Vec<Act>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/v1", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let requests = Arc::clone(&seen);
        thread::spawn(move || {
            let mut script = script.into_iter();
            for stream in listener.incoming().flatten() {
                let act = script.next();
                requests.lock().unwrap().push(serve(stream, act));
            }
        });
        Self { url, seen }
    }

    fn bodies(&self) -> Vec<Value> {
        self.seen
            .lock()
            .unwrap()
            .iter()
            .map(|r| r.body.clone())
            .collect()
    }
}

fn serve(mut stream: TcpStream, act: Option<Act>) -> Request {
    let mut bytes = Vec::new();
    let mut chunk = [0; 4096];
    let (head, body) = loop {
        let n = stream.read(&mut chunk).unwrap();
        bytes.extend_from_slice(&chunk[..n]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.to_lowercase();
            let length = length
                .lines()
                .find_map(|l| l.strip_prefix("content-length: "))
                .unwrap();
            if body.len() >= length.trim().parse().unwrap() {
                break (head.to_string(), body.to_string());
            }
        }
        assert!(n > 0, "the request was cut: {text}");
    };
    let mut send = |text: String| {
        let _ = stream.write_all(text.as_bytes());
    };
    match act {
        Some(Act::Answer(status, headers, text)) => send(format!(
            "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\nconnection: close\r\n{headers}content-length: {}\r\n\r\n{text}",
            text.len()
        )),
        Some(Act::Hang) => {
            thread::spawn(move || {
                thread::sleep(Duration::from_secs(30));
                drop(stream);
            });
        }
        Some(Act::Cut) => {
            send("HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n{\"choices\": [".into())
        }
        None => send("HTTP/1.1 410 Gone\r\nconnection: close\r\ncontent-length: 0\r\n\r\n".into()),
    }
    let body = serde_json::from_str(&body).unwrap();
    Request { head, body }
}

fn says(content: &str) -> Act {
    let body = json!({"choices": [{"message": {"role": "assistant", "content": content}}]});
    Act::Answer(200, "", body.to_string())
}

fn calls(calls: &[(&str, Value)]) -> Act {
    let call = |(n, (name, arguments)): (usize, &(&str, Value))| {
        json!({"id": format!("c{n}"), "type": "function",
            "function": {"name": name, "arguments": arguments.to_string()}})
    };
    let calls: Vec<Value> = calls.iter().enumerate().map(call).collect();
    let body = json!({"choices": [{"message":
        {"role": "assistant", "content": null, "tool_calls": calls}}]});
    Act::Answer(200, "", body.to_string())
}

/// An answer that says what it cost.
fn costs(tokens: u64, answer: Act) -> Act {
    let Act::Answer(status, headers, body) = answer else {
        return answer;
    };
    let mut body: Value = serde_json::from_str(&body).unwrap();
    body["usage"] =
        json!({"prompt_tokens": tokens - 1, "completion_tokens": 1, "total_tokens": tokens});
    Act::Answer(status, headers, body.to_string())
}

fn status(status: u16, headers: &'static str) -> Act {
    Act::Answer(
        status,
        headers,
        "{\"error\": \"s3cret was refused\"}".into(),
    )
}

const KEY: &str = "k3y-that-nobody-may-see";

struct Place(tempfile::TempDir);

impl Place {
    fn new(config: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("tree/src")).unwrap();
        fs::create_dir_all(dir.path().join(".config/trimtab/workflows")).unwrap();
        fs::write(
            dir.path().join("tree/src/limit.rs"),
            "/// Most requests at a time.\npub const LIMIT: usize = 5;\n\npub fn other() {}\n",
        )
        .unwrap();
        fs::write(dir.path().join(".config/trimtab/trimtab.toml"), config).unwrap();
        Self(dir)
    }

    fn workflow(&self, text: &str) {
        fs::write(
            self.0.path().join(".config/trimtab/workflows/ask.toml"),
            text,
        )
        .unwrap();
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_trimtab"));
        command
            .args(arguments)
            .arg("--root")
            .arg(self.0.path().join("tree"))
            .env("HOME", self.0.path())
            .env("TEST_MODEL_KEY", KEY)
            .env_remove("XDG_STATE_HOME")
            .env_remove("XDG_CACHE_HOME")
            .env_remove("XDG_CONFIG_HOME")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    fn steps(&self) -> Value {
        serde_json::from_slice(&self.run(&["runs", "show", "r1", "--json"]).stdout).unwrap()
    }

    /// No file below the place holds the key.
    fn assert_no_key(&self) {
        fn look(folder: &Path) {
            for entry in fs::read_dir(folder).unwrap().flatten() {
                if entry.path().is_dir() {
                    look(&entry.path());
                } else {
                    let bytes = fs::read(entry.path()).unwrap();
                    let found = bytes.windows(KEY.len()).any(|w| w == KEY.as_bytes());
                    assert!(!found, "{} holds the key", entry.path().display());
                }
            }
        }
        look(self.0.path());
    }
}

fn text(output: &Output) -> String {
    let all = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
    String::from_utf8(all).unwrap()
}

fn endpoint(server: &Server, more: &str) -> String {
    format!(
        "[[model.endpoint]]\nurl = \"{}\"\nname = \"m\"\nkey = \"TEST_MODEL_KEY\"\n{more}\n",
        server.url
    )
}

const ASK: &str = "[[step]]\nid = \"ask\"\nkind = \"model\"\nprompt = \"How many?\"\n\
    schema = { type = \"object\", properties = { n = { type = \"integer\" } }, required = [\"n\"] }\n\n\
    [[step]]\nid = \"tell\"\nkind = \"compact\"\ntext = \"there are {{ steps.ask.value.n }}\"\n";
const RUN: [&str; 3] = ["run", "--workflow", "ask"];

#[test]
fn a_model_step_tries_again_and_its_answer_is_held_against_the_schema() {
    let server = Server::start(vec![
        status(429, "retry-after: 1\r\n"),
        status(500, ""),
        says("{\"n\": \"three\"}"),
        says("```json\n{\"n\": 3}\n```"),
    ]);
    let p = Place::new(&endpoint(&server, ""));
    p.workflow(ASK);
    let out = p.run(&RUN);
    assert_eq!(text(&out), "there are 3\ndone: 2 steps\n");
    let bodies = server.bodies();
    assert_eq!(bodies.len(), 4);
    assert_eq!(bodies[0], bodies[1]);
    assert_eq!(bodies[0]["model"], "m");
    assert_eq!(bodies[0]["messages"][1]["content"], "How many?");
    assert_eq!(
        bodies[0]["response_format"]["json_schema"]["schema"]["required"][0],
        "n"
    );
    let last = bodies[3]["messages"].as_array().unwrap();
    assert_eq!(last.len(), 4);
    assert_eq!(last[2]["content"], "{\"n\": \"three\"}");
    let told = last[3]["content"].as_str().unwrap();
    assert!(
        told.contains("\"three\" is not of type \"integer\""),
        "{told}"
    );
    for request in server.seen.lock().unwrap().iter() {
        assert!(
            request.head.starts_with("POST /v1/chat/completions "),
            "{}",
            request.head
        );
        assert!(
            request
                .head
                .contains(&format!("authorization: Bearer {KEY}")),
            "{}",
            request.head
        );
    }
    let steps = p.steps();
    let failed = steps[0]["failed"].as_array().unwrap();
    assert_eq!(failed.len(), 3, "{steps}");
    assert!(failed[0]["error"].as_str().unwrap().contains("status 429"));
    assert!(failed[0]["waited"].as_u64() >= Some(1000), "{steps}");
    // What the server says is not quoted.
    assert!(!steps.to_string().contains("s3cret"), "{steps}");
    p.assert_no_key();
    // Once more from the journal: nobody is asked.
    assert_eq!(text(&p.run(&["run", "--resume", "r1"])), text(&out));
    assert_eq!(server.bodies().len(), 4);
}

#[test]
fn a_second_wrong_answer_is_a_failure() {
    let server = Server::start(vec![says("{\"n\": 1.5}"), says("never mind")]);
    let p = Place::new(&endpoint(&server, ""));
    p.workflow(ASK);
    let out = p.run(&RUN);
    assert_eq!(out.status.code(), Some(2));
    assert!(
        text(&out).contains("step ask failed: bad_answer"),
        "{}",
        text(&out)
    );
    assert!(
        text(&out).contains("step tell was skipped"),
        "{}",
        text(&out)
    );
    assert_eq!(server.bodies().len(), 2);
}

#[test]
fn the_next_endpoint_is_asked_where_one_hangs_or_breaks() {
    let first = Server::start(vec![
        Act::Hang,
        Act::Cut,
        Act::Answer(200, "", "no JSON".into()),
    ]);
    let second = Server::start(vec![status(401, "")]);
    let third = Server::start(vec![says("{\"n\": 4}")]);
    let config = [
        endpoint(&first, "timeout = \"3s\""),
        endpoint(&second, ""),
        endpoint(&third, ""),
    ];
    let p = Place::new(&config.concat());
    p.workflow(ASK);
    let out = p.run(&RUN);
    assert_eq!(text(&out), "there are 4\ndone: 2 steps\n");
    let asked = [&first, &second, &third].map(|s| s.bodies().len());
    assert_eq!(asked, [3, 1, 1], "a key that was refused is not sent again");
    let steps = p.steps();
    assert_eq!(steps[0]["failed"].as_array().unwrap().len(), 4, "{steps}");
    assert_eq!(steps[0]["attempts"], 5);
    // The one that answered is known as well, and what it cost is counted here
    // where it does not say.
    let answered = steps[0]["answered"].as_array().unwrap();
    assert_eq!(answered.len(), 1, "{steps}");
    let host = third
        .url
        .trim_start_matches("http://")
        .trim_end_matches("/v1");
    assert_eq!(answered[0]["what"], format!("m at {host}"));
    assert!(answered[0]["tokens"].as_u64() > Some(50), "{steps}");
    let story = text(&p.run(&["runs", "show", "r1"]));
    assert!(
        story.contains(&format!("m at {host}: answered, ")),
        "{story}"
    );
    p.assert_no_key();
}

const PLAN: [&str; 4] = ["run", "where is the cap?", "--planner", "model"];

#[test]
fn the_model_chooses_searches_and_a_ninth_is_dropped() {
    let find = |query: &str| ("search", json!({"queries": [query]}));
    let mut nine = vec![find("LIMIT"); 8];
    nine[6] = ("serch", json!({}));
    nine[7] = ("search", json!({"queries": 3}));
    nine.push(find("other"));
    let spans = json!({"spans": [
        {"path": "src/limit.rs", "start": 1, "end": 2},
        {"path": "src/gone.rs", "start": 1, "end": 2},
        {"path": "../secret", "start": 1, "end": 2},
    ]});
    let server = Server::start(vec![calls(&nine), says("hm"), calls(&[("finish", spans)])]);
    let p = Place::new(&endpoint(&server, ""));
    let out = p.run(&PLAN);
    let shown = text(&out);
    assert_eq!(out.status.code(), Some(0), "{shown}");
    assert!(shown.contains("1 of 9 calls dropped"), "{shown}");
    assert!(
        shown.contains("src/limit.rs:1-2\n/// Most requests"),
        "{shown}"
    );
    assert!(shown.contains("left out: src/gone.rs"), "{shown}");
    assert!(shown.ends_with("done: 1 place, 4 steps\n"), "{shown}");
    let bodies = server.bodies();
    assert_eq!(bodies[0]["tools"][0]["function"]["name"], "search");
    let second = bodies[1]["messages"].as_array().unwrap();
    assert_eq!(second[2]["tool_calls"].as_array().unwrap().len(), 9);
    let answers: Vec<&Value> = second.iter().filter(|m| m["role"] == "tool").collect();
    let ids: Vec<&str> = answers
        .iter()
        .map(|a| a["tool_call_id"].as_str().unwrap())
        .collect();
    assert_eq!(ids, ["c0", "c1", "c2", "c3", "c4", "c5", "c6", "c7", "c8"]);
    let content = |n: usize| answers[n]["content"].as_str().unwrap();
    assert!(content(0).contains("LIMIT: usize = 5"), "{}", content(0));
    assert!(content(6).contains("there is no tool"), "{}", content(6));
    assert!(
        content(7).contains("no JSON of the tool's schema"),
        "{}",
        content(7)
    );
    assert!(content(8).starts_with("dropped"), "{}", content(8));
    assert_eq!(bodies.len(), 3);
    // A run that goes on asks nobody again.
    assert_eq!(text(&p.run(&["run", "--resume", "r1"])), shown);
    assert_eq!(server.bodies().len(), 3);
}

#[test]
fn the_last_turn_must_finish_and_caps_hold() {
    let look = || calls(&[("search", json!({"queries": ["LIMIT"]}))]);
    let server = Server::start((0..9).map(|_| look()).collect());
    let p = Place::new(&endpoint(&server, ""));
    let out = p.run(&PLAN);
    let shown = text(&out);
    assert_eq!(server.bodies().len(), 5);
    assert_eq!(
        server.bodies()[4]["tool_choice"]["function"]["name"],
        "finish"
    );
    assert!(server.bodies()[3].get("tool_choice").is_none());
    assert!(shown.contains("LIMIT: usize = 5"), "{shown}");
    assert!(shown.contains("the model named no spans"), "{shown}");

    let mut capped = PLAN.to_vec();
    capped.extend(["--max-steps", "2"]);
    let out = p.run(&capped);
    assert_eq!(out.status.code(), Some(4), "{}", text(&out));
    assert!(
        text(&out).ends_with("stopped by steps: 1 place, 2 steps\n"),
        "{}",
        text(&out)
    );
}

/// Most tokens that a request can have cost: a token is a byte at least.
fn most(body: &Value) -> u64 {
    let answer = body["max_tokens"].as_u64().unwrap();
    let mut asked = body.clone();
    asked.as_object_mut().unwrap().remove("max_tokens");
    asked.to_string().len() as u64 + answer
}

#[test]
fn a_plan_ends_before_a_request_that_could_exceed_the_cap_on_model_tokens() {
    let look = calls(&[("search", json!({"queries": ["LIMIT"]}))]);
    let server = Server::start(vec![costs(3_000, look), says("never asked")]);
    let p = Place::new(&format!(
        "[model]\ntokens = 4000\n\n{}",
        endpoint(&server, "")
    ));
    let out = p.run(&PLAN);
    let shown = text(&out);
    assert_eq!(out.status.code(), Some(4), "{shown}");
    assert!(
        shown.contains("3000 of at most 4000 model tokens are spent"),
        "{shown}"
    );
    // What was found until then is read all the same.
    assert!(shown.contains("LIMIT: usize = 5"), "{shown}");
    assert!(
        shown.ends_with("stopped by tokens: 1 place, 3 steps\n"),
        "{shown}"
    );
    let bodies = server.bodies();
    assert_eq!(bodies.len(), 1);
    assert_eq!(most(&bodies[0]), 4_000);
    let steps = p.steps();
    assert_eq!(steps[0]["answered"][0]["tokens"], 3_000, "{steps}");
    let again = p.run(&["run", "--resume", "r1", "--json"]);
    let value: Value = serde_json::from_slice(&again.stdout).unwrap();
    assert_eq!(value["model_tokens"], 3_000, "{value}");
    assert_eq!(text(&p.run(&["run", "--resume", "r1"])), shown);
    assert_eq!(server.bodies().len(), 1);
}

#[test]
fn the_cap_on_model_tokens_holds_over_a_kill() {
    let server = Server::start(vec![
        costs(1_000, says("{\"n\": \"three\"}")),
        Act::Hang,
        says("never asked"),
    ]);
    let p = Place::new(&endpoint(&server, "answer = 100"));
    p.workflow(&format!("[caps]\nmodel_tokens = 2000\n\n{ASK}"));
    let mut child = p.command(&RUN).spawn().unwrap();
    while server.bodies().len() < 2 {
        assert!(child.try_wait().unwrap().is_none(), "it ended early");
        thread::sleep(Duration::from_millis(10));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    // The answer that came and the one that may have come are counted, though the
    // step was not written down.
    let bodies = server.bodies();
    let booked = 1_000 + most(&bodies[1]);
    assert!(booked + most(&bodies[0]) > 2_036, "{booked} is too little");
    let out = p.run(&["run", "--resume", "r1", "--json"]);
    let value: Value = serde_json::from_slice(&out.stdout).unwrap();
    assert_eq!(value["stopped_by"], "tokens", "{value}");
    assert_eq!(value["model_tokens"], booked, "{value}");
    assert_eq!(server.bodies().len(), 2);
}

#[test]
fn steps_side_by_side_share_the_cap_on_model_tokens() {
    let cap = 2_500;
    let server = Server::start(
        (0..9)
            .map(|n| costs(500, says(&format!("{{\"n\": {n}}}"))))
            .collect(),
    );
    let p = Place::new(&endpoint(&server, "answer = 100"));
    p.workflow(&format!(
        "[caps]\nmodel_tokens = {cap}\n\n[inputs]\nnames = [\"a\", \"b\", \"c\", \"d\", \"e\", \"f\", \"g\"]\n\n{}",
        ASK.replace("prompt = \"How many?\"", "for_each = \"{{ inputs.names }}\"\nprompt = \"How many of {{ item }}?\"")
            .replace("there are {{ steps.ask.value.n }}", "{{ steps.ask.text }}")
    ));
    let out = p.run(&["run", "--workflow", "ask", "--json"]);
    let value: Value = serde_json::from_slice(&out.stdout).unwrap();
    assert_eq!(
        (out.status.code(), &value["stopped_by"]),
        (Some(4), &"tokens".into()),
        "{value}"
    );
    let asked = server.bodies();
    assert!((3..=5).contains(&asked.len()), "{} requests", asked.len());
    let bounded = |body: &Value| body["max_tokens"].as_u64() <= Some(100) && most(body) <= cap;
    assert!(asked.iter().all(bounded));
    assert_eq!(value["model_tokens"], 500 * asked.len(), "{value}");
    // Nothing changes while the cap stays as it is.
    let again = p.run(&["run", "--resume", "r1", "--json"]);
    assert_eq!(again.status.code(), Some(4), "{}", text(&again));
    assert_eq!(server.bodies().len(), asked.len());
}

#[test]
fn without_an_answer_the_built_in_planner_answers_and_says_so() {
    let server = Server::start(vec![]);
    let p = Place::new(&endpoint(&server, ""));
    let task = [
        "run",
        "where is the most of requests at a time?",
        "--planner",
        "model",
    ];
    let out = p.run(&task);
    assert_eq!(out.status.code(), Some(0), "{}", text(&out));
    let shown = text(&out);
    assert!(
        shown.contains("the built-in planner answers") && shown.contains("status 410"),
        "{shown}"
    );
    assert!(shown.contains("LIMIT: usize = 5"), "{shown}");
    let none = Place::new("");
    assert!(text(&none.run(&task)).contains("No model is configured"));
}

#[test]
fn an_endpoint_of_a_repository_needs_trust() {
    let server = Server::start(vec![says("{\"n\": 5}")]);
    let p = Place::new("");
    fs::write(p.0.path().join("tree/trimtab.toml"), endpoint(&server, "")).unwrap();
    p.workflow(ASK);
    let shown = text(&p.run(&RUN));
    assert!(
        shown.contains("1 endpoint left out, the file is not trusted"),
        "{shown}"
    );
    assert_eq!(server.bodies().len(), 0);
    assert!(text(&p.run(&["trust"])).contains("endpoint"), "{shown}");
    assert_eq!(text(&p.run(&RUN)), "there are 5\ndone: 2 steps\n");
}

#[test]
fn a_tool_of_another_server_is_called() {
    let own = env!("CARGO_BIN_EXE_trimtab");
    let p = Place::new(&format!(
        "[server.own]\ncommand = [{own:?}, \"mcp\"]\n\n[server.none]\ncommand = [\"no-such-program\"]\n"
    ));
    let step = |server: &str, tool: &str, query: &str| {
        format!(
            "[inputs]\nword = {query:?}\n\n[[step]]\nid = \"call\"\nkind = \"mcp\"\nserver = {server:?}\ntool = {tool:?}\n\
             arguments = {{ queries = [\"{{{{ inputs.word }}}}\"] }}\n"
        )
    };
    p.workflow(&step("own", "search", "LIMIT"));
    let out = p.run(&RUN);
    assert_eq!(out.status.code(), Some(0), "{}", text(&out));
    assert!(text(&out).contains("LIMIT: usize = 5"), "{}", text(&out));
    for (server, tool, query, told) in [
        ("own", "search", "", "search failed"),
        ("own", "nothing", "LIMIT", "unknown tool"),
        ("other", "search", "LIMIT", "unknown_server"),
        ("none", "search", "LIMIT", "cannot be started"),
    ] {
        p.workflow(&step(server, tool, query));
        let out = p.run(&RUN);
        assert_eq!(out.status.code(), Some(2), "{}", text(&out));
        assert!(text(&out).contains(told), "{told}: {}", text(&out));
    }
}
