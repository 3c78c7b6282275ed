//! What the definitions of file and snippet say about which line is which.

use super::alone;
use super::blocks;
use super::closers::{self, block};
use super::context::{Ctx, same_line};
use super::fresh;
use super::guides::{CALLABLE, CLOSER, Guides, Range};
use super::scores::CHANGED;
use super::signature::{implemented, labels, parameters};
use crate::apply::lines::key::Key;
use crate::apply::lines::line::{Class, Line};
use crate::apply::lines::shape::{contained, says};
use crate::apply::lines::words::word_at;
use crate::apply::snippet::script::Role;
use crate::syntax::{Definition, Definitions, Language};

/// What a pair of keys of a data file is worth.
const KEY: i16 = 120;

/// Whether a definition has a body of its own over several lines, as a property with accessors.
fn is_block(d: &Definition) -> bool {
    d.kind == crate::syntax::Kind::Field && d.body.is_some() && d.lines.len() > 2
}

/// Whether there may be several of a kind of definition under one name.
fn adds(d: &Definition) -> bool {
    use crate::syntax::Kind;
    matches!(d.kind, Kind::Impl | Kind::Module)
}

/// Whether statements end with a semicolon: nearly none does, or many.
fn semicolons(file: &[Line]) -> Option<bool> {
    let told = file.iter().filter(|l| l.class != Class::Blank);
    let (all, ended) = told.fold((0, 0), |(all, ended), l| {
        (all + 1, ended + usize::from(l.trimmed.ends_with(';')))
    });
    match ended {
        n if n * FEW <= all => Some(false),
        n if n * MANY >= all => Some(true),
        _ => None,
    }
}

/// One line of so many ends with a semicolon where statements do without.
const FEW: usize = 50;

/// And where they do not.
const MANY: usize = 5;

/// Whether a line of the snippet's stands among the file's, or nothing is told of them.
fn shares(ctx: &Ctx, new: std::ops::Range<usize>, old: std::ops::Range<usize>) -> bool {
    let plain = |l: &&Line| l.class == Class::Plain;
    let mut told = ctx.lines[new].iter().filter(plain).peekable();
    let old = ctx.file.get(old).unwrap_or_default();
    told.peek().is_none() || told.any(|l| old.iter().any(|f| f.same(l)))
}

/// Pairs the snippet's definitions with the file's.
pub(crate) fn guide(
    ctx: &Ctx,
    definitions: &Definitions,
    imports: &[crate::text::Span],
    language: Option<&'static Language>,
) -> Guides {
    let m = ctx.lines.len();
    let n = ctx.file.len();
    let mut guides = Guides::none(m);
    guides.overloads = language.is_some_and(Language::overloads);
    guides.one_body = language.is_some_and(Language::has_one_body);
    guides.semicolons = language
        .filter(|l| l.has_optional_semicolons())
        .and_then(|_| semicolons(ctx.file));
    guides.indented = language.is_some_and(Language::indentation_sensitive);
    guides.imports = imports
        .iter()
        .map(|s| (s.start - 1, s.end))
        .filter(|s| s.1 <= n)
        .collect();
    guides.definitions = definitions
        .iter()
        .filter(|d| {
            use crate::syntax::Kind;
            let part = matches!(
                d.kind,
                Kind::Key | Kind::Section | Kind::Element | Kind::Rule
            );
            (!d.kind.is_value() || is_block(d)) && !part
        })
        .flat_map(|d| [d.lines_with_docs().start, d.lines.start].map(|s| (s - 1, d.lines.end)))
        .filter(|d| d.1 <= n)
        .collect();
    let named: Vec<(&Definition, usize)> = definitions
        .iter()
        .filter(|d| {
            (!d.kind.is_value() || is_block(d))
                && !matches!(
                    d.kind,
                    crate::syntax::Kind::Section | crate::syntax::Kind::Element
                )
        })
        .map(|d| (d, ctx.text.line_at(d.name_bytes.start) - 1))
        .filter(|&(_, j)| j < n)
        .collect();
    guides.named = named
        .iter()
        .filter(|(d, _)| d.kind.is_callable() || d.kind.is_type() || is_block(d))
        .map(|&(d, j)| (j, d.name_bytes.clone()))
        .collect();
    // What a declaration holds may have its name above that one's.
    guides.named.sort_by_key(|n| n.0);
    let mut found: Vec<(usize, usize, usize)> = Vec::new();
    for i in 0..m {
        if !matches!(ctx.lines[i].class, Class::Plain | Class::Short) || !heads(ctx, i) {
            continue;
        }
        let (low, high) = guides.ranges[i].map_or((0, n), |r| (r.low, r.high));
        let shift = ctx.shifts[ctx.bounds.partition_point(|&(_, b)| b <= i)];
        // What is taken out of a block or put into one stands deeper there or here.
        let level = |j: usize| {
            let (new, old) = (ctx.cols(i), ctx.file_cols(j));
            old == new || shift.is_none_or(|s| old == new + s)
        };
        let fits: Vec<usize> = (0..named.len())
            .filter(|&d| {
                let (def, j) = named[d];
                low <= j
                    && j < high
                    && (def.lines.start > low || guides.ranges[i].is_none() || j > low)
                    && level(j)
                    && (same_head(ctx, i, def, j) || held(ctx, i, def, j))
            })
            .collect();
        let fits: Vec<usize> = if fits.len() > 1 {
            // Overloads: the one whose header reads the same.
            let told = |same: &dyn Fn(usize) -> bool| {
                let mut same = fits.iter().copied().filter(|&d| same(named[d].1));
                same.next().filter(|_| same.next().is_none())
            };
            let exact = told(&|j| same_line(ctx, i, j));
            let own = parameters(&ctx.lines[i..]);
            let called = labels(&ctx.lines[i..]).filter(|l| !guides.one_body && !l.is_empty());
            exact
                .or_else(|| told(&|j| parameters(&ctx.file[j..]) == own))
                // Or, with other types, the one whose parameters are called the same.
                .or_else(|| {
                    called.and_then(|l| told(&|j| labels(&ctx.file[j..]).as_ref() == Some(&l)))
                })
                .into_iter()
                .collect()
        } else {
            fits
        };
        let [d] = fits.as_slice() else { continue };
        let block = block(ctx, i);
        let (def, j) = named[*d];
        if (adds(def) || held(ctx, i, def, j))
            && !same_line(ctx, i, j)
            && !shares(ctx, i + 1..block.end, j + 1..def.lines.end)
        {
            continue;
        }
        found.push((i, *d, 0));
        for x in i..block.end {
            guides.ranges[x] = Some(Range {
                low: def.lines.start - 1,
                high: def.lines.end.min(n),
                firm: true,
                inside: true,
            });
        }
    }
    // A definition that the snippet heads twice pairs with neither.
    let twice = |d: usize| found.iter().filter(|f| f.1 == d).count() > 1;
    let kept: Vec<(usize, usize)> = found
        .iter()
        .filter(|f| !twice(f.1))
        .map(|f| (f.0, f.1))
        .collect();
    guides.ranges = vec![None; m];
    for &(i, d) in &kept {
        let (def, j) = named[d];
        let block = block(ctx, i);
        let range = (def.lines.start - 1, def.lines.end.min(n));
        let s = ctx.bounds.partition_point(|&(_, b)| b <= i);
        let key = def.kind == crate::syntax::Kind::Key;
        // Behind a marker that is deeper than the header, too, they are its own.
        let inside = |x: usize| !key && ctx.is_inside(i, x);
        if def.lines.len() > 1 {
            for x in i + 1..block.end {
                guides.ranges[x] = Some(Range {
                    low: range.0,
                    high: range.1,
                    firm: x < ctx.bounds[s].1,
                    inside: inside(x),
                });
            }
        }
        guides.pairs.push((i, j, if key { KEY } else { CALLABLE }));
        // What is said above a header is what the file says there, or new.
        let above = (ctx.bounds[s].0..i).rev();
        let start = def.lines_with_docs().start - 1;
        let others = guides.definitions.iter().filter(|d| d.0 < start);
        let low = others.map(|d| if d.1 <= j { d.1 } else { d.0 + 1 }).max();
        for x in above.take_while(|&x| !key && says(ctx.lines[x].trimmed)) {
            guides.ranges[x] = Some(Range {
                low: low.unwrap_or(0),
                high: j,
                firm: true,
                inside: true,
            });
        }
        let whole = block.end <= ctx.bounds[s].1 && block.end > i + 1;
        if block.closed && block.end > i + 1 {
            let (x, y) = (block.end - 1, def.lines.end - 1);
            let opens = ctx.lines[x].trimmed.chars().next();
            let same = y < n && opens == ctx.file[y].trimmed.chars().next();
            if same && !closers::strays(ctx, x, range) {
                guides.pairs.push((x, y, CLOSER));
                // It closes what the header opens and nothing else.
                let plain = [i, x].iter().all(|&l| ctx.roles[l] == Role::Plain);
                if plain && inside(x) {
                    guides.ranges[x] = Some(Range::only(y));
                }
            }
        }
        let ends = guides.indented && ends(ctx, i, block.end, def);
        if whole && (block.closed || ctx.bounds[s].1 > block.end || ends) && !key {
            for x in i..block.end {
                guides.rewrites[x] = Some(range);
            }
        }
    }
    for (i, j) in closers::opens_around(ctx, &guides) {
        guides.pairs.push((i, j, CLOSER));
        guides.ranges[i] = Some(Range::only(j));
    }
    let shut = closers::shut(ctx, &guides);
    for &[(i, j), _] in &shut {
        guides.pairs.push((i, j, CLOSER));
        if guides.ranges[i].is_none_or(|r| r.low <= j && j < r.high) {
            guides.ranges[i] = Some(Range::only(j));
        }
    }
    guides.shut = shut;
    for &(a, b) in &ctx.bounds {
        if let Some(j) = alone::run(ctx, &guides, a, b) {
            guides.pairs.push((a, j, CALLABLE));
        }
    }
    let count = ctx.bounds.len();
    for (k, (s, &(a, b))) in ctx.script.segments.iter().zip(&ctx.bounds).enumerate() {
        if s.marker_before && (s.marker_after || k + 1 == count) {
            let bound: Vec<usize> = (a..b).map_while(|i| alone::bound(ctx, i)).collect();
            let first = match bound.first() {
                Some(&j) if bound.iter().copied().eq(j..j + b - a) => Some(j),
                _ => {
                    // In the definition that the snippet heads above it, or anywhere.
                    let within = guides.ranges[a].map(|r| r.low..r.high.min(n));
                    let opening = || alone::opening(ctx, &guides, k);
                    within
                        .and_then(|r| alone::like(ctx, a, b, r))
                        .or_else(opening)
                        .or_else(|| alone::like(ctx, a, b, 0..n))
                }
            };
            let all = first.map(|j| (a..b).zip(j..));
            let pairs = all.into_iter().flatten();
            guides.pairs.extend(pairs.map(|(i, j)| (i, j, CALLABLE)));
        }
    }
    for new in ctx
        .bounds
        .iter()
        .filter_map(|&(a, b)| alone::anew(ctx, a, b))
    {
        guides.pairs.push((new.lines.start, new.head, CALLABLE));
        for x in new.lines {
            guides.ranges[x] = Some(Range {
                low: new.head,
                high: new.end,
                firm: true,
                inside: true,
            });
        }
    }
    for &(a, b) in &ctx.bounds {
        let framed = alone::framed(ctx, &guides, a, b).into_iter();
        guides.pairs.extend(framed.map(|(i, j)| (i, j, CLOSER)));
    }
    let start = alone::start(ctx).into_iter();
    guides.pairs.extend(start.map(|(i, j)| (i, j, CALLABLE)));
    if let Some(language) = language {
        fresh::mark_new(ctx, definitions, language, &mut guides);
    }
    blocks::bound(ctx, &mut guides);
    guides
}

/// Whether a body that indentation alone ends is whole up to a snippet line, in front of which it
/// ends: it is left there, or nothing is below it on both sides, or the old one's last line is among
/// its lines and a marker as deep as its header, `i`, follows.
fn ends(ctx: &Ctx, i: usize, end: usize, def: &Definition) -> bool {
    let marker = &ctx.script.segments[ctx.segment_of(i)];
    let blank = |l: &Line| l.class == Class::Blank;
    let below = ctx.file.get(def.lines.end..).unwrap_or_default();
    let last = end == ctx.lines.len() && ctx.script.markers > 0 && !marker.marker_after;
    let own = ctx.file.get(def.lines.start - 1..def.lines.end);
    let own = own.unwrap_or_default();
    let old = own.iter().skip(1).rfind(|l| l.class == Class::Plain);
    let shown = |old: &Line| {
        let new = &ctx.lines[i + 1..end];
        let begins = |l: &Line| l.trimmed.len() >= BEGINNING && old.trimmed.starts_with(l.trimmed);
        let like = |l: &Line| {
            l.same(old) || l.similarity(old) >= CHANGED || contained(l, old) || begins(l)
        };
        let said = |w: &str| w.is_empty() || new.iter().any(|l| word_at(l.trimmed, w).is_some());
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        new.iter().any(like) || old.trimmed.split(|c| !is_word(c)).all(said)
    };
    let (from, to) = ctx.bounds[ctx.segment_of(i)];
    let behind = ctx.lines.get(end..to);
    let shut = behind.is_some_and(|lines| lines.iter().all(blank));
    let out = marker.marker_after && shut && ctx.snippet_cols(&marker.marker_indent) <= ctx.cols(i);
    // A definition alone, which has become no shorter.
    let told = |lines: &[Line]| lines.iter().filter(|l| !blank(l)).count();
    let alone = ctx.script.markers == 0
        && (from, to) == (0, ctx.lines.len())
        && shut
        && ctx.lines[..i].iter().all(|l| blank(l) || says(l.trimmed))
        && told(&ctx.lines[i..end]) >= told(own);
    left(ctx, i, end) || last && below.iter().all(blank) || (out || alone) && old.is_some_and(shown)
}

/// Bytes of the beginning of a line that tell it.
const BEGINNING: usize = 8;

/// Whether the last line of a block leaves it: nothing may follow.
fn left(ctx: &Ctx, head: usize, end: usize) -> bool {
    let told = |i: &usize| ctx.lines[*i].class != Class::Blank;
    let least = (head + 1..end).filter(told).map(|i| ctx.cols(i)).min();
    (head + 1..end)
        .rev()
        .find(told)
        .is_some_and(|i| Some(ctx.cols(i)) == least && ctx.lines[i].key() == Key::Leaves)
}

/// Whether a snippet line opens a block: the next line is deeper, or it says so.
pub(crate) fn heads(ctx: &Ctx, i: usize) -> bool {
    let s = ctx.bounds.partition_point(|&(_, b)| b <= i);
    let t = ctx.lines[i].trimmed;
    if t.ends_with(['{', '(', '[']) || t.ends_with("=>") || t.ends_with(':') || t.ends_with(" do") {
        return true;
    }
    (i + 1..ctx.bounds[s].1)
        .find(|&x| ctx.lines[x].class != Class::Blank)
        .is_some_and(|x| {
            ctx.cols(x) > ctx.cols(i) || matches!(ctx.lines[x].trimmed, "{" | "where" | "begin")
        })
        || ctx.bounds[s].1 == i + 1
}

/// Whether a function that one of two lines declares is held by a variable in the other:
/// `function f(` and `const f = `.
fn held(ctx: &Ctx, i: usize, def: &Definition, j: usize) -> bool {
    let declares = |t: &str| {
        let at = word_at(t, &def.name)?;
        let word = t.get(..at)?.split_whitespace().next_back()?;
        let next = t.get(at + def.name.len()..)?.trim_start().chars().next()?;
        match (word, next) {
            ("function", '(' | '<') => Some(true),
            ("const" | "let" | "var", '=' | ':') => Some(false),
            _ => None,
        }
    };
    let forms = [ctx.lines[i].trimmed, ctx.file[j].trimmed].map(declares);
    matches!(forms, [Some(one), Some(other)] if one != other)
}

/// Whether snippet line `i` reads as the header of a definition whose header is at `j`.
fn same_head(ctx: &Ctx, i: usize, def: &Definition, j: usize) -> bool {
    let (a, b) = (&ctx.lines[i], &ctx.file[j]);
    if same_line(ctx, i, j) {
        return true;
    }
    // A selector is a name as a whole.
    if def.kind == crate::syntax::Kind::Rule {
        return false;
    }
    let (ta, tb) = (a.trimmed, b.trimmed);
    let (Some(pa), Some(pb)) = (word_at(ta, &def.name), word_at(tb, &def.name)) else {
        return false;
    };
    // A type has many blocks: they are told by what they implement.
    if def.kind == crate::syntax::Kind::Impl && implemented(ta) != implemented(tb) {
        return false;
    }
    // What stands before the name: the same last word (`def`, `fn`, `class`), whatever
    // modifiers precede it; what follows: a list of parameters or a body on both sides.
    let last = |t: &str| t.split_whitespace().next_back().map(str::to_string);
    let (ha, hb) = (last(&ta[..pa]), last(&tb[..pb]));
    let after = |t: &str, p: usize| {
        let rest = t.get(p + def.name.len()..).unwrap_or_default().trim_start();
        match rest {
            "do" => '\n',
            rest => rest.chars().next().unwrap_or('\n'),
        }
    };
    let (na, nb) = (after(ta, pa), after(tb, pb));
    let opens = |c: char| matches!(c, '(' | '<' | '{' | ':' | '\n' | '[' | '!' | '=');
    let modifier = |h: &Option<String>| {
        h.as_deref().is_none_or(|w| {
            matches!(
                w,
                "async"
                    | "public"
                    | "private"
                    | "protected"
                    | "static"
                    | "export"
                    | "default"
                    | "pub"
                    | "inline"
                    | "override"
                    | "final"
                    | "local"
                    | "abstract"
                    | "readonly"
                    | "get"
                    | "set"
                    | "const"
                    | "let"
                    | "var"
            )
        })
    };
    (ha == hb || (modifier(&ha) && modifier(&hb)))
        && opens(na)
        && opens(nb)
        && (na == nb || !matches!((na, nb), ('=', _) | (_, '=')))
}
