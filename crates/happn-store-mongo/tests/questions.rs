//! Criteria and sorts mean the same to MongoDB and to the evaluator of the embedded stores.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    missing_docs,
    unreachable_pub,
    reason = "the helpers of tests stop at what fails, as tests do, and say what they leave out"
)]

mod support;

use std::sync::Arc;

use happn_core::{DataStore, Document, MemoryStore, Query, Write, WriteMode};
use happn_paths::{Path, StoreGlob};
use happn_protocol::Json;
use happn_query::{Criteria, Sort};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

use support::Place;

/// Cases per run; each asks the database once.
const CASES: u32 = 400;
const DOCUMENTS: usize = 40;

/// A few names, so that criteria meet fields. Without places in arrays, such as `a.0`: SecantusDB
/// does not sort by them, and answers `{"a.0": null}` in its own way.
fn name() -> impl Strategy<Value = String> {
    prop_oneof!["[abc]", "[ab]\\.[abc]"]
}

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        3 => (-3_i32..4).prop_map(|number| json!(number)),
        1 => Just(json!(1.5)),
        1 => Just(json!(9_007_199_254_740_991_i64)),
        3 => "[abAB]{0,2}".prop_map(Value::from),
        1 => any::<bool>().prop_map(Value::from),
        1 => Just(Value::Null),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    scalar().prop_recursive(2, 6, 3, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            proptest::collection::vec(("[abc]", inner), 0..3)
                .prop_map(|members| members.into_iter().collect()),
        ]
    })
}

fn data() -> impl Strategy<Value = Value> {
    proptest::collection::vec(("[abc]", value()), 0..4)
        .prop_map(|members| members.into_iter().collect())
}

fn test() -> impl Strategy<Value = Value> {
    let list = || proptest::collection::vec(scalar(), 0..3);
    let one = prop_oneof![
        scalar(),
        (prop_oneof![Just("$eq"), Just("$ne")], scalar())
            .prop_map(|(op, value)| json!({op: value})),
        (
            prop_oneof![Just("$gt"), Just("$gte"), Just("$lt"), Just("$lte")],
            scalar()
        )
            .prop_map(|(op, value)| json!({op: value})),
        (prop_oneof![Just("$in"), Just("$nin")], list()).prop_map(|(op, list)| json!({op: list})),
        // SecantusDB does not take what is missing for the null of `$all`, as MongoDB does.
        proptest::collection::vec(-3_i32..4, 0..3).prop_map(|list| json!({"$all": list})),
        any::<bool>().prop_map(|exists| json!({"$exists": exists})),
        (0_u8..3).prop_map(|size| json!({"$size": size})),
        "[ab]{1,2}".prop_map(|text| json!({"$regex": text})),
        "[ab]{1,2}".prop_map(|text| json!({"$regex": [format!("^{text}"), "i"]})),
        (1_u8..3, 0_u8..2).prop_map(|(divisor, left)| json!({"$mod": [divisor, left]})),
        prop_oneof![
            Just("string"),
            Just("number"),
            Just("object"),
            Just("array"),
            Just("bool"),
            Just("null")
        ]
        .prop_map(|kind| json!({"$type": kind})),
        scalar().prop_map(|value| json!({"$elemMatch": {"$eq": value}})),
    ];
    let one = one.boxed();
    let negated = one.clone().prop_filter_map("operators only", |test| {
        let operators = test.as_object()?;
        let operators: serde_json::Map<_, _> = operators.clone();
        Some(json!({"$not": operators}))
    });
    prop_oneof![4 => one, 1 => negated]
}

fn criteria() -> impl Strategy<Value = Value> {
    let fields = proptest::collection::vec((name(), test()), 0..3)
        .prop_map(|members| members.into_iter().collect::<Value>());
    fields.prop_recursive(2, 6, 2, |inner| {
        let parts = proptest::collection::vec(inner, 1..3);
        (prop_oneof![Just("$and"), Just("$or"), Just("$nor")], parts)
            .prop_map(|(op, parts)| json!({op: parts}))
    })
}

fn sort() -> impl Strategy<Value = Value> {
    let direction = prop_oneof![Just(json!(1)), Just(json!(-1))];
    proptest::collection::vec((name(), direction), 0..3).prop_map(|keys| keys.into_iter().collect())
}

#[test]
fn criteria_and_sorts_mean_the_same_in_mongodb() {
    let Some(place) = Place::new() else { return };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let memory: Arc<dyn DataStore> = Arc::new(MemoryStore::new());
    let mongo: Arc<dyn DataStore> = Arc::new(runtime.block_on(place.store()));
    let mut runner = TestRunner::new(Config {
        cases: CASES,
        failure_persistence: None,
        ..Config::default()
    });
    let mut stored = Vec::new();
    for number in 0..DOCUMENTS {
        let data = data().new_tree(&mut runner).unwrap().current();
        stored.push(data.clone());
        for store in [&memory, &mongo] {
            let write = Write {
                path: Path::for_set(&format!("/q/{number:03}")).unwrap(),
                data: Json::parse(data.to_string()).unwrap(),
                mode: WriteMode::Replace,
                at: 1,
                modified_by: None,
            };
            runtime.block_on(store.upsert(write)).unwrap();
        }
    }
    let answer = |store: &Arc<dyn DataStore>, criteria: &Criteria, sort: &Sort| {
        let query = Query {
            criteria: criteria.clone(),
            sort: sort.clone(),
            ..Query::all(StoreGlob::new("/q/*"))
        };
        runtime.block_on(store.find(query).all()).map(shown)
    };
    let result = runner.run(&(criteria(), sort()), |(criteria, sort)| {
        let Ok(criteria) = Criteria::parse(&criteria.to_string()) else {
            return Err(TestCaseError::reject("no criteria"));
        };
        if stored.iter().any(|data| passes_over_a_null(data, &sort)) {
            return Err(TestCaseError::reject(
                "a sort of which SecantusDB thinks otherwise",
            ));
        }
        let sort = Sort::parse(&sort.to_string()).unwrap();
        let ours = answer(&memory, &criteria, &sort);
        match answer(&mongo, &criteria, &sort) {
            // What MongoDB does not take is not compared.
            Err(_) => Err(TestCaseError::reject("refused")),
            theirs => {
                prop_assert_eq!(theirs, ours);
                Ok(())
            }
        }
    });
    runtime.block_on(mongo.close());
    result.unwrap();
}

/// Whether `sort` looks into an array of `data` with an object that lacks what is asked for. It
/// counts as null; SecantusDB passes over it.
fn passes_over_a_null(data: &Value, sort: &Value) -> bool {
    let mut keys = sort.as_object().into_iter().flatten();
    keys.any(|(name, _)| {
        let Some((outer, member)) = name.split_once('.') else {
            return false;
        };
        let mut items = data[outer].as_array().into_iter().flatten();
        items.any(|item| item.is_object() && item.get(member).is_none())
    })
}

fn shown(documents: Vec<Document>) -> Vec<String> {
    let shown = |document: Document| format!("{} {}", document.path, document.data);
    documents.into_iter().map(shown).collect()
}
