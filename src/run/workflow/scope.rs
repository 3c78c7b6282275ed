//! What references stand for while a plan is taken.

use super::expr::{From, Reference, Scope};
use super::plan::Plan;
use super::state::State;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The values that there are, and the item of the step, if any.
pub(super) struct View<'e> {
    pub plan: &'e Plan,
    /// The caller's values.
    pub inputs: &'e Map<String, Value>,
    pub states: &'e [State],
    /// What the steps of a loop gave in the round before.
    pub last: &'e BTreeMap<usize, Value>,
    pub item: Option<&'e Value>,
}

impl Scope for View<'_> {
    fn value(&self, reference: &Reference) -> Value {
        let plan = self.plan;
        let position = |id: &str| plan.steps.iter().position(|s| s.id == id);
        let first = match &reference.from {
            From::Input(name) => self.inputs.get(name).cloned(),
            From::Step(id) => position(id).and_then(|i| match &self.states[i] {
                State::Done(value) | State::Part(value) => Some(value.clone()),
                _ => None,
            }),
            From::Last(id) => position(id).and_then(|i| self.last.get(&i).cloned()),
            From::Item => self.item.cloned(),
        };
        let part = |value: Value, name: &String| value.get(name).cloned();
        let found = first.and_then(|v| reference.parts.iter().try_fold(v, part));
        let empty = || plan.type_of(reference).map_or(Value::Null, |t| t.empty());
        found.unwrap_or_else(empty)
    }
}
