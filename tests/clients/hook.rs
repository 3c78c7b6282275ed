//! The hook that `setup claude --with-hooks` installs, called by the real Claude Code:
//! what its model is shown of a long output, and how the rest comes back.

use crate::agents::claude;
use crate::model::{CLOSING, Model};
use crate::session::Call;
use crate::user::{User, finish, installed, text};
use serde_json::json;

/// A test run of a thousand lines with one failure in its middle.
const TESTS: &str = "for i in $(seq 1 1000); do if [ $i = 500 ]; then echo \"test case_$i ... FAILED\"; \
                     else echo \"test case_$i ... ok\"; fi; done";

/// What Claude Code's model is shown of a shell command's output, after `setup` with
/// these options.
fn shown(user: &User, command: &str, options: &[&str]) -> Option<String> {
    let program = installed("claude")?;
    let setup = user.trimtab(&[&["setup", "claude", "--yes"], options].concat());
    assert_eq!(setup.status.code(), Some(0), "{}", text(&setup));
    let model = Model::start(vec![Call {
        tool: "Bash",
        arguments: json!({"command": command, "description": "runs the tests"}),
    }]);
    let mut ask = claude(user, &model, &program);
    let output = finish(ask.args(["--allowedTools", "Bash"]));
    let log = text(&output);
    assert_eq!(output.status.code(), Some(0), "{log}");
    assert!(log.contains(CLOSING), "{log}");
    let [seen] = &model.seen()[..] else {
        panic!("{log}")
    };
    Some(seen.clone())
}

#[test]
fn long_output_is_shortened_for_the_model_and_comes_back() {
    let user = User::new();
    let Some(seen) = shown(&user, TESTS, &["--with-hooks"]) else {
        return;
    };
    assert!(seen.lines().count() < 500, "{seen}");
    assert!(seen.contains("test case_500 ... FAILED\n"), "{seen}");
    let head = seen.lines().find(|l| l.contains("lines omitted; expand"));
    let handle = head.and_then(|l| l.rsplit(' ').next()).expect("a handle");
    let lines = user.trimtab(&["expand", handle, "--grep", "case_499 "]);
    assert!(
        text(&lines).contains("test case_499 ... ok"),
        "{}",
        text(&lines)
    );
}

#[test]
fn output_of_a_failing_command_is_shown_as_it_is() {
    // The client lets no hook replace it, and cuts the middle out itself.
    let user = User::new();
    let failing = format!("{TESTS}; exit 3");
    let Some(seen) = shown(&user, &failing, &["--with-hooks"]) else {
        return;
    };
    assert!(seen.contains("Exit code 3\n"), "{seen}");
    assert!(!seen.contains('⋯'), "{seen}");
}

#[test]
fn without_hooks_all_output_is_shown() {
    let user = User::new();
    let Some(seen) = shown(&user, TESTS, &[]) else {
        return;
    };
    assert!(seen.contains("test case_499 ... ok\n"), "{seen}");
    assert!(!seen.contains('⋯'), "{seen}");
}
