//! Results that every client passes on whole.

use crate::error::Result;

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

#[cfg(test)]
mod tests {
    use super::*;

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
