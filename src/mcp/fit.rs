//! Results that every client passes on whole.

use crate::error::Result;
use crate::text::{Lines, Span};
use crate::workspace::{Omission, Root, Store};

/// Most bytes of a result whose call named no budget: below the least at which a
/// client cuts results (12 KB), with room for what it wraps around them.
pub(super) const BYTES: usize = 10_000;

/// Renders with the budget (in o200k tokens) of the call; without one with
/// `default`, or less where the text is longer than [`BYTES`].
pub(super) fn render(
    budget: Option<usize>,
    default: usize,
    mut render: impl FnMut(usize) -> Result<String>,
) -> Result<String> {
    if let Some(budget) = budget {
        return render(budget);
    }
    let mut budget = default;
    loop {
        let text = render(budget)?;
        if text.len() <= BYTES {
            return Ok(text);
        }
        // Bytes per token vary within a text, so this may take a few rounds; it
        // ends because the budget shrinks each time.
        budget = (budget * BYTES / text.len()).min(budget.saturating_sub(1 + budget / 50));
    }
}

/// Bytes for the line that names the rest.
const LAST_LINE: usize = 120;

/// The whole lines of a text that fit into [`BYTES`], and the handle of the rest: for
/// results that are not fitted to a budget, such as a diff. `source` says what it is.
pub(super) fn cap(root: &Root, source: &str, text: String) -> String {
    if text.len() <= BYTES {
        return text;
    }
    let lines = Lines::new(&text);
    let count = lines.len();
    let mut kept = String::new();
    let mut first = 1;
    while first < count && kept.len() + lines.full(first).len() <= BYTES - LAST_LINE {
        kept.push_str(lines.full(first));
        first += 1;
    }
    if kept.is_empty() {
        // One endless line: its beginning, and all of it under the handle.
        let end = text.floor_char_boundary(BYTES - LAST_LINE);
        kept.push_str(&text[..end]);
        kept.push('\n');
    }
    let rest = Span::new(first, count);
    let omission = Omission {
        source: source.to_owned(),
        spans: vec![rest],
        text,
    };
    let kept_as = Store::for_root(root).and_then(|store| store.put(&omission));
    match kept_as {
        Ok(handle) => kept.push_str(&format!("⋯ {} more lines: expand {handle}\n", rest.len())),
        Err(e) => kept.push_str(&format!("⋯ {} more lines, lost: {}\n", rest.len(), e.code)),
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_cut_off_comes_back_under_the_handle() {
        let home = tempfile::tempdir().unwrap();
        let root = Root::open(home.path()).unwrap().with_home(home.path());
        let store = Store::for_root(&root).unwrap();
        let rest_of = |text: &str| {
            let handle = text.trim_end().rsplit(' ').next().unwrap();
            store.get(handle).unwrap()
        };
        let exact = "x".repeat(BYTES);
        assert_eq!(cap(&root, "diff", exact.clone()), exact);

        let long: String = (0..2_000).map(|n| format!("+ line {n} ä\n")).collect();
        let short = cap(&root, "diff", long.clone());
        assert!(short.len() <= BYTES && short.len() > BYTES - 2 * LAST_LINE);
        let (kept, _) = short.split_once('⋯').unwrap();
        assert!(long.starts_with(kept));
        let omission = rest_of(&short);
        let [rest] = omission.spans[..] else {
            panic!("{:?}", omission.spans)
        };
        assert_eq!(kept.to_owned() + Lines::new(&long).slice(rest), long);

        let endless = "ä".repeat(BYTES);
        let short = cap(&root, "diff", endless.clone());
        assert!(short.len() <= BYTES);
        let omission = rest_of(&short);
        assert_eq!(omission.text, endless);
        assert_eq!(omission.spans, [Span::new(1, 1)]);
    }

    #[test]
    fn shrinks_until_the_bytes_fit_unless_the_call_says_more() {
        // Tokens of eight bytes.
        let text = |budget: usize| Ok("x".repeat(budget * 8));
        let length = |budget| render(budget, 2_500, text).map(|t| t.len());
        assert_eq!(length(None), Ok(10_000));
        assert_eq!(length(Some(4_000)), Ok(32_000));
        assert_eq!(render(None, 5, text).map(|t| t.len()), Ok(40));
    }
}
