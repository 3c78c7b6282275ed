//! A task's text to weighted terms, identifiers and paths.

use std::sync::LazyLock;

use regex::Regex;

use super::words::{self, Map, Stems, Term};

/// A word of the task, with how much it counts.
#[derive(Debug, Clone)]
pub struct Word {
    /// Hash of the stem.
    pub term: Term,
    /// As first written, in lower case.
    pub text: String,
    /// The stem, for matching abbreviations.
    pub stem: String,
    /// Occurrences in the task, those in its title counted more.
    pub weight: f64,
}

/// A name in the task that is written as code is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identifier {
    /// As written, without qualifiers.
    pub name: String,
    /// Hash of the name, case ignored.
    pub hash: u64,
    /// The name before the last qualifier, if there is one (`Foo` of `Foo.bar`).
    pub qualifier: Option<String>,
    /// Whether the spelling alone shows that it is code: backticks, a joint, a hump, a call.
    pub certain: bool,
    /// Whether it stands in quoted code or output only.
    pub quoted: bool,
}

/// What a task says about where its code is.
#[derive(Debug, Clone, Default)]
pub struct Task {
    /// Distinct words without stop words, in order of their first occurrence.
    pub words: Vec<Word>,
    /// Distinct identifiers, in order of their first occurrence.
    pub identifiers: Vec<Identifier>,
    /// Files that the task names, as written, `/`-separated, perhaps with a line.
    pub files: Vec<(String, Option<usize>)>,
}

/// Stop words: one list for every task, see the file for what is in it.
static STOP: LazyLock<Map<Term, ()>> = LazyLock::new(|| listed(include_str!("stopwords.txt")));

/// Words of headings that stand above what says nothing about the code.
static MACHINE: LazyLock<Map<Term, ()>> = LazyLock::new(|| listed(include_str!("sections.txt")));

/// The terms of a list; lines that begin with `#` are comments.
fn listed(list: &str) -> Map<Term, ()> {
    let mut stems = Stems::new();
    list.lines()
        .filter(|l| !l.starts_with('#'))
        .flat_map(|l| stems.terms(l))
        .map(|t| (t, ()))
        .collect()
}

/// Lines that machines append to a message, numbers of issues and versions, and of
/// forms: comments, ticked boxes, images and tags that fold or break text.
static NOISE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(concat!(
        r"(?mi)^\s*(?:[a-z][\w-]*-by|change-id|reviewed-on|cc)\s*:.*$",
        r"|^\s*(?:closes|fixes|refs?)\s*:\s*(?:[\w./-]*#\d+|gh-\d+|https?://\S+|[0-9a-f]{7,40}\b|[a-z]+-\d+\b).*$",
        r"|^\s*(?:[*-]\s+)?(?:merge (?:branch|pull request)\b|apply suggestions? from code review|\[pre-commit\.ci\]).*$",
        r"|^\s*[-*] \[x\].*$|^\s*-{3,}\s*$|<!--(?s:.*?)-->",
        r"|!\[[^\]\n]*\](?:\([^)\n]*\))?|<img\b[^>]*>|</?(?:details|summary|br|sub|sup|kbd)\b[^>]*>",
        r"|https?://\S+|(?:\bgh-|#)\d+\b|(?:^|[\s(])v?\d+(?:\.\d+)+\b",
    ))
});

/// A heading in an issue's text, of which most are a form's own.
static HEADING: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"^\s*(?:#{1,6}\s+\S.*|\*\*[^*]+\*\*:?\s*)$"));

/// An address of a file in a repository that is browsed on the web; the group is its path.
static BROWSED: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"https?://[^\s/]+/\S+?/(?:blob|raw|tree)/[^\s/]+/([^\s)>\]]+)"));

/// A line in a report that a program printed when it failed.
static FAILURE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"\b\w*(?:[Ee]rror|[Ee]xception|[Ww]arning|panic(?:ked)?|fatal|failed|assert\w*)\b")
});

/// A line that only a console or a stack trace begins so.
static CONSOLE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r#"^\s*(?:>>>|\.\.\. |In \[\d*\]|Out\[\d*\]|File "|at \S.*[(:]\S*\d)"#)
});

/// A file's path or name with a known kind of ending, and perhaps a line.
static FILE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r#"(?:[\w@.+-]+[/\\])*[\w@+-][\w@.+-]*\.(?:pyi?|[cm]?[jt]sx?|vue|svelte|[ch]|cc|cpp|cxx|hh|hpp|java|kts?|rs|go|rb|php|cs|swift|scala|lua|sh|bash|ex|exs|toml|ya?ml|json|md|rst|css|scss|html)\b(?:(?::|", line |#L| line )(\d+))?"#,
    )
});

/// A name in backticks, with a qualifier, a joint, a hump or a call.
static NAME: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"[\p{L}_$][\p{L}\p{N}_$]*(?:(?:\.|::|->|#)[\p{L}_$][\p{L}\p{N}_$]*)*(?:\(\))?")
});

#[allow(clippy::expect_used)]
fn pattern(p: &str) -> Regex {
    Regex::new(p).expect("a constant pattern compiles")
}

/// How much a word of a line counts. A title says what the task is, the text below
/// also says why, and what else was thought of. Quoted code shows how somebody came
/// upon the task: its words decide only where nothing else does, while a failure's
/// text is often found in the code word for word.
const TITLE: f64 = 5.0;
const TEXT: f64 = 1.0;
const QUOTED_FAILURE: f64 = 0.5;
const QUOTED: f64 = 1e-6;
/// A form's headings, and what is asked below them about the machine.
const LABEL: f64 = 1e-6;

/// Whether a heading with these terms asks what something was seen on.
fn is_machine(heading: &[Term]) -> bool {
    let telling = heading.iter().filter(|t| !STOP.contains_key(t));
    let (asked, other): (Vec<&Term>, Vec<&Term>) = telling.partition(|t| MACHINE.contains_key(t));
    !asked.is_empty() && other.len() <= 1
}

/// Tells quoted code and output from text, line by line.
#[derive(Default)]
struct Quotes {
    fenced: bool,
    /// Whether the line before may go on as indented code.
    open: bool,
}

impl Quotes {
    /// Whether the line is quoted; `None` for a fence, which says nothing itself.
    fn next(&mut self, line: &str) -> Option<bool> {
        let trimmed = line.trim();
        if trimmed.starts_with("```") || trimmed.starts_with("~~~") {
            self.fenced = !self.fenced;
            return None;
        }
        let indented = line.starts_with("    ") || line.starts_with('\t');
        let quoted = self.fenced || CONSOLE.is_match(line) || (indented && self.open);
        // Indented code stands behind a blank line; what is indented directly below
        // a list's item goes on with it.
        self.open = trimmed.is_empty() || (quoted && indented);
        Some(quoted)
    }
}

impl Task {
    /// Reads a task: plain words, a commit message, or an issue with its template.
    pub fn parse(text: &str) -> Self {
        let mut task = Task::default();
        let mut stems = Stems::new();
        let mut at: Map<Term, usize> = Map::default();
        let text = BROWSED.replace_all(text, "$1");
        let clean = NOISE.replace_all(&text, " ");
        for m in FILE.captures_iter(&clean) {
            let whole = m.get(0).map_or("", |m| m.as_str());
            let line = m.get(1).and_then(|n| n.as_str().parse().ok());
            let end = whole.rfind(['.']).map_or(0, |dot| {
                dot + 1
                    + whole[dot + 1..]
                        .find(|c: char| !c.is_alphanumeric())
                        .unwrap_or(whole.len() - dot - 1)
            });
            let path = whole[..end].replace('\\', "/");
            if !task.files.iter().any(|f| f.0 == path && f.1 == line) {
                task.files.push((path, line));
            }
        }
        let mut title = true;
        let mut quotes = Quotes::default();
        let mut machine = false;
        for line in clean.lines() {
            let Some(quoted) = quotes.next(line) else {
                continue;
            };
            if line.trim().is_empty() {
                continue;
            }
            let heading = !quoted && !title && HEADING.is_match(line);
            if heading {
                machine = is_machine(&stems.terms(line));
            }
            let weight = match quoted {
                _ if title => TITLE,
                _ if heading || machine => LABEL,
                false => TEXT,
                true if FAILURE.is_match(line) => QUOTED_FAILURE,
                true => QUOTED,
            };
            task.add_identifiers(line, quoted && !title);
            title = false;
            words::parts(
                line,
                |p| {
                    let part = &line[p.start..p.end];
                    let Some(term) = stems.term(part) else { return };
                    if STOP.contains_key(&term) {
                        return;
                    }
                    if let Some(&i) = at.get(&term) {
                        if let Some(w) = task.words.get_mut(i) {
                            w.weight += weight;
                        }
                        return;
                    }
                    at.insert(term, task.words.len());
                    task.words.push(Word {
                        term,
                        text: part.to_lowercase(),
                        stem: stems.stem(part).unwrap_or_default(),
                        weight,
                    });
                },
                || {},
            );
        }
        task
    }

    fn add_identifiers(&mut self, line: &str, quoted: bool) {
        for m in NAME.find_iter(line) {
            let ticked = line[..m.start()].ends_with('`') && line[m.end()..].starts_with('`');
            let written = m.as_str();
            let call = written.ends_with("()") || line[m.end()..].starts_with('(');
            let bare = written.trim_end_matches("()");
            let mut rest = bare.rsplit(['.', ':', '>', '#']).filter(|p| !p.is_empty());
            let Some(name) = rest.next().map(|n| n.trim_end_matches('-')) else {
                continue;
            };
            let qualifier = rest.next().map(|q| q.trim_end_matches('-').to_string());
            if name.len() < 3 {
                continue;
            }
            let joint = name.trim_matches('_').contains('_');
            let hump = name.chars().any(char::is_lowercase)
                && name.chars().skip(1).any(char::is_uppercase);
            let shout = name.len() > 3 && !name.chars().any(char::is_lowercase);
            let certain = ticked || call || joint || hump || qualifier.is_some();
            if !(certain || shout) {
                continue;
            }
            let hash = words::whole(name);
            if let Some(known) = self.identifiers.iter_mut().find(|i| i.hash == hash) {
                known.certain |= certain;
                known.quoted &= quoted;
                continue;
            }
            self.identifiers.push(Identifier {
                name: name.to_string(),
                hash,
                qualifier,
                certain,
                quoted,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn stems(t: &Task) -> Vec<(&str, f64)> {
        t.words
            .iter()
            .map(|w| (w.stem.as_str(), w.weight))
            .collect()
    }

    #[test]
    fn the_title_counts_most_and_stop_words_do_not_count() {
        let t = Task::parse(
            "Fix the cache eviction\n\nThe cache should be evicted.\nSigned-off-by: A <a@b>",
        );
        assert_eq!(stems(&t), [("cach", 6.0), ("evict", 6.0)]);
    }

    #[test]
    fn a_line_of_prose_is_no_trailer() {
        let t = Task::parse("Closes : keep the ledger\n\nFixes: #12\nFixes: 0fe1c3aa (\"x\")");
        assert_eq!(stems(&t), [("close", 5.0), ("ledger", 5.0)]);
        assert!(Task::parse("Refs: gh-7").words.is_empty());
    }

    #[test]
    fn what_an_issue_form_asks_is_told_from_what_is_answered() {
        let t = Task::parse(
            "Wrong glyph\n\n### Describe the bug\nThe margin overlaps.\n\n- [x] I have searched\n\
             **Expected behavior:**\n![shot](a.png)No overlap since v3.2.38, see #4711\n\
             ### What version of foo are you using?\nDarwin kernel\n\
             ### Environment variables of the launcher\nThe launcher forgets.\n",
        );
        let told = stems(&t).into_iter().filter(|w| w.1 >= TEXT);
        let told: Vec<_> = told.map(|(stem, w)| (stem, w.round())).collect();
        let words = [
            ("glyph", 5.0),
            ("margin", 1.0),
            ("overlap", 2.0),
            ("launcher", 1.0),
            ("forget", 1.0),
        ];
        assert_eq!(told, words);
    }

    #[test]
    fn quoted_code_is_told_from_text() {
        let t = Task::parse(
            "Cannot pickle sessions\n\n- store the jar\n    of cookies\n\n```py\nfoo_bar(widget)\n\
             TypeError: frozen handle\n```\nUse `jar_of`.\n\n    indented gadget\n>>> prompt_it()\n",
        );
        let weight = |stem: &str| {
            let found = stems(&t).into_iter().find(|w| w.0 == stem);
            found.map_or(-1.0, |w| w.1)
        };
        assert_eq!(weight("pickl"), TITLE);
        assert_eq!((weight("store"), weight("cooki")), (TEXT, TEXT));
        assert_eq!((weight("widget"), weight("gadget")), (QUOTED, QUOTED));
        assert_eq!(weight("frozen"), QUOTED_FAILURE);
        let quoted: Vec<_> = t.identifiers.iter().map(|i| (&*i.name, i.quoted)).collect();
        assert_eq!(
            quoted,
            [
                ("foo_bar", true),
                ("TypeError", true),
                ("jar_of", false),
                ("prompt_it", true)
            ]
        );
    }

    #[test]
    fn a_file_browsed_on_the_web_is_named() {
        let t = Task::parse(
            "crash\nsee https://host.example/a/b/blob/0fe1/src/io.py#L114 and https://host.example/x.py",
        );
        assert_eq!(t.files, [("src/io.py".to_string(), Some(114))]);
    }

    #[test]
    fn code_in_the_text_is_told_from_words() {
        let t = Task::parse("`size` of FooBar.do_it() and MAX_LEN, but not Linux. ref() too");
        let names: Vec<_> = t.identifiers.iter().map(|i| i.name.as_str()).collect();
        assert_eq!(names, ["size", "do_it", "MAX_LEN", "ref"]);
        assert_eq!(t.identifiers[1].qualifier.as_deref(), Some("FooBar"));
    }

    proptest! {
        #[test]
        fn a_text_in_any_script_can_be_read(text in r"([\PC\n]|ü|ⅈ|[_a.:#>`( -]){0,60}") {
            let t = Task::parse(&text);
            prop_assert!(t.words.iter().all(|w| w.weight > 0.0));
        }
    }

    #[test]
    fn a_name_may_begin_with_any_letter() {
        let t = Task::parse("öffneDatei scheitert, 修复() auch");
        let names: Vec<_> = t.identifiers.iter().map(|i| i.name.as_str()).collect();
        assert_eq!(names, ["öffneDatei", "修复"]);
    }

    #[test]
    fn files_and_frames_are_named() {
        let t = Task::parse(
            "crash\n  File \"/home/u/src/app/main.py\", line 12, in run\nsee lib/a.rs:7 and b.go",
        );
        assert_eq!(
            t.files,
            [
                ("home/u/src/app/main.py".to_string(), Some(12)),
                ("lib/a.rs".to_string(), Some(7)),
                ("b.go".to_string(), None)
            ]
        );
        let t = Task::parse("panic in v1.2.0\n\n\t/pkg/mod/gin@v1.7.1/tree.go:446");
        assert_eq!(
            t.files,
            [("pkg/mod/gin@v1.7.1/tree.go".to_string(), Some(446))]
        );
    }
}
