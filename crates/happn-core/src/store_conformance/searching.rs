//! What criteria, sorts, collations and pipelines find.

use happn_paths::StoreGlob;
use happn_query::{Collation, Criteria, Fields, Pipeline, Sort};

use super::{Store, all, found, one, paths, replace, set};
use crate::{Aggregation, Query, Removal, SearchBounds, StoreError, item};

/// Data in which kinds of values, missing ones and arrays meet.
const ITEMS: [(&str, &str); 12] = [
    (
        "/q/1",
        r#"{"name":"Ann","age":30,"tags":["x","y"],"at":{"zip":8000}}"#,
    ),
    (
        "/q/2",
        r#"{"name":"bob","age":25,"tags":["y"],"active":true}"#,
    ),
    (
        "/q/3",
        r#"{"name":"Cid","age":41,"tags":[],"note":null,"at":{"zip":8001}}"#,
    ),
    (
        "/q/4",
        r#"{"name":"dee","age":25.0,"tags":"x","active":false}"#,
    ),
    (
        "/q/5",
        r#"{"name":"Eve","age":"25","lines":[{"k":"a","n":1},{"k":"b","n":5}]}"#,
    ),
    ("/q/6", r#"{"value":"plain text"}"#),
    ("/q/7", r#"{"age":[1,40],"lines":[{"k":"a","n":9},{}]}"#),
    ("/q/8", r#"{"age":{"years":3},"lines":[]}"#),
    ("/q/9", r#"{"age":-1.5,"big":9007199254740991}"#),
    ("/q/A", r#"{"age":true,"text":"two\nlines"}"#),
    ("/q/a", r#"{"a.b":1,"a":{"b":2},"name":"ANN"}"#),
    ("/q/sub/6", r#"{"name":"é","age":0}"#),
];

/// Questions of clients; what they find is what the evaluator says.
const CRITERIA: [&str; 46] = [
    r#"{"name":"Ann"}"#,
    r#"{"age":25}"#,
    r#"{"age":{"$ne":25}}"#,
    r#"{"age":{"$gt":25}}"#,
    r#"{"age":{"$gte":25,"$lt":41}}"#,
    r#"{"age":{"$lte":0}}"#,
    r#"{"age":{"$gt":"2"}}"#,
    r#"{"age":{"$gte":[1]}}"#,
    r#"{"age":{"$in":[25,"25",true]}}"#,
    r#"{"age":{"$in":[]}}"#,
    r#"{"age":{"$nin":[25,40]}}"#,
    r#"{"age":{"$in":[null]}}"#,
    r#"{"note":null}"#,
    r#"{"note":{"$exists":true}}"#,
    r#"{"age":{"$exists":false}}"#,
    r#"{"age":{"$type":"string"}}"#,
    r#"{"age":{"$type":["bool","object"]}}"#,
    r#"{"age":{"$type":"number"}}"#,
    r#"{"age":{"$not":{"$gt":25}}}"#,
    r#"{"age":{"$mod":[5,0]}}"#,
    r#"{"tags":"x"}"#,
    r#"{"tags":["x","y"]}"#,
    r#"{"tags":["y","x"]}"#,
    r#"{"tags":[]}"#,
    r#"{"tags":{"$size":1}}"#,
    r#"{"tags":{"$all":["y","x"]}}"#,
    r#"{"tags":{"$all":["x"]}}"#,
    r#"{"tags":{"$elemMatch":{"$gte":"y"}}}"#,
    r#"{"tags.0":"x"}"#,
    r#"{"at.zip":{"$gt":8000}}"#,
    r#"{"lines.k":"b"}"#,
    r#"{"lines.n":{"$gt":5}}"#,
    r#"{"lines.n":{"$exists":false}}"#,
    r#"{"lines.1.k":"b"}"#,
    r#"{"a.b":2}"#,
    r#"{"big":9007199254740991}"#,
    r#"{"name":{"$regex":"^[A-D]"}}"#,
    r#"{"name":{"$regex":["^a","i"]}}"#,
    r#"{"name":{"$not":{"$regex":"e"}}}"#,
    r#"{"text":{"$regex":["^lines","m"]}}"#,
    r#"{"$or":[{"name":"Ann"},{"age":{"$lt":0}}],"age":{"$exists":true}}"#,
    r#"{"$nor":[{"age":25},{"name":"Ann"}]}"#,
    r#"{"$and":[{"active":{"$exists":true}},{"$or":[{"active":false},{"age":1}]}]}"#,
    r#"{"path":{"$in":["/q/1","/q/7"]}}"#,
    r#"{"_meta.created":{"$gt":1003,"$lte":1006}}"#,
    r#"{"modifiedBy":"somebody"}"#,
];

async fn filled(store: &Store) {
    for ((path, data), at) in ITEMS.iter().zip(1000..) {
        let mut write = replace(path, data, at);
        write.modified_by = (at % 2 == 0).then(|| "somebody".into());
        store.upsert(write).await.expect("an upsert succeeds");
    }
}

fn matching(criteria: &str) -> Query {
    Query {
        criteria: Criteria::parse(criteria).expect("checks ask what can be asked"),
        ..all("/q/*")
    }
}

async fn paths_of(store: &Store, query: Query) -> Vec<String> {
    let documents = store.find(query).all().await.expect("a find succeeds");
    documents.iter().map(|item| item.path.to_string()).collect()
}

/// Criteria find, count and page what the evaluator of `happn-query` says.
pub async fn criteria_find_what_the_evaluator_finds(store: Store) {
    filled(&store).await;
    let documents = found(&store, "/q/*").await;
    for criteria in CRITERIA {
        let query = matching(criteria);
        let is_meant = |document: &&crate::Document| {
            let document = item(document).document();
            query.criteria.matches(&document, &Collation::default())
        };
        let expected: Vec<&str> = documents
            .iter()
            .filter(is_meant)
            .map(|it| &*it.path)
            .collect();
        assert_eq!(
            paths_of(&store, query.clone()).await,
            expected,
            "{criteria}"
        );
        let count = store.count(query.clone()).await;
        assert_eq!(count, Ok(expected.len() as u64), "{criteria}");
        let page = Query {
            skip: 1,
            limit: Some(1),
            ..query
        };
        let one: Vec<&str> = expected.iter().skip(1).take(1).copied().collect();
        assert_eq!(paths_of(&store, page.clone()).await, one, "{criteria}");
        assert_eq!(store.count(page).await, Ok(one.len() as u64), "{criteria}");
    }
}

/// Values of different kinds have an order, arrays count by an element, and what compares equal
/// comes by path.
pub async fn a_sort_orders_all_kinds_of_values(store: Store) {
    filled(&store).await;
    let ascending = [
        "/q/6", "/q/a", "/q/9", "/q/sub/6", "/q/7", "/q/2", "/q/4", "/q/1", "/q/3", "/q/5", "/q/8",
        "/q/A",
    ];
    let descending = [
        "/q/A", "/q/8", "/q/5", "/q/3", "/q/7", "/q/1", "/q/2", "/q/4", "/q/sub/6", "/q/9", "/q/6",
        "/q/a",
    ];
    for (sort, expected) in [
        (r#"{"age":1}"#, &ascending[..]),
        (r#"{"age":-1,"_meta.path":1}"#, &descending),
        (r#"{"created":-1}"#, &["/q/sub/6", "/q/a", "/q/A", "/q/9"]),
        (r#"{"path":-1}"#, &["/q/sub/6", "/q/a", "/q/A", "/q/9"]),
        (
            r#"{"modifiedBy":-1,"path":-1}"#,
            &["/q/a", "/q/9", "/q/7", "/q/5"],
        ),
    ] {
        let query = Query {
            sort: Sort::parse(sort).expect("a sort"),
            ..all("/q/*")
        };
        let page = Query {
            skip: 1,
            limit: Some(2),
            ..query.clone()
        };
        let sorted = paths_of(&store, query).await;
        assert_eq!(sorted[..expected.len()], *expected, "{sort}");
        assert_eq!(paths_of(&store, page).await, expected[1..3], "{sort}");
    }
}

/// A removal takes what its criteria mean and leaves the rest, at one path or many.
pub async fn a_removal_heeds_its_criteria(store: Store) {
    filled(&store).await;
    let removal = |selector: &str, criteria: &str| Removal {
        selector: StoreGlob::new(selector),
        criteria: Criteria::parse(criteria).expect("criteria"),
    };
    let other = removal("/q/1", r#"{"name":"bob"}"#);
    assert_eq!(store.remove(other).await, Ok(0));
    let this = removal("/q/1", r#"{"name":"Ann"}"#);
    assert_eq!(store.remove(this).await, Ok(1));
    let some = removal(
        "/q/*",
        r#"{"age":{"$gte":25},"_meta.created":{"$lt":1004}}"#,
    );
    assert_eq!(store.remove(some).await, Ok(3));
    assert_eq!(paths(&store, "/q/*").await.len(), ITEMS.len() - 4);
}

/// Fields are a hint: what they select is there, whatever else comes with it.
pub async fn selected_fields_are_there(store: Store) {
    set(
        &store,
        "/f",
        r#"{"a":1,"b":{"c":2,"d":3},"l":[{"k":1,"m":2}]}"#,
    )
    .await;
    let whole = one(&store, "/f").await;
    for selected in [
        r#"{"a":1}"#,
        r#"{"b.c":1,"created":1}"#,
        r#"{"l.k":1}"#,
        "{}",
        r#"{"nothing":1}"#,
    ] {
        let fields = Fields::parse(selected).expect("fields");
        let query = Query {
            fields: fields.clone(),
            ..all("/f")
        };
        let answer = store.find(query).all().await.expect("a find succeeds");
        let data = fields.select(&answer[0].data);
        assert_eq!(data, fields.select(&whole.data), "{selected}");
        if fields.shows("created") {
            assert_eq!(answer[0].created, whole.created);
        }
    }
}

/// A collation decides about equality and order of text.
pub async fn a_collation_compares_text(store: Store) {
    filled(&store).await;
    let collation = r#"{"locale":"en_US","strength":1}"#;
    let query = Query {
        collation: Collation::parse(collation).expect("a collation"),
        ..matching(r#"{"name":"ann"}"#)
    };
    assert_eq!(paths_of(&store, query.clone()).await, ["/q/1", "/q/a"]);
    assert_eq!(store.count(query.clone()).await, Ok(2));
    let sorted = Query {
        sort: Sort::parse(r#"{"name":1,"_meta.path":1}"#).expect("a sort"),
        criteria: Criteria::parse(r#"{"name":{"$exists":true}}"#).expect("criteria"),
        ..query
    };
    let by_name = ["/q/1", "/q/a", "/q/2", "/q/3", "/q/4", "/q/sub/6", "/q/5"];
    assert_eq!(paths_of(&store, sorted).await, by_name);
}

/// A pipeline computes rows from what the selector and the criteria mean.
pub async fn a_pipeline_computes_rows(store: Store) {
    filled(&store).await;
    for (criteria, pipeline, expected) in [
        (
            r#"{"name":{"$exists":true}}"#,
            r#"[{"$match":{"data.age":{"$type":"number"}}},
                {"$group":{"_id":"$data.age","n":{"$sum":1}}},{"$sort":{"_id":1}},{"$limit":3}]"#,
            &[
                r#"{"_id":0,"n":1}"#,
                r#"{"_id":25,"n":2}"#,
                r#"{"_id":30,"n":1}"#,
            ][..],
        ),
        (
            r#"{"tags":{"$exists":true}}"#,
            r#"[{"$unwind":"$data.tags"},{"$group":{"_id":"$data.tags","n":{"$sum":1}}},
                {"$sort":{"_id":1}}]"#,
            &[r#"{"_id":"x","n":2}"#, r#"{"_id":"y","n":2}"#],
        ),
        (
            r#"{"lines.k":"b"}"#,
            r#"[{"$project":{"_id":0,"path":1,"sum":{"$add":["$created",1]}}}]"#,
            &[r#"{"path":"/q/5","sum":1005}"#],
        ),
        ("null", r#"[{"$count":"n"}]"#, &[r#"{"n":12}"#]),
        (r#"{"name":"nobody"}"#, r#"[{"$group":{"_id":null}}]"#, &[]),
    ] {
        let rows = store.aggregate(Aggregation {
            selector: StoreGlob::new("/q/*"),
            criteria: Criteria::parse(criteria).expect("criteria"),
            pipeline: Pipeline::parse(pipeline).expect("a pipeline"),
            collation: Collation::default(),
            max_time: None,
            bounds: SearchBounds::UNLIMITED,
        });
        let rows = rows.await.expect("an aggregation succeeds");
        let rows: Vec<&str> = rows.iter().map(happn_protocol::Json::as_str).collect();
        assert_eq!(rows, expected, "{pipeline}");
    }
}

/// More than a search may answer is an error that says so, sorted or not; as much as it may is
/// an answer.
pub async fn an_answer_that_is_too_large_is_an_error(store: Store) {
    filled(&store).await;
    let within = |documents_max: u64, bytes_max: u64, sort: &str| Query {
        sort: Sort::parse(sort).expect("a sort"),
        bounds: SearchBounds {
            documents_max,
            bytes_max,
        },
        ..all("/q/*")
    };
    let items = ITEMS.len() as u64;
    for sort in ["{}", r#"{"age":1}"#] {
        let answer = store.find(within(items, 1_000_000, sort)).all().await;
        assert_eq!(answer.map(|documents| documents.len()), Ok(ITEMS.len()));
        for query in [within(items - 1, 1_000_000, sort), within(items, 100, sort)] {
            let answer = store.find(query).all().await;
            assert!(
                matches!(answer, Err(StoreError::TooLarge { .. })),
                "{answer:?}"
            );
        }
        let page = Query {
            limit: Some(items - 1),
            ..within(items - 1, 1_000_000, sort)
        };
        assert_eq!(paths_of(&store, page).await.len(), ITEMS.len() - 1);
    }
}
