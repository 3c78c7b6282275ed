//! What a block has once: a label of a choice, of which half would be dead, a name that it may not
//! declare again, and the title of a block inside.

use crate::apply::lines::line::starts_comment;
use crate::apply::lines::shape::{condition, has_title};
use crate::error::{Error, Result};
use crate::text::changed;

/// Refuses a merged text in which a block has a label or a title twice that it had once, or a name that
/// is declared with one of the words `once`.
///
/// # Errors
/// `duplicate_label`, `duplicate_definition`.
pub(crate) fn check(before: &str, after: &str, once: &[String], path: &str) -> Result<()> {
    let (_, new) = changed(before, after);
    let mut at = new.start;
    for line in after[new].split_inclusive('\n') {
        let (above, below) = (&after[..at], &after[at + line.len()..]);
        at += line.len();
        let label = line.lines().next().unwrap_or_default();
        let twice = |goes_on: &dyn Fn(&str) -> bool, same: &dyn Fn(&str) -> bool| {
            let block = |l: &&str| goes_on(l);
            let times = |text: &str| text.lines().filter(|l| same(l)).count();
            (above.lines().rev().take_while(block).any(same)
                || below.lines().take_while(block).any(same))
                && times(before) < times(after)
        };
        let number = || above.lines().count() + 1;
        // What a preprocessor compiles in its place is no second one.
        let other = |l: &str| matches!(condition(l.trim()), Some("else" | "elif" | "elseif"));
        let inside = |l: &str| (l.trim().is_empty() || indent(l) >= indent(label)) && !other(l);
        if let Some(name) = declared(label, once) {
            let same = |l: &str| indent(l) == indent(label) && declared(l, once) == Some(name);
            if twice(&inside, &same) {
                return Err(Error::refused(
                    "duplicate_definition",
                    format!(
                        "Merged, {path} would declare `{name}` twice in one block (once at line {}).",
                        number()
                    ),
                    format!(
                        "Give all lines from one `{name}` to the other, or mark the old one with `-`."
                    ),
                ));
            }
        }
        if has_title(label) && twice(&inside, &|l| l == label) {
            return Err(Error::refused(
                "duplicate_definition",
                format!(
                    "Merged, {path} would have `{}` twice in one block (once at line {}).",
                    label.trim(),
                    number()
                ),
                "Give it where it stands in the file, below a marker, or mark the old one with `-`.",
            ));
        }
        if is_label(label) && twice(&|l| in_choice(l, label), &|l| l == label) {
            return Err(Error::refused(
                "duplicate_label",
                format!(
                    "Merged, {path} would have `{}` twice in one block (once at line {}).",
                    label.trim(),
                    number()
                ),
                "Give all lines from the label to the next one, or mark the old ones with `-`.",
            ));
        }
    }
    Ok(())
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// The name that a line declares with one of some words.
fn declared<'l>(line: &'l str, words: &[String]) -> Option<&'l str> {
    let (word, rest) = line.trim_start().split_once(' ')?;
    let name = rest.split([' ', ':', '=']).next()?;
    let is_name = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
    let gives = rest.get(name.len()..)?.trim_start().starts_with([':', '=']);
    let known = words.iter().any(|w| w == word);
    (known && gives && !name.is_empty() && name.chars().all(is_name)).then_some(name)
}

/// Whether a line is the label of one case and no more.
fn is_label(line: &str) -> bool {
    let line = line.trim();
    line.starts_with("when ") || line.starts_with("case ") && line.ends_with(':')
}

/// Whether a line is in the choice that a label is of, which may be as deep as its labels.
fn in_choice(line: &str, label: &str) -> bool {
    let text = line.trim();
    let beside = is_label(line) || text.starts_with("default") || starts_comment(text);
    text.is_empty() || indent(line) > indent(label) || indent(line) == indent(label) && beside
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_stands_once_in_its_block() {
        let code = |before: &str, after: &str| check(before, after, &[], "f").map_err(|e| e.code);
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

    #[test]
    fn a_title_stands_once_in_its_block() {
        let code = |before: &str, after: &str| check(before, after, &[], "f").map_err(|e| e.code);
        let one = "TEST_CASE(\"a\") {\n  b();\n}\n";
        let twice = format!("{one}\n{one}");
        assert_eq!(code(one, &twice), Err("duplicate_definition"));
        assert_eq!(code(&twice, &twice.replace("b()", "c()")), Ok(()));
        let inner = |name: &str| format!("describe \"{name}\" do\n  it \"b\" do\n  end\nend\n");
        let beside = inner("a") + &inner("c");
        assert_eq!(code(&inner("a"), &beside), Ok(()), "in another block");
    }

    #[test]
    fn a_name_is_declared_once_in_its_block() {
        let words = ["const".to_string(), "let".to_string()];
        let code =
            |before: &str, after: &str| check(before, after, &words, "f").map_err(|e| e.code);
        let one = "{\n  const a = 1;\n  if (a) {\n    b();\n  }\n}\n";
        let twice = one.replace("  if", "  const a = 2;\n  if");
        assert_eq!(code(one, &twice), Err("duplicate_definition"));
        assert_eq!(
            code(&twice, &twice.replace("2", "3")),
            Ok(()),
            "it was there before"
        );
        let deeper = one.replace("    b", "    const a = 2;\n    b");
        assert_eq!(code(one, &deeper), Ok(()), "in a block inside");
        let beside = format!("{one}{one}");
        assert_eq!(code(one, &beside), Ok(()), "in another block");
        let parts = one.replace("  if", "  const { a } = c;\n  if");
        assert_eq!(code(one, &parts), Ok(()), "what reads as no name");
    }
}
