//! A text as it may look behind the preprocessor of C, which no grammar runs: of each condition one
//! branch, and what reads as a call of a macro as what it may stand for.

/// Which branch of a condition (`#if … #else … #endif`) is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Branch {
    /// The first one.
    First,
    /// The last one.
    Last,
}

/// A text with one branch of each condition, and without the calls of macros that the grammar cannot
/// understand; it has as many lines.
///
/// A name in capitals is taken for a macro's. In front of another name it is left out. Its call in front of a block heads that, one in front of
/// `;`, of an operator or of a bracket is an expression, the last one of a template's parameters is
/// one of those, and any other says something of what follows and is left out.
pub fn without_macros(text: &str, branch: Branch) -> String {
    let text = one_branch(text, branch);
    let mut out = String::with_capacity(text.len());
    let mut rest = text.as_str();
    let mut last = '\n';
    while let Some(c) = rest.chars().next() {
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let skipped = match c {
            '"' => string_end(rest),
            '\'' if !is_name(last) => string_end(rest),
            '/' if rest.starts_with("//") => rest.find('\n'),
            '/' if rest.starts_with("/*") => rest.find("*/").map(|at| at + 2),
            // Directives are the grammar's.
            '#' => rest.find('\n'),
            _ => None,
        };
        if let Some(end) = skipped {
            let (done, left) = rest.split_at(end);
            out.push_str(done);
            (last, rest) = (' ', left);
            continue;
        }
        if !is_name(c) || is_name(last) {
            out.push(c);
            (last, rest) = (c, &rest[c.len_utf8()..]);
            continue;
        }
        let name = &rest[..rest.find(|c| !is_name(c)).unwrap_or(rest.len())];
        let call = if is_macro(name) {
            arguments(rest, name)
        } else {
            None
        };
        let (taken, put) = match call {
            Some(end) => {
                let at_margin = out.is_empty() || out.ends_with('\n');
                let follows = rest[end..].trim_start().chars().next();
                let put = match follows {
                    Some('{') if at_margin => "void f()",
                    Some('{') => "if (0)",
                    // One of the parameters or arguments of a template.
                    Some('>') if out.trim_end().ends_with([',', '<']) => "int",
                    Some(c) if is_name(c) || c == '[' || c == '#' => "",
                    _ => &rest[..end],
                };
                (&rest[..end], put)
            }
            // One that stands in front of a name says something of it.
            None if is_macro(name)
                && rest[name.len()..]
                    .trim_start_matches(' ')
                    .starts_with(is_name) =>
            {
                (name, "")
            }
            None => (name, name),
        };
        out.push_str(put);
        if put != taken {
            out.extend(taken.chars().filter(|c| *c == '\n'));
        }
        (last, rest) = (' ', &rest[taken.len()..]);
    }
    out
}

/// Letters of a macro's name at least.
const NAME: usize = 4;

fn is_macro(name: &str) -> bool {
    let capital = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    name.len() >= NAME
        && name.starts_with(|c: char| c.is_ascii_uppercase())
        && name.chars().all(capital)
}

/// Where the arguments end with which a text goes on behind a name.
fn arguments(text: &str, name: &str) -> Option<usize> {
    let rest = &text[name.len()..];
    let open = rest.len() - rest.trim_start_matches(' ').len();
    if !rest[open..].starts_with('(') {
        return None;
    }
    let mut at = name.len() + open;
    let mut depth = 0;
    loop {
        let c = text[at..].chars().next()?;
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            '"' => {
                at += string_end(&text[at..])?;
                continue;
            }
            _ => {}
        }
        at += c.len_utf8();
        if depth == 0 {
            return Some(at);
        }
    }
}

/// Where a string ends that a text begins with; none where its line does before.
fn string_end(text: &str) -> Option<usize> {
    let quote = text.chars().next()?;
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            '\n' if !escaped => return None,
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return Some(at + 1),
            _ => {}
        }
    }
    None
}

/// A text with one branch of each of its conditions.
fn one_branch(text: &str, branch: Branch) -> String {
    // For each condition around a line, its number, and how many branches it had so far.
    let mut open: Vec<(usize, usize)> = Vec::new();
    let mut branches: Vec<usize> = Vec::new();
    let mut lines: Vec<Option<Vec<(usize, usize)>>> = Vec::new();
    for line in text.split_inclusive('\n') {
        let word = directive(line);
        match word {
            Some("if" | "ifdef" | "ifndef") => {
                open.push((branches.len(), 0));
                branches.push(0);
            }
            Some("else" | "elif") => {
                if let Some(last) = open.last_mut() {
                    last.1 += 1;
                    branches[last.0] = last.1;
                }
            }
            Some("endif") => {
                open.pop();
            }
            _ => {
                lines.push(Some(open.clone()));
                continue;
            }
        }
        lines.push(None);
    }
    let mut out = String::with_capacity(text.len());
    for (line, at) in text.split_inclusive('\n').zip(lines) {
        let is_left = |&(condition, n): &(usize, usize)| match branch {
            Branch::First => n == 0,
            Branch::Last => n == branches[condition],
        };
        match at {
            Some(around) if around.iter().all(is_left) => out.push_str(line),
            _ if line.ends_with('\n') => out.push('\n'),
            _ => {}
        }
    }
    out
}

/// The word of a directive that a line is.
fn directive(line: &str) -> Option<&str> {
    let rest = line.trim_start().strip_prefix('#')?.trim_start();
    rest.split(|c: char| !c.is_ascii_alphanumeric()).next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_branch_of_each_condition_is_left() {
        let text = "a\n#ifdef X\nb {\n#else\n#if Y\nc {\n#endif\nd\n#endif\n}\n";
        assert_eq!(
            without_macros(text, Branch::First),
            "a\n\nb {\n\n\n\n\n\n\n}\n"
        );
        assert_eq!(
            without_macros(text, Branch::Last),
            "a\n\n\n\n\nc {\n\nd\n\n}\n"
        );
    }

    #[test]
    fn calls_of_macros_are_what_they_may_stand_for() {
        let left = |text| without_macros(text, Branch::First);
        assert_eq!(left("OLD_API(\"a (b\")\nint f();\n"), "\nint f();\n");
        assert_eq!(left("TEST(\"a\",\n  int) {\n}\n"), "void f()\n {\n}\n");
        assert_eq!(left("  BENCH(\"a\") { b(); };\n"), "  if (0) { b(); };\n");
        assert_eq!(
            left("template <class T, ENABLE_IF(is<T>())>\n"),
            "template <class T, int>\n"
        );
        assert_eq!(left("INLINE int f();\n"), " int f();\n");
        let code = "x = MAX(1, y);\nf(TYPE (a), b);\nint MAXIMUM;\n// OLD(a) b\n";
        assert_eq!(left(code), code);
    }
}
