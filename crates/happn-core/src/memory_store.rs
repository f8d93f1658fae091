//! A store that keeps everything in memory, for tests and simulations.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use happn_paths::StoreGlob;
use happn_protocol::Json;

use crate::{
    Aggregation, BATCH, Batches, BoxFuture, Computation, DataStore, Document, Documents, Increment,
    Incremented, Query, Removal, Search, StoreError, StoreFuture, Write, increment_gauge, item,
    written,
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
        Box::pin(std::future::ready(self.now(work)))
    }

    fn now<T>(
        &self,
        work: impl FnOnce(&mut Content) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut content = self.lock();
        match (content.closed, &content.failure) {
            (true, _) => Err(StoreError::Closed),
            (false, Some(failure)) => Err(failure.clone()),
            (false, None) => work(&mut content),
        }
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

    fn remove(&self, removal: Removal) -> StoreFuture<u64> {
        self.answer(|content| content.remove(&removal))
    }

    /// Sees the content as it is now; what is written while batches are fetched does not show.
    fn find(&self, query: Query) -> Documents {
        match self.now(|content| content.start(query)) {
            Ok(scan) => Documents::batches(scan),
            Err(error) => Documents::ready(Err(error)),
        }
    }

    fn count(&self, query: Query) -> StoreFuture<u64> {
        let scan = self.now(|content| {
            let search = Search::counting(query)?;
            Ok(content.scan(search))
        });
        Box::pin(async move {
            let mut documents = Documents::batches(scan?);
            let mut count = 0;
            while let Some(batch) = documents.next_batch().await? {
                count += batch.len() as u64;
            }
            Ok(count)
        })
    }

    fn aggregate(&self, aggregation: Aggregation) -> StoreFuture<Vec<Json>> {
        let started = self.now(|content| {
            let computation = Computation::new(aggregation)?;
            let selected = content.matching(&computation.query().selector);
            let documents: Vec<Document> = selected.cloned().collect();
            Ok((computation, documents))
        });
        Box::pin(async move {
            let (mut computation, documents) = started?;
            for batch in documents.chunks(BATCH) {
                if computation.is_complete() {
                    break;
                }
                for document in batch {
                    computation.offer(&item(document))?;
                }
                tokio::task::yield_now().await;
            }
            computation.finish()
        })
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

    fn remove(&mut self, removal: &Removal) -> Result<u64, StoreError> {
        removal.criteria.check_evaluable()?;
        let collation = happn_query::Collation::default();
        let is_meant = |document: &&Document| {
            removal.criteria.is_all()
                || removal
                    .criteria
                    .matches(&item(document).document(), &collation)
        };
        let paths: Vec<Arc<str>> = self
            .matching(&removal.selector)
            .filter(is_meant)
            .map(|document| document.path.clone())
            .collect();
        for path in &paths {
            self.documents.remove(path);
        }
        Ok(paths.len() as u64)
    }

    fn start(&self, query: Query) -> Result<Scan, StoreError> {
        Ok(self.scan(Search::new(query)?))
    }

    /// Documents share their content with the store, so that taking all is cheap.
    fn scan(&self, search: Search) -> Scan {
        let query = search.query();
        let enough = match query.criteria.is_all() && search.comes_by_path() {
            true => query.limit.map(|limit| limit.saturating_add(query.skip)),
            false => None,
        };
        let enough = enough.and_then(|enough| usize::try_from(enough).ok());
        let documents: Vec<Document> = self
            .matching(&query.selector)
            .take(enough.unwrap_or(usize::MAX))
            .cloned()
            .collect();
        Scan {
            documents: documents.into_iter(),
            search: Some(search),
        }
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

/// A search under way, over the documents there were when it started.
struct Scan {
    documents: std::vec::IntoIter<Document>,
    search: Option<Search>,
}

impl Batches for Scan {
    fn next_batch(&mut self) -> BoxFuture<'_, Result<Option<Vec<Document>>, StoreError>> {
        Box::pin(async {
            loop {
                let step = self.step()?;
                if step.as_ref().is_none_or(|batch| !batch.is_empty()) {
                    return Ok(step);
                }
                // Long searches let others have their turn.
                tokio::task::yield_now().await;
            }
        })
    }
}

impl Scan {
    /// Looks at some documents and answers those that match; `None` is the end.
    fn step(&mut self) -> Result<Option<Vec<Document>>, StoreError> {
        let Some(mut search) = self.search.take() else {
            return Ok(None);
        };
        let mut batch = Vec::new();
        for document in self.documents.by_ref().take(BATCH) {
            batch.extend(search.offer(document)?);
        }
        match self.documents.as_slice().is_empty() || search.is_complete() {
            true => batch.extend(search.finish()?),
            false => self.search = Some(search),
        }
        Ok(Some(batch))
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
        assert_eq!(store.find(everything()).all().await, Err(outage));
        store.fail_with(None);
        assert_eq!(store.count(everything()).await, Ok(0));
    }
}
