//! JSON on one line or many, and one value per line.
//!
//! A tolerant scan finds every member with the path of its keys. What stands
//! near the root, what differs from its siblings (the failed among the passed),
//! what speaks of errors and the first element of each list, as an example of
//! the rest, survive; a member's object brings its name along.

use super::super::select::{Draft, NONE};
use super::super::view::View;
use super::super::words::{Hits, words};
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Range;

/// Keys whose values tell objects apart.
const NAMES: [&str; 26] = [
    "name", "id", "title", "key", "path", "file", "filename", "type", "kind", "status", "state",
    "message", "fullname", "url", "line", "code", "reason", "level", "severity", "version",
    "package", "rule", "target", "label", "event", "method",
];

/// An object or array.
struct Container {
    parent: Option<usize>,
    /// The nearest line in front that names its key.
    named_by: u32,
    array: bool,
    depth: usize,
    /// Whether it and all around it come first in their arrays.
    exemplar: bool,
    path: u64,
    children: usize,
}

/// A key with its value, or an element of an array.
struct Member {
    owner: usize,
    key: Range<usize>,
    value: Range<usize>,
    path: u64,
    container: Option<usize>,
}

/// Scores the lines or spans of a JSON text.
pub fn draft(view: &View, lines: &[&str], hits: &Hits) -> Draft {
    let mut draft = Draft::new(view.len());
    let text: &str = &view.text;
    let (containers, members) = scan(view);
    let value = |m: &Member| text.get(m.value.clone()).unwrap_or("").trim();
    // How often each value stands at each path; containers only as empty or not.
    let shape = |m: &Member| -> u64 {
        let v = value(m);
        match m.container {
            Some(c) => hash(&(containers[c].array, containers[c].children > 0)),
            None if v.len() <= 48 => hash(&v),
            None => hash(&"long"),
        }
    };
    let mut at_path: HashMap<u64, (u32, HashMap<u64, u32>)> = HashMap::new();
    let mut owners: HashMap<u64, u32> = HashMap::new();
    for c in &containers {
        *owners.entry(c.path).or_default() += 1;
    }
    for m in &members {
        let (total, values) = at_path.entry(m.path).or_default();
        *total += 1;
        *values.entry(shape(m)).or_default() += 1;
    }
    let mut odd = vec![0f32; members.len()];
    let mut object_odd = vec![0f32; containers.len()];
    for (i, m) in members.iter().enumerate() {
        let Some((total, values)) = at_path.get(&m.path) else {
            continue;
        };
        let n = *total as f32;
        let same = values.get(&shape(m)).copied().unwrap_or(1) as f32;
        let distinct = values.len() as f32;
        if n >= 6.0 && same / n <= 0.2 && distinct <= (0.2 * n).max(4.0) {
            odd[i] = (n / same).ln() / n.ln();
        }
        // A key that few of the siblings have.
        let siblings = owners.get(&containers[m.owner].path).copied().unwrap_or(1) as f32;
        if !containers[m.owner].array && siblings >= 6.0 && n / siblings <= 0.2 {
            odd[i] = odd[i].max(0.8);
        }
        object_odd[m.owner] = object_odd[m.owner].max(odd[i]);
    }
    // An odd part makes the whole a little odd.
    for c in (0..containers.len()).rev() {
        if let Some(p) = containers[c].parent {
            object_odd[p] = object_odd[p].max(0.6 * object_odd[c]);
        }
    }
    let mut answers = vec![0f32; containers.len()];
    for m in &members {
        let piece = view.piece_at(m.value.start);
        answers[m.owner] = answers[m.owner].max(hits.line(piece));
    }
    let mut repeats: HashMap<(u64, u64), u32> = HashMap::new();
    for (i, m) in members.iter().enumerate() {
        let piece = view.piece_at(m.value.start);
        let last = view.piece_at(m.value.end.saturating_sub(1).max(m.value.start));
        let owner = &containers[m.owner];
        let key = text.get(m.key.clone()).unwrap_or("").trim_matches('"');
        let v = value(m);
        let seen = repeats.entry((m.path, shape(m))).or_default();
        let fade = 1.0 / (1.0 + 0.3 * *seen as f32);
        *seen += 1;
        let name = NAMES.iter().any(|n| key.eq_ignore_ascii_case(n))
            || words(key)
                .flat_map(super::super::words::parts)
                .last()
                .is_some_and(|p| NAMES.iter().any(|n| p.eq_ignore_ascii_case(n)));
        let mut worth = 0.4 * fade;
        if m.container.is_none() {
            worth += match owner.depth {
                0 => 4.0,
                1 => 2.0,
                2 => 0.8,
                _ => 0.2,
            } * fade;
        } else if owner.depth < 2 {
            worth += 1.0;
        }
        worth += 5.0 * odd[i];
        worth += object_odd[m.owner] * if name { 3.0 } else { 1.0 };
        if owner.exemplar {
            worth += 1.5;
        }
        if is_set(v) && speaks_of_errors(key, if m.container.is_some() { "" } else { v }) {
            worth += 4.0 * fade.max(0.3);
        }
        let asked = hits.line(piece);
        worth += 12.0 * asked * fade.max(if name { 0.5 } else { 0.25 });
        worth += 4.0 * answers[m.owner] * if name { 1.0 } else { 0.5 };
        // A long value is spread over spans; those behind the first say less each.
        let mut share = worth;
        for p in piece..=last {
            if m.container.is_some() && p > piece {
                break;
            }
            let more = if p > piece { 8.0 * hits.line(p) } else { 0.0 };
            draft.score[p] = draft.score[p].max(share + more);
            share *= 0.8;
        }
        if owner.named_by != NONE && (owner.named_by as usize) < piece && !view.pieces[piece].glued
        {
            draft.parent[piece] = owner.named_by;
        }
    }
    for (i, line) in lines.iter().enumerate() {
        // Brackets alone say nothing.
        if !line.bytes().any(|b| b.is_ascii_alphanumeric()) {
            draft.score[i] = 0.0;
            draft.parent[i] = NONE;
        }
    }
    draft
}

fn is_set(value: &str) -> bool {
    !matches!(value, "0" | "false" | "null" | "\"\"" | "[]" | "{}" | "0.0")
}

/// Whether a key or a short value speaks of something that went wrong.
fn speaks_of_errors(key: &str, value: &str) -> bool {
    let value = value.get(..value.len().min(200)).unwrap_or("");
    words(key)
        .chain(words(value))
        .flat_map(super::super::words::parts)
        .any(|w| {
            let w = w.to_ascii_lowercase();
            [
                "error",
                "fail",
                "exception",
                "fatal",
                "panic",
                "critical",
                "invalid",
                "denied",
                "vulnerab",
                "timeout",
                "reject",
            ]
            .iter()
            .any(|e| w.starts_with(e))
        })
}

fn hash(value: &impl Hash) -> u64 {
    // Its keys are fixed, so runs agree.
    let mut h = DefaultHasher::new();
    value.hash(&mut h);
    h.finish()
}

/// Finds containers and members. Text that is not quite JSON yields what it can.
fn scan(view: &View) -> (Vec<Container>, Vec<Member>) {
    let text: &str = &view.text;
    let b = text.as_bytes();
    let mut containers = vec![Container {
        parent: None,
        named_by: NONE,
        array: true,
        depth: 0,
        exemplar: true,
        path: 0,
        children: 0,
    }];
    let mut members: Vec<Member> = Vec::new();
    let mut stack = vec![0usize];
    let mut open_members: Vec<Option<usize>> = Vec::new();
    let mut key: Option<Range<usize>> = None;
    let mut i = 0;
    while i < b.len() {
        let Some(&top) = stack.last() else { break };
        match b[i] {
            b'"' => {
                let end = string_end(b, i);
                let mut after = end;
                while b.get(after).is_some_and(u8::is_ascii_whitespace) {
                    after += 1;
                }
                if !containers[top].array && key.is_none() && b.get(after) == Some(&b':') {
                    key = Some(i..end);
                    i = after + 1;
                } else {
                    push(&mut containers, &mut members, top, key.take(), i..end, None);
                    i = end;
                }
            }
            open @ (b'{' | b'[') => {
                let c = containers.len();
                let named = key.clone();
                let first = containers[top].children == 0;
                let m = push(
                    &mut containers,
                    &mut members,
                    top,
                    key.take(),
                    i..i + 1,
                    Some(c),
                );
                let above = &containers[top];
                containers.push(Container {
                    parent: Some(top),
                    named_by: match named {
                        Some(k) => view.piece_at(k.start) as u32,
                        None => above.named_by,
                    },
                    array: open == b'[',
                    // One value that is the whole text is no level of its own.
                    depth: if top == 0 { 0 } else { above.depth + 1 },
                    exemplar: above.exemplar && (first || !above.array),
                    path: 0,
                    children: 0,
                });
                stack.push(c);
                open_members.push(Some(m));
                i += 1;
            }
            b'}' | b']' => {
                if stack.len() > 1 {
                    stack.pop();
                    if let Some(Some(m)) = open_members.pop() {
                        members[m].value.end = i + 1;
                    }
                }
                key = None;
                i += 1;
            }
            b',' | b':' => i += 1,
            c if c.is_ascii_whitespace() => i += 1,
            _ => {
                let end = (i + 1..b.len())
                    .find(|&j| matches!(b[j], b',' | b'}' | b']' | b'\n' | b'"' | b'{' | b'['))
                    .unwrap_or(b.len());
                push(&mut containers, &mut members, top, key.take(), i..end, None);
                i = end;
            }
        }
    }
    set_paths(text, &mut containers, &mut members);
    (containers, members)
}

/// Sets the path of keys of every member. Elements of an array share a path,
/// and so do the values of an object that is a map: many keys, alike containers.
fn set_paths(text: &str, containers: &mut [Container], members: &mut [Member]) {
    let mut inner = vec![0usize; containers.len()];
    for m in members.iter().filter(|m| m.container.is_some()) {
        inner[m.owner] += 1;
    }
    // Members come in the order of the text, so an owner's path is set before.
    for m in members {
        let owner = &containers[m.owner];
        let map = inner[m.owner] >= 8 && inner[m.owner] * 5 >= owner.children * 4;
        let name = if map || owner.array {
            "*"
        } else {
            text.get(m.key.clone()).unwrap_or("")
        };
        m.path = hash(&(owner.path, name));
        if let Some(c) = m.container {
            containers[c].path = m.path;
        }
    }
}

/// Notes a member of container `owner`.
fn push(
    containers: &mut [Container],
    members: &mut Vec<Member>,
    owner: usize,
    key: Option<Range<usize>>,
    value: Range<usize>,
    container: Option<usize>,
) -> usize {
    containers[owner].children += 1;
    let start = value.start;
    members.push(Member {
        owner,
        key: key.unwrap_or(start..start),
        value,
        path: 0,
        container,
    });
    members.len() - 1
}

/// The offset behind a string that begins at `at`.
fn string_end(b: &[u8], at: usize) -> usize {
    let mut i = at + 1;
    while i < b.len() {
        match b[i] {
            b'\\' => i += 2,
            b'"' => return i + 1,
            _ => i += 1,
        }
    }
    b.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_odd_one_out_leads() {
        let items: Vec<_> = (0..40)
            .map(|i| {
                let state = if i == 23 { "lost" } else { "fine" };
                format!("{{\"id\":{i},\"state\":\"{state}\",\"weight\":{}}}", i * 7)
            })
            .collect();
        let text = format!("{{\"count\":40,\"items\":[{}]}}", items.join(","));
        let view = View::new(text.as_str());
        let lines = view.lines();
        let query = super::super::super::Query::new("");
        let hits = Hits::new(&query, &lines);
        let draft = draft(&view, &lines, &hits);
        let best = (0..lines.len())
            .max_by(|&a, &b| draft.score[a].total_cmp(&draft.score[b]))
            .unwrap();
        assert!(lines[best].contains("lost"), "{}", lines[best]);
    }
}
