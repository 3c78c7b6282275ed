//! Walks over a tree, parents first, without recursion.

use tree_sitter::{Node, Tree};

/// Whether a walk goes on to what is inside a node.
pub(super) enum Descend {
    Yes,
    No,
}

/// Visits every node with its parent, parents first, without recursion.
pub(super) fn walk<'t>(
    tree: &'t Tree,
    mut visit: impl FnMut(Node<'t>, Option<Node<'t>>) -> Descend,
) {
    let mut cursor = tree.walk();
    let mut parents: Vec<Node<'t>> = Vec::new();
    loop {
        let node = cursor.node();
        let descend = visit(node, parents.last().copied());
        if matches!(descend, Descend::Yes) && cursor.goto_first_child() {
            parents.push(node);
            continue;
        }
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() {
                return;
            }
            parents.pop();
        }
    }
}

/// Visits every node with the kinds of those around it, outermost first.
pub(super) fn walk_with_ancestors<'t>(
    tree: &'t Tree,
    mut visit: impl FnMut(Node<'t>, &[u16]) -> Descend,
) {
    let mut cursor = tree.walk();
    let mut above: Vec<u16> = Vec::new();
    loop {
        let node = cursor.node();
        if matches!(visit(node, &above), Descend::Yes) && cursor.goto_first_child() {
            above.push(node.kind_id());
            continue;
        }
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() {
                return;
            }
            above.pop();
        }
    }
}
