use super::call;
use super::session::{Call, Format, Session, Turn, origin};
use serde_json::Value;
use std::collections::HashMap;

/// Reads chat messages: a list, or an object that holds one as `messages`.
/// Repository and commit may stand beside it as `repo` and `base_commit`.
pub(super) fn read(id: &str, value: &Value) -> Option<Session> {
    let messages = value
        .get("messages")
        .or_else(|| value.get("history"))
        .unwrap_or(value)
        .as_array()?;
    let field = |name: &str| value.get(name)?.as_str().map(str::to_string);
    let mut session = Session {
        id: id.to_string(),
        format: Format::Messages,
        repo: None,
        commit: None,
        task: String::new(),
        first_request: None,
        turns: Vec::new(),
    };
    let mut calls: HashMap<String, (usize, usize)> = HashMap::new();
    for message in messages {
        let text = |key: &str| message.get(key).map(text_of).unwrap_or_default();
        match message.get("role").and_then(Value::as_str) {
            Some("user") if session.task.is_empty() => session.task = text("content"),
            Some("assistant") => {
                let mut turn = Turn {
                    text: text("content"),
                    calls: Vec::new(),
                };
                let called = message.get("tool_calls").and_then(Value::as_array);
                for call in called.into_iter().flatten() {
                    let part = |name: &str| call.pointer(name).and_then(Value::as_str);
                    let tool = part("/function/name").unwrap_or_default().to_string();
                    let arguments = part("/function/arguments").unwrap_or("{}").to_string();
                    let parsed: Value = serde_json::from_str(&arguments).unwrap_or_default();
                    if let Some(id) = part("/id") {
                        calls.insert(id.to_string(), (session.turns.len(), turn.calls.len()));
                    }
                    turn.calls.push(Call {
                        action: call::action(&tool, &parsed),
                        tool,
                        arguments,
                        output: String::new(),
                        failed: false,
                        before: None,
                    });
                }
                session.turns.push(turn);
            }
            Some("tool") => {
                let of = message.get("tool_call_id").and_then(Value::as_str);
                if let Some((turn, call)) = of.and_then(|of| calls.get(of)) {
                    let call = &mut session.turns[*turn].calls[*call];
                    call.output = text("content");
                    call.failed = failed(&call.output);
                }
            }
            _ => {}
        }
    }
    (session.repo, session.commit) = origin(&session.task);
    session.repo = field("repo").or(session.repo);
    session.commit = field("base_commit").or(session.commit);
    Some(session)
}

/// These logs do not mark errors: an answer that begins as one is taken for one.
pub(super) fn failed(output: &str) -> bool {
    let start = output.trim_start();
    ["Error", "ERROR", "error:", "No replacement was performed"]
        .iter()
        .any(|e| start.starts_with(e))
}

fn text_of(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(parts) => {
            let texts = parts.iter().filter_map(|p| p.get("text")?.as_str());
            texts.collect::<Vec<_>>().join("\n")
        }
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Action, read_session};
    use serde_json::json;

    #[test]
    fn calls_and_their_answers_are_matched_by_id() {
        let log = json!({"repo": "a/b", "base_commit": "cafe", "messages": [
            {"role": "system", "content": "You mend things."},
            {"role": "user", "content": [{"type": "text", "text": "Mend it."}]},
            {"role": "assistant", "content": null, "tool_calls": [
                {"id": "1", "type": "function", "function":
                    {"name": "bash", "arguments": "{\"command\": \"cat a.py\"}"}},
                {"id": "2", "type": "function", "function": {"name": "edit_file",
                    "arguments": "{\"path\": \"a.py\", \"old_str\": \"x\", \"new_str\": \"y\"}"}}]},
            {"role": "tool", "tool_call_id": "2", "content": "Error: no such text"},
            {"role": "tool", "tool_call_id": "1", "content": "x\n"},
        ]});
        let session = read_session("s", &log.to_string()).unwrap();
        assert_eq!(session.task, "Mend it.");
        assert_eq!(session.commit.as_deref(), Some("cafe"));
        let calls = &session.turns[0].calls;
        assert!(matches!(&calls[0].action, Action::Read { path, .. } if path == "a.py"));
        assert_eq!(calls[0].output, "x\n");
        assert!(calls[1].failed && !calls[0].failed);
    }
}
