//! The index as a file: lists of files by trigram, read one at a time.
//!
//! Layout, all numbers little endian: the lists one after the other; the keys (trigram,
//! length, offset; the highest bit of the offset marks a bit set instead of
//! differences); the files (stamp, flags, path); a trailer with the counts and a magic
//! number. It is written under another name and moved into place when it is complete.

use super::needs::Needs;
use super::run::take_number;
use super::{FileId, Trigram};
use crate::error::{Error, Result};
use crate::workspace::{FilePath, Root, Stamp};
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// Changes with the layout and with what is indexed.
const MAGIC: &[u8; 8] = b"trimtab1";
const TRAILER: usize = 8 + 8 + 8 + 8 + 8;
const KEY: usize = 4 + 4 + 8;
const BITS: u64 = 1 << 63;
/// Lists that are read for one set of trigrams; the rarest say nearly all.
const MOST_LISTS: usize = 24;
/// So few candidates are searched sooner than narrowed down further.
const FEW: usize = 24;

/// What is known of an indexed file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::search) struct Indexed {
    /// Its stamp when it was read.
    pub stamp: Stamp,
    /// Whether the same stamp later means the same bytes.
    pub settled: bool,
    /// Whether it was read whole and did not change meanwhile.
    pub sound: bool,
    /// Whether it must be searched for every pattern.
    pub always: bool,
}

#[derive(Debug, Clone, Copy)]
struct Key {
    trigram: Trigram,
    len: u32,
    offset: u64,
}

/// An index of the files of a root.
#[derive(Debug)]
pub(in crate::search) struct Index {
    /// The lists are read when they are needed.
    file: Mutex<File>,
    keys: Vec<Key>,
    /// Number of indexed files.
    count: usize,
    /// Files that are candidates for everything.
    always: Set,
}

/// An index with the files it is of, to be matched with what is there.
pub(in crate::search) type Loaded = (Index, Vec<(FilePath, Indexed)>);

/// A set of files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::search) struct Set(Vec<u64>);

impl Set {
    fn none(count: usize) -> Self {
        Self(vec![0; count.div_ceil(64)])
    }

    fn all(count: usize) -> Self {
        Self(vec![u64::MAX; count.div_ceil(64)])
    }

    fn insert(&mut self, id: FileId) {
        if let Some(word) = self.0.get_mut(id as usize / 64) {
            *word |= 1 << (id % 64);
        }
    }

    /// The files in it, in order.
    pub fn iter(&self) -> impl Iterator<Item = FileId> + '_ {
        self.0.iter().enumerate().flat_map(|(at, &word)| {
            let mut rest = word;
            std::iter::from_fn(move || {
                (rest != 0).then(|| {
                    let bit = rest.trailing_zeros();
                    rest &= rest - 1;
                    at as FileId * 64 + bit
                })
            })
        })
    }

    fn and(&mut self, other: &Set) {
        for (a, b) in self.0.iter_mut().zip(&other.0) {
            *a &= b;
        }
    }

    fn or(&mut self, other: &Set) {
        for (a, b) in self.0.iter_mut().zip(&other.0) {
            *a |= b;
        }
    }

    fn len(&self) -> usize {
        self.0.iter().map(|w| w.count_ones() as usize).sum()
    }
}

impl Index {
    /// The files that may match.
    ///
    /// # Errors
    /// If the index cannot be read.
    pub fn candidates(&self, needs: &Needs) -> io::Result<Set> {
        let mut set = self.evaluate(needs)?;
        set.or(&self.always);
        Ok(set)
    }

    /// Number of indexed files.
    pub fn count(&self) -> usize {
        self.count
    }

    fn evaluate(&self, needs: &Needs) -> io::Result<Set> {
        match needs {
            Needs::Anything => Ok(Set::all(self.count)),
            Needs::Never => Ok(Set::none(self.count)),
            Needs::Either(parts) => {
                let mut set = Set::none(self.count);
                for part in parts {
                    set.or(&self.evaluate(part)?);
                }
                Ok(set)
            }
            Needs::All(trigrams, parts) => {
                let mut set = self.with_all(trigrams)?;
                for part in parts {
                    if set.len() <= FEW {
                        break;
                    }
                    set.and(&self.evaluate(part)?);
                }
                Ok(set)
            }
        }
    }

    fn with_all(&self, trigrams: &BTreeSet<Trigram>) -> io::Result<Set> {
        let mut keys: Vec<&Key> = Vec::new();
        for t in trigrams {
            match self.keys.binary_search_by_key(t, |k| k.trigram) {
                Ok(at) => keys.extend(self.keys.get(at)),
                Err(_) => return Ok(Set::none(self.count)),
            }
        }
        keys.sort_by_key(|k| k.len);
        let mut set = Set::all(self.count);
        for (i, key) in keys.into_iter().take(MOST_LISTS).enumerate() {
            if i > 0 && set.len() <= FEW {
                break;
            }
            set.and(&self.list(key)?);
        }
        Ok(set)
    }

    fn list(&self, key: &Key) -> io::Result<Set> {
        let mut bytes = vec![0; key.len as usize];
        {
            let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
            file.seek(SeekFrom::Start(key.offset & !BITS))?;
            file.read_exact(&mut bytes)?;
        }
        let mut set = Set::none(self.count);
        if key.offset & BITS != 0 {
            for (word, part) in set.0.iter_mut().zip(bytes.chunks(8)) {
                let mut full = [0; 8];
                full.iter_mut().zip(part).for_each(|(a, b)| *a = *b);
                *word = u64::from_le_bytes(full);
            }
        } else {
            for id in differences(&bytes) {
                set.insert(id);
            }
        }
        Ok(set)
    }

    /// Opens an index that was built before. None where there is none, or it is
    /// damaged or of another version.
    pub fn open(path: &Path, root: &Root) -> Option<Loaded> {
        let mut file = File::open(path).ok()?;
        let size = file.metadata().ok()?.len();
        let mut trailer = [0; TRAILER];
        file.seek(SeekFrom::End(-(TRAILER as i64))).ok()?;
        file.read_exact(&mut trailer).ok()?;
        let mut rest = &trailer[..];
        let keys_at = take_u64(&mut rest)?;
        let keys_count = take_u64(&mut rest)?;
        let files_count = usize::try_from(take_u64(&mut rest)?).ok()?;
        let whole = take_u64(&mut rest)?;
        if rest != MAGIC || whole != size || keys_at > size {
            return None;
        }
        let mut tables = Vec::new();
        file.seek(SeekFrom::Start(keys_at)).ok()?;
        (&mut file)
            .take(size - keys_at - TRAILER as u64)
            .read_to_end(&mut tables)
            .ok()?;
        let mut rest = &tables[..];
        let mut keys = Vec::with_capacity(keys_count.min(1 << 24) as usize);
        for _ in 0..keys_count {
            let key = Key {
                trigram: take_u32(&mut rest)?,
                len: take_u32(&mut rest)?,
                offset: take_u64(&mut rest)?,
            };
            if (key.offset & !BITS).checked_add(u64::from(key.len))? > keys_at {
                return None;
            }
            keys.push(key);
        }
        let mut files = Vec::with_capacity(files_count.min(1 << 24));
        let mut always = Set::none(files_count);
        for id in 0..files_count {
            let (name, indexed) = take_file(&mut rest)?;
            if indexed.always {
                always.insert(id as FileId);
            }
            let abs = root.dir().join(name);
            let rel = root.relative(&abs);
            files.push((FilePath { rel, abs }, indexed));
        }
        let index = Index {
            file: Mutex::new(file),
            keys,
            count: files_count,
            always,
        };
        Some((index, files))
    }
}

/// The files of a list of differences.
pub(super) fn differences(mut bytes: &[u8]) -> impl Iterator<Item = FileId> + '_ {
    let mut last: u32 = 0;
    std::iter::from_fn(move || {
        last = last.wrapping_add(take_number(&mut bytes)?);
        last.checked_sub(1)
    })
}

/// Writes an index.
pub(super) struct Writer {
    out: BufWriter<File>,
    path: PathBuf,
    temporary: PathBuf,
    keys: Vec<Key>,
    offset: u64,
    count: usize,
}

fn no_index(path: &Path, e: &io::Error) -> Error {
    Error::failure(
        "no_state",
        format!("The index {} cannot be written: {e}.", path.display()),
        "Make the user's cache folder writable; searches work without an index.",
    )
}

impl Writer {
    pub fn create(path: &Path, count: usize) -> Result<Self> {
        let mut name = path.file_name().map(OsString::from).unwrap_or_default();
        // Of its own for every build, of this process and of others.
        static BUILDS: AtomicUsize = AtomicUsize::new(0);
        let build = BUILDS.fetch_add(1, Ordering::Relaxed);
        name.push(format!(".{}.{build}", std::process::id()));
        let temporary = path.with_file_name(name);
        let file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .open(&temporary)
            .map_err(|e| no_index(path, &e))?;
        Ok(Self {
            out: BufWriter::with_capacity(1 << 20, file),
            path: path.to_path_buf(),
            temporary,
            keys: Vec::new(),
            offset: 0,
            count,
        })
    }

    /// One list, given as differences; kept as a bit set where that is shorter.
    pub fn list(&mut self, trigram: Trigram, bytes: &[u8]) -> Result<()> {
        let mut offset = self.offset;
        let words = self.count.div_ceil(64);
        let bits;
        let bytes = if bytes.len() > words * 8 {
            let mut set = Set::none(self.count);
            differences(bytes).for_each(|id| set.insert(id));
            bits = set
                .0
                .iter()
                .flat_map(|w| w.to_le_bytes())
                .collect::<Vec<u8>>();
            offset |= BITS;
            &bits[..]
        } else {
            bytes
        };
        self.keys.push(Key {
            trigram,
            len: bytes.len() as u32,
            offset,
        });
        self.offset += bytes.len() as u64;
        self.put(bytes)
    }

    fn put(&mut self, bytes: &[u8]) -> Result<()> {
        self.out
            .write_all(bytes)
            .map_err(|e| no_index(&self.path, &e))
    }

    pub fn finish(mut self, root: &Root, files: &[FilePath], indexed: &[Indexed]) -> Result<Index> {
        let keys_at = self.offset;
        let mut tables = Vec::with_capacity(self.keys.len() * KEY + files.len() * 96);
        for key in &self.keys {
            tables.extend(key.trigram.to_le_bytes());
            tables.extend(key.len.to_le_bytes());
            tables.extend(key.offset.to_le_bytes());
        }
        let mut always = Set::none(files.len());
        for (id, (file, indexed)) in files.iter().zip(indexed).enumerate() {
            if indexed.always {
                always.insert(id as FileId);
            }
            put_file(
                &mut tables,
                file.abs.strip_prefix(root.dir()).unwrap_or(&file.abs),
                indexed,
            );
        }
        let whole = keys_at + tables.len() as u64 + TRAILER as u64;
        for n in [keys_at, self.keys.len() as u64, files.len() as u64, whole] {
            tables.extend(n.to_le_bytes());
        }
        tables.extend(MAGIC);
        self.put(&tables)?;
        drop(tables);
        let failed = |e: io::Error| no_index(&self.path, &e);
        let file = self.out.into_inner().map_err(|e| failed(e.into_error()))?;
        fs::rename(&self.temporary, &self.path).map_err(failed)?;
        let mut keys = self.keys;
        keys.shrink_to_fit();
        Ok(Index {
            file: Mutex::new(file),
            keys,
            count: files.len(),
            always,
        })
    }
}

fn put_file(out: &mut Vec<u8>, name: &Path, indexed: &Indexed) {
    let s = indexed.stamp;
    let known = indexed.settled && indexed.sound;
    out.push(u8::from(indexed.always) | u8::from(known) << 1);
    if known {
        out.extend(s.size.to_le_bytes());
        out.extend(s.modified.to_le_bytes());
        out.extend(s.changed.to_le_bytes());
        out.extend(s.inode.to_le_bytes());
        out.extend(s.links.to_le_bytes());
    }
    let name = name_bytes(name);
    out.extend((name.len() as u32).to_le_bytes());
    out.extend(name);
}

fn take_file(rest: &mut &[u8]) -> Option<(PathBuf, Indexed)> {
    let flags = take::<1>(rest)?[0];
    let known = flags & 2 != 0;
    let stamp = if known {
        Stamp {
            size: take_u64(rest)?,
            modified: i64::from_le_bytes(take(rest)?),
            changed: i64::from_le_bytes(take(rest)?),
            inode: take_u64(rest)?,
            links: take_u64(rest)?,
        }
    } else {
        Stamp::default()
    };
    let len = take_u32(rest)? as usize;
    let name = rest.get(..len)?;
    *rest = rest.get(len..)?;
    let indexed = Indexed {
        stamp,
        settled: known,
        sound: known,
        always: flags & 1 != 0,
    };
    Some((name_of(name)?, indexed))
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let value = rest.get(..N)?.try_into().ok()?;
    *rest = rest.get(N..)?;
    Some(value)
}

fn take_u32(rest: &mut &[u8]) -> Option<u32> {
    take(rest).map(u32::from_le_bytes)
}

fn take_u64(rest: &mut &[u8]) -> Option<u64> {
    take(rest).map(u64::from_le_bytes)
}

#[cfg(unix)]
fn name_bytes(name: &Path) -> Vec<u8> {
    use std::os::unix::ffi::OsStrExt;
    name.as_os_str().as_bytes().to_vec()
}

#[cfg(not(unix))]
fn name_bytes(name: &Path) -> Vec<u8> {
    name.to_string_lossy().into_owned().into_bytes()
}

#[cfg(unix)]
fn name_of(bytes: &[u8]) -> Option<PathBuf> {
    use std::os::unix::ffi::OsStringExt;
    Some(PathBuf::from(OsString::from_vec(bytes.to_vec())))
}

#[cfg(not(unix))]
fn name_of(bytes: &[u8]) -> Option<PathBuf> {
    String::from_utf8(bytes.to_vec()).ok().map(PathBuf::from)
}
