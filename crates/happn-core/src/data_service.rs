//! Which store a path lives in, and the order in which writes are answered.

mod lane;
mod table;
mod times;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwap;
use happn_paths::RouteRule;
use happn_protocol::Json;
use tokio_util::task::TaskTracker;

pub(crate) use crate::data_service::lane::Blocked;
use crate::data_service::lane::{Drained, Lane};
pub use crate::data_service::table::RoutingError;
use crate::data_service::table::Table;
pub(crate) use crate::data_service::times::ReadTimer;
pub use crate::data_service::times::StoreReading;
use crate::{
    Aggregation, BoxFuture, DataStore, Document, Documents, Increment, Incremented, Query, Removal,
    StoreError, StoreFuture, Write,
};

/// Routes paths to stores. Cheap to clone; all clones are one service.
///
/// Every store has a *lane*: writes go to the store in arrival order, and what follows a write
/// (publishing it, answering it) runs in that same order, whether or not the writer is still
/// connected. So subscribers see the versions of an item in the order they were stored.
///
/// A request goes to one store: the one of the longest pattern that its path matches, among equals
/// the one added first, else the default. The path is taken as text, so a `get` of `*` searches the
/// default store only. Stores and patterns may change while requests run: what is under way ends in
/// the store it was sent to, and items are not moved.
///
/// ```
/// # let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
/// # runtime.block_on(async {
/// use std::sync::Arc;
/// use happn_core::{DataService, MemoryStore, RoutingError};
///
/// let data = DataService::new(Arc::new(MemoryStore::new()));
/// data.add_store("sessions", Arc::new(MemoryStore::new()))?;
/// data.add_data_store_filter("/sessions/*", "sessions")?;
/// assert_eq!(&*data.store_name("/sessions/7"), "sessions");
///
/// data.remove_store("sessions").await?;
/// assert_eq!(&*data.store_name("/sessions/7"), "default");
/// # Ok::<(), RoutingError>(())
/// # }).unwrap();
/// ```
#[derive(Clone)]
pub struct DataService {
    inner: Arc<Inner>,
}

struct Inner {
    /// Loaded by every request, without a lock.
    table: ArcSwap<Table>,
    /// Held while a changed table takes the place of the other; knows how to wait for lanes.
    drained: Mutex<HashMap<Arc<str>, Drained>>,
    lanes: TaskTracker,
}

/// What the store of [`DataService::new`] is called.
const DEFAULT: &str = "default";

impl DataService {
    /// A service on one store, called `default`, with strict patterns. Must be called within a
    /// tokio runtime.
    #[must_use]
    pub fn new(default: Arc<dyn DataStore>) -> Self {
        Self::named(DEFAULT, default, RouteRule::Strict)
    }

    /// A service on one store called `name`; `rule` is how patterns are read. Must be called
    /// within a tokio runtime.
    #[must_use]
    pub fn named(name: &str, default: Arc<dyn DataStore>, rule: RouteRule) -> Self {
        let lanes = TaskTracker::new();
        let (lane, drained) = Lane::start(name, default, &lanes);
        Self {
            inner: Arc::new(Inner {
                drained: Mutex::new(HashMap::from([(lane.name.clone(), drained)])),
                table: ArcSwap::from_pointee(Table::new(lane, rule)),
                lanes,
            }),
        }
    }

    /// Adds a store. It gets no paths before [`DataService::add_data_store_filter`] names some.
    /// Must be called within a tokio runtime.
    ///
    /// # Errors
    /// When the name is empty or taken.
    pub fn add_store(&self, name: &str, store: Arc<dyn DataStore>) -> Result<(), RoutingError> {
        let mut drained = self.changing();
        let (lane, waiter) = Lane::start(name, store, &self.inner.lanes);
        self.change(|table| table.add_lane(lane))?;
        drained.insert(name.into(), waiter);
        Ok(())
    }

    /// Takes a store out, with the patterns that point at it: their paths go where the patterns
    /// that are left send them. Then finishes what the store had accepted and closes it.
    ///
    /// The first poll takes the store out; dropping the future after that only means not to wait
    /// for the end.
    ///
    /// # Errors
    /// When there is no such store, or it is the default.
    pub async fn remove_store(&self, name: &str) -> Result<(), RoutingError> {
        let Removed { store, waiter } = self.take_out(name)?;
        let end = self.inner.lanes.spawn(async move {
            if let Some(waiter) = waiter {
                waiter.wait().await;
            }
            store.close().await;
        });
        // Only the end of the runtime keeps the task from ending.
        let _ = end.await;
        Ok(())
    }

    fn take_out(&self, name: &str) -> Result<Removed, RoutingError> {
        let mut drained = self.changing();
        let store = self.inner.table.load().named(name)?.store.clone();
        self.change(|table| table.remove_lane(name))?;
        let waiter = drained.remove(name);
        Ok(Removed { store, waiter })
    }

    /// Sends paths that match `pattern` to the store called `name`. A pattern that is already
    /// there gets a new target and keeps its place among patterns of its length.
    ///
    /// # Errors
    /// When there is no such store, or one of the texts is empty.
    pub fn add_data_store_filter(&self, pattern: &str, name: &str) -> Result<(), RoutingError> {
        let _changing = self.changing();
        self.change(|table| table.add_route(pattern, name))
    }

    /// Takes a pattern away again; one that is not there is none of our business.
    pub fn remove_data_store_filter(&self, pattern: &str) {
        let _changing = self.changing();
        // Taking a pattern away cannot fail.
        let _ = self.change(|table| {
            table.remove_route(pattern);
            Ok(())
        });
    }

    /// Sends paths that match one of `patterns` to the store in which `path` lives now.
    ///
    /// # Errors
    /// When a pattern is empty; the others have then been added up to that one.
    pub fn add_data_provider_patterns(
        &self,
        path: &str,
        patterns: &[&str],
    ) -> Result<(), RoutingError> {
        let _changing = self.changing();
        let name = self.store_name(path);
        let add = |pattern: &&str| self.change(|table| table.add_route(pattern, &name));
        patterns.iter().try_for_each(add)
    }

    /// The store that `path`, taken as text, lives in at the moment.
    #[must_use]
    pub fn store_of(&self, path: &str) -> Arc<dyn DataStore> {
        self.inner.table.load().lane(path).store.clone()
    }

    /// The name of the store that `path`, taken as text, lives in at the moment.
    #[must_use]
    pub fn store_name(&self, path: &str) -> Arc<str> {
        self.inner.table.load().lane(path).name.clone()
    }

    /// Every store with its name, in the order in which they were added.
    #[must_use]
    pub fn stores(&self) -> Vec<(Arc<str>, Arc<dyn DataStore>)> {
        let table = self.inner.table.load();
        let named = |lane: &Arc<Lane>| (lane.name.clone(), lane.store.clone());
        table.lanes.iter().map(named).collect()
    }

    /// How long each store took so far, in the order in which they were added. What the node does
    /// for itself, past the lanes, does not count.
    #[must_use]
    pub fn times(&self) -> Vec<StoreReading> {
        let table = self.inner.table.load();
        let lanes = table.lanes.iter();
        lanes
            .map(|lane| lane.times().read(lane.name.clone()))
            .collect()
    }

    pub(crate) fn find(&self, query: Query) -> Documents {
        let lane = self.lane(query.selector.as_str());
        lane.store.find(query).timed(lane.reading())
    }

    pub(crate) fn count(&self, query: Query) -> StoreFuture<u64> {
        let lane = self.lane(query.selector.as_str());
        timed(lane.store.count(query), lane.reading())
    }

    pub(crate) fn aggregate(&self, aggregation: Aggregation) -> StoreFuture<Vec<Json>> {
        let lane = self.lane(aggregation.selector.as_str());
        timed(lane.store.aggregate(aggregation), lane.reading())
    }

    fn lane(&self, path: &str) -> Arc<Lane> {
        self.inner.table.load().lane(path).clone()
    }

    pub(crate) fn upsert(
        &self,
        write: Write,
        then: impl FnOnce(Result<Document, StoreError>) + Send + 'static,
    ) -> Option<Blocked> {
        let table = self.inner.table.load();
        let lane = table.lane(write.path.as_str());
        lane.submit(|store| store.upsert(write), then)
    }

    pub(crate) fn increment(
        &self,
        increment: Increment,
        then: impl FnOnce(Result<Incremented, StoreError>) + Send + 'static,
    ) -> Option<Blocked> {
        let table = self.inner.table.load();
        let lane = table.lane(increment.path.as_str());
        lane.submit(|store| store.increment(increment), then)
    }

    pub(crate) fn remove(
        &self,
        removal: Removal,
        then: impl FnOnce(Result<u64, StoreError>) + Send + 'static,
    ) -> Option<Blocked> {
        let table = self.inner.table.load();
        let lane = table.lane(removal.selector.as_str());
        lane.submit(|store| store.remove(removal), then)
    }

    /// Completes when the writes that `path`'s store was given before this call have been applied,
    /// published and answered.
    pub(crate) fn settled(&self, path: &str) -> BoxFuture<'static, ()> {
        self.inner.table.load().lane(path).settled()
    }

    /// Finishes what was accepted, then closes the stores.
    pub async fn close(&self) {
        for (_, store) in self.stores() {
            store.close().await;
        }
    }

    /// Whoever changes the table holds this. A panic while it was held leaves a whole table.
    fn changing(&self) -> MutexGuard<'_, HashMap<Arc<str>, Drained>> {
        let drained = &self.inner.drained;
        drained.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(
        &self,
        change: impl FnOnce(&mut Table) -> Result<(), RoutingError>,
    ) -> Result<(), RoutingError> {
        let mut table = Table::clone(&self.inner.table.load());
        change(&mut table)?;
        self.inner.table.store(Arc::new(table));
        Ok(())
    }
}

/// The answer, its time taken.
fn timed<T: 'static>(answer: StoreFuture<T>, timer: ReadTimer) -> StoreFuture<T> {
    Box::pin(async move {
        let _timer = timer;
        answer.await
    })
}

/// A store that no path leads to any more.
struct Removed {
    store: Arc<dyn DataStore>,
    waiter: Option<Drained>,
}

impl std::fmt::Debug for DataService {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<_> = self.stores().into_iter().map(|(name, _)| name).collect();
        f.debug_struct("DataService")
            .field("stores", &names)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
