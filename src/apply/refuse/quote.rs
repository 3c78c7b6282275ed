//! How a refusal names lines of the file and the snippet.

use crate::apply::pass::context::Ctx;
use crate::text::Span;

/// Longest piece of a line that a message quotes, in characters.
const QUOTE: usize = 90;

pub(super) fn quote(text: &str) -> String {
    let t = text.trim();
    if t.chars().count() <= QUOTE {
        format!("`{t}`")
    } else {
        let cut: String = t.chars().take(QUOTE).collect();
        format!("`{cut}…`")
    }
}

pub(super) fn lines_of(ctx: &Ctx, k: usize) -> Span {
    let (a, b) = ctx.bounds[k];
    Span::new(ctx.numbers[a], ctx.numbers[b - 1])
}

pub(super) fn lines_word(span: Span) -> String {
    if span.len() == 1 {
        format!("line {span}")
    } else {
        format!("lines {span}")
    }
}

pub(super) fn capital(s: &str) -> String {
    let mut c = s.chars();
    match c.next() {
        Some(f) => f.to_uppercase().chain(c).collect(),
        None => String::new(),
    }
}
