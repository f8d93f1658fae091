//! Reading and writing the directory's documents: the only place that meets the store.

use std::sync::Arc;

use happn_core::{
    Clock, DataService, Document, Increment, Query, Removal, StoreError, StoreFuture, Write,
    WriteMode,
};
use happn_paths::{Path, StoreGlob};
use happn_protocol::Json;
use happn_query::Criteria;
use serde_json::json;

/// The directory's documents in the node's store.
pub(super) struct Records {
    data: DataService,
    clock: Arc<dyn Clock>,
}

impl Records {
    pub(super) fn new(data: DataService, clock: Arc<dyn Clock>) -> Self {
        Self { data, clock }
    }

    /// Ms since 1970.
    pub(super) fn now(&self) -> i64 {
        self.clock.wall_ms()
    }

    /// The document at exactly `path`, which may hold `*`.
    pub(super) async fn get(&self, path: &str) -> Result<Option<Document>, StoreError> {
        let query = Query {
            criteria: exactly(path)?,
            limit: Some(1),
            ..Query::all(StoreGlob::new(path))
        };
        let found = self.find(query).await?;
        Ok(found.into_iter().next())
    }

    /// Every document whose path starts with `prefix`, by path.
    pub(super) async fn below(&self, prefix: &str) -> Result<Vec<Document>, StoreError> {
        self.find(Query::all(StoreGlob::new(&format!("{prefix}*"))))
            .await
    }

    /// Those of them that were written at `since` or later, ms since 1970; without it, all.
    pub(super) async fn written_below(
        &self,
        prefix: &str,
        since: Option<i64>,
    ) -> Result<Vec<Document>, StoreError> {
        let since = since.map(|since| json!({ "modified": { "$gte": since } }).to_string());
        let criteria = since.map_or_else(
            || Ok(Criteria::default()),
            |since| Criteria::parse_stored_names(&since),
        );
        let query = Query {
            criteria: criteria?,
            ..Query::all(StoreGlob::new(&format!("{prefix}*")))
        };
        self.find(query).await
    }

    pub(super) async fn find(&self, query: Query) -> Result<Vec<Document>, StoreError> {
        let store = self.data.store_of(query.selector.as_str());
        store.find(query).all().await
    }

    /// Writes and answers what is stored then.
    pub(super) async fn write(
        &self,
        path: &str,
        data: Json,
        mode: WriteMode,
    ) -> Result<Document, StoreError> {
        self.begin_write(path, data, mode).await
    }

    /// The same; the store has it when this returns, so that many can wait together.
    pub(super) fn begin_write(
        &self,
        path: &str,
        data: Json,
        mode: WriteMode,
    ) -> StoreFuture<Document> {
        let write = Write {
            path: Path::for_own_item(path),
            data,
            mode,
            at: self.now(),
            modified_by: None,
        };
        self.data.store_of(path).upsert(write)
    }

    /// Removes the document at exactly `path`, which may hold `*`.
    pub(super) async fn remove(&self, path: &str) -> Result<u64, StoreError> {
        let removal = Removal {
            criteria: exactly(path)?,
            selector: StoreGlob::new(path),
        };
        self.data.store_of(path).remove(removal).await
    }

    /// Removes every document that `mask` names.
    pub(super) async fn remove_all(&self, mask: &str) -> Result<u64, StoreError> {
        let removal = Removal::all(StoreGlob::new(mask));
        self.data.store_of(mask).remove(removal).await
    }

    /// Adds one to the counter called `gauge` at `path` and answers the total.
    pub(super) async fn count_up(&self, path: &str, gauge: &str) -> Result<u64, StoreError> {
        let increment = Increment {
            path: Path::for_own_item(path),
            gauge: gauge.into(),
            by: 1.into(),
        };
        let counted = self.data.store_of(path).increment(increment).await?;
        Ok(counted.value.as_u64().unwrap_or_default())
    }
}

/// A path with a `*` in it is a mask to the store; this leaves the one document of that name.
fn exactly(path: &str) -> Result<Criteria, StoreError> {
    match path.contains('*') {
        true => Ok(Criteria::parse_stored_names(
            &json!({ "path": path }).to_string(),
        )?),
        false => Ok(Criteria::default()),
    }
}
