use super::action::Action;
use super::call;
use super::session::{Call, Format, Session, Turn, origin};
use serde_json::Value;
use std::collections::HashMap;

/// Reads the lines of a Claude Code transcript. Parts of one answer stand on lines
/// of their own that share the message's id; results come back on lines of the
/// user. What a subagent did in a conversation of its own is not part of it.
pub(super) fn read(id: &str, lines: &[Value]) -> Option<Session> {
    let mut session = Session {
        id: id.to_string(),
        format: Format::ClaudeCode,
        repo: None,
        commit: None,
        task: String::new(),
        first_request: None,
        turns: Vec::new(),
    };
    let mut message_id = String::new();
    // Where the call of an id stands.
    let mut calls: HashMap<String, (usize, usize)> = HashMap::new();
    for line in lines {
        if line.get("isSidechain").and_then(Value::as_bool) == Some(true) {
            continue;
        }
        let Some(message) = line.get("message") else {
            continue;
        };
        let content = message.get("content")?;
        match message.get("role").and_then(Value::as_str) {
            Some("user") => match content {
                Value::String(text) if session.task.is_empty() => session.task.clone_from(text),
                Value::Array(blocks) => {
                    for block in blocks {
                        let text = result_text(block);
                        match block.get("type").and_then(Value::as_str) {
                            Some("tool_result") => {
                                let of = block.get("tool_use_id").and_then(Value::as_str);
                                let Some((turn, call)) = of.and_then(|of| calls.get(of)) else {
                                    continue;
                                };
                                let call = &mut session.turns[*turn].calls[*call];
                                call.output = text;
                                call.failed =
                                    block.get("is_error").and_then(Value::as_bool) == Some(true);
                                call.before = line
                                    .pointer("/toolUseResult/originalFile")
                                    .and_then(Value::as_str)
                                    .map(str::to_string);
                            }
                            Some("text") if session.task.is_empty() => session.task = text,
                            _ => {}
                        }
                    }
                }
                _ => {}
            },
            Some("assistant") => {
                let own = message
                    .get("id")
                    .and_then(Value::as_str)
                    .unwrap_or_default();
                if session.turns.is_empty() || own != message_id {
                    session.turns.push(Turn::default());
                    message_id = own.to_string();
                }
                if session.first_request.is_none() {
                    session.first_request = message.get("usage").map(request_tokens);
                }
                let at = session.turns.len() - 1;
                let turn = &mut session.turns[at];
                for block in content.as_array().into_iter().flatten() {
                    let text = |key: &str| block.get(key).and_then(Value::as_str);
                    match text("type") {
                        Some("text") => add(&mut turn.text, text("text").unwrap_or_default()),
                        Some("thinking") => {
                            add(&mut turn.text, text("thinking").unwrap_or_default())
                        }
                        Some("tool_use") => {
                            let input = block.get("input").cloned().unwrap_or_default();
                            let tool = text("name").unwrap_or_default().to_string();
                            if let Some(id) = text("id") {
                                calls.insert(id.to_string(), (at, turn.calls.len()));
                            }
                            turn.calls.push(Call {
                                action: call::action(&tool, &input),
                                tool,
                                arguments: input.to_string(),
                                output: String::new(),
                                failed: false,
                                before: None,
                            });
                        }
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    (session.repo, session.commit) = origin(&session.task);
    // A file that was written anew had no text before.
    for call in session.turns.iter_mut().flat_map(|t| &mut t.calls) {
        if !matches!(
            call.action,
            Action::Replace { .. } | Action::Write { .. } | Action::ReplaceLines { .. }
        ) {
            call.before = None;
        }
    }
    Some(session)
}

fn add(text: &mut String, more: &str) {
    if !text.is_empty() {
        text.push('\n');
    }
    text.push_str(more);
}

/// All that a request held, read from a cache or not.
fn request_tokens(usage: &Value) -> usize {
    [
        "input_tokens",
        "cache_creation_input_tokens",
        "cache_read_input_tokens",
    ]
    .iter()
    .filter_map(|k| usage.get(k)?.as_u64())
    .filter_map(|n| usize::try_from(n).ok())
    .sum()
}

/// A block's text: a string, or text blocks one under the other.
fn result_text(block: &Value) -> String {
    let content = block.get("content").or_else(|| block.get("text"));
    match content {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(parts)) => {
            let texts = parts.iter().filter_map(|p| p.get("text")?.as_str());
            texts.collect::<Vec<_>>().join("\n")
        }
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::read_session;
    use serde_json::json;

    #[test]
    fn parts_of_an_answer_and_their_results_are_put_together() {
        let lines = [
            json!({"type":"user","message":{"role":"user","content":"Mend it.\n  repo: a/b\n  base_commit: 12ab"}}),
            json!({"type":"assistant","message":{"role":"assistant","id":"m1",
                "usage":{"input_tokens":3,"cache_creation_input_tokens":40,"cache_read_input_tokens":500},
                "content":[{"type":"thinking","thinking":"hm"}]}}),
            json!({"type":"assistant","message":{"role":"assistant","id":"m1",
                "content":[{"type":"tool_use","id":"t1","name":"Read","input":{"file_path":"/r/a.py"}}]}}),
            json!({"type":"assistant","isSidechain":true,"message":{"role":"assistant","id":"m9",
                "content":[{"type":"text","text":"elsewhere"}]}}),
            json!({"type":"assistant","message":{"role":"assistant","id":"m1",
                "content":[{"type":"tool_use","id":"t2","name":"Edit",
                    "input":{"file_path":"/r/a.py","old_string":"x","new_string":"y"}}]}}),
            json!({"type":"user","message":{"role":"user","content":[
                {"type":"tool_result","tool_use_id":"t1","content":[{"type":"text","text":"     1→x"}]}]}}),
            json!({"type":"user","toolUseResult":{"originalFile":"x\n"},"message":{"role":"user","content":[
                {"type":"tool_result","tool_use_id":"t2","content":"done","is_error":true}]}}),
            json!({"type":"assistant","message":{"role":"assistant","id":"m2",
                "content":[{"type":"text","text":"bye"}]}}),
        ];
        let text: String = lines.iter().map(|l| format!("{l}\n")).collect();
        let session = read_session("s", &(text + "{\"cut off")).unwrap();
        assert_eq!(session.repo.as_deref(), Some("a/b"));
        assert_eq!(session.commit.as_deref(), Some("12ab"));
        assert_eq!(session.first_request, Some(543));
        assert_eq!(session.turns.len(), 2);
        let calls = &session.turns[0].calls;
        assert_eq!(session.turns[0].text, "hm");
        assert_eq!((calls.len(), calls[0].output.as_str()), (2, "     1→x"));
        assert_eq!(calls[1].before.as_deref(), Some("x\n"));
        assert!(calls[1].failed);
        assert_eq!(session.turns[1].text, "bye");
    }
}
