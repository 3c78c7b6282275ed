//! Checks that the parts of a workflow fit together: names, order, types.

use super::expr::{Expr, From, Reference};
use super::plan::{Plan, Step, Unit};
use super::read::{Parts, expr, read};
use super::source::Source;
use super::types::Type;
use crate::error::Result;
use std::collections::BTreeSet;

impl Plan {
    /// Reads a file's text and checks everything that can be known before it runs.
    ///
    /// # Errors
    /// `bad_workflow` with the line.
    pub fn read(name: &str, text: &str) -> Result<Self> {
        let source = Source::new(name, text);
        let parsed = source.parse()?;
        check(&source, read(&source, parsed.get_ref())?)
    }
}

/// Makes a plan of what a file says.
///
/// # Errors
/// `bad_workflow` with the line.
fn check(source: &Source<'_>, parts: Parts) -> Result<Plan> {
    let mut checker = Checker { source, parts };
    checker.needs()?;
    checker.order()?;
    checker.types()?;
    checker.output()?;
    let parts = checker.parts;
    Ok(Plan {
        inputs: parts.inputs,
        steps: parts.drafts.into_iter().map(|d| d.step).collect(),
        loops: parts.loops.into_iter().map(|(l, _)| l).collect(),
        output: parts.output.map(|(_, e)| e),
        caps: parts.caps,
    })
}

struct Checker<'s, 't> {
    source: &'s Source<'t>,
    parts: Parts,
}

impl Checker<'_, '_> {
    fn position(&self, id: &str) -> std::result::Result<usize, String> {
        let at = self.parts.drafts.iter().position(|d| d.step.id == id);
        at.ok_or_else(|| format!("there is no step `{id}`"))
    }

    /// Finds the steps that come before each.
    fn needs(&mut self) -> Result<()> {
        for i in 0..self.parts.drafts.len() {
            let mut needs = BTreeSet::new();
            let draft = &self.parts.drafts[i];
            for (line, id) in &draft.needs {
                needs.insert(expr(self.source, *line, self.position(id))?);
            }
            for (line, r) in &draft.mentions {
                let found = expr(self.source, *line, self.resolve(r, Some(i)))?;
                needs.extend(found);
            }
            self.parts.drafts[i].step.needs = needs;
        }
        for (one, mentions) in &self.parts.loops {
            for (line, r) in mentions {
                let found = expr(
                    self.source,
                    *line,
                    self.resolve(r, one.steps.first().copied()),
                )?;
                if let Some(at) = found.filter(|at| !one.steps.contains(at)) {
                    let id = &self.parts.drafts[at].step.id;
                    return Err(self.source.bad(
                        *line,
                        format_args!("`until` looks at `{id}`, which is not in the loop"),
                    ));
                }
            }
        }
        Ok(())
    }

    /// The step that a reference makes a need, after checking that it exists.
    fn resolve(
        &self,
        r: &Reference,
        by: Option<usize>,
    ) -> std::result::Result<Option<usize>, String> {
        match &r.from {
            From::Input(name) => match self.parts.inputs.contains_key(name) {
                true => Ok(None),
                false => Err(format!("there is no input `{name}`")),
            },
            From::Step(id) => self.position(id).map(Some),
            From::Last(id) => {
                let at = self.position(id)?;
                let round = |i: usize| self.parts.drafts[i].step.within;
                match by.and_then(round) {
                    Some(here) if round(at) == Some(here) => Ok(None),
                    _ => Err(format!("{} stands outside the loop of `{id}`", r.name())),
                }
            }
            From::Item => match by.is_some_and(|i| self.parts.drafts[i].step.each.is_some()) {
                true => Ok(None),
                false => Err("`item` stands outside a step with `for_each`".into()),
            },
        }
    }

    fn unit(&self, i: usize) -> Unit {
        self.parts.drafts[i]
            .step
            .within
            .map_or(Unit::Step(i), Unit::Loop)
    }

    /// Refuses circles: among steps, and among loops as a whole and other steps.
    fn order(&self) -> Result<()> {
        self.circle(&Unit::Step, false)?;
        // What leaves a loop must not come back into it.
        self.circle(&|i| self.unit(i), true)
    }

    /// `inner` says whether members of one unit may need each other.
    fn circle(&self, unit: &dyn Fn(usize) -> Unit, inner: bool) -> Result<()> {
        let all = 0..self.parts.drafts.len();
        let pairs = |i: usize| {
            let needs = &self.parts.drafts[i].step.needs;
            needs.iter().map(move |n| (unit(i), unit(*n)))
        };
        let mut edges: Vec<(Unit, Unit)> = all.clone().flat_map(pairs).collect();
        edges.retain(|(a, b)| !inner || a != b);
        // What needs nothing, and what nothing needs, is in no circle.
        loop {
            let before = edges.len();
            let copy = edges.clone();
            edges.retain(|(a, b)| {
                copy.iter().any(|(x, _)| x == b) && copy.iter().any(|(_, y)| y == a)
            });
            if edges.len() == before {
                break;
            }
        }
        let stuck: Vec<&Step> = all
            .filter(|i| edges.iter().any(|(a, _)| *a == unit(*i)))
            .map(|i| &self.parts.drafts[i].step)
            .collect();
        let Some(first) = stuck.first() else {
            return Ok(());
        };
        let names: Vec<&str> = stuck.iter().map(|s| s.id.as_str()).collect();
        let names = names.join(", ");
        Err(self.source.bad(
            first.line,
            format_args!("steps need each other in a circle: {names}"),
        ))
    }

    fn type_of(&self, r: &Reference, by: Option<usize>) -> std::result::Result<Type, String> {
        let first = match &r.from {
            From::Input(name) => match self.parts.inputs.get(name) {
                Some(input) => input.of.clone(),
                None => return Err(format!("there is no input `{name}`")),
            },
            From::Step(id) | From::Last(id) => {
                Type::Record(self.parts.drafts[self.position(id)?].step.gives.clone())
            }
            From::Item => match by.and_then(|i| self.parts.drafts[i].step.each.as_ref()) {
                Some(each) => self.item_type(each, by)?,
                None => return Err("`item` stands outside a step with `for_each`".into()),
            },
        };
        r.parts.iter().try_fold(first, |t, part| {
            t.part(part).ok_or_else(|| {
                let parts = t.parts();
                let known = match parts.is_empty() {
                    true => String::new(),
                    false => format!("; there is {}", parts.join(", ")),
                };
                format!("{} does not exist{known}", r.name())
            })
        })
    }

    fn item_type(&self, each: &Expr, by: Option<usize>) -> std::result::Result<Type, String> {
        match each {
            Expr::Reference(r) if r.from != From::Item => match self.type_of(r, by)? {
                Type::List(of) => Ok(*of),
                other => Err(format!("`for_each` is {other}, wanted is a list")),
            },
            Expr::List(_) => Ok(Type::Text),
            _ => Err("`for_each` is a list or a reference to one".into()),
        }
    }

    /// Checks what each field gets against what it wants.
    fn types(&self) -> Result<()> {
        for (i, draft) in self.parts.drafts.iter().enumerate() {
            let type_of = |r: &Reference| self.type_of(r, Some(i));
            let line = |name: &str| draft.lines.get(name).copied().unwrap_or(draft.step.line);
            if let Some(each) = &draft.step.each {
                let of = expr(self.source, line("for_each"), self.item_type(each, Some(i)))?;
                let checked = each.check(&Type::list(of), &type_of);
                expr(self.source, line("for_each"), checked)?;
            }
            for (name, (wanted, given)) in &draft.step.fields {
                given.check(wanted, &type_of).map_err(|e| {
                    let id = &draft.step.id;
                    self.source
                        .bad(line(name), format_args!("`{name}` of step `{id}`: {e}"))
                })?;
            }
            for condition in &draft.step.when {
                expr(self.source, line("when"), condition.check(&type_of))?;
            }
        }
        for (one, mentions) in &self.parts.loops {
            let by = one.steps.first().copied();
            let line = mentions.first().map_or(one.line, |(line, _)| *line);
            for condition in &one.until {
                let checked = condition.check(&|r| self.type_of(r, by));
                expr(self.source, line, checked)?;
            }
        }
        Ok(())
    }

    /// Checks what is shown at the end.
    fn output(&self) -> Result<()> {
        let Some((line, output)) = &self.parts.output else {
            return Ok(());
        };
        for r in output.references() {
            expr(self.source, *line, self.resolve(r, None))?;
        }
        output
            .check(&Type::Prose, &|r| self.type_of(r, None))
            .map_err(|e| self.source.bad(*line, format_args!("`output`: {e}")))
    }
}
