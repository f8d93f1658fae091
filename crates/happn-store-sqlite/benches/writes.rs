//! Writes per second with and without company: what group commit gains.
//!
//! `cargo bench -p happn-store-sqlite` prints one line per setting; with `-- "Full Replace"` only
//! for those whose name holds that text. Each keeps a number of writes of 256 bytes in flight over
//! 10 000 paths of a fresh file, in the system's temporary directory or in that of a second
//! argument. Forcing a commit to the disk dominates: compare figures of one machine only.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark prints, and stops when anything fails"
)]

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use happn_core::{DataStore, Increment, Query, Write, WriteMode};
use happn_paths::{Path, StoreGlob};
use happn_protocol::Json;
use happn_store_sqlite::{SqliteConfig, SqliteStore, Synchronous};
use tokio::time::Instant;

const DURATION: Duration = Duration::from_secs(3);
const PATHS: u64 = 10_000;

#[derive(Clone, Copy, Debug)]
enum Kind {
    Replace,
    Merge,
    Increment,
    Find,
}

#[tokio::main(worker_threads = 2)]
async fn main() {
    let mut words = std::env::args().skip(1).filter(|word| word != "--bench");
    let chosen = words.next().unwrap_or_default();
    let directory = words.next().map_or_else(std::env::temp_dir, PathBuf::from);
    for (synchronous, kind, in_flight) in [
        (Synchronous::Full, Kind::Replace, 1),
        (Synchronous::Full, Kind::Replace, 16),
        (Synchronous::Full, Kind::Replace, 256),
        (Synchronous::Full, Kind::Merge, 256),
        (Synchronous::Full, Kind::Increment, 256),
        (Synchronous::Normal, Kind::Replace, 256),
        (Synchronous::Full, Kind::Find, 256),
    ] {
        let label = format!("{synchronous:?} {kind:?} {in_flight}");
        if label.contains(&chosen) {
            let rate = measure(&directory, synchronous, kind, in_flight).await;
            println!("{label} in flight: {rate:.0}/s");
        }
    }
}

async fn measure(
    place: &std::path::Path,
    synchronous: Synchronous,
    kind: Kind,
    in_flight: u64,
) -> f64 {
    let directory = place.join(format!("happn-writes-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&directory);
    let config = SqliteConfig {
        synchronous,
        ..SqliteConfig::new(directory.join("happn.sqlite"))
    };
    let store: Arc<dyn DataStore> = Arc::new(SqliteStore::open(config).unwrap());
    let next = Arc::new(AtomicU64::new(0));
    let start = Instant::now();
    let tasks: Vec<_> = (0..in_flight)
        .map(|_| tokio::spawn(work(store.clone(), kind, next.clone(), start + DURATION)))
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let rate = next.load(Ordering::Relaxed) as f64 / start.elapsed().as_secs_f64();
    store.close().await;
    let _ = std::fs::remove_dir_all(&directory);
    rate
}

async fn work(store: Arc<dyn DataStore>, kind: Kind, next: Arc<AtomicU64>, end: Instant) {
    let filler = "x".repeat(225);
    while Instant::now() < end {
        let number = next.fetch_add(1, Ordering::Relaxed);
        // Spread the paths: neighbours in time are not neighbours in the file.
        let text = format!("/bench/{}/value", number * 7919 % PATHS);
        let path = Path::for_set(&text).unwrap();
        let mode = match kind {
            Kind::Merge => WriteMode::Merge,
            _ => WriteMode::Replace,
        };
        match kind {
            Kind::Find => {
                let found = store.find(Query::all(StoreGlob::new(&text))).all().await;
                drop(found.unwrap());
            }
            Kind::Increment => {
                let increment = Increment {
                    path,
                    gauge: "counter".into(),
                    by: 1.into(),
                };
                store.increment(increment).await.unwrap();
            }
            Kind::Replace | Kind::Merge => {
                // SQLite does not write what has not changed, and would look faster than it is.
                let data = format!(r#"{{"text":"{number:020}{filler}"}}"#);
                let write = Write {
                    path,
                    data: Json::from_trusted(data.into_bytes()),
                    mode,
                    at: 1_700_000_000_000 + number as i64,
                    modified_by: None,
                };
                store.upsert(write).await.unwrap();
            }
        }
    }
}
