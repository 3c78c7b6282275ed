//! Which words may be short for which: `cfg` for configuration, `repl` for
//! replication. Spelling only proposes; what a repository writes side by side decides.

/// Whether one of the two lower-case words may be short for the other: its
/// beginning, or its first letter and consonants in order.
pub(super) fn related(a: &str, b: &str) -> bool {
    let (short, long) = if a.len() < b.len() { (a, b) } else { (b, a) };
    short.len() >= 3
        && long.len() >= short.len() + 2
        && short.as_bytes().first() == long.as_bytes().first()
        && (long.starts_with(short) || is_skeleton(short, long))
}

/// `msg` of message, `ctx` of context: no vowel but perhaps the first letter, and
/// all letters in order in the long word, one of them near its end.
fn is_skeleton(short: &str, long: &str) -> bool {
    let vowel = |b: u8| matches!(b, b'a' | b'e' | b'i' | b'o' | b'u');
    if short.len() > 5 || short.bytes().skip(1).any(vowel) {
        return false;
    }
    let mut rest = long.bytes();
    short.bytes().all(|s| rest.any(|l| l == s)) && long.len() <= short.len() * 3 + 1
}

#[cfg(test)]
mod tests {
    use super::related;

    #[test]
    fn beginnings_and_skeletons_are_related() {
        for (a, b) in [
            ("cfg", "config"),
            ("repl", "replic"),
            ("msg", "messag"),
            ("ctx", "context"),
            ("config", "cfg"),
        ] {
            assert!(related(a, b), "{a} {b}");
        }
        for (a, b) in [
            ("cat", "config"),
            ("con", "conn"),
            ("he", "header"),
            ("xfg", "config"),
            ("tree", "thread"),
        ] {
            assert!(!related(a, b), "{a} {b}");
        }
    }
}
