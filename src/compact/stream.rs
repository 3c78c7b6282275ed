//! Texts too large to hold.
//!
//! One pass in blocks of whole lines: each block goes to the store as it is, and
//! of its lines only those stay in memory that any output could hold: the best
//! under several times the budget, what failed first, how it ended, and both
//! ends of the block. What is left of all blocks is then compacted like a text
//! of its own, with the numbers that the lines have in the whole. Lines of a part
//! of another kind (a JSON value or a diff in a log) stay lines of that kind.

use super::parts::{self, Placed};
use super::select::{Draft, select};
use super::view::View;
use super::words::Query;
use super::{Compacted, Kind, Options, Part, Plan, Size, compact_stored, detect, keep};
use crate::error::{Error, Result};
use crate::tokens::{self, Counter};
use crate::workspace::{Spool, Store, TextId};
use std::io::Read;

/// Lines at both ends of a block that stay: what explains a line may lie in the
/// next block.
const ENDS: usize = 24;
/// What stays of a block has this many times the tokens of the output.
const SHARE: usize = 4;

/// How much is held in memory.
#[derive(Debug, Clone, Copy)]
struct Limits {
    /// Texts of fewer bytes are compacted whole.
    whole: usize,
    /// Bytes of a block.
    block: usize,
    /// Tokens that stay of a block at least.
    least: usize,
    /// What stays of all blocks is thinned out where it has more bytes than this,
    /// or than the output may have.
    kept: usize,
}

const LIMITS: Limits = Limits {
    whole: 16 << 20,
    block: 4 << 20,
    least: 8_192,
    kept: 8 << 20,
};

/// [`compact_stored`](super::compact_stored) for a text that is read, of any
/// length, in memory that does not grow with it. Bytes that are no UTF-8 stand
/// as U+FFFD.
///
/// # Errors
/// Those of [`compact_stored`](super::compact_stored), and `unreadable`.
pub fn compact_reader(
    reader: impl Read,
    options: &Options,
    store: &Store,
    label: &str,
) -> Result<Compacted> {
    within(LIMITS, reader, options, store, label)
}

fn within(
    limits: Limits,
    mut reader: impl Read,
    options: &Options,
    store: &Store,
    label: &str,
) -> Result<Compacted> {
    let mut bytes = Vec::new();
    read_up_to(&mut reader, &mut bytes, limits.whole)?;
    if bytes.len() < limits.whole {
        return compact_stored(&text_of(bytes), options, store, label);
    }
    let query = Query::new(&options.query);
    let first = String::from_utf8_lossy(&bytes[..bytes.len().min(limits.block)]).into_owned();
    let kind = by_lines(options.kind.unwrap_or_else(|| {
        let whole_lines = first.rfind('\n').map_or(first.len(), |i| i + 1);
        detect(&first[..whole_lines], options.file.as_deref())
    }));
    drop(first);
    let mut sieve = Sieve {
        limits,
        options,
        query,
        kind,
        share: match options.size {
            Size::Budget(budget) => Share::Tokens(budget),
            Size::Ratio(ratio) => Share::Ratio(check(ratio)?),
        },
        spool: store.spool()?,
        counter: Counter::new(),
        bytes: 0,
        lines: 0,
        inside: false,
        kept: Vec::new(),
        kept_bytes: 0,
    };
    let mut ended = false;
    while !ended || !bytes.is_empty() {
        if !ended && bytes.len() < limits.block {
            let before = bytes.len();
            read_up_to(&mut reader, &mut bytes, limits.block)?;
            ended = bytes.len() == before || bytes.len() < limits.block;
        }
        let end = if ended && bytes.len() <= limits.block {
            bytes.len()
        } else {
            block_end(&bytes[..bytes.len().min(limits.block)])
        };
        let rest = bytes.split_off(end);
        let block = text_of(std::mem::replace(&mut bytes, rest));
        sieve.push(&block, ended && bytes.is_empty())?;
    }
    sieve.finish(store, label)
}

/// Only a whole history can be told into messages.
fn by_lines(kind: Kind) -> Kind {
    match kind {
        Kind::History => Kind::Json,
        kind => kind,
    }
}

fn check(ratio: f64) -> Result<f64> {
    if ratio > 0.0 && ratio <= 1.0 {
        return Ok(ratio);
    }
    Err(super::bad_ratio(ratio))
}

/// Reads until there are `limit` bytes or no more come.
fn read_up_to(reader: &mut impl Read, bytes: &mut Vec<u8>, limit: usize) -> Result<()> {
    let missing = limit.saturating_sub(bytes.len()) as u64;
    reader
        .by_ref()
        .take(missing)
        .read_to_end(bytes)
        .map(|_| ())
        .map_err(|e| {
            Error::failure(
                "unreadable",
                format!("The text cannot be read: {e}."),
                "Check that the file or pipe can be read.",
            )
        })
}

fn text_of(bytes: Vec<u8>) -> String {
    match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(e) => String::from_utf8_lossy(e.as_bytes()).into_owned(),
    }
}

/// Where a block that goes on is cut: behind its last line, or within a line that
/// fills it, in front of a character that is not complete.
fn block_end(bytes: &[u8]) -> usize {
    if let Some(at) = memchr::memrchr(b'\n', bytes) {
        return at + 1;
    }
    (bytes.len().saturating_sub(3)..bytes.len())
        .rev()
        .find(|&i| bytes[i] >= 0xC0)
        .filter(|i| *i > 0)
        .unwrap_or(bytes.len())
}

enum Share {
    Tokens(usize),
    Ratio(f64),
}

/// What is known of a text of which some blocks were read.
struct Sieve<'a> {
    limits: Limits,
    options: &'a Options,
    query: Query,
    kind: Kind,
    share: Share,
    spool: Spool,
    counter: Counter,
    bytes: usize,
    /// Lines read.
    lines: usize,
    /// Whether keep tags are open.
    inside: bool,
    kept: Vec<Kept>,
    kept_bytes: usize,
}

/// A line that stays.
struct Kept {
    number: usize,
    /// With its line break.
    line: String,
    /// What the part that it is from is scored as.
    kind: Kind,
}

impl Sieve<'_> {
    /// Takes in a block; `last` if nothing comes behind it.
    fn push(&mut self, block: &str, last: bool) -> Result<()> {
        if block.is_empty() {
            return Ok(());
        }
        self.bytes += block.len();
        if self.counts() {
            self.counter.push(block);
        }
        let view = View::new(block);
        self.spool.push(&view.laid_out())?;
        // A line that was cut off is a span on a line of its own.
        if !last && !block.ends_with('\n') {
            self.spool.push("\n")?;
        }
        let budget = (SHARE * self.budget()).max(self.limits.least);
        let forced = keep::forced_from(&view, &self.options.keep, &mut self.inside);
        let placed = self.placed(block);
        let draft = parts::scores(&placed, &self.query, budget);
        let kinds: Vec<Kind> = placed
            .iter()
            .flat_map(|p| std::iter::repeat_n(p.kind, p.view.len()))
            .collect();
        let kept = best(&view, &draft, &forced, budget);
        for (i, kind) in kinds.into_iter().enumerate().filter(|(i, _)| kept[*i]) {
            let mut line = view.full(i).to_string();
            let open = last && i + 1 == view.len();
            if !line.ends_with('\n') && !open {
                line.push('\n');
            }
            self.kept_bytes += line.len();
            self.kept.push(Kept {
                number: self.lines + i + 1,
                line,
                kind,
            });
        }
        self.lines += view.len();
        if self.kept_bytes > self.limits.kept.max(16 * self.budget()) {
            self.thin_out();
        }
        Ok(())
    }

    /// Whether the tokens are counted: where they decide about the size.
    fn counts(&self) -> bool {
        match self.share {
            Share::Tokens(budget) => budget >= tokens::least(self.bytes),
            Share::Ratio(_) => true,
        }
    }

    /// Tokens that the output may have, as far as is known.
    fn budget(&self) -> usize {
        match self.share {
            Share::Tokens(budget) => budget,
            // Some three bytes a token.
            Share::Ratio(ratio) => (self.bytes as f64 / 3.0 * ratio) as usize,
        }
    }

    /// The parts of a block, line by line the block itself.
    fn placed<'b>(&'b self, block: &'b str) -> Vec<Placed<'b>> {
        let parts = match self.options.kind {
            None => parts::split(block, self.kind),
            Some(_) => Vec::new(),
        };
        if parts.is_empty() {
            return vec![self.place(View::new(block), self.kind)];
        }
        let place = |part: &Part| {
            let text = block.get(part.bytes.clone()).unwrap_or("");
            let kind = part.kind.unwrap_or_else(|| detect(text, None));
            self.place(View::new(text), by_lines(kind))
        };
        parts.iter().map(place).collect()
    }

    fn place<'b>(&'b self, view: View<'b>, kind: Kind) -> Placed<'b> {
        Placed {
            view,
            layout: None,
            kind,
            name: self.options.file.as_deref(),
        }
    }

    /// What stayed so far, and the scores of its lines.
    fn view(&self, budget: usize) -> (View<'static>, Draft) {
        let view = |run: &[Kept]| {
            let text: String = run.iter().map(|k| k.line.as_str()).collect();
            View::of_lines(text, run.iter().map(|k| k.number).collect(), self.lines)
        };
        let runs = self.kept.chunk_by(|a, b| a.kind == b.kind);
        let placed: Vec<Placed> = runs.map(|run| self.place(view(run), run[0].kind)).collect();
        let draft = parts::scores(&placed, &self.query, budget);
        (view(&self.kept), draft)
    }

    /// Keeps half of what stayed so far.
    fn thin_out(&mut self) {
        let (view, draft) = self.view(self.budget());
        let forced = keep::forced(&view, &self.options.keep);
        let budget = tokens::count(&view.text) / 2;
        let kept = best(&view, &draft, &forced, budget.max(self.budget()));
        let mut stays = kept.iter().copied();
        self.kept.retain(|_| stays.next().unwrap_or(true));
        self.kept_bytes = self.kept.iter().map(|k| k.line.len()).sum();
    }

    fn finish(self, store: &Store, label: &str) -> Result<Compacted> {
        let budget = match self.share {
            Share::Tokens(budget) => budget,
            Share::Ratio(ratio) => (self.counter.total() as f64 * ratio) as usize,
        };
        let fits = self.counts() && self.counter.total() <= budget;
        let (view, draft) = self.view(budget);
        let forced = keep::forced(&view, &self.options.keep);
        let id: TextId = store.finish(self.spool)?;
        if fits {
            // The caller has room for all of it.
            let text = store.text(&id)?;
            return Ok(Compacted {
                tokens: tokens::count(&text),
                text,
                kind: self.kind,
                omitted: Vec::new(),
                laid_out: None,
                handle: None,
            });
        }
        let plan = Plan {
            input: "",
            view,
            kind: self.kind,
            draft,
            forced,
            budget,
            fits: false,
        };
        let mut out = plan.select_stored(store, label, |_| Ok(id))?;
        out.laid_out = None;
        Ok(out)
    }
}

/// The lines of a view that stay: what is best under the budget, the failures and
/// both ends.
fn best(view: &View, draft: &Draft, forced: &[usize], budget: usize) -> Vec<bool> {
    let mut kept = select(view, draft, forced, budget, None)
        .unwrap_or_else(|least| least)
        .kept;
    let n = kept.len();
    for i in (0..n.min(ENDS))
        .chain(n.saturating_sub(ENDS)..n)
        .chain(draft.first.iter().copied())
    {
        kept[i] = true;
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::Root;
    use proptest::prelude::*;

    const SMALL: Limits = Limits {
        whole: 600,
        block: 200,
        least: 16,
        kept: 500,
    };

    fn store() -> (tempfile::TempDir, Store) {
        let dir = tempfile::tempdir().unwrap();
        let root = Root::open(dir.path()).unwrap().with_home(dir.path());
        let store = Store::for_root(&root).unwrap();
        (dir, store)
    }

    fn options(budget: usize, kind: Option<Kind>) -> Options {
        Options {
            size: Size::Budget(budget),
            kind,
            ..Options::default()
        }
    }

    #[test]
    fn the_first_error_its_place_and_the_end_survive_any_number_of_blocks() {
        let (_d, store) = store();
        let mut log = String::new();
        for i in 0..3000 {
            log.push_str(&format!("test module::case_{i:04} ... ok\n"));
            if i % 500 == 211 {
                log.push_str(&format!(
                    "thread 'case_{i}' panicked at src/dates.rs:{i}:9:\n"
                ));
            }
        }
        log.push_str("test result: FAILED. 2994 passed; 6 failed; 0 ignored\n");
        let limits = Limits {
            whole: 9_000,
            block: 4_000,
            least: 64,
            kept: 6_000,
        };
        let out = within(limits, log.as_bytes(), &options(150, None), &store, "log").unwrap();
        assert_eq!(out.kind, Kind::BuildLog);
        assert!(out.tokens <= 150);
        for line in [
            "panicked at src/dates.rs:211:9:\n",
            "test result: FAILED. 2994 passed",
        ] {
            assert!(out.text.contains(line), "{line}: {}", out.text);
        }
        assert_eq!(store.get(&out.handle.unwrap()).unwrap().text, log);
    }

    #[test]
    fn parts_of_a_stream_are_scored_by_their_own_kinds() {
        let (_d, store) = store();
        let mut log = String::new();
        for i in 0..900 {
            log.push_str(&format!("step {i:04} of the build is done\n"));
            if i == 450 {
                log.push_str("{\n  \"jobs\": [\n");
                for j in 0..40 {
                    let state = if j == 23 { "crashed" } else { "fine" };
                    log.push_str(&format!("    {{\"state\": \"{state}\", \"id\": {j}}},\n"));
                }
                log.push_str("    {\"state\": \"fine\", \"id\": 40}\n  ]\n}\n");
            }
        }
        let limits = Limits {
            whole: 9_000,
            block: 8_000,
            least: 64,
            kept: 6_000,
        };
        let budget = options(120, None);
        let out = within(limits, log.as_bytes(), &budget, &store, "log").unwrap();
        assert!(out.tokens <= 120);
        // What differs from its siblings.
        assert!(out.text.contains("\"crashed\", \"id\": 23"), "{}", out.text);
    }

    #[test]
    fn with_room_for_all_of_it_a_text_is_untouched() {
        let (_d, store) = store();
        let text = "one two three\n".repeat(90);
        let out = within(SMALL, text.as_bytes(), &options(2_000, None), &store, "x").unwrap();
        assert_eq!((out.text, out.handle), (text, None));
        let all = Options {
            size: Size::Ratio(2.0),
            ..Options::default()
        };
        let error = within(SMALL, "x\n".repeat(400).as_bytes(), &all, &store, "x");
        assert_eq!(error.unwrap_err().code, "bad_ratio");
    }

    #[test]
    fn kept_contexts_reach_over_blocks() {
        let (_d, store) = store();
        let text = format!(
            "{0}<keepContext>\n{1}</keepContext>\n{0}",
            "little is said here\n".repeat(30),
            "kept\n".repeat(80)
        );
        let out = within(SMALL, text.as_bytes(), &options(400, None), &store, "x").unwrap();
        assert_eq!(out.text.matches("kept\n").count(), 80);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn promises_hold_for_any_stream(
            lines in prop::collection::vec("(error: |INFO |\\PC{0,3})[a-z0-9 {}\",:]{0,60}", 10..120),
            budget in 30usize..300,
            kind in prop::sample::select(Kind::ALL.to_vec()),
            ends in any::<bool>(),
        ) {
            let (_d, store) = store();
            let mut text = lines.join("\n").replace('⋯', "");
            if ends {
                text.push('\n');
            }
            let out = match within(SMALL, text.as_bytes(), &options(budget, Some(kind)), &store, "x") {
                Ok(out) => out,
                Err(e) => {
                    prop_assert_eq!(e.code, "budget_too_small");
                    return Ok(());
                }
            };
            prop_assert!(out.tokens <= budget);
            prop_assert_eq!(out.tokens, tokens::count(&out.text));
            let Some(handle) = out.handle else { return Ok(()) };
            let kept = store.get(&handle).unwrap();
            prop_assert_eq!(&kept.text, &text);
            let wanted: String = text
                .split('\n')
                .enumerate()
                .filter(|(i, _)| !kept.spans.iter().any(|s| s.contains(i + 1)))
                .map(|(_, line)| line)
                .collect();
            let shown: String = out.text.split('\n').filter(|l| !l.starts_with('⋯')).collect();
            prop_assert_eq!(shown, wanted);
        }
    }
}
