//! What tells functions of one name apart, and implementations for one type.

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

/// What a header implements for a type, without the path to it and with its arguments.
pub(super) fn implemented(header: &str) -> Option<&str> {
    let (above, _) = header.split_once(" for ")?;
    let above = unparameterised(above);
    let end = above.find('<').unwrap_or(above.len());
    let start = above[..end].rfind([':', ' ', '>']).map_or(0, |at| at + 1);
    above.get(start..)
}

/// What follows the parameters of an `impl<…>`.
fn unparameterised(header: &str) -> &str {
    let Some(rest) = header.strip_prefix("impl<") else {
        return header;
    };
    let mut open = 1;
    let end = rest.char_indices().find(|&(at, c)| {
        open += match c {
            '<' => 1,
            // `->` closes nothing.
            '>' if !rest[..at].ends_with('-') => -1,
            _ => 0,
        };
        open == 0
    });
    end.map_or(header, |(at, _)| rest[at + 1..].trim_start())
}

#[cfg(test)]
mod tests {
    use super::implemented;

    #[test]
    fn an_impl_is_told_by_its_trait_and_the_arguments_of_that() {
        for (header, name) in [
            ("impl fmt::Display for Name {", Some("Display")),
            ("impl From<u8> for Name {", Some("From<u8>")),
            ("impl<T> From<Sent<T>> for Name<T> {", Some("From<Sent<T>>")),
            ("impl<F: Fn(u8) -> u8> Run for Name<F>", Some("Run")),
            ("impl<T> Name<T> {", None),
        ] {
            assert_eq!(implemented(header), name, "{header}");
        }
    }
}
