//! The trees of the texts that were merged last: an agent edits a file again and again, and
//! what one edit made is what the next one finds.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use crate::syntax::{Language, Outline, Parsed, Unparsed, try_parse};

/// How many texts are kept, and how many bytes they may have together: a tree takes some
/// twenty times as much.
const TEXTS: usize = 8;
const BYTES: usize = 2 << 20;

/// A text's tree, and what the text defines, found once.
pub(crate) struct Known {
    pub parsed: Parsed,
    outline: OnceLock<Outline>,
}

impl Known {
    pub fn new(parsed: Parsed) -> Self {
        Self {
            parsed,
            outline: OnceLock::new(),
        }
    }

    /// What the text, which has to be the tree's, defines, and its imports.
    pub fn outline(&self, text: &str) -> &Outline {
        self.outline.get_or_init(|| self.parsed.outline(text))
    }
}

struct Entry {
    text: String,
    known: Arc<Known>,
}

/// The newest last.
static RECENT: Mutex<VecDeque<Entry>> = Mutex::new(VecDeque::new());

/// What is known of a text; nothing where it has no tree on any machine.
///
/// # Errors
/// [`Unparsed::GaveUp`], where a tree would have taken too long.
pub(crate) fn known(
    language: &'static Language,
    text: &str,
) -> Result<Option<Arc<Known>>, Unparsed> {
    let held = {
        let recent = RECENT.lock().unwrap_or_else(PoisonError::into_inner);
        let same = |e: &&Entry| e.known.parsed.language() == language && e.text == text;
        recent.iter().find(same).map(|e| Arc::clone(&e.known))
    };
    if held.is_some() {
        return Ok(held);
    }
    match try_parse(language, text) {
        Ok(parsed) => {
            let known = Arc::new(Known::new(parsed));
            keep(text, &known);
            Ok(Some(known))
        }
        Err(Unparsed::Never) => Ok(None),
        Err(Unparsed::GaveUp) => Err(Unparsed::GaveUp),
    }
}

/// Keeps what is known of a text for the next edit of it.
pub(crate) fn keep(text: &str, known: &Arc<Known>) {
    let mut recent = RECENT.lock().unwrap_or_else(PoisonError::into_inner);
    recent.retain(|e| e.text != text);
    recent.push_back(Entry {
        text: text.to_string(),
        known: Arc::clone(known),
    });
    let bytes = |recent: &VecDeque<Entry>| recent.iter().map(|e| e.text.len()).sum::<usize>();
    while recent.len() > TEXTS || bytes(&recent) > BYTES {
        recent.pop_front();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(language: &'static Language, text: &str) -> Arc<Known> {
        known(language, text).ok().flatten().expect("small")
    }

    #[test]
    fn a_text_is_parsed_once_and_as_the_language_asked_for() {
        let (rust, python) = (Language::by_name("rust"), Language::by_name("python"));
        let (rust, python) = (rust.expect("known"), python.expect("known"));
        let text = "// a text of this test alone\n";
        let first = tree(rust, text);
        let recent = RECENT.lock().unwrap_or_else(PoisonError::into_inner);
        let same = |e: &&Entry| e.text == text && e.known.parsed.language() == rust;
        if let Some(entry) = recent.iter().find(same) {
            assert!(Arc::ptr_eq(&first, &entry.known));
        }
        drop(recent);
        assert_eq!(tree(python, text).parsed.language(), python);
    }

    #[test]
    fn no_more_is_kept_than_is_said() {
        let rust = Language::by_name("rust").expect("known");
        let long = "// long\n".repeat(BYTES / 8 + 1);
        tree(rust, &long);
        for n in 0..2 * TEXTS {
            tree(rust, &format!("// {n}\n"));
        }
        let recent = RECENT.lock().unwrap_or_else(PoisonError::into_inner);
        assert!(recent.len() <= TEXTS && recent.iter().all(|e| e.text != long));
    }
}
