use crate::error::{Class, Error, Result};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Tells work in progress to stop: by a flag that any thread may set, or by a
/// deadline. Clones share the flag; asking is cheap enough for inner loops.
#[derive(Debug, Clone, Default)]
pub struct Cancel {
    flag: Arc<AtomicBool>,
    deadline: Option<Instant>,
    #[cfg(test)]
    fuse: Option<Arc<Fuse>>,
}

/// Counts how often is asked, and sets the flag, or has the deadline pass, at one of
/// the times: what is asked afterwards shows how soon work stops, without a clock.
#[cfg(test)]
#[derive(Debug)]
struct Fuse {
    asked: std::sync::atomic::AtomicUsize,
    after: usize,
    /// Whether it is the deadline that passes.
    late: bool,
}

impl Cancel {
    /// Never stops unless [`Cancel::cancel`] is called.
    pub fn new() -> Self {
        Self::default()
    }

    /// Stops when it has been asked so many times.
    #[cfg(test)]
    pub(crate) fn after(asked: usize) -> Self {
        Self {
            fuse: Some(Arc::new(Fuse {
                asked: 0.into(),
                after: asked,
                late: false,
            })),
            ..Self::default()
        }
    }

    /// Has its deadline pass when it has been asked so many times.
    #[cfg(test)]
    pub(crate) fn late_after(asked: usize) -> Self {
        Self {
            fuse: Some(Arc::new(Fuse {
                asked: 0.into(),
                after: asked,
                late: true,
            })),
            ..Self::default()
        }
    }

    /// How often it has been asked.
    #[cfg(test)]
    pub(crate) fn asked(&self) -> usize {
        let fuse = self.fuse.as_ref();
        fuse.map_or(0, |f| f.asked.load(Ordering::SeqCst))
    }

    /// The same flag with a deadline, the nearer one where there was one already.
    pub fn with_timeout(&self, timeout: Duration) -> Self {
        let at = Instant::now().checked_add(timeout);
        Self {
            flag: Arc::clone(&self.flag),
            #[cfg(test)]
            fuse: self.fuse.clone(),
            deadline: match (self.deadline, at) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            },
        }
    }

    /// Asks all holders of this flag to stop.
    pub fn cancel(&self) {
        self.flag.store(true, Ordering::Relaxed);
    }

    /// Whether the flag is set, the deadline aside.
    pub fn is_set(&self) -> bool {
        #[cfg(test)]
        if let Some(fuse) = &self.fuse
            && fuse.asked.fetch_add(1, Ordering::SeqCst) >= fuse.after
            && !fuse.late
        {
            self.cancel();
        }
        self.flag.load(Ordering::Relaxed)
    }

    /// Whether to stop now.
    pub fn is_cancelled(&self) -> bool {
        self.is_set() || self.is_late()
    }

    /// Whether the deadline has passed.
    pub fn is_late(&self) -> bool {
        #[cfg(test)]
        if let Some(fuse) = &self.fuse
            && fuse.late
        {
            return fuse.asked.load(Ordering::SeqCst) > fuse.after;
        }
        self.deadline.is_some_and(|d| Instant::now() >= d)
    }

    /// Time left until the deadline, if there is one.
    pub fn time_left(&self) -> Option<Duration> {
        self.deadline
            .map(|d| d.saturating_duration_since(Instant::now()))
    }

    /// An error where the work must stop: `cancelled`, or `timed_out` (capped).
    ///
    /// # Errors
    /// When the flag is set or the deadline has passed.
    pub fn check(&self) -> Result<()> {
        if self.is_set() {
            Err(Error::cancelled())
        } else if self.is_late() {
            Err(Error::new(
                Class::Capped,
                "timed_out",
                "The time limit was reached.",
                "Allow more time, or narrow the request.",
            ))
        } else {
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_share_the_flag_and_deadlines_only_shrink() {
        let a = Cancel::new();
        let b = a.with_timeout(Duration::from_secs(3600));
        assert!(b.check().is_ok());
        let c = b.with_timeout(Duration::ZERO);
        assert_eq!(c.check().map_err(|e| e.code), Err("timed_out"));
        assert!(c.with_timeout(Duration::from_secs(9)).is_late());
        a.cancel();
        assert_eq!(b.check().map_err(|e| e.code), Err("cancelled"));
    }
}
