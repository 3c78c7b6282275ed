//! Random bytes and random mixes of what has a meaning, as file and as snippet: each pair is
//! merged or refused, and what is merged is made of both.
//!
//! The short run is part of the tests. The long one, for a quiet machine:
//!
//! `FUZZ_SECONDS=600 cargo test --release --test apply fuzz -- --ignored --nocapture`

use std::collections::HashSet;
use std::time::{Duration, Instant};

use trimtab::apply::{MergeOptions, merge};

/// Marsaglia's xorshift64: the same pairs from the same seed on every machine.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n.max(1) as u64) as usize
    }

    fn pick<'t>(&mut self, from: &[&'t str]) -> &'t str {
        from[self.below(from.len())]
    }
}

const PATHS: &[&str] = &[
    "a.rs", "a.py", "a.ts", "a.go", "a.java", "a.c", "a.rb", "a.php", "a.lua", "a.json", "a.yaml",
    "a.toml", "a.md", "a.html", "a.vue", "a.css", "a.sh", "a.txt",
];

/// Lines that mean something to a merge.
pub(crate) const PIECES: &[&str] = &[
    "// ... existing code ...\n",
    "# ... rest of the file ...\n",
    "<!-- ... -->\n",
    "...\n",
    "@@ -1,2 +1,2 @@\n",
    "@@\n",
    "<<<<<<< SEARCH\n",
    "=======\n",
    ">>>>>>> REPLACE\n",
    "*** Begin Patch\n",
    "*** Update File: a\n",
    "*** End Patch\n",
    "--- a/x\n",
    "+++ b/x\n",
    "```\n",
    "-x = 1\n",
    "+x = 2\n",
    "x = 1\n",
    "    x = 1\n",
    "def f(a):\n",
    "fn f(a: u32) -> u32 {\n",
    "    return a\n",
    "\treturn a;\r\n",
    "}\n",
    "    }\n",
    "{\n",
    "\n",
    "é\u{feff}\u{2028}",
    "12 | x = 1\n",
    "# removed: f\n",
    "import os\n",
    "<script>\n",
    "</script>\n",
    "\"key\": [1, 2],\n",
    "- item\n",
    "* item\n",
    "\u{0}",
    "x",
    " ",
];

fn bytes(random: &mut Random) -> String {
    let n = random.below(300);
    let raw: Vec<u8> = (0..n).map(|_| random.next() as u8).collect();
    String::from_utf8_lossy(&raw).into_owned()
}

fn pieces(random: &mut Random) -> String {
    let n = random.below(24);
    (0..n).map(|_| random.pick(PIECES)).collect()
}

/// Lines of a text, some left out, doubled, moved or changed, with a marker here and there.
fn mutated(random: &mut Random, text: &str) -> String {
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let mut out = String::new();
    for l in &lines {
        match random.below(14) {
            0 => {}
            1 => out.push_str(random.pick(PIECES)),
            2 => out.push_str(&l.repeat(2)),
            3 => out.push_str(lines[random.below(lines.len())]),
            4 => out.push_str("// ... existing code ...\n"),
            5 => out.push_str(&l.replacen(['a', 'x', '1'], "changed", 1)),
            _ => out.push_str(l),
        }
    }
    out
}

fn pair(random: &mut Random) -> (String, String) {
    match random.below(4) {
        0 => (bytes(random), bytes(random)),
        1 => (pieces(random), pieces(random)),
        2 => {
            let file = bytes(random);
            let snippet = mutated(random, &file);
            (file, snippet)
        }
        _ => {
            let file = pieces(random);
            let snippet = mutated(random, &file);
            (file, snippet)
        }
    }
}

/// Merges one random pair and holds the result to what is promised of any.
fn one(random: &mut Random) -> bool {
    let (file, snippet) = pair(random);
    let path = random.pick(PATHS);
    let options = MergeOptions {
        path: path.to_string(),
        ..MergeOptions::default()
    };
    let Ok(merged) = merge(&file, &snippet, &options) else {
        return false;
    };
    assert_eq!(merged.changed, merged.text != file);
    let known: HashSet<&str> = file.lines().map(str::trim).collect();
    let stray = merged.text.lines().map(str::trim).find(|l| {
        // A snippet line may have lost a prefix.
        !l.is_empty() && !known.contains(l) && !snippet.contains(l)
    });
    assert_eq!(
        stray, None,
        "{path}\n--- file\n{file}\n--- snippet\n{snippet}"
    );
    true
}

#[test]
fn random_pairs_are_merged_or_refused() {
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    let merged = (0..2_000).filter(|_| one(&mut random)).count();
    assert!(merged > 50, "only {merged} pairs were merged");
}

#[test]
#[ignore = "runs for FUZZ_SECONDS, 600 if unset"]
fn fuzz_for_a_while() {
    let number = |name: &str| std::env::var(name).ok().and_then(|s| s.parse().ok());
    let end = Instant::now() + Duration::from_secs(number("FUZZ_SECONDS").unwrap_or(600));
    let seed = number("FUZZ_SEED").unwrap_or(1);
    let mut random = Random(seed | 1 << 40);
    let (mut pairs, mut merged) = (0u64, 0u64);
    while Instant::now() < end {
        pairs += 1;
        merged += u64::from(one(&mut random));
    }
    println!("{pairs} pairs, {merged} merged, no panic");
}
