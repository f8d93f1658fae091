//! A store that keeps everything in memory, for tests and simulations.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use happn_paths::StoreGlob;
use happn_protocol::Json;

use crate::{
    BoxFuture, DataStore, Document, Increment, Incremented, Query, StoreError, StoreFuture, Write,
    increment_gauge, written,
};

/// A sorted map behind a lock.
///
/// Every call does its work at once and answers a future that is ready; so dropping one undoes
/// nothing. Nothing is ever overloaded. The content dies with the store.
#[derive(Debug, Default)]
pub struct MemoryStore {
    content: Mutex<Content>,
}

#[derive(Debug, Default)]
struct Content {
    documents: BTreeMap<Arc<str>, Document>,
    closed: bool,
    failure: Option<StoreError>,
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes every call from now on answer `failure`, as in an outage; `None` ends it.
    pub fn fail_with(&self, failure: Option<StoreError>) {
        self.lock().failure = failure;
    }

    fn answer<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Content) -> Result<T, StoreError>,
    ) -> StoreFuture<T> {
        let mut content = self.lock();
        let result = match (content.closed, &content.failure) {
            (true, _) => Err(StoreError::Closed),
            (false, Some(failure)) => Err(failure.clone()),
            (false, None) => work(&mut content),
        };
        Box::pin(std::future::ready(result))
    }

    /// A panic while the lock was held cannot leave a document half written.
    fn lock(&self) -> MutexGuard<'_, Content> {
        self.content.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl DataStore for MemoryStore {
    fn upsert(&self, write: Write) -> StoreFuture<Document> {
        self.answer(|content| content.upsert(&write))
    }

    fn increment(&self, increment: Increment) -> StoreFuture<Incremented> {
        self.answer(|content| content.increment(&increment))
    }

    fn remove(&self, selector: StoreGlob) -> StoreFuture<u64> {
        self.answer(|content| Ok(content.remove(&selector)))
    }

    fn find(&self, query: Query) -> StoreFuture<Vec<Document>> {
        self.answer(|content| {
            let shown = |document: &Document| match query.paths_only {
                true => path_alone(document),
                false => document.clone(),
            };
            Ok(content.page(&query).map(shown).collect())
        })
    }

    fn count(&self, query: Query) -> StoreFuture<u64> {
        self.answer(|content| Ok(content.page(&query).count() as u64))
    }

    fn close(&self) -> BoxFuture<'static, ()> {
        self.lock().closed = true;
        Box::pin(std::future::ready(()))
    }
}

impl Content {
    fn upsert(&mut self, write: &Write) -> Result<Document, StoreError> {
        let document = written(self.documents.get(write.path.as_str()), write)?;
        self.documents
            .insert(document.path.clone(), document.clone());
        Ok(document)
    }

    fn increment(&mut self, increment: &Increment) -> Result<Incremented, StoreError> {
        let stored = self.documents.get_mut(increment.path.as_str());
        let (data, value) =
            increment_gauge(stored.as_ref().map(|document| &document.data), increment)?;
        match stored {
            Some(document) => document.data = data,
            None => {
                let path: Arc<str> = increment.path.as_str().into();
                let document = Document {
                    path: path.clone(),
                    data,
                    created: None,
                    modified: None,
                    modified_by: None,
                };
                self.documents.insert(path, document);
            }
        }
        Ok(Incremented { value })
    }

    fn remove(&mut self, selector: &StoreGlob) -> u64 {
        let paths: Vec<Arc<str>> = self
            .matching(selector)
            .map(|document| document.path.clone())
            .collect();
        for path in &paths {
            self.documents.remove(path);
        }
        paths.len() as u64
    }

    fn page(&self, query: &Query) -> impl Iterator<Item = &Document> {
        let size = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        self.matching(&query.selector)
            .skip(size(query.skip))
            .take(query.limit.map_or(usize::MAX, size))
    }

    fn matching(&self, selector: &StoreGlob) -> impl Iterator<Item = &Document> {
        let prefix = selector.literal_prefix();
        let exact = selector.is_exact();
        self.documents
            .range::<str, _>((Bound::Included(prefix), Bound::Unbounded))
            // Nothing behind an exact path can match; do not walk its namesakes.
            .take_while(move |(path, _)| match exact {
                true => &***path == prefix,
                false => path.starts_with(prefix),
            })
            .filter(|(path, _)| selector.matches(path))
            .map(|(_, document)| document)
    }
}

fn path_alone(document: &Document) -> Document {
    Document {
        path: document.path.clone(),
        data: Json::EMPTY_OBJECT,
        created: None,
        modified: None,
        modified_by: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    crate::store_conformance_tests!(Arc::new(MemoryStore::new()));

    #[tokio::test]
    async fn an_outage_can_be_played() {
        let store = MemoryStore::new();
        let everything = || Query::all(StoreGlob::new("*"));
        let outage = StoreError::Unavailable("played".to_owned());
        store.fail_with(Some(outage.clone()));
        assert_eq!(store.find(everything()).await, Err(outage));
        store.fail_with(None);
        assert_eq!(store.count(everything()).await, Ok(0));
    }
}
