//! What SQLite decides by itself must be what the evaluator decides: the same documents and the
//! same questions, on this store and on the one in memory, have the same answers.

#![allow(
    clippy::unwrap_used,
    reason = "the helpers of tests stop at what fails, as tests do"
)]

#[allow(dead_code, reason = "other test files need more of it")]
mod support;

use happn_core::{DataStore, Document, MemoryStore, Query, Removal, StoreError, Write, WriteMode};
use happn_paths::StoreGlob;
use happn_query::{Criteria, Sort};
use happn_store_sqlite::{SqliteConfig, SqliteStore, Synchronous};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::support::Directory;

const PATHS: [&str; 8] = [
    "/p/a", "/p/a/1", "/p/a/2", "/p/b/1", "/p/a\n1", "/pa", "/q", "p/a/1",
];

const MASKS: [&str; 9] = [
    "*", "/p/*", "/p/a*", "/p/*/1", "/p/a", "/p/a\n*", "*a*1*", "/none/*", "/p/**",
];

/// A stored document, as a write that restores it.
fn document() -> impl Strategy<Value = Write> {
    let time = || proptest::option::of(0..4_i64);
    let author = proptest::option::of(prop_oneof![Just("ann"), Just("bob")]);
    let data = prop_oneof![
        (0..3_i64).prop_map(|n| json!({"n": n, "t": "x"})),
        Just(json!({"n": [0, 2], "t": null})),
        Just(json!({"n": "1"})),
        Just(json!({})),
    ];
    let path = proptest::sample::select(&PATHS[..]);
    (path, time(), time(), author, data).prop_map(|(path, created, modified, author, data)| Write {
        mode: WriteMode::Restore { created, modified },
        modified_by: author.map(Into::into),
        ..support::write(path, &data.to_string())
    })
}

/// Values of every type, on fields of the item and of its data.
fn comparison() -> impl Strategy<Value = Value> {
    let field = proptest::sample::select(
        &[
            "created",
            "modified",
            "_meta.modified",
            "path",
            "modifiedBy",
            "n",
            "t",
        ][..],
    );
    let value = prop_oneof![
        (0..4_i64).prop_map(|number| json!(number)),
        Just(json!(1.5)),
        Just(json!("1")),
        Just(json!("ann")),
        Just(json!("/p/a/1")),
        Just(json!(true)),
        Just(Value::Null),
    ];
    let operator = proptest::sample::select(&["$eq", "$ne", "$gt", "$gte", "$lt", "$lte"][..]);
    (field, operator, value, 0..6).prop_map(|(field, operator, value, shape)| match shape {
        0 => json!({field: value}),
        1 => json!({field: {"$not": {operator: value}}}),
        2 => json!({field: {"$exists": value == true}}),
        3 => json!({field: {"$in": [value, 2, "bob"]}}),
        4 => json!({field: {operator: value, "$lte": 2}}),
        _ => json!({field: {operator: value}}),
    })
}

fn criteria() -> impl Strategy<Value = Value> {
    comparison().prop_recursive(2, 8, 3, |inner| {
        let list = proptest::collection::vec(inner.clone(), 1..3);
        let connective = proptest::sample::select(&["$and", "$or", "$nor"][..]);
        (connective, list, inner).prop_map(|(connective, list, beside)| {
            let mut whole = beside;
            whole[connective] = json!(list);
            whole
        })
    })
}

fn query() -> impl Strategy<Value = Query> {
    let sort = proptest::sample::select(
        &[
            "{}",
            r#"{"path":1}"#,
            r#"{"path":-1}"#,
            r#"{"n":1}"#,
            r#"{"_meta.modified":-1,"path":1}"#,
            r#"{"created":1}"#,
            r#"{"_meta.created":-1,"modifiedBy":1}"#,
            r#"{"modifiedBy":-1,"path":-1}"#,
            r#"{"modifiedBy":1,"t":1}"#,
        ][..],
    );
    let mask = proptest::sample::select(&MASKS[..]);
    let criteria = prop_oneof![1 => Just(json!({})), 4 => criteria()];
    let limit = proptest::option::of(1..4_u64);
    (mask, criteria, sort, 0..3_u64, limit, any::<bool>()).prop_map(
        |(mask, criteria, sort, skip, limit, paths_only)| Query {
            criteria: Criteria::parse(&criteria.to_string()).unwrap(),
            sort: Sort::parse(sort).unwrap(),
            skip,
            limit,
            paths_only,
            ..Query::all(StoreGlob::new(mask))
        },
    )
}

type Answers = (
    Result<Vec<Document>, StoreError>,
    Result<u64, StoreError>,
    Result<u64, StoreError>,
    Result<Vec<Document>, StoreError>,
);

/// What `store` answers to `query`, what it removes for it, and what is left then.
async fn ask(store: &dyn DataStore, documents: &[Write], query: &Query) -> Answers {
    for path in PATHS {
        let removal = Removal::all(StoreGlob::new(path));
        store.remove(removal).await.unwrap();
    }
    for write in documents {
        store.upsert(write.clone()).await.unwrap();
    }
    let found = store.find(query.clone()).all().await;
    let counted = store.count(query.clone()).await;
    let removal = Removal {
        criteria: query.criteria.clone(),
        ..Removal::all(query.selector.clone())
    };
    let removed = store.remove(removal).await;
    let left = store.find(Query::all(StoreGlob::new("*"))).all().await;
    (found, counted, removed, left)
}

#[test]
fn what_is_pushed_down_answers_as_the_evaluator_does() {
    let directory = Directory::new();
    let store = SqliteStore::open(SqliteConfig {
        synchronous: Synchronous::Normal,
        ..SqliteConfig::new(directory.file("happn.sqlite"))
    })
    .unwrap();
    let memory = MemoryStore::new();
    let runtime = Runtime::new().unwrap();
    let asked = (proptest::collection::vec(document(), 0..8), query());
    let mut runner = TestRunner::new(Config::with_cases(800));
    let outcome = runner.run(&asked, |(documents, query)| {
        let ours = runtime.block_on(ask(&store, &documents, &query));
        let theirs = runtime.block_on(ask(&memory, &documents, &query));
        prop_assert_eq!(ours, theirs);
        Ok(())
    });
    runtime.block_on(store.close());
    outcome.unwrap();
}
