//! Where a part between two markers stands that names no place by itself: at the only lines that it
//! can be, changed.

use super::context::Ctx;
use super::guides::{Guides, Range};
use super::likeness::{RETOUCHED, likeness, shared_ends};
use super::scores::CHANGED;
use crate::apply::lines::key::Key;
use crate::apply::lines::line::{Class, Line};
use crate::apply::lines::shape::{closes, first_word, opens};
use crate::apply::snippet::script::Role;

/// Lines from 0, the end excluded.
type Lines = std::ops::Range<usize>;

/// By how much of a line (thousandths) the best place for a changed one beats the next.
const APART: i32 = 250;

/// Where a segment that names no place by itself (`}`, a changed line, `.rev()`) stands in
/// the definition that the snippet heads above it: the first line of the only run of lines
/// there that begins and ends as the segment does, with each line between as it is or
/// changed.
pub(super) fn run(ctx: &Ctx, guides: &Guides, a: usize, b: usize) -> Option<usize> {
    let range = guides.ranges[a]?;
    let within = |r: &Option<Range>| r.is_some_and(|r| (r.low, r.high) == (range.low, range.high));
    let lines = &ctx.lines[a..b];
    let telling = |l: &Line| l.class == Class::Plain && ctx.counts.contains_key(&l.hash);
    if lines.len() < 3
        || !guides.ranges[a..b].iter().all(within)
        || ctx.roles[a..b].iter().any(|&r| r != Role::Plain)
        || lines.iter().any(telling)
    {
        return None;
    }
    let mut runs: Vec<(i32, usize)> = Vec::new();
    for (j, run) in (range.low..range.high).zip(ctx.file.get(range.low..range.high)?.windows(b - a))
    {
        let shift = ctx.file_cols(j) - ctx.cols(a);
        let level = |x: usize| {
            lines[x].class == Class::Blank || ctx.file_cols(j + x) == ctx.cols(a + x) + shift
        };
        let ends = [0, b - a - 1].iter().all(|&x| lines[x].same(&run[x]));
        if ends && (0..b - a).all(level) {
            let alike = lines.iter().zip(run).map(|(l, f)| match l.same(f) {
                true => 1000,
                false if l.class == Class::Plain && f.class == Class::Plain => l.similarity(f),
                false => 0,
            });
            runs.push((alike.min().unwrap_or(0), j));
        }
    }
    runs.sort_unstable();
    let (best, j) = runs.pop()?;
    let next = runs.last().map_or(0, |r| r.0);
    (best >= CHANGED && next <= best - APART).then_some(j)
}

/// The first lines of a snippet that begins without a marker, each with the file's in its place from
/// the file's first line on, as far as they are those or those changed: the file begins so.
pub(super) fn start(ctx: &Ctx) -> Vec<(usize, usize)> {
    let (Some(segment), Some(&(a, b))) = (ctx.script.segments.first(), ctx.bounds.first()) else {
        return Vec::new();
    };
    let told = |l: &Line| l.class != Class::Blank;
    let new = (a..b).filter(|&i| told(&ctx.lines[i]));
    let old = (0..ctx.file.len()).filter(|&j| told(&ctx.file[j]));
    let is = |&(i, j): &(usize, usize)| ctx.lines[i].same(&ctx.file[j]);
    let like = |p: &(usize, usize)| {
        let (l, f) = (&ctx.lines[p.0], &ctx.file[p.1]);
        // What the file has elsewhere is that.
        let unknown = l.class == Class::Plain && !ctx.counts.contains_key(&l.hash);
        let alike = || l.similarity(f) >= CHANGED || likeness(l.trimmed, f.trimmed) >= RETOUCHED;
        ctx.roles[p.0] == Role::Plain && (is(p) || unknown && alike())
    };
    let pairs: Vec<(usize, usize)> = new.zip(old).take_while(like).collect();
    let first = pairs.first().is_some_and(|p| {
        let (l, f) = (ctx.lines[p.0].trimmed, ctx.file[p.1].trimmed);
        is(p) || likeness(l, f) >= RETOUCHED
    });
    match !segment.marker_before && first && pairs.iter().any(|p| !is(p)) {
        true => pairs,
        false => Vec::new(),
    }
}

/// The lines at both ends of a part, with those of the only place where the file has them, as deep,
/// around no more lines than the part has between them: they are its context.
pub(super) fn framed(ctx: &Ctx, guides: &Guides, a: usize, b: usize) -> Vec<(usize, usize)> {
    let (n, len) = (ctx.file.len(), b - a);
    if len < 2 * FRAME || ctx.roles[a..b].iter().any(|&r| r != Role::Plain) {
        return Vec::new();
    }
    let told = |i: &usize| ctx.lines[*i].class != Class::Blank;
    let stands = |i: usize, j: usize| {
        ctx.lines[i].same(&ctx.file[j]) && (!told(&i) || ctx.cols(i) == ctx.file_cols(j))
    };
    // Brackets end everything.
    let says = |l: &Line| matches!(l.class, Class::Plain | Class::Short) && !closes(l.trimmed);
    let tells = |lines: Lines| {
        lines.clone().filter(told).count() >= FRAME && ctx.lines[lines].iter().any(says)
    };
    let ends = |j: usize| {
        let up = (a..b).rev().zip((0..j).rev());
        up.take_while(|&(i, j)| stands(i, j)).count()
    };
    let tail = |j: usize| Some((j, ends(j))).filter(|t| tells(b - t.1..b));
    let tails: Vec<(usize, usize)> = (1..=n).filter_map(tail).collect();
    // The place with the most lines, and how many the next best has.
    let (mut best, mut next): (Option<(usize, Lines, Lines)>, usize) = (None, 0);
    for top in 0..n {
        let down = (a..b).zip(top..n);
        let x = down.take_while(|&(i, j)| stands(i, j)).count();
        if !tells(a..a + x) {
            continue;
        }
        let from = tails.partition_point(|t| t.0 <= top);
        let near = tails[from..].iter().take_while(|t| t.0 <= top + len);
        let around = near.filter(|(end, y)| x + y < len && top + x + y <= *end);
        for &(end, y) in around {
            let most = best.as_ref().map_or(0, |f| f.0);
            if x + y > most {
                best = Some((x + y, a + x..b - y, top + x..end - y));
            }
            next = next.max(most.min(x + y));
        }
    }
    let Some((_, new, old)) = best.filter(|f| next + 1 < f.0) else {
        return Vec::new();
    };
    // What the file has elsewhere may have been moved here, or the place be that; and another
    // definition stands beside the one that is there.
    let elsewhere = |i: usize| {
        let plain = ctx.lines[i].class == Class::Plain;
        plain && !old.clone().any(|j| stands(i, j)) && (0..n).any(|j| stands(i, j))
    };
    if new.clone().any(elsewhere) || old.clone().any(|j| guides.names(j)) {
        return Vec::new();
    }
    let above = (a..new.start).zip(old.start + a - new.start..);
    let pairs = above.chain((new.end..b).zip(old.end..));
    // What closes the part above has its own line.
    let pairs = pairs.skip_while(|(i, _)| !says(&ctx.lines[*i]));
    pairs.filter(|(i, _)| told(i)).collect()
}

/// So many lines at each end of a part tell a place together.
const FRAME: usize = 2;

/// The line of the file that one of a part changes: the only one that gives its name a value, as
/// deep as that is.
pub(super) fn bound(ctx: &Ctx, a: usize) -> Option<usize> {
    let line = &ctx.lines[a];
    if ctx.roles[a] != Role::Plain || ctx.counts.contains_key(&line.hash) {
        return None;
    }
    let key = line.key();
    let Key::Binds(name) = key else {
        return None;
    };
    let once = ctx.lines.iter().filter(|l| l.key() == key).count() == 1;
    if !once || !name.contains(char::is_alphabetic) {
        return None;
    }
    let mut there = (0..ctx.file.len()).filter(|&j| ctx.file[j].key() == key);
    let j = there.next().filter(|_| there.next().is_none())?;
    (ctx.cols(a) == ctx.file_cols(j)).then_some(j)
}

/// The first line of a statement that a part gives anew, above a line that the file has once, with the
/// file's that alone gives its name a value, right above that line as well.
pub(super) fn anew(ctx: &Ctx, a: usize, b: usize) -> Option<Anew> {
    let told = |i: &usize| ctx.lines[*i].class != Class::Blank;
    let (i, last) = ((a..b).find(told)?, (a..b).rfind(told)?);
    let below = &ctx.lines[last];
    let once = ctx.counts.get(&below.hash) == Some(&1) && below.class == Class::Plain;
    if i == last || !once || (i..=last).any(|x| ctx.roles[x] != Role::Plain) {
        return None;
    }
    let j = bound(ctx, i)?;
    let goes_on = |l: &Line, cols: i32, head: i32| {
        l.class == Class::Blank || cols > head || cols == head && closes(l.trimmed)
    };
    let new = (i + 1..last).all(|x| goes_on(&ctx.lines[x], ctx.cols(x), ctx.cols(i)));
    let old = |y: &usize| goes_on(&ctx.file[*y], ctx.file_cols(*y), ctx.file_cols(j));
    let end = (j + 1..ctx.file.len()).find(|y| !old(y))?;
    (new && ctx.file[end].same(below)).then_some(Anew {
        lines: i..last + 1,
        head: j,
        end: end + 1,
    })
}

/// A statement given anew and the line below it.
pub(super) struct Anew {
    /// Those of the snippet.
    pub lines: Lines,
    /// The first line of the file's.
    pub head: usize,
    /// The one behind the line below it.
    pub end: usize,
}

/// The line of the file that opens the block in which the marker behind a lone line stands: the only
/// one as deep, in the definition that the snippet heads above it, that begins with its word.
pub(super) fn opening(ctx: &Ctx, guides: &Guides, k: usize) -> Option<usize> {
    let (a, b) = ctx.bounds[k];
    let marker = &ctx.script.segments[k];
    let line = &ctx.lines[a];
    let deeper = marker.marker_after && ctx.snippet_cols(&marker.marker_indent) > ctx.cols(a);
    let lone = marker.marker_before && b == a + 1 && ctx.roles[a] == Role::Plain;
    if !lone || !deeper || !opens(line.trimmed) || ctx.counts.contains_key(&line.hash) {
        return None;
    }
    let range = guides.ranges[a].filter(|r| r.inside)?;
    let word = |l: &Line| first_word(l.trimmed).map(str::to_string);
    let own = word(line)?;
    let heads = |j: &usize| {
        let l = &ctx.file[*j];
        opens(l.trimmed) && word(l).as_ref() == Some(&own) && ctx.file_cols(*j) == ctx.cols(a)
    };
    let mut there = (range.low + 1..range.high).filter(heads);
    let j = there.next().filter(|_| there.next().is_none())?;
    // What the snippet shows is itself.
    (!ctx.lines.iter().any(|l| l.same(&ctx.file[j]))).then_some(j)
}

/// The first of the lines that a part changes of which none tells its place: the only run there that
/// is it but for a few letters. Between two markers nothing could say where new lines go.
pub(super) fn like(ctx: &Ctx, a: usize, b: usize, range: Lines) -> Option<usize> {
    let lines = ctx.lines.get(a..b)?;
    let count = |i: usize| ctx.counts.get(&ctx.lines[i].hash).copied();
    // What the file has somewhere says nothing of the place, but has to be there.
    let known = |i: usize| ctx.lines[i].class != Class::Plain || count(i).is_some();
    let tells = |i: usize| ctx.lines[i].class == Class::Plain && count(i) == Some(1);
    if !(1..=LONGEST).contains(&lines.len())
        || ctx.roles[a..b].iter().any(|&r| r != Role::Plain)
        || (a..b).all(known)
        || (a..b).any(tells)
    {
        return None;
    }
    let starts = range.start..(range.end + 1).saturating_sub(lines.len());
    let changed: Vec<usize> = (a..b).filter(|&i| !known(i)).collect();
    let there = |j: usize| {
        let mut known = (a..b).filter(|&i| known(i));
        known.all(|i| ctx.lines[i].same(&ctx.file[j + i - a]))
    };
    let all_grown = |j: &usize| {
        let mut changed = changed.iter();
        changed.all(|i| grown(ctx.lines[*i].trimmed, ctx.file[j + i - a].trimmed))
    };
    let mut whole = starts.clone().filter(all_grown);
    if let (Some(j), None) = (whole.next(), whole.next()) {
        return (there(j) && ctx.cols(a) == ctx.file_cols(j)).then_some(j);
    }
    let compared = std::cell::Cell::new(0);
    let like = |i: usize, j: usize| {
        let (l, f) = (&ctx.lines[i], &ctx.file[j]);
        let (least, both) = (l.word_count().min(f.word_count()), l.shared(f));
        match f.class {
            Class::Plain if ctx.is_extracted(i, j) => 1000,
            // One has all that the other says.
            Class::Plain if both == least && least >= WORDS => RETOUCHED,
            Class::Plain if f.similarity(l) >= FAR => {
                compared.set(compared.get() + 1);
                likeness(l.trimmed, f.trimmed)
            }
            _ => 0,
        }
    };
    let mut found: Vec<(i32, usize)> = Vec::new();
    let level = |j: &usize| ctx.cols(a) == ctx.file_cols(*j);
    for j in starts.filter(level) {
        let each: Option<i32> = changed.iter().try_fold(0, |sum, &i| {
            let like = like(i, j + i - a);
            (like >= RETOUCHED / 2).then_some(sum + like)
        });
        found.extend(each.map(|sum| (sum / changed.len() as i32, j)));
        // Of so many that are a little like it, none stands out.
        if compared.get() > MOST_COMPARED {
            return None;
        }
    }
    found.sort_unstable();
    let (best, j) = found.pop()?;
    let next = found.last().map_or(0, |f| f.0);
    let apart = best >= RETOUCHED && next <= best - APART;
    (apart && there(j)).then_some(j)
}

/// Whether one line is the other with something put in at one place.
fn grown(new: &str, old: &str) -> bool {
    let (begin, end) = shared_ends(new, old);
    let short = new.len().min(old.len());
    short >= GROWN && new != old && begin + end >= short
}

/// Bytes of such a line at least.
const GROWN: usize = 16;

/// Lines that are compared by their letters, at most: it takes longer than all else.
const MOST_COMPARED: usize = 500;

/// So many words in common tell a line.
const WORDS: usize = 6;

/// Lines of such a part at most.
const LONGEST: usize = 8;

/// Lines that share less of their words (thousandths) are not compared by their letters.
const FAR: i32 = 200;
