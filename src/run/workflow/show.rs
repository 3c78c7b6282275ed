//! What a workflow came to, in words and within its budget.

use super::execute::Executor;
use super::state::State;
use super::types::{Type, to_text};
use crate::error::{Error, Result};
use crate::run::excerpt::{Hit, Place};
use crate::run::job::Order;
use crate::run::outcome::{Account, Failure, Outcome, StepAccount, StoppedBy};
use crate::run::step::Halt;
use crate::run::task::budget_too_small;
use crate::text::{Lines, Span};
use crate::tokens;
use crate::workspace::{Omission, Root, Store};
use serde_json::Value;
use std::collections::BTreeSet;

pub(super) fn show(
    root: &Root,
    order: &Order,
    run: &Executor<'_>,
    halt: Option<Halt>,
) -> Result<Outcome> {
    let steps: Vec<StepAccount> = run
        .plan
        .steps
        .iter()
        .zip(&run.states)
        .map(account)
        .collect();
    let failed = steps.iter().find(|s| s.error.is_some());
    let error = match (&halt, failed.and_then(|s| Some((&s.id, s.error.as_ref()?)))) {
        (Some(Halt::Failed(e)), _) => Some(Failure::from(e)),
        (_, Some((id, failure))) => Some(Failure {
            message: format!("Step {id}: {}", failure.message),
            // That one step found nothing does not mean that nothing was found.
            status: failure.status.max(2),
            ..failure.clone()
        }),
        _ => None,
    };
    let by = match &halt {
        Some(Halt::Stop(by)) => *by,
        _ if error.is_some() => StoppedBy::Error,
        _ if run.cut => StoppedBy::Steps,
        _ => StoppedBy::Done,
    };
    let mut notes = left_out(run, order);
    if run.plan.steps.iter().any(|s| s.kind.trusted.is_some()) {
        notes.extend(run.around.config.notes.iter().cloned());
    }
    notes.extend(run.notes.iter().cloned());
    let id = format!("r{}", run.held.number);
    if by == StoppedBy::Gate {
        notes.push(format!(
            "waits for approval: `trimtab runs approve {id}` or `trimtab runs deny {id}`"
        ));
    }
    let capped = matches!(by, StoppedBy::Steps | StoppedBy::Tokens | StoppedBy::Time);
    let output = output(run, capped && halt.is_some());
    let mut text = String::new();
    let mut block = |part: &str| {
        text.push_str(part);
        if !part.is_empty() && !part.ends_with('\n') {
            text.push('\n');
        }
    };
    notes.iter().for_each(|n| block(n));
    for step in &steps {
        if let Some(e) = &step.error {
            block(&format!(
                "step {} failed: {}: {}",
                step.id, e.code, e.message
            ));
            if !e.next.is_empty() {
                block(&format!("next: {}", e.next));
            }
        }
        if step.status == "skipped" {
            block(&format!(
                "step {} was skipped: something that it needs failed",
                step.id
            ));
        }
    }
    if let Some(Halt::Failed(e)) = &halt {
        block(&e.to_string());
    }
    block(&output);
    if error.is_some() && failed.is_some() {
        block(&format!(
            "`trimtab run --resume {id} --failed` runs what failed again"
        ));
    }
    let fitted = fit(root, order, &text, by, run.taken)?;
    Ok(Outcome {
        results: places(run),
        tokens: tokens::count(&fitted.text),
        steps: run.taken,
        stopped_by: fitted.by,
        left: fitted.left,
        handle: fitted.handle,
        written: None,
        checks: None,
        run: (by == StoppedBy::Gate).then_some(id),
        error,
        workflow: Some(Account {
            name: order.workflow.clone(),
            output,
            steps,
            notes,
        }),
        #[cfg(feature = "model")]
        model_tokens: run.around.spend.spent(),
        #[cfg(not(feature = "model"))]
        model_tokens: 0,
        text: fitted.text,
    })
}

fn account((step, state): (&super::plan::Step, &State)) -> StepAccount {
    let (status, error) = match state {
        State::Waiting => ("waiting", None),
        State::Done(_) => ("done", None),
        State::Part(_) => ("part", None),
        State::Passed => ("passed", None),
        State::Skipped => ("skipped", None),
        State::LeftOut => ("left_out", None),
        State::Failed(e) => ("failed", Some(e.clone())),
    };
    StepAccount {
        id: step.id.clone(),
        status,
        error,
    }
}

/// Says which steps were left out, and why.
fn left_out(run: &Executor<'_>, order: &Order) -> Vec<String> {
    let out = run.plan.steps.iter().zip(&run.states);
    out.filter(|(_, state)| **state == State::LeftOut)
        .map(|(step, _)| {
            format!(
                "step {} was left out: it {}, and {} is not trusted (`trimtab trust`)",
                step.id,
                step.kind.trusted.unwrap_or_default(),
                order.path
            )
        })
        .collect()
}

/// What the file says is its output, or the texts of the last steps; where a cap
/// came first, of those that nothing was made of yet.
fn output(run: &Executor<'_>, capped: bool) -> String {
    let view = run.view(None);
    if let Some(output) = &run.plan.output {
        let text = to_text(&output.value(&Type::Prose, &view));
        if !capped || !text.trim().is_empty() {
            return text;
        }
    }
    let given = |i: &usize| match &run.states[*i] {
        State::Done(value) | State::Part(value) => Some(value),
        _ => None,
    };
    let last = match capped {
        false => run.plan.last(),
        true => {
            let all = 0..run.plan.steps.len();
            let taken: Vec<usize> = all.filter(|i| given(i).is_some()).collect();
            let needs = taken.iter().flat_map(|i| &run.plan.steps[*i].needs);
            let needed: BTreeSet<&usize> = needs.collect();
            let open = taken.iter().filter(|i| !needed.contains(i));
            open.copied().collect()
        }
    };
    let text = |i: &usize| given(i)?.get("text").map(to_text);
    let texts: Vec<String> = last.iter().filter_map(text).collect();
    texts.join("\n")
}

/// The places that the last searches found.
fn places(run: &Executor<'_>) -> Vec<Hit> {
    let done = |i: usize| match &run.states[i] {
        State::Done(value) => value.get("results").cloned(),
        _ => None,
    };
    let all = (0..run.plan.steps.len()).rev().find_map(done);
    let place = |v: &Value| {
        let line = |name: &str| usize::try_from(v.get(name)?.as_u64()?).ok();
        Some(Hit {
            place: Place {
                path: v.get("path")?.as_str()?.to_string(),
                span: Span::new(line("start")?, line("end")?),
                symbol: v.get("symbol")?.as_str()?.to_string(),
                score: 1.0,
            },
            text: String::new(),
        })
    };
    match all.as_ref().and_then(Value::as_array) {
        Some(places) => places.iter().filter_map(place).collect(),
        None => Vec::new(),
    }
}

struct Fitted {
    text: String,
    by: StoppedBy,
    /// Lines that are not shown.
    left: usize,
    handle: Option<String>,
}

/// Cuts the text after the last line that fits; the rest is kept under a handle.
fn fit(root: &Root, order: &Order, text: &str, by: StoppedBy, taken: usize) -> Result<Fitted> {
    let status = |by: StoppedBy| {
        let steps = format!("{taken} step{}", if taken == 1 { "" } else { "s" });
        match by {
            StoppedBy::Done => format!("done: {steps}\n"),
            by => format!("stopped by {}: {steps}\n", by.name()),
        }
    };
    let whole = format!("{text}{}", status(by));
    if tokens::fits(&whole, order.budget) {
        return Ok(Fitted {
            text: whole,
            by,
            left: 0,
            handle: None,
        });
    }
    let by = if by == StoppedBy::Done {
        StoppedBy::Tokens
    } else {
        by
    };
    let store = Store::for_root(root)?;
    let lines = Lines::new(text);
    let total = lines.len();
    let cut = |kept: usize| {
        let omission = Omission {
            source: format!("workflow {}", order.workflow),
            text: text.to_string(),
            spans: vec![Span::new(kept + 1, total)],
        };
        let shown = match kept {
            0 => "",
            kept => lines.slice(Span::new(1, kept)),
        };
        let handle = store.handle(&omission);
        let left = total - kept;
        let text = format!(
            "{shown}⋯ {left} more lines: expand {handle}\n{}",
            status(by)
        );
        (text, omission, left)
    };
    let first = tokens::fit_lines(text, order.budget);
    let mut kept = Lines::new(text.get(..first).unwrap_or_default())
        .len()
        .min(total - 1);
    loop {
        let (text, omission, left) = cut(kept);
        if tokens::fits(&text, order.budget) {
            return Ok(Fitted {
                text,
                by,
                left,
                handle: Some(store.put(&omission)?),
            });
        }
        kept = kept
            .checked_sub(1)
            .ok_or_else(|| -> Error { budget_too_small(order.budget) })?;
    }
}
