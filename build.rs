//! Writes the o200k vocabulary and the character classes of its pattern as tables
//! that are compiled in, so that nothing is loaded or built at run time.
//!
//! The vocabulary is a perfect hash table (compress, hash and displace: Belazzougui,
//! Botelho, Dietzfelbinger, 2009): a bucket's pilot moves all its keys to free slots,
//! so a lookup reads one bucket and at most one slot.

use std::env;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use regex_syntax::hir::{Class, HirKind};

#[path = "src/tokens/layout.rs"]
mod layout;

use layout::class;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=src/tokens/layout.rs");
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("no OUT_DIR")?);
    vocabulary(&out)?;
    classes(&out)?;
    fixed_place();
    Ok(())
}

/// Links the program to one address where glibc's loader would otherwise relocate it:
/// a megabyte that is read and half as much that is written at every start, mostly for
/// tables of grammars. Libraries, heap and stack keep their random places.
fn fixed_place() {
    let has = |name: &str, value: &str| {
        let list = env::var(name).unwrap_or_default();
        list.split(',').any(|v| v == value)
    };
    if has("CARGO_CFG_TARGET_OS", "linux")
        && has("CARGO_CFG_TARGET_ENV", "gnu")
        && !has("CARGO_CFG_TARGET_FEATURE", "crt-static")
    {
        println!("cargo::rustc-link-arg-bins=-no-pie");
    }
}

fn vocabulary(out: &Path) -> Result<(), Box<dyn Error>> {
    let encoding = tiktoken_rs::o200k_base()?;
    // Ranks are dense from 0; the special tokens lie behind a gap.
    let tokens: Vec<Vec<u8>> = (0u32..)
        .map_while(|rank| encoding.decode_bytes(&[rank]).ok())
        .collect();
    if tokens.len() < 199_998 {
        return Err(format!("o200k_base has {} tokens", tokens.len()).into());
    }

    // The initial merges of all pieces: two bytes to their rank.
    let mut pairs = vec![layout::EMPTY; 1 << 16];
    let mut long = Vec::new();
    let mut blob = Vec::new();
    let mut entries = Vec::with_capacity(tokens.len());
    for (rank, token) in tokens.iter().enumerate() {
        let rank = u32::try_from(rank)?;
        if let [a, b] = token[..] {
            pairs[usize::from(a) << 8 | usize::from(b)] = rank;
        }
        let key = layout::key(token);
        let value = if token.len() <= layout::SHORT_LEN {
            rank | u32::try_from(token.len())? << 24
        } else {
            let index = u32::try_from(long.len() / layout::LONG)?;
            long.extend(rank.to_le_bytes());
            long.extend(u32::try_from(blob.len())?.to_le_bytes());
            blob.extend(token);
            index
        };
        entries.push((layout::mix(key, token.len()), key, value));
    }
    let (buckets, slots) = perfect(&entries)?;

    fs::write(out.join("buckets.bin"), buckets)?;
    fs::write(out.join("slots.bin"), slots)?;
    fs::write(out.join("long.bin"), long)?;
    fs::write(out.join("bytes.bin"), blob)?;
    let pairs: Vec<u8> = pairs.iter().flat_map(|r| r.to_le_bytes()).collect();
    fs::write(out.join("pairs.bin"), pairs)?;
    let longest = tokens.iter().map(Vec::len).max().unwrap_or(0);
    fs::write(
        out.join("limits.rs"),
        format!("/// Bytes of the longest token.\npub const LONGEST: usize = {longest};\n"),
    )?;
    Ok(())
}

/// Buckets and slots for entries of (mixed key, key, value).
fn perfect(entries: &[(u64, u64, u32)]) -> Result<(Vec<u8>, Vec<u8>), Box<dyn Error>> {
    let slot_count = entries.len() + entries.len() / 8;
    let bucket_count = entries.len() / 4;
    let mut members = vec![Vec::new(); bucket_count];
    for (i, &(mixed, ..)) in entries.iter().enumerate() {
        members[layout::bucket(mixed, bucket_count)].push(i);
    }
    // Full buckets first, while there is room.
    let mut order: Vec<usize> = (0..bucket_count).collect();
    order.sort_by_key(|&b| (std::cmp::Reverse(members[b].len()), b));

    let mut taken = vec![false; slot_count];
    let mut buckets = vec![0; bucket_count * layout::BUCKET];
    let mut slots = Vec::with_capacity(slot_count * layout::SLOT);
    for _ in 0..slot_count {
        slots.extend(0u64.to_le_bytes());
        slots.extend(layout::EMPTY.to_le_bytes());
    }
    let mut places = Vec::new();
    for b in order {
        let pilot = (0..=u16::MAX).find(|&pilot| {
            places.clear();
            for &i in &members[b] {
                let place = layout::slot(entries[i].0, pilot, slot_count);
                if taken[place] || places.contains(&place) {
                    return false;
                }
                places.push(place);
            }
            true
        });
        let mut filter = 0;
        for (&i, &place) in members[b].iter().zip(&places) {
            taken[place] = true;
            filter |= layout::filter_bit(entries[i].0);
            let at = place * layout::SLOT;
            slots[at..at + 8].copy_from_slice(&entries[i].1.to_le_bytes());
            slots[at + 8..at + 12].copy_from_slice(&entries[i].2.to_le_bytes());
        }
        let pilot = pilot.ok_or("no pilot fits")?;
        let at = b * layout::BUCKET;
        buckets[at..at + 2].copy_from_slice(&pilot.to_le_bytes());
        buckets[at + 2..at + 4].copy_from_slice(&filter.to_le_bytes());
    }
    Ok((buckets, slots))
}

/// A two-stage table: block numbers (one byte per block of code points), then blocks.
fn classes(out: &Path) -> Result<(), Box<dyn Error>> {
    let mut flat = vec![class::OTHER; 0x11_0000];
    for (pattern, class) in [
        (r"[\p{Lu}\p{Lt}]", class::UPPER),
        (r"\p{Ll}", class::LOWER),
        (r"[\p{Lm}\p{Lo}]", class::LETTER),
        (r"\p{M}", class::MARK),
        (r"\p{N}", class::NUMBER),
        (r"\s", class::SPACE),
        (r"[\r\n]", class::BREAK),
    ] {
        let HirKind::Class(Class::Unicode(ranges)) = regex_syntax::parse(pattern)?.into_kind()
        else {
            return Err(format!("{pattern} is no class").into());
        };
        for range in ranges.ranges() {
            flat[range.start() as usize..=range.end() as usize].fill(class);
        }
    }
    let mut index = Vec::new();
    let mut blocks: Vec<&[u8]> = Vec::new();
    for block in flat.chunks(layout::BLOCK) {
        let number = blocks.iter().position(|b| *b == block).unwrap_or_else(|| {
            blocks.push(block);
            blocks.len() - 1
        });
        index.push(u8::try_from(number)?);
    }
    fs::write(out.join("class_index.bin"), index)?;
    fs::write(out.join("class_blocks.bin"), blocks.concat())?;
    Ok(())
}
