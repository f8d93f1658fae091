//! Stores, directories and recordings for the tests.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use happn_core::{
    BoxFuture, ChangeReplication, DataService, DataStore, Document, MemoryStore, Query,
    SecurityChange, SystemClock,
};
use happn_paths::StoreGlob;
use happn_security::directory::{
    Change, ChangeListener, Directory, GroupName, HashingPool, NameFolding, PasswordHasher,
    TableName, UserName,
};
use happn_store_sqlite::{SqliteConfig, SqliteStore};
use serde_json::Value;
use uuid::Uuid;

/// One file of the recordings.
pub(crate) fn vectors(name: &str) -> Value {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/vectors/security");
    let text = std::fs::read_to_string(format!("{folder}/{name}.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// A hash that costs nothing and that everybody can read.
pub(crate) struct Cheap;

impl PasswordHasher for Cheap {
    fn hash(&self, password: &str) -> Result<String, String> {
        match password {
            "" => Err("a password must not be empty".to_owned()),
            _ => Ok(format!("cheap:{password}")),
        }
    }

    fn matches(&self, password: &str, stored: Option<&str>) -> bool {
        stored == Some(&format!("cheap:{password}"))
    }
}

pub(crate) fn directory(store: &Arc<dyn DataStore>) -> Directory {
    with_hasher(store, Arc::new(Cheap))
}

pub(crate) fn with_hasher(
    store: &Arc<dyn DataStore>,
    hasher: Arc<dyn PasswordHasher>,
) -> Directory {
    let pool = HashingPool::new(hasher, 2, 100);
    let clock = Arc::new(SystemClock::new());
    let data = DataService::new(store.clone());
    Directory::new(data, clock, pool, NameFolding::default())
}

/// A folder that is gone with the test.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        let path = std::env::temp_dir().join(format!("happn-security-{}", Uuid::new_v4()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn sqlite(&self) -> Arc<dyn DataStore> {
        let config = SqliteConfig::new(self.0.join("store.sqlite"));
        Arc::new(SqliteStore::open(config).unwrap())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Runs `check` on an empty store of each kind.
pub(crate) async fn on_each_store<F: Future<Output = ()>>(check: impl Fn(Arc<dyn DataStore>) -> F) {
    check(Arc::new(MemoryStore::new())).await;
    let folder = Folder::new();
    let store = folder.sqlite();
    check(store.clone()).await;
    store.close().await;
}

pub(crate) async fn found(store: &Arc<dyn DataStore>, mask: &str) -> Vec<Document> {
    let query = Query::all(StoreGlob::new(mask));
    store.find(query).all().await.unwrap()
}

pub(crate) async fn paths(store: &Arc<dyn DataStore>, mask: &str) -> Vec<String> {
    let documents = found(store, mask).await;
    documents.iter().map(|it| it.path.to_string()).collect()
}

pub(crate) fn user(name: &str) -> UserName {
    UserName::new(name).unwrap()
}

pub(crate) fn group(name: &str) -> GroupName {
    GroupName::new(name).unwrap()
}

pub(crate) fn table(name: &str) -> TableName {
    TableName::new(name).unwrap()
}

/// Writes down what is told to other nodes and to listeners.
#[derive(Default)]
pub(crate) struct Recorder {
    replicated: Mutex<Vec<SecurityChange>>,
    heard: Mutex<Vec<Change>>,
}

impl Recorder {
    pub(crate) fn on(directory: &Directory) -> Arc<Self> {
        let recorder = Arc::new(Self::default());
        directory.replicate_with(recorder.clone());
        directory.listen(recorder.clone());
        recorder
    }

    /// Whether there is something to take. Listeners hear last, so it is complete.
    pub(crate) fn has_heard(&self) -> bool {
        !self.heard.lock().unwrap().is_empty()
    }

    /// What was told since this was last asked. Both sides were told the same.
    pub(crate) fn take(&self) -> Vec<Change> {
        let replicated = std::mem::take(&mut *self.replicated.lock().unwrap());
        let heard = std::mem::take(&mut *self.heard.lock().unwrap());
        let told: Vec<_> = heard.iter().map(|change| change.told.clone()).collect();
        assert_eq!(replicated, told);
        heard
    }

    pub(crate) fn kinds(&self) -> Vec<String> {
        self.take().into_iter().map(|it| it.told.kind).collect()
    }
}

impl ChangeReplication for Recorder {
    fn replicate(&self, change: SecurityChange) {
        self.replicated.lock().unwrap().push(change);
    }
}

impl ChangeListener for Recorder {
    fn changed(&self, change: &Change) -> BoxFuture<'_, ()> {
        self.heard.lock().unwrap().push(change.clone());
        Box::pin(std::future::ready(()))
    }
}
