use super::output::Output;
use crate::error::Result;
use crate::search::{Case, Mode, Request, Response, search};
use crate::workspace::{Cancel, Root};
use clap::Args;

/// Search for up to 8 queries at once; print the ranked definitions that match
#[derive(Args)]
pub struct Command {
    /// What to look for, each query on its own
    #[arg(required = true, value_name = "QUERY")]
    queries: Vec<String>,
    /// How queries are understood: auto, regex, literal, words or symbol
    #[arg(long, default_value = "auto", value_name = "MODE", value_parser = mode)]
    mode: Mode,
    /// Only files that match, as in .gitignore; `!GLOB` excludes
    #[arg(short, long = "glob", value_name = "GLOB")]
    globs: Vec<String>,
    /// At most this many o200k tokens [default: about 10,000 bytes]
    #[arg(long, value_name = "N")]
    budget: Option<usize>,
    /// At most this many matching lines per query
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// Do not tell upper from lower case
    #[arg(short, long)]
    ignore_case: bool,
    /// Tell cases apart only where a query has an upper-case letter
    #[arg(short = 'S', long, conflicts_with = "ignore_case")]
    smart_case: bool,
    /// Search hidden files too
    #[arg(long)]
    hidden: bool,
    /// Let a match span lines
    #[arg(short = 'U', long)]
    multiline: bool,
    /// Lines around a match that lies in no definition
    #[arg(short = 'C', long, value_name = "N", default_value_t = Request::default().context)]
    context: usize,
}

fn mode(word: &str) -> Result<Mode> {
    word.parse()
}

impl Command {
    pub fn run(self, root: &Root, cancel: &Cancel, out: &Output) -> Result<u8> {
        let request = Request {
            queries: self.queries,
            mode: self.mode,
            globs: self.globs,
            hidden: self.hidden,
            case: match (self.ignore_case, self.smart_case) {
                (true, _) => Case::Insensitive,
                (_, true) => Case::Smart,
                _ => Case::Sensitive,
            },
            multiline: self.multiline,
            context: self.context,
            budget: self.budget,
            limit: self.limit,
            within: None,
        };
        let response: Response = search(root, &request, cancel)?;
        if out.is_json() {
            out.value(&response);
        } else {
            out.line(response.render());
        }
        Ok(u8::from(response.is_empty()))
    }
}
