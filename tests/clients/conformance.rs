//! The official conformance suite over Streamable HTTP: every scenario that needs no
//! tool, prompt or resource made for it.

use crate::user::{TRIMTAB, User, finish, installed, text};
use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

/// Scenarios and the versions of the protocol that they exist in.
const SCENARIOS: [(&str, &[&str]); 14] = [
    ("server-initialize", &["2025-06-18", "2025-11-25"]),
    ("server-session-lifecycle", &["2025-06-18", "2025-11-25"]),
    ("ping", &["2025-06-18", "2025-11-25"]),
    ("logging-set-level", &["2025-06-18", "2025-11-25"]),
    ("tools-list", &["2025-06-18", "2025-11-25", "2026-07-28"]),
    (
        "resources-list",
        &["2025-06-18", "2025-11-25", "2026-07-28"],
    ),
    ("prompts-list", &["2025-06-18", "2025-11-25", "2026-07-28"]),
    (
        "completion-complete",
        &["2025-06-18", "2025-11-25", "2026-07-28"],
    ),
    ("server-sse-multiple-streams", &["2025-11-25", "2026-07-28"]),
    ("dns-rebinding-protection", &["2025-11-25", "2026-07-28"]),
    ("caching", &["2026-07-28"]),
    ("http-header-validation", &["2026-07-28"]),
    ("sep-2164-resource-not-found", &["2026-07-28"]),
    ("input-required-result-unsupported-methods", &["2026-07-28"]),
];

struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn conformance_suite_passes() {
    let Some(suite) = installed("conformance") else {
        return;
    };
    let user = User::new();
    let mut command = user.command(TRIMTAB);
    command.args(["mcp", "--http", "127.0.0.1:0"]);
    let mut server = Server(command.stderr(Stdio::piped()).spawn().unwrap());
    let mut line = String::new();
    let mut log = BufReader::new(server.0.stderr.take().unwrap());
    log.read_line(&mut line).unwrap();
    let url = line.trim().strip_prefix("listening on ").expect(&line);
    let mut failed = Vec::new();
    for (scenario, versions) in SCENARIOS {
        for version in versions {
            let mut run = user.command(&suite);
            run.args(["server", "--url", url, "--scenario", scenario])
                .args(["--spec-version", version]);
            let output = finish(&mut run);
            let said = text(&output);
            let passed = said
                .lines()
                .any(|l| l.starts_with("Passed: ") && l.contains(", 0 failed"));
            if !output.status.success() || !passed {
                failed.push(format!("{scenario} {version}\n{said}"));
            }
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n\n"));
}
