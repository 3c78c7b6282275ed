//! The report as one HTML file without scripts or outside parts.

use super::overall::Overall;
use super::plots;
use super::replay::Replay;
use super::sum::{DENOMINATORS, Sum, percent};
use super::tasks::Report;
use super::walk::{SHARES, State};
use super::{LEDGERS, Replayed};
use crate::error::Result;
use std::fmt::Write;

const STYLE: &str = include_str!("report.css");

/// Renders the report.
///
/// # Errors
/// `no_plot` where a plot cannot be drawn.
pub fn html(all: &Overall) -> Result<String> {
    let mut body = String::new();
    if let Some(replay) = &all.replay {
        sessions(&mut body, replay)?;
    }
    if let Some(tasks) = &all.tasks {
        actions(&mut body, tasks);
    }
    if !all.latency.is_empty() {
        body.push_str("<h2>Latency</h2><figure>");
        body.push_str(&plots::latency(&all.latency)?);
        body.push_str("</figure>");
        let rows = all.latency.iter().map(|l| {
            vec![
                l.files.to_string(),
                format!("{:.2}", l.bytes as f64 / 1e6),
                format!("{:.1}", l.milliseconds),
            ]
        });
        table(&mut body, &["files", "MB", "ms, middle of seven"], rows);
    }
    let commands: String = all
        .commands
        .iter()
        .map(|c| format!("{}\n", escape(c)))
        .collect();
    Ok(format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\">\
         <meta name=\"color-scheme\" content=\"light dark\">\
         <title>What trimtab saves</title><style>{STYLE}</style></head><body><main>\
         <h1>What trimtab saves</h1><p>trimtab {}. Tokens are o200k tokens. To repeat it:</p>\
         <pre>{commands}</pre>{body}</main></body></html>\n",
        all.version
    ))
}

fn sessions(out: &mut String, replay: &Replay) -> Result<()> {
    let Some(all) = replay.sums.first() else {
        return Ok(());
    };
    let _ = write!(
        out,
        "<h2>Recorded sessions</h2><p class=\"lead\">{} {}</p><p>{}</p>",
        escape(&all.headline()),
        escape(&all.bounded()),
        RULES
    );
    let mut head = vec!["net saving [95% by session]"];
    head.extend(LEDGERS);
    let rows = DENOMINATORS.iter().zip(&all.saved).map(|(name, row)| {
        let mut cells = vec![(*name).to_string()];
        cells.extend(row.iter().map(percent));
        cells
    });
    table(out, &head, rows);
    let _ = write!(
        out,
        "<p>Prices: {}. Budgets asked for: search {}, files {}, list {}, whole file {}, command output {} tokens.</p>",
        escape(&replay.prices),
        replay.policy.lines,
        replay.policy.files,
        replay.policy.list,
        replay.policy.whole,
        replay.policy.log
    );
    figure(out, &plots::kinds(all)?);
    let rows = all.kinds.iter().map(|k| {
        vec![
            k.kind.name().to_string(),
            k.steps.to_string(),
            k.replayed.to_string(),
            k.recorded.to_string(),
            k.ours.to_string(),
            k.penalties.to_string(),
            share(1.0 - k.ours as f64 / k.recorded.max(1) as f64),
        ]
    });
    let head = [
        "steps",
        "number",
        "through trimtab",
        "recorded",
        "ours",
        "of it penalties",
        "saved",
    ];
    table(out, &head, rows);
    parity(out, all)?;
    if replay.sums.len() > 1 {
        out.push_str("<h3>By repository</h3>");
        repositories(out, replay);
    }
    cases(out, replay);
    out.push_str("<h3>Every session, every step</h3>");
    for session in &replay.sessions {
        one(out, session);
    }
    if !replay.skipped.is_empty() {
        let _ = write!(
            out,
            "<details><summary>{} sessions were not replayed</summary>",
            replay.skipped.len()
        );
        let rows = replay
            .skipped
            .iter()
            .map(|(id, why)| vec![id.clone(), why.clone()]);
        table(out, &["session", "why"], rows);
        out.push_str("</details>");
    }
    Ok(())
}

/// How a step is replayed, in words.
const RULES: &str = "Each step is charged as recorded and as trimtab would have taken it, by what was known \
at that moment: a search becomes <code>search</code> with the same pattern, a list <code>expand</code> of the \
folder, named lines <code>expand</code> of the same lines, a whole file <code>compact</code> where it fits, \
else <code>search</code> in it for names said before, a command <code>exec</code>, an edit <code>apply</code> of the shortest of a lazy snippet, \
one search/replace block and several. A line that the agent went on to edit or quote, that the session had shown and \
trimtab had not, is read again with 15 lines on each side, in a turn of its own; so is a search that did not \
name a file which was opened next. An edit with other bytes than the recorded ones is charged with the \
recorded one on top. Steps outside the tree and failed ones cost the same on both sides. trimtab’s tool \
schemas are charged with 900 tokens in every request; the client’s own stay. A recorded session cannot show \
what the agent would have done with other answers.";

fn parity(out: &mut String, all: &Sum) -> Result<()> {
    let e = &all.edits;
    let part = |n: usize| share(n as f64 / e.count.max(1) as f64);
    let _ = write!(
        out,
        "<h3>Parity</h3><p>Of {} edits {} ({}) came to the recorded bytes, {} were refused, {} came to other bytes. \
         {} ({}) quote a line that trimtab had not shown; {} quote one that the session had not shown either.</p>",
        e.count,
        e.exact,
        part(e.exact),
        e.refused,
        e.wrong,
        e.missing,
        part(e.missing),
        e.unseen
    );
    if all.arms.is_empty() {
        out.push_str("<p>trimtab shortened no read of a whole file.</p>");
    } else {
        shortened(out, all)?;
    }
    let refusals: Vec<String> = all
        .refusals
        .iter()
        .map(|(why, count)| format!("{count} {}", escape(why)))
        .collect();
    let _ = write!(
        out,
        "<p>Refused or of other bytes: {}.</p><p>An oracle that reads nothing but what is edited or quoted later, with 15 lines \
         around, would save {} of the tokens of all reads. {} tokens that trimtab showed were of lines shown \
         before, because a read named them again: without them the saving would be {}.</p>",
        if refusals.is_empty() {
            "none".to_string()
        } else {
            refusals.join(", ")
        },
        share(all.ceiling),
        all.repeated,
        share(all.unrepeated)
    );
    Ok(())
}

/// The reads that were shortened, beside the controls.
fn shortened(out: &mut String, all: &Sum) -> Result<()> {
    let _ = write!(
        out,
        "<p>Whole files that trimtab shortened had {} tokens as recorded. The same at the same number of tokens, \
         each way marking what it leaves out:</p>",
        all.shortened
    );
    let mut head = vec![
        "way",
        "needed lines shown",
        "blocks read again",
        "tokens in all",
        "saved",
    ];
    let shares = SHARES.map(|s| format!("all shown at {s}%"));
    let tried = all.arms.iter().any(|a| !a.complete.is_empty());
    if tried {
        head.extend(shares.iter().map(String::as_str));
    }
    let rows = all.arms.iter().map(|a| {
        let mut row = vec![
            a.name.to_string(),
            share(a.kept),
            a.misses.to_string(),
            a.total.to_string(),
            share(a.saved),
        ];
        row.extend(a.complete.iter().map(|c| share(*c)));
        row
    });
    table(out, &head, rows);
    if tried {
        figure(out, &plots::curves(all, false)?);
        figure(out, &plots::curves(all, true)?);
    }
    Ok(())
}

/// Where trimtab paid more than its steps: each case behind the penalties.
fn cases(out: &mut String, replay: &Replay) {
    let steps = replay.sessions.iter().flat_map(|s| &s.steps);
    let count = steps.filter(|s| !s.why.is_empty()).count();
    let _ = write!(
        out,
        "<details><summary>{} re-reads, repeated searches and refused edits</summary>",
        count
    );
    let rows = replay.sessions.iter().flat_map(|session| {
        let cases = session.steps.iter().filter(|s| !s.why.is_empty());
        cases.map(|s| {
            let id = escape(&session.id);
            let mut row = vec![format!("<a href=\"#{id}\">{id}</a>")];
            let cells = [
                s.turn.to_string(),
                s.kind.name().to_string(),
                s.tool.clone(),
                s.about.clone(),
                s.ours.saturating_sub(s.recorded).to_string(),
                s.why.clone(),
            ];
            row.extend(cells.iter().map(|cell| escape(cell)));
            row
        })
    });
    marked_up(
        out,
        &["session", "turn", "kind", "tool", "about", "tokens", "why"],
        rows,
    );
    out.push_str("</details>");
}

fn repositories(out: &mut String, replay: &Replay) {
    let head = [
        "repository",
        "sessions",
        "steps",
        "saved of search, read, edit",
        "tokens a step",
        "edits",
        "exact",
        "wrong",
        "line missing",
        "diverged steps",
    ];
    let rows = replay.sums.iter().map(|s| {
        vec![
            s.repo.clone(),
            s.sessions.to_string(),
            s.steps.to_string(),
            percent(&s.saved[1][0]),
            format!("{:.0}", s.per_step.value),
            s.edits.count.to_string(),
            s.edits.exact.to_string(),
            s.edits.wrong.to_string(),
            s.edits.missing.to_string(),
            s.diverged.to_string(),
        ]
    });
    table(out, &head, rows);
}

fn one(out: &mut String, session: &Replayed) {
    let (before, after) = (session.recorded[1].once, session.ours[1].once);
    let _ = write!(
        out,
        "<details id=\"{}\"><summary>{} <span>{} at {}: {:.0} → {:.0} tokens of search, read and edit steps ({})</span></summary>",
        escape(&session.id),
        escape(&session.id),
        escape(&session.repo),
        escape(session.commit.get(..10).unwrap_or(&session.commit)),
        before,
        after,
        share(1.0 - after / before.max(1.0))
    );
    let rows = session.steps.iter().map(|s| {
        let state = match s.state {
            State::Replayed => "",
            State::AsRecorded => "as recorded",
            State::Diverged => "diverged",
            State::Wasted => "wasted",
            State::Penalty => "penalty",
        };
        vec![
            s.turn.to_string(),
            s.kind.name().to_string(),
            s.tool.clone(),
            s.about.clone(),
            s.recorded.to_string(),
            s.ours.to_string(),
            state.to_string(),
            s.why.clone(),
            s.digest.clone(),
        ]
    });
    let head = [
        "turn", "kind", "tool", "about", "recorded", "ours", "", "why", "digest",
    ];
    table(out, &head, rows);
    out.push_str("</details>");
}

fn actions(out: &mut String, report: &Report) {
    let _ = write!(
        out,
        "<h2>Actions</h2><p>{} actions: find a definition, have all its lines in view, change one line; tokens per action. \
         {}</p>",
        report.actions.len(),
        escape(super::tasks::PUBLISHED)
    );
    let n = report.actions.len().max(1);
    let ours = report.ways.last().map_or(0, |w| w.cost.total());
    let rows = report.ways.iter().map(|w| {
        let c = &w.cost;
        vec![
            w.name.to_string(),
            (c.input / n).to_string(),
            (c.output / n).to_string(),
            (c.total() / n).to_string(),
            c.misses.to_string(),
            c.refused.to_string(),
            c.wrong.to_string(),
            share(1.0 - ours as f64 / c.total().max(1) as f64),
        ]
    });
    let head = [
        "way",
        "input",
        "output",
        "both",
        "missed",
        "refused",
        "wrong",
        "saved by trimtab",
    ];
    table(out, &head, rows);
    out.push_str("<details><summary>Every action</summary>");
    let mut head = vec!["action"];
    head.extend(report.ways.iter().map(|w| w.name));
    let rows = report.actions.iter().enumerate().map(|(at, action)| {
        let mut row = vec![action.clone()];
        let cost = |w: &super::Way| w.each.get(at).map_or(String::new(), usize::to_string);
        row.extend(report.ways.iter().map(cost));
        row
    });
    table(out, &head, rows);
    out.push_str("</details>");
}

fn share(part: f64) -> String {
    format!("{:.1}%", 100.0 * part)
}

fn figure(out: &mut String, svg: &str) {
    let _ = write!(out, "<figure>{svg}</figure>");
}

fn table(out: &mut String, head: &[&str], rows: impl Iterator<Item = Vec<String>>) {
    let rows = rows.map(|row| row.iter().map(|cell| escape(cell)).collect());
    marked_up(out, head, rows);
}

/// A table whose cells are HTML already.
fn marked_up(out: &mut String, head: &[&str], rows: impl Iterator<Item = Vec<String>>) {
    out.push_str("<div class=\"wide\"><table><thead><tr>");
    for cell in head {
        let _ = write!(out, "<th>{}</th>", escape(cell));
    }
    out.push_str("</tr></thead><tbody>");
    for row in rows {
        out.push_str("<tr>");
        for cell in row {
            let number = cell.starts_with(|c: char| c.is_ascii_digit() || c == '-');
            let class = if number { " class=\"n\"" } else { "" };
            let _ = write!(out, "<td{class}>{cell}</td>");
        }
        out.push_str("</tr>");
    }
    out.push_str("</tbody></table></div>");
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::super::overall::Latency;
    use super::*;

    #[test]
    fn the_report_stands_alone_and_follows_the_colour_scheme() {
        let point = |n: usize| Latency {
            files: n,
            bytes: 1_000_000 * n as u64,
            milliseconds: 2.0 * n as f64,
        };
        let all = Overall {
            version: "0",
            commands: vec!["trimtab bench all --sessions <S>".into()],
            tasks: None,
            replay: None,
            latency: vec![point(1), point(2), point(4)],
        };
        let page = html(&all).unwrap();
        assert_eq!(page, html(&all).unwrap());
        assert!(page.contains("--sessions &lt;S&gt;"));
        assert!(page.contains("<svg") && page.contains("currentColor"));
        assert!(page.contains("prefers-color-scheme"));
        // No colour that the page does not set, nothing fetched.
        assert!(!page.contains("#010203") && !page.contains("#0202"));
        assert!(!page.contains("src=") && !page.contains("<script"));
    }
}
