//! The worth of a line, shared with those around it.

/// Lets lines near a good one share its worth: `after` lines behind it, each
/// step keeping `decay` of the one before, and `before` lines in front of it.
pub fn spread(worth: &[f32], before: usize, after: usize, decay: f32) -> Vec<f32> {
    let mut out = worth.to_vec();
    let mut reach = 0.0f32;
    let mut left = 0;
    for i in 0..worth.len() {
        reach = if left > 0 { reach * decay } else { 0.0 };
        left = usize::saturating_sub(left, 1);
        if worth[i] >= reach {
            reach = worth[i];
            left = after;
        } else {
            out[i] = out[i].max(reach);
        }
    }
    let (mut reach, mut left) = (0.0f32, 0usize);
    for i in (0..worth.len()).rev() {
        reach = if left > 0 { reach * decay } else { 0.0 };
        left = left.saturating_sub(1);
        if worth[i] >= reach {
            reach = worth[i];
            left = before;
        } else {
            out[i] = out[i].max(reach);
        }
    }
    out
}
