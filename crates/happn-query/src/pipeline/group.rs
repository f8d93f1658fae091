//! `$group`: one row per key, with what was accumulated.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use crate::operand::{Operand, Scope, add, compare};
use crate::{Collation, QueryError, Value};

/// What to group by and what to accumulate.
#[derive(Clone, Debug)]
pub(super) struct Group {
    key: Operand,
    fields: Vec<(String, Accumulator, Operand)>,
}

/// How values of one group become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Accumulator {
    AddToSet,
    Avg,
    Count,
    First,
    Last,
    Max,
    Min,
    Push,
    Sum,
}

/// The groups so far.
#[derive(Debug, Default)]
pub(super) struct Groups {
    /// By key, with the place at which each came up.
    groups: BTreeMap<Ranked, (usize, Vec<State>)>,
    /// About the bytes they take.
    pub(super) bytes: u64,
}

/// What one accumulator has seen in one group.
#[derive(Debug)]
enum State {
    Set(BTreeSet<Ranked>),
    List(Vec<Value<'static>>),
    One(Option<Value<'static>>),
    Mean { sum: Value<'static>, count: i64 },
}

/// A value with the order it has.
#[derive(Debug)]
struct Ranked {
    value: Option<Value<'static>>,
    collation: Collation,
}

impl Group {
    pub(super) fn parse(argument: &Value<'_>) -> Result<Self, QueryError> {
        let wrong = |problem: String| QueryError::argument("$group", problem);
        let Value::Object(members) = argument else {
            return Err(wrong("must be an object".to_owned()));
        };
        let Some(key) = argument.member("_id") else {
            return Err(wrong(
                "must include an _id; null puts all in one group".to_owned(),
            ));
        };
        let mut fields = Vec::with_capacity(members.len());
        for (name, value) in members.iter().filter(|(name, _)| name != "_id") {
            if name.is_empty() || name.contains('.') || name.starts_with('$') {
                return Err(wrong(format!("cannot name a field {name:?}")));
            }
            let Value::Object(accumulator) = value else {
                return Err(wrong(format!(
                    "the field {name} must be an accumulator object"
                )));
            };
            let [(accumulator, operand)] = &accumulator[..] else {
                return Err(wrong(format!("the field {name} must have one accumulator")));
            };
            let accumulator = Accumulator::named(accumulator)?;
            fields.push((name.to_string(), accumulator, Operand::parse(operand)?));
        }
        let key = Operand::parse(key)?;
        Ok(Self { key, fields })
    }

    pub(super) fn take(
        &self,
        groups: &mut Groups,
        document: &Value<'_>,
        collation: &Collation,
    ) -> Result<(), QueryError> {
        let scope = Scope::new(collation);
        let key = Ranked {
            value: self.key.evaluate(document, &scope)?.map(Value::into_owned),
            collation: collation.clone(),
        };
        if !groups.groups.contains_key(&key) {
            groups.bytes += key.value.as_ref().map_or(0, Value::size) + 64;
        }
        let place = groups.groups.len();
        let (_, states) = groups.groups.entry(key).or_insert_with(|| {
            let fields = self.fields.iter();
            let states = fields.map(|(_, accumulator, _)| accumulator.start());
            (place, states.collect())
        });
        for ((_, accumulator, operand), state) in self.fields.iter().zip(states) {
            let value = operand.evaluate(document, &scope)?;
            groups.bytes += accumulator.take(state, value, collation);
        }
        Ok(())
    }

    /// The rows, in the order in which their keys came up.
    pub(super) fn rows(&self, groups: Groups) -> Vec<Value<'static>> {
        let mut rows: Vec<_> = groups.groups.into_iter().collect();
        rows.sort_unstable_by_key(|(_, (place, _))| *place);
        let row = |(key, (_, states)): (Ranked, (usize, Vec<State>))| {
            let id = (Cow::Borrowed("_id"), key.value.unwrap_or(Value::Null));
            let fields = self.fields.iter().zip(states);
            let fields = fields.map(|((name, accumulator, _), state)| {
                (Cow::Owned(name.clone()), accumulator.end(state))
            });
            Value::Object(std::iter::once(id).chain(fields).collect())
        };
        rows.into_iter().map(row).collect()
    }
}

impl Groups {
    pub(super) fn len(&self) -> u64 {
        self.groups.len() as u64
    }
}

impl Accumulator {
    fn named(name: &str) -> Result<Self, QueryError> {
        Ok(match name {
            "$addToSet" => Self::AddToSet,
            "$avg" => Self::Avg,
            "$count" => Self::Count,
            "$first" => Self::First,
            "$last" => Self::Last,
            "$max" => Self::Max,
            "$min" => Self::Min,
            "$push" => Self::Push,
            "$sum" => Self::Sum,
            name if name.starts_with('$') => {
                return Err(QueryError::Unsupported(format!("the accumulator {name}")));
            }
            name => {
                let problem = format!("{name} is no accumulator");
                return Err(QueryError::argument("$group", problem));
            }
        })
    }

    fn start(self) -> State {
        match self {
            Self::AddToSet => State::Set(BTreeSet::new()),
            Self::Push => State::List(Vec::new()),
            Self::Sum | Self::Count => State::One(Some(Value::Integer(0))),
            Self::Avg => State::Mean {
                sum: Value::Integer(0),
                count: 0,
            },
            Self::First | Self::Last | Self::Max | Self::Min => State::One(None),
        }
    }

    /// Takes a value and answers how many bytes more are held for it.
    fn take(self, state: &mut State, value: Option<Value<'_>>, collation: &Collation) -> u64 {
        let is_number = |value: &Value<'_>| matches!(value, Value::Integer(_) | Value::Float(_));
        let owned = value.map(Value::into_owned);
        let size = owned.as_ref().map_or(0, Value::size);
        match (self, state, owned) {
            (Self::AddToSet, State::Set(set), Some(value)) => {
                let is_new = set.insert(Ranked {
                    value: Some(value),
                    collation: collation.clone(),
                });
                return if is_new { size } else { 0 };
            }
            (Self::Push, State::List(list), Some(value)) => {
                list.push(value);
                return size;
            }
            (Self::Count, State::One(Some(total)), _) => *total = add(total, &Value::Integer(1)),
            (Self::Sum, State::One(Some(total)), Some(value)) if is_number(&value) => {
                *total = add(total, &value);
            }
            (Self::Avg, State::Mean { sum, count }, Some(value)) if is_number(&value) => {
                *sum = add(sum, &value);
                *count += 1;
            }
            (Self::First, State::One(first @ None), value) => {
                *first = Some(value.unwrap_or(Value::Null));
                return size;
            }
            (Self::Last, State::One(last), value) => *last = Some(value.unwrap_or(Value::Null)),
            (Self::Max | Self::Min, State::One(best), Some(value)) if value != Value::Null => {
                let order = best.as_ref().map(|best| collation.compare(&value, best));
                let better = match self {
                    Self::Max => order.is_none_or(Ordering::is_gt),
                    _ => order.is_none_or(Ordering::is_lt),
                };
                if better {
                    *best = Some(value);
                }
            }
            _ => {}
        }
        0
    }

    fn end(self, state: State) -> Value<'static> {
        match state {
            State::Set(set) => {
                Value::Array(set.into_iter().filter_map(|ranked| ranked.value).collect())
            }
            State::List(list) => Value::Array(list),
            State::One(value) => value.unwrap_or(Value::Null),
            State::Mean { count: 0, .. } => Value::Null,
            State::Mean { sum, count } => {
                Value::Float(sum.as_float().unwrap_or_default() / count as f64)
            }
        }
    }
}

impl Ord for Ranked {
    fn cmp(&self, other: &Self) -> Ordering {
        let (left, right) = (self.value.as_ref(), other.value.as_ref());
        compare(left, right, &self.collation)
    }
}

impl PartialOrd for Ranked {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Ranked {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Ranked {}
