use super::output::Output;
use crate::error::Result;
use crate::run::doctor::{State, examine};
use crate::workspace::clients::Places;
use crate::workspace::{Cancel, Root};
use clap::Args;

/// Say what is wrong here, and the command that mends it
#[derive(Args)]
pub struct Command {}

impl Command {
    pub fn run(self, root: &Root, cancel: &Cancel, out: &Output) -> Result<u8> {
        let findings = examine(root, &Places::from_env(), cancel);
        if out.is_json() {
            out.value(&findings);
        } else {
            for finding in &findings {
                let state = match finding.state {
                    State::Fine => "ok  ",
                    State::Notice => "note",
                    State::Wrong => "FAIL",
                };
                out.line(&format!("{state} {}: {}", finding.what, finding.found));
                if !finding.mend.is_empty() {
                    out.line(&format!("     mend: {}", finding.mend));
                }
            }
        }
        let wrong = findings.iter().any(|f| f.state == State::Wrong);
        Ok(if wrong { 2 } else { 0 })
    }
}
