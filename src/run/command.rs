//! Commands: started, listened to, ended.

use crate::error::{Error, Result};
use crate::workspace::Cancel;
use std::ffi::OsStr;
use std::io::{self, ErrorKind, PipeReader, Read};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

/// A command under way. Both of its outputs go into one pipe, so that their order
/// is kept, and come out of it piece by piece.
pub(super) struct Running {
    child: Child,
    pieces: Receiver<io::Result<Vec<u8>>>,
}

/// What a command under way has to say.
#[derive(Debug)]
pub(super) enum Piece {
    Output(Vec<u8>),
    /// Nothing for as long as was waited.
    Quiet,
    /// It and all that it started have closed their outputs.
    End,
}

/// Pieces that are read ahead; beyond them the command waits to be listened to.
const AHEAD: usize = 16;

impl Running {
    /// Starts a command; `set_up` says what holds for it beyond its arguments.
    ///
    /// # Errors
    /// `no_command` if there is none or it cannot be started.
    pub fn start(command: &[impl AsRef<OsStr>], set_up: impl FnOnce(&mut Command)) -> Result<Self> {
        let [program, arguments @ ..] = command else {
            return Err(no_command("", "it is empty"));
        };
        let name = program.as_ref().to_string_lossy();
        let failed = |e: io::Error| no_command(&name, &e.to_string());
        let (reader, writer) = io::pipe().map_err(failed)?;
        let child = {
            let mut command = Command::new(program);
            command
                .args(arguments)
                .stdout(writer.try_clone().map_err(failed)?)
                .stderr(writer);
            set_up(&mut command);
            // The command holds the pipe's writing ends; they close with this scope.
            command.spawn().map_err(failed)?
        };
        let (sender, pieces) = sync_channel(AHEAD);
        thread::spawn(move || forward(reader, &sender));
        Ok(Self { child, pieces })
    }

    /// What it printed next, waiting no longer than `time`.
    ///
    /// # Errors
    /// Where its output cannot be read.
    pub fn next(&mut self, time: Duration) -> io::Result<Piece> {
        match self.pieces.recv_timeout(time) {
            Ok(piece) => piece.map(Piece::Output),
            Err(RecvTimeoutError::Timeout) => Ok(Piece::Quiet),
            Err(RecvTimeoutError::Disconnected) => Ok(Piece::End),
        }
    }

    /// Waits for its end, whatever it prints until then.
    ///
    /// # Errors
    /// Where the system does not know it.
    pub fn wait(mut self) -> io::Result<ExitStatus> {
        while self.pieces.recv().is_ok() {}
        self.child.wait()
    }
}

/// Hands on what is read until nobody listens or there is no more.
fn forward(mut reader: PipeReader, pieces: &SyncSender<io::Result<Vec<u8>>>) {
    let mut chunk = vec![0; 64 * 1024];
    loop {
        let piece = match reader.read(&mut chunk) {
            Ok(0) => return,
            Ok(n) => Ok(chunk[..n].to_vec()),
            Err(e) if e.kind() == ErrorKind::Interrupted => continue,
            Err(e) => Err(e),
        };
        let last = piece.is_err();
        if pieces.send(piece).is_err() || last {
            return;
        }
    }
}

/// What a command printed and how it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Finished {
    /// Both outputs in the order they were written.
    pub output: String,
    /// Its exit status; `None` where it was ended because its time was over.
    pub status: Option<u8>,
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
/// `no_command` if it cannot be started; `unreadable`; `cancelled`.
pub(super) fn run_limited(
    command: &[String],
    dir: &Path,
    time: Duration,
    cancel: &Cancel,
) -> Result<Finished> {
    let mut running = Running::start(command, |command| {
        command.current_dir(dir).stdin(Stdio::null());
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(command, 0);
    })?;
    let begun = Instant::now();
    let mut bytes = Vec::new();
    let mut keep = |piece: &[u8]| {
        let room = KEPT.saturating_sub(bytes.len());
        bytes.extend_from_slice(&piece[..piece.len().min(room)]);
    };
    let status = loop {
        match running.next(TICK).map_err(unreadable)? {
            Piece::Output(piece) => keep(&piece),
            Piece::Quiet => {}
            // It has closed its outputs, but may still work.
            Piece::End => thread::sleep(TICK),
        }
        if let Some(status) = running.child.try_wait().map_err(unreadable)? {
            break Some(exit_code(status));
        }
        if cancel.is_set() || cancel.is_late() || begun.elapsed() >= time {
            end(&mut running.child);
            break None;
        }
    };
    let ended = Instant::now();
    while let Ok(Piece::Output(piece)) = running.next(GRACE.saturating_sub(ended.elapsed())) {
        keep(&piece);
    }
    if cancel.is_set() {
        return Err(Error::cancelled());
    }
    Ok(Finished {
        output: String::from_utf8_lossy(&bytes).into_owned(),
        status,
    })
}

/// The exit status as a shell reports it: 128 and the signal's number where a
/// signal ended the process.
pub(super) fn exit_code(status: ExitStatus) -> u8 {
    if let Some(code) = status.code() {
        // Windows has 32-bit codes: what does not fit still says failure.
        return u8::try_from(code).unwrap_or(255);
    }
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return u8::try_from(128 + signal).unwrap_or(255);
    }
    255
}

pub(super) fn unreadable(e: io::Error) -> Error {
    Error::failure(
        "unreadable",
        format!("The command's output cannot be read: {e}."),
        "Run it again.",
    )
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
        assert!(e.message.contains("no-such-command-here"));
        let e = run_limited(&[], Path::new("/"), GRACE, &Cancel::new()).unwrap_err();
        assert_eq!(e.code, "no_command");
        let killed = sh("kill -9 $$", Duration::from_secs(60)).unwrap();
        assert_eq!(killed.status, Some(137));
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
