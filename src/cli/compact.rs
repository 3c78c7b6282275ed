use super::output::Output;
use crate::compact::{Compacted, Kind, Options, Size, compact_reader};
use crate::error::{Error, Result};
use crate::run::shorten_all;
use crate::workspace::{Cancel, Root, Store};
use clap::Args;
use regex::Regex;
use std::io::Read;

/// Shorten a text to a budget (by default 30% of its tokens); every line that survives is an input line
#[derive(Args)]
pub struct Command {
    /// What to shorten, each a path or a handle; standard input where there is none
    #[arg(value_name = "FILE")]
    files: Vec<String>,
    #[command(flatten)]
    how: How,
}

/// How a text is shortened.
#[derive(Args)]
pub struct How {
    /// source, search, buildlog, diff, json, trace, history, tree, markdown or
    /// text; found out where it is not given
    #[arg(long, value_name = "KIND", value_parser = kind)]
    kind: Option<Kind>,
    /// What you want to know: it steers what survives
    #[arg(long, value_name = "TEXT", default_value = "")]
    query: String,
    /// At most this many o200k tokens, markers included
    #[arg(long, value_name = "N", conflicts_with = "ratio")]
    budget: Option<usize>,
    /// At most this share of the tokens, above 0 and up to 1
    #[arg(long, value_name = "R")]
    ratio: Option<f64>,
    /// Always keep lines that match
    #[arg(long, value_name = "REGEX")]
    keep: Vec<Regex>,
}

fn kind(word: &str) -> Result<Kind> {
    word.parse()
}

impl How {
    pub fn options(self, file: Option<&str>, default: Size) -> Options {
        Options {
            kind: self.kind,
            file: file.map(str::to_string),
            query: self.query,
            size: match (self.budget, self.ratio) {
                (Some(tokens), _) => Size::Budget(tokens),
                (_, Some(share)) => Size::Ratio(share),
                _ => default,
            },
            keep: self.keep,
            parts: Vec::new(),
        }
    }
}

impl Command {
    pub fn run(self, root: &Root, cancel: &Cancel, out: &Output) -> Result<u8> {
        let options = self.how.options(None, Options::default().size);
        let short = if self.files.is_empty() {
            let store = Store::for_root(root)?;
            compact_reader(std::io::stdin().lock(), &options, &store, "stdin")?
        } else {
            let targets: Vec<&str> = self.files.iter().map(String::as_str).collect();
            shorten_all(root, &targets, &options, cancel)?
        };
        print(&short, out);
        Ok(0)
    }
}

/// Prints a shortened text.
pub fn print(short: &Compacted, out: &Output) {
    if out.is_json() {
        out.value(&serde_json::json!({
            "text": short.text,
            "tokens": short.tokens,
            "kind": short.kind.name(),
            "omitted": short.omitted,
            "handle": short.handle,
        }));
    } else {
        out.text(&short.text);
    }
}

/// All of standard input as text; invalid bytes become U+FFFD.
pub fn stdin() -> Result<String> {
    let mut bytes = Vec::new();
    std::io::stdin().read_to_end(&mut bytes).map_err(|e| {
        Error::failure(
            "unreadable",
            format!("Standard input cannot be read: {e}."),
            "Pipe a text into the command, or name a file.",
        )
    })?;
    Ok(match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(e) => String::from_utf8_lossy(e.as_bytes()).into_owned(),
    })
}
