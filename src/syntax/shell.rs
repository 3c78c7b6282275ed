//! A large class, module or object cut by its members: each piece is some of them between the
//! lines that open and close what is around them, as if the other members were not there.

use std::ops::Range;

use tree_sitter::{Node, TreeCursor};

use super::language::{Language, Members, flag};
use super::parse::Parsed;
use super::pattern::Role;

/// What is around members that are parsed apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Shell {
    /// The lines down to the one that opens the body.
    pub head: Range<usize>,
    /// The line that closes it; nothing where indentation does.
    pub foot: Range<usize>,
    /// The white space before the members.
    pub indent: String,
}

/// What the patterns capture of a node, by its place in the head.
type Captured = Vec<(Role, Option<usize>)>;

/// The nodes around the members of a piece: their kinds, and what their patterns capture, by
/// its place in the head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Nodes {
    around: Vec<(u16, Captured)>,
    /// Commas part the members; what the last piece has does not tell.
    has_commas: bool,
    is_last: bool,
}

impl Nodes {
    /// Whether the members of two pieces may be those of one item.
    pub fn fit(&self, other: &Self) -> bool {
        let is_last = self.is_last || other.is_last;
        self.around == other.around && (is_last || self.has_commas == other.has_commas)
    }
}

impl Shell {
    /// What is around the members of a part of a text, and where they can be cut into pieces
    /// of at least `size` bytes.
    pub fn find(
        language: &'static Language,
        text: &str,
        within: &Range<usize>,
        size: usize,
    ) -> Option<(Self, Vec<usize>)> {
        let (depth, starts) = shallowest(language, text, within)?;
        let first = *starts.first()?;
        let head = within.start..head_end(language, text, within.start..first, depth)?;
        // Each piece reads the head anew.
        let size = size.max(4 * head.len());
        let mut cuts: Vec<usize> = Vec::new();
        for at in starts {
            let from = cuts.last().map_or(head.end, |last| *last);
            if at >= from.saturating_add(size) && at.saturating_add(size) <= within.end {
                cuts.push(at);
            }
        }
        let last = *cuts.last()?;
        let foot = match language.indentation_sensitive() {
            true => within.end..within.end,
            false => foot(text, last..within.end, depth)?,
        };
        let indent = text.get(first..first + depth)?.to_owned();
        Some((Self { head, foot, indent }, cuts))
    }

    /// The first byte of the members of a piece.
    pub fn first(&self, own: &Range<usize>) -> usize {
        own.start.max(self.head.end)
    }

    /// Whether a text begins with as much white space as the members.
    fn is_indented(&self, members: &str) -> bool {
        let mut lines = members.lines().filter(|line| !line.trim().is_empty());
        lines
            .next()
            .is_some_and(|line| line.get(..indentation(line)) == Some(self.indent.as_str()))
    }

    /// The nodes around the members of a piece, which is of the bytes `own`; `None` where they
    /// are not what they would be with all members.
    pub fn nodes(
        &self,
        parsed: &Parsed,
        text: &str,
        own: &Range<usize>,
        is_last: bool,
    ) -> Option<Nodes> {
        let language = parsed.language();
        let grammar = language.grammar();
        let indented = language.indentation_sensitive();
        let at = self.first(own);
        let members = text.get(at..own.end)?;
        let end = match indented {
            true => at + members.trim_end().len(),
            false => self.foot.start + 1,
        };
        // Depths that are not those of the other members are no error among themselves.
        if indented && !self.is_indented(members) {
            return None;
        }
        let is_other = |role: &Role| match role {
            Role::Definition(kind) => kind.is_callable(),
            role => *role == Role::Import,
        };
        let goes_on = |node: Node| is_last || node.end_byte() >= end;
        let mut kinds: Vec<u16> = Vec::new();
        let mut out = Vec::new();
        let mut cursor = parsed.tree().walk();
        let mut flags;
        loop {
            let node = cursor.node();
            let kind = node.kind_id();
            flags = grammar.flags(kind);
            // What a function holds is no member: statements depend on those beside them.
            let is_inner = flags & (flag::COMMENT | flag::STRING | flag::SCOPE) != 0;
            if is_inner || !goes_on(node) && !indented {
                return None;
            }
            let mut captured = Vec::new();
            let above = kinds.iter().rev().copied();
            if let Some(captures) = grammar.patterns.fit(node, text, above) {
                for (role, node) in grammar.patterns.roles(&captures) {
                    let place = node.start_byte().checked_sub(self.head.start)?;
                    // A body that nothing opens begins with its first member.
                    let is_in_head = node.start_byte() < at;
                    if !(is_in_head || indented && *role == Role::Body) {
                        return None;
                    }
                    if is_other(role) {
                        return None;
                    }
                    captured.push((role.clone(), is_in_head.then_some(place)));
                }
            }
            kinds.push(kind);
            out.push((kind, captured));
            cursor.goto_first_child_for_byte(at)?;
            if !is_around(cursor.node(), at) {
                break;
            }
        }
        if indented {
            let body = only_child(&mut cursor)?;
            if !goes_on(body) {
                return None;
            }
            out.push((body.kind_id(), Vec::new()));
            flags |= grammar.flags(body.kind_id());
        }
        let is_first = own.start < self.head.end;
        if has_bound(language, cursor.clone(), text) {
            return None;
        }
        let has_commas = match indented {
            true => false,
            false => commas(&mut cursor, self.foot.start, is_first, is_last)?,
        };
        // What is one with its parent depends on what else is in it.
        let is_bound = flags & (flag::WRAPPER | flag::CARRIER) != 0;
        (!is_bound).then_some(Nodes {
            around: out,
            has_commas: has_commas && !is_last,
            is_last,
        })
    }
}

/// Whether a node is around the members that begin at a byte.
pub(super) fn is_around(node: Node, at: usize) -> bool {
    node.start_byte() < at && node.end_byte() > at
}

/// The only one of the cursor's node and its next siblings, comments set aside.
fn only_child<'t>(cursor: &mut TreeCursor<'t>) -> Option<Node<'t>> {
    let mut only = None;
    loop {
        let node = cursor.node();
        if !node.is_extra() && only.replace(node).is_some() {
            return None;
        }
        if !cursor.goto_next_sibling() {
            return only;
        }
    }
}

/// Whether one of the cursor's node and its next siblings begins with a word that binds it to
/// the members beside it.
fn has_bound(language: &'static Language, mut cursor: TreeCursor, text: &str) -> bool {
    let words = language.data().members.as_ref().map(|m| &m.bound);
    let Some(words) = words.filter(|all| !all.is_empty()) else {
        return false;
    };
    loop {
        let code = text.get(cursor.node().byte_range()).unwrap_or_default();
        let end = code.find(|c: char| !c.is_alphanumeric() && c != '_' && c != '$');
        let word = code.get(..end.unwrap_or(code.len()));
        if word.is_some_and(|word| words.iter().any(|w| w == word)) {
            return true;
        }
        if !cursor.goto_next_sibling() {
            return false;
        }
    }
}

/// Whether commas part the members, which begin with the cursor's node and end above `foot`.
/// `None` where they would not be valid with others below them: one goes on there, or nothing
/// shows that none has to be parted from the next.
fn commas(cursor: &mut TreeCursor, foot: usize, is_first: bool, is_last: bool) -> Option<bool> {
    let (mut has_commas, mut ends, mut are_beside) = (false, false, false);
    let mut above = false;
    loop {
        let node = cursor.node();
        if node.start_byte() >= foot {
            break;
        }
        if !is_last && is_around(node, foot) {
            return None;
        }
        if !node.is_extra() {
            ends = node.kind() == ",";
            has_commas |= ends;
            are_beside |= above && node.is_named();
            above = node.is_named();
        }
        if !cursor.goto_next_sibling() {
            break;
        }
    }
    let is_whole = match has_commas {
        true => ends,
        false => are_beside || !is_first,
    };
    (is_last || is_whole).then_some(has_commas)
}

/// The members that begin least deep in a part of a text, and how deep.
fn shallowest(
    language: &'static Language,
    text: &str,
    within: &Range<usize>,
) -> Option<(usize, Vec<usize>)> {
    let members = language.apart()?;
    let mut depth = usize::MAX;
    let mut starts = Vec::new();
    let mut start = within.start;
    let mut above = None;
    let mut is_blank_above = false;
    for line in text.get(within.clone())?.split_inclusive('\n') {
        let own = indentation(line);
        if own == line.len() {
            is_blank_above = true;
        } else {
            if is_blank_above
                && (1..=depth).contains(&own)
                && above.is_some_and(|above| parts(language, members, above, line, own))
            {
                if own < depth {
                    starts.clear();
                    depth = own;
                }
                starts.push(start);
            }
            above = Some(line);
            is_blank_above = false;
        }
        start += line.len();
    }
    Some((depth, starts))
}

/// The end of the line that opens the body whose first cut is where `above` ends.
fn head_end(
    language: &'static Language,
    text: &str,
    above: Range<usize>,
    depth: usize,
) -> Option<usize> {
    let lines = text.get(above.clone())?;
    let mut at = above.end;
    let opening = lines.split_inclusive('\n').rev().find(|line| {
        at -= line.len();
        let own = indentation(line);
        own < depth && own < line.len()
    });
    opening?;
    let opener = match language.indentation_sensitive() {
        true => ':',
        false => '{',
    };
    let mut lines = text.get(at..above.end)?.split_inclusive('\n');
    let opens = |line: &str| {
        at += line.len();
        line.trim_end().ends_with(opener)
    };
    lines.any(opens).then_some(at)
}

/// The first line of a part of a text that is less deep than the members and closes something.
fn foot(text: &str, within: Range<usize>, depth: usize) -> Option<Range<usize>> {
    let mut at = within.start;
    let mut lines = text.get(within)?.split_inclusive('\n');
    let line = lines.find(|line| {
        at += line.len();
        let own = indentation(line);
        own < depth
            && line
                .get(own..)
                .is_some_and(|code| code.starts_with(['}', ')', ']']))
    })?;
    Some(at - line.len()..at)
}

/// The bytes of white space that a line begins with.
fn indentation(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// Whether a member that is so deep (an item of the file, where 0) ends above a byte and
/// another begins there, as far as the lines around it tell: one may be cut in two that are
/// valid only where it has a blank line and two lines that look so inside.
pub(super) fn is_cut(language: &'static Language, text: &str, at: usize, depth: usize) -> bool {
    let Some(members) = language.apart() else {
        return false;
    };
    let (Some(above), Some(below)) = (text.get(..at), text.get(at..)) else {
        return false;
    };
    let is_told = |line: &&str| !line.trim().is_empty();
    let mut lines = above.lines().rev();
    // Most lines have none above that is blank.
    lines.next().is_some_and(|line| !is_told(&line))
        && indentation(below) == depth
        && lines
            .find(is_told)
            .is_some_and(|above| parts(language, members, above, below, depth))
}

/// Whether two lines with blank ones between tell that a member so deep begins with the second.
fn parts(
    language: &'static Language,
    members: &Members,
    above: &str,
    below: &str,
    depth: usize,
) -> bool {
    let indented = language.indentation_sensitive();
    let code = below.get(depth..).unwrap_or_default();
    // A comment may belong to a block that goes on below it where nothing closes blocks.
    let is_comment = || !indented && opens_comment(language, code);
    if !members.may_begin(code) && !is_comment() {
        return false;
    }
    let own = indentation(above);
    match indented {
        true => own > depth,
        false => {
            let above = above.trim_end();
            let ends = above.ends_with(['}', ';', ')']);
            own == depth && (ends || depth > 0 && above.ends_with(','))
        }
    }
}

fn opens_comment(language: &'static Language, code: &str) -> bool {
    let blocks = language.block_comments().iter().map(|(open, _)| open);
    let mut opens = language.line_comments().iter().chain(blocks);
    opens.any(|open| code.starts_with(open.as_str()))
}

#[cfg(test)]
mod tests {
    use super::super::{Pieces, parse};
    use super::*;

    /// How many pieces of so many bytes a text has, which give what it gives as a whole.
    fn pieces(name: &str, text: &str, size: usize) -> usize {
        let language = Language::by_name(name).expect("known");
        let whole = parse(language, text).expect("small");
        let pieces = Pieces::parse_by(language, text, size).expect("small");
        assert_eq!(pieces.outlined(text).outline, whole.outline(text), "{text}");
        assert_eq!(pieces.identifiers(text), whole.identifiers(text), "{text}");
        assert_eq!(pieces.error_count(), whole.error_count(), "{text}");
        pieces.pieces().len()
    }

    fn members(member: impl Fn(usize) -> String) -> String {
        (0..40).map(member).collect()
    }

    #[test]
    fn a_large_item_is_cut_by_its_members() {
        let methods = members(|n| format!("    def m{n}(self):\n        return {n}\n\n"));
        let class =
            format!("import os\n\n\n@a\nclass B(\n    C,\n):\n    \"\"\"D.\"\"\"\n\n{methods}");
        assert!(pieces("python", &class, 200) > 4);
        assert!(pieces("python", &format!("{class}\n# E\nF = 1\n"), 200) > 4);
        let methods =
            members(|n| format!("    /// M{n}.\n    fn m{n}() {{\n        {n};\n    }}\n\n"));
        let item = format!(
            "use a;\n\n/// B.\nimpl<T> B for C<T>\nwhere\n    T: D,\n{{\n{methods}}}\n// E\n"
        );
        assert!(pieces("rust", &item, 200) > 4);
        let methods =
            members(|n| format!("  /** M{n}. */\n  m{n}() {{\n    return {n};\n  }}\n\n"));
        let class = format!("export class A extends B {{\n{methods}}}\n");
        assert!(pieces("typescript", &class, 200) > 4);
        let methods = members(|n| format!("  m{n}() {{\n    return {n};\n  }},\n\n"));
        let object = format!("module.exports = {{\n{methods}}};\n");
        assert!(pieces("javascript", &object, 200) > 4);
    }

    #[test]
    fn what_has_to_stand_between_members_is_missed() {
        let methods =
            |comma: &str| members(|n| format!("  m{n}() {{\n    return {n};\n  }}{comma}\n\n"));
        let (all, none) = (methods(","), methods(""));
        for (above, below) in [(&none, &none), (&all, &none), (&none, &all)] {
            let object = format!("a = {{\n{above}{below}}};\n");
            for size in [20, 200] {
                assert_eq!(pieces("javascript", &object, size), 1);
            }
        }
        let (spaces, tabs) = ("    ", "\t");
        let methods =
            |tab: &str| members(|n| format!("{tab}def m{n}(self):\n{tab}{tab}return {n}\n\n"));
        let class = format!("class A:\n{}{}", methods(spaces), methods(tabs));
        pieces("python", &class, 200);
    }

    #[test]
    fn members_that_are_bound_to_others_are_not_parted() {
        let methods = members(|n| format!("  m{n}() {{\n    return {n};\n  }}\n\n"));
        for above in ["  a = b()\n\n", "  a = b()\n\n  // C\n"] {
            let class = format!("class A {{\n{methods}{above}  in;\n\n{methods}}}\n");
            for language in ["javascript", "typescript", "tsx"] {
                for size in [5, 20, 60, 100] {
                    pieces(language, &class, size);
                }
            }
        }
        let cases = members(|n| format!("  case {n}: {{\n  }}\n\n  int a{n};\n\n"));
        for language in ["c", "cpp"] {
            pieces(language, &format!("extern \"C\" {{\n{cases}}}\n"), 60);
        }
    }

    #[test]
    fn statements_are_no_members() {
        let statements = members(|n| format!("    if a {{\n        b({n});\n    }}\n\n"));
        let function = format!("fn c() {{\n{statements}}}\n");
        assert_eq!(pieces("rust", &function, 200), 1);
    }

    #[test]
    fn what_stands_between_two_items_is_in_neither() {
        let methods = members(|n| format!("    def m{n}(self):\n        return {n}\n\n"));
        let classes = format!("class A:\n{methods}B = 1\nclass C:\n{methods}");
        assert!(pieces("python", &classes, 200) > 4);
    }
}
