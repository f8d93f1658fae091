//! Many writers at a time.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::print_stderr,
    missing_docs,
    unreachable_pub,
    reason = "the helpers of tests stop at what fails, as tests do, and say what they leave out"
)]

mod support;

use std::sync::Arc;
use std::time::Duration;

use bson::doc;
use futures_util::future::try_join_all;
use happn_core::{DataStore, Query, Write, WriteMode};
use happn_paths::{Path, StoreGlob};
use happn_protocol::Json;
use serde_json::Value;
use support::Place;
use tokio::time::timeout;

const WRITERS: usize = 256;
const PATHS: usize = 16;

/// New items and items that others make at the same moment, by two nodes: whoever meets another
/// tries again, and in the end nothing is missing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_merges_at_a_time_by_two_nodes_none_is_lost_and_none_waits_for_long() {
    let Some(place) = Place::new() else { return };
    let stores = [Arc::new(place.store().await), Arc::new(place.store().await)];
    let merges = (0..WRITERS).map(|writer| {
        stores[writer % 2].upsert(Write {
            path: Path::for_set(&format!("/many/{}", writer % PATHS)).unwrap(),
            data: Json::parse(format!(r#"{{"w{writer}":{writer}}}"#)).unwrap(),
            mode: WriteMode::Merge,
            at: 1,
            modified_by: None,
        })
    });
    let merged = timeout(Duration::from_secs(30), try_join_all(merges)).await;
    merged.expect("all are answered in time").unwrap();
    let query = Query::all(StoreGlob::new("/many/*"));
    let found = stores[0].find(query).all().await.unwrap();
    assert_eq!(found.len(), PATHS);
    let members = found.iter().map(|item| {
        let data: Value = serde_json::from_str(item.data.as_str()).unwrap();
        data.as_object().unwrap().len()
    });
    assert_eq!(members.sum::<usize>(), WRITERS);
    for store in stores {
        store.close().await;
    }
}

#[tokio::test]
async fn an_item_is_found_by_the_index_on_its_path() {
    let Some(place) = Place::new() else { return };
    let store = place.store().await;
    let raw = place.raw().await;
    let database = raw.client().database(&place.database);
    let find = doc! {"find": &place.collection, "filter": {"path": "/one"}};
    let plan = database.run_command(doc! {"explain": find}).await.unwrap();
    assert!(plan.to_string().contains("path_1"), "{plan}");
    store.close().await;
}
