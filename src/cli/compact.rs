use super::output::Output;
use crate::compact::{Compacted, Kind, Options, Size, compact_stored};
use crate::error::{Error, Result};
use crate::workspace::{Root, Store, read_text};
use clap::Args;
use regex::Regex;
use std::io::Read;

/// Shorten a text to a budget (by default 30% of its tokens); every line that survives is an input line
#[derive(Args)]
pub struct Command {
    /// The file to shorten; standard input where there is none
    file: Option<String>,
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
        }
    }
}

impl Command {
    pub fn run(self, root: &Root, out: &Output) -> Result<u8> {
        let (text, label) = match &self.file {
            Some(file) => {
                let path = root.resolve(file)?;
                (read_text(&path)?, path.rel)
            }
            None => (stdin()?, "stdin".to_string()),
        };
        let options = self
            .how
            .options(self.file.as_deref(), Options::default().size);
        let short = compact_stored(&text, &options, &Store::for_root(root)?, &label)?;
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
