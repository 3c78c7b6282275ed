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
const DELETE_OPEN: i32 = -90;
const DELETE_MORE: i32 = -7;
/// The same inside a definition that the snippet gives whole.
const REWRITE_OPEN: i32 = -25;
const REWRITE_MORE: i32 = -1;
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
    /// Whether file lines before the first and behind the last segment are kept.
    pub open_start: bool,
    /// See `open_start`.
    pub open_end: bool,
}

/// The best alignment.
pub(crate) struct Alignment {
    /// Operations per segment, in order.
    pub ops: Vec<Vec<Op>>,
    /// Per segment: by how much the whole alignment beats the best one in which the
    /// segment stands elsewhere.
    pub margins: Vec<i32>,
}

struct Rows {
    /// Scores by number of file lines consumed.
    m: Vec<i32>,
    d: Vec<i32>,
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
        for (k, &(a, b)) in self.segments.iter().enumerate() {
            let (start, source) = if k == 0 && !self.open_start {
                (end.clone(), (0..width as u32).collect())
            } else {
                prefix_max(&end)
            };
            let mut trace = vec![0u8; (b - a) * width];
            end = self.run(&start, a, b, None, Some(&mut trace));
            starts.push(start);
            sources.push(source);
            traces.push(trace);
        }
        let mut best = (NEVER, self.n);
        if self.open_end {
            for (j, &s) in end.iter().enumerate() {
                if s > best.0 {
                    best = (s, j);
                }
            }
        } else {
            best = (end[self.n], self.n);
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
                    deleting = cell & 0x20 != 0;
                    j -= 1;
                    continue;
                }
                if cell & 2 != 0 {
                    list.push(Op::Pair(i - 1, j - 1));
                    j -= 1;
                } else {
                    list.push(Op::Insert(i - 1));
                }
                deleting = cell & 1 != 0;
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
        let mut rows = Rows {
            m: start.to_vec(),
            d: vec![NEVER; width],
        };
        let mut next = Rows {
            m: vec![NEVER; width],
            d: vec![NEVER; width],
        };
        for i in a..b {
            let insert = self.inserts[i];
            let last = i + 1 == b;
            let deletable = self.deletable[i] && !last;
            let pairs = &self.pairs[i * self.n..(i + 1) * self.n];
            let rewrite = self.rewrites[i];
            for j in 0..width {
                // Inserted before file line j, or paired with file line j - 1.
                let (from_m, from_d) = (rows.m[j], rows.d[j]);
                let mut score = from_m.max(from_d).saturating_add(insert).max(NEVER);
                let mut cell = u8::from(from_d > from_m);
                if j > 0 {
                    let p = pairs[j - 1];
                    let masked = mask.is_some_and(|(x, y)| x < j && j <= y);
                    if p != NO_PAIR && !masked {
                        let (from_m, from_d) = (rows.m[j - 1], rows.d[j - 1]);
                        let with = from_m.max(from_d) + i32::from(p);
                        if with > score {
                            score = with;
                            cell = 2 | u8::from(from_d > from_m);
                        }
                    }
                }
                next.m[j] = score.max(NEVER);
                next.d[j] = NEVER;
                if deletable && j > 0 {
                    let (open, more) = match rewrite {
                        Some((x, y)) if x < j && j <= y => (REWRITE_OPEN, REWRITE_MORE),
                        _ => (DELETE_OPEN, DELETE_MORE),
                    };
                    let (opened, longer) = (next.m[j - 1] + open, next.d[j - 1] + more);
                    // bit 0x20: the file line before is left out as well
                    if longer > opened {
                        next.d[j] = longer.max(NEVER);
                        cell |= 0x20;
                    } else {
                        next.d[j] = opened.max(NEVER);
                    }
                }
                if let Some(t) = trace.as_deref_mut() {
                    t[(i - a) * width + j] = cell;
                }
            }
            std::mem::swap(&mut rows, &mut next);
        }
        rows.m
    }

    /// Per segment the distance to the best alignment that places it elsewhere.
    fn margins(&self, starts: &[Vec<i32>], ops: &[Vec<Op>], best: i32) -> Vec<i32> {
        let width = self.n + 1;
        // Best score of all segments behind segment k, from file position j on.
        let mut after: Vec<Vec<i32>> = vec![Vec::new(); self.segments.len()];
        let mut tail = vec![if self.open_end { 0 } else { NEVER }; width];
        tail[self.n] = 0;
        for k in (0..self.segments.len()).rev() {
            after[k] = tail.clone();
            let (a, b) = self.segments[k];
            let reversed = self.reversed(a, b);
            let start: Vec<i32> = tail.iter().rev().copied().collect();
            let back = reversed.run(&start, 0, b - a, None, None);
            tail = back.iter().rev().copied().collect();
            if k > 0 || self.open_start {
                for j in (0..width - 1).rev() {
                    tail[j] = tail[j].max(tail[j + 1]);
                }
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

    /// The same segment read backwards, over the file read backwards.
    fn reversed(&self, a: usize, b: usize) -> Reversed<'_> {
        Reversed {
            problem: self,
            a,
            b,
        }
    }
}

struct Reversed<'p> {
    problem: &'p Problem<'p>,
    a: usize,
    b: usize,
}

impl Reversed<'_> {
    fn run(
        &self,
        start: &[i32],
        _a: usize,
        _b: usize,
        _mask: Option<(usize, usize)>,
        _trace: Option<&mut Vec<u8>>,
    ) -> Vec<i32> {
        let p = self.problem;
        let n = p.n;
        let width = n + 1;
        let mut m = start.to_vec();
        let mut d = vec![NEVER; width];
        let mut next_m = vec![NEVER; width];
        let mut next_d = vec![NEVER; width];
        for i in (self.a..self.b).rev() {
            let insert = p.inserts[i];
            // Left out before line i means left out after line i - 1.
            let before = i.checked_sub(1).filter(|&h| h >= self.a);
            let deletable = before.is_some_and(|h| p.deletable[h]);
            let rewrite = before.and_then(|h| p.rewrites[h]);
            let pairs = &p.pairs[i * n..(i + 1) * n];
            for j in 0..width {
                let mut score = m[j].max(d[j]).saturating_add(insert).max(NEVER);
                if j > 0 {
                    let q = pairs[n - j];
                    if q != NO_PAIR {
                        score = score.max(m[j - 1].max(d[j - 1]) + i32::from(q));
                    }
                }
                next_m[j] = score.max(NEVER);
                next_d[j] = NEVER;
                if deletable && j > 0 {
                    let line = n - j;
                    let (open, more) = match rewrite {
                        Some((x, y)) if x <= line && line < y => (REWRITE_OPEN, REWRITE_MORE),
                        _ => (DELETE_OPEN, DELETE_MORE),
                    };
                    next_d[j] = (next_m[j - 1] + open).max(next_d[j - 1] + more).max(NEVER);
                }
            }
            std::mem::swap(&mut m, &mut next_m);
            std::mem::swap(&mut d, &mut next_d);
        }
        m
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
