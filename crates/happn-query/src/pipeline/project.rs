//! `$project`, `$unset`, `$addFields` and `$set`: documents in another shape.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::operand::{Operand, Scope};
use crate::{Collation, QueryError, Value, limits};

/// Which parts of a document stay, and what is added.
#[derive(Clone, Debug)]
pub(super) struct Projection {
    named: Names,
    /// Whether what is named stays; otherwise it goes.
    keeps: bool,
    added: Assignments,
}

/// Names below one member.
#[derive(Clone, Debug, Default)]
struct Names {
    whole: bool,
    below: BTreeMap<String, Names>,
}

/// Values to compute, and where to put them.
#[derive(Clone, Debug, Default)]
pub(super) struct Assignments(Vec<(Vec<String>, Operand)>);

impl Projection {
    pub(super) fn parse(argument: &Value<'_>) -> Result<Self, QueryError> {
        let members = match argument {
            Value::Object(members) if !members.is_empty() => members,
            _ => {
                return Err(QueryError::argument(
                    "$project",
                    "must be an object with fields",
                ));
            }
        };
        let mut entries = Vec::new();
        collect(members, "", &mut entries)?;
        let is_id = |name: &str| name == "_id";
        let others = || entries.iter().filter(|(name, _)| !is_id(name));
        // Taking the identity out alone leaves everything else.
        let keeps = match others().next() {
            Some(_) => others().any(|(_, entry)| !matches!(entry, Entry::Out)),
            None => entries
                .iter()
                .any(|(_, entry)| !matches!(entry, Entry::Out)),
        };
        let mut projection = Self {
            named: Names::default(),
            keeps,
            added: Assignments::default(),
        };
        if keeps {
            // The identity stays unless it is told to go.
            let goes = |(name, kind): &(String, Entry)| is_id(name) && matches!(kind, Entry::Out);
            if !entries.iter().any(goes) {
                projection.named.add("_id");
            }
        }
        for (name, entry) in entries {
            match entry {
                Entry::In if keeps => projection.named.add(&name),
                Entry::Out if !keeps => projection.named.add(&name),
                Entry::Out if is_id(&name) => {}
                Entry::In if is_id(&name) => {}
                Entry::Computed(operand) if keeps => {
                    projection
                        .added
                        .0
                        .push((segments("$project", &name)?, operand));
                }
                Entry::Out => {
                    let problem = format!("cannot exclude {name} and include others");
                    return Err(QueryError::argument("$project", problem));
                }
                Entry::In | Entry::Computed(_) => {
                    let problem = format!("cannot include {name} and exclude others");
                    return Err(QueryError::argument("$project", problem));
                }
            }
        }
        Ok(projection)
    }

    /// `$unset`: a name or a list of names.
    pub(super) fn without(argument: &Value<'_>) -> Result<Self, QueryError> {
        let wrong = || QueryError::argument("$unset", "must be a name or a list of names");
        let names = match argument {
            Value::Array(items) if !items.is_empty() => &items[..],
            text @ Value::Text(_) => std::slice::from_ref(text),
            _ => return Err(wrong()),
        };
        let mut named = Names::default();
        for name in names {
            let name = name.as_text().ok_or_else(wrong)?;
            segments("$unset", name)?;
            named.add(name);
        }
        Ok(Self {
            named,
            keeps: false,
            added: Assignments::default(),
        })
    }

    pub(super) fn apply<'a>(
        &self,
        document: Value<'a>,
        collation: &Collation,
    ) -> Result<Value<'a>, QueryError> {
        // What is added is computed from the whole document.
        let scope = Scope::new(collation);
        let added = self.added.compute(&document, &scope)?;
        let mut shaped = match self.keeps {
            true => self
                .named
                .keep(document)
                .unwrap_or(Value::Object(Vec::new())),
            false => self.named.leave_out(document),
        };
        for (path, value) in added {
            put(&mut shaped, path, value, &scope)?;
        }
        Ok(shaped)
    }
}

/// A computed value and where to put it.
type Placed<'s, 'a> = (&'s [String], Option<Value<'a>>);

enum Entry {
    In,
    Out,
    Computed(Operand),
}

/// Objects without operators name fields below a field.
fn collect(
    members: &[(Cow<'_, str>, Value<'_>)],
    above: &str,
    entries: &mut Vec<(String, Entry)>,
) -> Result<(), QueryError> {
    for (name, value) in members {
        let name = format!("{above}{name}");
        segments("$project", &name)?;
        let entry = match value {
            Value::Object(below)
                if !below.is_empty() && !below.iter().any(|(name, _)| name.starts_with('$')) =>
            {
                collect(below, &format!("{name}."), entries)?;
                continue;
            }
            Value::Bool(_) | Value::Integer(_) | Value::Float(_) => match value.is_truthy() {
                true => Entry::In,
                false => Entry::Out,
            },
            computed => Entry::Computed(Operand::parse(computed)?),
        };
        entries.push((name, entry));
    }
    Ok(())
}

impl Names {
    fn add(&mut self, name: &str) {
        let mut names = self;
        for segment in name.split('.') {
            names = names.below.entry(segment.to_owned()).or_default();
        }
        names.whole = true;
    }

    /// Only what is named; `None` for a plain value.
    fn keep<'a>(&self, value: Value<'a>) -> Option<Value<'a>> {
        match value {
            value if self.whole => Some(value),
            Value::Object(members) => {
                let kept = members.into_iter().filter_map(|(name, value)| {
                    let value = self.below.get(&*name)?.keep(value)?;
                    Some((name, value))
                });
                Some(Value::Object(kept.collect()))
            }
            Value::Array(items) => {
                let kept = items.into_iter().filter_map(|item| self.keep(item));
                Some(Value::Array(kept.collect()))
            }
            _ => None,
        }
    }

    /// All but what is named.
    fn leave_out<'a>(&self, value: Value<'a>) -> Value<'a> {
        match value {
            Value::Object(members) => {
                let left = members.into_iter().filter_map(|(name, value)| {
                    let value = match self.below.get(&*name) {
                        None => value,
                        Some(names) if names.whole => return None,
                        Some(names) => names.leave_out(value),
                    };
                    Some((name, value))
                });
                Value::Object(left.collect())
            }
            Value::Array(items) => {
                let left = items.into_iter().map(|item| self.leave_out(item));
                Value::Array(left.collect())
            }
            other => other,
        }
    }
}

impl Assignments {
    pub(super) fn parse(stage: &str, argument: &Value<'_>) -> Result<Self, QueryError> {
        let Value::Object(members) = argument else {
            return Err(QueryError::argument(stage, "must be an object with fields"));
        };
        let assignment = |(name, value): &(Cow<'_, str>, Value<'_>)| {
            Ok((segments(stage, name)?, Operand::parse(value)?))
        };
        let assignments = members.iter().map(assignment);
        Ok(Self(assignments.collect::<Result<_, QueryError>>()?))
    }

    pub(super) fn apply<'a>(
        &self,
        mut document: Value<'a>,
        collation: &Collation,
    ) -> Result<Value<'a>, QueryError> {
        let scope = Scope::new(collation);
        for (path, value) in self.compute(&document, &scope)? {
            put(&mut document, path, value, &scope)?;
        }
        Ok(document)
    }

    fn compute<'s, 'a>(
        &'s self,
        document: &Value<'a>,
        scope: &Scope<'_>,
    ) -> Result<Vec<Placed<'s, 'a>>, QueryError> {
        let computed = self.0.iter().map(|(path, operand)| {
            let value = operand.evaluate(document, scope)?;
            Ok((&path[..], value))
        });
        computed.collect()
    }
}

fn segments(stage: &str, name: &str) -> Result<Vec<String>, QueryError> {
    let segments: Vec<String> = name.split('.').map(ToOwned::to_owned).collect();
    let wrong = segments
        .iter()
        .any(|segment| segment.is_empty() || segment.starts_with('$'));
    match segments.len() > limits::DEPTH || wrong {
        true => Err(QueryError::argument(
            stage,
            format!("cannot name a field {name:?}"),
        )),
        false => Ok(segments),
    }
}

/// Puts a value at a path, in each object of an array on the way. A value that is missing leaves
/// what is there.
pub(super) fn put<'a>(
    target: &mut Value<'a>,
    path: &[String],
    value: Option<Value<'a>>,
    scope: &Scope<'_>,
) -> Result<(), QueryError> {
    let (Some((first, rest)), Some(value)) = (path.split_first(), value) else {
        return Ok(());
    };
    if let Value::Array(items) = target {
        return items.iter_mut().try_for_each(|item| {
            scope.spend(&value)?;
            put(item, path, Some(value.clone()), scope)
        });
    }
    if !matches!(target, Value::Object(_)) {
        *target = Value::Object(Vec::new());
    }
    let Value::Object(members) = target else {
        return Ok(());
    };
    let at = match members.iter().rposition(|(name, _)| name == first) {
        Some(at) => at,
        None => {
            members.push((Cow::Owned(first.clone()), Value::Null));
            members.len() - 1
        }
    };
    if rest.is_empty() {
        members[at].1 = value;
        return Ok(());
    }
    put(&mut members[at].1, rest, Some(value), scope)
}
