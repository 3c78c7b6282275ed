//! Names that an edit would declare twice in one block.

use super::fate::name_at;
use crate::apply::edges::onesided::given;
use crate::apply::lines::line::Class;
use crate::apply::lines::words::word_at;
use crate::apply::pass::align::Op;
use crate::apply::pass::context::{Ctx, same_line};
use crate::apply::refuse;
use crate::error::Result;

/// What begins the declaration of a name that its block may not declare again, in any language that
/// has the word.
const CONSTANTS: &[&str] = &["const ", "val "];

/// The name to which a line gives a value that has nothing to do with what it stood for.
fn assigned(t: &str) -> Option<&str> {
    let (name, value) = t.split_once('=')?;
    let name = name.trim_end();
    let bare = |c: char| c.is_alphanumeric() || c == '_';
    let given = !name.is_empty() && name.chars().all(bare) && !value.starts_with('=');
    (given && word_at(value, name).is_none()).then_some(name)
}

/// Refuses to declare a constant beside one of its name that stays, and to give a value to the name
/// of a function that stays beside it: as a rule that one has changed.
///
/// # Errors
/// `unclear_edge`.
pub(crate) fn check(ctx: &Ctx, ops: &[Op]) -> Result<()> {
    let shift = ops.iter().find_map(|op| match *op {
        Op::Pair(i, j) if ctx.lines[i].class == Class::Plain && same_line(ctx, i, j) => {
            Some(ctx.file_cols(j) - ctx.cols(i))
        }
        _ => None,
    });
    let Some(shift) = shift else { return Ok(()) };
    let constant = |t: &'_ str| {
        let word = CONSTANTS.iter().find(|w| t.starts_with(**w))?;
        Some((*word, given(t)?.to_string()))
    };
    let first = ops.iter().find_map(|op| match *op {
        Op::Pair(_, j) => j.checked_sub(1),
        _ => None,
    });
    let mut above = None;
    // The least depth of the new lines since then: deeper ones are in a block of their own.
    let mut least = i32::MAX;
    for op in ops {
        let i = match *op {
            Op::Pair(_, j) | Op::Delete(j) => {
                (above, least) = (Some(j), i32::MAX);
                continue;
            }
            Op::Insert(i) if ctx.lines[i].class == Class::Blank => continue,
            Op::Insert(i) => i,
        };
        least = least.min(ctx.cols(i));
        if ctx.cols(i) > least {
            continue;
        }
        let t = ctx.lines[i].trimmed;
        let (own, value) = (constant(t), assigned(t));
        let Some(at) = above.or(first).filter(|_| own.is_some() || value.is_some()) else {
            continue;
        };
        let depth = ctx.cols(i) + shift;
        let inside = |j: &usize| ctx.file[*j].class == Class::Blank || ctx.file_cols(*j) >= depth;
        let goes = |j: usize| {
            ctx.touched.contains(&j)
                || ops.iter().any(|op| match *op {
                    Op::Delete(x) => x == j,
                    Op::Pair(i, x) => x == j && !same_line(ctx, i, x),
                    Op::Insert(_) => false,
                })
        };
        let up = (0..=at).rev().take_while(inside);
        let down = (at + 1..ctx.file.len()).take_while(inside);
        let again = |j: &usize| {
            let both = own.is_some() && constant(ctx.file[*j].trimmed) == own;
            let function = value.is_some() && ctx.guides.names(*j) && name_at(ctx, *j) == value;
            ctx.file_cols(*j) == depth && (both || function) && !goes(*j)
        };
        if let Some(j) = up.chain(down).find(again) {
            return Err(refuse::edge(ctx, i, j));
        }
    }
    Ok(())
}
