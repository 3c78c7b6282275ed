//! From the text that an agent sent to lines with a role, cut into segments.

pub(super) mod diffs;
pub(super) mod forms;
pub(super) mod gone;
pub(super) mod markers;
pub(super) mod script;
mod wrapping;

use self::diffs::{search_replace, unified};
use self::markers::Marked;
use self::script::{Haystack, Item, Note, Role, Script, Segment, Unreadable};
use self::wrapping::{strip_line_numbers, unwrap};
use super::lines::line::Line;
use super::lines::shape::{import, net_brackets, times};

/// The lines of a snippet, each with its number, without what is around all of them: code fences,
/// line numbers.
pub(crate) fn lines<'s>(snippet: &'s str, file: &Haystack) -> Vec<(usize, &'s str)> {
    let mut lines: Vec<(usize, &str)> = snippet
        .split('\n')
        .map(|l| l.strip_suffix('\r').unwrap_or(l))
        .enumerate()
        .map(|(i, l)| (i + 1, l))
        .collect();
    if lines.last().is_some_and(|(_, l)| l.is_empty()) {
        lines.pop();
    }
    unwrap(&mut lines, file);
    let numbered = strip_line_numbers(&lines, file);
    numbered.unwrap_or(lines)
}

/// Reads the lines of a snippet as the passes it asks for.
pub(crate) fn read(lines: &[(usize, &str)], file: &Haystack) -> Result<Vec<Script>, Unreadable> {
    if let Some(blocks) = search_replace(lines)? {
        if blocks
            .iter()
            .flat_map(|b| &b.segments)
            .any(|s| s.items.is_empty())
        {
            return Err(Unreadable::Empty);
        }
        return Ok(blocks);
    }
    if let Some(script) = unified(lines) {
        return if script.segments.is_empty() {
            Err(Unreadable::Empty)
        } else {
            Ok(vec![script])
        };
    }
    let script = lazy(lines, file)?;
    if script.segments.is_empty() && script.removals.is_empty() {
        return Err(Unreadable::Empty);
    }
    Ok(vec![script])
}

/// Which prefixes a snippet with markers uses.
struct Prefixes {
    minus: bool,
    plus: bool,
}

/// Whether a line begins with a dash that stands for nothing in a text: no list, rule or
/// comment.
pub(crate) fn dashed(l: &str) -> bool {
    let Some(rest) = l.strip_prefix('-') else {
        return false;
    };
    match rest.strip_prefix(' ') {
        Some(more) => more.starts_with(' '),
        None => !rest.is_empty() && !rest.starts_with(['-', '>']),
    }
}

fn prefixes(lines: &[(usize, &str)], file: &Haystack) -> Prefixes {
    let (mut minus, mut plus, mut plus_text) = (false, 0usize, 0usize);
    // Where one line with a dash is the file's, deeper there or not, another may be new.
    let dashes = file.minus || lines.iter().any(|(_, l)| dashed(l) && file.holds(l));
    for (_, l) in lines {
        if let Some(rest) = l.strip_prefix('-') {
            let telling = Line::new(rest).word_count() > 0;
            // A line that is gone already is no text either.
            let gone = !dashes && dashed(l);
            minus |= telling && !file.holds(l) && (file.holds(rest) || gone);
        } else if let Some(rest) = l.strip_prefix('+') {
            if rest.trim().is_empty() || !file.holds(l) {
                plus += 1;
            } else {
                plus_text += 1;
            }
        }
    }
    // With additions only, nothing of the file may begin with the prefix, and something
    // else has to be the file's.
    let context = lines
        .iter()
        .any(|(_, l)| !l.starts_with('+') && !l.trim().is_empty() && file.holds(l));
    // What stands there without the prefix has been added before.
    let added = lines.iter().any(|(_, l)| {
        let rest = l.strip_prefix('+').map(Line::new);
        rest.is_some_and(|r| r.word_count() > 0 && file.holds(r.raw)) && !file.holds(l)
    });
    // Nor is a lone prefix a line of any text: it stands for a blank one.
    let blank = lines.iter().any(|(_, l)| l.trim_end() == "+");
    let new = minus || added || (!file.plus || blank) && context;
    let plus = plus > 0 && plus_text == 0 && new;
    // Beside additions, what begins with a dash is a removal.
    Prefixes {
        minus: minus || plus,
        plus,
    }
}

/// A snippet whose markers stand for unchanged code.
fn lazy(lines: &[(usize, &str)], file: &Haystack) -> Result<Script, Unreadable> {
    let prefix = prefixes(lines, file);
    let mut script = Script::default();
    let mut segment = Segment::default();
    let mut before = "";
    // How many lines of the segment stand above a comment that asks for a removal.
    let mut asked_below = None;
    for (at, &(number, l)) in lines.iter().enumerate() {
        let (role, text) = if prefix.minus && l.starts_with('-') && !file.holds(l) {
            (Role::Minus, &l[1..])
        } else if prefix.plus && l.starts_with('+') {
            (Role::Plus, &l[1..])
        } else {
            (Role::Plain, l)
        };
        if (prefix.minus || prefix.plus) && l.starts_with("@@") {
            close(&mut script, &mut segment, "");
            continue;
        }
        if role == Role::Plain && stands_for_code(lines, at, file) {
            close(&mut script, &mut segment, text);
            before = "";
            continue;
        }
        if role != Role::Minus && !file.holds(text) {
            // Any other comment about a removal is text.
            let spoken = match role {
                Role::Plain => gone::spoken(text, file),
                _ => None,
            };
            if let Some(spoken) = spoken {
                script.removals.extend(spoken);
                asked_below = Some(segment.items.len());
                continue;
            }
            if role == Role::Plain && gone::told_gone(text, file.comments) {
                let named = gone::removal(text).filter(|r| r.of_the_edit);
                segment.notes.push(Note {
                    above: segment.items.len(),
                    number,
                    done: named.is_some_and(|r| !(file.mentions)(r.name)),
                });
                continue;
            }
            if role == Role::Plain
                && let Some((head, tail)) = markers::around(text)
            {
                let indent = Line::new(text).indent();
                let item = |text: String| Item { text, role, number };
                segment.items.push(item(head.to_string()));
                // The marker stands in the block.
                close(&mut script, &mut segment, &format!("{indent}\t..."));
                segment.items.push(item(format!("{indent}{tail}")));
                before = "";
                continue;
            }
            let marked = match markers::classify(text) {
                // In Python a lone `...` is the body of a stub, where the file has none.
                Marked::BareDots
                    if file.python && before.trim_end().ends_with(':') && !file.holds(before) =>
                {
                    Marked::No
                }
                Marked::BareDots if in_new_text(lines, at, file) => Marked::No,
                Marked::BareDots => Marked::Marker,
                Marked::No
                    if markers::is_comment(text, file.comments)
                        && (markers::leads(text) && !goes_on(lines, at, file)
                            || markers::tells_of_the_rest(text)
                            || before.is_empty() && locates(text, file)
                            || markers::leads_imports(text) && above_late_imports(lines, at)
                            || markers::same_as_before(text)
                                && !joined(lines, at, file)
                                && !tells_of_the_next(lines, at, file)) =>
                {
                    Marked::Marker
                }
                m => m,
            };
            match marked {
                Marked::Marker => {
                    close(&mut script, &mut segment, text);
                    before = "";
                    continue;
                }
                Marked::Inline => {
                    return Err(Unreadable::Inline(number, text.trim().to_string()));
                }
                _ => {}
            }
        }
        let blank = |t: &str| t.trim().is_empty();
        // Of the blank lines around a note those above are left.
        let noted = segment.notes.last().map(|n| n.above);
        let here = Some(segment.items.len());
        if (noted == here || asked_below == here)
            && blank(text)
            && segment.items.last().is_some_and(|i| blank(&i.text))
        {
            continue;
        }
        if !blank(text) {
            before = text;
        }
        segment.items.push(Item {
            text: text.to_string(),
            role,
            number,
        });
    }
    let notes = push(&mut script, segment, false);
    match notes.first() {
        Some(note) if script.removals.is_empty() => Err(Unreadable::Gone(note.number)),
        _ => Ok(script),
    }
}

/// Whether the lines around one follow each other in the file, or stand there not at all: it
/// leaves nothing out.
fn joined(lines: &[(usize, &str)], at: usize, file: &Haystack) -> bool {
    let told = |(_, l): &&(usize, &str)| !l.trim().is_empty();
    let above = lines.get(..at).and_then(|l| l.iter().rev().find(told));
    let below = lines.get(at + 1..).and_then(|l| l.iter().find(told));
    let known = |l: &&&(usize, &str)| file.holds(l.1);
    match (above.filter(|l| known(&l)), below.filter(|l| known(&l))) {
        (Some(a), Some(b)) => (file.follows)(a.1.trim(), b.1.trim()),
        (None, None) => above.is_some() && below.is_some(),
        _ => false,
    }
}

/// Whether a comment stands right above a line that the file does not have.
fn tells_of_the_next(lines: &[(usize, &str)], at: usize, file: &Haystack) -> bool {
    let below = lines.get(at + 1);
    below.is_some_and(|(_, l)| !l.trim().is_empty() && !file.holds(l))
}

/// Whether a line stands between new ones in a text over several lines, which the snippet begins: nothing
/// can be left out there.
fn in_new_text(lines: &[(usize, &str)], at: usize, file: &Haystack) -> bool {
    let told = |(_, l): &&(usize, &str)| !l.trim().is_empty();
    let (above, below) = (lines.get(..at), lines.get(at + 1..));
    let new = |l: Option<&(usize, &str)>| l.is_some_and(|l| !file.holds(l.1));
    let before = || above.into_iter().flatten().map(|l| l.1);
    let open = ["\"\"\"", "'''"]
        .iter()
        .any(|q| times(before(), q) % 2 == 1);
    let beside = [
        above.and_then(|l| l.iter().rev().find(told)),
        below.and_then(|l| l.iter().find(told)),
    ];
    open && beside.into_iter().all(new)
}

/// Whether a comment says where the lines below it are, by a name that the file defines.
pub(crate) fn locates(text: &str, file: &Haystack) -> bool {
    markers::located(text).is_some_and(|name| (file.defines)(name))
}

/// Whether a line stands above an import, and below code that is none.
fn above_late_imports(lines: &[(usize, &str)], at: usize) -> bool {
    let told = |(_, l): &&(usize, &str)| !l.trim().is_empty();
    let (above, below) = (lines.get(..at), lines.get(at + 1..));
    let next = below.and_then(|l| l.iter().find(told));
    // An import may go on over lines.
    let mut open = 0;
    let mut code = |l: &str| {
        let within = open > 0 || import(l.trim());
        open = if within { open + net_brackets(l) } else { 0 };
        !within && !markers::begins_comment(l.trim(), ANY_COMMENT)
    };
    let mut above = above.into_iter().flatten().filter(told);
    next.is_some_and(|l| import(l.1)) && above.any(|l| code(l.1))
}

/// What a comment begins with in one language or another.
const ANY_COMMENT: &[&str] = &["//", "#", "--", "/*", "*"];

/// Whether a comment stands right below another one.
fn goes_on(lines: &[(usize, &str)], at: usize, file: &Haystack) -> bool {
    let above = at.checked_sub(1).and_then(|a| lines.get(a));
    above.is_some_and(|(_, l)| markers::begins_comment(l.trim_start(), file.comments))
}

/// Whether a marker that the file has for text as well is one: the snippet has it more often
/// than the file, and not beside a line that it stands beside in the file.
fn stands_for_code(lines: &[(usize, &str)], at: usize, file: &Haystack) -> bool {
    let text = |at: Option<usize>| at.and_then(|a| lines.get(a)).map_or("", |l| l.1.trim());
    let here = text(Some(at));
    let held = file.count(here);
    if held == 0 || markers::classify(here) != Marked::Marker {
        return false;
    }
    let (above, below) = (text(at.checked_sub(1)), text(Some(at + 1)));
    lines.iter().filter(|l| l.1.trim() == here).count() > held
        && (above.is_empty() || !(file.follows)(above, here))
        && (below.is_empty() || !(file.follows)(here, below))
}

/// Ends a segment at a marker, of which the line is given.
fn close(script: &mut Script, segment: &mut Segment, marker: &str) {
    script.markers += 1;
    segment.marker_indent = Line::new(marker).indent().to_string();
    segment.notes = push(script, std::mem::take(segment), true);
    segment.marker_before = true;
}

/// Adds a segment, if it has lines. Returns the notes of one that has none, and none above it.
pub(crate) fn push(script: &mut Script, mut segment: Segment, marker_after: bool) -> Vec<Note> {
    segment.marker_after = marker_after;
    let blank = |i: &Item| i.text.trim().is_empty() && i.role != Role::Minus;
    while segment.items.last().is_some_and(blank) {
        segment.items.pop();
        segment.blank_after += 1;
    }
    while segment.items.first().is_some_and(blank) {
        segment.items.remove(0);
        segment.blank_before += 1;
        for note in &mut segment.notes {
            note.above = note.above.saturating_sub(1);
        }
    }
    if !segment.items.is_empty() {
        script.segments.push(segment);
    } else if let Some(last) = script.segments.last_mut() {
        let end = last.items.len();
        last.notes
            .extend(segment.notes.drain(..).map(|n| Note { above: end, ..n }));
    } else {
        return segment.notes;
    }
    Vec::new()
}
