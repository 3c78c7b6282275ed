//! A pattern as it was read.

use std::num::NonZeroU16;

use crate::syntax::definition::Kind;

/// What a capture stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::syntax) enum Role {
    Definition(Kind),
    Import,
    Name,
    /// A name in front of `Name` in the path, such as a receiver's type.
    Qualifier,
    Body,
    /// Used in predicates only.
    Private,
}

/// One pattern.
pub(super) struct Pattern {
    pub root: Shape,
    pub predicates: Vec<Predicate>,
    pub around: Vec<Around>,
}

/// What a node has to look like.
pub(super) struct Shape {
    pub test: Test,
    pub field: Option<NonZeroU16>,
    pub optional: bool,
    /// Every child that fits is taken, not only the first.
    pub every: bool,
    /// Only the first named child may fit.
    pub first: bool,
    pub captures: Vec<u8>,
    pub children: Vec<Shape>,
    pub absent: Vec<NonZeroU16>,
}

pub(super) enum Test {
    Any,
    AnyNamed,
    Kind(u16),
    OneOf(Vec<Shape>),
}

/// What a captured text must or must not be.
pub(super) struct Predicate {
    pub check: Check,
    pub negated: bool,
    pub capture: u8,
}

pub(super) enum Check {
    AnyOf(Vec<String>),
    StartsWith(Vec<String>),
}

/// What must or must not stand around the root of a pattern.
pub(super) struct Around {
    pub kinds: Vec<u16>,
    /// At any height; else directly above.
    pub any: bool,
    pub negated: bool,
}
