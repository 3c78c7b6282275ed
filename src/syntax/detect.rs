//! Which language a name, a path or the start of a text means.

use std::collections::HashMap;
use std::path::Path;
use std::sync::OnceLock;

use super::language::Language;
use super::registry::LANGUAGES;

impl Language {
    /// Every language, by name.
    pub fn all() -> &'static [Language] {
        &LANGUAGES
    }

    /// The language with this name, such as `rust` or `csharp`.
    pub fn by_name(name: &str) -> Option<&'static Language> {
        LANGUAGES.iter().find(|l| l.name() == name)
    }

    /// The language of a path by its file name or extension, without reading it.
    pub fn for_path(path: &Path) -> Option<&'static Language> {
        let index = index();
        let file = path.file_name()?.to_str()?;
        if let Some(found) = index.file_names.get(file) {
            return Some(found);
        }
        let extension = path.extension()?.to_str()?;
        index
            .extensions
            .get(extension)
            .or_else(|| {
                index
                    .extensions
                    .get(extension.to_ascii_lowercase().as_str())
            })
            .copied()
    }

    /// As [`Language::for_path`], but two languages that share an extension are told
    /// apart by the lines of `head` (the start of the text, or all of it), and a file
    /// without a known name goes by the interpreter that its first line names.
    pub fn detect(path: &Path, head: &str) -> Option<&'static Language> {
        if let Some(found) = Self::for_path(path) {
            let extension = path
                .extension()
                .and_then(|e| e.to_str())
                .unwrap_or_default();
            let other = index().shared.get(extension);
            return match other {
                Some((other, starts)) if starts_a_line(head, starts) => Some(other),
                _ => Some(found),
            };
        }

        let line = head.lines().next()?.strip_prefix("#!")?;
        let mut words = line.split_whitespace();
        let mut program = words.next()?.rsplit('/').next()?;
        if program == "env" {
            program = words.find(|w| !w.starts_with('-') && !w.contains('='))?;
        }
        let program = program.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
        LANGUAGES
            .iter()
            .find(|l| l.data().shebangs.iter().any(|s| s == program))
    }
}

/// Whether a line begins, behind its indentation, with one of `starts`.
fn starts_a_line(text: &str, starts: &[String]) -> bool {
    text.lines()
        .map(str::trim_start)
        .any(|line| starts.iter().any(|s| line.starts_with(s.as_str())))
}

struct Index {
    /// By extension of another language: who it may be in truth, and what then
    /// begins one of its lines.
    shared: HashMap<&'static str, (&'static Language, &'static [String])>,
    extensions: HashMap<&'static str, &'static Language>,
    file_names: HashMap<&'static str, &'static Language>,
}

fn index() -> &'static Index {
    static INDEX: OnceLock<Index> = OnceLock::new();
    INDEX.get_or_init(|| {
        let mut index = Index {
            shared: HashMap::new(),
            extensions: HashMap::new(),
            file_names: HashMap::new(),
        };
        for language in &LANGUAGES {
            let data = language.data();
            for e in &data.extensions {
                index.extensions.entry(e).or_insert(language);
            }
            if let Some(shared) = &data.shared {
                for e in &shared.extensions {
                    index.shared.insert(e, (language, &shared.line_starts));
                }
            }
            for n in &data.file_names {
                index.file_names.entry(n).or_insert(language);
            }
        }
        index
    })
}
