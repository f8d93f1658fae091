//! Documents that outlive the process: `cargo run -p happn-store-sqlite --example durable`

#![allow(clippy::print_stdout, reason = "an example talks to its reader")]

use std::error::Error;
use std::path::Path;

use happn_core::{DataStore, Increment, Node, Query};
use happn_paths::{Path as ItemPath, StoreGlob};
use happn_store_sqlite::{SqliteConfig, SqliteStore};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let directory = std::env::temp_dir().join(format!("happn-durable-{}", std::process::id()));
    std::fs::create_dir_all(&directory)?;
    let file = directory.join("happn.sqlite");
    for start in 1..=3 {
        println!("start {start}: counted {} so far", count_up(&file).await?);
    }
    std::fs::remove_dir_all(directory)?;
    Ok(())
}

/// Opens the file as a process would that has just started, and adds one.
async fn count_up(file: &Path) -> Result<String, Box<dyn Error>> {
    let store = std::sync::Arc::new(SqliteStore::open(SqliteConfig::new(file))?);
    let increment = Increment {
        path: ItemPath::for_set("/visits")?,
        gauge: "counter".into(),
        by: 1.into(),
    };
    let total = store.increment(increment).await?;

    // Usually a node stands in front of it.
    let node = Node::builder("durable").store(store.clone()).build();
    let everything = Query::all(StoreGlob::new("*"));
    let documents = store.count(everything).await?;
    node.data().close().await;
    Ok(format!("{} in {documents} document", total.value))
}
