//! Templates: texts with `{{ references }}`, and conditions on them.

use super::types::{Type, shaped, to_text};
use regex::Regex;
use serde_json::Value;
use std::collections::BTreeMap;

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reference {
    pub from: From,
    /// Parts of parts, such as `results` or `path`.
    pub parts: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum From {
    /// `inputs.NAME`
    Input(String),
    /// `steps.ID`
    Step(String),
    /// `last.ID`: what the step gave in the round before.
    Last(String),
    /// `item`: the one of `for_each`.
    Item,
}

/// What a field of a step says.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Expr {
    Literal(Value),
    Reference(Reference),
    Text(Vec<Part>),
    List(Vec<Expr>),
    Table(BTreeMap<String, Expr>),
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Part {
    Text(String),
    Reference(Reference),
}

/// What references stand for when a step begins.
pub(super) trait Scope {
    /// The value, or the empty one of its type where its step was not taken.
    fn value(&self, reference: &Reference) -> Value;
}

impl Reference {
    /// Reads what stands between the braces.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let mut names = text.split('.').map(|n| n.trim().to_string());
        let is_name = |n: &str| {
            !n.is_empty()
                && n.chars()
                    .all(|c| c.is_alphanumeric() || c == '_' || c == '-')
        };
        if !names.clone().all(|n| is_name(&n)) {
            return Err(format!("`{text}` is no reference"));
        }
        let head = names.next().unwrap_or_default();
        let mut named = || {
            names
                .next()
                .ok_or_else(|| format!("`{text}` names nothing"))
        };
        let from = match head.as_str() {
            "inputs" => From::Input(named()?),
            "steps" => From::Step(named()?),
            "last" => From::Last(named()?),
            "item" => From::Item,
            _ => {
                return Err(format!(
                    "`{text}` is no reference; they begin with inputs, steps, last or item"
                ));
            }
        };
        let parts = names.collect();
        Ok(Self { from, parts })
    }

    /// As it is written.
    pub fn name(&self) -> String {
        let mut out = match &self.from {
            From::Input(name) => format!("inputs.{name}"),
            From::Step(id) => format!("steps.{id}"),
            From::Last(id) => format!("last.{id}"),
            From::Item => "item".into(),
        };
        for part in &self.parts {
            out.push('.');
            out.push_str(part);
        }
        out
    }
}

impl Expr {
    /// Reads a text. One that is a single reference has that value's type.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(at) = rest.find("{{") {
            let (before, after) = rest.split_at(at);
            if !before.is_empty() {
                parts.push(Part::Text(before.to_string()));
            }
            let after = after.get(2..).unwrap_or_default();
            let end = after.find("}}").ok_or("`{{` without `}}`")?;
            parts.push(Part::Reference(Reference::parse(
                after.get(..end).unwrap_or_default(),
            )?));
            rest = after.get(end + 2..).unwrap_or_default();
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_string()));
        }
        Ok(match parts.as_slice() {
            [] => Expr::Literal(Value::from("")),
            [Part::Text(text)] => Expr::Literal(Value::from(text.as_str())),
            [Part::Reference(one)] => Expr::Reference(one.clone()),
            _ => Expr::Text(parts),
        })
    }

    /// Reads a value and the texts in it.
    pub fn of(value: &Value) -> Result<Self, String> {
        Ok(match value {
            Value::String(text) => Self::parse(text)?,
            Value::Array(items) => {
                Expr::List(items.iter().map(Self::of).collect::<Result<_, _>>()?)
            }
            Value::Object(fields) => Expr::Table(
                fields
                    .iter()
                    .map(|(name, v)| Ok((name.clone(), Self::of(v)?)))
                    .collect::<Result<_, String>>()?,
            ),
            other => Expr::Literal(other.clone()),
        })
    }

    /// All references in it.
    pub fn references(&self) -> Vec<&Reference> {
        match self {
            Expr::Literal(_) => Vec::new(),
            Expr::Reference(one) => vec![one],
            Expr::Text(parts) => parts
                .iter()
                .filter_map(|p| match p {
                    Part::Reference(r) => Some(r),
                    Part::Text(_) => None,
                })
                .collect(),
            Expr::List(items) => items.iter().flat_map(Expr::references).collect(),
            Expr::Table(fields) => fields.values().flat_map(Expr::references).collect(),
        }
    }

    /// Checks it against the type that is wanted. `type_of` knows the references.
    pub fn check(
        &self,
        wanted: &Type,
        type_of: &dyn Fn(&Reference) -> Result<Type, String>,
    ) -> Result<(), String> {
        match self {
            Expr::Literal(value) => wanted.check(value).map_err(|_| {
                let short: String = value.to_string().chars().take(40).collect();
                format!("{short} is not {wanted}")
            }),
            Expr::Reference(one) => {
                let given = type_of(one)?;
                if wanted.accepts(&given) {
                    Ok(())
                } else {
                    Err(format!("{} is {given}, wanted is {wanted}", one.name()))
                }
            }
            Expr::Text(parts) => {
                if !wanted.accepts(&Type::Text) {
                    return Err(format!("it is a text, wanted is {wanted}"));
                }
                let inner = if *wanted == Type::Prose {
                    Type::Prose
                } else {
                    Type::Text
                };
                parts.iter().try_for_each(|part| match part {
                    Part::Text(_) => Ok(()),
                    Part::Reference(r) => Expr::Reference(r.clone()).check(&inner, type_of),
                })
            }
            Expr::List(items) => {
                let of = match wanted {
                    Type::List(of) => &**of,
                    Type::Any => &Type::Any,
                    _ => return Err(format!("it is a list, wanted is {wanted}")),
                };
                items.iter().try_for_each(|item| match item {
                    // A list within a list is spliced.
                    Expr::Reference(r) if wanted.accepts(&type_of(r)?) && *of != Type::Any => {
                        Ok(())
                    }
                    item => item.check(of, type_of),
                })
            }
            Expr::Table(fields) => match wanted {
                Type::Any => fields
                    .values()
                    .try_for_each(|f| f.check(&Type::Any, type_of)),
                Type::Record(types) => {
                    if let Some(extra) = fields.keys().find(|n| !types.contains_key(*n)) {
                        return Err(format!("`{extra}` is unknown, wanted is {wanted}"));
                    }
                    types
                        .iter()
                        .try_for_each(|(name, t)| match fields.get(name) {
                            Some(f) => f.check(t, type_of),
                            None => Err(format!("`{name}` is missing")),
                        })
                }
                _ => Err(format!("it is a table, wanted is {wanted}")),
            },
        }
    }

    /// Its value in the shape that is wanted.
    pub fn value(&self, wanted: &Type, scope: &dyn Scope) -> Value {
        match self {
            Expr::Literal(value) => shaped(value.clone(), wanted),
            Expr::Reference(one) => shaped(scope.value(one), wanted),
            Expr::Text(parts) => {
                let mut out = String::new();
                for part in parts {
                    match part {
                        Part::Text(text) => out.push_str(text),
                        Part::Reference(r) => out.push_str(&to_text(&scope.value(r))),
                    }
                }
                Value::from(out)
            }
            Expr::List(items) => {
                let of = match wanted {
                    Type::List(of) => &**of,
                    _ => &Type::Any,
                };
                let mut out = Vec::new();
                for item in items {
                    match (item, item.value(of, scope)) {
                        (Expr::Reference(r), _) if *of != Type::Any => match scope.value(r) {
                            Value::Array(inner) => {
                                out.extend(inner.into_iter().map(|v| shaped(v, of)));
                            }
                            one => out.push(shaped(one, of)),
                        },
                        (_, value) => out.push(value),
                    }
                }
                Value::Array(out)
            }
            Expr::Table(fields) => fields
                .iter()
                .map(|(name, f)| {
                    let of = wanted.part(name).unwrap_or(Type::Any);
                    (name.clone(), f.value(&of, scope))
                })
                .collect(),
        }
    }
}

/// A condition: `{{ a }}`, `not {{ a }}` or `{{ a }} OP b`.
#[derive(Debug, Clone)]
pub(super) struct Condition {
    left: Expr,
    test: Test,
    /// Whether `not` stands before it.
    negated: bool,
}

#[derive(Debug, Clone)]
enum Test {
    Is,
    Compare(Compare, Expr),
    Contains(Expr),
    Matches(Regex),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Compare {
    Equal,
    Different,
    Less,
    AtMost,
    More,
    AtLeast,
}

/// Longer ones first: `<=` begins with `<`.
const COMPARISONS: [(&str, Compare); 6] = [
    ("==", Compare::Equal),
    ("!=", Compare::Different),
    ("<=", Compare::AtMost),
    (">=", Compare::AtLeast),
    ("<", Compare::Less),
    (">", Compare::More),
];

impl Condition {
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let (negated, text) = match text.strip_prefix("not ") {
            Some(rest) => (true, rest.trim()),
            None => (false, text),
        };
        let help =
            || format!("`{text}` is no condition; write it as `{{{{ steps.a.count }}}} > 2`");
        let end = text
            .starts_with("{{")
            .then(|| text.find("}}"))
            .flatten()
            .ok_or_else(help)?;
        let (left, rest) = text.split_at(end + 2);
        Ok(Self {
            left: Expr::parse(left)?,
            test: Test::parse(rest.trim())?.ok_or_else(help)?,
            negated,
        })
    }

    pub fn references(&self) -> Vec<&Reference> {
        let mut out = self.left.references();
        if let Test::Compare(_, right) | Test::Contains(right) = &self.test {
            out.extend(right.references());
        }
        out
    }

    pub fn check(
        &self,
        type_of: &dyn Fn(&Reference) -> Result<Type, String>,
    ) -> Result<(), String> {
        let given = |e: &Expr| match e {
            Expr::Reference(r) => type_of(r),
            Expr::Literal(Value::Number(_)) => Ok(Type::Number),
            Expr::Literal(Value::Bool(_)) => Ok(Type::Flag),
            _ => Ok(Type::Text),
        };
        let left = given(&self.left)?;
        let sorry = |wanted: &str| Err(format!("the left side is {left}, wanted is {wanted}"));
        match &self.test {
            Test::Is if left != Type::Flag => sorry("true or false"),
            Test::Matches(_) if left != Type::Text => sorry("a text"),
            Test::Contains(right) => match (&left, given(right)?) {
                (Type::Text, Type::Text) => Ok(()),
                (Type::List(of), right) if **of == right => Ok(()),
                (_, right) => Err(format!("{left} cannot contain {right}")),
            },
            Test::Compare(compare, right) => {
                let right = given(right)?;
                let ordered = !matches!(compare, Compare::Equal | Compare::Different);
                let fit = left == right
                    && match left {
                        Type::Number => true,
                        Type::Text | Type::Flag => !ordered,
                        _ => false,
                    };
                if fit {
                    Ok(())
                } else {
                    Err(format!("{left} and {right} cannot be compared so"))
                }
            }
            _ => Ok(()),
        }
    }

    pub fn holds(&self, scope: &dyn Scope) -> bool {
        let left = self.left.value(&Type::Any, scope);
        self.test.holds(&left, scope) != self.negated
    }
}

impl Test {
    /// Reads what follows the left side; `None` where it is no test.
    fn parse(text: &str) -> Result<Option<Self>, String> {
        if text.is_empty() {
            return Ok(Some(Test::Is));
        }
        if let Some(right) = text.strip_prefix("contains ") {
            return Ok(Some(Test::Contains(operand(right)?)));
        }
        if let Some(right) = text.strip_prefix("matches ") {
            let Expr::Literal(Value::String(pattern)) = operand(right)? else {
                return Err("`matches` needs a pattern in quotes".into());
            };
            return match Regex::new(&pattern) {
                Ok(regex) => Ok(Some(Test::Matches(regex))),
                Err(_) => Err(format!("`{pattern}` is no regular expression")),
            };
        }
        let sign = COMPARISONS.iter().find(|(sign, _)| text.starts_with(sign));
        let Some((sign, compare)) = sign else {
            return Ok(None);
        };
        let right = operand(text.get(sign.len()..).unwrap_or_default())?;
        Ok(Some(Test::Compare(*compare, right)))
    }

    fn holds(&self, left: &Value, scope: &dyn Scope) -> bool {
        match self {
            Test::Is => left.as_bool() == Some(true),
            Test::Matches(regex) => regex.is_match(&to_text(left)),
            Test::Contains(right) => {
                let right = right.value(&Type::Any, scope);
                match left {
                    Value::Array(items) => items.contains(&right),
                    text => to_text(text).contains(&to_text(&right)),
                }
            }
            Test::Compare(compare, right) => {
                let right = right.value(&Type::Any, scope);
                let numbers = || Some((left.as_f64()?, right.as_f64()?));
                let ordered = |f: fn(f64, f64) -> bool| numbers().is_some_and(|(a, b)| f(a, b));
                let same = numbers().map_or(*left == right, |(a, b)| a == b);
                match compare {
                    Compare::Equal => same,
                    Compare::Different => !same,
                    Compare::Less => ordered(|a, b| a < b),
                    Compare::AtMost => ordered(|a, b| a <= b),
                    Compare::More => ordered(|a, b| a > b),
                    Compare::AtLeast => ordered(|a, b| a >= b),
                }
            }
        }
    }
}

/// The right side of a condition: a reference, a number, `true`, or a text in quotes.
fn operand(text: &str) -> Result<Expr, String> {
    let text = text.trim();
    if text.starts_with("{{") && text.ends_with("}}") {
        return Expr::parse(text);
    }
    let quoted = |q: char| text.strip_prefix(q)?.strip_suffix(q);
    if let Some(inner) = quoted('\'').or_else(|| quoted('"')) {
        return Ok(Expr::Literal(Value::from(inner)));
    }
    match serde_json::from_str(text) {
        Ok(value @ (Value::Number(_) | Value::Bool(_))) => Ok(Expr::Literal(value)),
        _ => Err(format!(
            "`{text}` is no value; write texts in quotes, or a number, true, false or a reference"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    struct Fixed;

    impl Scope for Fixed {
        fn value(&self, reference: &Reference) -> Value {
            match reference.name().as_str() {
                "steps.a.count" => json!(3),
                "steps.a.names" => json!(["x", "y"]),
                "inputs.word" => json!("word"),
                "steps.a.ok" => json!(true),
                other => panic!("{other}"),
            }
        }
    }

    fn type_of(r: &Reference) -> Result<Type, String> {
        match r.name().as_str() {
            "steps.a.count" => Ok(Type::Number),
            "steps.a.names" => Ok(Type::list(Type::Text)),
            "inputs.word" => Ok(Type::Text),
            "steps.a.ok" => Ok(Type::Flag),
            other => Err(format!("{other} is unknown")),
        }
    }

    fn value(text: &str, wanted: &Type) -> Result<Value, String> {
        let expr = Expr::parse(text)?;
        expr.check(wanted, &type_of)?;
        Ok(expr.value(wanted, &Fixed))
    }

    #[test]
    fn templates_have_types() {
        assert_eq!(value("{{ steps.a.count }}", &Type::Number), Ok(json!(3)));
        assert_eq!(value("{{steps.a.count}} x", &Type::Text), Ok(json!("3 x")));
        assert_eq!(
            value("{{ steps.a.names }}", &Type::Prose),
            Ok(json!("x\ny"))
        );
        assert!(value("a {{ steps.a.names }}", &Type::Text).is_err());
        assert_eq!(
            value("{{ inputs.word }}", &Type::Number),
            Err("inputs.word is a text, wanted is a number".into())
        );
        assert!(value("{{ steps.b.count }}", &Type::Any).is_err());
        assert!(value("{{ steps.a.count", &Type::Any).is_err());
        assert!(value("{{ nothing }}", &Type::Any).is_err());
        let list = Expr::of(&json!(["{{ steps.a.names }}", "z"])).unwrap();
        let texts = Type::list(Type::Text);
        assert_eq!(list.check(&texts, &type_of), Ok(()));
        assert_eq!(list.value(&texts, &Fixed), json!(["x", "y", "z"]));
    }

    #[test]
    fn conditions_compare_what_can_be_compared() {
        let holds = |text: &str| -> Result<bool, String> {
            let c = Condition::parse(text)?;
            c.check(&type_of)?;
            Ok(c.holds(&Fixed))
        };
        for (text, wanted) in [
            ("{{ steps.a.count }} > 2", true),
            ("{{ steps.a.count }} >= 4", false),
            ("{{ steps.a.count }} == 3", true),
            ("{{ steps.a.ok }}", true),
            ("not {{ steps.a.ok }}", false),
            ("not {{ steps.a.count }} > 2", false),
            ("{{ inputs.word }} == 'word'", true),
            ("{{ inputs.word }} != \"word\"", false),
            ("{{ inputs.word }} contains 'or'", true),
            ("{{ inputs.word }} matches '^w.*d$'", true),
            ("{{ steps.a.names }} contains {{ inputs.word }}", false),
        ] {
            assert_eq!(holds(text), Ok(wanted), "{text}");
        }
        for text in [
            "{{ steps.a.count }}",
            "{{ steps.a.count }} > 'a'",
            "{{ inputs.word }} < 'a'",
            "{{ steps.a.names }} contains 3",
            "count > 3",
            "{{ steps.a.ok }} = true",
            "{{ inputs.word }} matches '['",
            "{{ inputs.word }} == word",
        ] {
            assert!(holds(text).is_err(), "{text}");
        }
    }
}
