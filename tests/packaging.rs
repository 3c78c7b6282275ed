//! The bundle and the registry entry, built from this very binary; skipped where there
//! is no Python.

use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

fn bundle(out: &Path, repository: &str) -> Option<Output> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let output = Command::new("python3")
        .arg(root.join("packaging/bundle.py"))
        .args(["--repository", repository])
        .args(["--binary", env!("CARGO_BIN_EXE_trimtab"), "--out"])
        .arg(out)
        .output();
    match output {
        Ok(output) => Some(output),
        Err(e) => {
            eprintln!("skipped: no python3 ({e})");
            None
        }
    }
}

#[test]
fn bundle_and_registry_entry_are_what_their_formats_ask() {
    let out = tempfile::tempdir().unwrap();
    let Some(output) = bundle(out.path(), "https://github.com/example/trimtab") else {
        return;
    };
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{log}");
    let paths = String::from_utf8(output.stdout).unwrap();
    let [file, server] = paths.lines().collect::<Vec<_>>()[..] else {
        panic!("{paths}")
    };
    let server: Value = serde_json::from_slice(&fs::read(server).unwrap()).unwrap();
    assert_eq!(server["name"], "io.github.example/trimtab");
    assert_eq!(server["version"], env!("CARGO_PKG_VERSION"));
    let [package] = &server["packages"].as_array().unwrap()[..] else {
        panic!("{server}")
    };
    let name = Path::new(file).file_name().unwrap().to_str().unwrap();
    assert!(package["identifier"].as_str().unwrap().ends_with(name));

    // What comes out of the bundle works as its manifest says.
    let folder = out.path().join("installed");
    let unpack = "import sys, zipfile; zipfile.ZipFile(sys.argv[1]).extractall(sys.argv[2])";
    let mut python = Command::new("python3");
    let unpacked = python.args(["-c", unpack, file]).arg(&folder).status();
    assert!(unpacked.unwrap().success());
    let manifest = fs::read(folder.join("manifest.json")).unwrap();
    let manifest: Value = serde_json::from_slice(&manifest).unwrap();
    assert_eq!(manifest["version"], env!("CARGO_PKG_VERSION"));
    let named = |v: &Value| v["name"].as_str().unwrap().to_owned();
    let tools: Vec<String> = manifest["tools"]
        .as_array()
        .unwrap()
        .iter()
        .map(named)
        .collect();
    assert_eq!(tools, ["run", "search", "expand", "compact", "apply"]);
    let config = &manifest["server"]["mcp_config"];
    let fill = |v: &Value| {
        let text = v.as_str().unwrap();
        text.replace("${__dirname}", folder.to_str().unwrap())
            .replace("${user_config.root}", out.path().to_str().unwrap())
    };
    let program = fill(&config["command"]);
    assert_eq!(
        fs::read(&program).unwrap(),
        fs::read(env!("CARGO_BIN_EXE_trimtab")).unwrap()
    );
    let arguments: Vec<String> = config["args"]
        .as_array()
        .unwrap()
        .iter()
        .map(fill)
        .collect();
    assert_eq!(arguments[..2], ["mcp", "--root"]);
    assert!(Path::new(&arguments[2]).is_dir());
}

#[test]
fn what_the_registry_would_refuse_is_not_written() {
    let out = tempfile::tempdir().unwrap();
    let Some(output) = bundle(out.path(), "http://github.com/exa mple/trimtab") else {
        return;
    };
    assert!(!output.status.success());
    assert!(!out.path().join("server.json").exists());
}
