//! New lines with a line of the file on one side only and a marker on the other.
//!
//! They may stand beside the file's next line there or replace it, and as a rule nothing
//! in the snippet says which: they are taken for an insertion only where something rules
//! out that the line goes.

use super::imports;
use crate::apply::lines::key::Key;
use crate::apply::lines::line::{Class, Line, starts_comment};
use crate::apply::lines::shape::{
    closes, first_word, import, last_word, net_blocks, net_brackets, opens, same_first_words, times,
};
use crate::apply::lines::words::word_at;
use crate::apply::pass::context::Ctx;
use crate::apply::pass::guides::CALLABLE;
use crate::apply::pass::scores::CHANGED;
use crate::apply::snippet::script::Role;

/// New lines between an anchor and a marker.
pub(crate) struct OneSided<'n> {
    /// The segment.
    pub segment: usize,
    /// The new snippet lines, none blank, from the anchor outwards.
    pub new: &'n [usize],
    /// The anchor's snippet line and file line.
    pub anchor: (usize, usize),
    /// The next file line on the marker's side, not blank.
    pub next: usize,
    /// The new lines stand above the anchor.
    pub lead: bool,
}

/// Whether the new lines join the file's next line or, as parts of something, do not;
/// nothing where they may replace it.
pub(crate) fn joins(ctx: &Ctx, o: &OneSided) -> Option<bool> {
    if o.new
        .iter()
        .any(|&i| ctx.renames(&ctx.lines[i], &ctx.file[o.next]))
    {
        return None;
    }
    // Definitions of their own, which are none of those that may stand there.
    if o.new.iter().all(|&i| ctx.guides.new[i]) {
        return Some(true);
    }
    let imports = o.new.iter().all(|&i| import(ctx.lines[i].trimmed));
    let next = ctx.file[o.next].trimmed;
    if imports && !import(next) && !starts_comment(next) {
        return Some(true);
    }
    if in_the_form_of_the_next(ctx, o) || ctx.taken.contains(&ctx.file[o.next].hash) {
        return None;
    }
    // As elsewhere in the edit.
    let again = |i: &usize| matches!(ctx.lines[*i].key(), Key::Other(head) if ctx.joined.iter().any(|j| j == head));
    let nearest = o.new.first().map(|&i| ctx.lines[i].key());
    if o.new.iter().all(again) && nearest.is_some_and(|key| key != ctx.file[o.next].key()) {
        return Some(true);
    }
    if inserts(ctx, o) {
        return Some(true);
    }
    if !complete(ctx, o) {
        return Some(false);
    }
    // The first of a call's arguments may be another one or one more.
    let named = |i: usize| matches!(ctx.lines[i].key(), Key::Binds(name) if !name.is_empty());
    if !o.lead && ctx.file[o.anchor.1].trimmed.ends_with('(') && o.new.iter().any(|&i| !named(i)) {
        return None;
    }
    // The snippet says of no line that it goes: only one that is shown changed does.
    let ahead = |n: usize| {
        if o.lead {
            o.next.checked_sub(n)
        } else {
            Some(o.next + n)
        }
    };
    let goes: Vec<&Line> = (0..o.new.len())
        .filter_map(|n| ctx.file.get(ahead(n)?))
        .collect();
    // However it is declared.
    let binds = |l: &Line| match l.key() {
        Key::Binds(name) => Some(last_word(name).unwrap_or(name).to_string()),
        _ => None,
    };
    // Right below a line that a blank one parts from the next, they go on with it.
    let apart = o.next.abs_diff(o.anchor.1) > 1
        && o.new.first().is_some_and(|i| i.abs_diff(o.anchor.0) == 1);
    // Blocks are told by what heads them: lines of other ones are like theirs by chance.
    let least = o.new.iter().map(|&i| ctx.cols(i)).min().unwrap_or(0);
    let code = |i: &usize| {
        let t = ctx.lines[*i].trimmed;
        !starts_comment(t) && !t.starts_with('*')
    };
    let mut deep = o.new.iter().copied().filter(code);
    let blocks = deep.any(|i| ctx.cols(i) > least)
        && o.new.iter().any(|&i| {
            let t = ctx.lines[i].trimmed;
            ctx.cols(i) == least && (block_opener(t) || net_blocks(t) > 0)
        });
    let outer = |i: &usize| !blocks || ctx.cols(*i) == least && ctx.lines[*i].class == Class::Plain;
    let related = |i: usize| {
        let l = &ctx.lines[i];
        goes.iter().any(|f| {
            let both = l.shared(f);
            l.same(f)
                || ctx.renames(l, f)
                || binds(l).is_some() && binds(l) == binds(f)
                || if blocks {
                    l.similarity(f) >= HEADED || same_first_words(l.trimmed, f.trimmed)
                } else if apart {
                    l.similarity(f) >= CHANGED
                } else {
                    both * UNRELATED > l.word_count() + f.word_count() - both
                }
        })
    };
    let mut heads = o.new.iter().copied().filter(outer);
    // Or a block has all that a line says.
    let said = |w: &str| {
        let mut new = o.new.iter();
        w.is_empty() || new.any(|&i| word_at(ctx.lines[i].trimmed, w).is_some())
    };
    let next = ctx.file[o.next].trimmed;
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let spread = blocks && next.split(|c| !is_word(c)).all(said);
    (!spread && !heads.any(related) && !in_its_place(ctx, o)).then_some(true)
}

/// How much of a block's header (thousandths) those of related ones have.
const HEADED: i32 = 400;

/// Whether several new lines have the form of those that come next, word for word: they may be
/// those under other names.
fn in_the_form_of_the_next(ctx: &Ctx, o: &OneSided) -> bool {
    let told = |j: &usize| ctx.file[*j].class != Class::Blank;
    let below = (o.next..ctx.file.len()).filter(told);
    let like =
        |(i, j): (&usize, usize)| outline(ctx.lines[*i].trimmed) == outline(ctx.file[j].trimmed);
    !o.lead && o.new.len() > 2 && o.new.iter().zip(below).all(like)
}

/// Whether one new line has the form of the file's next one, and no line beside that one has it:
/// there is no row that it would be one more of.
fn in_its_place(ctx: &Ctx, o: &OneSided) -> bool {
    let &[i] = o.new else { return false };
    let form = outline(ctx.lines[i].trimmed);
    let like = |j: usize| ctx.file.get(j).is_some_and(|l| outline(l.trimmed) == form);
    let beyond = if o.lead {
        o.next.checked_sub(1)
    } else {
        Some(o.next + 1)
    };
    like(o.next) && !like(o.anchor.1) && !beyond.is_some_and(like)
}

/// Lines that share less than one of so many words have nothing to do with each other.
const UNRELATED: usize = 9;

/// Whether the new lines are a piece of their own.
fn complete(ctx: &Ctx, o: &OneSided) -> bool {
    let mut lines = o.new.to_vec();
    lines.sort_unstable();
    let (Some(&first), Some(&last)) = (lines.first(), lines.last()) else {
        return true;
    };
    let net: i32 = lines
        .iter()
        .map(|&i| net_blocks(ctx.lines[i].trimmed))
        .sum();
    let least = lines.iter().map(|&i| ctx.cols(i)).min().unwrap_or(0);
    let comments = |mark: &str| times(lines.iter().map(|&i| ctx.lines[i].trimmed), mark);
    // They may go on in the block of the line above, and behind it.
    let shift = ctx.file_cols(o.anchor.1) - ctx.cols(o.anchor.0);
    let leaves = !o.lead
        && ctx.cols(first) <= ctx.cols(o.anchor.0)
        && ctx.file_cols(o.next) <= least + shift;
    net == 0
        && comments("/*") == comments("*/")
        && comments("\"\"\"").is_multiple_of(2)
        && !closes(ctx.lines[first].trimmed)
        && (ctx.cols(first) == least || leaves)
        && (o.lead || !goes_below(ctx.lines[last].trimmed))
}

/// Whether a line opens what others close. An import does not, nor an element that it closes.
fn goes_below(t: &str) -> bool {
    let element = t.ends_with("/>") || t.ends_with('>') && t.contains("</");
    opens(t) && !element && !import(t)
}

/// Whether the new lines and a changed line beside them open and close together what the file's
/// line did alone, and none does without the other.
pub(super) fn goes_on(ctx: &Ctx, o: &OneSided) -> bool {
    let (new, old) = (ctx.lines[o.anchor.0].trimmed, ctx.file[o.anchor.1].trimmed);
    let net = o.new.iter().map(|&i| net_brackets(ctx.lines[i].trimmed));
    let net: i32 = net.sum();
    // That one may go on as well.
    let (next, anchor) = (ctx.file_cols(o.next), ctx.file_cols(o.anchor.1));
    let ends = o.lead || opens(old) || next <= anchor;
    new != old && ends && !complete(ctx, o) && net_brackets(new) + net == net_brackets(old)
}

/// Whether something rules out that the new lines replace the file's next line.
fn inserts(ctx: &Ctx, o: &OneSided) -> bool {
    let Some(&nearest) = o.new.first() else {
        return true;
    };
    if o.new.iter().any(|&i| ctx.roles[i] != Role::Plain) {
        return true;
    }
    let shift = ctx.file_cols(o.anchor.1) - ctx.cols(o.anchor.0);
    let depth = |i: usize| ctx.cols(i) + shift;
    let next = &ctx.file[o.next];
    let mut lines: Vec<usize> = o.new.to_vec();
    lines.sort_unstable();
    let least = lines.iter().map(|&i| depth(i)).min().unwrap_or(0);
    // Lines that are no piece of their own go on where the marker is.
    let net: i32 = lines
        .iter()
        .map(|&i| net_brackets(ctx.lines[i].trimmed))
        .sum();
    let first = lines[0];
    if !complete(ctx, o) {
        // The anchor opens in the snippet what they close, and is closed in the file: they
        // are its body.
        let brackets = net_brackets(ctx.lines[o.anchor.0].trimmed);
        let body = !o.lead
            && brackets > 0
            && brackets + net == 0
            && net_brackets(ctx.file[o.anchor.1].trimmed) == 0;
        if body || goes_on(ctx, o) {
            return true;
        }
        // The anchor closes them and the next line is the same one: shifted by a line,
        // they stand between two that are whole.
        let turned = o.lead
            && next.same(&ctx.file[o.anchor.1])
            && net + net_brackets(next.trimmed) == 0
            && ctx.file_cols(o.next) == ctx.file_cols(o.anchor.1)
            && ctx.guides.definitions.iter().any(|d| d.1 == o.next + 1);
        return turned;
    }
    // What is said of a definition above its header does not end the one above that.
    let attribute = |t: &str| t.starts_with(['@', '[']) || t.starts_with("#[");
    let said = |i: &usize| {
        let t = ctx.lines[*i].trimmed;
        depth(*i) > least || attribute(t) || closes(t)
    };
    if o.lead
        && closes(next.trimmed)
        && attribute(ctx.lines[first].trimmed)
        && lines.iter().all(said)
    {
        return true;
    }
    // A text that tells of a block is not what the block does.
    let text = |t: &str| t.starts_with("\"\"\"") || t.starts_with("'''");
    let texts = lines.iter().any(|&i| text(ctx.lines[i].trimmed));
    let ends = |t: &str| t.ends_with("\"\"\"") || t.ends_with("'''");
    let (above, below) = (ctx.file[o.anchor.1].trimmed, next.trimmed);
    if o.lead && ends(next.trimmed) && !texts
        || !o.lead && block_opener(above) && text(ctx.lines[first].trimmed) && !text(below)
    {
        return true;
    }
    // Nothing stands at their depth there: a block begins or ends.
    if ctx.file_cols(o.next) < least || closes(next.trimmed) && !o.lead {
        return true;
    }
    // The part behind the marker shows the line, so that it stays.
    let part = if o.lead {
        o.segment.checked_sub(1)
    } else {
        Some(o.segment + 1)
    };
    if let Some(&(a, b)) = part.and_then(|s| ctx.bounds.get(s))
        && next.class == Class::Plain
        && ctx.counts.get(&next.hash) == Some(&1)
        && (a..b).any(|i| ctx.lines[i].same(next))
    {
        return true;
    }
    // No import goes in silence.
    let inside = |r: &&(usize, usize)| r.0 <= o.next && o.next < r.1 && r.1 - r.0 > 1;
    if ctx.guides.imports.iter().find(inside).is_some() {
        return !lines.iter().any(|&i| import(ctx.lines[i].trimmed));
    }
    if import(next.trimmed) {
        let alike = |i: &&usize| {
            let l = &ctx.lines[**i];
            let near = l.similarity(next) >= 400
                || same_stem(l.trimmed, next.trimmed)
                || ctx.renames(l, next);
            import(l.trimmed) && near
        };
        return lines.iter().find(alike).is_none() || imports::needed(ctx, &lines, o.next);
    }
    if lines.iter().all(|&i| import(ctx.lines[i].trimmed)) {
        return !starts_comment(next.trimmed);
    }
    // Nor a definition, unless the new lines are much like it. What is said above it
    // belongs to it.
    let below = (o.next..ctx.file.len())
        .find(|&j| {
            let l = &ctx.file[j];
            l.class != Class::Blank && !starts_comment(l.trimmed) && !l.trimmed.starts_with('*')
        })
        .unwrap_or(o.next);
    if let Some(&(a, b)) = ctx.guides.definitions.iter().find(|d| {
        if o.lead {
            d.1 == o.next + 1
        } else {
            d.0 == below
        }
    }) {
        // Where the snippet shows its header elsewhere, it is no other one.
        let shown = |p: &(usize, usize, i16)| {
            (a..b).contains(&p.1) && !lines.contains(&p.0) && p.2 >= CALLABLE
        };
        let named = (a..b)
            .find(|&j| !starts_comment(ctx.file[j].trimmed))
            .and_then(|j| called(ctx.file[j].trimmed));
        let again = named.is_some()
            && (lines.iter()).any(|&i| depth(i) == least && called(ctx.lines[i].trimmed) == named);
        return ctx.guides.pairs.iter().any(shown)
            || !again && !resembles(ctx, &lines, a..b, least, shift);
    }
    // Nor a block that ends there, unless the new lines have a header much like its own.
    let deeper = ctx.file_cols(o.next) > least;
    if o.lead && (deeper || closes(next.trimmed) && net_brackets(next.trimmed) < 0) {
        let depth = ctx.file_cols(o.next).min(least);
        let header = (0..o.next)
            .rev()
            .find(|&j| ctx.file[j].class == Class::Plain && ctx.file_cols(j) <= depth);
        return header.is_none_or(|h| !resembles(ctx, &lines, h..o.next + 1, least, shift));
    }
    // Nor a block that begins there, for lines that do not begin one of its kind.
    let outer = |i: &&usize| depth(**i) == least;
    if !o.lead
        && next.class != Class::Punctuation
        && (block_opener(next.trimmed) || heads(ctx, o.next))
        && !lines
            .iter()
            .filter(outer)
            .any(|&i| first_word(ctx.lines[i].trimmed) == first_word(next.trimmed))
    {
        return true;
    }
    // A case joins what is no case.
    if let (Key::Member(x), false) = (ctx.lines[first].key(), matches!(next.key(), Key::Member(_)))
        && first_word(x) != first_word(next.trimmed)
        && next.trimmed.starts_with("default")
    {
        return true;
    }
    // The line gives a name that others use, and the new lines do not give it.
    if let Some(name) = given(next.trimmed) {
        let again = lines
            .iter()
            .any(|&i| word_at(ctx.lines[i].trimmed, name).is_some());
        // As many lines as are new may go: they are no others.
        let goes = if o.lead {
            (o.next + 1).saturating_sub(lines.len())..o.next + 1
        } else {
            o.next..o.next + lines.len()
        };
        let used = (0..ctx.file.len())
            .any(|j| !goes.contains(&j) && word_at(ctx.file[j].trimmed, name).is_some());
        if !again && used {
            return true;
        }
    }
    // One more of a list of equals that is not the next one changed.
    let (c, n) = (&ctx.file[o.anchor.1], &ctx.lines[nearest]);
    lines.len() == 1
        && c.class == Class::Plain
        && outline(n.trimmed) == outline(next.trimmed)
        && outline(n.trimmed) == outline(c.trimmed)
        && n.similarity(next) <= c.similarity(next)
}

/// Whether a file line is the first of a statement that others are part of, though no bracket says so.
fn heads(ctx: &Ctx, j: usize) -> bool {
    const WORDS: &[&str] = &["if", "for", "foreach", "while", "switch", "else"];
    let begins = first_word(ctx.file[j].trimmed).is_some_and(|w| WORDS.contains(&w));
    let below = ctx.file.iter().enumerate().skip(j + 1);
    let mut below = below.filter(|(_, l)| l.class != Class::Blank);
    let deeper = below
        .next()
        .is_some_and(|(x, _)| ctx.file_cols(x) > ctx.file_cols(j));
    begins && deeper
}

/// Whether the new lines are a definition of the file, changed: most of them stand in it,
/// and its header reads much like one of the outermost.
fn resembles(
    ctx: &Ctx,
    lines: &[usize],
    part: std::ops::Range<usize>,
    least: i32,
    shift: i32,
) -> bool {
    let told: Vec<&Line> = ctx.file[part]
        .iter()
        .filter(|l| l.class == Class::Plain)
        .collect();
    let here: Vec<usize> = lines
        .iter()
        .copied()
        .filter(|&i| ctx.lines[i].class == Class::Plain)
        .collect();
    let close = here
        .iter()
        .filter(|&&i| {
            let l = &ctx.lines[i];
            told.iter().any(|f| l.same(f) || l.similarity(f) >= 450)
        })
        .count();
    let header = told.iter().find(|l| !starts_comment(l.trimmed));
    let headed = header.is_none_or(|h| {
        here.iter()
            .any(|&i| ctx.cols(i) + shift == least && ctx.lines[i].similarity(h) >= 400)
    });
    headed && close * 2 >= here.len()
}

/// Whether a line opens a block of statements.
pub(super) fn block_opener(t: &str) -> bool {
    t.ends_with(['{', ':']) || t.ends_with(" do") || t.ends_with(" then")
}

/// Whether the first words that differ begin alike for most of their length.
fn same_stem(a: &str, b: &str) -> bool {
    let word = |c: char| c.is_alphanumeric() || c == '_';
    let mut both = a.char_indices().zip(b.chars());
    let at = match both.find(|((_, x), y)| x != y) {
        Some(((at, _), _)) => at,
        None => a.len().min(b.len()),
    };
    let same = a.get(..at).unwrap_or_default();
    let stem = same.chars().rev().take_while(|&c| word(c)).count();
    let rest = |t: &str| {
        let rest = t.get(at..).unwrap_or_default();
        rest.chars().take_while(|&c| word(c)).count()
    };
    stem >= STEM && stem >= 2 * rest(a).min(rest(b))
}

/// Characters that a stem has at least.
const STEM: usize = 6;

/// The word before a line's first parenthesis.
pub(crate) fn called(t: &str) -> Option<&str> {
    last_word(t.get(..t.find('(')?)?)
}

/// What a property's declaration may begin with.
const MODIFIERS: &[&str] = &[
    "public",
    "private",
    "protected",
    "internal",
    "static",
    "readonly",
];

/// How what belongs to the object at hand is named.
const OWN: &[&str] = &["self.", "this.", "$this->", "this->", "@"];

/// The new name that a line gives, if it gives one.
pub(crate) fn given(t: &str) -> Option<&str> {
    let l = Line::new(t);
    let first = first_word(t).unwrap_or_default();
    // A property is declared with what it may be used for.
    let property = MODIFIERS.contains(&first) && t.ends_with(['}', ';']) && !t.contains('(');
    if !matches!(l.key(), Key::Binds(_)) && !property {
        return None;
    }
    let head = t.get(..t.find(['=', '(', '{', ':', ';'])?)?.trim_end();
    let own = OWN.iter().find_map(|own| head.strip_prefix(own));
    let head = own.unwrap_or(head);
    if head.contains(['.', '[', '>', '"', '\'', '<', '-', '/']) {
        return None;
    }
    let name = head.split_whitespace().next_back()?;
    (name.len() >= 3 && name.chars().all(|c| c.is_alphanumeric() || c == '_')).then_some(name)
}

/// A line with its words taken for one another: what is left is its form.
fn outline(t: &str) -> String {
    let mut out = String::new();
    let mut word = false;
    for c in t.chars() {
        if c.is_alphanumeric() || c == '_' {
            if !word {
                out.push('w');
            }
            word = true;
        } else {
            word = false;
            out.push(c);
        }
    }
    out
}
