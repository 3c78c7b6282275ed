//! Which language a name, a path or the start of a text means.

use std::collections::HashMap;
use std::path::Path;
use std::sync::OnceLock;

use serde::Deserialize;

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
        index().shebangs.get(program).copied()
    }
}

/// Whether a line begins, behind its indentation, with one of `starts`.
fn starts_a_line(text: &str, starts: &[String]) -> bool {
    text.lines()
        .map(str::trim_start)
        .any(|line| starts.iter().any(|s| line.starts_with(s.as_str())))
}

/// What `grammars/files.toml` says of a language's files. It is asked for nearly every
/// path, so it is set apart from what else is known of a language, which takes longer to read.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Files {
    #[serde(default)]
    extensions: Vec<String>,
    #[serde(default)]
    file_names: Vec<String>,
    #[serde(default)]
    shebangs: Vec<String>,
    shared: Option<Shared>,
}

/// Extensions that are another language's too.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Shared {
    extensions: Vec<String>,
    /// What begins a line in this language and in the other never does.
    line_starts: Vec<String>,
}

fn files() -> Result<HashMap<String, Files>, toml::de::Error> {
    toml::from_str(include_str!("../../grammars/files.toml"))
}

#[derive(Default)]
struct Index {
    /// By extension of another language: who it may be in truth, and what then
    /// begins one of its lines.
    shared: HashMap<String, (&'static Language, Vec<String>)>,
    extensions: HashMap<String, &'static Language>,
    file_names: HashMap<String, &'static Language>,
    shebangs: HashMap<String, &'static Language>,
}

fn index() -> &'static Index {
    static INDEX: OnceLock<Index> = OnceLock::new();
    INDEX.get_or_init(|| {
        let mut index = Index::default();
        let mut all = files().unwrap_or_default();
        for language in &LANGUAGES {
            let Some(files) = all.remove(language.name()) else {
                continue;
            };
            let names = [
                (files.extensions, &mut index.extensions),
                (files.file_names, &mut index.file_names),
                (files.shebangs, &mut index.shebangs),
            ];
            for (names, known) in names {
                for name in names {
                    known.entry(name).or_insert(language);
                }
            }
            if let Some(shared) = files.shared {
                for extension in shared.extensions {
                    let starts = shared.line_starts.clone();
                    index.shared.insert(extension, (language, starts));
                }
            }
        }
        index
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_language_has_files() {
        let files = files().expect("valid");
        let named: BTreeSet<&str> = files.keys().map(String::as_str).collect();
        assert_eq!(named, LANGUAGES.iter().map(Language::name).collect());
        for (name, files) in &files {
            assert!(!files.extensions.is_empty(), "{name}");
        }
    }
}
