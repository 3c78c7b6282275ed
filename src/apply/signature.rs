//! What tells functions of one name apart.

use super::context::Ctx;
use super::line::Line;
use super::shape::last_word;

/// What stands before the parentheses of a header.
pub(super) fn head<'a>(line: &Line<'a>) -> Option<&'a str> {
    line.trimmed.split_once('(').map(|h| h.0)
}

/// Whether both lines head a function of one name, and no other function could be called so.
pub(crate) fn same_function(ctx: &Ctx, i: usize, j: usize) -> bool {
    let (new, old) = (&ctx.lines[i..], &ctx.file[j..]);
    let named = |l: &Line<'_>| last_word(head(l)?.trim_end()).map(str::to_string);
    let name = new.first().and_then(named);
    name.is_some()
        && name == old.first().and_then(named)
        && (!ctx.guides.overloads || parameters(new) == parameters(old))
}

/// What tells functions of one name apart: what stands between the first parentheses of the
/// header that lines begin with, without blanks and the underscores that mark names as unused. A
/// type has none.
pub(super) fn parameters(lines: &[Line]) -> Option<String> {
    let from = head(lines.first()?)?.chars().count();
    let mut open = 0;
    let mut out = String::new();
    let mut word = false;
    for c in lines.iter().flat_map(|l| l.trimmed.chars()).skip(from) {
        match c {
            '(' => open += 1,
            ')' => open -= 1,
            _ => {}
        }
        if open == 0 {
            break;
        }
        let marks = c == '_' && !word;
        word = c.is_alphanumeric() || c == '_' && word;
        if !c.is_whitespace() && !marks {
            out.push(c);
        }
    }
    Some(out)
}
