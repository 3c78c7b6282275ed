//! What a line is about: the name that it gives something, or what it does.

/// What a line is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Key<'a> {
    /// It gives a name a value, a type or a body.
    Binds(&'a str),
    /// It leaves the block: nothing may follow at its depth.
    Leaves,
    /// A case, an import or the like: one of a list of equals.
    Member(&'a str),
    /// A statement whose subject is the text before its first bracket.
    Other(&'a str),
}

impl<'a> Key<'a> {
    /// What a line without the blanks around it is about.
    pub fn of(t: &'a str) -> Self {
        if leaves(t) {
            return Key::Leaves;
        }
        match head_word(t) {
            "case" | "when" | "import" | "from" | "use" | "using" | "require" | "include" => {
                return Key::Member(t);
            }
            _ => {}
        }
        if t.starts_with("#include") || t.starts_with("@") && !variable(t) || t.starts_with("elif")
        {
            return Key::Member(t);
        }
        if let Some(name) = requirement(t) {
            return Key::Binds(name);
        }
        let bytes = t.as_bytes();
        for (i, &b) in bytes.iter().enumerate() {
            match b {
                b'=' => {
                    let next = bytes.get(i + 1).copied().unwrap_or(b' ');
                    let prev = if i > 0 { bytes[i - 1] } else { b' ' };
                    if next == b'=' || matches!(prev, b'!' | b'<' | b'>' | b'=') {
                        return Key::Other(t);
                    }
                    let name = t[..i].trim_end_matches([':', '+', '-', ' ', '*', '|']);
                    // A step of several: `x = x.f()`.
                    let value = t[i + 1..].trim_start();
                    let step = value.strip_prefix(name).is_some_and(|v| v.starts_with('.'));
                    return if step {
                        Key::Other(name)
                    } else {
                        Key::Binds(name)
                    };
                }
                // What stands for a key: `[prefix + "name"] = value`.
                b'[' if i == 0 && (t.contains("] = ") || t.contains("]: ")) => {}
                // `name :symbol` gives `name` nothing.
                b':' if i > 0 && bytes[i - 1] == b' ' && symbol(bytes.get(i + 1)) => {}
                // `:param name: text`.
                b':' if i == 0 && !t.contains('=') => {}
                b':' if bytes.get(i + 1) != Some(&b':') && (i == 0 || bytes[i - 1] != b':') => {
                    // `- uses: name@version` is one of a list, told by its name.
                    if t.starts_with("- ")
                        && let Some(pin) = t.rfind('@')
                        && !t[..pin].trim_end().ends_with(':')
                    {
                        return Key::Binds(&t[..pin]);
                    }
                    return Key::Binds(t[..i].trim_end());
                }
                b'(' | b'{' | b'[' | b'<' => {
                    let head = t[..i].trim_end();
                    return if declares(head) {
                        Key::Binds(head)
                    } else {
                        Key::Other(head)
                    };
                }
                _ => {}
            }
        }
        Key::Other(t)
    }
}

/// Whether a line gives a variable of an object a value: `@name = 1`.
fn variable(t: &str) -> bool {
    let name = t.trim_start_matches('@');
    let end = name.find(|c: char| !c.is_alphanumeric() && c != '_');
    let rest = name.get(end.unwrap_or(name.len())..).unwrap_or_default();
    [" = ", " ||= ", " += "]
        .iter()
        .any(|gives| rest.starts_with(gives))
}

/// Whether a line begins with a word that leaves the block.
pub(crate) fn leaves(t: &str) -> bool {
    const WORDS: &[&str] = &[
        "return", "raise", "throw", "break", "continue", "goto", "panic",
    ];
    WORDS.contains(&head_word(t))
}

/// What a line begins with up to the first character that is part of no name.
fn head_word(t: &str) -> &str {
    t.split(|c: char| !c.is_alphanumeric() && c != '_')
        .next()
        .unwrap_or("")
}

/// Whether a byte begins a word.
fn symbol(byte: Option<&u8>) -> bool {
    byte.is_some_and(|b| b.is_ascii_alphabetic() || *b == b'_')
}

/// The package of a quoted requirement, `"name>=1.2",`.
pub(crate) fn requirement(t: &str) -> Option<&str> {
    let inner = t.strip_prefix(['"', '\''])?;
    let name = inner
        .split(|c: char| !c.is_alphanumeric() && !matches!(c, '-' | '_' | '.' | '/' | '@'))
        .next()?;
    let version = inner.get(name.len()..)?.trim_start();
    let compared = version.trim_start_matches(['=', '<', '>', '~', '!', '^']);
    let numbered = compared
        .trim_start()
        .starts_with(|c: char| c.is_ascii_digit());
    (!name.is_empty() && compared.len() < version.len() && numbered).then_some(name)
}

/// Whether the words before a bracket read as the head of a definition.
fn declares(head: &str) -> bool {
    const WORDS: &[&str] = &[
        "def",
        "fn",
        "func",
        "function",
        "class",
        "struct",
        "enum",
        "trait",
        "interface",
        "impl",
        "type",
        "module",
        "macro_rules!",
        "sub",
        "proc",
        "object",
    ];
    head.split_whitespace().any(|w| WORDS.contains(&w))
}

#[cfg(test)]
mod tests {
    use super::Key;

    #[test]
    fn keys_tell_what_a_line_is_about() {
        assert_eq!(Key::of("x: u32,"), Key::Binds("x"));
        assert_eq!(Key::of("let y = f(x);"), Key::Binds("let y"));
        assert_eq!(Key::of("fn f(x: u8) {"), Key::Binds("fn f"));
        assert_eq!(Key::of("return f(x);"), Key::Leaves);
        assert_eq!(Key::of("if a == b {"), Key::Other("if a == b {"));
        assert_eq!(Key::of("foo(x);"), Key::Other("foo"));
    }
}
