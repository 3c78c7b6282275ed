//! The harness from outside: sessions that we wrote ourselves, in each form, over a
//! small repository that is made for the test.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/sessions")
}

fn git(dir: &Path, args: &[&str]) -> String {
    let out = Command::new("git")
        .args(["-c", "user.name=t", "-c", "user.email=t@example.com"])
        .args(["-c", "core.autocrlf=false", "-c", "commit.gpgsign=false"])
        .arg("-C")
        .arg(dir)
        .args(args)
        .output()
        .unwrap();
    assert!(out.status.success(), "git {args:?}");
    String::from_utf8(out.stdout).unwrap()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

/// A folder with `repos/own/shop` and `sessions` that name its commit.
fn place() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let repo = dir.path().join("repos/own/shop");
    copy(&fixtures().join("tree"), &repo);
    git(&repo, &["init", "-q"]);
    git(&repo, &["add", "."]);
    git(&repo, &["commit", "-qm", "shop"]);
    let commit = git(&repo, &["rev-parse", "HEAD"]);
    // What is checked out is not what is replayed against.
    fs::remove_file(repo.join("shop/cart.py")).unwrap();
    let sessions = dir.path().join("sessions");
    fs::create_dir(&sessions).unwrap();
    let origin = |name: &str| {
        format!(
            "\"{name}\": {{\"repo\": \"own/shop\", \"commit\": \"{}\"}}",
            commit.trim()
        )
    };
    let names = ["claude", "swe-agent", "messages"].map(origin);
    for file in ["claude.jsonl", "swe-agent.traj", "messages.json"] {
        fs::copy(fixtures().join(file), sessions.join(file)).unwrap();
    }
    fs::write(
        sessions.join("origins.json"),
        format!("{{{}}}", names.join(",")),
    )
    .unwrap();
    dir
}

fn bench(dir: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_trimtab"))
        .args(["bench"])
        .args(args)
        .current_dir(dir)
        .env("HOME", dir.join("home"))
        .env_remove("XDG_CACHE_HOME")
        .env_remove("XDG_STATE_HOME")
        .output()
        .unwrap()
}

#[test]
fn sessions_of_each_form_are_replayed_byte_for_byte() {
    let dir = place();
    let args = ["replay", "sessions", "--repos", "repos", "--json"];
    let out = bench(dir.path(), &args);
    assert!(
        out.status.success(),
        "{}",
        String::from_utf8_lossy(&out.stderr)
    );
    let replay: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
    let all = &replay["sums"][0];
    assert_eq!(all["sessions"], 3, "{}", replay["skipped"]);
    let edits = &all["edits"];
    assert_eq!(edits["count"], 5);
    assert_eq!(edits["exact"], 5, "{edits}");
    assert_eq!(edits["wrong"], 0);
    assert_eq!(all["diverged"], 0);
    // Every step is there, with what it cost.
    let of = |id: &str| -> Vec<&serde_json::Value> {
        let sessions = replay["sessions"].as_array().unwrap();
        let session = sessions.iter().find(|s| s["id"] == id).unwrap();
        session["steps"].as_array().unwrap().iter().collect()
    };
    let replayed = |id: &str| of(id).iter().filter(|s| s["state"] == "replayed").count();
    assert_eq!(replayed("claude"), 7);
    assert_eq!(replayed("swe-agent"), 5);
    assert_eq!(replayed("messages"), 6);
    // A long log and a large file cost less, whatever else.
    let log = of("claude")
        .into_iter()
        .find(|s| s["kind"] == "log")
        .unwrap()
        .clone();
    assert!(log["ours"].as_u64() < log["recorded"].as_u64(), "{log}");
    // The same again, byte for byte.
    assert_eq!(out.stdout, bench(dir.path(), &args).stdout);
    // Nothing is left behind, and the repository is as it was.
    assert_eq!(
        git(
            &dir.path().join("repos/own/shop"),
            &["status", "--porcelain"]
        ),
        " D shop/cart.py\n"
    );
}

#[test]
fn what_cannot_be_replayed_is_named() {
    let dir = place();
    fs::remove_dir_all(dir.path().join("repos/own")).unwrap();
    let out = bench(dir.path(), &["replay", "sessions", "--repos", "repos"]);
    assert_eq!(out.status.code(), Some(1));
    let text = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(
        text.contains("nothing_replayed") && text.contains("own/shop"),
        "{text}"
    );
}

#[test]
fn all_writes_a_report_that_stands_alone() {
    let dir = place();
    let root = fixtures().join("tree");
    let root = root.to_str().unwrap();
    let args = [
        "all",
        "--root",
        root,
        "--actions",
        "2",
        "--sessions",
        "sessions",
        "--repos",
        "repos",
        "--report",
        "out.html",
    ];
    let out = bench(dir.path(), &args);
    assert!(
        out.status.success(),
        "{}",
        String::from_utf8_lossy(&out.stderr)
    );
    let json = fs::read(dir.path().join("out.json")).unwrap();
    let all: serde_json::Value = serde_json::from_slice(&json).unwrap();
    let sum = &all["replay"]["sums"][0];
    assert_eq!(sum["sessions"], 3);
    // What bounds the headline is above it, and stands beside it in the page.
    let bound = sum["bound"].as_f64().unwrap();
    assert!(bound >= sum["saved"][1][0]["value"].as_f64().unwrap());
    assert_eq!(all["tasks"]["ways"].as_array().unwrap().len(), 5);
    assert!(
        all["commands"][0]
            .as_str()
            .unwrap()
            .starts_with("trimtab bench all")
    );
    #[cfg(feature = "report")]
    {
        let page = fs::read_to_string(dir.path().join("out.html")).unwrap();
        assert_eq!(page.matches("<svg").count(), 4);
        assert!(page.contains(&format!("could save more than {:.1}%", 100.0 * bound)));
        // Behind each figure the case: every session with its steps.
        for id in ["claude", "swe-agent", "messages"] {
            assert!(
                page.contains(&format!("<details id=\"{id}\"><summary>{id} ")),
                "{id}"
            );
        }
        assert!(page.contains("prefers-color-scheme: dark"));
        assert!(!page.contains("<script") && !page.contains("src="));
    }
}
