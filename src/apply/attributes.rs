//! Attributes and decorators belong to the definition below them.

use super::align::Op;
use super::context::{Ctx, same_line};
use super::line::Class;
use super::shape::starts_comment;

/// New lines at a segment's end below an attribute of the file, whose own definition the
/// marker below them stands for: the attribute is theirs, and the file's stays where it is.
pub(crate) fn kept(ctx: &Ctx, k: usize, ops: &mut [Op]) {
    if !ctx.script.segments[k].marker_after {
        return;
    }
    let is_new = |op: &Op| matches!(op, Op::Insert(_));
    let told = |op: &Op| matches!(*op, Op::Insert(i) if ctx.lines[i].class != Class::Blank);
    let from = ops.iter().rposition(|op| !is_new(op)).map_or(0, |x| x + 1);
    // A blank line would part them from it.
    if !ops.get(from).is_some_and(told) {
        return;
    }
    let said = |op: &Op| match *op {
        Op::Pair(i, j) if same_line(ctx, i, j) => said_of(ctx, j).map(|header| (j, header)),
        _ => None,
    };
    let above = ops[..from].iter().rev().map_while(said);
    let above: Vec<(usize, usize)> = above.collect();
    let is_attribute = |j: usize| !starts_comment(ctx.file[j].trimmed);
    let directly = above.first().is_some_and(|&(j, header)| j + 1 == header);
    if directly && above.iter().any(|&(j, _)| is_attribute(j)) {
        for op in &mut ops[from - above.len()..from] {
            if let Op::Pair(i, _) = *op {
                *op = Op::Insert(i);
            }
        }
    }
}

/// The first line of the definition that a file line stands above and belongs to.
fn said_of(ctx: &Ctx, j: usize) -> Option<usize> {
    let mut all = ctx.guides.definitions.chunks_exact(2);
    all.find_map(|d| match (d[0].0, d[1].0) {
        (docs, header) if docs <= j && j < header => Some(header),
        _ => None,
    })
}
