//! A workflow as it will run.

use super::expr::{Condition, Expr, From, Reference};
use super::kinds::Kind;
use super::types::Type;
use crate::run::retry::Policy;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// A workflow that may run.
pub(super) struct Plan {
    pub inputs: BTreeMap<String, Input>,
    /// In the order of the file.
    pub steps: Vec<Step>,
    pub loops: Vec<Loop>,
    /// What is shown at the end; the last steps' texts where there is none.
    pub output: Option<Expr>,
    pub caps: Caps,
}

/// How far a run may go where its caller says nothing else.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Caps {
    pub steps: Option<usize>,
    /// Of the result.
    pub tokens: Option<usize>,
    pub time: Option<Duration>,
    /// Spent on models.
    #[cfg_attr(not(feature = "model"), allow(dead_code))]
    pub model_tokens: Option<u64>,
}

/// Something that the caller gives.
pub(super) struct Input {
    pub of: Type,
    pub default: Option<Value>,
}

pub(super) struct Step {
    pub id: String,
    pub line: usize,
    pub kind: &'static Kind,
    /// Each with the type that is wanted.
    pub fields: BTreeMap<&'static str, (Type, Expr)>,
    /// The steps that come before it: those it names and those it refers to.
    pub needs: BTreeSet<usize>,
    pub when: Vec<Condition>,
    /// The list for each item of which it is taken once.
    pub each: Option<Expr>,
    /// Most items of it.
    pub at_most: Option<usize>,
    pub policy: Policy,
    /// What it gives; lists, where it is taken for each item.
    pub gives: BTreeMap<String, Type>,
    /// The loop that it belongs to.
    pub within: Option<usize>,
}

/// Steps that are taken again, round by round.
pub(super) struct Loop {
    pub id: String,
    /// In the order of the file.
    pub steps: Vec<usize>,
    pub until: Vec<Condition>,
    /// Most rounds.
    pub max: usize,
    pub line: usize,
}

/// What is scheduled: a step, or a loop with its steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Step(usize),
    Loop(usize),
}

impl Plan {
    /// The steps and loops that no loop holds, in the order of the file.
    pub fn units(&self) -> Vec<Unit> {
        let mut out: Vec<Unit> = Vec::new();
        for (i, step) in self.steps.iter().enumerate() {
            let unit = step.within.map_or(Unit::Step(i), Unit::Loop);
            if !out.contains(&unit) {
                out.push(unit);
            }
        }
        out
    }

    /// The steps that no other needs.
    pub fn last(&self) -> Vec<usize> {
        let needed: BTreeSet<usize> = self.steps.iter().flat_map(|s| s.needs.clone()).collect();
        (0..self.steps.len())
            .filter(|i| !needed.contains(i))
            .collect()
    }

    pub fn find(&self, id: &str) -> Option<&Step> {
        self.steps.iter().find(|s| s.id == id)
    }

    /// Whether it may change files.
    pub fn writes(&self) -> bool {
        self.steps.iter().any(|s| s.kind.writes)
    }

    /// What it would do that only a trusted file may, a line per step.
    pub fn trusted(&self) -> Vec<String> {
        let line = |s: &Step| Some(format!("step {}: {}", s.id, s.kind.trusted?));
        self.steps.iter().filter_map(line).collect()
    }

    /// The type of a reference, of one item where its step is taken for each.
    pub fn type_of(&self, r: &Reference) -> Option<Type> {
        let first = match &r.from {
            From::Input(name) => self.inputs.get(name)?.of.clone(),
            From::Step(id) | From::Last(id) => Type::Record(self.find(id)?.gives.clone()),
            From::Item => return None,
        };
        r.parts.iter().try_fold(first, |t, part| t.part(part))
    }
}
