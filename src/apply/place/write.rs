//! Puts the merged text together.

use super::float::Float;
use super::keep::{self, Keep};
use super::placement::Placement;
use crate::apply::lines::line::{Class, starts_comment};
use crate::apply::lines::shape::{closes, opens};
use crate::apply::pass::align::Op;
use crate::apply::pass::columns::{lost_its_indent, most};
use crate::apply::pass::context::{Ctx, same_line};
use crate::apply::pass::extent::Extent;
use crate::apply::snippet::script::Role;
use crate::apply::{edges, refuse};
use crate::error::Result;
use crate::text::{Ending, Span};

/// What a segment makes of the lines that it quotes.
pub(crate) struct Quoted {
    /// The snippet's lines that misquote one of the file, each with that one.
    pub misquoted: Vec<(usize, usize)>,
    /// Whether anything else differs from the file, or lines have a prefix.
    changes: bool,
}

impl Quoted {
    /// A misquote that is all there is new in the segment, with the file's line.
    pub fn slip(&self) -> Option<(usize, usize)> {
        let first = self.misquoted.first().copied();
        first.filter(|_| !self.changes)
    }
}

/// Puts the merged text together.
pub(crate) struct Writer<'c, 'a> {
    ctx: &'c Ctx<'a>,
    out: String,
    /// The next file line to keep, from 0.
    next: usize,
    eol: &'static str,
    tabs: bool,
}

impl<'c, 'a> Writer<'c, 'a> {
    pub fn new(ctx: &'c Ctx<'a>) -> Self {
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

    /// Writes a segment and says which of its lines misquote the file's.
    pub fn segment(&mut self, k: usize, edge: Extent, ops: &[Op]) -> Result<Quoted> {
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
            && !opens(self.last_line())
        {
            self.new_line("");
        }
        let plan = Indents::of(ctx, k, ops)?;
        let slip = edges::slipped(ctx, ops, plan.shift);
        let (a, b) = ctx.bounds[k];
        let mut quoted = Quoted {
            misquoted: Vec::new(),
            changes: ctx.roles[a..b].iter().any(|r| *r != Role::Plain),
        };
        for op in ops {
            quoted.changes |= ctx.is_told(op) && !matches!(op, Op::Pair(..));
            match *op {
                Op::Delete(j) => self.next = self.next.max(j + 1),
                Op::Pair(i, j) => {
                    if ctx.roles[i] != Role::Minus {
                        let text = plan.text(ctx, i, self.next, self.tabs);
                        let keep = keep::keeps_file_text(ctx, i, j, ops);
                        if keep == Keep::Unclear {
                            return Err(refuse::respaced(ctx, i, j));
                        }
                        let shifted = plan.shifted(ctx, i, j) && !slip.contains(&i);
                        if keep == Keep::Misquoted {
                            quoted.misquoted.push((i, j));
                        }
                        quoted.changes |= keep == Keep::Snippet || shifted;
                        if keep != Keep::Snippet && !shifted {
                            self.next = j;
                            self.keep_to(j + 1);
                        } else if keep != Keep::Snippet {
                            let own = plan.indented(ctx, i, ctx.file[j].trimmed, j, self.tabs);
                            self.new_line(&own);
                        } else if plan.level(ctx, i, j) {
                            // Tabs and blanks as the line had them.
                            let (indent, rest) = (ctx.file[j].indent(), ctx.lines[i].raw);
                            self.new_line(&format!("{indent}{}", rest.trim_start()));
                        } else {
                            self.new_line(&text);
                        }
                    }
                    self.next = j + 1;
                }
                Op::Insert(i) => {
                    let text = plan.text(ctx, i, self.next, self.tabs);
                    self.new_line(&text);
                }
            }
        }
        self.next = self.next.max(edge.end);
        if edge.inserts_last && segment.blank_after > 0 {
            let below = ctx.file.get(self.next);
            if below.is_some_and(|l| l.class != Class::Blank && !closes(l.trimmed))
                && !self.last_is_blank()
            {
                self.new_line("");
            }
        }
        Ok(quoted)
    }

    pub fn floating(&mut self, k: usize, p: &Float) -> Result<()> {
        let ctx = self.ctx;
        if p.line < self.next {
            return Err(refuse::order(ctx, k));
        }
        self.keep_to(p.line);
        let segment = &ctx.script.segments[k];
        let spaced = p.by != Placement::Imports;
        if spaced && !self.out.is_empty() && !self.last_is_blank() && !opens(self.last_line()) {
            for _ in 0..segment.blank_before.max(1) {
                self.new_line("");
            }
        }
        let plan = Indents::flat(p.shift);
        let (a, b) = ctx.bounds[k];
        for i in a..b {
            let text = plan.text(ctx, i, self.next, self.tabs);
            self.new_line(&text);
        }
        let below = ctx.file.get(p.line);
        if spaced && below.is_some_and(|l| l.class != Class::Blank && !closes(l.trimmed)) {
            self.new_line("");
        }
        Ok(())
    }

    pub fn finish(mut self) -> String {
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
    fn flat(shift: i32) -> Self {
        Self {
            shift,
            convert: false,
        }
    }

    fn of(ctx: &Ctx, k: usize, ops: &[Op]) -> Result<Self> {
        let mut shifts = Vec::new();
        let mut minus = Vec::new();
        // Headers that the edit changes.
        let mut headers = Vec::new();
        let mut convert = ctx.swapped || ctx.scale != (1, 1);
        let (mut agree, mut differs) = (false, None);
        for op in ops {
            let Op::Pair(i, j) = *op else { continue };
            if matches!(ctx.lines[i].class, Class::Blank) {
                continue;
            }
            let (a, b) = (ctx.lines[i].indent(), ctx.file[j].indent());
            if !(a.is_empty() || b.is_empty()) {
                let same = a.contains('\t') == b.contains('\t');
                agree |= same;
                differs = differs.or((!same).then_some((i, j)));
            }
            let code = !starts_comment(ctx.lines[i].trimmed);
            if code && !same_line(ctx, i, j) && ctx.guides.names(j) {
                headers.push((ctx.file_cols(j) - ctx.cols(i), i));
            }
            if !same_line(ctx, i, j) || ctx.hangs(i, ctx.bounds[k].0) {
                continue;
            }
            let d = ctx.file_cols(j) - ctx.cols(i);
            if ctx.roles[i] == Role::Minus {
                minus.push((d, i));
            } else {
                shifts.push((d, i));
            }
        }
        // Where the file mixes both, that may be what is to be mended.
        if let (true, Some((i, j))) = (agree, differs) {
            return Err(refuse::mixed_indent(ctx, i, j));
        }
        convert |= differs.is_some();
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
        if flattened(ctx, ops) {
            return Err(refuse::indent(ctx, k));
        }
        let removed: Vec<i32> = minus.iter().map(|s| s.0).collect();
        let shift = if prefixed {
            // The prefix takes a column of its own; context may or may not have it.
            match (most(&removed), most(&context)) {
                (Some(d), _) => d,
                (None, Some(-1)) => 0,
                (None, Some(d)) => d,
                (None, None) => 0,
            }
        } else {
            let (a, b) = ctx.bounds[k];
            let told = (a..b).filter(|&i| ctx.lines[i].class != Class::Blank);
            let least = told.map(|i| ctx.cols(i)).min().unwrap_or(0);
            let outermost = |shifts: &[(i32, usize)]| -> Vec<i32> {
                let outer = shifts.iter().filter(|&&(_, i)| ctx.cols(i) == least);
                outer.map(|s| s.0).collect()
            };
            let same = |shifts: &[i32]| {
                let first = shifts.first().copied();
                first.filter(|&d| shifts.iter().all(|&x| x == d))
            };
            let outer = outermost(&shifts);
            let shared = ops.iter().filter_map(|op| match *op {
                Op::Pair(i, j) if same_line(ctx, i, j) => Some((i, j)),
                _ => None,
            });
            let shared: Vec<(usize, usize)> = shared.collect();
            // A block that is only wrapped deeper is no dedented snippet: a dedented one
            // has a line of the file at its own least depth.
            match same(&outermost(&headers)).filter(|_| outer.is_empty()) {
                Some(d) => d,
                None if context.first().is_none_or(|&d| d == 0) => 0,
                None if lost_its_indent(ctx, a, &shared) => 0,
                None => match same(&outer) {
                    Some(d) => d,
                    None if outer.is_empty() && context.iter().all(|&d| d < 0) => 0,
                    None if outer.is_empty() && same(&context).is_some() => context[0],
                    None if !inserts => most(&context).unwrap_or(0),
                    None => return Err(refuse::indent(ctx, k)),
                },
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

    /// Whether a line whose blanks are not the snippet's stands as deep as the file's.
    fn level(&self, ctx: &Ctx, i: usize, j: usize) -> bool {
        (self.shift != 0 || self.convert)
            && ctx.lines[i].class != Class::Blank
            && ctx.file[j].class != Class::Blank
            && ctx.cols(i) + self.shift == ctx.file_cols(j)
    }

    fn text(&self, ctx: &Ctx, i: usize, near: usize, tabs: bool) -> String {
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
        self.indented(ctx, i, rest, near, tabs)
    }

    fn indented(&self, ctx: &Ctx, i: usize, rest: &str, near: usize, tabs: bool) -> String {
        if self.shift == 0 && !self.convert {
            return format!("{}{rest}", ctx.lines[i].indent());
        }
        let cols = (ctx.cols(i) + self.shift).max(0) as usize;
        if self.convert
            && let Some(indent) = near_indent(ctx, near, cols)
        {
            return format!("{indent}{rest}");
        }
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

/// Whether a line that is deeper in the file than the header right above it is not so in the
/// snippet, which shows the header where the file has it.
fn flattened(ctx: &Ctx, ops: &[Op]) -> bool {
    let same = ops.iter().filter_map(|op| match *op {
        Op::Pair(i, j) if ctx.lines[i].class != Class::Blank && same_line(ctx, i, j) => {
            Some((i, j))
        }
        _ => None,
    });
    let same: Vec<(usize, usize)> = same.collect();
    // Nor do new lines stand as deep as the bracket above that opens what they are in.
    let told: Vec<&Op> = ops.iter().filter(|op| ctx.is_told(op)).collect();
    let beside = told.windows(2).any(|pair| {
        let [&Op::Pair(i, j), &Op::Insert(x)] = *pair else {
            return false;
        };
        let below = ctx.file[j + 1..].iter();
        let below = (j + 1..).zip(below).find(|(_, l)| l.class != Class::Blank);
        let text = ctx.lines[x].trimmed;
        same_line(ctx, i, j)
            && ctx.lines[i].trimmed.ends_with('{')
            && ctx.cols(x) <= ctx.cols(i)
            && ctx.roles[x] == Role::Plain
            && !closes(text)
            && !text.ends_with(':')
            && !text.starts_with('#')
            && below.is_some_and(|(y, _)| ctx.file_cols(y) > ctx.file_cols(j))
    });
    if beside {
        return true;
    }
    same.windows(2).any(|pair| {
        let [(i, j), (x, y)] = *pair else {
            return false;
        };
        let text = ctx.lines[i].trimmed;
        ctx.roles[i] == Role::Plain
            && ctx.roles[x] == Role::Plain
            && opens(text)
            && ctx.cols(i) == ctx.file_cols(j)
            && ctx.cols(x) <= ctx.cols(i)
            && ctx.file_cols(y) > ctx.file_cols(j)
    })
}

/// The blanks of the nearest file line that is as deep, at most a few lines away.
fn near_indent<'a>(ctx: &Ctx<'a>, near: usize, cols: usize) -> Option<&'a str> {
    (0..=NEAR)
        .flat_map(|d| [near.checked_sub(d), Some(near + d)])
        .flatten()
        .filter_map(|j| ctx.file.get(j).map(|l| (j, l)))
        .find(|&(j, l)| l.class != Class::Blank && ctx.file_cols(j) == cols as i32)
        .map(|(_, l)| l.indent())
}

/// How far a line that lends its blanks may be away.
const NEAR: usize = 8;
