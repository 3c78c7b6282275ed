//! Bootstrap intervals, with numbers that are the same in every run.

use serde::Serialize;

/// Samples drawn for an interval.
const SAMPLES: usize = 2_000;

/// A figure with its 95% interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Interval {
    /// Over all sessions.
    pub value: f64,
    /// The 2.5th percentile of resampled sessions.
    pub low: f64,
    /// The 97.5th.
    pub high: f64,
}

/// SplitMix64 (Steele, Lea and Flood, 2014).
#[derive(Debug, Clone)]
pub(super) struct Numbers(u64);

impl Numbers {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Below `n`, which is above 0.
    pub fn below(&mut self, n: usize) -> usize {
        // The remainder's bias is nothing for counts of lines and sessions.
        usize::try_from(self.next() % n.max(1) as u64).unwrap_or(0)
    }
}

/// The share of `before` that `after` saves, summed over sessions given as
/// (before, after), with an interval over resampled sessions.
pub(super) fn saving(sessions: &[(f64, f64)], seed: u64) -> Interval {
    interval(sessions, seed, |(before, after)| {
        if before > 0.0 {
            1.0 - after / before
        } else {
            0.0
        }
    })
}

/// `figure` of the sums of pairs over sessions.
pub(super) fn interval(
    sessions: &[(f64, f64)],
    seed: u64,
    figure: impl Fn((f64, f64)) -> f64,
) -> Interval {
    let sum = |pairs: &mut dyn Iterator<Item = (f64, f64)>| {
        pairs.fold((0.0, 0.0), |s, p| (s.0 + p.0, s.1 + p.1))
    };
    let value = figure(sum(&mut sessions.iter().copied()));
    let mut numbers = Numbers::new(seed);
    let mut drawn: Vec<f64> = (0..SAMPLES)
        .map(|_| {
            let mut pick = (0..sessions.len()).map(|_| sessions[numbers.below(sessions.len())]);
            figure(sum(&mut pick))
        })
        .collect();
    drawn.sort_by(f64::total_cmp);
    Interval {
        value,
        low: drawn[SAMPLES / 40],
        high: drawn[SAMPLES - 1 - SAMPLES / 40],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_hold_the_figure_and_repeat() {
        let sessions: Vec<(f64, f64)> = (1..40).map(|n| (100.0, f64::from(n))).collect();
        let one = saving(&sessions, 7);
        assert!(one.low < one.value && one.value < one.high);
        assert!((one.value - 0.8).abs() < 0.001);
        assert_eq!(one, saving(&sessions, 7));
        assert_eq!(saving(&[(10.0, 4.0); 5], 1).low, 0.6);
        assert_eq!(saving(&[], 1).value, 0.0);
    }
}
