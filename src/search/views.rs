//! The files of a result, read and parsed.

use super::ranges::View;
use crate::workspace::{self, Cancel, FilePath};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A file of the result.
#[derive(Debug)]
pub(super) struct Loaded {
    pub path: FilePath,
    pub view: Arc<View>,
}

/// Parsed files, those used last. Found by path, used only if the bytes are the same.
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
    /// A file, read now and parsed, or as parsed before if its bytes are the same.
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
        let view = Arc::new(View::new(path, bytes, cancel));
        if !cancel.is_cancelled() {
            self.lock().put(&path.rel, &view);
        }
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
