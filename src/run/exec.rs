//! A command run for its output: all of it kept, the part that matters shown.

use crate::error::{Error, Result};
use std::ffi::OsString;
use std::io::{self, Read};
use std::process::{Command, ExitStatus};

/// What a command printed and how it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ran {
    /// Standard output and standard error, in the order they were written;
    /// bytes that are no UTF-8 stand as U+FFFD.
    pub output: String,
    /// Its exit status; 128 and the signal's number where a signal ended it.
    pub status: u8,
}

/// Runs a command to its end with the caller's input and environment, both of its
/// outputs in one pipe so that their order is kept. `progress` sees the output as
/// it comes.
///
/// # Errors
/// `no_command` if there is none or it cannot be started; `unreadable` if its
/// output cannot be read.
pub fn run_command(command: &[OsString], mut progress: impl FnMut(&[u8])) -> Result<Ran> {
    let [program, arguments @ ..] = command else {
        return Err(Error::failure(
            "no_command",
            "There is no command to run.",
            "Give it after `--`.",
        ));
    };
    let failed = |e: io::Error| {
        Error::failure(
            "no_command",
            format!("{} cannot be run: {e}.", program.to_string_lossy()),
            "Check the command's name and that it is installed.",
        )
    };
    let (mut reader, writer) = io::pipe().map_err(failed)?;
    let mut child = {
        let mut command = Command::new(program);
        command
            .args(arguments)
            .stdout(writer.try_clone().map_err(failed)?)
            .stderr(writer);
        // The command holds the pipe's writing ends; they close with this scope.
        command.spawn().map_err(failed)?
    };
    let mut bytes = Vec::new();
    let mut chunk = vec![0; 64 * 1024];
    let read = loop {
        match reader.read(&mut chunk) {
            Ok(0) => break Ok(()),
            Ok(n) => {
                progress(&chunk[..n]);
                bytes.extend_from_slice(&chunk[..n]);
            }
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => break Err(e),
        }
    };
    let status = child.wait().map_err(failed)?;
    read.map_err(|e| {
        Error::failure(
            "unreadable",
            format!("The command's output cannot be read: {e}."),
            "Run it again.",
        )
    })?;
    let output = match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(e) => String::from_utf8_lossy(e.as_bytes()).into_owned(),
    };
    Ok(Ran {
        output,
        status: exit_code(status),
    })
}

/// As a shell reports it.
fn exit_code(status: ExitStatus) -> u8 {
    if let Some(code) = status.code() {
        // Windows has 32-bit codes: what does not fit still says failure.
        return u8::try_from(code).unwrap_or(if code == 0 { 0 } else { 255 });
    }
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return u8::try_from(128 + signal).unwrap_or(255);
    }
    255
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn sh(script: &str) -> Result<Ran> {
        let command = ["sh", "-c", script].map(OsString::from);
        run_command(&command, |_| {})
    }

    #[test]
    fn both_outputs_keep_their_order_and_the_status_is_passed_on() {
        let ran = sh("echo one; echo two >&2; echo three; exit 7").unwrap();
        assert_eq!(ran.output, "one\ntwo\nthree\n");
        assert_eq!(ran.status, 7);
        assert_eq!(sh("kill -9 $$").unwrap().status, 137);
        assert_eq!(sh("printf 'a\\377b'").unwrap().output, "a\u{FFFD}b");
    }

    #[test]
    fn a_command_that_cannot_start_is_named() {
        let none = [OsString::from("no-such-command-here")];
        let e = run_command(&none, |_| {}).unwrap_err();
        assert_eq!(e.code, "no_command");
        assert!(e.message.contains("no-such-command-here"));
        assert_eq!(run_command(&[], |_| {}).unwrap_err().code, "no_command");
    }
}
