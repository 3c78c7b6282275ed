//! The patterns of `definitions.scm` and their matcher.
//!
//! The files are tree-sitter queries and are tested to be valid ones. They are
//! matched here and not by tree-sitter's query engine because that spends 10 to
//! 100 ms per language on compiling a query, more than a whole search may take;
//! these patterns compile in microseconds. The subset: every pattern has a named
//! root; a child pattern takes the first child that fits it; `?` makes a child
//! optional, `+` takes every child that fits; `[…]` alternatives; `_` and `(_)`; literals; `.` before the first
//! child pattern (it must fit the first named child); `!field`; the predicates
//! `#eq?`, `#any-of?`, `#starts-with?`, `#has-parent?`, `#has-ancestor?` and their
//! `#not-` forms (the `has` ones look at what is around the pattern's root).

mod read;
mod shape;

pub(super) use shape::Role;

use tree_sitter::{Language, Node};

use self::read::Reader;
use self::shape::{Check, Pattern, Predicate, Shape, Test};

/// All patterns of a language, found by the kind of their root.
#[derive(Default)]
pub(super) struct Patterns {
    list: Vec<Pattern>,
    /// Per node kind, the patterns that may fit such a node, in order.
    by_kind: Vec<Vec<u16>>,
    /// Per node kind, whether one of these is of an import.
    imports: Vec<bool>,
    captures: Vec<(String, Role)>,
}

/// The nodes a pattern captured.
#[derive(Default)]
pub(super) struct Captures<'t>(Vec<(u8, Node<'t>)>);

/// How far up `#has-ancestor?` looks: no code nests so deep, and input made to
/// nest deeper must not cost the square of its depth.
const MAX_ANCESTORS: usize = 256;

impl Patterns {
    /// Reads pattern files; what the grammar does not know is added to `unknown`
    /// and the pattern left out.
    pub fn compile(language: &Language, sources: &[&str], unknown: &mut Vec<String>) -> Self {
        let mut patterns = Self {
            by_kind: vec![Vec::new(); language.node_kind_count()],
            imports: vec![false; language.node_kind_count()],
            ..Self::default()
        };
        for source in sources {
            let mut reader = Reader::new(language, source, &mut patterns.captures);
            while !reader.at_end() {
                match reader.pattern() {
                    Ok(pattern) => {
                        let index = patterns.list.len() as u16;
                        let mut kinds = Vec::new();
                        root_kinds(&pattern.root, &mut kinds);
                        let import = captures_import(&pattern.root, reader.captures());
                        for kind in kinds {
                            if let Some(may) = patterns.imports.get_mut(usize::from(kind)) {
                                *may |= import;
                            }
                            if let Some(list) = patterns.by_kind.get_mut(usize::from(kind)) {
                                list.push(index);
                            }
                        }
                        patterns.list.push(pattern);
                    }
                    Err(what) => {
                        unknown.push(what);
                    }
                }
            }
        }
        patterns
    }

    /// Whether a pattern may fit nodes of this kind.
    pub fn apply_to(&self, kind: u16) -> bool {
        self.by_kind
            .get(usize::from(kind))
            .is_some_and(|l| !l.is_empty())
    }

    /// Whether a pattern of an import may fit nodes of this kind.
    pub fn may_import(&self, kind: u16) -> bool {
        self.imports.get(usize::from(kind)).is_some_and(|may| *may)
    }

    /// Whether the captures are those of an import.
    pub fn is_import(&self, captures: &Captures<'_>) -> bool {
        self.roles(captures).any(|(role, _)| *role == Role::Import)
    }

    /// The first pattern that fits `node`, as its captures. `above` are the kinds of
    /// the nodes around it, innermost first.
    pub fn fit<'t>(
        &self,
        node: Node<'t>,
        text: &str,
        above: impl Iterator<Item = u16> + Clone,
    ) -> Option<Captures<'t>> {
        let list = self.by_kind.get(usize::from(node.kind_id()))?;
        list.iter().find_map(|&index| {
            let pattern = self.list.get(usize::from(index))?;
            let around = pattern.around.iter().all(|a| {
                let mut above = above.clone().take(if a.any { MAX_ANCESTORS } else { 1 });
                above.any(|k| a.kinds.contains(&k)) != a.negated
            });
            let mut fitting = Fitting {
                text,
                predicates: &pattern.predicates,
                captures: Vec::new(),
            };
            (around && fitting.fits(&pattern.root, node)).then_some(Captures(fitting.captures))
        })
    }

    /// The captured node with its role, in the order of capture.
    pub fn roles<'a, 't>(
        &'a self,
        captures: &'a Captures<'t>,
    ) -> impl Iterator<Item = (&'a Role, Node<'t>)> + 'a {
        captures
            .0
            .iter()
            .filter_map(|(id, node)| Some((&self.captures.get(usize::from(*id))?.1, *node)))
    }
}

/// Whether a pattern, or one inside it, captures an import.
fn captures_import(shape: &Shape, captures: &[(String, Role)]) -> bool {
    let is_import = |id: &u8| {
        let role = captures.get(usize::from(*id)).map(|(_, role)| role);
        role == Some(&Role::Import)
    };
    let alternatives = match &shape.test {
        Test::OneOf(shapes) => shapes.as_slice(),
        _ => &[],
    };
    let mut inner = shape.children.iter().chain(alternatives);
    shape.captures.iter().any(is_import) || inner.any(|s| captures_import(s, captures))
}

fn root_kinds(shape: &Shape, out: &mut Vec<u16>) {
    match &shape.test {
        Test::Kind(kind) => out.push(*kind),
        Test::OneOf(shapes) => shapes.iter().for_each(|s| root_kinds(s, out)),
        Test::Any | Test::AnyNamed => {}
    }
    out.sort_unstable();
    out.dedup();
}

/// One try of a pattern.
struct Fitting<'a, 't> {
    text: &'a str,
    predicates: &'a [Predicate],
    captures: Vec<(u8, Node<'t>)>,
}

// Recursion follows the pattern's depth, never the text's.
impl<'t> Fitting<'_, 't> {
    fn fits(&mut self, shape: &Shape, node: Node<'t>) -> bool {
        let before = self.captures.len();
        let all = (match &shape.test {
            Test::Any => true,
            Test::AnyNamed => node.is_named(),
            Test::Kind(kind) => node.kind_id() == *kind,
            Test::OneOf(_) => true,
        }) && shape.captures.iter().all(|&id| self.holds(id, node))
            && {
                let ids = shape.captures.iter();
                self.captures.extend(ids.map(|&id| (id, node)));
                match &shape.test {
                    Test::OneOf(shapes) => shapes.iter().any(|s| self.fits(s, node)),
                    _ => true,
                }
            }
            && shape
                .absent
                .iter()
                .all(|&field| node.child_by_field_id(field.get()).is_none())
            && shape
                .children
                .iter()
                .all(|child| self.fits_a_child(child, node) || child.optional);
        if !all {
            self.captures.truncate(before);
        }
        all
    }

    /// Whether the predicates about a capture hold for a node.
    fn holds(&self, capture: u8, node: Node<'t>) -> bool {
        let Some(source) = self.text.get(node.byte_range()) else {
            return false;
        };
        let mut about = self.predicates.iter().filter(|p| p.capture == capture);
        about.all(|p| {
            let found = match &p.check {
                Check::AnyOf(words) => words.iter().any(|w| w == source),
                Check::StartsWith(words) => words.iter().any(|w| source.starts_with(w.as_str())),
            };
            found != p.negated
        })
    }

    fn fits_a_child(&mut self, child: &Shape, node: Node<'t>) -> bool {
        if child.first {
            let mut cursor = node.walk();
            let first = node.named_children(&mut cursor).find(|n| !n.is_extra());
            return first.is_some_and(|n| self.fits(child, n));
        }
        if let Some(field) = child.field
            && !child.every
        {
            // Most fields are there once; only others need the slower walk.
            match node.child_by_field_id(field.get()) {
                None => return false,
                Some(n) if self.fits(child, n) => return true,
                Some(_) => {}
            }
        }
        let mut cursor = node.walk();
        if !cursor.goto_first_child() {
            return false;
        }
        let mut found = false;
        loop {
            if (child.field.is_none() || cursor.field_id() == child.field)
                && self.fits(child, cursor.node())
            {
                if !child.every {
                    return true;
                }
                found = true;
            }
            if !cursor.goto_next_sibling() {
                return found;
            }
        }
    }
}
