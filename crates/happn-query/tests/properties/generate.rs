//! Documents and questions with few names and values, so that they meet.

use proptest::prelude::*;
use serde_json::{Value, json};

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-2_i64..4).prop_map(Value::from),
        prop_oneof![Just(0.5), Just(-1.5), Just(2.0)].prop_map(Value::from),
        prop_oneof![Just(""), Just("a"), Just("B"), Just("ab"), Just("2")].prop_map(Value::from),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    scalar().prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            proptest::collection::vec((name(), inner), 0..3)
                .prop_map(|members| members.into_iter().collect()),
        ]
    })
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![Just("a"), Just("b"), Just("0")].prop_map(ToOwned::to_owned)
}

/// A document of few members.
pub(crate) fn document() -> impl Strategy<Value = Value> {
    proptest::collection::vec((name(), value()), 0..3)
        .prop_map(|members| members.into_iter().collect())
}

fn path() -> impl Strategy<Value = String> {
    proptest::collection::vec(name(), 1..4).prop_map(|names| names.join("."))
}

/// A value that is no object of operators.
fn operand() -> impl Strategy<Value = Value> {
    prop_oneof![3 => scalar(), 1 => value()]
}

fn operator() -> BoxedStrategy<Value> {
    let list = proptest::collection::vec(operand(), 0..3).boxed();
    let simple = prop_oneof![
        operand().prop_map(|value| json!({"$eq": value})),
        operand().prop_map(|value| json!({"$ne": value})),
        operand().prop_map(|value| json!({"$gt": value})),
        operand().prop_map(|value| json!({"$gte": value})),
        operand().prop_map(|value| json!({"$lt": value})),
        operand().prop_map(|value| json!({"$lte": value})),
        list.clone().prop_map(|values| json!({"$in": values})),
        list.clone().prop_map(|values| json!({"$nin": values})),
        list.prop_map(|values| json!({"$all": values})),
        any::<bool>().prop_map(|is| json!({"$exists": is})),
        (0_u8..3).prop_map(|size| json!({"$size": size})),
        prop_oneof![Just("^a"), Just("b$"), Just("[AB]")].prop_map(|text| json!({"$regex": text})),
        (1_i64..4, 0_i64..3).prop_map(|(by, rest)| json!({"$mod": [by, rest]})),
        kind().prop_map(|kind| json!({"$type": kind})),
    ];
    simple
        .prop_recursive(2, 6, 2, |inner| {
            prop_oneof![
                inner.clone().prop_map(|test| json!({"$not": test})),
                inner.clone().prop_map(|test| json!({"$elemMatch": test})),
                (inner.clone(), inner).prop_map(|(one, other)| {
                    let mut both = one;
                    let other = other.as_object().unwrap().clone();
                    both.as_object_mut().unwrap().extend(other);
                    both
                }),
            ]
        })
        .boxed()
}

fn kind() -> impl Strategy<Value = &'static str> {
    prop_oneof![
        Just("string"),
        Just("int"),
        Just("double"),
        Just("number"),
        Just("bool"),
        Just("null"),
        Just("object"),
        Just("array"),
    ]
}

/// Criteria with names of the stored document.
pub(crate) fn criteria() -> impl Strategy<Value = Value> {
    let tests = prop_oneof![2 => operator(), 1 => operand().boxed()];
    let field = (path(), tests).prop_map(|(path, test)| json!({path: test}));
    field.prop_recursive(2, 8, 3, |inner| {
        let some = proptest::collection::vec(inner.clone(), 1..3);
        prop_oneof![
            some.clone().prop_map(|parts| json!({"$and": parts})),
            some.clone().prop_map(|parts| json!({"$or": parts})),
            some.prop_map(|parts| json!({"$nor": parts})),
            (path(), inner).prop_map(|(path, part)| json!({path: {"$elemMatch": part}})),
        ]
    })
}

/// Names, and whether the greatest comes first.
pub(crate) fn sort() -> impl Strategy<Value = Vec<(String, bool)>> {
    proptest::collection::vec((path(), any::<bool>()), 1..3)
}

/// A sort as a list of pairs, whose names are not rewritten.
pub(crate) fn listed(sort: &[(String, bool)]) -> String {
    let pair = |(path, down): &(String, bool)| json!([path, if *down { -1 } else { 1 }]);
    Value::from_iter(sort.iter().map(pair)).to_string()
}

/// JSON that looks like a question and mostly is none.
pub(crate) fn anything() -> impl Strategy<Value = Value> {
    let word = prop_oneof![
        Just("$and"),
        Just("$or"),
        Just("$not"),
        Just("$in"),
        Just("$regex"),
        Just("$options"),
        Just("$elemMatch"),
        Just("$all"),
        Just("$size"),
        Just("$mod"),
        Just("$type"),
        Just("$expr"),
        Just("$match"),
        Just("$group"),
        Just("$project"),
        Just("$unwind"),
        Just("$sort"),
        Just("$limit"),
        Just("$addFields"),
        Just("$sum"),
        Just("$push"),
        Just("$add"),
        Just("$divide"),
        Just("$cond"),
        Just("$arrayElemAt"),
        Just("_id"),
        Just("a"),
        Just("a.b"),
        Just("$a"),
        Just("$$ROOT"),
        Just("path"),
        Just(""),
    ];
    let text = word.clone().prop_map(Value::from);
    prop_oneof![scalar(), text].prop_recursive(5, 24, 3, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            proptest::collection::vec((word.clone(), inner), 0..3).prop_map(|members| {
                let named = members.into_iter();
                named
                    .map(|(name, value)| (name.to_owned(), value))
                    .collect()
            }),
        ]
    })
}
