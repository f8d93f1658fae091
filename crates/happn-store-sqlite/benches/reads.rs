//! What searches cost that want a few of many: `cargo bench -p happn-store-sqlite --bench reads`.
//!
//! A fresh file in the system's temporary directory holds 100 000 documents of 256 bytes, half of
//! them below the mask that is asked for. Each line tells what one search takes, the best of ten.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark prints, and stops when anything fails"
)]

use std::time::Duration;

use futures_util::future::join_all;
use happn_core::{DataStore, Query, Write, WriteMode};
use happn_paths::{Path, StoreGlob};
use happn_protocol::Json;
use happn_query::{Criteria, Sort};
use happn_store_sqlite::{SqliteConfig, SqliteStore, Synchronous};
use tokio::time::Instant;

const DOCUMENTS: i64 = 100_000;
const AT_A_TIME: i64 = 1000;
const TIMES: usize = 10;

#[tokio::main(worker_threads = 2)]
async fn main() {
    let directory = std::env::temp_dir().join(format!("happn-reads-{}", std::process::id()));
    let config = SqliteConfig {
        synchronous: Synchronous::Normal,
        ..SqliteConfig::new(directory.join("happn.sqlite"))
    };
    let store = SqliteStore::open(config).unwrap();
    for first in (0..DOCUMENTS).step_by(AT_A_TIME as usize) {
        let writes = (first..first + AT_A_TIME).map(|number| store.upsert(document(number)));
        for written in join_all(writes).await {
            written.unwrap();
        }
    }
    let few = r#"{"_meta.created":{"$gte":50000,"$lte":50010}}"#;
    for (criteria, sort, limit) in [
        ("{}", "{}", Some(10)),
        ("{}", r#"{"path":-1}"#, Some(10)),
        ("{}", r#"{"_meta.created":-1}"#, Some(10)),
        ("{}", r#"{"_meta.modified":1}"#, Some(10)),
        ("{}", r#"{"_meta.modified":1}"#, Some(1001)),
        (few, "{}", None),
        (few, r#"{"_meta.created":1}"#, Some(10)),
        (r#"{"text":"none"}"#, "{}", Some(10)),
        ("{}", r#"{"number":-1}"#, Some(10)),
    ] {
        let query = Query {
            criteria: Criteria::parse(criteria).unwrap(),
            sort: Sort::parse(sort).unwrap(),
            limit,
            ..Query::all(StoreGlob::new("/bench/0/*"))
        };
        let mut best = (Duration::MAX, 0);
        for _ in 0..TIMES {
            let start = Instant::now();
            let found = store.find(query.clone()).all().await.unwrap();
            best = best.min((start.elapsed(), found.len()));
        }
        let micros = best.0.as_micros();
        println!(
            "{criteria} {sort} limit {limit:?}: {micros} µs for {}",
            best.1
        );
    }
    store.close().await;
    let _ = std::fs::remove_dir_all(&directory);
}

/// Neighbours in time are not neighbours in the file.
fn document(number: i64) -> Write {
    let place = number * 7919 % DOCUMENTS;
    let filler = "x".repeat(200);
    Write {
        path: Path::for_set(&format!("/bench/{}/{place}", place % 2)).unwrap(),
        data: Json::from_trusted(format!(r#"{{"number":{place},"text":"{filler}"}}"#).into_bytes()),
        mode: WriteMode::Replace,
        at: number,
        modified_by: None,
    }
}
