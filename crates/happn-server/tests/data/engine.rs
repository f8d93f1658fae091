//! The stores the cases run on.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use happn_core::{DataStore, MemoryStore, SystemClock};
use happn_store_mongo::{MongoConfig, MongoSettings, MongoStore};
use happn_store_sqlite::{SqliteConfig, SqliteStore};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    Memory,
    Sqlite,
    Mongo,
}

/// A store, and what it needs for as long as it lives.
pub struct Opened {
    pub store: Arc<dyn DataStore>,
    _directory: Option<Directory>,
}

impl Engine {
    /// A store of its own for one file; none when there is no server for it.
    pub async fn open(self) -> Option<Opened> {
        match self {
            Self::Memory => Some(Opened {
                store: Arc::new(MemoryStore::new()),
                _directory: None,
            }),
            Self::Sqlite => {
                let directory = Directory::new();
                let config = SqliteConfig::new(directory.0.join("happn.sqlite"));
                Some(Opened {
                    store: Arc::new(SqliteStore::open(config).unwrap()),
                    _directory: Some(directory),
                })
            }
            Self::Mongo => Some(Opened {
                store: mongo().await?,
                _directory: None,
            }),
        }
    }
}

/// A store on a collection of its own, which stays behind in the database for tests. None when
/// there is no MongoDB: said loudly, and in CI a failure.
async fn mongo() -> Option<Arc<dyn DataStore>> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let Ok(url) = std::env::var("HAPPN_TEST_MONGO_URL") else {
        let hint = "HAPPN_TEST_MONGO_URL is not set; run this by `cargo xtask mongo`";
        assert!(std::env::var_os("CI").is_none(), "{hint}");
        return None;
    };
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let settings = MongoSettings {
        url: Some(url),
        database: Some("happn-test".to_owned()),
        collection: Some(format!("replay-{}-{number}", std::process::id())),
        ..MongoSettings::default()
    };
    let config = MongoConfig::new(settings).unwrap();
    let store = MongoStore::open(config, &SystemClock::new()).await;
    Some(Arc::new(store.unwrap()))
}

/// Removed with its value.
struct Directory(PathBuf);

impl Directory {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("happn-data-replay-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
