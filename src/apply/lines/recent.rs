//! The trees of the texts that were merged last: an agent edits a file again and again, and
//! what one edit made is what the next one finds.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use crate::syntax::{Language, Outline, Outlined, Pieces, Unparsed};

/// How many texts are kept, and how many bytes they may have together: a tree takes some
/// twenty times as much.
const TEXTS: usize = 8;

const BYTES: usize = 2 << 20;

/// A text's trees, and what the text defines, found once.
pub(crate) struct Known {
    pub parsed: Pieces,
    outlined: OnceLock<Outlined>,
}

impl Known {
    pub fn new(parsed: Pieces) -> Self {
        Self {
            parsed,
            outlined: OnceLock::new(),
        }
    }

    /// What is known of `after`, which an edit made of `before`, the text of this one.
    ///
    /// # Errors
    /// See [`Unparsed`].
    pub fn edited(&self, before: &str, after: &str) -> Result<Self, Unparsed> {
        let (parsed, outlined) = self.parsed.edited(self.outlined(before), before, after)?;
        Ok(Self {
            parsed,
            outlined: OnceLock::from(outlined),
        })
    }

    /// What the text, which has to be the tree's, defines, and its imports.
    pub fn outline(&self, text: &str) -> &Outline {
        &self.outlined(text).outline
    }

    fn outlined(&self, text: &str) -> &Outlined {
        self.outlined.get_or_init(|| self.parsed.outlined(text))
    }
}

struct Entry {
    text: String,
    known: Arc<Known>,
}

/// The texts that were asked for or merged last, the newest last.
#[derive(Default)]
struct Recent(VecDeque<Entry>);

impl Recent {
    /// What is known of a text in a language; it is the newest from then on.
    fn get(&mut self, language: &'static Language, text: &str) -> Option<Arc<Known>> {
        let same = |e: &Entry| e.known.parsed.language() == language && e.text == text;
        let entry = self.0.remove(self.0.iter().position(same)?)?;
        let known = Arc::clone(&entry.known);
        self.0.push_back(entry);
        Some(known)
    }

    /// Keeps a text and returns what makes room for it.
    fn keep(&mut self, text: &str, known: &Arc<Known>) -> Vec<Entry> {
        let same = self.0.iter().position(|e| e.text == text);
        let mut gone = Vec::from_iter(same.and_then(|at| self.0.remove(at)));
        self.0.push_back(Entry {
            text: text.to_string(),
            known: Arc::clone(known),
        });
        while self.0.len() > TEXTS || self.0.iter().map(|e| e.text.len()).sum::<usize>() > BYTES {
            gone.extend(self.0.pop_front());
        }
        gone
    }
}

static RECENT: Mutex<Recent> = Mutex::new(Recent(VecDeque::new()));

fn recent() -> MutexGuard<'static, Recent> {
    RECENT.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What is known of a text; nothing where it has no tree on any machine.
///
/// # Errors
/// [`Unparsed::GaveUp`], where a tree would have taken too long.
pub(crate) fn known(
    language: &'static Language,
    text: &str,
) -> Result<Option<Arc<Known>>, Unparsed> {
    let held = recent().get(language, text);
    if held.is_some() {
        return Ok(held);
    }
    match Pieces::parse(language, text) {
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
    let gone = recent().keep(text, known);
    // To free a large tree takes as long as a small merge, and nobody waits for it.
    if !gone.is_empty() {
        rayon::spawn(move || drop(gone));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(language: &'static Language, text: &str) -> Arc<Known> {
        let parsed = Pieces::parse(language, text).expect("small");
        Arc::new(Known::new(parsed))
    }

    fn language(name: &str) -> &'static Language {
        Language::by_name(name).expect("known")
    }

    #[test]
    fn a_text_is_found_again_in_its_language_alone() {
        let mut recent = Recent::default();
        let text = "// a text\n";
        let known = tree(language("rust"), text);
        recent.keep(text, &known);
        let found = recent.get(language("rust"), text);
        assert!(found.is_some_and(|f| Arc::ptr_eq(&f, &known)));
        assert!(recent.get(language("python"), text).is_none());
        assert!(recent.get(language("rust"), "// another\n").is_none());
    }

    #[test]
    fn what_was_used_longest_ago_goes_first() {
        let rust = language("rust");
        let mut recent = Recent::default();
        let texts: Vec<String> = (0..=TEXTS).map(|n| format!("// {n}\n")).collect();
        for text in &texts[..TEXTS] {
            recent.keep(text, &tree(rust, text));
        }
        assert!(recent.get(rust, &texts[0]).is_some());
        recent.keep(&texts[TEXTS], &tree(rust, &texts[TEXTS]));
        assert!(recent.get(rust, &texts[0]).is_some());
        assert!(recent.get(rust, &texts[1]).is_none());
        assert_eq!(recent.0.len(), TEXTS);
    }

    #[test]
    fn a_long_text_is_not_kept() {
        let rust = language("rust");
        let mut recent = Recent::default();
        let long = "// long\n".repeat(BYTES / 8 + 1);
        recent.keep(&long, &tree(rust, &long));
        assert!(recent.0.is_empty());
    }
}
