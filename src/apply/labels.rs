//! The labels of a choice: a block that has one twice is broken, or half of it is dead.

use super::shape::starts_comment;
use crate::error::{Error, Result};
use crate::text::changed;

/// Refuses a merged text in which a block has a label twice that it had once.
///
/// # Errors
/// `duplicate_label`.
pub(crate) fn check(before: &str, after: &str, path: &str) -> Result<()> {
    let (_, new) = changed(before, after);
    let mut at = new.start;
    for line in after[new].split_inclusive('\n') {
        let above = &after[..at];
        at += line.len();
        let label = line.lines().next().unwrap_or_default();
        if !is_label(label) {
            continue;
        }
        let twice = in_block(above.lines().rev(), label) || in_block(after[at..].lines(), label);
        let times = |text: &str| text.lines().filter(|l| *l == label).count();
        if twice && times(before) < times(after) {
            return Err(Error::refused(
                "duplicate_label",
                format!(
                    "Merged, {path} would have `{}` twice in one block (once at line {}).",
                    label.trim(),
                    above.lines().count() + 1
                ),
                "Give all lines from the label to the next one, or mark the old ones with `-`.",
            ));
        }
    }
    Ok(())
}

/// Whether a line is the label of one case and no more.
fn is_label(line: &str) -> bool {
    let line = line.trim();
    line.starts_with("when ") || line.starts_with("case ") && line.ends_with(':')
}

/// Whether the same line stands before one that ends the block: a choice may be as deep as
/// its labels.
fn in_block<'a>(lines: impl Iterator<Item = &'a str>, label: &str) -> bool {
    let indent = |l: &str| l.len() - l.trim_start().len();
    let goes_on = |l: &&str| {
        let text = l.trim();
        let beside = is_label(l) || text.starts_with("default") || starts_comment(text);
        text.is_empty() || indent(l) > indent(label) || indent(l) == indent(label) && beside
    };
    lines.take_while(goes_on).any(|l| l == label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_stands_once_in_its_block() {
        let code = |before: &str, after: &str| check(before, after, "f").map_err(|e| e.code);
        let one = "switch a {\ncase 1:\n\tb()\n}\nswitch c {\ncase 2:\n\td()\n}\n";
        let other = one.replace("case 2:", "case 1:");
        assert_eq!(code(one, &other), Ok(()), "of another choice");
        let twice = one.replace("\tb()\n", "\tb()\ncase 1:\n\te()\n");
        assert_eq!(code(one, &twice), Err("duplicate_label"));
        let changed = twice.replace("e()", "f()");
        assert_eq!(code(&twice, &changed), Ok(()), "it was there before");
        let nested = one.replace("\tb()\n", "\tswitch b {\n\tcase 1:\n\t\te()\n\t}\n");
        assert_eq!(code(one, &nested), Ok(()), "of a choice inside");
    }
}
