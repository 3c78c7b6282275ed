use crate::error::{Class, Error};
use anstyle::{AnsiColor, Style};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use std::cell::Cell;
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::time::{Duration, Instant};

/// Where a command's results, notes and errors go: results to stdout, all else
/// to stderr, colours only on a terminal.
pub struct Output {
    json: bool,
}

impl Output {
    pub fn new(json: bool) -> Self {
        Self { json }
    }

    pub fn is_json(&self) -> bool {
        self.json
    }

    /// Prints a result byte for byte.
    pub fn bytes(&self, bytes: &[u8]) {
        write_stdout(bytes);
    }

    /// Prints a result as it is.
    pub fn text(&self, text: &str) {
        write_stdout(text.as_bytes());
    }

    /// Prints a result and sees to it that it ends its line.
    pub fn line(&self, text: &str) {
        self.text(text);
        if !text.ends_with('\n') {
            self.text("\n");
        }
    }

    /// Prints one JSON value on a line.
    pub fn value(&self, value: &impl Serialize) {
        match serde_json::to_string(value) {
            Ok(text) => self.line(&text),
            Err(e) => self.note(&format!("the result cannot be shown as JSON: {e}")),
        }
    }

    /// Prints a remark for people.
    pub fn note(&self, text: &str) {
        let dim = Style::new().dimmed();
        // Losing a remark must not fail a command.
        let _ = writeln!(anstream::stderr(), "{dim}{text}{dim:#}");
    }

    /// A line on the terminal that shows work in progress; silent elsewhere.
    pub fn progress(&self, what: &str) -> ProgressBar {
        if !io::stderr().is_terminal() {
            return ProgressBar::hidden();
        }
        let bar = ProgressBar::new_spinner();
        if let Ok(style) = ProgressStyle::with_template("{spinner} {prefix} {wide_msg}") {
            bar.set_style(style);
        }
        bar.set_prefix(what.to_string());
        bar.enable_steady_tick(Duration::from_millis(120));
        bar
    }

    /// Progress of work of which nobody knows how long it takes: a line on a
    /// terminal, elsewhere a line on stderr from time to time.
    pub fn pulse(&self, what: &str) -> Pulse {
        Pulse {
            bar: self.progress(what),
            what: what.to_string(),
            begun: Instant::now(),
            told: Cell::new(Duration::ZERO),
        }
    }

    /// A bar on the terminal for work of known length; silent elsewhere.
    pub fn bar(&self, what: &str, length: usize) -> ProgressBar {
        if !io::stderr().is_terminal() {
            return ProgressBar::hidden();
        }
        let bar = ProgressBar::new(length as u64);
        if let Ok(style) = ProgressStyle::with_template("{prefix} {wide_bar} {pos}/{len} {eta}") {
            bar.set_style(style);
        }
        bar.set_prefix(what.to_string());
        bar
    }

    /// Prints an error and returns the exit status that it stands for.
    pub fn error(&self, error: &Error) -> u8 {
        if self.json {
            self.value(&serde_json::json!({"error": {
                "code": error.code, "message": error.message, "next": error.next,
            }}));
        }
        let colour = match error.class {
            Class::Failure => AnsiColor::Red,
            _ => AnsiColor::Yellow,
        };
        let head = colour.on_default().bold();
        let mut err = anstream::stderr();
        let _ = writeln!(err, "{head}{}{head:#}: {}", error.code, error.message);
        if !error.next.is_empty() {
            let dim = Style::new().dimmed();
            let _ = writeln!(err, "{dim}next:{dim:#} {}", error.next);
        }
        error.exit_status()
    }
}

/// How often progress is told where there is no terminal.
const TELL: Duration = Duration::from_secs(5);

/// See [`Output::pulse`].
pub struct Pulse {
    bar: ProgressBar,
    what: String,
    begun: Instant,
    /// When it was told last, off a terminal.
    told: Cell<Duration>,
}

impl Pulse {
    /// Says how far the work is, unless that was said a moment ago.
    pub fn tell(&self, how_far: impl FnOnce() -> String) {
        if !self.bar.is_hidden() {
            self.bar.set_message(how_far());
            return;
        }
        let now = self.begun.elapsed();
        if now - self.told.get() >= TELL {
            self.told.set(now);
            let seconds = now.as_secs();
            let _ = writeln!(io::stderr(), "{}: {}, {seconds} s", self.what, how_far());
        }
    }

    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

/// Writes to stdout; a reader that has gone away ends the command quietly.
fn write_stdout(bytes: &[u8]) {
    let mut out = io::stdout().lock();
    if let Err(e) = out.write_all(bytes).and_then(|()| out.flush()) {
        let quiet = e.kind() == ErrorKind::BrokenPipe;
        if !quiet {
            let _ = writeln!(io::stderr(), "stdout cannot be written: {e}");
        }
        std::process::exit(if quiet { 0 } else { 2 });
    }
}
