use super::action::{Action, Search};
use super::session::{Call, Format, Session, Turn, origin};
use super::{call, messages, shell};
use serde_json::Value;
use std::sync::LazyLock;

/// Reads a SWE-agent trajectory: steps of a thought, a command and what was
/// observed. Its windowed editor's commands are read from what they showed; newer
/// versions call tools, whose arguments the history keeps.
pub(super) fn read(id: &str, value: &Value) -> Option<Session> {
    let steps = value.get("trajectory")?.as_array()?;
    let history = value.get("history").and_then(Value::as_array);
    let is_demo = |m: &Value| m.get("is_demo").and_then(Value::as_bool) == Some(true);
    let task = history
        .into_iter()
        .flatten()
        .filter(|m| m.get("role").and_then(Value::as_str) == Some("user") && !is_demo(m))
        .find_map(|m| m.get("content")?.as_str())
        .unwrap_or_default()
        .to_string();
    let mut session = Session {
        id: id.to_string(),
        format: Format::SweAgent,
        repo: None,
        commit: None,
        first_request: None,
        turns: Vec::new(),
        task,
    };
    (session.repo, session.commit) = origin(&session.task);
    // `owner__name-123`, as benchmarks name their cases.
    if session.repo.is_none()
        && let Some((owner, rest)) = id.split_once("__")
        && let Some((name, _)) = rest.rsplit_once('-')
    {
        session.repo = Some(format!("{owner}/{name}"));
    }
    for step in steps {
        let text = |key: &str| step.get(key).and_then(Value::as_str).unwrap_or_default();
        let (command, output) = (text("action").trim(), text("observation").replace('\r', ""));
        let open = open_file(step.get("state"));
        let response = match text("response") {
            "" => text("thought"),
            response => response,
        };
        // The command stands in the answer too; it is charged once.
        let thought = response.replace(command, "");
        if command.is_empty() {
            session.turns.push(Turn {
                text: thought,
                calls: Vec::new(),
            });
            continue;
        }
        let action = of_command(command, &output, open.as_deref());
        session.turns.push(Turn {
            text: thought,
            calls: vec![Call {
                tool: command
                    .split_whitespace()
                    .next()
                    .unwrap_or("bash")
                    .to_string(),
                arguments: command.to_string(),
                failed: messages::failed(&output)
                    || output.contains("proposed edit has introduced"),
                before: None,
                output,
                action,
            }],
        });
    }
    Some(session)
}

/// The file that is open in the editor before the step.
fn open_file(state: Option<&Value>) -> Option<String> {
    let parsed: Value;
    let state = match state? {
        Value::String(text) => {
            parsed = serde_json::from_str(text).ok()?;
            &parsed
        }
        other => other,
    };
    let open = state.get("open_file")?.as_str()?;
    (open != "n/a" && !open.is_empty()).then(|| open.to_string())
}

fn of_command(command: &str, output: &str, open: Option<&str>) -> Action {
    let (line, rest) = command.split_once('\n').unwrap_or((command, ""));
    let (name, arguments) = line.split_once(' ').unwrap_or((line, ""));
    let unquote = |s: &str| s.trim().trim_matches(['"', '\'']).to_string();
    match name {
        "open" | "goto" | "scroll_down" | "scroll_up" => shown(output).unwrap_or(Action::Other),
        "search_dir" | "search_file" => {
            let (pattern, path) = quoted(arguments);
            let path =
                path.or_else(|| (name == "search_file").then(|| open.map(str::to_string))?);
            Action::Search(Search {
                pattern,
                path,
                literal: true,
                // A folder's matches are counted by file, a file's are shown.
                files: name == "search_dir",
                ..Search::default()
            })
        }
        "find_file" => {
            let (glob, path) = quoted(arguments);
            Action::List {
                path,
                glob: Some(glob),
            }
        }
        "edit" => {
            let Some(path) = open else {
                return Action::Other;
            };
            let body = rest.strip_suffix("end_of_edit").unwrap_or(rest);
            let range = arguments.split_once(':').and_then(|(a, b)| {
                Some((
                    a.trim().parse::<usize>().ok()?,
                    b.trim().parse::<usize>().ok()?,
                ))
            });
            match range {
                Some((from, to)) if from >= 1 && to + 1 >= from => Action::ReplaceLines {
                    path: path.to_string(),
                    from,
                    to,
                    text: body.strip_suffix('\n').unwrap_or(body).to_string(),
                },
                _ => Action::Other,
            }
        }
        "create" => Action::Write {
            path: unquote(arguments),
            content: String::new(),
        },
        "str_replace_editor" => editor(arguments).unwrap_or(Action::Other),
        "submit" | "exit_cost" | "exit_context" => Action::Other,
        _ => shell::action(command),
    }
}

/// `str_replace_editor view PATH [--view_range A B]` as a command line; its other
/// commands hold texts that the shell's quotes have changed.
fn editor(arguments: &str) -> Option<Action> {
    let mut words = arguments.split_whitespace();
    if words.next()? != "view" {
        return None;
    }
    let path = words.next()?;
    let range: Vec<i64> = words.filter_map(|w| w.parse().ok()).collect();
    let range = (range.len() == 2).then_some(range);
    Some(call::action(
        "str_replace_editor",
        &serde_json::json!({"command": "view", "path": path, "view_range": range}),
    ))
}

/// `"A TEXT" PATH`, with or without quotes and path.
fn quoted(arguments: &str) -> (String, Option<String>) {
    let arguments = arguments.trim();
    let quote = arguments.chars().next().filter(|c| "\"'".contains(*c));
    let (text, rest) = match quote {
        Some(q) => arguments[1..]
            .rsplit_once(q)
            .unwrap_or((&arguments[1..], "")),
        None => arguments.split_once(' ').unwrap_or((arguments, "")),
    };
    let path = rest.trim();
    (
        text.to_string(),
        (!path.is_empty()).then(|| path.to_string()),
    )
}

/// The window that the editor showed: a head that names the file, numbered lines.
fn shown(output: &str) -> Option<Action> {
    static HEAD: LazyLock<Option<regex::Regex>> =
        LazyLock::new(|| regex::Regex::new(r"\[File: (.+) \(\d+ lines total\)\]").ok());
    let path = HEAD
        .as_ref()?
        .captures(output)?
        .get(1)?
        .as_str()
        .to_string();
    let mut numbers = output
        .lines()
        .filter_map(|l| l.split_once(':')?.0.parse::<usize>().ok());
    let first = numbers.next()?;
    let last = numbers.next_back().unwrap_or(first);
    Some(Action::Read {
        path,
        from: Some(first),
        count: Some((last + 1).saturating_sub(first)),
    })
}

#[cfg(test)]
mod tests {
    use super::super::read_session;
    use super::*;
    use serde_json::json;

    #[test]
    fn windows_edits_and_searches_are_read() {
        let step = |action: &str, observation: &str, open: &str| {
            json!({"action": action, "observation": observation, "response": format!("So:\n{action}"),
                "state": json!({"open_file": open, "working_dir": "/r"}).to_string()})
        };
        let traj = json!({
        "environment": "main",
        "history": [
            {"role": "user", "content": "a demonstration", "is_demo": true},
            {"role": "user", "content": "Mend it."}],
        "trajectory": [
            step("search_dir \"def f\" src\n", "Found 1 matches", "n/a"),
            step("open src/a.py 5", "[File: /r/src/a.py (9 lines total)]\r\n4:x\r\n5:y\r\n", "n/a"),
            step("edit 4:4\nz\nend_of_edit", "[File updated]", "/r/src/a.py"),
            step("python a.py", "ok", "/r/src/a.py"),
        ]});
        let session = read_session("own__repo-7", &traj.to_string()).unwrap();
        assert_eq!(session.repo.as_deref(), Some("own/repo"));
        assert_eq!(session.task, "Mend it.");
        let actions: Vec<&Action> = session.turns.iter().map(|t| &t.calls[0].action).collect();
        assert_eq!(
            actions[0],
            &Action::Search(Search {
                pattern: "def f".into(),
                path: Some("src".into()),
                literal: true,
                files: true,
                ..Search::default()
            })
        );
        assert_eq!(
            actions[1],
            &Action::Read {
                path: "/r/src/a.py".into(),
                from: Some(4),
                count: Some(2)
            }
        );
        assert_eq!(
            actions[2],
            &Action::ReplaceLines {
                path: "/r/src/a.py".into(),
                from: 4,
                to: 4,
                text: "z".into()
            }
        );
        assert_eq!(actions[3], &Action::Run);
        assert_eq!(session.turns[3].text.trim(), "So:");
    }
}
