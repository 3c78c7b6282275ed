//! Definitions of a snippet that the file does not have.

use super::closers::block;
use super::context::Ctx;
use super::guides::Guides;
use super::signature::implemented;
use crate::apply::lines::line::{self, Class, starts_comment};
use crate::apply::lines::shape::says;
use crate::apply::snippet::script::Role;
use crate::syntax::{Definition, Definitions, Kind, Language, parse};

/// What a statement reads as a method by, where the snippet leaves out what it stands in.
const STATEMENTS: &[&str] = &["if", "for", "foreach", "while", "switch", "catch"];

/// Marks the lines of definitions that are whole in the snippet and not in the file, by
/// name or as a renamed copy: what they share with the file's lines is chance.
pub(crate) fn mark_new(
    ctx: &Ctx,
    definitions: &Definitions,
    language: &'static Language,
    guides: &mut Guides,
) {
    let (text, at) = ctx.script.text(language);
    let place = |line: usize| {
        let (s, n) = at.get(line - 1).copied().flatten()?;
        Some((ctx.bounds.get(s)?.0 + n, s))
    };
    let Some(parsed) = parse(language, &text) else {
        return;
    };
    let names: std::collections::BTreeSet<&str> =
        definitions.iter().map(|d| d.name.as_str()).collect();
    // A type has many blocks: they are told by what they implement.
    let known = |d: &Definition| match d.kind {
        Kind::Impl => {
            let own = implemented(d.first_line(&text));
            let all = definitions.iter();
            let mut others = all.filter(|o| o.kind == Kind::Impl && o.name == d.name);
            others.any(|o| implemented(o.first_line(ctx.text.text())) == own)
        }
        _ => names.contains(d.name.as_str()),
    };
    for d in parsed.definitions(&text).iter() {
        let callable = d.kind.is_callable() || d.kind.is_type();
        if !callable || d.lines.len() < 3 || known(d) || STATEMENTS.contains(&d.name.as_str()) {
            continue;
        }
        let (Some((i, s)), Some((last, t))) = (place(d.lines.start), place(d.lines.end)) else {
            continue;
        };
        if s != t || ctx.roles[i..=last].iter().any(|&r| r != Role::Plain) {
            continue;
        }
        // What parts the parser from the file's definitions leaves their headers where they are.
        // Below what begins many (`template <typename T>`) stands what is its own.
        let named = text.get(..d.name_bytes.start);
        let named = named.map_or(0, |t| t.matches('\n').count()) + 1;
        let head = match (says(ctx.lines[i].trimmed), place(named)) {
            (false, Some((head, _))) if ctx.cols(head) == ctx.cols(i) => head,
            _ => i,
        };
        if ctx.lines[head].class == Class::Plain && ctx.counts.contains_key(&ctx.lines[head].hash) {
            continue;
        }
        let block = block(ctx, head);
        // Where nothing closes blocks, a line that is less deep does, or a marker, unless the block
        // goes on with lines of the file.
        let segment = &ctx.script.segments[s];
        let once = |l: &line::Line| l.class == Class::Plain && ctx.counts.get(&l.hash) == Some(&1);
        let less = ctx.snippet_cols(&segment.marker_indent) <= ctx.cols(i);
        let shut = last + 1 < ctx.bounds[s].1
            || (less || !segment.marker_after) && !ctx.lines[i..=last].iter().any(once);
        let ends = block.closed || language.indentation_sensitive() && shut;
        if !ends || block.end != last + 1 {
            continue;
        }
        // What the snippet shows under its own name has not got another one.
        let kept = |o: &Definition| {
            let header = ctx.text.line_at(o.name_bytes.start) - 1;
            guides.pairs.iter().any(|p| p.1 == header)
        };
        let first = said_above(ctx, ctx.bounds[s].0, i);
        let beside = Beside::of(ctx, guides, s, first..last + 1, definitions);
        let renamed = definitions.iter().any(|o| {
            beside.heads(o) || !kept(o) && beside.may_be(o) && resembles(ctx, i..last + 1, o)
        });
        if !renamed {
            guides.new[first..=last].fill(true);
            if d.kind == Kind::Impl {
                // What is in it is its own, whatever it is called.
                guides.pairs.retain(|p| !(first..=last).contains(&p.0));
                guides.ranges[first..=last].fill(None);
                guides.rewrites[first..=last].fill(None);
            }
        }
    }
}

/// The first of the comments and attributes right above a definition, where no more of them stand
/// in the file once than not at all: then they are its own.
fn said_above(ctx: &Ctx, from: usize, header: usize) -> usize {
    let said = |i: &usize| says(ctx.lines[*i].trimmed);
    // A blank line may part a comment from what it is about.
    let parted = (from..header).rev();
    let parted = parted
        .take_while(|&i| ctx.lines[i].class == Class::Blank)
        .count();
    let ends = |i: usize| ctx.lines[i].trimmed.ends_with("*/");
    let below = header - parted;
    let below = match below > from && ends(below - 1) {
        true => below,
        false => header,
    };
    let first = (from..below).rev().take_while(said).last();
    let count = |n: Option<u32>| {
        // An attribute may be that of any.
        let plain = |i: &usize| {
            let l = &ctx.lines[*i];
            l.class == Class::Plain && (starts_comment(l.trimmed) || l.trimmed.starts_with('*'))
        };
        let there = |i: &usize| ctx.counts.get(&ctx.lines[*i].hash).copied() == n;
        (first.unwrap_or(header)..header)
            .filter(plain)
            .filter(there)
            .count()
    };
    match first {
        Some(first) if count(Some(1)) <= count(None) => first,
        _ => header,
    }
}

/// The nearest lines above and below a block of a segment that stand in the file once: there.
struct Beside {
    above: Option<usize>,
    below: Option<usize>,
    /// The first end of a definition of the file that is below the one, and the last start of
    /// one that is above the other.
    first_end: usize,
    last_start: usize,
}

impl Beside {
    fn of(
        ctx: &Ctx,
        guides: &Guides,
        s: usize,
        block: std::ops::Range<usize>,
        all: &Definitions,
    ) -> Self {
        let (a, b) = ctx.bounds[s];
        let once = |i: usize| {
            let l = &ctx.lines[i];
            let there = || ctx.file.iter().position(|f| l.same(f));
            let once = l.class == Class::Plain && ctx.counts.get(&l.hash) == Some(&1);
            once.then(there).flatten()
        };
        // Or head or close a definition that the snippet shows.
        let shown = |i: usize| guides.pairs.iter().find(|p| p.0 == i).map(|p| p.1);
        let there = |i: usize| once(i).or_else(|| shown(i));
        let above = (a..block.start).rev().find_map(there);
        let below = (block.end..b).find_map(there);
        let whole = || {
            let whole = all
                .iter()
                .filter(|d| d.kind.is_callable() || d.kind.is_type());
            whole.map(|d| (d.lines.start - 1, d.lines.end))
        };
        let behind = whole().filter(|&(start, _)| above.is_some_and(|j| j < start));
        let before = whole().filter(|&(_, end)| below.is_some_and(|j| end <= j));
        Self {
            first_end: behind.map(|d| d.1).min().unwrap_or(usize::MAX),
            last_start: before.map(|d| d.0).max().unwrap_or(0),
            above,
            below,
        }
    }

    /// Whether the line above belongs to what is said above a definition of the file.
    fn heads(&self, o: &Definition) -> bool {
        let docs = o.lines_with_docs().start - 1..o.lines.start - 1;
        self.above.is_some_and(|j| docs.contains(&j))
    }

    /// Whether a definition of the file may stand there: no other one is between it and
    /// these lines, which do not leave out any.
    fn may_be(&self, o: &Definition) -> bool {
        let (from, to) = (o.lines.start - 1, o.lines.end);
        let below = self.below.is_none_or(|j| to <= j && self.last_start < to);
        let above = self.above.is_none_or(|j| j < from && from < self.first_end);
        below && above
    }
}

/// Whether most lines of a snippet block stand in a definition of the file, changed or not.
fn resembles(ctx: &Ctx, block: std::ops::Range<usize>, other: &Definition) -> bool {
    let file = other.lines.start - 1..other.lines.end.min(ctx.file.len());
    let told = |l: &&line::Line| l.class == Class::Plain;
    let there: Vec<_> = ctx
        .file
        .get(file)
        .unwrap_or_default()
        .iter()
        .filter(told)
        .collect();
    let here: Vec<_> = ctx.lines[block].iter().filter(told).collect();
    if there.len() * 2 < here.len() || here.is_empty() {
        return false;
    }
    // Headers are alike by their grammar.
    let here = here.get(1..).unwrap_or_default();
    // A new name leaves most of the rest as it was, what stands nowhere else above all.
    let own: Vec<_> = there
        .iter()
        .skip(1)
        .filter(|f| ctx.counts.get(&f.hash) == Some(&1))
        .collect();
    let kept = |f: &&line::Line| here.iter().any(|l| l.same(f));
    if there.iter().filter(|f| kept(f)).count() * 2 < there.len().saturating_sub(1)
        || own.iter().filter(|f| kept(f)).count() * 2 < own.len()
    {
        return false;
    }
    let close = here
        .iter()
        .filter(|l| there.iter().any(|f| l.same(f) || l.similarity(f) >= 500))
        .count();
    close * 2 >= here.len()
}
