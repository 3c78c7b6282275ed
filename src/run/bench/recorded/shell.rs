//! Shell commands that only search, list or read.

use super::action::{Action, Search};

/// What a command line is about. A folder change in front is dropped: paths are
/// matched to the tree by their ends. Whatever is not plainly a search, a list or
/// a read is a command run for its output.
pub(super) fn action(command: &str) -> Action {
    let mut parts = match statements(command) {
        Some(parts) if !parts.is_empty() => parts,
        _ => return Action::Run,
    };
    while parts.len() > 1 && parts[0].len() == 1 && parts[0][0].first().is_some_and(|w| w == "cd") {
        parts.remove(0);
    }
    let [pipe] = parts.as_slice() else {
        return Action::Run;
    };
    let Some((first, rest)) = pipe.split_first() else {
        return Action::Run;
    };
    // Only filters that shorten may follow.
    let mut cut = None;
    for filter in rest {
        match head(filter) {
            Some(n) => cut = Some(n),
            None if filter.first().is_some_and(|w| w == "sort" || w == "uniq") => {}
            None => return Action::Run,
        }
    }
    let words: Vec<&str> = first.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["grep" | "egrep" | "fgrep" | "rg", args @ ..] => grep(words[0], args, cut),
        ["find", args @ ..] => find(args),
        ["ls", args @ ..] => {
            let paths: Vec<&&str> = args.iter().filter(|a| !a.starts_with('-')).collect();
            match paths.as_slice() {
                [] => Action::List {
                    path: None,
                    glob: None,
                },
                [one] => Action::List {
                    path: Some((**one).to_string()),
                    glob: None,
                },
                _ => Action::Run,
            }
        }
        ["cat" | "nl", args @ ..] => match files(args).as_slice() {
            [one] => Action::Read {
                path: (*one).to_string(),
                from: None,
                count: cut,
            },
            _ => Action::Run,
        },
        ["head", .., path] if head(first).is_some() && !path.starts_with('-') => Action::Read {
            path: (*path).to_string(),
            from: None,
            count: head(first),
        },
        ["sed", "-n", range, path] => match range
            .strip_suffix('p')
            .and_then(|r| r.split_once(','))
            .and_then(|(a, b)| Some((a.parse::<usize>().ok()?, b.parse::<usize>().ok()?)))
        {
            Some((a, b)) if a >= 1 && a <= b => Action::Read {
                path: (*path).to_string(),
                from: Some(a),
                count: Some(b + 1 - a),
            },
            _ => Action::Run,
        },
        _ => Action::Run,
    }
}

/// The glob that ripgrep's and Claude Code's `type` stands for.
pub(super) fn type_glob(name: &str) -> Option<String> {
    let ending = match name {
        "py" | "python" => "py",
        "rust" | "rs" => "rs",
        "js" => "js",
        "ts" => "ts",
        "java" => "java",
        "go" => "go",
        "c" => "c",
        "cpp" => "cpp",
        "md" => "md",
        _ => return None,
    };
    Some(format!("*.{ending}"))
}

fn files<'a>(args: &[&'a str]) -> Vec<&'a str> {
    args.iter()
        .copied()
        .filter(|a| !a.starts_with('-'))
        .collect()
}

/// The lines that `head -n N`, `head -N` or `head` keep.
fn head(words: &[String]) -> Option<usize> {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["head", "-n", n, ..] => n.parse().ok(),
        ["head", n, ..] if n.starts_with('-') => n
            .trim_start_matches('-')
            .trim_start_matches('n')
            .parse()
            .ok(),
        ["head", ..] => Some(10),
        _ => None,
    }
}

fn grep(program: &str, args: &[&str], head: Option<usize>) -> Action {
    let mut search = Search {
        head,
        literal: program == "fgrep",
        ..Search::default()
    };
    let (mut pattern, mut paths, mut extended) = (None, Vec::new(), false);
    let mut args = args.iter().copied();
    while let Some(arg) = args.next() {
        if let Some(long) = arg.strip_prefix("--") {
            match long.split_once('=') {
                Some(("include" | "glob", glob)) => search.globs.push(glob.to_string()),
                Some(("exclude-dir", dir)) => search.globs.push(format!("!{dir}/")),
                Some(("exclude", glob)) => search.globs.push(format!("!{glob}")),
                Some(("max-count", n)) => search.head = n.parse().ok().or(search.head),
                _ if long == "ignore-case" => search.insensitive = true,
                _ if long == "files-with-matches" => search.files = true,
                _ if long == "fixed-strings" => search.literal = true,
                _ => {}
            }
        } else if let Some(short) = arg.strip_prefix('-').filter(|s| !s.is_empty()) {
            let mut letters = short.chars();
            while let Some(letter) = letters.next() {
                let attached: String = letters.clone().collect();
                match letter {
                    'i' => search.insensitive = true,
                    'l' => search.files = true,
                    'F' => search.literal = true,
                    'E' | 'P' => extended = true,
                    // The inverse of a search is none.
                    'v' | 'c' | 'L' => return Action::Run,
                    'A' | 'B' | 'C' | 'm' | 'e' | 'g' | 't' => {
                        let value = if attached.is_empty() {
                            args.next().map(str::to_string)
                        } else {
                            Some(attached)
                        };
                        match (letter, value) {
                            ('e', Some(v)) => pattern = Some(v),
                            ('m', Some(v)) => search.head = v.parse().ok().or(search.head),
                            ('g', Some(v)) => search.globs.push(v),
                            ('t', Some(v)) => search.globs.extend(type_glob(&v)),
                            _ => {}
                        }
                        break;
                    }
                    _ => {}
                }
            }
        } else if pattern.is_none() {
            pattern = Some(arg.to_string());
        } else {
            paths.push(arg.to_string());
        }
    }
    let Some(pattern) = pattern else {
        return Action::Run;
    };
    search.pattern = if program == "grep" && !search.literal && !extended {
        from_basic(&pattern)
    } else {
        pattern
    };
    if paths.len() > 1 {
        search.globs.extend(paths);
    } else {
        search.path = paths.pop();
    }
    Action::Search(search)
}

/// A pattern of grep's basic syntax in the usual one: there a bare `|`, `+`, `?`,
/// bracket or brace is a letter, and an escaped one is not.
fn from_basic(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len() + 4);
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some(n) if "|+?(){}".contains(n) => out.push(n),
                Some(n) => out.extend(['\\', n]),
                None => out.push(c),
            },
            '|' | '+' | '?' | '(' | ')' | '{' | '}' => out.extend(['\\', c]),
            _ => out.push(c),
        }
    }
    out
}

fn find(args: &[&str]) -> Action {
    let (mut path, mut glob) = (None, None);
    let mut args = args.iter().copied();
    while let Some(arg) = args.next() {
        match arg {
            "-name" | "-iname" | "-path" | "-wholename" if glob.is_none() => {
                glob = args.next().map(str::to_string);
            }
            "-type" | "-maxdepth" | "-mindepth" => {
                args.next();
            }
            // Other tests and actions are more than a list of names.
            _ if arg.starts_with('-') || arg.starts_with('(') || arg == "!" => return Action::Run,
            _ if path.is_none() => path = Some(arg.to_string()),
            _ => return Action::Run,
        }
    }
    Action::List { path, glob }
}

/// The statements of a command line, each a pipe of commands, each a list of words
/// without quotes; `None` where more of the shell's language is used than that.
fn statements(line: &str) -> Option<Vec<Vec<Vec<String>>>> {
    let (mut out, mut pipe, mut words) = (Vec::new(), Vec::new(), Vec::new());
    let (mut word, mut open) = (String::new(), false);
    let mut chars = line.trim().chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\'' => {
                open = true;
                loop {
                    match chars.next()? {
                        '\'' => break,
                        c => word.push(c),
                    }
                }
            }
            '"' => {
                open = true;
                loop {
                    match chars.next()? {
                        '"' => break,
                        '\\' => match chars.next()? {
                            c @ ('"' | '\\' | '$' | '`') => word.push(c),
                            c => word.extend(['\\', c]),
                        },
                        '$' | '`' => return None,
                        c => word.push(c),
                    }
                }
            }
            '\\' => {
                word.push(chars.next()?);
                open = true;
            }
            '2' if word.is_empty() && chars.peek() == Some(&'>') => {
                // Errors sent elsewhere do not change what is asked.
                let rest: String = chars.clone().collect();
                let known = ["> /dev/null", ">/dev/null", ">&1"];
                let found = known.iter().find(|k| rest.starts_with(**k))?;
                (0..found.len()).for_each(|_| {
                    chars.next();
                });
            }
            '$' | '`' | '>' | '<' | '(' | ')' | '{' | '}' => return None,
            c if c.is_whitespace() || c == ';' || c == '&' || c == '|' => {
                if open || !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                    open = false;
                }
                match c {
                    '|' if chars.peek() == Some(&'|') => return None,
                    '|' => pipe.push(std::mem::take(&mut words)),
                    '&' if chars.peek() != Some(&'&') => return None,
                    ';' | '&' | '\n' => {
                        if c == '&' {
                            chars.next();
                        }
                        if !words.is_empty() {
                            pipe.push(std::mem::take(&mut words));
                            out.push(std::mem::take(&mut pipe));
                        }
                    }
                    _ => {}
                }
            }
            c => word.push(c),
        }
    }
    if open || !word.is_empty() {
        words.push(word);
    }
    if !words.is_empty() {
        pipe.push(words);
    }
    if !pipe.is_empty() {
        out.push(pipe);
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn search(pattern: &str, path: &str) -> Search {
        Search {
            pattern: pattern.into(),
            path: Some(path.into()),
            ..Search::default()
        }
    }

    #[test]
    fn searches_are_read_with_their_options() {
        assert_eq!(
            action(r#"cd /x && grep -rn "a\|b(" src 2>/dev/null | head -20"#),
            Action::Search(Search {
                head: Some(20),
                ..search("a|b\\(", "src")
            })
        );
        assert_eq!(
            action("grep -rEi --include='*.py' -A 3 'x|y' ."),
            Action::Search(Search {
                insensitive: true,
                globs: vec!["*.py".into()],
                ..search("x|y", ".")
            })
        );
        assert_eq!(
            action("rg -l -F 'f(' lib"),
            Action::Search(Search {
                literal: true,
                files: true,
                ..search("f(", "lib")
            })
        );
    }

    #[test]
    fn reads_and_lists_are_told_from_other_commands() {
        let read = |from, count| Action::Read {
            path: "a.py".into(),
            from,
            count,
        };
        assert_eq!(action("cat a.py"), read(None, None));
        assert_eq!(action("cat -n a.py | head -n 5"), read(None, Some(5)));
        assert_eq!(action("head -30 a.py"), read(None, Some(30)));
        assert_eq!(action("sed -n '3,9p' a.py"), read(Some(3), Some(7)));
        assert_eq!(
            action("find . -type f -name '*.py' | head"),
            Action::List {
                path: Some(".".into()),
                glob: Some("*.py".into())
            }
        );
        for run in [
            "cat a.py > b.py",
            "cat a.py b.py",
            "sed -i s/a/b/ a.py",
            "grep -v x a.py",
            "cat a.py | python3",
            "cat <<EOF\nx\nEOF",
            "ls; rm -rf x",
            "grep \"$x\" a.py",
            "find . -name x -delete",
            "python -m pytest",
            "",
        ] {
            assert_eq!(action(run), Action::Run, "{run}");
        }
    }
}
