//! The second round: names used together. What the best blocks of the first round
//! call and read, and few others do, leads to blocks that share no word with the task.

use super::scene::Scene;
use super::words::Map;

/// Blocks of the first round whose names are followed.
const LEADERS: usize = 5;
/// A name in more blocks than this, or in a larger share of all, says little about
/// any of them.
const COMMON: usize = 40;
const COMMON_SHARE: f64 = 0.1;
/// Added to a block's words, so that a block of a line or two does not lead.
const LENGTH: f64 = 20.0;

/// Bits by which names are told from those that are followed.
const BITS: usize = 1 << 14;

/// How much each block uses the names of the best ones, from 0 to 1.
pub(super) fn company(scene: &Scene, scores: &[f64]) -> Vec<f64> {
    let score = |i: usize| scores.get(i).copied().unwrap_or_default();
    let mut leaders: Vec<usize> = (0..scores.len()).filter(|&i| score(i) > 0.0).collect();
    leaders.sort_by(|&a, &b| score(b).total_cmp(&score(a)).then(a.cmp(&b)));
    leaders.truncate(LEADERS);
    let top = leaders.first().map_or(0.0, |&i| score(i));
    // By name: what it is worth, and how many blocks use it.
    let mut worth: Map<u64, (f64, usize)> = Map::default();
    for &i in &leaders {
        let share = (score(i) / top).powi(2);
        for (name, _) in scene.blocks.get(i).map_or(&[][..], |b| &b.identifiers) {
            worth.entry(*name).or_default().0 += share;
        }
    }
    // Most names are none of these, which a bit tells without a look into the map.
    let mut bits = vec![false; BITS];
    let bit = |name: u64| name as usize % BITS;
    for &name in worth.keys() {
        if let Some(known) = bits.get_mut(bit(name)) {
            *known = true;
        }
    }
    let mut used: Vec<(usize, u64)> = Vec::new();
    for (i, b) in scene.blocks.iter().enumerate() {
        for &(name, _) in &b.identifiers {
            if bits.get(bit(name)) == Some(&true)
                && let Some(w) = worth.get_mut(&name)
            {
                w.1 += 1;
                used.push((i, name));
            }
        }
    }
    let blocks = scene.blocks.len() as f64;
    worth.retain(|_, (share, used)| {
        *share *= (blocks / *used as f64).ln();
        (2..=COMMON).contains(used) && *used as f64 <= COMMON_SHARE * blocks
    });
    let mut shares = vec![0.0f64; scene.blocks.len()];
    for (i, name) in used {
        if let (Some(share), Some(w)) = (shares.get_mut(i), worth.get(&name)) {
            *share += w.0;
        }
    }
    for (b, share) in scene.blocks.iter().zip(&mut shares) {
        let words: u32 = b.lengths.iter().sum();
        *share /= (LENGTH + f64::from(words)).sqrt();
    }
    let most = shares.iter().copied().fold(0.0, f64::max);
    if most > 0.0 {
        shares.iter_mut().for_each(|s| *s /= most);
    }
    shares
}
