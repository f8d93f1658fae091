//! What criteria and sorts mean, written down as plainly as possible: all values a name stands
//! for are collected first, and looked at afterwards.

use std::cmp::Ordering;

use serde_json::{Map, Value};

/// Whether a document meets criteria.
pub(crate) fn matches(document: &Value, criteria: &Value) -> bool {
    criteria
        .as_object()
        .unwrap()
        .iter()
        .all(|(name, argument)| {
            let parts = || argument.as_array().unwrap().iter();
            match name.as_str() {
                "$and" => parts().all(|part| matches(document, part)),
                "$or" => parts().any(|part| matches(document, part)),
                "$nor" => !parts().any(|part| matches(document, part)),
                name => field(&values(document, name), argument),
            }
        })
}

/// Every value a name stands for; `None` is one that is missing.
fn values(document: &Value, name: &str) -> Vec<Option<Value>> {
    let mut at = vec![Some(document.clone())];
    for segment in name.split('.') {
        at = at
            .into_iter()
            .flat_map(|value| below(value, segment))
            .collect();
    }
    at
}

fn below(value: Option<Value>, segment: &str) -> Vec<Option<Value>> {
    match value {
        Some(Value::Object(members)) => vec![members.get(segment).cloned()],
        Some(Value::Array(items)) => {
            let mut found = Vec::new();
            if let Some(item) = segment.parse::<usize>().ok().and_then(|at| items.get(at)) {
                found.push(Some(item.clone()));
            }
            for item in &items {
                if let Value::Object(members) = item {
                    found.push(members.get(segment).cloned());
                }
            }
            found
        }
        _ => vec![None],
    }
}

fn is_operators(value: &Value) -> bool {
    let first = |members: &Map<String, Value>| members.keys().next().cloned();
    let first = value.as_object().and_then(first);
    first.is_some_and(|name| name.starts_with('$'))
}

fn field(values: &[Option<Value>], argument: &Value) -> bool {
    match is_operators(argument) {
        true => operators(values, argument),
        false => contains(values, &|value| same(value, argument)),
    }
}

/// Whether one of the values, or an element of one that is an array, passes.
fn contains(values: &[Option<Value>], passes: &dyn Fn(&Value) -> bool) -> bool {
    values.iter().any(|value| match value {
        None => passes(&Value::Null),
        Some(value @ Value::Array(items)) => passes(value) || items.iter().any(passes),
        Some(value) => passes(value),
    })
}

/// As [`contains`], of values that are there.
fn holds(values: &[Option<Value>], passes: &dyn Fn(&Value) -> bool) -> bool {
    let present: Vec<_> = values
        .iter()
        .filter(|value| value.is_some())
        .cloned()
        .collect();
    contains(&present, passes)
}

fn arrays(values: &[Option<Value>]) -> impl Iterator<Item = &Vec<Value>> {
    values.iter().flatten().filter_map(Value::as_array)
}

fn operators(values: &[Option<Value>], tests: &Value) -> bool {
    tests.as_object().unwrap().iter().all(|(name, argument)| {
        let list = || argument.as_array().unwrap();
        match name.as_str() {
            "$not" => !operators(values, argument),
            "$ne" => !contains(values, &|value| same(value, argument)),
            "$nin" => !contains(values, &|value| list().iter().any(|one| same(value, one))),
            "$exists" => values.iter().any(Option::is_some) == argument.as_bool().unwrap(),
            "$size" => arrays(values).any(|items| items.len() as u64 == argument.as_u64().unwrap()),
            "$elemMatch" => {
                arrays(values).any(|items| items.iter().any(|item| element(item, argument)))
            }
            "$all" => {
                let each = |one: &Value| contains(values, &|value| same(value, one));
                !list().is_empty() && list().iter().all(each)
            }
            "$type" | "$regex" | "$mod" => holds(values, &|value| single(value, name, argument)),
            _ => contains(values, &|value| single(value, name, argument)),
        }
    })
}

/// An element is looked at as it is: an array in an array does not stand for its elements.
fn element(item: &Value, argument: &Value) -> bool {
    let first = argument.as_object().unwrap().keys().next().unwrap();
    if !first.starts_with('$') || ["$and", "$or", "$nor"].contains(&first.as_str()) {
        return (item.is_object() || item.is_array()) && matches(item, argument);
    }
    argument
        .as_object()
        .unwrap()
        .iter()
        .all(|(name, argument)| {
            let list = || argument.as_array().unwrap();
            match name.as_str() {
                "$not" => !element(item, argument),
                "$ne" => !same(item, argument),
                "$nin" => !list().iter().any(|one| same(item, one)),
                "$exists" => argument.as_bool().unwrap(),
                "$size" => item
                    .as_array()
                    .is_some_and(|items| items.len() as u64 == argument.as_u64().unwrap()),
                "$elemMatch" => item
                    .as_array()
                    .is_some_and(|items| items.iter().any(|item| element(item, argument))),
                "$all" => !list().is_empty() && list().iter().all(|one| same(item, one)),
                name => single(item, name, argument),
            }
        })
}

fn single(value: &Value, name: &str, argument: &Value) -> bool {
    let comparable = kind(value) == kind(argument);
    let order = compare(value, argument);
    match name {
        "$eq" => same(value, argument),
        "$in" => argument
            .as_array()
            .unwrap()
            .iter()
            .any(|one| same(value, one)),
        "$gt" => comparable && order.is_gt(),
        "$gte" => comparable && order.is_ge(),
        "$lt" => comparable && order.is_lt(),
        "$lte" => comparable && order.is_le(),
        "$regex" => value
            .as_str()
            .is_some_and(|text| match argument.as_str().unwrap() {
                "^a" => text.starts_with('a'),
                "b$" => text.ends_with('b'),
                _ => text.contains(['A', 'B']),
            }),
        "$mod" => value.as_f64().is_some_and(|number| {
            number.trunc() % argument[0].as_f64().unwrap() == argument[1].as_f64().unwrap()
        }),
        "$type" => {
            let whole = value.as_f64().is_some_and(|number| number.fract() == 0.0);
            match argument.as_str().unwrap() {
                "string" => value.is_string(),
                "int" => whole,
                "double" => value.is_number() && !whole,
                "number" => value.is_number(),
                "bool" => value.is_boolean(),
                "null" => value.is_null(),
                "object" => value.is_object(),
                _ => value.is_array(),
            }
        }
        _ => unreachable!("the oracle does not know {name}"),
    }
}

fn same(left: &Value, right: &Value) -> bool {
    compare(left, right).is_eq()
}

fn kind(value: &Value) -> u8 {
    match value {
        Value::Null => 0,
        Value::Number(_) => 1,
        Value::String(_) => 2,
        Value::Object(_) => 3,
        Value::Array(_) => 4,
        Value::Bool(_) => 5,
    }
}

fn compare(left: &Value, right: &Value) -> Ordering {
    let by_value = match (left, right) {
        (Value::Number(left), Value::Number(right)) => left
            .as_f64()
            .unwrap()
            .partial_cmp(&right.as_f64().unwrap())
            .unwrap(),
        (Value::String(left), Value::String(right)) => left.as_bytes().cmp(right.as_bytes()),
        (Value::Bool(left), Value::Bool(right)) => left.cmp(right),
        (Value::Array(left), Value::Array(right)) => {
            let mut order = left.len().cmp(&right.len());
            for (left, right) in left.iter().zip(right).rev() {
                order = compare(left, right).then(order);
            }
            order
        }
        (Value::Object(left), Value::Object(right)) => {
            let mut order = left.len().cmp(&right.len());
            for ((name, left), (other, right)) in left.iter().zip(right).rev() {
                let here = kind(left).cmp(&kind(right)).then(name.cmp(other));
                order = here.then(compare(left, right)).then(order);
            }
            order
        }
        _ => Ordering::Equal,
    };
    kind(left).cmp(&kind(right)).then(by_value)
}

/// The order of two documents.
pub(crate) fn order(left: &Value, right: &Value, sort: &[(String, bool)]) -> Ordering {
    let mut order = Ordering::Equal;
    for (name, down) in sort {
        let (left, right) = (
            sort_value(left, name, *down),
            sort_value(right, name, *down),
        );
        let here = match (&left, &right) {
            (Some(left), Some(right)) => compare(left, right),
            _ => left.is_some().cmp(&right.is_some()),
        };
        order = order.then(if *down { here.reverse() } else { here });
    }
    order
}

/// The least or greatest of all candidates; `None` is an empty array, which is less than null.
fn sort_value(document: &Value, name: &str, greatest: bool) -> Option<Value> {
    let mut candidates: Vec<Option<Value>> = Vec::new();
    for value in values(document, name) {
        match value {
            None => candidates.push(Some(Value::Null)),
            Some(Value::Array(items)) if items.is_empty() => candidates.push(None),
            Some(Value::Array(items)) => candidates.extend(items.into_iter().map(Some)),
            value => candidates.push(value),
        }
    }
    let less = |left: &Option<Value>, right: &Option<Value>| match (left, right) {
        (Some(left), Some(right)) => compare(left, right),
        (left, right) => left.is_some().cmp(&right.is_some()),
    };
    candidates.sort_by(less);
    let chosen = if greatest {
        candidates.pop()
    } else {
        candidates.into_iter().next()
    };
    chosen.unwrap_or(Some(Value::Null))
}
