//! What tells functions of one name apart, and implementations for one type.

use super::context::Ctx;
use crate::apply::lines::line::Line;
use crate::apply::lines::shape::last_word;

/// What stands before the parentheses of a header.
pub(crate) fn head<'a>(line: &Line<'a>) -> Option<&'a str> {
    line.trimmed.split_once('(').map(|h| h.0)
}

/// Whether both lines head a function of one name, and no other function could be called so.
pub(crate) fn same_function(ctx: &Ctx, i: usize, j: usize) -> bool {
    let (new, old) = (&ctx.lines[i..], &ctx.file[j..]);
    let named = |l: &Line<'_>| last_word(head(l)?.trim_end()).map(str::to_string);
    let name = new.first().and_then(named);
    name.is_some()
        && name == old.first().and_then(named)
        && (!ctx.guides.overloads || same_parameters(new, old))
}

/// What tells functions of one name apart: what stands between the first parentheses of the
/// header that lines begin with, without blanks and the underscores that mark names as unused. A
/// type has none.
pub(super) fn parameters(lines: &[Line]) -> Option<String> {
    let mut word = false;
    let told = |c: &char| {
        let marks = *c == '_' && !word;
        word = c.is_alphanumeric() || *c == '_' && word;
        !c.is_whitespace() && !marks
    };
    Some(between(lines)?.chars().filter(told).collect())
}

/// What stands between the first parentheses of the header that lines begin with.
fn between(lines: &[Line]) -> Option<String> {
    let from = head(lines.first()?)?.chars().count();
    let mut open = 1;
    let mut out = String::new();
    let text = lines.iter().flat_map(|l| l.trimmed.chars().chain([' ']));
    for c in text.skip(from + 1) {
        open += match c {
            '(' => 1,
            ')' => -1,
            _ => 0,
        };
        if open == 0 {
            break;
        }
        out.push(c);
    }
    Some(out)
}

/// Whether no two functions of one name may have these parameters: their types are the same, and what
/// the new one has beyond those of the old one has a value of its own.
pub(crate) fn same_parameters(new: &[Line], old: &[Line]) -> bool {
    if parameters(new) == parameters(old) {
        return true;
    }
    let (Some(new), Some(old)) = (between(new), between(old)) else {
        return false;
    };
    let (new, old) = (split(&new), split(&old));
    let common = new.iter().zip(&old).all(|(a, b)| a.0 == b.0);
    let mut further = new.iter().skip(old.len());
    common && new.len() >= old.len() && !old.is_empty() && further.all(|p| p.1)
}

/// What the parameters of the header that lines begin with are called, in order, where each has a type
/// beside that.
pub(super) fn labels(lines: &[Line]) -> Option<Vec<String>> {
    let label = |part: &String| {
        let own = without_value(part).0;
        let name = match own.split_once(':') {
            Some((name, _)) => name,
            None => own.rsplit_once(' ')?.1.trim_start_matches(['*', '&']),
        };
        let plain = |c: char| c.is_alphanumeric() || c == '_' || c == ' ';
        (!name.is_empty() && name.chars().all(plain)).then(|| name.to_string())
    };
    listed(&between(lines)?).iter().map(label).collect()
}

/// A parameter that stands twice in the first parentheses of a header, word for word; one that has no
/// name (`_`) may.
pub(crate) fn doubled(header: &str) -> Option<String> {
    let lines: Vec<Line> = header.lines().map(Line::new).collect();
    let own = |part: &String| without_value(part).0.to_string();
    let mut all: Vec<String> = listed(&between(&lines)?).iter().map(own).collect();
    all.sort_unstable();
    let twice = all.windows(2).find(|pair| {
        pair[0] == pair[1] && pair[0].starts_with(|c: char| c.is_alphabetic() || c == '$')
    });
    twice.map(|pair| pair[0].clone())
}

/// The types of parameters, and whether each has a value of its own. Where a name stands before its
/// type, callers may have to give it: it counts.
fn split(parameters: &str) -> Vec<(String, bool)> {
    let typed = |part: &String| {
        let (own, value) = without_value(part);
        let name = own.rfind(' ').filter(|_| !own.contains(':'));
        let words = own[..name.unwrap_or(own.len())].split_whitespace();
        let kind: String = words.filter(|w| *w != "final").collect();
        (kind.replace(['?', '!'], ""), value)
    };
    listed(parameters).iter().map(typed).collect()
}

/// The parameters of a list.
fn listed(parameters: &str) -> Vec<String> {
    let mut open = 0;
    let mut parts = vec![String::new()];
    for c in parameters.chars() {
        open += match c {
            '(' | '[' | '{' | '<' => 1,
            ')' | ']' | '}' | '>' => -1,
            _ => 0,
        };
        match parts.last_mut() {
            Some(part) if c != ',' || open > 0 => part.push(c),
            _ => parts.push(String::new()),
        }
    }
    parts.retain(|part| !part.trim().is_empty());
    parts
}

/// A parameter without a value of its own, and whether it has one.
fn without_value(part: &str) -> (&str, bool) {
    let value = [" = ", "\\\\"].iter().filter_map(|d| part.find(d)).min();
    (part[..value.unwrap_or(part.len())].trim(), value.is_some())
}

/// What a header implements for a type, without the path to it and with its arguments.
pub(crate) fn implemented(header: &str) -> Option<&str> {
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
    use super::{Line, implemented, labels};

    #[test]
    fn parameters_are_told_by_what_they_are_called_where_they_have_types() {
        for (header, called) in [
            (
                "func add(oats kind: Oats, to bin: Bin) {",
                Some(vec!["oats kind", "to bin"]),
            ),
            (
                "void add(final Oats oats, int[] kilos);",
                Some(vec!["oats", "kilos"]),
            ),
            (
                "void add(const Oats& oats, Bin *bin = 0) {",
                Some(vec!["oats", "bin"]),
            ),
            ("def add(oats, bin), do: bin", None),
            ("def add({:oats, _}, bin) do", None),
            ("func add() {", Some(vec![])),
            ("class Bin {", None),
        ] {
            let called = called.map(|c: Vec<&str>| c.into_iter().map(str::to_string).collect());
            assert_eq!(labels(&[Line::new(header)]), called, "{header}");
        }
    }

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
