//! What a run may spend on models.
//!
//! A request is made only where the cap holds the most that it can cost: a token is
//! at least a byte, so a prompt has no more tokens than its request has bytes, and
//! the request itself limits the answer. What it did cost, as the endpoint reports
//! it, is booked afterwards and the rest is free again.

use crate::error::{Class, Error, Result};
use crate::run::step::SPENT;
use crate::workspace::Cancel;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The shortest answer that is worth a request, in tokens.
const LEAST_ANSWER: u64 = 64;
/// How often is looked whether the work is to stop.
const TICK: Duration = Duration::from_millis(20);

/// The account of a run; steps side by side share it.
pub(in crate::run) struct Spend {
    cap: u64,
    book: Mutex<Book>,
    settled: Condvar,
}

#[derive(Debug, Clone, Copy)]
struct Book {
    spent: u64,
    /// What requests under way may cost at most.
    held: u64,
}

/// What one request may cost.
pub(super) struct Held<'a> {
    spend: &'a Spend,
    most: u64,
    /// Most tokens of its answer.
    pub answer: u64,
}

impl Spend {
    /// `spent` is what the run has spent before.
    pub fn new(cap: u64, spent: u64) -> Self {
        Self {
            cap,
            book: Mutex::new(Book { spent, held: 0 }),
            settled: Condvar::new(),
        }
    }

    /// Tokens that were spent.
    pub fn spent(&self) -> u64 {
        self.book().spent
    }

    /// Holds what a request of `bytes` with an answer of at most `answer` tokens can
    /// cost; where the cap leaves less, the answer is to be shorter.
    ///
    /// # Errors
    /// `model_tokens` (capped) where too little is left; `timed_out`, `cancelled`.
    pub(super) fn hold(&self, bytes: usize, answer: u64, cancel: &Cancel) -> Result<Held<'_>> {
        let mut book = self.book();
        loop {
            let left = self.cap.saturating_sub(book.spent + book.held);
            let room = left.saturating_sub(bytes as u64).min(answer);
            if room >= LEAST_ANSWER.min(answer) && room > 0 {
                let most = bytes as u64 + room;
                book.held += most;
                return Ok(Held {
                    spend: self,
                    most,
                    answer: room,
                });
            }
            if book.held == 0 {
                let (spent, cap) = (book.spent, self.cap);
                return Err(Error::new(
                    Class::Capped,
                    SPENT,
                    format!(
                        "{spent} of at most {cap} model tokens are spent; the next request could exceed that."
                    ),
                    "Allow more under [model] in your trimtab.toml.",
                ));
            }
            cancel.check()?;
            // Others may cost less than they could.
            book = match self.settled.wait_timeout(book, TICK) {
                Ok((book, _)) => book,
                Err(poisoned) => poisoned.into_inner().0,
            };
        }
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held<'_> {
    /// Books what the request did cost.
    pub fn settle(self, tokens: u64) {
        self.spend.book().spent += tokens;
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.spend.book().held -= self.most;
        self.spend.settled.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_made_only_where_the_cap_holds_the_most_it_can_cost() {
        let spend = Spend::new(1_000, 100);
        let cancel = Cancel::new();
        let held = spend.hold(300, 400, &cancel).unwrap();
        assert_eq!(held.answer, 400);
        held.settle(350);
        assert_eq!(spend.spent(), 450);
        // The answer gets what is left of 1000.
        let held = spend.hold(300, 400, &cancel).unwrap();
        assert_eq!(held.answer, 250);
        drop(held);
        assert_eq!(spend.spent(), 450);
        let full = spend.hold(550, 400, &cancel).err().unwrap();
        assert_eq!((full.code, full.exit_status()), (SPENT, 4));
        assert!(full.message.starts_with("450 of at most 1000"), "{full}");
    }

    #[test]
    fn side_by_side_the_cap_holds_and_what_is_not_used_is_free_again() {
        let spend = Spend::new(2_000, 0);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..2 {
                        let held = spend.hold(400, 600, &Cancel::new()).unwrap();
                        let book = *spend.book();
                        assert!(book.spent + book.held <= 2_000, "{book:?}");
                        held.settle(50);
                    }
                });
            }
        });
        assert_eq!(spend.spent(), 800);
    }
}
