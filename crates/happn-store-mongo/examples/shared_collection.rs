//! Two nodes share a collection: `cargo xtask mongo -- cargo run -p happn-store-mongo --example
//! shared_collection`

#![allow(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "an example talks to its reader, and asks its environment where the database is"
)]

use std::error::Error;

use happn_core::{DataStore, Increment, Query, Removal, SystemClock};
use happn_paths::{Path, StoreGlob};
use happn_store_mongo::{MongoConfig, MongoSettings, MongoStore};

const URL: &str = "HAPPN_TEST_MONGO_URL";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let Ok(url) = std::env::var(URL) else {
        println!("{URL} does not say where a MongoDB is");
        return Ok(());
    };
    let one = open(&url).await?;
    let other = open(&url).await?;
    for _ in 0..3 {
        one.increment(visit()?).await?;
        let total = other.increment(visit()?).await?;
        println!("both counted {} so far", total.value);
    }
    let example = || StoreGlob::new("/example/*");
    for document in one.find(Query::all(example())).all().await? {
        println!("{} is {}", document.path, document.data.as_str());
    }
    one.remove(Removal::all(example())).await?;
    one.close().await;
    other.close().await;
    Ok(())
}

async fn open(url: &str) -> Result<MongoStore, Box<dyn Error>> {
    let settings = MongoSettings {
        url: Some(url.to_owned()),
        database: Some("happn-example".to_owned()),
        ..MongoSettings::default()
    };
    let config = MongoConfig::new(settings)?;
    println!("opening {}", config.place());
    Ok(MongoStore::open(config, &SystemClock::new()).await?)
}

fn visit() -> Result<Increment, Box<dyn Error>> {
    Ok(Increment {
        path: Path::for_set("/example/visits")?,
        gauge: "counter".into(),
        by: 1.into(),
    })
}
