//! What pairs of lines are worth to the alignment, and what an alignment rests on.

use super::align::{self, NO_PAIR, Op};
use super::chance;
use super::columns::most;
use super::context::{Ctx, same_line};
use crate::apply::lines::key::Key;
use crate::apply::lines::line::{self, Class, starts_comment};
use crate::apply::lines::shape::{closes, dropped, net_brackets, opens, out_of_use, remarked};
use crate::apply::snippet::script::Role;

/// A line that says where it stands: it occurs no more than a few times.
pub(crate) const TELLING: i32 = 140;

/// How much of a line (thousandths) a changed one has at least.
pub(crate) const CHANGED: i32 = 500;

/// What a line is worth as the same one, commented out or taken into use.
const OUT_OF_USE: i32 = 1200;

/// What a bracket is worth, commented out.
const SHUT_OUT: i16 = 40;

/// What a line at another depth than the segment's is worth less, where it has a twin there.
const STRAY: i32 = 150;

/// Scores of all pairs of a snippet line with a file line.
pub(crate) fn scores(ctx: &Ctx) -> Vec<i16> {
    let n = ctx.file.len();
    let m = ctx.lines.len();
    let snippet = line::counts(ctx.lines.iter());
    let file_cols: Vec<i32> = (0..n).map(|j| ctx.file_cols(j)).collect();
    let general = {
        let known: Vec<i32> = ctx.shifts.iter().flatten().copied().collect();
        most(&known)
    };
    let mut out = vec![NO_PAIR; m * n];
    for i in 0..m {
        let role = ctx.roles[i];
        if role == Role::Plus {
            continue;
        }
        let l = &ctx.lines[i];
        let weight = ctx.weight(i, &snippet);
        let range = ctx.guides.ranges[i];
        let (low, high) = match range {
            Some(r) if r.firm => (r.low, r.high),
            _ => (0, n),
        };
        let shift = ctx.shifts[ctx.segment_of(i)].or(general);
        // Inner lines may have been wrapped together.
        let steady = shift == Some(0) && ctx.steady[ctx.segment_of(i)];
        let ends = closes(l.trimmed) && !opens(l.trimmed);
        let cols = ctx.cols(i);
        if ctx.guides.new[i] {
            continue;
        }
        let comment = starts_comment(l.trimmed);
        let row = &mut out[i * n..(i + 1) * n];
        let exact = role != Role::Plain;
        // Where the file has the line at the segment's depth as well, it is none at another.
        let twin = |d: i32| {
            (low.min(n)..high.min(n)).any(|j| file_cols[j] == cols + d && l.same(&ctx.file[j]))
        };
        let has_twin = l.class == Class::Plain && shift.is_some_and(twin);
        let bound = bound(ctx, i, &file_cols);
        for j in low.min(n)..high.min(n) {
            let f = &ctx.file[j];
            let same = l.hash == f.hash && l.trimmed == f.trimmed;
            let mut score = if same {
                weight
            } else if l.class != Class::Blank && l.fold == f.fold {
                weight - 20
            } else if comment
                && !exact
                && f.class != Class::Plain
                && out_of_use(l.trimmed, f.trimmed)
            {
                row[j] = SHUT_OUT;
                continue;
            } else if exact || l.class != Class::Plain || f.class != Class::Plain {
                continue;
            } else {
                let mut r = 0;
                if l.may_reach(f, CHANGED) {
                    r = l.similarity(f);
                }
                let remarked = || remarked(l.trimmed, f.trimmed) || remarked(f.trimmed, l.trimmed);
                if r < CHANGED && (l.same_requirement(f) || remarked() || bound == Some(j)) {
                    r = CHANGED;
                }
                if r >= CHANGED && comment != starts_comment(f.trimmed) {
                    // A comment above it may say what the one behind it said.
                    match out_of_use(l.trimmed, f.trimmed) {
                        true => r = OUT_OF_USE,
                        false if comment => continue,
                        false => {}
                    }
                }
                if r < CHANGED {
                    continue;
                }
                if r == 1000 && dropped(l.trimmed, f.trimmed) {
                    weight * 2 / 3
                } else {
                    r * 12 / 100 - 20
                }
            };
            let level = shift.is_none_or(|d| file_cols[j] == cols + d);
            if !level {
                match l.class {
                    Class::Blank => {}
                    // A closer at another depth closes something else.
                    Class::Punctuation if exact && same => score = 10,
                    Class::Punctuation => continue,
                    Class::Short if steady && ends && !exact => continue,
                    _ if same && has_twin => score -= STRAY,
                    _ => score -= 30,
                }
            }
            if range.is_some_and(|r| j < r.low || j >= r.high) {
                // A bracket there is still worth more than none.
                score = (score - 60).max(score / 3);
            }
            row[j] = score as i16;
        }
    }
    chance::closers(ctx, &file_cols, &mut out);
    chance::conditions(ctx, &mut out);
    chance::strays(ctx, &file_cols, general, &mut out);
    // What stands below the end of a block does not stand in it.
    for &[(i, j), _] in &ctx.guides.shut {
        let end = ctx.bounds[ctx.segment_of(i)].1;
        for x in i + 1..end {
            out[x * n..x * n + j + 1].fill(NO_PAIR);
        }
    }
    for &(i, j, bonus) in &ctx.guides.pairs {
        if ctx.roles[i] != Role::Plain && !same_line(ctx, i, j) || ctx.roles[i] == Role::Plus {
            continue;
        }
        let cell = &mut out[i * n + j];
        let base = if *cell == NO_PAIR { 20 } else { *cell };
        *cell = base.saturating_add(bonus);
    }
    out
}

/// The only line of the file, where a snippet line may stand, that gives a value to the name to which
/// that one alone does.
fn bound(ctx: &Ctx, i: usize, file_cols: &[i32]) -> Option<usize> {
    let l = &ctx.lines[i];
    let key = l.key();
    let Key::Binds(name) = key else {
        return None;
    };
    if l.class != Class::Plain
        || ctx.counts.contains_key(&l.hash)
        || !name.contains(char::is_alphabetic)
    {
        return None;
    }
    let range = ctx.guides.ranges[i].map_or(0..ctx.file.len(), |r| r.low..r.high);
    let cols = ctx.cols(i);
    let gives = |j: &usize| {
        let f = &ctx.file[*j];
        // What a line is about takes longer to tell.
        file_cols[*j] == cols && f.trimmed.contains(name) && f.key() == key
    };
    let mut there = range.filter(gives);
    let j = there.next().filter(|_| there.next().is_none())?;
    let once = ctx.lines.iter().filter(|l| l.key() == key).count() == 1;
    // A block that is opened no more takes its lines with it.
    let (new, old) = (net_brackets(l.trimmed), net_brackets(ctx.file[j].trimmed));
    (once && (new == old || old == 0)).then_some(j)
}

/// What it costs to take a line for new that closes what the file closes there.
const SHUT: i32 = 400;

/// The lines at both ends of a segment are context as a rule: to take one that the file
/// has for a new line costs more the nearer it is to the end.
pub(crate) fn insert_costs(ctx: &Ctx, scores: &[i16]) -> Vec<i32> {
    let n = ctx.file.len();
    let mut costs: Vec<i32> = ctx
        .roles
        .iter()
        .map(|r| match r {
            Role::Plain | Role::Plus => align::INSERT,
            Role::Context | Role::Minus => align::NEVER,
        })
        .collect();
    // What closes the block that a marker stands in closes it in the file.
    for &[(i, _), _] in &ctx.guides.shut {
        if ctx.roles[i] == Role::Plain {
            costs[i] -= SHUT;
        }
    }
    for &(a, b) in &ctx.bounds {
        let mut charge = |i: usize, part: i32| {
            let known = scores[i * n..(i + 1) * n]
                .iter()
                .enumerate()
                .any(|(j, &p)| chance::tells(p) && same_line(ctx, i, j));
            if ctx.roles[i] == Role::Plain && known {
                costs[i] -= part
                    * match ctx.lines[i].class {
                        Class::Plain => 75,
                        Class::Short | Class::Punctuation => 40,
                        Class::Blank => 0,
                    };
            }
        };
        let told = |i: &usize| ctx.lines[*i].class != Class::Blank;
        for (i, part) in (a..b).filter(told).zip([2, 1]) {
            charge(i, part);
        }
        for (i, part) in (a..b).rev().filter(told).zip([2, 1]) {
            charge(i, part);
        }
    }
    costs
}

/// Context at a segment's ends comes in whole runs: of the places where its first (or
/// last) line stands, those where most of the next lines follow as well are worth more.
pub(crate) fn prefer_runs(ctx: &Ctx, out: &mut [i16]) -> Vec<Run> {
    let n = ctx.file.len();
    let mut runs = Vec::new();
    for &(a, b) in &ctx.bounds {
        if b - a < 2 || (a..b).any(|i| ctx.roles[i] != Role::Plain) {
            continue;
        }
        for back in [false, true] {
            let line = |d: usize| if back { b - 1 - d } else { a + d };
            let place = |j: usize, d: usize| {
                if back {
                    j.checked_sub(d)
                } else {
                    Some(j + d).filter(|&x| x < n)
                }
            };
            let run = |j: usize| -> (usize, usize) {
                let (mut d, mut plain) = (0, 0);
                while d < (b - a).min(RUN) {
                    let Some(x) = place(j, d) else { break };
                    if !ctx.lines[line(d)].same(&ctx.file[x]) {
                        break;
                    }
                    plain += usize::from(ctx.lines[line(d)].class == Class::Plain);
                    d += 1;
                }
                (d, plain)
            };
            let first = line(0);
            let found: Vec<(usize, (usize, usize))> = (0..n)
                .filter(|&j| out[first * n + j] != NO_PAIR && ctx.lines[first].same(&ctx.file[j]))
                .map(|j| (j, run(j)))
                .collect();
            let best = found.iter().map(|f| f.1).max().unwrap_or((0, 0));
            // A choice there is only between several places.
            if best.0 < 2 || best.1 < 2 || found.iter().all(|f| f.1 == best) {
                continue;
            }
            let within =
                |j: usize| ctx.guides.ranges[first].is_none_or(|r| r.low <= j && j < r.high);
            let most = found.iter().filter(|f| within(f.0)).map(|f| f.1).max();
            runs.push(Run {
                line: first,
                places: found
                    .iter()
                    .filter(|f| within(f.0) && Some(f.1) == most)
                    .map(|f| f.0)
                    .collect(),
            });
            for (j, _) in found.iter().filter(|f| f.1 == best) {
                for d in 0..best.0 {
                    let Some(x) = place(*j, d) else { break };
                    let cell = &mut out[line(d) * n + x];
                    if *cell != NO_PAIR {
                        *cell = cell.saturating_add(RUN_BONUS);
                    }
                }
            }
        }
    }
    runs
}

/// Where the outermost line of a segment stands with the most of those that follow it.
pub(crate) struct Run {
    line: usize,
    places: Vec<usize>,
}

impl Run {
    /// Whether an alignment has the line elsewhere.
    pub fn left(&self, ops: &[Op]) -> bool {
        ops.iter()
            .any(|op| matches!(*op, Op::Pair(i, j) if i == self.line && !self.places.contains(&j)))
    }
}

/// Whether a segment puts new lines between lines that follow each other in the file as they do in it,
/// changes nothing else, and shows a telling line on either side.
pub(crate) fn parts_neighbours(ctx: &Ctx, ops: &[Op]) -> bool {
    let mut last = None;
    let is_new = |op: &Op| matches!(op, Op::Insert(_));
    let tells = |op: &Op| matches!(*op, Op::Pair(i, _) if ctx.lines[i].class == Class::Plain);
    let above = ops.iter().position(is_new).map(|at| &ops[..at]);
    let below = ops.iter().rposition(is_new).map(|at| &ops[at..]);
    let sides = [above, below];
    let both = sides.iter().all(|s| s.is_some_and(|s| s.iter().any(tells)));
    both && ops.iter().all(|op| match *op {
        Op::Pair(i, j) => same_line(ctx, i, j) && last.replace(j).is_none_or(|l| l + 1 == j),
        Op::Insert(_) => true,
        Op::Delete(_) => false,
    })
}

/// Whether one of the two outermost lines on a side of a segment is the file's and stands
/// only there.
pub(crate) fn held(ctx: &Ctx, k: usize, ops: &[Op]) -> bool {
    let (a, b) = ctx.bounds[k];
    let told = |i: &usize| ctx.lines[*i].class != Class::Blank;
    let outer = (a..b).filter(told).take(2);
    let outer = outer.chain((a..b).rev().filter(told).take(2));
    outer.into_iter().any(|i| {
        ctx.lines[i].class == Class::Plain
            && ctx.counts.get(&ctx.lines[i].hash) == Some(&1)
            && ops
                .iter()
                .any(|op| matches!(*op, Op::Pair(x, j) if x == i && same_line(ctx, i, j)))
    })
}

/// Lines of a run that count.
const RUN: usize = 4;

/// What each of them is worth beyond its text.
const RUN_BONUS: i16 = 400;

pub(crate) struct Evidence {
    /// Sum of the weights of telling lines.
    pub strong: i32,
    pub unique: bool,
    pub definition: bool,
}

pub(crate) fn evidence(ctx: &Ctx, ops: &[Op], scores: &[i16]) -> Evidence {
    let n = ctx.file.len();
    let mut e = Evidence {
        strong: 0,
        unique: false,
        definition: false,
    };
    for op in ops {
        let Op::Pair(i, j) = *op else { continue };
        let score = i32::from(scores[i * n + j]);
        let guided = ctx
            .guides
            .pairs
            .iter()
            .any(|&(a, b, w)| (a, b) == (i, j) && w >= 200);
        if guided {
            e.definition = true;
        }
        if guided || (score >= TELLING - 40 && same_line(ctx, i, j)) {
            e.strong += score;
            e.unique |= score >= 250 && same_line(ctx, i, j);
        }
    }
    e
}
