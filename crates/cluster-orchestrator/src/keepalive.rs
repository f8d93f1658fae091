//! The table of nodes as documents in the shared store.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use happn_core::{
    Beat, BoxFuture, Changes, Clock, DataStore, Document, Membership, MembershipError, Query,
    Removal, StoreError, Write, WriteMode,
};
use happn_paths::{Path, PathError, StoreGlob};
use happn_protocol::Json;
use serde::{Deserialize, Serialize};
use tracing::warn;

/// Keeps one document per node, at the path and in the shape JavaScript nodes use:
/// `/SYSTEM/DEPLOYMENT/<deployment>/<service>/<endpoint>` holding `{service, endpoint}`, to which
/// it appends members that those nodes ignore.
pub struct KeepaliveDocuments {
    store: Arc<dyn DataStore>,
    clock: Arc<dyn Clock>,
    own: Path,
    data: Json,
    table: Arc<Table>,
}

/// What a node writes of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeRecord {
    /// The table.
    pub deployment: String,
    /// The group the node belongs to.
    pub service: String,
    /// `host:port` of its inner listener.
    pub endpoint: String,
    /// The cluster it belongs to.
    pub cluster_name: String,
    /// Its name.
    pub name: String,
    /// Differs with every start of the process.
    pub instance: String,
}

impl KeepaliveDocuments {
    /// A table in `store` in which this node appears as `record`.
    ///
    /// # Errors
    /// When deployment, service and endpoint do not make a legal path.
    pub fn new(
        store: Arc<dyn DataStore>,
        clock: Arc<dyn Clock>,
        record: &NodeRecord,
    ) -> Result<Self, PathError> {
        let prefix = format!("/SYSTEM/DEPLOYMENT/{}/", record.deployment);
        let own = Path::for_set(&format!("{prefix}{}/{}", record.service, record.endpoint))?;
        let written = Written {
            service: &record.service,
            endpoint: &record.endpoint,
            cluster_name: &record.cluster_name,
            name: &record.name,
            instance: &record.instance,
            capabilities: &CAPABILITIES,
        };
        let warned = Mutex::default();
        Ok(Self {
            store,
            clock,
            own,
            data: Json::encode(&written).unwrap_or(Json::EMPTY_OBJECT),
            table: Arc::new(Table { prefix, warned }),
        })
    }
}

impl Membership for KeepaliveDocuments {
    fn beat(&self) -> BoxFuture<'static, Result<(), MembershipError>> {
        let write = self.store.upsert(Write {
            path: self.own.clone(),
            data: self.data.clone(),
            mode: WriteMode::Replace,
            at: self.clock.wall_ms(),
            modified_by: None,
        });
        Box::pin(async {
            write
                .await
                .map(drop)
                .map_err(|error| membership_error(&error))
        })
    }

    fn beats(&self) -> BoxFuture<'static, Result<Vec<Beat>, MembershipError>> {
        let table = Arc::clone(&self.table);
        let find = self.store.find(Query {
            limit: Some(RECORDS_MAX),
            ..Query::all(StoreGlob::new(&format!("{}*", table.prefix)))
        });
        Box::pin(async move {
            let documents = find.all().await.map_err(|error| membership_error(&error))?;
            Ok(documents.iter().filter_map(|it| table.read(it)).collect())
        })
    }

    fn watch(&self) -> BoxFuture<'static, Result<Option<Changes>, MembershipError>> {
        let selector = StoreGlob::new(&format!("{}*", self.table.prefix));
        let watching = self.store.watch(selector);
        Box::pin(async { watching.await.map_err(|error| membership_error(&error)) })
    }

    fn leave(&self) -> BoxFuture<'static, Result<(), MembershipError>> {
        let remove = self
            .store
            .remove(Removal::all(StoreGlob::new(self.own.as_str())));
        Box::pin(async {
            remove
                .await
                .map(drop)
                .map_err(|error| membership_error(&error))
        })
    }

    fn sweep(&self, beat: &Beat) -> BoxFuture<'static, Result<(), MembershipError>> {
        let path = format!("{}{}/{}", self.table.prefix, beat.service, beat.endpoint);
        if path == self.own.as_str() || path.contains('*') {
            return Box::pin(std::future::ready(Ok(())));
        }
        let remove = self.store.remove(Removal::all(StoreGlob::new(&path)));
        Box::pin(async {
            remove
                .await
                .map(drop)
                .map_err(|error| membership_error(&error))
        })
    }
}

/// What a node of this kind understands beyond the reference.
const CAPABILITIES: [&str; 1] = ["numbered-links"];

/// The most records looked at in one pass; endpoints that ever existed leave one each behind.
const RECORDS_MAX: u64 = 10_000;

/// Paths remembered as reported; beyond that nothing more is reported.
const WARNED_MAX: usize = 1_000;

struct Table {
    /// `/SYSTEM/DEPLOYMENT/<deployment>/`.
    prefix: String,
    /// Malformed records already reported, so that the log gets one line each and not one per
    /// pass.
    warned: Mutex<HashSet<Arc<str>>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Written<'a> {
    service: &'a str,
    endpoint: &'a str,
    cluster_name: &'a str,
    name: &'a str,
    instance: &'a str,
    capabilities: &'a [&'a str],
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Read {
    service: String,
    endpoint: String,
    cluster_name: Option<String>,
    name: Option<String>,
    instance: Option<String>,
}

impl Table {
    fn read(&self, document: &Document) -> Option<Beat> {
        match self.parse(document) {
            Ok(beat) => Some(beat),
            Err(problem) => {
                self.report(&document.path, problem);
                None
            }
        }
    }

    /// Anybody who may write below the prefix can put anything here.
    fn parse(&self, document: &Document) -> Result<Beat, &'static str> {
        let read: Read = document
            .data
            .decode()
            .map_err(|_| "it does not hold service and endpoint as text")?;
        let place = document.path.strip_prefix(&self.prefix);
        let named = format!("{}/{}", read.service, read.endpoint);
        if place != Some(named.as_str()) {
            return Err("its path names another node than its data");
        }
        Ok(Beat {
            endpoint: read.endpoint,
            service: read.service,
            cluster: read.cluster_name,
            name: read.name,
            instance: read.instance,
            mark: document.modified.ok_or("it has no modification time")?,
        })
    }

    fn report(&self, path: &Arc<str>, problem: &str) {
        let mut warned = self.warned.lock().unwrap_or_else(PoisonError::into_inner);
        if warned.len() < WARNED_MAX && warned.insert(Arc::clone(path)) {
            warn!(%path, problem, "ignoring a malformed keepalive record");
        }
    }
}

fn membership_error(error: &StoreError) -> MembershipError {
    MembershipError(error.to_string())
}

#[cfg(test)]
mod tests;
