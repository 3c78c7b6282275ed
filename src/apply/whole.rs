//! A snippet as the whole file: what it leaves out goes, and the rest is as it was sent.

use super::place::placement::{Merged, Placed, Placement};
use crate::text::{Ending, Lines, Span};
use similar::{Algorithm, DiffOp, capture_diff_slices};

/// The text of a snippet's lines, each with its number: with the file's line endings, those of the
/// lines that it has of the file where they differ, and a line break at its end where the file has
/// one.
pub(crate) fn rewritten(file: &Lines, lines: &[(usize, &str)]) -> Merged {
    let old: Vec<&str> = file.iter().collect();
    let new: Vec<&str> = lines.iter().map(|l| l.1).collect();
    let usual = file.majority_ending();
    let mut endings = vec![usual; new.len()];
    let ending = |n: usize| Some(file.ending(n)).filter(|e| *e != Ending::None);
    if (1..=old.len()).filter_map(ending).any(|e| e != usual) {
        for op in capture_diff_slices(Algorithm::Myers, &old, &new) {
            if let DiffOp::Equal {
                old_index,
                new_index,
                len,
            } = op
            {
                for n in 0..len {
                    endings[new_index + n] = ending(old_index + n + 1).unwrap_or(usual);
                }
            }
        }
    }
    if !old.is_empty()
        && file.ending(old.len()) == Ending::None
        && let Some(last) = endings.last_mut()
    {
        *last = Ending::None;
    }
    let parts = new.iter().zip(&endings);
    let number = |l: Option<&(usize, &str)>| l.map_or(1, |l| l.0);
    Merged {
        text: parts.flat_map(|(l, e)| [*l, e.as_str()]).collect(),
        placed: vec![Placed {
            snippet: Span::new(number(lines.first()), number(lines.last())),
            after_line: 0,
            lines: old.len(),
            by: Placement::WholeFile,
            margin: None,
        }],
        removed: Vec::new(),
        misquoted: 0,
        idle: 0,
        decided: 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_endings_stay_where_lines_do() {
        let text = |file: &str, lines: &[&str]| {
            let lines: Vec<(usize, &str)> = lines.iter().map(|l| (1, *l)).collect();
            rewritten(&Lines::new(file), &lines).text
        };
        assert_eq!(text("a\r\nb\r\n", &["b", "c"]), "b\r\nc\r\n");
        assert_eq!(text("a\nb\r\nc\n", &["b", "new", "c"]), "b\r\nnew\nc\n");
        assert_eq!(text("a\nb", &["", "b", "c", ""]), "\nb\nc\n");
        assert_eq!(text("", &["a"]), "a\n");
    }
}
