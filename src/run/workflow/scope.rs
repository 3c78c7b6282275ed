//! What references stand for while a plan is taken.

use super::execute::{Executor, State};
use super::expr::{From, Reference, Scope};
use serde_json::Value;

/// The values that there are, and the item of the step, if any.
pub(super) struct View<'e, 'a> {
    pub run: &'e Executor<'a>,
    pub item: Option<&'e Value>,
}

impl Scope for View<'_, '_> {
    fn value(&self, reference: &Reference) -> Value {
        let plan = self.run.plan;
        let position = |id: &str| plan.steps.iter().position(|s| s.id == id);
        let first = match &reference.from {
            From::Input(name) => self.run.inputs.get(name).cloned(),
            From::Step(id) => position(id).and_then(|i| match &self.run.states[i] {
                State::Done(value) | State::Part(value) => Some(value.clone()),
                _ => None,
            }),
            From::Last(id) => position(id).and_then(|i| self.run.last.get(&i).cloned()),
            From::Item => self.item.cloned(),
        };
        let part = |value: Value, name: &String| value.get(name).cloned();
        let found = first.and_then(|v| reference.parts.iter().try_fold(v, part));
        let empty = || plan.type_of(reference).map_or(Value::Null, |t| t.empty());
        found.unwrap_or_else(empty)
    }
}
