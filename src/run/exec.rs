//! A command run for its output: all of it kept, the part that matters shown.

use super::command::{Piece, Running, exit_code, unreadable};
use crate::compact::{Compacted, Options, compact_reader};
use crate::error::Result;
use crate::workspace::{Root, Store};
use std::ffi::OsString;
use std::io::{self, Read};
use std::time::Duration;

/// What a command printed and how it ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Ran {
    /// Standard output and standard error, in the order they were written, as far
    /// as they are shown; bytes that are no UTF-8 stand as U+FFFD.
    pub output: Compacted,
    /// Its exit status; 128 and the signal's number where a signal ended it.
    pub status: u8,
}

/// How long a command may be silent before its progress is told again.
const TICK: Duration = Duration::from_secs(1);

/// Runs a command to its end with the caller's input and environment, and compacts
/// its output as it comes; what is not shown goes to the root's store. `progress`
/// is told how many bytes were printed so far, once a second at least.
///
/// # Errors
/// `no_command` if there is none or it cannot be started; those of
/// [`compact_reader`], after its end.
pub fn run_command(
    root: &Root,
    command: &[OsString],
    options: &Options,
    progress: impl FnMut(u64),
) -> Result<Ran> {
    // Where nothing can be kept, nothing is run.
    let store = Store::for_root(root)?;
    let words: Vec<_> = command.iter().map(|w| w.to_string_lossy()).collect();
    let mut output = Output {
        running: Running::start(command, |_| {})?,
        progress,
        piece: Vec::new(),
        at: 0,
        bytes: 0,
    };
    let short = compact_reader(&mut output, options, &store, &words.join(" "));
    let status = output.running.wait().map_err(unreadable)?;
    Ok(Ran {
        output: short?,
        status: exit_code(status),
    })
}

/// The output of a command under way, as a reader.
struct Output<P> {
    running: Running,
    progress: P,
    /// What came last, and how much of it was read.
    piece: Vec<u8>,
    at: usize,
    bytes: u64,
}

impl<P: FnMut(u64)> Read for Output<P> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        while self.at == self.piece.len() {
            match self.running.next(TICK)? {
                Piece::Output(piece) => {
                    self.bytes += piece.len() as u64;
                    (self.piece, self.at) = (piece, 0);
                }
                Piece::Quiet => {}
                Piece::End => return Ok(0),
            }
            (self.progress)(self.bytes);
        }
        let left = &self.piece[self.at..];
        let n = left.len().min(to.len());
        to[..n].copy_from_slice(&left[..n]);
        self.at += n;
        Ok(n)
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::compact::Size;

    fn sh(budget: usize, script: &str) -> (Result<Ran>, Option<String>, u64) {
        let dir = tempfile::tempdir().unwrap();
        let root = Root::open(dir.path()).unwrap().with_home(dir.path());
        let options = Options {
            size: Size::Budget(budget),
            ..Options::default()
        };
        let command = ["sh", "-c", script].map(OsString::from);
        let mut bytes = 0;
        let ran = run_command(&root, &command, &options, |n| bytes = n);
        let handle = ran.as_ref().ok().and_then(|r| r.output.handle.clone());
        let store = Store::for_root(&root).unwrap();
        (ran, handle.map(|h| store.get(&h).unwrap().text), bytes)
    }

    #[test]
    fn both_outputs_keep_their_order_and_the_status_is_passed_on() {
        let (ran, _, bytes) = sh(100, "echo one; echo two >&2; echo three; exit 7");
        let ran = ran.unwrap();
        assert_eq!(ran.output.text, "one\ntwo\nthree\n");
        assert_eq!((ran.status, bytes), (7, 14));
        assert_eq!(sh(100, "kill -9 $$").0.unwrap().status, 137);
        let (ran, ..) = sh(100, "printf 'a\\377b'");
        assert_eq!(ran.unwrap().output.text, "a\u{FFFD}b");
    }

    #[test]
    fn all_of_a_long_output_is_kept_and_the_end_of_a_refused_one_is_waited_for() {
        let (ran, kept, bytes) = sh(60, "seq 1 4000; echo 'error: boom'; exit 3");
        let ran = ran.unwrap();
        assert!(ran.output.tokens <= 60 && ran.output.text.contains("error: boom\n"));
        let all: String = (1..=4000).map(|n| format!("{n}\n")).collect();
        assert_eq!(kept, Some(format!("{all}error: boom\n")));
        assert_eq!((ran.status, bytes), (3, all.len() as u64 + 12));
        let (ran, ..) = sh(1, "seq 1 4000");
        assert_eq!(ran.unwrap_err().code, "budget_too_small");
    }

    #[test]
    fn a_command_that_cannot_start_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let root = Root::open(dir.path()).unwrap().with_home(dir.path());
        let none = [OsString::from("no-such-command-here")];
        let e = run_command(&root, &none, &Options::default(), |_| {}).unwrap_err();
        assert_eq!(e.code, "no_command");
        assert!(e.message.contains("no-such-command-here"));
    }
}
