//! The alignment of a snippet with a file: a dynamic program over their lines.
//!
//! It is the affine-gap alignment of Gotoh (1982) with two changes: at a marker any
//! number of file lines may be skipped for nothing, and a line may be paired with a file
//! line that differs from it. Scores are hundredths; a line that is unique on both sides
//! is worth [`UNIQUE`].

/// A line that stands once in the file and once in the snippet.
pub(crate) const UNIQUE: i32 = 300;

/// A snippet line that has no counterpart in the file.
pub(crate) const INSERT: i32 = -3;

/// The first and each further file line that the snippet leaves out within a segment.
const USUAL: (i32, i32) = (-90, -7);

/// The same inside a definition that the snippet gives whole.
const REWRITE: (i32, i32) = (-25, -1);

/// Never.
pub(crate) const NEVER: i32 = i32::MIN / 4;

/// No pair.
pub(crate) const NO_PAIR: i16 = i16::MIN;

/// What happens to a line of a segment or of the file's range it replaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Op {
    /// Snippet line (first) is file line (second).
    Pair(usize, usize),
    /// Snippet line without a counterpart.
    Insert(usize),
    /// File line that the segment leaves out.
    Delete(usize),
}

/// What the dynamic program needs to know. Indices count from 0.
pub(crate) struct Problem<'p> {
    /// Number of file lines.
    pub n: usize,
    /// First and last-plus-one snippet line of each segment, in order, none empty.
    pub segments: &'p [(usize, usize)],
    /// Score of each pair, row by row; [`NO_PAIR`] where there is none.
    pub pairs: &'p [i16],
    /// Per snippet line: the score of inserting it, [`NEVER`] where it may not be.
    pub inserts: &'p [i32],
    /// Per snippet line: may file lines be left out right after it?
    pub deletable: &'p [bool],
    /// Per snippet line: the file range of the whole definition it is in, if any.
    pub rewrites: &'p [Option<(usize, usize)>],
}

/// The best alignment.
pub(crate) struct Alignment {
    /// Operations per segment, in order.
    pub ops: Vec<Vec<Op>>,
    /// Per segment: by how much the whole alignment beats the best one in which the
    /// segment stands elsewhere.
    pub margins: Vec<i32>,
}

/// Below any score, whatever is added: what takes the place of [`NO_PAIR`].
const OUT: i32 = i32::MIN / 2;

/// The cell of a trace: the line before was left out, the line is paired, and with a file
/// line left out the one before it is as well.
const AFTER_GAP: u8 = 1;

const PAIRED: u8 = 2;

const LONGER: u8 = 4;

/// What it costs to leave out the file lines of a range: the first and each further one.
type Costs = (usize, usize, (i32, i32));

/// Scores by number of file lines consumed.
struct Row {
    /// Of the best alignment.
    best: Vec<i32>,
    /// Whether that one leaves out the last file line: [`AFTER_GAP`] or 0.
    gaps: Vec<u8>,
    /// Of one that does not.
    kept: Vec<i32>,
    /// Of one that does.
    left: Vec<i32>,
}

impl Row {
    fn new(start: &[i32]) -> Self {
        Self {
            best: start.to_vec(),
            gaps: vec![0; start.len()],
            kept: vec![NEVER; start.len()],
            left: vec![NEVER; start.len()],
        }
    }

    /// Takes a snippet line with the score of inserting it, and that of each pair of it with
    /// a file line.
    fn take(&mut self, insert: i32, pairs: impl Iterator<Item = i32>, trace: Option<&mut [u8]>) {
        let Some(first) = self.best.first() else {
            return;
        };
        if let Some(kept) = self.kept.first_mut() {
            *kept = (first + insert).max(NEVER);
        }
        let kept = self.kept.iter_mut().skip(1);
        let before = self.best.windows(2).zip(pairs);
        let Some(trace) = trace else {
            for (kept, (best, pair)) in kept.zip(before) {
                *kept = (best[1] + insert).max(best[0] + pair).max(NEVER);
            }
            return;
        };
        if let (Some(cell), Some(gap)) = (trace.first_mut(), self.gaps.first()) {
            *cell = *gap;
        }
        let cells = trace.iter_mut().skip(1).zip(self.gaps.windows(2));
        for ((kept, (best, pair)), (cell, gaps)) in kept.zip(before).zip(cells) {
            let inserted = (best[1] + insert).max(NEVER);
            let paired = best[0] + pair;
            *kept = inserted.max(paired);
            *cell = if paired > inserted {
                PAIRED | gaps[0]
            } else {
                gaps[1]
            };
        }
    }

    /// Goes on where no file line may be left out.
    fn close(&mut self) {
        std::mem::swap(&mut self.best, &mut self.kept);
        self.gaps.fill(0);
    }

    /// Goes on where file lines may be left out.
    fn leave_out(&mut self, costs: [Costs; 3], mut trace: Option<&mut [u8]>) {
        self.left.fill(NEVER);
        for (low, high, (open, more)) in costs {
            for j in low + 1..high + 1 {
                let opened = self.kept[j - 1] + open;
                let longer = self.left[j - 1] + more;
                self.left[j] = opened.max(longer).max(NEVER);
                if longer > opened
                    && let Some(trace) = trace.as_deref_mut()
                {
                    trace[j] |= LONGER;
                }
            }
        }
        for (j, best) in self.best.iter_mut().enumerate() {
            let (kept, left) = (self.kept[j], self.left[j]);
            *best = kept.max(left);
            self.gaps[j] = if left > kept { AFTER_GAP } else { 0 };
        }
    }
}

impl Problem<'_> {
    /// The best alignment; none if a line that must have a counterpart has none.
    pub fn solve(&self, ranges_for_margin: bool) -> Option<Alignment> {
        let width = self.n + 1;
        let mut starts: Vec<Vec<i32>> = Vec::with_capacity(self.segments.len());
        let mut sources: Vec<Vec<u32>> = Vec::with_capacity(self.segments.len());
        let mut traces: Vec<Vec<u8>> = Vec::with_capacity(self.segments.len());
        let mut end: Vec<i32> = vec![NEVER; width];
        end[0] = 0;
        for &(a, b) in self.segments {
            let (start, source) = prefix_max(&end);
            let mut trace = vec![0u8; (b - a) * width];
            end = self.run(&start, a, b, None, Some(&mut trace));
            starts.push(start);
            sources.push(source);
            traces.push(trace);
        }
        let mut best = (NEVER, self.n);
        for (j, &s) in end.iter().enumerate() {
            if s > best.0 {
                best = (s, j);
            }
        }
        if best.0 <= NEVER / 2 {
            return None;
        }
        let mut ops = vec![Vec::new(); self.segments.len()];
        let mut j = best.1;
        for (k, &(a, b)) in self.segments.iter().enumerate().rev() {
            let mut list = Vec::new();
            let mut i = b;
            let mut deleting = false;
            while i > a {
                let cell = traces[k][(i - 1 - a) * width + j];
                if deleting {
                    list.push(Op::Delete(j - 1));
                    deleting = cell & LONGER != 0;
                    j -= 1;
                    continue;
                }
                if cell & PAIRED != 0 {
                    list.push(Op::Pair(i - 1, j - 1));
                    j -= 1;
                } else {
                    list.push(Op::Insert(i - 1));
                }
                deleting = cell & AFTER_GAP != 0;
                i -= 1;
            }
            list.reverse();
            ops[k] = list;
            j = sources[k][j] as usize;
        }
        let margins = if ranges_for_margin {
            self.margins(&starts, &ops, best.0)
        } else {
            Vec::new()
        };
        Some(Alignment { ops, margins })
    }

    /// One segment from the scores before it to the scores behind it. With a mask, pairs
    /// with file lines in the masked range are out.
    fn run(
        &self,
        start: &[i32],
        a: usize,
        b: usize,
        mask: Option<(usize, usize)>,
        mut trace: Option<&mut Vec<u8>>,
    ) -> Vec<i32> {
        let width = self.n + 1;
        let mut row = Row::new(start);
        for i in a..b {
            let masked = mask.map_or(0..0, |(x, y)| x..y);
            let pairs = self.pairs(i).enumerate();
            let pairs = pairs.map(|(j, p)| if masked.contains(&j) { OUT } else { p });
            let mut cells = trace
                .as_deref_mut()
                .map(|t| &mut t[(i - a) * width..(i - a + 1) * width]);
            row.take(self.inserts[i], pairs, cells.as_deref_mut());
            if self.deletable[i] && i + 1 < b {
                row.leave_out(self.costs(i), cells);
            } else {
                row.close();
            }
        }
        row.best
    }

    /// The scores of a snippet line's pairs with the file's lines.
    fn pairs(&self, i: usize) -> impl DoubleEndedIterator<Item = i32> {
        let row = &self.pairs[i * self.n..(i + 1) * self.n];
        row.iter().map(|&p| match p {
            NO_PAIR => OUT,
            p => i32::from(p),
        })
    }

    /// What it costs to leave out file lines behind a snippet line.
    fn costs(&self, i: usize) -> [Costs; 3] {
        let (x, y) = self.rewrites[i].unwrap_or_default();
        let (x, y) = (x.min(self.n), y.min(self.n));
        [(0, x, USUAL), (x, y, REWRITE), (y, self.n, USUAL)]
    }

    /// Per segment the distance to the best alignment that places it elsewhere.
    fn margins(&self, starts: &[Vec<i32>], ops: &[Vec<Op>], best: i32) -> Vec<i32> {
        let width = self.n + 1;
        // Best score of all segments behind segment k, from file position j on.
        let mut after: Vec<Vec<i32>> = vec![Vec::new(); self.segments.len()];
        let mut tail = vec![0; width];
        for k in (0..self.segments.len()).rev() {
            after[k] = tail.clone();
            let (a, b) = self.segments[k];
            tail.reverse();
            tail = self.run_back(&tail, a, b);
            tail.reverse();
            for j in (0..width - 1).rev() {
                tail[j] = tail[j].max(tail[j + 1]);
            }
        }
        let mut margins = Vec::with_capacity(self.segments.len());
        for (k, &(a, b)) in self.segments.iter().enumerate() {
            let lines = ops[k].iter().filter_map(|op| match op {
                Op::Pair(_, j) | Op::Delete(j) => Some(*j),
                Op::Insert(_) => None,
            });
            let (mut x, mut y) = (usize::MAX, 0);
            for j in lines {
                x = x.min(j);
                y = y.max(j + 1);
            }
            if x == usize::MAX {
                margins.push(i32::MAX);
                continue;
            }
            let end = self.run(&starts[k], a, b, Some((x, y)), None);
            let other = end
                .iter()
                .zip(&after[k])
                .map(|(e, t)| e.saturating_add(*t))
                .max()
                .unwrap_or(NEVER);
            margins.push(best.saturating_sub(other.max(NEVER)));
        }
        margins
    }

    /// As [`Problem::run`], with the segment and the file read backwards.
    fn run_back(&self, start: &[i32], a: usize, b: usize) -> Vec<i32> {
        let mut row = Row::new(start);
        for i in (a..b).rev() {
            row.take(self.inserts[i], self.pairs(i).rev(), None);
            // Left out before line i means left out after line i - 1.
            match i.checked_sub(1).filter(|&h| h >= a && self.deletable[h]) {
                Some(before) => {
                    let mirrored = |(low, high, cost)| (self.n - high, self.n - low, cost);
                    let [x, y, z] = self.costs(before).map(mirrored);
                    row.leave_out([z, y, x], None);
                }
                None => row.close(),
            }
        }
        row.best
    }
}

/// At each place the best score at or before it, and where that stood.
fn prefix_max(scores: &[i32]) -> (Vec<i32>, Vec<u32>) {
    let mut best = Vec::with_capacity(scores.len());
    let mut source = Vec::with_capacity(scores.len());
    let mut top = (NEVER, 0u32);
    for (j, &s) in scores.iter().enumerate() {
        if s > top.0 {
            top = (s, j as u32);
        }
        best.push(top.0);
        source.push(top.1);
    }
    (best, source)
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
            pairs[i * problem.n + x..=i * problem.n + y].fill(NO_PAIR);
        }
    }
    found.sort_unstable();
    found.truncate(3);
    found
}
