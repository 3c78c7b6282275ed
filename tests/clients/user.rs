//! A user with nothing but a home, in a small project; and which clients there are.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

pub const TRIMTAB: &str = env!("CARGO_BIN_EXE_trimtab");

/// A user with nothing but a home, in a small project.
pub struct User {
    dir: tempfile::TempDir,
}

impl User {
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let user = Self { dir };
        std::fs::create_dir_all(user.project().join("src")).unwrap();
        std::fs::write(
            user.project().join("src/main.rs"),
            "fn greet() -> &'static str {\n    \"hello\"\n}\n\nfn main() {\n    println!(\"{}\", greet());\n}\n",
        )
        .unwrap();
        user
    }

    pub fn home(&self) -> &Path {
        self.dir.path()
    }

    pub fn project(&self) -> PathBuf {
        self.dir.path().join("project")
    }

    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(self.project())
            .env_clear()
            .env("HOME", self.home())
            .env("USERPROFILE", self.home())
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .envs(std::env::var_os("SystemRoot").map(|r| ("SystemRoot", r)))
            .env("LOCALAPPDATA", self.home())
            .env("APPDATA", self.home())
            .env("TERM", "dumb")
            .env("NO_COLOR", "1")
            .stdin(Stdio::null());
        command
    }

    pub fn trimtab(&self, arguments: &[&str]) -> Output {
        self.command(TRIMTAB).args(arguments).output().unwrap()
    }
}

/// How long a client may take for everything; only a hang reaches it.
const HANG: Duration = Duration::from_secs(240);

/// Runs a command to its end, or ends it when it hangs.
pub fn finish(command: &mut Command) -> Output {
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    let id = child.id().to_string();
    let (done, told) = channel();
    let watch = std::thread::spawn(move || {
        if told.recv_timeout(HANG) == Err(RecvTimeoutError::Timeout) {
            let _ = Command::new("kill").args(["-s", "KILL", &id]).status();
        }
    });
    let output = child.wait_with_output().unwrap();
    let _ = done.send(());
    watch.join().unwrap();
    output
}

pub fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// The program on the search path, or none and a word about it.
pub fn installed(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path)
        .map(|dir| dir.join(name))
        .find(|file| file.is_file());
    if found.is_none() {
        eprintln!("skipped: {name} is not installed");
    }
    found
}
