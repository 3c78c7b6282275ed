use super::{count, last_safe_cut};

/// Counts a text that comes in parts: at any time, [`total`](Counter::total) is the
/// exact count of all that was pushed, as one text.
///
/// What lies before the last safe cut is counted once and dropped. The rest is kept:
/// usually less than a line, but all of it where nothing is safe, as in a text of line
/// breaks alone.
#[derive(Debug, Clone, Default)]
pub struct Counter {
    settled: usize,
    pending: String,
}

impl Counter {
    /// A counter of the empty text.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds text behind what was pushed so far.
    pub fn push(&mut self, text: &str) {
        if let Some(cut) = last_safe_cut(text) {
            let (done, rest) = text.split_at(cut);
            if self.pending.is_empty() {
                self.settled += count(done);
            } else {
                self.pending.push_str(done);
                self.settled += count(&self.pending);
            }
            self.pending.clear();
            self.pending.push_str(rest);
            return;
        }
        // Perhaps it can be cut where the two meet.
        if let (Some(before), Some(after)) = (self.pending.chars().next_back(), text.chars().next())
            && super::split::is_safe_cut(before, after)
        {
            self.settled += count(&self.pending);
            self.pending.clear();
        }
        self.pending.push_str(text);
    }

    /// Exact number of o200k tokens of all that was pushed.
    pub fn total(&self) -> usize {
        self.settled + count(&self.pending)
    }
}
