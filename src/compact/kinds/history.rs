//! Sessions of agents: lists of messages as OpenAI, Anthropic and Claude Code
//! write them.
//!
//! The messages are laid out as plain text first, a line such as `[3] tool:` in
//! front of each. What the user wants and forbids, what the assistant decided
//! and edited, what went wrong and how things stand last are kept before what
//! tools printed, which can be had again.

use super::super::failure::{Sign, Signs, signs};
use super::super::select::Draft;
use super::super::template::Templates;
use super::super::view::View;
use super::super::words::Hits;
use super::{log, spread};
use serde_json::Value;

/// Words of wishes, bounds and facts to remember, and of decisions.
const BOUNDS: &str = include_str!("bounds.txt");
const DECISIONS: &str = include_str!("decisions.txt");

/// Who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    System,
    User,
    Assistant,
    Tool,
}

/// A message in the layout.
#[derive(Debug)]
struct Message {
    role: Role,
    /// Its first line, the one with the role, from 0.
    line: usize,
}

/// The messages as plain text.
#[derive(Debug)]
pub struct Layout {
    /// The text.
    pub text: String,
    messages: Vec<Message>,
}

/// Lays out a history, or `None` where the text is not one.
pub fn layout(input: &str) -> Option<Layout> {
    let messages: Vec<Value> = match serde_json::from_str::<Value>(input) {
        Ok(Value::Array(list)) => list,
        Ok(Value::Object(mut map)) => {
            let system = map.remove("system");
            let list = ["messages", "history", "conversation", "input", "trajectory"]
                .iter()
                .find_map(|k| match map.remove(*k) {
                    Some(Value::Array(list)) => Some(list),
                    _ => None,
                });
            match list {
                Some(list) => system
                    .map(|s| serde_json::json!({"role": "system", "content": s}))
                    .into_iter()
                    .chain(list)
                    .collect(),
                None => vec![Value::Object(map)],
            }
        }
        Ok(_) => return None,
        // One message per line, as transcripts are written.
        Err(_) => input
            .lines()
            .filter(|l| !l.trim().is_empty())
            .map(|l| serde_json::from_str(l).ok())
            .collect::<Option<Vec<Value>>>()?,
    };
    let mut out = Layout {
        text: String::new(),
        messages: Vec::new(),
    };
    let mut lines = 0;
    let mut known = 0;
    for (i, m) in messages.iter().enumerate() {
        // Claude Code wraps messages in records with a type.
        let inner = m.get("message").filter(|v| v.is_object()).unwrap_or(m);
        let name = inner
            .get("role")
            .or_else(|| m.get("type"))
            .and_then(Value::as_str)
            .unwrap_or("");
        let mut role = match name {
            "system" | "developer" => Role::System,
            "user" | "human" => Role::User,
            "assistant" | "model" | "ai" => Role::Assistant,
            "tool" | "function" | "function_call_output" | "tool_result" => Role::Tool,
            "function_call" | "tool_use" | "reasoning" => Role::Assistant,
            _ => Role::Tool,
        };
        known += usize::from(inner.get("role").is_some());
        let mut body = String::new();
        let content = inner
            .get("content")
            .or_else(|| inner.get("output"))
            .or_else(|| inner.get("text"));
        let results = content.is_some_and(|c| flatten(c, &mut body));
        if results && role == Role::User {
            role = Role::Tool;
        }
        for call in inner
            .get("tool_calls")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            let f = call.get("function").unwrap_or(call);
            add_call(f.get("name"), f.get("arguments"), &mut body);
        }
        if let Some(f) = inner
            .get("function_call")
            .or((name == "function_call").then_some(inner))
        {
            add_call(f.get("name"), f.get("arguments"), &mut body);
        }
        if content.is_none() && body.is_empty() && inner.get("role").is_none() {
            // A record that is no message: as it is.
            push_line(&mut body, &m.to_string());
        }
        let shown = match role {
            Role::System => "system",
            Role::User => "user",
            Role::Assistant => "assistant",
            Role::Tool => "tool",
        };
        out.messages.push(Message { role, line: lines });
        let header = format!("[{i}] {shown}:\n");
        out.text.push_str(&header);
        lines += 1;
        if !body.is_empty() {
            if !body.ends_with('\n') {
                body.push('\n');
            }
            lines += body.matches('\n').count();
            out.text.push_str(&body);
        }
    }
    (known > 0 && known * 2 >= messages.len()).then_some(out)
}

/// Adds a content (a string or a list of blocks); whether it is a tool's result.
fn flatten(content: &Value, out: &mut String) -> bool {
    match content {
        Value::String(s) => {
            push_line(out, s);
            false
        }
        Value::Array(blocks) => {
            let mut result = false;
            for b in blocks {
                match b.get("type").and_then(Value::as_str) {
                    Some("tool_use") => add_call(b.get("name"), b.get("input"), out),
                    Some("tool_result") => {
                        result = true;
                        if let Some(c) = b.get("content") {
                            flatten(c, out);
                        }
                    }
                    Some("thinking") => {
                        if let Some(Value::String(s)) = b.get("thinking") {
                            push_line(out, s);
                        }
                    }
                    _ => match b.get("text").or(b.get("content")) {
                        Some(v) => {
                            flatten(v, out);
                        }
                        None => match b {
                            Value::String(s) => push_line(out, s),
                            b => push_line(out, &b.to_string()),
                        },
                    },
                }
            }
            result
        }
        Value::Null => false,
        other => {
            push_line(out, &other.to_string());
            false
        }
    }
}

fn push_line(out: &mut String, s: &str) {
    if !out.is_empty() && !out.ends_with('\n') {
        out.push('\n');
    }
    out.push_str(s);
}

fn add_call(name: Option<&Value>, arguments: Option<&Value>, out: &mut String) {
    let name = name.and_then(Value::as_str).unwrap_or("tool");
    let arguments = match arguments {
        Some(Value::String(s)) => s.clone(),
        Some(v) => v.to_string(),
        None => String::new(),
    };
    push_line(out, &format!("[tool_call] {name} {arguments}"));
}

/// Scores the lines of a history's layout.
pub fn draft(view: &View, layout: &Layout, hits: &Hits) -> Draft {
    let lines = view.lines();
    let n = lines.len();
    let mut draft = Draft::new(n);
    let marks: Vec<Signs> = lines.iter().map(|l| signs(l)).collect();
    let templates = Templates::new(&lines);
    let asked: Vec<f32> = (0..n).map(|i| hits.line(i)).collect();
    let near = spread(&asked, 1, 4, 0.6);
    // Pieces of cut lines shift the line numbers: find messages by their offset.
    let starts = starts(view, layout);
    let count = layout.messages.len();
    let tools = layout.messages.iter().any(|m| m.role == Role::Tool);
    let first_reply = layout
        .messages
        .iter()
        .position(|m| m.role == Role::Assistant)
        .unwrap_or(count);
    for (k, message) in layout.messages.iter().enumerate() {
        let head = starts[k];
        let end = starts.get(k + 1).copied().unwrap_or(n);
        if head >= n {
            break;
        }
        // Without a role for tools, what follows a reply is mostly their output.
        let role = match message.role {
            Role::User if k > first_reply && !tools => Role::Tool,
            r => r,
        };
        let last = k + 1 == count;
        let recent = match count - k {
            1 => 2.0,
            2 => 1.5,
            3..=5 => 1.2,
            _ => 1.0,
        };
        let body = head + 1..end;
        let output = if role == Role::Tool {
            log::scores(
                &lines[body.clone()],
                &marks[body.clone()],
                &Hits::new(&super::super::Query::new(""), &[]),
            )
        } else {
            Vec::new()
        };
        // A wish that was made last stands; examples in front of it do not.
        let wish = role == Role::User
            && layout.messages[k + 1..]
                .iter()
                .take(first_reply.saturating_sub(k + 1))
                .all(|m| m.role != Role::User);
        for (at, i) in body.clone().enumerate() {
            draft.parent[i] = head as u32;
            let t = lines[i].trim();
            if t.is_empty() {
                continue;
            }
            let s = marks[i];
            let opens = at < 2;
            let ends = i + 2 >= end;
            let fade = 1.0 / (1.0 + 0.6 * templates.repeats[i] as f32);
            let mut worth = match role {
                Role::System => 0.3 + if opens { 0.7 } else { 0.0 } + 0.8 * word_of(t, BOUNDS),
                Role::User => {
                    // What is wanted is said first, details follow.
                    let base =
                        2.0 + 4.0 * 0.85f32.powi(at.min(40) as i32) + 2.0 * word_of(t, BOUNDS);
                    let base = base + if s.is_error() { 2.0 } else { 0.0 };
                    base * if wish { 1.0 } else { 0.4 }
                }
                Role::Assistant => {
                    let call = t.starts_with("[tool_call]");
                    let base = 2.2
                        + if opens { 1.5 } else { 0.0 }
                        + 2.0 * word_of(t, DECISIONS).max(word_of(t, BOUNDS));
                    base + if is_edit(t, call) { 2.5 } else { 0.0 }
                        + if has_path(t) { 0.8 } else { 0.0 }
                }
                Role::Tool => {
                    let worth = output.get(at).copied().unwrap_or(0.0);
                    let mut worth = 0.25 * worth;
                    if s.is_error() {
                        worth += 2.5;
                    }
                    if s.has(Sign::Summary) {
                        worth += 1.5;
                    }
                    if opens || ends {
                        worth += if end - head < 8 { 1.6 } else { 0.6 };
                    }
                    if t.starts_with("diff --git ") || t.starts_with("+++ ") {
                        worth += 2.5;
                    }
                    // A short answer is a fact, a long one mostly a listing.
                    worth * (12.0 / (12.0 + (end - head) as f32)).max(0.35).sqrt()
                }
            };
            worth *= recent;
            if last {
                worth += 1.0;
            }
            let reach = match role {
                Role::System => 0.5,
                Role::Tool => 0.8,
                _ => 1.2,
            };
            draft.score[i] =
                (worth + reach * (8.0 * asked[i] + 2.0 * (near[i] - asked[i]).max(0.0))) * fade;
        }
    }
    draft
}

/// The first piece of every message.
fn starts(view: &View, layout: &Layout) -> Vec<usize> {
    let mut out = Vec::with_capacity(layout.messages.len());
    let mut line = 0;
    let mut k = 0;
    for (i, p) in view.pieces.iter().enumerate() {
        while k < layout.messages.len() && layout.messages[k].line == line {
            if i == 0 || !view.pieces[i - 1].glued {
                out.push(i);
                k += 1;
            } else {
                break;
            }
        }
        if !p.glued {
            line += 1;
        }
    }
    out
}

/// 1 if a line holds one of the phrases, which stand one to a line.
fn word_of(line: &str, phrases: &str) -> f32 {
    let lower = line.to_lowercase();
    let hit = phrases.lines().any(|p| {
        lower.match_indices(p).any(|(at, _)| {
            let free = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric());
            free(lower[..at].chars().next_back()) && free(lower[at + p.len()..].chars().next())
        })
    });
    if hit { 1.0 } else { 0.0 }
}

/// Whether a line names a file by its path.
fn has_path(line: &str) -> bool {
    line.split([' ', '"', '`', '\'', '(', ')', ',', ':'])
        .any(|w| {
            w.rsplit_once('/').is_some_and(|(_, name)| {
                name.rsplit_once('.').is_some_and(|(stem, ext)| {
                    !stem.is_empty()
                        && (1..6).contains(&ext.len())
                        && ext.bytes().all(|b| b.is_ascii_alphanumeric())
                })
            })
        })
}

/// Whether a line of an assistant changes something.
fn is_edit(line: &str, call: bool) -> bool {
    let verbs = [
        "edit", "write", "create", "patch", "replace", "insert", "delete", "commit", "submit",
        "rename",
    ];
    let head: String = line.chars().take(60).collect::<String>().to_lowercase();
    if call {
        let name = head["[tool_call]".len().min(head.len())..]
            .trim()
            .split([' ', '{'])
            .next()
            .unwrap_or("")
            .to_string();
        return verbs.iter().any(|v| name.contains(v));
    }
    let first = head.split_whitespace().next().unwrap_or("");
    verbs.contains(&first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lays_out_the_shapes_of_messages() {
        let openai = r#"[{"role":"user","content":"hi"},{"role":"assistant","content":null,"tool_calls":[{"function":{"name":"run","arguments":"{\"a\":1}"}}]},{"role":"tool","content":"x\ny"}]"#;
        let l = layout(openai).unwrap();
        assert_eq!(
            l.text,
            "[0] user:\nhi\n[1] assistant:\n[tool_call] run {\"a\":1}\n[2] tool:\nx\ny\n"
        );
        assert_eq!(l.messages[2].line, 4);
        let anthropic = r#"{"system":"be brief","messages":[{"role":"user","content":[{"type":"tool_result","content":[{"type":"text","text":"out"}]}]}]}"#;
        assert_eq!(
            layout(anthropic).unwrap().text,
            "[0] system:\nbe brief\n[1] tool:\nout\n"
        );
        let claude = "{\"type\":\"user\",\"message\":{\"role\":\"user\",\"content\":\"go\"}}\n{\"type\":\"assistant\",\"message\":{\"role\":\"assistant\",\"content\":[{\"type\":\"tool_use\",\"name\":\"Read\",\"input\":{\"p\":1}}]}}\n";
        assert_eq!(
            layout(claude).unwrap().text,
            "[0] user:\ngo\n[1] assistant:\n[tool_call] Read {\"p\":1}\n"
        );
        assert!(layout("{\"a\":1}").is_none());
        assert!(layout("plain").is_none());
    }
}
