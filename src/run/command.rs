//! A configured command, run within a time limit.

use crate::error::{Error, Result};
use crate::workspace::Cancel;
use std::io::{self, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

/// What a command printed and how it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Finished {
    /// Both outputs in the order they were written.
    pub output: String,
    /// Its exit status; `None` where it was ended because its time was over.
    pub status: Option<i32>,
}

/// Output that is kept; what comes after is read and dropped (8 MiB).
const KEPT: usize = 8 << 20;
/// How often the clock is looked at.
const TICK: Duration = Duration::from_millis(20);
/// How long the output of an ended command is waited for: a process that it left
/// behind may hold the pipe open.
const GRACE: Duration = Duration::from_millis(500);

/// Runs a command in `dir` without input. When the time is over or `cancel` says
/// so, it is ended with all the processes that it started.
///
/// # Errors
/// `no_command` if it cannot be started; `cancelled`.
pub(super) fn run_limited(
    command: &[String],
    dir: &Path,
    time: Duration,
    cancel: &Cancel,
) -> Result<Finished> {
    let [program, arguments @ ..] = command else {
        return Err(no_command("", "it is empty"));
    };
    let failed = |e: io::Error| no_command(program, &e.to_string());
    let (mut reader, writer) = io::pipe().map_err(failed)?;
    let mut child = {
        let mut command = Command::new(program);
        command
            .args(arguments)
            .current_dir(dir)
            .stdin(Stdio::null())
            .stdout(writer.try_clone().map_err(failed)?)
            .stderr(writer);
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        // The command holds the pipe's writing ends; they close with this scope.
        command.spawn().map_err(failed)?
    };
    let (sender, receiver) = channel();
    thread::spawn(move || {
        let mut chunk = vec![0; 64 * 1024];
        while let Ok(n) = reader.read(&mut chunk) {
            if n == 0 || sender.send(chunk[..n].to_vec()).is_err() {
                break;
            }
        }
    });
    let begun = Instant::now();
    let mut bytes = Vec::new();
    let mut keep = |chunk: Vec<u8>| {
        let room = KEPT.saturating_sub(bytes.len());
        bytes.extend_from_slice(&chunk[..chunk.len().min(room)]);
    };
    let status = loop {
        match receiver.recv_timeout(TICK) {
            Ok(chunk) => keep(chunk),
            Err(RecvTimeoutError::Timeout) => {}
            // It has closed its outputs, but may still work.
            Err(RecvTimeoutError::Disconnected) => thread::sleep(TICK),
        }
        if let Some(status) = child.try_wait().map_err(failed)? {
            break Some(status.code().unwrap_or(-1));
        }
        if cancel.is_set() || cancel.is_late() || begun.elapsed() >= time {
            end(&mut child);
            break None;
        }
    };
    let ended = Instant::now();
    while let Ok(chunk) = receiver.recv_timeout(GRACE.saturating_sub(ended.elapsed())) {
        keep(chunk);
    }
    if cancel.is_set() {
        return Err(Error::cancelled());
    }
    Ok(Finished {
        output: String::from_utf8_lossy(&bytes).into_owned(),
        status,
    })
}

/// Ends a process and what it started.
fn end(child: &mut Child) {
    let pid = child.id();
    let mut killer = if cfg!(windows) {
        let mut c = Command::new("taskkill");
        c.args(["/T", "/F", "/PID", &pid.to_string()]);
        c
    } else {
        let mut c = Command::new("kill");
        c.args(["-KILL", "--", &format!("-{pid}")]);
        c
    };
    let _ = killer
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    let _ = child.kill();
    let _ = child.wait();
}

fn no_command(program: &str, why: &str) -> Error {
    Error::failure(
        "no_command",
        format!("The command {program:?} cannot be run: {why}."),
        "Check the command's name and that it is installed.",
    )
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn sh(script: &str, time: Duration) -> Result<Finished> {
        let command = ["sh", "-c", script].map(String::from);
        run_limited(&command, Path::new("/"), time, &Cancel::new())
    }

    #[test]
    fn output_and_status_are_kept() {
        let out = sh("pwd; echo two >&2; exit 7", Duration::from_secs(60)).unwrap();
        assert_eq!(out.output, "/\ntwo\n");
        assert_eq!(out.status, Some(7));
        let none = [String::from("no-such-command-here")];
        let e = run_limited(&none, Path::new("/"), GRACE, &Cancel::new()).unwrap_err();
        assert_eq!(e.code, "no_command");
    }

    #[test]
    fn a_command_is_ended_with_all_it_started() {
        let dir = tempfile::tempdir().unwrap();
        let mark = dir.path().join("mark");
        let script = format!("echo begun; (sleep 2; touch {}) & sleep 60", mark.display());
        let out = sh(&script, Duration::from_millis(300)).unwrap();
        assert_eq!(out.status, None);
        assert_eq!(out.output, "begun\n");
        thread::sleep(Duration::from_millis(2500));
        assert!(!mark.exists());
    }

    #[test]
    fn cancelling_ends_it() {
        let cancel = Cancel::new();
        cancel.cancel();
        let command = ["sleep", "60"].map(String::from);
        let e =
            run_limited(&command, Path::new("/"), Duration::from_secs(60), &cancel).unwrap_err();
        assert_eq!(e.code, "cancelled");
    }
}
