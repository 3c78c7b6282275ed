//! What a pass knows of its file and its snippet, line by line.

use std::collections::BTreeSet;

use super::align::{Op, UNIQUE};
use super::facts::Facts;
use super::guide::{Guides, word_at};
use super::line::{self, Class, Counts, Line};
use super::shape::{condition, net_brackets, opens, out_of_use, starts_comment};
use super::snippet::{Role, Script};
use super::substitution::{Substitution, Swap, extracted, phrase, substituted};
use crate::text::Lines;

/// What a line next to a marker does, where the lines themselves leave it open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reading {
    /// It replaces the file's line.
    Replaces,
    /// It stands beside it.
    Joins,
}

/// Options of one pass.
#[derive(Clone, Copy)]
pub(crate) struct Pass<'a> {
    pub path: &'a str,
    /// Segments may go where they fit best, whatever their order.
    pub reorder: bool,
    /// How to take a line that may replace one of the file or stand beside it.
    pub reading: Option<Reading>,
    /// What opens a comment in the file's language.
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
    /// So many columns of the file are so many of the snippet.
    pub scale: (i32, i32),
    /// The snippet writes blanks for the file's tabs, or the reverse.
    pub swapped: bool,
    /// Columns to add to each segment's lines, where its unique lines agree.
    pub shifts: Vec<Option<i32>>,
    /// Whether all of a segment's unique lines, of which there are some, do.
    pub steady: Vec<bool>,
    pub guides: Guides,
    /// Words that the edit replaces throughout, and snippet lines that show it.
    pub substitutions: Vec<(Substitution, usize)>,
    /// Snippet lines that surely take the place of file lines.
    pub replaced: Vec<(usize, usize)>,
    /// Lines (by their hashes) that the edit surely takes out somewhere for others.
    pub taken: BTreeSet<u64>,
    /// The file's lines that the edit takes out or changes where its parts were found.
    pub touched: BTreeSet<usize>,
    /// Names that changed lines lose which the snippet has nowhere.
    pub swapped_names: Vec<Swap>,
    /// The values that snippet lines give names, looked for once: line, name, value.
    pub values: std::cell::OnceCell<Vec<(usize, &'a str, &'a str)>>,
    /// What lines begin with that the edit surely puts in.
    pub joined: Vec<String>,
    /// The file's lines that what the segment at hand gives takes up: imports beside new ones,
    /// and the rest of a definition.
    pub superseded: std::cell::RefCell<Vec<usize>>,
    /// How many lines the reading has decided.
    pub decided: std::cell::Cell<usize>,
}

impl<'a> Ctx<'a> {
    pub fn file_cols(&self, j: usize) -> i32 {
        self.file
            .get(j)
            .map_or(0, |l| line::columns(l.indent(), self.tab) as i32)
    }
    /// The column, as the file counts, of what the snippet indents so.
    pub fn snippet_cols(&self, indent: &str) -> i32 {
        let (file, snippet) = self.scale;
        line::columns(indent, self.tab) as i32 * file / snippet
    }
    pub fn cols(&self, i: usize) -> i32 {
        self.snippet_cols(self.lines[i].indent())
    }
    /// The reading to take for a line that may replace one of the file or stand beside it.
    pub fn reading(&self) -> Option<Reading> {
        self.decided.set(self.decided.get() + 1);
        self.pass.reading
    }
    /// Whether a snippet line is a file line but for a word that the edit replaces throughout or a
    /// value that it gives a name, or takes the place of such a line elsewhere.
    pub fn is_substituted(&self, i: usize, j: usize) -> bool {
        let again = |&(x, y): &(usize, usize)| {
            x != i && self.lines[x].same(&self.lines[i]) && self.file[y].same(&self.file[j])
        };
        if self.replaced.iter().any(again) || extracted(self, i, j) {
            return true;
        }
        self.shown_elsewhere(i, j, substituted)
    }
    /// The same for a phrase, which says less: two lines may differ by one that differ otherwise,
    /// too.
    pub fn is_rephrased(&self, i: usize, j: usize) -> bool {
        self.is_substituted(i, j) || self.shown_elsewhere(i, j, phrase)
    }
    /// Whether a snippet line other than those of `but` shows that one is a file line, rephrased.
    pub fn is_rephrased_beyond(&self, i: usize, j: usize, but: &[usize]) -> bool {
        let found = phrase(self.file[j].trimmed, self.lines[i].trimmed)
            .or_else(|| substituted(self.file[j].trimmed, self.lines[i].trimmed));
        self.is_rephrased(i, j)
            && found.is_none_or(|found| {
                let mut by = self
                    .substitutions
                    .iter()
                    .filter(|s| s.0 == found)
                    .peekable();
                by.peek().is_none() || by.any(|s| !but.contains(&s.1))
            })
    }
    fn shown_elsewhere(
        &self,
        i: usize,
        j: usize,
        difference: impl Fn(&str, &str) -> Option<Substitution>,
    ) -> bool {
        !self.substitutions.is_empty()
            && difference(self.file[j].trimmed, self.lines[i].trimmed)
                .is_some_and(|found| self.substitutions.iter().any(|s| s.0 == found && s.1 != i))
    }
    /// Whether a line has the word that takes the place of one that another has.
    pub fn renames(&self, new: &Line, old: &Line) -> bool {
        self.substitutions.iter().any(|((was, is), _)| {
            !was.is_empty()
                && word_at(old.trimmed, was).is_some()
                && word_at(new.trimmed, is).is_some()
        })
    }
    /// Whether a line of the file has a name that the edit takes out of another one for good, and a
    /// snippet line has what that one gets.
    pub fn swaps(&self, i: usize, j: usize) -> bool {
        let (new, old) = (self.lines[i].trimmed, self.file[j].trimmed);
        self.swapped_names.iter().any(|(lost, gained, by)| {
            *by != i
                && word_at(old, lost).is_some()
                && gained.iter().any(|g| word_at(new, g).is_some())
        })
    }
    /// Whether a line of the file that stays as it is has a word, other than these lines.
    pub fn uses(&self, word: &str, but: &std::ops::Range<usize>) -> bool {
        (0..self.file.len())
            .filter(|j| !but.contains(j) && !self.touched.contains(j))
            .any(|j| word_at(self.file[j].trimmed, word).is_some())
    }
    /// Whether an operation finds a line that says something in the file, where it stands once.
    pub fn stands_there(&self, op: &Op) -> bool {
        matches!(*op, Op::Pair(i, j) if self.lines[i].class == Class::Plain
            && self.counts.get(&self.file[j].hash) == Some(&1)
            && same_line(self, i, j))
    }

    /// Whether an operation is about a line that is not blank.
    pub fn is_told(&self, op: &Op) -> bool {
        match *op {
            Op::Pair(i, _) | Op::Insert(i) => self.lines[i].class != Class::Blank,
            Op::Delete(j) => self.file[j].class != Class::Blank,
        }
    }
    /// Whether an operation puts a line that says something in, takes one out or changes one.
    pub fn changes(&self, op: &Op) -> bool {
        self.is_told(op) && !matches!(*op, Op::Pair(i, j) if same_line(self, i, j))
    }
    /// Whether an operation takes a line out of the file, or changes one.
    pub fn takes(&self, op: &Op) -> bool {
        match *op {
            Op::Delete(j) => self.file[j].class != Class::Blank,
            Op::Pair(i, j) => !same_line(self, i, j),
            Op::Insert(_) => false,
        }
    }
    /// The first line below file line `j` that is not deeper: where the block ends that it opens.
    pub fn out_of(&self, j: usize) -> Option<usize> {
        let depth = self.file_cols(j);
        let told = |n: usize| {
            self.file[n].class != Class::Blank && condition(self.file[n].trimmed).is_none()
        };
        (j + 1..self.file.len()).find(|&n| told(n) && self.file_cols(n) <= depth)
    }
    /// Whether each marker between a header and a snippet line below it is deeper than the header: the
    /// line is in its block still.
    pub fn is_inside(&self, header: usize, i: usize) -> bool {
        (self.segment_of(header)..self.segment_of(i)).all(|s| {
            let indent = &self.script.segments[s].marker_indent;
            self.snippet_cols(indent) > self.cols(header)
        })
    }
    /// Whether a snippet line goes on with the one above it, of a segment that begins at line `a`,
    /// inside of brackets: it may stand below what they hold, however long the text before them is.
    pub fn hangs(&self, i: usize, a: usize) -> bool {
        let above = (a..i).next_back().map(|x| self.lines[x].trimmed);
        above.is_some_and(|t| net_brackets(t) > 0 && !opens(t))
    }
    /// Whether a line of the file stays in its place: it is not blank, and nothing that the
    /// segment at hand gives takes it up.
    pub fn stays(&self, j: usize) -> bool {
        self.file[j].class != Class::Blank && !self.superseded.borrow().contains(&j)
    }
    /// Whether a guide holds a snippet line for a file line.
    pub fn is_guided(&self, i: usize, j: usize) -> bool {
        self.guides.pairs.iter().any(|p| (p.0, p.1) == (i, j))
    }
    /// Whether lines are paired of which one is the other, commented out.
    pub fn puts_out_of_use(&self, ops: &[Op]) -> bool {
        let off = |i: usize, j: usize| out_of_use(self.lines[i].trimmed, self.file[j].trimmed);
        ops.iter()
            .any(|op| matches!(*op, Op::Pair(i, j) if off(i, j)))
    }
    pub fn segment_of(&self, i: usize) -> usize {
        self.bounds.partition_point(|&(_, b)| b <= i)
    }
    /// Weight of a snippet line that stands in the file as it is.
    pub fn weight(&self, i: usize, snippet: &Counts) -> i32 {
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

pub(crate) fn prepare<'a>(pass: Pass<'a>, script: &'a Script, file: &'a Facts<'a>) -> Ctx<'a> {
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
        text: &file.lines,
        file: &file.records,
        counts: &file.counts,
        lines,
        roles,
        numbers,
        bounds,
        tab: 4,
        scale: (1, 1),
        swapped: false,
        shifts: Vec::new(),
        steady: Vec::new(),
        guides: Guides::none(m),
        substitutions: Vec::new(),
        replaced: Vec::new(),
        taken: BTreeSet::new(),
        touched: BTreeSet::new(),
        swapped_names: Vec::new(),
        values: std::cell::OnceCell::new(),
        joined: Vec::new(),
        superseded: std::cell::RefCell::default(),
        decided: std::cell::Cell::new(0),
    };
    let pairs = unique_pairs(&ctx);
    ctx.tab = tab_width(&ctx, &pairs);
    ctx.scale = scale(&ctx, &pairs);
    ctx.swapped = is_swapped(&ctx, &pairs);
    ctx.shifts = shifts(&ctx, &pairs);
    ctx.steady = steady(&ctx, &pairs);
    ctx
}

/// Lines that stand once on both sides, in the order of the snippet.
fn unique_pairs(ctx: &Ctx) -> Vec<(usize, usize)> {
    let snippet = line::counts(ctx.lines.iter());
    let mut place = line::Counts::default();
    for (j, l) in (0..).zip(ctx.file) {
        if l.class == Class::Plain
            && snippet.get(&l.hash) == Some(&1)
            && ctx.counts.get(&l.hash) == Some(&1)
        {
            place.insert(l.hash, j);
        }
    }
    (0..ctx.lines.len())
        .filter(|&i| ctx.roles[i] != Role::Plus)
        .filter_map(|i| Some((i, *place.get(&ctx.lines[i].hash)? as usize)))
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

/// Whether the snippet indents by twice or half of what the file does, as lines of several
/// depths show that stand on both sides, or of one and what all depths have in common; where none but
/// the margin is on both sides, by how much deeper blocks are than their headers.
fn scale(ctx: &Ctx, pairs: &[(usize, usize)]) -> (i32, i32) {
    let mut depths: Vec<(i32, i32)> = pairs
        .iter()
        .map(|&(i, j)| (ctx.file_cols(j), ctx.cols(i)))
        .collect();
    depths.sort_unstable();
    depths.dedup();
    let outer = depths.contains(&(0, 0));
    let inner = depths.len() - usize::from(outer);
    // Comments that go on are a column deeper.
    let code = |l: &Line| {
        let comment = starts_comment(l.trimmed) || l.trimmed.starts_with('*');
        l.class != Class::Blank && !comment
    };
    let here = || {
        let lines = (0..ctx.lines.len()).filter(|&i| code(&ctx.lines[i]));
        unit(lines.map(|i| ctx.cols(i)))
    };
    let there = || {
        let lines = (0..ctx.file.len()).filter(|&j| code(&ctx.file[j]));
        unit(lines.map(|j| ctx.file_cols(j)))
    };
    let stepped = |file: i32, snippet: i32| {
        let (Some(here), Some(there)) = (
            step(&ctx.lines, |i| ctx.cols(i), |n, all| n == all),
            step(
                ctx.file,
                |j| ctx.file_cols(j),
                |n, all| all >= STEPS && n * 10 >= all * 9,
            ),
        ) else {
            return false;
        };
        there * snippet == here * file
    };
    [(1, 2), (2, 1)]
        .into_iter()
        .find(|&(file, snippet)| {
            depths.iter().all(|(f, s)| f * snippet == s * file)
                && match inner {
                    0 => (outer || depths.is_empty()) && stepped(file, snippet),
                    1 => outer && there() * snippet == here() * file,
                    _ => true,
                }
        })
        .unwrap_or((1, 1))
}

/// So many blocks show how a file is indented.
const STEPS: usize = 5;

/// By how many columns blocks are deeper than their headers: all, or as many of all as `enough` says.
fn step(
    lines: &[Line],
    cols: impl Fn(usize) -> i32,
    enough: impl Fn(usize, usize) -> bool,
) -> Option<i32> {
    let told: Vec<usize> = (0..lines.len())
        .filter(|&i| lines[i].class != Class::Blank)
        .collect();
    let opens = |i: usize| lines[i].trimmed.ends_with(['{', ':']);
    let steps = told.windows(2).filter(|w| opens(w[0]));
    let steps: Vec<i32> = steps
        .map(|w| cols(w[1]) - cols(w[0]))
        .filter(|&n| n > 0)
        .collect();
    // A label such as `public:` may stand a column deeper than its class.
    let most = most(&steps).filter(|n| n % 2 == 0)?;
    let times = steps.iter().filter(|n| **n == most).count();
    enough(times, steps.len()).then_some(most)
}

/// What all depths are a multiple of.
fn unit(depths: impl Iterator<Item = i32>) -> i32 {
    depths.fold(0, |mut a, mut b| {
        while b != 0 {
            (a, b) = (b, a % b);
        }
        a
    })
}

/// Whether the snippet writes all its indentation in blanks where the file has tabs, or the
/// reverse, as a line that stands on both sides shows: then each of its lines does.
fn is_swapped(ctx: &Ctx, pairs: &[(usize, usize)]) -> bool {
    let all = |blank: u8| {
        let mut indents = ctx.lines.iter().map(Line::indent);
        indents.all(|indent| indent.bytes().all(|b| b == blank))
    };
    let shows = |blank: char, other: char| {
        pairs.iter().any(|&(i, j)| {
            ctx.lines[i].indent().starts_with(blank) && ctx.file[j].indent().starts_with(other)
        })
    };
    all(b' ') && shows(' ', '\t') || all(b'\t') && shows('\t', ' ')
}

/// Whether a part's first line stands at the margin and not in the file, although the next line stands
/// as deep as it does there: only the start of the first line was not copied.
pub(crate) fn lost_its_indent(ctx: &Ctx, a: usize, pairs: &[(usize, usize)]) -> bool {
    let Some(&(_, j)) = pairs.iter().find(|p| p.0 == a) else {
        return false;
    };
    let told = |l: &Line| l.class != Class::Blank;
    let new = (a + 1..ctx.lines.len()).find(|&x| told(&ctx.lines[x]));
    let old = (j + 1..ctx.file.len()).find(|&y| told(&ctx.file[y]));
    ctx.cols(a) == 0
        && ctx.file_cols(j) > 0
        && matches!((new, old), (Some(x), Some(y)) if ctx.lines[x].same(&ctx.file[y])
            && ctx.cols(x) == ctx.file_cols(y))
}

/// Whether the lines of each segment that stand once on both sides, of which there are some, are all as
/// much deeper in the file.
fn steady(ctx: &Ctx, pairs: &[(usize, usize)]) -> Vec<bool> {
    let segments = ctx.bounds.iter().map(|&(a, b)| {
        let own = pairs.iter().filter(|p| (a..b).contains(&p.0));
        let mut shifts = own.map(|&(i, j)| ctx.file_cols(j) - ctx.cols(i));
        shifts
            .next()
            .is_some_and(|first| shifts.all(|s| s == first))
    });
    segments.collect()
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
                .filter(|&&(i, _)| a <= i && i < b && !ctx.hangs(i, a))
                .map(|&(i, j)| (ctx.cols(i), shift(i, j)))
                .collect()
        })
        .collect();
    by_segment
        .iter()
        .zip(&ctx.bounds)
        .map(|(d, &(a, b))| {
            if d.is_empty() {
                return repeated_shift(ctx, a, b);
            }
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

/// How far a segment has to be moved whose lines all stand in the file more than once: the
/// shift of those that stand at one depth there.
fn repeated_shift(ctx: &Ctx, a: usize, b: usize) -> Option<i32> {
    let mut votes = Vec::new();
    for i in (a..b).filter(|&i| ctx.lines[i].class == Class::Plain) {
        if ctx.roles[i] == Role::Plus || !ctx.counts.contains_key(&ctx.lines[i].hash) {
            continue;
        }
        let mut there = (0..ctx.file.len()).filter(|&j| ctx.lines[i].same(&ctx.file[j]));
        let first = there.next().map(|j| ctx.file_cols(j));
        if let Some(cols) = first
            && there.all(|j| ctx.file_cols(j) == cols)
        {
            votes.push(cols - ctx.cols(i));
        }
    }
    if votes.is_empty() && as_deep(ctx, a, b) {
        return Some(0);
    }
    most(&votes)
}

/// Whether each line of a segment that the file has stands there as deep, too.
fn as_deep(ctx: &Ctx, a: usize, b: usize) -> bool {
    let known = |i: &usize| {
        let l = &ctx.lines[*i];
        l.class == Class::Plain && ctx.counts.contains_key(&l.hash)
    };
    let there =
        |i: usize, j: usize| ctx.lines[i].same(&ctx.file[j]) && ctx.file_cols(j) == ctx.cols(i);
    let mut known = (a..b).filter(known).peekable();
    known.peek().is_some() && known.all(|i| (0..ctx.file.len()).any(|j| there(i, j)))
}

/// The most frequent value, the one nearest to zero among equals.
pub(crate) fn most(values: &[i32]) -> Option<i32> {
    values
        .iter()
        .copied()
        .max_by_key(|v| (values.iter().filter(|w| *w == v).count(), -v.abs(), *v))
}
