//! The index as a file: the signature of each file and the lists of files by trigram,
//! read one at a time.
//!
//! Layout, all numbers little endian: the signatures, then the lists, one after the
//! other; the keys (trigram, length, offset with the list's form in its highest byte);
//! the files (flags, stamp, signature, path); a trailer with the counts and a magic
//! number. It is written under another name and moved into place when it is complete.

use super::list::{FileId, Form, Set, unpack};
use super::needs::Needs;
use super::signature::{Gram, Signature};
use super::trigram::Trigram;
use crate::error::{Error, Result};
use crate::workspace::{FilePath, Root, Stamp};
use rayon::prelude::*;
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

/// Changes with the layout and with what is indexed.
const MAGIC: &[u8; 8] = b"trimtab2";
const TRAILER: usize = 8 + 8 + 8 + 8 + 8;
const KEY: usize = 4 + 4 + 8;
/// Where the form is in an offset.
const FORM: u32 = 56;
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
    form: Form,
}

/// An index of the files of a root.
#[derive(Debug)]
pub(in crate::search) struct Index {
    /// Signatures and lists are read when they are needed.
    file: File,
    keys: Vec<Key>,
    /// By number of the file.
    signatures: Vec<Signature>,
    /// Number of indexed files.
    count: usize,
    /// Files that are candidates for everything.
    always: Set,
}

/// An index with the files it is of, to be matched with what is there.
pub(in crate::search) type Loaded = (Index, Vec<(FilePath, Indexed)>);

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
            Needs::All {
                trigrams,
                grams,
                parts,
            } => {
                let mut set = self.with_all(trigrams)?;
                for part in parts {
                    if set.len() <= FEW {
                        break;
                    }
                    set.and(&self.evaluate(part)?);
                }
                if set.len() > FEW && !grams.is_empty() {
                    set = self.signed(&set, grams)?;
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
        self.file.read_exact_at(&mut bytes, key.offset)?;
        Ok(unpack(key.form, &bytes, self.count))
    }

    /// Those of some files whose signatures admit all of these sequences.
    fn signed(&self, files: &Set, grams: &BTreeSet<Gram>) -> io::Result<Set> {
        let files: Vec<FileId> = files.iter().collect();
        let admitted = files
            .par_chunks(64)
            .map(|files| -> io::Result<Vec<FileId>> {
                let mut bytes = Vec::new();
                let mut admitted = Vec::new();
                for &id in files {
                    let Some(signature) = self.signatures.get(id as usize) else {
                        continue;
                    };
                    bytes.resize(signature.len(), 0);
                    self.file.read_exact_at(&mut bytes, signature.offset)?;
                    if grams.iter().all(|gram| signature.admits(&bytes, *gram)) {
                        admitted.push(id);
                    }
                }
                Ok(admitted)
            });
        let admitted: Vec<Vec<FileId>> = admitted.collect::<io::Result<_>>()?;
        let mut set = Set::none(self.count);
        admitted.iter().flatten().for_each(|id| set.insert(*id));
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
            let (trigram, len) = (take_u32(&mut rest)?, take_u32(&mut rest)?);
            let offset = take_u64(&mut rest)?;
            let key = Key {
                trigram,
                len,
                offset: offset & ((1 << FORM) - 1),
                form: Form::of((offset >> FORM) as u8)?,
            };
            if key.offset + u64::from(len) > keys_at {
                return None;
            }
            keys.push(key);
        }
        let mut files = Vec::with_capacity(files_count.min(1 << 24));
        let mut signatures = Vec::with_capacity(files_count.min(1 << 24));
        let mut always = Set::none(files_count);
        for id in 0..files_count {
            let (name, indexed, signature) = take_file(&mut rest)?;
            let end = signature.offset.checked_add(signature.len() as u64)?;
            if end > keys_at || !signature.is_sound() {
                return None;
            }
            signatures.push(signature);
            if indexed.always {
                always.insert(id as FileId);
            }
            let abs = root.dir().join(name);
            let rel = root.relative(&abs);
            files.push((FilePath { rel, abs }, indexed));
        }
        let index = Index {
            file,
            keys,
            signatures,
            count: files_count,
            always,
        };
        Some((index, files))
    }
}

/// Writes an index.
pub(super) struct Writer {
    out: BufWriter<File>,
    path: PathBuf,
    temporary: Temporary,
    keys: Vec<Key>,
    offset: u64,
}

/// A file that goes with this, unless it has been moved away.
struct Temporary(PathBuf);

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

fn no_index(path: &Path, e: &io::Error) -> Error {
    Error::failure(
        "no_state",
        format!("The index {} cannot be written: {e}.", path.display()),
        "Make the user's cache folder writable; searches work without an index.",
    )
}

impl Writer {
    pub fn create(path: &Path) -> Result<Self> {
        let mut name = path.file_name().map(OsString::from).unwrap_or_default();
        // Of its own for every build, of this process and of others.
        static BUILDS: AtomicUsize = AtomicUsize::new(0);
        let build = BUILDS.fetch_add(1, Ordering::Relaxed);
        name.push(format!(".{}.{build}", std::process::id()));
        let temporary = Temporary(path.with_file_name(name));
        let file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .open(&temporary.0)
            .map_err(|e| no_index(path, &e))?;
        Ok(Self {
            out: BufWriter::with_capacity(1 << 20, file),
            path: path.to_path_buf(),
            temporary,
            keys: Vec::new(),
            offset: 0,
        })
    }

    /// Adds a list.
    pub fn list(&mut self, trigram: Trigram, form: Form, bytes: &[u8]) -> Result<()> {
        let offset = self.put(bytes)?;
        self.keys.push(Key {
            trigram,
            len: bytes.len() as u32,
            offset,
            form,
        });
        Ok(())
    }

    /// Adds bytes, and says where they are.
    pub fn put(&mut self, bytes: &[u8]) -> Result<u64> {
        self.out
            .write_all(bytes)
            .map_err(|e| no_index(&self.path, &e))?;
        let offset = self.offset;
        self.offset += bytes.len() as u64;
        Ok(offset)
    }

    pub fn finish(
        mut self,
        root: &Root,
        files: &[FilePath],
        indexed: &[Indexed],
        signatures: Vec<Signature>,
    ) -> Result<Index> {
        let keys_at = self.offset;
        let mut tables = Vec::with_capacity(self.keys.len() * KEY + files.len() * 96);
        for key in &self.keys {
            tables.extend(key.trigram.to_le_bytes());
            tables.extend(key.len.to_le_bytes());
            let offset = key.offset | u64::from(key.form.number()) << FORM;
            tables.extend(offset.to_le_bytes());
        }
        let mut always = Set::none(files.len());
        let files_indexed = files.iter().zip(indexed).zip(&signatures);
        for (id, ((file, indexed), signature)) in files_indexed.enumerate() {
            if indexed.always {
                always.insert(id as FileId);
            }
            put_file(
                &mut tables,
                file.abs.strip_prefix(root.dir()).unwrap_or(&file.abs),
                indexed,
                signature,
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
        fs::rename(&self.temporary.0, &self.path).map_err(failed)?;
        let mut keys = self.keys;
        keys.shrink_to_fit();
        Ok(Index {
            file,
            keys,
            signatures,
            count: files.len(),
            always,
        })
    }
}

fn put_file(out: &mut Vec<u8>, name: &Path, indexed: &Indexed, signature: &Signature) {
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
    out.extend(signature.offset.to_le_bytes());
    out.extend(signature.words.to_le_bytes());
    out.push(signature.scale);
    let name = name.as_os_str().as_bytes();
    out.extend((name.len() as u32).to_le_bytes());
    out.extend(name);
}

fn take_file(rest: &mut &[u8]) -> Option<(PathBuf, Indexed, Signature)> {
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
    let signature = Signature {
        offset: take_u64(rest)?,
        words: take_u32(rest)?,
        scale: take::<1>(rest)?[0],
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
    let name = PathBuf::from(OsString::from_vec(name.to_vec()));
    Some((name, indexed, signature))
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
