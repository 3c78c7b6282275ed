//! Finds where the segments of one pass belong and writes the merged text.

use super::align::{self, NO_PAIR, Op, Problem, UNIQUE};
use super::edges::{self, Edge};
use super::guide::Guides;
use super::line::{self, Class, Counts, Line};
use super::refuse;
use super::snippet::{Role, Script};
use crate::error::Result;
use crate::text::{Ending, Lines, Span};

/// Cells of the dynamic program that a merge may fill (bytes, about).
const MAX_CELLS: usize = 64 << 20;
/// By how much the best placement of a segment has to beat the second best: nearly half
/// a unique line, more than any weak line or chain of two can make up.
const MARGIN: i32 = 120;
/// A line that says where it stands: it occurs no more than a few times.
const TELLING: i32 = 140;

/// What fixed a segment's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Placement {
    /// Lines that stand once in the file.
    UniqueLines,
    /// A definition with the same name and kind.
    Definition,
    /// Lines that occur more than once, told apart by what surrounds them.
    Surroundings,
    /// The only place there is: the import block.
    Imports,
    /// The end of the file or of the scope that the snippet opens.
    End,
    /// The start of the file.
    Start,
    /// The whole file was given.
    WholeFile,
}

/// Where one segment went.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Placed {
    /// Its lines in the snippet.
    pub snippet: Span,
    /// The lines of the file (before the merge) that it covers; for a pure insertion the
    /// line it was put behind, 0 for the file's start.
    pub after_line: usize,
    /// Number of the file's lines that it covers.
    pub lines: usize,
    /// What fixed the place.
    pub by: Placement,
    /// By how much the place beats the next best one, in hundredths of a line's weight
    /// (a line unique on both sides weighs 300); absent where there is no other.
    pub margin: Option<i32>,
}

impl std::fmt::Display for Placement {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Placement::UniqueLines => "unique lines",
            Placement::Definition => "a definition",
            Placement::Surroundings => "surrounding lines",
            Placement::Imports => "the import block",
            Placement::End => "the end of the scope or file",
            Placement::Start => "the start of the file",
            Placement::WholeFile => "the whole file",
        })
    }
}

impl std::fmt::Display for Placed {
    /// `snippet lines 2-4 at lines 10-12, by unique lines, margin 300`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "snippet lines {} ", self.snippet)?;
        match self.lines {
            0 => write!(f, "behind line {}", self.after_line)?,
            n => write!(
                f,
                "at lines {}",
                Span::new(self.after_line + 1, self.after_line + n)
            )?,
        }
        write!(f, ", by {}", self.by)?;
        match self.margin {
            Some(margin) => write!(f, ", margin {margin}"),
            None => Ok(()),
        }
    }
}

/// One pass's result.
pub(crate) struct Outcome {
    pub text: String,
    pub placed: Vec<Placed>,
    /// Runs of removed file lines (from 0, end excluded) that no line replaces.
    pub removed: Vec<(usize, usize)>,
    /// Context lines that the snippet misquoted.
    pub misquoted: usize,
}

/// Options of one pass.
#[derive(Clone, Copy)]
pub(crate) struct Pass<'a> {
    pub path: &'a str,
    pub whole_file: bool,
    /// Take the snippet's text where a line differs in quotes or a trailing comment only.
    pub literal: bool,
    /// Segments may go where they fit best, whatever their order.
    pub reorder: bool,
    /// Bring dedented snippets to the file's depth.
    pub comments: &'a [&'a str],
}

pub(crate) struct Ctx<'a> {
    pub pass: Pass<'a>,
    pub script: &'a Script,
    pub text: &'a Lines<'a>,
    pub file: &'a [Line<'a>],
    pub counts: &'a Counts,
    /// All lines of the edit, their roles and their numbers in the snippet.
    pub lines: Vec<Line<'a>>,
    pub roles: Vec<Role>,
    pub numbers: Vec<usize>,
    /// First and last-plus-one line of each segment.
    pub bounds: Vec<(usize, usize)>,
    /// Width of a tab, as the pairs of lines show it.
    pub tab: usize,
    /// Columns to add to each segment's lines, where its unique lines agree.
    pub shifts: Vec<Option<i32>>,
    pub guides: Guides,
}

impl<'a> Ctx<'a> {
    pub fn file_cols(&self, j: usize) -> i32 {
        self.file
            .get(j)
            .map_or(0, |l| line::columns(l.indent(), self.tab) as i32)
    }
    pub fn cols(&self, i: usize) -> i32 {
        line::columns(self.lines[i].indent(), self.tab) as i32
    }
    fn segment_of(&self, i: usize) -> usize {
        self.bounds.partition_point(|&(_, b)| b <= i)
    }
    /// Weight of a snippet line that stands in the file as it is.
    fn weight(&self, i: usize, snippet: &Counts) -> i32 {
        let l = &self.lines[i];
        match l.class {
            Class::Blank => 5,
            Class::Punctuation => 30,
            Class::Short => 60,
            Class::Plain => {
                let here = snippet.get(&l.hash).copied().unwrap_or(1);
                match self.counts.get(&l.hash).copied().unwrap_or(0) {
                    0 | 1 if here <= 1 => UNIQUE,
                    0 | 1 => 220,
                    2 => 180,
                    3..=6 => 150,
                    _ => 100,
                }
            }
        }
    }
}

/// Whether snippet line `i` and file line `j` are the same but for blanks and quotes.
pub(crate) fn same_line(ctx: &Ctx, i: usize, j: usize) -> bool {
    ctx.lines[i].same(&ctx.file[j]) || ctx.lines[i].alike(&ctx.file[j])
}

/// Places all segments of a script and writes the merged text.
pub(crate) fn place<'a>(
    pass: Pass<'a>,
    script: &'a Script,
    text: &'a Lines<'a>,
    file: &'a [Line<'a>],
    counts: &'a Counts,
    guide: impl FnOnce(&Ctx<'a>) -> Guides,
) -> Result<Outcome> {
    let mut ctx = prepare(pass, script, text, file, counts);
    ctx.guides = guide(&ctx);
    let n = file.len();
    let m = ctx.lines.len();
    if m.saturating_mul(n + 1) > MAX_CELLS {
        return Err(refuse::too_large(pass.path, n, m));
    }
    let plain_scores = scores(&ctx);
    let mut scores = plain_scores.clone();
    let preferred = prefer_runs(&ctx, &mut scores);
    let telling: Vec<bool> = ctx
        .bounds
        .iter()
        .map(|&(a, b)| {
            (a..b).any(|i| {
                scores[i * n..(i + 1) * n]
                    .iter()
                    .any(|&p| i32::from(p) >= TELLING && p != NO_PAIR)
            })
        })
        .collect();
    // Segments that name no place of their own stay out of the alignment.
    let floating: Vec<bool> = ctx
        .bounds
        .iter()
        .zip(&telling)
        .map(|(&(a, b), &t)| {
            // What asks for lines of the file has to find them.
            let asks = (a..b).any(|i| matches!(ctx.roles[i], Role::Context | Role::Minus));
            !t && !asks
                && (a..b).any(|i| {
                    ctx.lines[i].class != Class::Blank
                        && (ctx.roles[i] == Role::Plus
                            || !scores[i * n..(i + 1) * n]
                                .iter()
                                .enumerate()
                                .any(|(j, &p)| p != NO_PAIR && same_line(&ctx, i, j)))
                })
        })
        .collect();
    let solid: Vec<usize> = (0..ctx.bounds.len()).filter(|&k| !floating[k]).collect();
    let bounds: Vec<(usize, usize)> = solid.iter().map(|&k| ctx.bounds[k]).collect();
    let inserts = insert_costs(&ctx, &scores);
    let deletable: Vec<bool> = {
        let prefixed: Vec<bool> = ctx
            .bounds
            .iter()
            .map(|&(a, b)| script.strict || (a..b).any(|i| ctx.roles[i] != Role::Plain))
            .collect();
        (0..m).map(|i| !prefixed[ctx.segment_of(i)]).collect()
    };
    let problem = Problem {
        n,
        segments: &bounds,
        pairs: &scores,
        inserts: &inserts,
        deletable: &deletable,
        rewrites: &ctx.guides.rewrites,
        open_start: !pass.whole_file,
        open_end: !pass.whole_file,
    };
    let (mut ops, margins) = if bounds.is_empty() {
        (Vec::new(), Vec::new())
    } else if pass.reorder {
        apart(&ctx, &problem)?
    } else {
        let Some(first) = problem.solve(true) else {
            return Err(refuse::context_missing(&ctx));
        };
        if preferred {
            let plain = Problem {
                pairs: &plain_scores,
                ..problem
            };
            if let Some(second) = plain.solve(false)
                && let Some(s) = disagree(&ctx, &first.ops, &second.ops)
            {
                return Err(refuse::ambiguous(
                    &ctx,
                    solid[s],
                    &first.ops[s],
                    &problem,
                    s,
                ));
            }
        }
        (first.ops, first.margins)
    };
    let mut edges: Vec<Edge> = Vec::new();
    let mut misquoted = 0;
    let mut removed = Vec::new();
    let mut placed = Vec::new();
    for (s, &k) in solid.iter().enumerate() {
        let changes = ops[s].iter().any(|op| match *op {
            Op::Pair(i, j) => ctx.roles[i] == Role::Minus || !same_line(&ctx, i, j),
            _ => true,
        });
        let evidence = evidence(&ctx, &ops[s], &scores);
        let asks = ops[s]
            .iter()
            .any(|op| matches!(*op, Op::Pair(i, _) if ctx.roles[i] != Role::Plain));
        if changes && evidence.strong == 0 && !asks && !pass.whole_file {
            return Err(refuse::no_anchor(&ctx, k));
        }
        if changes && margins[s] < MARGIN && !pass.whole_file {
            // Only the line numbers of a hunk header may decide between equals.
            if !hinted(&ctx, k, &ops[s]) {
                return Err(refuse::ambiguous(&ctx, k, &ops[s], &problem, s));
            }
        }
        if changes && !pass.whole_file && !script.strict {
            if let Some(insertion) = edges::insertion_only(&ctx, k, &ops[s]) {
                ops[s] = insertion;
            }
            edges::settle(&ctx, k, &mut ops[s])?;
            edges::unmatched_context(&ctx, k, &ops[s])?;
            edges::weak_bounds(&ctx, k, &ops[s])?;
        }
        edges::lift_blanks(&ctx, &mut ops[s]);
        let edge = Edge::of(&ctx, k, &ops[s]);
        for run in edges::removed_runs(&ctx, &ops[s]) {
            removed.push(run);
        }
        let numbers = (
            ctx.numbers[ctx.bounds[k].0],
            ctx.numbers[ctx.bounds[k].1 - 1],
        );
        placed.push(Placed {
            snippet: Span::new(numbers.0, numbers.1),
            after_line: edge.start,
            lines: edge.end - edge.start,
            by: if pass.whole_file {
                Placement::WholeFile
            } else if evidence.definition {
                Placement::Definition
            } else if evidence.unique {
                Placement::UniqueLines
            } else {
                Placement::Surroundings
            },
            margin: Some(margins[s]).filter(|&m| m < UNIQUE * 100),
        });
        edges.push(edge);
    }
    let mut writer = Writer::new(&ctx);
    // Floating segments between the others.
    let mut jobs: Vec<(usize, Job)> = edges
        .iter()
        .zip(&ops)
        .map(|(e, o)| (e.segment, Job::Aligned(*e, o.clone())))
        .collect();
    for k in (0..ctx.bounds.len()).filter(|&k| floating[k]) {
        let place = edges::float(&ctx, k, &edges)?;
        let (a, b) = ctx.bounds[k];
        placed.push(Placed {
            snippet: Span::new(ctx.numbers[a], ctx.numbers[b - 1]),
            after_line: place.line,
            lines: 0,
            by: place.by,
            margin: None,
        });
        jobs.push((k, Job::Floating(place)));
    }
    let at = |j: &Job| match j {
        Job::Aligned(e, _) => (e.start, e.end),
        Job::Floating(p) => (p.line, p.line),
    };
    jobs.sort_by_key(|(k, j)| (at(j).0, at(j).1, *k));
    placed.sort_by_key(|p| (p.after_line, p.snippet.start));
    for (k, job) in &jobs {
        match job {
            Job::Aligned(edge, list) => {
                misquoted += writer.segment(*k, *edge, list)?;
            }
            Job::Floating(p) => writer.floating(*k, p)?,
        }
    }
    Ok(Outcome {
        text: writer.finish(),
        placed,
        removed,
        misquoted,
    })
}

enum Job {
    Aligned(Edge, Vec<Op>),
    Floating(edges::Float),
}

fn prepare<'a>(
    pass: Pass<'a>,
    script: &'a Script,
    text: &'a Lines<'a>,
    file: &'a [Line<'a>],
    counts: &'a Counts,
) -> Ctx<'a> {
    let mut lines = Vec::new();
    let mut roles = Vec::new();
    let mut numbers = Vec::new();
    let mut bounds = Vec::new();
    for s in &script.segments {
        let a = lines.len();
        for item in &s.items {
            lines.push(Line::new(&item.text));
            roles.push(item.role);
            numbers.push(item.number);
        }
        bounds.push((a, lines.len()));
    }
    let m = lines.len();
    let mut ctx = Ctx {
        pass,
        script,
        text,
        file,
        counts,
        lines,
        roles,
        numbers,
        bounds,
        tab: 4,
        shifts: Vec::new(),
        guides: Guides::none(m),
    };
    let pairs = unique_pairs(&ctx);
    ctx.tab = tab_width(&ctx, &pairs);
    ctx.shifts = shifts(&ctx, &pairs);
    ctx
}

/// Lines that stand once on both sides, in the order of the snippet.
fn unique_pairs(ctx: &Ctx) -> Vec<(usize, usize)> {
    let snippet = line::counts(ctx.lines.iter());
    let mut place = std::collections::HashMap::new();
    for (j, l) in ctx.file.iter().enumerate() {
        if l.class == Class::Plain && ctx.counts.get(&l.hash) == Some(&1) {
            place.insert(l.hash, j);
        }
    }
    (0..ctx.lines.len())
        .filter(|&i| ctx.roles[i] != Role::Plus && snippet.get(&ctx.lines[i].hash) == Some(&1))
        .filter_map(|i| Some((i, *place.get(&ctx.lines[i].hash)?)))
        .collect()
}

/// How many blanks of one side make a tab of the other.
fn tab_width(ctx: &Ctx, pairs: &[(usize, usize)]) -> usize {
    let mut votes = [0usize; 9];
    for &(i, j) in pairs {
        let (a, b) = (ctx.lines[i].indent(), ctx.file[j].indent());
        let (tabs, blanks) = if b.bytes().all(|c| c == b'\t') && a.bytes().all(|c| c == b' ') {
            (b.len(), a.len())
        } else if a.bytes().all(|c| c == b'\t') && b.bytes().all(|c| c == b' ') {
            (a.len(), b.len())
        } else {
            continue;
        };
        if tabs > 0
            && blanks > 0
            && blanks % tabs == 0
            && let Some(v) = votes.get_mut(blanks / tabs)
        {
            *v += 1;
        }
    }
    (1..votes.len())
        .filter(|&w| votes[w] > 0)
        .max_by_key(|&w| (votes[w], std::cmp::Reverse(w)))
        .unwrap_or(4)
}

/// How far each segment has to be moved to the right, where its unique lines tell.
fn shifts(ctx: &Ctx, pairs: &[(usize, usize)]) -> Vec<Option<i32>> {
    let shift = |i: usize, j: usize| ctx.file_cols(j) - ctx.cols(i);
    let by_segment: Vec<Vec<(i32, i32)>> = ctx
        .bounds
        .iter()
        .map(|&(a, b)| {
            pairs
                .iter()
                .filter(|&&(i, _)| a <= i && i < b)
                .map(|&(i, j)| (ctx.cols(i), shift(i, j)))
                .collect()
        })
        .collect();
    by_segment
        .iter()
        .map(|d| {
            // Lines below may be moved or wrapped, the first stands where it stood.
            if d.first()?.1 == 0 {
                return Some(0);
            }
            // Inner lines may be wrapped or unwrapped, the outermost are not.
            let least = d.iter().map(|x| x.0).min()?;
            let outer: Vec<i32> = d.iter().filter(|x| x.0 == least).map(|x| x.1).collect();
            most(&outer)
        })
        .collect()
}

/// The most frequent value, the one nearest to zero among equals.
pub(crate) fn most(values: &[i32]) -> Option<i32> {
    values
        .iter()
        .copied()
        .max_by_key(|v| (values.iter().filter(|w| *w == v).count(), -v.abs(), *v))
}

/// Scores of all pairs of a snippet line with a file line.
fn scores(ctx: &Ctx) -> Vec<i16> {
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
        let cols = ctx.cols(i);
        if ctx.guides.new[i] {
            continue;
        }
        let row = &mut out[i * n..(i + 1) * n];
        let exact = role != Role::Plain;
        for j in low.min(n)..high.min(n) {
            let f = &ctx.file[j];
            let same = l.hash == f.hash && l.trimmed == f.trimmed;
            let mut score = if same {
                weight
            } else if l.class != Class::Blank && l.fold == f.fold {
                weight - 20
            } else if exact || l.class != Class::Plain || f.class != Class::Plain {
                continue;
            } else {
                let r = l.similarity(f);
                if r < 500 {
                    continue;
                }
                r * 12 / 100 - 20
            };
            let level = shift.is_none_or(|d| file_cols[j] == cols + d);
            if !level {
                match l.class {
                    Class::Blank => {}
                    // A closer at another depth closes something else.
                    Class::Punctuation => {
                        if exact && same {
                            score = 10;
                        } else {
                            continue;
                        }
                    }
                    _ => score -= 30,
                }
            }
            if range.is_some_and(|r| j < r.low || j >= r.high) {
                score -= 60;
            }
            row[j] = score as i16;
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

/// The lines at both ends of a segment are context as a rule: to take one that the file
/// has for a new line costs more the nearer it is to the end.
fn insert_costs(ctx: &Ctx, scores: &[i16]) -> Vec<i32> {
    let n = ctx.file.len();
    let mut costs: Vec<i32> = ctx
        .roles
        .iter()
        .map(|r| match r {
            Role::Plain | Role::Plus => align::INSERT,
            Role::Context | Role::Minus => align::NEVER,
        })
        .collect();
    for &(a, b) in &ctx.bounds {
        let mut charge = |i: usize, part: i32| {
            let known = scores[i * n..(i + 1) * n]
                .iter()
                .enumerate()
                .any(|(j, &p)| p != NO_PAIR && same_line(ctx, i, j));
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
fn prefer_runs(ctx: &Ctx, out: &mut [i16]) -> bool {
    let n = ctx.file.len();
    let mut any = false;
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
            any = true;
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
    any
}

/// Whether two alignments cover other lines of the file, and the first removes or changes
/// some: then neither is sure.
fn disagree(ctx: &Ctx, one: &[Vec<Op>], other: &[Vec<Op>]) -> Option<usize> {
    one.iter().zip(other).position(|(a, b)| {
        let (x, y) = (Edge::of(ctx, 0, a), Edge::of(ctx, 0, b));
        let takes = a.iter().any(|op| match *op {
            Op::Delete(j) => ctx.file[j].class != Class::Blank,
            Op::Pair(i, j) => !same_line(ctx, i, j),
            Op::Insert(_) => false,
        });
        takes && (x.start, x.end) != (y.start, y.end)
    })
}

/// Lines of a run that count.
const RUN: usize = 4;
/// What each of them is worth beyond its text.
const RUN_BONUS: i16 = 400;

struct Evidence {
    /// Sum of the weights of telling lines.
    strong: i32,
    unique: bool,
    definition: bool,
}

fn evidence(ctx: &Ctx, ops: &[Op], scores: &[i16]) -> Evidence {
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

/// Whether the hunk header's line number names the place that was found.
fn hinted(ctx: &Ctx, k: usize, ops: &[Op]) -> bool {
    let Some(hint) = ctx.script.segments[k].hint else {
        return false;
    };
    ops.iter()
        .find_map(|op| match op {
            Op::Pair(_, j) => Some(j + 1 == hint),
            _ => None,
        })
        .unwrap_or(false)
}

/// Each segment where it fits best, whatever the order.
fn apart(ctx: &Ctx, problem: &Problem) -> Result<(Vec<Vec<Op>>, Vec<i32>)> {
    let mut ops = Vec::new();
    let mut margins = Vec::new();
    let mut taken: Vec<(usize, usize)> = Vec::new();
    for (s, one) in problem.segments.iter().enumerate() {
        let single = Problem {
            segments: std::slice::from_ref(one),
            ..*problem
        };
        let Some(mut a) = single.solve(true) else {
            return Err(refuse::context_missing(ctx));
        };
        let list = a.ops.pop().unwrap_or_default();
        let lines = list.iter().filter_map(|op| match op {
            Op::Pair(_, j) | Op::Delete(j) => Some(*j),
            Op::Insert(_) => None,
        });
        let (x, y) = lines.fold((usize::MAX, 0), |(x, y), j| (x.min(j), y.max(j + 1)));
        if x < y {
            if taken.iter().any(|&(p, q)| x < q && p < y) {
                return Err(refuse::order(ctx, s));
            }
            taken.push((x, y));
        }
        ops.push(list);
        margins.push(a.margins.first().copied().unwrap_or(0));
    }
    Ok((ops, margins))
}

/// Puts the merged text together.
struct Writer<'c, 'a> {
    ctx: &'c Ctx<'a>,
    out: String,
    /// The next file line to keep, from 0.
    next: usize,
    eol: &'static str,
    tabs: bool,
}

impl<'c, 'a> Writer<'c, 'a> {
    fn new(ctx: &'c Ctx<'a>) -> Self {
        let (mut tabs, mut blanks) = (0usize, 0usize);
        for l in ctx.file {
            match l.raw.as_bytes().first() {
                Some(b'\t') => tabs += 1,
                Some(b' ') => blanks += 1,
                _ => {}
            }
        }
        Self {
            ctx,
            out: String::with_capacity(ctx.text.text().len() + 1024),
            next: 0,
            eol: ctx.text.majority_ending().as_str(),
            tabs: tabs > blanks,
        }
    }

    fn keep_to(&mut self, j: usize) {
        if j > self.next {
            self.break_line();
            let bytes = self.ctx.text.bytes(Span::new(self.next + 1, j));
            self.out.push_str(&self.ctx.text.text()[bytes]);
            self.next = j;
        }
    }

    /// A file whose last line has no line break gets one before more is added.
    fn break_line(&mut self) {
        if !self.out.is_empty() && !self.out.ends_with('\n') {
            self.out.push_str(self.eol);
        }
    }

    fn new_line(&mut self, text: &str) {
        self.break_line();
        self.out.push_str(text);
        self.out.push_str(self.eol);
    }

    fn last_is_blank(&self) -> bool {
        let t = self.out.strip_suffix('\n').unwrap_or(&self.out);
        t.rsplit('\n').next().is_none_or(|l| l.trim().is_empty())
    }

    fn last_line(&self) -> &str {
        let t = self.out.strip_suffix('\n').unwrap_or(&self.out);
        t.rsplit('\n').next().unwrap_or("").trim_end()
    }

    fn segment(&mut self, k: usize, edge: Edge, ops: &[Op]) -> Result<usize> {
        let ctx = self.ctx;
        if edge.start < self.next {
            return Err(refuse::order(ctx, k));
        }
        self.keep_to(edge.start);
        let segment = &ctx.script.segments[k];
        if edge.inserts_first
            && segment.blank_before > 0
            && !self.out.is_empty()
            && !self.last_is_blank()
            && !edges::opens(self.last_line())
        {
            self.new_line("");
        }
        let plan = Indents::of(ctx, k, ops)?;
        let slip = edges::slipped(ctx, ops, plan.shift);
        let mut misquoted = 0;
        for op in ops {
            match *op {
                Op::Delete(j) => self.next = self.next.max(j + 1),
                Op::Pair(i, j) => {
                    if ctx.roles[i] != Role::Minus {
                        let text = plan.text(ctx, i, self.tabs);
                        let keep = edges::keeps_file_text(ctx, k, i, j, ops);
                        misquoted += usize::from(keep == edges::Keep::Misquoted);
                        let shifted = plan.shifted(ctx, i, j) && !slip.contains(&i);
                        if keep != edges::Keep::Snippet && !shifted {
                            self.next = j;
                            self.keep_to(j + 1);
                        } else if keep != edges::Keep::Snippet {
                            let own = plan.indented(ctx, i, ctx.file[j].trimmed, self.tabs);
                            self.new_line(&own);
                        } else {
                            self.new_line(&text);
                        }
                    }
                    self.next = j + 1;
                }
                Op::Insert(i) => {
                    let text = plan.text(ctx, i, self.tabs);
                    self.new_line(&text);
                }
            }
        }
        self.next = self.next.max(edge.end);
        if edge.inserts_last && segment.blank_after > 0 {
            let below = ctx.file.get(self.next);
            if below.is_some_and(|l| l.class != Class::Blank && !edges::closes(l.trimmed))
                && !self.last_is_blank()
            {
                self.new_line("");
            }
        }
        Ok(misquoted)
    }

    fn floating(&mut self, k: usize, p: &edges::Float) -> Result<()> {
        let ctx = self.ctx;
        if p.line < self.next {
            return Err(refuse::order(ctx, k));
        }
        self.keep_to(p.line);
        let segment = &ctx.script.segments[k];
        let spaced = p.by != Placement::Imports;
        if spaced
            && !self.out.is_empty()
            && !self.last_is_blank()
            && !edges::opens(self.last_line())
        {
            for _ in 0..segment.blank_before.max(1) {
                self.new_line("");
            }
        }
        let plan = Indents::level(p.shift);
        let (a, b) = ctx.bounds[k];
        for i in a..b {
            let text = plan.text(ctx, i, self.tabs);
            self.new_line(&text);
        }
        let below = ctx.file.get(p.line);
        if spaced && below.is_some_and(|l| l.class != Class::Blank && !edges::closes(l.trimmed)) {
            self.new_line("");
        }
        Ok(())
    }

    fn finish(mut self) -> String {
        self.keep_to(self.ctx.file.len());
        let n = self.ctx.text.len();
        if n > 0
            && self.ctx.text.ending(n) == Ending::None
            && let Some(t) = self.out.strip_suffix(self.eol)
        {
            self.out.truncate(t.len());
        }
        self.out
    }
}

/// How a segment's lines are brought to the file's depth.
struct Indents {
    shift: i32,
    /// The snippet writes blanks where the file has tabs, or the reverse.
    convert: bool,
}

impl Indents {
    fn level(shift: i32) -> Self {
        Self {
            shift,
            convert: false,
        }
    }

    fn of(ctx: &Ctx, k: usize, ops: &[Op]) -> Result<Self> {
        let mut shifts = Vec::new();
        let mut minus = Vec::new();
        let mut convert = false;
        for op in ops {
            let Op::Pair(i, j) = *op else { continue };
            if matches!(ctx.lines[i].class, Class::Blank) || !same_line(ctx, i, j) {
                continue;
            }
            let d = ctx.file_cols(j) - ctx.cols(i);
            if ctx.roles[i] == Role::Minus {
                minus.push((d, i));
            } else {
                shifts.push((d, i));
            }
            let (a, b) = (ctx.lines[i].indent(), ctx.file[j].indent());
            convert |= a.contains('\t') != b.contains('\t') && !(a.is_empty() || b.is_empty());
        }
        let inserts = ops.iter().any(|op| match *op {
            Op::Insert(i) => ctx.lines[i].class != Class::Blank,
            Op::Pair(i, j) => !same_line(ctx, i, j),
            Op::Delete(_) => false,
        });
        let prefixed = ops.iter().any(|op| match *op {
            Op::Insert(i) | Op::Pair(i, _) => ctx.roles[i] == Role::Plus,
            Op::Delete(_) => false,
        });
        let context: Vec<i32> = shifts.iter().map(|s| s.0).collect();
        let removed: Vec<i32> = minus.iter().map(|s| s.0).collect();
        let shift = if prefixed {
            // The prefix takes a column of its own; context may or may not have it.
            match (most(&removed), most(&context)) {
                (Some(d), _) => d,
                (None, Some(-1)) => 0,
                (None, Some(d)) => d,
                (None, None) => 0,
            }
        } else if context.first().is_none_or(|&d| d == 0) {
            0
        } else {
            // A block that is only wrapped deeper is no dedented snippet: a dedented one
            // has a line of the file at its own least depth.
            let (a, b) = ctx.bounds[k];
            let least = (a..b)
                .filter(|&i| ctx.lines[i].class != Class::Blank)
                .map(|i| ctx.cols(i))
                .min()
                .unwrap_or(0);
            let outer: Vec<i32> = shifts
                .iter()
                .filter(|&&(_, i)| ctx.cols(i) == least)
                .map(|s| s.0)
                .collect();
            match outer.first() {
                Some(&d) if outer.iter().all(|&x| x == d) => d,
                None if context.iter().all(|&d| d < 0) => 0,
                None if context.iter().all(|&d| d == context[0]) => context[0],
                _ if !inserts => most(&context).unwrap_or(0),
                _ => return Err(refuse::indent(ctx, k)),
            }
        };
        Ok(Self { shift, convert })
    }

    /// Whether the merged line stands at another depth than the file's.
    fn shifted(&self, ctx: &Ctx, i: usize, j: usize) -> bool {
        if ctx.roles[i] == Role::Context || ctx.lines[i].class == Class::Blank {
            return false;
        }
        let d = ctx.file_cols(j) - ctx.cols(i);
        // The column of a diff's prefix.
        d != self.shift
            && !(ctx.script.segments[ctx.segment_of(i)]
                .items
                .iter()
                .any(|x| x.role != Role::Plain)
                && (d - self.shift).abs() <= 1)
    }

    fn text(&self, ctx: &Ctx, i: usize, tabs: bool) -> String {
        let l = &ctx.lines[i];
        if l.class == Class::Blank {
            return if self.shift == 0 && !self.convert {
                l.raw.to_string()
            } else {
                String::new()
            };
        }
        if self.shift == 0 && !self.convert {
            return l.raw.to_string();
        }
        let rest = l.raw.trim_start();
        self.indented(ctx, i, rest, tabs)
    }

    fn indented(&self, ctx: &Ctx, i: usize, rest: &str, tabs: bool) -> String {
        if self.shift == 0 && !self.convert {
            return format!("{}{rest}", ctx.lines[i].indent());
        }
        let cols = (ctx.cols(i) + self.shift).max(0) as usize;
        let mut out = String::with_capacity(cols + rest.len());
        if tabs {
            out.extend(std::iter::repeat_n('\t', cols / ctx.tab));
            out.extend(std::iter::repeat_n(' ', cols % ctx.tab));
        } else {
            out.extend(std::iter::repeat_n(' ', cols));
        }
        out.push_str(rest);
        out
    }
}

/// Candidate places of a segment: the file lines (from 0) at which it would start.
pub(crate) fn candidates(problem: &Problem, s: usize, first: usize) -> Vec<usize> {
    let mut found = vec![first];
    let mut pairs = problem.pairs.to_vec();
    let (a, b) = problem.segments[s];
    let one = [(a, b)];
    for _ in 0..2 {
        let single = Problem {
            segments: &one,
            pairs: &pairs,
            ..*problem
        };
        let Some(next) = single.solve(false) else {
            break;
        };
        let lines: Vec<usize> = next.ops[0]
            .iter()
            .filter_map(|op| match op {
                Op::Pair(_, j) => Some(*j),
                _ => None,
            })
            .collect();
        let (Some(&x), Some(&y)) = (lines.first(), lines.last()) else {
            break;
        };
        if !found.contains(&x) {
            found.push(x);
        }
        for i in a..b {
            pairs[i * problem.n + x..=i * problem.n + y].fill(align::NO_PAIR);
        }
    }
    found.sort_unstable();
    found.truncate(3);
    found
}
