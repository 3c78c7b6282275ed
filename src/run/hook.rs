//! What a client's hook asks for after its shell has run a command.

use crate::compact::{Options, Size, compact_stored};
use crate::error::{Error, Result};
use crate::tokens;
use crate::workspace::{Root, Store};
use serde_json::{Value, json};

/// Output of at most this many tokens is passed on as it is; longer output is
/// shortened to as many.
const BUDGET: usize = 2_000;

/// Answers Claude Code's `PostToolUse` hook: for a shell command with long output
/// the JSON that puts the compacted output in its place, `None` where all stays
/// as it is. What is omitted goes to the root's store.
///
/// # Errors
/// `bad_hook_input` for a call that is no JSON object; those of
/// [`compact_stored`].
pub fn after_tool(root: &Root, call: &str) -> Result<Option<String>> {
    let call: Value = serde_json::from_str(call).map_err(|e| {
        Error::failure(
            "bad_hook_input",
            format!("The hook was not given JSON: {e}."),
            "Let the client call it; `trimtab setup claude --with-hooks` sees to that.",
        )
    })?;
    let mut result = match call.get("tool_response") {
        Some(Value::Object(result)) if call["hook_event_name"] == "PostToolUse" => result.clone(),
        _ => return Ok(None),
    };
    if result.get("isImage") == Some(&Value::Bool(true)) {
        return Ok(None);
    }
    let command = call["tool_input"]["command"].as_str().unwrap_or("command");
    let mut shortened = false;
    for stream in ["stdout", "stderr"] {
        let Some(Value::String(text)) = result.get(stream) else {
            continue;
        };
        if tokens::fits(text, BUDGET) {
            continue;
        }
        let options = Options {
            size: Size::Budget(BUDGET),
            ..Options::default()
        };
        let short = compact_stored(text, &options, &Store::for_root(root)?, command)?;
        shortened |= short.handle.is_some();
        result.insert(stream.to_owned(), Value::String(short.text));
    }
    // The replacement must have the shape of the result, all other fields included.
    Ok(shortened.then(|| {
        json!({"hookSpecificOutput": {
            "hookEventName": "PostToolUse",
            "updatedToolOutput": result,
        }})
        .to_string()
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_output_is_replaced_and_comes_back() {
        let dir = tempfile::tempdir().unwrap();
        let root = Root::open(dir.path()).unwrap().with_home(dir.path());
        let log: String = (0..900)
            .map(|i| {
                format!(
                    "test case_{i} ... {}\n",
                    if i == 500 { "FAILED" } else { "ok" }
                )
            })
            .collect();
        let call = |stdout: &str| {
            json!({
                "hook_event_name": "PostToolUse",
                "tool_name": "Bash",
                "tool_input": {"command": "make test"},
                "tool_response": {"stdout": stdout, "stderr": "", "interrupted": false, "isImage": false},
            })
        };
        let answer = after_tool(&root, &call(&log).to_string()).unwrap().unwrap();
        let answer: Value = serde_json::from_str(&answer).unwrap();
        let output = &answer["hookSpecificOutput"];
        assert_eq!(output["hookEventName"], "PostToolUse");
        let result = &output["updatedToolOutput"];
        assert_eq!(
            (&result["stderr"], &result["interrupted"]),
            (&json!(""), &json!(false))
        );
        let stdout = result["stdout"].as_str().unwrap();
        assert!(stdout.contains("case_500 ... FAILED"));
        assert!(tokens::count(stdout) <= BUDGET);
        let handle = stdout.lines().next().unwrap().rsplit(' ').next().unwrap();
        let kept = Store::for_root(&root).unwrap().get(handle).unwrap();
        assert_eq!(
            (kept.text, kept.source),
            (log.clone(), "make test".to_owned())
        );

        assert_eq!(after_tool(&root, &call("short").to_string()).unwrap(), None);
        let mut image = call(&log);
        image["tool_response"]["isImage"] = json!(true);
        assert_eq!(after_tool(&root, &image.to_string()).unwrap(), None);
        let mut other = call(&log);
        other["hook_event_name"] = json!("PreToolUse");
        assert_eq!(after_tool(&root, &other.to_string()).unwrap(), None);
        assert_eq!(after_tool(&root, "{").unwrap_err().code, "bad_hook_input");
    }
}
