//! Sessions of agents: lists of messages as OpenAI, Anthropic and Claude Code
//! write them.
//!
//! The messages are laid out as plain text first, a line such as `[3] tool:` in
//! front of each, and one such as `[3] assistant (NAME):` in front of what a tool
//! is called with. All other lines are the input's: those of its strings, decoded,
//! and values such as arguments as they are written. What the user wants and
//! forbids, what the assistant decided and edited, what went wrong and how things
//! stand last are kept before what tools printed, which can be had again.

use super::super::failure::{Sign, Signs, signs};
use super::super::select::Draft;
use super::super::template::Templates;
use super::super::view::View;
use super::super::words::{Hits, Query};
use super::json_spans::Json;
use super::log;
use super::spread::spread;
use std::borrow::Cow;

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

/// A message in the layout, or a call of a tool in one.
#[derive(Debug)]
struct Message {
    role: Role,
    /// Its first line, the one with the role, from 0.
    line: usize,
    /// The tool that it calls.
    call: Option<String>,
}

/// The messages as plain text.
#[derive(Debug, Default)]
pub struct Layout {
    /// The text.
    pub text: String,
    messages: Vec<Message>,
    /// Lines of the text.
    lines: usize,
}

/// Of a call that changes something, so many lines of its arguments say what.
const ARGUMENTS: usize = 4;
/// Lists of contents in contents are followed this deep.
const DEEPEST: usize = 4;

/// Lays out a history, or `None` where the text is not one.
pub fn layout(input: &str) -> Option<Layout> {
    let (system, messages) = messages(input)?;
    let mut out = Layout::default();
    let mut known = usize::from(system.is_some());
    let first = known;
    if let Some(system) = system {
        let mut parts = Parts::default();
        parts.content(system, DEEPEST);
        out.add(0, Role::System, parts);
    }
    for (i, &m) in messages.iter().enumerate() {
        let record = m.members().unwrap_or_default();
        // Claude Code wraps messages in records with a type.
        let wrapped = record.get("message").and_then(Json::members);
        let inner = wrapped.as_ref().unwrap_or(&record);
        let has_role = inner.get("role").is_some();
        known += usize::from(has_role);
        let name = inner
            .get("role")
            .or_else(|| record.get("type"))
            .and_then(Json::text)
            .unwrap_or_default();
        let mut role = match &*name {
            "system" | "developer" => Role::System,
            "user" | "human" => Role::User,
            "assistant" | "model" | "ai" => Role::Assistant,
            "tool" | "function" | "function_call_output" | "tool_result" => Role::Tool,
            "function_call" | "tool_use" | "reasoning" => Role::Assistant,
            _ => Role::Tool,
        };
        let mut parts = Parts::default();
        let content = ["content", "output", "text"]
            .iter()
            .find_map(|k| inner.get(k));
        let results = content.is_some_and(|c| parts.content(c, DEEPEST));
        if results && role == Role::User {
            role = Role::Tool;
        }
        for call in inner
            .get("tool_calls")
            .and_then(Json::elements)
            .into_iter()
            .flatten()
            .filter_map(Json::members)
        {
            let function = call.get("function").and_then(Json::members);
            let f = function.as_ref().unwrap_or(&call);
            parts.call(f.text("name"), f.get("arguments"));
        }
        if let Some(f) = inner.get("function_call").and_then(Json::members) {
            parts.call(f.text("name"), f.get("arguments"));
        } else if name == "function_call" {
            parts.call(inner.text("name"), inner.get("arguments"));
        }
        if content.is_none() && parts.0.is_empty() && !has_role {
            // A record that is no message: as it is.
            parts.text(m.raw());
        }
        out.add(first + i, role, parts);
    }
    (known > 0 && known * 2 >= first + messages.len()).then_some(out)
}

/// The messages of a text and, where it is told apart from them, what the system said.
fn messages(input: &str) -> Option<(Option<Json<'_>>, Vec<Json<'_>>)> {
    let Some(whole) = Json::new(input) else {
        // One message per line, as transcripts are written.
        let lines = input.lines().filter(|l| !l.trim().is_empty());
        return Some((None, lines.map(Json::new).collect::<Option<_>>()?));
    };
    if let Some(list) = whole.elements() {
        return Some((None, list));
    }
    let map = whole.members()?;
    let list = ["messages", "history", "conversation", "input", "trajectory"]
        .iter()
        .find_map(|k| map.get(k)?.elements());
    Some(match list {
        Some(list) => (map.get("system"), list),
        None => (None, vec![whole]),
    })
}

impl Layout {
    /// Adds message `i`, and each call in it under a line of its own.
    fn add(&mut self, i: usize, role: Role, parts: Parts) {
        let shown = match role {
            Role::System => "system",
            Role::User => "user",
            Role::Assistant => "assistant",
            Role::Tool => "tool",
        };
        let mut parts = parts.0;
        if parts.is_empty() {
            parts.push(Part::default());
        }
        for part in parts {
            let line = self.lines;
            self.line(&match &part.call {
                Some(name) => format!("[{i}] {shown} ({name}):"),
                None => format!("[{i}] {shown}:"),
            });
            if !part.text.is_empty() {
                self.line(part.text.strip_suffix('\n').unwrap_or(&part.text));
            }
            self.messages.push(Message {
                role,
                line,
                call: part.call,
            });
        }
    }

    fn line(&mut self, text: &str) {
        self.lines += 1 + text.matches('\n').count();
        self.text.push_str(text);
        self.text.push('\n');
    }
}

/// Text of a message, or a call of a tool with its arguments.
#[derive(Debug, Default)]
struct Part {
    call: Option<String>,
    text: String,
}

/// What a message consists of, in order.
#[derive(Debug, Default)]
struct Parts(Vec<Part>);

impl Parts {
    /// Adds a content (a string or a list of blocks); whether it is a tool's result.
    fn content(&mut self, content: Json, depth: usize) -> bool {
        if let Some(text) = content.text() {
            self.text(&text);
            return false;
        }
        let blocks = content.elements().filter(|_| depth > 0);
        let Some(blocks) = blocks else {
            if !content.is_null() {
                self.text(content.raw());
            }
            return false;
        };
        let mut result = false;
        for b in blocks {
            let Some(block) = b.members() else {
                self.content(b, depth - 1);
                continue;
            };
            match block.text("type").as_deref() {
                Some("tool_use") => self.call(block.text("name"), block.get("input")),
                Some("tool_result") => {
                    result = true;
                    if let Some(c) = block.get("content") {
                        self.content(c, depth - 1);
                    }
                }
                Some("thinking") => {
                    if let Some(thought) = block.text("thinking") {
                        self.text(&thought);
                    }
                }
                _ => match block.get("text").or(block.get("content")) {
                    Some(c) => {
                        self.content(c, depth - 1);
                    }
                    None => self.text(b.raw()),
                },
            }
        }
        result
    }

    fn text(&mut self, text: &str) {
        if let Some(Part {
            call: None,
            text: t,
        }) = self.0.last_mut()
        {
            if !t.is_empty() && !t.ends_with('\n') {
                t.push('\n');
            }
            t.push_str(text);
        } else {
            self.0.push(Part {
                call: None,
                text: text.to_string(),
            });
        }
    }

    fn call(&mut self, name: Option<Cow<str>>, arguments: Option<Json>) {
        let name: String = name
            .as_deref()
            .unwrap_or("tool")
            .chars()
            .map(|c| {
                if c.is_control() || "()".contains(c) {
                    ' '
                } else {
                    c
                }
            })
            .collect();
        let text = arguments.filter(|a| !a.is_null()).map(|a| match a.text() {
            // Some encode their arguments as a string.
            Some(text) => text.into_owned(),
            None => a.raw().to_string(),
        });
        self.0.push(Part {
            call: Some(name),
            text: text.unwrap_or_default(),
        });
    }
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
        let mut body = head + 1..end;
        if body.is_empty() && message.call.is_some() {
            // A call without arguments is in its own line.
            body = head..end;
        }
        let output = if role == Role::Tool {
            log::scores(
                &lines[body.clone()],
                &marks[body.clone()],
                &Hits::new(&Query::new(""), &[]),
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
            if i != head {
                draft.parent[i] = head as u32;
            }
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
                    let base = 2.2
                        + if opens { 1.5 } else { 0.0 }
                        + 2.0 * word_of(t, DECISIONS).max(word_of(t, BOUNDS));
                    let edits = match &message.call {
                        Some(tool) => at < ARGUMENTS && changes(tool),
                        None => tells_of_change(t),
                    };
                    base + if edits { 2.5 } else { 0.0 } + if has_path(t) { 0.8 } else { 0.0 }
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

/// What is said or called to change something.
const CHANGES: [&str; 10] = [
    "edit", "write", "create", "patch", "replace", "insert", "delete", "commit", "submit", "rename",
];

/// Whether a line of text begins with a change, behind a tag (`[tool] edit_file …`) or not.
fn tells_of_change(line: &str) -> bool {
    let first =
        |text: &str, test: fn(&str) -> bool| text.split_whitespace().next().is_some_and(test);
    match line.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((_, behind)) => first(behind, changes),
        None => first(line, is_change),
    }
}

/// Whether a word is one of [`CHANGES`].
fn is_change(word: &str) -> bool {
    CHANGES.contains(&&*word.to_lowercase())
}

/// Whether a tool of this name changes something.
fn changes(tool: &str) -> bool {
    let tool = tool.to_lowercase();
    CHANGES.iter().any(|c| tool.contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(input: &str) -> String {
        layout(input).expect("a history").text
    }

    #[test]
    fn a_call_in_a_text_tells_of_a_change_behind_its_tag() {
        assert!(tells_of_change("[tool_call] edit_file {\"path\": 1}"));
        assert!(tells_of_change("edit the file"));
        assert!(!tells_of_change("[tool_call] list_files {}"));
        assert!(!tells_of_change("[1, 2] and more"));
    }

    #[test]
    fn lays_out_the_shapes_of_messages() {
        // OpenAI: arguments are a string.
        let openai = r#"[{"role":"user","content":"hi"},{"role":"assistant","content":null,"tool_calls":[{"function":{"name":"run","arguments":"{\"b\": 1.0,\n \"a\":\"\\n\"}"}},{"function":{"name":"stop","arguments":""}}]},{"role":"tool","content":"x\ny"}]"#;
        let l = layout(openai).unwrap();
        assert_eq!(
            l.text,
            "[0] user:\nhi\n[1] assistant (run):\n{\"b\": 1.0,\n \"a\":\"\\n\"}\n[1] assistant (stop):\n[2] tool:\nx\ny\n"
        );
        let lines: Vec<usize> = l.messages.iter().map(|m| m.line).collect();
        assert_eq!(lines, [0, 2, 5, 6]);
        let responses = r#"[{"role":"user","content":[{"type":"input_text","text":"hi"}]},{"type":"function_call","name":"run","arguments":"{}"},{"type":"function_call_output","output":"ok"},{"role":"user","content":"more"}]"#;
        assert_eq!(
            shown(responses),
            "[0] user:\nhi\n[1] assistant (run):\n{}\n[2] tool:\nok\n[3] user:\nmore\n"
        );
        let anthropic = r#"{"system":"be brief","messages":[{"role":"user","content":[{"type":"tool_result","content":[{"type":"text","text":"out"}]}]}]}"#;
        assert_eq!(shown(anthropic), "[0] system:\nbe brief\n[1] tool:\nout\n");
        let claude = "{\"type\":\"user\",\"message\":{\"role\":\"user\",\"content\":\"go\"}}\n{\"type\":\"assistant\",\"message\":{\"role\":\"assistant\",\"content\":[{\"type\":\"text\",\"text\":\"Now\"},{\"type\":\"tool_use\",\"name\":\"Read\",\"input\":{\"p\":1}},{\"type\":\"text\",\"text\":\"done\"}]}}\n{\"type\":\"summary\", \"summary\":\"s\"}\n";
        assert_eq!(
            shown(claude),
            "[0] user:\ngo\n[1] assistant:\nNow\n[1] assistant (Read):\n{\"p\":1}\n[1] assistant:\ndone\n[2] tool:\n{\"type\":\"summary\", \"summary\":\"s\"}\n"
        );
        assert!(layout("{\"a\":1}").is_none());
        assert!(layout("plain").is_none());
    }

    #[test]
    fn arguments_stand_as_they_are_written() {
        // Keys in any order, escapes, digits, blanks and line breaks.
        for arguments in [
            r#"{"z":1.50,"a":"\u00e9\/\"\n","m":[1 , 2]}"#,
            "{\n    \"old_string\": \"a\",\n    \"file_path\" : \"b\"\n  }",
            r#"{ "e": 1E5, "e": {} }"#,
        ] {
            let input = format!(
                r#"[{{"role": "assistant", "content": [{{"type": "tool_use", "input": {arguments}, "name": "Edit (it)"}}]}}]"#
            );
            assert_eq!(
                shown(&input),
                format!("[0] assistant (Edit  it ):\n{arguments}\n")
            );
        }
    }

    #[test]
    fn contents_may_be_nested_without_end() {
        let deep = format!(
            r#"[{{"role":"user","content":{}1{}}}]"#,
            "[".repeat(50_000),
            "]".repeat(50_000)
        );
        assert!(shown(&deep).len() > 100_000 - 2 * DEEPEST);
    }

    #[test]
    fn an_edit_counts_for_more_than_a_look() {
        let call = |tool: &str| {
            format!(
                r#"{{"role":"assistant","content":[{{"type":"tool_use","name":"{tool}","input":{{"p":"a"}}}}]}}"#
            )
        };
        let user = r#"{"role":"user","content":"go"}"#;
        let input = format!(
            "[{user},{},{},{},{user},{user},{user},{user}]",
            call("Read"),
            call("Edit"),
            r#"{"role":"assistant","tool_calls":[{"function":{"name":"commit"}}]}"#
        );
        let layout = layout(&input).unwrap();
        let view = View::new(layout.text.clone());
        let hits = Hits::new(&Query::new(""), &view.lines());
        let draft = draft(&view, &layout, &hits);
        let score = |line: &str| draft.score[view.lines().iter().position(|l| *l == line).unwrap()];
        assert_eq!(view.get(5), "{\"p\":\"a\"}");
        assert!(draft.score[5] > draft.score[3]);
        assert_eq!(draft.parent[5], 4);
        // A call without arguments stands for itself.
        assert!(score("[3] assistant (commit):") > 0.0);
    }
}
