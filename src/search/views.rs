//! The files of a result, read and, where that is worth it, parsed.

use super::class::{Class, classify};
use super::ranges::View;
use crate::workspace::{self, Cancel, FilePath};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A file of the result.
#[derive(Debug, Clone)]
pub(super) struct Loaded {
    pub path: FilePath,
    pub view: Arc<View>,
}

/// Which files of a result are parsed: in the order in which they are worth reading,
/// as long as they are not too much together, because parsing takes longer than all
/// else. Of the others the matching lines are shown as they stand. It goes by paths
/// and sizes alone, whatever is known of their syntax already, so that the same search
/// always shows the same.
#[derive(Debug, Default)]
pub(super) struct Parsing {
    spent: usize,
}

/// Bytes that are parsed for one result (256 KiB).
const PARSED: usize = 256 << 10;
/// Bytes of the first file, if that alone has more (1 MiB).
const PARSED_FIRST: usize = 1 << 20;
/// Bytes of one file of prose or data (128 KiB); a larger one is a list of few names
/// that a program wrote, or a history.
const PARSED_LIST: usize = 128 << 10;

impl Parsing {
    /// Whether this file, the next, is parsed.
    pub fn admits(&mut self, file: &Loaded) -> bool {
        let size = file.view.text.len();
        let most = match (self.spent, classify(&file.path.rel)) {
            (_, Class::Prose | Class::Data) => PARSED_LIST.min(PARSED.saturating_sub(self.spent)),
            (0, _) => PARSED_FIRST,
            (spent, _) => PARSED.saturating_sub(spent),
        };
        if size > most {
            return false;
        }
        self.spent += size;
        true
    }
}

/// Files with what is known of their syntax, those used last. Found by path, used only
/// if the bytes are the same.
#[derive(Debug, Default)]
pub(super) struct Views(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    by_path: BTreeMap<String, (u64, Arc<View>)>,
    clock: u64,
    bytes: usize,
}

/// Bytes of text that are kept parsed (16 MiB).
const VIEWS: usize = 16 << 20;

impl Views {
    /// A file, read now, with what is known of its syntax if its bytes are the same.
    pub fn view(&self, path: &FilePath, cancel: &Cancel) -> Arc<View> {
        if cancel.is_cancelled() {
            return Arc::default();
        }
        // A file that has gone since it was scanned has nothing to show.
        let bytes = workspace::read(path).unwrap_or_default();
        let known = self.lock().get(&path.rel, &bytes);
        if let Some(view) = known {
            return view;
        }
        let view = Arc::new(View::new(bytes));
        self.lock().put(&path.rel, &view);
        view
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn get(&mut self, path: &str, bytes: &[u8]) -> Option<Arc<View>> {
        self.clock += 1;
        let (used, view) = self.by_path.get_mut(path)?;
        if view.bytes != bytes {
            return None;
        }
        *used = self.clock;
        Some(Arc::clone(view))
    }

    fn put(&mut self, path: &str, view: &Arc<View>) {
        self.clock += 1;
        let entry = (self.clock, Arc::clone(view));
        self.bytes += view.bytes.len();
        if let Some((_, old)) = self.by_path.insert(path.to_string(), entry) {
            self.bytes -= old.bytes.len();
        }
        while self.bytes > VIEWS && self.by_path.len() > 1 {
            let oldest = self.by_path.iter().min_by_key(|(_, (used, _))| *used);
            let Some(oldest) = oldest.map(|(path, _)| path.clone()) else {
                return;
            };
            if let Some((_, old)) = self.by_path.remove(&oldest) {
                self.bytes -= old.bytes.len();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Which of some files, by path and size in KiB, are parsed.
    fn admitted(files: &[(&str, usize)]) -> Vec<bool> {
        let mut parsing = Parsing::default();
        let file = |(path, size): &(&str, usize)| Loaded {
            path: FilePath {
                rel: (*path).into(),
                abs: (*path).into(),
            },
            view: Arc::new(View::new(vec![b' '; size << 10])),
        };
        files.iter().map(|f| parsing.admits(&file(f))).collect()
    }

    #[test]
    fn only_so_much_is_parsed() {
        let some = admitted(&[("a.rs", 150), ("b.rs", 150), ("c.rs", 106), ("d.rs", 1)]);
        assert_eq!(some, [true, false, true, false]);
        // The first alone may be larger.
        let large = admitted(&[("a.rs", 1025), ("b.rs", 1024), ("c.rs", 1)]);
        assert_eq!(large, [false, true, false]);
        let lists = admitted(&[("a.json", 129), ("b.json", 128), ("CHANGELOG.md", 200)]);
        assert_eq!(lists, [false, true, false]);
    }
}
