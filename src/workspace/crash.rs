//! Where a test may kill the process.

/// A place where a test may kill the process; see `tests/crash.rs`.
pub(crate) fn step(_name: &str) {
    #[cfg(debug_assertions)]
    die_if_told();
}

/// Dies as by `kill -9` at the n-th place, where `TRIMTAB_CRASH_AT` is n.
#[cfg(debug_assertions)]
fn die_if_told() {
    use std::sync::atomic::{AtomicU64, Ordering};

    static PASSED: AtomicU64 = AtomicU64::new(0);
    if let Some(at) = std::env::var_os("TRIMTAB_CRASH_AT") {
        let n = PASSED.fetch_add(1, Ordering::SeqCst) + 1;
        if at.to_string_lossy().parse() == Ok(n) {
            std::process::abort();
        }
    }
}
