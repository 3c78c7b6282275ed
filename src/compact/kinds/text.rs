//! Anything without a structure of its own: prose, or output nobody knows.
//!
//! Failures count as in a log; beyond that the query decides, and without one
//! the openings of paragraphs and what is rare.

use super::super::failure::{Signs, signs};
use super::super::select::Draft;
use super::super::words::Hits;
use super::log;
use super::spread::spread;

/// Scores the lines of a plain text.
pub fn draft(lines: &[&str], hits: &Hits) -> Draft {
    let marks: Vec<Signs> = lines.iter().map(|l| signs(l)).collect();
    let mut draft = Draft::new(lines.len());
    draft.score = log::scores(lines, &marks, hits);
    let asked: Vec<f32> = (0..lines.len()).map(|i| hits.line(i)).collect();
    let near = spread(&asked, 2, 4, 0.6);
    let mut opening = true;
    for (i, line) in lines.iter().enumerate() {
        if line.trim().is_empty() {
            opening = true;
            continue;
        }
        draft.score[i] += 3.0 * near[i];
        if opening {
            draft.score[i] += 1.0;
        }
        opening = false;
    }
    log::failures(&mut draft, lines, &marks);
    draft
}
