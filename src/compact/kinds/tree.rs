//! Lists and drawings of files and folders: `find`, `git ls-files`, `ls -R`,
//! `tree`.
//!
//! Paths that the query names come first, their own name before their folders;
//! then what lies near the root, the files that introduce a project or package,
//! and one file for each folder.

use super::super::select::{Draft, NONE};
use super::super::words::Hits;
use super::request::Request;
use super::search::is_side_path;
use std::collections::{HashMap, HashSet};

/// File names (without extension, lower case) that say what a folder holds.
const INTRODUCTIONS: [&str; 22] = [
    "readme",
    "cargo",
    "package",
    "pyproject",
    "setup",
    "go",
    "pom",
    "build",
    "makefile",
    "cmakelists",
    "dockerfile",
    "gemfile",
    "composer",
    "main",
    "lib",
    "mod",
    "index",
    "__init__",
    "app",
    "settings",
    "architecture",
    "tsconfig",
];

struct Entry {
    path: String,
    depth: usize,
    folder: bool,
}

/// Scores the lines of a tree.
pub fn draft(lines: &[&str], hits: &Hits, request: &Request) -> Draft {
    let n = lines.len();
    let mut draft = Draft::new(n);
    let entries = entries(lines, &mut draft);
    let mut in_folder: HashMap<String, u32> = HashMap::new();
    let folders: HashSet<String> = entries
        .iter()
        .flatten()
        .map(|e| folder_of(&e.path).to_string())
        .collect();
    let least = entries.iter().flatten().map(|e| e.depth).min().unwrap_or(0);
    for (i, entry) in entries.iter().enumerate() {
        let Some(e) = entry else {
            // Headings of listings, sums at the end.
            draft.score[i] = if lines[i].trim().is_empty() { 0.0 } else { 0.5 };
            continue;
        };
        let name = e.path.rsplit('/').next().unwrap_or(&e.path);
        let folder = folder_of(&e.path);
        let rank = in_folder.entry(folder.to_string()).or_default();
        let depth = e.depth - least;
        let is_folder = e.folder || folders.contains(&e.path);
        let stem = name
            .trim_start_matches('.')
            .split('.')
            .next()
            .unwrap_or(name);
        let lower = stem.to_ascii_lowercase();
        let mut worth = 2.0 / (1.0 + depth as f32);
        if *rank == 0 {
            worth += 0.6;
        }
        *rank += 1;
        if is_folder {
            worth += 1.0 / (1.0 + 0.5 * depth as f32);
        }
        if INTRODUCTIONS.contains(&lower.as_str()) {
            worth += 1.6 / (1.0 + 0.4 * depth as f32);
        }
        // A file that is named like a folder above it is most often its heart.
        if !is_folder
            && lower.len() > 2
            && folder.split('/').any(|f| f.eq_ignore_ascii_case(&lower))
        {
            worth += 1.2;
        }
        if name.starts_with('.')
            || folder.starts_with('.') && folder.len() > 1 && !folder.starts_with("./")
        {
            worth *= 0.5;
        }
        let side = is_side_path(&e.path);
        if side {
            worth *= 0.5;
        }
        let named = hits.text(request.query, stem);
        let whole = hits.text(request.query, name).max(named);
        let placed = hits.text(request.query, folder);
        worth += 12.0 * whole + 4.0 * placed + 3.0 * (whole * placed).sqrt();
        draft.score[i] = worth;
    }
    draft
}

fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(f, _)| f)
}

/// The entry that each line names; sets the lines that entries depend on.
fn entries(lines: &[&str], draft: &mut Draft) -> Vec<Option<Entry>> {
    let drawn = lines
        .iter()
        .filter(|l| l.contains("── ") || l.contains("|-- ") || l.contains("`-- "))
        .count();
    if drawn * 2 > lines.len() {
        return drawing(lines, draft);
    }
    // `ls -R`: a heading such as `src/lib:` in front of bare names.
    let headings = lines
        .iter()
        .enumerate()
        .filter(|(i, l)| l.ends_with(':') && (*i == 0 || lines[i - 1].trim().is_empty()))
        .count();
    let listing = headings > 0 && headings * 40 > lines.len();
    let mut heading = NONE;
    let mut folder = "";
    let mut out = Vec::with_capacity(lines.len());
    for (i, line) in lines.iter().enumerate() {
        let t = line.trim();
        if t.is_empty() {
            out.push(None);
            continue;
        }
        if listing && line.ends_with(':') && (i == 0 || lines[i - 1].trim().is_empty()) {
            heading = i as u32;
            folder = t
                .trim_end_matches(':')
                .trim_start_matches("./")
                .trim_end_matches('/');
            out.push(Some(Entry {
                depth: folder.matches('/').count(),
                path: folder.to_string(),
                folder: true,
            }));
            continue;
        }
        let Some(name) = name_of(t) else {
            out.push(None);
            continue;
        };
        let is_folder = name.ends_with('/') || t.starts_with('d') && t.len() != name.len();
        let name = name.trim_end_matches('/').trim_start_matches("./");
        let path = if listing && !folder.is_empty() && folder != "." {
            format!("{folder}/{name}")
        } else {
            name.to_string()
        };
        draft.parent[i] = heading;
        out.push(Some(Entry {
            depth: path.matches('/').count(),
            path,
            folder: is_folder,
        }));
    }
    out
}

/// The name in a line of a listing, long (`ls -l`) or short.
fn name_of(line: &str) -> Option<&str> {
    if line.starts_with("total ") {
        return None;
    }
    let b = line.as_bytes();
    let long = b.len() > 10
        && b"-dlbcps".contains(&b[0])
        && b[1..10].iter().all(|c| b"rwxsStT-".contains(c));
    if !long {
        return Some(line);
    }
    // Mode, links, owner, group, size, three words of date, name.
    let mut rest = line;
    for _ in 0..8 {
        rest = rest.trim_start().split_once(' ')?.1;
    }
    let name = rest.trim_start();
    Some(name.split(" -> ").next().unwrap_or(name))
}

/// The entries of a drawing; each depends on the folder it is drawn under.
fn drawing(lines: &[&str], draft: &mut Draft) -> Vec<Option<Entry>> {
    let mut open: Vec<(usize, usize, String)> = Vec::new(); // column, line, path
    let mut out = Vec::with_capacity(lines.len());
    for (i, line) in lines.iter().enumerate() {
        let at = ["── ", "|-- ", "`-- ", "+-- "]
            .iter()
            .find_map(|m| line.find(m).map(|p| p + m.len()));
        let column = at.map_or(0, |p| line[..p].chars().count());
        let name = line[at.unwrap_or(0)..].trim();
        if name.is_empty() || at.is_none() && i > 0 {
            out.push(None);
            continue;
        }
        while open.last().is_some_and(|o| o.0 >= column) {
            open.pop();
        }
        let above = open.last().filter(|o| o.0 > 0 || o.2 != ".");
        if let Some((_, line, _)) = open.last() {
            draft.parent[i] = *line as u32;
        }
        let clean = name.split(" -> ").next().unwrap_or(name);
        let path = match above {
            Some((_, _, p)) if at.is_some() => format!("{p}/{}", clean.trim_end_matches('/')),
            _ => clean.trim_end_matches('/').to_string(),
        };
        open.push((column, i, path.clone()));
        out.push(Some(Entry {
            depth: open.len() - 1,
            path,
            folder: clean.ends_with('/'),
        }));
    }
    out
}
