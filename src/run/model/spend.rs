//! What a run may spend on models.
//!
//! A request is made only where the cap holds the most that it can cost: a token is
//! at least a byte, so a prompt has no more tokens than its request has bytes, and
//! the request itself limits the answer. What it did cost, as the endpoint reports
//! it, is booked afterwards and the rest is free again. The journal knows of the most
//! before the request is made: a run that is killed meanwhile goes on as if the
//! request had cost that.

use crate::error::{Class, Error, Result};
use crate::run::journal::{Account, Held as Run, Journal};
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

struct Book {
    spent: u64,
    /// What requests under way may cost at most.
    held: u64,
    /// Where it is written down.
    account: Option<Account>,
}

impl Book {
    fn write(&self) -> Result<()> {
        match &self.account {
            Some(account) => account.book(self.spent.saturating_add(self.held)),
            None => Ok(()),
        }
    }
}

/// What one request may cost.
pub(super) struct Held<'a> {
    spend: &'a Spend,
    most: u64,
    /// What it did cost.
    cost: u64,
    /// Most tokens of its answer.
    pub answer: u64,
}

impl Spend {
    /// The account of a run that may have spent something before; of no run where
    /// there is none.
    ///
    /// # Errors
    /// `no_journal`.
    pub fn of(cap: u64, run: Option<(&Journal, &Run)>) -> Result<Self> {
        let (account, spent) = match run {
            Some((journal, held)) => {
                let (account, spent) = journal.account(held.number)?;
                (Some(account), spent)
            }
            None => (None, 0),
        };
        Ok(Self {
            cap,
            book: Mutex::new(Book {
                spent,
                held: 0,
                account,
            }),
            settled: Condvar::new(),
        })
    }

    /// Tokens that were spent.
    pub fn spent(&self) -> u64 {
        self.book().spent
    }

    /// Holds what a request of `bytes` with an answer of at most `answer` tokens can
    /// cost; where the cap leaves less, the answer is to be shorter.
    ///
    /// # Errors
    /// `model_tokens` (capped) where too little is left; `timed_out`, `cancelled`;
    /// `no_journal` where it cannot be written down.
    pub(super) fn hold(&self, bytes: usize, answer: u64, cancel: &Cancel) -> Result<Held<'_>> {
        let mut book = self.book();
        loop {
            let left = self.cap.saturating_sub(book.spent + book.held);
            let room = left.saturating_sub(bytes as u64).min(answer);
            if room >= LEAST_ANSWER.min(answer) && room > 0 {
                let most = bytes as u64 + room;
                book.held += most;
                if let Err(e) = book.write() {
                    book.held -= most;
                    return Err(e);
                }
                return Ok(Held {
                    spend: self,
                    most,
                    cost: 0,
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
    pub fn settle(mut self, tokens: u64) {
        self.cost = tokens;
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        // At once: what it cost is never counted beside what it could have.
        let mut book = self.spend.book();
        book.held -= self.most;
        book.spent += self.cost;
        // Where this fails the journal knows of more than was spent: the cap holds.
        let _ = book.write();
        self.spend.settled.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::job::Job;
    use crate::run::task::Task;
    use crate::workspace::Root;

    #[test]
    fn a_request_is_made_only_where_the_cap_holds_the_most_it_can_cost() {
        let spend = Spend::of(1_000, None).unwrap();
        let cancel = Cancel::new();
        spend.hold(100, 100, &cancel).unwrap().settle(100);
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
        let spend = Spend::of(10_000, None).unwrap();
        let cancel = Cancel::new();
        std::thread::scope(|scope| {
            let workers: Vec<_> = (0..4)
                .map(|_| {
                    scope.spawn(|| {
                        for _ in 0..2_000 {
                            spend.hold(1_000, 9_000, &cancel).unwrap().settle(1);
                        }
                    })
                })
                .collect();
            while workers.iter().any(|worker| !worker.is_finished()) {
                let book = spend.book();
                let (spent, held) = (book.spent, book.held);
                assert!(spent + held <= 10_000, "{spent} and {held}");
            }
        });
        assert_eq!(spend.spent(), 8_000);
    }

    #[test]
    fn what_is_under_way_is_booked_before_and_freed_afterwards() {
        let dir = tempfile::tempdir().unwrap();
        let root = Root::open(dir.path()).unwrap().with_home(dir.path());
        let journal = Journal::open(&root).unwrap();
        let job = Job::Task(Box::new(Task::new("find it")));
        let run = journal.begin(&job).unwrap();
        let booked = || Spend::of(1_000, Some((&journal, &run))).unwrap().spent();
        let spend = Spend::of(1_000, Some((&journal, &run))).unwrap();
        let cancel = Cancel::new();
        let held = spend.hold(200, 300, &cancel).unwrap();
        assert_eq!(booked(), 500);
        let beside = spend.hold(100, 100, &cancel).unwrap();
        assert_eq!(booked(), 700);
        held.settle(70);
        assert_eq!(booked(), 270);
        // It failed and cost nothing.
        drop(beside);
        assert_eq!((booked(), spend.spent()), (70, 70));
    }
}
