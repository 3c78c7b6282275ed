//! How much alike two lines are letter by letter: words say too little where one of them was
//! respelt, or got a prefix.

use super::context::Ctx;
use crate::apply::lines::line::Line;
use crate::apply::lines::shape::import;
use similar::{Algorithm, DiffOp, capture_diff_slices};

/// How much of two lines (thousandths) is the same in one that was retouched.
pub(crate) const RETOUCHED: i32 = 800;

/// How much of two lines (thousandths) is the same where one has all words of the other.
const EXTENDED: i32 = 600;

/// So many words tell a line.
const WORDS: usize = 4;

/// By how much less the lines beside it are like the old one.
const APART: i32 = 200;

/// Lines on each side that count as beside another.
const BESIDE: usize = 2;

/// Bytes of a line that are compared.
const COMPARED: usize = 400;

/// Whether snippet line `i` is file line `j` but for a few letters, and no line beside that one
/// is: there is no row of their kind that it would be one more of.
pub(crate) fn retouched(ctx: &Ctx, i: usize, j: usize) -> bool {
    let (new, old) = (&ctx.lines[i], &ctx.file[j]);
    let like = likeness(new.trimmed, old.trimmed);
    let extended = old.word_count() >= WORDS && new.shared(old) == old.word_count();
    let least = if extended { EXTENDED } else { RETOUCHED };
    let begins = begins_alike(new.trimmed, old.trimmed) && !import(old.trimmed);
    let old = old.trimmed;
    let near = (j.saturating_sub(BESIDE)..=j + BESIDE).filter(|&x| x != j);
    let others: Vec<&str> = near
        .filter_map(|x| ctx.file.get(x))
        .map(|l| l.trimmed)
        .collect();
    like >= least && others.iter().all(|t| likeness(t, old) <= like - APART)
        || begins && !others.iter().any(|t| begins_alike(t, old))
}

/// Whether two lines share the most of what the shorter one begins with.
pub(crate) fn begins_alike(a: &str, b: &str) -> bool {
    let same = a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count();
    same >= BEGINNING && same * 3 >= a.len().min(b.len()) * 2
}

/// Bytes of such a beginning at least.
const BEGINNING: usize = 24;

/// Whether snippet line `i` is the call of file line `j` with more arguments, and no line beside
/// that one calls the same: there is no row of calls that it would be one more of.
pub(crate) fn more_arguments(ctx: &Ctx, i: usize, j: usize) -> bool {
    let (new, old) = (ctx.lines[i].trimmed, ctx.file[j].trimmed);
    let Some((head, _)) = old.split_once('(') else {
        return false;
    };
    let end = old.trim_end_matches([')', ';', ',']);
    let longer = new.strip_prefix(end).is_some_and(|rest| {
        let closes = |t: &str| t.bytes().rev().take_while(|b| b");,".contains(b)).count();
        rest.len() > closes(new) && new.ends_with(&old[end.len()..])
    });
    let near = (j.saturating_sub(BESIDE)..=j + BESIDE).filter(|&x| x != j);
    let again = |l: &Line| {
        l.trimmed
            .strip_prefix(head)
            .is_some_and(|t| t.starts_with('('))
    };
    let called = head.ends_with(|c: char| c.is_alphanumeric() || c == '_');
    called && longer && !near.filter_map(|x| ctx.file.get(x)).any(again)
}

/// How many bytes two texts share at their beginnings and at their ends; both count what lies in
/// both.
pub(crate) fn shared_ends(a: &str, b: &str) -> (usize, usize) {
    let begin = a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b);
    let end = a.bytes().rev().zip(b.bytes().rev());
    (begin.count(), end.take_while(|(a, b)| a == b).count())
}

/// Bytes that both have in the same order, of all, in thousandths.
pub(crate) fn likeness(a: &str, b: &str) -> i32 {
    let cut = |t: &'_ str| t.len().min(COMPARED);
    let (a, b) = (&a.as_bytes()[..cut(a)], &b.as_bytes()[..cut(b)]);
    if a.is_empty() || b.is_empty() {
        return 0;
    }
    let same: usize = capture_diff_slices(Algorithm::Myers, a, b)
        .iter()
        .map(|op| match *op {
            DiffOp::Equal { len, .. } => len,
            _ => 0,
        })
        .sum();
    (same * 2000 / (a.len() + b.len())) as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_tell_what_words_do_not() {
        assert_eq!(likeness("def inline(x)", "def inline(x)"), 1000);
        assert!(likeness("sock.sendall(question)", "sock.send(question)") > 900);
        assert!(likeness("a.b(\"Request-Header\")", "a.b(\"request-header\")") > 850);
        assert!(likeness("let x = 1;", "return foo(y)") < 500);
        assert_eq!(likeness("", "x"), 0);
    }
}
