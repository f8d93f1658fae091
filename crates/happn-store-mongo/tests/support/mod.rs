//! A MongoDB for tests, and clients of a node on it.

#![allow(dead_code, reason = "each test file uses a part of it")]

pub mod client;
pub mod relay;
pub mod vectors;

use std::sync::atomic::{AtomicU32, Ordering};

use bson::Document;
use happn_core::SystemClock;
use happn_store_mongo::{MongoConfig, MongoSettings, MongoStore};
use mongodb::{Client, Collection};

/// Says where the MongoDB is; `cargo xtask mongo` sets it.
const URL: &str = "HAPPN_TEST_MONGO_URL";
/// Says where one with change streams is.
const REPLICA_URL: &str = "HAPPN_TEST_MONGO_REPLICA_URL";

/// A collection that nobody else uses, removed with its value.
pub struct Place {
    pub url: String,
    pub database: String,
    pub collection: String,
}

impl Place {
    /// None when there is no MongoDB: said loudly, and in CI a failure.
    pub fn new() -> Option<Self> {
        Self::at(URL)
    }

    /// In a database with change streams.
    pub fn in_replica_set() -> Option<Self> {
        Self::at(REPLICA_URL)
    }

    fn at(variable: &str) -> Option<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let Ok(url) = std::env::var(variable) else {
            let hint =
                format!("{variable} is not set; run this by `cargo xtask mongo -- cargo test …`");
            assert!(std::env::var_os("CI").is_none(), "{hint}");
            eprintln!("LEFT OUT: {hint}");
            return None;
        };
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        Some(Self {
            url,
            database: "happn-test".to_owned(),
            collection: format!("store-{}-{number}", std::process::id()),
        })
    }

    pub fn settings(&self) -> MongoSettings {
        MongoSettings {
            url: Some(self.url.clone()),
            database: Some(self.database.clone()),
            collection: Some(self.collection.clone()),
            ..MongoSettings::default()
        }
    }

    /// A store on the collection, through `relay` if given.
    pub async fn store(&self) -> MongoStore {
        open(self.settings()).await
    }

    /// The collection as another program sees it.
    pub async fn raw(&self) -> Collection<Document> {
        let client = Client::with_uri_str(&self.url).await.unwrap();
        client.database(&self.database).collection(&self.collection)
    }
}

pub async fn open(settings: MongoSettings) -> MongoStore {
    let config = MongoConfig::new(settings).unwrap();
    MongoStore::open(config, &SystemClock::new()).await.unwrap()
}

impl Drop for Place {
    fn drop(&mut self) {
        let (url, database) = (self.url.clone(), self.database.clone());
        let collection = self.collection.clone();
        // The runtime of the test may be about to end, so the last command gets one of its own.
        let drop = move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                let client = Client::with_uri_str(&url).await.unwrap();
                let collection = client
                    .database(&database)
                    .collection::<Document>(&collection);
                let _ = collection.drop().await;
                client.shutdown().immediate(true).await;
            });
        };
        let _ = std::thread::spawn(drop).join();
    }
}
