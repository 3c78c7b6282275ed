use super::root::Root;
use super::state::{self, State, hash, write_whole};
use crate::error::{Error, Result};
use crate::text::Span;
use sha2::{Digest, Sha256};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// What one output left out: the whole text it was made from and which of its
/// lines are missing. Nothing is lost: any line of the text can be got back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Omission {
    /// What the text is: a path, a command, `stdin`.
    pub source: String,
    /// The whole text, byte for byte.
    pub text: String,
    /// The omitted lines, in order.
    pub spans: Vec<Span>,
}

/// The name of a text in the store: a hash of its bytes, taken once however many
/// omissions are made from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextId(String);

impl TextId {
    /// The name of this text, whether it is kept or not.
    pub fn of(text: &str) -> Self {
        Self(hash(text.as_bytes()))
    }
}

/// A text on its way into the store, part by part, so that it need not be held
/// in memory. Dropped unfinished, it leaves nothing behind.
#[derive(Debug)]
pub struct Spool {
    file: tempfile::NamedTempFile,
    hash: Sha256,
}

impl Spool {
    /// Adds a part behind what there is.
    ///
    /// # Errors
    /// `no_state` if it cannot be written.
    pub fn push(&mut self, part: &str) -> Result<()> {
        self.hash.update(part.as_bytes());
        self.file
            .write_all(part.as_bytes())
            .map_err(|e| state::no_state(self.file.path(), &e))
    }
}

/// Keeps omitted texts of one root under short handles, as a content-addressed
/// folder: the same omission always has the same handle.
#[derive(Debug, Clone)]
pub struct Store {
    handles: PathBuf,
    texts: PathBuf,
    cap: u64,
}

#[derive(serde::Serialize, serde::Deserialize)]
struct Record {
    source: String,
    text: String,
    spans: Vec<(usize, usize)>,
}

/// Where a record is kept.
struct Place {
    handle: String,
    record: String,
    /// Whether it is there already.
    is_there: bool,
}

/// Texts kept for one root are cut back to this many bytes, oldest first (512 MiB).
const CAP: u64 = 512 << 20;
/// Consonants: they form no words, and a run of them costs half the tokens of
/// letters and digits in turn.
const ALPHABET: &[u8; 16] = b"bcdfghjkmnpqrtvx";
/// 16^6, some 10^7: a clash lengthens the handle.
const HANDLE_CHARS: usize = 6;

impl Store {
    /// The store of a root.
    ///
    /// # Errors
    /// `no_state` if its folder cannot be made.
    pub fn for_root(root: &Root) -> Result<Self> {
        let state = State::for_root(root)?;
        Ok(Self {
            handles: state.folder("store/handles")?,
            texts: state.folder("store/texts")?,
            cap: CAP,
        })
    }

    /// The handle under which [`Store::put`] keeps this omission, before it does:
    /// so that an output can be fitted to its budget with the handle in it.
    pub fn handle(&self, omission: &Omission) -> String {
        let text = TextId::of(&omission.text);
        self.handle_in(&text, &omission.source, &omission.spans)
    }

    /// [`Store::handle`] for lines of a text whose name is known.
    pub fn handle_in(&self, text: &TextId, source: &str, spans: &[Span]) -> String {
        self.place(text, source, spans).handle
    }

    /// Keeps an omission and returns its handle. When this returns, the handle
    /// resolves, in this process and any other.
    ///
    /// # Errors
    /// `no_state` if it cannot be written.
    pub fn put(&self, omission: &Omission) -> Result<String> {
        let text = self.keep(&omission.text)?;
        self.put_in(&text, &omission.source, &omission.spans)
    }

    /// Keeps a text, for [`Store::put_in`].
    ///
    /// # Errors
    /// `no_state` if it cannot be written.
    pub fn keep(&self, text: &str) -> Result<TextId> {
        let id = TextId::of(text);
        let path = self.texts.join(&id.0);
        if path.exists() {
            touch(&path);
        } else {
            write_whole(&path, text.as_bytes(), false).map_err(|e| state::no_state(&path, &e))?;
            self.prune(&path);
        }
        Ok(id)
    }

    /// Keeps an omission from a text that is kept already, and returns its handle.
    ///
    /// # Errors
    /// `no_state` if it cannot be written.
    pub fn put_in(&self, text: &TextId, source: &str, spans: &[Span]) -> Result<String> {
        let place = self.place(text, source, spans);
        if !place.is_there {
            let path = self.handles.join(&place.handle);
            let record = place.record.as_bytes();
            write_whole(&path, record, false).map_err(|e| state::no_state(&path, &e))?;
        }
        Ok(place.handle)
    }

    /// Begins to keep a text that comes in parts.
    ///
    /// # Errors
    /// `no_state` if no file can be made for it.
    pub fn spool(&self) -> Result<Spool> {
        let file = tempfile::NamedTempFile::new_in(&self.texts)
            .map_err(|e| state::no_state(&self.texts, &e))?;
        Ok(Spool {
            file,
            hash: Sha256::new(),
        })
    }

    /// Ends a text that came in parts. When this returns, it is kept.
    ///
    /// # Errors
    /// `no_state` if it cannot be written.
    pub fn finish(&self, spool: Spool) -> Result<TextId> {
        let id = TextId(state::hex(&spool.hash.finalize()));
        let path = self.texts.join(&id.0);
        spool
            .file
            .persist(&path)
            .map_err(|e| state::no_state(&path, &e.error))?;
        self.prune(&path);
        Ok(id)
    }

    /// Gets a whole text back.
    ///
    /// # Errors
    /// `unknown_handle` if it is not kept, or no longer.
    pub fn text(&self, id: &TextId) -> Result<String> {
        fs::read_to_string(self.texts.join(&id.0)).map_err(|_| unknown(&id.0))
    }

    /// Gets an omission back.
    ///
    /// # Errors
    /// `unknown_handle` if there is no such handle, or no longer.
    pub fn get(&self, handle: &str) -> Result<Omission> {
        let unknown = || unknown(handle);
        if !is_handle(handle) {
            return Err(unknown());
        }
        let record = fs::read_to_string(self.handles.join(handle)).map_err(|_| unknown())?;
        let record: Record = serde_json::from_str(&record).map_err(|_| unknown())?;
        let path = self.texts.join(&record.text);
        let text = fs::read_to_string(&path).map_err(|_| unknown())?;
        touch(&path);
        Ok(Omission {
            source: record.source,
            text,
            spans: record
                .spans
                .into_iter()
                .map(|(a, b)| Span::new(a, b))
                .collect(),
        })
    }

    fn place(&self, text: &TextId, source: &str, spans: &[Span]) -> Place {
        let record = Record {
            source: source.to_string(),
            text: text.0.clone(),
            spans: spans.iter().map(|s| (s.start, s.end)).collect(),
        };
        // A record of strings and numbers always serialises.
        let record = serde_json::to_string(&record).unwrap_or_default();
        let digits = name(&hash(record.as_bytes()));
        for len in HANDLE_CHARS..digits.len() {
            let other = fs::read_to_string(self.handles.join(&digits[..len])).ok();
            let is_there = other.as_ref() == Some(&record);
            if is_there || other.is_none() {
                return Place {
                    handle: digits[..len].to_string(),
                    record,
                    is_there,
                };
            }
        }
        Place {
            handle: digits,
            record,
            is_there: false,
        }
    }

    /// Drops the texts that were used longest ago until the cap holds. Handles
    /// of dropped texts go with them. Never drops `keep`.
    fn prune(&self, keep: &Path) {
        let Ok(entries) = fs::read_dir(&self.texts) else {
            return;
        };
        let mut texts: Vec<(SystemTime, u64, PathBuf)> = entries
            .flatten()
            .filter_map(|e| {
                let meta = e.metadata().ok()?;
                Some((meta.modified().ok()?, meta.len(), e.path()))
            })
            .collect();
        let mut total: u64 = texts.iter().map(|t| t.1).sum();
        if total <= self.cap {
            return;
        }
        texts.sort();
        let mut dropped = Vec::new();
        for (_, len, path) in texts {
            if total <= self.cap * 3 / 4 {
                break;
            }
            if path != keep && fs::remove_file(&path).is_ok() {
                total -= len;
                dropped.extend(path.file_name().map(|n| n.to_string_lossy().into_owned()));
            }
        }
        for entry in fs::read_dir(&self.handles).into_iter().flatten().flatten() {
            let gone = fs::read_to_string(entry.path())
                .ok()
                .and_then(|r| serde_json::from_str::<Record>(&r).ok())
                .is_none_or(|r| dropped.contains(&r.text));
            if gone {
                let _ = fs::remove_file(entry.path());
            }
        }
    }
}

fn unknown(handle: &str) -> Error {
    Error::not_found(
        "unknown_handle",
        format!("No omitted text is kept under {handle:?}."),
        "It may have expired: repeat the call that gave the handle.",
    )
}

/// Whether a word has the form of a handle.
fn is_handle(word: &str) -> bool {
    word.len() >= HANDLE_CHARS && word.len() <= 64 && word.bytes().all(|b| ALPHABET.contains(&b))
}

/// Hexadecimal digits in the alphabet of handles.
fn name(hex: &str) -> String {
    hex.chars()
        .filter_map(|c| c.to_digit(16))
        .map(|digit| char::from(ALPHABET[digit as usize & 15]))
        .collect()
}

/// Marks a text as used now, for the order in which [`Store::prune`] drops.
fn touch(path: &Path) {
    if let Ok(file) = fs::File::options().append(true).open(path) {
        let _ = file.set_modified(SystemTime::now());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::time::Duration;

    fn store() -> (tempfile::TempDir, Store) {
        let dir = tempfile::tempdir().unwrap();
        let root = Root::open(dir.path()).unwrap().with_home(dir.path());
        let store = Store::for_root(&root).unwrap();
        (dir, store)
    }

    fn omission(text: &str) -> Omission {
        Omission {
            source: "a.log".into(),
            text: text.into(),
            spans: vec![Span::new(2, 3)],
        }
    }

    #[test]
    fn a_handle_is_short_stable_and_resolves() {
        let (_d, store) = store();
        let o = omission("a\r\nb\nc");
        let h = store.handle(&o);
        assert_eq!(h.len(), 6);
        assert_eq!(store.get(&h).unwrap_err().code, "unknown_handle");
        assert_eq!(store.put(&o).unwrap(), h);
        assert_eq!(store.put(&o).unwrap(), h);
        assert_eq!(store.get(&h).unwrap(), o);
    }

    #[cfg(unix)]
    #[test]
    fn what_is_kept_is_not_written_again() {
        use std::os::unix::fs::MetadataExt;
        let (_d, store) = store();
        let o = omission("a\nb");
        let file = |handle: String| fs::metadata(store.handles.join(handle)).unwrap().ino();
        let first = file(store.put(&o).unwrap());
        assert_eq!(file(store.put(&o).unwrap()), first);
    }

    #[test]
    fn odd_handles_are_unknown_and_never_paths() {
        let (_d, store) = store();
        for h in ["", "../../x", "bcdfgh", "a/b/c/d", "ABCDEF", "\0"] {
            assert_eq!(store.get(h).unwrap_err().code, "unknown_handle");
        }
    }

    #[test]
    fn a_clash_lengthens_the_handle() {
        let (_d, store) = store();
        let o = omission("x");
        let h = store.handle(&o);
        fs::write(store.handles.join(&h), "something else").unwrap();
        let longer = store.put(&o).unwrap();
        assert_eq!(longer.len(), 7);
        assert!(longer.starts_with(&h));
        assert_eq!(store.get(&longer).unwrap(), o);
    }

    #[test]
    fn the_cap_drops_what_was_used_longest_ago() {
        let (_d, mut store) = store();
        store.cap = 250;
        let texts: Vec<String> = (0..3).map(|i| i.to_string().repeat(100)).collect();
        let mut handles = Vec::new();
        for (i, t) in texts.iter().enumerate() {
            handles.push(store.put(&omission(t)).unwrap());
            let path = store.texts.join(hash(t.as_bytes()));
            if let Ok(f) = fs::File::options().append(true).open(path) {
                f.set_modified(SystemTime::now() - Duration::from_secs(100 - i as u64))
                    .unwrap();
            }
        }
        assert_eq!(store.get(&handles[0]).unwrap_err().code, "unknown_handle");
        assert_eq!(store.get(&handles[2]).unwrap().text, texts[2]);
    }

    #[test]
    fn a_text_in_parts_is_the_same_text() {
        let (_d, store) = store();
        let mut spool = store.spool().unwrap();
        for part in ["a\r\n", "", "b\nc"] {
            spool.push(part).unwrap();
        }
        let o = omission("a\r\nb\nc");
        let id = store.finish(spool).unwrap();
        assert_eq!(id, TextId::of(&o.text));
        let handle = store.put_in(&id, &o.source, &o.spans).unwrap();
        assert_eq!(handle, store.handle(&o));
        assert_eq!(store.get(&handle).unwrap(), o);
        drop(store.spool().unwrap());
        assert_eq!(fs::read_dir(&store.texts).unwrap().count(), 1);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn nothing_is_lost(text in any::<String>(), source in any::<String>()) {
            let (_d, store) = store();
            let o = Omission { source, text, spans: vec![] };
            let h = store.put(&o).unwrap();
            prop_assert_eq!(store.get(&h).unwrap(), o);
        }
    }
}
