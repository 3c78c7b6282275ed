//! `search`: queries, or a task in plain words, to places.

use super::kind::{BUDGET, Context, Field, Fields, Gives, Inputs, Kind, field, one_of};
use crate::error::Result;
use crate::run::excerpt::{Read, read_places};
use crate::run::fit::header;
use crate::run::flow;
use crate::run::task::Limits;
use crate::run::workflow::types::Type;
use crate::search::{Locator, MAX_QUERIES, Mode, Request, search};
use serde_json::{Value, json};

pub(super) const KIND: Kind = Kind {
    name: "search",
    fields,
    gives,
    check: Some(|fields| one_of(fields, &["queries", "task"])),
    alone: false,
    writes: false,
    trusted: None,
    prepare: None,
    work,
    finish: None,
};

fn fields() -> Vec<Field> {
    vec![
        field("queries", Type::list(Type::Text)),
        field("task", Type::Text),
        field("mode", Type::Text).one_of(&["auto", "regex", "literal", "words", "symbol"]),
        field("globs", Type::list(Type::Text)),
        field("budget", Type::Number),
    ]
}

fn gives(_: &Fields) -> Gives {
    vec![
        ("results", Type::list(Type::Place)),
        ("paths", Type::list(Type::Text)),
        ("symbols", Type::list(Type::Text)),
        ("count", Type::Number),
        ("text", Type::Text),
    ]
}

fn work(context: &Context<'_>, inputs: &Inputs) -> Result<Value> {
    let queries = inputs.texts("queries");
    let budget = inputs.count("budget")?.unwrap_or(BUDGET);
    match inputs.text("task") {
        Some(task) => locate(context, task, budget),
        None => look(context, queries, budget, inputs),
    }
}

fn look(
    context: &Context<'_>,
    mut queries: Vec<String>,
    budget: usize,
    inputs: &Inputs,
) -> Result<Value> {
    // Queries that another step gave may be many, and the same.
    let mut seen = std::collections::BTreeSet::new();
    queries.retain(|q| !q.trim().is_empty() && seen.insert(q.clone()));
    let dropped = queries.len().saturating_sub(MAX_QUERIES);
    queries.truncate(MAX_QUERIES);
    let mode = match inputs.text("mode") {
        Some(mode) => mode.parse()?,
        None => Mode::default(),
    };
    let request = Request {
        mode,
        globs: inputs.texts("globs"),
        budget: Some(budget),
        ..Request::new(queries)
    };
    let found = search(context.root, &request, &context.cancel)?;
    let places: Vec<Value> = found
        .excerpts
        .iter()
        .map(|e| {
            let symbol = e.symbol.as_deref().unwrap_or_default();
            json!({"path": e.path, "start": e.span.start, "end": e.span.end, "symbol": symbol})
        })
        .collect();
    let mut text = found.render().to_string();
    if dropped > 0 {
        text.push_str(&format!(
            "⋯ {dropped} queries beyond {MAX_QUERIES} were left out\n"
        ));
    }
    Ok(record(places, text))
}

fn locate(context: &Context<'_>, task: &str, budget: usize) -> Result<Value> {
    let limits = Limits {
        tokens: budget,
        bytes: usize::MAX,
    };
    let locator = Locator::once(context.root);
    let places = flow::locate_places(&locator, task, limits, false, &context.cancel)?;
    let Read { hits, .. } = read_places(context.root, &places, limits, &context.cancel)?;
    let (mut text, mut shown) = (String::new(), Vec::new());
    for hit in hits {
        let block = format!(
            "{}{}\n",
            header(&hit.place),
            hit.text.trim_end_matches('\n')
        );
        let longer = format!("{text}{block}");
        if !crate::tokens::fits(&longer, budget) {
            break;
        }
        text = longer;
        let p = hit.place;
        shown.push(
            json!({"path": p.path, "start": p.span.start, "end": p.span.end, "symbol": p.symbol}),
        );
    }
    Ok(record(shown, text))
}

fn record(places: Vec<Value>, text: String) -> Value {
    let different = |part: &str| -> Vec<String> {
        let mut out: Vec<String> = Vec::new();
        for name in places.iter().filter_map(|p| p[part].as_str()) {
            if !name.is_empty() && !out.iter().any(|o| o == name) {
                out.push(name.to_string());
            }
        }
        out
    };
    json!({
        "count": places.len(), "paths": different("path"), "symbols": different("symbol"),
        "text": text, "results": places,
    })
}
