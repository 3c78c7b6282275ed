//! What happens where a segment meets a marker: whether a line there replaces one of the
//! file or joins it.

use super::align::Op;
use super::line::{Class, Key, Line};
use super::place::{Ctx, Placement, most, same_line};
use super::refuse;
use super::snippet::Role;
use crate::error::Result;

/// The file lines that a segment covers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Edge {
    /// Its number.
    pub segment: usize,
    /// First file line (from 0).
    pub start: usize,
    /// First file line behind it.
    pub end: usize,
    /// It begins with new lines.
    pub inserts_first: bool,
    /// It ends with new lines.
    pub inserts_last: bool,
}

impl Edge {
    pub fn of(ctx: &Ctx, k: usize, ops: &[Op]) -> Self {
        let mut start = None;
        let mut end = 0;
        for op in ops {
            if let Op::Pair(_, j) | Op::Delete(j) = *op {
                start.get_or_insert(j);
                end = j + 1;
            }
        }
        let start = start.unwrap_or(end);
        let new = |op: Option<&Op>| matches!(op, Some(Op::Insert(_)));
        let _ = ctx;
        Edge {
            segment: k,
            start,
            end,
            inserts_first: new(ops.first()),
            inserts_last: new(ops.last()),
        }
    }
}

/// Whether a pair is one line on both sides, and not a blank one.
fn anchors(ctx: &Ctx, op: &Op) -> bool {
    matches!(*op, Op::Pair(i, j) if ctx.lines[i].class != Class::Blank && same_line(ctx, i, j))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Replaces,
    Joins,
    Unclear,
}

/// Decides the lines before the first and after the last line that is surely the file's.
pub(crate) fn settle(ctx: &Ctx, k: usize, ops: &mut Vec<Op>) -> Result<()> {
    let guided = |op: &Op| matches!(*op, Op::Pair(i, j) if ctx.guides.pairs.iter().any(|&(a, b, w)| (a, b) == (i, j) && w >= 200));
    let sure = |op: &Op| anchors(ctx, op) || guided(op);
    let told = |op: &Op| {
        guided(op)
            || matches!(*op, Op::Pair(i, j) if ctx.lines[i].class == Class::Plain && same_line(ctx, i, j))
    };
    loosen(ctx, ops, &told, true);
    loosen(ctx, ops, &told, false);
    // Leading part: from the outside in.
    if let Some(first) = ops.iter().position(sure) {
        settle_side(ctx, k, ops, first, true)?;
    }
    if let Some(last) = ops.iter().rposition(sure) {
        settle_side(ctx, k, ops, last, false)?;
    }
    Ok(())
}

/// Takes weak lines (closers, blanks) that only happen to match for new ones, where a
/// segment begins or ends with new lines.
fn loosen(ctx: &Ctx, ops: &mut Vec<Op>, told: &impl Fn(&Op) -> bool, lead: bool) {
    if !lead {
        ops.reverse();
    }
    let blank = |op: &Op| matches!(*op, Op::Insert(i) | Op::Pair(i, _) if ctx.lines[i].class == Class::Blank);
    let outer_new = ops
        .iter()
        .find(|op| !blank(op))
        .is_some_and(|op| matches!(op, Op::Insert(_)));
    if let (true, Some(mut first)) = (outer_new, ops.iter().position(told)) {
        // Weak lines that touch the telling one stay.
        let mut keep = first;
        while keep > 0 && matches!(ops[keep - 1], Op::Pair(i, j) if same_line(ctx, i, j)) {
            keep -= 1;
        }
        // Changed lines there are judged one by one later.
        let judged = ops[..keep]
            .iter()
            .any(|op| matches!(*op, Op::Pair(i, j) if !same_line(ctx, i, j)));
        if !judged {
            let mut x = 0;
            while x < keep {
                match ops[x] {
                    Op::Pair(i, _) => {
                        ops[x] = Op::Insert(i);
                        x += 1;
                    }
                    Op::Delete(_) => {
                        ops.remove(x);
                        keep -= 1;
                        first -= 1;
                    }
                    Op::Insert(_) => x += 1,
                }
            }
            // New lines that end deeper than they begin need the closers that follow.
            let cols = |op: &Op| match *op {
                Op::Insert(i) if ctx.lines[i].class != Class::Blank => Some(ctx.cols(i)),
                _ => None,
            };
            while lead && keep < first {
                let new: Vec<i32> = ops[..keep].iter().filter_map(cols).collect();
                let (Some(&a), Some(&b)) = (new.first(), new.last()) else {
                    break;
                };
                let Op::Pair(i, _) = ops[keep] else { break };
                if b <= a || ctx.cols(i) < a {
                    break;
                }
                ops[keep] = Op::Insert(i);
                keep += 1;
            }
        }
    }
    if !lead {
        ops.reverse();
    }
}

/// Lines at a segment's ends that stand less deep in the snippet for no reason: nothing
/// around them was taken away, and the lines beside them are as deep as in the file.
pub(crate) fn slipped(ctx: &Ctx, ops: &[Op], shift: i32) -> Vec<usize> {
    let mut out = Vec::new();
    let off = |op: &Op| match *op {
        Op::Pair(i, j) if ctx.lines[i].class != Class::Blank => Some((
            i,
            ctx.file_cols(j) - ctx.cols(i) - shift,
            same_line(ctx, i, j),
        )),
        _ => None,
    };
    for back in [false, true] {
        let at = |x: usize| {
            if back {
                ops.len().checked_sub(x + 1)
            } else {
                Some(x)
            }
        };
        let Some(first) = at(0).and_then(|x| ops.get(x)).and_then(off) else {
            continue;
        };
        let Some(second) = at(1).and_then(|x| ops.get(x)).and_then(off) else {
            continue;
        };
        if first.2 && first.1 > 0 && second.1 == 0 {
            out.push(first.0);
        }
    }
    out
}

fn settle_side(ctx: &Ctx, k: usize, ops: &mut Vec<Op>, anchor: usize, lead: bool) -> Result<()> {
    let Op::Pair(anchor_i, anchor_j) = ops[anchor] else {
        return Ok(());
    };
    loop {
        let range = if lead {
            0..anchor_at(ops, anchor_i)
        } else {
            anchor_at(ops, anchor_i) + 1..ops.len()
        };
        let mut order: Vec<usize> = range.collect();
        if !lead {
            order.reverse();
        }
        let Some(at) = order
            .into_iter()
            .find(|&x| !matches!(ops[x], Op::Insert(_)))
        else {
            break;
        };
        match ops[at] {
            Op::Delete(_) => {
                ops.remove(at);
            }
            Op::Pair(i, _) if ctx.lines[i].class == Class::Blank => ops[at] = Op::Insert(i),
            Op::Pair(i, j) => match verdict(ctx, i, j, anchor_i, anchor_j, lead) {
                Verdict::Replaces => return Ok(()),
                Verdict::Joins => ops[at] = Op::Insert(i),
                Verdict::Unclear => return Err(refuse::edge(ctx, k, i, j)),
            },
            Op::Insert(_) => break,
        }
    }
    beside(ctx, k, ops.as_mut_slice(), anchor_i, anchor_j, lead)
}

/// Where the anchor's pair stands now that other operations may have gone.
fn anchor_at(ops: &[Op], anchor_i: usize) -> usize {
    ops.iter()
        .position(|op| matches!(*op, Op::Pair(i, _) if i == anchor_i))
        .unwrap_or(0)
}

/// New lines beside an anchor against the file line that they would join.
fn beside(
    ctx: &Ctx,
    k: usize,
    ops: &mut [Op],
    anchor_i: usize,
    anchor_j: usize,
    lead: bool,
) -> Result<()> {
    let at = anchor_at(ops, anchor_i);
    let new: Vec<usize> = if lead {
        (0..at).rev().collect()
    } else {
        (at + 1..ops.len()).collect()
    };
    let new: Vec<usize> = new
        .into_iter()
        .filter(|&x| matches!(ops[x], Op::Insert(i) if ctx.lines[i].class != Class::Blank))
        .collect();
    let Some(&nearest) = new.first() else {
        return Ok(());
    };
    let neighbour = if lead {
        (0..anchor_j)
            .rev()
            .find(|&j| ctx.file[j].class != Class::Blank)
    } else {
        (anchor_j + 1..ctx.file.len()).find(|&j| ctx.file[j].class != Class::Blank)
    };
    let Some(j) = neighbour else { return Ok(()) };
    let adjacent = if lead {
        j + 1 == anchor_j
    } else {
        j == anchor_j + 1
    };
    let Op::Insert(i) = ops[nearest] else {
        return Ok(());
    };
    let shift = ctx.file_cols(anchor_j) - ctx.cols(anchor_i);
    let level = ctx.cols(i) + shift == ctx.file_cols(j);
    if adjacent && level && ctx.roles[i] == Role::Plain {
        let (a, b) = (&ctx.lines[i], &ctx.file[j]);
        let heads = lead
            && ctx.file_cols(j) < ctx.file_cols(anchor_j)
            && ctx.cols(i) < ctx.cols(anchor_i)
            && ctx.lines[anchor_i].class == Class::Plain
            && !starts_comment(b.trimmed);
        let binds =
            matches!((a.key(), b.key()), (Key::Binds(x), Key::Binds(y)) if x == y && !x.is_empty());
        if heads || binds {
            ops[nearest] = Op::Pair(i, j);
            return Ok(());
        }
    }
    // A line much like the one that it would stand beside, and no other is, is that line
    // changed more often than not.
    let (x, y) = (&ctx.lines[i], &ctx.file[j]);
    if level && ctx.roles[i] == Role::Plain && x.class == Class::Plain && y.class == Class::Plain {
        let r = x.similarity(y);
        let first = |t: &str| {
            t.split_whitespace()
                .take(2)
                .map(str::to_string)
                .collect::<Vec<_>>()
        };
        let alike = r >= 330 && starts_comment(x.trimmed) && starts_comment(y.trimmed)
            || first(x.trimmed) == first(y.trimmed) && (250..500).contains(&r);
        if alike && !siblings(ctx, j, r) {
            return Err(refuse::edge(ctx, k, i, j));
        }
    }
    // Nothing may follow a statement that leaves the block.
    let Some(&last) = new.iter().max_by_key(|&&x| x) else {
        return Ok(());
    };
    if !lead {
        let Op::Insert(i) = ops[last] else {
            return Ok(());
        };
        let l = &ctx.lines[i];
        if l.key() == Key::Leaves
            && l.trimmed.ends_with([';', ')']) | !l.trimmed.ends_with(['{', '(', ',', '['])
            && ctx.cols(i) + shift == ctx.file_cols(j)
            && !closes(ctx.file[j].trimmed)
            && !labels(ctx.file[j].trimmed)
        {
            return Err(refuse::edge(ctx, k, i, j));
        }
    }
    Ok(())
}

/// Whether snippet line `i`, outside of the segment's sure lines, is file line `j`
/// changed, or a new line beside it.
fn verdict(ctx: &Ctx, i: usize, j: usize, anchor_i: usize, anchor_j: usize, lead: bool) -> Verdict {
    let (a, b) = (&ctx.lines[i], &ctx.file[j]);
    if same_line(ctx, i, j) {
        return Verdict::Replaces;
    }
    let r = a.similarity(b);
    let shift = ctx.file_cols(anchor_j) - ctx.cols(anchor_i);
    if ctx.cols(i) + shift != ctx.file_cols(j) {
        return if r >= 800 {
            Verdict::Unclear
        } else {
            Verdict::Joins
        };
    }
    // It opens the block whose first line follows on both sides.
    if lead
        && significant_between(&ctx.lines, i + 1, anchor_i) == 0
        && significant_between(ctx.file, j + 1, anchor_j) == 0
        && ctx.cols(i) < ctx.cols(anchor_i)
        && ctx.file_cols(j) < ctx.file_cols(anchor_j)
    {
        return Verdict::Replaces;
    }
    if starts_comment(a.trimmed) || starts_comment(b.trimmed) {
        let both = starts_comment(a.trimmed) && starts_comment(b.trimmed);
        return if both {
            Verdict::Replaces
        } else {
            Verdict::Joins
        };
    }
    let enumerated = siblings(ctx, j, r);
    match (a.key(), b.key()) {
        (Key::Leaves, Key::Leaves) => Verdict::Replaces,
        (Key::Binds(x), Key::Binds(y)) if x == y => Verdict::Replaces,
        (Key::Binds(x), Key::Binds(y)) => {
            if extends(&Line::new(x), &Line::new(y)) && contained(a, b) {
                // `let a, b = …` for `let a = …`.
                Verdict::Replaces
            } else if r < 600 || enumerated {
                Verdict::Joins
            } else {
                Verdict::Unclear
            }
        }
        (Key::Member(_), Key::Member(_)) => {
            if same_source(a.trimmed, b.trimmed) {
                Verdict::Replaces
            } else if r < 850 || enumerated {
                Verdict::Joins
            } else {
                Verdict::Unclear
            }
        }
        (Key::Other(x), Key::Other(y)) if x == y => {
            if enumerated {
                Verdict::Unclear
            } else if r >= 600 || contained(a, b) {
                Verdict::Replaces
            } else {
                Verdict::Unclear
            }
        }
        _ if enumerated => Verdict::Joins,
        _ if r >= 800 => Verdict::Replaces,
        _ => Verdict::Unclear,
    }
}

/// Whether all words of one line are in the other.
fn contained(a: &Line, b: &Line) -> bool {
    a.shared(b) == a.word_count().min(b.word_count()) && a.word_count().min(b.word_count()) >= 2
}

/// Whether one name list goes on from the other.
fn extends(a: &Line, b: &Line) -> bool {
    contained(a, b) && (a.trimmed.starts_with(b.trimmed) || b.trimmed.starts_with(a.trimmed))
}

fn significant_between(lines: &[Line], from: usize, to: usize) -> usize {
    lines
        .get(from..to)
        .map_or(0, |l| l.iter().filter(|l| l.class != Class::Blank).count())
}

/// Whether file line `j` is one of several that resemble each other as much.
fn siblings(ctx: &Ctx, j: usize, r: i32) -> bool {
    let near = [j.checked_sub(1), Some(j + 1)];
    near.into_iter()
        .flatten()
        .filter_map(|x| ctx.file.get(x))
        .any(|l| l.similarity(&ctx.file[j]) >= r - 100)
}

/// Imports from the same place.
fn same_source(a: &str, b: &str) -> bool {
    let quoted = |t: &str| -> Option<String> {
        let mut parts = t.rsplit(['"', '\'']);
        parts.next()?;
        parts.next().map(str::to_string)
    };
    if let (Some(x), Some(y)) = (quoted(a), quoted(b)) {
        return x == y;
    }
    let head = |t: &str| -> Option<String> {
        let mut w = t.split_whitespace();
        (w.next()? == "from").then(|| w.next().map(str::to_string))?
    };
    head(a).is_some() && head(a) == head(b)
}

pub(crate) fn starts_comment(t: &str) -> bool {
    t.starts_with("//")
        || t.starts_with("/*")
        || t.starts_with("* ")
        || t == "*"
        || t.starts_with("--")
        || t.starts_with("<!--")
        || (t.starts_with('#')
            && !t.starts_with("#[")
            && !t.starts_with("#include")
            && !t.starts_with("#define")
            && !t.starts_with("#if"))
}

/// Whether a line ends a block.
pub(crate) fn closes(t: &str) -> bool {
    t.starts_with(['}', ')', ']'])
        || t.starts_with("</")
        || t.starts_with("*/")
        || ["end", "fi", "done", "esac", "endif"].iter().any(|w| {
            t.strip_prefix(w)
                .is_some_and(|r| r.is_empty() || r.starts_with([';', ',', ' ', ')', '.']))
        })
}

/// Whether a line opens a block.
pub(crate) fn opens(t: &str) -> bool {
    t.ends_with(['{', ':', '(', '[', '>']) || t.ends_with(" do") || t.ends_with(" then")
}

/// Whether a line may follow a `return` at the same depth.
fn labels(t: &str) -> bool {
    [
        "case",
        "default",
        "else",
        "elif",
        "elsif",
        "elseif",
        "except",
        "finally",
        "rescue",
        "ensure",
        "when",
        "catch",
        "def",
        "class",
        "fn",
        "func",
        "function",
        "@",
        "#",
        "/",
        "pub",
        "async",
        "public",
        "private",
        "protected",
        "static",
        "local",
        "type",
        "struct",
        "impl",
        "export",
        "const",
        "let",
        "var",
    ]
    .iter()
    .any(|w| t.starts_with(w))
        || t.ends_with(':')
}

/// The reading of a segment as new lines between lines that follow each other in the
/// file. Where there is one, the snippet does not say that anything goes: a closing
/// bracket or the like above new code stands in many places.
pub(crate) fn insertion_only(ctx: &Ctx, k: usize, ops: &[Op]) -> Option<Vec<Op>> {
    let (a, b) = ctx.bounds[k];
    let takes = ops.iter().any(|op| match *op {
        Op::Delete(j) => ctx.file[j].class != Class::Blank,
        Op::Pair(i, j) => !same_line(ctx, i, j),
        Op::Insert(_) => false,
    });
    if !takes || (a..b).any(|i| ctx.roles[i] != Role::Plain) {
        return None;
    }
    let told = |r: std::ops::Range<usize>| ctx.lines[r].iter().any(|l| l.class != Class::Blank);
    // A definition that the file has is not new.
    let fresh = |r: std::ops::Range<usize>| {
        told(r.clone()) && !ctx.guides.pairs.iter().any(|p| r.contains(&p.0))
    };
    let build = |head: usize, tail: usize, x: usize| -> Vec<Op> {
        let mut out: Vec<Op> = (0..head).map(|d| Op::Pair(a + d, x - head + d)).collect();
        out.extend((a + head..b - tail).map(Op::Insert));
        out.extend((0..tail).map(|d| Op::Pair(b - tail + d, x + d)));
        out
    };
    // The end is sure: what stands right above it?
    if let Some(&Op::Pair(i, j)) = ops.last()
        && i + 1 == b
        && ctx.lines[i].same(&ctx.file[j])
    {
        let level = levels(ctx, i, j);
        let mut tail = 0;
        while tail < b - a && tail <= j && level(b - 1 - tail, j - tail) {
            tail += 1;
        }
        // Near-duplicates share more than the context: any cut of the run will do.
        for tail in (1..=tail).rev() {
            let x = j + 1 - tail;
            for head in (1..=(b - a - tail).min(x)).rev() {
                if told(a..a + head)
                    && (0..head).all(|d| level(a + d, x - head + d))
                    && fresh(a + head..b - tail)
                    && told(b - tail..b)
                {
                    return Some(build(head, tail, x));
                }
            }
        }
    }
    if let Some(&Op::Pair(i, j)) = ops.first()
        && i == a
        && ctx.lines[i].same(&ctx.file[j])
    {
        let n = ctx.file.len();
        let level = levels(ctx, i, j);
        let mut head = 0;
        while head < b - a && j + head < n && level(a + head, j + head) {
            head += 1;
        }
        for head in (1..=head).rev() {
            let x = j + head;
            for tail in (1..=(b - a - head).min(n - x)).rev() {
                if told(b - tail..b)
                    && (0..tail).all(|d| level(b - tail + d, x + d))
                    && fresh(a + head..b - tail)
                    && told(a..a + head)
                {
                    return Some(build(head, tail, x));
                }
            }
        }
    }
    None
}

/// Tells equal lines at the depth that the pair `i`, `j` sets.
fn levels<'c>(ctx: &'c Ctx, i: usize, j: usize) -> impl Fn(usize, usize) -> bool + 'c {
    let shift = ctx.file_cols(j) - ctx.cols(i);
    move |i, j| {
        ctx.lines[i].same(&ctx.file[j])
            && (ctx.lines[i].class == Class::Blank || ctx.file_cols(j) - ctx.cols(i) == shift)
    }
}

/// The outermost lines of a segment are context as a rule: one that stands in the file
/// but was not found there says that the segment does not fit its place.
pub(crate) fn unmatched_context(ctx: &Ctx, k: usize, ops: &[Op]) -> Result<()> {
    let (a, b) = ctx.bounds[k];
    for i in [a, b - 1] {
        if ctx.roles[i] == Role::Plain
            && matches!(ctx.lines[i].class, Class::Plain | Class::Short)
            && ctx.counts.contains_key(&ctx.lines[i].hash)
            && ops.contains(&Op::Insert(i))
        {
            return Err(refuse::misplaced(ctx, k, i));
        }
    }
    Ok(())
}

/// Removed runs that only a weak line bounds have to lie within what that line closes.
pub(crate) fn weak_bounds(ctx: &Ctx, k: usize, ops: &[Op]) -> Result<()> {
    let strong = |op: &Op| {
        matches!(*op, Op::Pair(i, j) if ctx.lines[i].class == Class::Plain && same_line(ctx, i, j))
            || matches!(*op, Op::Pair(i, j) if ctx.guides.pairs.iter().any(|&(a, b, _)| (a, b) == (i, j)))
    };
    let mut x = 0;
    while x < ops.len() {
        if !matches!(ops[x], Op::Delete(_)) {
            x += 1;
            continue;
        }
        let from = x;
        // A run ends at the next line that both sides share.
        while x < ops.len() && !anchors(ctx, &ops[x]) && !strong(&ops[x]) {
            x += 1;
        }
        let gone: Vec<usize> = ops[from..x]
            .iter()
            .filter_map(|op| match op {
                Op::Delete(j) if ctx.file[*j].class != Class::Blank => Some(*j),
                _ => None,
            })
            .collect();
        let Some(&first) = gone.first() else { continue };
        if balanced(ctx, &ops[from_change(ctx, ops, from)..x]) {
            continue;
        }
        if let Some(Some((a, b))) = ops[..from].iter().rev().find_map(|op| match *op {
            Op::Pair(i, _) | Op::Insert(i) => Some(ctx.guides.rewrites[i]),
            Op::Delete(_) => None,
        }) && gone.iter().all(|&j| a <= j && j < b)
        {
            continue;
        }
        let after = ops.get(x);
        if after.is_some_and(strong) {
            continue;
        }
        let Some(&Op::Pair(_, close)) = after else {
            return Err(refuse::removed_at_edge(
                ctx,
                k,
                first,
                *gone.last().unwrap_or(&first),
            ));
        };
        // Behind a weak line a strong one may follow without a break.
        let mut y = x + 1;
        let mut held = false;
        while let Some(op) = ops.get(y) {
            if strong(op) {
                held = true;
                break;
            }
            if !matches!(op, Op::Pair(i, j) if same_line(ctx, *i, *j)) {
                break;
            }
            y += 1;
        }
        let depth = ctx.file_cols(close);
        if !held && gone.iter().any(|&j| ctx.file_cols(j) <= depth) {
            return Err(refuse::removed_at_edge(
                ctx,
                k,
                first,
                *gone.last().unwrap_or(&first),
            ));
        }
    }
    Ok(())
}

/// Where the change around an operation starts: behind the line that both sides share.
fn from_change(ctx: &Ctx, ops: &[Op], at: usize) -> usize {
    (0..at)
        .rev()
        .find(|&x| anchors(ctx, &ops[x]))
        .map_or(0, |x| x + 1)
}

/// Whether what a change puts in opens and closes as many brackets as what it takes out,
/// and reaches as far out: then it replaces it.
fn balanced(ctx: &Ctx, ops: &[Op]) -> bool {
    let net = |t: &str| -> i32 {
        t.bytes()
            .map(|b| match b {
                b'{' | b'(' | b'[' => 1,
                b'}' | b')' | b']' => -1,
                _ => 0,
            })
            .sum()
    };
    let (mut new, mut old) = (0, 0);
    let (mut new_depth, mut old_depth) = (i32::MAX, i32::MAX);
    let mut lines = 0;
    for op in ops {
        if let Op::Insert(i) | Op::Pair(i, _) = *op {
            new += net(ctx.lines[i].trimmed);
            if ctx.lines[i].class != Class::Blank {
                new_depth = new_depth.min(ctx.cols(i));
                lines += 1;
            }
        }
        if let Op::Delete(j) | Op::Pair(_, j) = *op {
            old += net(ctx.file[j].trimmed);
            if ctx.file[j].class != Class::Blank {
                old_depth = old_depth.min(ctx.file_cols(j));
            }
        }
    }
    let shift = ctx.shifts.first().copied().flatten().unwrap_or(0);
    lines > 0 && new == old && new_depth.saturating_add(shift) <= old_depth
}

/// Blank lines between the sure lines and new ones at a segment's end are new as well, so
/// that the file's own blank line stays on the far side.
pub(crate) fn lift_blanks(ctx: &Ctx, ops: &mut [Op]) {
    let held = |op: &Op| match *op {
        Op::Pair(i, _) => ctx.lines[i].class != Class::Blank,
        Op::Delete(j) => ctx.file[j].class != Class::Blank,
        Op::Insert(_) => false,
    };
    let (Some(first), Some(last)) = (ops.iter().position(held), ops.iter().rposition(held)) else {
        return;
    };
    let n = ops.len();
    for x in (0..first).chain(last + 1..n) {
        if let Op::Pair(i, _) = ops[x] {
            ops[x] = Op::Insert(i);
        }
    }
}

/// Runs of removed lines without any new or changed line in their place.
pub(crate) fn removed_runs(ctx: &Ctx, ops: &[Op]) -> Vec<(usize, usize)> {
    let mut runs = Vec::new();
    let mut x = 0;
    while x < ops.len() {
        let Op::Delete(from) = ops[x] else {
            x += 1;
            continue;
        };
        let mut to = from + 1;
        while let Some(&Op::Delete(j)) = ops.get(x) {
            to = j + 1;
            x += 1;
        }
        if (from..to).any(|j| ctx.file[j].class != Class::Blank) {
            runs.push((from, to));
        }
    }
    runs
}

/// Whose text a paired line gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keep {
    /// The file's: both are the same.
    Same,
    /// The file's: the snippet quotes it slightly wrong.
    Misquoted,
    /// The snippet's.
    Snippet,
}

/// Whose text wins in a pair.
pub(crate) fn keeps_file_text(ctx: &Ctx, k: usize, i: usize, j: usize, ops: &[Op]) -> Keep {
    let (a, b) = (&ctx.lines[i], &ctx.file[j]);
    if a.same(b) {
        return Keep::Same;
    }
    if ctx.roles[i] == Role::Context {
        return Keep::Misquoted;
    }
    if ctx.pass.literal {
        return Keep::Snippet;
    }
    if a.alike(b) {
        // Blanks within the line are a change of layout, quotes are a slip.
        let bare = |t: &str| t.chars().filter(|c| !c.is_whitespace()).collect::<String>();
        return if bare(a.trimmed) == bare(b.trimmed) {
            Keep::Snippet
        } else {
            Keep::Misquoted
        };
    }
    if let Some(comment) = dropped_comment(ctx, a.trimmed, b.trimmed) {
        // Unless the comment has moved to a line of its own.
        let words = |t: &str| -> String {
            t.split(|c: char| !c.is_alphanumeric())
                .filter(|w| !w.is_empty())
                .map(str::to_lowercase)
                .collect::<Vec<_>>()
                .join(" ")
        };
        let gone = words(comment);
        let moved = ops
            .iter()
            .any(|op| matches!(*op, Op::Insert(x) if words(ctx.lines[x].trimmed).contains(&gone)));
        let _ = k;
        if !moved {
            return Keep::Misquoted;
        }
    }
    Keep::Snippet
}

/// The comment behind a file line that the snippet quotes without it.
fn dropped_comment<'t>(ctx: &Ctx, short: &str, long: &'t str) -> Option<&'t str> {
    let rest = long.strip_prefix(short)?;
    let t = rest.trim_start();
    if t.len() == rest.len() {
        return None;
    }
    ctx.pass
        .comments
        .iter()
        .any(|c| t.starts_with(c))
        .then_some(t)
}

/// The place of a segment that has no line of the file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Float {
    /// The number of file lines before it.
    pub line: usize,
    pub by: Placement,
    /// Columns to add.
    pub shift: i32,
}

/// Finds the only place there is for a segment without any line of the file.
pub(crate) fn float(ctx: &Ctx, k: usize, edges: &[Edge]) -> Result<Float> {
    let segments = &ctx.script.segments;
    let (a, b) = ctx.bounds[k];
    if ctx.script.strict {
        return Err(refuse::context_missing(ctx));
    }
    let n = ctx.file.len();
    if n == 0 || ctx.file.iter().all(|l| l.class == Class::Blank) {
        return Ok(Float {
            line: n,
            by: Placement::End,
            shift: 0,
        });
    }
    let shift = most(&ctx.shifts.iter().flatten().copied().collect::<Vec<_>>()).unwrap_or(0);
    let least = (a..b)
        .filter(|&i| ctx.lines[i].class != Class::Blank)
        .map(|i| ctx.cols(i) + shift)
        .min()
        .unwrap_or(0);
    let imports = (a..b)
        .filter(|&i| ctx.lines[i].class != Class::Blank)
        .all(|i| import(ctx.lines[i].trimmed));
    if imports {
        let last = ctx
            .guides
            .imports
            .iter()
            .map(|s| s.1)
            .filter(|&e| edges.iter().filter(|x| x.segment > k).all(|x| e <= x.start))
            .max();
        if let Some(line) = last {
            return Ok(Float {
                line,
                by: Placement::Imports,
                shift,
            });
        }
    }
    let _ = least;
    let segment = &segments[k];
    let last = k + 1 == segments.len();
    if last && !segment.marker_after && segment.marker_before && least <= 0 {
        let end = (0..n)
            .rev()
            .find(|&j| ctx.file[j].class != Class::Blank)
            .map_or(0, |j| j + 1);
        return Ok(Float {
            line: end,
            by: Placement::End,
            shift,
        });
    }
    Err(refuse::no_place(ctx, k))
}

/// Whether a line brings in names from elsewhere.
pub(crate) fn import(t: &str) -> bool {
    t.starts_with("import ")
        || t.starts_with("use ") && t.ends_with(';')
        || t.starts_with("using ") && t.ends_with(';')
        || t.starts_with("#include")
        || t.starts_with("from ") && t.contains(" import ")
        || t.starts_with("require ")
        || t.starts_with("require_relative ")
        || t.starts_with("const ") && t.contains("= require(")
}
