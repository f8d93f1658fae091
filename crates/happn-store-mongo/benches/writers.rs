//! Writes per second through the store, and next to them the same commands sent by a plain loop
//! around the driver: what the store's queue costs, and what is the database's own doing.
//!
//! `cargo xtask mongo -- cargo bench -p happn-store-mongo` prints lines for 1, 16 and 256 writers,
//! first on paths that are all new, then on the same few paths again and again.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark prints, and stops when anything fails"
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bson::{Document, RawDocumentBuf, doc};
use happn_core::{DataStore, SystemClock, Write, WriteMode};
use happn_paths::Path;
use happn_protocol::Json;
use happn_store_mongo::{MongoConfig, MongoSettings, MongoStore};
use mongodb::options::{ClientOptions, ReturnDocument};
use mongodb::{Client, Collection};
use tokio::sync::Semaphore;
use tokio::time::Instant;

const URL: &str = "HAPPN_TEST_MONGO_URL";
const DURATION: Duration = Duration::from_secs(2);
/// Enough for every writer to have some of its own.
const PATHS: u64 = 512;
/// As many as the store sends at a time.
const AT_A_TIME: usize = 16;

/// Who writes.
#[derive(Clone)]
enum Writer {
    Store(Arc<MongoStore>),
    Driver(Collection<RawDocumentBuf>, Arc<Semaphore>),
}

#[tokio::main(worker_threads = 2)]
async fn main() {
    let Ok(url) = std::env::var(URL) else {
        println!("LEFT OUT: {URL} is not set; run this by `cargo xtask mongo -- cargo bench …`");
        return;
    };
    for paths in [u64::MAX, PATHS] {
        for writers in [1, 16, 256] {
            let store = measure(&url, true, paths, writers).await;
            let driver = measure(&url, false, paths, writers).await;
            let paths = match paths {
                u64::MAX => "new paths".to_owned(),
                paths => format!("{paths} paths"),
            };
            println!("{writers} writers, {paths}: {store}; the driver alone {driver}");
        }
        for size in [16, 256] {
            println!("groups of {size}: {}", grouped(&url, paths, size).await);
        }
    }
}

/// One command of many sets after the other, and a search for what it does not answer: when items
/// that existed were created.
async fn grouped(url: &str, paths: u64, size: u64) -> String {
    let name = format!("happn-bench-{}", std::process::id());
    let settings = MongoSettings {
        url: Some(url.to_owned()),
        database: Some(name.clone()),
        ..MongoSettings::default()
    };
    let config = MongoConfig::new(settings).unwrap();
    let store = MongoStore::open(config, &SystemClock::new()).await.unwrap();
    store.close().await;
    let client = Client::with_uri_str(url).await.unwrap();
    let database = client.database(&name);
    let start = Instant::now();
    let (mut written, mut slowest) = (0, Duration::ZERO);
    while start.elapsed() < DURATION {
        let begun = Instant::now();
        let path = |number: u64| format!("/bench/{}/value", number % paths);
        let places: Vec<String> = (written..written + size).map(path).collect();
        let updates: Vec<Document> = (written..)
            .zip(&places)
            .map(|(number, path)| doc! {"q": {"path": path}, "u": update(path, number), "upsert": true})
            .collect();
        let command = doc! {"update": "happn", "updates": updates, "ordered": false};
        let answer = database.run_command(command).await.unwrap();
        let made = answer.get_array("upserted").map_or(0, Vec::len);
        if (made as u64) < size {
            let filter = doc! {"path": {"$in": places}};
            let find = doc! {"find": "happn", "filter": filter, "projection": {"data": 0}, "batchSize": 1000};
            database.run_command(find).await.unwrap();
        }
        written += size;
        slowest = slowest.max(begun.elapsed());
    }
    let rate = written as f64 / start.elapsed().as_secs_f64();
    database.drop().await.unwrap();
    format!("{rate:.0}/s, the slowest {} ms", slowest.as_millis())
}

async fn measure(url: &str, by_store: bool, paths: u64, writers: u64) -> String {
    let database = format!("happn-bench-{}", std::process::id());
    let settings = MongoSettings {
        url: Some(url.to_owned()),
        database: Some(database.clone()),
        ..MongoSettings::default()
    };
    // Makes the index for both.
    let config = MongoConfig::new(settings).unwrap();
    let store = MongoStore::open(config, &SystemClock::new()).await.unwrap();
    let store = Arc::new(store);
    let mut options = ClientOptions::parse(url).await.unwrap();
    options.max_pool_size = Some(AT_A_TIME as u32);
    let client = Client::with_options(options).unwrap();
    let writer = match by_store {
        true => Writer::Store(store.clone()),
        false => Writer::Driver(
            client.database(&database).collection("happn"),
            Arc::new(Semaphore::new(AT_A_TIME)),
        ),
    };
    let (next, slowest) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let start = Instant::now();
    let tasks: Vec<_> = (0..writers)
        .map(|_| {
            let (writer, next, slowest) = (writer.clone(), next.clone(), slowest.clone());
            tokio::spawn(async move {
                while start.elapsed() < DURATION {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let begun = Instant::now();
                    writer.write(number, number % paths).await;
                    let micros = begun.elapsed().as_micros() as u64;
                    slowest.fetch_max(micros, Ordering::Relaxed);
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let rate = next.load(Ordering::Relaxed) as f64 / start.elapsed().as_secs_f64();
    let slowest = slowest.load(Ordering::Relaxed) as f64 / 1000.0;
    client.database(&database).drop().await.unwrap();
    store.close().await;
    format!("{rate:.0}/s, the slowest {slowest:.0} ms")
}

impl Writer {
    async fn write(&self, number: u64, place: u64) {
        let path = format!("/bench/{place}/value");
        match self {
            Self::Store(store) => {
                let write = Write {
                    path: Path::for_set(&path).unwrap(),
                    data: Json::from_trusted(format!(r#"{{"number":{number}}}"#).into_bytes()),
                    mode: WriteMode::Replace,
                    at: 1_700_000_000_000,
                    modified_by: None,
                };
                store.upsert(write).await.unwrap();
            }
            Self::Driver(collection, places) => {
                let _place = places.acquire().await.unwrap();
                let update = update(&path, number);
                let written = collection
                    .find_one_and_update(doc! {"path": path}, update)
                    .projection(doc! {"data": 0})
                    .return_document(ReturnDocument::After)
                    .upsert(true);
                written.await.unwrap();
            }
        }
    }
}

fn update(path: &str, number: u64) -> Document {
    let at = 1_700_000_000_000.0;
    let data = doc! {"number": number as f64};
    doc! {"$set": {"data": data, "path": path, "modified": at}, "$setOnInsert": {"created": at}}
}
