//! What a pass knows of its file and its snippet, line by line.

use std::collections::BTreeSet;

use super::align::{Op, UNIQUE};
use super::guides::Guides;
use crate::apply::lines::constants::{self, Value};
use crate::apply::lines::line::{self, Class, Counts, Line};
use crate::apply::lines::shape::{condition, net_brackets, opens, out_of_use};
use crate::apply::lines::words::{Substitution, Swap, phrase, substituted, word_at};
use crate::apply::snippet::script::{Role, Script};
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
    /// The values that snippet lines give names, looked for once.
    pub values: std::cell::OnceCell<Vec<Value<'a>>>,
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
        if self.replaced.iter().any(again) || self.is_extracted(i, j) {
            return true;
        }
        self.shown_elsewhere(i, j, substituted)
    }
    /// Whether snippet line `i` is file line `j` but for the names of constants in the places of
    /// values that other lines of the snippet give them.
    pub fn is_extracted(&self, i: usize, j: usize) -> bool {
        let values = self.values.get_or_init(|| constants::values(&self.lines));
        constants::extracted(values, i, self.lines[i].trimmed, self.file[j].trimmed)
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
    /// Whether the edit takes out or changes all lines of the file that use a word, other than these lines,
    /// and gives none that does.
    pub fn gives_up(&self, word: &str, but: &std::ops::Range<usize>) -> bool {
        let says = |l: &Line| word_at(l.trimmed, word).is_some();
        let mut gone = self.touched.iter().filter(|j| !but.contains(j));
        gone.any(|j| says(&self.file[*j])) && !self.uses(word, but) && !self.lines.iter().any(says)
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

/// Whether a pair is one line on both sides, and not a blank one.
pub(crate) fn anchors(ctx: &Ctx, op: &Op) -> bool {
    matches!(*op, Op::Pair(i, j) if ctx.lines[i].class != Class::Blank && same_line(ctx, i, j))
}
