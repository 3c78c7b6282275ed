//! Calls of tools, read by the names of the tool and its arguments.

use super::action::{Action, Search};
use super::shell;
use serde_json::Value;

/// Reads a call by the names of its tool and arguments. Known are the tools of
/// Claude Code, of Anthropic's and SWE-agent's editors, and the usual names for
/// reading, writing, searching and running in other agents.
pub(super) fn action(tool: &str, arguments: &Value) -> Action {
    let name = tool.rsplit("__").next().unwrap_or(tool).to_lowercase();
    let text = |keys: &[&str]| {
        keys.iter()
            .find_map(|k| arguments.get(k)?.as_str())
            .map(str::to_string)
    };
    let number = |keys: &[&str]| {
        keys.iter().find_map(|k| {
            let value = arguments.get(k)?;
            value
                .as_u64()
                .or_else(|| value.as_str()?.parse().ok())
                .and_then(|n| usize::try_from(n).ok())
        })
    };
    let flag = |key: &str| arguments.get(key).and_then(Value::as_bool).unwrap_or(false);
    let path = text(&["file_path", "path", "filename", "file", "target_file"]);
    let command = text(&["command", "cmd", "script"]);
    match (name.as_str(), path, command) {
        ("bash" | "shell" | "execute_bash" | "run_command" | "terminal" | "run", _, Some(c)) => {
            shell::action(&c)
        }
        ("str_replace_editor" | "str_replace_based_edit_tool", Some(path), Some(c)) => {
            edit_tool(&c, path, arguments)
        }
        (
            "read" | "read_file" | "view" | "view_file" | "open" | "open_file" | "cat",
            Some(path),
            _,
        ) => {
            let from = number(&["offset", "start_line", "line_number"]).map(|n| n.max(1));
            let count = number(&["limit"]).or_else(|| {
                let last = number(&["end_line"])?;
                Some((last + 1).saturating_sub(from.unwrap_or(1)))
            });
            Action::Read { path, from, count }
        }
        ("grep" | "search" | "search_files" | "grep_search" | "codebase_search", path, _) => {
            let Some(pattern) = text(&["pattern", "query", "regex", "search_term"]) else {
                return Action::Other;
            };
            let mut globs: Vec<String> = text(&["glob", "include", "file_pattern"])
                .into_iter()
                .collect();
            globs.extend(text(&["type"]).and_then(|t| shell::type_glob(&t)));
            let lines = text(&["output_mode"]).is_none_or(|m| m == "content");
            Action::Search(Search {
                pattern,
                path: path.or_else(|| text(&["dir", "directory"])),
                globs,
                insensitive: flag("-i"),
                literal: flag("literal"),
                // Claude Code's search shows names unless asked for lines.
                files: name == "grep" && arguments.get("output_mode").is_none() || !lines,
                head: number(&["head_limit"]),
            })
        }
        ("glob" | "find_file" | "find" | "file_search", path, _) => Action::List {
            path,
            glob: text(&["pattern", "query", "glob_pattern", "file_name"]),
        },
        ("ls" | "list_dir" | "list_files" | "list_directory", path, _) => {
            Action::List { path, glob: None }
        }
        ("edit" | "edit_file" | "str_replace" | "replace" | "search_replace", Some(path), _) => {
            match (
                text(&["old_string", "old_str", "search"]),
                text(&["new_string", "new_str", "replace"]),
            ) {
                (Some(old), Some(new)) => Action::Replace {
                    path,
                    old,
                    new,
                    all: flag("replace_all"),
                },
                _ => Action::Other,
            }
        }
        ("write" | "write_file" | "create" | "create_file", Some(path), _) => {
            match text(&["content", "contents", "file_text", "text"]) {
                Some(content) => Action::Write { path, content },
                None => Action::Other,
            }
        }
        (_, _, Some(_)) => Action::Run,
        _ => Action::Other,
    }
}

/// Anthropic's editor: one tool with a command among its arguments.
fn edit_tool(command: &str, path: String, arguments: &Value) -> Action {
    let text = |key: &str| arguments.get(key)?.as_str().map(str::to_string);
    match command {
        "view" => {
            let range = arguments.get("view_range").and_then(Value::as_array);
            let bound = |n: usize| range?.get(n)?.as_i64();
            let from = bound(0).and_then(|n| usize::try_from(n).ok());
            // A last line of -1 is the end of the file.
            let last = bound(1).and_then(|n| usize::try_from(n).ok());
            Action::Read {
                path,
                from,
                count: last.map(|l| (l + 1).saturating_sub(from.unwrap_or(1))),
            }
        }
        "create" => match text("file_text") {
            Some(content) => Action::Write { path, content },
            None => Action::Other,
        },
        "str_replace" => match text("old_str") {
            Some(old) => Action::Replace {
                path,
                old,
                new: text("new_str").unwrap_or_default(),
                all: false,
            },
            None => Action::Other,
        },
        "insert" => {
            let line = arguments.get("insert_line").and_then(Value::as_u64);
            match (line.and_then(|l| usize::try_from(l).ok()), text("new_str")) {
                (Some(line), Some(text)) => Action::ReplaceLines {
                    path,
                    from: line + 1,
                    to: line,
                    text: text.strip_suffix('\n').unwrap_or(&text).to_string(),
                },
                _ => Action::Other,
            }
        }
        _ => Action::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn tools_of_several_agents_are_read_by_their_arguments() {
        let read = |from, count| Action::Read {
            path: "a.rs".into(),
            from,
            count,
        };
        let cases = [
            ("Read", json!({"file_path": "a.rs"}), read(None, None)),
            (
                "Read",
                json!({"file_path": "a.rs", "offset": 0, "limit": 9}),
                read(Some(1), Some(9)),
            ),
            (
                "mcp__fs__read_file",
                json!({"path": "a.rs", "start_line": 3, "end_line": 5}),
                read(Some(3), Some(3)),
            ),
            (
                "str_replace_editor",
                json!({"command": "view", "path": "a.rs", "view_range": [4, -1]}),
                read(Some(4), None),
            ),
            (
                "str_replace_editor",
                json!({"command": "insert", "path": "a.rs", "insert_line": 2, "new_str": "x\n"}),
                Action::ReplaceLines {
                    path: "a.rs".into(),
                    from: 3,
                    to: 2,
                    text: "x".into(),
                },
            ),
            (
                "Edit",
                json!({"file_path": "a.rs", "old_string": "a", "new_string": "b"}),
                Action::Replace {
                    path: "a.rs".into(),
                    old: "a".into(),
                    new: "b".into(),
                    all: false,
                },
            ),
            (
                "Grep",
                json!({"pattern": "x", "type": "py", "-i": true, "head_limit": 4}),
                Action::Search(Search {
                    pattern: "x".into(),
                    globs: vec!["*.py".into()],
                    insensitive: true,
                    files: true,
                    head: Some(4),
                    ..Search::default()
                }),
            ),
            (
                "Glob",
                json!({"pattern": "**/*.py"}),
                Action::List {
                    path: None,
                    glob: Some("**/*.py".into()),
                },
            ),
            ("TodoWrite", json!({"todos": []}), Action::Other),
            ("execute_bash", json!({"command": "make test"}), Action::Run),
        ];
        for (tool, arguments, expected) in cases {
            assert_eq!(action(tool, &arguments), expected, "{tool} {arguments}");
        }
    }
}
