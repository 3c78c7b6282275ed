//! What any client relies on, whatever the tools do.

use crate::client::{Client, Era};
use serde_json::{Value, json};

fn empty() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

#[test]
fn answers_initialize_in_every_version() {
    for version in ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"] {
        let project = empty();
        let mut client = Client::start(project.path(), &[], Era::Legacy);
        let answer = client.request(
            "initialize",
            json!({"protocolVersion": version, "capabilities": {},
                "clientInfo": {"name": "test", "version": "1"}}),
        );
        let result = &answer["result"];
        assert_eq!(result["protocolVersion"], version);
        assert_eq!(result["serverInfo"]["name"], "trimtab");
        assert_eq!(result["serverInfo"]["version"], env!("CARGO_PKG_VERSION"));
        assert_eq!(result["capabilities"], json!({"tools": {}}));
        // An unknown version is answered with one that the server knows.
        assert_eq!(client.request("ping", json!({}))["result"], json!({}));
    }
}

#[test]
fn first_240_characters_of_the_instructions_stand_alone() {
    for (arguments, tools) in [
        (
            &[][..],
            &["run", "search", "expand", "compact", "apply"][..],
        ),
        (&["--read-only"], &["run", "search", "expand", "compact"]),
    ] {
        let project = empty();
        let mut client = Client::start(project.path(), arguments, Era::Modern);
        let answer = client.request("server/discover", json!({}));
        let instructions = answer["result"]["instructions"].as_str().unwrap();
        let head: String = instructions.chars().take(240).collect();
        for tool in tools {
            assert!(head.contains(&format!("`{tool}`")), "{tool}: {head}");
        }
        assert!(instructions.chars().count() <= 2_000);
    }
}

#[test]
fn serves_without_a_session() {
    let project = empty();
    let mut client = Client::open(project.path(), &[], Era::Modern);
    // Some clients report every finished request as cancelled.
    client.notify("notifications/cancelled", json!({"requestId": 1}));
    let listed = client.request("tools/list", json!({}));
    assert!(listed["result"]["tools"].is_array());
    assert_eq!(listed["result"]["resultType"], "complete");
    assert!(listed["result"]["ttlMs"].as_u64() > Some(0));
    // The other era on the same connection.
    let version = json!({"protocolVersion": "2026-99-99", "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"}});
    let initialized = client.request("initialize", version);
    assert!(initialized.get("id").is_some());
}

#[test]
fn refuses_an_unknown_version_with_those_it_knows() {
    let project = empty();
    let mut client = Client::start(project.path(), &[], Era::Legacy);
    let meta = json!({"io.modelcontextprotocol/protocolVersion": "1999-01-01",
        "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"}});
    let answer = client.request("tools/list", json!({"_meta": meta}));
    assert_eq!(answer["error"]["code"], -32022);
    let known = &answer["error"]["data"]["supported"];
    assert!(known.as_array().unwrap().contains(&json!("2026-07-28")));
}

#[test]
fn survives_what_is_not_a_message() {
    let project = empty();
    let mut client = Client::open(project.path(), &[], Era::Legacy);
    client.raw("this is not JSON");
    client.raw("{\"jsonrpc\":\"2.0\",\"id\":7,");
    client.raw("");
    client.notify("notifications/cancelled", json!({"requestId": 4711}));
    client.notify("notifications/of_tomorrow", json!({"x": 1}));
    client.raw("[1,2,3]");
    let refused = client.receive();
    assert_eq!(refused["error"]["code"], -32600, "{refused}");
    assert_eq!(client.request("ping", json!({}))["result"], json!({}));
}

#[test]
fn knows_no_method_beyond_its_capabilities() {
    let project = empty();
    let mut client = Client::open(project.path(), &[], Era::Legacy);
    for method in [
        "prompts/list",
        "resources/list",
        "resources/templates/list",
        "logging/setLevel",
        "no/such",
    ] {
        let params = if method == "logging/setLevel" {
            json!({"level": "info"})
        } else {
            json!({})
        };
        let answer = client.request(method, params);
        assert_eq!(answer["error"]["code"], -32601, "{method}: {answer}");
    }
    let answer = client.request("tools/call", json!({"name": "delete_all", "arguments": {}}));
    assert_eq!(answer["error"]["code"], -32602, "{answer}");
}

#[test]
fn ends_with_its_input() {
    for era in [Era::Legacy, Era::Modern] {
        let project = empty();
        let client = Client::open(project.path(), &[], era);
        let (status, rest) = client.end();
        assert_eq!(status.code(), Some(0));
        assert_eq!(rest, Vec::<Value>::new());
        // Nothing was ever asked.
        let (status, rest) = Client::start(project.path(), &[], era).end();
        assert_eq!(status.code(), Some(0));
        assert_eq!(rest, Vec::<Value>::new());
    }
}

#[test]
fn answers_what_was_asked_before_the_end() {
    let project = empty();
    std::fs::write(project.path().join("a.txt"), "needle\n").unwrap();
    let mut client = Client::open(project.path(), &[], Era::Legacy);
    let id = client.send(
        "tools/call",
        json!({"name": "expand", "arguments": {"target": "a.txt"}}),
    );
    let (status, rest) = client.end();
    assert_eq!(status.code(), Some(0));
    assert_eq!(rest.len(), 1);
    assert_eq!(rest[0]["id"], id);
}

#[test]
fn each_step_of_a_run_is_told_to_who_asks_for_it() {
    for era in [Era::Legacy, Era::Modern] {
        let project = empty();
        std::fs::write(project.path().join("a.rs"), "fn needle() {}\n").unwrap();
        let mut client = Client::open(project.path(), &[], era);
        let arguments = json!({"task": "what does needle do", "max_steps": 7});
        let call = json!({"name": "run", "arguments": arguments});
        client.request("tools/call", call.clone());
        assert_eq!(client.notifications, Vec::<Value>::new());

        let mut asking = call;
        asking["_meta"]["progressToken"] = "steps".into();
        client.request("tools/call", asking);
        let mut last = 0.0;
        let mut steps: Vec<&str> = Vec::new();
        for told in &client.notifications {
            assert_eq!(told["method"], "notifications/progress");
            assert_eq!(told["params"]["progressToken"], "steps");
            let progress = told["params"]["progress"].as_f64().unwrap();
            assert!(progress > last, "{told}");
            last = progress;
            steps.push(told["params"]["message"].as_str().unwrap());
        }
        // A slow machine may hear that one of them is still at work.
        steps.retain(|s| s.starts_with("step"));
        steps.dedup();
        assert_eq!(
            steps,
            ["step 1 of at most 7: search", "step 2 of at most 7: expand"]
        );
    }
}
